/*
 * A connection that stays awake for its peer's answers, and one whose peer is too slow for that: how often the loop
 * turns tells them apart.
 */
#include <criterion/criterion.h>

#include <unistd.h>

#include "fixture.h"
#include "net/transport.h"

enum { QUESTIONS = 300, ANSWER_US = 2000 };

struct talk {
    struct transport transport;
    uv_prepare_t turn;
    unsigned asked, answered, turns;
    uint8_t byte;
};

/* ---- the peer: one byte for each byte ---- */

static void echo_slowly(struct script_peer *peer)
{
    uint8_t byte;
    while (peer_read(peer, &byte, 1)) {
        usleep(ANSWER_US);
        if (!peer_send(peer, &byte, 1))
            return;
    }
}

/* ---- our side ---- */

static void ask(struct talk *talk)
{
    talk->asked++;
    cr_assert_eq(transport_write(&talk->transport, &talk->byte, 1, false), 0);
}

static void on_connected(void *user, int error)
{
    cr_assert_eq(error, 0);
    ask(user);
}

static uint8_t *room(void *user, size_t *ret_size)
{
    struct talk *talk = user;
    *ret_size = 1;
    return &talk->byte;
}

static bool on_received(void *user, size_t len)
{
    struct talk *talk = user;
    talk->answered += (unsigned)len;
    if (talk->answered < QUESTIONS)
        ask(talk);
    else
        transport_close(&talk->transport);
    return false;
}

static void on_ended(void *user, int error)
{
    (void)user;
    cr_assert_fail("the connection ended: %s", dicomnet_error_text(error));
}

static void on_written(void *user, int error)
{
    (void)user;
    (void)error;
}

static void on_turn(uv_prepare_t *prepare)
{
    struct talk *talk = prepare->data;
    talk->turns++;
}

static void on_closed(void *user)
{
    struct talk *talk = user;
    uv_close((uv_handle_t *)&talk->turn, NULL);
}

static const struct stream_handler handler = {.connected = on_connected,
                                              .room = room,
                                              .received = on_received,
                                              .ended = on_ended,
                                              .written = on_written,
                                              .closed = on_closed};

/* It is tried ten times or so whether the answer comes soon, and then hardly any more. */
Test(transport, sleeps_when_the_peer_is_slow)
{
    struct fixture fixture;
    struct talk talk = {0};
    fixture_begin(&fixture);
    struct script_peer *peer = script_peer_listen(echo_slowly, NULL);
    cr_assert_not_null(peer);
    uv_prepare_init(&fixture.loop, &talk.turn);
    talk.turn.data = &talk;
    uv_prepare_start(&talk.turn, on_turn);
    const struct dicomnet_association_options options = fixture_options(peer->port);
    cr_assert_eq(transport_connect(&talk.transport, &fixture.loop, &options.parameters, &handler, &talk), 0);
    fixture_run(&fixture);
    fixture_end_peer(peer, "slow");
    fixture_end(&fixture);
    cr_assert_eq(talk.answered, QUESTIONS);
    cr_assert_lt(talk.turns, 7 * QUESTIONS, "%u turns for %d answers", talk.turns, QUESTIONS);
}
