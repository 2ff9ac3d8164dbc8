/* Tests of report/console_line.h: what a record is as a sentence, and which records are of one cause. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/text.h"
#include "instance/event.h"
#include "report/console_line.h"

struct row {
    int event;
    const char *sentence;
    struct dicomnet_log_field fields[6];
};

static struct event_record record_of(const struct row *row)
{
    struct event_record record = {
        .log = {.level = DICOMNET_LOG_WARN, .event = row->event, .time_us = 1795256130123456, .fields = row->fields}};
    while (record.log.field_count < 6 && row->fields[record.log.field_count].key != NULL)
        record.log.field_count++;
    return record;
}

Test(console_line, sentences)
{
    const struct row rows[] = {
        {DICOMNET_LOG_ASSOCIATION_REJECTED,
         "association with 10.0.0.5:104: rejected: temporary congestion",
         {LOG_TEXT("peer", "10.0.0.5:104"), LOG_TEXT("text", "rejected: temporary congestion")}},
        {DICOMNET_LOG_ASSOCIATION_LOST, "connection lost", {LOG_TEXT("text", "connection lost")}},
        {EVENT_SESSION_PAUSED,
         "no room; next try in 5.0 s",
         {LOG_NUMBER("delay_ms", 5000), LOG_TEXT("text", "no room")}},
        {EVENT_SESSION_RESUMED,
         "all go on, after 1:15 min",
         {LOG_NUMBER("paused_ms", 75000), LOG_TEXT("text", "all go on")}},
        {EVENT_SESSION_NOTE,
         "fewer threads (threads 4)",
         {LOG_TEXT("text", "fewer threads"), LOG_NUMBER("threads", 4)}},
        {EVENT_STORE_RETRIED,
         "a\\x1b.dcm: no answer; it is sent again",
         {LOG_TEXT("path", "a\x1b.dcm"), LOG_TEXT("instance", "1.2"), LOG_TEXT("text", "no answer")}},
        {EVENT_FILE_FAILED, "a.dcm: truncated", {LOG_TEXT("path", "a.dcm"), LOG_TEXT("reason", "truncated")}},
        {EVENT_RECEIVER_REFUSED,
         "1.2.3 was refused with status A700: disk full",
         {LOG_TEXT("instance", "1.2.3"), LOG_NUMBER("status", 0xA700), LOG_TEXT("text", "disk full")}},
        {EVENT_QUERY_STARTED,
         "C-GET begins: 1 instance is wanted, at level STUDY",
         {LOG_TEXT("service", "C-GET"), LOG_TEXT("level", "STUDY"), LOG_NUMBER("instances", 1)}},
        {EVENT_QUERY_ENDED,
         "C-MOVE ended: refused (status 0xA801), 'who?'",
         {LOG_TEXT("service", "C-MOVE"), LOG_TEXT("status", "0xA801"), LOG_TEXT("text", "refused"),
          LOG_TEXT("comment", "who?")}},
        {EVENT_QUERY_ENDED,
         "C-FIND ended: the peer closed the connection",
         {LOG_TEXT("service", "C-FIND"), LOG_TEXT("status", "none"),
          LOG_TEXT("text", "the peer closed the connection")}},
        {EVENT_RETRIEVAL_LISTED,
         "the peer has 3 instances in 1 series; 1 is here already",
         {LOG_NUMBER("matches", 1), LOG_NUMBER("series", 1), LOG_NUMBER("instances", 3), LOG_NUMBER("present", 1)}},
        {EVENT_RETRIEVAL_STORED, "stored 1.2 (65.4 KB)", {LOG_TEXT("instance", "1.2"), LOG_NUMBER("bytes", 65432)}},
        {EVENT_RETRIEVAL_RETRIED,
         "2 instances are missing: asked for again in 2.0 s",
         {LOG_NUMBER("missing", 2), LOG_NUMBER("delay_ms", 2000)}},
        {EVENT_STUDY_ENDED, "study.ended (stored 2, failed 1)", {LOG_NUMBER("stored", 2), LOG_NUMBER("failed", 1)}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        struct event_record record = record_of(&rows[i]);
        console_line_say(&text, &record);
        cr_expect_str_eq(text.data, rows[i].sentence);
        text_fini(&text);
    }
}

Test(console_line, time_and_level)
{
    setenv("TZ", "UTC", 1);
    struct text text = {0};
    const struct row row = {DICOMNET_LOG_ASSOCIATION_LOST, "", {LOG_TEXT("text", "connection lost")}};
    struct event_record record = record_of(&row);
    console_line_render(&text, &record);
    cr_expect_str_eq(text.data, "10:15:30 warning: connection lost");
    record.log.level = DICOMNET_LOG_ERROR;
    text_clear(&text);
    console_line_render(&text, &record);
    cr_expect_str_eq(text.data, "10:15:30 error: connection lost");
    record.log.level = DICOMNET_LOG_INFO;
    text_clear(&text);
    console_line_render(&text, &record);
    cr_expect_str_eq(text.data, "10:15:30 connection lost");
    text_fini(&text);
}

Test(console_line, causes)
{
    struct row row = {EVENT_RECEIVER_REFUSED,
                      "",
                      {LOG_TEXT("instance", "1.2.3"), LOG_NUMBER("status", 0xA700), LOG_TEXT("text", "disk full")}};
    struct row other = row;
    struct event_record record = record_of(&row), another = record_of(&other);
    other.fields[0].text = "1.2.4";
    other.fields[2].text = "disk 2 full";
    row.fields[2].text = "disk 1 full";
    cr_expect_eq(console_line_cause(&record), console_line_cause(&another), "another instance and another number");
    other.fields[1].number = 0xA701;
    cr_expect_neq(console_line_cause(&record), console_line_cause(&another), "another status");
    other.fields[1].number = 0xA700;
    other.fields[2].text = "disk gone";
    cr_expect_neq(console_line_cause(&record), console_line_cause(&another), "another text");
    other.fields[2].text = row.fields[2].text;
    another.log.event = EVENT_RECEIVER_STORED;
    cr_expect_neq(console_line_cause(&record), console_line_cause(&another), "another event");
}
