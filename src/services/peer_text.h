/*
 * peer_text - how an association with a peer ended, for whoever has to do something about it: with the address or the
 * AE title in question, and the option that sets it, in the words of the program.
 */
#ifndef SERVICES_PEER_TEXT_H
#define SERVICES_PEER_TEXT_H

#include <stddef.h>

struct dicomnet_association_end;
struct dicomnet_association_parameters;

enum { PEER_TEXT_SIZE = 640 };

/* How the user of a program sets what a peer can refuse: the names of options, such as "--option". */
struct peer_words {
    const char *called_ae, *calling_ae;
    const char *tls, *tls_ca, *tls_certificate, *tls_server_name, *tls_pin;
    const char *user, *identity_response;
    const char *transcode; /* what may be done to an instance that the peer does not take as it lies */
    const char *bind;      /* our own address */
};

/*
 * One line: "rejected: calling AE title not recognized: the peer does not know 'SENDER' (--calling-ae)". `peer` says
 * whom we asked, and as whom. Of `words` comes what stands in brackets; NULL, or a word that is NULL: nothing does.
 */
void peer_describe_end(const struct dicomnet_association_end *end, const struct dicomnet_association_parameters *peer,
                       const struct peer_words *words, char *ret_text, size_t size);

#endif
