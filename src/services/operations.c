/*
 * operations - see services/operations.h.
 *
 * One timer serves all operations: it is set once in a timeout, not for each request. When it runs out, it looks at
 * what is under way and is set again for the one that is late first. A loop that was held up (by a slow disk, by pixels
 * that take long to decode) comes there before it has read what waits: so what is late is looked at a second time, a
 * turn of the loop later.
 */
#include "services/operations.h"

#include <assert.h>

#include "base/clock.h"

#define TO(state) (1u << (state))

/* state -> the states that may follow */
static const unsigned successors[] = {
    [OPERATION_NONE] = TO(OPERATION_WAITING) | TO(OPERATION_LEAVING),
    [OPERATION_WAITING] = TO(OPERATION_LEAVING) | TO(OPERATION_NONE),
    [OPERATION_LEAVING] = TO(OPERATION_SENT) | TO(OPERATION_NONE),
    [OPERATION_SENT] = TO(OPERATION_NONE),
};

static void set_state(struct operation *operation, enum operation_state state)
{
    assert((successors[operation->state] & TO(state)) != 0);
    operation->state = state;
}

/* ---- the response timeout ---- */

static void on_timer(uv_timer_t *timer)
{
    struct operations *operations = list_entry(timer, struct operations, timer);
    uint64_t now_us = clock_monotonic_us(), left_ms = operations->timeout_ms;
    bool was_late = operations->late;
    operations->late = false;
    for (struct list_node *node = list_first(&operations->under_way); node != NULL;
         node = list_next(&operations->under_way, node)) {
        const struct operation *operation = list_entry(node, struct operation, node);
        if (operation->state != OPERATION_SENT)
            continue;
        uint64_t since_us = operation->sent_us > operations->heard_us ? operation->sent_us : operations->heard_us;
        uint64_t waited_ms = (now_us - since_us) / 1000;
        operations->late = operations->late || waited_ms >= operations->timeout_ms;
        if (!operations->late && operations->timeout_ms - waited_ms < left_ms)
            left_ms = operations->timeout_ms - waited_ms;
    }
    if (operations->late && was_late) {
        dicomnet_association_abort(operations->association, DICOMNET_ERROR_TIMEOUT_DIMSE);
        return;
    }
    if (operations->late)
        left_ms = 1;
    if (operations->count > 0)
        uv_timer_start(timer, on_timer, left_ms, 0);
}

/* ---- the operations ---- */

void operations_init(struct operations *operations, uv_loop_t *loop, uint32_t timeout_ms)
{
    *operations = (struct operations){.timeout_ms = timeout_ms};
    list_init(&operations->waiting);
    list_init(&operations->under_way);
    uv_timer_init(loop, &operations->timer);
}

static struct operation *find_message_id(const struct list *list, uint16_t message_id)
{
    for (struct list_node *node = list_first(list); node != NULL; node = list_next(list, node)) {
        struct operation *operation = list_entry(node, struct operation, node);
        if (operation->message_id == message_id)
            return operation;
    }
    return NULL;
}

uint16_t operations_next_message_id(struct operations *operations)
{
    uint16_t *last = &operations->last_message_id;
    do
        *last = *last == UINT16_MAX ? 1 : (uint16_t)(*last + 1);
    while (find_message_id(&operations->under_way, *last) != NULL ||
           find_message_id(&operations->waiting, *last) != NULL);
    return *last;
}

void operations_wait(struct operations *operations, struct operation *operation)
{
    set_state(operation, OPERATION_WAITING);
    list_append(&operations->waiting, &operation->node);
}

void operations_begin(struct operations *operations, struct operation *operation)
{
    if (operation->state == OPERATION_WAITING)
        list_remove(&operation->node);
    set_state(operation, OPERATION_LEAVING);
    list_append(&operations->under_way, &operation->node);
    operations->count++;
}

void operations_note_sent(struct operations *operations, struct operation *operation)
{
    set_state(operation, OPERATION_SENT);
    operation->sent_us = clock_monotonic_us();
    if (operations->timeout_ms > 0 && !uv_is_active((const uv_handle_t *)&operations->timer))
        uv_timer_start(&operations->timer, on_timer, operations->timeout_ms, 0);
}

void operations_note_heard(struct operations *operations)
{
    operations->heard_us = clock_monotonic_us();
    operations->late = false;
}

struct operation *operations_find(const struct operations *operations, const struct dicomnet_dimse_command *response)
{
    struct operation *operation = find_message_id(&operations->under_way, response->message_id_responded);
    bool fits = operation != NULL && (operation->field | DICOMNET_DIMSE_RESPONSE) == response->field;
    return fits ? operation : NULL;
}

struct operation *operations_first_of(const struct operations *operations, const struct service *service)
{
    for (struct list_node *node = list_first(&operations->under_way); node != NULL;
         node = list_next(&operations->under_way, node)) {
        struct operation *operation = list_entry(node, struct operation, node);
        if (operation->service == service)
            return operation;
    }
    return NULL;
}

void operations_end(struct operations *operations, struct operation *operation)
{
    if (operation->state == OPERATION_NONE)
        return;
    operations->count -= operation->state != OPERATION_WAITING;
    list_remove(&operation->node);
    set_state(operation, OPERATION_NONE);
}
