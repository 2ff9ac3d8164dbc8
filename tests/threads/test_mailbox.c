/*
 * Several threads post to one mailbox: nothing is lost, each poster's mail comes in its order, the reader is woken, and
 * what is posted before the close is delivered by it.
 */
#include <stdint.h>

#include "engine/mailbox.h"
#include "expect.h"

enum { POSTERS = 6, EACH = 20000, LATE = 100 };

struct letter {
    struct mail mail;
    unsigned poster;
    unsigned number;
};

struct poster {
    uv_thread_t thread;
    struct mailbox *mailbox;
    unsigned index;
    struct letter *letters;
};

struct reader {
    struct mailbox mailbox;
    uv_thread_t thread;
    unsigned next[POSTERS];
    uint64_t received, expected;
    unsigned closed;
    bool close_at_end;
};

static void deliver(void *user, struct mail *mail)
{
    struct reader *reader = user;
    struct letter *letter = list_entry(mail, struct letter, mail);
    uv_thread_t self = uv_thread_self();
    EXPECT(uv_thread_equal(&self, &reader->thread), "delivered on another thread");
    EXPECT(letter->number == reader->next[letter->poster], "poster %u: %u comes, %u was expected", letter->poster,
           letter->number, reader->next[letter->poster]);
    reader->next[letter->poster] = letter->number + 1;
    reader->received++;
    EXPECT(reader->received <= reader->expected, "more came than was posted");
    if (reader->received == reader->expected && reader->close_at_end)
        uv_stop(reader->mailbox.async.loop);
}

static void on_closed(void *user)
{
    ((struct reader *)user)->closed++;
}

static void post_all(void *argument)
{
    struct poster *poster = argument;
    for (unsigned i = 0; i < EACH; i++) {
        poster->letters[i] = (struct letter){.poster = poster->index, .number = i};
        mailbox_post(poster->mailbox, &poster->letters[i].mail);
        if (i % 1000 == 999)
            usleep(500); /* so that the mailbox is empty now and then, and the reader has to be woken */
    }
}

static void many_posters(void)
{
    static struct reader reader;
    static struct poster posters[POSTERS];
    uv_loop_t loop;
    reader = (struct reader){.expected = (uint64_t)POSTERS * EACH, .close_at_end = true, .thread = uv_thread_self()};
    REQUIRE(uv_loop_init(&loop) == 0, "no loop");
    REQUIRE(mailbox_open(&reader.mailbox, &loop, deliver, &reader) == 0, "no mailbox");
    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){
            .mailbox = &reader.mailbox, .index = i, .letters = calloc(EACH, sizeof *posters[i].letters)};
        REQUIRE(uv_thread_create(&posters[i].thread, post_all, &posters[i]) == 0, "no thread");
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT(reader.received == reader.expected, "%llu came", (unsigned long long)reader.received);
    for (unsigned i = 0; i < POSTERS; i++) {
        uv_thread_join(&posters[i].thread);
        EXPECT(reader.next[i] == EACH, "poster %u: %u", i, reader.next[i]);
        free(posters[i].letters);
    }
    mailbox_close(&reader.mailbox, on_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT(reader.closed == 1, "closed %u times", reader.closed);
    EXPECT(uv_loop_close(&loop) == 0, "a handle is left");
}

/* What lies in the mailbox when it is closed is delivered by the close. */
static void close_delivers(void)
{
    static struct reader reader;
    static struct letter letters[LATE];
    uv_loop_t loop;
    reader = (struct reader){.expected = LATE, .thread = uv_thread_self()};
    REQUIRE(uv_loop_init(&loop) == 0, "no loop");
    REQUIRE(mailbox_open(&reader.mailbox, &loop, deliver, &reader) == 0, "no mailbox");
    for (unsigned i = 0; i < LATE; i++) {
        letters[i] = (struct letter){.number = i};
        mailbox_post(&reader.mailbox, &letters[i].mail);
    }
    mailbox_close(&reader.mailbox, NULL);
    EXPECT(reader.received == LATE, "%llu came", (unsigned long long)reader.received);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT(reader.received == LATE, "%llu came", (unsigned long long)reader.received);
    EXPECT(uv_loop_close(&loop) == 0, "a handle is left");
}

/* ---- two threads, each with a mailbox: every letter goes to and fro, one at a time, so each is a wake-up ---- */

enum { ROUNDS = 5000 };

struct player {
    uv_loop_t loop;
    struct mailbox mailbox;
    struct player *other;
    unsigned hits;
};

static void hit_back(void *user, struct mail *mail)
{
    struct player *player = user;
    player->hits++;
    if (player->hits < ROUNDS || mail->kind == 0) {
        mail->kind = player->hits == ROUNDS; /* the one who is through first lets the other have the last */
        mailbox_post(&player->other->mailbox, mail);
    }
    if (player->hits == ROUNDS)
        mailbox_close(&player->mailbox, NULL);
}

static void play(void *argument)
{
    uv_run(&((struct player *)argument)->loop, UV_RUN_DEFAULT);
}

static void to_and_fro(void)
{
    static struct player players[2];
    uv_thread_t thread;
    struct letter ball = {.number = 0};
    for (int i = 0; i < 2; i++) {
        players[i] = (struct player){.other = &players[1 - i]};
        REQUIRE(uv_loop_init(&players[i].loop) == 0, "no loop");
        REQUIRE(mailbox_open(&players[i].mailbox, &players[i].loop, hit_back, &players[i]) == 0, "no mailbox");
    }
    REQUIRE(uv_thread_create(&thread, play, &players[1]) == 0, "no thread");
    mailbox_post(&players[0].mailbox, &ball.mail);
    play(&players[0]);
    uv_thread_join(&thread);
    for (int i = 0; i < 2; i++) {
        EXPECT(players[i].hits == ROUNDS, "player %d: %u", i, players[i].hits);
        EXPECT(uv_loop_close(&players[i].loop) == 0, "a handle is left");
    }
}

int main(void)
{
    expect_begin(120);
    many_posters();
    close_delivers();
    to_and_fro();
    return expect_end();
}
