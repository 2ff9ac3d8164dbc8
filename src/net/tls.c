/*
 * tls - see tls.h.
 *
 * OpenSSL reads and writes through a BIO of ours: reads take from `in`, writes go to the end of `out`. So a message is
 * encrypted, record by record, into one buffer, and what has come is copied no further than into OpenSSL.
 *
 * OpenSSL keeps its errors in a queue of the thread: it is emptied before each call, or an old error would be taken for
 * that of this connection.
 */
#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls_context.h"
#include "net/tls_judge.h"
#include "wire/foreign.h"

enum {
    IN_SIZE_FIRST = 4 * 1024, /* during the handshake */
    IN_SIZE = 64 * 1024,
    OUT_SIZE_FIRST = 4 * 1024,
    RECORD_LEN_MAX = SSL3_RT_MAX_PLAIN_LENGTH,
    RECORD_EXTRA_MAX = 64, /* header, nonce, type and tag of any suite of ours */
    KNOWN_LEN = 8          /* bytes by which any other protocol is known */
};

struct tls {
    struct dicomnet_tls *context; /* held */
    SSL *ssl;
    bool up;                        /* the handshake is done */
    bool is_tls;                    /* what the peer sent first is TLS */
    bool asked_for_certificate;     /* of ours, by the peer */
    bool heard;                     /* the peer has sent something of the application's */
    bool ended;                     /* close_notify went out */
    bool held;                      /* `out` is on its way */
    int error;                      /* why the certificate was not accepted, 0 = it was */
    int read_error;                 /* what the next tls_read returns: it came behind bytes that went out first */
    char session_of[TLS_PEER_SIZE]; /* client: see tls_context_take_session */
    char detail[TLS_DETAIL_SIZE];

    uint8_t *in; /* owned; of the line, not taken in yet: from in_begin to in_end */
    size_t in_size, in_begin, in_end;
    uint8_t *out; /* owned; for the line */
    size_t out_size, out_len;
    uint8_t late[TLS_LATE_MAX]; /* for the line, behind what is held */
    size_t late_len;
};

/* ---- the BIO: OpenSSL's side of the line ---- */

static int on_bio_read(BIO *bio, char *ret_bytes, int size)
{
    struct tls *tls = BIO_get_data(bio);
    size_t len = tls->in_end - tls->in_begin;
    BIO_clear_retry_flags(bio);
    if (len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (len > (size_t)size)
        len = (size_t)size;
    memcpy(ret_bytes, tls->in + tls->in_begin, len);
    tls->in_begin += len;
    return (int)len;
}

static bool reserve_output(struct tls *tls, size_t size)
{
    if (size <= tls->out_size)
        return true;
    uint8_t *out = realloc(tls->out, size);
    if (out == NULL)
        return false;
    tls->out = out;
    tls->out_size = size;
    return true;
}

static int on_bio_write(BIO *bio, const char *bytes, int len)
{
    struct tls *tls = BIO_get_data(bio);
    size_t size = (size_t)len;
    BIO_clear_retry_flags(bio);
    if (tls->held) {
        if (size > sizeof tls->late - tls->late_len)
            return -1;
        memcpy(tls->late + tls->late_len, bytes, size);
        tls->late_len += size;
        return len;
    }
    if (tls->out_len + size > tls->out_size && !reserve_output(tls, 2 * (tls->out_len + size)))
        return -1;
    memcpy(tls->out + tls->out_len, bytes, size);
    tls->out_len += size;
    return len;
}

static long on_bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* ---- what OpenSSL asks ---- */

/* True if the certificate is the one that was pinned; else its digest is in the detail. */
static bool is_pinned(struct tls *tls, X509 *certificate)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    char text[JUDGE_DIGEST_SIZE];
    if (certificate == NULL || X509_digest(certificate, EVP_sha256(), digest, NULL) != 1)
        return false;
    if (CRYPTO_memcmp(digest, tls->context->pin, TLS_PIN_LEN) == 0)
        return true;
    judge_digest_text(digest, text);
    (void)snprintf(tls->detail, sizeof tls->detail, "%s", text);
    return false;
}

static int verify(X509_STORE_CTX *store, void *user)
{
    (void)user;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(ssl);
    const struct dicomnet_tls *context = tls->context;
    if (context->has_pin && !is_pinned(tls, X509_STORE_CTX_get0_cert(store))) {
        tls->error = DICOMNET_ERROR_TLS_PIN;
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    if (context->insecure || context->pin_is_enough || X509_verify_cert(store) == 1) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    if (certificate == NULL)
        certificate = X509_STORE_CTX_get0_cert(store);
    tls->error = judge_certificate(X509_STORE_CTX_get_error(store), certificate, tls->detail, sizeof tls->detail);
    return 0;
}

static int on_certificate_wanted(SSL *ssl, void *user)
{
    (void)user;
    struct tls *tls = SSL_get_app_data(ssl);
    tls->asked_for_certificate = !tls->context->server;
    return 1;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls *tls = SSL_get_app_data(ssl);
    if (SSL_SESSION_is_resumable(session) != 1)
        return 0;
    tls_context_keep_session(tls->context, tls->session_of, session);
    return 1; /* it is ours now */
}

int tls_engine_prepare(struct dicomnet_tls *tls)
{
    tls->bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "dicomnet");
    if (tls->bio_method == NULL || BIO_meth_set_read(tls->bio_method, on_bio_read) != 1 ||
        BIO_meth_set_write(tls->bio_method, on_bio_write) != 1 ||
        BIO_meth_set_ctrl(tls->bio_method, on_bio_control) != 1)
        return -ENOMEM;
    static const int server_modes[] = {
        [DICOMNET_TLS_CLIENT_ANY] = SSL_VERIFY_NONE,
        [DICOMNET_TLS_CLIENT_REQUEST] = SSL_VERIFY_PEER,
        [DICOMNET_TLS_CLIENT_REQUIRE] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    SSL_CTX_set_verify(tls->ssl_context, tls->server ? server_modes[tls->client] : SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(tls->ssl_context, verify, NULL);
    SSL_CTX_set_cert_cb(tls->ssl_context, on_certificate_wanted, NULL);
    if (!tls->server)
        SSL_CTX_sess_set_new_cb(tls->ssl_context, on_session);
    return 0;
}

/* ---- begin and end ---- */

static bool is_address(const char *name)
{
    uint8_t address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* The certificate has to be for that name or address; a server with several is told which one is meant (SNI). */
static bool expect_name(SSL *ssl, const char *name)
{
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)name) == 1;
}

static bool begin_as_client(struct tls *tls, const char *host, uint16_t port)
{
    const char *name = tls->context->server_name[0] != '\0' ? tls->context->server_name : host;
    (void)snprintf(tls->session_of, sizeof tls->session_of, "%s:%u as %s", host, port, name);
    SSL_SESSION *session = tls_context_take_session(tls->context, tls->session_of);
    if (session != NULL)
        (void)SSL_set_session(tls->ssl, session);
    SSL_SESSION_free(session);
    SSL_set_connect_state(tls->ssl);
    return expect_name(tls->ssl, name);
}

int tls_create(struct tls **ret_tls, struct dicomnet_tls *context, const char *host, uint16_t port)
{
    ERR_clear_error();
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return -ENOMEM;
    tls->context = tls_context_hold(context);
    tls->in_size = IN_SIZE_FIRST;
    tls->in = malloc(tls->in_size);
    tls->ssl = SSL_new(context->ssl_context);
    BIO *bio = BIO_new(context->bio_method);
    int error =
        tls->in == NULL || !reserve_output(tls, OUT_SIZE_FIRST) || tls->ssl == NULL || bio == NULL ? -ENOMEM : 0;
    if (error == 0) {
        BIO_set_data(bio, tls);
        BIO_set_init(bio, 1);
        SSL_set_app_data(tls->ssl, tls);
        SSL_set_bio(tls->ssl, bio, bio); /* given away */
        if (context->server)
            SSL_set_accept_state(tls->ssl);
        else if (!begin_as_client(tls, host, port))
            error = DICOMNET_ERROR_TLS_FAILED;
    } else {
        BIO_free(bio);
    }
    if (error != 0) {
        tls_destroy(tls);
        return error;
    }
    *ret_tls = tls;
    return 0;
}

void tls_destroy(struct tls *tls)
{
    if (tls == NULL)
        return;
    /* An association that was aborted is no reason not to resume the session. */
    if (tls->up)
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    free(tls->in);
    free(tls->out);
    dicomnet_tls_destroy(tls->context);
    free(tls);
}

/* ---- from the line ---- */

uint8_t *tls_room(struct tls *tls, size_t *ret_size)
{
    if (tls->in_begin == tls->in_end)
        tls->in_begin = tls->in_end = 0;
    if (tls->up && tls->in_size < IN_SIZE) {
        uint8_t *in = realloc(tls->in, IN_SIZE);
        if (in != NULL) {
            tls->in = in;
            tls->in_size = IN_SIZE;
        }
    }
    *ret_size = tls->in_size - tls->in_end;
    return tls->in + tls->in_end;
}

void tls_feed(struct tls *tls, size_t len)
{
    tls->in_end += len;
}

/* Why a call of OpenSSL's did not succeed: 0 = the peer has to send more first; else the error. */
static int judge(struct tls *tls, int result)
{
    int kind = SSL_get_error(tls->ssl, result);
    if (kind == SSL_ERROR_WANT_READ)
        return 0;
    if (kind == SSL_ERROR_ZERO_RETURN)
        return DICOMNET_ERROR_PEER_CLOSED;
    unsigned long error = ERR_get_error();
    ERR_clear_error();
    if (tls->error != 0)
        return tls->error;
    bool wants_certificate = tls->asked_for_certificate && !tls->context->has_certificate;
    return judge_failure(error, wants_certificate, tls->detail, sizeof tls->detail);
}

/* Is it TLS that the peer speaks? 0 = yes, or that cannot be said yet. */
static int judge_first_bytes(struct tls *tls)
{
    /* An alert, protocol_version: whoever begins in clear learns what is spoken here. */
    static const uint8_t refusal[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, SSL_AD_PROTOCOL_VERSION};
    const uint8_t *bytes = tls->in + tls->in_begin;
    size_t len = tls->in_end - tls->in_begin;
    if (tls->is_tls || len == 0)
        return 0;
    tls->is_tls = bytes[0] == SSL3_RT_HANDSHAKE || bytes[0] == SSL3_RT_ALERT;
    if (tls->is_tls)
        return 0;
    bool is_pdu = bytes[0] >= 1 && bytes[0] <= 7 && (len < 2 || bytes[1] == 0); /* PS3.8 9.3: type, reserved */
    if (is_pdu && len < 2)
        return 0;
    int error = is_pdu ? DICOMNET_ERROR_PEER_SPEAKS_CLEAR
                       : foreign_protocol(bytes, len, len < KNOWN_LEN ? 0 : DICOMNET_ERROR_PEER_SPEAKS_OTHER);
    if (error != 0 && tls->context->server && !tls->held) {
        memcpy(tls->out, refusal, sizeof refusal);
        tls->out_len = sizeof refusal;
    }
    return error;
}

int tls_shake_hands(struct tls *tls)
{
    int error = judge_first_bytes(tls);
    if (error != 0)
        return error;
    if (!tls->is_tls && tls->in_end > tls->in_begin)
        return 0;
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    if (result != 1)
        return judge(tls, result);
    tls->up = true;
    return 1;
}

ssize_t tls_read(struct tls *tls, uint8_t *room, size_t size)
{
    size_t len = 0;
    bool more = tls->read_error == 0;
    while (more && len < size) {
        size_t read = 0;
        ERR_clear_error();
        int result = SSL_read_ex(tls->ssl, room + len, size - len, &read);
        len += read;
        more = result == 1;
        if (!more)
            tls->read_error = judge(tls, result);
    }
    tls->heard = tls->heard || len > 0;
    return len > 0 ? (ssize_t)len : tls->read_error;
}

bool tls_is_in_record(const struct tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}

int tls_judge_end(const struct tls *tls, int error)
{
    bool cut = error == DICOMNET_ERROR_PEER_CLOSED || error == -ECONNRESET || error == -EPIPE;
    if (!cut || tls->heard)
        return error;
    if (tls->asked_for_certificate && !tls->context->has_certificate)
        return DICOMNET_ERROR_TLS_CERTIFICATE_WANTED;
    return tls->up ? error : DICOMNET_ERROR_TLS_CLOSED;
}

/* ---- to the line ---- */

int tls_write(struct tls *tls, const uint8_t *bytes, size_t len)
{
    size_t written;
    size_t records = len / RECORD_LEN_MAX + 1;
    if (!reserve_output(tls, tls->out_len + len + records * RECORD_EXTRA_MAX))
        return -ENOMEM;
    ERR_clear_error();
    int result = SSL_write_ex(tls->ssl, bytes, len, &written);
    if (result == 1)
        return 0;
    int error = judge(tls, result);
    return error != 0 ? error : DICOMNET_ERROR_TLS_FAILED;
}

void tls_end(struct tls *tls)
{
    if (!tls->up || tls->ended || tls->held)
        return;
    tls->ended = true;
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

struct dicomnet_span tls_output(const struct tls *tls)
{
    return (struct dicomnet_span){.data = tls->out, .len = tls->out_len};
}

void tls_hold_output(struct tls *tls)
{
    tls->held = true;
}

void tls_output_taken(struct tls *tls)
{
    tls->held = false;
    memcpy(tls->out, tls->late, tls->late_len);
    tls->out_len = tls->late_len;
    tls->late_len = 0;
}

/* ---- what is known ---- */

bool tls_is_for_server(const struct dicomnet_tls *context)
{
    return context->server;
}

const char *tls_detail(const struct tls *tls)
{
    return tls->detail;
}

const char *tls_version(const struct tls *tls)
{
    return SSL_get_version(tls->ssl);
}

const char *tls_cipher(const struct tls *tls)
{
    return SSL_get_cipher_name(tls->ssl);
}

bool tls_is_resumed(const struct tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}
