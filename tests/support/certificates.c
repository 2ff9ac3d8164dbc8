/* certificates - see certificates.h. */
#include "certificates.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY_S = 24 * 60 * 60, PATHS = 16, RSA_BITS = 2048 };

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "certificates: %s failed\n", what);
    abort();
}

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

struct identity *identity_make(const struct identity_spec *spec)
{
    static long serial = 1000;
    struct identity *identity = calloc(1, sizeof *identity);
    must(identity != NULL, "calloc");
    bool always = spec->begin_days == 0 && spec->end_days == 0;
    const struct identity *issuer = spec->issuer != NULL ? spec->issuer : identity;
    identity->key = spec->rsa ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");
    X509 *certificate = identity->certificate = X509_new();
    must(identity->key != NULL && certificate != NULL, "a key");
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), (always ? -1L : spec->begin_days) * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (always ? 1L : spec->end_days) * DAY_S);
    X509_set_pubkey(certificate, identity->key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)spec->name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate));
    extend(certificate, issuer->certificate, NID_basic_constraints, spec->authority ? "critical,CA:TRUE" : "CA:FALSE");
    extend(certificate, issuer->certificate, NID_subject_key_identifier, "hash");
    if (spec->alternative_names != NULL)
        extend(certificate, issuer->certificate, NID_subject_alt_name, spec->alternative_names);
    must(X509_sign(certificate, issuer->key, EVP_sha256()) > 0, "a signature");
    return identity;
}

void identity_free(struct identity *identity)
{
    if (identity == NULL)
        return;
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
    free(identity);
}

void identity_digest(const struct identity *identity, char ret_text[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len;
    must(X509_digest(identity->certificate, EVP_sha256(), digest, &len) == 1, "a digest");
    for (unsigned i = 0; i < len; i++)
        snprintf(ret_text + 2 * (size_t)i, 3, "%02X", digest[i]);
}

/* ---- files ---- */

void certificates_begin(char ret_folder[CERTIFICATE_PATH_SIZE])
{
    const char *top = getenv("TMPDIR");
    snprintf(ret_folder, CERTIFICATE_PATH_SIZE, "%s/certificates.XXXXXX", top != NULL ? top : "/tmp");
    must(mkdtemp(ret_folder) != NULL, "mkdtemp");
}

void certificates_end(const char *folder)
{
    char path[2 * CERTIFICATE_PATH_SIZE];
    DIR *open = opendir(folder);
    must(open != NULL, folder);
    for (struct dirent *entry = readdir(open); entry != NULL; entry = readdir(open)) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        (void)unlink(path);
    }
    closedir(open);
    must(rmdir(folder) == 0, folder);
}

static FILE *begin_file(const char *folder, const char *file, const char **ret_path)
{
    static char paths[PATHS][CERTIFICATE_PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % PATHS];
    snprintf(path, CERTIFICATE_PATH_SIZE, "%.150s/%.100s", folder, file);
    FILE *written = fopen(path, "w");
    must(written != NULL, path);
    *ret_path = path;
    return written;
}

const char *identity_write_certificate(const struct identity *identity, const char *folder, const char *file,
                                       const struct identity *const *above)
{
    const char *path;
    FILE *written = begin_file(folder, file, &path);
    must(PEM_write_X509(written, identity->certificate) == 1, path);
    for (; above != NULL && *above != NULL; above++)
        must(PEM_write_X509(written, (*above)->certificate) == 1, path);
    must(fclose(written) == 0, path);
    return path;
}

const char *identity_write_key(const struct identity *identity, const char *folder, const char *file,
                               const char *password)
{
    const char *path;
    FILE *written = begin_file(folder, file, &path);
    must(PEM_write_PKCS8PrivateKey(written, identity->key, password != NULL ? EVP_aes_128_cbc() : NULL, password,
                                   password != NULL ? (int)strlen(password) : 0, NULL, NULL) == 1,
         path);
    must(fclose(written) == 0, path);
    return path;
}

struct dicomnet_tls *certificates_use(struct dicomnet_tls_options options)
{
    struct dicomnet_tls *tls;
    char why[DICOMNET_TLS_WHY_SIZE];
    options.size = sizeof options;
    must(dicomnet_tls_create(&tls, &options, why) == 0, why);
    return tls;
}
