/* What a peer says of what was found, over as many associations as that takes: the peer is in memory. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/association.h"
#include "engine/probe.h"
#include "engine/study.h"
#include "make_instances.h"
#include "services/peer_text.h"

#define EXPLICIT DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN
#define IMPLICIT DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN
#define RLE      "1.2.840.10008.1.2.5"
#define JPEG     "1.2.840.10008.1.2.4.50"

/* ---- the peer ---- */

static struct {
    struct channel channel;
    const struct channel_handler *handler;
    void *user;
    struct proposal asked;
    bool is_open, is_released, is_aborted, is_broken;
    unsigned opened;
    const char *takes; /* a syntax; NULL = nothing */
} peer;

static int find_context(struct channel *channel, const char *class_uid, const char *syntax_uid)
{
    (void)channel;
    for (size_t i = 0; i < peer.asked.count; i++)
        if (strcmp(peer.asked.pairs[i]->class_uid, class_uid) == 0 &&
            strcmp(peer.asked.pairs[i]->syntax_uid, syntax_uid) == 0)
            return peer.takes != NULL && strcmp(peer.takes, syntax_uid) == 0 ? 1 : CHANNEL_NO_CONTEXT;
    return CHANNEL_NO_CONTEXT;
}

static bool describe_refusal(const struct channel *channel, const struct context_pair *pair, char *ret_text,
                             size_t size)
{
    (void)channel;
    snprintf(ret_text, size, "not %s", pair->syntax_uid);
    return true;
}

static void release(struct channel *channel)
{
    (void)channel;
    peer.is_released = true;
}

static void abort_channel(struct channel *channel)
{
    (void)channel;
    peer.is_aborted = true;
}

static const struct channel_functions functions = {
    .find_context = find_context, .describe_refusal = describe_refusal, .release = release, .abort = abort_channel};

static void tell_closed(int error)
{
    const struct dicomnet_association_end end = {
        .kind = error == 0 ? DICOMNET_ASSOCIATION_RELEASED : DICOMNET_ASSOCIATION_NOT_CONNECTED, .error = error};
    peer.is_open = false;
    peer.handler->closed(peer.user, &(struct channel_end){.text = "ended", .report = &end});
}

static struct channel *open_channel(const struct channel_peer *base, const struct channel_options *options)
{
    (void)base;
    cr_assert_not(peer.is_open);
    peer.handler = options->handler;
    peer.user = options->user;
    if (peer.is_broken) {
        tell_closed(-ENOMEM);
        return NULL;
    }
    peer.is_open = true;
    peer.is_released = false;
    peer.opened++;
    peer.asked.count = options->pair_count;
    memcpy(peer.asked.pairs, options->pairs, options->pair_count * sizeof options->pairs[0]);
    peer.channel.functions = &functions;
    return &peer.channel;
}

static void let_all_open(void)
{
    while (peer.is_open) {
        peer.handler->opened(peer.user, &(struct channel_opening){0});
        cr_assert(peer.is_released);
        tell_closed(0);
    }
}

/* ---- what is told ---- */

static struct study_table table;
static struct probe probe;
static unsigned told, as_they_lie, converted, refused, done;
static char problem[PEER_TEXT_SIZE], last_text[768], last_sent[DICOMNET_UID_SIZE];

static void on_pair(void *user, const struct probed_pair *pair)
{
    (void)user;
    cr_assert_str_eq(pair->class_uid, table.pair_list[told]->class_uid, "in the order they were found");
    cr_assert_str_eq(pair->syntax_uid, table.pair_list[told]->syntax_uid);
    cr_expect_eq(pair->instance_count, 2);
    cr_expect_eq(pair->bytes, 20);
    told++;
    refused += pair->sent_syntax_uid == NULL;
    as_they_lie += pair->sent_syntax_uid != NULL && strcmp(pair->sent_syntax_uid, pair->syntax_uid) == 0;
    converted += pair->sent_syntax_uid != NULL && strcmp(pair->sent_syntax_uid, pair->syntax_uid) != 0;
    snprintf(last_text, sizeof last_text, "%s", pair->text);
    snprintf(last_sent, sizeof last_sent, "%s", pair->sent_syntax_uid != NULL ? pair->sent_syntax_uid : "");
}

static void on_done(void *user, const char *text)
{
    (void)user;
    done++;
    snprintf(problem, sizeof problem, "%s", text != NULL ? text : "");
}

static const struct probe_handler handler = {.pair = on_pair, .done = on_done};

/* Two instances of each kind. */
static void note(unsigned first_kind, unsigned kinds, const char *syntax_uid)
{
    for (unsigned i = 0; i < 2 * kinds; i++) {
        struct instance *instance = make_instance("1.1", i, 10, first_kind + i / 2);
        instance->file.syntax_uid = syntax_uid;
        (void)!study_table_note(&table, instance);
        instance_destroy(instance);
    }
}

static void start(const char *takes)
{
    static const struct peer_words words = {.transcode = "--transcode"};
    static const struct channel_peer channel_peer = {.window = 1, .open = open_channel};
    static const struct dicomnet_association_parameters association = {.host = "example.org", .port = 104};
    const struct probe_options options = {
        .peer = &channel_peer, .association = &association, .words = &words, .table = &table};
    peer.takes = takes;
    peer.opened = told = as_they_lie = converted = refused = done = 0;
    probe_start(&probe, &options, &handler, NULL);
}

Test(probe, three_hundred_pairs)
{
    table.policy.allowed = TRANSCODE_LOSSLESS;
    note(1, 100, RLE);
    note(1, 100, EXPLICIT);
    note(101, 100, JPEG);
    cr_assert_eq(table.pair_count, 300);
    start(EXPLICIT);
    let_all_open();
    cr_expect_eq(told, 300);
    cr_expect_eq(as_they_lie, 100);
    cr_expect_eq(converted, 100);
    cr_expect_eq(refused, 100);
    cr_expect_eq(done, 1);
    cr_expect_str_eq(problem, "");
    cr_expect_not(probe.under_way);
    cr_expect_leq(peer.opened, 8, "600 contexts: %u associations", peer.opened);
    cr_expect_str_eq(last_text, "not " JPEG "; --transcode lossy would convert it");
    start(IMPLICIT);
    let_all_open();
    cr_expect_eq(converted, 200);
    start(NULL);
    let_all_open();
    cr_expect_eq(refused, 300);
    study_table_fini(&table);
}

Test(probe, what_may_be_proposed_in_no_way_needs_no_association)
{
    static const char *const only[] = {IMPLICIT};
    table.policy = (struct fallback_policy){.allowed = TRANSCODE_NEVER, .only = only, .only_count = 1};
    note(0, 1, RLE);
    start(IMPLICIT);
    cr_expect_eq(peer.opened, 0);
    cr_expect_eq(told, 1);
    cr_expect_eq(done, 1);
    cr_expect_str_eq(last_text,
                     "CTImageStorage (" MADE_CLASS ") as RLELossless (" RLE "): only ImplicitVRLittleEndian (" IMPLICIT
                     ") may be proposed; --transcode lossless would convert it");
    note(0, 1, IMPLICIT);
    start(IMPLICIT);
    let_all_open();
    cr_expect_eq(told, 2);
    cr_expect_eq(as_they_lie, 1);
    cr_expect_str_eq(last_sent, IMPLICIT);
    cr_expect_str_eq(last_text, "");
    study_table_fini(&table);
}

Test(probe, no_association)
{
    note(0, 1, RLE);
    start(RLE);
    tell_closed(-ECONNREFUSED);
    cr_expect_eq(told, 0);
    cr_expect_eq(done, 1);
    cr_expect_not_null(strstr(problem, "example.org"));
    peer.is_broken = true;
    start(RLE);
    cr_expect_eq(done, 1);
    cr_expect_not_null(strstr(problem, "example.org"));
    study_table_fini(&table);
}

/* It was told to stop before the association opened, and between two of them. */
Test(probe, cancelled)
{
    note(1, 300, RLE);
    start(RLE);
    probe_cancel(&probe);
    cr_expect(peer.is_aborted);
    tell_closed(-ECANCELED);
    cr_expect_eq(done, 1);
    cr_expect_str_neq(problem, "");
    probe_cancel(&probe);
    start(RLE);
    peer.handler->opened(peer.user, &(struct channel_opening){0});
    probe_cancel(&probe);
    tell_closed(-ECANCELED);
    cr_expect_not(peer.is_open, "no other is asked for");
    cr_expect_eq(done, 1);
    cr_expect_str_neq(problem, "", "not all were told");
    study_table_fini(&table);
}
