/* script_peer - see script_peer.h. */
#include "script_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

#define APPLICATION_CONTEXT "1.2.840.10008.3.1.1.1"
#define EXPLICIT_LITTLE     "1.2.840.10008.1.2.1"

uint32_t script_hash(uint32_t hash, const uint8_t *bytes, size_t len)
{
    if (hash == 0)
        hash = 0x811c9dc5u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x01000193u;
    return hash;
}

void peer_fail(struct script_peer *peer, const char *format, ...)
{
    if (peer->failure[0] != '\0')
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(peer->failure, sizeof peer->failure, format, arguments);
    va_end(arguments);
}

/* ---- the thread ---- */

static void begin_connection(struct script_peer *peer, int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peer->fd = fd;
    peer->connection++;
    peer->messages = 0;
    peer->byte_by_byte = false;
    peer->play(peer);
    peer_close(peer);
}

static void *run_listener(void *argument)
{
    struct script_peer *peer = argument;
    while (!__atomic_load_n(&peer->stopping, __ATOMIC_ACQUIRE)) {
        int fd = accept(peer->listener, NULL, NULL);
        if (fd >= 0)
            begin_connection(peer, fd);
        else if (errno != EINTR && errno != ECONNABORTED)
            break;
    }
    return NULL;
}

static void *run_connection(void *argument)
{
    struct script_peer *peer = argument;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(peer->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        begin_connection(peer, fd);
    } else {
        peer_fail(peer, "cannot connect: %s", strerror(errno));
        close(fd);
    }
    return NULL;
}

static struct script_peer *create(void (*play)(struct script_peer *peer), void *user)
{
    struct script_peer *peer = calloc(1, sizeof *peer);
    if (peer != NULL) {
        peer->play = play;
        peer->user = user;
        peer->fd = peer->listener = -1;
    }
    return peer;
}

struct script_peer *script_peer_listen(void (*play)(struct script_peer *peer), void *user)
{
    struct script_peer *peer = create(play, user);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    if (peer == NULL)
        return NULL;
    peer->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(peer->listener, (struct sockaddr *)&address, len) == 0 && listen(peer->listener, 64) == 0 &&
        getsockname(peer->listener, (struct sockaddr *)&address, &len) == 0) {
        peer->port = ntohs(address.sin_port);
        if (pthread_create(&peer->thread, NULL, run_listener, peer) == 0)
            return peer;
    }
    close(peer->listener);
    free(peer);
    return NULL;
}

struct script_peer *script_peer_connect(uint16_t port, void (*play)(struct script_peer *peer), void *user)
{
    struct script_peer *peer = create(play, user);
    if (peer == NULL)
        return NULL;
    peer->port = port;
    if (pthread_create(&peer->thread, NULL, run_connection, peer) == 0)
        return peer;
    free(peer);
    return NULL;
}

void script_peer_stop(struct script_peer *peer)
{
    __atomic_store_n(&peer->stopping, true, __ATOMIC_RELEASE);
    if (peer->listener >= 0)
        (void)shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    if (peer->listener >= 0)
        close(peer->listener);
    peer->listener = -1;
}

/* ---- bytes ---- */

bool peer_send(struct script_peer *peer, const void *bytes, size_t len)
{
    const uint8_t *next = bytes;
    while (len > 0 && peer->fd >= 0) {
        ssize_t sent = send(peer->fd, next, peer->byte_by_byte ? 1 : len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        next += sent;
        len -= (size_t)sent;
    }
    return len == 0;
}

/* What has come, up to `size` bytes; waits for the first. 0 at the end, and if nothing comes. */
static size_t receive(struct script_peer *peer, uint8_t *bytes, size_t size)
{
    ssize_t got = -1;
    errno = EINTR;
    while (got < 0 && errno == EINTR && peer->fd >= 0) {
        struct pollfd poll_fd = {.fd = peer->fd, .events = POLLIN};
        if (poll(&poll_fd, 1, PEER_PATIENCE_MS) == 0) {
            peer_fail(peer, "the other side is silent");
            return 0;
        }
        got = recv(peer->fd, bytes, size, 0);
    }
    return got > 0 ? (size_t)got : 0;
}

bool peer_read(struct script_peer *peer, void *ret_bytes, size_t len)
{
    uint8_t *next = ret_bytes;
    for (size_t got; len > 0; next += got, len -= got)
        if ((got = receive(peer, next, len)) == 0)
            return false;
    return true;
}

void peer_sleep(unsigned ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

void peer_stay(struct script_peer *peer)
{
    for (int i = 0; i < 1000 && !__atomic_load_n(&peer->stopping, __ATOMIC_ACQUIRE); i++)
        peer_sleep(10);
}

void peer_close(struct script_peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
}

void peer_reset(struct script_peer *peer)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (peer->fd >= 0)
        (void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    peer_close(peer);
}

/* ---- PDUs ---- */

bool peer_read_pdu(struct script_peer *peer)
{
    uint8_t header[6];
    peer->pdu_type = 0;
    if (!peer_read(peer, header, sizeof header))
        return false;
    peer->pdu_len = get_u32_be(header + 2);
    if (peer->pdu_len > PEER_PDU_MAX) {
        peer_fail(peer, "a PDU of %u bytes came", peer->pdu_len);
        return false;
    }
    if (!peer_read(peer, peer->pdu, peer->pdu_len))
        return false;
    peer->pdu_type = header[0];
    return true;
}

bool peer_expect(struct script_peer *peer, uint8_t type)
{
    if (peer_read_pdu(peer) && peer->pdu_type == type)
        return true;
    peer_fail(peer, "expected a PDU of type %u, got %u", type, peer->pdu_type);
    return false;
}

bool peer_expect_end(struct script_peer *peer)
{
    uint8_t bytes[16 * 1024];
    while (receive(peer, bytes, sizeof bytes) > 0)
        ;
    return peer->failure[0] == '\0';
}

bool peer_send_pdu(struct script_peer *peer, uint8_t type, const void *bytes, size_t len)
{
    uint8_t *pdu = malloc(6 + len);
    pdu[0] = type;
    pdu[1] = 0;
    set_u32_be(pdu + 2, (uint32_t)len);
    if (len > 0)
        memcpy(pdu + 6, bytes, len);
    bool sent = peer_send(peer, pdu, 6 + len);
    free(pdu);
    return sent;
}

bool peer_send_short(struct script_peer *peer, uint8_t type, uint8_t second, uint8_t third, uint8_t fourth)
{
    const uint8_t body[4] = {0, second, third, fourth};
    return peer_send_pdu(peer, type, body, sizeof body);
}

bool peer_send_abort(struct script_peer *peer, uint8_t source, uint8_t reason)
{
    return peer_send_short(peer, PEER_ABORT, 0, source, reason);
}

bool peer_send_release(struct script_peer *peer)
{
    return peer_send_short(peer, PEER_RELEASE_RQ, 0, 0, 0);
}

/* ---- A-ASSOCIATE, built ---- */

static void put_text_item(struct bytes_writer *writer, uint8_t type, const char *text)
{
    bytes_put_u8(writer, type);
    bytes_put_u8(writer, 0);
    bytes_put_u16_be(writer, (uint16_t)strlen(text));
    bytes_put(writer, text, strlen(text));
}

/* Begin an item of unknown length; end_item fills it in. */
static size_t begin_item(struct bytes_writer *writer, uint8_t type)
{
    bytes_put_u8(writer, type);
    bytes_put_u8(writer, 0);
    bytes_put_u16_be(writer, 0);
    return writer->len;
}

static void end_item(struct bytes_writer *writer, size_t begin)
{
    set_u16_be(writer->data + begin - 2, (uint16_t)(writer->len - begin));
}

/* Protocol version, reserved, AE titles, reserved: 68 bytes (PS3.8 Tables 9-11 and 9-17). */
static void put_head(struct bytes_writer *writer, uint16_t version, const char *called_ae, const char *calling_ae)
{
    char titles[33], reserved[32] = {0};
    snprintf(titles, sizeof titles, "%-16s%-16s", called_ae, calling_ae);
    bytes_put_u16_be(writer, version);
    bytes_put_u16_be(writer, 0);
    bytes_put(writer, titles, 32);
    bytes_put(writer, reserved, 32);
}

static void put_user_information(struct bytes_writer *writer, bool has_max_len, uint32_t max_len, uint16_t window,
                                 bool extra)
{
    size_t begin = begin_item(writer, 0x50);
    if (extra)
        put_text_item(writer, 0x5f, "unknown sub-item");
    if (has_max_len) {
        size_t item = begin_item(writer, 0x51);
        bytes_put_u32_be(writer, max_len);
        end_item(writer, item);
    }
    put_text_item(writer, 0x52, "1.2.3.4.5.6");
    if (window > 0) {
        size_t item = begin_item(writer, 0x53);
        bytes_put_u16_be(writer, window);
        bytes_put_u16_be(writer, 1);
        end_item(writer, item);
    }
    put_text_item(writer, 0x55, "SCRIPT_PEER");
    end_item(writer, begin);
}

static void put_answer(struct bytes_writer *writer, uint8_t id, uint8_t result, const char *syntax_uid)
{
    size_t begin = begin_item(writer, 0x21);
    const uint8_t head[4] = {id, 0, result, 0};
    bytes_put(writer, head, sizeof head);
    put_text_item(writer, 0x40, syntax_uid);
    end_item(writer, begin);
}

size_t peer_build_accept(const struct script_peer *peer, const struct peer_accept *accept,
                         uint8_t ret_bytes[PEER_PDU_MAX])
{
    struct bytes_writer writer = bytes_writer_over(ret_bytes, PEER_PDU_MAX);
    put_head(&writer, 1, peer->called_ae, peer->calling_ae);
    put_text_item(&writer, 0x10, APPLICATION_CONTEXT);
    if (accept->extra_items) {
        put_text_item(&writer, 0x6e, "unknown item");
        put_answer(&writer, 255, 0, EXPLICIT_LITTLE);
    }
    for (size_t i = 0; i < peer->context_count; i++) {
        const struct peer_context *context = &peer->contexts[i];
        bool refused = i < 64 && (accept->refused >> i & 1) != 0, left_out = i < 64 && (accept->left_out >> i & 1) != 0;
        const char *syntax = accept->syntax_uid != NULL ? accept->syntax_uid : context->syntax_uid;
        if (!left_out)
            put_answer(&writer, context->id, refused ? accept->result : 0, refused ? "" : syntax);
    }
    uint32_t max_len = accept->no_limit ? 0 : accept->max_len != 0 ? accept->max_len : PEER_MAX_LEN;
    put_user_information(&writer, !accept->no_max_len, max_len, accept->window, accept->extra_items);
    return writer.len;
}

size_t peer_build_request(const struct peer_request *request, uint8_t ret_bytes[PEER_PDU_MAX])
{
    struct bytes_writer writer = bytes_writer_over(ret_bytes, PEER_PDU_MAX);
    put_head(&writer, request->protocol_version != 0 ? request->protocol_version : 1,
             request->called_ae != NULL ? request->called_ae : "ANY-SCP", "SCRIPT");
    put_text_item(&writer, 0x10,
                  request->application_context != NULL ? request->application_context : APPLICATION_CONTEXT);
    for (size_t i = 0; i < request->context_count; i++) {
        size_t begin = begin_item(&writer, 0x20);
        const uint8_t head[4] = {(uint8_t)(2 * i + 1), 0, 0, 0};
        bytes_put(&writer, head, sizeof head);
        put_text_item(&writer, 0x30, request->classes[i]);
        put_text_item(&writer, 0x40, EXPLICIT_LITTLE);
        end_item(&writer, begin);
    }
    put_user_information(&writer, true, request->max_len != 0 ? request->max_len : PEER_MAX_LEN, request->window,
                         false);
    return writer.len;
}

bool peer_send_accept(struct script_peer *peer, const struct peer_accept *accept)
{
    uint8_t *bytes = malloc(PEER_PDU_MAX);
    size_t len = peer_build_accept(peer, accept, bytes);
    bool sent = peer_send_pdu(peer, PEER_AC, bytes, len);
    free(bytes);
    return sent;
}

bool peer_send_request(struct script_peer *peer, const struct peer_request *request)
{
    uint8_t *bytes = malloc(PEER_PDU_MAX);
    size_t len = peer_build_request(request, bytes);
    bool sent = peer_send_pdu(peer, PEER_RQ, bytes, len);
    free(bytes);
    return sent;
}

/* ---- A-ASSOCIATE, read ---- */

static void copy_text(char *ret_text, size_t size, const uint8_t *bytes, size_t len)
{
    while (len > 0 && (bytes[len - 1] == ' ' || bytes[len - 1] == '\0'))
        len--;
    if (len >= size)
        len = size - 1;
    memcpy(ret_text, bytes, len);
    ret_text[len] = '\0';
}

static void read_context(struct script_peer *peer, const uint8_t *item, size_t len)
{
    if (len < 4 || peer->context_count == PEER_CONTEXTS_MAX)
        return;
    struct peer_context *context = &peer->contexts[peer->context_count++];
    memset(context, 0, sizeof *context);
    context->id = item[0];
    context->result = item[2];
    for (size_t at = 4; at + 4 <= len; at += 4 + get_u16_be(item + at + 2)) {
        size_t sub_len = get_u16_be(item + at + 2);
        if (at + 4 + sub_len > len)
            return;
        if (item[at] == 0x30)
            copy_text(context->class_uid, sizeof context->class_uid, item + at + 4, sub_len);
        else if (item[at] == 0x40 && context->syntax_uid[0] == '\0')
            copy_text(context->syntax_uid, sizeof context->syntax_uid, item + at + 4, sub_len);
    }
}

static void read_user_information(struct script_peer *peer, const uint8_t *item, size_t len)
{
    for (size_t at = 0; at + 4 <= len; at += 4 + get_u16_be(item + at + 2)) {
        if (item[at] == 0x51)
            peer->max_len = get_u32_be(item + at + 4);
        else if (item[at] == 0x53)
            peer->window = get_u16_be(item + at + 4);
    }
}

static void read_associate(struct script_peer *peer)
{
    peer->context_count = 0;
    peer->max_len = 0;
    peer->window = 0;
    if (peer->pdu_len < 68) {
        peer_fail(peer, "an A-ASSOCIATE of %u bytes came", peer->pdu_len);
        return;
    }
    copy_text(peer->called_ae, sizeof peer->called_ae, peer->pdu + 4, 16);
    copy_text(peer->calling_ae, sizeof peer->calling_ae, peer->pdu + 20, 16);
    for (size_t at = 68; at + 4 <= peer->pdu_len; at += 4 + get_u16_be(peer->pdu + at + 2)) {
        const uint8_t *item = peer->pdu + at;
        size_t len = get_u16_be(item + 2);
        if (at + 4 + len > peer->pdu_len)
            peer_fail(peer, "an item is longer than its A-ASSOCIATE");
        else if (item[0] == 0x20 || item[0] == 0x21)
            read_context(peer, item + 4, len);
        else if (item[0] == 0x50)
            read_user_information(peer, item + 4, len);
    }
}

bool peer_read_request(struct script_peer *peer)
{
    if (!peer_expect(peer, PEER_RQ))
        return false;
    read_associate(peer);
    return true;
}

bool peer_accept(struct script_peer *peer)
{
    return peer_read_request(peer) && peer_send_accept(peer, &(struct peer_accept){0});
}

bool peer_open(struct script_peer *peer, const struct peer_request *request)
{
    if (!peer_send_request(peer, request) || !peer_expect(peer, PEER_AC))
        return false;
    read_associate(peer);
    return true;
}

bool peer_release(struct script_peer *peer)
{
    return peer_send_release(peer) && peer_expect(peer, PEER_RELEASE_RP);
}

/* ---- messages, read ---- */

/* Where an element of group 0000 goes that is a number (PS3.7 E.1), or NULL. */
static uint16_t *find_number(struct peer_message *message, uint32_t element)
{
    switch (element) {
    case 0x0100:
        return &message->field;
    case 0x0110:
        return &message->message_id;
    case 0x0120:
        return &message->message_id_responded;
    case 0x0700:
        return &message->priority;
    case 0x0800:
        return &message->data_set_type;
    case 0x0900:
        return &message->status;
    default:
        return NULL;
    }
}

static void read_element(struct peer_message *message, uint32_t element, const uint8_t *value, size_t len)
{
    uint16_t *number = find_number(message, element);
    if (number != NULL)
        *number = len >= 2 ? get_u16_le(value) : 0;
    message->has_priority = message->has_priority || element == 0x0700;
    message->has_status = message->has_status || element == 0x0900;
    if (element == 0x0002)
        copy_text(message->class_uid, sizeof message->class_uid, value, len);
    else if (element == 0x0902)
        copy_text(message->comment, sizeof message->comment, value, len);
    else if (element == 0x1000)
        copy_text(message->instance_uid, sizeof message->instance_uid, value, len);
}

static void read_command(struct script_peer *peer, const uint8_t *bytes, size_t len)
{
    uint32_t last_tag = 0;
    size_t at = 0;
    while (at + 8 <= len) {
        uint32_t tag = get_u16_le(bytes + at + 2), value_len = get_u32_le(bytes + at + 4);
        if (get_u16_le(bytes + at) != 0 || value_len > len - at - 8 || (at > 0 && tag <= last_tag) ||
            value_len % 2 != 0)
            peer_fail(peer, "element (0000,%04x) of a command set is wrong", tag);
        if (value_len > len - at - 8)
            return;
        if (tag == 0 && get_u32_le(bytes + at + 8) != len - 12)
            peer_fail(peer, "the command group length is wrong");
        read_element(&peer->message, tag, bytes + at + 8, value_len);
        last_tag = tag;
        at += 8 + value_len;
    }
    if (at != len)
        peer_fail(peer, "a command set ends in the middle of an element");
}

/* The PDVs of the PDU that was read. True once the message is complete. */
static bool take_data_pdu(struct script_peer *peer, uint8_t *command, size_t *command_len, bool *command_done)
{
    struct peer_message *message = &peer->message;
    bool complete = false;
    message->pdus++;
    for (size_t at = 0; at + 6 <= peer->pdu_len; at += 4 + get_u32_be(peer->pdu + at)) {
        const uint8_t *pdv = peer->pdu + at;
        size_t len = get_u32_be(pdv) - 2;
        if (get_u32_be(pdv) < 2 || len > peer->pdu_len - at - 6 || complete) {
            peer_fail(peer, "a PDV does not fit");
            return true;
        }
        message->context_id = pdv[4];
        if ((pdv[5] & 1) != 0 && *command_len + len <= 4096) {
            memcpy(command + *command_len, pdv + 6, len);
            *command_len += len;
        } else if ((pdv[5] & 1) == 0) {
            message->data_len += len;
            message->data_hash = script_hash(message->data_hash, pdv + 6, len);
            complete = (pdv[5] & 2) != 0;
        }
        if (pdv[5] == 3) {
            read_command(peer, command, *command_len);
            *command_done = true;
            complete = message->data_set_type == 0x0101;
        }
    }
    return complete;
}

bool peer_read_message(struct script_peer *peer)
{
    uint8_t command[4096];
    size_t command_len = 0;
    bool command_done = false, complete = false;
    peer->message = (struct peer_message){0};
    while (!complete) {
        if (!peer_read_pdu(peer) || peer->pdu_type != PEER_DATA)
            return false;
        complete = take_data_pdu(peer, command, &command_len, &command_done);
    }
    peer->messages++;
    return command_done;
}

/* ---- messages, sent ---- */

bool peer_send_pdv(struct script_peer *peer, uint8_t context_id, uint8_t control, const void *bytes, size_t len)
{
    uint8_t *pdv = malloc(6 + len);
    set_u32_be(pdv, (uint32_t)len + 2);
    pdv[4] = context_id;
    pdv[5] = control;
    if (len > 0)
        memcpy(pdv + 6, bytes, len);
    bool sent = peer_send_pdu(peer, PEER_DATA, pdv, 6 + len);
    free(pdv);
    return sent;
}

static void put_number(struct bytes_writer *writer, uint16_t element, uint16_t value)
{
    bytes_put_u16_le(writer, 0);
    bytes_put_u16_le(writer, element);
    bytes_put_u32_le(writer, 2);
    bytes_put_u16_le(writer, value);
}

static void put_text(struct bytes_writer *writer, uint16_t element, const char *text, char padding)
{
    size_t len = text != NULL ? strlen(text) : 0;
    if (text == NULL)
        return;
    bytes_put_u16_le(writer, 0);
    bytes_put_u16_le(writer, element);
    bytes_put_u32_le(writer, (uint32_t)(len + len % 2));
    bytes_put(writer, text, len);
    if (len % 2 != 0)
        bytes_put_u8(writer, (uint8_t)padding);
}

bool peer_send_command(struct script_peer *peer, const struct peer_command *command)
{
    uint8_t bytes[1024];
    struct bytes_writer writer = bytes_writer_over(bytes, sizeof bytes);
    bool response = (command->field & 0x8000) != 0;
    static const uint8_t group_length[8] = {0, 0, 0, 0, 4, 0, 0, 0};
    bytes_put(&writer, group_length, sizeof group_length);
    bytes_put_u32_le(&writer, 0);
    put_text(&writer, 0x0002, command->class_uid, '\0');
    put_number(&writer, 0x0100, command->field);
    put_number(&writer, response ? 0x0120 : 0x0110, command->message_id);
    if (!response)
        put_number(&writer, 0x0700, 0);
    put_number(&writer, 0x0800, command->has_data ? 0x0000 : 0x0101);
    if (response && !command->no_status)
        put_number(&writer, 0x0900, command->status);
    put_text(&writer, 0x0902, command->comment, ' ');
    put_text(&writer, 0x1000, command->instance_uid, '\0');
    set_u32_le(bytes + 8, (uint32_t)writer.len - 12);
    return peer_send_pdv(peer, command->context_id, 0x03, bytes, writer.len);
}

struct peer_command peer_response(const struct script_peer *peer, uint16_t status)
{
    return (struct peer_command){.context_id = peer->message.context_id,
                                 .field = peer->message.field | 0x8000,
                                 .message_id = peer->message.message_id,
                                 .status = status,
                                 .class_uid = peer->message.class_uid,
                                 .instance_uid =
                                     peer->message.instance_uid[0] != '\0' ? peer->message.instance_uid : NULL};
}

bool peer_answer(struct script_peer *peer, uint16_t status)
{
    struct peer_command response = peer_response(peer, status);
    return peer_send_command(peer, &response);
}

struct peer_command peer_response_with(const struct script_peer *peer, const struct peer_command *other)
{
    struct peer_command response = peer_response(peer, other->status);
    response.context_id = other->context_id != 0 ? other->context_id : response.context_id;
    response.field = other->field != 0 ? other->field : response.field;
    response.message_id = other->message_id != 0 ? other->message_id : response.message_id;
    response.class_uid = other->class_uid != NULL ? other->class_uid : response.class_uid;
    response.instance_uid = other->instance_uid != NULL ? other->instance_uid : response.instance_uid;
    response.comment = other->comment;
    response.no_status = other->no_status;
    response.has_data = other->has_data;
    return response;
}

bool peer_answer_with(struct script_peer *peer, const struct peer_command *other)
{
    struct peer_command response = peer_response_with(peer, other);
    return peer_send_command(peer, &response);
}

void peer_serve(struct script_peer *peer)
{
    while (peer_read_message(peer))
        if (!peer_answer(peer, 0))
            return;
    if (peer->pdu_type == PEER_RELEASE_RQ) {
        peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
        peer_expect_end(peer);
    }
}
