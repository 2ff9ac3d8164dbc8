/* proposal - see proposal.h. */
#include "engine/proposal.h"

#include <string.h>

#include "engine/study.h"

static bool has(const struct proposal *proposal, const struct context_pair *pair)
{
    for (size_t i = proposal->count; i > 0; i--)
        if (proposal->pairs[i - 1] == pair)
            return true;
    return false;
}

bool proposal_add_ways(struct proposal *proposal, const struct context_pair *pair)
{
    const struct context_pair *missing[FALLBACK_MAX];
    size_t count = 0;
    for (size_t i = 0; i < pair->way_count; i++)
        if (!has(proposal, pair->ways[i]))
            missing[count++] = pair->ways[i];
    if (proposal->count + count > DICOMNET_PDU_CONTEXTS_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        proposal->pairs[proposal->count++] = missing[i];
    return true;
}

void proposal_fill(struct proposal *proposal, struct context_pair *const *pairs, size_t count)
{
    for (size_t way = 0; way < FALLBACK_MAX; way++) {
        for (size_t i = 0; i < count; i++) {
            if (proposal->count == DICOMNET_PDU_CONTEXTS_MAX)
                return;
            if (way < pairs[i]->way_count && !has(proposal, pairs[i]->ways[way]))
                proposal->pairs[proposal->count++] = pairs[i]->ways[way];
        }
    }
}

void proposal_order(struct proposal *proposal)
{
    const struct context_pair *others[DICOMNET_PDU_CONTEXTS_MAX];
    size_t found_count = 0, other_count = 0;
    for (size_t i = 0; i < proposal->count; i++)
        if (proposal->pairs[i]->is_found)
            proposal->pairs[found_count++] = proposal->pairs[i];
        else
            others[other_count++] = proposal->pairs[i];
    memcpy(proposal->pairs + found_count, others, other_count * sizeof others[0]);
}
