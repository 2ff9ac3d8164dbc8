/*
 * get - C-GET (PS3.4 C.4.3): the instances go back on the association that asked for them, one at a time.
 * See archive/archive_private.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/archive_private.h"

struct get {
    struct retrieve retrieve;
    struct index_cursor *cursor;
    struct delivery *delivery;
    struct rest rest;
};

static void destroy(struct get *get)
{
    rest_end(&get->rest);
    index_cursor_close(get->cursor);
    delivery_destroy(get->delivery);
    retrieve_fini(&get->retrieve);
    free(get);
}

uint16_t get_begin(struct archive *archive, struct dicomnet_query_request *request,
                   char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct get *get = calloc(1, sizeof *get);
    if (get == NULL)
        return DICOMNET_STATUS_UNABLE_TO_PERFORM;
    uint16_t status = retrieve_init(&get->retrieve, archive, request, ret_comment);
    get->delivery = delivery_create();
    if (status == DICOMNET_STATUS_PENDING &&
        (get->delivery == NULL || index_find_instances(archive->index, &get->retrieve.keys, 0, &get->cursor) != 0))
        status = DICOMNET_STATUS_UNABLE_TO_PERFORM;
    if (status != DICOMNET_STATUS_PENDING)
        destroy(get);
    else
        request->state = get;
    return status;
}

static const struct dicomnet_association_context *find_context(const void *request, const char *class_uid,
                                                               const char *syntax_uid)
{
    return dicomnet_query_request_find_context(request, class_uid, syntax_uid);
}

/* Begin the store of the cursor's instance; false if that cannot be. */
static bool send_instance(struct get *get, struct dicomnet_query_request *request)
{
    struct dicomnet_store *store = delivery_name(get->delivery, get->cursor);
    if (!delivery_open(get->delivery, &get->retrieve, get->cursor, find_context, request))
        return false;
    store->priority = request->priority;
    int error = dicomnet_query_request_store(request, store);
    if (error == 0)
        return true;
    delivery_note(get->delivery, &get->retrieve, error);
    (void)delivery_close(get->delivery);
    return false;
}

static void go_on(void *context)
{
    get_ready(context);
}

void get_ready(struct dicomnet_query_request *request)
{
    struct get *get = request->state;
    const struct slice slice = slice_begin();
    int result = 0;
    while (!request->cancelled && (result = index_cursor_next(get->cursor)) == 1) {
        if (send_instance(get, request))
            return;
        (void)retrieve_count(&get->retrieve, NULL, false, delivery_store(get->delivery)->instance_uid);
        if (slice_is_over(&slice)) {
            rest_begin(get->retrieve.archive, &get->rest, go_on, request);
            return;
        }
    }
    if (result < 0) {
        retrieve_note(&get->retrieve, index_problem(get->retrieve.archive->index));
        retrieve_fail_rest(&get->retrieve);
    }
    retrieve_finish(&get->retrieve, request, request->cancelled);
}

void get_stored(struct dicomnet_query_request *request, struct dicomnet_store *store)
{
    struct get *get = request->state;
    if (store->source_failed)
        delivery_note(get->delivery, &get->retrieve, store->error);
    bool sound = delivery_close(get->delivery);
    if (retrieve_count(&get->retrieve, store, sound, store->instance_uid))
        get->retrieve.archive->totals.converted += delivery_was_converted(get->delivery);
    struct dicomnet_query_counts counts = retrieve_counts(&get->retrieve);
    if (counts.remaining > 0)
        dicomnet_query_request_progress(request, &counts);
}

void get_ended(struct dicomnet_query_request *request)
{
    destroy(request->state);
}
