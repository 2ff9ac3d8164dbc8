/* options_table - see options_table.h. To add an option: a field in struct options, and a row here. */
#include "programs/options_table.h"

#include "dicomnet/dimse.h"
#include "dicomnet/log.h"
#include "dicomnet/query_retrieve.h"
#include "dicomnet/storage.h"
#include "engine/session.h"
#include "programs/options.h"

#define SENDER      PROGRAM_SENDER
#define RECEIVER    PROGRAM_RECEIVER
#define ECHO        PROGRAM_ECHO
#define REPORT      PROGRAM_REPORT
#define ARCHIVE     PROGRAM_ARCHIVE
#define SERVER      (PROGRAM_RECEIVER | PROGRAM_ARCHIVE)
#define FINDER      PROGRAM_FINDER
#define MOVER       PROGRAM_MOVER
#define ASKING      (PROGRAM_FINDER | PROGRAM_MOVER)
#define REQUESTOR   (PROGRAM_SENDER | PROGRAM_ECHO | ASKING)
#define ALL         (SERVER | REQUESTOR)
#define FIELD(name) offsetof(struct options, name)

static const struct option_choice priorities[] = {
    {"low", DICOMNET_PRIORITY_LOW}, {"medium", DICOMNET_PRIORITY_MEDIUM}, {"high", DICOMNET_PRIORITY_HIGH}, {NULL, 0}};

static const struct option_choice conflicts[] = {
    {"fail", CONFLICT_FAIL}, {"first", CONFLICT_FIRST}, {"all", CONFLICT_ALL}, {NULL, 0}};
static const struct option_choice automatic[] = {{"auto", 0}, {NULL, 0}};

/* The names after "trace" work and are not advertised. */
static const struct option_choice levels[] = {{"error", DICOMNET_LOG_ERROR}, {"warn", DICOMNET_LOG_WARN},    {"info", DICOMNET_LOG_INFO},
                                              {"debug", DICOMNET_LOG_DEBUG}, {"trace", DICOMNET_LOG_TRACE},  {"critical", DICOMNET_LOG_ERROR},
                                              {"fatal", DICOMNET_LOG_ERROR}, {"warning", DICOMNET_LOG_WARN}, {NULL, 0}};

static const struct option_choice query_levels[] = {{"patient", DICOMNET_QUERY_LEVEL_PATIENT},
                                                    {"study", DICOMNET_QUERY_LEVEL_STUDY},
                                                    {"series", DICOMNET_QUERY_LEVEL_SERIES},
                                                    {"image", DICOMNET_QUERY_LEVEL_IMAGE},
                                                    {"instance", DICOMNET_QUERY_LEVEL_IMAGE},
                                                    {NULL, 0}};

/* clang-format off */
const struct option_row option_rows[] = {
    /* ---- destination ---- */
    {REQUESTOR, "Destination", "host", 'H', NULL, OPTION_HOST, "HOST", 0, 0, FIELD(host), NULL,
     "name or address of the peer", NULL},
    {REQUESTOR, "Destination", "port", 'p', NULL, OPTION_NUMBER, "PORT", 1, 65535, FIELD(port), "104",
     "its port", NULL},
    {REQUESTOR, "Destination", "ae-title", 'a', "--called-aet --call -aec", OPTION_AE, "AE", 0, 0,
     FIELD(called_ae), "ANY-SCP", "its AE title (the called one)", NULL},
    {SENDER | ECHO, "Destination", "calling-ae", 'c', "--calling-aet --aet --aetitle -aet", OPTION_AE, "AE", 0, 0,
     FIELD(calling_ae), "DICOM_SENDER", "our own AE title", NULL},
    {FINDER, "Destination", "calling-ae", 'c', "--calling-aet --aet --aetitle -aet", OPTION_AE, "AE", 0, 0,
     FIELD(calling_ae), "DICOM_FINDER", "our own AE title", NULL},
    {MOVER, "Destination", "calling-ae", 'c', "--calling-aet --aet --aetitle -aet", OPTION_AE, "AE", 0, 0,
     FIELD(calling_ae), "DICOM_MOVER", "our own AE title", NULL},
    {REQUESTOR, "Destination", "connect", 0, NULL, OPTION_TEXT, "[AE@]HOST[:PORT]", 0, 0, FIELD(connect), NULL,
     "all of that in one word, as the first argument can say it too", NULL},
    {REQUESTOR, "Destination", "peer", 0, NULL, OPTION_TEXT, "NAME", 0, 0, FIELD(peer), NULL,
     "a peer from the file of peers; without any destination its default peer is taken", NULL},
    {REQUESTOR, "Destination", "config", 0, NULL, OPTION_TEXT, "FILE", 0, 0, FIELD(config), NULL,
     "the file of peers (JSON); by default dicom-sender/peers.json in $XDG_CONFIG_HOME or ~/.config", NULL},
    {SENDER | ECHO, "Destination", "loopback", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(loopback), NULL,
     "a receiver inside this process, which keeps nothing: to try things and to measure this machine", NULL},

    {ECHO, "Verification", "repeat", 'n', NULL, OPTION_NUMBER, "N", 1, 1000000, FIELD(repeat), "1",
     "ask this many times, each over an association of its own", NULL},

    /* ---- query ---- */
    {ASKING, "Query", "level", 'L', NULL, OPTION_CHOICE, "patient|study|series|image", 0, 0, FIELD(level), "study",
     "what is asked for", query_levels},
    {ASKING, "Query", "key", 'k', NULL, OPTION_KEY, "KEY[=VALUE]", 0, 0, 0, NULL,
     "an attribute to match, as PatientName=DOE^*, StudyDate=20240101- or 0020,000D=1.2.3; without a value: to be "
     "returned. May be repeated", NULL},
    {ASKING, "Query", "query-file", 0, NULL, OPTION_TEXT, "FILE", 0, 0, FIELD(query_file), NULL,
     "read keys from FILE, one a line; lines that begin with # are comments", NULL},
    {ASKING, "Query", "patient-root", 'P', NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(patient_root), NULL,
     "ask in the patient root information model", NULL},
    {ASKING, "Query", "study-root", 'S', NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(study_root), NULL,
     "ask in the study root information model, which is the default", NULL},
    {FINDER, "Query", "limit", 0, NULL, OPTION_NUMBER, "N", 0, UINT32_MAX, FIELD(limit), "0",
     "stop after N matches (C-CANCEL); 0 is all of them", NULL},
    {ASKING, "Query", "max-matches", 0, NULL, OPTION_NUMBER, "N", 0, UINT32_MAX, FIELD(max_matches), "1000000",
     "give up at a peer that lists more: it may have no end. 0 is no limit", NULL},

    /* ---- retrieval ---- */
    {MOVER, "Retrieval", "output-dir", 'o', NULL, OPTION_TEXT, "DIR", 0, 0, FIELD(output_dir), NULL,
     "have it sent here, and keep it in this folder as <SOP Instance UID>.dcm; ./downloads if nothing says where to",
     NULL},
    {MOVER, "Retrieval", "move-dest", 0, "-aem", OPTION_AE, "AE", 0, 0, FIELD(move_destination), NULL,
     "have it sent to this AE, which the peer must know; with a folder or a port here, this is our receiver's title",
     NULL},
    {MOVER, "Retrieval", "get", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(get), NULL,
     "C-GET: instances come on the association that asks for them; no port is needed here", NULL},
    {MOVER, "Retrieval", "no-find", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(no_find), NULL,
     "list nothing first, for a peer without C-FIND: ask for the entities whose UIDs are the keys, as a whole", NULL},
    {MOVER, "Retrieval", "all", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(all), NULL,
     "everything the peer has: needed if no key narrows the retrieval", NULL},
    {MOVER, "Retrieval", "receive-ae", 0, NULL, OPTION_AE, "AE", 0, 0, FIELD(receive_ae), NULL,
     "the AE title by which the peer knows this receiver; by default our own one", NULL},
    {MOVER, "Retrieval", "receive-port", 0, "+P", OPTION_NUMBER, "PORT", 0, 65535, FIELD(receive_port), "0",
     "the port to receive on, as the peer knows it; 0 picks a free one", NULL},
    {MOVER, "Retrieval", "receive-bind", 0, NULL, OPTION_ADDRESS, "ADDRESS", 0, 0, FIELD(receive_address), NULL,
     "the address to receive on; by default 127.0.0.1 for a peer on this machine, else all", NULL},
    {MOVER, "Retrieval", "allow-from", 0, NULL, OPTION_LIST, "AE|HOST", 0, 0, FIELD(allow_from), NULL,
     "receive only from this AE title or host; by default from whoever calls --receive-ae. May be repeated", NULL},
    {MOVER, "Retrieval", "sync", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(sync), NULL,
     "answer only after fsync of file and folder", NULL},
    {MOVER, "Retrieval", "mode", 0, NULL, OPTION_MODE, "MODE", 0, 0, FIELD(mode), NULL,
     "the permissions of instances, octal, whatever the umask; by default what the umask leaves of 640", NULL},
    {MOVER, "Retrieval", "retry", 0, NULL, OPTION_NUMBER, "N", 0, 100, FIELD(retry), "3",
     "ask N more times for what is missing; a time that brought something does not count", NULL},
    {MOVER, "Retrieval", "stall-timeout", 0, NULL, OPTION_SECONDS, "SECONDS", 0, 86400, FIELD(stall_ms), NULL,
     "give up a request at a peer that keeps talking while nothing new comes; 0 waits for ever. By default five times "
     "--dimse-timeout", NULL},
    {MOVER, "Retrieval", "priority", 0, NULL, OPTION_CHOICE, "low|medium|high", 0, 0, FIELD(priority), "medium",
     "the priority to ask for", priorities},

    /* ---- input ---- */
    {SENDER, "Input", "input", 'i', NULL, OPTION_INPUT, "PATH", 0, 0, 0, NULL,
     "a file, a folder or a quoted glob pattern; may be repeated", NULL},
    {SENDER, "Input", "recursive", 'r', "+r", OPTION_SWITCH, NULL, 0, 0, FIELD(recursive), NULL,
     "go into the folders below; else only a folder's own files are sent", NULL},
    {SENDER, "Input", "pattern", 0, NULL, OPTION_TEXT, "GLOB", 0, 0, FIELD(pattern), NULL,
     "only files whose name matches, such as '*.dcm'", NULL},
    {SENDER, "Input", "files-from", 0, NULL, OPTION_TEXT, "FILE", 0, 0, FIELD(files_from), NULL,
     "read paths from FILE, one a line; - is standard input", NULL},
    {SENDER, "Input", "null", '0', NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(nul_separated), NULL,
     "that list is separated by NUL bytes (find -print0)", NULL},
    {SENDER, "Input", "follow-symlinks", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(follow_symlinks), NULL,
     "follow symbolic links below the given paths, to each file once", NULL},
    {SENDER, "Input", "accept-raw", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(accept_raw), NULL,
     "take data sets without preamble, file meta information or transfer syntax, which is found by parsing", NULL},
    {SENDER, "Input", "allow-incomplete", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(allow_incomplete), NULL,
     "send instances that have no Study Instance UID, or whose study or series UIDs are no UIDs", NULL},
    {SENDER, "Input", "on-conflict", 0, NULL, OPTION_CHOICE, "fail|first|all", 0, 0, FIELD(on_conflict), "fail",
     "what to do with a file that has another one's SOP Instance UID and other data: fail it, skip it, or send it too",
     conflicts},
    {SENDER, "Input", "scan-folders", 0, "+sd", OPTION_SWITCH, NULL, 0, 0, FIELD(scan_folders), NULL,
     "changes nothing: folders are always looked into", NULL},
    {SENDER, "Input", "read-from-dicomdir", 0, "+rd", OPTION_SWITCH, NULL, 0, 0, FIELD(read_dicomdir), NULL,
     "changes nothing: a DICOMDIR that is given stands for the files it names", NULL},

    {SENDER, "Input", "synthetic", 0, NULL, OPTION_SYNTHETIC, "STUDIESxINSTANCESxSIZE[:CT|MR|SC]", 0, 0,
     FIELD(synthetic_text), NULL,
     "send made-up instances instead of files, e.g. 4x50x512K:CT: to measure a PACS", NULL},
    {SENDER, "Input", "repeat", 0, NULL, OPTION_NUMBER, "N", 1, 1000000, FIELD(repeat), NULL,
     "make the synthetic studies N times, with new UIDs", NULL},
    {SENDER, "Input", "duration", 0, NULL, OPTION_SECONDS, "SECONDS", 0, 864000, FIELD(duration_ms), NULL,
     "make synthetic studies for so long", NULL},

    /* ---- sending ---- */
    {SENDER, "Sending", "threads", 't', "--concurrency", OPTION_NUMBER, "N|auto", 1, SESSION_THREADS_MAX,
     FIELD(threads), "1", "associations at a time, each on its own thread; auto finds out how many are worth it",
     automatic},
    {SENDER, "Sending", "ramp", 0, NULL, OPTION_RAMP, "N,N,...", 1, SESSION_THREADS_MAX, FIELD(ramp_text), NULL,
     "the whole job with each of these numbers of threads in turn, e.g. 1,2,4,8: a table, and where the knee is", NULL},
    {SENDER, "Sending", "priority", 0, NULL, OPTION_CHOICE, "low|medium|high", 0, 0, FIELD(priority), "medium",
     "the priority that each C-STORE asks for", priorities},
    {SENDER, "Sending", "verify", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(verify), NULL,
     "C-ECHO first; nothing is sent if it fails", NULL},
    {SENDER, "Sending", "retry", 0, NULL, OPTION_NUMBER, "N", 0, 100, FIELD(retry), "2",
     "try N more times whatever may succeed later (a lost association, no answer, no room, status 0110; other statuses "
     "once more at most); with 0, what was in flight when an association was lost is in doubt", NULL},
    {SENDER, "Sending", "give-up-after", 0, NULL, OPTION_SECONDS, "SECONDS", 1, 4294967, FIELD(give_up_ms), NULL,
     "stop when the peer cannot be reached or has no room for so long; by default after 600 s, and as soon as --retry "
     "says if it has never answered", NULL},
    {SENDER, "Sending", "max-per-association", 0, NULL, OPTION_LIMIT, "N|SIZE|TIME", 0, 0,
     FIELD(association_limit_text), NULL,
     "open another association after N stores, after a size such as 500M, or after a time such as 60s", NULL},
    {SENDER, "Sending", "strict", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(strict), NULL,
     "let what is skipped or stored with a warning fail the run: it then ends with 1 or 2", NULL},
    {SENDER, "Sending", "window", 0, NULL, OPTION_NUMBER, "N", 1, DICOMNET_STORAGE_WINDOW_MAX, FIELD(window), "1",
     "stores under way at a time on one association, if the peer agrees (asynchronous operations window)", NULL},
    {SENDER, "Sending", "scan-first", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(scan_first), NULL,
     "look at every file before the first is sent: exact totals from the start", NULL},
    {SENDER, "Sending", "dry-run", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(dry_run), NULL,
     "say what would be sent (studies, files, sizes, syntaxes, contexts) and connect to nobody", NULL},

    /* ---- ledger ---- */
    {SENDER, "Ledger", "ledger", 0, NULL, OPTION_TEXT, "FILE", 0, 0, FIELD(ledger), NULL,
     "note every outcome in this database; the same command again resumes: what is stored is not sent again", NULL},
    {SENDER, "Ledger", "retry-failed", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(retry_failed), NULL,
     "try again also what the ledger says has failed for good", NULL},
    {SENDER, "Ledger", "allow-other-destination", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(allow_other_destination),
     NULL, "the ledger was made for another destination and shall belong to this one: the PACS has moved", NULL},
    {REPORT, "Ledger", "ledger", 0, NULL, OPTION_TEXT, "FILE", 0, 0, FIELD(ledger), NULL, "the ledger to look into",
     NULL},
    {REPORT, "Ledger", "failed", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(show_failed), NULL,
     "list the files that failed", NULL},
    {REPORT, "Ledger", "warned", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(show_warned), NULL,
     "list the files that were stored with a warning", NULL},
    {REPORT, "Ledger", "skipped", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(show_skipped), NULL,
     "list the files that were skipped", NULL},
    {REPORT, "Ledger", "pending", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(show_pending), NULL,
     "list the files that are left over: not sent, or in doubt", NULL},

    /* ---- receiving ---- */
    {SERVER, "Listening", "port", 'p', NULL, OPTION_NUMBER, "PORT", 0, 65535, FIELD(port), "11112",
     "the port to listen on; 0 picks a free one", NULL},
    {SERVER, "Listening", "bind", 0, NULL, OPTION_ADDRESS, "ADDRESS", 0, 0, FIELD(bind_address), "127.0.0.1",
     "the address to listen on; 0.0.0.0 for all", NULL},
    {SERVER, "Listening", "ae-title", 'a', "--aetitle --aet -aet", OPTION_AE, "AE", 0, 0, FIELD(own_ae), NULL,
     "our AE title: who calls another one is rejected; by default any is taken", NULL},
    {SERVER, "Listening", "max-associations", 0, NULL, OPTION_NUMBER, "N", 0, 100000, FIELD(max_associations), "0",
     "reject (transiently) who comes while N are open; 0 is no limit", NULL},
    {SERVER, "Listening", "max-connections", 0, NULL, OPTION_NUMBER, "N", 0, 100000, FIELD(max_connections), "512",
     "have at most N connections; beyond it the oldest one that has not asked for an association yet is closed, or the "
     "new one; 0 is no limit", NULL},
    {RECEIVER, "Listening", "window", 0, NULL, OPTION_NUMBER, "N", 1, DICOMNET_STORAGE_WINDOW_MAX, FIELD(window), "1",
     "grant up to N operations at a time to who asks for it (asynchronous operations window)", NULL},
    {RECEIVER, "Storing", "output-dir", 'o', NULL, OPTION_TEXT, "DIR", 0, 0, FIELD(output_dir), NULL,
     "keep instances in this folder, as <SOP Instance UID>.dcm", NULL},
    {RECEIVER, "Storing", "discard", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(discard), NULL,
     "keep nothing: to measure", NULL},
    {ARCHIVE, "Storing", "output-dir", 'o', NULL, OPTION_TEXT, "DIR", 0, 0, FIELD(output_dir), NULL,
     "the archive: instances as <SOP Instance UID>.dcm, and their index in index.sqlite", NULL},
    {ARCHIVE, "Storing", "import", 0, NULL, OPTION_LIST, "DIR", 0, 0, FIELD(import_dirs), NULL,
     "first take in the DICOM files in this folder and below it. May be repeated", NULL},
    {ARCHIVE, "Storing", "dicom", 0, "-dicom", OPTION_TEXT, "FILE", 0, 0, FIELD(dicom_file), NULL,
     "serve this file, or the files below this folder, from a copy that is removed when the archive stops", NULL},
    {ARCHIVE, "Storing", "reindex", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(reindex), NULL,
     "make the index anew from the files", NULL},
    {ARCHIVE, "Storing", "synthetic", 0, NULL, OPTION_PEOPLE, "STUDIESxSERIESxINSTANCES[:SIZE]", 0, 0,
     FIELD(population_text), NULL,
     "serve made-up patients instead, without any files, e.g. 4x2x50:64K; 1x1x3 if nothing is said", NULL},
    {SERVER, "Storing", "sync", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(sync), NULL,
     "answer only after fsync of file and folder", NULL},
    {SERVER, "Storing", "mode", 0, NULL, OPTION_MODE, "MODE", 0, 0, FIELD(mode), NULL,
     "the permissions of instances, octal, whatever the umask; by default what the umask leaves of 640", NULL},
    {RECEIVER, "Storing", "access-log", 0, NULL, OPTION_TEXT, "FILE", 0, 0, FIELD(access_log), NULL,
     "append a line of JSON for each association and each answered C-STORE, before the answer leaves", NULL},

    {RECEIVER, "Faults, to test senders", "status", 0, NULL, OPTION_STATUS, "HEX", 0, 0xFFFF, FIELD(status), "0000",
     "answer every C-STORE with this status; what fails is not kept", NULL},
    {RECEIVER, "Faults, to test senders", "fail-every", 0, NULL, OPTION_EVERY, "N:HEX", 1, 1000000,
     FIELD(fail_every_text), NULL, "answer every N-th C-STORE with this status", NULL},
    {RECEIVER, "Faults, to test senders", "response-delay", 0, NULL, OPTION_NUMBER, "MS", 0, 3600000,
     FIELD(response_delay_ms), "0", "wait this many milliseconds before each response", NULL},
    {RECEIVER, "Faults, to test senders", "two-writes", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(two_writes), NULL,
     "write each response in two pieces with Nagle's algorithm on, as DCMTK does", NULL},
    {RECEIVER, "Faults, to test senders", "abort-after", 0, NULL, OPTION_NUMBER, "N", 0, 1000000, FIELD(abort_after),
     "0", "answer N stores of an association; keep the next and abort instead of answering; 0: never", NULL},
    {RECEIVER, "Faults, to test senders", "stall-after", 0, NULL, OPTION_NUMBER, "N", 0, 1000000, FIELD(stall_after),
     "0", "answer N stores of an association; keep what follows and say nothing; 0: never", NULL},
    {RECEIVER, "Faults, to test senders", "reject-transient", 0, NULL, OPTION_NUMBER, "N", 0, 1000000,
     FIELD(reject_transient), "0", "reject the first N associations (transiently)", NULL},

    {ARCHIVE, "Retrieval", "peer", 0, NULL, OPTION_INPUT, "AE=HOST:PORT", 0, 0, 0, NULL,
     "where a C-MOVE to that AE title sends to; may be repeated", NULL},
    {ARCHIVE, "Retrieval", "move-threads", 0, NULL, OPTION_NUMBER, "N", 1, 64, FIELD(move_associations), "1",
     "send a C-MOVE's series over up to N associations at a time", NULL},

    /* ---- network ---- */
    {ALL, "Network", "max-pdu", 0, "-pdu", OPTION_NUMBER, "BYTES", DICOMNET_ASSOCIATION_MAX_PDU_MIN, DICOMNET_ASSOCIATION_MAX_PDU_MAX,
     FIELD(max_pdu_len), "131072", "the longest PDU that we accept", NULL},
    {ALL, "Network", "timeout", 0, NULL, OPTION_SECONDS, "SECONDS", 0, 86400, FIELD(timeout_ms), NULL,
     "all timeouts at once; those below win over it. 0 waits for ever, fractions are fine", NULL},
    {REQUESTOR | ARCHIVE, "Network", "connect-timeout", 0, "-to", OPTION_SECONDS, "SECONDS", 0, 86400,
     FIELD(timeouts.connect_ms), "10", "for the TCP connection", NULL},
    {ALL, "Network", "acse-timeout", 0, "-ta", OPTION_SECONDS, "SECONDS", 0, 86400, FIELD(timeouts.acse_ms), "30",
     "for the association to be agreed", NULL},
    {REQUESTOR | ARCHIVE, "Network", "dimse-timeout", 0, "-td", OPTION_SECONDS, "SECONDS", 0, 86400,
     FIELD(timeouts.dimse_ms), "120", "for a response, after the request or the response before it", NULL},
    {SERVER, "Network", "idle-timeout", 0, NULL, OPTION_SECONDS, "SECONDS", 0, 86400, FIELD(idle_ms), "30",
     "for a next request on an association; then it is aborted, as it keeps others out. 0 never does that", NULL},
    {ALL, "Network", "network-timeout", 0, "-tn", OPTION_SECONDS, "SECONDS", 0, 86400, FIELD(timeouts.network_ms),
     "60", "for a PDU to get through, whichever way it goes", NULL},

    /* ---- what it says ---- */
    {SENDER | MOVER, "Output", "log-dir", 0, NULL, OPTION_TEXT, "DIR", 0, 0, FIELD(log_dir), "logs",
     "the folder for the event log and the summary", NULL},
    {FINDER, "Output", "json", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(json), NULL,
     "matches as an array in the DICOM JSON Model", NULL},
    {FINDER, "Output", "csv", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(csv), NULL, "matches as CSV", NULL},
    {SENDER | MOVER, "Output", "json", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(json), NULL,
     "the summary as JSON on standard output, and nothing else there", NULL},
    {SENDER | MOVER, "Output", "no-progress", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(no_progress), NULL,
     "no progress line", NULL},
    {REPORT, "Output", "json", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(json), NULL, "as one JSON document", NULL},
    {REPORT, "Output", "csv", 0, NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(csv), NULL,
     "a line for each file, comma-separated", NULL},
    {ALL, "Output", "quiet", 'q', NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(quiet), NULL, "only errors", NULL},
    {SENDER, "Output", "verbose", 'v', NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(verbose), NULL,
     "a line for each file", NULL},
    {MOVER, "Output", "verbose", 'v', NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(verbose), NULL,
     "a line for each request and instance", NULL},
    {SERVER | ECHO | FINDER, "Output", "verbose", 'v', NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(verbose), NULL,
     "a line for each association", NULL},
    {ALL, "Output", "debug", 'd', NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(debug), NULL,
     "also associations in detail: contexts, PDU sizes, DIMSE messages", NULL},
    {SENDER | MOVER, "Output", "log-level", 0, "-ll", OPTION_CHOICE, "error|warn|info|debug|trace", 0, 0,
     FIELD(log_level), NULL, "what the log holds (info; debug with -d); without -q, -v, -d also what is said", levels},
    {SERVER, "Output", "log-level", 0, "-ll", OPTION_CHOICE, "error|warn|info|debug|trace", 0, 0, FIELD(log_level),
     NULL, "what is said: error with -q, info with -v, debug with -d, else warn", levels},
    {ECHO | FINDER, "Output", "log-level", 0, "-ll", OPTION_CHOICE, "error|warn|info|debug|trace", 0, 0,
     FIELD(log_level), NULL, "what is said: info with -v, debug with -d, else error", levels},
    {ALL | REPORT, "Output", "help", 'h', NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(help), NULL, "this text", NULL},
    {ALL | REPORT, "Output", "version", 'V', NULL, OPTION_SWITCH, NULL, 0, 0, FIELD(version), NULL,
     "the version of the program and of its libraries", NULL},
};
/* clang-format on */

const size_t option_row_count = sizeof option_rows / sizeof option_rows[0];
_Static_assert(sizeof option_rows / sizeof option_rows[0] <= OPTIONS_ROWS_MAX,
               "struct options has a flag for each row");

static const struct option_texts texts[] = {
    {PROGRAM_SENDER, "dicom-sender",
     "dicom-sender [OPTION...] [DESTINATION] PATH...\n"
     "  where DESTINATION is pacs://[AE@]HOST[:PORT], [AE@]HOST:PORT or [AE@]HOST PORT\n"
     "       dicom-sender report --ledger FILE   (dicom-sender report --help)",
     "Sends DICOM files to a PACS by C-STORE, over many associations at a time. Files are told by their content, "
     "whatever they are called.",
     "  dicom-sender --input /data/studies --recursive --threads 8 \\\n"
     "               --ae-title PACS --host pacs.example.org --port 4242\n"
     "  dicom-sender pacs://PACS@pacs.example.org:4242 -r -t8 /data/studies\n"
     "  dicom-sender --peer main --dry-run -r /data/studies\n"
     "  dicom-sender --peer main --ledger move.db -r /data/studies\n"
     "  find /data -name '*.dcm' -print0 | dicom-sender --loopback --files-from - -0\n",
     "  0    everything is stored, now or by an earlier session with the same ledger\n"
     "  1    nothing was sent, or everything failed\n"
     "  2    some failed, or what was to be written of it could not be\n"
     "  130  interrupted\n"},
    {PROGRAM_REPORT, "dicom-sender report",
     "dicom-sender report --ledger FILE [--failed] [--warned] [--skipped] [--pending] [--json | --csv]",
     "Says what the ledger of dicom-sender knows: what became of the files, by reason and by study, and which. It may "
     "be "
     "asked while a session runs.",
     "  dicom-sender report --ledger move.db\n"
     "  dicom-sender report --ledger move.db --failed\n"
     "  dicom-sender report --ledger move.db --csv >files.csv\n",
     "  0    it was said\n"
     "  1    the ledger cannot be read, or an option was wrong\n"},
    {PROGRAM_RECEIVER, "dicom-receiver", "dicom-receiver [OPTION...] (--output-dir DIR | --discard)",
     "Receives DICOM instances by C-STORE and answers C-ECHO, until it is told to stop (Ctrl-C). It takes every "
     "storage class and every transfer syntax, and keeps data sets byte for byte.",
     "  dicom-receiver --port 11112 --ae-title ARCHIVE --output-dir /data/incoming\n"
     "  dicom-receiver --port 0 --discard\n",
     "  0    stopped by Ctrl-C, SIGTERM or SIGHUP\n"
     "  1    it could not listen, its access log lacks a line, or an option was wrong\n"},
    {PROGRAM_ARCHIVE, "dicom-archive", "dicom-archive [OPTION...] (--output-dir DIR | --synthetic | --dicom FILE)",
     "A small archive for tests, demos and labs: answers C-ECHO, C-STORE, C-FIND, C-MOVE, C-GET and C-CANCEL until it "
     "is told to stop (Ctrl-C).",
     "  dicom-archive --port 11112 --synthetic 4x2x50 --peer MOVER=127.0.0.1:11113\n"
     "  dicom-archive --port 11112 --output-dir /data/archive --import /data/studies\n",
     "  0    stopped by Ctrl-C, SIGTERM or SIGHUP\n"
     "  1    it could not listen or read its folder, or an option was wrong\n"},
    {PROGRAM_ECHO, "dicom-echo",
     "dicom-echo [OPTION...] [DESTINATION]\n"
     "  where DESTINATION is [pacs://][AE@]HOST[:PORT] or [AE@]HOST PORT",
     "Asks a DICOM peer whether it is there (C-ECHO) and says how long it took.",
     "  dicom-echo pacs://PACS@pacs.example.org:4242\n"
     "  dicom-echo --peer main --repeat 10\n",
     "  0    the peer answered with status 0000, each time\n"
     "  1    it did not, or an option was wrong\n"
     "  2    it did not answer each time\n"
     "  130  interrupted\n"},
    {PROGRAM_FINDER, "dicom-finder",
     "dicom-finder [OPTION...] [DESTINATION]\n"
     "  where DESTINATION is [pacs://][AE@]HOST[:PORT] or [AE@]HOST PORT",
     "Asks a DICOM peer what it has (C-FIND) and prints the matches as they come: a table, CSV or JSON.",
     "  dicom-finder PACS@pacs.example.org:4242 -k 'PatientName=DOE^*'\n"
     "  dicom-finder --peer main -k StudyDate=20240101- -k ModalitiesInStudy=CT\n"
     "  dicom-finder --peer main -L series -k StudyInstanceUID=1.2.3 --json\n"
     "  dicom-finder --peer main -P -L patient -k PatientID --limit 10\n",
     "  0    the peer answered with success, with or without a match\n"
     "  1    it did not, or an option was wrong\n"
     "  2    it failed after some matches had come\n"
     "  130  interrupted\n"},
    {PROGRAM_MOVER, "dicom-mover",
     "dicom-mover [OPTION...] [DESTINATION] -k KEY=VALUE... [--move-dest AE]\n"
     "  where DESTINATION is [pacs://][AE@]HOST[:PORT] or [AE@]HOST PORT",
     "Fetches what a DICOM peer has (C-MOVE or C-GET), or has it sent elsewhere. It first lists what matches; what "
     "then "
     "is missing it asks for again, and what is there already it does not ask for.",
     "  dicom-mover --peer main -k StudyInstanceUID=1.2.3 --output-dir studies \\\n"
     "              --receive-port 11113\n"
     "  dicom-mover --peer main -k StudyInstanceUID=1.2.3 --output-dir studies --get\n"
     "  dicom-mover PACS@pacs.example.org:4242 -k 'PatientID=4711' --move-dest ARCHIVE\n",
     "  0    everything that matches is there\n"
     "  1    nothing matched, nothing came, or an option was wrong\n"
     "  2    some of it is missing\n"
     "  130  interrupted\n"},
};

const struct option_texts *option_texts_of(unsigned program)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].program == program)
            return &texts[i];
    return NULL;
}
