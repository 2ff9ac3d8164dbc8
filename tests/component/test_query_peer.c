/*
 * C-FIND and C-GET against peers that follow a script: first our user side, then our provider side.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fixture.h"
#include "provider.h"

enum { FIND_RQ = 0x0020, GET_RQ = 0x0010, STORE_RQ = 0x0001, NESTED = 10000 };

#define FIND DICOMNET_UID_STUDY_ROOT_FIND

/* A match: StudyInstanceUID in Explicit VR Little Endian. */
static const char match_bytes[] = "\x20\x00\x0D\x00UI\x04\x00"
                                  "1.2";
enum { MATCH_LEN = 12 };

/* 10,000 sequences in each other, of undefined length and without an end; free() them. */
static uint8_t *nested_bytes(size_t *ret_len)
{
    static const char level[] = "\x40\x00\x75\x02SQ\x00\x00\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF";
    *ret_len = NESTED * (sizeof level - 1);
    uint8_t *bytes = malloc(*ret_len);
    for (size_t i = 0; i < NESTED; i++)
        memcpy(bytes + i * (sizeof level - 1), level, sizeof level - 1);
    return bytes;
}

/* A data set in as many PDUs as it takes. */
static bool send_data_set(struct script_peer *peer, const uint8_t *bytes, size_t len)
{
    enum { PIECE = 16000 };
    for (size_t done = 0; done < len; done += PIECE) {
        size_t piece = len - done < PIECE ? len - done : PIECE;
        if (!peer_send_pdv(peer, 1, done + piece == len ? 0x02 : 0x00, bytes + done, piece))
            return false;
    }
    return true;
}

/* ---- our user side ---- */

struct record {
    struct dicomnet_query_user *user;
    struct dicomnet_query query;
    struct dicomnet_identifier keys;
    unsigned matches, ended, closed;
    struct dicomnet_association_end end;
    bool list_came;
    struct peer_command wrong; /* for play_wrong_response */
};

static void on_opened(struct dicomnet_query_user *user, void *context)
{
    struct record *record = context;
    cr_assert_eq(dicomnet_query_user_begin(user, &record->query), 0);
}

static void on_match(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *match)
{
    struct record *record = context;
    char text[65];
    record->matches++;
    cr_assert(dicomnet_identifier_get_text(match, DICOMNET_TAG_STUDY_INSTANCE_UID, text, sizeof text));
    cr_assert_str_eq(text, "1.2");
}

static void on_ended(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *failed)
{
    struct record *record = context;
    record->ended++;
    record->list_came = failed != NULL;
    dicomnet_query_user_release(user);
}

static void on_closed(struct dicomnet_query_user *user, void *context, const struct dicomnet_association_end *end)
{
    struct record *record = context;
    record->closed++;
    record->end = *end;
}

static const struct dicomnet_query_user_handler user_handler = {
    .opened = on_opened, .match = on_match, .ended = on_ended, .closed = on_closed};

static void ask(struct record *record, void (*play)(struct script_peer *peer), const char *what)
{
    struct fixture fixture;
    dicomnet_identifier_init(&record->keys);
    cr_assert_eq(dicomnet_identifier_set_text(&record->keys, DICOMNET_TAG_STUDY_INSTANCE_UID, "1.2"), 0);
    record->query = (struct dicomnet_query){
        .service = DICOMNET_QUERY_FIND, .model = DICOMNET_QUERY_STUDY_ROOT, .identifier = &record->keys, .priority = 2};
    struct script_peer *peer = fixture_begin_with_peer(&fixture, play, record);
    const struct dicomnet_association_proposal proposal = {
        .abstract_syntax = FIND, .syntax_count = 1, .syntaxes = {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN}};
    struct dicomnet_association_options options = fixture_options(peer->port);
    options.proposals = &proposal;
    const struct dicomnet_query_user_options user_options = {
        .size = sizeof(struct dicomnet_query_user_options), .handler = &user_handler, .context = record};
    cr_assert_eq(dicomnet_query_user_open(&record->user, &fixture.loop, &options, &user_options), 0);
    fixture_run(&fixture);
    fixture_end_peer(peer, what);
    fixture_end(&fixture);
    dicomnet_identifier_fini(&record->keys);
    cr_expect_eq(record->closed, 1, "%s", what);
    cr_expect_eq(record->ended, 1, "%s: a query ends once", what);
}

/* Accept, and read the request. */
static bool play_request(struct script_peer *peer)
{
    if (!peer_accept(peer) || !peer_read_message(peer))
        return false;
    const struct peer_message *message = &peer->message;
    if (message->field != FIND_RQ || message->message_id != 1 || message->priority != 2 ||
        strcmp(message->class_uid, FIND) != 0 || message->data_len != MATCH_LEN ||
        message->data_hash != script_hash(0, (const uint8_t *)match_bytes, MATCH_LEN))
        peer_fail(peer, "the C-FIND-RQ is wrong");
    return true;
}

static bool send_pending(struct script_peer *peer)
{
    struct peer_command response = peer_response(peer, 0xFF00);
    response.has_data = true;
    return peer_send_command(peer, &response);
}

static void play_matches(struct script_peer *peer)
{
    if (!play_request(peer))
        return;
    peer->byte_by_byte = true;
    for (int i = 0; i < 3; i++) {
        send_pending(peer);
        peer_send_pdv(peer, 1, 0x00, match_bytes, 5);
        peer_send_pdv(peer, 1, 0x00, NULL, 0);
        peer_send_pdv(peer, 1, 0x02, match_bytes + 5, MATCH_LEN - 5);
    }
    struct peer_command response = peer_response(peer, 0xA900);
    response.comment = "no such level";
    peer_send_command(peer, &response);
    peer_serve(peer);
}

Test(query_user, matches_come_in_any_number_of_pieces, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {0};
    ask(&record, play_matches, "pieces");
    cr_assert_eq(record.matches, 3);
    cr_assert_eq(record.query.status, DICOMNET_STATUS_DATA_SET_MISMATCH);
    cr_assert_str_eq(record.query.comment, "no such level");
    cr_assert_eq(record.query.error, 0);
    cr_assert_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

static void play_nested(struct script_peer *peer)
{
    size_t len;
    uint8_t *bytes = nested_bytes(&len);
    if (play_request(peer) && send_pending(peer))
        send_data_set(peer, bytes, len);
    peer_expect_end(peer);
    free(bytes);
}

static void play_garbage(struct script_peer *peer)
{
    if (play_request(peer) && send_pending(peer))
        peer_send_pdv(peer, 1, 0x02, "garbage that is no data set", 27);
    peer_expect_end(peer);
}

static void play_too_long(struct script_peer *peer)
{
    size_t len = DICOMNET_IDENTIFIER_SIZE_MAX + 20000;
    uint8_t *bytes = calloc(1, len);
    if (play_request(peer) && send_pending(peer))
        send_data_set(peer, bytes, len);
    peer_expect_end(peer);
    free(bytes);
}

/* The final response, but for the members of record->wrong that are not 0. */
static void play_wrong_response(struct script_peer *peer)
{
    if (play_request(peer))
        peer_answer_with(peer, &((const struct record *)peer->user)->wrong);
    peer_expect_end(peer);
}

static void play_no_match(struct script_peer *peer)
{
    if (play_request(peer))
        peer_answer(peer, 0xFF00);
    peer_expect_end(peer);
}

static void play_silence(struct script_peer *peer)
{
    play_request(peer);
    peer_expect_end(peer);
}

static void play_death(struct script_peer *peer)
{
    if (play_request(peer) && send_pending(peer) && peer_send_pdv(peer, 1, 0x02, match_bytes, MATCH_LEN) &&
        send_pending(peer))
        peer_send_pdv(peer, 1, 0x00, match_bytes, 5);
    peer_close(peer);
}

Test(query_user, peers_that_misbehave, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct {
        const char *what;
        void (*play)(struct script_peer *peer);
        int error;
        unsigned matches;
        struct peer_command wrong;
    } cases[] = {
        {"nested sequences", play_nested, DICOMNET_ERROR_IDENTIFIER_TOO_DEEP, 0, {0}},
        {"garbage", play_garbage, DICOMNET_ERROR_IDENTIFIER_MALFORMED, 0, {0}},
        {"too long", play_too_long, DICOMNET_ERROR_IDENTIFIER_TOO_LONG, 0, {0}},
        {"wrong Message ID", play_wrong_response, DICOMNET_ERROR_RESPONSE_MISMATCH, 0, {.message_id = 7}},
        {"wrong Command Field", play_wrong_response, DICOMNET_ERROR_RESPONSE_MISMATCH, 0, {.field = GET_RQ | 0x8000}},
        {"no status", play_wrong_response, DICOMNET_ERROR_DIMSE_MALFORMED, 0, {.no_status = true}},
        {"pending without a match", play_no_match, DICOMNET_ERROR_DIMSE_UNEXPECTED, 0, {0}},
        {"silence", play_silence, DICOMNET_ERROR_TIMEOUT_DIMSE, 0, {0}},
        {"death", play_death, DICOMNET_ERROR_PEER_CLOSED, 1, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record record = {.wrong = cases[i].wrong};
        ask(&record, cases[i].play, cases[i].what);
        cr_expect_eq(record.query.error, cases[i].error, "%s: %s", cases[i].what,
                     dicomnet_error_text(record.query.error));
        cr_expect(!record.query.answered, "%s", cases[i].what);
        cr_expect_eq(record.matches, cases[i].matches, "%s", cases[i].what);
    }
}

/* Each wait is shorter than the DIMSE timeout of 600 ms, all together are not. */
static void play_slowly(struct script_peer *peer)
{
    if (!play_request(peer))
        return;
    for (int i = 0; i < 4; i++) {
        peer_sleep(200);
        send_pending(peer);
        peer_send_pdv(peer, 1, 0x02, match_bytes, MATCH_LEN);
    }
    peer_answer(peer, 0x0000);
    peer_serve(peer);
}

Test(query_user, a_slow_peer_is_waited_for, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {0};
    ask(&record, play_slowly, "slow");
    cr_assert_eq(record.query.error, 0, "%s", dicomnet_error_text(record.query.error));
    cr_assert_eq(record.matches, 4);
}

/* Nobody asked for instances: they are refused, and the query goes on. */
static void play_store(struct script_peer *peer)
{
    if (!play_request(peer))
        return;
    struct peer_command final = peer_response(peer, 0x0000);
    char class_uid[DICOMNET_UID_SIZE];
    strcpy(class_uid, peer->message.class_uid);
    final.class_uid = class_uid;
    const struct peer_command store = {.context_id = 1,
                                       .field = STORE_RQ,
                                       .message_id = 9,
                                       .class_uid = FIXTURE_CLASS,
                                       .instance_uid = "1.2.3",
                                       .has_data = true};
    peer_send_command(peer, &store);
    peer_send_pdv(peer, 1, 0x02, match_bytes, MATCH_LEN);
    if (!peer_read_message(peer) || peer->message.field != (STORE_RQ | 0x8000) || peer->message.status != 0x0122)
        peer_fail(peer, "the C-STORE was not refused with 0122 but %04x", peer->message.status);
    peer_send_command(peer, &final);
    peer_serve(peer);
}

Test(query_user, instances_that_nobody_asked_for_are_refused, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {0};
    ask(&record, play_store, "C-STORE");
    cr_assert(record.query.answered);
    cr_assert_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

/* ---- our provider side ---- */

struct server {
    struct fixture fixture;
    struct provider provider;
    struct dicomnet_identifier match;
    unsigned begun, given, ended, cancelled, closed;
    struct dicomnet_association_end end;
    bool endless, stubborn;
};

static uint16_t on_begin(void *context, struct dicomnet_query_request *request, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    ((struct server *)context)->begun++;
    return DICOMNET_STATUS_PENDING;
}

/* Matches without end, or none at all until it is cancelled. */
static void on_ready(void *context, struct dicomnet_query_request *request)
{
    struct server *server = context;
    if (server->endless) {
        server->given++;
        cr_assert_eq(dicomnet_query_request_match(request, &server->match, DICOMNET_STATUS_PENDING), 0);
    }
}

static void on_cancelled(void *context, struct dicomnet_query_request *request)
{
    struct server *server = context;
    server->cancelled++;
    if (!server->stubborn)
        dicomnet_query_request_finish(request, DICOMNET_STATUS_CANCEL, NULL);
}

static void on_request_ended(void *context, struct dicomnet_query_request *request)
{
    ((struct server *)context)->ended++;
}

static void on_provider_closed(void *context, const struct dicomnet_association_end *end)
{
    struct server *server = context;
    server->closed++;
    server->end = *end;
    dicomnet_acceptor_close(server->provider.acceptor);
}

static const struct dicomnet_query_provider_handler provider_handler = {.begin = on_begin,
                                                                        .ready = on_ready,
                                                                        .cancelled = on_cancelled,
                                                                        .ended = on_request_ended,
                                                                        .closed = on_provider_closed};

static void serve(struct server *server, void (*play)(struct script_peer *peer), const char *what)
{
    static const struct dicomnet_association_timeouts timeouts = {.network_ms = 5000};
    const struct dicomnet_query_provider_options options = {.handler = &provider_handler, .context = server};
    fixture_begin(&server->fixture);
    dicomnet_identifier_init(&server->match);
    cr_assert_eq(dicomnet_identifier_set_text(&server->match, DICOMNET_TAG_STUDY_INSTANCE_UID, "1.2"), 0);
    provider_open(&server->provider, &server->fixture.loop, &options, &timeouts);
    struct script_peer *peer = script_peer_connect(dicomnet_acceptor_port(server->provider.acceptor), play, server);
    fixture_run(&server->fixture);
    fixture_end_peer(peer, what);
    fixture_end(&server->fixture);
    dicomnet_identifier_fini(&server->match);
    cr_assert_eq(server->closed, 1);
}

static const struct peer_request find_request = {.context_count = 2, .classes = {FIND, DICOMNET_UID_VERIFICATION}};

static bool send_find(struct script_peer *peer, uint16_t message_id)
{
    const struct peer_command find = {
        .context_id = 1, .field = FIND_RQ, .message_id = message_id, .class_uid = FIND, .has_data = true};
    return peer_send_command(peer, &find);
}

static bool send_cancel(struct script_peer *peer, uint8_t message_id)
{
    uint8_t bytes[] = "\x00\x00\x00\x00\x04\x00\x00\x00\x1E\x00\x00\x00"
                      "\x00\x00\x00\x01\x02\x00\x00\x00\xFF\x0F"
                      "\x00\x00\x20\x01\x02\x00\x00\x00\x00\x00"
                      "\x00\x00\x00\x08\x02\x00\x00\x00\x01\x01";
    bytes[30] = message_id;
    return peer_send_pdv(peer, 1, 0x03, bytes, sizeof bytes - 1);
}

static void expect_status(struct script_peer *peer, uint16_t message_id, uint16_t status, const char *comment)
{
    const struct peer_message *message = &peer->message;
    if (!peer_read_message(peer))
        peer_fail(peer, "no answer to %u", message_id);
    else if (message->message_id_responded != message_id || message->status != status ||
             strcmp(message->comment, comment) != 0)
        peer_fail(peer, "answer to %u: %04x '%s', not %04x '%s'", message->message_id_responded, message->status,
                  message->comment, status, comment);
}

static void play_bad_identifiers(struct script_peer *peer)
{
    size_t len;
    uint8_t *bytes = nested_bytes(&len);
    if (!peer_open(peer, &find_request))
        return;
    send_find(peer, 1);
    send_data_set(peer, bytes, len);
    expect_status(peer, 1, 0xC000, dicomnet_error_text(DICOMNET_ERROR_IDENTIFIER_TOO_DEEP));
    send_find(peer, 2);
    peer_send_pdv(peer, 1, 0x02, "garbage", 7);
    char comment[DICOMNET_COMMENT_SIZE];
    snprintf(comment, sizeof comment, "%s", dicomnet_error_text(DICOMNET_ERROR_IDENTIFIER_MALFORMED));
    expect_status(peer, 2, 0xC000, comment);
    const struct peer_command none = {.context_id = 1, .field = FIND_RQ, .message_id = 3, .class_uid = FIND};
    peer_send_command(peer, &none);
    expect_status(peer, 3, 0xC000, "no identifier");
    const struct peer_command echo = {.context_id = 3, .field = 0x0030, .message_id = 4};
    peer_send_command(peer, &echo);
    expect_status(peer, 4, 0x0000, "");
    const struct peer_command other = {.context_id = 1, .field = GET_RQ, .message_id = 5, .class_uid = FIND};
    peer_send_command(peer, &other);
    expect_status(peer, 5, 0x0211, "");
    peer_release(peer);
    free(bytes);
}

Test(query_provider, bad_identifiers_are_answered_and_the_association_goes_on, .timeout = FIXTURE_TIMEOUT_S)
{
    struct server server = {0};
    serve(&server, play_bad_identifiers, "bad identifiers");
    cr_assert_eq(server.begun, 0);
    cr_assert_eq(server.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

static void play_two_at_once(struct script_peer *peer)
{
    if (!peer_open(peer, &find_request))
        return;
    send_cancel(peer, 1); /* of nothing */
    for (uint16_t id = 1; id <= 2; id++) {
        send_find(peer, id);
        peer_send_pdv(peer, 1, 0x02, match_bytes, MATCH_LEN);
    }
    expect_status(peer, 2, 0xA700, "one query at a time");
    send_cancel(peer, 2); /* not under way */
    send_cancel(peer, 1);
    send_cancel(peer, 1); /* a second time, too late */
    expect_status(peer, 1, 0xFE00, "");
    peer_release(peer);
}

Test(query_provider, one_request_at_a_time, .timeout = FIXTURE_TIMEOUT_S)
{
    struct server server = {0};
    serve(&server, play_two_at_once, "two at once");
    cr_assert_eq(server.begun, 1);
    cr_assert_eq(server.cancelled, 1);
    cr_assert_eq(server.ended, 1);
    cr_assert_eq(server.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

static void play_impatient(struct script_peer *peer)
{
    if (!peer_open(peer, &find_request))
        return;
    send_find(peer, 1);
    peer_send_pdv(peer, 1, 0x02, match_bytes, MATCH_LEN);
    send_cancel(peer, 1);
    send_cancel(peer, 1);
    peer_release(peer);
}

Test(query_provider, a_cancel_is_told_once, .timeout = FIXTURE_TIMEOUT_S)
{
    struct server server = {.stubborn = true};
    serve(&server, play_impatient, "impatient");
    cr_assert_eq(server.cancelled, 1);
    cr_assert_eq(server.ended, 1, "with its association");
}

/* It asks and does not read; in the end it cancels, and reads what there was. */
static void play_slow_reader(struct script_peer *peer)
{
    if (!peer_open(peer, &find_request))
        return;
    send_find(peer, 1);
    peer_send_pdv(peer, 1, 0x02, match_bytes, MATCH_LEN);
    peer_sleep(400);
    send_cancel(peer, 1);
    while (peer_read_message(peer) && peer->message.status == 0xFF00) {
    }
    if (peer->message.status != 0xFE00)
        peer_fail(peer, "status %04x", peer->message.status);
    peer_release(peer);
}

Test(query_provider, a_slow_reader_holds_up_the_application, .timeout = FIXTURE_TIMEOUT_S)
{
    struct server server = {.endless = true};
    serve(&server, play_slow_reader, "slow reader");
    /* What was given is on its way: it fits into the sockets of both sides, at 160 bytes each. */
    cr_assert_lt(server.given, 200 * 1000);
    cr_assert_eq(server.cancelled, 1);
    cr_assert_eq(server.ended, 1);
}

static void play_leaving(struct script_peer *peer)
{
    if (!peer_open(peer, &find_request))
        return;
    send_find(peer, 1);
    peer_send_pdv(peer, 1, 0x02, match_bytes, MATCH_LEN);
    for (int i = 0; i < 10; i++)
        peer_read_message(peer);
    peer_reset(peer);
}

Test(query_provider, a_user_that_dies_ends_its_request, .timeout = FIXTURE_TIMEOUT_S)
{
    struct server server = {.endless = true};
    serve(&server, play_leaving, "dies");
    cr_assert_eq(server.ended, 1);
    cr_assert_eq(server.cancelled, 0);
    cr_assert_neq(server.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}
