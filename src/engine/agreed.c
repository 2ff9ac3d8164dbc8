/* agreed - see agreed.h. */
#include "engine/agreed.h"

#include <stdbool.h>
#include <string.h>

#include "engine/channel.h"
#include "engine/study.h"

void agreed_init(struct agreed *agreed, const struct proposal *asked)
{
    agreed->asked.count = asked->count;
    memcpy(agreed->asked.pairs, asked->pairs, asked->count * sizeof asked->pairs[0]);
    agreed->known_count = 0;
    agreed->last = NULL;
}

static bool was_asked(const struct agreed *agreed, const struct context_pair *way)
{
    for (size_t i = 0; i < agreed->asked.count; i++)
        if (agreed->asked.pairs[i] == way)
            return true;
    return false;
}

static struct agreement agree(const struct agreed *agreed, struct channel *channel, const struct context_pair *pair)
{
    for (size_t i = 0; i < pair->way_count; i++) {
        const struct context_pair *way = pair->ways[i];
        int context = channel_find_context(channel, way->class_uid, way->syntax_uid);
        if (context != CHANNEL_NO_CONTEXT)
            return (struct agreement){.pair = pair, .kind = AGREED_WAY, .way = way, .context = context};
        if (!was_asked(agreed, way))
            return (struct agreement){.pair = pair, .kind = AGREED_UNKNOWN};
    }
    return (struct agreement){.pair = pair, .kind = AGREED_NOTHING};
}

const struct agreement *agreed_look_up(struct agreed *agreed, struct channel *channel, const struct context_pair *pair)
{
    size_t place = 0;
    while (place < agreed->known_count && agreed->known[place].pair != pair)
        place++;
    if (place == DICOMNET_PDU_CONTEXTS_MAX) /* it carries more kinds of instances than it has contexts: begin again */
        place = agreed->known_count = 0;
    if (place == agreed->known_count) {
        agreed->known[place] = agree(agreed, channel, pair);
        agreed->known_count++;
    }
    agreed->last = &agreed->known[place];
    return agreed->last;
}
