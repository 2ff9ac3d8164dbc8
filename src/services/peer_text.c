/* peer_text - see peer_text.h. */
#include "services/peer_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/association.h"
#include "dicomnet/error.h"

/* Rejections (PS3.8 table 9-21): by the service user, whose cause is a name; and those without a reason. */
enum { BY_USER = 1, BY_ACSE = 2, NO_REASON = 1, CALLING_AE_UNKNOWN = 3, CALLED_AE_UNKNOWN = 7 };
enum { FOR_NOW = 2 };

static void describe_not_connected(const struct dicomnet_association_end *end,
                                   const struct dicomnet_association_parameters *peer, const struct peer_words *words,
                                   char *ret_text, size_t size)
{
    int error = end->error;
    char from[120] = "";
    if (error == -EADDRNOTAVAIL && peer->bind_address != NULL)
        (void)snprintf(from, sizeof from, ": %.64s is no address of this machine%s%s", peer->bind_address,
                       words != NULL && words->bind != NULL ? "; see " : "",
                       words != NULL && words->bind != NULL ? words->bind : "");
    else if (error == -EAFNOSUPPORT && peer->bind_address != NULL)
        (void)snprintf(from, sizeof from, ": it has no address of the family of %.64s", peer->bind_address);
    const char *advice = error == -ECONNREFUSED                    ? ": nothing listens at that port"
                         : error == DICOMNET_ERROR_TIMEOUT_CONNECT ? ": a wrong address, or a firewall"
                                                                   : from;
    bool is_name = error == DICOMNET_ERROR_HOST_UNKNOWN || error == DICOMNET_ERROR_LOOKUP_FAILED ||
                   error == DICOMNET_ERROR_TIMEOUT_LOOKUP;
    if (is_name)
        snprintf(ret_text, size, "not connected to '%s': %s", peer->host, dicomnet_error_text(error));
    else
        snprintf(ret_text, size,
                 strchr(peer->host, ':') != NULL ? "not connected to [%s]:%u: %s%s%s%s"
                                                 : "not connected to %s:%u: %s%s%s%s",
                 peer->host, peer->port, dicomnet_error_text(error), advice, end->detail[0] != '\0' ? ": " : "",
                 end->detail);
}

/* "'AE' (--option)", or without the option if nobody has a word for it. */
static void describe_ae(const char *ae, const char *word, char *ret_text, size_t size)
{
    if (word != NULL)
        snprintf(ret_text, size, "'%s' (%s)", ae, word);
    else
        snprintf(ret_text, size, "'%s'", ae);
}

/*
 * Who does not accept a user identity, or misses one, rejects as the ACSE provider and gives no reason (PS3.7 D.3.3.7).
 * Some reject as the application; as that may be for anything, it is thought of only if there is an identity.
 */
static void describe_no_reason(const struct dicomnet_association_end *end,
                               const struct dicomnet_association_parameters *peer, const struct peer_words *words,
                               char *text, size_t size)
{
    size_t len = strlen(text);
    const char *user = words != NULL ? words->user : NULL;
    bool bracket = user != NULL;
    if (peer->identity != NULL)
        snprintf(text + len, size - len, ": it may not accept the user identity%s%s%s", bracket ? " (" : "",
                 bracket ? user : "", bracket ? ")" : "");
    else if (end->reject.source == BY_ACSE)
        snprintf(text + len, size - len, ": it may want to know the user%s%s%s", bracket ? " (" : "",
                 bracket ? user : "", bracket ? ")" : "");
}

static void describe_rejection(const struct dicomnet_association_end *end,
                               const struct dicomnet_association_parameters *peer, const struct peer_words *words,
                               char *ret_text, size_t size)
{
    char text[160], called[80], calling[80];
    describe_ae(peer->called_ae, words != NULL ? words->called_ae : NULL, called, sizeof called);
    describe_ae(peer->calling_ae, words != NULL ? words->calling_ae : NULL, calling, sizeof calling);
    dicomnet_association_describe_end(end, text, sizeof text);
    bool by_user = end->reject.source == BY_USER;
    if (by_user && end->reject.reason == CALLED_AE_UNKNOWN)
        snprintf(ret_text, size, "%s: %s is not the peer's AE title", text, called);
    else if (by_user && end->reject.reason == CALLING_AE_UNKNOWN)
        snprintf(ret_text, size, "%s: the peer does not know %s", text, calling);
    else
        snprintf(ret_text, size, "%s%s", text, end->reject.result == FOR_NOW ? " (for now)" : "");
    if (end->reject.reason == NO_REASON && (by_user || end->reject.source == BY_ACSE))
        describe_no_reason(end, peer, words, ret_text, size);
}

/* What to do about an error: `before`, the word, `after`. */
static const struct advice {
    int error;
    const char *before;
    size_t word; /* where it is in struct peer_words */
    const char *after;
} advices[] = {
    {DICOMNET_ERROR_TLS_UNTRUSTED, "if that is the peer you mean: ", offsetof(struct peer_words, tls_ca),
     " with its issuer's certificate, or a pin of the SHA-256"},
    {DICOMNET_ERROR_TLS_NAME, "if that is the peer you mean: ", offsetof(struct peer_words, tls_server_name),
     " with one of its names"},
    {DICOMNET_ERROR_TLS_PIN, "if its certificate was renewed: ", offsetof(struct peer_words, tls_pin),
     " with this SHA-256"},
    {DICOMNET_ERROR_TLS_CERTIFICATE_WANTED, "give it with ", offsetof(struct peer_words, tls_certificate), ""},
    {DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED, "the peer has to trust the issuer of ",
     offsetof(struct peer_words, tls_certificate), ""},
    {DICOMNET_ERROR_TLS_CLOSED, "does it speak TLS at that port? Else leave out ", offsetof(struct peer_words, tls),
     ""},
    {DICOMNET_ERROR_TIMEOUT_TLS, "does it speak TLS at that port? Else leave out ", offsetof(struct peer_words, tls),
     ""},
    {DICOMNET_ERROR_PEER_SPEAKS_CLEAR, "leave out ", offsetof(struct peer_words, tls), ", or take its port for TLS"},
    {DICOMNET_ERROR_PEER_SPEAKS_TLS, "if it is the right port: ", offsetof(struct peer_words, tls), ""},
    {DICOMNET_ERROR_IDENTITY_UNCONFIRMED, "if it need not look at it: leave out ",
     offsetof(struct peer_words, identity_response), ""},
};

static void add_advice(int error, const struct peer_words *words, char *text, size_t size)
{
    for (size_t i = 0; words != NULL && i < sizeof advices / sizeof advices[0]; i++) {
        const struct advice *advice = &advices[i];
        const char *word;
        memcpy(&word, (const char *)words + advice->word, sizeof word);
        size_t len = strlen(text);
        if (advice->error == error && word != NULL)
            snprintf(text + len, size - len, "; %s%s%s", advice->before, word, advice->after);
    }
}

void peer_describe_end(const struct dicomnet_association_end *end, const struct dicomnet_association_parameters *peer,
                       const struct peer_words *words, char *ret_text, size_t size)
{
    if (end->kind == DICOMNET_ASSOCIATION_NOT_CONNECTED)
        describe_not_connected(end, peer, words, ret_text, size);
    else if (end->kind == DICOMNET_ASSOCIATION_REJECTED)
        describe_rejection(end, peer, words, ret_text, size);
    else
        dicomnet_association_describe_end(end, ret_text, size);
    if (end->kind != DICOMNET_ASSOCIATION_REJECTED)
        add_advice(end->error, words, ret_text, size);
}
