/* arrivals - see arrivals.h. */
#include "fetch/arrivals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/part10_writer.h"
#include "instance/status_rule.h"
#include "serve/allowed.h"

/* A request is broken off once the instances that nobody asked for are this many more than those it asked for. */
enum { STRAYS_MAX = 1000 };

/* Bytes of an instance for which there is no room, after which the association is aborted. */
enum { DROPPED_MAX = 64 * 1024 * 1024 };

void arrivals_init(struct arrivals *arrivals, struct run *run, struct inventory *inventory, struct asking *asking,
                   void (*break_off)(void *user, int error), void *user)
{
    *arrivals = (struct arrivals){
        .run = run, .inventory = inventory, .asking = asking, .break_off = break_off, .break_off_user = user};
}

/* ---- what is there already ---- */

/*
 * Another instance, whole, under this name: it gets its own name, if that is free. It may be the only copy that there
 * is.
 */
static bool give_own_name(struct arrivals *arrivals, const char *path)
{
    char *own = NULL, name[PART10_NAME_SIZE], uid[DICOMNET_UID_SIZE];
    bool moved = false;
    if (!arrival_find_uid(arrivals->check, path, uid))
        return false;
    part10_file_name(uid, name);
    if (asprintf(&own, "%s/%s", arrivals->run->options->output_dir, name) >= 0)
        moved = renameat2(AT_FDCWD, path, AT_FDCWD, own, RENAME_NOREPLACE) == 0;
    free(own);
    return moved;
}

enum inventory_state arrivals_look_for(struct arrivals *arrivals, const char *uid, const char *class_uid,
                                       bool *ret_spoiled)
{
    char name[PART10_NAME_SIZE], *path = NULL;
    *ret_spoiled = false;
    if (arrivals->receiver == NULL || !receiver_has(arrivals->receiver, uid))
        return INSTANCE_WANTED;
    part10_file_name(uid, name);
    if (asprintf(&path, "%s/%s", arrivals->run->options->output_dir, name) < 0)
        return INSTANCE_WANTED;
    enum outcome_reason reason =
        arrival_check_file(arrivals->check, path, class_uid[0] != '\0' ? class_uid : NULL, uid, NULL);
    if (reason != REASON_NONE) {
        bool moved = reason == REASON_UID_CONFLICT && give_own_name(arrivals, path);
        *ret_spoiled = reason != REASON_UNREADABLE && reason != REASON_OUT_OF_MEMORY;
        LOG(&arrivals->run->logger, DICOMNET_LOG_WARN, EVENT_RETRIEVAL_SPOILED, LOG_TEXT("instance", uid),
            LOG_TEXT("path", path), LOG_TEXT("reason", outcome_reason_name(reason)),
            LOG_TEXT("text", moved ? "it has got the name of the instance that it is" : ""));
    }
    free(path);
    return reason == REASON_NONE ? INSTANCE_PRESENT : INSTANCE_WANTED;
}

/* What lies under its name was found not to be it. */
static bool on_replaces(void *user, const char *instance_uid)
{
    const struct arrivals *arrivals = user;
    const struct inventory_instance *instance = inventory_find_instance(arrivals->inventory, instance_uid);
    return instance != NULL && instance->spoiled && instance->state == INSTANCE_WANTED;
}

/* ---- what comes ---- */

/*
 * Only what is on the list is wanted, or may be of an open part that is being asked for, and not before it has been
 * asked for. What a stranger sends does not get a file here.
 */
static uint16_t on_asked(void *user, struct receiver_visit *visit, const struct dicomnet_dimse_command *request,
                         char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct arrivals *arrivals = user;
    struct asking *asking = arrivals->asking;
    bool asked = asking->round > 0;
    bool may_be = asking->part != NULL && asking->part->open; /* of a part that nobody could list */
    const struct inventory_instance *instance = inventory_find_instance(arrivals->inventory, request->instance_uid);
    bool is_new = instance != NULL ? instance->state == INSTANCE_WANTED : may_be;
    visit->note = asked && is_new ? arrivals : NULL; /* its bytes are something new */
    if (asked && (instance != NULL || may_be))
        return DICOMNET_STATUS_SUCCESS;
    arrivals->inventory->counts.unlisted++;
    LOG(&arrivals->run->logger, DICOMNET_LOG_WARN, EVENT_RETRIEVAL_UNLISTED,
        LOG_TEXT("instance", request->instance_uid), LOG_TEXT("peer", dicomnet_association_peer(visit->association)),
        LOG_TEXT("calling_ae", dicomnet_association_calling_ae(visit->association)));
    if (++asking->strays > STRAYS_MAX + asking->wanted)
        arrivals->break_off(arrivals->break_off_user, DICOMNET_ERROR_UNASKED);
    snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "nobody asked for this instance");
    return DICOMNET_STATUS_NOT_AUTHORISED;
}

/* An instance that goes on for so long without room may have no end. */
static void stop_without_room(struct arrivals *arrivals)
{
    char text[RETRIEVAL_TEXT_SIZE];
    if (run_is_over(arrivals->run))
        return;
    snprintf(text, sizeof text, "there is no room in %.200s for what comes, or it has no end",
             arrivals->run->options->output_dir);
    run_give_up(arrivals->run, text);
    arrivals->break_off(arrivals->break_off_user, -ENOSPC);
}

static void on_bytes(void *user, struct receiver_visit *visit, struct dicomnet_span bytes)
{
    struct arrivals *arrivals = user;
    (void)bytes;
    run_heard(arrivals->run);
    if (visit->dropped > DROPPED_MAX)
        stop_without_room(arrivals);
    else if (visit->dropped == 0 && visit->note != NULL)
        run_moved(arrivals->run);
}

/* An instance that was not listed, of a part that could not be listed: it is taken, up to max_matches. */
static void take_unlisted(struct arrivals *arrivals, struct inventory_part *part, const char *uid,
                          const char *class_uid)
{
    uint64_t max = arrivals->run->options->max_matches;
    if (max > 0 && ++arrivals->inventory->taken > max) {
        run_give_up(arrivals->run, "the peer sends more instances than --max-matches allows");
        arrivals->break_off(arrivals->break_off_user, DICOMNET_ERROR_ABORTED_LOCALLY);
    }
    if (inventory_add_instance(arrivals->inventory, part, uid, class_uid, INSTANCE_STORED) == NULL)
        run_give_up(arrivals->run, dicomnet_error_text(-ENOMEM));
    inventory_settle(arrivals->inventory, part);
    run_moved(arrivals->run);
}

/* An instance that came before, for another open part, comes again: it counts for the part it comes for now. */
static void count_for(struct arrivals *arrivals, struct inventory_instance *instance, struct inventory_part *part)
{
    if (instance->part->target != part->target && instance->part->open && part->open)
        inventory_move(arrivals->inventory, instance, part);
}

static int on_answered(void *user, struct receiver_visit *visit, const struct receiver_answer *answer)
{
    struct arrivals *arrivals = user;
    struct retrieval_counts *counts = &arrivals->inventory->counts;
    const struct dicomnet_dimse_command *response = answer->response;
    struct inventory_instance *instance = inventory_find_instance(arrivals->inventory, response->instance_uid);
    struct inventory_part *part = arrivals->asking->part;
    (void)visit;
    run_heard(arrivals->run);
    if (response->status == DICOMNET_STATUS_NOT_AUTHORISED)
        return 0; /* refused as nobody asked for it: counted in on_asked */
    if (status_rule_judge_status(response->status).state == OUTCOME_FAILED) {
        counts->refused++;
        if (instance != NULL && instance->state == INSTANCE_WANTED)
            inventory_note(instance, response->status, response->error_comment);
        return 0;
    }
    counts->bytes += answer->bytes;
    if (instance != NULL && instance->state == INSTANCE_WANTED) {
        inventory_set_state(arrivals->inventory, instance, INSTANCE_STORED);
        run_moved(arrivals->run);
    } else if (instance != NULL && part != NULL) {
        count_for(arrivals, instance, part);
    } else if (instance == NULL && part != NULL) {
        take_unlisted(arrivals, part, response->instance_uid, response->class_uid);
    }
    LOG(&arrivals->run->logger, DICOMNET_LOG_INFO, EVENT_RETRIEVAL_STORED, LOG_TEXT("instance", response->instance_uid),
        LOG_NUMBER("bytes", answer->bytes));
    return 0;
}

/* ---- where it comes to ---- */

static int read_allowed(struct arrivals *arrivals, char *ret_problem, size_t size)
{
    const struct retrieval_options *options = arrivals->run->options;
    const char *wrong;
    if (options->allow_from_count == 0)
        return 0;
    int error =
        allowed_create(&arrivals->allowed, ALLOWED_AE_OR_HOST, options->allow_from, options->allow_from_count, &wrong);
    if (wrong != NULL)
        snprintf(ret_problem, size,
                 "--allow-from: '%.200s' is no AE title, and no address or name of a host that can be found", wrong);
    return error;
}

static int open_receiver(struct arrivals *arrivals, struct uv_loop_s *loop, char *ret_problem, size_t size)
{
    static const struct receiver_observer observer = {
        .store_asked = on_asked, .store_replaces = on_replaces, .store_bytes = on_bytes, .store_answered = on_answered};
    const struct retrieval_options *options = arrivals->run->options;
    struct receiver_options receiver = {.acceptor = {.size = sizeof(struct dicomnet_acceptor_options),
                                                     .bind_address = options->get ? NULL : options->receive_address,
                                                     .port = options->receive_port,
                                                     .association = {.check_called_ae = true,
                                                                     .tls = options->receive_tls,
                                                                     .max_pdu_len = options->association.max_pdu_len,
                                                                     .timeouts = options->association.timeouts,
                                                                     .logger = &arrivals->run->logger}},
                                        .output_dir = options->output_dir,
                                        .sync = options->sync,
                                        .mode = options->mode,
                                        .check = true,
                                        .keep_free = true,
                                        .logger = &arrivals->run->logger,
                                        .observer = &observer,
                                        .observer_user = arrivals};
    if (arrivals->allowed != NULL) {
        receiver.acceptor.association.welcome = allowed_welcome;
        receiver.acceptor.association.welcomer = arrivals->allowed;
    }
    strcpy(receiver.acceptor.association.ae, options->receive_ae);
    return receiver_open(&arrivals->receiver, loop, &receiver, ret_problem, size);
}

int arrivals_open(struct arrivals *arrivals, struct uv_loop_s *loop, char *ret_problem, size_t size)
{
    const struct retrieval_options *options = arrivals->run->options;
    if (!run_comes_here(arrivals->run))
        return 0;
    arrivals->check = arrival_check_create(NULL);
    int error = arrivals->check != NULL ? read_allowed(arrivals, ret_problem, size) : -ENOMEM;
    if (error == 0)
        error = open_receiver(arrivals, loop, ret_problem, size);
    if (error != 0 || options->get)
        return error;
    arrivals->port = receiver_port(arrivals->receiver);
    LOG(&arrivals->run->logger, DICOMNET_LOG_INFO, EVENT_RECEIVER_LISTENING,
        LOG_TEXT("address", options->receive_address), LOG_NUMBER("port", arrivals->port),
        LOG_TEXT("ae", options->receive_ae));
    return 0;
}

int arrivals_enter(struct arrivals *arrivals, struct dicomnet_query_user_options *user)
{
    int error = receiver_enter(arrivals->receiver, &user->sink, &arrivals->guest);
    user->sink_context = arrivals->guest;
    return error;
}

void arrivals_leave(struct arrivals *arrivals)
{
    if (arrivals->guest != NULL)
        receiver_leave(arrivals->receiver, arrivals->guest);
    arrivals->guest = NULL;
}

bool arrivals_close(struct arrivals *arrivals, void (*closed)(void *user), void *user)
{
    struct receiver *receiver = arrivals->receiver;
    arrivals->receiver = NULL;
    if (receiver != NULL)
        receiver_close(receiver, closed, user);
    return receiver != NULL;
}

void arrivals_fini(struct arrivals *arrivals)
{
    allowed_destroy(arrivals->allowed);
    arrival_check_destroy(arrivals->check);
}
