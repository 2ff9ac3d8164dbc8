/*
 * A session whose workers store over channels of another kind than associations: a shelf in memory, on which each study
 * is put. Nothing of the session and its workers may count on DIMSE then.
 */
#include <string.h>
#include <uv.h>

#include "dicomnet/association.h"
#include "dicomnet/data_source.h"
#include "engine/channel.h"
#include "engine/session.h"
#include "expect.h"
#include "files/synthetic.h"
#include "instance/instance.h"

enum { THREADS = 4, WINDOW = 2, STORES_MAX = CHANNEL_SPARE + WINDOW, STUDIES = 8, EACH = 20, BYTES = 20000 };

/* ---- the shelf ---- */

struct shelf {
    struct channel_peer peer;
    uv_mutex_t lock; /* of what follows: workers are threads */
    unsigned opened, closed, put;
    uint64_t bytes;
    unsigned close_after; /* stores that a channel takes before the shelf ends it; 0 = all */
};

/* One way to the shelf: each tick of its clock does one thing. */
struct way {
    struct channel channel;
    struct shelf *shelf;
    const struct channel_handler *handler;
    void *user;
    uv_timer_t clock;
    struct dicomnet_data_source *sources[STORES_MAX];
    bool under_way[STORES_MAX];
    bool open, ending, aborted;
    unsigned in_flight, taken;
};

static int find_context(struct channel *base, const char *class_uid, const char *syntax_uid)
{
    return strcmp(syntax_uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN) == 0 ? 0 : CHANNEL_NO_CONTEXT;
}

static bool describe_refusal(const struct channel *base, const struct context_pair *pair, char *ret_text, size_t size)
{
    snprintf(ret_text, size, "the shelf takes one syntax only");
    return true;
}

static bool can_prepare(const struct channel *base)
{
    const struct way *way = (const struct way *)base;
    return way->open && !way->ending;
}

static bool can_begin(const struct channel *base)
{
    return can_prepare(base) && ((const struct way *)base)->in_flight < WINDOW;
}

static int prepare(struct channel *base, unsigned number, const struct channel_request *request, uint64_t *ret_read_us)
{
    struct way *way = (struct way *)base;
    REQUIRE(number < STORES_MAX && !way->under_way[number], "store %u is under way", number);
    way->sources[number] = request->source;
    *ret_read_us = 0;
    return 0;
}

static bool begin(struct channel *base, unsigned number)
{
    struct way *way = (struct way *)base;
    if (!can_begin(base))
        return false;
    way->under_way[number] = true;
    way->in_flight++;
    return true;
}

static void release(struct channel *base)
{
    ((struct way *)base)->ending = true;
}

static void abort_now(struct channel *base)
{
    struct way *way = (struct way *)base;
    way->ending = way->aborted = true;
}

static const struct channel_functions functions = {.find_context = find_context,
                                                   .describe_refusal = describe_refusal,
                                                   .can_prepare = can_prepare,
                                                   .can_begin = can_begin,
                                                   .prepare = prepare,
                                                   .begin = begin,
                                                   .release = release,
                                                   .abort = abort_now};

/* All of its data, or the negative error of the source. */
static int64_t read_all(struct dicomnet_data_source *source)
{
    uint8_t bytes[4096];
    uint64_t at = 0;
    while (at < source->len) {
        const uint64_t left = source->len - at;
        const struct iovec gap = {.iov_base = bytes, .iov_len = left < sizeof bytes ? (size_t)left : sizeof bytes};
        ssize_t got = source->read(source, at, &gap, 1);
        if (got <= 0)
            return got;
        at += (uint64_t)got;
    }
    return (int64_t)at;
}

static void put(struct way *way, unsigned number)
{
    int64_t len = read_all(way->sources[number]);
    REQUIRE(len > 0, "a source failed");
    uv_mutex_lock(&way->shelf->lock);
    way->shelf->put++;
    way->shelf->bytes += (uint64_t)len;
    uv_mutex_unlock(&way->shelf->lock);
    way->under_way[number] = false;
    way->in_flight--;
    way->taken++;
    way->handler->done(way->user, number,
                       &(struct channel_answer){.answered = true, .has_status = true, .status = 0, .comment = ""});
    if (can_prepare(&way->channel))
        way->handler->ready(way->user);
}

static void on_clock_closed(uv_handle_t *handle)
{
    struct way *way = handle->data;
    const bool by_shelf = way->shelf->close_after > 0 && way->taken >= way->shelf->close_after && !way->aborted;
    const struct dicomnet_association_end report = {
        .kind = way->aborted ? DICOMNET_ASSOCIATION_ABORTED_BY_US
                             : (by_shelf ? DICOMNET_ASSOCIATION_LOST : DICOMNET_ASSOCIATION_RELEASED),
        .error = way->aborted ? DICOMNET_ERROR_ABORTED_LOCALLY : (by_shelf ? DICOMNET_ERROR_PEER_CLOSED : 0)};
    for (unsigned i = 0; i < STORES_MAX; i++)
        if (way->under_way[i])
            way->handler->done(way->user, i, &(struct channel_answer){.error = report.error, .in_doubt = true});
    uv_mutex_lock(&way->shelf->lock);
    way->shelf->closed++;
    uv_mutex_unlock(&way->shelf->lock);
    way->handler->closed(way->user, &(struct channel_end){.text = "the shelf is far", .report = &report});
    free(way);
}

static void on_tick(uv_timer_t *clock)
{
    struct way *way = clock->data;
    const unsigned limit = way->shelf->close_after;
    unsigned number = 0;
    while (number < STORES_MAX && !way->under_way[number])
        number++;
    if (!way->open) {
        way->open = true;
        uv_mutex_lock(&way->shelf->lock);
        way->shelf->opened++;
        uv_mutex_unlock(&way->shelf->lock);
        way->handler->opened(way->user, &(struct channel_opening){.contexts_proposed = 1, .contexts_accepted = 1});
        way->handler->ready(way->user);
    } else if (way->aborted || (limit > 0 && way->taken >= limit) || (way->ending && number == STORES_MAX)) {
        way->ending = true;
        uv_close((uv_handle_t *)clock, on_clock_closed);
    } else if (number < STORES_MAX) {
        put(way, number);
    }
}

static struct channel *open_way(const struct channel_peer *peer, const struct channel_options *options)
{
    struct way *way = calloc(1, sizeof *way);
    REQUIRE(way != NULL, "no memory");
    *way = (struct way){.channel.functions = &functions,
                        .shelf = (struct shelf *)(uintptr_t)peer,
                        .handler = options->handler,
                        .user = options->user};
    REQUIRE(uv_timer_init(options->loop, &way->clock) == 0 && uv_timer_start(&way->clock, on_tick, 1, 1) == 0,
            "no clock");
    way->clock.data = way;
    return &way->channel;
}

/* ---- the session ---- */

static void on_session_ended(void *user) {}

static void run(struct shelf *shelf, const char *what)
{
    static struct session_result result;
    const struct synthetic_spec spec = {
        .studies = STUDIES, .instances = EACH, .options = {.seed = 1, .sop_class = SYNTHETIC_CT, .size_bytes = BYTES}};
    const struct session_options options = {.peer = &shelf->peer,
                                            .association = {.host = "shelf", .called_ae = "SHELF"},
                                            .threads = THREADS,
                                            .retry = 2,
                                            .synthetic = &spec,
                                            .repeat = 1};
    const struct session_observer observer = {0};
    struct session *session;
    uv_loop_t loop;
    shelf->peer = (struct channel_peer){.window = WINDOW, .open = open_way};
    REQUIRE(uv_mutex_init(&shelf->lock) == 0 && uv_loop_init(&loop) == 0, "no loop");
    int error = session_start(&session, &loop, &options, &observer, &result, on_session_ended, NULL);
    REQUIRE(error == 0, "%s: session_start: %d", what, error);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT(uv_loop_close(&loop) == 0, "%s: handles are left", what);
    EXPECT(result.verdict == SESSION_COMPLETE, "%s: verdict %d: %s", what, (int)result.verdict, result.stop_text);
    EXPECT(result.totals.by_state[OUTCOME_STORED] == STUDIES * EACH, "%s: %u stored", what,
           (unsigned)result.totals.by_state[OUTCOME_STORED]);
    EXPECT(result.totals.bytes_stored == shelf->bytes, "%s: %u bytes on the shelf", what, (unsigned)shelf->bytes);
    EXPECT(shelf->put == STUDIES * EACH, "%s: %u on the shelf", what, shelf->put);
    EXPECT(shelf->opened == shelf->closed && shelf->opened > 0, "%s: %u opened, %u closed", what, shelf->opened,
           shelf->closed);
    uv_mutex_destroy(&shelf->lock);
    printf("%s: %u stored over %u channels\n", what, shelf->put, shelf->opened);
}

int main(void)
{
    struct shelf patient = {0}, short_lived = {.close_after = 7};
    expect_begin(120);
    run(&patient, "all at once");
    run(&short_lived, "seven on each");
    EXPECT(short_lived.opened >= STUDIES * EACH / (7 + WINDOW), "%u channels", short_lived.opened);
    return expect_end();
}
