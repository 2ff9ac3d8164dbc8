/*
 * certificates - made for a test and gone with it: keys and certificates as PEM files in a temporary folder.
 */
#ifndef SUPPORT_CERTIFICATES_H
#define SUPPORT_CERTIFICATES_H

#include <stdbool.h>

#include "dicomnet/tls.h"

struct identity; /* a key and its certificate */

enum { CERTIFICATE_PATH_SIZE = 256 };

struct identity_spec {
    const char *name;              /* its common name */
    const char *alternative_names; /* "DNS:localhost,IP:127.0.0.1"; NULL = none */
    const struct identity *issuer; /* NULL = itself */
    bool authority;                /* may issue others */
    bool rsa;                      /* of 2048 bits; else EC P-256 */
    int begin_days, end_days;      /* when it is in force, from today; both 0: from yesterday until tomorrow */
};

/* Make one; it ends the test if that fails. */
struct identity *identity_make(const struct identity_spec *spec);
void identity_free(struct identity *identity);

/* The 64 digits of the certificate's SHA-256. */
void identity_digest(const struct identity *identity, char ret_text[65]);

/* A new folder; and remove it with its files. */
void certificates_begin(char ret_folder[CERTIFICATE_PATH_SIZE]);
void certificates_end(const char *folder);

/*
 * Write to files in `folder`, whose paths stay valid until the next 16 calls: the certificate, those of `above` (each
 * the issuer of the one before; up to NULL) behind it; and the key, encrypted if there is a password.
 */
const char *identity_write_certificate(const struct identity *identity, const char *folder, const char *file,
                                       const struct identity *const *above);
const char *identity_write_key(const struct identity *identity, const char *folder, const char *file,
                               const char *password);

/* What the options make, whose `size` is set here; it ends the test if that is nothing. */
struct dicomnet_tls *certificates_use(struct dicomnet_tls_options options);

#endif
