/* peer - see peer.h. */
#include "engine/peer.h"

#include <assert.h>
#include <stdio.h>

#include "dicomnet/dimse.h"
#include "instance/outcome.h"
#include "instance/status_rule.h"
#include "services/peer_text.h"

enum { REJECTED_FOR_GOOD = 1, REJECTED_FOR_NOW = 2 }; /* result of an A-ASSOCIATE-RJ, PS3.8 9.3.4 */

void peer_init(struct peer *peer, const struct peer_options *options)
{
    *peer = (struct peer){.options = *options};
}

static struct peer_worker *worker_of(struct peer *peer, int worker)
{
    assert(worker >= 1 && worker <= SESSION_THREADS_MAX);
    return &peer->workers[worker - 1];
}

bool peer_end_is_for_now(const struct dicomnet_association_end *end)
{
    return end->kind == DICOMNET_ASSOCIATION_REJECTED && end->reject.result == REJECTED_FOR_NOW;
}

/* ---- trouble ---- */

static void note_trouble(struct peer *peer, uint64_t since_us, const char *what)
{
    if (peer->trouble_since_us == 0)
        peer->trouble_since_us = since_us;
    snprintf(peer->trouble, sizeof peer->trouble, "%s", what);
}

void peer_note_no_room(struct peer *peer, uint64_t since_us)
{
    note_trouble(peer, since_us, "the peer is out of resources (status A7xx or 0213)");
}

void peer_note_room(struct peer *peer)
{
    peer->trouble_since_us = 0;
}

/* How long trouble is borne; 0 = as many attempts as `retry` says. A peer that was never there most likely has another
 * address, and whoever waits for that wants to know soon. */
static uint64_t patience_ms(const struct peer *peer)
{
    const struct peer_options *options = &peer->options;
    if (options->give_up_ms > 0)
        return options->give_up_ms;
    return peer->was_there && options->retry > 0 ? PEER_GIVE_UP_MS : 0;
}

struct peer_verdict peer_look(struct peer *peer, uint64_t now_us)
{
    uint64_t borne_ms = patience_ms(peer);
    if (peer->trouble_since_us == 0 || borne_ms == 0 || now_us - peer->trouble_since_us < borne_ms * 1000)
        return (struct peer_verdict){0};
    snprintf(peer->why, sizeof peer->why, "given up after %.3g s: %s", (double)borne_ms / 1000, peer->trouble);
    return (struct peer_verdict){.give_up = peer->why};
}

/* ---- answers ---- */

struct peer_verdict peer_learn_unauthorised(struct peer *peer)
{
    snprintf(peer->why, sizeof peer->why, "the peer says that this sender is not authorised (status 0124)");
    return (struct peer_verdict){.give_up = peer->why};
}

/* What is odd about its answers, and no reason not to believe them, is noted once. */
static void look_for_oddities(struct peer *peer, const struct outcome *outcome, struct peer_verdict *verdict)
{
    verdict->uid_missing = outcome->uid_missing && !peer->uid_missing;
    verdict->context_other = outcome->context_other && !peer->context_other;
    peer->uid_missing = peer->uid_missing || outcome->uid_missing;
    peer->context_other = peer->context_other || outcome->context_other;
}

struct peer_verdict peer_learn_outcome(struct peer *peer, const struct outcome *outcome,
                                       const struct context_pair *pair)
{
    struct peer_verdict verdict = {0};
    if (outcome->state == OUTCOME_STORED || outcome->state == OUTCOME_WARNED)
        look_for_oddities(peer, outcome, &verdict);
    if (!outcome->has_status || outcome->attempts == 0)
        return verdict;
    losses_answered(&peer->losses);
    if (outcome->status == DICOMNET_STATUS_CLASS_NOT_SUPPORTED)
        verdict.unsupported = lessons_learn_unsupported(&peer->lessons, pair) ? pair : NULL;
    peer->unauthorised = outcome->status == DICOMNET_STATUS_NOT_AUTHORISED ? peer->unauthorised + 1 : 0;
    if (peer->unauthorised == STATUS_RULE_UNAUTHORISED_MAX)
        verdict.give_up = peer_learn_unauthorised(peer).give_up;
    return verdict;
}

void peer_note_answer(struct peer *peer, uint64_t answered_us)
{
    if (answered_us > peer->last_answer_us)
        peer->last_answer_us = answered_us;
}

/* ---- associations ---- */

struct peer_verdict peer_learn_opened(struct peer *peer, int worker, bool open)
{
    worker_of(peer, worker)->saw_absence = false;
    peer->was_there = peer->has_opened = true;
    if (open)
        peer->trouble_since_us = 0;
    return (struct peer_verdict){.wake = true};
}

/*
 * An association that could not be opened, and was not rejected, shows that the peer is away or goes down: nobody
 * listens, or a connection that was still accepted ends at once. That is then why other associations ended before, and
 * why those end that still count as open.
 */
static void note_absence(struct peer *peer)
{
    for (size_t i = 0; i < SESSION_THREADS_MAX; i++)
        peer->workers[i] = (struct peer_worker){.saw_absence = true};
}

/* A peer that ends one association after another when it has answered the same number of stores does so on purpose,
 * unless it was away in between: then it had to end them. */
static uint64_t learn_store_max(struct peer *peer, const struct peer_ending *ending)
{
    enum dicomnet_association_end_kind kind = ending->end->kind;
    struct peer_worker *worker = worker_of(peer, ending->worker);
    bool by_peer =
        (kind == DICOMNET_ASSOCIATION_ABORTED_BY_PEER || kind == DICOMNET_ASSOCIATION_LOST) && !worker->saw_absence;
    bool again = by_peer && ending->answered > 0 && ending->answered == worker->died_after;
    uint64_t *store_max = &peer->lessons.store_max;
    worker->died_after = by_peer ? ending->answered : 0;
    if (!again || (*store_max > 0 && *store_max <= ending->answered))
        return 0;
    *store_max = ending->answered;
    return *store_max;
}

/* An association that ended under a store is the instance's matter, unless the peer has answered nothing for long. */
static bool is_hopeless_after_loss(struct peer *peer, const struct peer_ending *ending, uint64_t now_ms)
{
    const struct peer_options *options = &peer->options;
    char end[120];
    if (ending->answered > 0)
        losses_answered(&peer->losses);
    if (!ending->lost)
        return false;
    losses_count(&peer->losses, ending->aside, now_ms);
    if (!losses_blame_peer(&peer->losses, options->give_up_ms > 0 ? options->give_up_ms : PEER_GIVE_UP_MS, now_ms))
        return false;
    dicomnet_association_describe_end(ending->end, end, sizeof end);
    snprintf(peer->why, sizeof peer->why,
             "the peer takes associations and answers no store on them: %u in a row, the last: %s", peer->losses.row,
             end);
    return true;
}

/* It will never agree to an association, whatever we do. */
static bool is_for_good(const struct peer *peer, const struct peer_ending *ending)
{
    const struct dicomnet_association_end *end = ending->end;
    if (end->kind == DICOMNET_ASSOCIATION_REJECTED)
        return end->reject.result == REJECTED_FOR_GOOD;
    if (peer->has_opened)
        return false;
    bool unknown = end->kind == DICOMNET_ASSOCIATION_NOT_CONNECTED && end->error == DICOMNET_ERROR_HOST_UNKNOWN;
    bool wrong = dicomnet_error_is_foreign(end->error) || dicomnet_error_is_tls_setup(end->error) ||
                 end->error == DICOMNET_ERROR_IDENTITY_UNCONFIRMED;
    return unknown || (wrong && !ending->others_ask);
}

/*
 * A peer that says no for good, or that has answered nobody for as many tries as allowed: the session cannot go on.
 * Being refused more associations while others are open is no reason.
 */
static bool is_hopeless_after_failure(struct peer *peer, const struct peer_ending *ending)
{
    bool for_good = is_for_good(peer, ending);
    char text[sizeof peer->trouble];
    peer_describe_end(ending->end, peer->options.association, peer->options.words, text, sizeof text);
    if (ending->end->kind == DICOMNET_ASSOCIATION_REJECTED && !for_good)
        peer->was_there = true;
    if (!ending->opened && !ending->others_open)
        note_trouble(peer, ending->failing_since_us, text);
    bool progress = peer->last_answer_us > ending->failing_since_us;
    bool too_often = ending->failures > peer->options.retry && !progress && !ending->others_open;
    if (!ending->opened && patience_ms(peer) > 0)
        too_often = false; /* the time decides: peer_look */
    snprintf(peer->why, sizeof peer->why, "%s", text);
    return for_good || too_often;
}

struct peer_verdict peer_learn_ended(struct peer *peer, const struct peer_ending *ending, uint64_t now_us)
{
    struct peer_verdict verdict = {.turned_away = peer_end_is_for_now(ending->end)};
    bool hopeless = is_hopeless_after_loss(peer, ending, now_us / 1000);
    if (!ending->opened && ending->end->kind != DICOMNET_ASSOCIATION_REJECTED)
        note_absence(peer);
    if (ending->opened && ending->had_work)
        verdict.store_max = learn_store_max(peer, ending);
    if (ending->backs_off && !hopeless)
        hopeless = is_hopeless_after_failure(peer, ending);
    verdict.give_up = hopeless ? peer->why : NULL;
    return verdict;
}
