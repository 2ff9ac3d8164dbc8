/*
 * association_log - an association and its messages, told to the logger: who proposes what, what is agreed, what each
 * command set says. Secrets of a user identity are never told, only that they are there.
 *
 * Everything here but the end and the flaws is for -d: it is asked for first, and silence costs nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/number_text.h"
#include "net/association_private.h"

/* A record that is put together field by field: what is empty is left out. */
struct record {
    size_t count;
    struct dicomnet_log_field fields[DICOMNET_LOG_FIELDS_MAX];
};

static void put_text(struct record *record, const char *key, const char *text)
{
    if (text[0] != '\0' && record->count < DICOMNET_LOG_FIELDS_MAX)
        record->fields[record->count++] = LOG_TEXT(key, text);
}

static void put_number(struct record *record, const char *key, uint64_t number)
{
    if (record->count < DICOMNET_LOG_FIELDS_MAX)
        record->fields[record->count++] = LOG_NUMBER(key, number);
}

/* A UID, and what the standard calls it. */
static void put_uid(struct record *record, const char *key, const char *name_key, const char *uid)
{
    const char *keyword = dicomnet_uid_keyword(uid);
    put_text(record, key, uid);
    if (keyword != uid)
        put_text(record, name_key, keyword);
}

static void write_record(const struct dicomnet_association *association, enum dicomnet_log_event event,
                         const struct record *record)
{
    dicomnet_logger_write(association->logger, DICOMNET_LOG_DEBUG, event, record->fields, record->count);
}

static bool wants_debug(const struct dicomnet_association *association)
{
    return dicomnet_logger_wants(association->logger, DICOMNET_LOG_DEBUG);
}

static const char *roles_text(bool user, bool provider)
{
    return user && provider ? "SCU/SCP" : user ? "SCU" : provider ? "SCP" : "none";
}

/* ---- user information that is only shown ---- */

/* The text of a value of `len` (2 bytes, big endian) at the beginning of `*cursor`, which goes behind it. */
static struct dicomnet_span take_counted(struct dicomnet_span *cursor)
{
    struct dicomnet_span value = {0};
    if (cursor->len < 2)
        return value;
    value.len = get_u16_be(cursor->data);
    if (value.len > cursor->len - 2)
        value.len = cursor->len - 2;
    value.data = cursor->data + 2;
    cursor->data += 2 + value.len;
    cursor->len -= 2 + value.len;
    return value;
}

static void put_hex(struct dicomnet_span bytes, char *ret_text, size_t size)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < bytes.len && used + 3 < size; i++)
        used += (size_t)snprintf(ret_text + used, size - used, "%02X", bytes.data[i]);
}

/* PS3.7 Tables D.3-11 and D.3-12: UID length (2), UID, then what is its own class's business. */
static void log_extended(const struct dicomnet_association *association, const char *kind, struct dicomnet_span body)
{
    char uid[DICOMNET_UID_SIZE], hex[129];
    struct record record = {0};
    dicomnet_span_copy_trimmed(take_counted(&body), uid, sizeof uid);
    put_hex(body, hex, sizeof hex);
    put_text(&record, "kind", kind);
    put_uid(&record, "class", "class_name", uid);
    put_number(&record, "len", body.len);
    put_text(&record, "bytes", hex);
    write_record(association, DICOMNET_LOG_ASSOCIATION_EXTENDED, &record);
}

static void log_user_items(const struct dicomnet_association *association,
                           const struct dicomnet_pdu_associate *associate)
{
    struct dicomnet_span cursor = associate->user_information, body;
    uint8_t type;
    while (dicomnet_pdu_next_user_item(&cursor, &type, &body)) {
        if (type == DICOMNET_PDU_ITEM_EXTENDED_NEGOTIATION)
            log_extended(association, "SOP class extended negotiation", body);
        else if (type == DICOMNET_PDU_ITEM_COMMON_EXTENDED_NEGOTIATION)
            log_extended(association, "SOP class common extended negotiation", body);
    }
}

static void find_identity(const struct dicomnet_pdu_associate *associate, char *ret_text, size_t size)
{
    ret_text[0] = '\0';
    if (associate->has_identity)
        association_describe_identity(&associate->identity, ret_text, size);
    else if (associate->has_identity_response)
        snprintf(ret_text, size, "server response of %zu bytes (hidden)", associate->identity_response.len);
}

/* ---- A-ASSOCIATE ---- */

static void put_associate(struct record *record, const struct dicomnet_association *association,
                          const struct dicomnet_pdu_associate *associate, char *room, size_t size)
{
    char *identity = room, *application = room + size / 4, *class_uid = room + size / 2, *version = room + 3 * size / 4;
    find_identity(associate, identity, size / 4);
    dicomnet_span_copy_trimmed(associate->application_context, application, size / 4);
    dicomnet_span_copy_trimmed(associate->implementation_class_uid, class_uid, size / 4);
    dicomnet_span_copy_trimmed(associate->implementation_version, version, size / 4);
    put_text(record, "peer", transport_peer(&association->transport));
    put_text(record, "called_ae", associate->called_ae);
    put_text(record, "calling_ae", associate->calling_ae);
    put_text(record, "application_context", application);
    put_text(record, "implementation_class", class_uid);
    put_text(record, "implementation_version", version);
    if (associate->has_max_len)
        put_number(record, "max_pdu", associate->max_len);
    put_number(record, "contexts", associate->context_count);
    if (associate->has_async) {
        put_number(record, "window_invoked", associate->async_invoked);
        put_number(record, "window_performed", associate->async_performed);
    }
    put_text(record, "identity", identity);
}

static void log_proposed(const struct dicomnet_association *association, const struct dicomnet_pdu_associate *request,
                         const struct dicomnet_pdu_context *context)
{
    char class_uid[DICOMNET_UID_SIZE], syntax[DICOMNET_UID_SIZE], syntaxes[2048];
    struct record record = {0};
    struct dicomnet_span cursor = context->transfer_syntaxes, uid;
    size_t used = 0;
    syntaxes[0] = '\0';
    while (used < sizeof syntaxes && dicomnet_pdu_next_transfer_syntax(&cursor, &uid)) {
        dicomnet_span_copy_trimmed(uid, syntax, sizeof syntax);
        const char *keyword = dicomnet_uid_keyword(syntax);
        used += (size_t)snprintf(syntaxes + used, sizeof syntaxes - used, "%s%s%s%s", used > 0 ? ", " : "", syntax,
                                 keyword != syntax ? " " : "", keyword != syntax ? keyword : "");
    }
    dicomnet_span_copy_trimmed(context->abstract_syntax, class_uid, sizeof class_uid);
    put_number(&record, "id", context->id);
    put_uid(&record, "class", "class_name", class_uid);
    put_text(&record, "syntaxes", syntaxes);
    for (size_t i = 0; i < request->role_count; i++)
        if (dicomnet_span_equals(request->roles[i].class_uid, class_uid)) {
            put_text(&record, "role", roles_text(request->roles[i].scu, request->roles[i].scp));
            break;
        }
    write_record(association, DICOMNET_LOG_ASSOCIATION_PROPOSED, &record);
}

/* An A-ASSOCIATE-RQ, which the requestor sends, or an -AC, which it receives; then its items of the user information.
 */
static void log_associate(const struct dicomnet_association *association, enum dicomnet_log_event event,
                          const struct dicomnet_pdu_associate *pdu)
{
    char room[1024];
    struct record record = {0};
    bool ours = association->requestor == (event == DICOMNET_LOG_ASSOCIATION_REQUESTED);
    put_text(&record, "by", ours ? "us" : "peer");
    put_associate(&record, association, pdu, room, sizeof room);
    write_record(association, event, &record);
    log_user_items(association, pdu);
}

void association_log_request(const struct dicomnet_association *association,
                             const struct dicomnet_pdu_associate *request)
{
    if (!wants_debug(association))
        return;
    log_associate(association, DICOMNET_LOG_ASSOCIATION_REQUESTED, request);
    for (size_t i = 0; i < request->context_count; i++)
        log_proposed(association, request, &request->contexts[i]);
}

void association_log_own_request(const struct dicomnet_association *association)
{
    struct dicomnet_span own = {association->room->send_buffer + DICOMNET_PDU_HEADER_LEN,
                                association->request_len - DICOMNET_PDU_HEADER_LEN};
    struct dicomnet_pdu_associate *request = wants_debug(association) ? malloc(sizeof *request) : NULL;
    if (request != NULL && dicomnet_pdu_decode_associate(own, DICOMNET_PDU_ASSOCIATE_RQ, request) == 0)
        association_log_request(association, request);
    free(request);
}

void association_log_answer(const struct dicomnet_association *association, const struct dicomnet_pdu_associate *answer)
{
    if (wants_debug(association))
        log_associate(association, DICOMNET_LOG_ASSOCIATION_ACCEPTED, answer);
}

void association_log_contexts(const struct dicomnet_association *association)
{
    for (size_t i = 0; wants_debug(association) && i < association->room->context_count; i++) {
        const struct dicomnet_association_context *context = &association->room->contexts[i];
        bool accepted = context->result == DICOMNET_CONTEXT_ACCEPTED;
        struct record record = {0};
        put_number(&record, "id", context->id);
        put_uid(&record, "class", "class_name", context->abstract_syntax);
        if (accepted)
            put_uid(&record, "syntax", "syntax_name", context->transfer_syntax);
        put_number(&record, "result", context->result);
        put_text(&record, "text", dicomnet_pdu_context_result_text(context->result));
        put_number(&record, "roles", context->roles);
        if (accepted)
            put_text(&record, "role",
                     roles_text((context->roles & DICOMNET_ASSOCIATION_ROLE_USER) != 0,
                                (context->roles & DICOMNET_ASSOCIATION_ROLE_PROVIDER) != 0));
        write_record(association, DICOMNET_LOG_ASSOCIATION_CONTEXT, &record);
    }
}

void association_log_flaws(const struct dicomnet_association *association, unsigned flaws)
{
    /* An acceptor can do nothing about how its peers ask. */
    enum dicomnet_log_level level = association->requestor ? DICOMNET_LOG_WARN : DICOMNET_LOG_INFO;
    for (unsigned i = 0; i < DICOMNET_PDU_FLAW_COUNT; i++)
        if ((flaws & 1u << i) != 0)
            LOG(association->logger, level, DICOMNET_LOG_ASSOCIATION_FLAW,
                LOG_TEXT("peer", transport_peer(&association->transport)),
                LOG_TEXT("pdu", association->requestor ? "A-ASSOCIATE-AC" : "A-ASSOCIATE-RQ"),
                LOG_TEXT("text", dicomnet_pdu_flaw_text((enum dicomnet_pdu_flaw)(1u << i))));
}

/* ---- messages ---- */

static void put_requested(struct record *record, const struct dicomnet_dimse_command *command)
{
    static const char *const priorities[] = {
        [DICOMNET_PRIORITY_MEDIUM] = "medium", [DICOMNET_PRIORITY_HIGH] = "high", [DICOMNET_PRIORITY_LOW] = "low"};
    if ((command->present & DICOMNET_DIMSE_HAS_PRIORITY) != 0)
        put_text(record, "priority",
                 command->priority <= DICOMNET_PRIORITY_LOW ? priorities[command->priority] : "unknown");
    put_text(record, "move_destination", command->move_destination);
    put_text(record, "originator_ae", command->originator_ae);
    if ((command->present & DICOMNET_DIMSE_HAS_ORIGINATOR_ID) != 0)
        put_number(record, "originator_id", command->originator_id);
}

static void put_answered(struct record *record, const struct dicomnet_dimse_command *command)
{
    static const struct {
        uint32_t bit;
        const char *key;
        size_t offset;
    } counts[] = {{DICOMNET_DIMSE_HAS_REMAINING, "remaining", offsetof(struct dicomnet_dimse_command, remaining)},
                  {DICOMNET_DIMSE_HAS_COMPLETED, "completed", offsetof(struct dicomnet_dimse_command, completed)},
                  {DICOMNET_DIMSE_HAS_FAILED, "failed", offsetof(struct dicomnet_dimse_command, failed)},
                  {DICOMNET_DIMSE_HAS_WARNING, "warning", offsetof(struct dicomnet_dimse_command, warning)},
                  {DICOMNET_DIMSE_HAS_ERROR_ID, "error_id", offsetof(struct dicomnet_dimse_command, error_id)}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if ((command->present & counts[i].bit) != 0) {
            uint16_t number;
            memcpy(&number, (const char *)command + counts[i].offset, sizeof number);
            put_number(record, counts[i].key, number);
        }
    put_text(record, "comment", command->error_comment);
}

static const char *text_of_status(const struct dicomnet_dimse_command *command)
{
    uint16_t request = command->field & (uint16_t)~DICOMNET_DIMSE_RESPONSE;
    bool moves = request == DICOMNET_DIMSE_C_MOVE_RQ, retrieves = moves || request == DICOMNET_DIMSE_C_GET_RQ;
    bool query = retrieves || request == DICOMNET_DIMSE_C_FIND_RQ;
    return query ? dicomnet_status_query_text(command->status, retrieves, moves)
                 : dicomnet_status_text(command->status);
}

void association_log_command(const struct dicomnet_association *association, enum dicomnet_log_event event,
                             uint8_t context_id, const struct dicomnet_dimse_command *command, uint64_t len)
{
    char status[NUMBER_STATUS_SIZE], offending[DICOMNET_DIMSE_OFFENDING_MAX * 13] = "";
    struct record record = {0};
    put_text(&record, "command", dicomnet_dimse_field_name(command->field));
    bool is_answer = (command->field & DICOMNET_DIMSE_RESPONSE) != 0 || command->field == DICOMNET_DIMSE_C_CANCEL_RQ;
    put_number(&record, "message_id", is_answer ? command->message_id_responded : command->message_id);
    put_number(&record, "context", context_id);
    put_uid(&record, "class", "class_name", command->class_uid);
    put_text(&record, "instance", command->instance_uid);
    put_requested(&record, command);
    if ((command->present & DICOMNET_DIMSE_HAS_STATUS) != 0) {
        number_format_status(command->status, status);
        put_text(&record, "status", status);
        put_text(&record, "status_text", text_of_status(command));
    }
    put_answered(&record, command);
    for (unsigned i = 0; i < command->offending_count; i++)
        snprintf(offending + strlen(offending), sizeof offending - strlen(offending), "%s(%04X,%04X)", i > 0 ? " " : "",
                 (unsigned)(command->offending[i] >> 16), (unsigned)(command->offending[i] & 0xFFFF));
    put_text(&record, "offending", offending);
    put_text(&record, "data_set", dicomnet_dimse_has_data_set(command) ? "yes" : "no");
    if (len > 0)
        put_number(&record, "bytes", len);
    write_record(association, event, &record);
}

/* ---- open, and the end ---- */

void association_log_opened(const struct dicomnet_association *association)
{
    if (!dicomnet_logger_wants(association->logger, DICOMNET_LOG_INFO))
        return;
    struct record record = {0};
    put_text(&record, "peer", transport_peer(&association->transport));
    put_text(&record, "called_ae", association->called_ae);
    put_text(&record, "calling_ae", association->calling_ae);
    put_number(&record, "max_pdu", association->max_pdu_len);
    put_number(&record, "peer_max_pdu", association->peer_max_pdu);
    put_text(&record, "peer_version", association->peer_version);
    put_text(&record, "peer_class", association->peer_class);
    put_number(&record, "window", association->window);
    put_text(&record, "user", association->user_name);
    if (association->tls_text[0] != '\0')
        put_text(&record, "tls", association->tls_text);
    dicomnet_logger_write(association->logger, DICOMNET_LOG_INFO, DICOMNET_LOG_ASSOCIATION_OPENED, record.fields,
                          record.count);
}

void association_log_end(const struct dicomnet_association *association)
{
    static const enum dicomnet_log_event events[] = {
        [DICOMNET_ASSOCIATION_RELEASED] = DICOMNET_LOG_ASSOCIATION_RELEASED,
        [DICOMNET_ASSOCIATION_NOT_CONNECTED] = DICOMNET_LOG_ASSOCIATION_LOST,
        [DICOMNET_ASSOCIATION_REJECTED] = DICOMNET_LOG_ASSOCIATION_REJECTED,
        [DICOMNET_ASSOCIATION_ABORTED_BY_PEER] = DICOMNET_LOG_ASSOCIATION_ABORTED,
        [DICOMNET_ASSOCIATION_ABORTED_BY_US] = DICOMNET_LOG_ASSOCIATION_ABORTED,
        [DICOMNET_ASSOCIATION_LOST] = DICOMNET_LOG_ASSOCIATION_LOST};
    char text[400];
    const struct dicomnet_association_end *end = &association->end;
    dicomnet_association_describe_end(end, text, sizeof text);
    struct record record = {0};
    put_text(&record, "peer", transport_peer(&association->transport));
    put_text(&record, "text", text);
    if (events[end->kind] == DICOMNET_LOG_ASSOCIATION_ABORTED) {
        put_text(&record, "by", end->kind == DICOMNET_ASSOCIATION_ABORTED_BY_US ? "us" : "peer");
        put_number(&record, "source", end->abort.source);
        put_number(&record, "reason", end->abort.reason);
    } else if (end->kind == DICOMNET_ASSOCIATION_REJECTED) {
        put_text(&record, "by", association->requestor ? "peer" : "us");
        put_number(&record, "result", end->reject.result);
        put_text(&record, "result_text", dicomnet_pdu_reject_result_text(end->reject.result));
        put_number(&record, "source", end->reject.source);
        put_text(&record, "source_text", dicomnet_pdu_reject_source_text(end->reject.source));
        put_number(&record, "reason", end->reject.reason);
        put_text(&record, "user", association->user_name);
    }
    if (end->error != 0 && end->kind != DICOMNET_ASSOCIATION_REJECTED)
        put_text(&record, "error", dicomnet_error_name(end->error));
    enum dicomnet_log_level level = end->kind == DICOMNET_ASSOCIATION_RELEASED ? DICOMNET_LOG_INFO : DICOMNET_LOG_WARN;
    dicomnet_logger_write(association->logger, level, events[end->kind], record.fields, record.count);
}
