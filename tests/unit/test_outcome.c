/* What outcomes are called, and what is told of them. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/error.h"
#include "instance/instance.h"

Test(outcome, names)
{
    cr_expect_str_eq(outcome_state_name(OUTCOME_IN_DOUBT), "in_doubt");
    cr_expect_str_eq(outcome_state_name(OUTCOME_SKIPPED), "skipped");
    cr_expect_str_eq(outcome_reason_name(REASON_NONE), "none");
    cr_expect_str_eq(outcome_reason_name(REASON_OUT_OF_MEMORY), "out-of-memory");
    for (int i = 1; i < REASON_COUNT; i++) {
        cr_expect_neq(outcome_reason_text((enum outcome_reason)i)[0], '\0');
        cr_expect_neq(outcome_reason_name((enum outcome_reason)i)[0], '\0');
    }
}

Test(outcome, the_fact_behind_it)
{
    char text[INSTANCE_TEXT_SIZE], path[4096];
    struct instance *instance = instance_create(&(struct file_facts){.path = "a"});
    instance->outcome = (struct outcome){.state = OUTCOME_SKIPPED, .reason = REASON_DUPLICATE};
    instance_describe(instance, text, sizeof text);
    cr_expect_str_eq(text, "the same instance, byte for byte, as another file");
    instance_note(instance, "as %s", "b");
    instance_note(instance, "as %s", "c");
    instance_describe(instance, text, sizeof text);
    cr_expect_str_eq(text, "the same instance, byte for byte, as another file: as c");
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    instance_note(instance, "%s", path);
    cr_expect_eq(strlen(instance->fact), INSTANCE_FACT_SIZE - 1);
    cr_expect_str_eq(instance->fact + INSTANCE_FACT_SIZE - 5, "x...");
    for (size_t size = 1; size < 70; size++) {
        memset(text, 'y', sizeof text);
        instance_describe(instance, text, size);
        cr_expect_lt(strnlen(text, sizeof text), size);
    }
    instance_destroy(instance);
    instance_destroy(NULL);
}

Test(outcome, describe)
{
    char text[256];
    struct outcome outcome = {.state = OUTCOME_FAILED,
                              .reason = REASON_STATUS,
                              .has_status = true,
                              .status = 0xa700,
                              .comment = "disk\x1b[31m full"};
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_str_eq(text, "the peer did not answer with success: A700 (out of resources), 'disk?[31m full'");
    for (size_t size = 1; size < 90; size++) {
        memset(text, 'x', sizeof text);
        outcome_describe(&outcome, text, size);
        cr_expect_lt(strnlen(text, sizeof text), size);
    }
    outcome = (struct outcome){.state = OUTCOME_FAILED, .reason = REASON_UNREADABLE, .error = -EACCES};
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_str_eq(text, "the system cannot read it: Permission denied");
    outcome = (struct outcome){.state = OUTCOME_FAILED, .reason = REASON_MISSING, .error = -ENOENT};
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_str_eq(text, "no such file or folder");
    outcome = (struct outcome){.state = OUTCOME_FAILED, .reason = REASON_OUT_OF_MEMORY, .error = -ENOMEM};
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_str_eq(text, "no memory for it");
    outcome = (struct outcome){
        .state = OUTCOME_FAILED, .reason = REASON_UNDECODABLE, .error = DICOMNET_ERROR_SOURCE_UNDECODABLE};
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_str_eq(text, "it cannot be converted to a transfer syntax that the peer takes");
    outcome = (struct outcome){.state = OUTCOME_FAILED, .reason = REASON_TRUNCATED, .offset = 1410};
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_str_eq(text, "the file ends inside an element: at byte 1410");
    outcome = (struct outcome){.state = OUTCOME_WARNED, .reason = REASON_STATUS, .has_status = true, .status = 0xb007};
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_str_eq(text, "the peer did not answer with success: B007 (data set does not match SOP class)");
    outcome =
        (struct outcome){.state = OUTCOME_FAILED, .reason = REASON_UNSUPPORTED, .has_status = true, .status = 0x0122};
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_str_eq(text, "the peer does not take its class in its transfer syntax: 0122 (SOP class not supported)");
    outcome = (struct outcome){.state = OUTCOME_STORED, .has_status = true};
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_str_eq(text, "");
    outcome = (struct outcome){.state = OUTCOME_SKIPPED};
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_neq(text[0], '\0');
}

Test(outcome, detail_comes_last)
{
    const struct outcome outcome = {
        .state = OUTCOME_FAILED, .reason = REASON_TRUNCATED, .offset = 12, .detail = "what exactly"};
    char text[100];
    outcome_describe(&outcome, text, sizeof text);
    cr_expect_str_eq(text, "the file ends inside an element: at byte 12: what exactly");
}

Test(outcome, flaws)
{
    static const struct {
        struct outcome outcome;
        const char *text;
    } rows[] = {
        {{0}, ""},
        {{.leading_zero_uid = true}, "a UID has a component with a leading zero"},
        {{.bad_series_uid = true}, "the Series Instance UID is no UID"},
        {{.bad_study_uid = true}, "the Study Instance UID is no UID"},
        {{.unknown_vr = true, .zero_tail = true},
         "an element has a VR that does not exist; zeros follow the last element"},
        {{.meta_differs = true}, "the file meta information names other UIDs than the data set"},
        {{.leading_zero_uid = true, .bad_series_uid = true, .meta_differs = true},
         "a UID has a component with a leading zero; the Series Instance UID is no UID; the file meta information "
         "names "
         "other UIDs than the data set"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200] = "not written";
        outcome_describe_flaws(&rows[i].outcome, text, sizeof text);
        cr_expect_str_eq(text, rows[i].text);
        cr_expect_eq(outcome_has_flaws(&rows[i].outcome), i > 0);
    }
}

Test(outcome, names_are_found_again)
{
    for (int state = 0; state < OUTCOME_STATE_COUNT; state++)
        cr_expect_eq(outcome_state_find(outcome_state_name((enum outcome_state)state)), (enum outcome_state)state);
    for (int reason = 0; reason < REASON_COUNT; reason++)
        cr_expect_eq(outcome_reason_find(outcome_reason_name((enum outcome_reason)reason)),
                     (enum outcome_reason)reason);
    cr_expect_eq(outcome_state_find("lost"), OUTCOME_PENDING);
    cr_expect_eq(outcome_reason_find(""), REASON_NONE);
}
