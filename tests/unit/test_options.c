/* options: every spelling, every kind of value, and what is said when something is wrong. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/dimse.h"
#include "dicomnet/log.h"
#include "dicomnet/query_retrieve.h"
#include "option_arguments.h"
#include "programs/option_groups.h"
#include "programs/options_table.h"
#include "programs/tls_options.h"

static union {
    struct options common;
    struct dicom_sender_options sender;
    struct dicom_sender_report_options report;
    struct dicom_receiver_options receiver;
    struct dicom_echo_options echo;
    struct dicom_finder_options finder;
    struct dicom_mover_options mover;
    struct dicom_archive_options archive;
} options;
static char message[OPTIONS_MESSAGE_SIZE];

#define PARSE(program, ...)                                                                                            \
    parse_arguments(&options.common, (program), (const char *const[]){__VA_ARGS__, NULL}, message)
#define SENDER(...) PARSE(PROGRAM_SENDER, __VA_ARGS__)
#define WRONG_FOR(program, text, ...)                                                                                  \
    do {                                                                                                               \
        cr_assert_eq(PARSE(program, __VA_ARGS__), OPTIONS_WRONG);                                                      \
        cr_assert_str_eq(message, text);                                                                               \
    } while (0)
#define WRONG(text, ...) WRONG_FOR(PROGRAM_SENDER, text, __VA_ARGS__)
#define RIGHT(...)       cr_assert_eq(SENDER(__VA_ARGS__, "x"), OPTIONS_RUN, "%s", message)

static void finish(void)
{
    forget_options(&options.common);
}
TestSuite(options, .fini = finish);

Test(options, nothing_typed)
{
    static const char *const none[] = {NULL};
    static const enum program programs[] = {PROGRAM_SENDER, PROGRAM_REPORT, PROGRAM_RECEIVER, PROGRAM_MOVER,
                                            PROGRAM_ARCHIVE};
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        cr_assert_eq(parse_arguments(&options.common, programs[i], none, message), OPTIONS_NOTHING);
    cr_assert_eq(parse_arguments(&options.common, PROGRAM_ECHO, none, message), OPTIONS_RUN, "its default peer");
    cr_assert_eq(parse_arguments(&options.common, PROGRAM_FINDER, none, message), OPTIONS_RUN, "its default peer");
}

Test(options, defaults)
{
    cr_assert_eq(SENDER("--input", "dir"), OPTIONS_RUN);
    cr_assert_eq(options.sender.connection.port, 104);
    cr_assert_str_eq(options.sender.connection.called_ae, "ANY-SCP");
    cr_assert_str_eq(options.sender.connection.calling_ae, "DICOM_SENDER");
    cr_assert_eq(options.sender.sending.threads, 1);
    cr_assert_eq(options.sender.session.priority, DICOMNET_PRIORITY_MEDIUM);
    cr_assert_eq(options.sender.connection.network.max_pdu_len, 131072);
    cr_assert_eq(options.sender.connection.network.timeouts.connect_ms, 10000);
    cr_assert_eq(options.sender.connection.network.timeouts.acse_ms, 30000);
    cr_assert_eq(options.sender.connection.network.timeouts.dimse_ms, 120000);
    cr_assert_eq(options.sender.connection.network.timeouts.network_ms, 60000);
    cr_assert_eq(options.sender.connection.network.timeouts.release_ms, 10000);
    cr_assert_eq(options.sender.common.log_level, DICOMNET_LOG_INFO);
    cr_assert_str_eq(options.sender.common.log_dir, "logs");
    cr_assert_eq(options.sender.sending.inputs.count, 1);
    cr_assert_str_eq(options.sender.sending.inputs.items[0], "dir");
    cr_assert_not(options.sender.session.discover.recursive);
    cr_assert_null(options.sender.connection.host);
}

Test(options, main_job)
{
    cr_assert_eq(
        SENDER("--input", "d", "--recursive", "--threads", "8", "--ae-title", "PACS", "--host", "h", "--port", "4242"),
        OPTIONS_RUN);
    cr_assert(options.sender.session.discover.recursive);
    cr_assert_eq(options.sender.sending.threads, 8);
    cr_assert_str_eq(options.sender.connection.called_ae, "PACS");
    cr_assert_str_eq(options.sender.connection.host, "h");
    cr_assert_eq(options.sender.connection.port, 4242);
}

Test(options, forms_of_a_value)
{
    RIGHT("--threads=8");
    cr_assert_eq(options.sender.sending.threads, 8);
    RIGHT("-t8");
    cr_assert_eq(options.sender.sending.threads, 8);
    RIGHT("-t", "9");
    cr_assert_eq(options.sender.sending.threads, 9);
    RIGHT("-rv");
    cr_assert(options.sender.session.discover.recursive && options.sender.common.verbose);
    RIGHT("-pdu=16384");
    cr_assert_eq(options.sender.connection.network.max_pdu_len, 16384);
}

Test(options, last_one_counts)
{
    RIGHT("-t8", "--threads", "3");
    cr_assert_eq(options.sender.sending.threads, 3);
}

Test(options, spellings_of_other_tools)
{
    static const char *const calling[] = {"--calling-ae", "-c", "--aet", "--aetitle", "--calling-aet", "-aet"};
    static const char *const called[] = {"--ae-title", "-a", "--called-aet", "--call", "-aec"};
    for (size_t i = 0; i < sizeof calling / sizeof calling[0]; i++) {
        RIGHT(calling[i], "ME");
        cr_assert_str_eq(options.sender.connection.calling_ae, "ME", "%s", calling[i]);
        cr_assert_str_eq(options.sender.connection.called_ae, "ANY-SCP", "%s", calling[i]);
    }
    for (size_t i = 0; i < sizeof called / sizeof called[0]; i++) {
        RIGHT(called[i], "PACS");
        cr_assert_str_eq(options.sender.connection.called_ae, "PACS", "%s", called[i]);
    }
    RIGHT("-to", "1", "-ta", "2", "-td", "3", "-tn", "4", "-pdu", "4096", "-ll", "debug", "--concurrency", "5", "+sd",
          "+r");
    cr_assert_eq(options.sender.connection.network.timeouts.connect_ms, 1000);
    cr_assert_eq(options.sender.connection.network.timeouts.acse_ms, 2000);
    cr_assert_eq(options.sender.connection.network.timeouts.dimse_ms, 3000);
    cr_assert_eq(options.sender.connection.network.timeouts.network_ms, 4000);
    cr_assert_eq(options.sender.connection.network.max_pdu_len, 4096);
    cr_assert_eq(options.sender.common.log_level, DICOMNET_LOG_DEBUG);
    cr_assert_eq(options.sender.sending.threads, 5);
    cr_assert(options.sender.session.discover.recursive && options_given(&options.common, "scan-folders"));
    cr_assert_eq(options.sender.sending.inputs.count, 1);
}

Test(options, timeouts)
{
    RIGHT("--dimse-timeout", "0.25", "--timeout", "5");
    cr_assert_eq(options.sender.connection.network.timeouts.dimse_ms, 250);
    cr_assert_eq(options.sender.connection.network.timeouts.connect_ms, 5000);
    cr_assert_eq(options.sender.connection.network.timeouts.network_ms, 5000);
    RIGHT("--timeout", "5", "-ta", "0");
    cr_assert_eq(options.sender.connection.network.timeouts.acse_ms, 0);
    cr_assert_eq(options.sender.connection.network.timeouts.dimse_ms, 5000);
    RIGHT("--timeout", "0.0000001");
    cr_assert_eq(options.sender.connection.network.timeouts.dimse_ms, 1, "0 would be for ever");
    RIGHT("--timeout", ".5");
    cr_assert_eq(options.sender.connection.network.timeouts.dimse_ms, 500);
    RIGHT("--timeout", "86400");
    static const char *const wrong[] = {"86400.001", "-1", "1.2.3", ".", "5s", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[100];
        snprintf(text, sizeof text, "--timeout: '%s' is not a number of seconds from 0 to 86400", wrong[i]);
        WRONG(text, "--timeout", wrong[i]);
    }
}

Test(options, numbers)
{
    WRONG("--threads: '300' is not a number from 1 to 256 or auto", "--threads", "300");
    WRONG("--threads: '0' is not a number from 1 to 256 or auto", "--threads=0");
    WRONG("-t: '257' is not a number from 1 to 256 or auto", "-t257");
    WRONG("-t: '=8' is not a number from 1 to 256 or auto", "-t=8");
    WRONG("--threads: '' is not a number from 1 to 256 or auto", "--threads=");
    static const char *const wrong[] = {"-1", " 8", "8.5", "4294967297"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[100];
        snprintf(text, sizeof text, "--threads: '%s' is not a number from 1 to 256 or auto", wrong[i]);
        WRONG(text, "--threads", wrong[i]);
    }
    WRONG("--port: '0' is not a number from 1 to 65535", "--port", "0");
    WRONG("-p: '65536' is not a number from 1 to 65535", "-p", "65536");
    WRONG("-pdu: '4095' is not a number from 4096 to 1048576", "-pdu", "4095");
    WRONG("--retry: '101' is not a number from 0 to 100", "--retry", "101");
    RIGHT("--threads", "auto");
    cr_assert_eq(options.sender.sending.threads, 0);
    RIGHT("--threads", "256");
    RIGHT("--retry", "0");
    cr_assert_eq(options.sender.session.retry, 0);
}

Test(options, limits_of_an_association)
{
    static const struct {
        const char *text;
        struct session_limit limit;
    } rows[] = {{"1", {.stores = 1}},           {"4000000000", {.stores = 4000000000}}, {"1K", {.bytes = 1024}},
                {"500M", {.bytes = 500 << 20}}, {"8G", {.bytes = 8ULL << 30}},          {"60s", {.ms = 60000}}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        RIGHT("--max-per-association", rows[i].text);
        cr_expect_eq(options.sender.session.association_limit.stores, rows[i].limit.stores, "%s", rows[i].text);
        cr_expect_eq(options.sender.session.association_limit.bytes, rows[i].limit.bytes, "%s", rows[i].text);
        cr_expect_eq(options.sender.session.association_limit.ms, rows[i].limit.ms, "%s", rows[i].text);
    }
    static const char *const wrong[] = {"0", "0M", "", "M", "-1", "1.5G", "5T", "5MB", "2m", "99999999999999999999"};
    WRONG("--give-up-after: '0' is not a number of seconds from 1 to 4294967", "--give-up-after", "0");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[160];
        snprintf(text, sizeof text,
                 "--max-per-association: '%s' is not a number of stores, a size such as 500M or a time such as 60s",
                 wrong[i]);
        WRONG(text, "--max-per-association", wrong[i]);
    }
}

Test(options, choices)
{
    RIGHT("--priority", "high");
    cr_assert_eq(options.sender.session.priority, DICOMNET_PRIORITY_HIGH);
    RIGHT("--priority", "LOW");
    cr_assert_eq(options.sender.session.priority, DICOMNET_PRIORITY_LOW);
    WRONG("--priority: 'urgent' is not one of low, medium, high", "--priority", "urgent");
    WRONG("-ll: 'loud' is not one of error, warn, info, debug", "-ll", "loud");
    RIGHT("--log-level", "warning", "-d");
    cr_assert_eq(options.sender.common.log_level, DICOMNET_LOG_WARN, "--log-level wins over -d");
    RIGHT("-d");
    cr_assert_eq(options.sender.common.log_level, DICOMNET_LOG_DEBUG);
}

Test(options, ae_titles)
{
#define RULE ": it takes an AE title: 1 to 16 ASCII characters, no backslash, no control characters, not all spaces"
    WRONG("-a: '12345678901234567' has more than 16 characters" RULE, "-a", "12345678901234567");
    WRONG("--ae-title: 'A\\B' contains a backslash" RULE, "--ae-title", "A\\B");
    WRONG("--ae-title: '' is empty" RULE, "--ae-title=");
    WRONG("--ae-title: '  ' is all spaces" RULE, "--ae-title", "  ");
    WRONG("--ae-title: 'A?B' contains a control character" RULE, "--ae-title", "A\nB");
    WRONG("-aet: '\xC3\x84' contains a character that is not ASCII" RULE, "-aet", "\xC3\x84");
    RIGHT("-a", "MY PACS @:%1");
    cr_assert_str_eq(options.sender.connection.called_ae, "MY PACS @:%1");
    RIGHT("-a", "1234567890123456");
}

Test(options, unknown)
{
#define ALL " (all: dicom-sender --help)"
    WRONG("unknown option '--thread'; the nearest is --threads" ALL, "--thread", "8");
    WRONG("unknown option '--treads'; the nearest is --threads" ALL, "--treads=8");
    WRONG("unknown option '--hots'; the nearest is --host" ALL, "--hots", "x");
    WRONG("unknown option '-host'; the nearest is --host" ALL, "-host", "x");
    WRONG("unknown option '-aetitle'; the nearest is --aetitle" ALL, "-aetitle", "x");
    WRONG("unknown option '-input'; the nearest is --input" ALL, "-input", "x");
    WRONG("unknown option '-tn5'; the nearest is -tn" ALL, "-tn5");
    WRONG("unknown option '--diskardd'" ALL, "--diskardd");
    WRONG("unknown option '--sd'" ALL, "--sd"); /* +sd is near, and not long */
    /* Only switches go together, and only a number stands behind its letter. */
    static const char *const words[] = {"-rvt7", "-rt", "-aPACS", "-Hhost", "-aem", "-od", "-t8x", "-rx", "+tsl", "+x"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        cr_assert_eq(SENDER(words[i], "x"), OPTIONS_WRONG, "%s", words[i]);
        cr_assert_eq(strncmp(message, "unknown option '", 16), 0, "%s", message);
    }
}

Test(options, missing_values)
{
    WRONG("--threads: its value is missing: it takes a number from 1 to 256 or auto", "--threads");
    WRONG("--host: its value is missing: it takes HOST", "--host", "--json");
    WRONG("-H: its value is missing: it takes HOST", "-H");
    WRONG("--input: its value is missing: it takes PATH", "--input", "--", "x");
    WRONG("--input: '' is empty", "--input=");
    WRONG("--log-dir: '' is empty", "--log-dir", "");
    WRONG("--json: it takes no value", "--json=yes", "x");
    WRONG("--host: 'a b' is not a host name or an address", "--host", "a b");
    WRONG("an argument is empty", "");
}

Test(options, contradictions)
{
    WRONG("nothing to send: give --input PATH, a path, --files-from FILE or --synthetic", "--threads", "8");
    WRONG("--null: it belongs to --files-from, which is missing", "-0", "x");
    WRONG("--quiet and --verbose exclude each other", "-qv", "x");
    WRONG("--quiet and --debug exclude each other", "-q", "-d", "x");
    WRONG("--host and --peer both name a destination; give one", "--peer", "a", "--host", "b", "x");
    WRONG("--loopback and --host both name a destination; give one", "--loopback", "--host", "b", "x");
    WRONG("--loopback and --peer both name a destination; give one", "--loopback", "--peer", "b", "x");
    WRONG("'pacs://h' and --host both name a destination; give one", "--host", "b", "pacs://h", "x");
    WRONG("'PACS@h:4242' and --loopback both name a destination; give one", "PACS@h:4242", "--loopback", "x");
    WRONG("'h' and --host both name a destination; give one", "--host", "b", "h", "104", "x");
    WRONG("'A@h' and --peer both name a destination; give one", "--peer", "b", "A@h", "x");
    WRONG("'h:2' and 'pacs://h:1' both name a destination; give one", "pacs://h:1", "h:2", "x");
    WRONG("'h' and 'A@h:1' both name a destination; give one", "A@h:1", "x", "h", "104");
    WRONG("--connect and --host both name a destination; give one", "--host", "b", "-c", "A@h:1", "x");
    WRONG("'104' and --port both name the port; give one", "h", "104", "-p", "105", "x");
}

/* What excludes what, and what is missing, of each program: as the rows of the table have it. */
Test(options, relations)
{
    static const struct {
        enum program program;
        const char *arguments[8];
        const char *message;
    } rows[] = {
        {PROGRAM_SENDER,
         {"--synthetic", "1x1x2K", "x"},
         "--synthetic sends no files: give either it or paths (a destination is pacs://[AE@]HOST[:PORT] or "
         "AE@HOST:PORT)"},
        {PROGRAM_SENDER,
         {"--synthetic", "1x1x2K", "--ledger", "l"},
         "--synthetic makes no files that a ledger could know: give either it or --ledger"},
        {PROGRAM_SENDER, {"--repeat", "2", "x"}, "--repeat and --duration belong to --synthetic, which is missing"},
        {PROGRAM_SENDER, {"--ramp", "1,2", "--dry-run", "x"}, "--ramp and --dry-run exclude each other"},
        {PROGRAM_SENDER, {"--ramp", "1,2", "--probe", "x"}, "--probe and --ramp exclude each other"},
        {PROGRAM_SENDER, {"--dry-run", "--probe", "x"}, "--probe and --dry-run exclude each other"},
        {PROGRAM_SENDER, {"--verify", "--probe", "x"}, "--probe and --verify exclude each other"},
        {PROGRAM_SENDER,
         {"--synthetic", "1x1x1K", "--output-dir", "d", "--probe"},
         "--output-dir writes files and sends to nobody: give either it or --probe"},
        {PROGRAM_SENDER, {"-cx", "--propose-all", "x"}, "--single-context and --propose-all exclude each other"},
        {PROGRAM_SENDER,
         {"--synthetic", "1x1x1K", "--output-dir", "d", "--syntax", "implicit"},
         "--output-dir writes files and sends to nobody: give either it or --syntax"},
        {PROGRAM_SENDER, {"-t1", "--ramp", "1,2", "x"}, "--ramp and --threads exclude each other"},
        {PROGRAM_SENDER,
         {"--ramp", "1,2", "--files-from", "-"},
         "--ramp reads its input more than once: --files-from must be a file, not -"},
        {PROGRAM_SENDER,
         {"--ramp", "1,2", "--ledger", "l", "x"},
         "--ramp sends the same files again and again, and --ledger does not: give either"},
        {PROGRAM_SENDER, {"--retry-failed", "x"}, "--retry-failed: it belongs to --ledger, which is missing"},
        {PROGRAM_SENDER,
         {"--allow-other-destination", "x"},
         "--allow-other-destination: it belongs to --ledger, which is missing"},
        {PROGRAM_SENDER,
         {"-to", "1000", "x"},
         "--connect-timeout: it is in seconds, and no connection takes a quarter of an hour to open; of milliseconds, "
         "divide by 1000"},
        {PROGRAM_RECEIVER,
         {"--discard", "--idle-timeout", "10000"},
         "--idle-timeout: it is in seconds, and this is hours; of milliseconds, divide by 1000; 0 is no limit"},
        {PROGRAM_REPORT, {"--json"}, "give --ledger FILE"},
        {PROGRAM_REPORT, {"--ledger", "l", "--csv", "--json"}, "--json and --csv exclude each other"},
        {PROGRAM_FINDER, {"--csv", "--json"}, "--json and --csv exclude each other"},
        {PROGRAM_FINDER, {"-S", "-P"}, "--patient-root and --study-root exclude each other"},
        {PROGRAM_FINDER,
         {"-S", "-L", "patient"},
         "--level patient: the study root has no such level; --patient-root has"},
        {PROGRAM_MOVER, {"-P"}, "nothing to ask for: give --key KEY=VALUE or --query-file FILE"},
        {PROGRAM_MOVER,
         {"--no-find", "--all"},
         "--no-find and --all exclude each other: without a list only what the keys name can be asked for"},
        {PROGRAM_MOVER,
         {"--all", "--get", "-aem", "X"},
         "--get and --move-dest exclude each other: C-GET sends to who asks"},
        {PROGRAM_MOVER,
         {"--all", "--get", "--receive-port", "0"},
         "--get needs no receiver: --receive-port, --receive-ae and --receive-bind belong to C-MOVE"},
        {PROGRAM_ARCHIVE,
         {"--dicom", "f", "--import", "d"},
         "--dicom excludes --output-dir, --import and --synthetic: it serves what it names and keeps nothing"},
        {PROGRAM_ARCHIVE,
         {"--synthetic", "--reindex"},
         "--import, --reindex and --sync belong to --output-dir, which is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(parse_arguments(&options.common, rows[i].program, rows[i].arguments, message), OPTIONS_WRONG, "%s",
                     rows[i].message);
        cr_expect_str_eq(message, rows[i].message);
    }
    RIGHT("-to", "999.9");
    RIGHT("--timeout", "2000"); /* not said of the connection */
    cr_assert_eq(PARSE(PROGRAM_ARCHIVE, "--dicom", "f", "--sync"), OPTIONS_RUN, "%s", message);
    cr_assert_eq(PARSE(PROGRAM_MOVER, "h:1", "PatientID=1"), OPTIONS_RUN, "%s", message); /* a key as an argument */
}

Test(options, positional_destination)
{
    RIGHT("pacs://PACS@h:4242");
    cr_assert_str_eq(options.sender.connection.destination, "pacs://PACS@h:4242");
    cr_assert_eq(options.sender.sending.inputs.count, 1);
    cr_assert_str_eq(options.sender.sending.inputs.items[0], "x");

    cr_assert_eq(SENDER("-i", "a", "PACS@h:4242", "b", "c"), OPTIONS_RUN);
    cr_assert_str_eq(options.sender.connection.destination, "PACS@h:4242");
    cr_assert_eq(options.sender.sending.inputs.count, 3);
    cr_assert_str_eq(options.sender.sending.inputs.items[0], "a");
    cr_assert_str_eq(options.sender.sending.inputs.items[1], "b");
    cr_assert_str_eq(options.sender.sending.inputs.items[2], "c");

    RIGHT("x", "PACS@h:4242"); /* behind a path */
    cr_assert_str_eq(options.sender.connection.destination, "PACS@h:4242");
    cr_assert_eq(options.sender.sending.inputs.count, 2);
    cr_assert_eq(SENDER("a", "b", "h", "4242"), OPTIONS_RUN); /* in two words, at the end */
    cr_assert_str_eq(options.sender.connection.destination, "h");
    cr_assert_str_eq(options.sender.connection.destination_port, "4242");
    cr_assert_eq(options.sender.sending.inputs.count, 2);
    RIGHT("/", "104", "-H", "h"); /* a folder, and what is no port then */
    cr_assert_null(options.sender.connection.destination);
    cr_assert_eq(options.sender.sending.inputs.count, 3);
    RIGHT("--", "PACS@h:4242"); /* only paths after it */
    cr_assert_null(options.sender.connection.destination);
    cr_assert_eq(options.sender.sending.inputs.count, 2);
    RIGHT("--", "-dash", "+r");
    cr_assert_str_eq(options.sender.sending.inputs.items[0], "-dash");
    cr_assert_not(options.sender.session.discover.recursive);
}

Test(options, files_from)
{
    cr_assert_eq(SENDER("--files-from", "-", "-0"), OPTIONS_RUN);
    cr_assert_str_eq(options.sender.session.discover.files_from, "-");
    cr_assert(options.sender.session.discover.nul_separated);
    cr_assert_eq(options.sender.sending.inputs.count, 0);
}

Test(options, help_and_version_stop_reading)
{
    cr_assert_eq(SENDER("-h", "--nonsense"), OPTIONS_HELP);
    cr_assert_eq(SENDER("-V"), OPTIONS_VERSION);
    cr_assert_eq(SENDER("--nonsense", "-h"), OPTIONS_WRONG);
}

Test(options, receiver)
{
    cr_assert_eq(PARSE(PROGRAM_RECEIVER, "--discard"), OPTIONS_RUN, "%s", message);
    cr_assert_eq(options.receiver.listening.port, 11112);
    cr_assert_eq(options.receiver.listening.bind_addresses.count, 0, "127.0.0.1 then");
    cr_assert_str_eq(options.receiver.listening.own_ae, "");
    cr_assert_eq(PARSE(PROGRAM_RECEIVER, "--port", "0", "-aet", "ME", "--output-dir", "d", "--sync", "--status",
                       "0xa700", "--response-delay", "250", "--max-associations=4", "--timeout", "3"),
                 OPTIONS_RUN, "%s", message);
    cr_assert_eq(options.receiver.listening.port, 0);
    cr_assert_str_eq(options.receiver.listening.own_ae, "ME");
    cr_assert_eq(options.receiver.faults.status, 0xA700);
    cr_assert_eq(options.receiver.listening.network.timeouts.acse_ms, 3000);
    static const char *const wrong[][2] = {
        {"--status", "--status: '12345' is not a status of 1 to 4 hexadecimal digits"},
        {"--threads", "unknown option '--threads' (all: dicom-receiver --help)"}};
    for (size_t i = 0; i < 2; i++) {
        WRONG_FOR(PROGRAM_RECEIVER, wrong[i][1], "--discard", wrong[i][0], "12345");
    }
    WRONG_FOR(PROGRAM_RECEIVER, "give --output-dir DIR to keep what comes, or --discard to keep nothing", "--port",
              "1");
    WRONG_FOR(PROGRAM_RECEIVER, "--output-dir and --discard exclude each other", "--discard", "--output-dir", "d");
    WRONG_FOR(PROGRAM_RECEIVER, "unexpected argument 'x' (see dicom-receiver --help)", "--discard", "x");
}

Test(options, echo)
{
    cr_assert_eq(PARSE(PROGRAM_ECHO, "host:4242", "--repeat", "3"), OPTIONS_RUN);
    cr_assert_str_eq(options.echo.connection.destination, "host:4242");
    cr_assert_eq(options.echo.echo.repeat, 3);
    WRONG_FOR(PROGRAM_ECHO, "unexpected argument 'b' (see dicom-echo --help)", "a", "b");
    WRONG_FOR(PROGRAM_ECHO, "'a' and --host both name a destination; give one", "a", "--host", "b");
    WRONG_FOR(PROGRAM_ECHO, "'b:1' and 'a' both name a destination; give one", "a", "b:1");
    cr_assert_eq(PARSE(PROGRAM_ECHO, "a", "104"), OPTIONS_RUN);
    cr_assert_str_eq(options.echo.connection.destination_port, "104");
    cr_assert_eq(PARSE(PROGRAM_ECHO, "a", "104", "105"), OPTIONS_WRONG);
}

/* What is typed by who comes from another tool: understood, without effect, or refused; never something else. */
Test(options, words_of_other_tools)
{
    RIGHT("-b", "ME", "--called-ae-title", "PACS", "-cx", "-nh", "-ts", "7", "-m", "1", "+sp", "*.dcm", "-f",
          "--prior-high", "--recurse");
    cr_assert_str_eq(options.sender.connection.calling_ae, "ME");
    cr_assert_str_eq(options.sender.connection.called_ae, "PACS");
    cr_assert_eq(options.sender.connection.network.timeouts.network_ms, 7000);
    cr_assert_str_eq(options.sender.session.discover.pattern, "*.dcm");
    cr_assert(options.sender.session.scan.accept_raw && options.sender.session.discover.recursive);
    cr_assert_eq(options.sender.session.priority, DICOMNET_PRIORITY_HIGH);
    cr_assert_eq(options.sender.sending.inputs.count, 1);
    RIGHT("-c", "4");
    cr_assert_eq(options.sender.sending.threads, 4);
    RIGHT("--priority", "low", "--prior-high");
    cr_assert_eq(options.sender.session.priority, DICOMNET_PRIORITY_LOW);

    /* TLS: what means something does, what is weaker than ours is refused, and nothing goes in clear by mistake. */
    RIGHT("+tls", "key.pem", "cert.pem", "+cf", "ca.pem", "+pw", "secret", "-rc", "+px", "-pem");
    const struct tls_group *tls = &options.sender.connection.tls;
    cr_assert_str_eq(tls->key, "key.pem");
    cr_assert_str_eq(tls->certificate, "cert.pem");
    cr_assert_str_eq(tls->ca, "ca.pem");
    cr_assert_str_eq(tls->key_password, "secret");
    cr_assert(tls_options_ask(tls) && !tls->insecure);
    RIGHT("+tla", "-ic");
    cr_assert(tls->enabled && tls->insecure);
    RIGHT("-tls");
    cr_assert(!tls_options_ask(tls));
    WRONG("+tls: its value is missing: it takes FILE", "+tls", "key.pem");
    WRONG("'--tls1': TLS 1.2 and 1.3 are spoken, with encryption and forward secrecy, and nothing older (PS3.15 B.12)",
          "--tls1");
    static const char *const means_tls[][2] = {
        {"--tls-ca", "a"},          {"--tls-cert", "a"},    {"--tls-key", "a"}, {"--tls-key-password-file", "a"},
        {"--tls-server-name", "a"}, {"--tls-ciphers", "a"}, {"--tls-pin", "a"}, {"--tls-min", "1.3"},
        {"--tls-key-password", "a"}};
    for (size_t i = 0; i < sizeof means_tls / sizeof means_tls[0]; i++) {
        RIGHT(means_tls[i][0], means_tls[i][1]);
        cr_assert(tls_options_ask(tls), "%s", means_tls[i][0]);
    }
    WRONG("--loopback stays inside this process: TLS has nothing to do there", "--tls", "--loopback");
    RIGHT("-dn");
    cr_assert_eq(options.sender.session.transcode.allowed, TRANSCODE_UNCOMPRESSED);
    RIGHT("+dly");
    cr_assert_eq(options.sender.session.transcode.allowed, TRANSCODE_LOSSY);
    RIGHT("--decompress-lossless");
    cr_assert_eq(options.sender.session.transcode.allowed, TRANSCODE_LOSSLESS);
    RIGHT("--never-transcode");
    cr_assert_eq(options.sender.session.transcode.allowed, TRANSCODE_NEVER);
    RIGHT("--transcode", "lossy", "-dn");
    cr_assert_eq(options.sender.session.transcode.allowed, TRANSCODE_LOSSY, "what is ours counts");
}

/* The UIDs of --syntax so far, after the root of the standard's syntaxes ("" is Implicit VR Little Endian). */
static const char *syntaxes(void)
{
    static char text[256];
    size_t root_len = strlen(DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN);
    text[0] = '\0';
    for (size_t i = 0; i < options.sender.sending.syntaxes.count; i++) {
        const char *uid = options.sender.sending.syntaxes.items[i];
        bool standard = strncmp(uid, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, root_len) == 0;
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%s", i > 0 ? " " : "",
                 standard ? (uid[root_len] == '\0' ? "0" : uid + root_len) : uid);
    }
    return text;
}

Test(options, transfer_syntaxes)
{
    RIGHT("x");
    cr_assert_eq(options.sender.session.transcode.allowed, TRANSCODE_LOSSLESS);
    cr_assert_eq(options.sender.sending.syntaxes.count, 0);
    RIGHT("--transcode", "never", "--syntax", "1.2.840.10008.1.2.5", "--propose-all");
    cr_assert_eq(options.sender.session.transcode.allowed, TRANSCODE_NEVER);
    cr_assert(options.sender.session.propose_all && !options.sender.session.probe);
    cr_assert_str_eq(syntaxes(), ".5");
    RIGHT("--probe");
    cr_assert(options.sender.session.probe && options.sender.session.dry_run);
    RIGHT("-xb", "-xi", "-xe", "-cx");
    cr_assert_str_eq(syntaxes(), ".2 0 .1", "in the order in which they are given");
    RIGHT("--request-little", "--syntax", "JPEG2000Lossless", "--request-implicit");
    cr_assert_str_eq(syntaxes(), ".1 .4.90 0");

    /* Keywords, names, the short names that are shown, words; lists. */
    static const struct {
        const char *typed, *expected;
    } named[] = {
        {"implicit", "0"},
        {"Explicit VR little endian", ".1"},
        {"ExplicitVRBigEndian", ".2"},
        {"jpeg2000", ".4.91"},
        {"JPEG 2000 Lossless", ".4.90"},
        {"JPEG 2000 Image Compression (Lossless Only)", ".4.90"},
        {"JPEG Lossless", ".4.57"},
        {"jpeg lossless sv1", ".4.70"},
        {"JPEG Lossless, Non-Hierarchical (Process 14)", ".4.57"},
        {"jpeg-lossless", ".4.70 .4.57"},
        {"1.2.840.113619.5.2", "1.2.840.113619.5.2"},
        {"rle,ExplicitVRLittleEndian,implicit", ".5 .1 0"},
    };
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        RIGHT("--syntax", named[i].typed);
        cr_assert_str_eq(syntaxes(), named[i].expected, "%s: %s", named[i].typed, syntaxes());
    }

    static const char *const wrong[] = {"CTImageStorage", "1.2.840.10008.5.1.4.1.1.2", "implizit", "rle,implizit"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_assert_eq(SENDER("h", "104", "--syntax", wrong[i], "x"), OPTIONS_WRONG, "%s", wrong[i]);
        cr_assert_not_null(strstr(message, "which is no transfer syntax: a UID, a keyword such as"), "%s", message);
    }
    cr_assert_eq(SENDER("h", "104", "--request-little=x", "x"), OPTIONS_WRONG);
    cr_assert_str_eq(message, "--request-little: it takes no value");
    cr_assert_eq(SENDER("h", "104", "--transcode", "some", "x"), OPTIONS_WRONG);
    cr_assert_str_eq(message, "--transcode: 'some' is not one of never, uncompressed, lossless, lossy");
}

/* What DCMTK's and dcm4che's senders propose with a word of theirs. */
Test(options, transfer_syntaxes_of_other_tools)
{
    static const struct {
        const char *typed, *expected;
    } words[] = {{"-x=", ".1 .2 0"},
                 {"--propose-uncompr", ".1 .2 0"},
                 {"--propose-big", ".2 .1 0"},
                 {"--big-endian", ".2 .1 0"},
                 {"--explicit-vr", ".1 .2 0"},
                 {"--implicit-vr", "0"},
                 {"-xs", ".4.70 .1 .2 0"},
                 {"-xy", ".4.50 .1 .2 0"},
                 {"-xx", ".4.51 .1 .2 0"},
                 {"-xv", ".4.90 .1 .2 0"},
                 {"-xw", ".4.91 .1 .2 0"},
                 {"-xt", ".4.80 .1 .2 0"},
                 {"-xu", ".4.81 .1 .2 0"},
                 {"-xr", ".5 .1 .2 0"},
                 {"-xd", ".1.99 .1 .2 0"},
                 {"-xm", ".4.100"},
                 {"-xh", ".4.101"},
                 {"-xn", ".4.102"},
                 {"-xl", ".4.103"},
                 {"-x2", ".4.104"},
                 {"-x3", ".4.105"},
                 {"-xo", ".4.106"},
                 {"-x4", ".4.107"},
                 {"-x5", ".4.108"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        RIGHT(words[i].typed);
        cr_assert_str_eq(syntaxes(), words[i].expected, "%s: %s", words[i].typed, syntaxes());
    }
    static const struct {
        const char *typed, *first;
        size_t count;
    } accepted[] = {{"+xi", "", 1},
                    {"--implicit", "", 1},
                    {"-xi", "", 1},
                    {"+x=", ".1", 3},
                    {"+xe", ".1", 3},
                    {"+xb", ".2", 3},
                    {"+xs", ".4.70", 4},
                    {"+xr", ".5", 4},
                    {"+xd", ".1.99", 4},
                    {"+x2", ".4.104", 4},
                    {"--prefer-hevc10", ".4.108", 4}};
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        cr_assert_eq(PARSE(PROGRAM_RECEIVER, "--discard", accepted[i].typed), OPTIONS_RUN, "%s", message);
        const struct option_list *list = &options.receiver.listening.accept_syntaxes;
        cr_expect_eq(list->count, accepted[i].count, "%s", accepted[i].typed);
        cr_expect_str_eq(list->items[0] + strlen(DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN), accepted[i].first);
    }
    RIGHT("--transfer-syntax", "implicit");
    cr_assert_str_eq(syntaxes(), "0");
}

Test(options, words_of_movers)
{
#define MOVER(...) PARSE(PROGRAM_MOVER, "-k", "0020,000D=1", __VA_ARGS__)
    cr_assert_eq(MOVER("-aem", "X", "-L", "INSTANCE", "-p", "h", "104"), OPTIONS_RUN, "%s", message);
    cr_assert_str_eq(options.mover.retrieval.move_destination, "X");
    cr_assert_null(options.mover.retrieval.output_dir);
    cr_assert_eq(options.mover.query.level, DICOMNET_QUERY_LEVEL_IMAGE);
    cr_assert_eq(MOVER("-aem", "X", "--port", "11113", "-od", "d", "h", "104", "--ignore-pending"), OPTIONS_RUN, "%s",
                 message);
    cr_assert_str_eq(options.mover.retrieval.move_destination, "");
    cr_assert_str_eq(options.mover.retrieval.receive_ae, "X");
    cr_assert_str_eq(options.mover.retrieval.output_dir, "d");
    cr_assert_eq(options.mover.retrieval.receive_port, 11113);
    cr_assert_str_eq(options.mover.connection.destination_port, "104");
    cr_assert_eq(MOVER("-aem", "X", "--port", "11113", "h", "104"), OPTIONS_RUN, "%s", message);
    cr_assert_str_eq(options.mover.retrieval.output_dir, "./downloads");
    cr_assert_eq(MOVER("-p", "11113", "A@h"), OPTIONS_RUN, "%s", message);
    cr_assert_eq(options.mover.connection.port, 11113);
    cr_assert_eq(options.mover.retrieval.receive_port, 0);
    cr_assert_eq(MOVER("-P", "-k", "0008,0052=PATIENT", "h"), OPTIONS_RUN, "%s", message);
    cr_assert_eq(options.mover.query.level, DICOMNET_QUERY_LEVEL_PATIENT);
    cr_assert_eq(options.mover.query.keys.count, 1);
    cr_assert_eq(MOVER("-L", "PATIENT", "h"), OPTIONS_RUN, "%s", message);
    cr_assert(options.mover.query.patient_root);
    cr_assert_eq(PARSE(PROGRAM_FINDER, "h:1", "-q", "PatientID=1", "StudyDate=2-"), OPTIONS_RUN, "%s", message);
    cr_assert_eq(options.finder.query.keys.count, 2);
    cr_assert_not(options.finder.common.quiet);
    WRONG_FOR(PROGRAM_FINDER, "'-W': modality worklists are not there; --study-root and --patient-root are", "h:1",
              "-W");
}

Test(options, words_of_servers)
{
    cr_assert_eq(PARSE(PROGRAM_RECEIVER, "-od", "d", "-b", "STORESCP@127.0.0.2:11114", "+xa", "--fork"), OPTIONS_RUN,
                 "%s", message);
    cr_assert_eq(options.receiver.listening.port, 11114);
    cr_assert_str_eq(options.receiver.listening.own_ae, "STORESCP");
    cr_assert_str_eq(options.receiver.listening.bind_addresses.items[0], "127.0.0.2");
    cr_assert_eq(PARSE(PROGRAM_RECEIVER, "--discard", "--bind", "127.0.0.3"), OPTIONS_RUN, "%s", message);
    cr_assert_str_eq(options.receiver.listening.bind_addresses.items[0], "127.0.0.3");
    cr_assert_eq(PARSE(PROGRAM_RECEIVER, "--ignore", "11115"), OPTIONS_RUN, "%s", message);
    cr_assert_eq(options.receiver.listening.port, 11115);
    cr_assert(options.receiver.storing.discard);
    cr_assert_eq(PARSE(PROGRAM_RECEIVER, "--ignore", "99999"), OPTIONS_WRONG);
    cr_assert_eq(PARSE(PROGRAM_ARCHIVE, "--synthetic", "--port", "4242", "-ae", "X"), OPTIONS_RUN, "%s", message);
    cr_assert_eq(options.archive.archive.population.instances, 3);
    cr_assert_eq(options.archive.listening.port, 4242);
    cr_assert_str_eq(options.archive.listening.own_ae, "X");
}

#define SENDS(...) PARSE(PROGRAM_SENDER, "f", "--host", "h", __VA_ARGS__)

Test(options, how_connections_are_carried)
{
    const struct network_group *network = &options.sender.connection.network;
    cr_assert_eq(SENDS("-v"), OPTIONS_RUN, "%s", message);
    cr_expect_eq(network->keepalive_s, 30);
    cr_expect_eq(network->traffic_class, 0);
    cr_expect_eq(network->socket_buffer, 0);
    cr_expect_eq(network->max_send_pdu_len, 131072);
    cr_expect_null(options.sender.connection.bind_address);
    cr_assert_eq(SENDS("--keepalive", "0", "--tos", "EF", "--socket-buffer", "4194304", "--max-send-pdu", "16384"),
                 OPTIONS_RUN, "%s", message);
    cr_expect_eq(network->keepalive_s, 0);
    cr_expect_eq(network->traffic_class, 184);
    cr_expect_eq(network->socket_buffer, 4194304);
    cr_expect_eq(network->max_send_pdu_len, 16384);
    cr_assert_eq(SENDS("--tos", "32"), OPTIONS_RUN, "%s", message);
    cr_expect_eq(network->traffic_class, 32);
    cr_assert_eq(SENDS("--sosnd-buffer", "65536", "--max-pdulen-snd", "8192", "--tcp-delay"), OPTIONS_RUN, "%s",
                 message);
    cr_expect_eq(network->socket_buffer, 65536, "dcm4che's");
    cr_expect_eq(network->max_send_pdu_len, 8192);
    WRONG_FOR(PROGRAM_SENDER,
              "--tos: 46 is no code point: a number is the whole octet, four times the code point (ef is "
              "184)",
              "f", "--host", "h", "--tos", "46");
    WRONG_FOR(PROGRAM_SENDER, "--tos: 'gold' is not a number from 0 to 255 or ef, af11, af12, ...", "f", "--host", "h",
              "--tos", "gold");
    WRONG_FOR(PROGRAM_SENDER, "--max-send-pdu: '131073' is not a number from 4096 to 131072", "f", "--host", "h",
              "--max-send-pdu", "131073");
    WRONG_FOR(PROGRAM_SENDER, "--keepalive: '32768' is not a number from 0 to 32767", "f", "--host", "h", "--keepalive",
              "32768");
}

/* Our own address; of dcm4che, [AE[@ADDRESS]]. */
Test(options, our_own_address)
{
    static const struct {
        const char *value, *address, *ae;
    } rows[] = {{"127.0.0.2", "127.0.0.2", "DICOM_SENDER"},   {"::1", "::1", "DICOM_SENDER"},
                {"fe80::1%lo", "fe80::1%lo", "DICOM_SENDER"}, {"ME", NULL, "ME"},
                {"ME@127.0.0.2", "127.0.0.2", "ME"},          {"ME@2001:db8::1", "2001:db8::1", "ME"}};
    static const char *const spellings[] = {"--bind", "-b"};
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(SENDS(spellings[i % 2], rows[i / 2].value), OPTIONS_RUN, "%s", message);
        cr_expect_str_eq(options.sender.connection.calling_ae, rows[i / 2].ae);
        const char *address = options.sender.connection.bind_address;
        cr_expect((address == NULL) == (rows[i / 2].address == NULL), "%s", rows[i / 2].value);
        if (address != NULL && rows[i / 2].address != NULL)
            cr_expect_str_eq(address, rows[i / 2].address);
    }
    cr_assert_eq(SENDS("--bind=127.0.0.2"), OPTIONS_RUN, "%s", message);
    cr_expect_str_eq(options.sender.connection.bind_address, "127.0.0.2");
    WRONG_FOR(PROGRAM_SENDER, "--bind: '127.0.0.300' is no IP address", "f", "--host", "h", "--bind", "127.0.0.300");
    WRONG_FOR(PROGRAM_SENDER, "-b: '2001:db8::g' is no IP address", "f", "--host", "h", "-b", "2001:db8::g");
    WRONG_FOR(PROGRAM_SENDER, "--bind: 'fe80::1' is link-local and needs its zone, as in fe80::1%eth0", "f", "--host",
              "h", "--bind", "fe80::1");
    WRONG_FOR(PROGRAM_SENDER, "--bind: 'fe80::1%nil' has a zone that is no network interface of this machine", "f",
              "--host", "h", "--bind", "fe80::1%nil");
    WRONG_FOR(PROGRAM_SENDER, "--loopback stays inside this process: --bind has nothing to do there", "f", "--loopback",
              "--bind", "127.0.0.1");
}

Test(options, addresses_to_listen_at)
{
    const struct option_list *addresses = &options.receiver.listening.bind_addresses;
    cr_assert_eq(PARSE(PROGRAM_RECEIVER, "--discard", "--bind", "127.0.0.1", "--bind=::1"), OPTIONS_RUN, "%s", message);
    cr_assert_eq(addresses->count, 2);
    cr_expect_str_eq(addresses->items[0], "127.0.0.1");
    cr_expect_str_eq(addresses->items[1], "::1");
    WRONG_FOR(PROGRAM_RECEIVER, "--bind: 'here' is no IP address", "--discard", "--bind", "::", "--bind", "here");
}

Test(options, archive)
{
    cr_assert_eq(PARSE(PROGRAM_ARCHIVE, "--synthetic", "4x2x50", "--peer", "A=h:1", "--peer=B=h:2"), OPTIONS_RUN, "%s",
                 message);
    cr_assert_eq(options.archive.archive.population.studies, 4);
    cr_assert_eq(options.archive.archive.population.series, 2);
    cr_assert_eq(options.archive.archive.population.instances, 50);
    cr_assert_eq(options.archive.archive.population.size_bytes, SYNTHETIC_SIZE_DEFAULT);
    cr_assert_eq(options.archive.archive.peers.count, 2);
    cr_assert_str_eq(options.archive.archive.peers.items[1], "B=h:2");
    cr_assert_eq(options.archive.archive.move_associations, 1);
    cr_assert_eq(PARSE(PROGRAM_ARCHIVE, "-o", "d", "--import", "i", "--reindex", "--sync", "--move-threads", "4"),
                 OPTIONS_RUN, "%s", message);
    cr_assert_eq(options.archive.archive.import_dirs.count, 1);
    cr_assert_str_eq(options.archive.archive.import_dirs.items[0], "i");
    cr_assert(options.archive.archive.reindex);
    static const char *const specs[] = {"1x1x1:2M", "10000000x1x1", "1x1x1:1"};
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(PARSE(PROGRAM_ARCHIVE, "--synthetic", specs[i]), OPTIONS_RUN, "%s", specs[i]);
    static const char *const no_specs[] = {"1x1",
                                           "0x1x1",
                                           "1x1x0",
                                           "1x1x1x1",
                                           "1x1x1:",
                                           "1x1x1:0K",
                                           "1x1x1:CT",
                                           "10000001x1x1",
                                           "x1x1",
                                           "4000x4000x4000",
                                           "-1x1x1",
                                           "1x1x1:64KB",
                                           "1x1x99999999999999999999"};
    for (size_t i = 0; i < sizeof no_specs / sizeof no_specs[0]; i++)
        cr_expect_eq(PARSE(PROGRAM_ARCHIVE, "--synthetic", no_specs[i]), OPTIONS_WRONG, "%s", no_specs[i]);
    WRONG_FOR(PROGRAM_ARCHIVE, "give --output-dir DIR for the archive, or --synthetic to serve what does not exist",
              "--port", "1");
    WRONG_FOR(PROGRAM_ARCHIVE, "--output-dir and --synthetic exclude each other", "--output-dir", "d", "--synthetic",
              "1x1x1");
    WRONG_FOR(PROGRAM_ARCHIVE, "--import, --reindex and --sync belong to --output-dir, which is missing", "--synthetic",
              "1x1x1", "--import", "d");
    WRONG_FOR(PROGRAM_ARCHIVE, "unexpected argument 'x' (see dicom-archive --help)", "-o", "d", "x");
}

Test(options, given_ones_as_text)
{
    cr_assert_eq(SENDER("-d", "--timeout", "1.5", "-aec", "PACS", "--priority=low", "a", "-i", "b", "c"), OPTIONS_RUN);
    size_t cursor = 0;
    const char *name;
    char value[64], all[512] = "";
    while (options_next_given(&options.common, &cursor, &name, value, sizeof value))
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s=%s ", name, value);
    cr_assert_str_eq(all, "ae-title=PACS input=3 paths priority=low timeout=1.500 debug=true ");
}

/* Some program that has the row has also that option. */
static bool is_known(const struct option_row *row, const char *name)
{
    for (size_t i = 0; i < option_row_count; i++)
        if ((option_rows[i].programs & row->programs) != 0 && strcmp(option_rows[i].name, name) == 0)
            return true;
    return false;
}

/* The field is of the size that the value has, and each program of the row has its group. */
static void check_field(const struct option_row *row)
{
    static const size_t sizes[] = {
        [OPTION_SWITCH] = sizeof(bool),
        [OPTION_TEXT] = sizeof(const char *),
        [OPTION_HOST] = sizeof(const char *),
        [OPTION_ADDRESS] = sizeof(const char *),
        [OPTION_AE] = DICOMNET_AE_SIZE,
        [OPTION_LIMIT] = sizeof(struct session_limit),
        [OPTION_SYNTHETIC] = sizeof(struct synthetic_spec),
        [OPTION_PEOPLE] = sizeof(struct synthetic_population),
        [OPTION_RAMP] = sizeof(struct option_ramp),
        [OPTION_EVERY] = sizeof(struct option_every),
        [OPTION_LIST] = sizeof(struct option_list),
        [OPTION_ADDRESSES] = sizeof(struct option_list),
        [OPTION_SYNTAXES] = sizeof(struct option_list),
        [OPTION_INPUT] = sizeof(struct option_list),
        [OPTION_KEY] = sizeof(struct option_list),
    };
    size_t size = row->field.size;
    bool is_unsigned = row->takes == OPTION_UNSIGNED || row->takes == OPTION_SECONDS || row->takes == OPTION_MODE ||
                       row->takes == OPTION_STATUS || row->takes == OPTION_CHOICE;
    if (is_unsigned)
        cr_assert(size == 2 || size == 4 || size == 8, "%s", row->name);
    else
        cr_assert(size == sizes[row->takes] || (size == 0 && row->takes == OPTION_SWITCH), "%s", row->name);
    cr_assert(size != 2 || row->max <= UINT16_MAX, "%s", row->name);
    for (unsigned program = 1; program <= PROGRAM_ARCHIVE; program <<= 1) {
        struct options none = {.program = (enum program)program};
        if ((row->programs & program) != 0 && size > 0)
            cr_assert_not_null(options_group(&none, row->field.group), "%s of %s", row->name,
                               option_program_of(program)->name);
    }
}

/* Each spelling belongs to one row of a program, and each row says what it is. */
Test(options, table_is_sound)
{
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        cr_assert(row->help != NULL && row->heading != NULL && strlen(row->name) < 31, "%s", row->name);
        bool is_word = row->takes == OPTION_SWITCH || row->stands_for != NULL;
        cr_assert(is_word == (row->value == NULL), "%s", row->name);
        bool may_choose = row->takes == OPTION_CHOICE || row->takes == OPTION_UNSIGNED;
        cr_assert(row->choices != NULL ? may_choose : row->takes != OPTION_CHOICE, "%s", row->name);
        check_field(row);
        for (size_t j = 0; j < OPTION_CONFLICTS_MAX && row->conflicts_with[j].name != NULL; j++)
            cr_assert(is_known(row, row->conflicts_with[j].name), "%s", row->conflicts_with[j].name);
        cr_assert(row->needs.name == NULL || is_known(row, row->needs.name), "%s", row->needs.name);
        cr_assert(row->follows == NULL || is_known(row, row->follows), "%s", row->follows);
        cr_assert((row->doubtful > 0) == (row->doubt != NULL), "%s", row->name);
        for (size_t j = 0; j < i; j++) {
            const struct option_row *other = &option_rows[j];
            if ((row->programs & other->programs) == 0)
                continue;
            cr_assert_str_neq(row->name, other->name);
            cr_assert(row->letter == 0 || row->letter != other->letter, "-%c", row->letter);
        }
    }
}

Test(options, help_fits_80_columns)
{
    static const enum program programs[] = {PROGRAM_SENDER, PROGRAM_RECEIVER, PROGRAM_ECHO, PROGRAM_ARCHIVE};
    for (size_t i = 0; i < 4; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        options_print_help(programs[i], out);
        fclose(out);
        for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
            cr_assert_leq(strcspn(line, "\n"), 80, "%.100s", line);
        for (size_t j = 0; j < option_row_count; j++) {
            char name[40];
            snprintf(name, sizeof name, "--%s", option_rows[j].name);
            if ((option_rows[j].programs & programs[i]) != 0)
                cr_assert_not_null(strstr(text, name), "%s", name);
        }
        cr_assert_not_null(strstr(text, "Examples:"));
        cr_assert_not_null(strstr(text, "Exit codes:"));
        free(text);
    }
}
