/* Tests of ledger/ledger.h: what is kept, what is recalled, and what happens when it cannot be written. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../support/ask_record.h"
#include "../support/report_fixture.h"
#include "ledger/ledger.h"
#include "ledger/ledger_view.h"

static char *folder;
static char path[256], file_path[256];
static char message[LEDGER_MESSAGE_SIZE];
static struct ledger *ledger;
static struct record record;
static struct ledger_options options = {
    .path = path, .peer_host = "pacs.example", .peer_port = 104, .called_ae = "PACS", .calling_ae = "SENDER"};

static void begin(void)
{
    cr_assert_eq(ledger_open(&ledger, &options, message), 0, "%s", message);
    cr_assert_eq(ledger_begin_session(ledger, "20261121T101530Z_4f2a", "--threads=8", message), 0, "%s", message);
    record = ledger_record(ledger);
}

static void end(void)
{
    const struct session_result result = {.verdict = SESSION_COMPLETE, .ended_us = 2};
    cr_assert_null(ledger_end_session(ledger, &result, 0));
    ledger_close(ledger);
}

static void set_up(void)
{
    folder = fixture_make_folder();
    snprintf(path, sizeof path, "%s/move.db", folder);
    snprintf(file_path, sizeof file_path, "%s/file", folder);
    begin();
}

static void tear_down(void)
{
    ledger_close(ledger);
    fixture_remove_folder(folder);
}

TestSuite(ledger, .init = set_up, .fini = tear_down);

/* An instance of a file that is there. */
static struct instance made(const char *name, const char *uid, enum outcome_state state, enum outcome_reason reason)
{
    struct stat status;
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert_eq(fstat(fd, &status), 0);
    close(fd);
    struct instance instance = fixture_instance(name, "1.2.1", uid, 1000, state, reason);
    instance.file.size_bytes = (uint64_t)status.st_size;
    instance.file.mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    instance.file.device = status.st_dev;
    instance.file.inode = status.st_ino;
    return instance;
}

/* Keep it, begin the next session, and ask for the same file. NULL if it is to be looked at again. */
static struct instance *keep_and_recall(const struct instance *instance)
{
    record.keep(record.user, instance);
    cr_assert_null(ask_flush(&record));
    end();
    begin();
    cr_assert_not_null(record.recall_files);
    return ask_file(&record, &instance->file);
}

static int64_t ask(const char *query)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, query, -1, &statement, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

Test(ledger, recalls_all_of_an_outcome)
{
    struct instance instance = made(file_path, "1.2.3", OUTCOME_FAILED, REASON_STATUS);
    instance.outcome.has_status = true;
    instance.outcome.status = 0xC123;
    instance.outcome.attempts = 3;
    instance.outcome.offset = UINT32_MAX + 1ull;
    strcpy(instance.outcome.comment, "caf\xe9");
    instance.outcome.sent_syntax = "1.2.840.10008.1.2.1";
    instance.fact = (char *)"the other is a\xff: b";
    struct instance *recalled = keep_and_recall(&instance);
    cr_assert_not_null(recalled);
    cr_assert(recalled->outcome.earlier);
    cr_assert_eq(recalled->outcome.state, OUTCOME_FAILED);
    cr_assert_eq(recalled->outcome.reason, REASON_STATUS);
    cr_assert(recalled->outcome.has_status);
    cr_assert_eq(recalled->outcome.status, 0xC123);
    cr_assert_eq(recalled->outcome.attempts, 3);
    cr_assert_eq(recalled->outcome.offset, UINT32_MAX + 1ull);
    cr_assert_str_eq(recalled->outcome.comment, "caf\xe9");
    cr_assert_str_eq(recalled->file.path, file_path);
    cr_assert_str_eq(recalled->file.study_uid, "1.2.1");
    cr_assert_str_eq(recalled->file.instance_uid, "1.2.3");
    cr_assert_eq(recalled->file.data_len, 1000);
    cr_assert_str_eq(recalled->outcome.sent_syntax, "1.2.840.10008.1.2.1");
    cr_assert_str_eq(recalled->fact, "the other is a\xff: b");
    instance_destroy(recalled);
}

Test(ledger, knows_which_outcomes_stand)
{
    static const struct {
        enum outcome_state state;
        enum outcome_reason reason;
        bool stands, raw, incomplete, retry;
    } rows[] = {
        {OUTCOME_STORED, REASON_NONE, true, false, false, true},
        {OUTCOME_WARNED, REASON_NONE, true, false, false, true},
        {OUTCOME_FAILED, REASON_TRUNCATED, true, false, false, false},
        {OUTCOME_FAILED, REASON_TRUNCATED, false, false, false, true},
        {OUTCOME_FAILED, REASON_POISON, true, false, false, false},
        {OUTCOME_FAILED, REASON_UNREADABLE, false, false, false, false},
        {OUTCOME_FAILED, REASON_NO_RESPONSE, false, false, false, false},
        {OUTCOME_FAILED, REASON_CONNECTION, false, false, false, false},
        {OUTCOME_FAILED, REASON_NO_STUDY_UID, true, true, false, false},
        {OUTCOME_FAILED, REASON_NO_STUDY_UID, false, false, true, false},
        {OUTCOME_FAILED, REASON_BAD_UID, true, true, false, false},
        {OUTCOME_FAILED, REASON_BAD_UID, false, false, true, false},
        {OUTCOME_FAILED, REASON_NO_META, true, false, true, false},
        {OUTCOME_FAILED, REASON_NO_META, false, true, false, false},
        {OUTCOME_FAILED, REASON_NO_TRANSFER_SYNTAX, true, false, true, false},
        {OUTCOME_FAILED, REASON_NO_TRANSFER_SYNTAX, false, true, false, false},
        {OUTCOME_SKIPPED, REASON_NO_META, false, false, false, false}, /* as earlier versions had it */
        {OUTCOME_SKIPPED, REASON_NOT_DICOM, true, true, true, true},
        {OUTCOME_SKIPPED, REASON_DUPLICATE, false, false, false, false}, /* nothing with its UID is stored */
        {OUTCOME_IN_DOUBT, REASON_INTERRUPTED, false, false, false, false},
        {OUTCOME_PENDING, REASON_INTERRUPTED, false, false, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        options.rules.accept_raw = rows[i].raw;
        options.rules.allow_incomplete = rows[i].incomplete;
        options.rules.retry_failed = rows[i].retry;
        snprintf(file_path, sizeof file_path, "%s/file-%zu", folder, i);
        char uid[16];
        snprintf(uid, sizeof uid, "1.2.%zu", i);
        struct instance instance = made(file_path, uid, rows[i].state, rows[i].reason);
        struct instance *recalled = keep_and_recall(&instance);
        cr_expect_eq(recalled != NULL, rows[i].stands, "row %zu", i);
        instance_destroy(recalled);
    }
}

Test(ledger, no_room_is_not_for_good)
{
    static const uint16_t statuses[] = {0xA700, 0x0213, 0xA900, 0x0110};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct instance instance = made(file_path, "1.2.3", OUTCOME_FAILED, REASON_STATUS);
        instance.outcome.has_status = true;
        instance.outcome.status = statuses[i];
        struct instance *recalled = keep_and_recall(&instance);
        cr_expect_eq(recalled != NULL, i >= 2, "status %04x", statuses[i]);
        instance_destroy(recalled);
    }
}

Test(ledger, a_duplicate_stands_while_its_twin_is_stored)
{
    struct instance twin = made(file_path, "1.2.3", OUTCOME_STORED, REASON_NONE);
    record.keep(record.user, &twin);
    snprintf(file_path, sizeof file_path, "%s/second", folder);
    struct instance instance = made(file_path, "1.2.3", OUTCOME_SKIPPED, REASON_DUPLICATE);
    struct instance *recalled = keep_and_recall(&instance);
    cr_assert_not_null(recalled);
    instance_destroy(recalled);
}

Test(ledger, forgets_a_file_that_changed)
{
    struct instance instance = made(file_path, "1.2.3", OUTCOME_STORED, REASON_NONE);
    struct instance *recalled = keep_and_recall(&instance);
    cr_assert_not_null(recalled);
    instance_destroy(recalled);
    struct file_facts facts[4];
    for (int i = 0; i < 4; i++)
        facts[i] = instance.file;
    facts[0].size_bytes++;
    facts[1].mtime_ns++;
    facts[2].inode++;
    facts[3].device++;
    for (int i = 0; i < 4; i++)
        cr_expect_null(ask_file(&record, &facts[i]), "%d", i);
}

/* What failed for lack of room, and nothing else; also not what was left pending when the run was given up. */
Test(ledger, recalls_a_refusal)
{
    static const struct {
        enum outcome_state state;
        enum outcome_reason reason;
        uint16_t status;
        bool refused;
    } rows[] = {{OUTCOME_FAILED, REASON_STATUS, 0xA700, true},        {OUTCOME_FAILED, REASON_STATUS, 0xA7FF, true},
                {OUTCOME_FAILED, REASON_STATUS, 0x0213, true},        {OUTCOME_FAILED, REASON_STATUS, 0xA900, false},
                {OUTCOME_PENDING, REASON_INTERRUPTED, 0xA700, false}, {OUTCOME_FAILED, REASON_POISON, 0xA700, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct instance instance = made(file_path, "1.2.3", rows[i].state, rows[i].reason);
        instance.outcome.has_status = true;
        instance.outcome.status = rows[i].status;
        cr_expect(!ask_refusal(&record, &instance.file) || i > 0, "unknown");
        instance_destroy(keep_and_recall(&instance));
        cr_expect_eq(ask_refusal(&record, &instance.file), rows[i].refused, "row %zu", i);
        instance.file.mtime_ns++;
        cr_expect(!ask_refusal(&record, &instance.file), "row %zu: changed since", i);
    }
}

Test(ledger, does_not_recall_what_this_session_did)
{
    struct instance earlier = fixture_instance("/earlier", "1.2.1", "1.2.2", 1000, OUTCOME_STORED, REASON_NONE);
    cr_expect_null(record.recall_files, "there are no rows");
    instance_destroy(keep_and_recall(&earlier));
    cr_assert_not_null(record.recall_twins);
    struct instance instance = made(file_path, "1.2.3", OUTCOME_STORED, REASON_NONE);
    record.keep(record.user, &instance);
    cr_assert_null(ask_flush(&record));
    cr_assert_null(ask_file(&record, &instance.file));
    cr_assert_null(ask_twin(&record, &instance.file));
}

Test(ledger, stored_stays_until_another_file_is_seen)
{
    struct instance instance = made(file_path, "1.2.3", OUTCOME_STORED, REASON_NONE);
    instance_destroy(keep_and_recall(&instance));
    struct instance unseen = fixture_instance(file_path, "", "", 0, OUTCOME_FAILED, REASON_MISSING);
    record.keep(record.user, &unseen);
    instance.outcome.state = OUTCOME_SKIPPED;
    instance.outcome.reason = REASON_DUPLICATE;
    record.keep(record.user, &instance);
    cr_assert_null(ask_flush(&record));
    cr_expect_eq(ask("SELECT count(*) FROM file WHERE state = 'stored'"), 1);
    instance.outcome.state = OUTCOME_PENDING;
    instance.outcome.reason = REASON_INTERRUPTED;
    record.keep(record.user, &instance);
    cr_assert_null(ask_flush(&record));
    cr_expect_eq(ask("SELECT count(*) FROM file WHERE state = 'stored'"), 1, "nobody has touched it");
    instance.file.mtime_ns++;
    record.keep(record.user, &instance);
    cr_assert_null(ask_flush(&record));
    cr_expect_eq(ask("SELECT count(*) FROM file WHERE state = 'pending'"), 1);
    cr_expect_eq(ask("SELECT count(*) FROM file"), 1);
}

/* The first session does not look whether a path is there already. */
static void keep_one_path_often(struct instance *instance)
{
    struct instance unseen = fixture_instance(file_path, "", "", 0, OUTCOME_FAILED, REASON_MISSING);
    struct instance duplicate = *instance;
    duplicate.outcome.state = OUTCOME_SKIPPED;
    duplicate.outcome.reason = REASON_DUPLICATE;
    record.keep(record.user, &duplicate);
    record.keep(record.user, instance);
    record.keep(record.user, &duplicate);
    record.keep(record.user, &unseen);
    cr_assert_null(ask_flush(&record));
    end();
    cr_expect_eq(ask("SELECT count(*) FROM file"), 4);
    cr_expect_eq(ask("SELECT count(*) FROM sqlite_master WHERE type = 'index'"), 0);
}

Test(ledger, a_path_that_came_often_has_one_row_from_the_next_session_on)
{
    struct instance instance = made(file_path, "1.2.3", OUTCOME_STORED, REASON_NONE);
    keep_one_path_often(&instance);
    begin();
    cr_expect_eq(ask("SELECT count(*) FROM file"), 1);
    cr_expect_eq(ask("SELECT count(*) FROM file WHERE state = 'stored'"), 1);
    struct instance *recalled = ask_file(&record, &instance.file);
    cr_assert_not_null(recalled);
    instance_destroy(recalled);
}

Test(ledger, who_may_change_nothing_finds_paths_too)
{
    struct instance instance = made(file_path, "1.2.3", OUTCOME_STORED, REASON_NONE);
    struct ledger_options read_only = options;
    read_only.read_only = true;
    keep_one_path_often(&instance);
    for (int again = 0; again < 2; again++) {
        cr_assert_eq(ledger_open(&ledger, &read_only, message), 0, "%s", message);
        record = ledger_record(ledger);
        cr_expect_null(record.recall_twins, "it has no index of UIDs");
        struct instance *recalled = ask_file(&record, &instance.file);
        cr_assert_not_null(recalled);
        cr_expect_eq(recalled->outcome.state, OUTCOME_STORED);
        instance_destroy(recalled);
        ledger_close(ledger);
        cr_expect_eq(ask("SELECT count(*) FROM file"), again == 0 ? 4 : 1);
        begin(); /* makes the index */
        end();
    }
    begin();
}

Test(ledger, a_file_has_one_name)
{
    cr_assert_eq(chdir(folder), 0);
    ledger_close(ledger);
    begin();
    struct instance instance = made("file", "1.2.3", OUTCOME_STORED, REASON_NONE);
    instance_destroy(keep_and_recall(&instance));
    static const char *const names[] = {"./file", ".//./file", "file", NULL};
    char long_name[300];
    snprintf(long_name, sizeof long_name, "/.%s//file", folder);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        instance.file.path = names[i] != NULL ? names[i] : long_name;
        struct instance *recalled = ask_file(&record, &instance.file);
        cr_expect_not_null(recalled, "%s", instance.file.path);
        instance_destroy(recalled);
    }
    instance.file.path = "../file";
    cr_expect_null(ask_file(&record, &instance.file));
}

Test(ledger, finds_twins)
{
    struct instance first = made(file_path, "1.2.3", OUTCOME_STORED, REASON_NONE);
    instance_destroy(keep_and_recall(&first));
    char second_path[300];
    snprintf(second_path, sizeof second_path, "%s/second", folder);
    struct instance second = made(second_path, "1.2.3", OUTCOME_PENDING, REASON_NONE);
    struct instance *twin = ask_twin(&record, &second.file);
    cr_assert_not_null(twin);
    cr_expect_str_eq(twin->file.path, file_path);
    cr_expect_eq(twin->file.data_offset, 200);
    instance_destroy(twin);
    /* The same path: a file that changed has no twin in itself. */
    second.file.path = file_path;
    cr_expect_null(ask_twin(&record, &second.file));
    second.file.path = second_path;
    second.file.instance_uid = "1.2.4";
    cr_expect_null(ask_twin(&record, &second.file));
    second.file.instance_uid = "1.2.3";
    /* Renamed: the very same. */
    cr_assert_eq(rename(file_path, second_path), 0);
    second.file = first.file;
    second.file.path = second_path;
    twin = ask_twin(&record, &second.file);
    cr_assert_not_null(twin);
    cr_expect_str_eq(twin->file.path, second_path);
    cr_expect(twin->outcome.earlier);
    instance_destroy(twin);
    /* Changed: nothing to compare with. */
    second.file.inode++;
    cr_expect_null(ask_twin(&record, &second.file));
}

Test(ledger, one_session_at_a_time)
{
    struct ledger *second = NULL;
    cr_assert_eq(ledger_open(&second, &options, message), -1);
    cr_assert_null(second);
    cr_expect_not_null(strstr(message, "is in use by another process: pid"), "%s", message);
    cr_expect_not_null(strstr(message, "session 20261121T101530Z_4f2a, since "), "%s", message);
    /* The refusal did not take the lock away. */
    cr_assert_eq(ledger_open(&second, &options, message), -1);
}

Test(ledger, another_destination)
{
    end();
    struct ledger_options other = options;
    other.peer_port = 105;
    cr_assert_eq(ledger_open(&ledger, &other, message), -1);
    cr_expect_not_null(strstr(message, "belongs to PACS@pacs.example:104"), "%s", message);
    other.allow_other_destination = true;
    cr_assert_eq(ledger_open(&ledger, &other, message), 0);
    /* Opening alone changes nothing. */
    ledger_close(ledger);
    begin();
}

/* Keep the instance as a file of that path. Returns what the flush has to say, NULL if all is well. */
static const char *keep_as(struct instance *instance, const char *at)
{
    instance->file.path = at;
    record.keep(record.user, instance);
    return ask_flush(&record);
}

/* What is lost is said to the end, and what came after it is kept. */
static void expect_lost_but_going_on(struct instance *instance, unsigned lost)
{
    cr_expect_eq(ledger_lost(ledger), lost);
    cr_expect_not_null(keep_as(instance, "/third"));
    cr_expect_eq(ledger_lost(ledger), lost);
}

Test(ledger, what_cannot_be_written_is_counted_and_said)
{
    struct instance instance = made(file_path, "1.2.3", OUTCOME_STORED, REASON_NONE);
    cr_assert_null(keep_as(&instance, file_path));
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit whole, small;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &whole), 0);
    small = whole;
    small.rlim_cur = 1000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    const char *problem = keep_as(&instance, "/other");
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &whole), 0);
    cr_assert_not_null(problem);
    cr_expect_not_null(strstr(problem, "cannot be written: "), "%s", problem);
    expect_lost_but_going_on(&instance, 1); /* there is room again */
    cr_expect_eq(ask("SELECT count(*) FROM file"), 2);
}

/* What waits to be committed with it is lost too; what comes after it is kept. */
Test(ledger, a_row_that_cannot_be_kept_is_counted_and_said)
{
    sqlite3 *db;
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db,
                              "CREATE TRIGGER refuses BEFORE INSERT ON file WHEN new.path = '/refused' "
                              "BEGIN SELECT RAISE(ABORT, 'not this one'); END",
                              NULL, NULL, NULL),
                 SQLITE_OK);
    sqlite3_close(db);
    struct instance instance = made(file_path, "1.2.3", OUTCOME_STORED, REASON_NONE);
    record.keep(record.user, &instance);
    const char *problem = keep_as(&instance, "/refused");
    cr_assert_not_null(problem);
    cr_expect_not_null(strstr(problem, "not this one"), "%s", problem);
    expect_lost_but_going_on(&instance, 2);
    cr_expect_eq(ask("SELECT count(*) FROM file WHERE path = '/third'"), 1);
    cr_expect_eq(ask("SELECT count(*) FROM file"), 1);
}

Test(ledger, to_ask_only)
{
    struct ledger *reader = NULL;
    struct ledger_options reading = options;
    reading.read_only = true;
    struct instance instance = made(file_path, "1.2.3", OUTCOME_STORED, REASON_NONE);
    record.keep(record.user, &instance);
    cr_assert_null(ask_flush(&record));
    cr_assert_eq(ledger_open(&reader, &reading, message), 0, "%s", message); /* while a session has it */
    struct record reading_record = ledger_record(reader);
    struct instance *recalled = ask_file(&reading_record, &instance.file);
    cr_assert_not_null(recalled);
    instance_destroy(recalled);
    ledger_close(reader);
    snprintf(file_path, sizeof file_path, "%s/none.db", folder);
    reading.path = file_path;
    cr_assert_eq(ledger_open(&reader, &reading, message), 0);
    cr_assert_null(reader);
    cr_assert_neq(access(file_path, F_OK), 0);
}

/* ---- a ledger of before ---- */

enum { OLD_FILES = 7 };

/* The files of its rows, as a scan would find them unchanged, and what each had become. */
static struct file_facts files[OLD_FILES];
static char paths[OLD_FILES][64], states[OLD_FILES][16];

static void read_old_files(sqlite3 *db)
{
    sqlite3_stmt *row;
    size_t count = 0;
    cr_assert_eq(sqlite3_prepare_v2(db, "SELECT path, device, inode, size_bytes, mtime_ns, state FROM file ORDER BY id",
                                    -1, &row, NULL),
                 SQLITE_OK);
    while (sqlite3_step(row) == SQLITE_ROW) {
        cr_assert_lt(count, OLD_FILES);
        files[count] = (struct file_facts){.path = paths[count],
                                           .device = (uint64_t)sqlite3_column_int64(row, 1),
                                           .inode = (uint64_t)sqlite3_column_int64(row, 2),
                                           .size_bytes = (uint64_t)sqlite3_column_int64(row, 3),
                                           .mtime_ns = sqlite3_column_int64(row, 4)};
        snprintf(paths[count], sizeof paths[count], "%s", (const char *)sqlite3_column_text(row, 0));
        snprintf(states[count], sizeof states[count], "%s", (const char *)sqlite3_column_text(row, 5));
        count++;
    }
    sqlite3_finalize(row);
    cr_assert_eq(count, OLD_FILES);
}

static void begin_old(void)
{
    sqlite3 *db;
    char *statements = fixture_read_file(SOURCE_ROOT "/tests/support/ledger_version_1.sql");
    cr_assert_not_null(statements);
    folder = fixture_make_folder();
    snprintf(path, sizeof path, "%s/old.db", folder);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    free(statements);
    read_old_files(db);
    sqlite3_close(db);
}

static void end_old(void)
{
    fixture_remove_folder(folder);
}

TestSuite(old_ledger, .init = begin_old, .fini = end_old);

Test(old_ledger, opens_and_goes_on)
{
    int64_t schema = ask("SELECT sum(length(sql)) FROM sqlite_master");
    int64_t columns = ask("SELECT count(*) FROM pragma_table_info('file')");
    options = (struct ledger_options){
        .path = path, .peer_host = "loopback", .peer_port = 104, .called_ae = "ANY-SCP", .calling_ae = "SENDER"};
    begin();
    for (size_t i = 0; i < OLD_FILES; i++) {
        struct instance *recalled = ask_file(&record, &files[i]);
        cr_assert_not_null(recalled, "%s", files[i].path);
        cr_expect_str_eq(outcome_state_name(recalled->outcome.state), states[i], "%s", files[i].path);
        cr_expect(recalled->outcome.earlier);
        instance_destroy(recalled);
        files[i].mtime_ns++;
        cr_expect_null(ask_file(&record, &files[i]), "%s has changed", files[i].path);
    }
    struct instance instance = fixture_instance("/new", "1.2.1", "1.2.2", 1000, OUTCOME_STORED, REASON_NONE);
    record.keep(record.user, &instance);
    cr_assert_null(ask_flush(&record));
    end();
    ledger = NULL;
    cr_expect_eq(ask("SELECT count(*) FROM file"), OLD_FILES + 1);
    cr_expect_eq(ask("SELECT count(*) FROM session"), 3);
    cr_expect_eq(ask("PRAGMA user_version"), 1);
    cr_expect_eq(ask("SELECT count(*) FROM pragma_table_info('file')"), columns + 1);
    cr_expect_eq(ask("SELECT count(sent_syntax) FROM file"), 0);
    cr_expect_eq(ask("SELECT sum(length(sql)) FROM sqlite_master"), schema + (int64_t)strlen(", sent_syntax TEXT"),
                 "the schema is what it was, but for that column");
}

/* Where nothing may be written, it is read as it is: by a session that only asks, and by a report. */
Test(old_ledger, is_read_as_it_is)
{
    int64_t schema = ask("SELECT sum(length(sql)) FROM sqlite_master");
    struct ledger_options reading = {.path = path, .called_ae = "", .calling_ae = "", .read_only = true};
    struct ledger *reader;
    cr_assert_eq(ledger_open(&reader, &reading, message), 0, "%s", message);
    struct record reading_record = ledger_record(reader);
    for (size_t i = 0; i < OLD_FILES; i++) {
        struct instance *recalled = ask_file(&reading_record, &files[i]);
        cr_assert_not_null(recalled, "%s", files[i].path);
        cr_expect_str_eq(outcome_state_name(recalled->outcome.state), states[i]);
        cr_expect_null(recalled->outcome.sent_syntax);
        instance_destroy(recalled);
    }
    ledger_close(reader);
    static const enum ledger_list lists[] = {LEDGER_FILES, LEDGER_CONVERSIONS, LEDGER_TOTALS, LEDGER_REASONS};
    static const int rows[] = {OLD_FILES, 0, 1, 3};
    struct ledger_view *view;
    cr_assert_eq(ledger_view_open(&view, path, message), 0, "%s", message);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct ledger_cursor *cursor;
        int count = 0, more;
        cr_assert_eq(ledger_cursor_open(&cursor, view, lists[i], 0), 0, "%s", ledger_view_problem(view));
        while ((more = ledger_cursor_next(cursor)) == 1)
            count++;
        cr_expect_eq(more, 0);
        cr_expect_eq(count, rows[i], "list %zu has %d rows", i, count);
        ledger_cursor_close(cursor);
    }
    ledger_view_close(view);
    cr_expect_eq(ask("SELECT sum(length(sql)) FROM sqlite_master"), schema);
}
