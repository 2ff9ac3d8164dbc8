/*
 * delay_proxy - a TCP proxy that puts a line between two programs on one machine: long, narrow, or one that breaks.
 *
 * usage: delay-proxy --to HOST:PORT [--rtt MS] [--mbit N] [--cut-bytes N] [--cut-ms MS] [--listen PORT]
 *
 * What comes in on one side leaves on the other half a round trip later. A new connection costs a whole round trip
 * before anything is read from it, as a handshake would. The end of a stream is delayed like its bytes; a connection
 * that breaks is broken on the other side at once. What is under way in one direction of a connection is bounded: past
 * that, nothing more is read until some of it has left.
 *
 * --mbit (millions of bits a second) makes the line narrow, in each direction, for all connections together: their
 * bytes stand in one queue in the order in which they came, and each leaves when those before it have. A connection
 * then has at most twice as much under way as the line holds. Without it bandwidth is not limited.
 *
 * --cut-bytes ends each connection, on both sides, when so many bytes have left in both directions together, and
 * --cut-ms when it is so old.
 *
 * Loss is not imitated, nor how TCP finds out what a line can bear: this is a line with nothing else on it. HOST is a
 * numeric IPv4 address. "listening on PORT" is printed when it does.
 */
#include <assert.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/list.h"

enum {
    CHUNK_SIZE = 256 * 1024,
    UNDER_WAY_MAX = 64 * 1024 * 1024, /* bytes in one direction of a connection; half of it resumes reading */
    NARROW_CHUNK_SIZE = 8 * 1024,     /* on a narrow line, where a chunk leaves as a whole */
    NARROW_UNDER_WAY_MIN = 64 * 1024, /* however short it is */
    EARLY_NS = 500 * 1000             /* timers count milliseconds: round to the nearest, not up */
};

struct chunk {
    struct list_node node;
    uint64_t due_ns;
    size_t len; /* 0 = the end of the stream */
    struct flow *flow;
    uv_write_t write;
    char bytes[];
};

/* One direction: from one socket through the queue to the other. */
struct flow {
    struct pair *pair;
    uv_tcp_t *from, *to;
    uv_timer_t timer;
    struct list queue; /* chunks, in the order they are due */
    size_t under_way;  /* bytes in the queue and in writes not yet done */
    bool reading;
    bool ended; /* the end has been passed on */
    uv_shutdown_t shutdown;
    char *spare; /* the buffer handed to libuv for the next read */
};

struct pair {
    uv_tcp_t near, far;
    uv_timer_t handshake, cut;
    uv_connect_t connect;
    struct flow flows[2];
    uint64_t left; /* bytes, until it is cut */
    bool connected, waited;
    bool closing;
    int open_handles;
};

static struct sockaddr_in target;
static uint64_t rtt_ms;
static uint64_t bytes_per_s; /* 0 = as many as there are */
static uint64_t cut_bytes = UINT64_MAX, cut_ms;
static size_t under_way_max = UNDER_WAY_MAX, chunk_size = CHUNK_SIZE;
static uint64_t line_free_ns[2]; /* there, and back: when all that came so far has left */

static void close_pair(struct pair *pair);
static void pass_on(struct flow *flow);

/* ---- the end ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct pair *pair = handle->data;
    if (--pair->open_handles > 0)
        return;
    for (int i = 0; i < 2; i++) {
        struct list_node *node;
        while ((node = list_pop(&pair->flows[i].queue)) != NULL)
            free(list_entry(node, struct chunk, node));
        free(pair->flows[i].spare);
    }
    free(pair);
}

static void close_handle(struct pair *pair, uv_handle_t *handle)
{
    handle->data = pair;
    uv_close(handle, on_handle_closed);
}

static void close_pair(struct pair *pair)
{
    if (pair->closing)
        return;
    pair->closing = true;
    close_handle(pair, (uv_handle_t *)&pair->near);
    close_handle(pair, (uv_handle_t *)&pair->far);
    close_handle(pair, (uv_handle_t *)&pair->handshake);
    close_handle(pair, (uv_handle_t *)&pair->cut);
    close_handle(pair, (uv_handle_t *)&pair->flows[0].timer);
    close_handle(pair, (uv_handle_t *)&pair->flows[1].timer);
}

/* ---- in ---- */

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    (void)suggested;
    struct flow *flow = handle->data;
    if (flow->spare == NULL)
        flow->spare = malloc(chunk_size);
    *ret_buffer = uv_buf_init(flow->spare, flow->spare != NULL ? (unsigned)chunk_size : 0);
}

/* When so many bytes that come now have left a narrow line, behind those that came before. */
static uint64_t leave_line_ns(const struct flow *flow, size_t len)
{
    uint64_t now_ns = uv_hrtime();
    if (bytes_per_s == 0)
        return now_ns;
    uint64_t *free_ns = &line_free_ns[flow - flow->pair->flows];
    *free_ns = (*free_ns > now_ns ? *free_ns : now_ns) + len * 1000000000 / bytes_per_s;
    return *free_ns;
}

/* Put bytes, or the end, into the queue. */
static void hold(struct flow *flow, const char *bytes, size_t len)
{
    struct chunk *chunk = malloc(sizeof *chunk + len);
    if (chunk == NULL)
        abort();
    chunk->due_ns = leave_line_ns(flow, len) + rtt_ms * 1000000 / 2;
    chunk->len = len;
    chunk->flow = flow;
    if (len > 0)
        memcpy(chunk->bytes, bytes, len);
    flow->under_way += len;
    list_append(&flow->queue, &chunk->node);
    if (!uv_is_active((const uv_handle_t *)&flow->timer))
        pass_on(flow);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    struct flow *flow = stream->data;
    if (len == 0 || flow->pair->closing)
        return;
    if (len < 0 && len != UV_EOF) {
        close_pair(flow->pair);
        return;
    }
    hold(flow, buffer->base, len > 0 ? (size_t)len : 0);
    if (len == UV_EOF || flow->under_way > under_way_max) {
        uv_read_stop(stream);
        flow->reading = false;
    }
}

/* ---- out ---- */

static void on_ended(uv_shutdown_t *shutdown, int status)
{
    (void)status;
    struct flow *flow = shutdown->data;
    flow->ended = true;
    if (flow->pair->flows[0].ended && flow->pair->flows[1].ended)
        close_pair(flow->pair);
}

static void on_written(uv_write_t *write, int status)
{
    struct chunk *chunk = write->data;
    struct flow *flow = chunk->flow;
    size_t len = chunk->len;
    free(chunk);
    if (flow->pair->closing)
        return;
    if (status < 0) {
        close_pair(flow->pair);
        return;
    }
    bool was_full = flow->under_way > under_way_max / 2;
    flow->under_way -= len;
    if (was_full && flow->under_way <= under_way_max / 2 && !flow->reading && !flow->ended)
        flow->reading = uv_read_start((uv_stream_t *)flow->from, give_room, on_read) == 0;
}

static void on_timer(uv_timer_t *timer)
{
    pass_on(timer->data);
}

/* False if the connection is over: it broke, or is to be cut here, of which this side then gets the last bytes. */
static bool write_chunk(struct flow *flow, struct chunk *chunk)
{
    struct pair *pair = flow->pair;
    uv_stream_t *to = (uv_stream_t *)flow->to;
    bool cut = chunk->len >= pair->left;
    uv_buf_t buffer = uv_buf_init(chunk->bytes, (unsigned)(cut ? pair->left : chunk->len));
    pair->left -= buffer.len;
    chunk->write.data = chunk;
    if (!cut && uv_write(&chunk->write, to, &buffer, 1, on_written) == 0)
        return true;
    if (cut && buffer.len > 0)
        (void)uv_try_write(to, &buffer, 1);
    free(chunk);
    return false;
}

/* Write what is due, and wait for the next. */
static void pass_on(struct flow *flow)
{
    struct list_node *node;
    while (!flow->pair->closing && (node = list_first(&flow->queue)) != NULL) {
        struct chunk *chunk = list_entry(node, struct chunk, node);
        uint64_t now_ns = uv_hrtime();
        if (chunk->due_ns > now_ns + EARLY_NS) {
            uv_update_time(flow->timer.loop);
            uv_timer_start(&flow->timer, on_timer, (chunk->due_ns - now_ns + EARLY_NS) / 1000000, 0);
            return;
        }
        list_remove(node);
        if (chunk->len == 0) {
            free(chunk);
            flow->shutdown.data = flow;
            if (uv_shutdown(&flow->shutdown, (uv_stream_t *)flow->to, on_ended) < 0)
                close_pair(flow->pair);
            return;
        }
        if (!write_chunk(flow, chunk))
            close_pair(flow->pair);
    }
}

/* ---- connections ---- */

static void start_if_ready(struct pair *pair)
{
    if (!pair->connected || !pair->waited || pair->closing)
        return;
    for (int i = 0; i < 2; i++)
        pair->flows[i].reading = uv_read_start((uv_stream_t *)pair->flows[i].from, give_room, on_read) == 0;
}

static void on_cut(uv_timer_t *timer)
{
    close_pair(timer->data);
}

static void on_handshake(uv_timer_t *timer)
{
    struct pair *pair = timer->data;
    pair->waited = true;
    start_if_ready(pair);
}

static void on_connect(uv_connect_t *connect, int status)
{
    struct pair *pair = connect->data;
    if (pair->closing)
        return;
    if (status < 0) {
        close_pair(pair);
        return;
    }
    pair->connected = true;
    start_if_ready(pair);
}

static void open_flow(struct pair *pair, int index, uv_tcp_t *from, uv_tcp_t *to)
{
    struct flow *flow = &pair->flows[index];
    *flow = (struct flow){.pair = pair, .from = from, .to = to};
    list_init(&flow->queue);
    uv_timer_init(from->loop, &flow->timer);
    flow->timer.data = flow;
    from->data = flow;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct pair *pair = status == 0 ? calloc(1, sizeof *pair) : NULL;
    if (pair == NULL)
        return;
    uv_tcp_init(listener->loop, &pair->near);
    uv_tcp_init(listener->loop, &pair->far);
    uv_timer_init(listener->loop, &pair->handshake);
    uv_timer_init(listener->loop, &pair->cut);
    pair->handshake.data = pair->cut.data = pair->connect.data = pair;
    pair->left = cut_bytes;
    open_flow(pair, 0, &pair->near, &pair->far);
    open_flow(pair, 1, &pair->far, &pair->near);
    pair->open_handles = 6;
    if (uv_accept(listener, (uv_stream_t *)&pair->near) != 0 ||
        uv_tcp_connect(&pair->connect, &pair->far, (const struct sockaddr *)&target, on_connect) != 0) {
        close_pair(pair);
        return;
    }
    uv_tcp_nodelay(&pair->near, 1);
    uv_tcp_nodelay(&pair->far, 1);
    uv_timer_start(&pair->handshake, on_handshake, rtt_ms, 0);
    if (cut_ms > 0)
        uv_timer_start(&pair->cut, on_cut, cut_ms, 0);
}

/* ---- the whole ---- */

static bool parse_target(char *text)
{
    char *colon = strrchr(text, ':');
    if (colon == NULL)
        return false;
    *colon = '\0';
    return uv_ip4_addr(text, (int)strtoul(colon + 1, NULL, 10), &target) == 0;
}

static int serve(uv_loop_t *loop, int port)
{
    uv_tcp_t listener;
    struct sockaddr_in address;
    int len = sizeof address;
    uv_ip4_addr("127.0.0.1", port, &address);
    uv_tcp_init(loop, &listener);
    int error = uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0);
    if (error == 0)
        error = uv_listen((uv_stream_t *)&listener, 256, on_connection);
    if (error == 0)
        error = uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &len);
    if (error != 0) {
        fprintf(stderr, "delay-proxy: %s\n", uv_strerror(error));
        return 1;
    }
    printf("listening on %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}

/* A line of so many millions of bits a second. */
static void make_narrow(double mbit)
{
    bytes_per_s = (uint64_t)(mbit * 1e6 / 8);
    uint64_t holds = bytes_per_s * rtt_ms / 1000;
    under_way_max = holds > NARROW_UNDER_WAY_MIN / 2 ? 2 * holds : NARROW_UNDER_WAY_MIN;
    chunk_size = NARROW_CHUNK_SIZE;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"listen", required_argument, NULL, 'l'},
                                                 {"to", required_argument, NULL, 't'},
                                                 {"rtt", required_argument, NULL, 'r'},
                                                 {"mbit", required_argument, NULL, 'm'},
                                                 {"cut-bytes", required_argument, NULL, 'b'},
                                                 {"cut-ms", required_argument, NULL, 'c'},
                                                 {0}};
    int option, port = 0;
    double mbit = 0;
    bool right = true, has_target = false;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'l')
            port = (int)strtoul(optarg, NULL, 10);
        else if (option == 't')
            has_target = parse_target(optarg);
        else if (option == 'r')
            rtt_ms = strtoull(optarg, NULL, 10);
        else if (option == 'm')
            mbit = strtod(optarg, NULL);
        else if (option == 'b')
            cut_bytes = strtoull(optarg, NULL, 10);
        else if (option == 'c')
            cut_ms = strtoull(optarg, NULL, 10);
        else
            right = false;
    }
    if (!right || !has_target || optind != argc) {
        fputs("usage: delay-proxy --to HOST:PORT [--rtt MS] [--mbit N] [--cut-bytes N] [--cut-ms MS] [--listen PORT]\n",
              stderr);
        return 1;
    }
    if (mbit > 0)
        make_narrow(mbit);
    return serve(uv_default_loop(), port);
}
