/*
 * What a worker does with a channel that is no association: a peer in memory, on the same loop, that answers as it is
 * told. It shows the states that a peer on a network hardly ever meets: what comes while the worker asks, releases or
 * waits. Nothing here knows a protocol.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/association.h"
#include "engine/plan.h"
#include "engine/worker_machine.h"

#define CLASS  "1.2.840.10008.5.1.4.1.1.4"
#define SYNTAX "1.2.840.10008.1.2.1"

enum { STORES_MAX = 64 };

/* ---- a peer in memory ---- */

struct memory_channel;

struct memory_peer {
    struct channel_peer peer;
    bool broken;                    /* a channel cannot even begin */
    bool refuses;                   /* it takes no pair */
    uint64_t wait_us;               /* for each answer */
    unsigned begun, opened, closed; /* so far */
    struct memory_channel *channel; /* the open one; NULL = none */
};

struct memory_channel {
    struct channel channel;
    struct memory_peer *peer;
    const struct channel_handler *handler;
    void *user;
    bool open, ending;
    unsigned in_flight;
    bool under_way[STORES_MAX];
};

static int memory_find_context(struct channel *base, const char *class_uid, const char *syntax_uid)
{
    const struct memory_channel *channel = (const struct memory_channel *)base;
    return channel->peer->refuses || strcmp(class_uid, CLASS) != 0 || strcmp(syntax_uid, SYNTAX) != 0
               ? CHANNEL_NO_CONTEXT
               : 7;
}

static bool memory_describe_refusal(const struct channel *base, const struct context_pair *pair, char *ret_text,
                                    size_t size)
{
    (void)base;
    snprintf(ret_text, size, "%s as %s: no", pair->class_uid, pair->syntax_uid);
    return true;
}

static bool memory_can_prepare(const struct channel *base)
{
    const struct memory_channel *channel = (const struct memory_channel *)base;
    return channel->open && !channel->ending;
}

static bool memory_can_begin(const struct channel *base)
{
    const struct memory_channel *channel = (const struct memory_channel *)base;
    return memory_can_prepare(base) && channel->in_flight < channel->peer->peer.window;
}

static int memory_prepare(struct channel *base, unsigned number, const struct channel_request *request,
                          uint64_t *ret_read_us)
{
    (void)base;
    *ret_read_us = 0;
    cr_expect_eq(request->context, 7);
    cr_expect_lt(number, STORES_MAX);
    return 0;
}

static bool memory_begin(struct channel *base, unsigned number)
{
    struct memory_channel *channel = (struct memory_channel *)base;
    cr_assert(memory_can_begin(base));
    cr_assert_not(channel->under_way[number]);
    channel->under_way[number] = true;
    channel->in_flight++;
    channel->peer->begun++;
    return true;
}

/* Released or aborted: the test says when it ends. */
static void memory_end(struct channel *base)
{
    ((struct memory_channel *)base)->ending = true;
}

static const struct channel_functions memory_functions = {.find_context = memory_find_context,
                                                          .describe_refusal = memory_describe_refusal,
                                                          .can_prepare = memory_can_prepare,
                                                          .can_begin = memory_can_begin,
                                                          .prepare = memory_prepare,
                                                          .begin = memory_begin,
                                                          .release = memory_end,
                                                          .abort = memory_end};

static void tell_closed(struct memory_peer *peer, const struct channel_handler *handler, void *user, int error)
{
    const struct dicomnet_association_end end = {
        .kind = error == 0 ? DICOMNET_ASSOCIATION_RELEASED : DICOMNET_ASSOCIATION_LOST, .error = error};
    peer->closed++;
    handler->closed(user, &(struct channel_end){.text = "ended", .report = &end});
}

static struct channel *memory_open(const struct channel_peer *base, const struct channel_options *options)
{
    struct memory_peer *peer = (struct memory_peer *)(uintptr_t)base;
    if (peer->broken) {
        tell_closed(peer, options->handler, options->user, -ENOMEM);
        return NULL;
    }
    struct memory_channel *channel = calloc(1, sizeof *channel);
    cr_assert_not_null(channel);
    *channel = (struct memory_channel){
        .channel.functions = &memory_functions, .peer = peer, .handler = options->handler, .user = options->user};
    peer->channel = channel;
    return &channel->channel;
}

/* What the test makes the peer do. */
static void let_open(struct memory_peer *peer)
{
    struct memory_channel *channel = peer->channel;
    cr_assert(channel != NULL && !channel->open);
    peer->opened++;
    channel->open = true;
    channel->handler->opened(channel->user, &(struct channel_opening){.contexts_accepted = 1});
    channel->handler->ready(channel->user);
}

/* Answer the store of the lowest number that is under way. */
static void answer(struct memory_peer *peer, uint16_t status)
{
    struct memory_channel *channel = peer->channel;
    unsigned number = 0;
    cr_assert(channel != NULL && channel->in_flight > 0);
    while (!channel->under_way[number])
        number++;
    channel->under_way[number] = false;
    channel->in_flight--;
    channel->handler->done(channel->user, number,
                           &(struct channel_answer){.answered = true,
                                                    .has_status = true,
                                                    .status = status,
                                                    .comment = "",
                                                    .message_id = 9,
                                                    .wait_us = channel->peer->wait_us});
    if (memory_can_prepare(&channel->channel))
        channel->handler->ready(channel->user);
}

static void end(struct memory_peer *peer, int error)
{
    struct memory_channel *channel = peer->channel;
    cr_assert_not_null(channel);
    peer->channel = NULL;
    for (unsigned i = 0; i < STORES_MAX; i++)
        if (channel->under_way[i])
            channel->handler->done(channel->user, i, &(struct channel_answer){.error = error, .in_doubt = true});
    tell_closed(peer, channel->handler, channel->user, error);
    free(channel);
}

/* The data of the store with the highest number cannot be read to its end: the channel was ended for that. */
static void end_by_source(struct memory_peer *peer, int error)
{
    struct memory_channel *channel = peer->channel;
    const struct dicomnet_association_end report = {
        .kind = DICOMNET_ASSOCIATION_ABORTED_BY_US, .error = error, .source_failed = true};
    unsigned failed = STORES_MAX;
    while (!channel->under_way[--failed])
        ;
    peer->channel = NULL;
    for (unsigned i = 0; i < STORES_MAX; i++)
        if (channel->under_way[i])
            channel->handler->done(
                channel->user, i,
                &(struct channel_answer){.error = i == failed ? error : DICOMNET_ERROR_ABORTED_LOCALLY,
                                         .source_failed = i == failed,
                                         .ended_here = i != failed,
                                         .in_doubt = i != failed});
    peer->closed++;
    channel->handler->closed(channel->user,
                             &(struct channel_end){.source_failed = true, .text = "ended", .report = &report});
    free(channel);
}

/* ---- the worker, and what comes home from it ---- */

struct home {
    uv_loop_t loop;
    struct mailbox mailbox;
    struct memory_peer peer;
    struct worker_options options;
    struct worker_machine machine;
    struct context_pair pair;
    uint64_t data_len; /* of each instance */
    struct plan plan;
    unsigned by_state[OUTCOME_STATE_COUNT];
    unsigned came[MAIL_STOPPED + 1]; /* mails of each kind (enum session_mail) */
    struct instance *asked;          /* of the last MAIL_INSTANCE_REFUSED */
    struct worker_notice last;
};

static struct home home;

static const struct synthetic_options synthetic = {.seed = 1, .sop_class = SYNTHETIC_MR, .size_bytes = 4096};

static void deliver(void *user, struct mail *mail)
{
    struct instance *instance = list_entry(mail, struct instance, mail);
    struct worker_notice *notice = list_entry(mail, struct worker_notice, mail);
    (void)user;
    home.came[mail->kind]++;
    switch ((enum session_mail)mail->kind) {
    case MAIL_INSTANCE:
        home.by_state[instance->outcome.state]++;
        instance_destroy(instance);
        break;
    case MAIL_INSTANCE_REFUSED:
        instance_destroy(home.asked);
        home.asked = instance;
        break;
    case MAIL_INSTANCE_LOST:
    case MAIL_INSTANCE_BACK:
        instance_destroy(instance);
        break;
    case MAIL_WORK_DONE:
        free(list_entry(mail, struct work, mail));
        break;
    case MAIL_LOG:
        free(list_entry(mail, struct worker_log, mail)->record);
        free(list_entry(mail, struct worker_log, mail));
        break;
    default:
        home.last = *notice;
        free(notice);
        break;
    }
}

/* Everything that was posted comes home; outcomes wait for company for some milliseconds. */
static void settle(void)
{
    uv_sleep(20);
    for (int i = 0; i < 3; i++)
        uv_run(&home.loop, UV_RUN_NOWAIT);
}

/* Run the worker's timers until it has left this state. */
static void wait_while(enum worker_state state)
{
    for (int i = 0; i < 500 && home.machine.state == state; i++) {
        uv_sleep(10);
        uv_run(&home.loop, UV_RUN_NOWAIT);
    }
}

static void begin(unsigned window, unsigned retry)
{
    memset(&home, 0, sizeof home);
    cr_assert_eq(uv_loop_init(&home.loop), 0);
    cr_assert_eq(mailbox_open(&home.mailbox, &home.loop, deliver, NULL), 0);
    home.peer.peer = (struct channel_peer){.window = window, .open = memory_open};
    home.data_len = 4096;
    home.options = (struct worker_options){.peer = &home.peer.peer,
                                           .retry = retry,
                                           .threads = 1,
                                           .sources.synthetic = &synthetic,
                                           .log_level = DICOMNET_LOG_INFO,
                                           .home = &home.mailbox};
    cr_assert_eq(worker_machine_open(&home.machine, &home.loop, 1, &home.options), 0);
    strcpy(home.pair.class_uid, CLASS);
    strcpy(home.pair.syntax_uid, SYNTAX);
    home.pair.ways[home.pair.way_count++] = &home.pair;
}

static void tell(enum worker_mail kind)
{
    struct mail *mail = calloc(1, sizeof *mail);
    cr_assert_not_null(mail);
    mail->kind = (int)kind;
    worker_machine_take(&home.machine, mail);
}

static void give(unsigned count)
{
    struct work *work = calloc(1, sizeof *work);
    cr_assert_not_null(work);
    work->mail.kind = MAIL_WORK;
    work->instance_count = count;
    work->proposal.count = work->needed_count = 1;
    work->proposal.pairs[0] = &home.pair;
    list_init(&work->instances);
    for (unsigned i = 0; i < count; i++) {
        const struct file_facts facts = {.path = "made",
                                         .source = SOURCE_SYNTHETIC,
                                         .number = i,
                                         .data_len = home.data_len,
                                         .class_uid = CLASS,
                                         .instance_uid = "1.2.3",
                                         .syntax_uid = SYNTAX};
        struct instance *instance = instance_create(&facts);
        cr_assert_not_null(instance);
        instance->pair = &home.pair;
        list_append(&work->instances, &instance->mail.node);
    }
    worker_machine_take(&home.machine, &work->mail);
}

/* A worker that has been given `count` instances and has its channel open. */
static void begin_sending(unsigned window, unsigned retry, unsigned count)
{
    begin(window, retry);
    give(count);
    let_open(&home.peer);
}

/* Stop it, let its channel end, and close everything: nothing is left. */
static void finish(void)
{
    if (home.machine.state != WORKER_STOPPED)
        tell(MAIL_STOP);
    if (home.peer.channel != NULL)
        end(&home.peer, 0);
    cr_expect_eq(home.machine.state, WORKER_STOPPED);
    worker_machine_close(&home.machine);
    mailbox_close(&home.mailbox, NULL);
    uv_run(&home.loop, UV_RUN_DEFAULT);
    cr_expect_eq(home.came[MAIL_STOPPED], 1);
    instance_destroy(home.asked);
    cr_expect_eq(uv_loop_close(&home.loop), 0);
}

/* ---- */

Test(worker_machine, stores_one_after_another_and_keeps_the_channel)
{
    begin(1, 0);
    cr_expect_eq(home.machine.state, WORKER_IDLE);
    give(3);
    cr_expect_eq(home.machine.state, WORKER_OPENING);
    let_open(&home.peer);
    cr_expect_eq(home.machine.state, WORKER_SENDING);
    for (unsigned i = 1; i <= 3; i++) {
        cr_expect_eq(home.peer.begun, i, "one at a time");
        answer(&home.peer, 0);
    }
    cr_expect_eq(home.machine.state, WORKER_IDLE);
    settle();
    cr_expect_eq(home.by_state[OUTCOME_STORED], 3);
    cr_expect_eq(home.came[MAIL_WORK_DONE], 1);
    give(1);
    cr_expect_eq(home.machine.state, WORKER_SENDING, "over the same channel");
    answer(&home.peer, 0xB000);
    tell(MAIL_RELEASE);
    cr_expect_eq(home.machine.state, WORKER_RELEASING);
    end(&home.peer, 0);
    cr_expect_eq(home.machine.state, WORKER_IDLE);
    settle();
    cr_expect_eq(home.by_state[OUTCOME_WARNED], 1);
    cr_expect_eq(home.last.figures.stored, 4);
    cr_expect_eq(home.last.figures.number, 1);
    finish();
}

Test(worker_machine, uses_the_window)
{
    begin_sending(3, 0, 5);
    cr_expect_eq(home.peer.begun, 3);
    answer(&home.peer, 0);
    cr_expect_eq(home.peer.begun, 4);
    tell(MAIL_STOP);
    cr_expect_eq(home.machine.state, WORKER_STOPPING);
    for (int i = 0; i < 3; i++)
        answer(&home.peer, 0);
    cr_expect_eq(home.peer.begun, 4, "no further store");
    end(&home.peer, 0);
    cr_expect_eq(home.machine.state, WORKER_STOPPED);
    settle();
    cr_expect_eq(home.by_state[OUTCOME_STORED], 4);
    cr_expect_eq(home.by_state[OUTCOME_PENDING], 1);
    cr_expect_eq(home.came[MAIL_WORK_DONE], 1);
    finish();
}

/* How many stores of so many bytes are under way at most after the first was answered; all are, in the end. */
static unsigned count_under_way(uint64_t data_len, uint64_t wait_us)
{
    enum { WINDOW = 16, COUNT = 40 };
    unsigned most = 0;
    begin(WINDOW, 0);
    home.data_len = data_len;
    home.peer.wait_us = wait_us;
    give(COUNT);
    let_open(&home.peer);
    cr_expect_eq(home.peer.begun, WINDOW, "nothing was answered: the window alone limits");
    while (home.peer.channel->in_flight > 0) {
        answer(&home.peer, 0);
        if (home.peer.begun > WINDOW && home.peer.channel->in_flight > most)
            most = home.peer.channel->in_flight;
    }
    cr_expect_eq(home.peer.begun, COUNT);
    tell(MAIL_RELEASE);
    end(&home.peer, 0);
    settle();
    cr_expect_eq(home.by_state[OUTCOME_STORED], COUNT);
    finish();
    return most;
}

Test(worker_machine, has_no_more_bytes_under_way_than_the_line_carries)
{
    enum { AT_ONCE_US = 20, QUICK_US = 100, FAR_US = 80000 };
    cr_expect_eq(count_under_way(16384, QUICK_US), 16, "small ones");
    cr_expect_eq(count_under_way(600000, AT_ONCE_US), 1, "large ones, answered at once");
    cr_expect_eq(count_under_way(600000, QUICK_US), 2, "large ones, answered quickly");
    cr_expect_eq(count_under_way(600000, FAR_US), 16, "large ones, far away");
    cr_expect_eq(count_under_way(1610612736, QUICK_US), 2, "very large ones");
}

/* After a refusal for lack of room nothing begins before the session's word; what is under way ends. */
Test(worker_machine, asks_and_waits_for_the_word)
{
    begin_sending(2, 3, 6);
    answer(&home.peer, 0xA700);
    cr_expect_eq(home.machine.state, WORKER_ASKING);
    answer(&home.peer, 0);
    cr_expect_eq(home.peer.begun, 2);
    settle();
    cr_expect_eq(home.came[MAIL_INSTANCE_REFUSED], 1);
    tell(MAIL_GO_ON);
    cr_expect_eq(home.machine.state, WORKER_SENDING);
    cr_expect_eq(home.peer.begun, 4);
    answer(&home.peer, 0xA700);
    cr_expect_eq(home.machine.state, WORKER_ASKING);
    tell(MAIL_GIVE_BACK);
    cr_expect_eq(home.machine.state, WORKER_SENDING, "one is under way");
    answer(&home.peer, 0);
    cr_expect_eq(home.machine.state, WORKER_IDLE);
    settle();
    cr_expect_eq(home.came[MAIL_INSTANCE_BACK], 2);
    cr_expect_eq(home.by_state[OUTCOME_STORED], 2);
    cr_expect_eq(home.came[MAIL_WORK_DONE], 1);
    finish();
}

/* The association ends before the word has come: the next one waits for it, too. */
Test(worker_machine, its_association_ends_while_it_asks)
{
    static const enum worker_mail words[] = {MAIL_GO_ON, MAIL_GIVE_BACK};
    static const enum worker_state states[] = {WORKER_OPENING, WORKER_IDLE};
    for (size_t i = 0; i < 2; i++) {
        begin_sending(1, 3, 4);
        answer(&home.peer, 0xA700);
        end(&home.peer, DICOMNET_ERROR_ABORTED);
        cr_expect_eq(home.machine.state, WORKER_ASKING);
        cr_expect_eq(home.peer.closed, 1);
        cr_expect_null(home.peer.channel);
        tell(words[i]);
        cr_expect_eq(home.machine.state, states[i], "word %zu", i);
        settle();
        cr_expect_eq(home.came[MAIL_INSTANCE_BACK], i == 0 ? 0 : 3);
        cr_expect_eq(home.came[MAIL_WORK_DONE], i);
        finish();
    }
}

/* Work that came while the association is being released goes back, too, when everything is to go back. */
Test(worker_machine, gives_back_what_waits_for_a_release)
{
    begin_sending(1, 3, 1);
    answer(&home.peer, 0);
    tell(MAIL_REST);
    give(5);
    cr_expect_eq(home.machine.state, WORKER_RELEASING);
    tell(MAIL_GIVE_BACK);
    end(&home.peer, 0);
    cr_expect_eq(home.machine.state, WORKER_IDLE);
    settle();
    cr_expect_eq(home.came[MAIL_INSTANCE_BACK], 5);
    cr_expect_eq(home.came[MAIL_WORK_DONE], 2);
    cr_expect_eq(home.peer.opened, 1);
    finish();
}

/* A channel that cannot even begin, and one that does not open: the work goes back, and the worker waits. */
Test(worker_machine, backs_off_when_nothing_opens, .timeout = 30)
{
    begin(1, 3);
    home.peer.broken = true;
    give(2);
    cr_expect_eq(home.machine.state, WORKER_BACKING_OFF);
    settle();
    cr_expect_eq(home.came[MAIL_INSTANCE_BACK], 2);
    cr_expect_eq(home.came[MAIL_WORK_DONE], 1);
    cr_expect(home.last.backs_off && home.last.failures == 1);
    tell(MAIL_WAKE);
    cr_expect_eq(home.machine.state, WORKER_IDLE);
    home.peer.broken = false;
    give(2);
    end(&home.peer, DICOMNET_ERROR_TIMEOUT_CONNECT);
    cr_expect_eq(home.machine.state, WORKER_BACKING_OFF);
    wait_while(WORKER_BACKING_OFF);
    cr_expect_eq(home.machine.state, WORKER_IDLE);
    settle();
    cr_expect_eq(home.came[MAIL_READY], 2);
    cr_expect_eq(home.came[MAIL_INSTANCE_BACK], 4);
    finish();
}

/* An association that ends under a store: the instance is the first on the next one, which is opened at once. */
Test(worker_machine, an_association_that_is_lost)
{
    begin_sending(1, 3, 3);
    answer(&home.peer, 0);
    end(&home.peer, DICOMNET_ERROR_ABORTED);
    cr_expect_eq(home.machine.state, WORKER_OPENING);
    let_open(&home.peer);
    end(&home.peer, DICOMNET_ERROR_ABORTED);
    settle();
    cr_expect_eq(home.came[MAIL_INSTANCE_LOST], 1, "twice is enough: it is set aside");
    cr_expect(home.last.lost);
    let_open(&home.peer);
    answer(&home.peer, 0);
    settle();
    cr_expect_eq(home.by_state[OUTCOME_STORED], 2);
    cr_expect_eq(home.came[MAIL_WORK_DONE], 1);
    finish();
}

Test(worker_machine, is_not_authorised)
{
    begin_sending(1, 3, 9);
    for (int i = 0; i < 3; i++)
        answer(&home.peer, 0x0124);
    cr_expect_eq(home.machine.state, WORKER_UNAUTHORISED);
    end(&home.peer, 0);
    cr_expect_eq(home.machine.state, WORKER_UNAUTHORISED);
    settle();
    cr_expect_eq(home.came[MAIL_REFUSED], 1);
    tell(MAIL_GO_ON);
    cr_expect_eq(home.peer.begun, 3);
    tell(MAIL_STOP);
    settle();
    cr_expect_eq(home.by_state[OUTCOME_FAILED], 3);
    cr_expect_eq(home.by_state[OUTCOME_PENDING], 6);
    finish();
}

Test(worker_machine, a_pair_that_is_not_taken)
{
    begin(1, 3);
    home.peer.refuses = true;
    give(2);
    let_open(&home.peer);
    cr_expect_eq(home.machine.state, WORKER_IDLE);
    settle();
    cr_expect_eq(home.by_state[OUTCOME_FAILED], 2);
    cr_expect_eq(home.peer.begun, 0);
    finish();
}

/* A status that wants a new association: what is to be sent again waits, and then the next is opened. */
Test(worker_machine, pauses_before_it_sends_again, .timeout = 30)
{
    begin_sending(1, 3, 2);
    answer(&home.peer, 0x0110);
    cr_expect_eq(home.machine.state, WORKER_SENDING, "the others first");
    answer(&home.peer, 0);
    cr_expect_eq(home.machine.state, WORKER_PAUSING);
    end(&home.peer, 0);
    cr_expect_eq(home.machine.state, WORKER_PAUSING);
    wait_while(WORKER_PAUSING);
    cr_expect_eq(home.machine.state, WORKER_OPENING);
    let_open(&home.peer);
    answer(&home.peer, 0);
    settle();
    cr_expect_eq(home.by_state[OUTCOME_STORED], 2);
    finish();
}

/* Told to stop while the association opens, and while it waits. */
Test(worker_machine, stops_in_any_state)
{
    begin(1, 3);
    give(1);
    tell(MAIL_STOP);
    cr_expect_eq(home.machine.state, WORKER_STOPPING);
    cr_expect(home.peer.channel->ending);
    end(&home.peer, DICOMNET_ERROR_ABORTED_LOCALLY);
    cr_expect_eq(home.machine.state, WORKER_STOPPED);
    settle();
    cr_expect_eq(home.by_state[OUTCOME_PENDING], 1);
    finish();
    begin(1, 3);
    give(1);
    end(&home.peer, DICOMNET_ERROR_TIMEOUT_CONNECT);
    cr_expect_eq(home.machine.state, WORKER_BACKING_OFF);
    tell(MAIL_STOP);
    cr_expect_eq(home.machine.state, WORKER_STOPPED);
    finish();
}

/* The data of one cannot be read while three others are under way: those are sent again, at once, with none beside them
 * that could cost them another attempt; and they have lost nothing: they have all the attempts that --retry allows. */
Test(worker_machine, a_source_that_fails_costs_the_others_nothing, .timeout = 60)
{
    begin_sending(4, 2, 7);
    cr_assert_eq(home.peer.channel->in_flight, 4);
    end_by_source(&home.peer, DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_eq(home.machine.state, WORKER_OPENING, "there is no wait");
    cr_expect_eq(home.machine.streak.losses, 0);
    let_open(&home.peer);
    for (unsigned left = 3; left > 0; left--) {
        cr_expect_eq(home.peer.channel->in_flight, left, "none begins beside them");
        answer(&home.peer, 0x0110);
    }
    cr_expect_eq(home.peer.channel->in_flight, 3, "the others");
    for (unsigned left = 3; left > 0; left--)
        answer(&home.peer, 0);
    for (unsigned attempt = 2; attempt <= 3; attempt++) {
        cr_assert_eq(home.machine.state, WORKER_PAUSING);
        end(&home.peer, 0);
        wait_while(WORKER_PAUSING);
        let_open(&home.peer);
        for (unsigned left = 3; left > 0; left--)
            answer(&home.peer, attempt < 3 ? 0x0110 : 0);
    }
    settle();
    cr_expect_eq(home.by_state[OUTCOME_STORED], 6);
    cr_expect_eq(home.by_state[OUTCOME_FAILED], 1);
    cr_expect_eq(home.came[MAIL_INSTANCE_LOST], 0, "none was set aside");
    finish();
}
