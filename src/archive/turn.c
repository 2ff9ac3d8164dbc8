/* turn - long work on the one loop, in slices. See archive/archive_private.h. */
#include "archive/archive_private.h"
#include "base/clock.h"

enum { SLICE_US = 4000 };

struct slice slice_begin(void)
{
    return (struct slice){.begun_us = clock_monotonic_us()};
}

bool slice_is_over(const struct slice *slice)
{
    return clock_monotonic_us() - slice->begun_us >= SLICE_US;
}

/* Only one piece of work goes on in a turn of the loop, so that the sockets are served before the next one does. */
static void take_turn(uv_idle_t *turn)
{
    struct archive *archive = turn->data;
    struct list_node *node = list_pop(&archive->resting);
    if (node != NULL) {
        struct rest *rest = list_entry(node, struct rest, node);
        rest->resting = false;
        rest->go_on(rest->context);
    }
    if (list_is_empty(&archive->resting))
        uv_idle_stop(turn);
}

void rest_begin(struct archive *archive, struct rest *rest, void (*go_on)(void *context), void *context)
{
    if (rest->resting)
        return;
    *rest = (struct rest){.resting = true, .go_on = go_on, .context = context};
    list_append(&archive->resting, &rest->node);
    if (!archive->closing) /* when it closes, the end of each association ends the work that was done for it */
        uv_idle_start(&archive->turn, take_turn);
}

void rest_end(struct rest *rest)
{
    if (rest->resting)
        list_remove(&rest->node);
    rest->resting = false;
}
