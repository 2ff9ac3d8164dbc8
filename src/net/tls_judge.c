/* tls_judge - see tls_judge.h. */
#include "net/tls_judge.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dicomnet/error.h"

enum { NAMES_SHOWN = 4, NAME_SHOWN_MAX = 63, DIGEST_LEN = 32 };

/* ---- what a certificate says ---- */

/* Names come from whoever answers: only what can be shown is. */
static void add_name(const void *name, size_t len, char *ret_text, size_t size)
{
    char shown[NAME_SHOWN_MAX + 1];
    size_t before = strlen(ret_text), i;
    for (i = 0; i < len && i < NAME_SHOWN_MAX; i++) {
        unsigned char character = ((const unsigned char *)name)[i];
        shown[i] = (char)(character < ' ' || character > '~' || character == '\'' ? '?' : character);
    }
    shown[i] = '\0';
    (void)snprintf(ret_text + before, size - before, "%s'%s'", before > 0 ? ", " : "", shown);
}

static void add_general_name(const GENERAL_NAME *name, char *ret_text, size_t size)
{
    char address[INET6_ADDRSTRLEN];
    if (name->type == GEN_DNS) {
        add_name(ASN1_STRING_get0_data(name->d.dNSName), (size_t)ASN1_STRING_length(name->d.dNSName), ret_text, size);
        return;
    }
    int len = ASN1_STRING_length(name->d.iPAddress), family = len == 4 ? AF_INET : AF_INET6;
    if ((len == 4 || len == 16) &&
        inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), address, sizeof address) != NULL)
        add_name(address, strlen(address), ret_text, size);
}

static void add_common_name(const X509_NAME *subject, char *ret_text, size_t size)
{
    int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0)
        index = X509_NAME_get_index_by_NID(subject, NID_organizationName, -1);
    if (index < 0)
        return;
    const ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
    add_name(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text), ret_text, size);
}

/* Whom it is made out to: its alternative names (RFC 5280 4.2.1.6), or else its common name. */
static void describe_names(const X509 *certificate, char *ret_text, size_t size)
{
    unsigned shown = 0, more = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    ret_text[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        bool is_name = name->type == GEN_DNS || name->type == GEN_IPADD;
        if (is_name && shown++ < NAMES_SHOWN)
            add_general_name(name, ret_text, size);
        else
            more += is_name;
    }
    GENERAL_NAMES_free(names);
    if (ret_text[0] == '\0')
        add_common_name(X509_get_subject_name(certificate), ret_text, size);
    size_t len = strlen(ret_text);
    if (len == 0)
        (void)snprintf(ret_text, size, "nobody");
    else if (more > 0)
        (void)snprintf(ret_text + len, size - len, " and %u more", more);
}

void judge_digest_text(const uint8_t *digest, char ret_text[JUDGE_DIGEST_SIZE])
{
    for (size_t i = 0; i < DIGEST_LEN; i++)
        (void)snprintf(ret_text + 2 * i, 3, "%02x", digest[i]);
}

/* "'CN of the issuer', SHA-256 of the certificate 0123..." */
static void describe_issuer(const X509 *certificate, char *ret_text, size_t size)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    char text[JUDGE_DIGEST_SIZE];
    ret_text[0] = '\0';
    add_common_name(X509_get_issuer_name(certificate), ret_text, size);
    if (X509_digest(certificate, EVP_sha256(), digest, NULL) != 1)
        return;
    judge_digest_text(digest, text);
    size_t len = strlen(ret_text);
    (void)snprintf(ret_text + len, size - len, "%sSHA-256 of the certificate %s", len > 0 ? ", " : "", text);
}

static void describe_date(const ASN1_TIME *date, char *ret_text, size_t size)
{
    struct tm time;
    ret_text[0] = '\0';
    if (date != NULL && ASN1_TIME_to_tm(date, &time) == 1)
        (void)strftime(ret_text, size, "%Y-%m-%d %H:%M UTC", &time);
}

int judge_certificate(int reason, X509 *certificate, char *ret_detail, size_t size)
{
    ret_detail[0] = '\0';
    if (certificate == NULL)
        return DICOMNET_ERROR_TLS_CERTIFICATE;
    switch (reason) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        describe_date(X509_get0_notAfter(certificate), ret_detail, size);
        return DICOMNET_ERROR_TLS_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        describe_date(X509_get0_notBefore(certificate), ret_detail, size);
        return DICOMNET_ERROR_TLS_NOT_YET_VALID;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        describe_names(certificate, ret_detail, size);
        return DICOMNET_ERROR_TLS_NAME;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        describe_issuer(certificate, ret_detail, size);
        return DICOMNET_ERROR_TLS_UNTRUSTED;
    default:
        (void)snprintf(ret_detail, size, "%s", X509_verify_cert_error_string(reason));
        return DICOMNET_ERROR_TLS_CERTIFICATE;
    }
}

/* ---- what ends a connection ---- */

/* An alert of the peer's (RFC 8446 6.2). */
static int judge_alert(int alert, bool wants_certificate, char *ret_detail, size_t size)
{
    const char *text = SSL_alert_desc_string_long(alert);
    (void)snprintf(ret_detail, size, "%s", strcmp(text, "unknown") != 0 ? text : "");
    switch (alert) {
    case SSL_AD_CERTIFICATE_REQUIRED:
        return DICOMNET_ERROR_TLS_CERTIFICATE_WANTED;
    case SSL_AD_HANDSHAKE_FAILURE: /* TLS 1.2 has no other for who gave no certificate (RFC 5246 7.4.6) */
        return wants_certificate ? DICOMNET_ERROR_TLS_CERTIFICATE_WANTED : DICOMNET_ERROR_TLS_NOTHING_COMMON;
    case SSL_AD_PROTOCOL_VERSION:
    case SSL_AD_INSUFFICIENT_SECURITY:
    case SSL_AD_INAPPROPRIATE_FALLBACK:
        return DICOMNET_ERROR_TLS_NOTHING_COMMON;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
        return wants_certificate ? DICOMNET_ERROR_TLS_CERTIFICATE_WANTED : DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED;
    default:
        return DICOMNET_ERROR_TLS_FAILED;
    }
}

int judge_failure(unsigned long error, bool wants_certificate, char *ret_detail, size_t size)
{
    int reason = ERR_GET_REASON(error);
    const char *text = ERR_reason_error_string(error);
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET)
        return judge_alert(reason - SSL_AD_REASON_OFFSET, wants_certificate, ret_detail, size);
    (void)snprintf(ret_detail, size, "%s", text != NULL ? text : "");
    if (ERR_GET_LIB(error) != ERR_LIB_SSL)
        return DICOMNET_ERROR_TLS_FAILED;
    switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return DICOMNET_ERROR_TLS_NO_CERTIFICATE;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_WRONG_SIGNATURE_TYPE:
    case SSL_R_DH_KEY_TOO_SMALL:
        return DICOMNET_ERROR_TLS_NOTHING_COMMON;
    default:
        return DICOMNET_ERROR_TLS_FAILED;
    }
}
