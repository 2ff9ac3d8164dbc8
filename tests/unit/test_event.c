/* Tests of instance/event.h: the programs' records and the names of their events beside the library's. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "instance/event.h"

Test(event, copy_owns_its_texts)
{
    char study[] = "1.2.3", text[] = "some text";
    const struct dicomnet_log_field fields[] = {LOG_TEXT("path", text), LOG_NUMBER("size", -7), LOG_TEXT("empty", "")};
    const struct event_record record = {.log = {.level = DICOMNET_LOG_WARN,
                                                .event = EVENT_STORE_FAILED,
                                                .time_us = 42,
                                                .field_count = 3,
                                                .fields = fields},
                                        .worker = 3,
                                        .association = 9,
                                        .study = study};
    struct event_record *copy = event_record_copy(&record);
    memset(study, 'x', sizeof study);
    memset(text, 'x', sizeof text);
    cr_assert_eq(copy->log.level, DICOMNET_LOG_WARN);
    cr_assert_eq(copy->log.event, EVENT_STORE_FAILED);
    cr_assert_eq(copy->log.time_us, 42);
    cr_assert_eq(copy->worker, 3);
    cr_assert_eq(copy->association, 9);
    cr_assert_str_eq(copy->study, "1.2.3");
    cr_assert_eq(copy->log.field_count, 3);
    cr_assert_str_eq(copy->log.fields[0].key, "path");
    cr_assert_str_eq(copy->log.fields[0].text, "some text");
    cr_assert_null(copy->log.fields[1].text);
    cr_assert_eq(copy->log.fields[1].number, -7);
    cr_assert_str_eq(copy->log.fields[2].text, "");
    free(copy);

    copy = event_record_copy(&(struct event_record){.log.event = EVENT_SESSION_NOTE});
    cr_assert(copy->study == NULL && copy->log.field_count == 0);
    free(copy);
}

/* Nobody who reads a log may take one event for another: no name stands twice, in either list or in both. */
Test(event, names_are_unlike)
{
    cr_assert_str_eq(event_name(EVENT_STORE_STORED), "store.stored");
    cr_assert_str_eq(event_name(DICOMNET_LOG_DIMSE_SENT), "dimse.sent");
    cr_assert_str_eq(event_name(EVENT_BEFORE_FIRST), "unknown");
    cr_assert_str_eq(event_name(EVENT_END), "unknown");
    for (int event = DICOMNET_LOG_EVENT_OWN; event < EVENT_END; event++) {
        for (int other = DICOMNET_LOG_EVENT_OWN; other < event; other++)
            cr_assert_str_neq(event_name(event), event_name(other));
        for (int other = 0; other < DICOMNET_LOG_EVENT_COUNT; other++)
            cr_assert_str_neq(event_name(event), event_name(other));
    }
}
