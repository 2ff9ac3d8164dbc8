/*
 * tls_context - see tls_context.h and dicomnet/tls.h.
 *
 * What OpenSSL does not do by itself and is done here: a folder of certificates is read whole, whatever its files are
 * called; nobody is asked for a password at a terminal; and each thing that cannot be used is named.
 */
#include "net/tls_context.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sized.h"

/* PS3.15 B.12: those of RFC 9325 (BCP 195), the faster first; DHE for old peers. 1.3 has forward secrecy throughout. */
static const char cipher_list[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                  "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384";
static const char cipher_suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

enum { SECURITY_LEVEL = 2 /* of OpenSSL: RSA and DH of 2048 bits, EC of 224, no SHA-1 */, PATH_SIZE = 4096 };

/* What could not be used, and why. */
struct complaint {
    char *why; /* DICOMNET_TLS_WHY_SIZE bytes, or NULL */
};

__attribute__((format(printf, 2, 3))) static int complain(const struct complaint *complaint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (complaint->why != NULL)
        (void)vsnprintf(complaint->why, DICOMNET_TLS_WHY_SIZE, format, arguments);
    va_end(arguments);
    ERR_clear_error();
    return DICOMNET_ERROR_TLS_OPTIONS;
}

/* ---- certificates and keys ---- */

/* Why a PEM file could not be used: what is nearest to the cause. */
static const char *reason_of(unsigned long error)
{
    if (ERR_SYSTEM_ERROR(error))
        return strerror(ERR_GET_REASON(error));
    if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE)
        return "no certificate or key in PEM form is in it";
    const char *text = ERR_reason_error_string(error);
    return text != NULL ? text : "unknown error";
}

/* Add the certificates of a file to those that are trusted. Returns how many there were. */
static unsigned trust_file(SSL_CTX *context, const char *path, bool names_wanted, unsigned long *ret_error)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    unsigned count = 0;
    BIO *file = BIO_new_file(path, "r");
    X509 *certificate;
    while (file != NULL && (certificate = PEM_read_bio_X509_AUX(file, NULL, NULL, NULL)) != NULL) {
        count += X509_STORE_add_cert(store, certificate) == 1;
        if (names_wanted)
            (void)SSL_CTX_add_client_CA(context, certificate);
        X509_free(certificate);
    }
    *ret_error = ERR_peek_error();
    ERR_clear_error();
    BIO_free(file);
    return count;
}

static int trust_folder(SSL_CTX *context, const char *path, bool names_wanted, const struct complaint *complaint)
{
    char name[PATH_SIZE];
    unsigned count = 0;
    unsigned long error;
    DIR *folder = opendir(path);
    if (folder == NULL)
        return complain(complaint, "'%s': %s", path, strerror(errno));
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct stat status;
        int len = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (len < (int)sizeof name && stat(name, &status) == 0 && S_ISREG(status.st_mode))
            count += trust_file(context, name, names_wanted, &error);
    }
    closedir(folder);
    return count > 0 ? 0 : complain(complaint, "'%s': no file of it holds a certificate in PEM form", path);
}

static int trust(SSL_CTX *context, const struct dicomnet_tls_options *options, const struct complaint *complaint)
{
    struct stat status;
    unsigned long error;
    if (options->ca == NULL) {
        if (!options->server && SSL_CTX_set_default_verify_paths(context) != 1)
            return complain(complaint, "the system's trusted certificates cannot be read");
        return 0;
    }
    /* Who names a certificate trusts it, even if it is not that of a root. */
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context), X509_V_FLAG_PARTIAL_CHAIN);
    if (stat(options->ca, &status) == 0 && S_ISDIR(status.st_mode))
        return trust_folder(context, options->ca, options->server, complaint);
    return trust_file(context, options->ca, options->server, &error) > 0
               ? 0
               : complain(complaint, "'%s': %s", options->ca, reason_of(error));
}

struct password {
    const char *text;
    bool asked;
};

static int give_password(char *ret_text, int size, int writing, void *user)
{
    (void)writing;
    struct password *password = user;
    password->asked = true;
    int len = password->text != NULL ? (int)strnlen(password->text, (size_t)size + 1) : -1;
    if (len < 0 || len > size)
        return -1;
    memcpy(ret_text, password->text, (size_t)len);
    return len;
}

static int load_identity(SSL_CTX *context, const struct dicomnet_tls_options *options,
                         const struct complaint *complaint)
{
    struct password password = {.text = options->key_password};
    const char *key = options->key != NULL ? options->key : options->certificate;
    if (options->certificate == NULL)
        return 0;
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1)
        return complain(complaint, "'%s': %s", options->certificate, reason_of(ERR_peek_error()));
    SSL_CTX_set_default_passwd_cb(context, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, &password);
    int used = SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb(context, NULL);
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    if (used == 1 && SSL_CTX_check_private_key(context) == 1)
        return 0;
    unsigned long error = ERR_peek_error();
    if (used != 1 && password.asked)
        return complain(complaint, "'%s': %s", key,
                        password.text == NULL ? "the key is encrypted, and no password was given"
                                              : "the key cannot be decrypted with this password");
    if (ERR_GET_LIB(error) == ERR_LIB_X509 && ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH)
        return complain(complaint, "'%s': this key is not that of the certificate '%s'", key, options->certificate);
    return complain(complaint, "'%s': %s", key, reason_of(error));
}

/* ---- the rest of the options ---- */

static int set_ciphers(SSL_CTX *context, const char *names, const struct complaint *complaint)
{
    char list[1024] = "", suites[1024] = "";
    if (names == NULL)
        return SSL_CTX_set_cipher_list(context, cipher_list) == 1 &&
                       SSL_CTX_set_ciphersuites(context, cipher_suites) == 1
                   ? 0
                   : complain(complaint, "OpenSSL does not have the cipher suites of the profile");
    if (strlen(names) >= sizeof list)
        return complain(complaint, "the list of ciphers is too long");
    while (*names != '\0') {
        size_t len = strcspn(names, ":, ");
        char *whose = strncmp(names, "TLS_", 4) == 0 ? suites : list;
        size_t before = strlen(whose);
        if (len > 0)
            (void)snprintf(whose + before, sizeof list - before, "%s%.*s", before > 0 ? ":" : "", (int)len, names);
        names += len;
        names += strspn(names, ":, ");
    }
    /* Those of one version alone leave the other without any: it is then not spoken. */
    if (list[0] != '\0' && SSL_CTX_set_cipher_list(context, list) != 1)
        return complain(complaint, "no cipher of '%s' is known, or strong enough", list);
    if (SSL_CTX_set_ciphersuites(context, suites) != 1)
        return complain(complaint, "a cipher suite of '%s' is unknown", suites);
    if (list[0] == '\0' && suites[0] == '\0')
        return complain(complaint, "the list of ciphers is empty");
    if (list[0] == '\0')
        (void)SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    if (suites[0] == '\0' && SSL_CTX_get_min_proto_version(context) == TLS1_3_VERSION)
        return complain(complaint, "'%s' are no cipher suites of TLS 1.3, and no older version is allowed", list);
    if (suites[0] == '\0')
        (void)SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    return 0;
}

static int digit_of(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 'a' ^ 'A';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static int read_pin(const char *text, uint8_t ret_pin[TLS_PIN_LEN], const struct complaint *complaint)
{
    size_t digits = 0;
    for (const char *next = text; *next != '\0'; next++) {
        int digit = digit_of(*next);
        if (*next == ':')
            continue;
        if (digit < 0 || digits == 2 * TLS_PIN_LEN)
            return complain(complaint, "'%s' is no SHA-256: 64 hexadecimal digits", text);
        ret_pin[digits / 2] = (uint8_t)(ret_pin[digits / 2] << 4 | digit);
        digits++;
    }
    return digits == 2 * TLS_PIN_LEN ? 0 : complain(complaint, "'%s' is no SHA-256: 64 hexadecimal digits", text);
}

static int set_up(struct dicomnet_tls *tls, const struct dicomnet_tls_options *options,
                  const struct complaint *complaint)
{
    static const int versions[] = {[DICOMNET_TLS_1_2] = TLS1_2_VERSION, [DICOMNET_TLS_1_3] = TLS1_3_VERSION};
    static const unsigned char session_id_context[] = "dicomnet";
    SSL_CTX *context = tls->ssl_context;
    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    if (SSL_CTX_set_min_proto_version(context, versions[options->version_min]) != 1)
        return complain(complaint, "OpenSSL does not have that version of TLS");
    (void)SSL_CTX_set_max_proto_version(context, 0);
    (void)SSL_CTX_set_dh_auto(context, 1);
    if (options->server) {
        (void)SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
        (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* the client keeps it, in a ticket */
        (void)SSL_CTX_set_session_id_context(context, session_id_context, sizeof session_id_context - 1);
        (void)SSL_CTX_set_num_tickets(context, 1); /* for the client's next association */
    } else {
        (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    }
    tls->has_certificate = options->certificate != NULL;
    tls->pin_is_enough = options->pin != NULL && options->ca == NULL;
    tls->has_pin = options->pin != NULL;
    if (options->server_name != NULL)
        (void)snprintf(tls->server_name, sizeof tls->server_name, "%s", options->server_name);
    int error = set_ciphers(context, options->ciphers, complaint);
    if (error == 0 && options->pin != NULL)
        error = read_pin(options->pin, tls->pin, complaint);
    if (error == 0)
        error = trust(context, options, complaint);
    if (error == 0)
        error = load_identity(context, options, complaint);
    return error;
}

static int check(const struct dicomnet_tls_options *options, const struct complaint *complaint)
{
    bool asks = options->client != DICOMNET_TLS_CLIENT_ANY;
    if (options->version_min > DICOMNET_TLS_1_3 || options->client > DICOMNET_TLS_CLIENT_REQUIRE)
        return -EINVAL;
    if (options->server && (options->server_name != NULL || options->pin != NULL || options->insecure))
        return -EINVAL;
    if (!options->server && asks)
        return -EINVAL;
    if (options->insecure && options->pin != NULL)
        return -EINVAL;
    if (options->server_name != NULL && strlen(options->server_name) >= TLS_NAME_SIZE)
        return complain(complaint, "the server name is too long");
    if (options->server && options->certificate == NULL)
        return complain(complaint, "who is connected to needs a certificate");
    if (options->certificate == NULL && options->key != NULL)
        return complain(complaint, "there is a key, and no certificate");
    if (asks && options->ca == NULL)
        return complain(complaint, "who asks for certificates has to say whose are trusted");
    return 0;
}

int dicomnet_tls_create(struct dicomnet_tls **ret_tls, const struct dicomnet_tls_options *options, char *ret_why)
{
    struct dicomnet_tls_options own;
    const struct complaint complaint = {.why = ret_why};
    if (ret_why != NULL)
        ret_why[0] = '\0';
    int error = SIZED_TAKE(&own, client, options);
    if (error == 0)
        error = ret_tls == NULL ? -EINVAL : check(&own, &complaint);
    if (error != 0)
        return error;
    struct dicomnet_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return -ENOMEM;
    ERR_clear_error();
    atomic_init(&tls->holders, 1);
    tls->server = own.server;
    tls->insecure = own.insecure;
    tls->client = own.client;
    tls->lock = CRYPTO_THREAD_lock_new();
    tls->ssl_context = SSL_CTX_new(own.server ? TLS_server_method() : TLS_client_method());
    error = tls->lock == NULL || tls->ssl_context == NULL ? -ENOMEM : tls_engine_prepare(tls);
    if (error == 0)
        error = set_up(tls, &own, &complaint);
    ERR_clear_error();
    if (error != 0) {
        dicomnet_tls_destroy(tls);
        return error;
    }
    *ret_tls = tls;
    return 0;
}

/* ---- who holds on to it ---- */

struct dicomnet_tls *tls_context_hold(struct dicomnet_tls *tls)
{
    (void)atomic_fetch_add(&tls->holders, 1);
    return tls;
}

void dicomnet_tls_destroy(struct dicomnet_tls *tls)
{
    if (tls == NULL || atomic_fetch_sub(&tls->holders, 1) > 1)
        return;
    for (size_t i = 0; i < tls->session_count; i++)
        SSL_SESSION_free(tls->sessions[i].session);
    SSL_CTX_free(tls->ssl_context);
    BIO_meth_free(tls->bio_method);
    CRYPTO_THREAD_lock_free(tls->lock);
    free(tls);
}

bool dicomnet_tls_checks_peer(const struct dicomnet_tls *tls)
{
    return !tls->insecure;
}

/* ---- sessions ---- */

static void forget_session(struct dicomnet_tls *tls, size_t index)
{
    tls->session_count--;
    memmove(&tls->sessions[index], &tls->sessions[index + 1],
            (tls->session_count - index) * sizeof tls->sessions[index]);
}

/* One of TLS 1.3 is used once, so that who listens cannot tell that two associations are of the same peers. */
SSL_SESSION *tls_context_take_session(struct dicomnet_tls *tls, const char *peer)
{
    SSL_SESSION *session = NULL;
    if (CRYPTO_THREAD_write_lock(tls->lock) != 1)
        return NULL;
    for (size_t i = tls->session_count; session == NULL && i > 0; i--) {
        if (strcmp(tls->sessions[i - 1].peer, peer) != 0)
            continue;
        session = tls->sessions[i - 1].session;
        if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION)
            session = SSL_SESSION_dup(session);
        else
            forget_session(tls, i - 1);
    }
    (void)CRYPTO_THREAD_unlock(tls->lock);
    return session;
}

void tls_context_keep_session(struct dicomnet_tls *tls, const char *peer, SSL_SESSION *session)
{
    SSL_SESSION *old = NULL;
    if (CRYPTO_THREAD_write_lock(tls->lock) != 1) {
        SSL_SESSION_free(session);
        return;
    }
    if (tls->session_count == TLS_SESSIONS_MAX) {
        old = tls->sessions[0].session;
        forget_session(tls, 0);
    }
    struct tls_session *kept = &tls->sessions[tls->session_count++];
    kept->session = session;
    (void)snprintf(kept->peer, sizeof kept->peer, "%s", peer);
    (void)CRYPTO_THREAD_unlock(tls->lock);
    SSL_SESSION_free(old);
}
