/*
 * association_negotiate - what is said in A-ASSOCIATE-RQ, -AC and -RJ (PS3.8 9.3.2 to 9.3.4, PS3.7 Annex D).
 *
 * As requestor we propose what our user asks for. As acceptor we let our user decide about each context. Either way the
 * peer is read leniently: what it says that we did not ask for counts as refused, what we do not know is passed over.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "net/association_private.h"

enum {
    PROTOCOL_VERSION_1 = 0x0001,
    PEER_MAX_PDU_IF_ABSENT = 16 * 1024,
    PEER_MAX_PDU_UNUSABLE = 12,
    SYNTAX_ITEM_MAX = 4 + DICOMNET_UID_LEN_MAX,
    PROPOSED_SYNTAXES_SIZE = DICOMNET_PDU_CONTEXTS_MAX * DICOMNET_ASSOCIATION_SYNTAXES_MAX * SYNTAX_ITEM_MAX
};

static void fill_common(struct dicomnet_pdu_associate *associate, const struct dicomnet_association *association)
{
    associate->protocol_version = PROTOCOL_VERSION_1;
    memcpy(associate->called_ae, association->called_ae, sizeof associate->called_ae);
    memcpy(associate->calling_ae, association->calling_ae, sizeof associate->calling_ae);
    associate->application_context = dicomnet_span_of(DICOMNET_UID_APPLICATION_CONTEXT);
    associate->has_max_len = true;
    associate->max_len = association->max_pdu_len;
    associate->implementation_class_uid = dicomnet_span_of(DICOMNET_IMPLEMENTATION_CLASS_UID);
    associate->implementation_version = dicomnet_span_of(DICOMNET_IMPLEMENTATION_VERSION_NAME);
}

/* What we will send to a peer that said `len` (PS3.8 D.1): 0 is without limit, absent is the common default. */
static int set_peer_max_pdu(struct dicomnet_association *association, const struct dicomnet_pdu_associate *associate)
{
    uint32_t len = associate->has_max_len ? associate->max_len : PEER_MAX_PDU_IF_ABSENT;
    uint32_t most =
        association->max_send_pdu_len != 0 ? association->max_send_pdu_len : DICOMNET_ASSOCIATION_PEER_PDU_CAP;
    if (len == 0 || len > most)
        len = most;
    if (len <= PEER_MAX_PDU_UNUSABLE)
        return DICOMNET_ERROR_PEER_UNUSABLE;
    association->peer_max_pdu = len;
    framer_init(&association->room->framer, association->room->send_buffer, SEND_SIZE, len);
    return 0;
}

static struct dicomnet_association_context *add_context(struct dicomnet_association *association, uint8_t id)
{
    struct association_room *room = association->room;
    struct dicomnet_association_context *context = &room->contexts[room->context_count];
    room->context_index[id] = (uint8_t)++room->context_count;
    context->id = id;
    return context;
}

static struct dicomnet_association_context *find_context(struct dicomnet_association *association, uint8_t id)
{
    struct association_room *room = association->room;
    unsigned index = room->context_index[id];
    return index > 0 ? &room->contexts[index - 1] : NULL;
}

static void note_implementation(struct dicomnet_association *association,
                                const struct dicomnet_pdu_associate *associate)
{
    dicomnet_span_copy_trimmed(associate->implementation_version, association->peer_version,
                               sizeof association->peer_version);
    dicomnet_span_copy_trimmed(associate->implementation_class_uid, association->peer_class,
                               sizeof association->peer_class);
}

static void append_syntax(struct bytes_writer *syntaxes, const char *uid)
{
    ssize_t len = dicomnet_pdu_encode_transfer_syntax(syntaxes->data + syntaxes->len, syntaxes->size - syntaxes->len,
                                                      dicomnet_span_of(uid));
    if (len < 0)
        syntaxes->overflow = true;
    else
        syntaxes->len += (size_t)len;
}

/* ---- requestor ---- */

static bool has_role(const struct dicomnet_pdu_associate *associate, struct dicomnet_span class_uid)
{
    for (size_t i = 0; i < associate->role_count; i++)
        if (associate->roles[i].class_uid.len == class_uid.len &&
            memcmp(associate->roles[i].class_uid.data, class_uid.data, class_uid.len) == 0)
            return true;
    return false;
}

/* Role selection is for a class, not for a context (PS3.7 D.3.3.4): one item for all contexts of a class. */
static void propose_roles(struct dicomnet_pdu_associate *request, const struct dicomnet_association_proposal *proposal)
{
    struct dicomnet_span class_uid = dicomnet_span_of(proposal->abstract_syntax);
    if (proposal->roles == 0 || has_role(request, class_uid))
        return;
    request->roles[request->role_count++] =
        (struct dicomnet_pdu_role){.class_uid = class_uid,
                                   .scu = (proposal->roles & DICOMNET_ASSOCIATION_ROLE_USER) != 0,
                                   .scp = (proposal->roles & DICOMNET_ASSOCIATION_ROLE_PROVIDER) != 0};
}

int negotiate_build_request(struct dicomnet_association *association,
                            const struct dicomnet_association_options *options)
{
    /* The PDU with the sub-items of its contexts behind it, while it is put together. */
    struct dicomnet_pdu_associate *request = malloc(sizeof *request + PROPOSED_SYNTAXES_SIZE);
    if (request == NULL)
        return -ENOMEM;
    memset(request, 0, sizeof *request);
    struct bytes_writer syntaxes = bytes_writer_over((uint8_t *)(request + 1), PROPOSED_SYNTAXES_SIZE);
    fill_common(request, association);
    for (size_t i = 0; i < options->proposal_count; i++) {
        const struct dicomnet_association_proposal *proposal = &options->proposals[i];
        struct dicomnet_association_context *context = add_context(association, (uint8_t)(2 * i + 1));
        struct dicomnet_pdu_context *item = &request->contexts[i];
        context->result = DICOMNET_CONTEXT_NOT_ANSWERED;
        context->roles = DICOMNET_ASSOCIATION_ROLE_USER;
        propose_roles(request, proposal);
        snprintf(context->abstract_syntax, DICOMNET_UID_SIZE, "%s", proposal->abstract_syntax);
        snprintf(context->transfer_syntax, DICOMNET_UID_SIZE, "%s", proposal->syntaxes[0]);

        item->id = context->id;
        item->abstract_syntax = dicomnet_span_of(proposal->abstract_syntax);
        item->transfer_syntaxes.data = syntaxes.data + syntaxes.len;
        size_t before = syntaxes.len;
        for (size_t k = 0; k < proposal->syntax_count; k++)
            append_syntax(&syntaxes, proposal->syntaxes[k]);
        item->transfer_syntaxes.len = syntaxes.len - before;
    }
    request->context_count = options->proposal_count;
    if (options->parameters.window > 1) {
        request->has_async = true;
        request->async_invoked = options->parameters.window;
        request->async_performed = 1;
    }
    if (options->parameters.identity != NULL) {
        request->has_identity = association->holds_secret = true;
        request->identity = *options->parameters.identity;
        association->identity_confirmation_wanted = request->identity.response_wanted;
    }
    ssize_t len =
        dicomnet_pdu_encode_associate(association->room->send_buffer, SEND_SIZE, DICOMNET_PDU_ASSOCIATE_RQ, request);
    free(request);
    if (len < 0 || syntaxes.overflow)
        return DICOMNET_ERROR_BUFFER_TOO_SMALL;
    association->request_len = (size_t)len;
    return 0;
}

/* True if `syntax` is one of those that our request, still in the send buffer, proposed for this context ID. */
static bool was_proposed(const struct dicomnet_pdu_associate *request, uint8_t id, struct dicomnet_span syntax)
{
    for (size_t i = 0; i < request->context_count; i++) {
        struct dicomnet_span cursor = request->contexts[i].transfer_syntaxes, proposed;
        if (request->contexts[i].id != id)
            continue;
        while (dicomnet_pdu_next_transfer_syntax(&cursor, &proposed))
            if (proposed.len == syntax.len && memcmp(proposed.data, syntax.data, syntax.len) == 0)
                return true;
    }
    return false;
}

/* An answer to an ID that was not proposed is passed over: the proposed one stays "not answered". */
static void read_context_answer(struct dicomnet_association *association, const struct dicomnet_pdu_associate *request,
                                const struct dicomnet_pdu_context *answer)
{
    struct dicomnet_association_context *context = find_context(association, answer->id);
    if (context == NULL)
        return;
    context->result = answer->result;
    if (answer->result != DICOMNET_CONTEXT_ACCEPTED)
        return;
    struct dicomnet_span cursor = answer->transfer_syntaxes, syntax;
    if (dicomnet_pdu_next_transfer_syntax(&cursor, &syntax) && was_proposed(request, answer->id, syntax))
        dicomnet_span_copy_trimmed(syntax, context->transfer_syntax, DICOMNET_UID_SIZE);
    else
        context->result = DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED;
}

static uint8_t roles_of(const struct dicomnet_pdu_role *role)
{
    return (uint8_t)((role->scu ? DICOMNET_ASSOCIATION_ROLE_USER : 0) |
                     (role->scp ? DICOMNET_ASSOCIATION_ROLE_PROVIDER : 0));
}

static const struct dicomnet_pdu_role *find_role(const struct dicomnet_pdu_associate *associate, const char *class_uid)
{
    for (size_t i = 0; i < associate->role_count; i++)
        if (dicomnet_span_equals(associate->roles[i].class_uid, class_uid))
            return &associate->roles[i];
    return NULL;
}

/* Of the roles that we proposed, those that the answer grants; an answer to what we did not propose is passed over. */
static void read_roles(struct dicomnet_association *association, const struct dicomnet_pdu_associate *request,
                       const struct dicomnet_pdu_associate *accept)
{
    for (size_t i = 0; i < association->room->context_count; i++) {
        struct dicomnet_association_context *context = &association->room->contexts[i];
        const struct dicomnet_pdu_role *asked = find_role(request, context->abstract_syntax);
        const struct dicomnet_pdu_role *granted = find_role(accept, context->abstract_syntax);
        if (asked != NULL && granted != NULL)
            context->roles = roles_of(asked) & roles_of(granted);
    }
}

static void read_window(struct dicomnet_association *association, const struct dicomnet_pdu_associate *accept)
{
    if (association->window_proposed < 2 || !accept->has_async)
        return;
    bool unlimited = accept->async_invoked == 0;
    association->window = unlimited || accept->async_invoked > association->window_proposed
                              ? association->window_proposed
                              : accept->async_invoked;
}

int negotiate_read_accept(struct dicomnet_association *association, struct dicomnet_span body)
{
    struct dicomnet_pdu_associate *accept = malloc(2 * sizeof *accept), *request = accept + 1;
    if (accept == NULL)
        return -ENOMEM;
    struct dicomnet_span own = {association->room->send_buffer + DICOMNET_PDU_HEADER_LEN,
                                association->request_len - DICOMNET_PDU_HEADER_LEN};
    int error = dicomnet_pdu_decode_associate(own, DICOMNET_PDU_ASSOCIATE_RQ, request);
    assert(error == 0);
    error = dicomnet_pdu_decode_associate(body, DICOMNET_PDU_ASSOCIATE_AC, accept);
    if (error == 0)
        error = set_peer_max_pdu(association, accept);
    if (error == 0) {
        for (size_t i = 0; i < accept->context_count; i++)
            read_context_answer(association, request, &accept->contexts[i]);
        note_implementation(association, accept);
        read_window(association, accept);
        read_roles(association, request, accept);
        association_log_flaws(association, accept->flaws);
        association_log_answer(association, accept);
        error = association_read_identity_response(association, accept);
    }
    free(accept);
    return error;
}

/* ---- acceptor ---- */

/* Whether it is, and why; else the response to its identity, should one be wanted. */
static bool is_welcome(struct dicomnet_association *association)
{
    const struct dicomnet_association_accept_options *accept = &association->accept;
    const struct dicomnet_association_handler *handler = association->handler;
    return (accept->welcome == NULL || accept->welcome(accept->welcomer, association)) &&
           (handler->welcome == NULL || handler->welcome(association, association->user));
}

static bool must_reject(struct dicomnet_association *association, const struct dicomnet_pdu_associate *request,
                        struct dicomnet_pdu_reject *ret_reject, struct dicomnet_span *ret_response)
{
    enum { PERMANENT = 1, TRANSIENT = 2, BY_USER = 1, BY_ACSE = 2, BY_PRESENTATION = 3 };
    if ((request->protocol_version & PROTOCOL_VERSION_1) == 0)
        *ret_reject = (struct dicomnet_pdu_reject){PERMANENT, BY_ACSE, 2}; /* protocol version not supported */
    else if (request->application_context.len > 0 &&
             !dicomnet_span_equals(request->application_context, DICOMNET_UID_APPLICATION_CONTEXT))
        *ret_reject = (struct dicomnet_pdu_reject){PERMANENT, BY_USER, 2}; /* application context name not supported */
    else if (association->accept.check_called_ae && strcmp(request->called_ae, association->accept.ae) != 0)
        *ret_reject = (struct dicomnet_pdu_reject){PERMANENT, BY_USER, 7}; /* called AE title not recognized */
    else if (!is_welcome(association))
        *ret_reject = (struct dicomnet_pdu_reject){PERMANENT, BY_USER, 3}; /* calling AE title not recognized */
    else if (!association_authenticate(association, request, ret_response))
        *ret_reject = (struct dicomnet_pdu_reject){PERMANENT, BY_ACSE, 1}; /* no reason given: PS3.7 D.3.3.7 */
    else if (association->accept.admit != NULL && !association->accept.admit(association->accept.admission))
        *ret_reject = (struct dicomnet_pdu_reject){TRANSIENT, BY_PRESENTATION, 2}; /* local limit exceeded */
    else {
        association->admitted = true;
        return false;
    }
    return true;
}

static void decide_context(struct dicomnet_association *association, const struct dicomnet_pdu_context *proposed,
                           struct dicomnet_pdu_context *answer)
{
    struct dicomnet_association_context *context = add_context(association, proposed->id);
    struct dicomnet_span chosen = {0}, cursor = proposed->transfer_syntaxes,
                         first = dicomnet_span_of(DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN);
    dicomnet_span_copy_trimmed(proposed->abstract_syntax, context->abstract_syntax, DICOMNET_UID_SIZE);
    (void)dicomnet_pdu_next_transfer_syntax(&cursor, &first);

    context->roles = DICOMNET_ASSOCIATION_ROLE_PROVIDER;
    context->result = proposed->result != 0 ? proposed->result : DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED;
    if (proposed->result == 0 && association->handler->negotiate != NULL)
        context->result = association->handler->negotiate(association, association->user, proposed->abstract_syntax,
                                                          proposed->transfer_syntaxes, &chosen);
    bool accepted = context->result == DICOMNET_CONTEXT_ACCEPTED;
    dicomnet_span_copy_trimmed(accepted ? chosen : first, context->transfer_syntax, DICOMNET_UID_SIZE);
    *answer = (struct dicomnet_pdu_context){.id = proposed->id, .result = context->result};
}

/* Our roles are the other halves of those that our user grants to the requestor. */
static void decide_roles(struct dicomnet_association *association, const struct dicomnet_pdu_role *asked,
                         struct dicomnet_pdu_associate *accept)
{
    uint8_t proposed = roles_of(asked);
    uint8_t granted =
        proposed & association->handler->negotiate_roles(association, association->user, asked->class_uid, proposed);
    struct dicomnet_pdu_role *answer = &accept->roles[accept->role_count++];
    *answer = (struct dicomnet_pdu_role){.class_uid = asked->class_uid,
                                         .scu = (granted & DICOMNET_ASSOCIATION_ROLE_USER) != 0,
                                         .scp = (granted & DICOMNET_ASSOCIATION_ROLE_PROVIDER) != 0};
    for (size_t i = 0; i < association->room->context_count; i++) {
        struct dicomnet_association_context *context = &association->room->contexts[i];
        if (dicomnet_span_equals(asked->class_uid, context->abstract_syntax))
            context->roles = (uint8_t)((answer->scu ? DICOMNET_ASSOCIATION_ROLE_PROVIDER : 0) |
                                       (answer->scp ? DICOMNET_ASSOCIATION_ROLE_USER : 0));
    }
}

/* The one transfer syntax sub-item of each answer (not significant where refused, but it must be there). */
static void append_chosen_syntaxes(const struct dicomnet_association *association,
                                   struct dicomnet_pdu_associate *accept, struct bytes_writer *syntaxes)
{
    for (size_t i = 0; i < accept->context_count; i++) {
        size_t before = syntaxes->len;
        append_syntax(syntaxes, association->room->contexts[i].transfer_syntax);
        accept->contexts[i].transfer_syntaxes =
            (struct dicomnet_span){.data = syntaxes->data + before, .len = syntaxes->len - before};
    }
}

static ssize_t build_accept(struct dicomnet_association *association, const struct dicomnet_pdu_associate *request,
                            struct dicomnet_span identity_response, struct dicomnet_pdu_associate *accept)
{
    uint8_t syntax_bytes[DICOMNET_PDU_CONTEXTS_MAX * SYNTAX_ITEM_MAX];
    struct bytes_writer syntaxes = bytes_writer_over(syntax_bytes, sizeof syntax_bytes);
    memset(accept, 0, sizeof *accept);
    fill_common(accept, association);
    for (size_t i = 0; i < request->context_count; i++)
        decide_context(association, &request->contexts[i], &accept->contexts[i]);
    accept->context_count = request->context_count;
    append_chosen_syntaxes(association, accept, &syntaxes);
    for (size_t i = 0; i < request->role_count && association->handler->negotiate_roles != NULL; i++)
        decide_roles(association, &request->roles[i], accept);
    if (request->has_async && association->window_proposed > 1) {
        uint16_t asked = request->async_invoked;
        uint16_t granted = asked == 0 || asked > association->window_proposed ? association->window_proposed : asked;
        accept->has_async = true;
        accept->async_invoked = association->window = granted;
        accept->async_performed = 1;
    }
    /* Who does not look at identities is silent about them. */
    accept->has_identity_response =
        association->accept.authenticate != NULL && request->has_identity && request->identity.response_wanted;
    accept->identity_response = identity_response;
    association_log_answer(association, accept);
    return dicomnet_pdu_encode_associate(association->room->send_buffer, SEND_SIZE, DICOMNET_PDU_ASSOCIATE_AC, accept);
}

ssize_t negotiate_answer_request(struct dicomnet_association *association, struct dicomnet_span body,
                                 struct dicomnet_pdu_reject *ret_reject)
{
    struct dicomnet_pdu_associate *request = malloc(2 * sizeof *request);
    if (request == NULL || association_make_room(association) != 0) {
        free(request);
        return -ENOMEM;
    }
    ssize_t result = dicomnet_pdu_decode_associate(body, DICOMNET_PDU_ASSOCIATE_RQ, request);
    if (result == 0)
        result = set_peer_max_pdu(association, request);
    if (result == 0) {
        memcpy(association->called_ae, request->called_ae, sizeof association->called_ae);
        memcpy(association->calling_ae, request->calling_ae, sizeof association->calling_ae);
        note_implementation(association, request);
        association_log_request(association, request);
        association_log_flaws(association, request->flaws);
        struct dicomnet_span response;
        if (!must_reject(association, request, ret_reject, &response))
            result = build_accept(association, request, response, request + 1);
    }
    if (request->has_identity)
        association_wipe_received(association, body);
    free(request);
    return result;
}
