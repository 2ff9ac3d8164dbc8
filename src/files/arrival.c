/* arrival - see files/arrival.h. */
#include "files/arrival.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/span.h"
#include "dicomnet/status.h"
#include "files/scan.h"
#include "instance/instance.h"

enum { TAG_CLASS = 0x00080016, TAG_INSTANCE = 0x00080018, TEXT_SIZE = 512 };

struct arrival_check {
    struct arrival_options options;
    struct scanner *scanner;
    const char *class_uid, *instance_uid; /* what the C-STORE said; of the call under way */
    enum agreement { NOT_SEEN, AGREES, DIFFERS } class_uid_is, instance_uid_is;
};

static bool is_wanted(const struct arrival_check *check, uint32_t tag)
{
    return check->options.wants != NULL && check->options.wants(check->options.context, tag);
}

static bool wants(void *context, uint32_t tag)
{
    return tag == TAG_CLASS || tag == TAG_INSTANCE || is_wanted(context, tag);
}

/* A value goes on behind its first NUL only with padding, or it is another UID. */
static enum agreement compare(struct dicomnet_span value, const char *uid)
{
    char text[TEXT_SIZE];
    while (value.len > 0 && (value.data[value.len - 1] == '\0' || value.data[value.len - 1] == ' '))
        value.len--;
    bool whole = value.len == 0 || memchr(value.data, '\0', value.len) == NULL;
    return whole && dicomnet_span_copy_trimmed(value, text, sizeof text) && strcmp(text, uid) == 0 ? AGREES : DIFFERS;
}

static void found(void *context, uint32_t tag, struct dicomnet_span value, bool big_endian)
{
    struct arrival_check *check = (struct arrival_check *)context;
    if (tag == TAG_CLASS)
        check->class_uid_is = check->class_uid == NULL ? AGREES : compare(value, check->class_uid);
    else if (tag == TAG_INSTANCE)
        check->instance_uid_is = check->instance_uid == NULL ? AGREES : compare(value, check->instance_uid);
    if (is_wanted(check, tag))
        check->options.found(check->options.context, tag, value, big_endian);
}

struct arrival_check *arrival_check_create(const struct arrival_options *options)
{
    struct arrival_check *check = (struct arrival_check *)calloc(1, sizeof *check);
    if (check == NULL)
        return NULL;
    if (options != NULL)
        check->options = *options;
    /* A study UID that is missing is the peer's way to have it: what was asked for is kept all the same. */
    struct scan_options scan = {
        .allow_incomplete = !check->options.strict, .wants = wants, .found = found, .context = check};
    check->scanner = scanner_create(&scan);
    if (check->scanner == NULL) {
        free(check);
        return NULL;
    }
    return check;
}

void arrival_check_destroy(struct arrival_check *check)
{
    if (check == NULL)
        return;
    scanner_destroy(check->scanner);
    free(check);
}

/* A data set that was not walked shows no element: then it is what the scanner took it for. */
static bool says(enum agreement agreement, const char *scanned, const char *uid)
{
    return agreement == AGREES || (agreement == NOT_SEEN && (uid == NULL || strcmp(scanned, uid) == 0));
}

/* Why what was read may not be kept. */
static enum outcome_reason judge(const struct arrival_check *check, const struct instance *instance)
{
    enum outcome_reason reason = instance->outcome.state == OUTCOME_PENDING ? REASON_NONE : instance->outcome.reason;
    bool agrees = says(check->class_uid_is, instance->file.class_uid, check->class_uid) &&
                  says(check->instance_uid_is, instance->file.instance_uid, check->instance_uid);
    if (reason == REASON_BAD_UID && !check->options.strict)
        reason = REASON_NONE;
    return reason == REASON_NONE && !agrees ? REASON_UID_CONFLICT : reason;
}

enum outcome_reason arrival_check_file(struct arrival_check *check, const char *path, const char *class_uid,
                                       const char *instance_uid, struct instance **ret_instance)
{
    check->class_uid = class_uid;
    check->instance_uid = instance_uid;
    check->class_uid_is = check->instance_uid_is = NOT_SEEN;
    struct instance *instance = scanner_read(check->scanner, path);
    enum outcome_reason reason = instance != NULL ? judge(check, instance) : REASON_OUT_OF_MEMORY;
    if (ret_instance != NULL)
        *ret_instance = instance;
    else if (instance != NULL)
        instance_destroy(instance);
    return reason;
}

bool arrival_find_uid(struct arrival_check *check, const char *path, char ret_uid[DICOMNET_UID_SIZE])
{
    check->class_uid = check->instance_uid = NULL;
    struct instance *instance = scanner_read(check->scanner, path);
    bool whole = instance != NULL && instance->outcome.state == OUTCOME_PENDING;
    if (whole)
        snprintf(ret_uid, DICOMNET_UID_SIZE, "%s", instance->file.instance_uid);
    if (instance != NULL)
        instance_destroy(instance);
    return whole;
}

uint16_t arrival_status(enum outcome_reason reason, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    switch (reason) {
    case REASON_NONE:
        ret_comment[0] = '\0';
        return DICOMNET_STATUS_SUCCESS;
    case REASON_OUT_OF_MEMORY:
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%s", "no memory to look at it");
        return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    case REASON_UID_CONFLICT:
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%s", "the data set's UIDs are not those of the request");
        return DICOMNET_STATUS_DATA_SET_MISMATCH;
    default:
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%.64s", outcome_reason_text(reason));
        return DICOMNET_STATUS_CANNOT_UNDERSTAND;
    }
}
