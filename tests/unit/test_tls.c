/*
 * TLS without a line: a client and a server whose bytes are carried over by hand, whole, cut at every byte, held, and
 * changed; and what each of them says if the other is not as it should be.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificates.h"
#include "dicomnet/tls.h"
#include "net/tls.h"
#include "net/tls_context.h"

enum { MESSAGE_LEN = 300 * 1000, CUTS = 2500, LINE_SIZE = 1024 * 1024, PIECE_MAX = 40 };

/* ---- who there is ---- */

static char folder[CERTIFICATE_PATH_SIZE];
static struct identity *root, *between, *server, *other_root, *client;
static const char *root_file, *other_root_file, *server_file, *server_key, *client_file, *client_key;

static void begin(void)
{
    certificates_begin(folder);
    root = identity_make(&(struct identity_spec){.name = "Root", .authority = true});
    between = identity_make(&(struct identity_spec){.name = "Between", .authority = true, .issuer = root});
    server = identity_make(&(struct identity_spec){
        .name = "pacs", .issuer = between, .alternative_names = "DNS:pacs.example,DNS:*.wild.example,IP:127.0.0.1"});
    other_root = identity_make(&(struct identity_spec){.name = "Other Root", .authority = true});
    client = identity_make(&(struct identity_spec){.name = "sender", .issuer = root});
    root_file = identity_write_certificate(root, folder, "root.pem", NULL);
    other_root_file = identity_write_certificate(other_root, folder, "other_root.pem", NULL);
    server_file =
        identity_write_certificate(server, folder, "server.pem", (const struct identity *const[]){between, NULL});
    server_key = identity_write_key(server, folder, "server.key", NULL);
    client_file = identity_write_certificate(client, folder, "client.pem", NULL);
    client_key = identity_write_key(client, folder, "client.key", NULL);
}

static void end(void)
{
    struct identity *all[] = {root, between, server, other_root, client};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        identity_free(all[i]);
    certificates_end(folder);
}

TestSuite(tls, .init = begin, .fini = end);

static struct dicomnet_tls *make_server(void)
{
    return certificates_use(
        (struct dicomnet_tls_options){.server = true, .certificate = server_file, .key = server_key});
}

static struct dicomnet_tls *make_client(void)
{
    return certificates_use((struct dicomnet_tls_options){.ca = root_file});
}

/* ---- the line ---- */

struct line {
    struct dicomnet_tls *contexts[2];
    struct tls *ends[2]; /* client, server */
    int results[2];      /* of their handshakes: 1, 0, or an error */
    size_t piece;        /* bytes carried at a time; 0 = all */
    size_t cut;          /* and never over this place of what goes to an end; 0 = nowhere */
    size_t carried[2];   /* to each */
};

static void connect_as(struct line *line, struct dicomnet_tls *to, struct dicomnet_tls *from, const char *host)
{
    *line = (struct line){.contexts = {to, from}};
    cr_assert_eq(tls_create(&line->ends[0], to, host, 104), 0);
    cr_assert_eq(tls_create(&line->ends[1], from, NULL, 0), 0);
}

static void hang_up(struct line *line)
{
    tls_destroy(line->ends[0]);
    tls_destroy(line->ends[1]);
}

/* Feed one end. */
static void feed(struct line *line, int to, const uint8_t *bytes, size_t len)
{
    size_t size;
    uint8_t *room = tls_room(line->ends[to], &size);
    cr_assert_geq(size, len);
    memcpy(room, bytes, len);
    tls_feed(line->ends[to], len);
}

static size_t next_piece(const struct line *line, int to, size_t left)
{
    size_t len = line->piece > 0 ? line->piece : 4096, done = line->carried[to];
    if (line->cut > done && line->cut - done < len)
        len = line->cut - done;
    return len < left ? len : left;
}

static void shake(struct line *line, int who)
{
    if (line->results[who] == 0)
        line->results[who] = tls_shake_hands(line->ends[who]);
}

/* Carry what one end has to say to the other, which takes part in the handshake meanwhile. False if it says nothing. */
static bool carry(struct line *line, int from)
{
    static uint8_t bytes[LINE_SIZE];
    int to = 1 - from;
    struct dicomnet_span output = tls_output(line->ends[from]);
    if (output.len == 0)
        return false;
    cr_assert_leq(output.len, sizeof bytes);
    memcpy(bytes, output.data, output.len);
    tls_output_taken(line->ends[from]);
    for (size_t done = 0, len; done < output.len && line->results[to] >= 0; done += len) {
        len = next_piece(line, to, output.len - done);
        feed(line, to, bytes + done, len);
        line->carried[to] += len;
        shake(line, to);
    }
    return true;
}

static void shake_hands(struct line *line)
{
    shake(line, 0);
    bool client_speaks = true, server_speaks = true;
    while (client_speaks || server_speaks) {
        client_speaks = carry(line, 0);
        server_speaks = carry(line, 1);
    }
}

static uint8_t byte_at(size_t offset)
{
    return (uint8_t)(offset * 11 + offset / 251);
}

/* One message from one end to the other, in one piece of output. */
static void send_message(struct line *line, int from, size_t len)
{
    int to = 1 - from;
    uint8_t *bytes = malloc(2 * len + LINE_SIZE), *read = bytes + len, *ciphertext = bytes + 2 * len;
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(i);
    cr_assert_eq(tls_write(line->ends[from], bytes, len), 0);
    struct dicomnet_span output = tls_output(line->ends[from]);
    cr_assert_leq(output.len, len + (len / 16384 + 2) * 64);
    memcpy(ciphertext, output.data, output.len);
    tls_output_taken(line->ends[from]);
    cr_assert_eq(tls_output(line->ends[from]).len, 0);
    size_t got = 0;
    for (size_t done = 0, piece; done < output.len; done += piece) {
        piece = next_piece(line, to, output.len - done);
        feed(line, to, ciphertext + done, piece);
        line->carried[to] += piece;
        ssize_t more = tls_read(line->ends[to], read + got, len - got + 1);
        cr_assert_geq(more, 0, "%s", dicomnet_error_text((int)more));
        got += (size_t)more;
        cr_assert(done + piece < output.len || !tls_is_in_record(line->ends[to]));
    }
    cr_assert_eq(got, len);
    cr_assert_arr_eq(read, bytes, len);
    free(bytes);
}

/* ---- what works ---- */

static void talk(struct line *line)
{
    shake_hands(line);
    cr_assert_eq(line->results[0], 1, "client: %s (%s)", dicomnet_error_text(line->results[0]),
                 tls_detail(line->ends[0]));
    cr_assert_eq(line->results[1], 1, "server: %s (%s)", dicomnet_error_text(line->results[1]),
                 tls_detail(line->ends[1]));
    const size_t lens[] = {1, 100, 16384, 16385, MESSAGE_LEN};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        send_message(line, 0, lens[i]);
        send_message(line, 1, lens[i]);
    }
}

Test(tls, speaks_every_version_and_key)
{
    const char *const ciphers[] = {NULL,
                                   "TLS_AES_256_GCM_SHA384",
                                   "TLS_CHACHA20_POLY1305_SHA256",
                                   "ECDHE-ECDSA-AES128-GCM-SHA256",
                                   "ECDHE-RSA-AES256-GCM-SHA384",
                                   "DHE-RSA-AES128-GCM-SHA256"};
    struct identity *rsa = identity_make(
        &(struct identity_spec){.name = "rsa", .issuer = root, .rsa = true, .alternative_names = "DNS:pacs.example"});
    const char *rsa_file = identity_write_certificate(rsa, folder, "rsa.pem", NULL);
    const char *rsa_key = identity_write_key(rsa, folder, "rsa.key", NULL);
    identity_free(rsa);
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        bool is_rsa = ciphers[i] != NULL && strstr(ciphers[i], "RSA") != NULL && strstr(ciphers[i], "ECDSA") == NULL;
        struct dicomnet_tls *to =
            certificates_use((struct dicomnet_tls_options){.ca = root_file, .ciphers = ciphers[i]});
        struct dicomnet_tls *from = certificates_use((struct dicomnet_tls_options){
            .server = true, .certificate = is_rsa ? rsa_file : server_file, .key = is_rsa ? rsa_key : server_key});
        struct line line;
        connect_as(&line, to, from, "pacs.example");
        talk(&line);
        cr_assert_str_eq(tls_cipher(line.ends[0]), ciphers[i] != NULL ? ciphers[i] : "TLS_AES_128_GCM_SHA256");
        bool newest = ciphers[i] == NULL || strncmp(ciphers[i], "TLS_", 4) == 0;
        cr_assert_str_eq(tls_version(line.ends[1]), newest ? "TLSv1.3" : "TLSv1.2");
        hang_up(&line);
        dicomnet_tls_destroy(to);
        dicomnet_tls_destroy(from);
    }
}

/* A handshake and two messages, over a line that carries pieces of that length, or is cut in two there. */
static void talk_in_pieces(struct dicomnet_tls *from, size_t piece, size_t cut, size_t len)
{
    struct dicomnet_tls *to = make_client();
    struct line line;
    connect_as(&line, to, from, "pacs.example");
    line.piece = piece;
    line.cut = cut;
    shake_hands(&line);
    cr_assert_eq(line.results[0], 1);
    cr_assert_eq(line.results[1], 1);
    send_message(&line, 0, len);
    send_message(&line, 1, 1000);
    hang_up(&line);
    dicomnet_tls_destroy(to);
}

/* In pieces of every size, and in two whose border is each of the bytes. */
Test(tls, can_be_cut_anywhere, .timeout = 400)
{
    struct dicomnet_tls *from = make_server();
    for (size_t piece = 1; piece <= PIECE_MAX; piece++)
        talk_in_pieces(from, piece, 0, 16385);
    for (size_t cut = 1; cut <= CUTS; cut += cut < 700 ? 1 : 13)
        talk_in_pieces(from, 0, cut, 1000);
    dicomnet_tls_destroy(from);
}

Test(tls, resumes_a_session_with_the_same_peer_alone)
{
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"};
    for (size_t i = 0; i < 2; i++) {
        struct dicomnet_tls *from = make_server(),
                            *to =
                                certificates_use((struct dicomnet_tls_options){.ca = root_file, .ciphers = suites[i]});
        const char *const hosts[] = {"pacs.example", "pacs.example", "127.0.0.1", "pacs.example"};
        const bool resumed[] = {false, true, false, true};
        for (size_t k = 0; k < sizeof hosts / sizeof hosts[0]; k++) {
            struct line line;
            connect_as(&line, to, from, hosts[k]);
            talk(&line);
            cr_assert_eq(tls_is_resumed(line.ends[0]), resumed[k], "%s, number %zu", suites[i], k);
            cr_assert_eq(tls_is_resumed(line.ends[1]), resumed[k]);
            hang_up(&line);
        }
        dicomnet_tls_destroy(to);
        dicomnet_tls_destroy(from);
    }
}

/* Whoever gave it up does not end it for those who use it. */
Test(tls, context_lives_as_long_as_its_connections)
{
    struct dicomnet_tls *from = make_server(), *to = make_client();
    struct line line;
    connect_as(&line, to, from, "pacs.example");
    dicomnet_tls_destroy(to);
    dicomnet_tls_destroy(from);
    talk(&line);
    hang_up(&line);
}

Test(tls, end_is_told)
{
    struct dicomnet_tls *from = make_server(), *to = make_client();
    struct line line;
    uint8_t room[100];
    connect_as(&line, to, from, "pacs.example");
    talk(&line);
    cr_assert_eq(tls_write(line.ends[0], (const uint8_t *)"last", 4), 0);
    tls_end(line.ends[0]);
    struct dicomnet_span output = tls_output(line.ends[0]);
    feed(&line, 1, output.data, output.len);
    cr_assert_eq(tls_read(line.ends[1], room, sizeof room), 4);
    cr_assert_eq(tls_read(line.ends[1], room, sizeof room), DICOMNET_ERROR_PEER_CLOSED);
    cr_assert_eq(tls_read(line.ends[1], room, sizeof room), DICOMNET_ERROR_PEER_CLOSED);
    hang_up(&line);
    dicomnet_tls_destroy(to);
    dicomnet_tls_destroy(from);
}

/* While its output is held an end can read, and what it must say of itself waits behind that, up to a limit. */
Test(tls, speaks_of_itself_behind_what_is_held)
{
    struct dicomnet_tls *from = make_server(), *to = make_client();
    struct line line;
    uint8_t message[5000] = {1}, held[6000];
    connect_as(&line, to, from, "pacs.example");
    talk(&line);
    cr_assert_eq(tls_write(line.ends[0], message, sizeof message), 0);
    tls_hold_output(line.ends[0]);
    struct dicomnet_span output = tls_output(line.ends[0]);
    memcpy(held, output.data, output.len);
    send_message(&line, 1, 100);
    tls_end(line.ends[0]); /* not now */
    cr_assert_eq(tls_output(line.ends[0]).data, output.data);
    cr_assert_arr_eq(output.data, held, output.len);
    tls_output_taken(line.ends[0]);
    cr_assert_eq(tls_output(line.ends[0]).len, 0);
    hang_up(&line);
    dicomnet_tls_destroy(to);
    dicomnet_tls_destroy(from);
}

/* ---- what does not ---- */

struct failure {
    const char *what, *host;
    struct dicomnet_tls_options client, server;
    int client_error, server_error; /* 1 = it is content, 0 = it waits */
    const char *detail;             /* part of what the client says */
};

static void fail_as(const struct failure *failure)
{
    struct dicomnet_tls_options options = failure->server;
    struct dicomnet_tls *to = certificates_use(failure->client);
    options.server = true;
    if (options.certificate == NULL) {
        options.certificate = server_file;
        options.key = server_key;
    }
    struct dicomnet_tls *from = certificates_use(options);
    struct line line;
    uint8_t room[100];
    connect_as(&line, to, from, failure->host);
    shake_hands(&line);
    for (int i = 0; i < 2; i++) { /* TLS 1.3 tells a client what a server thinks of it with the first read */
        ssize_t len = line.results[i] == 1 ? tls_read(line.ends[i], room, sizeof room) : 0;
        if (len < 0)
            line.results[i] = (int)len;
    }
    cr_expect_eq(line.results[0], failure->client_error, "%s: client: %s (%s)", failure->what,
                 dicomnet_error_text(line.results[0]), tls_detail(line.ends[0]));
    cr_expect_eq(line.results[1], failure->server_error, "%s: server: %s (%s)", failure->what,
                 dicomnet_error_text(line.results[1]), tls_detail(line.ends[1]));
    if (failure->detail != NULL)
        cr_expect_not_null(strstr(tls_detail(line.ends[0]), failure->detail), "%s: \"%s\"", failure->what,
                           tls_detail(line.ends[0]));
    hang_up(&line);
    dicomnet_tls_destroy(to);
    dicomnet_tls_destroy(from);
}

Test(tls, tells_what_is_wrong_with_a_certificate)
{
    struct identity *old = identity_make(&(struct identity_spec){
        .name = "old", .issuer = root, .begin_days = -30, .end_days = -2, .alternative_names = "DNS:pacs.example"});
    struct identity *young = identity_make(&(struct identity_spec){
        .name = "young", .issuer = root, .begin_days = 2, .end_days = 30, .alternative_names = "DNS:pacs.example"});
    struct identity *nameless = identity_make(&(struct identity_spec){.name = "pacs.example", .issuer = root});
    const struct dicomnet_tls_options of_old = {.certificate = identity_write_certificate(old, folder, "old.pem", NULL),
                                                .key = identity_write_key(old, folder, "old.key", NULL)},
                                      of_young = {.certificate =
                                                      identity_write_certificate(young, folder, "young.pem", NULL),
                                                  .key = identity_write_key(young, folder, "young.key", NULL)},
                                      of_nameless = {.certificate = identity_write_certificate(nameless, folder,
                                                                                               "nameless.pem", NULL),
                                                     .key = identity_write_key(nameless, folder, "nameless.key", NULL)};
    char pin[65], other_pin[65];
    identity_digest(server, pin);
    identity_digest(client, other_pin);
    const struct dicomnet_tls_options trusting = {.ca = root_file}, careless = {.insecure = true};
    const struct failure failures[] = {
        {"good", "pacs.example", trusting, {0}, 1, 1, NULL},
        {"good address", "127.0.0.1", trusting, {0}, 1, 1, NULL},
        {"wildcard", "a.wild.example", trusting, {0}, 1, 1, NULL},
        {"common name only", "pacs.example", trusting, of_nameless, 1, 1, NULL},
        {"named", "10.1.2.3", {.ca = root_file, .server_name = "pacs.example"}, {0}, 1, 1, NULL},
        {"issuer",
         "pacs.example",
         {.ca = other_root_file},
         {0},
         DICOMNET_ERROR_TLS_UNTRUSTED,
         DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED,
         "'Root', SHA-256 of the certificate "},
        {"name",
         "elsewhere.example",
         trusting,
         {0},
         DICOMNET_ERROR_TLS_NAME,
         DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED,
         "'pacs.example', '*.wild.example', '127.0.0.1'"},
        {"address",
         "127.0.0.2",
         trusting,
         {0},
         DICOMNET_ERROR_TLS_NAME,
         DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED,
         "'pacs.example'"},
        {"expired", "pacs.example", trusting, of_old, DICOMNET_ERROR_TLS_EXPIRED,
         DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED, " UTC"},
        {"not yet", "pacs.example", trusting, of_young, DICOMNET_ERROR_TLS_NOT_YET_VALID,
         DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED, " UTC"},
        {"pinned", "elsewhere.example", {.pin = pin}, {0}, 1, 1, NULL},
        {"pinned and trusted", "pacs.example", {.pin = pin, .ca = root_file}, {0}, 1, 1, NULL},
        {"pinned, not trusted",
         "pacs.example",
         {.pin = pin, .ca = other_root_file},
         {0},
         DICOMNET_ERROR_TLS_UNTRUSTED,
         DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED,
         NULL},
        {"pin",
         "pacs.example",
         {.pin = other_pin},
         {0},
         DICOMNET_ERROR_TLS_PIN,
         DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED,
         NULL},
        {"insecure", "elsewhere.example", careless, of_old, 1, 1, NULL},
    };
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        fail_as(&failures[i]);
    identity_free(old);
    identity_free(young);
    identity_free(nameless);
}

Test(tls, tells_what_a_server_wants_of_its_clients)
{
    const struct dicomnet_tls_options nobody = {.ca = root_file},
                                      sender = {.ca = root_file, .certificate = client_file, .key = client_key},
                                      requires = {.ca = root_file, .client = DICOMNET_TLS_CLIENT_REQUIRE},
                                      requests = {.ca = root_file, .client = DICOMNET_TLS_CLIENT_REQUEST},
                                      requires_other = {.ca = other_root_file, .client = DICOMNET_TLS_CLIENT_REQUIRE},
                                      requests_other = {.ca = other_root_file, .client = DICOMNET_TLS_CLIENT_REQUEST};
    const struct failure failures[] = {
        {"given", "pacs.example", sender, requires, 1, 1, NULL},
        {"given though not asked for", "pacs.example", sender, {0}, 1, 1, NULL},
        {"wanted", "pacs.example", nobody, requires, DICOMNET_ERROR_TLS_CERTIFICATE_WANTED,
         DICOMNET_ERROR_TLS_NO_CERTIFICATE, NULL},
        {"requested", "pacs.example", nobody, requests, 1, 1, NULL},
        {"refused", "pacs.example", sender, requires_other, DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED,
         DICOMNET_ERROR_TLS_UNTRUSTED, NULL},
        {"refused though only requested", "pacs.example", sender, requests_other,
         DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED, DICOMNET_ERROR_TLS_UNTRUSTED, NULL},
    };
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        for (int older = 0; older < 2; older++) {
            struct failure failure = failures[i];
            failure.client.ciphers = older ? "ECDHE-ECDSA-AES128-GCM-SHA256" : NULL;
            fail_as(&failure);
        }
    }
}

Test(tls, tells_that_nothing_is_common)
{
    const struct dicomnet_tls_options old = {.ca = root_file, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"},
                                      of_rsa = {.ca = root_file, .ciphers = "ECDHE-RSA-AES128-GCM-SHA256"},
                                      new = {.version_min = DICOMNET_TLS_1_3};
    const struct failure failures[] = {
        {"version", "pacs.example", old, new, DICOMNET_ERROR_TLS_NOTHING_COMMON, DICOMNET_ERROR_TLS_NOTHING_COMMON,
         NULL},
        {"cipher",
         "pacs.example",
         of_rsa,
         {0},
         DICOMNET_ERROR_TLS_NOTHING_COMMON,
         DICOMNET_ERROR_TLS_NOTHING_COMMON,
         NULL},
    };
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        fail_as(&failures[i]);
}

/* Whoever does not speak TLS is known by the first bytes, however they come. */
Test(tls, tells_who_does_not_speak_it)
{
    static const struct {
        const char *bytes;
        size_t len;
        int error;
    } speakers[] = {{"\x01\x00\x00\x00\x00\xcd\x00\x01", 8, DICOMNET_ERROR_PEER_SPEAKS_CLEAR},
                    {"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00", 10, DICOMNET_ERROR_PEER_SPEAKS_CLEAR},
                    {"HTTP/1.1 400 Bad Request\r\n", 26, DICOMNET_ERROR_PEER_SPEAKS_HTTP},
                    {"GET / HTTP/1.1\r\n", 16, DICOMNET_ERROR_PEER_SPEAKS_HTTP},
                    {"SSH-2.0-OpenSSH_9.2\r\n", 21, DICOMNET_ERROR_PEER_SPEAKS_SSH},
                    {"\0\0\0\0\0\0\0\0\0", 9, DICOMNET_ERROR_PEER_SPEAKS_OTHER},
                    {"\x01\x01\x01\x01\x01\x01\x01\x01", 8, DICOMNET_ERROR_PEER_SPEAKS_OTHER}};
    struct dicomnet_tls *contexts[] = {make_client(), make_server()};
    for (size_t i = 0; i < sizeof speakers / sizeof speakers[0]; i++) {
        for (int who = 0; who < 4; who++) {
            struct line line;
            size_t piece = who >= 2 ? 1 : speakers[i].len, done = 0;
            connect_as(&line, contexts[0], contexts[1], "pacs.example");
            shake(&line, 0);
            for (; done < speakers[i].len && line.results[who % 2] == 0; done += piece) {
                feed(&line, who % 2, (const uint8_t *)speakers[i].bytes + done, piece);
                shake(&line, who % 2);
            }
            cr_expect_eq(line.results[who % 2], speakers[i].error, "%zu: %s", i,
                         dicomnet_error_text(line.results[who % 2]));
            /* A client that speaks in clear learns what is spoken here: an alert. */
            cr_expect(who % 2 == 0 || (tls_output(line.ends[1]).len == 7 && tls_output(line.ends[1]).data[0] == 0x15));
            hang_up(&line);
        }
    }
    dicomnet_tls_destroy(contexts[0]);
    dicomnet_tls_destroy(contexts[1]);
}

/* A bit that was changed on its way is never handed on. */
Test(tls, takes_nothing_that_was_changed)
{
    struct dicomnet_tls *from = make_server(), *to = make_client();
    uint8_t message[200] = {0}, room[300], bytes[400];
    for (size_t place = 0; place < 222; place++) {
        struct line line;
        connect_as(&line, to, from, "pacs.example");
        shake_hands(&line);
        cr_assert_eq(tls_write(line.ends[0], message, sizeof message), 0);
        struct dicomnet_span output = tls_output(line.ends[0]);
        cr_assert_eq(output.len, 222);
        memcpy(bytes, output.data, output.len);
        bytes[place] ^= 0x10;
        feed(&line, 1, bytes, output.len);
        ssize_t len = tls_read(line.ends[1], room, sizeof room);
        /* A length that grew waits for more: it is still nothing that was handed on. */
        cr_assert_leq(len, 0, "byte %zu", place);
        cr_assert(place == 3 || place == 4 || len < 0, "byte %zu", place);
        hang_up(&line);
    }
    dicomnet_tls_destroy(to);
    dicomnet_tls_destroy(from);
}

/* ---- options ---- */

static void refuse(struct dicomnet_tls_options options, int error, const char *why_part)
{
    struct dicomnet_tls *tls = NULL;
    char why[DICOMNET_TLS_WHY_SIZE];
    options.size = sizeof options;
    cr_expect_eq(dicomnet_tls_create(&tls, &options, why), error, "for \"%s\": %s", why_part, why);
    cr_expect_not_null(strstr(why, why_part), "\"%s\" does not say \"%s\"", why, why_part);
    cr_expect_null(tls);
}

Test(tls, options_that_cannot_be_used_are_named)
{
    const int error = DICOMNET_ERROR_TLS_OPTIONS;
    char empty[CERTIFICATE_PATH_SIZE];
    const char *locked = identity_write_key(client, folder, "locked.key", "secret");
    certificates_begin(empty);
    refuse((struct dicomnet_tls_options){.ca = "/nowhere/ca.pem"}, error, "'/nowhere/ca.pem': No such file");
    refuse((struct dicomnet_tls_options){.ca = client_key}, error, "no certificate");
    refuse((struct dicomnet_tls_options){.ca = empty}, error, "no file of it holds a certificate");
    refuse((struct dicomnet_tls_options){.certificate = "/nowhere/a.pem"}, error, "'/nowhere/a.pem': No such file");
    refuse((struct dicomnet_tls_options){.certificate = client_file}, error, "'"); /* no key in it */
    refuse((struct dicomnet_tls_options){.certificate = client_file, .key = server_key}, error,
           "is not that of the certificate");
    refuse((struct dicomnet_tls_options){.certificate = client_file, .key = locked}, error, "no password was given");
    refuse((struct dicomnet_tls_options){.certificate = client_file, .key = locked, .key_password = "wrong"}, error,
           "cannot be decrypted");
    refuse((struct dicomnet_tls_options){.key = client_key}, error, "no certificate");
    refuse((struct dicomnet_tls_options){.pin = "12:34"}, error, "64 hexadecimal digits");
    refuse((struct dicomnet_tls_options){.ciphers = "ROT13"}, error, "ROT13");
    refuse((struct dicomnet_tls_options){.ciphers = "TLS_ROT13"}, error, "TLS_ROT13");
    refuse((struct dicomnet_tls_options){.ciphers = ","}, error, "empty");
    refuse((struct dicomnet_tls_options){.ciphers = "ECDHE-RSA-AES128-GCM-SHA256", .version_min = DICOMNET_TLS_1_3},
           error, "no cipher suites of TLS 1.3");
    refuse((struct dicomnet_tls_options){.server = true}, error, "needs a certificate");
    refuse(
        (struct dicomnet_tls_options){
            .server = true, .certificate = server_file, .key = server_key, .client = DICOMNET_TLS_CLIENT_REQUIRE},
        error, "whose are trusted");
    refuse((struct dicomnet_tls_options){.server = true, .certificate = server_file, .insecure = true}, -EINVAL, "");
    refuse((struct dicomnet_tls_options){.client = DICOMNET_TLS_CLIENT_REQUEST}, -EINVAL, "");
    dicomnet_tls_destroy(certificates_use((struct dicomnet_tls_options){
        .certificate = client_file, .key = locked, .key_password = "secret", .ca = folder}));
    dicomnet_tls_destroy(certificates_use((struct dicomnet_tls_options){.ca = NULL}));
    certificates_end(empty);
}
