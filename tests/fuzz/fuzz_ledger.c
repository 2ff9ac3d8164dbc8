/*
 * fuzz_ledger - a ledger whose file is not what was written: opening it, a session with it, and its report. Whatever
 * the bytes are, nothing crashes, what is refused is refused in one line, and then the file is as it was.
 *
 * Input: 1 byte of flags (enum flags). Then, with FLAG_WHOLE, the file; else patches of a ledger that was made here: 2
 * bytes, an offset; 1 byte, a length n; n bytes. With FLAG_CUT the first offset is where the file ends.
 */
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "../support/ask_record.h"
#include "../support/report_fixture.h"
#include "base/text.h"
#include "fuzz.h"
#include "ledger/ledger.h"
#include "report/ledger_report.h"

enum flags {
    FLAG_WAL = 1,       /* the patches are for the log that a killed session has left behind */
    FLAG_WHOLE = 2,     /* the input is the file */
    FLAG_CUT = 4,       /* the file is shorter */
    FLAG_READ_ONLY = 8, /* it is only asked */
    FLAG_OTHER = 16,    /* the destination is another one */
    FLAG_ALLOW = 32,    /* and may be */
    FLAG_RETRY = 64,    /* what failed is tried again */
    FLAG_REPEAT = 128   /* a path may come twice */
};

enum { FILE_MAX = 256 * 1024, ROWS = 6 };

struct image {
    size_t len;
    uint8_t bytes[FILE_MAX];
};

static struct image ended, killed, killed_log; /* a ledger after its session; one whose session was killed, its log */
static struct image given, given_log, found;   /* of this input: the files, and what they are afterwards */
static char folder[200], path[220], log_path[240], shared_path[240];

/* ---- files ---- */

static void write_image(const char *name, const struct image *image)
{
    FILE *file = fopen(name, "wb");
    FUZZ_CHECK(file != NULL && fwrite(image->bytes, 1, image->len, file) == image->len);
    FUZZ_CHECK(fclose(file) == 0);
}

static void read_image(const char *name, struct image *image)
{
    FILE *file = fopen(name, "rb");
    FUZZ_CHECK(file != NULL);
    image->len = fread(image->bytes, 1, sizeof image->bytes, file);
    FUZZ_CHECK(image->len < sizeof image->bytes);
    fclose(file);
}

static void remove_files(void)
{
    unlink(path);
    unlink(log_path);
    unlink(shared_path);
}

static void remove_folder(void)
{
    remove_files();
    rmdir(folder);
}

/* ---- the ledgers that are patched ---- */

static struct instance row(unsigned number)
{
    static const struct {
        const char *path, *uid;
        enum outcome_state state;
        enum outcome_reason reason;
    } rows[ROWS] = {
        {"/a/1", "1.2.1", OUTCOME_STORED, REASON_NONE},       {"/a/2", "1.2.2", OUTCOME_FAILED, REASON_STATUS},
        {"/a/3", "1.2.3", OUTCOME_WARNED, REASON_STATUS},     {"/a/4", "", OUTCOME_SKIPPED, REASON_NOT_DICOM},
        {"/a/5", "1.2.1", OUTCOME_SKIPPED, REASON_DUPLICATE}, {"/a/6", "1.2.6", OUTCOME_PENDING, REASON_INTERRUPTED}};
    struct instance instance =
        fixture_instance(rows[number].path, "1.2", rows[number].uid, 1000, rows[number].state, rows[number].reason);
    instance.file.device = 1;
    instance.file.inode = number + 1;
    instance.file.mtime_ns = 1;
    return instance;
}

static struct ledger_options options_of(unsigned flags)
{
    return (struct ledger_options){.path = path,
                                   .peer_host = (flags & FLAG_OTHER) != 0 ? "other" : "pacs",
                                   .peer_port = 104,
                                   .called_ae = "PACS",
                                   .calling_ae = "SENDER",
                                   .allow_other_destination = (flags & FLAG_ALLOW) != 0,
                                   .rules.retry_failed = (flags & FLAG_RETRY) != 0,
                                   .paths_may_repeat = (flags & FLAG_REPEAT) != 0,
                                   .read_only = (flags & FLAG_READ_ONLY) != 0};
}

static struct ledger *begin(void)
{
    char message[LEDGER_MESSAGE_SIZE];
    struct ledger *ledger;
    struct ledger_options options = options_of(0);
    FUZZ_CHECK(ledger_open(&ledger, &options, message) == 0);
    FUZZ_CHECK(ledger_begin_session(ledger, "20261121T101530Z_4f2a", "--threads=8", message) == 0);
    return ledger;
}

static void keep_rows(struct ledger *ledger, unsigned first, unsigned end)
{
    const struct record record = ledger_record(ledger);
    for (unsigned i = first; i < end; i++) {
        struct instance instance = row(i);
        record.keep(record.user, &instance);
    }
    FUZZ_CHECK(ask_flush(&record) == NULL);
}

static void make_ledgers(void)
{
    const struct session_result result = {.verdict = SESSION_COMPLETE, .ended_us = 2};
    const char *above = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/fuzz-ledger-XXXXXX", above != NULL ? above : "/tmp");
    FUZZ_CHECK(mkdtemp(folder) != NULL);
    atexit(remove_folder);
    snprintf(path, sizeof path, "%s/db", folder);
    snprintf(log_path, sizeof log_path, "%s-wal", path);
    snprintf(shared_path, sizeof shared_path, "%s-shm", path);
    struct ledger *ledger = begin();
    keep_rows(ledger, 0, 3);
    FUZZ_CHECK(ledger_end_session(ledger, &result, 0) == NULL);
    ledger_close(ledger);
    read_image(path, &ended);
    ledger = begin();
    keep_rows(ledger, 3, ROWS);
    read_image(path, &killed);
    read_image(log_path, &killed_log);
    ledger_close(ledger);
}

static void patch(struct image *image, struct fuzz_input *input, bool cut)
{
    if (cut)
        image->len = fuzz_take_u16(input) % (image->len + 1);
    while (input->len > 0 && image->len > 0) {
        size_t offset = fuzz_take_u16(input) % image->len;
        struct fuzz_input bytes = fuzz_take(input, fuzz_take_u8(input));
        size_t room = image->len - offset;
        memcpy(image->bytes + offset, bytes.data, bytes.len < room ? bytes.len : room);
    }
}

static void give_files(struct fuzz_input *input, unsigned flags)
{
    bool with_log = (flags & FLAG_WAL) != 0;
    remove_files();
    if ((flags & FLAG_WHOLE) != 0) {
        given.len = input->len < sizeof given.bytes - 1 ? input->len : sizeof given.bytes - 1;
        memcpy(given.bytes, input->data, given.len);
    } else {
        memcpy(&given, with_log ? &killed : &ended, sizeof given);
        memcpy(&given_log, &killed_log, sizeof given_log);
        patch(with_log ? &given_log : &given, input, (flags & FLAG_CUT) != 0);
    }
    write_image(path, &given);
    if (with_log && (flags & FLAG_WHOLE) == 0)
        write_image(log_path, &given_log);
}

/* ---- what is true ---- */

static void check_message(const char *message)
{
    struct text visible = {0};
    FUZZ_CHECK(message[0] != '\0' && strlen(message) < LEDGER_MESSAGE_SIZE);
    text_put_visible(&visible, message);
    FUZZ_CHECK(!visible.failed && strcmp(visible.data, message) == 0);
    text_fini(&visible);
}

/* The format that the header names may have become that of a log, which leaves its mark in three places. */
static void check_unchanged(void)
{
    static const struct {
        size_t offset, len;
    } marks[] = {{18, 2}, {24, 4}, {92, 8}};
    read_image(path, &found);
    FUZZ_CHECK(found.len == given.len);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (given.len >= 100)
            memcpy(found.bytes + marks[i].offset, given.bytes + marks[i].offset, marks[i].len);
    FUZZ_CHECK(memcmp(found.bytes, given.bytes, given.len) == 0);
}

/* What has more than one page belongs to somebody: without our mark it is none of ours, and nothing to begin a ledger
 * in. */
static void check_is_ours(void)
{
    static const uint8_t mark[4] = {'D', 'L', 'G', '1'};
    FUZZ_CHECK(given.len <= 4096 || memcmp(given.bytes + 68, mark, sizeof mark) == 0);
}

static void recall_all(const struct record *record)
{
    for (unsigned i = 0; i < ROWS; i++) {
        struct instance instance = row(i);
        struct instance *recalled = ask_file(record, &instance.file);
        struct instance *twin = ask_twin(record, &instance.file);
        FUZZ_CHECK(recalled == NULL || recalled->outcome.earlier);
        instance_destroy(recalled);
        instance_destroy(twin);
    }
}

static void run_session(struct ledger *ledger)
{
    const struct session_result result = {.verdict = SESSION_COMPLETE, .ended_us = 3};
    char message[LEDGER_MESSAGE_SIZE];
    if (ledger_begin_session(ledger, "20261121T111530Z_4f2b", NULL, message) != 0) {
        check_message(message);
        return;
    }
    const struct record record = ledger_record(ledger);
    recall_all(&record);
    bool readable = ask_flush(&record) == NULL;
    for (unsigned i = 0; i < ROWS; i++) {
        struct instance instance = row(i);
        record.keep(record.user, &instance);
    }
    const char *problem = ask_flush(&record);
    FUZZ_CHECK((problem == NULL) == (readable && ledger_lost(ledger) == 0));
    problem = ledger_end_session(ledger, &result, 0);
    if (problem != NULL)
        check_message(problem);
}

static void check_report(enum ledger_format format)
{
    const struct ledger_report_options options = {.path = path, .states = 1 << OUTCOME_FAILED, .format = format};
    char message[LEDGER_MESSAGE_SIZE], *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    FUZZ_CHECK(out != NULL);
    int result = ledger_report(&options, out, message);
    fclose(out);
    if (result != 0) {
        check_message(message);
    } else if (format == LEDGER_JSON) {
        json_t *json = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
        FUZZ_CHECK(json != NULL);
        json_decref(json);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.data = data, .len = size};
    unsigned flags = fuzz_take_u8(&input);
    struct ledger_options options = options_of(flags);
    char message[LEDGER_MESSAGE_SIZE];
    struct ledger *ledger;
    if (folder[0] == '\0')
        make_ledgers();
    give_files(&input, flags);
    for (int format = LEDGER_TEXT; format <= LEDGER_CSV; format++)
        check_report((enum ledger_format)format);
    give_files(&(struct fuzz_input){.data = data + (size > 0), .len = size - (size > 0)}, flags);
    if (ledger_open(&ledger, &options, message) != 0) {
        check_message(message);
        if ((flags & FLAG_WAL) == 0)
            check_unchanged();
    } else {
        if ((flags & FLAG_WAL) == 0)
            check_is_ours();
        if (options.read_only) {
            const struct record record = ledger_record(ledger);
            recall_all(&record);
        } else {
            run_session(ledger);
        }
    }
    ledger_close(ledger);
    if (!options.read_only)
        check_report(LEDGER_JSON);
    return 0;
}
