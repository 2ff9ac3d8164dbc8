/* probe - see probe.h. */
#include "engine/probe.h"

#include <stdio.h>

#include "engine/study.h"
#include "engine/unsupported.h"
#include "instance/instance.h"
#include "services/peer_text.h"

static void finish(struct probe *probe, const char *problem)
{
    probe->under_way = false;
    probe->handler->done(probe->user, problem);
}

/* `agreement` is NULL: it may be proposed in no way. */
static void tell_pair(struct probe *probe, const struct context_pair *pair, const struct agreement *agreement)
{
    const struct fallback_policy *policy = &probe->options.table->policy;
    char text[INSTANCE_FACT_SIZE] = "";
    bool taken = agreement != NULL && agreement->kind == AGREED_WAY, another_may_do = !taken;
    if (agreement == NULL)
        unsupported_describe_policy(policy, pair->class_uid, pair->syntax_uid, text, sizeof text);
    else if (!taken)
        another_may_do = channel_describe_refusal(probe->channel, pair, text, sizeof text);
    if (another_may_do)
        unsupported_add_advice(policy, probe->options.words, pair->syntax_uid, text, sizeof text);
    probe->handler->pair(probe->user,
                         &(struct probed_pair){.class_uid = pair->class_uid,
                                               .syntax_uid = pair->syntax_uid,
                                               .sent_syntax_uid = taken ? agreement->way->syntax_uid : NULL,
                                               .instance_count = pair->instance_count,
                                               .bytes = pair->bytes,
                                               .text = text});
}

/* Those that were asked for; or, without an association, those that may be proposed in no way. */
static void tell_pairs(struct probe *probe)
{
    for (size_t i = probe->first; i < probe->next; i++) {
        const struct context_pair *pair = probe->options.table->pair_list[i];
        tell_pair(probe, pair, pair->way_count > 0 ? agreed_find(&probe->agreed, probe->channel, pair) : NULL);
    }
}

/* ---- the associations ---- */

static void ask_for_next(struct probe *probe);

static void on_opened(void *user, const struct channel_opening *opening)
{
    struct probe *probe = user;
    (void)opening;
    probe->opened = true;
    tell_pairs(probe);
    channel_release(probe->channel);
}

static void on_done(void *user, unsigned number, const struct channel_answer *answer)
{
    (void)user;
    (void)number;
    (void)answer;
}

static void on_ready(void *user)
{
    (void)user;
}

static void on_closed(void *user, const struct channel_end *end)
{
    struct probe *probe = user;
    char why[PEER_TEXT_SIZE];
    probe->channel = NULL;
    if (probe->opened && !probe->cancelled) {
        ask_for_next(probe);
        return;
    }
    peer_describe_end(end->report, probe->options.association, probe->options.words, why, sizeof why);
    finish(probe, why);
}

static const struct channel_handler channel_handler = {
    .opened = on_opened, .done = on_done, .ready = on_ready, .closed = on_closed};

/* As many of the pairs that are left as one association can be asked for. It is not to be touched afterwards. */
static void ask_for_next(struct probe *probe)
{
    const struct study_table *table = probe->options.table;
    probe->proposal.count = 0;
    probe->opened = false;
    probe->first = probe->next;
    while (probe->next < table->pair_count && proposal_add_ways(&probe->proposal, table->pair_list[probe->next]))
        probe->next++;
    if (probe->proposal.count == 0) {
        tell_pairs(probe);
        finish(probe, NULL);
        return;
    }
    proposal_order(&probe->proposal);
    agreed_init(&probe->agreed, &probe->proposal);
    const struct channel_options options = {.loop = probe->options.loop,
                                            .pairs = probe->proposal.pairs,
                                            .pair_count = probe->proposal.count,
                                            .handler = &channel_handler,
                                            .user = probe,
                                            .logger = probe->options.logger};
    struct channel *channel = channel_open(probe->options.peer, &options);
    if (channel != NULL)
        probe->channel = channel;
}

void probe_start(struct probe *probe, const struct probe_options *options, const struct probe_handler *handler,
                 void *user)
{
    *probe = (struct probe){.under_way = true, .options = *options, .handler = handler, .user = user};
    ask_for_next(probe);
}

void probe_cancel(struct probe *probe)
{
    if (!probe->under_way || probe->channel == NULL)
        return;
    probe->cancelled = true;
    channel_abort(probe->channel);
}
