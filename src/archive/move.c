/*
 * move - C-MOVE (PS3.4 C.4.2): the instances go to another AE, over one association or several, whole series each.
 * See archive/archive_private.h.
 *
 * A lane is one association to the destination. It takes the next series when it has sent its last one, and releases
 * when there is none. A lane that is lost opens again if anything was answered on it; else what it had left has failed.
 * The final answer goes out when all lanes are closed. A move outlives its request until then.
 *
 * Before the first lane opens, the contexts that it proposes are gathered from the series, and what no lane took in the
 * end is counted as failed: both may be long, and are done in slices (turn.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_private.h"
#include "dicomnet/storage.h"
#include "net/arguments.h"

struct move;

struct lane {
    struct move *move;
    struct dicomnet_storage_user *user; /* NULL: closed */
    struct index_cursor *instances;     /* of the series it sends; NULL: none */
    struct delivery *delivery;
    struct rest rest;
    bool under_way;    /* the delivery is being sent */
    uint64_t answered; /* stores, on this association */
};

struct move {
    struct retrieve retrieve;
    struct dicomnet_query_request *request; /* NULL: it has ended before the lanes were closed */
    const struct dicomnet_association_parameters *destination;
    struct index_cursor *series;
    struct rest rest;
    bool begun;
    uint16_t priority, message_id;
    char calling_ae[DICOMNET_AE_SIZE], originator_ae[DICOMNET_AE_SIZE];
    size_t context_count;
    struct dicomnet_association_proposal contexts[DICOMNET_PDU_CONTEXTS_MAX];
    char (*uids)[2][DICOMNET_UID_SIZE]; /* of the contexts; owned */
    size_t lane_count, lanes_open;
    struct lane lanes[];
};

static void destroy(struct move *move)
{
    struct archive *archive = move->retrieve.archive;
    rest_end(&move->rest);
    for (size_t i = 0; i < move->lane_count; i++) {
        rest_end(&move->lanes[i].rest);
        index_cursor_close(move->lanes[i].instances);
        delivery_destroy(move->lanes[i].delivery);
    }
    index_cursor_close(move->series);
    retrieve_fini(&move->retrieve);
    free(move->uids);
    free(move);
    archive->moves--;
    archive_free_if_over(archive);
}

/* ---- lanes ---- */

/* What is left of the series that the lane has is not sent. False if the slice ended before that was counted. */
static bool fail_rest_of_series(struct lane *lane, const struct slice *slice)
{
    struct index_place place;
    while (lane->instances != NULL && index_cursor_next(lane->instances) == 1) {
        index_cursor_place(lane->instances, &place);
        (void)retrieve_count(&lane->move->retrieve, NULL, false, place.instance_uid);
        if (slice_is_over(slice))
            return false;
    }
    index_cursor_close(lane->instances);
    lane->instances = NULL;
    return true;
}

/* Give the lane the next series; false if there is none. */
static bool take_series(struct lane *lane)
{
    struct move *move = lane->move;
    if (move->series == NULL || index_cursor_next(move->series) != 1)
        return false;
    return index_find_instances(move->retrieve.archive->index, &move->retrieve.keys,
                                index_cursor_number(move->series, 0), &lane->instances) == 0;
}

static const struct dicomnet_association_context *find_context(const void *user, const char *class_uid,
                                                               const char *syntax_uid)
{
    return dicomnet_storage_user_find_context(user, class_uid, syntax_uid);
}

/* Begin the store of the cursor's instance; false if that cannot be. */
static bool send_instance(struct lane *lane)
{
    struct move *move = lane->move;
    struct dicomnet_store *store = delivery_name(lane->delivery, lane->instances);
    if (!delivery_open(lane->delivery, &move->retrieve, lane->instances, find_context, lane->user))
        return false;
    store->priority = move->priority;
    store->originator_ae = move->originator_ae;
    store->originator_id = move->message_id;
    lane->under_way = true;
    int error = dicomnet_storage_user_store(lane->user, store);
    if (error == 0)
        return true;
    lane->under_way = false;
    delivery_note(lane->delivery, &move->retrieve, error);
    (void)delivery_close(lane->delivery);
    return false;
}

static void go_on(void *context)
{
    struct lane *lane = context;
    struct move *move = lane->move;
    const struct slice slice = slice_begin();
    if (lane->under_way || lane->user == NULL)
        return;
    while (move->request != NULL && !move->request->cancelled) {
        if (lane->instances == NULL && !take_series(lane))
            break;
        if (index_cursor_next(lane->instances) != 1) {
            index_cursor_close(lane->instances);
            lane->instances = NULL;
        } else if (send_instance(lane)) {
            return;
        } else {
            (void)retrieve_count(&move->retrieve, NULL, false, delivery_store(lane->delivery)->instance_uid);
        }
        if (slice_is_over(&slice)) {
            rest_begin(move->retrieve.archive, &lane->rest, go_on, lane);
            return;
        }
    }
    dicomnet_storage_user_release(lane->user);
}

static void on_ready(struct dicomnet_storage_user *user, void *context)
{
    (void)user;
    go_on(context);
}

static void on_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store)
{
    struct lane *lane = context;
    struct move *move = lane->move;
    (void)user;
    lane->under_way = false;
    lane->answered += store->answered;
    if (store->source_failed)
        delivery_note(lane->delivery, &move->retrieve, store->error);
    bool sound = delivery_close(lane->delivery);
    if (retrieve_count(&move->retrieve, store, sound, store->instance_uid))
        move->retrieve.archive->totals.converted += delivery_was_converted(lane->delivery);
    struct dicomnet_query_counts counts = retrieve_counts(&move->retrieve);
    if (move->request != NULL && counts.remaining > 0)
        dicomnet_query_request_progress(move->request, &counts);
}

/* ---- the whole ---- */

/* All lanes are closed: the instances that they had left, and the series that no lane took, have failed. */
static void settle(void *context)
{
    struct move *move = context;
    const struct slice slice = slice_begin();
    if (move->request == NULL) {
        destroy(move);
        return;
    }
    bool cancelled = move->request->cancelled;
    for (size_t i = 0; i < move->lane_count && !cancelled; i++) {
        struct lane *lane = &move->lanes[i];
        do {
            if (!fail_rest_of_series(lane, &slice)) {
                rest_begin(move->retrieve.archive, &move->rest, settle, move);
                return;
            }
        } while (take_series(lane));
    }
    retrieve_finish(&move->retrieve, move->request, cancelled);
}

static int open_lane(struct lane *lane);

static void on_closed(struct dicomnet_storage_user *user, void *context, const struct dicomnet_association_end *end)
{
    struct lane *lane = context;
    struct move *move = lane->move;
    (void)user;
    lane->user = NULL;
    rest_end(&lane->rest);
    move->lanes_open--;
    if (end->kind != DICOMNET_ASSOCIATION_RELEASED) {
        char text[256];
        dicomnet_association_describe_end(end, text, sizeof text);
        retrieve_note(&move->retrieve, text);
    }
    bool wanted = move->request != NULL && !move->request->cancelled && lane->instances != NULL;
    /* A lane that nothing was answered on keeps what it has left: it has failed, and settle counts it. Not if it was
     * an instance of ours that could not be read to its end: that one has been counted, and the others can be sent. */
    if (wanted && (lane->answered > 0 || end->source_failed))
        (void)!open_lane(lane);
    if (move->lanes_open == 0)
        settle(move);
}

static const struct dicomnet_storage_user_handler lane_handler = {
    .opened = on_ready, .done = on_done, .ready = on_ready, .closed = on_closed};

static int open_lane(struct lane *lane)
{
    struct move *move = lane->move;
    const struct archive_options *archive = &move->retrieve.archive->options;
    struct dicomnet_association_options options = {.size = sizeof(struct dicomnet_association_options),
                                                   .parameters = *move->destination,
                                                   .proposals = move->contexts,
                                                   .proposal_count = move->context_count,
                                                   .logger = archive->logger};
    memcpy(options.parameters.calling_ae, move->calling_ae, sizeof move->calling_ae);
    lane->answered = 0;
    int error = dicomnet_storage_user_open(&lane->user, move->retrieve.archive->loop, &options, &lane_handler, lane);
    if (error == 0)
        move->lanes_open++;
    else
        retrieve_note(&move->retrieve, dicomnet_error_text(error));
    return error;
}

static bool has_context(const struct move *move, const char *class_uid, const char *syntax_uid)
{
    for (size_t i = 0; i < move->context_count; i++)
        if (strcmp(move->uids[i][0], class_uid) == 0 && strcmp(move->uids[i][1], syntax_uid) == 0)
            return true;
    return false;
}

/* The contexts of one series as it lies; those beyond what fits are refused later. */
static int add_contexts(struct move *move, int64_t series)
{
    struct index_cursor *cursor = NULL;
    int error = index_find_contexts(move->retrieve.archive->index, series, &cursor);
    while (error == 0 && move->context_count < DICOMNET_PDU_CONTEXTS_MAX && index_cursor_next(cursor) == 1) {
        char(*uids)[DICOMNET_UID_SIZE] = move->uids[move->context_count];
        if (has_context(move, index_cursor_text(cursor, 0), index_cursor_text(cursor, 1)))
            continue;
        snprintf(uids[0], DICOMNET_UID_SIZE, "%s", index_cursor_text(cursor, 0));
        snprintf(uids[1], DICOMNET_UID_SIZE, "%s", index_cursor_text(cursor, 1));
        move->contexts[move->context_count++] = (struct dicomnet_association_proposal){
            .abstract_syntax = uids[0], .syntax_count = 1, .syntaxes = {uids[1]}};
    }
    index_cursor_close(cursor);
    return error;
}

/*
 * Propose the class in this syntax too, unless it is proposed already: in a context of its own or, if `together`, in
 * the class's one context of that kind, which are those from `own_count` on. False if there is no room.
 */
static bool add_fallback(struct move *move, size_t own_count, const char *class_uid, const char *syntax_uid,
                         bool together)
{
    for (size_t i = 0; i < move->context_count; i++) {
        struct dicomnet_association_proposal *proposal = &move->contexts[i];
        if (strcmp(proposal->abstract_syntax, class_uid) != 0)
            continue;
        for (size_t j = 0; j < proposal->syntax_count; j++)
            if (strcmp(proposal->syntaxes[j], syntax_uid) == 0)
                return true;
        if (together && i >= own_count) {
            proposal->syntaxes[proposal->syntax_count++] = syntax_uid;
            return true;
        }
    }
    if (move->context_count == DICOMNET_PDU_CONTEXTS_MAX)
        return false;
    move->contexts[move->context_count++] = (struct dicomnet_association_proposal){
        .abstract_syntax = class_uid, .syntax_count = 1, .syntaxes = {syntax_uid}};
    return true;
}

/*
 * Behind the contexts in which instances go out as they lie, those for what the destination does not take so. If there
 * is no room for one of each syntax, a class has one for all: then the destination chooses.
 */
static void add_fallbacks(struct move *move)
{
    const struct fallback_policy policy = {.allowed = move->retrieve.archive->options.transcode};
    const size_t own_count = move->context_count;
    bool fits = false;
    for (int together = 0; together <= 1 && !fits; together++) {
        move->context_count = own_count;
        fits = true;
        for (size_t i = 0; i < own_count; i++) {
            const char *syntaxes[FALLBACK_MAX];
            size_t count = fallback_list(&policy, move->uids[i][1], syntaxes);
            for (size_t j = 0; j < count; j++)
                fits = add_fallback(move, own_count, move->uids[i][0], syntaxes[j], together != 0) && fits;
        }
    }
}

static void open_lanes(struct move *move)
{
    for (size_t i = 0; i < move->lane_count && move->retrieve.total > 0; i++)
        if (open_lane(&move->lanes[i]) != 0)
            break;
    if (move->lanes_open == 0)
        settle(move);
}

/* One context for each SOP class and transfer syntax that is to be sent; then the lanes open. */
static void gather_contexts(void *context)
{
    struct move *move = context;
    const struct slice slice = slice_begin();
    int result = 1;
    while (!move->request->cancelled && move->context_count < DICOMNET_PDU_CONTEXTS_MAX &&
           (result = index_cursor_next(move->series)) == 1) {
        if (add_contexts(move, index_cursor_number(move->series, 0)) != 0)
            break;
        if (slice_is_over(&slice)) {
            rest_begin(move->retrieve.archive, &move->rest, gather_contexts, move);
            return;
        }
    }
    index_cursor_close(move->series);
    move->series = NULL;
    if (index_find_series(move->retrieve.archive->index, &move->retrieve.keys, &move->series) == 0 &&
        !move->request->cancelled) {
        add_fallbacks(move);
        open_lanes(move);
    } else {
        settle(move);
    }
}

static const struct dicomnet_association_parameters *find_destination(const struct archive *archive, const char *ae)
{
    for (size_t i = 0; i < archive->options.destination_count; i++)
        if (strcmp(archive->options.destinations[i].called_ae, ae) == 0)
            return &archive->options.destinations[i];
    return NULL;
}

static int prepare(struct move *move, const struct dicomnet_query_request *request)
{
    struct archive *archive = move->retrieve.archive;
    move->priority = request->priority;
    move->message_id = request->message_id;
    /* The title that the requestor calls us by, if it is one. */
    const char *title = dicomnet_association_called_ae(request->association);
    snprintf(move->calling_ae, sizeof move->calling_ae, "%s",
             arguments_is_ae_title(title) ? title : archive->options.acceptor.association.ae);
    snprintf(move->originator_ae, sizeof move->originator_ae, "%s",
             dicomnet_association_calling_ae(request->association));
    for (size_t i = 0; i < move->lane_count; i++) {
        move->lanes[i].move = move;
        move->lanes[i].delivery = delivery_create();
        if (move->lanes[i].delivery == NULL)
            return -ENOMEM;
    }
    move->uids = calloc(DICOMNET_PDU_CONTEXTS_MAX, sizeof *move->uids);
    if (move->uids == NULL)
        return -ENOMEM;
    return index_find_series(archive->index, &move->retrieve.keys, &move->series);
}

uint16_t move_begin(struct archive *archive, struct dicomnet_query_request *request,
                    char ret_comment[DICOMNET_COMMENT_SIZE])
{
    const struct dicomnet_association_parameters *destination = find_destination(archive, request->move_destination);
    if (destination == NULL) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%s: no peer of that AE title is known",
                 request->move_destination);
        return DICOMNET_STATUS_DESTINATION_UNKNOWN;
    }
    struct retrieve retrieve;
    uint16_t status = retrieve_init(&retrieve, archive, request, ret_comment);
    size_t lanes = archive->options.move_associations < retrieve.series ? archive->options.move_associations
                                                                        : (size_t)retrieve.series;
    lanes = lanes > 0 ? lanes : 1;
    struct move *move =
        status == DICOMNET_STATUS_PENDING ? calloc(1, sizeof *move + lanes * sizeof move->lanes[0]) : NULL;
    if (move == NULL) {
        retrieve_fini(&retrieve);
        return status == DICOMNET_STATUS_PENDING ? DICOMNET_STATUS_UNABLE_TO_PERFORM : status;
    }
    move->retrieve = retrieve;
    move->destination = destination;
    move->request = request;
    move->lane_count = lanes;
    archive->moves++;
    if (prepare(move, request) != 0) {
        destroy(move);
        return DICOMNET_STATUS_UNABLE_TO_PERFORM;
    }
    request->state = move;
    return DICOMNET_STATUS_PENDING;
}

void move_ready(struct dicomnet_query_request *request)
{
    struct move *move = request->state;
    if (move->begun)
        return;
    move->begun = true;
    gather_contexts(move);
}

void move_cancelled(struct dicomnet_query_request *request)
{
    struct move *move = request->state;
    for (size_t i = 0; i < move->lane_count; i++)
        if (move->lanes[i].user != NULL)
            dicomnet_storage_user_release(move->lanes[i].user);
    if (!move->begun) {
        move->begun = true;
        settle(move);
    } /* else the work that is resting sees it on its next turn */
}

void move_ended(struct dicomnet_query_request *request)
{
    struct move *move = request->state;
    move->request = NULL;
    if (move->lanes_open == 0) {
        destroy(move);
        return;
    }
    for (size_t i = 0; i < move->lane_count; i++)
        if (move->lanes[i].user != NULL)
            dicomnet_storage_user_abort(move->lanes[i].user, DICOMNET_ERROR_ABORTED_LOCALLY);
}
