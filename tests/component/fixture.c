/* fixture - see fixture.h. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <string.h>

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    cr_assert_not_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void on_watchdog(uv_timer_t *timer)
{
    struct fixture *fixture = timer->data;
    fixture->hung = true;
    uv_stop(timer->loop);
}

void fixture_begin(struct fixture *fixture)
{
    signal(SIGPIPE, SIG_IGN); /* as every application must: a peer may be gone when the next byte is written */
    uv_loop_t first;          /* libuv opens some descriptors once and keeps them */
    cr_assert_eq(uv_loop_init(&first), 0);
    cr_assert_eq(uv_loop_close(&first), 0);
    memset(fixture, 0, sizeof *fixture);
    fixture->descriptors = count_descriptors();
    cr_assert_eq(uv_loop_init(&fixture->loop), 0);
    uv_timer_init(&fixture->loop, &fixture->watchdog);
    fixture->watchdog.data = fixture;
}

struct script_peer *fixture_begin_with_peer(struct fixture *fixture, void (*script)(struct script_peer *peer),
                                            void *user)
{
    fixture_begin(fixture);
    struct script_peer *peer = script_peer_listen(script, user);
    cr_assert_not_null(peer);
    return peer;
}

uint64_t fixture_run(struct fixture *fixture)
{
    uint64_t begun = uv_hrtime();
    uv_update_time(&fixture->loop);
    uv_timer_start(&fixture->watchdog, on_watchdog, FIXTURE_PATIENCE_MS, 0);
    uv_unref((uv_handle_t *)&fixture->watchdog);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    cr_assert(!fixture->hung, "something on the loop never ends");
    return (uv_hrtime() - begun) / 1000000;
}

void fixture_end(struct fixture *fixture)
{
    uv_close((uv_handle_t *)&fixture->watchdog, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&fixture->loop), 0, "a handle is still open");
    cr_assert_eq(count_descriptors(), fixture->descriptors, "a descriptor is still open");
}

void fixture_end_peer(struct script_peer *peer, const char *what)
{
    script_peer_stop(peer);
    cr_expect_str_empty(peer->failure, "%s: the peer says: %s", what, peer->failure);
    free(peer);
}

struct dicomnet_association_options fixture_options(uint16_t port)
{
    static const struct dicomnet_association_proposal proposal = {
        .abstract_syntax = FIXTURE_CLASS, .syntax_count = 1, .syntaxes = {FIXTURE_SYNTAX}};
    return (struct dicomnet_association_options){
        .size = sizeof(struct dicomnet_association_options),
        .parameters =
            {.host = "127.0.0.1",
             .port = port,
             .called_ae = "SCRIPT",
             .calling_ae = "TESTER",
             .timeouts = {.connect_ms = 600, .acse_ms = 600, .dimse_ms = 600, .network_ms = 800, .release_ms = 600}},
        .proposals = &proposal,
        .proposal_count = 1};
}

/* ---- numbers ---- */

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 7 + offset / 253);
}

static ssize_t read_numbers(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps,
                            int gap_count)
{
    struct numbers_source *owner = (struct numbers_source *)(void *)source;
    ssize_t filled = 0;
    owner->reads++;
    for (int i = 0; i < gap_count; i++) {
        for (size_t k = 0; k < gaps[i].iov_len; k++, offset++, filled++) {
            if (offset >= owner->ends_at)
                return owner->error != 0 ? owner->error : filled;
            ((uint8_t *)gaps[i].iov_base)[k] = byte_at(offset);
        }
    }
    return filled;
}

struct dicomnet_data_source *numbers_source_init(struct numbers_source *numbers, uint64_t len)
{
    *numbers = (struct numbers_source){.source = {.len = len, .read = read_numbers}};
    numbers->ends_at = len;
    return &numbers->source;
}

uint32_t numbers_hash(uint64_t len)
{
    uint32_t hash = 0;
    for (uint64_t i = 0; i < len; i++) {
        uint8_t byte = byte_at(i);
        hash = script_hash(hash, &byte, 1);
    }
    return hash;
}
