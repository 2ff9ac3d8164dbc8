/*
 * sink - the least that a storage SCP can do: the peer that hides nothing of what a sender can do.
 *
 * It accepts each presentation context in the first transfer syntax of its list, grants the asynchronous operations
 * window that is asked for, and answers each C-STORE-RQ and C-ECHO-RQ with 0000. It reads all bytes, looks at the
 * headers of PDUs and PDVs and at the command sets, steps over the data sets, and writes each answer with one write and
 * TCP_NODELAY. A thread with blocking calls serves each connection. It trusts its peer, uses nothing of this
 * project's library, and is for the bench alone.
 *
 * usage: sink PORT [MAX_PDU]
 *
 * At SIGTERM it says how many associations and stores it has had, in the words of dicom-receiver.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BUFFER_SIZE = 1 << 18,
    COMMAND_SIZE = 4096,
    REPLY_SIZE = 1 << 16,
    ASSOCIATE_RQ = 1,
    ASSOCIATE_AC = 2,
    P_DATA = 4,
    RELEASE_RQ = 5,
    RELEASE_RP = 6,
    C_STORE_RQ = 0x0001,
    C_ECHO_RQ = 0x0030,
    NO_DATA_SET = 0x0101
};

struct connection {
    int socket;
    uint8_t context;    /* of the message that comes in */
    uint8_t pdv_flags;  /* of the PDV that comes in: PS3.8 E.2 */
    size_t pdu_left;    /* bytes of the P-DATA-TF that are still to come */
    size_t pdv_left;    /* and of its PDV */
    size_t command_len; /* of the command set so far */
    uint8_t command[COMMAND_SIZE], reply[REPLY_SIZE], buffer[BUFFER_SIZE];
};

static uint32_t max_pdu = 131072;
static atomic_ulong associations, stored;

static uint32_t be16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t be32(const uint8_t *at)
{
    return be16(at) << 16 | be16(at + 2);
}

static uint32_t le16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint8_t *put_be(uint8_t *to, uint32_t value, int size)
{
    for (int i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    return to + size;
}

static uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t len)
{
    memcpy(to, bytes, len);
    return to + len;
}

static bool write_all(const struct connection *connection, const uint8_t *end)
{
    size_t len = (size_t)(end - connection->reply);
    return send(connection->socket, connection->reply, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* ---- A-ASSOCIATE-AC (PS3.8 9.3.3) ---- */

/* A proposed context becomes an accepted one: its ID, and the first of its transfer syntaxes. */
static uint8_t *accept_context(uint8_t *to, const uint8_t *item, size_t len)
{
    size_t at = 4;
    while (at + 4 <= len && item[at] != 0x40)
        at += 4 + be16(item + at + 2);
    if (at + 4 > len || at + 4 + be16(item + at + 2) > len)
        return to;
    size_t syntax_len = 4 + be16(item + at + 2);
    to = put_be(to, 0x2100, 2);
    to = put_be(to, (uint32_t)(4 + syntax_len), 2);
    to = put_be(to, (uint32_t)item[0] << 24, 4);
    return put_bytes(to, item + at, syntax_len);
}

/* The asynchronous operations window (PS3.7 D.3.3.3) is granted as it is asked for; nothing else is negotiated. */
static uint8_t *answer_user_information(uint8_t *to, const uint8_t *items, size_t len)
{
    static const char implementation[] = "2.25.20261129";
    uint8_t *begin = to;
    to = put_be(to, 0x50000000, 4);
    to = put_be(put_be(to, 0x51000004, 4), max_pdu, 4);
    to = put_be(put_be(to, 0x5200, 2), sizeof implementation - 1, 2);
    to = put_bytes(to, implementation, sizeof implementation - 1);
    for (size_t at = 0; at + 8 <= len; at += 4 + be16(items + at + 2)) {
        if (items[at] == 0x53)
            to = put_bytes(to, items + at, 8);
    }
    put_be(begin + 2, (uint32_t)(to - begin - 4), 2);
    return to;
}

static bool accept_association(struct connection *connection, const uint8_t *pdu, size_t len)
{
    enum { FIXED_LEN = 74 };
    if (len < FIXED_LEN)
        return false;
    uint8_t *to = put_bytes(connection->reply, pdu, FIXED_LEN); /* AE titles are returned as they came */
    connection->reply[0] = ASSOCIATE_AC;
    for (size_t at = FIXED_LEN, item_len; at + 4 <= len; at += 4 + item_len) {
        const uint8_t *item = pdu + at + 4;
        item_len = be16(pdu + at + 2);
        if (at + 4 + item_len > len)
            return false;
        if (pdu[at] == 0x10)
            to = put_bytes(to, pdu + at, 4 + item_len);
        else if (pdu[at] == 0x20)
            to = accept_context(to, item, item_len);
        else if (pdu[at] == 0x50)
            to = answer_user_information(to, item, item_len);
    }
    put_be(connection->reply + 2, (uint32_t)(to - connection->reply - 6), 4);
    atomic_fetch_add(&associations, 1);
    return write_all(connection, to);
}

/* ---- messages ---- */

/* The element of a command set, whose group is 0000: its value; *ret_len is 0 if it is not there. */
static const uint8_t *find(const struct connection *connection, uint32_t element, uint32_t *ret_len)
{
    const uint8_t *command = connection->command;
    *ret_len = 0;
    for (size_t at = 0; at + 8 <= connection->command_len;) {
        uint32_t len = le16(command + at + 4) | le16(command + at + 6) << 16;
        if (len > connection->command_len - at - 8)
            break;
        if (le16(command + at + 2) == element) {
            *ret_len = len;
            return command + at + 8;
        }
        at += 8 + len;
    }
    return command;
}

static uint32_t find_number(const struct connection *connection, uint32_t element)
{
    uint32_t len;
    const uint8_t *value = find(connection, element, &len);
    return len == 2 ? le16(value) : 0;
}

static uint8_t *put_element(uint8_t *to, uint32_t element, const void *value, uint32_t len)
{
    const uint8_t header[8] = {0, 0, (uint8_t)element, (uint8_t)(element >> 8), (uint8_t)len, (uint8_t)(len >> 8)};
    return put_bytes(put_bytes(to, header, sizeof header), value, len);
}

static uint8_t *put_number(uint8_t *to, uint32_t element, uint32_t value)
{
    return put_element(to, element, (uint8_t[]){(uint8_t)value, (uint8_t)(value >> 8)}, 2);
}

/* C-STORE-RSP or C-ECHO-RSP (PS3.7 9.3.1.2, 9.3.5.2): class, field, Message ID, no data set, status; the instance. */
static bool answer(struct connection *connection)
{
    enum { HEADERS_LEN = 12, GROUP_LENGTH_LEN = 12 };
    uint32_t field = find_number(connection, 0x0100), class_len, instance_len;
    const uint8_t *class_uid = find(connection, 0x0002, &class_len);
    const uint8_t *instance_uid = find(connection, 0x1000, &instance_len);
    uint8_t *to = connection->reply + HEADERS_LEN + GROUP_LENGTH_LEN;
    if (field != C_STORE_RQ && field != C_ECHO_RQ)
        return false;
    to = put_element(to, 0x0002, class_uid, class_len);
    to = put_number(to, 0x0100, field | 0x8000);
    to = put_number(to, 0x0120, find_number(connection, 0x0110));
    to = put_number(to, 0x0800, NO_DATA_SET);
    to = put_number(to, 0x0900, 0);
    if (field == C_STORE_RQ)
        to = put_element(to, 0x1000, instance_uid, instance_len);
    uint32_t len = (uint32_t)(to - connection->reply);
    uint32_t group_len = len - HEADERS_LEN - GROUP_LENGTH_LEN;
    put_element(connection->reply + HEADERS_LEN, 0x0000,
                (uint8_t[]){(uint8_t)group_len, (uint8_t)(group_len >> 8), 0, 0}, 4);
    put_be(put_be(connection->reply, P_DATA << 8, 2), len - 6, 4);
    put_be(put_be(connection->reply + 6, len - 10, 4), (uint32_t)connection->context << 8 | 3, 2);
    atomic_fetch_add(&stored, field == C_STORE_RQ);
    connection->command_len = 0;
    return write_all(connection, to);
}

/* Bytes of a PDV have come. A message ends with its command set, or with the data set behind that. */
static bool take(struct connection *connection, const uint8_t *bytes, size_t len)
{
    bool is_command = (connection->pdv_flags & 1) != 0, is_last = (connection->pdv_flags & 2) != 0;
    if (is_command) {
        if (len > COMMAND_SIZE - connection->command_len)
            return false;
        memcpy(connection->command + connection->command_len, bytes, len);
        connection->command_len += len;
    }
    connection->pdu_left -= len;
    connection->pdv_left -= len;
    if (connection->pdv_left > 0 || !is_last)
        return true;
    return (is_command && find_number(connection, 0x0800) != NO_DATA_SET) || answer(connection);
}

/* ---- the stream ---- */

/* Take what is whole of the next thing: how many bytes; 0: more have to come; -1: the connection is over. */
static ssize_t step(struct connection *connection, const uint8_t *bytes, size_t len)
{
    if (connection->pdv_left > 0) {
        size_t part = len < connection->pdv_left ? len : connection->pdv_left;
        return take(connection, bytes, part) ? (ssize_t)part : -1;
    }
    if (len < 6)
        return 0;
    if (connection->pdu_left > 0) { /* a PDV: length, context, flags */
        connection->pdv_left = be32(bytes) - 2;
        connection->pdu_left -= 6;
        connection->context = bytes[4];
        connection->pdv_flags = bytes[5];
        return connection->pdv_left > 0 || take(connection, bytes, 0) ? 6 : -1;
    }
    size_t pdu_len = be32(bytes + 2);
    if (bytes[0] == P_DATA) {
        connection->pdu_left = pdu_len;
        return 6;
    }
    if (bytes[0] == RELEASE_RQ)
        (void)write_all(connection, put_be(put_be(put_be(connection->reply, RELEASE_RP << 8, 2), 4, 4), 0, 4));
    if (bytes[0] != ASSOCIATE_RQ || 6 + pdu_len > REPLY_SIZE)
        return -1;
    if (len < 6 + pdu_len)
        return 0;
    return accept_association(connection, bytes, 6 + pdu_len) ? (ssize_t)(6 + pdu_len) : -1;
}

static void *serve(void *argument)
{
    struct connection *connection = argument;
    size_t kept = 0;
    ssize_t used = 0, got;
    while (used >= 0 && (got = recv(connection->socket, connection->buffer + kept, BUFFER_SIZE - kept, 0)) > 0) {
        size_t len = kept + (size_t)got, at = 0;
        while (at < len && (used = step(connection, connection->buffer + at, len - at)) > 0)
            at += (size_t)used;
        kept = len - at;
        memmove(connection->buffer, connection->buffer + at, kept);
    }
    close(connection->socket);
    free(connection);
    return NULL;
}

static void *listen_for_ever(void *argument)
{
    const int *listener = argument;
    int on = 1, fd;
    while ((fd = accept(*listener, NULL, NULL)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        pthread_t thread;
        if (connection == NULL || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
            abort();
        connection->socket = fd;
        if (pthread_create(&thread, NULL, serve, connection) != 0 || pthread_detach(thread) != 0)
            abort();
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, signal_number;
    sigset_t ends;
    pthread_t thread;
    if (argc < 2 || argc > 3) {
        fputs("usage: sink PORT [MAX_PDU]\n", stderr);
        return 1;
    }
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    if (argc == 3)
        max_pdu = (uint32_t)atol(argv[2]);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 || listen(listener, SOMAXCONN) != 0 ||
        pthread_create(&thread, NULL, listen_for_ever, &listener) != 0) {
        perror("sink");
        return 1;
    }
    sigwait(&ends, &signal_number);
    printf("%lu associations, %lu stored, 0 refused\n", associations, stored);
    return 0;
}
