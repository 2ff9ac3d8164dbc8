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
    struct scanner *scanner;
    const char *class_uid, *instance_uid; /* what the C-STORE said; of the call under way */
    enum agreement { NOT_SEEN, AGREES, DIFFERS } class_uid_is, instance_uid_is;
};

static bool wants(void *context, uint32_t tag)
{
    (void)context;
    return tag == TAG_CLASS || tag == TAG_INSTANCE;
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
    (void)big_endian; /* texts have no byte order */
    if (tag == TAG_CLASS)
        check->class_uid_is = check->class_uid == NULL ? AGREES : compare(value, check->class_uid);
    else
        check->instance_uid_is = compare(value, check->instance_uid);
}

struct arrival_check *arrival_check_create(void)
{
    struct arrival_check *check = (struct arrival_check *)calloc(1, sizeof *check);
    if (check == NULL)
        return NULL;
    /* A study UID that is missing is the peer's way to have it: it was asked for, and is kept. */
    struct scan_options options = {.allow_incomplete = true, .wants = wants, .found = found, .context = check};
    check->scanner = scanner_create(&options);
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

enum outcome_reason arrival_check_file(struct arrival_check *check, const char *path, const char *class_uid,
                                       const char *instance_uid)
{
    check->class_uid = class_uid;
    check->instance_uid = instance_uid;
    check->class_uid_is = check->instance_uid_is = NOT_SEEN;
    struct instance *instance = scanner_read(check->scanner, path);
    if (instance == NULL)
        return REASON_OUT_OF_MEMORY;
    enum outcome_reason reason = instance->outcome.state == OUTCOME_PENDING ? REASON_NONE : instance->outcome.reason;
    bool agrees = says(check->class_uid_is, instance->file.class_uid, class_uid) &&
                  says(check->instance_uid_is, instance->file.instance_uid, instance_uid);
    instance_destroy(instance);
    if ((reason == REASON_NONE || reason == REASON_BAD_UID) && !agrees)
        return REASON_UID_CONFLICT;
    return reason == REASON_BAD_UID ? REASON_NONE : reason;
}

bool arrival_find_uid(struct arrival_check *check, const char *path, char ret_uid[DICOMNET_UID_SIZE])
{
    check->class_uid = NULL;
    check->instance_uid = "";
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
