/*
 * fuzz_tls - whatever comes on the line, a TLS end hands on what the other end wrote and nothing else.
 *
 * Input: 1 byte, of which bit 0 says whether the client or the server is attacked, bit 1 TLS 1.2, bit 2 that
 * certificates of the client are asked for; then steps until there are no more. A step is 1 byte, of which the lower
 * three bits say what, and the others how much:
 *
 *   0, 1  carry what the client, the server has to say to the other
 *   2     carry what goes to the one that is attacked, with 1 bit changed: 2 bytes, where
 *   3     give it bytes of the input: 1 byte, how many
 *   4, 5  the client, the server writes a message
 *   6     the output of the one that is attacked is on its way, and taken with the next step that carries it
 *   7     it says that this was all
 */
#include <stdbool.h>
#include <string.h>

#include "certificates.h"
#include "dicomnet/tls.h"
#include "fuzz.h"
#include "net/tls.h"

enum { CLIENT, SERVER, ENDS, WRITTEN_MAX = 256 * 1024, STEPS_MAX = 64, FLIGHT_MAX = 64 * 1024, CONTEXTS = 4 };

/* By the bits of the first byte: TLS 1.2, and certificates of clients. Made once; their sessions are not resumed. */
static struct dicomnet_tls *contexts[ENDS][CONTEXTS];

struct end {
    struct tls *tls;
    int result; /* of its handshake, or the error with which it ended */
    bool held;
    size_t written; /* bytes of the application, which are those of byte_at */
    size_t read;
};

static struct end ends[ENDS];

static uint8_t byte_at(size_t offset)
{
    return (uint8_t)(offset * 13 + offset / 255);
}

static struct dicomnet_tls *make(struct dicomnet_tls_options options, bool old)
{
    struct dicomnet_tls *tls;
    options.size = sizeof options;
    options.ciphers = old ? "ECDHE-ECDSA-AES128-GCM-SHA256" : NULL;
    FUZZ_CHECK(dicomnet_tls_create(&tls, &options, NULL) == 0);
    return tls;
}

static void make_contexts(void)
{
    char folder[CERTIFICATE_PATH_SIZE];
    certificates_begin(folder);
    struct identity *own = identity_make(
        &(struct identity_spec){.name = "pacs", .authority = true, .end_days = 10000, .alternative_names = "DNS:pacs"});
    const char *file = identity_write_certificate(own, folder, "own.pem", NULL);
    const char *key = identity_write_key(own, folder, "own.key", NULL);
    identity_free(own);
    for (int i = 0; i < CONTEXTS; i++) {
        contexts[CLIENT][i] =
            make((struct dicomnet_tls_options){.ca = file, .certificate = file, .key = key}, (i & 1) != 0);
        contexts[SERVER][i] = make((struct dicomnet_tls_options){.server = true,
                                                                 .certificate = file,
                                                                 .key = key,
                                                                 .ca = (i & 2) != 0 ? file : NULL,
                                                                 .client = (i & 2) != 0 ? DICOMNET_TLS_CLIENT_REQUIRE
                                                                                        : DICOMNET_TLS_CLIENT_ANY},
                                   (i & 1) != 0);
    }
    certificates_end(folder);
}

/* What has come may be read now: all of it is what the other end wrote, in order. */
static void read_all(struct end *end, const struct end *other)
{
    uint8_t room[1000];
    ssize_t len;
    do {
        len = tls_read(end->tls, room, sizeof room);
        for (ssize_t i = 0; i < len; i++)
            FUZZ_CHECK(end->read < other->written && room[i] == byte_at(end->read++));
    } while (len == (ssize_t)sizeof room);
    if (len < 0)
        end->result = (int)len;
}

static void give(int to, const uint8_t *bytes, size_t len)
{
    struct end *end = &ends[to];
    while (len > 0 && end->result >= 0) {
        size_t size;
        uint8_t *room = tls_room(end->tls, &size);
        size_t part = len < size ? len : size;
        if (part == 0)
            return;
        memcpy(room, bytes, part);
        tls_feed(end->tls, part);
        bytes += part;
        len -= part;
        if (end->result == 0)
            end->result = tls_shake_hands(end->tls);
        if (end->result == 1)
            read_all(end, &ends[1 - to]);
    }
    FUZZ_CHECK(end->result >= 0 || dicomnet_error_text(end->result)[0] != '\0');
}

/* `place` of the bytes that are carried is changed; SIZE_MAX = none. */
static void carry(int from, size_t place)
{
    static uint8_t bytes[WRITTEN_MAX + FLIGHT_MAX];
    struct end *end = &ends[from];
    struct dicomnet_span output = tls_output(end->tls);
    size_t len = output.len;
    FUZZ_CHECK(len <= sizeof bytes);
    memcpy(bytes, output.data, len);
    tls_output_taken(end->tls);
    end->held = false;
    if (place < len)
        bytes[place] ^= (uint8_t)(1 << place % 8);
    give(1 - from, bytes, len);
}

static void write_message(int from, size_t len)
{
    static uint8_t bytes[WRITTEN_MAX];
    struct end *end = &ends[from];
    if (end->result != 1 || end->held || end->written + len > sizeof bytes)
        return;
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(end->written + i);
    int error = tls_write(end->tls, bytes, len);
    if (error == 0)
        end->written += len;
    else
        end->result = error;
}

static void take_step(struct fuzz_input *input, int attacked)
{
    unsigned step = fuzz_take_u8(input), much = step >> 3;
    struct end *end = &ends[attacked];
    switch (step & 7) {
    case 2:
        carry(1 - attacked, fuzz_take_u16(input));
        break;
    case 3: {
        struct fuzz_input bytes = fuzz_take(input, fuzz_take_u8(input));
        give(attacked, bytes.data, bytes.len);
        break;
    }
    case 4:
    case 5:
        write_message(step & 1, 1 + (size_t)much * much * 30);
        break;
    case 6:
        end->held = end->held || tls_output(end->tls).len > 0;
        if (end->held)
            tls_hold_output(end->tls);
        break;
    case 7:
        tls_end(end->tls);
        break;
    default:
        carry(step & 1, SIZE_MAX);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.data = data, .len = size};
    if (contexts[CLIENT][0] == NULL)
        make_contexts();
    unsigned how = fuzz_take_u8(&input);
    for (int i = 0; i < ENDS; i++) {
        ends[i] = (struct end){0};
        FUZZ_CHECK(tls_create(&ends[i].tls, contexts[i][how >> 1 & 3], "pacs", 104) == 0);
    }
    ends[CLIENT].result = tls_shake_hands(ends[CLIENT].tls);
    for (unsigned i = 0; i < STEPS_MAX && input.len > 0; i++)
        take_step(&input, (int)(how & 1));
    for (int i = 0; i < ENDS; i++)
        tls_destroy(ends[i].tls);
    return 0;
}
