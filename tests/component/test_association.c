/*
 * An association as requestor, against a peer that follows a script. Whatever the peer does, `closed` comes once, last,
 * and says what happened.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "fixture.h"
#include "scripts.h"

enum { SOME_DATA = 300 * 1000, MUCH_DATA = 64 * 1000 * 1000, ANY_ERROR = 1 };

/* What our side does once the association is open. */
enum behaviour {
    RELEASE, /* release at once */
    WAIT,    /* nothing: the peer is to act */
    ASK,     /* send a message of SOME_DATA bytes, release when its answer has come */
    FLOOD    /* send a message of MUCH_DATA bytes, release when it has left */
};

/* What a peer sends to the letter, and the A-ABORT that it must read for it. */
struct exact_bytes {
    const char *bytes;
    size_t len;
    uint8_t source, reason;
};

struct record {
    enum behaviour behaviour;
    const struct exact_bytes *sends;   /* for the scripts that send exact bytes */
    const struct leaving_peer *leaves; /* for leave_there */
    struct dicomnet_association *association;
    struct numbers_source numbers;
    unsigned opened, commands, sent, closed;
    uint16_t status;
    struct dicomnet_association_end end;
};

/* A peer that goes so far and then ends it in some way. */
struct leaving_peer {
    const char *what;
    void (*until)(struct script_peer *peer);
    void (*then)(struct script_peer *peer);
    enum behaviour behaviour;
    enum dicomnet_association_end_kind kind;
    int error; /* ANY_ERROR: any but 0 */
};

static void on_opened(struct dicomnet_association *association, void *user)
{
    struct record *record = user;
    const struct dicomnet_dimse_command request = {
        .present = DICOMNET_DIMSE_HAS_MESSAGE_ID | DICOMNET_DIMSE_HAS_CLASS_UID | DICOMNET_DIMSE_HAS_PRIORITY,
        .field = DICOMNET_DIMSE_C_STORE_RQ,
        .message_id = 77,
        .class_uid = FIXTURE_CLASS};
    record->opened++;
    cr_assert_eq(record->closed, 0);
    if (record->behaviour == RELEASE)
        dicomnet_association_release(association);
    if (record->behaviour == WAIT || record->behaviour == RELEASE)
        return;
    uint64_t len = record->behaviour == ASK ? SOME_DATA : MUCH_DATA;
    cr_assert(dicomnet_association_can_send(association));
    cr_assert_eq(dicomnet_association_send(association, 1, &request, numbers_source_init(&record->numbers, len)), 0);
    if (record->behaviour == FLOOD)
        dicomnet_association_release(association);
}

static void on_command(struct dicomnet_association *association, void *user, uint8_t context_id,
                       const struct dicomnet_dimse_command *command)
{
    struct record *record = user;
    record->commands++;
    record->status = command->status;
    cr_assert_eq(context_id, 1);
    cr_assert_eq(record->closed, 0);
    if (record->behaviour == ASK)
        dicomnet_association_release(association);
}

static void on_sent(struct dicomnet_association *association, void *user)
{
    struct record *record = user;
    record->sent++;
    cr_assert_eq(record->closed, 0);
}

static void on_closed(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end)
{
    struct record *record = user;
    record->closed++;
    record->end = *end;
}

static const struct dicomnet_association_handler handler = {
    .opened = on_opened, .command = on_command, .sent = on_sent, .closed = on_closed};

/* Open an association with a peer that plays that script, and run until all is over. Returns the milliseconds. */
static uint64_t play(struct record *record, void (*script)(struct script_peer *peer), const char *what)
{
    struct fixture fixture;
    struct script_peer *peer = fixture_begin_with_peer(&fixture, script, record);
    struct dicomnet_association_options options = fixture_options(peer->port);
    cr_assert_eq(dicomnet_association_open(&record->association, &fixture.loop, &options, &handler, record), 0);
    cr_assert_eq(record->opened + record->closed, 0, "no callback from within dicomnet_association_open");
    uint64_t ms = fixture_run(&fixture);
    cr_expect_eq(record->closed, 1, "%s: closed came %u times", what, record->closed);
    fixture_end_peer(peer, what);
    fixture_end(&fixture);
    return ms;
}

/* ---- scripts: before the answer ---- */

static void byte_by_byte(struct script_peer *peer)
{
    peer->byte_by_byte = true;
    script_serve(peer);
}

static void reject_for_now_and_close(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_short(peer, PEER_RJ, 2, 3, 2);
}

static void abort_at_request(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_abort(peer, 2, 6);
}

static void reset_unread(struct script_peer *peer)
{
    peer_sleep(30);
    peer_reset(peer);
}

static void send_half_accept(struct script_peer *peer)
{
    uint8_t bytes[PEER_PDU_MAX + 6] = {PEER_AC};
    peer_read_request(peer);
    size_t len = peer_build_accept(peer, &(struct peer_accept){0}, bytes + 6);
    set_u32_be(bytes + 2, (uint32_t)len);
    peer_send(peer, bytes, len / 2);
}

static void half_accept_then_silence(struct script_peer *peer)
{
    send_half_accept(peer);
    peer_expect_end(peer);
}

/* What must be read when the other side gives up: an A-ABORT from that source, for that reason, and then the end. */
static void expect_abort(struct script_peer *peer, uint8_t source, uint8_t reason)
{
    if (peer_expect(peer, PEER_ABORT) && (peer->pdu_len != 4 || peer->pdu[2] != source || peer->pdu[3] != reason))
        peer_fail(peer, "A-ABORT from %u, reason %u", peer->pdu[2], peer->pdu[3]);
    peer_expect_end(peer);
}

/* Sends them at once, as other servers do that speak first, and reads the A-ASSOCIATE-RQ all the same. */
static void send_bytes_first(struct script_peer *peer)
{
    const struct exact_bytes *sends = ((const struct record *)peer->user)->sends;
    peer_send(peer, sends->bytes, sends->len);
    peer_read_request(peer);
    expect_abort(peer, sends->source, sends->reason);
}

static void send_bytes_first_slowly(struct script_peer *peer)
{
    peer->byte_by_byte = true;
    send_bytes_first(peer);
}

/* The other side gives up for them as the test says. */
static void send_bytes(struct script_peer *peer)
{
    const struct exact_bytes *sends = ((const struct record *)peer->user)->sends;
    peer_send(peer, sends->bytes, sends->len);
    expect_abort(peer, sends->source, sends->reason);
}

static void answer_with_bytes(struct script_peer *peer)
{
    peer_read_request(peer);
    send_bytes(peer);
}

static void accept_malformed(struct script_peer *peer)
{
    uint8_t bytes[PEER_PDU_MAX];
    peer_read_request(peer);
    size_t len = peer_build_accept(peer, &(struct peer_accept){0}, bytes);
    bytes[70] = 0xff; /* length of the first item */
    peer_send_pdu(peer, PEER_AC, bytes, len);
    expect_abort(peer, 2, 6);
}

static void accept_too_small(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.max_len = 12});
    expect_abort(peer, 2, 6);
}

static void request_for_answer(struct script_peer *peer)
{
    uint8_t bytes[PEER_PDU_MAX];
    peer_read_request(peer);
    size_t len = peer_build_request(&(struct peer_request){.context_count = 1, .classes = {FIXTURE_CLASS}}, bytes);
    peer_send_pdu(peer, PEER_RQ, bytes, len);
    expect_abort(peer, 2, 2);
}

/* ---- scripts: while it is open ---- */

static void send_bytes_when_open(struct script_peer *peer)
{
    peer_accept(peer);
    send_bytes(peer);
}

static void release_when_open(struct script_peer *peer)
{
    peer_accept(peer);
    if (peer_release(peer))
        peer_close(peer);
}

static void release_and_linger(struct script_peer *peer)
{
    peer_accept(peer);
    peer_release(peer);
    peer_expect_end(peer);
}

static void accept_twice(struct script_peer *peer)
{
    peer_accept(peer);
    peer_send_accept(peer, &(struct peer_accept){0});
    expect_abort(peer, 2, 2);
}

/* One byte now and then inside a PDU: it moves, and never ends. */
static void trickle_when_open(struct script_peer *peer)
{
    static const uint8_t half[] = {PEER_DATA, 0, 0, 0, 0, 200, 0, 0, 0, 196, 1, 1};
    peer_accept(peer);
    peer_send(peer, half, sizeof half);
    for (unsigned i = 0; i < 100 && peer_send(peer, "", 1); i++)
        peer_sleep(40);
    peer_expect_end(peer);
}

static void unknown_context(struct script_peer *peer)
{
    peer_accept(peer);
    peer_send_command(peer, &(struct peer_command){.context_id = 3, .field = 0x8030});
    expect_abort(peer, 2, 6);
}

static void refused_context(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.refused = 1, .result = 3});
    peer_send_command(peer, &(struct peer_command){.context_id = 1, .field = 0x8030});
    expect_abort(peer, 2, 6);
}

/* ---- scripts: while we send ---- */

static void read_some(struct script_peer *peer)
{
    static uint8_t bytes[100 * 1000];
    peer_accept(peer);
    peer_read(peer, bytes, sizeof bytes);
}

/* The write under way is finished first, then the release answered. */
static void release_in_message(struct script_peer *peer)
{
    read_some(peer);
    peer_send_release(peer);
    peer_sleep(500); /* not a byte more gets through before the other side has read that */
    peer_expect_end(peer);
}

static void never_reads(struct script_peer *peer)
{
    peer_accept(peer);
    peer_sleep(1500);
}

/* Reads for longer than the network timeout, but never rests that long. */
static void reads_slowly(struct script_peer *peer)
{
    static uint8_t bytes[4 * 1000 * 1000];
    peer_accept(peer);
    for (int i = 0; i < 8; i++) {
        peer_sleep(150);
        if (!peer_read(peer, bytes, sizeof bytes)) {
            peer_fail(peer, "the connection ended");
            return;
        }
    }
    peer_reset(peer);
}

static void answers_early(struct script_peer *peer)
{
    peer_accept(peer);
    peer_read_pdu(peer);
    peer_send_command(peer,
                      &(struct peer_command){.context_id = 1, .field = 0x8001, .message_id = 77, .status = 0x1234});
    while (peer_read_pdu(peer) && peer->pdu_type == PEER_DATA)
        ;
    if (peer->pdu_type == PEER_RELEASE_RQ)
        peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
    else
        peer_fail(peer, "PDU type %u, not a release", peer->pdu_type);
    peer_expect_end(peer);
}

/* ---- scripts: while we release ---- */

static void expect_release(struct script_peer *peer)
{
    peer_accept(peer);
    peer_expect(peer, PEER_RELEASE_RQ);
}

/* PS3.8 9.2.2.5: the requestor answers first, then gets its own answer; here it waits for that. */
static void collide(struct script_peer *peer)
{
    expect_release(peer);
    peer_send_release(peer);
    peer_expect(peer, PEER_RELEASE_RP);
}

static void collide_at_release(struct script_peer *peer)
{
    collide(peer);
    peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
    peer_expect_end(peer);
}

static void collide_and_be_silent(struct script_peer *peer)
{
    collide(peer);
    peer_expect_end(peer);
}

static void message_at_release(struct script_peer *peer)
{
    expect_release(peer);
    peer_send_command(peer, &(struct peer_command){.context_id = 1, .field = 0x8001, .status = 5});
    peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
    peer_expect_end(peer);
}

/* ---- peers that leave ---- */

static void when_asked(struct script_peer *peer)
{
    peer_read_request(peer);
}

static void when_open(struct script_peer *peer)
{
    peer_accept(peer);
}

static void with_fin(struct script_peer *peer)
{
    peer_close(peer);
}

static void with_rst(struct script_peer *peer)
{
    peer_sleep(30); /* so that what was said before has been read */
    peer_reset(peer);
}

/* Nothing more is read before the other side has ended it: in a message its write is stuck until then. */
static void with_abort(struct script_peer *peer)
{
    const struct record *record = peer->user;
    peer_send_abort(peer, 0, 0);
    for (unsigned i = 0; i < 300 && __atomic_load_n(&record->closed, __ATOMIC_RELAXED) == 0; i++)
        peer_sleep(10);
    peer_expect_end(peer);
}

static void with_silence(struct script_peer *peer)
{
    expect_abort(peer, 0, 0);
}

static void leave_there(struct script_peer *peer)
{
    const struct leaving_peer *leaves = ((const struct record *)peer->user)->leaves;
    leaves->until(peer);
    leaves->then(peer);
}

/* ---- the cases ---- */

static const struct scripted_end {
    const char *what;
    void (*script)(struct script_peer *peer);
    enum behaviour behaviour;
    unsigned opened, commands, sent;
    enum dicomnet_association_end_kind kind;
    int error; /* ANY_ERROR: any but 0 */
} cases[] = {
    {"accept, release", script_serve, RELEASE, 1, 0, 0, DICOMNET_ASSOCIATION_RELEASED, 0},
    {"accept, ask, release", script_serve, ASK, 1, 1, 1, DICOMNET_ASSOCIATION_RELEASED, 0},
    {"one byte at a time", byte_by_byte, ASK, 1, 1, 1, DICOMNET_ASSOCIATION_RELEASED, 0},
    {"rejected for good", script_reject_for_good, WAIT, 0, 0, 0, DICOMNET_ASSOCIATION_REJECTED,
     DICOMNET_ERROR_REJECTED},
    {"rejected for now", reject_for_now_and_close, WAIT, 0, 0, 0, DICOMNET_ASSOCIATION_REJECTED,
     DICOMNET_ERROR_REJECTED},
    {"abort at request", abort_at_request, WAIT, 0, 0, 0, DICOMNET_ASSOCIATION_ABORTED_BY_PEER, DICOMNET_ERROR_ABORTED},
    {"RST before reading", reset_unread, WAIT, 0, 0, 0, DICOMNET_ASSOCIATION_LOST, ANY_ERROR},
    {"half an AC, FIN", send_half_accept, WAIT, 0, 0, 0, DICOMNET_ASSOCIATION_LOST, DICOMNET_ERROR_PEER_CLOSED},
    {"half an AC, silence", half_accept_then_silence, WAIT, 0, 0, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US,
     DICOMNET_ERROR_TIMEOUT_ACSE},
    {"a trickle in a PDU", trickle_when_open, WAIT, 1, 0, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US,
     DICOMNET_ERROR_TIMEOUT_NETWORK},
    {"AC malformed", accept_malformed, WAIT, 0, 0, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_PDU_MALFORMED},
    {"AC of a peer without room", accept_too_small, WAIT, 0, 0, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US,
     DICOMNET_ERROR_PEER_UNUSABLE},
    {"RQ for an answer", request_for_answer, WAIT, 0, 0, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US,
     DICOMNET_ERROR_PDU_UNEXPECTED},
    {"release when open", release_when_open, WAIT, 1, 0, 0, DICOMNET_ASSOCIATION_RELEASED, 0},
    {"release, and does not close", release_and_linger, WAIT, 1, 0, 0, DICOMNET_ASSOCIATION_RELEASED, 0},
    {"AC twice", accept_twice, WAIT, 1, 0, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_PDU_UNEXPECTED},
    {"unknown context", unknown_context, WAIT, 1, 0, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_NO_CONTEXT},
    {"refused context", refused_context, WAIT, 1, 0, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_NO_CONTEXT},
    {"release in a message", release_in_message, FLOOD, 1, 0, 0, DICOMNET_ASSOCIATION_RELEASED,
     DICOMNET_ERROR_RELEASED},
    {"never reads", never_reads, FLOOD, 1, 0, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_NETWORK},
    {"reads slowly", reads_slowly, FLOOD, 1, 0, 0, DICOMNET_ASSOCIATION_LOST, ANY_ERROR},
    {"answers early", answers_early, ASK, 1, 1, 1, DICOMNET_ASSOCIATION_RELEASED, 0},
    {"release collision", collide_at_release, RELEASE, 1, 0, 0, DICOMNET_ASSOCIATION_RELEASED, 0},
    {"release collision, silence", collide_and_be_silent, RELEASE, 1, 0, 0, DICOMNET_ASSOCIATION_RELEASED, 0},
    {"message at release", message_at_release, RELEASE, 1, 1, 0, DICOMNET_ASSOCIATION_RELEASED, 0},
};

static void run_case(const struct scripted_end *c, const struct exact_bytes *sends, const struct leaving_peer *leaves)
{
    struct record record = {.behaviour = c->behaviour, .sends = sends, .leaves = leaves};
    char text[160];
    uint64_t ms = play(&record, c->script, c->what);
    dicomnet_association_describe_end(&record.end, text, sizeof text);
    cr_expect_eq(record.opened, c->opened, "%s: opened %u times", c->what, record.opened);
    cr_expect_eq(record.commands, c->commands, "%s: %u commands", c->what, record.commands);
    cr_expect_eq(record.sent, c->sent, "%s: sent %u times", c->what, record.sent);
    cr_expect_eq(record.end.kind, c->kind, "%s: %s", c->what, text);
    if (c->error == ANY_ERROR)
        cr_expect_neq(record.end.error, 0, "%s: %s", c->what, text);
    else
        cr_expect_eq(record.end.error, c->error, "%s: %s (%d)", c->what, text, record.end.error);
    cr_expect_leq(ms, 6000, "%s: took %u ms", c->what, (unsigned)ms);
    cr_expect_gt(strlen(text), 0);
}

/* A quarter of the cases each, so that none runs into the time limit. */
static void run_cases(size_t part)
{
    for (size_t i = part; i < sizeof cases / sizeof cases[0]; i += 4)
        run_case(&cases[i], NULL, NULL);
}

Test(association, ends_as_the_peer_wants_1, .timeout = FIXTURE_TIMEOUT_S)
{
    run_cases(0);
}
Test(association, ends_as_the_peer_wants_2, .timeout = FIXTURE_TIMEOUT_S)
{
    run_cases(1);
}
Test(association, ends_as_the_peer_wants_3, .timeout = FIXTURE_TIMEOUT_S)
{
    run_cases(2);
}
Test(association, ends_as_the_peer_wants_4, .timeout = FIXTURE_TIMEOUT_S)
{
    run_cases(3);
}

/* clang-format off */
#define SENDS(text, source, reason) {(text), sizeof(text) - 1, (source), (reason)}
static const struct {
    const char *what;
    void (*script)(struct script_peer *peer);
    struct exact_bytes sends;
    int error;
} byte_cases[] = {
    {"garbage at request", answer_with_bytes, SENDS("HTTP/1.1 400 Bad Request\r\n\r\n", 2, 1),
     DICOMNET_ERROR_PEER_SPEAKS_HTTP},
    {"TLS", send_bytes_first, SENDS("\x15\x03\x03\0\2\2\x46", 2, 1), DICOMNET_ERROR_PEER_SPEAKS_TLS},
    {"HTTP, slowly", send_bytes_first_slowly, SENDS("HTTP/1.0 400 Bad Request\r\n", 2, 1),
     DICOMNET_ERROR_PEER_SPEAKS_HTTP},
    {"SSH", send_bytes_first, SENDS("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 2, 1), DICOMNET_ERROR_PEER_SPEAKS_SSH},
    {"HL7", send_bytes_first, SENDS("\x0BMSH|^~\\&|PACS\rMSA|AR\r\x1C\r", 2, 1), DICOMNET_ERROR_PEER_SPEAKS_HL7},
    {"FTP", send_bytes_first, SENDS("220 (vsFTPd 3.0.3)\r\n", 2, 1), DICOMNET_ERROR_PEER_SPEAKS_MAIL_OR_FTP},
    {"SMTP", send_bytes_first, SENDS("220-mail.example ESMTP Exim\r\n", 2, 1), DICOMNET_ERROR_PEER_SPEAKS_MAIL_OR_FTP},
    {"MySQL", send_bytes_first, SENDS("J\0\0\0\n8.0.36", 2, 1), DICOMNET_ERROR_PEER_SPEAKS_OTHER},
    {"AC too long", answer_with_bytes, SENDS("\x02\0\x7f\xff\xff\xff", 2, 6), DICOMNET_ERROR_PDU_TOO_LONG},
    {"data for an answer", answer_with_bytes, SENDS("\x04\0\0\0\0\x0A\0\0\0\6\1\3data", 2, 2),
     DICOMNET_ERROR_PDU_UNEXPECTED},
    {"release for an answer", answer_with_bytes, SENDS("\x05\0\0\0\0\4\0\0\0\0", 2, 2), DICOMNET_ERROR_PDU_UNEXPECTED},
    {"released for an answer", answer_with_bytes, SENDS("\x06\0\0\0\0\4\0\0\0\0", 2, 2),
     DICOMNET_ERROR_PDU_UNEXPECTED},
    {"unknown PDU", send_bytes_when_open, SENDS("\x42\0\0\0\0\4\0\0\0\0", 2, 1), DICOMNET_ERROR_PDU_UNKNOWN},
    {"P-DATA too long", send_bytes_when_open, SENDS("\x04\0\0\2\0\1", 2, 6), DICOMNET_ERROR_PDU_TOO_LONG},
    {"P-DATA without PDV", send_bytes_when_open, SENDS("\x04\0\0\0\0\0", 2, 6), DICOMNET_ERROR_PDU_MALFORMED},
    {"PDV past its PDU", send_bytes_when_open, SENDS("\x04\0\0\0\0\x08\0\0\0\x64\1\3\0\0", 2, 6),
     DICOMNET_ERROR_PDU_MALFORMED},
    {"PDV of length 1", send_bytes_when_open, SENDS("\x04\0\0\0\0\x06\0\0\0\1\1\3", 2, 6),
     DICOMNET_ERROR_PDU_MALFORMED},
    {"data without command", send_bytes_when_open, SENDS("\x04\0\0\0\0\x0A\0\0\0\6\1\2data", 0, 0),
     DICOMNET_ERROR_DIMSE_UNEXPECTED},
    {"unreadable command", send_bytes_when_open, SENDS("\x04\0\0\0\0\x0E\0\0\0\x0A\1\3\0\0\0\1\377\377\377\177", 0, 0),
     DICOMNET_ERROR_DIMSE_MALFORMED},
};
/* clang-format on */

Test(association, aborts_for_bytes_that_make_no_sense, .timeout = FIXTURE_TIMEOUT_S)
{
    for (size_t i = 0; i < sizeof byte_cases / sizeof byte_cases[0]; i++) {
        const struct scripted_end expected = {.what = byte_cases[i].what,
                                              .script = byte_cases[i].script,
                                              .behaviour = WAIT,
                                              .opened = byte_cases[i].script == send_bytes_when_open,
                                              .kind = DICOMNET_ASSOCIATION_ABORTED_BY_US,
                                              .error = byte_cases[i].error};
        run_case(&expected, &byte_cases[i].sends, NULL);
    }
}

static const struct leaving_peer leaving_peers[] = {
    {"FIN at request", when_asked, with_fin, WAIT, DICOMNET_ASSOCIATION_LOST, DICOMNET_ERROR_PEER_CLOSED},
    {"RST at request", when_asked, with_rst, WAIT, DICOMNET_ASSOCIATION_LOST, -ECONNRESET},
    {"silent at request", when_asked, with_silence, WAIT, DICOMNET_ASSOCIATION_ABORTED_BY_US,
     DICOMNET_ERROR_TIMEOUT_ACSE},
    {"FIN when open", when_open, with_fin, WAIT, DICOMNET_ASSOCIATION_LOST, DICOMNET_ERROR_PEER_CLOSED},
    {"RST when open", when_open, with_rst, WAIT, DICOMNET_ASSOCIATION_LOST, -ECONNRESET},
    {"abort when open", when_open, with_abort, WAIT, DICOMNET_ASSOCIATION_ABORTED_BY_PEER, DICOMNET_ERROR_ABORTED},
    {"FIN in a message", read_some, with_fin, FLOOD, DICOMNET_ASSOCIATION_LOST, ANY_ERROR},
    {"RST in a message", read_some, with_rst, FLOOD, DICOMNET_ASSOCIATION_LOST, ANY_ERROR},
    {"abort in a message", read_some, with_abort, FLOOD, DICOMNET_ASSOCIATION_ABORTED_BY_PEER, DICOMNET_ERROR_ABORTED},
    {"FIN at release", expect_release, with_fin, RELEASE, DICOMNET_ASSOCIATION_LOST, DICOMNET_ERROR_PEER_CLOSED},
    {"RST at release", expect_release, with_rst, RELEASE, DICOMNET_ASSOCIATION_LOST, -ECONNRESET},
    {"abort at release", expect_release, with_abort, RELEASE, DICOMNET_ASSOCIATION_ABORTED_BY_PEER,
     DICOMNET_ERROR_ABORTED},
    {"silent at release", expect_release, with_silence, RELEASE, DICOMNET_ASSOCIATION_ABORTED_BY_US,
     DICOMNET_ERROR_TIMEOUT_RELEASE},
    {"release collision, FIN", collide, with_fin, RELEASE, DICOMNET_ASSOCIATION_RELEASED, 0},
};

Test(association, ends_where_the_peer_leaves, .timeout = FIXTURE_TIMEOUT_S)
{
    for (size_t i = 0; i < sizeof leaving_peers / sizeof leaving_peers[0]; i++) {
        const struct leaving_peer *peer = &leaving_peers[i];
        const struct scripted_end expected = {.what = peer->what,
                                              .script = leave_there,
                                              .behaviour = peer->behaviour,
                                              .opened = peer->until != when_asked,
                                              .kind = peer->kind,
                                              .error = peer->error};
        run_case(&expected, NULL, peer);
    }
}

Test(association, reject_and_abort_say_why, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record rejected = {.behaviour = WAIT}, for_now = rejected, aborted = rejected;
    play(&rejected, script_reject_for_good, "reject");
    cr_expect_eq(rejected.end.reject.result, 1);
    cr_expect_eq(rejected.end.reject.source, 1);
    cr_expect_eq(rejected.end.reject.reason, 7);
    play(&for_now, reject_for_now_and_close, "reject");
    cr_expect_eq(for_now.end.reject.result, 2);
    play(&aborted, abort_at_request, "abort");
    cr_expect_eq(aborted.end.abort.source, 2);
    cr_expect_eq(aborted.end.abort.reason, 6);
}
