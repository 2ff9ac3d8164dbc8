/* Tests of report/event_log.h, report/report_files.h and base/text.h: whatever is logged, every line is JSON. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <regex.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../support/report_fixture.h"
#include "base/clock.h"
#include "base/text.h"
#include "instance/event.h"
#include "report/event_log.h"
#include "report/report_files.h"

#define SESSION "20261121T101530Z_4f2a"

static char *folder;
static struct event_log *event_log;

static void set_up(void)
{
    folder = fixture_make_folder();
    cr_assert_eq(event_log_open(&event_log, folder, "dicom_sender", SESSION), 0);
}

static void tear_down(void)
{
    cr_assert_eq(event_log_close(event_log), 0);
    fixture_remove_folder(folder);
}

TestSuite(event_log, .init = set_up, .fini = tear_down);

/* The library's events, then the programs' own. */
enum { EVENT_COUNT_ALL = DICOMNET_LOG_EVENT_COUNT + EVENT_END - DICOMNET_LOG_EVENT_OWN };

static int event_number(int i)
{
    return i < DICOMNET_LOG_EVENT_COUNT ? i : DICOMNET_LOG_EVENT_OWN + i - DICOMNET_LOG_EVENT_COUNT;
}

static void write_fields(enum dicomnet_log_level level, int event, const struct dicomnet_log_field *fields,
                         size_t count)
{
    const struct event_record record = {
        .log = {.level = level, .event = event, .time_us = 1795256130000042, .field_count = count, .fields = fields},
        .worker = 3,
        .association = 12,
        .study = "1.2.3"};
    event_log_write(event_log, &record);
}

/* The lines of the file, parsed; every one must be an object without duplicate keys. */
static json_t *read_lines(void)
{
    event_log_flush(event_log);
    json_t *lines = json_array();
    FILE *file = fopen(event_log_path(event_log), "r");
    cr_assert_not_null(file);
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    while ((len = getline(&line, &size, file)) > 0) {
        json_error_t error;
        cr_assert_eq(line[len - 1], '\n');
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        cr_assert_not_null(object, "%s in %s", error.text, line);
        cr_assert_eq(json_array_append_new(lines, object), 0);
    }
    free(line);
    fclose(file);
    return lines;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

Test(event_log, first_keys_stand_first_and_in_order)
{
    write_fields(DICOMNET_LOG_WARN, EVENT_STORE_WARNED,
                 (struct dicomnet_log_field[]){LOG_TEXT("path", "a/b.dcm"), LOG_NUMBER("bytes", -7),
                                               LOG_NUMBER("status", 0xB007)},
                 3);
    event_log_flush(event_log);
    char *text = fixture_read_file(event_log_path(event_log));
    cr_assert_str_eq(text, "{\"time\":\"2026-11-21T10:15:30.000042Z\",\"level\":\"warn\",\"event\":\"store.warned\","
                           "\"session\":\"" SESSION "\",\"worker\":3,\"association\":12,\"study\":\"1.2.3\","
                           "\"path\":\"a/b.dcm\",\"bytes\":-7,\"status\":\"0xB007\"}\n");
    free(text);
}

/* Text is looked at several bytes at a time: each byte comes out right wherever it stands. */
Test(event_log, every_byte_in_every_place)
{
    enum { TEXT_LEN = 19 };
    struct text expected = {0};
    for (int byte = 1; byte < 256; byte++) {
        for (size_t place = 0; place < TEXT_LEN; place++) {
            char text[] = "0123456789 abcdefgh";
            text[place] = (char)byte;
            write_fields(DICOMNET_LOG_INFO, EVENT_SESSION_NOTE,
                         (struct dicomnet_log_field[]){LOG_TEXT("text", text), LOG_TEXT("rest", text + place)}, 2);
        }
    }
    json_t *lines = read_lines();
    cr_assert_eq(json_array_size(lines), (size_t)255 * TEXT_LEN);
    for (size_t i = 0; i < json_array_size(lines); i++) {
        char text[] = "0123456789 abcdefgh";
        text[i % TEXT_LEN] = (char)(1 + i / TEXT_LEN);
        text_clear(&expected);
        text_put_utf8(&expected, text);
        cr_expect_str_eq(text_of(json_array_get(lines, i), "text"), expected.data);
        text_clear(&expected);
        text_put_utf8(&expected, text + i % TEXT_LEN);
        cr_expect_str_eq(text_of(json_array_get(lines, i), "rest"), expected.data);
    }
    json_decref(lines);
    text_fini(&expected);
}

Test(event_log, absent_values_have_their_defaults)
{
    struct event_record record = {.log = {.level = DICOMNET_LOG_INFO, .event = EVENT_SCAN_STARTED}};
    uint64_t before_us = clock_wall_us();
    event_log_write(event_log, &record);
    json_t *lines = read_lines(), *line = json_array_get(lines, 0);
    char before[CLOCK_TEXT_SIZE];
    clock_format(before_us, before);
    cr_assert(strcmp(text_of(line, "time"), before) >= 0, "a record without time is given the present one");
    cr_assert(json_is_null(json_object_get(line, "study")));
    cr_assert_eq(json_integer_value(json_object_get(line, "worker")), 0);
    cr_assert_eq(json_integer_value(json_object_get(line, "association")), 0);
    cr_assert_eq(json_object_size(line), 7);
    json_decref(lines);
}

Test(event_log, the_time_follows_the_second)
{
    static const uint64_t times_us[] = {1795256130999999, 1795256131000000, 1795256130000001, 1, 4102444800123456};
    static const char *const texts[] = {"2026-11-21T10:15:30.999999Z", "2026-11-21T10:15:31.000000Z",
                                        "2026-11-21T10:15:30.000001Z", "1970-01-01T00:00:00.000001Z",
                                        "2100-01-01T00:00:00.123456Z"};
    for (size_t i = 0; i < 5; i++)
        event_log_write(event_log,
                        &(struct event_record){
                            .log = {.level = DICOMNET_LOG_INFO, .event = EVENT_SCAN_ENDED, .time_us = times_us[i]}});
    json_t *lines = read_lines();
    for (size_t i = 0; i < 5; i++)
        cr_assert_str_eq(text_of(json_array_get(lines, i), "time"), texts[i]);
    json_decref(lines);
}

Test(event_log, every_byte_can_be_logged)
{
    char all[256];
    for (int i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    all[255] = '\0';
    write_fields(DICOMNET_LOG_INFO, EVENT_STORE_FAILED, (struct dicomnet_log_field[]){LOG_TEXT("path", all)}, 1);
    json_t *lines = read_lines();
    cr_assert_eq(json_array_size(lines), 1, "a newline in a path makes no second line");
    const char *path = text_of(json_array_get(lines, 0), "path");
    cr_assert_eq(memcmp(path, all, 0x7F), 0, "ASCII comes back as it was");
    cr_assert_eq(strlen(path), 0x7F + 128 * 3, "each other byte is one U+FFFD");
    json_decref(lines);
}

Test(event_log, utf8_passes_and_what_is_not_becomes_replacements)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"Größe/ 日本/\xf0\x9f\x98\x80", "Größe/ 日本/\xf0\x9f\x98\x80"},
        {"\xc3(", "\xef\xbf\xbd("},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf0\x80\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"end\xe6\x97", "end\xef\xbf\xbd\xef\xbf\xbd"},
        {"\"\\\b\f\n\r\t\x01", "\"\\\b\f\n\r\t\x01"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        write_fields(DICOMNET_LOG_INFO, EVENT_FILE_SKIPPED,
                     (struct dicomnet_log_field[]){LOG_TEXT("path", cases[i].bytes)}, 1);
    json_t *lines = read_lines();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_str_eq(text_of(json_array_get(lines, i), "path"), cases[i].text, "case %zu", i);
    json_decref(lines);
}

Test(event_log, a_field_cannot_take_the_place_of_a_first_key)
{
    write_fields(DICOMNET_LOG_INFO, EVENT_STUDY_STARTED,
                 (struct dicomnet_log_field[]){LOG_TEXT("study", "9.9"), LOG_NUMBER("worker", 8)}, 2);
    json_t *lines = read_lines(), *line = json_array_get(lines, 0);
    cr_assert_str_eq(text_of(line, "study"), "1.2.3");
    cr_assert_str_eq(text_of(line, "field_study"), "9.9");
    cr_assert_eq(json_integer_value(json_object_get(line, "field_worker")), 8);
    json_decref(lines);
}

Test(event_log, extreme_numbers)
{
    write_fields(DICOMNET_LOG_INFO, EVENT_SCAN_ENDED,
                 (struct dicomnet_log_field[]){LOG_NUMBER("a", INT64_MIN), LOG_NUMBER("b", INT64_MAX)}, 2);
    json_t *lines = read_lines(), *line = json_array_get(lines, 0);
    cr_assert_eq(json_integer_value(json_object_get(line, "a")), INT64_MIN);
    cr_assert_eq(json_integer_value(json_object_get(line, "b")), INT64_MAX);
    json_decref(lines);
}

Test(event_log, a_line_longer_than_the_buffer_is_whole)
{
    enum { LONG = 700000 };
    char *path = malloc(LONG + 1);
    memset(path, '\n', LONG);
    path[LONG] = '\0';
    write_fields(DICOMNET_LOG_INFO, EVENT_FILE_FAILED, (struct dicomnet_log_field[]){LOG_TEXT("path", path)}, 1);
    write_fields(DICOMNET_LOG_INFO, EVENT_FILE_FAILED, NULL, 0);
    json_t *lines = read_lines();
    cr_assert_eq(json_array_size(lines), 2);
    cr_assert_str_eq(text_of(json_array_get(lines, 0), "path"), path);
    json_decref(lines);
    free(path);
}

Test(event_log, many_lines_come_in_order)
{
    enum { LINES = 20000 };
    for (int i = 0; i < LINES; i++)
        write_fields(DICOMNET_LOG_INFO, EVENT_STORE_STORED,
                     (struct dicomnet_log_field[]){LOG_NUMBER("i", i), LOG_TEXT("path", "x/y")}, 2);
    json_t *lines = read_lines();
    cr_assert_eq(json_array_size(lines), LINES);
    for (int i = 0; i < LINES; i++)
        cr_assert_eq(json_integer_value(json_object_get(json_array_get(lines, (size_t)i), "i")), i);
    json_decref(lines);
}

static off_t size_on_disk(void)
{
    struct stat status;
    cr_assert_eq(stat(event_log_path(event_log), &status), 0);
    return status.st_size;
}

Test(event_log, lines_are_buffered_but_errors_and_old_lines_are_not)
{
    uint64_t now_us = clock_wall_us();
    struct event_record record = {.log = {.level = DICOMNET_LOG_INFO, .event = EVENT_SESSION_NOTE, .time_us = now_us}};
    event_log_write(event_log, &record);
    cr_assert_eq(size_on_disk(), 0);
    record.log.level = DICOMNET_LOG_ERROR;
    event_log_write(event_log, &record);
    off_t size = size_on_disk();
    cr_assert_gt(size, 0);
    record.log.level = DICOMNET_LOG_INFO;
    event_log_write(event_log, &record);
    cr_assert_eq(size_on_disk(), size);
    record.log.time_us = now_us + 2000000;
    event_log_write(event_log, &record);
    cr_assert_gt(size_on_disk(), size);
}

Test(event_log, every_event_can_be_written)
{
    for (int i = 0; i < EVENT_COUNT_ALL; i++)
        write_fields(DICOMNET_LOG_DEBUG, event_number(i), NULL, 0);
    json_t *lines = read_lines();
    for (int i = 0; i < EVENT_COUNT_ALL; i++)
        cr_assert_str_eq(text_of(json_array_get(lines, (size_t)i), "event"), event_name(event_number(i)));
    json_decref(lines);
}

Test(event_log_errors, a_folder_that_cannot_be_made_is_said)
{
    struct event_log *log = NULL;
    cr_assert_eq(event_log_open(&log, "/proc/no/such", "dicom_sender", SESSION), -ENOENT);
    cr_assert_eq(event_log_open(&log, "/dev/null/logs", "dicom_sender", SESSION), -ENOTDIR);
    cr_assert_eq(event_log_open(&log, "/dev/null", "dicom_sender", SESSION), -ENOTDIR);
    cr_assert_null(log);
}

Test(event_log_errors, folders_are_made_and_a_log_is_never_overwritten)
{
    char *base = fixture_make_folder();
    char deep[128];
    snprintf(deep, sizeof deep, "%s/a//b/c/", base);
    struct event_log *log = NULL, *second = NULL;
    cr_assert_eq(event_log_open(&log, deep, "dicom_sender", SESSION), 0);
    cr_assert_eq(event_log_open(&second, deep, "dicom_sender", SESSION), -EEXIST);
    cr_assert_str_eq(strrchr(event_log_path(log), '/'), "/dicom_sender_" SESSION ".log");
    cr_assert_eq(event_log_close(log), 0);
    cr_assert_eq(event_log_close(NULL), 0);
    fixture_remove_folder(base);
}

Test(event_log_errors, the_first_write_error_is_kept)
{
    char *base = fixture_make_folder();
    struct event_log *log = NULL;
    cr_assert_eq(event_log_open(&log, base, "dicom_sender", SESSION), 0);
    struct rlimit limit = {.rlim_cur = 1024, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct event_record record = {.log = {.level = DICOMNET_LOG_INFO, .event = EVENT_SESSION_NOTE}};
    for (int i = 0; i < 5000; i++)
        event_log_write(log, &record);
    cr_assert_eq(event_log_flush(log), -EFBIG);
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    event_log_write(log, &record);
    cr_assert_eq(event_log_close(log), -EFBIG);
    fixture_remove_folder(base);
}

Test(report_files, session_identifiers_have_their_form_and_differ)
{
    char first[REPORT_SESSION_ID_SIZE], second[REPORT_SESSION_ID_SIZE];
    regex_t form;
    cr_assert_eq(regcomp(&form, "^20[0-9]{6}T[0-9]{6}Z_[0-9a-f]{4}$", REG_EXTENDED | REG_NOSUB), 0);
    int same = 0;
    report_session_id(first);
    for (int i = 0; i < 8; i++) {
        report_session_id(second);
        cr_assert_eq(regexec(&form, second, 0, NULL, 0), 0, "%s", second);
        same += strcmp(first, second) == 0;
    }
    cr_assert_lt(same, 3);
    regfree(&form);
}

Test(text, what_a_terminal_gets_has_no_control_characters)
{
    struct text text = {0};
    text_put_visible(&text, "a\nb\t\x1b[31m\x7f \xc2\x9b\xff é \xe2\x80\xae \\");
    cr_assert_str_eq(text.data, "a\\nb\\t\\x1b[31m\\x7f \\x9b\\xff é \\u202e \\");
    text_fini(&text);
}

/* docs/logs.md has a row "| `name` | meaning |" for each event, and for no other. */
Test(documentation, logs_md_lists_exactly_the_events)
{
    char *page = fixture_read_file(SOURCE_ROOT "/docs/logs.md");
    cr_assert_not_null(page);
    static const char *const meanings[] = {
#define X(name, text, meaning) (meaning),
        DICOMNET_LOG_EVENTS(X) EVENTS(X)
#undef X
    };
    for (int i = 0; i < EVENT_COUNT_ALL; i++) {
        char row[256];
        snprintf(row, sizeof row, "\n| `%s` | %s |\n", event_name(event_number(i)), meanings[i]);
        cr_expect(strstr(page, row) != NULL, "docs/logs.md lacks:%s", row);
    }
    char *begin = strstr(page, "\n| event | what it says |\n|---|---|\n");
    cr_assert_not_null(begin);
    *strstr(begin, "\n\n") = '\0';
    int rows = -2; /* the head of the table */
    for (const char *at = begin; at != NULL; at = strchr(at + 1, '\n'))
        rows++;
    cr_expect_eq(rows, EVENT_COUNT_ALL, "docs/logs.md lists %d events", rows);
    free(page);
}
