/*
 * options_table - the options of all programs: each stands here, in its row, and nowhere else.
 *
 * How to add one:
 *
 *   1. A field in the struct that its value belongs to (option_groups.h), with its unit in the name. For a session or a
 *      retrieval that is its own struct (session_options, retrieval_options): nothing is to be copied then.
 *   2. A row here, below the others of its heading. What a row can say is in options_table.h: what it takes, from where
 *      to where, what it is at first, what it excludes, what it needs. `.secret = true` for a password or the like.
 *   3. A test of what it does, and a line in docs/manual/ if the help is not enough.
 *
 * The help, the reader, the suggestions and the checks follow from the row; no program has code of its own for it. What
 * depends on the value of another option, and not on its being given, goes into option_rules.c. A program that says
 * the same word about something else has a row of its own (--output-dir, --verbose).
 */
#include "programs/options_table.h"

#include "dicomnet/storage.h"
#include "dicomnet/tls.h"
#include "dicomnet/uid.h"
#include "programs/option_choices.h"
#include "programs/option_groups.h"

#define SENDER    PROGRAM_SENDER
#define RECEIVER  PROGRAM_RECEIVER
#define ECHO      PROGRAM_ECHO
#define REPORT    PROGRAM_REPORT
#define ARCHIVE   PROGRAM_ARCHIVE
#define SERVER    (PROGRAM_RECEIVER | PROGRAM_ARCHIVE)
#define FINDER    PROGRAM_FINDER
#define MOVER     PROGRAM_MOVER
#define ASKING    (PROGRAM_FINDER | PROGRAM_MOVER)
#define REQUESTOR (PROGRAM_SENDER | PROGRAM_ECHO | ASKING)
#define ALL       (SERVER | REQUESTOR)

/* A row. As clang-format knows it, its arguments share lines. */
#define OPTION(...)                                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

/* A member of a group: FIELD(query_group, level). */
#define FIELD(type, member)                                                                                            \
    {                                                                                                                  \
        GROUP_OF_##type, offsetof(struct type, member), sizeof((struct type *)NULL)->member                            \
    }

/* What is said of more than one pair of options. */
#define TWO_DESTINATIONS(one, other)                                                                                   \
    {                                                                                                                  \
        other, "--" one " and --" other " both name a destination; give one"                                           \
    }
#define NO_RECEIVER "--get needs no receiver: --receive-port, --receive-ae and --receive-bind belong to C-MOVE"
#define NO_FILES                                                                                                       \
    "--synthetic sends no files: give either it or paths (a destination is pacs://[AE@]HOST[:PORT] or AE@HOST:PORT)"
#define NO_FOLDER "--import, --reindex and --sync belong to --output-dir, which is missing"
#define ONLY_DICOM                                                                                                     \
    "--dicom excludes --output-dir, --import and --synthetic: it serves what it names and "                            \
    "keeps nothing"
#define SYNTHETIC_ONLY "--repeat and --duration belong to --synthetic, which is missing"

const struct option_row option_rows[] = {
    /* ---- destination ---- */
    OPTION(.name = "host", .letter = 'H', .programs = REQUESTOR, .heading = "Destination", .takes = OPTION_HOST,
           .value = "HOST", .field = FIELD(connection_group, host),
           .conflicts_with = {TWO_DESTINATIONS("host", "peer")}, .help = "name or address of the peer"),
    OPTION(.name = "port", .letter = 'p', .programs = REQUESTOR, .heading = "Destination", .takes = OPTION_UNSIGNED,
           .value = "PORT", .min = 1, .max = 65535, .field = FIELD(connection_group, port), .initial = "104",
           .help = "its port"),
    OPTION(.name = "ae-title", .letter = 'a', .also = "--called-aet --call -aec", .programs = REQUESTOR,
           .heading = "Destination", .takes = OPTION_AE, .value = "AE", .field = FIELD(connection_group, called_ae),
           .initial = "ANY-SCP", .help = "its AE title (the called one)"),
    OPTION(.name = "calling-ae", .letter = 'c', .also = "--calling-aet --aet --aetitle -aet", .programs = SENDER | ECHO,
           .heading = "Destination", .takes = OPTION_AE, .value = "AE", .field = FIELD(connection_group, calling_ae),
           .initial = "DICOM_SENDER", .help = "our own AE title"),
    OPTION(.name = "calling-ae", .letter = 'c', .also = "--calling-aet --aet --aetitle -aet", .programs = FINDER,
           .heading = "Destination", .takes = OPTION_AE, .value = "AE", .field = FIELD(connection_group, calling_ae),
           .initial = "DICOM_FINDER", .help = "our own AE title"),
    OPTION(.name = "calling-ae", .letter = 'c', .also = "--calling-aet --aet --aetitle -aet", .programs = MOVER,
           .heading = "Destination", .takes = OPTION_AE, .value = "AE", .field = FIELD(connection_group, calling_ae),
           .initial = "DICOM_MOVER", .help = "our own AE title"),
    OPTION(.name = "connect", .programs = REQUESTOR, .heading = "Destination", .takes = OPTION_TEXT,
           .value = "[AE@]HOST[:PORT]", .field = FIELD(connection_group, connect),
           .conflicts_with = {TWO_DESTINATIONS("connect", "host"), TWO_DESTINATIONS("connect", "peer"),
                              TWO_DESTINATIONS("connect", "loopback")},
           .help = "all of that in one word, as the first argument can say it too"),
    OPTION(.name = "peer", .programs = REQUESTOR, .heading = "Destination", .takes = OPTION_TEXT, .value = "NAME",
           .field = FIELD(connection_group, peer),
           .help = "a peer from the file of peers; without any destination its default peer is taken"),
    OPTION(.name = "config", .programs = REQUESTOR, .heading = "Destination", .takes = OPTION_TEXT, .value = "FILE",
           .field = FIELD(connection_group, config),
           .help = "the file of peers (JSON); by default dicom-sender/peers.json in $XDG_CONFIG_HOME or ~/.config"),
    OPTION(.name = "loopback", .programs = SENDER | ECHO, .heading = "Destination",
           .field = FIELD(connection_group, loopback),
           .conflicts_with = {TWO_DESTINATIONS("loopback", "host"), TWO_DESTINATIONS("loopback", "peer")},
           .help = "a receiver inside this process, which keeps nothing: to try things and to measure this machine"),
    OPTION(.name = "repeat", .letter = 'n', .programs = ECHO, .heading = "Verification", .takes = OPTION_UNSIGNED,
           .value = "N", .min = 1, .max = 1000000, .field = FIELD(echo_group, repeat), .initial = "1",
           .help = "ask this many times, each over an association of its own"),

    /* ---- query ---- */
    OPTION(.name = "level", .letter = 'L', .programs = ASKING, .heading = "Query", .takes = OPTION_CHOICE,
           .value = "patient|study|series|image", .choices = option_query_levels, .field = FIELD(query_group, level),
           .initial = "study", .help = "what is asked for"),
    OPTION(.name = "key", .letter = 'k', .programs = ASKING, .heading = "Query", .takes = OPTION_KEY,
           .value = "KEY[=VALUE]", .field = FIELD(query_group, keys),
           .help = "an attribute to match, as PatientName=DOE^*, StudyDate=20240101- or 0020,000D=1.2.3; without a "
                   "value: to be returned. May be repeated"),
    OPTION(.name = "query-file", .programs = ASKING, .heading = "Query", .takes = OPTION_TEXT, .value = "FILE",
           .field = FIELD(query_group, query_file),
           .help = "read keys from FILE, one a line; lines that begin with # are comments"),
    OPTION(.name = "patient-root", .letter = 'P', .programs = ASKING, .heading = "Query",
           .field = FIELD(query_group, patient_root), .conflicts_with = {{.name = "study-root"}},
           .help = "ask in the patient root information model"),
    OPTION(.name = "study-root", .letter = 'S', .programs = ASKING, .heading = "Query",
           .help = "ask in the study root information model, which is the default"),
    OPTION(.name = "limit", .programs = FINDER, .heading = "Query", .takes = OPTION_UNSIGNED, .value = "N", .min = 0,
           .max = UINT32_MAX, .field = FIELD(query_group, limit), .initial = "0",
           .help = "stop after N matches (C-CANCEL); 0 is all of them"),
    OPTION(.name = "max-matches", .programs = ASKING, .heading = "Query", .takes = OPTION_UNSIGNED, .value = "N",
           .min = 0, .max = UINT32_MAX, .field = FIELD(query_group, max_matches), .initial = "1000000",
           .help = "give up at a peer that lists more: it may have no end. 0 is no limit"),

    /* ---- retrieval ---- */
    OPTION(.name = "output-dir", .letter = 'o', .programs = MOVER, .heading = "Retrieval", .takes = OPTION_TEXT,
           .value = "DIR", .field = FIELD(retrieval_options, output_dir),
           .help = "have it sent here, and keep it in this folder as <SOP Instance UID>.dcm; ./downloads if nothing "
                   "says where to"),
    OPTION(.name = "move-dest", .also = "-aem", .programs = MOVER, .heading = "Retrieval", .takes = OPTION_AE,
           .value = "AE", .field = FIELD(retrieval_options, move_destination),
           .help = "have it sent to this AE, which the peer must know; with a folder or a port here, this is our "
                   "receiver's title"),
    OPTION(.name = "get", .programs = MOVER, .heading = "Retrieval", .field = FIELD(retrieval_options, get),
           .conflicts_with = {{"move-dest", "--get and --move-dest exclude each other: C-GET sends to who asks"},
                              {"receive-port", NO_RECEIVER},
                              {"receive-ae", NO_RECEIVER},
                              {"receive-bind", NO_RECEIVER}},
           .help = "C-GET: instances come on the association that asks for them; no port is needed here"),
    OPTION(.name = "no-find", .programs = MOVER, .heading = "Retrieval", .field = FIELD(retrieval_options, no_find),
           .conflicts_with =
               {{"all",
                 "--no-find and --all exclude each other: without a list only what the keys name can be asked for"}},
           .help = "list nothing first, for a peer without C-FIND: ask for the entities whose UIDs are the keys, as a "
                   "whole"),
    OPTION(.name = "all", .programs = MOVER, .heading = "Retrieval", .field = FIELD(fetching_group, all),
           .help = "everything the peer has: needed if no key narrows the retrieval"),
    OPTION(.name = "receive-ae", .programs = MOVER, .heading = "Retrieval", .takes = OPTION_AE, .value = "AE",
           .field = FIELD(retrieval_options, receive_ae),
           .help = "the AE title by which the peer knows this receiver; by default our own one"),
    OPTION(.name = "receive-port", .also = "+P", .programs = MOVER, .heading = "Retrieval", .takes = OPTION_UNSIGNED,
           .value = "PORT", .min = 0, .max = 65535, .field = FIELD(retrieval_options, receive_port), .initial = "0",
           .help = "the port to receive on, as the peer knows it; 0 picks a free one"),
    OPTION(.name = "receive-bind", .programs = MOVER, .heading = "Retrieval", .takes = OPTION_ADDRESS,
           .value = "ADDRESS", .field = FIELD(retrieval_options, receive_address),
           .help = "the address to receive on; by default 127.0.0.1 for a peer on this machine, else all"),
    OPTION(.name = "allow-from", .programs = MOVER, .heading = "Retrieval", .takes = OPTION_LIST, .value = "AE|HOST",
           .field = FIELD(fetching_group, allow_from),
           .help =
               "receive only from this AE title or host; by default from whoever calls --receive-ae. May be repeated"),
    OPTION(.name = "sync", .programs = MOVER, .heading = "Retrieval", .field = FIELD(retrieval_options, sync),
           .help = "answer only after fsync of file and folder"),
    OPTION(.name = "mode", .programs = MOVER, .heading = "Retrieval", .takes = OPTION_MODE, .value = "MODE",
           .field = FIELD(retrieval_options, mode),
           .help = "the permissions of instances, octal, whatever the umask; by default what the umask leaves of 640"),
    OPTION(.name = "retry", .programs = MOVER, .heading = "Retrieval", .takes = OPTION_UNSIGNED, .value = "N", .min = 0,
           .max = 100, .field = FIELD(retrieval_options, retry), .initial = "3",
           .help = "ask N more times for what is missing; a time that brought something does not count"),
    OPTION(.name = "stall-timeout", .programs = MOVER, .heading = "Retrieval", .takes = OPTION_SECONDS,
           .value = "SECONDS", .min = 0, .max = 86400, .field = FIELD(retrieval_options, stall_ms),
           .help = "give up a request at a peer that keeps talking while nothing new comes; 0 waits for ever. By "
                   "default five times --dimse-timeout"),
    OPTION(.name = "priority", .programs = MOVER, .heading = "Retrieval", .takes = OPTION_CHOICE,
           .value = "low|medium|high", .choices = option_priorities, .field = FIELD(retrieval_options, priority),
           .initial = "medium", .help = "the priority to ask for"),

    /* ---- input ---- */
    OPTION(.name = "input", .letter = 'i', .programs = SENDER, .heading = "Input", .takes = OPTION_INPUT,
           .value = "PATH", .field = FIELD(sending_group, inputs),
           .help = "a file, a folder or a quoted glob pattern; may be repeated"),
    OPTION(.name = "recursive", .letter = 'r', .also = "+r", .programs = SENDER, .heading = "Input",
           .field = FIELD(session_options, discover.recursive),
           .help = "go into the folders below; else only a folder's own files are sent"),
    OPTION(.name = "pattern", .programs = SENDER, .heading = "Input", .takes = OPTION_TEXT, .value = "GLOB",
           .field = FIELD(session_options, discover.pattern), .help = "only files whose name matches, such as '*.dcm'"),
    OPTION(.name = "files-from", .programs = SENDER, .heading = "Input", .takes = OPTION_TEXT, .value = "FILE",
           .field = FIELD(session_options, discover.files_from),
           .help = "read paths from FILE, one a line; - is standard input"),
    OPTION(.name = "null", .letter = '0', .programs = SENDER, .heading = "Input",
           .field = FIELD(session_options, discover.nul_separated), .needs = {.name = "files-from"},
           .help = "that list is separated by NUL bytes (find -print0)"),
    OPTION(.name = "follow-symlinks", .programs = SENDER, .heading = "Input",
           .field = FIELD(session_options, discover.follow_symlinks),
           .help = "follow symbolic links below the given paths, to each file once"),
    OPTION(.name = "accept-raw", .programs = SENDER, .heading = "Input",
           .field = FIELD(session_options, scan.accept_raw),
           .help =
               "take data sets without preamble, file meta information or transfer syntax, which is found by parsing"),
    OPTION(.name = "allow-incomplete", .programs = SENDER, .heading = "Input",
           .field = FIELD(session_options, scan.allow_incomplete),
           .help = "send instances that have no Study Instance UID, or whose study or series UIDs are no UIDs"),
    OPTION(.name = "on-conflict", .programs = SENDER, .heading = "Input", .takes = OPTION_CHOICE,
           .value = "fail|first|all", .choices = option_conflicts, .field = FIELD(session_options, on_conflict),
           .initial = "fail",
           .help = "what to do with a file that has another one's SOP Instance UID and other data: fail it, skip it, "
                   "or send it too"),
    OPTION(.name = "scan-folders", .also = "+sd", .programs = SENDER, .heading = "Input",
           .help = "changes nothing: folders are always looked into"),
    OPTION(.name = "read-from-dicomdir", .also = "+rd", .programs = SENDER, .heading = "Input",
           .help = "changes nothing: a DICOMDIR that is given stands for the files it names"),
    OPTION(.name = "synthetic", .programs = SENDER, .heading = "Input", .takes = OPTION_SYNTHETIC,
           .value = "STUDIESxINSTANCESxSIZE[:CT|MR|SC]", .field = FIELD(sending_group, synthetic),
           .conflicts_with = {{"input", NO_FILES},
                              {"files-from", NO_FILES},
                              {"ledger",
                               "--synthetic makes no files that a ledger could know: give either it or --ledger"}},
           .help = "send made-up instances instead of files, e.g. 4x50x512K:CT: to measure a PACS"),
    OPTION(.name = "repeat", .programs = SENDER, .heading = "Input", .takes = OPTION_UNSIGNED, .value = "N", .min = 1,
           .max = 1000000, .field = FIELD(session_options, repeat), .needs = {"synthetic", SYNTHETIC_ONLY},
           .help = "make the synthetic studies N times, with new UIDs"),
    OPTION(.name = "duration", .programs = SENDER, .heading = "Input", .takes = OPTION_SECONDS, .value = "SECONDS",
           .min = 0, .max = 864000, .field = FIELD(session_options, duration_ms),
           .needs = {"synthetic", SYNTHETIC_ONLY}, .help = "make synthetic studies for so long"),
    OPTION(.name = "output-dir", .programs = SENDER, .heading = "Input", .takes = OPTION_TEXT, .value = "DIR",
           .field = FIELD(sending_group, output_dir), .needs = {.name = "synthetic"},
           .conflicts_with = {{.name = "ramp"}, {.name = "dry-run"}, {.name = "duration"}, {.name = "json"}},
           .excludes = {.headings = {"Destination", "Sending", "Transfer syntaxes", "TLS", "Network"},
                        .text = "--output-dir writes files and sends to nobody: give either it or"},
           .help = "write the synthetic instances into this folder, as study-N/image-N.dcm, and send nothing"),
    OPTION(.name = "synthetic-seed", .programs = SENDER, .heading = "Input", .takes = OPTION_UNSIGNED, .value = "N",
           .min = 0, .max = UINT32_MAX, .field = FIELD(sending_group, synthetic_seed), .initial = "1",
           .needs = {.name = "output-dir"},
           .help = "what the UIDs and pixels of these files are made from: the same number makes the same files"),

    /* ---- sending ---- */
    OPTION(.name = "threads", .letter = 't', .also = "--concurrency", .programs = SENDER, .heading = "Sending",
           .takes = OPTION_UNSIGNED, .value = "N|auto", .min = 1, .max = SESSION_THREADS_MAX,
           .choices = option_automatic, .field = FIELD(sending_group, threads), .initial = "1",
           .help = "associations at a time, each on its own thread; auto finds out how many are worth it"),
    OPTION(.name = "ramp", .programs = SENDER, .heading = "Sending", .takes = OPTION_RAMP, .value = "N,N,...", .min = 1,
           .max = SESSION_THREADS_MAX, .field = FIELD(sending_group, ramp),
           .conflicts_with = {{.name = "dry-run"},
                              {.name = "threads"},
                              {"ledger",
                               "--ramp sends the same files again and again, and --ledger does not: give either"}},
           .help = "the whole job with each of these numbers of threads in turn, e.g. 1,2,4,8: a table, and where the "
                   "knee is"),
    OPTION(.name = "priority", .programs = SENDER, .heading = "Sending", .takes = OPTION_CHOICE,
           .value = "low|medium|high", .choices = option_priorities, .field = FIELD(session_options, priority),
           .initial = "medium", .help = "the priority that each C-STORE asks for"),
    OPTION(.name = "verify", .programs = SENDER, .heading = "Sending", .field = FIELD(session_options, verify),
           .help = "C-ECHO first; nothing is sent if it fails"),
    OPTION(.name = "retry", .programs = SENDER, .heading = "Sending", .takes = OPTION_UNSIGNED, .value = "N", .min = 0,
           .max = 100, .field = FIELD(session_options, retry), .initial = "2",
           .help = "try N more times whatever may succeed later (a lost association, no answer, no room, status 0110; "
                   "other statuses once more at most); with 0, what was in flight when an association was lost is in "
                   "doubt"),
    OPTION(.name = "give-up-after", .programs = SENDER, .heading = "Sending", .takes = OPTION_SECONDS,
           .value = "SECONDS", .min = 1, .max = 4294967, .field = FIELD(session_options, give_up_ms),
           .help = "stop when the peer cannot be reached or has no room for so long; by default after 600 s, and as "
                   "soon as --retry says if it has never answered"),
    OPTION(.name = "max-per-association", .programs = SENDER, .heading = "Sending", .takes = OPTION_LIMIT,
           .value = "N|SIZE|TIME", .field = FIELD(session_options, association_limit),
           .help = "open another association after N stores, after a size such as 500M, or after a time such as 60s"),
    OPTION(.name = "strict", .programs = SENDER, .heading = "Sending", .field = FIELD(session_options, strict),
           .help = "let what is skipped or stored with a warning fail the run: it then ends with 1 or 2"),
    OPTION(.name = "window", .programs = SENDER, .heading = "Sending", .takes = OPTION_UNSIGNED, .value = "N", .min = 1,
           .max = DICOMNET_STORAGE_WINDOW_MAX, .field = FIELD(connection_group, window), .initial = "1",
           .help =
               "stores under way at a time on one association, if the peer agrees (asynchronous operations window)"),
    OPTION(.name = "scan-first", .programs = SENDER, .heading = "Sending", .field = FIELD(session_options, scan_first),
           .help = "look at every file before the first is sent: exact totals from the start"),
    OPTION(.name = "dry-run", .programs = SENDER, .heading = "Sending", .field = FIELD(session_options, dry_run),
           .help = "say what would be sent (studies, files, sizes, syntaxes, contexts) and connect to nobody"),
    OPTION(.name = "probe", .programs = SENDER, .heading = "Sending", .field = FIELD(session_options, probe),
           .conflicts_with = {{.name = "dry-run"}, {.name = "ramp"}, {.name = "duration"}, {.name = "verify"}},
           .help = "ask the peer what it would take, and store nothing: for each class and transfer syntax, whether it "
                   "goes as it lies, converted or not at all"),

    /* ---- transfer syntaxes ---- */
    OPTION(.name = "transcode", .programs = SENDER, .heading = "Transfer syntaxes", .takes = OPTION_CHOICE,
           .value = "never|uncompressed|lossless|lossy", .choices = option_transcodes,
           .field = FIELD(session_options, transcode.allowed), .initial = "lossless",
           .help = "what may be done to a file if the peer refuses the transfer syntax it lies in: nothing; change "
                   "byte order, VR encoding and deflate; also decompress what was compressed without loss; also what "
                   "was compressed with loss"),
    OPTION(.name = "syntax", .also = "--transfer-syntax", .programs = SENDER, .heading = "Transfer syntaxes",
           .takes = OPTION_SYNTAXES, .value = "UID|NAME", .field = FIELD(sending_group, syntaxes),
           .help = "propose only this one, and convert what differs as far as --transcode allows. May be repeated: a "
                   "file goes out as it lies if that is one of them, else in the first that is accepted"),
    OPTION(.name = "request-little", .also = "-xe", .programs = SENDER, .heading = "Transfer syntaxes",
           .takes = OPTION_SYNTAXES, .stands_for = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN,
           .field = FIELD(sending_group, syntaxes), .help = "--syntax ExplicitVRLittleEndian"),
    OPTION(.name = "request-implicit", .also = "-xi", .programs = SENDER, .heading = "Transfer syntaxes",
           .takes = OPTION_SYNTAXES, .stands_for = DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN,
           .field = FIELD(sending_group, syntaxes), .help = "--syntax ImplicitVRLittleEndian"),
    OPTION(.name = "request-big", .also = "-xb", .programs = SENDER, .heading = "Transfer syntaxes",
           .takes = OPTION_SYNTAXES, .stands_for = DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN,
           .field = FIELD(sending_group, syntaxes), .help = "--syntax ExplicitVRBigEndian"),
    OPTION(.name = "single-context", .also = "-cx", .programs = SENDER, .heading = "Transfer syntaxes",
           .conflicts_with = {{.name = "propose-all"}},
           .help = "changes nothing: only what the files need is proposed"),
    OPTION(.name = "propose-all", .programs = SENDER, .heading = "Transfer syntaxes",
           .field = FIELD(session_options, propose_all),
           .help = "also propose the commonest storage classes in the uncompressed syntaxes, 128 contexts in all, for "
                   "a peer that judges by it"),

    /* ---- ledger ---- */
    OPTION(.name = "ledger", .programs = SENDER, .heading = "Ledger", .takes = OPTION_TEXT, .value = "FILE",
           .field = FIELD(ledger_group, ledger),
           .help =
               "note every outcome in this database; the same command again resumes: what is stored is not sent again"),
    OPTION(.name = "retry-failed", .programs = SENDER, .heading = "Ledger", .field = FIELD(ledger_group, retry_failed),
           .needs = {.name = "ledger"}, .help = "try again also what the ledger says has failed for good"),
    OPTION(.name = "allow-other-destination", .programs = SENDER, .heading = "Ledger",
           .field = FIELD(ledger_group, allow_other_destination), .needs = {.name = "ledger"},
           .help = "the ledger was made for another destination and shall belong to this one: the PACS has moved"),
    OPTION(.name = "ledger", .programs = REPORT, .heading = "Ledger", .takes = OPTION_TEXT, .value = "FILE",
           .field = FIELD(ledger_group, ledger), .help = "the ledger to look into"),
    OPTION(.name = "failed", .programs = REPORT, .heading = "Ledger", .field = FIELD(ledger_group, show_failed),
           .help = "list the files that failed"),
    OPTION(.name = "warned", .programs = REPORT, .heading = "Ledger", .field = FIELD(ledger_group, show_warned),
           .help = "list the files that were stored with a warning"),
    OPTION(.name = "skipped", .programs = REPORT, .heading = "Ledger", .field = FIELD(ledger_group, show_skipped),
           .help = "list the files that were skipped"),
    OPTION(.name = "pending", .programs = REPORT, .heading = "Ledger", .field = FIELD(ledger_group, show_pending),
           .help = "list the files that are left over: not sent, or in doubt"),

    /* ---- receiving ---- */
    OPTION(.name = "port", .letter = 'p', .programs = SERVER, .heading = "Listening", .takes = OPTION_UNSIGNED,
           .value = "PORT", .min = 0, .max = 65535, .field = FIELD(listening_group, port), .initial = "11112",
           .help = "the port to listen on; 0 picks a free one"),
    OPTION(.name = "bind", .programs = SERVER, .heading = "Listening", .takes = OPTION_ADDRESS, .value = "ADDRESS",
           .field = FIELD(listening_group, bind_address), .initial = "127.0.0.1",
           .help = "the address to listen on; 0.0.0.0 for all"),
    OPTION(.name = "ae-title", .letter = 'a', .also = "--aetitle --aet -aet", .programs = SERVER,
           .heading = "Listening", .takes = OPTION_AE, .value = "AE", .field = FIELD(listening_group, own_ae),
           .help = "our AE title: who calls another one is rejected; by default any is taken"),
    OPTION(.name = "max-associations", .programs = SERVER, .heading = "Listening", .takes = OPTION_UNSIGNED,
           .value = "N", .min = 0, .max = 100000, .field = FIELD(listening_group, max_associations), .initial = "0",
           .help = "reject (transiently) who comes while N are open; 0 is no limit"),
    OPTION(.name = "max-connections", .programs = SERVER, .heading = "Listening", .takes = OPTION_UNSIGNED,
           .value = "N", .min = 0, .max = 100000, .field = FIELD(listening_group, max_connections), .initial = "512",
           .help = "have at most N connections; beyond it the oldest one that has not asked for an association yet is "
                   "closed, or the new one; 0 is no limit"),
    OPTION(.name = "window", .programs = RECEIVER, .heading = "Listening", .takes = OPTION_UNSIGNED, .value = "N",
           .min = 1, .max = DICOMNET_STORAGE_WINDOW_MAX, .field = FIELD(listening_group, window), .initial = "1",
           .help = "grant up to N operations at a time to who asks for it (asynchronous operations window)"),
    OPTION(.name = "accept-syntaxes", .programs = SERVER, .heading = "Listening", .takes = OPTION_SYNTAXES,
           .value = "NAME[,NAME...]", .field = FIELD(listening_group, accept_syntaxes),
           .help = "take instances in these transfer syntaxes only, the first of them that is offered: UIDs, keywords "
                   "or words such as implicit, explicit, jpeg-lossless; by default in any. May be repeated"),
    OPTION(.name = "output-dir", .letter = 'o', .programs = RECEIVER, .heading = "Storing", .takes = OPTION_TEXT,
           .value = "DIR", .field = FIELD(storing_group, output_dir), .conflicts_with = {{.name = "discard"}},
           .help = "keep instances in this folder, as <SOP Instance UID>.dcm"),
    OPTION(.name = "discard", .programs = RECEIVER, .heading = "Storing", .field = FIELD(storing_group, discard),
           .help = "keep nothing: to measure"),
    OPTION(.name = "output-dir", .letter = 'o', .programs = ARCHIVE, .heading = "Storing", .takes = OPTION_TEXT,
           .value = "DIR", .field = FIELD(storing_group, output_dir), .conflicts_with = {{.name = "synthetic"}},
           .help = "the archive: instances as <SOP Instance UID>.dcm, and their index in index.sqlite"),
    OPTION(.name = "import", .programs = ARCHIVE, .heading = "Storing", .takes = OPTION_LIST, .value = "DIR",
           .field = FIELD(archive_group, import_dirs),
           .help = "first take in the DICOM files in this folder and below it. May be repeated"),
    OPTION(.name = "dicom", .also = "-dicom", .programs = ARCHIVE, .heading = "Storing", .takes = OPTION_TEXT,
           .value = "FILE", .field = FIELD(archive_group, dicom_file),
           .conflicts_with = {{"output-dir", ONLY_DICOM}, {"synthetic", ONLY_DICOM}, {"import", ONLY_DICOM}},
           .help =
               "serve this file, or the files below this folder, from a copy that is removed when the archive stops"),
    OPTION(.name = "reindex", .programs = ARCHIVE, .heading = "Storing", .field = FIELD(archive_group, reindex),
           .help = "make the index anew from the files"),
    OPTION(.name = "synthetic", .programs = ARCHIVE, .heading = "Storing", .takes = OPTION_PEOPLE,
           .value = "STUDIESxSERIESxINSTANCES[:SIZE]", .field = FIELD(archive_group, population),
           .value_if_none = "1x1x3",
           .conflicts_with = {{"import", NO_FOLDER}, {"reindex", NO_FOLDER}, {"sync", NO_FOLDER}},
           .help = "serve made-up patients instead, without any files, e.g. 4x2x50:64K; 1x1x3 if nothing is said"),
    OPTION(.name = "sync", .programs = SERVER, .heading = "Storing", .field = FIELD(storing_group, sync),
           .help = "answer only after fsync of file and folder"),
    OPTION(.name = "mode", .programs = SERVER, .heading = "Storing", .takes = OPTION_MODE, .value = "MODE",
           .field = FIELD(storing_group, mode),
           .help = "the permissions of instances, octal, whatever the umask; by default what the umask leaves of 640"),
    OPTION(.name = "access-log", .programs = RECEIVER, .heading = "Storing", .takes = OPTION_TEXT, .value = "FILE",
           .field = FIELD(storing_group, access_log),
           .help = "append a line of JSON for each association and each answered C-STORE, before the answer leaves"),
    OPTION(.name = "status", .programs = RECEIVER, .heading = "Faults, to test senders", .takes = OPTION_STATUS,
           .value = "HEX", .min = 0, .max = 0xFFFF, .field = FIELD(fault_group, status), .initial = "0000",
           .help = "answer every C-STORE with this status; what fails is not kept"),
    OPTION(.name = "fail-every", .programs = RECEIVER, .heading = "Faults, to test senders", .takes = OPTION_EVERY,
           .value = "N:HEX", .min = 1, .max = 1000000, .field = FIELD(fault_group, fail),
           .help = "answer every N-th C-STORE with this status"),
    OPTION(.name = "response-delay", .programs = RECEIVER, .heading = "Faults, to test senders",
           .takes = OPTION_UNSIGNED, .value = "MS", .min = 0, .max = 3600000,
           .field = FIELD(fault_group, response_delay_ms), .initial = "0",
           .help = "wait this many milliseconds before each response"),
    OPTION(.name = "two-writes", .programs = RECEIVER, .heading = "Faults, to test senders",
           .field = FIELD(fault_group, two_writes),
           .help = "write each response in two pieces with Nagle's algorithm on, as DCMTK does"),
    OPTION(.name = "abort-after", .programs = RECEIVER, .heading = "Faults, to test senders", .takes = OPTION_UNSIGNED,
           .value = "N", .min = 0, .max = 1000000, .field = FIELD(fault_group, abort_after), .initial = "0",
           .help = "answer N stores of an association; keep the next and abort instead of answering; 0: never"),
    OPTION(.name = "stall-after", .programs = RECEIVER, .heading = "Faults, to test senders", .takes = OPTION_UNSIGNED,
           .value = "N", .min = 0, .max = 1000000, .field = FIELD(fault_group, stall_after), .initial = "0",
           .help = "answer N stores of an association; keep what follows and say nothing; 0: never"),
    OPTION(.name = "reject-transient", .programs = RECEIVER, .heading = "Faults, to test senders",
           .takes = OPTION_UNSIGNED, .value = "N", .min = 0, .max = 1000000,
           .field = FIELD(fault_group, reject_transient), .initial = "0",
           .help = "reject the first N associations (transiently)"),
    OPTION(.name = "peer", .programs = ARCHIVE, .heading = "Retrieval", .takes = OPTION_LIST, .value = "AE=HOST:PORT",
           .field = FIELD(archive_group, peers),
           .help = "where a C-MOVE to that AE title sends to, over TLS with AE=pacss://HOST:PORT; may be repeated"),
    OPTION(.name = "move-threads", .programs = ARCHIVE, .heading = "Retrieval", .takes = OPTION_UNSIGNED, .value = "N",
           .min = 1, .max = 64, .field = FIELD(archive_group, move_associations), .initial = "1",
           .help = "send a C-MOVE's series over up to N associations at a time"),
    OPTION(.name = "transcode", .programs = ARCHIVE, .heading = "Retrieval", .takes = OPTION_CHOICE,
           .value = "never|uncompressed|lossless|lossy", .choices = option_transcodes,
           .field = FIELD(archive_group, transcode), .initial = "lossless",
           .help = "what may be done to an instance whose transfer syntax is refused by who is to get it: nothing; "
                   "change byte order, VR encoding and deflate; also decompress what was compressed without loss; "
                   "also what was compressed with loss. What is kept stays as it came"),

    /* ---- TLS: any of these options asks for it ---- */
    OPTION(.name = "tls", .programs = REQUESTOR, .heading = "TLS", .field = FIELD(tls_group, enabled),
           .conflicts_with = {{"loopback", "--loopback stays inside this process: TLS has nothing to do there"}},
           .help = "encrypt the line and check who answers; the other options here, and pacss://, mean it too. The "
                   "port is then 2762 if none is given"),
    OPTION(.name = "tls-ca", .programs = REQUESTOR | ARCHIVE, .heading = "TLS", .takes = OPTION_TEXT,
           .value = "FILE|DIR", .field = FIELD(tls_group, ca),
           .help = "trust these certificates, and what they vouch for (PEM); by default those of this system"),
    OPTION(.name = "tls-server-name", .programs = REQUESTOR, .heading = "TLS", .takes = OPTION_HOST, .value = "NAME",
           .field = FIELD(tls_group, server_name),
           .help = "the name or address that the peer's certificate is made out to; by default the host"),
    OPTION(.name = "tls-pin", .programs = REQUESTOR, .heading = "TLS", .takes = OPTION_TEXT, .value = "SHA256",
           .field = FIELD(tls_group, pin),
           .help = "take the certificate with this SHA-256 and no other; without --tls-ca that is proof enough, as "
                   "for one that vouches for itself"),
    OPTION(.name = "tls-insecure", .programs = REQUESTOR, .heading = "TLS", .field = FIELD(tls_group, insecure),
           .help = "check nothing: the line is encrypted, and whoever answers may be anybody"),
    OPTION(.name = "tls", .programs = SERVER, .heading = "TLS", .field = FIELD(tls_group, enabled),
           .help = "take TLS alone: who speaks in clear is refused. The other options here mean it too; --tls-cert is "
                   "needed"),
    OPTION(.name = "tls-client-ca", .programs = SERVER, .heading = "TLS", .takes = OPTION_TEXT, .value = "FILE|DIR",
           .field = FIELD(tls_group, client_ca),
           .help = "who connects needs a certificate that one of these vouches for (PEM)"),
    OPTION(.name = "tls-client", .programs = SERVER, .heading = "TLS", .takes = OPTION_CHOICE,
           .value = "none|request|require", .choices = option_tls_clients, .field = FIELD(tls_group, client),
           .help = "whether who connects is asked for a certificate, and let in without one; by default require with "
                   "--tls-client-ca, else none"),
    OPTION(.name = "tls-cert", .programs = ALL, .heading = "TLS", .takes = OPTION_TEXT, .value = "FILE",
           .field = FIELD(tls_group, certificate),
           .help = "our own certificate, and those that lead to its issuer's behind it (PEM)"),
    OPTION(.name = "tls-key", .programs = ALL, .heading = "TLS", .takes = OPTION_TEXT, .value = "FILE",
           .field = FIELD(tls_group, key), .help = "its private key (PEM); by default in the same file"),
    OPTION(.name = "tls-key-password-file", .programs = ALL, .heading = "TLS", .takes = OPTION_TEXT, .value = "FILE",
           .field = FIELD(tls_group, password_file), .conflicts_with = {{.name = "tls-key-password"}},
           .help = "the first line of FILE is the password of that key"),
    OPTION(.name = "tls-key-password", .programs = ALL, .heading = "TLS", .takes = OPTION_TEXT, .value = "PASSWORD",
           .secret = true, .field = FIELD(tls_group, key_password),
           .help = "the password itself, which others on this machine can see while the program runs"),
    OPTION(.name = "tls-min", .programs = ALL, .heading = "TLS", .takes = OPTION_CHOICE, .value = "1.2|1.3",
           .choices = option_tls_versions, .field = FIELD(tls_group, version_min), .initial = "1.2",
           .help = "the oldest version that is spoken"),
    OPTION(.name = "tls-ciphers", .programs = ALL, .heading = "TLS", .takes = OPTION_TEXT, .value = "NAME:NAME...",
           .field = FIELD(tls_group, ciphers),
           .help = "the cipher suites, as OpenSSL names them; by default those of the profile of PS3.15 B.12"),

    /* ---- network ---- */
    OPTION(.name = "max-pdu", .also = "-pdu", .programs = ALL, .heading = "Network", .takes = OPTION_UNSIGNED,
           .value = "BYTES", .min = DICOMNET_ASSOCIATION_MAX_PDU_MIN, .max = DICOMNET_ASSOCIATION_MAX_PDU_MAX,
           .field = FIELD(network_group, max_pdu_len), .initial = "131072", .help = "the longest PDU that we accept"),
    OPTION(.name = "timeout", .programs = ALL, .heading = "Network", .takes = OPTION_SECONDS, .value = "SECONDS",
           .min = 0, .max = 86400, .field = FIELD(network_group, timeouts.release_ms),
           .help = "all timeouts at once; those below win over it. 0 waits for ever, fractions are fine"),
    OPTION(.name = "connect-timeout", .also = "-to", .programs = REQUESTOR | ARCHIVE, .heading = "Network",
           .takes = OPTION_SECONDS, .value = "SECONDS", .min = 0, .max = 86400,
           .field = FIELD(network_group, timeouts.connect_ms), .initial = "10", .doubtful = 1000,
           .doubt = "it is in seconds, and no connection takes a quarter of an hour to open; of milliseconds, divide "
                    "by 1000",
           .follows = "timeout", .help = "for the TCP connection, and TLS on it"),
    OPTION(.name = "acse-timeout", .also = "-ta", .programs = ALL, .heading = "Network", .takes = OPTION_SECONDS,
           .value = "SECONDS", .min = 0, .max = 86400, .field = FIELD(network_group, timeouts.acse_ms), .initial = "30",
           .follows = "timeout", .help = "for the association to be agreed"),
    OPTION(.name = "dimse-timeout", .also = "-td", .programs = REQUESTOR | ARCHIVE, .heading = "Network",
           .takes = OPTION_SECONDS, .value = "SECONDS", .min = 0, .max = 86400,
           .field = FIELD(network_group, timeouts.dimse_ms), .initial = "120", .follows = "timeout",
           .help = "for a response, after the request or the response before it"),
    OPTION(.name = "idle-timeout", .programs = SERVER, .heading = "Network", .takes = OPTION_SECONDS,
           .value = "SECONDS", .min = 0, .max = 86400, .field = FIELD(listening_group, idle_ms), .initial = "30",
           .doubtful = 10000,
           .doubt = "it is in seconds, and this is hours; of milliseconds, divide by 1000; 0 is no limit",
           .follows = "timeout",
           .help =
               "for a next request on an association; then it is aborted, as it keeps others out. 0 never does that"),
    OPTION(.name = "network-timeout", .also = "-tn", .programs = ALL, .heading = "Network", .takes = OPTION_SECONDS,
           .value = "SECONDS", .min = 0, .max = 86400, .field = FIELD(network_group, timeouts.network_ms),
           .initial = "60", .follows = "timeout", .help = "for a PDU to get through, whichever way it goes"),

    /* ---- what it says ---- */
    OPTION(.name = "log-dir", .programs = SENDER | MOVER, .heading = "Output", .takes = OPTION_TEXT, .value = "DIR",
           .field = FIELD(options, log_dir), .initial = "logs", .help = "the folder for the event log and the summary"),
    OPTION(.name = "json", .programs = FINDER, .heading = "Output", .field = FIELD(options, json),
           .conflicts_with = {{.name = "csv"}}, .help = "matches as an array in the DICOM JSON Model"),
    OPTION(.name = "csv", .programs = FINDER, .heading = "Output", .field = FIELD(options, csv),
           .help = "matches as CSV"),
    OPTION(.name = "json", .programs = SENDER | MOVER, .heading = "Output", .field = FIELD(options, json),
           .help = "the summary as JSON on standard output, and nothing else there"),
    OPTION(.name = "no-progress", .programs = SENDER | MOVER, .heading = "Output", .field = FIELD(options, no_progress),
           .help = "no progress line"),
    OPTION(.name = "json", .programs = REPORT, .heading = "Output", .field = FIELD(options, json),
           .conflicts_with = {{.name = "csv"}}, .help = "as one JSON document"),
    OPTION(.name = "csv", .programs = REPORT, .heading = "Output", .field = FIELD(options, csv),
           .help = "a line for each file, comma-separated"),
    OPTION(.name = "quiet", .letter = 'q', .programs = ALL, .heading = "Output", .field = FIELD(options, quiet),
           .conflicts_with = {{.name = "verbose"}, {.name = "debug"}}, .help = "only errors"),
    OPTION(.name = "verbose", .letter = 'v', .programs = SENDER, .heading = "Output", .field = FIELD(options, verbose),
           .help = "a line for each file"),
    OPTION(.name = "verbose", .letter = 'v', .programs = MOVER, .heading = "Output", .field = FIELD(options, verbose),
           .help = "a line for each request and instance"),
    OPTION(.name = "verbose", .letter = 'v', .programs = SERVER | ECHO | FINDER, .heading = "Output",
           .field = FIELD(options, verbose), .help = "a line for each association"),
    OPTION(.name = "debug", .letter = 'd', .programs = ALL, .heading = "Output", .field = FIELD(options, debug),
           .help = "also associations in detail: contexts, PDU sizes, DIMSE messages"),
    OPTION(.name = "log-level", .also = "-ll", .programs = SENDER | MOVER, .heading = "Output", .takes = OPTION_CHOICE,
           .value = "error|warn|info|debug", .choices = option_log_levels, .field = FIELD(options, log_level),
           .help = "what the log holds (info; debug with -d); without -q, -v, -d also what is said"),
    OPTION(.name = "log-level", .also = "-ll", .programs = SERVER, .heading = "Output", .takes = OPTION_CHOICE,
           .value = "error|warn|info|debug", .choices = option_log_levels, .field = FIELD(options, log_level),
           .help = "what is said: error with -q, info with -v, debug with -d, else warn"),
    OPTION(.name = "log-level", .also = "-ll", .programs = ECHO | FINDER, .heading = "Output", .takes = OPTION_CHOICE,
           .value = "error|warn|info|debug", .choices = option_log_levels, .field = FIELD(options, log_level),
           .help = "what is said: info with -v, debug with -d, else error"),
    OPTION(.name = "help", .letter = 'h', .programs = ALL | REPORT, .heading = "Output", .field = FIELD(options, help),
           .help = "this text"),
    OPTION(.name = "version", .letter = 'V', .programs = ALL | REPORT, .heading = "Output",
           .field = FIELD(options, version), .help = "the version of the program and of its libraries"),
};

const size_t option_row_count = sizeof option_rows / sizeof option_rows[0];
_Static_assert(sizeof option_rows / sizeof option_rows[0] <= OPTIONS_ROWS_MAX,
               "struct options has a flag for each row");
