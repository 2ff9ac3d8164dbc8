/*
 * floor - the least that any sender on this machine can do: the limit that dicom-sender is held against.
 *
 * A loop without DICOM around it: open a file, read it behind the headers of P-DATA-TF PDUs, write that to a loopback
 * connection, read one small answer, close the file. On the other side a second process drains the bytes, looks at
 * nothing but the headers of the PDUs, and answers when the last fragment of a data set is in. Each connection is a
 * thread with blocking calls on either side; there is no event loop, no association, no log, no outcome.
 *
 * usage: floor [--connections N] [--max-pdu BYTES] PATH...
 *
 * Finding the files, and where their data sets begin, is not part of what is timed. One line of JSON comes out.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "dicomnet/pdu.h"
#include "files/discover.h"

enum {
    CONNECTIONS_MAX = 64,
    PDU_MAX = 131072,
    HEADERS_LEN = DICOMNET_PDU_HEADER_LEN + DICOMNET_PDV_HEADER_LEN,
    BUFFER_SIZE = 2 * (PDU_MAX + DICOMNET_PDU_HEADER_LEN) + 4096,
    COMMAND_LEN = 200, /* about what a C-STORE-RQ has, and an answer */
    ANSWER_LEN = 150,
    GAPS_MAX = 64
};

struct file {
    char *path;
    off_t data_offset;
    uint64_t data_len;
};

struct client {
    pthread_t thread;
    int socket;
    uint64_t bytes;
    uint8_t buffer[BUFFER_SIZE];
};

static struct file *files;
static size_t file_count;
static atomic_size_t next_file;
static uint32_t max_pdu = PDU_MAX;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- the files ---- */

/* Where the data set of a file with the usual meta information begins. False if it has none. */
static bool look_at(const char *path, struct file *ret_file)
{
    uint8_t head[144];
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool usable = fstat(fd, &status) == 0 && pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
                  memcmp(head + 128, "DICM\x02\0\0\0UL", 10) == 0;
    close(fd);
    if (!usable)
        return false;
    ret_file->data_offset = (off_t)(sizeof head + get_u32_le(head + 140));
    ret_file->data_len = (uint64_t)(status.st_size - ret_file->data_offset);
    return status.st_size > ret_file->data_offset;
}

static void find_files(char **paths, size_t path_count)
{
    struct discover_options options = {
        .inputs = (const char *const *)paths, .input_count = path_count, .recursive = true};
    struct discover *discover;
    size_t size = 0;
    if (discover_create(&discover, &options) < 0)
        fail("floor");
    for (;;) {
        struct discover_entry entry = discover_next(discover);
        struct file file;
        if (entry.kind == DISCOVER_END)
            break;
        if (entry.kind != DISCOVER_FILE || !look_at(entry.path, &file))
            continue;
        if (file_count == size) {
            size = size > 0 ? 2 * size : 1024;
            files = reallocarray(files, size, sizeof *files);
        }
        file.path = strdup(entry.path);
        if (files == NULL || file.path == NULL)
            fail("floor");
        files[file_count++] = file;
    }
    discover_destroy(discover);
}

/* ---- the sending side ---- */

static void write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n <= 0)
            fail("floor: write");
        bytes += n;
        len -= (size_t)n;
    }
}

static void read_answer(int fd)
{
    uint8_t answer[ANSWER_LEN];
    size_t done = 0;
    while (done < sizeof answer) {
        ssize_t n = read(fd, answer + done, sizeof answer - done);
        if (n <= 0)
            fail("floor: read");
        done += (size_t)n;
    }
}

/* Frame as much of the data set as fits behind `used`, and read it there. The bytes now in the buffer. */
static size_t fill(struct client *client, int fd, const struct file *file, size_t used, uint64_t *done)
{
    struct iovec gaps[GAPS_MAX];
    int gap_count = 0;
    uint64_t framed = 0, payload_max = (max_pdu - DICOMNET_PDV_HEADER_LEN) & ~1u;
    while (*done + framed < file->data_len && gap_count < GAPS_MAX) {
        uint64_t left = file->data_len - *done - framed;
        size_t len = left < payload_max ? (size_t)left : (size_t)payload_max;
        if (BUFFER_SIZE - used < HEADERS_LEN + len)
            break;
        dicomnet_pdu_encode_data_header(client->buffer + used, (uint32_t)len, 1, len == left ? DICOMNET_PDV_LAST : 0);
        gaps[gap_count++] = (struct iovec){.iov_base = client->buffer + used + HEADERS_LEN, .iov_len = len};
        used += HEADERS_LEN + len;
        framed += len;
    }
    if (preadv(fd, gaps, gap_count, file->data_offset + (off_t)*done) != (ssize_t)framed)
        fail(file->path);
    *done += framed;
    return used;
}

static void send_file(struct client *client, const struct file *file)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail(file->path);
    dicomnet_pdu_encode_data_header(client->buffer, COMMAND_LEN, 1, DICOMNET_PDV_COMMAND | DICOMNET_PDV_LAST);
    size_t used = HEADERS_LEN + COMMAND_LEN;
    for (uint64_t done = 0; done < file->data_len; used = 0) {
        used = fill(client, fd, file, used, &done);
        write_all(client->socket, client->buffer, used);
    }
    read_answer(client->socket);
    close(fd);
    client->bytes += file->data_len;
}

static void *run_client(void *argument)
{
    struct client *client = argument;
    for (;;) {
        size_t index = atomic_fetch_add(&next_file, 1);
        if (index >= file_count)
            return NULL;
        send_file(client, &files[index]);
    }
}

/* ---- the receiving side, in a process of its own ---- */

static void *run_server(void *argument)
{
    int fd = *(const int *)argument;
    static const uint8_t answer[ANSWER_LEN];
    uint8_t header[HEADERS_LEN], *buffer = malloc(BUFFER_SIZE);
    size_t header_len = 0;
    uint64_t left = 0; /* of the current PDU, behind its headers */
    ssize_t n;
    while (buffer != NULL && (n = read(fd, buffer, BUFFER_SIZE)) > 0) {
        for (size_t at = 0; at < (size_t)n;) {
            if (header_len < HEADERS_LEN) {
                header[header_len++] = buffer[at++];
                if (header_len == HEADERS_LEN)
                    left = get_u32_be(header + DICOMNET_PDU_HEADER_LEN) - 2;
                continue;
            }
            size_t taken = left < (size_t)n - at ? (size_t)left : (size_t)n - at;
            at += taken;
            left -= taken;
            if (left > 0)
                continue;
            header_len = 0;
            if (header[HEADERS_LEN - 1] == DICOMNET_PDV_LAST)
                write_all(fd, answer, sizeof answer);
        }
    }
    free(buffer);
    return NULL;
}

static void serve(int listener, unsigned connections)
{
    pthread_t threads[CONNECTIONS_MAX];
    int sockets[CONNECTIONS_MAX], on = 1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned i = 0; i < connections; i++) {
        sockets[i] = accept(listener, NULL, NULL);
        if (sockets[i] < 0)
            fail("floor: accept");
        setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (pthread_create(&threads[i], NULL, run_server, &sockets[i]) != 0)
            fail("floor: thread");
    }
    for (unsigned i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    exit(0);
}

/* ---- the whole ---- */

static double cpu_seconds(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* A listener on a free loopback port. */
static int listen_somewhere(struct sockaddr_in *ret_address)
{
    socklen_t len = sizeof *ret_address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *ret_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (listener < 0 || bind(listener, (const struct sockaddr *)ret_address, len) < 0 ||
        listen(listener, CONNECTIONS_MAX) < 0 || getsockname(listener, (struct sockaddr *)ret_address, &len) < 0)
        fail("floor: listen");
    return listener;
}

static void run_all(unsigned connections)
{
    struct sockaddr_in address;
    struct client *clients = calloc(connections, sizeof *clients);
    int listener = listen_somewhere(&address), on = 1;
    pid_t server = fork();
    if (clients == NULL || server < 0)
        fail("floor");
    if (server == 0)
        serve(listener, connections);
    for (unsigned i = 0; i < connections; i++) {
        clients[i].socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(clients[i].socket, (const struct sockaddr *)&address, sizeof address) < 0)
            fail("floor: connect");
        setsockopt(clients[i].socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    double cpu_before_s = cpu_seconds(RUSAGE_SELF);
    uint64_t begun_us = clock_monotonic_us(), bytes = 0;
    for (unsigned i = 0; i < connections; i++)
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0)
            fail("floor: thread");
    for (unsigned i = 0; i < connections; i++) {
        pthread_join(clients[i].thread, NULL);
        bytes += clients[i].bytes;
    }
    double wall_s = (double)(clock_monotonic_us() - begun_us) / 1e6;
    for (unsigned i = 0; i < connections; i++)
        close(clients[i].socket);
    int status;
    waitpid(server, &status, 0);
    printf("{\"files\": %zu, \"bytes\": %llu, \"connections\": %u, \"wall_s\": %.6f, \"sender_cpu_s\": %.6f, "
           "\"receiver_cpu_s\": %.6f}\n",
           file_count, (unsigned long long)bytes, connections, wall_s, cpu_seconds(RUSAGE_SELF) - cpu_before_s,
           cpu_seconds(RUSAGE_CHILDREN));
    free(clients);
    if (status != 0)
        exit(1);
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"connections", required_argument, NULL, 'c'}, {"max-pdu", required_argument, NULL, 'p'}, {0}};
    unsigned long connections = 1;
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'c')
            connections = strtoul(optarg, NULL, 10);
        else if (option == 'p')
            max_pdu = (uint32_t)strtoul(optarg, NULL, 10);
        else
            return 1;
    }
    if (optind == argc || connections < 1 || connections > CONNECTIONS_MAX || max_pdu < 4096 || max_pdu > PDU_MAX) {
        fputs("usage: floor [--connections N] [--max-pdu BYTES] PATH...\n", stderr);
        return 1;
    }
    find_files(argv + optind, (size_t)(argc - optind));
    run_all((unsigned)connections);
    for (size_t i = 0; i < file_count; i++)
        free(files[i].path);
    free(files);
    return 0;
}
