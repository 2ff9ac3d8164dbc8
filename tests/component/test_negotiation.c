/*
 * What is agreed when an association is opened; what can be asked of it and when; and that our side can abort it at any
 * moment.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "dicomnet/log.h"
#include "fixture.h"
#include "scripts.h"

/* More than is written in one turn of the loop, however large the buffers of the system are. */
enum { MUCH_DATA = 9 * 1000 * 1000 };

#define MR_CLASS "1.2.840.10008.5.1.4.1.1.4"

struct record {
    struct dicomnet_association *association;
    struct numbers_source numbers;
    unsigned opened, sent, closed, flaws;
    struct dicomnet_association_end end;
    void (*when_begun)(struct record *record), (*when_open)(struct record *record);
    struct peer_accept accept; /* what the peer answers with */
    uint32_t max_pdu;          /* what was agreed */
    uint16_t expected_window;  /* in the RQ; 0 = not proposed, as it is unless asked for */
    uint16_t window;
    char version[32];
    size_t context_count;
    struct dicomnet_association_context contexts[8];
};

static void on_opened(struct dicomnet_association *association, void *user)
{
    struct record *record = user;
    record->opened++;
    record->max_pdu = dicomnet_association_peer_max_pdu(association);
    record->window = dicomnet_association_window(association);
    strcpy(record->version, dicomnet_association_peer_version(association));
    record->context_count = dicomnet_association_context_count(association);
    for (size_t i = 0; i < record->context_count && i < 8; i++)
        record->contexts[i] = *dicomnet_association_context(association, i);
    if (record->when_open != NULL)
        record->when_open(record);
    else
        dicomnet_association_release(association);
}

static void on_sent(struct dicomnet_association *association, void *user)
{
    ((struct record *)user)->sent++;
}

static void on_closed(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end)
{
    struct record *record = user;
    record->closed++;
    record->end = *end;
}

static const struct dicomnet_association_handler handler = {.opened = on_opened, .sent = on_sent, .closed = on_closed};

static const struct dicomnet_association_proposal proposals[] = {
    {.abstract_syntax = FIXTURE_CLASS, .syntax_count = 1, .syntaxes = {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN}},
    {.abstract_syntax = MR_CLASS,
     .syntax_count = 2,
     .syntaxes = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN}},
    {.abstract_syntax = DICOMNET_UID_VERIFICATION,
     .syntax_count = 1,
     .syntaxes = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}}};

/* Options for three proposals; the peer's port is still to be set. */
static struct dicomnet_association_options three_proposals(void)
{
    struct dicomnet_association_options options = fixture_options(0);
    options.proposals = proposals;
    options.proposal_count = 3;
    return options;
}

/* One association with a peer that plays that script, to its end. Returns the milliseconds. */
static uint64_t meet(struct record *record, void (*script)(struct script_peer *peer),
                     const struct dicomnet_association_options *wanted, const char *what)
{
    struct fixture fixture;
    struct script_peer *peer = fixture_begin_with_peer(&fixture, script, record);
    struct dicomnet_association_options options = *wanted;
    options.parameters.port = peer->port;
    cr_assert_eq(dicomnet_association_open(&record->association, &fixture.loop, &options, &handler, record), 0);
    if (record->when_begun != NULL)
        record->when_begun(record);
    uint64_t ms = fixture_run(&fixture);
    cr_expect_eq(record->closed, 1, "%s", what);
    fixture_end_peer(peer, what);
    fixture_end(&fixture);
    return ms;
}

static void accept_as_told(struct script_peer *peer)
{
    struct record *record = peer->user;
    peer_read_request(peer);
    if (strcmp(peer->called_ae, "SCRIPT") != 0 || strcmp(peer->calling_ae, "TESTER") != 0 || peer->max_len != 20000)
        peer_fail(peer, "the RQ says %s, %s, %u", peer->called_ae, peer->calling_ae, peer->max_len);
    if (peer->window != record->expected_window)
        peer_fail(peer, "the RQ proposes a window of %u", peer->window);
    peer_send_accept(peer, &record->accept);
    peer_serve(peer);
}

/* Open with the three proposals; the peer answers as record->accept says. `window` is proposed. */
static void negotiate(struct record *record, uint16_t window)
{
    struct dicomnet_association_options options = three_proposals();
    options.parameters.max_pdu_len = 20000;
    options.parameters.window = window;
    record->expected_window = window > 1 ? window : 0;
    meet(record, accept_as_told, &options, "negotiate");
}

/* An A-ASSOCIATE-AC of the fixed fields and the answered contexts alone. */
static void accept_with_the_least(struct script_peer *peer)
{
    uint8_t bytes[1024] = {0, 1};
    struct bytes_writer writer = bytes_writer_over(bytes, sizeof bytes);
    peer_read_request(peer);
    writer.len = 68;
    for (size_t i = 0; i < peer->context_count; i++) {
        size_t len = strlen(peer->contexts[i].syntax_uid);
        bytes_put_u16_be(&writer, 0x2100);
        bytes_put_u16_be(&writer, (uint16_t)(8 + len));
        bytes_put_u8(&writer, peer->contexts[i].id);
        bytes_put(&writer, "\0\0\0\x40\0", 5);
        bytes_put_u16_be(&writer, (uint16_t)len);
        bytes_put(&writer, peer->contexts[i].syntax_uid, len);
    }
    peer_send_pdu(peer, PEER_AC, bytes, writer.len);
    peer_serve(peer);
}

static void count_flaws(void *user, const struct dicomnet_log_record *record)
{
    struct record *test = user;
    if (record->event == DICOMNET_LOG_ASSOCIATION_FLAW) {
        cr_expect_eq(record->level, DICOMNET_LOG_WARN);
        test->flaws++;
    }
}

Test(negotiation, an_answer_without_user_information_or_application_context, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {0};
    const struct dicomnet_logger logger = {.write = count_flaws, .user = &record, .level = DICOMNET_LOG_WARN};
    struct dicomnet_association_options options = three_proposals();
    options.logger = &logger;
    meet(&record, accept_with_the_least, &options, "the least");
    cr_expect_eq(record.opened, 1);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
    cr_expect_eq(record.flaws, 2);
    cr_expect_eq(record.max_pdu, 16384);
}

Test(negotiation, maximum_pdu_length, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct {
        struct peer_accept accept;
        uint32_t expected;
    } rows[] = {
        {{.no_limit = true}, DICOMNET_ASSOCIATION_PEER_PDU_CAP},
        {{.no_max_len = true}, 16384},
        {{.max_len = 14}, 14},
        {{.max_len = 16}, 16},
        {{.max_len = 4096}, 4096},
        {{.max_len = 16383}, 16383},
        {{.max_len = DICOMNET_ASSOCIATION_PEER_PDU_CAP}, DICOMNET_ASSOCIATION_PEER_PDU_CAP},
        {{.max_len = DICOMNET_ASSOCIATION_PEER_PDU_CAP + 1}, DICOMNET_ASSOCIATION_PEER_PDU_CAP},
        {{.max_len = UINT32_MAX}, DICOMNET_ASSOCIATION_PEER_PDU_CAP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct record record = {.accept = rows[i].accept};
        negotiate(&record, 0);
        cr_expect_eq(record.opened, 1);
        cr_expect_eq(record.max_pdu, rows[i].expected, "row %zu: %u", i, record.max_pdu);
    }
}

/* Next to no room for data: such a peer is not worth sending to. */
Test(negotiation, maximum_pdu_length_without_room, .timeout = FIXTURE_TIMEOUT_S)
{
    for (uint32_t len = 1; len <= 12; len++) {
        struct record record = {.accept = {.max_len = len}};
        negotiate(&record, 0);
        cr_expect_eq(record.opened, 0);
        cr_expect_eq(record.end.error, DICOMNET_ERROR_PEER_UNUSABLE);
    }
}

static void send_numbers(struct record *record)
{
    const struct dicomnet_dimse_command request = {
        .field = DICOMNET_DIMSE_C_STORE_RQ, .present = DICOMNET_DIMSE_HAS_MESSAGE_ID, .message_id = 1};
    struct dicomnet_data_source *source = numbers_source_init(&record->numbers, 1000);
    cr_assert_eq(dicomnet_association_send(record->association, 1, &request, source), 0);
    dicomnet_association_release(record->association);
}

static void check_pdu_lengths(struct script_peer *peer)
{
    struct record *record = peer->user;
    peer_read_request(peer);
    peer_send_accept(peer, &record->accept);
    while (peer_read_pdu(peer) && peer->pdu_type == PEER_DATA)
        if (peer->pdu_len > record->accept.max_len)
            peer_fail(peer, "a P-DATA-TF of %u bytes, %u are allowed", peer->pdu_len, record->accept.max_len);
    peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
    peer_expect_end(peer);
}

Test(negotiation, every_small_peer_gets_what_fits, .timeout = FIXTURE_TIMEOUT_S)
{
    const struct dicomnet_association_options options = fixture_options(0);
    for (uint32_t len = 13; len <= 40; len++) {
        struct record record = {.accept = {.max_len = len}, .when_open = send_numbers};
        meet(&record, check_pdu_lengths, &options, "small peer");
        cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED, "%u", len);
        cr_expect_eq(record.sent, 1, "%u", len);
    }
}

Test(negotiation, contexts, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record all = {.accept = {.extra_items = true}};
    negotiate(&all, 0);
    cr_assert_eq(all.context_count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(all.contexts[i].id, 2 * i + 1);
        cr_expect_eq(all.contexts[i].result, DICOMNET_CONTEXT_ACCEPTED);
        cr_expect_str_eq(all.contexts[i].abstract_syntax, proposals[i].abstract_syntax);
        cr_expect_str_eq(all.contexts[i].transfer_syntax, proposals[i].syntaxes[0]);
    }
    cr_expect_str_eq(all.version, "SCRIPT_PEER");

    struct record some = {.accept = {.refused = 2, .result = 4, .left_out = 4}};
    negotiate(&some, 0);
    cr_expect_eq(some.contexts[0].result, DICOMNET_CONTEXT_ACCEPTED);
    cr_expect_eq(some.contexts[1].result, DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED);
    cr_expect_eq(some.contexts[2].result, DICOMNET_CONTEXT_NOT_ANSWERED);

    /* A syntax that the second context alone proposed. */
    struct record other = {.accept = {.syntax_uid = DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}};
    negotiate(&other, 0);
    cr_expect_neq(other.contexts[0].result, DICOMNET_CONTEXT_ACCEPTED, "accepted with a syntax that was not proposed");
    cr_expect_eq(other.contexts[1].result, DICOMNET_CONTEXT_ACCEPTED);
    cr_expect_str_eq(other.contexts[1].transfer_syntax, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN);
}

Test(negotiation, window, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct {
        uint16_t proposed, granted, expected;
    } rows[] = {{0, 0, 1}, {0, 9, 1}, {1, 9, 1}, {8, 0, 1}, {8, 1, 1}, {8, 4, 4}, {8, 8, 8}, {8, 9, 8}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct record record = {.accept = {.window = rows[i].granted}};
        negotiate(&record, rows[i].proposed);
        cr_expect_eq(record.window, rows[i].expected, "row %zu: %u", i, record.window);
    }
}

/* ---- what can be asked when ---- */

static void send_wrongly(struct record *record)
{
    struct dicomnet_association *association = record->association;
    const struct dicomnet_dimse_command echo = {
        .field = DICOMNET_DIMSE_C_ECHO_RQ, .present = DICOMNET_DIMSE_HAS_MESSAGE_ID, .message_id = 1};
    struct dicomnet_data_source *source = numbers_source_init(&record->numbers, MUCH_DATA);
    cr_expect_eq(dicomnet_association_send(association, 3, &echo, NULL), DICOMNET_ERROR_NO_CONTEXT, "refused");
    cr_expect_eq(dicomnet_association_send(association, 2, &echo, NULL), DICOMNET_ERROR_NO_CONTEXT, "never proposed");
    cr_expect_eq(dicomnet_association_send(association, 1, &echo, source), 0);
    cr_expect(!dicomnet_association_can_send(association));
    cr_expect_eq(dicomnet_association_send(association, 1, &echo, NULL), DICOMNET_ERROR_BUSY);
    dicomnet_association_release(association);
    dicomnet_association_release(association);
    cr_expect_eq(dicomnet_association_send(association, 1, &echo, NULL), DICOMNET_ERROR_NOT_OPEN,
                 "release was asked for");
}

static void serve_first_context(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.refused = 2, .result = 3});
    peer_sleep(100);
    if (!peer_read_message(peer) || peer->message.data_len != MUCH_DATA)
        peer_fail(peer, "the message is not whole: %u", (unsigned)peer->message.data_len);
    if (peer->message.data_hash != numbers_hash(MUCH_DATA))
        peer_fail(peer, "the message is not what was sent");
    peer_serve(peer);
}

static void send_too_early(struct record *record)
{
    const struct dicomnet_dimse_command echo = {
        .field = DICOMNET_DIMSE_C_ECHO_RQ, .present = DICOMNET_DIMSE_HAS_MESSAGE_ID, .message_id = 1};
    cr_expect_eq(dicomnet_association_send(record->association, 1, &echo, NULL), DICOMNET_ERROR_NOT_OPEN,
                 "not open yet");
    cr_expect(!dicomnet_association_can_send(record->association));
}

Test(negotiation, send_says_why_not, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.when_begun = send_too_early, .when_open = send_wrongly};
    struct dicomnet_association_options options = three_proposals();
    options.parameters.timeouts = dicomnet_association_default_timeouts; /* it takes as long as it takes */
    meet(&record, serve_first_context, &options, "serve");
    cr_expect_eq(record.sent, 1);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

Test(negotiation, open_says_why_not, .timeout = FIXTURE_TIMEOUT_S)
{
    struct fixture fixture;
    struct record record = {0};
    fixture_begin(&fixture);
    struct dicomnet_association_options options = fixture_options(1);
    options.proposal_count = 0;
    cr_expect_eq(dicomnet_association_open(&record.association, &fixture.loop, &options, &handler, &record), -EINVAL);
    options.proposal_count = DICOMNET_PDU_CONTEXTS_MAX + 1;
    cr_expect_eq(dicomnet_association_open(&record.association, &fixture.loop, &options, &handler, &record), -EINVAL);
    fixture_run(&fixture);
    cr_expect_eq(record.closed, 0, "no callback comes");
    fixture_end(&fixture);
}

/* ---- a source that does not keep its word ---- */

static void send_from_broken_source(struct record *record)
{
    const struct dicomnet_dimse_command request = {
        .field = DICOMNET_DIMSE_C_STORE_RQ, .present = DICOMNET_DIMSE_HAS_MESSAGE_ID, .message_id = 1};
    struct numbers_source broken = record->numbers;
    struct dicomnet_data_source *source = numbers_source_init(&record->numbers, 3 * 1000 * 1000);
    record->numbers.ends_at = broken.ends_at;
    record->numbers.error = broken.error;
    cr_assert_eq(dicomnet_association_send(record->association, 1, &request, source), 0);
}

static void read_until_end(struct script_peer *peer)
{
    peer_accept(peer);
    if (peer_read_message(peer))
        peer_fail(peer, "a broken message came whole");
    peer_expect_end(peer);
}

Test(negotiation, broken_source_aborts, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct {
        uint64_t ends_at;
        int error, expected;
    } rows[] = {{400 * 1000, 0, DICOMNET_ERROR_SOURCE_SHORT},
                {2 * 1000 * 1000, 0, DICOMNET_ERROR_SOURCE_SHORT},
                {400 * 1000, -EIO, -EIO},
                {2 * 1000 * 1000, -EIO, -EIO}};
    const struct dicomnet_association_options options = fixture_options(0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct record record = {.when_open = send_from_broken_source,
                                .numbers = {.ends_at = rows[i].ends_at, .error = rows[i].error}};
        meet(&record, read_until_end, &options, "broken source");
        cr_expect_eq(record.sent, 0);
        cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_ABORTED_BY_US);
        cr_expect_eq(record.end.error, rows[i].expected, "row %zu: %d", i, record.end.error);
    }
}

/* Nothing went out yet: the association is none the worse for it, and another message can follow. */
static void send_after_broken_source(struct record *record)
{
    const struct dicomnet_dimse_command request = {
        .field = DICOMNET_DIMSE_C_STORE_RQ, .present = DICOMNET_DIMSE_HAS_MESSAGE_ID, .message_id = 1};
    struct dicomnet_data_source *source = numbers_source_init(&record->numbers, 1000);
    record->numbers.ends_at = 500;
    cr_expect_eq(dicomnet_association_send(record->association, 1, &request, source), DICOMNET_ERROR_SOURCE_SHORT);
    cr_expect_eq(dicomnet_association_send_prepared(record->association), DICOMNET_ERROR_NOT_OPEN,
                 "nothing is prepared");
    record->numbers.error = -EIO;
    cr_expect_eq(dicomnet_association_prepare(record->association, 1, &request, source), -EIO);
    cr_expect(dicomnet_association_can_send(record->association));
    source = numbers_source_init(&record->numbers, 1000);
    cr_expect_eq(dicomnet_association_send(record->association, 1, &request, source), 0);
    dicomnet_association_release(record->association);
}

static void read_one_message(struct script_peer *peer)
{
    peer_accept(peer);
    if (!peer_read_message(peer) || peer->message.data_len != 1000)
        peer_fail(peer, "the good message did not come");
    if (peer_read_message(peer) || peer->pdu_type != PEER_RELEASE_RQ)
        peer_fail(peer, "something else came");
    peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
    peer_expect_end(peer);
}

Test(negotiation, broken_source_before_anything_went_out, .timeout = FIXTURE_TIMEOUT_S)
{
    const struct dicomnet_association_options options = fixture_options(0);
    struct record record = {.when_open = send_after_broken_source};
    meet(&record, read_one_message, &options, "one message");
    cr_expect_eq(record.sent, 1);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

/* ---- not connected ---- */

/* A socket of 127.0.0.1 that is bound and not listened to, or has its queue full; connections hang or are refused. */
static int make_socket(uint16_t *ret_port, bool listening)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    if (listening)
        cr_assert_eq(listen(fd, 0), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int connect_without_waiting(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)connect(fd, (struct sockaddr *)&address, sizeof address);
    return fd;
}

Test(negotiation, connection_refused, .timeout = FIXTURE_TIMEOUT_S)
{
    struct fixture fixture;
    struct record record = {0};
    uint16_t port;
    fixture_begin(&fixture);
    int fd = make_socket(&port, false);
    struct dicomnet_association_options options = fixture_options(port);
    cr_assert_eq(dicomnet_association_open(&record.association, &fixture.loop, &options, &handler, &record), 0);
    fixture_run(&fixture);
    close(fd);
    cr_expect_eq(record.closed, 1);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_NOT_CONNECTED);
    cr_expect_eq(record.end.error, -ECONNREFUSED);
    fixture_end(&fixture);
}

static void abort_now(uv_timer_t *timer)
{
    struct record *record = timer->data;
    dicomnet_association_abort(record->association, DICOMNET_ERROR_ABORTED_LOCALLY);
    uv_close((uv_handle_t *)timer, NULL);
}

/* The first is the one that counts; a second one does not wait for the peer to close. */
static void abort_twice(uv_timer_t *timer)
{
    struct record *record = timer->data;
    abort_now(timer);
    dicomnet_association_abort(record->association, DICOMNET_ERROR_TIMEOUT_DIMSE);
}

/* Nobody answers the connection: the connect timeout ends it, or we do. */
Test(negotiation, connection_that_hangs, .timeout = FIXTURE_TIMEOUT_S)
{
    for (int abort_it = 0; abort_it < 2; abort_it++) {
        struct fixture fixture;
        struct record record = {0};
        uv_timer_t timer;
        uint16_t port;
        int fillers[3];
        fixture_begin(&fixture);
        int fd = make_socket(&port, true);
        for (int i = 0; i < 3; i++)
            fillers[i] = connect_without_waiting(port);
        struct dicomnet_association_options options = fixture_options(port);
        cr_assert_eq(dicomnet_association_open(&record.association, &fixture.loop, &options, &handler, &record), 0);
        uv_timer_init(&fixture.loop, &timer);
        timer.data = &record;
        if (abort_it)
            uv_timer_start(&timer, abort_now, 50, 0);
        else
            uv_close((uv_handle_t *)&timer, NULL);
        uint64_t ms = fixture_run(&fixture);
        cr_expect_eq(record.closed, 1);
        cr_expect_eq(record.end.error, abort_it ? DICOMNET_ERROR_ABORTED_LOCALLY : DICOMNET_ERROR_TIMEOUT_CONNECT);
        cr_expect_eq(record.end.kind,
                     abort_it ? DICOMNET_ASSOCIATION_ABORTED_BY_US : DICOMNET_ASSOCIATION_NOT_CONNECTED);
        cr_expect_leq(ms, 2000);
        for (int i = 0; i < 3; i++)
            close(fillers[i]);
        close(fd);
        fixture_end(&fixture);
    }
}

/* ---- our own abort, at any moment ---- */

static void flood(struct record *record)
{
    const struct dicomnet_dimse_command request = {
        .field = DICOMNET_DIMSE_C_STORE_RQ, .present = DICOMNET_DIMSE_HAS_MESSAGE_ID, .message_id = 1};
    struct dicomnet_data_source *source = numbers_source_init(&record->numbers, 64 * 1000 * 1000);
    cr_assert_eq(dicomnet_association_send(record->association, 1, &request, source), 0);
}

static void stay_open(struct record *record) {}

static void release_only(struct record *record)
{
    dicomnet_association_release(record->association);
}

Test(negotiation, abort_at_any_moment, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct {
        const char *what;
        void (*script)(struct script_peer *peer);
        void (*when_open)(struct record *record);
        uint64_t after_ms;
    } rows[] = {{"on the first turn", script_accept_and_wait, stay_open, 0},
                {"waiting for the AC", script_silent_at_request, stay_open, 60},
                {"open", script_accept_and_wait, stay_open, 60},
                {"open, and it makes no difference to the peer", script_accept_and_stay, stay_open, 60},
                {"a write that is stuck", script_accept_and_stay, flood, 150},
                {"releasing", script_accept_and_wait, release_only, 60}};
    for (size_t n = 0; n < 2 * sizeof rows / sizeof rows[0]; n++) {
        size_t i = n / 2;
        bool twice = n % 2 == 1;
        struct fixture fixture;
        struct record record = {.when_open = rows[i].when_open};
        uv_timer_t timer;
        struct script_peer *peer = fixture_begin_with_peer(&fixture, rows[i].script, NULL);
        struct dicomnet_association_options options = fixture_options(peer->port);
        cr_assert_eq(dicomnet_association_open(&record.association, &fixture.loop, &options, &handler, &record), 0);
        uv_timer_init(&fixture.loop, &timer);
        timer.data = &record;
        uv_timer_start(&timer, twice ? abort_twice : abort_now, rows[i].after_ms, 0);
        uint64_t ms = fixture_run(&fixture);
        cr_expect_eq(record.closed, 1, "%s", rows[i].what);
        cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_ABORTED_BY_US, "%s", rows[i].what);
        cr_expect_eq(record.end.error, DICOMNET_ERROR_ABORTED_LOCALLY, "%s: %d", rows[i].what, record.end.error);
        cr_expect_leq(ms, 3000, "%s: took %u ms", rows[i].what, (unsigned)ms);
        script_peer_stop(peer); /* a peer that is cut off before its request may complain */
        free(peer);
        fixture_end(&fixture);
    }
}
