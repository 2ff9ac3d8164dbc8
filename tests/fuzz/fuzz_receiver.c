/*
 * fuzz_receiver - a whole receiver, in which the input is its clients: up to 3 at a time.
 *
 * Input: 1 byte of flags (enum flags); then steps: 1 byte, what (enum step, in the low 3 bits), which client (the next
 * 2) and how (the others); 2 bytes, a length n; for those that send, n bytes. A client that is not connected connects.
 * After the last step all clients close, or, with FLAG_STOP, the receiver is stopped while they are still there.
 *
 * What is true of every run: a client gets no more C-STORE responses of success than it has sent complete requests with
 * that Message ID and context; what was kept has a name made from its UID and nothing half-written stays; every
 * association ends within the timeouts after its client closed; nothing stays open.
 */
#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

#include "fake_client.h"
#include "serve/receiver.h"

enum { CLIENTS = 3, TURNS_MAX = 2000 };

enum flags {
    FLAG_KEEP = 1,    /* keep what comes in a folder */
    FLAG_ONE = 2,     /* one association at a time */
    FLAG_DELAY = 4,   /* responses are delayed */
    FLAG_REFUSE = 8,  /* every C-STORE is answered A700 */
    FLAG_STOP = 16,   /* stop while clients are there */
    FLAG_NARROW = 32, /* sockets hold little */
    FLAG_WINDOW = 64, /* asynchronous operations are granted */
    FLAG_CHECK = 128  /* what comes is looked at before it is kept */
};

struct run {
    uv_loop_t loop;
    struct receiver *receiver;
    unsigned closed;
    bool deaf;
    struct fake_client clients[CLIENTS];
};

static struct messages requests, answers;

/* Who says who he is has to say it by name and passcode. All of both can be read. */
static bool authenticate(void *authentication, struct dicomnet_association *association,
                         const struct dicomnet_identity *identity, struct dicomnet_span *ret_response)
{
    unsigned sum = 0;
    (void)authentication, (void)association;
    for (size_t i = 0; identity != NULL && i < identity->primary.len; i++)
        sum += identity->primary.data[i];
    for (size_t i = 0; identity != NULL && i < identity->secondary.len; i++)
        sum += identity->secondary.data[i];
    if (identity != NULL && sum % 2 == 0)
        *ret_response = identity->secondary;
    return identity == NULL || identity->type == DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE;
}

/* What was kept is called after a UID or a hash, and lies in the folder itself. It is removed. */
static void check_folder(uint64_t stored)
{
    uint64_t count = fake_folder_empty(fake_folder_is_instance);
    FUZZ_CHECK(count <= stored && (count > 0) == (stored > 0));
}

/* ---- the clients ---- */

/* Turns of the loop until nothing moves any more. */
static void settle(struct run *run)
{
    for (int idle = 0, turns = 0; idle < 2 && turns < TURNS_MAX; turns++) {
        bool moved = false;
        fake_net_turn(&run->loop);
        for (unsigned i = 0; i < CLIENTS && !run->deaf; i++)
            moved |= far_end_drain(&run->clients[i].far_end) > 0;
        idle = moved ? 0 : idle + 1;
    }
}

static uint64_t count_successes(const struct messages *messages, uint16_t field, const struct message *like)
{
    uint64_t count = 0;
    for (size_t i = 0; i < messages->count; i++) {
        const struct message *message = &messages->list[i];
        bool response = (field & DICOMNET_DIMSE_RESPONSE) != 0;
        uint16_t id = response ? message->command.message_id_responded : message->command.message_id;
        count += message->command.field == field && message->complete && message->context_id == like->context_id &&
                 id == like->command.message_id_responded && (!response || message->command.status == 0);
    }
    return count;
}

/* Hold what the client was told so far to what it has sent so far. */
static void check_answers(struct fake_client *client)
{
    fake_client_read(client, &requests, &answers);
    for (size_t i = 0; i < answers.count; i++) {
        const struct message *answer = &answers.list[i];
        FUZZ_CHECK((answer->command.field & DICOMNET_DIMSE_RESPONSE) != 0);
        if (answer->command.field == DICOMNET_DIMSE_C_STORE_RSP && answer->command.status == 0 &&
            requests.count < MESSAGES_MAX)
            FUZZ_CHECK(count_successes(&answers, DICOMNET_DIMSE_C_STORE_RSP, answer) <=
                       count_successes(&requests, DICOMNET_DIMSE_C_STORE_RQ, answer));
    }
}

static void close_client(struct fake_client *client)
{
    if (!fake_client_is_connected(client))
        return;
    far_end_drain(&client->far_end);
    check_answers(client);
    far_end_close(&client->far_end);
}

static void give_pieces(struct run *run, struct fake_client *client, struct fuzz_input bytes, size_t piece_len)
{
    while (bytes.len > 0) {
        fake_client_say(client, fuzz_take(&bytes, piece_len));
        fake_net_turn(&run->loop);
    }
}

static void wait_ms(struct run *run, uint64_t ms)
{
    uint64_t until = fake_net_now_ms() + ms;
    while (fake_net_now_ms() < until && fake_net_advance(&run->loop, until - fake_net_now_ms()))
        settle(run);
}

static void take_step(struct run *run, struct fuzz_input *input)
{
    unsigned what = fuzz_take_u8(input), n = fuzz_take_u16(input), how = what >> 5;
    struct fake_client *client = &run->clients[(what >> 3 & 3) % CLIENTS];
    run->deaf = false;
    if (!fake_client_is_connected(client)) {
        fake_client_connect(client);
        settle(run);
    }
    switch (what & 7) {
    case STEP_SEND_PIECES:
        give_pieces(run, client, fuzz_take(input, n), how + 1);
        break;
    case STEP_SEND_DEAF:
        run->deaf = true;
        fake_client_say(client, fuzz_take(input, n));
        break;
    case STEP_FINISH:
        shutdown(client->far_end.fd, SHUT_WR);
        break;
    case STEP_CLOSE:
        close_client(client);
        break;
    case STEP_WAIT:
        run->deaf = how % 2 != 0;
        wait_ms(run, 8 * n);
        break;
    default:
        fake_client_say(client, fuzz_take(input, n));
        break;
    }
    settle(run);
    if (fake_client_is_connected(client))
        check_answers(client);
}

/* ---- the receiver ---- */

static void on_closed(void *user)
{
    ((struct run *)user)->closed++;
}

static void open_receiver(struct run *run, unsigned flags)
{
    struct receiver_options options = {.acceptor = {.size = sizeof(struct dicomnet_acceptor_options),
                                                    .bind_address = "127.0.0.1",
                                                    .max_associations = (flags & FLAG_ONE) != 0 ? 1 : 0,
                                                    .max_connections = CLIENTS - 1,
                                                    .idle_ms = 30000,
                                                    .association = {.ae = "RECEIVER",
                                                                    .max_pdu_len = DICOMNET_ASSOCIATION_MAX_PDU_MIN,
                                                                    .window = (flags & FLAG_WINDOW) != 0 ? 8 : 1,
                                                                    .timeouts = dicomnet_association_default_timeouts,
                                                                    .authenticate = authenticate}},
                                       .output_dir = (flags & FLAG_KEEP) != 0 ? fake_folder() : NULL,
                                       .check = (flags & FLAG_CHECK) != 0,
                                       .faults = {.status = (flags & FLAG_REFUSE) != 0 ? 0xA700 : 0x0000,
                                                  .response_delay_ms = (flags & FLAG_DELAY) != 0 ? 100 : 0}};
    FUZZ_CHECK(receiver_open(&run->receiver, &run->loop, &options, NULL, 0) == 0);
}

/* Every association ends once its client has gone, at the latest when its timers have run out. */
static void end_run(struct run *run, unsigned flags)
{
    bool stop = (flags & FLAG_STOP) != 0;
    const struct dicomnet_association_timeouts *t = &dicomnet_association_default_timeouts;
    uint64_t until = fake_net_now_ms() + t->acse_ms + t->network_ms + t->release_ms + 5000;
    run->deaf = false;
    for (unsigned i = 0; i < CLIENTS && !stop; i++)
        close_client(&run->clients[i]);
    settle(run);
    while (!stop && receiver_totals(run->receiver)->open_associations > 0) {
        FUZZ_CHECK(fake_net_now_ms() < until && fake_net_advance(&run->loop, 1000 * 1000));
        settle(run);
    }
    uint64_t stored = receiver_totals(run->receiver)->stored;
    receiver_close(run->receiver, on_closed, run);
    settle(run);
    while (run->closed == 0) {
        FUZZ_CHECK(fake_net_now_ms() < until && fake_net_advance(&run->loop, 1000 * 1000));
        settle(run);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        close_client(&run->clients[i]);
    settle(run);
    FUZZ_CHECK(run->closed == 1);
    if ((flags & FLAG_KEEP) != 0)
        check_folder(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    struct fuzz_input input = {.data = data, .len = size};
    unsigned flags = fuzz_take_u8(&input);
    run.closed = 0;
    run.deaf = false;
    for (unsigned i = 0; i < CLIENTS; i++)
        run.clients[i].far_end.fd = -1;
    fake_net_begin(false, (flags & FLAG_NARROW) != 0);
    FUZZ_CHECK(uv_loop_init(&run.loop) == 0);
    open_receiver(&run, flags);
    while (input.len > 0)
        take_step(&run, &input);
    end_run(&run, flags);
    fake_net_end_loop(&run.loop);
    return 0;
}
