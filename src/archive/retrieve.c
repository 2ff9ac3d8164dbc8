/* retrieve - what C-MOVE and C-GET have in common. See archive/archive_private.h, PS3.4 C.4.2 and C.4.3. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_private.h"
#include "archive/match.h"
#include "instance/status_rule.h"

enum { FAILED_UIDS_MAX = 64000 /* bytes of UIDs that a value of VR UI can hold, about */ };

/* ---- which instances ---- */

/* The unique keys of the identifier; the one of its level must be there. 0 or a negative error: -E2BIG. */
static int read_keys(struct retrieve *retrieve, const struct dicomnet_identifier *identifier,
                     enum dicomnet_query_level level)
{
    for (enum dicomnet_query_level of = DICOMNET_QUERY_LEVEL_PATIENT; of <= level; of++) {
        struct dicomnet_element element;
        if (!dicomnet_identifier_find(identifier, dicomnet_query_level_key(of), &element))
            continue;
        retrieve->key_texts[of] = attribute_read_key(identifier, &element, dicomnet_dictionary_vr(element.tag));
        if (retrieve->key_texts[of] == NULL)
            return -ENOMEM;
        if (match_count_values(dicomnet_dictionary_vr(element.tag), retrieve->key_texts[of]) > KEY_UIDS_MAX)
            return -E2BIG;
        retrieve->keys.values[of] = retrieve->key_texts[of];
    }
    return 0;
}

uint16_t retrieve_init(struct retrieve *retrieve, struct archive *archive, const struct dicomnet_query_request *request,
                       char ret_comment[DICOMNET_COMMENT_SIZE])
{
    int level = dicomnet_query_level_of(request->identifier);
    *retrieve = (struct retrieve){.archive = archive};
    if (level < 0 || (level == DICOMNET_QUERY_LEVEL_PATIENT && request->model == DICOMNET_QUERY_STUDY_ROOT) ||
        (level > DICOMNET_QUERY_LEVEL_STUDY && request->model == DICOMNET_QUERY_PATIENT_STUDY_ONLY)) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "no Query/Retrieve Level of this information model");
        return DICOMNET_STATUS_DATA_SET_MISMATCH;
    }
    int error = read_keys(retrieve, request->identifier, (enum dicomnet_query_level)level);
    const char *key = retrieve->keys.values[level];
    if (error == 0 && (key == NULL || key[0] == '\0')) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "the unique key of the level is missing");
        return DICOMNET_STATUS_DATA_SET_MISMATCH;
    }
    if (error == 0)
        error = index_count(archive->index, &retrieve->keys, &retrieve->total, &retrieve->series);
    if (error == -E2BIG) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "a key has more than %d values", KEY_UIDS_MAX);
        return DICOMNET_STATUS_UNABLE_TO_CALCULATE;
    }
    if (error != 0) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%.64s",
                 error == -EIO ? index_problem(archive->index) : dicomnet_error_text(error));
        return DICOMNET_STATUS_UNABLE_TO_CALCULATE;
    }
    archive->totals.retrieves++;
    return DICOMNET_STATUS_PENDING;
}

void retrieve_fini(struct retrieve *retrieve)
{
    for (size_t i = 0; i < 4; i++)
        free(retrieve->key_texts[i]);
    free(retrieve->failed_uids);
}

/* ---- how it goes ---- */

static uint16_t count_of(uint64_t number)
{
    return number < UINT16_MAX ? (uint16_t)number : UINT16_MAX;
}

struct dicomnet_query_counts retrieve_counts(const struct retrieve *retrieve)
{
    uint64_t ended = retrieve->completed + retrieve->failed + retrieve->warning;
    return (struct dicomnet_query_counts){.remaining = count_of(retrieve->total > ended ? retrieve->total - ended : 0),
                                          .completed = count_of(retrieve->completed),
                                          .failed = count_of(retrieve->failed),
                                          .warning = count_of(retrieve->warning)};
}

/* A UID for which the value has no room, or the process no memory, is left out of the list; the number of failures
 * includes it. */
static void list_failed(struct retrieve *retrieve, const char *instance_uid)
{
    size_t len = strlen(instance_uid);
    if (retrieve->failed_uids == NULL)
        retrieve->failed_uids = malloc(FAILED_UIDS_MAX);
    if (retrieve->failed_uids == NULL || retrieve->failed_len + len + 1 > FAILED_UIDS_MAX)
        return;
    if (retrieve->failed_len > 0)
        retrieve->failed_uids[retrieve->failed_len++] = '\\';
    memcpy(retrieve->failed_uids + retrieve->failed_len, instance_uid, len);
    retrieve->failed_len += len;
}

bool retrieve_count(struct retrieve *retrieve, const struct dicomnet_store *store, bool sound, const char *instance_uid)
{
    enum outcome_state state = OUTCOME_FAILED;
    if (store != NULL && store->answered && sound)
        state = status_rule_judge_status(store->status).state;
    if (state == OUTCOME_STORED) {
        retrieve->completed++;
    } else if (state == OUTCOME_WARNED) {
        retrieve->warning++;
    } else {
        retrieve->failed++;
        list_failed(retrieve, instance_uid);
    }
    retrieve->archive->totals.sent += state != OUTCOME_FAILED;
    return state != OUTCOME_FAILED;
}

void retrieve_fail_rest(struct retrieve *retrieve)
{
    uint64_t ended = retrieve->completed + retrieve->failed + retrieve->warning;
    retrieve->failed += retrieve->total > ended ? retrieve->total - ended : 0;
}

void retrieve_note(struct retrieve *retrieve, const char *comment)
{
    if (retrieve->comment[0] == '\0')
        snprintf(retrieve->comment, sizeof retrieve->comment, "%.64s", comment);
}

void retrieve_finish(struct retrieve *retrieve, struct dicomnet_query_request *request, bool cancelled)
{
    struct dicomnet_query_counts counts = retrieve_counts(retrieve);
    struct dicomnet_identifier failed;
    dicomnet_identifier_init(&failed);
    struct dicomnet_span uids = {.data = (const uint8_t *)retrieve->failed_uids, .len = retrieve->failed_len};
    bool listed = uids.len > 0 &&
                  dicomnet_identifier_set_bytes(&failed, DICOMNET_TAG_FAILED_SOP_INSTANCE_UID_LIST, "UI", uids) == 0;
    struct dicomnet_query_finish finish = {.counts = &counts,
                                           .failed = listed ? &failed : NULL,
                                           .comment = retrieve->failed > 0 ? retrieve->comment : NULL};
    uint16_t status = DICOMNET_STATUS_SUCCESS;
    if (cancelled)
        status = DICOMNET_STATUS_CANCEL;
    else if (retrieve->failed > 0 && retrieve->completed + retrieve->warning == 0)
        status = DICOMNET_STATUS_UNABLE_TO_PERFORM;
    else if (retrieve->failed + retrieve->warning > 0)
        status = DICOMNET_STATUS_SUB_OPERATIONS_WARNING;
    dicomnet_query_request_finish(request, status, &finish);
    dicomnet_identifier_fini(&failed);
}
