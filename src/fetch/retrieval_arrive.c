/*
 * retrieval_arrive - what comes, from a C-MOVE or on the association of a C-GET, and what was there before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fetch/retrieval_private.h"
#include "files/part10_writer.h"
#include "instance/status_rule.h"
#include "serve/allowed.h"

/* Arrivals of one request that nobody asked for: so many more than there are instances, and it is not gone on with. */
enum { STRAYS_MAX = 1000 };

/* Bytes of an instance for which there is no room: from then on the peer is not listened to any more. */
enum { DROPPED_MAX = 64 * 1024 * 1024 };

/* ---- what is there already ---- */

/*
 * Another instance, whole, under this name: it gets its own name, if that is free. It may be the only copy that there
 * is.
 */
static bool give_own_name(struct retrieval *retrieval, const char *path)
{
    char *own = NULL, name[PART10_NAME_SIZE], uid[DICOMNET_UID_SIZE];
    bool moved = false;
    if (!arrival_find_uid(retrieval->check, path, uid))
        return false;
    part10_file_name(uid, name);
    if (asprintf(&own, "%s/%s", retrieval->options->output_dir, name) >= 0)
        moved = renameat2(AT_FDCWD, path, AT_FDCWD, own, RENAME_NOREPLACE) == 0;
    free(own);
    return moved;
}

enum retrieval_state retrieval_look_for(struct retrieval *retrieval, const char *uid, const char *class_uid,
                                        bool *ret_spoiled)
{
    char name[PART10_NAME_SIZE], *path = NULL;
    *ret_spoiled = false;
    if (retrieval->receiver == NULL || !receiver_has(retrieval->receiver, uid))
        return INSTANCE_WANTED;
    part10_file_name(uid, name);
    if (asprintf(&path, "%s/%s", retrieval->options->output_dir, name) < 0)
        return INSTANCE_WANTED;
    enum outcome_reason reason =
        arrival_check_file(retrieval->check, path, class_uid[0] != '\0' ? class_uid : NULL, uid);
    if (reason != REASON_NONE) {
        bool moved = reason == REASON_UID_CONFLICT && give_own_name(retrieval, path);
        *ret_spoiled = reason != REASON_UNREADABLE && reason != REASON_OUT_OF_MEMORY;
        LOG(&retrieval->logger, DICOMNET_LOG_WARN, EVENT_RETRIEVAL_SPOILED, LOG_TEXT("instance", uid),
            LOG_TEXT("path", path), LOG_TEXT("reason", outcome_reason_name(reason)),
            LOG_TEXT("text", moved ? "it has got the name of the instance that it is" : ""));
    }
    free(path);
    return reason == REASON_NONE ? INSTANCE_PRESENT : INSTANCE_WANTED;
}

bool retrieval_ask_replaces(void *user, const char *instance_uid)
{
    const struct retrieval_instance *instance = retrieval_instance_find(user, instance_uid);
    return instance != NULL && instance->spoiled && instance->state == INSTANCE_WANTED;
}

/* ---- what comes ---- */

/* What does not come to an end is not waited for. */
static void break_off(struct retrieval *retrieval, int error)
{
    if (retrieval->under_way && retrieval->phase == RETRIEVAL_ASKING)
        dicomnet_query_user_abort(retrieval->user, error);
}

uint16_t retrieval_ask_wants(void *user, struct receiver_visit *visit, const struct dicomnet_dimse_command *request,
                             char ret_comment[65])
{
    struct retrieval *retrieval = user;
    struct retrieval_ask *ask = &retrieval->ask;
    bool asking = retrieval->phase == RETRIEVAL_ASKING || retrieval->phase == RETRIEVAL_WAITING;
    bool may_be = ask->part != NULL && ask->part->open; /* of a part that nobody could list */
    const struct retrieval_instance *instance = retrieval_instance_find(retrieval, request->instance_uid);
    bool is_new = instance != NULL ? instance->state == INSTANCE_WANTED : may_be;
    visit->note = asking && is_new ? retrieval : NULL; /* its bytes are something new */
    if (asking && (instance != NULL || may_be))
        return DICOMNET_STATUS_SUCCESS;
    retrieval->result.counts.unlisted++;
    LOG(&retrieval->logger, DICOMNET_LOG_WARN, EVENT_RETRIEVAL_UNLISTED, LOG_TEXT("instance", request->instance_uid),
        LOG_TEXT("peer", dicomnet_association_peer(visit->association)),
        LOG_TEXT("calling_ae", dicomnet_association_calling_ae(visit->association)));
    if (++ask->strays > STRAYS_MAX + ask->wanted)
        break_off(retrieval, DICOMNET_ERROR_UNASKED);
    snprintf(ret_comment, 65, "nobody asked for this instance");
    return DICOMNET_STATUS_NOT_AUTHORISED;
}

/* An instance for which there is no room may have no end. */
static void stop_without_room(struct retrieval *retrieval)
{
    char text[400];
    if (retrieval->result.verdict != RETRIEVAL_COMPLETE)
        return;
    snprintf(text, sizeof text, "there is no room in %.200s for what comes, or it has no end",
             retrieval->options->output_dir);
    retrieval_stop(retrieval, text);
    break_off(retrieval, -ENOSPC);
}

void retrieval_ask_bytes(void *user, struct receiver_visit *visit, struct dicomnet_span bytes)
{
    struct retrieval *retrieval = user;
    (void)bytes;
    retrieval->heard_us = clock_monotonic_us();
    if (visit->dropped > DROPPED_MAX)
        stop_without_room(retrieval);
    else if (visit->dropped == 0 && visit->note != NULL)
        retrieval_moved(retrieval);
}

/* It was not listed, but it is of a part that could not be listed. */
static void take_unlisted(struct retrieval *retrieval, struct retrieval_part *part, const char *uid,
                          const char *class_uid)
{
    uint64_t max = retrieval->options->max_matches;
    if (max > 0 && ++retrieval->list.match_total > max) {
        retrieval_stop(retrieval, "the peer sends more instances than --max-matches allows");
        break_off(retrieval, DICOMNET_ERROR_ABORTED_LOCALLY);
    }
    if (retrieval_instance_add(retrieval, part, uid, class_uid, INSTANCE_STORED) == NULL)
        retrieval_stop(retrieval, dicomnet_error_text(-ENOMEM));
    retrieval_part_settle(retrieval, part);
    retrieval_moved(retrieval);
}

/* It came before with another part, and belongs to this one too, or rather. */
static void count_for(struct retrieval *retrieval, struct retrieval_instance *instance, struct retrieval_part *part)
{
    struct retrieval_part *before = instance->part;
    bool elsewhere = before->target != part->target && before->open && part->open;
    if (!elsewhere)
        return;
    before->known--;
    part->known++;
    instance->part = part;
    retrieval_part_settle(retrieval, before);
    retrieval_part_settle(retrieval, part);
}

int retrieval_ask_arrived(void *user, struct receiver_visit *visit, const struct receiver_answer *answer)
{
    struct retrieval *retrieval = user;
    struct retrieval_counts *counts = &retrieval->result.counts;
    const struct dicomnet_dimse_command *response = answer->response;
    struct retrieval_instance *instance = retrieval_instance_find(retrieval, response->instance_uid);
    struct retrieval_part *part = retrieval->ask.part;
    (void)visit;
    retrieval->heard_us = clock_monotonic_us();
    if (response->status == DICOMNET_STATUS_NOT_AUTHORISED)
        return 0; /* retrieval_ask_wants has counted it */
    if (policy_judge_status(response->status).state == OUTCOME_FAILED) {
        counts->refused++;
        if (instance != NULL && instance->state == INSTANCE_WANTED)
            retrieval_instance_note(instance, response->status, response->error_comment);
        return 0;
    }
    counts->bytes += answer->bytes;
    if (instance != NULL && instance->state == INSTANCE_WANTED) {
        retrieval_instance_set_state(retrieval, instance, INSTANCE_STORED);
        retrieval_moved(retrieval);
    } else if (instance != NULL && part != NULL) {
        count_for(retrieval, instance, part);
    } else if (instance == NULL && part != NULL) {
        take_unlisted(retrieval, part, response->instance_uid, response->class_uid);
    }
    LOG(&retrieval->logger, DICOMNET_LOG_INFO, EVENT_RETRIEVAL_STORED, LOG_TEXT("instance", response->instance_uid),
        LOG_NUMBER("bytes", answer->bytes));
    return 0;
}

/* ---- where it comes to ---- */

static int read_allowed(struct retrieval *retrieval)
{
    const struct retrieval_options *options = retrieval->options;
    const char *wrong;
    if (options->allow_from_count == 0)
        return 0;
    int error =
        allowed_create(&retrieval->allowed, &retrieval->loop, options->allow_from, options->allow_from_count, &wrong);
    if (wrong != NULL)
        snprintf(retrieval->result.stop_text, sizeof retrieval->result.stop_text,
                 "--allow-from: '%.200s' is no AE title, and no address or name of a host that can be found", wrong);
    return error;
}

int retrieval_open_receiver(struct retrieval *retrieval)
{
    static const struct receiver_observer observer = {.store_asked = retrieval_ask_wants,
                                                      .store_replaces = retrieval_ask_replaces,
                                                      .store_bytes = retrieval_ask_bytes,
                                                      .store_answered = retrieval_ask_arrived};
    const struct retrieval_options *options = retrieval->options;
    struct receiver_options receiver = {.acceptor = {.bind_address = options->get ? NULL : options->receive_address,
                                                     .port = options->receive_port,
                                                     .association = {.check_called_ae = true,
                                                                     .max_pdu_len = options->max_pdu_len,
                                                                     .timeouts = options->timeouts,
                                                                     .logger = &retrieval->logger}},
                                        .output_dir = options->output_dir,
                                        .sync = options->sync,
                                        .mode = options->mode,
                                        .check = true,
                                        .keep_free = true,
                                        .logger = &retrieval->logger,
                                        .observer = &observer,
                                        .observer_user = retrieval};
    if (options->output_dir == NULL)
        return 0;
    strcpy(receiver.acceptor.association.ae, options->receive_ae);
    int error = read_allowed(retrieval);
    receiver.allowed = retrieval->allowed;
    if (error == 0)
        error = receiver_open(&retrieval->receiver, &retrieval->loop, &receiver, retrieval->result.stop_text,
                              sizeof retrieval->result.stop_text);
    if (error != 0 || options->get)
        return error;
    retrieval->result.receive_port = receiver_port(retrieval->receiver);
    LOG(&retrieval->logger, DICOMNET_LOG_INFO, EVENT_RECEIVER_LISTENING, LOG_TEXT("address", options->receive_address),
        LOG_NUMBER("port", retrieval->result.receive_port), LOG_TEXT("ae", options->receive_ae));
    return 0;
}
