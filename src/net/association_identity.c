/*
 * association_identity - who asks for an association (PS3.7 D.3.3.7): whether he is let in, what is shown of him, and
 * that his secrets do not stay in memory.
 *
 * A request with a passcode or a token lies in the send buffer of a requestor until it is answered, and in the receive
 * buffer of an acceptor until it has been read: both are overwritten then, or when the association ends before.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/association_private.h"

static void copy_name(struct dicomnet_span name, char *ret_text, size_t size)
{
    dicomnet_span_copy_trimmed(name, ret_text, size);
    for (char *c = ret_text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
}

static bool has_name(const struct dicomnet_identity *identity)
{
    return identity->type == DICOMNET_IDENTITY_USER_NAME || identity->type == DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE;
}

void association_describe_identity(const struct dicomnet_identity *identity, char *ret_text, size_t size)
{
    static const char *const kinds[] = {[DICOMNET_IDENTITY_KERBEROS] = "Kerberos service ticket",
                                        [DICOMNET_IDENTITY_SAML] = "SAML assertion",
                                        [DICOMNET_IDENTITY_JWT] = "JSON web token"};
    const char *wanted = identity->response_wanted ? ", response requested" : "";
    if (has_name(identity)) {
        bool secret = identity->type == DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE || identity->secondary.len > 0;
        char name[ASSOCIATION_USER_NAME_SIZE];
        copy_name(identity->primary, name, sizeof name);
        snprintf(ret_text, size, "user name '%s'%s%s", name, secret ? ", passcode (hidden)" : "", wanted);
    } else {
        bool known = identity->type >= DICOMNET_IDENTITY_KERBEROS && identity->type <= DICOMNET_IDENTITY_JWT;
        snprintf(ret_text, size, "%s of %zu bytes (hidden)%s", known ? kinds[identity->type] : "unknown kind",
                 identity->primary.len, wanted);
    }
}

bool association_authenticate(struct dicomnet_association *association, const struct dicomnet_pdu_associate *request,
                              struct dicomnet_span *ret_response)
{
    const struct dicomnet_association_accept_options *accept = &association->accept;
    const struct dicomnet_identity *identity = request->has_identity ? &request->identity : NULL;
    if (identity != NULL && has_name(identity))
        copy_name(identity->primary, association->user_name, sizeof association->user_name);
    *ret_response = (struct dicomnet_span){0};
    if (accept->authenticate == NULL ||
        accept->authenticate(accept->authentication, association, identity, ret_response))
        return true;
    if (identity != NULL)
        association_describe_identity(identity, association->end.detail, sizeof association->end.detail);
    else
        snprintf(association->end.detail, sizeof association->end.detail, "none is given");
    return false;
}

int association_read_identity_response(struct dicomnet_association *association,
                                       const struct dicomnet_pdu_associate *accept)
{
    if (!association->identity_confirmation_wanted)
        return 0;
    if (!accept->has_identity_response)
        return DICOMNET_ERROR_IDENTITY_UNCONFIRMED;
    struct dicomnet_span response = accept->identity_response;
    if (response.len == 0)
        return 0;
    association->identity_response = malloc(response.len);
    if (association->identity_response == NULL)
        return -ENOMEM;
    memcpy(association->identity_response, response.data, response.len);
    association->identity_response_len = response.len;
    return 0;
}

void association_wipe_received(struct dicomnet_association *association, struct dicomnet_span pdu)
{
    size_t offset = (size_t)(pdu.data - association->received);
    assert(offset + pdu.len <= association->received_size);
    explicit_bzero(association->received + offset, pdu.len);
}

void association_wipe_request(struct dicomnet_association *association)
{
    if (association->room == NULL || !association->holds_secret)
        return;
    explicit_bzero(association->room->send_buffer, association->request_len);
    association->holds_secret = false;
}

void association_wipe(struct dicomnet_association *association)
{
    association_wipe_request(association);
    if (association->received != NULL && association->opened_us == 0)
        explicit_bzero(association->received, association->received_size);
    if (association->identity_response != NULL)
        explicit_bzero(association->identity_response, association->identity_response_len);
    free(association->identity_response);
    association->identity_response = NULL;
}
