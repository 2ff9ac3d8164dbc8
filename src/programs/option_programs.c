/* option_programs - what tells one program from another, beside its options. See options_table.h. */
#include "programs/options_table.h"

#include "dicomnet/log.h"
#include "programs/option_groups.h"

static const struct option_program programs[] = {
    {.program = PROGRAM_SENDER,
     .name = "dicom-sender",
     .usage = "dicom-sender [OPTION...] [DESTINATION] PATH...\n"
              "  where DESTINATION is pacs[s]://[AE@]HOST[:PORT], [AE@]HOST:PORT or\n"
              "  [AE@]HOST PORT\n"
              "       dicom-sender report --ledger FILE   (dicom-sender report --help)",
     .about = "Sends DICOM files to a PACS by C-STORE, over many associations at a time. Files are told by their "
              "content, whatever they are called.",
     .examples = "  dicom-sender --input /data/studies --recursive --threads 8 \\\n"
                 "               --ae-title PACS --host pacs.example.org --port 4242\n"
                 "  dicom-sender pacs://PACS@pacs.example.org:4242 -r -t8 /data/studies\n"
                 "  dicom-sender --peer main --dry-run -r /data/studies\n"
                 "  dicom-sender --peer main --ledger move.db -r /data/studies\n"
                 "  dicom-sender --synthetic 4x25x128K:CT --output-dir studies\n"
                 "  find /data -name '*.dcm' -print0 | dicom-sender --loopback --files-from - -0\n",
     .exit_codes = "  0    everything is stored, now or by an earlier session with the same ledger;\n"
                   "       of --dry-run and --probe: everything could be\n"
                   "  1    nothing was sent, or everything failed\n"
                   "  2    some failed, or what was to be written of it could not be\n"
                   "  130  interrupted\n",
     .log_is_a_file = true,
     .log_level = DICOMNET_LOG_INFO,
     .one_of = {"input", "files-from", "synthetic"},
     .none_of_them = "nothing to send: give --input PATH, a path, --files-from FILE or --synthetic",
     .options_size = sizeof(struct dicom_sender_options),
     .groups = {[GROUP_CONNECTION] = offsetof(struct dicom_sender_options, connection),
                [GROUP_NETWORK] = offsetof(struct dicom_sender_options, connection.network),
                [GROUP_TLS] = offsetof(struct dicom_sender_options, connection.tls),
                [GROUP_IDENTITY] = offsetof(struct dicom_sender_options, connection.identity),
                [GROUP_SENDING] = offsetof(struct dicom_sender_options, sending),
                [GROUP_SESSION] = offsetof(struct dicom_sender_options, session),
                [GROUP_LEDGER] = offsetof(struct dicom_sender_options, ledger)}},
    {.program = PROGRAM_REPORT,
     .name = "dicom-sender report",
     .usage = "dicom-sender report --ledger FILE [--failed] [--warned] [--skipped] [--pending] [--json | --csv]",
     .about = "Says what the ledger of dicom-sender knows: what became of the files, by reason and by study, and "
              "which. It may be asked while a session runs.",
     .examples = "  dicom-sender report --ledger move.db\n"
                 "  dicom-sender report --ledger move.db --failed\n"
                 "  dicom-sender report --ledger move.db --csv >files.csv\n",
     .exit_codes = "  0    it was said\n"
                   "  1    the ledger cannot be read, or an option was wrong\n",
     .log_level = DICOMNET_LOG_ERROR,
     .one_of = {"ledger"},
     .none_of_them = "give --ledger FILE",
     .options_size = sizeof(struct dicom_sender_report_options),
     .groups = {[GROUP_LEDGER] = offsetof(struct dicom_sender_report_options, ledger)}},
    {.program = PROGRAM_RECEIVER,
     .name = "dicom-receiver",
     .usage = "dicom-receiver [OPTION...] (--output-dir DIR | --discard)",
     .about = "Receives DICOM instances by C-STORE and answers C-ECHO, until it is told to stop (Ctrl-C). It takes "
              "every storage class, in every transfer syntax if not told otherwise, and keeps data sets byte for "
              "byte.",
     .examples = "  dicom-receiver --port 11112 --ae-title ARCHIVE --output-dir /data/incoming\n"
                 "  dicom-receiver --port 0 --discard\n",
     .exit_codes = "  0    stopped by Ctrl-C, SIGTERM or SIGHUP\n"
                   "  1    it could not listen, its access log lacks a line, or an option was wrong\n",
     .log_level = DICOMNET_LOG_WARN,
     .one_of = {"output-dir", "discard"},
     .none_of_them = "give --output-dir DIR to keep what comes, or --discard to keep nothing",
     .options_size = sizeof(struct dicom_receiver_options),
     .groups = {[GROUP_NETWORK] = offsetof(struct dicom_receiver_options, listening.network),
                [GROUP_TLS] = offsetof(struct dicom_receiver_options, listening.tls),
                [GROUP_STORING] = offsetof(struct dicom_receiver_options, storing),
                [GROUP_LISTENING] = offsetof(struct dicom_receiver_options, listening),
                [GROUP_FAULTS] = offsetof(struct dicom_receiver_options, faults)}},
    {.program = PROGRAM_ARCHIVE,
     .name = "dicom-archive",
     .usage = "dicom-archive [OPTION...] (--output-dir DIR | --synthetic | --dicom FILE)",
     .about = "A small archive for tests, demos and labs: answers C-ECHO, C-STORE, C-FIND, C-MOVE, C-GET and C-CANCEL "
              "until it is told to stop (Ctrl-C).",
     .examples = "  dicom-archive --port 11112 --synthetic 4x2x50 --peer MOVER=127.0.0.1:11113\n"
                 "  dicom-archive --port 11112 --output-dir /data/archive --import /data/studies\n",
     .exit_codes = "  0    stopped by Ctrl-C, SIGTERM or SIGHUP\n"
                   "  1    it could not listen or read its folder, or an option was wrong\n",
     .log_level = DICOMNET_LOG_WARN,
     .one_of = {"output-dir", "synthetic", "dicom"},
     .none_of_them = "give --output-dir DIR for the archive, or --synthetic to serve what does not exist",
     .options_size = sizeof(struct dicom_archive_options),
     .groups = {[GROUP_NETWORK] = offsetof(struct dicom_archive_options, listening.network),
                [GROUP_TLS] = offsetof(struct dicom_archive_options, listening.tls),
                [GROUP_STORING] = offsetof(struct dicom_archive_options, storing),
                [GROUP_LISTENING] = offsetof(struct dicom_archive_options, listening),
                [GROUP_ARCHIVE] = offsetof(struct dicom_archive_options, archive)}},
    {.program = PROGRAM_ECHO,
     .name = "dicom-echo",
     .usage = "dicom-echo [OPTION...] [DESTINATION]\n"
              "  where DESTINATION is [pacs[s]://][AE@]HOST[:PORT] or [AE@]HOST PORT",
     .about = "Asks a DICOM peer whether it is there (C-ECHO) and says how long it took.",
     .examples = "  dicom-echo pacs://PACS@pacs.example.org:4242\n"
                 "  dicom-echo --peer main --repeat 10\n",
     .exit_codes = "  0    the peer answered with status 0000, each time\n"
                   "  1    it did not, or an option was wrong\n"
                   "  2    it did not answer each time\n"
                   "  130  interrupted\n",
     .runs_without_arguments = true,
     .log_level = DICOMNET_LOG_ERROR,
     .options_size = sizeof(struct dicom_echo_options),
     .groups = {[GROUP_CONNECTION] = offsetof(struct dicom_echo_options, connection),
                [GROUP_NETWORK] = offsetof(struct dicom_echo_options, connection.network),
                [GROUP_TLS] = offsetof(struct dicom_echo_options, connection.tls),
                [GROUP_IDENTITY] = offsetof(struct dicom_echo_options, connection.identity),
                [GROUP_ECHO] = offsetof(struct dicom_echo_options, echo)}},
    {.program = PROGRAM_FINDER,
     .name = "dicom-finder",
     .usage = "dicom-finder [OPTION...] [DESTINATION]\n"
              "  where DESTINATION is [pacs[s]://][AE@]HOST[:PORT] or [AE@]HOST PORT",
     .about = "Asks a DICOM peer what it has (C-FIND) and prints the matches as they come: a table, CSV or JSON.",
     .examples = "  dicom-finder PACS@pacs.example.org:4242 -k 'PatientName=DOE^*'\n"
                 "  dicom-finder --peer main -k StudyDate=20240101- -k ModalitiesInStudy=CT\n"
                 "  dicom-finder --peer main -L series -k StudyInstanceUID=1.2.3 --json\n"
                 "  dicom-finder --peer main -P -L patient -k PatientID --limit 10\n",
     .exit_codes = "  0    the peer answered with success, with or without a match\n"
                   "  1    it did not, or an option was wrong\n"
                   "  2    it failed after some matches had come\n"
                   "  130  interrupted\n",
     .runs_without_arguments = true,
     .log_level = DICOMNET_LOG_ERROR,
     .options_size = sizeof(struct dicom_finder_options),
     .groups = {[GROUP_CONNECTION] = offsetof(struct dicom_finder_options, connection),
                [GROUP_NETWORK] = offsetof(struct dicom_finder_options, connection.network),
                [GROUP_TLS] = offsetof(struct dicom_finder_options, connection.tls),
                [GROUP_IDENTITY] = offsetof(struct dicom_finder_options, connection.identity),
                [GROUP_QUERY] = offsetof(struct dicom_finder_options, query)}},
    {.program = PROGRAM_MOVER,
     .name = "dicom-mover",
     .usage = "dicom-mover [OPTION...] [DESTINATION] -k KEY=VALUE... [--move-dest AE]\n"
              "  where DESTINATION is [pacs[s]://][AE@]HOST[:PORT] or [AE@]HOST PORT",
     .about = "Fetches what a DICOM peer has (C-MOVE or C-GET), or has it sent elsewhere. It first lists what matches; "
              "what then is missing it asks for again, and what is there already it does not ask for.",
     .examples = "  dicom-mover --peer main -k StudyInstanceUID=1.2.3 --output-dir studies \\\n"
                 "              --receive-port 11113\n"
                 "  dicom-mover --peer main -k StudyInstanceUID=1.2.3 --output-dir studies --get\n"
                 "  dicom-mover PACS@pacs.example.org:4242 -k 'PatientID=4711' --move-dest ARCHIVE\n",
     .exit_codes = "  0    everything that matches is there\n"
                   "  1    nothing matched, nothing came, or an option was wrong\n"
                   "  2    some of it is missing\n"
                   "  130  interrupted\n",
     .log_is_a_file = true,
     .log_level = DICOMNET_LOG_INFO,
     .one_of = {"key", "query-file", "all"},
     .none_of_them = "nothing to ask for: give --key KEY=VALUE or --query-file FILE",
     .options_size = sizeof(struct dicom_mover_options),
     .groups = {[GROUP_CONNECTION] = offsetof(struct dicom_mover_options, connection),
                [GROUP_NETWORK] = offsetof(struct dicom_mover_options, connection.network),
                [GROUP_TLS] = offsetof(struct dicom_mover_options, connection.tls),
                [GROUP_IDENTITY] = offsetof(struct dicom_mover_options, connection.identity),
                [GROUP_QUERY] = offsetof(struct dicom_mover_options, query),
                [GROUP_FETCHING] = offsetof(struct dicom_mover_options, fetching),
                [GROUP_RETRIEVAL] = offsetof(struct dicom_mover_options, retrieval)}},
};

const struct option_program *option_program_of(unsigned program)
{
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (programs[i].program == program)
            return &programs[i];
    return NULL;
}

const void *options_group_of(const struct options *options, enum option_group group)
{
    size_t offset = option_program_of(options->program)->groups[group];
    return group == GROUP_COMMON || offset > 0 ? (const char *)options + offset : NULL;
}

void *options_group(struct options *options, enum option_group group)
{
    size_t offset = option_program_of(options->program)->groups[group];
    return group == GROUP_COMMON || offset > 0 ? (char *)options + offset : NULL;
}

const void *option_value_of(const struct options *options, const struct option_row *row)
{
    const char *group = options_group_of(options, row->field.group);
    return group != NULL && row->field.size > 0 ? group + row->field.offset : NULL;
}

void *option_field_of(struct options *options, const struct option_row *row)
{
    char *group = options_group(options, row->field.group);
    return group != NULL && row->field.size > 0 ? group + row->field.offset : NULL;
}
