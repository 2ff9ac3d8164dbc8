/*
 * In which way the instances of a pair go out on an association; and that with plan.h everything is sent in the end, in
 * the best way that the peer takes, whatever it takes: a peer in memory says which pairs those are.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/agreed.h"
#include "engine/channel.h"
#include "engine/plan.h"
#include "make_instances.h"

#define EXPLICIT DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN
#define IMPLICIT DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN
#define RLE      "1.2.840.10008.1.2.5"
#define JPEG     "1.2.840.10008.1.2.4.70"
#define J2K      "1.2.840.10008.1.2.4.90"

static const struct fallback_policy lossless = {.allowed = TRANSCODE_LOSSLESS};

/* ---- a peer in memory ---- */

struct memory_channel {
    struct channel channel;
    bool (*takes)(const char *class_uid, const char *syntax_uid);
    const struct agreed *agreed; /* what was asked for: the peer has no context for anything else */
    unsigned looked_up;
};

static int find_context(struct channel *base, const char *class_uid, const char *syntax_uid)
{
    struct memory_channel *channel = (struct memory_channel *)base;
    channel->looked_up++;
    for (size_t i = 0; i < channel->agreed->asked.count; i++) {
        const struct context_pair *asked = channel->agreed->asked.pairs[i];
        if (strcmp(asked->class_uid, class_uid) == 0 && strcmp(asked->syntax_uid, syntax_uid) == 0)
            return channel->takes(class_uid, syntax_uid) ? (int)(2 * i + 1) : CHANNEL_NO_CONTEXT;
    }
    return CHANNEL_NO_CONTEXT;
}

static const struct channel_functions functions = {.find_context = find_context};

static bool takes_all(const char *class_uid, const char *syntax_uid)
{
    (void)class_uid;
    (void)syntax_uid;
    return true;
}

static bool takes_nothing(const char *class_uid, const char *syntax_uid)
{
    return !takes_all(class_uid, syntax_uid);
}

static bool takes_explicit(const char *class_uid, const char *syntax_uid)
{
    (void)class_uid;
    return strcmp(syntax_uid, EXPLICIT) == 0;
}

static bool takes_implicit(const char *class_uid, const char *syntax_uid)
{
    (void)class_uid;
    return strcmp(syntax_uid, IMPLICIT) == 0;
}

static bool takes_stored(const char *class_uid, const char *syntax_uid)
{
    return !takes_explicit(class_uid, syntax_uid) && !takes_implicit(class_uid, syntax_uid);
}

static unsigned sum(const char *text)
{
    unsigned sum = 0;
    while (*text != '\0')
        sum = sum * 31 + (unsigned char)*text++;
    return sum;
}

static bool takes_every_second(const char *class_uid, const char *syntax_uid)
{
    return (sum(class_uid) + sum(syntax_uid)) % 2 == 0;
}

/* ---- */

static struct plan plan;

static void add(const char *study_uid, unsigned number, unsigned kind, const char *syntax_uid)
{
    struct instance *made = make_instance(study_uid, number, 10, kind);
    struct file_facts facts = made->file;
    facts.syntax_uid = syntax_uid;
    struct instance *instance = instance_create(&facts);
    cr_assert_eq(plan_add(&plan, instance), 0);
    instance_destroy(made);
}

static const struct agreement *find(struct agreed *agreed, bool (*takes)(const char *, const char *),
                                    const struct context_pair *pair)
{
    struct memory_channel channel = {.channel.functions = &functions, .takes = takes, .agreed = agreed};
    const struct agreement *found = agreed_find(agreed, &channel.channel, pair);
    unsigned looked_up = channel.looked_up;
    cr_expect_eq(agreed_find(agreed, &channel.channel, pair), found);
    cr_expect_eq(channel.looked_up, looked_up, "it is known now");
    return found;
}

static void expect_way(bool (*takes)(const char *, const char *), enum agreement_kind kind, size_t way)
{
    plan_init(&plan, &lossless);
    add("1.1", 1, 0, RLE);
    struct work *work = plan_next(&plan, 1);
    struct instance *instance = list_entry(list_pop(&work->instances), struct instance, mail.node);
    struct agreed agreed;
    agreed_init(&agreed, &work->proposal);
    const struct agreement *found = find(&agreed, takes, instance->pair);
    cr_expect_eq(found->kind, kind);
    cr_expect_eq(found->pair, instance->pair);
    if (kind == AGREED_WAY) {
        cr_expect_eq(found->way, instance->pair->ways[way]);
        cr_expect_eq(found->context, 2 * (int)way + 1);
    }
    instance_destroy(instance);
    (void)plan_finish(&plan, work, false);
    plan_fini(&plan);
}

Test(agreed, the_first_way_that_is_taken)
{
    expect_way(takes_all, AGREED_WAY, 0);
    expect_way(takes_explicit, AGREED_WAY, 1);
    expect_way(takes_implicit, AGREED_WAY, 2);
    expect_way(takes_nothing, AGREED_NOTHING, 0);
}

/* An association that was asked for other things: what a better way would have come to is not known. */
Test(agreed, a_better_way_was_not_asked_for)
{
    plan_init(&plan, &lossless);
    add("1.1", 1, 0, JPEG);
    struct work *work = plan_next(&plan, 1);
    struct agreed agreed;
    agreed_init(&agreed, &work->proposal); /* JPEG, Explicit, Implicit */
    add("1.2", 1, 0, RLE);
    struct work *second = plan_next(&plan, 2);
    const struct context_pair *rle = list_entry(list_first(&second->instances), struct instance, mail.node)->pair;
    const struct context_pair *jpeg = list_entry(list_first(&work->instances), struct instance, mail.node)->pair;
    cr_expect_eq(find(&agreed, takes_all, rle)->kind, AGREED_UNKNOWN, "Explicit was accepted; RLE was not asked for");
    cr_expect_eq(find(&agreed, takes_nothing, jpeg)->kind, AGREED_NOTHING);
    agreed.asked.count = 2;
    agreed.known_count = 0;
    agreed.last = NULL;
    cr_expect_eq(find(&agreed, takes_implicit, jpeg)->kind, AGREED_UNKNOWN, "the last of its ways was not asked for");
    agreed.known_count = 0;
    agreed.last = NULL;
    cr_expect_eq(find(&agreed, takes_explicit, jpeg)->kind, AGREED_WAY, "it need not be");
    while (!list_is_empty(&work->instances))
        instance_destroy(list_entry(list_pop(&work->instances), struct instance, mail.node));
    while (!list_is_empty(&second->instances))
        instance_destroy(list_entry(list_pop(&second->instances), struct instance, mail.node));
    (void)plan_finish(&plan, work, false);
    (void)plan_finish(&plan, second, false);
    plan_fini(&plan);
}

/* ---- everything is sent in the end ---- */

enum { CLASSES = 100, SYNTAXES = 3, EACH = 2, INSTANCES = CLASSES * SYNTAXES * EACH };
static const char *const stored[SYNTAXES] = {RLE, JPEG, J2K};

struct job {
    bool (*takes)(const char *, const char *);
    unsigned associations, sent, converted, refused;
};

/* What the pair comes to at this peer, whatever associations there are. */
static const struct context_pair *best_way(const struct job *job, const struct context_pair *pair)
{
    for (size_t i = 0; i < pair->way_count; i++)
        if (job->takes(pair->ways[i]->class_uid, pair->ways[i]->syntax_uid))
            return pair->ways[i];
    return NULL;
}

static void expect_work_is_whole(const struct work *work)
{
    bool is_converted = false;
    cr_assert_leq(work->proposal.count, DICOMNET_PDU_CONTEXTS_MAX);
    cr_assert_leq(work->needed_count, work->proposal.count);
    for (size_t i = 0; i < work->proposal.count; i++) {
        cr_assert(!is_converted || !work->proposal.pairs[i]->is_found, "as they lie comes first");
        is_converted = is_converted || !work->proposal.pairs[i]->is_found;
        for (size_t k = 0; k < i; k++)
            cr_assert_neq(work->proposal.pairs[i], work->proposal.pairs[k]);
    }
}

/* As a worker does: an association is kept until an instance wants another. */
static void carry(struct job *job, struct work *work, struct agreed *agreed)
{
    bool is_new = false;
    struct list_node *node;
    expect_work_is_whole(work);
    while ((node = list_first(&work->instances)) != NULL) {
        struct instance *instance = list_entry(node, struct instance, mail.node);
        const struct agreement *found = find(agreed, job->takes, instance->pair);
        if (found->kind == AGREED_UNKNOWN) {
            cr_assert_not(is_new, "an association for this very work leaves something open");
            agreed_init(agreed, &work->proposal);
            is_new = true;
            job->associations++;
            continue;
        }
        const struct context_pair *way = found->kind == AGREED_WAY ? found->way : NULL;
        cr_assert_eq(way, best_way(job, instance->pair));
        job->sent += way != NULL;
        job->converted += way != NULL && way != instance->pair;
        job->refused += way == NULL;
        list_remove(node);
        instance_destroy(instance);
    }
}

/* 300 pairs, and 200 more that they can become. `studies`: among so many; they are known at once, or come one by one.
 */
static struct job run(bool (*takes)(const char *, const char *), unsigned studies, bool at_once)
{
    struct job job = {.takes = takes};
    struct agreed agreed = {0};
    unsigned added = 0;
    plan_init(&plan, &lossless);
    while (added < INSTANCES || plan_has_next(&plan)) {
        do {
            if (added == INSTANCES)
                break;
            char uid[32];
            snprintf(uid, sizeof uid, "1.%u", added % studies);
            add(uid, added, 1 + added % CLASSES, stored[added / CLASSES % SYNTAXES]);
            added++;
        } while (at_once || !plan_has_next(&plan));
        struct work *work = plan_next(&plan, 1);
        cr_assert_not_null(work);
        for (; work != NULL; work = plan_finish(&plan, work, true))
            carry(&job, work, &agreed);
    }
    cr_expect_eq(job.sent + job.refused, INSTANCES);
    cr_expect_eq(plan.waiting_count, 0);
    cr_expect_eq(plan.table.pair_count, CLASSES * SYNTAXES);
    cr_expect_eq(plan.table.pairs.count, CLASSES * (SYNTAXES + 2));
    plan_fini(&plan);
    return job;
}

Test(agreed, three_hundred_pairs_and_what_they_become)
{
    static const unsigned studies[] = {1, 7, 300};
    for (unsigned i = 0; i < 6; i++) {
        unsigned count = studies[i / 2];
        bool at_once = i % 2 == 0;
        struct job job = run(takes_all, count, at_once);
        cr_expect_eq(job.converted + job.refused, 0);
        job = run(takes_stored, count, at_once);
        cr_expect_eq(job.converted + job.refused, 0);
        job = run(takes_explicit, count, at_once);
        cr_expect_eq(job.converted, INSTANCES);
        job = run(takes_implicit, count, at_once);
        cr_expect_eq(job.converted, INSTANCES);
        job = run(takes_nothing, count, at_once);
        cr_expect_eq(job.refused, INSTANCES);
        job = run(takes_every_second, count, at_once);
        cr_expect(job.converted > 0 && job.converted < INSTANCES);
        cr_expect_leq(job.associations, INSTANCES, "no instance needs more than one of its own");
    }
}

/* One study that is known at once: at least 3 * 128 / 300 contexts are of use in each association. */
Test(agreed, as_few_associations_as_can_be)
{
    cr_expect_leq(run(takes_every_second, 1, true).associations, 8);
    cr_expect_leq(run(takes_all, 1, true).associations, 8);
}

/* More kinds of instances than contexts, over one association: what they all become was asked for. */
Test(agreed, more_pairs_than_contexts)
{
    static const char *const only[] = {EXPLICIT};
    const struct fallback_policy policy = {.allowed = TRANSCODE_LOSSLESS, .only = only, .only_count = 1};
    struct job job = {.takes = takes_explicit};
    struct agreed agreed = {0};
    plan_init(&plan, &policy);
    for (unsigned i = 0; i < 300; i++)
        add("1.1", i, 1 + i / 3, stored[i % 3]);
    struct work *work = plan_next(&plan, 1);
    cr_expect_eq(work->proposal.count, 100);
    cr_expect_eq(work->instance_count, 300);
    carry(&job, work, &agreed);
    cr_expect_eq(job.associations, 1);
    cr_expect_eq(job.converted, 300);
    cr_expect_null(plan_finish(&plan, work, true));
    plan_fini(&plan);
}
