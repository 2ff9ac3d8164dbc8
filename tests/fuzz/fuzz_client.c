/*
 * fuzz_client - a whole run of the storage user, in which the input is the server.
 *
 * Input: 1 byte, the number of stores (bits 0-2, plus 1) and the window (bits 3-4, plus 1), whether a source fails
 * (bit 5), the connection is refused (bit 6) and sockets hold little (bit 7); 1 byte, which lengths the data sets have;
 * then steps: 1 byte, what (enum step, in the low 3 bits) and how (the others); 2 bytes, a length n; for those that
 * send, n bytes. After the last step the server is silent.
 *
 * What is true of every run: each store ends once; one that is `answered` had left whole, with its own bytes, and the
 * server had sent that response to it, once; the run ends within its timeouts; nothing stays open.
 */
#include <stdbool.h>
#include <string.h>
#include <uv.h>

#include "dicomnet/data_source.h"
#include "dicomnet/storage.h"
#include "fake_net.h"
#include "messages.h"

enum { STORES_MAX = 8, GIVEN_SIZE = 64 * 1024, LEAVES_SIZE = 1 << 20, TURNS_MAX = 2000 };

/* Behind enum step. */
enum {
    STEP_USER_RELEASE = STEP_OWN, /* the user has enough */
    STEP_USER_ABORT
};

#define CLASS_UID "1.2.840.10008.5.1.4.1.1.2"

static const uint64_t lens[] = {0, 2, 130, 1000, 5000, 16372, 40000, 70000};

struct made_store {
    struct dicomnet_data_source source; /* first: the source is the store */
    struct dicomnet_store store;
    char uid[DICOMNET_UID_SIZE];
    unsigned number;
    bool fails;  /* reading its second half does */
    bool filled; /* prepared, or begun */
    unsigned ended;
};

struct run {
    uv_loop_t loop;
    struct dicomnet_storage_user *user;
    unsigned wanted, begun, opened, closed;
    struct made_store stores[STORES_MAX];
    struct far_end server;
    bool deaf;
    bool all_received; /* the server has read to the end */
    size_t given_len;
    uint8_t given[GIVEN_SIZE]; /* what the server has said so far */
    struct messages answers;
    struct messages requests;
};

static uint8_t byte_at(const struct made_store *made, uint64_t offset)
{
    return (uint8_t)(made->number * 7 + offset * 13 + (offset >> 8));
}

static ssize_t read_source(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps,
                           int gap_count)
{
    const struct made_store *made = (const struct made_store *)(const void *)source;
    ssize_t total = 0;
    for (int i = 0; i < gap_count; i++) {
        uint8_t *bytes = gaps[i].iov_base;
        FUZZ_CHECK(offset + gaps[i].iov_len <= source->len);
        if (made->fails && offset + gaps[i].iov_len > source->len / 2)
            return made->number % 2 != 0 ? UV_EIO : total;
        for (size_t k = 0; k < gaps[i].iov_len; k++)
            bytes[k] = byte_at(made, offset++);
        total += (ssize_t)gaps[i].iov_len;
    }
    return total;
}

/* ---- the user ---- */

static void fill_store(struct made_store *made, uint8_t context_id)
{
    made->store = (struct dicomnet_store){
        .context_id = context_id, .class_uid = CLASS_UID, .instance_uid = made->uid, .source = &made->source};
    made->filled = true;
}

/* As a worker does: store while the window lasts, and prepare the next while responses are awaited. */
static void begin_stores(struct run *run)
{
    struct dicomnet_storage_user *user = run->user;
    const struct dicomnet_association_context *context =
        dicomnet_storage_user_find_context(user, CLASS_UID, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN);
    while (context != NULL && run->begun < run->wanted && dicomnet_storage_user_can_prepare(user)) {
        struct made_store *made = &run->stores[run->begun];
        bool begins = dicomnet_storage_user_can_store(user);
        if (!begins && made->filled)
            return;
        if (!made->filled)
            fill_store(made, context->id);
        run->begun += begins;
        int error = begins ? dicomnet_storage_user_store(user, &made->store)
                           : dicomnet_storage_user_prepare(user, &made->store);
        /* A source may fail before anything goes out: that is what is said then. */
        FUZZ_CHECK(error == 0 || (made->fails && (error == UV_EIO || error == DICOMNET_ERROR_SOURCE_SHORT)));
        made->ended += begins && error != 0;
    }
    if (context == NULL || run->begun == run->wanted)
        dicomnet_storage_user_release(user);
}

static void on_opened(struct dicomnet_storage_user *user, void *context)
{
    struct run *run = context;
    FUZZ_CHECK(run->opened++ == 0 && run->closed == 0);
}

static void on_ready(struct dicomnet_storage_user *user, void *context)
{
    struct run *run = context;
    FUZZ_CHECK(run->opened == 1 && run->closed == 0);
    begin_stores(run);
}

/* On the context of the request, or on the other one of its class: the first two that open_user proposes. */
static bool fits_context(const struct dicomnet_store *store, uint8_t context_id)
{
    enum { FIRST_ID = 1, SECOND_ID = 3 };
    if (!store->context_other)
        return context_id == store->context_id;
    return context_id != store->context_id && (context_id == FIRST_ID || context_id == SECOND_ID);
}

/* The response that the server gave to this store, or NULL. */
static struct message *find_answer(struct run *run, const struct dicomnet_store *store)
{
    for (size_t i = 0; i < run->answers.count; i++) {
        struct message *answer = &run->answers.list[i];
        const struct dicomnet_dimse_command *command = &answer->command;
        bool names_it = command->instance_uid[0] == '\0' || strcmp(command->instance_uid, store->instance_uid) == 0;
        if (!answer->used && command->field == DICOMNET_DIMSE_C_STORE_RSP &&
            command->message_id_responded == store->message_id && fits_context(store, answer->context_id) && names_it &&
            store->status_missing == ((command->present & DICOMNET_DIMSE_HAS_STATUS) == 0) &&
            store->status == (store->status_missing ? DICOMNET_STATUS_PROCESSING_FAILURE : command->status))
            return answer;
    }
    return NULL;
}

static void on_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store)
{
    struct run *run = context;
    unsigned index = 0;
    while (index < run->begun && &run->stores[index].store != store)
        index++;
    FUZZ_CHECK(index < run->begun && run->closed == 0);
    struct made_store *made = &run->stores[index];
    FUZZ_CHECK(made->ended++ == 0);
    FUZZ_CHECK(store->answered || store->error < 0);
    FUZZ_CHECK(!store->source_failed || made->fails);
    FUZZ_CHECK(strlen(store->comment) <= 64);
    if (!store->answered)
        return;
    FUZZ_CHECK(store->all_sent && !made->fails);
    FUZZ_CHECK(!store->context_other || dicomnet_storage_user_in_flight(user) == 0); /* it was the only one under way */
    struct message *answer = find_answer(run, store);
    FUZZ_CHECK(answer != NULL);
    answer->used = true;
}

static void on_closed(struct dicomnet_storage_user *user, void *context, const struct dicomnet_association_end *end)
{
    struct run *run = context;
    char text[160];
    FUZZ_CHECK(run->closed++ == 0 && dicomnet_storage_user_in_flight(user) == 0);
    dicomnet_association_describe_end(end, text, sizeof text);
    FUZZ_CHECK(text[0] != '\0');
}

static const struct dicomnet_storage_user_handler handler = {
    .opened = on_opened, .done = on_done, .ready = on_ready, .closed = on_closed};

static void open_user(struct run *run, unsigned window)
{
    static const struct dicomnet_association_proposal proposals[] = {
        {.abstract_syntax = CLASS_UID, .syntax_count = 1, .syntaxes = {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN}},
        {.abstract_syntax = CLASS_UID, .syntax_count = 1, .syntaxes = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}},
        {.abstract_syntax = "1.2.840.10008.5.1.4.1.1.4",
         .syntax_count = 2,
         .syntaxes = {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}},
    };
    struct dicomnet_association_options options = {.size = sizeof(struct dicomnet_association_options),
                                                   .parameters = {.host = "server",
                                                                  .port = 104,
                                                                  .called_ae = "SERVER",
                                                                  .calling_ae = "CLIENT",
                                                                  .max_pdu_len = DICOMNET_ASSOCIATION_MAX_PDU_MIN,
                                                                  .window = (uint16_t)window,
                                                                  .timeouts = dicomnet_association_default_timeouts},
                                                   .proposals = proposals,
                                                   .proposal_count = sizeof proposals / sizeof proposals[0]};
    FUZZ_CHECK(dicomnet_storage_user_open(&run->user, &run->loop, &options, &handler, run) == 0);
}

/* ---- the server ---- */

/* Turns of the loop until nothing moves any more. */
static void settle(struct run *run)
{
    for (int idle = 0, turns = 0; idle < 2 && turns < TURNS_MAX; turns++) {
        fake_net_turn(&run->loop);
        if (run->server.fd < 0)
            run->server.fd = fake_net_take_peer();
        bool moved = !run->deaf && far_end_drain(&run->server) > 0;
        idle = moved ? 0 : idle + 1;
    }
}

/* The answers are known before they can be read. */
static void give(struct run *run, struct fuzz_input bytes)
{
    while (bytes.len > 0 && run->server.fd >= 0 && run->given_len < GIVEN_SIZE) {
        struct fuzz_input piece = {bytes.data,
                                   bytes.len < GIVEN_SIZE - run->given_len ? bytes.len : GIVEN_SIZE - run->given_len};
        size_t len = far_end_send(&run->server, piece);
        if (len == 0)
            return;
        memcpy(run->given + run->given_len, bytes.data, len);
        run->given_len += len;
        messages_read(&run->answers, run->given, run->given_len);
        (void)fuzz_take(&bytes, len);
    }
}

static void give_pieces(struct run *run, struct fuzz_input bytes, size_t piece_len)
{
    while (bytes.len > 0) {
        give(run, fuzz_take(&bytes, piece_len));
        fake_net_turn(&run->loop);
    }
}

static void wait_ms(struct run *run, uint64_t ms)
{
    uint64_t until = fake_net_now_ms() + ms;
    while (run->closed == 0 && fake_net_now_ms() < until) {
        if (!fake_net_advance(&run->loop, until - fake_net_now_ms()))
            break;
        settle(run);
    }
}

static void take_step(struct run *run, struct fuzz_input *input)
{
    unsigned what = fuzz_take_u8(input), n = fuzz_take_u16(input), how = what >> 3;
    run->deaf = false;
    switch (what & 7) {
    case STEP_SEND_PIECES:
        give_pieces(run, fuzz_take(input, n), how + 1);
        break;
    case STEP_SEND_DEAF:
        run->deaf = true;
        give(run, fuzz_take(input, n));
        break;
    case STEP_FINISH:
        if (run->server.fd >= 0)
            shutdown(run->server.fd, SHUT_WR);
        break;
    case STEP_CLOSE:
        run->all_received = false;
        far_end_close(&run->server);
        break;
    case STEP_WAIT:
        run->deaf = how % 2 != 0;
        wait_ms(run, 8 * n);
        break;
    case STEP_USER_RELEASE:
        dicomnet_storage_user_release(run->user);
        break;
    case STEP_USER_ABORT:
        dicomnet_storage_user_abort(run->user, DICOMNET_ERROR_ABORTED_LOCALLY);
        break;
    default:
        give(run, fuzz_take(input, n));
        break;
    }
    if (run->closed == 0)
        settle(run);
}

/* From now on nothing comes from the server: however it stands, the timeouts end it. */
static void stay_silent(struct run *run)
{
    const struct dicomnet_association_timeouts *t = &dicomnet_association_default_timeouts;
    uint64_t until = fake_net_now_ms() + t->connect_ms + t->acse_ms + t->network_ms + t->dimse_ms * STORES_MAX +
                     t->release_ms + 5000;
    while (run->closed == 0) {
        FUZZ_CHECK(fake_net_now_ms() < until);
        FUZZ_CHECK(fake_net_advance(&run->loop, 1000 * 1000));
        settle(run);
    }
}

/* What is called stored left us whole, byte by byte. */
static void check_requests(struct run *run)
{
    messages_begin(&run->requests);
    messages_read(&run->requests, run->server.received, run->server.len);
    for (unsigned i = 0; i < run->begun; i++) {
        const struct made_store *made = &run->stores[i];
        FUZZ_CHECK(made->ended == 1);
        if (!made->store.answered || !run->all_received)
            continue;
        FUZZ_CHECK(i < run->requests.count);
        const struct message *request = &run->requests.list[i];
        FUZZ_CHECK(request->complete && request->command.field == DICOMNET_DIMSE_C_STORE_RQ);
        FUZZ_CHECK(request->command.message_id == made->store.message_id);
        FUZZ_CHECK(strcmp(request->command.instance_uid, made->uid) == 0);
        uint32_t sum = 0;
        for (uint64_t offset = 0; offset < made->source.len; offset++) {
            uint8_t byte = byte_at(made, offset);
            sum = messages_sum(sum, &byte, 1);
        }
        FUZZ_CHECK(request->data_len == made->source.len && request->data_sum == sum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    static uint8_t received[LEAVES_SIZE];
    struct fuzz_input input = {.data = data, .len = size};
    unsigned flags = fuzz_take_u8(&input), which = fuzz_take_u8(&input);

    memset(&run, 0, offsetof(struct run, given));
    messages_begin(&run.answers);
    run.wanted = (flags & 7) + 1;
    run.all_received = true;
    run.server = (struct far_end){.fd = -1, .received = received, .size = sizeof received};
    for (unsigned i = 0; i < run.wanted; i++) {
        struct made_store *made = &run.stores[i];
        made->number = i + 1;
        made->source = (struct dicomnet_data_source){.len = lens[(which + i * (which >> 3)) % 8], .read = read_source};
        made->fails = (flags & 0x20) != 0 && i + 1 == run.wanted && made->source.len > 0;
        snprintf(made->uid, sizeof made->uid, "1.2.3.%u", i + 1);
    }
    fake_net_begin((flags & 0x40) != 0, (flags & 0x80) != 0);
    FUZZ_CHECK(uv_loop_init(&run.loop) == 0);
    open_user(&run, (flags >> 3 & 3) + 1);
    settle(&run);
    while (input.len > 0 && run.closed == 0)
        take_step(&run, &input);
    run.deaf = false;
    stay_silent(&run);
    far_end_drain(&run.server);
    check_requests(&run);
    far_end_close(&run.server);
    fake_net_end_loop(&run.loop);
    return 0;
}
