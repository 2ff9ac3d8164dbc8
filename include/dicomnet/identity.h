/*
 * identity - who asks for an association: User Identity Negotiation (PS3.7 D.3.3.7).
 *
 * A requestor says it in `parameters` of association.h, and an acceptor decides about it in `authenticate` there. What
 * proves an identity is a secret: it goes over the line as it is, so that only TLS (tls.h) keeps it from those who
 * listen; it is never logged, and the memory of an association that held it is overwritten when it is not needed any
 * more.
 */
#ifndef DICOMNET_IDENTITY_H
#define DICOMNET_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "span.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What kind of identity is given (PS3.7 Table D.3-14). */
enum dicomnet_identity_type {
    DICOMNET_IDENTITY_USER_NAME = 1,
    DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE = 2,
    DICOMNET_IDENTITY_KERBEROS = 3, /* a service ticket */
    DICOMNET_IDENTITY_SAML = 4,     /* an assertion */
    DICOMNET_IDENTITY_JWT = 5       /* a JSON web token */
};

/* Bytes of primary and secondary together that a requestor may give: so many fit beside all else that it says. */
enum { DICOMNET_IDENTITY_LEN_MAX = 48 * 1024 };

struct dicomnet_identity {
    uint8_t type;                   /* enum dicomnet_identity_type; what was decoded may be of another one */
    bool response_wanted;           /* the acceptor is to confirm that it looked at it */
    struct dicomnet_span primary;   /* the user name (UTF-8); or the ticket, assertion or token */
    struct dicomnet_span secondary; /* the passcode; of other types empty */
};

#ifdef __cplusplus
}
#endif

#endif
