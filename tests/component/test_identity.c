/*
 * Who asks for an association (PS3.7 D.3.3.7), both sides of it on one loop: what the acceptor is told and decides,
 * what the requestor learns, and that secrets do not stay in the buffers of either.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/acceptor.h"
#include "dicomnet/log.h"
#include "fixture.h"
#include "net/association_private.h"
#include "scripts.h"

#define SECRET "swordfish-8271"

/* One meeting: what is asked, what is answered, and what either side saw. */
struct meeting {
    struct fixture fixture;
    struct dicomnet_acceptor *acceptor;
    const struct dicomnet_identity *identity; /* of the requestor */
    bool has_authenticate, lets_in;
    struct dicomnet_span response;
    /* Seen by `authenticate`: */
    unsigned asked;
    bool given;
    struct dicomnet_identity seen; /* its bytes copied */
    uint8_t primary[DICOMNET_IDENTITY_LEN_MAX], secondary[64];
    /* Seen by the associations: */
    unsigned opened[2], closed[2]; /* requestor, acceptor */
    struct dicomnet_association_end ends[2];
    char user_name[80], answer[64];
    size_t answer_len;
    char log[64 * 1024];
};

static struct dicomnet_span copy(struct dicomnet_span span, uint8_t *room, size_t size)
{
    cr_assert_leq(span.len, size);
    if (span.len > 0)
        memcpy(room, span.data, span.len);
    return (struct dicomnet_span){room, span.len};
}

static bool authenticate(void *authentication, struct dicomnet_association *association,
                         const struct dicomnet_identity *identity, struct dicomnet_span *ret_response)
{
    struct meeting *meeting = authentication;
    meeting->asked++;
    meeting->given = identity != NULL;
    cr_expect_str_eq(dicomnet_association_calling_ae(association), "TESTER");
    if (identity != NULL) {
        meeting->seen = *identity;
        meeting->seen.primary = copy(identity->primary, meeting->primary, sizeof meeting->primary);
        meeting->seen.secondary = copy(identity->secondary, meeting->secondary, sizeof meeting->secondary);
    }
    *ret_response = meeting->response;
    return meeting->lets_in;
}

/* No buffer of an association holds the secret. */
static void expect_clean(const struct dicomnet_association *association, const char *side)
{
    const char *word = SECRET;
    cr_expect_null(memmem(association->received, association->received_size, word, strlen(word)), "%s: received", side);
    cr_expect_null(memmem(association->room->send_buffer, SEND_SIZE, word, strlen(word)), "%s: send buffer", side);
}

static void on_requestor_opened(struct dicomnet_association *association, void *user)
{
    struct meeting *meeting = user;
    meeting->opened[0]++;
    struct dicomnet_span answer = dicomnet_association_identity_response(association);
    cr_assert_lt(answer.len, sizeof meeting->answer);
    meeting->answer_len = answer.len;
    if (answer.len > 0)
        memcpy(meeting->answer, answer.data, answer.len);
    expect_clean(association, "requestor");
    dicomnet_association_release(association);
}

static void on_acceptor_opened(struct dicomnet_association *association, void *user)
{
    struct meeting *meeting = user;
    meeting->opened[1]++;
    snprintf(meeting->user_name, sizeof meeting->user_name, "%s", dicomnet_association_user_name(association));
    expect_clean(association, "acceptor");
}

static void on_requestor_closed(struct dicomnet_association *association, void *user,
                                const struct dicomnet_association_end *end)
{
    struct meeting *meeting = user;
    meeting->closed[0]++;
    meeting->ends[0] = *end;
    dicomnet_acceptor_close(meeting->acceptor);
}

static void on_acceptor_closed(struct dicomnet_association *association, void *user,
                               const struct dicomnet_association_end *end)
{
    struct meeting *meeting = user;
    meeting->closed[1]++;
    meeting->ends[1] = *end;
}

static uint8_t negotiate(struct dicomnet_association *association, void *user, struct dicomnet_span abstract_syntax,
                         struct dicomnet_span syntaxes, struct dicomnet_span *ret_syntax)
{
    return dicomnet_pdu_next_transfer_syntax(&syntaxes, ret_syntax) ? DICOMNET_CONTEXT_ACCEPTED
                                                                    : DICOMNET_CONTEXT_NO_REASON;
}

static const struct dicomnet_association_handler requestor_handler = {.opened = on_requestor_opened,
                                                                      .closed = on_requestor_closed};
static const struct dicomnet_association_handler acceptor_side = {
    .opened = on_acceptor_opened, .negotiate = negotiate, .closed = on_acceptor_closed};

static const struct dicomnet_association_handler *on_connected(void *user, void **ret_user)
{
    *ret_user = user;
    return &acceptor_side;
}

static const struct dicomnet_acceptor_handler acceptor_handler = {.connected = on_connected};

/* All that either side logs, at the most talkative level. */
static void write_log(void *user, const struct dicomnet_log_record *record)
{
    struct meeting *meeting = user;
    size_t used = strlen(meeting->log);
    for (size_t i = 0; i < record->field_count && used < sizeof meeting->log - 1; i++) {
        const struct dicomnet_log_field *field = &record->fields[i];
        if (field->text != NULL)
            used +=
                (size_t)snprintf(meeting->log + used, sizeof meeting->log - used, "%s=%s\n", field->key, field->text);
    }
    cr_assert_lt(used, sizeof meeting->log - 1);
}

static struct meeting *meet(struct meeting *meeting)
{
    const struct dicomnet_logger logger = {.write = write_log, .user = meeting, .level = DICOMNET_LOG_DEBUG};
    struct dicomnet_acceptor_options accept = DICOMNET_ACCEPTOR_OPTIONS_INIT;
    struct dicomnet_association *association;
    fixture_begin(&meeting->fixture);
    accept.bind_address = "127.0.0.1";
    accept.association.logger = &logger;
    if (meeting->has_authenticate) {
        accept.association.authenticate = authenticate;
        accept.association.authentication = meeting;
    }
    cr_assert_eq(
        dicomnet_acceptor_open(&meeting->acceptor, &meeting->fixture.loop, &accept, &acceptor_handler, meeting), 0);
    struct dicomnet_association_options options = fixture_options(dicomnet_acceptor_port(meeting->acceptor));
    options.parameters.identity = meeting->identity;
    options.logger = &logger;
    cr_assert_eq(dicomnet_association_open(&association, &meeting->fixture.loop, &options, &requestor_handler, meeting),
                 0);
    fixture_run(&meeting->fixture);
    fixture_end(&meeting->fixture);
    cr_expect(meeting->closed[0] == 1 && meeting->closed[1] == 1);
    cr_expect_null(strstr(meeting->log, SECRET), "%s", meeting->log);
    return meeting;
}

static struct meeting *make(const struct dicomnet_identity *identity, bool lets_in)
{
    struct meeting *meeting = calloc(1, sizeof *meeting);
    cr_assert_not_null(meeting);
    meeting->identity = identity;
    meeting->has_authenticate = true;
    meeting->lets_in = lets_in;
    return meeting;
}

static struct dicomnet_identity alice(bool response_wanted)
{
    return (struct dicomnet_identity){DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE, response_wanted,
                                      dicomnet_span_of("alice"), dicomnet_span_of(SECRET)};
}

static void expect_opened(struct meeting *meeting, const char *what)
{
    cr_expect(meeting->opened[0] == 1 && meeting->opened[1] == 1, "%s", what);
    cr_expect(meeting->ends[0].kind == DICOMNET_ASSOCIATION_RELEASED, "%s", what);
    free(meeting);
}

static void expect_rejected(struct meeting *meeting, const char *text)
{
    char described[400];
    for (int i = 0; i < 2; i++) {
        const struct dicomnet_association_end *end = &meeting->ends[i];
        cr_expect(end->kind == DICOMNET_ASSOCIATION_REJECTED, "%s", text);
        cr_expect(end->reject.result == 1 && end->reject.source == 2 && end->reject.reason == 1, "%s", text);
    }
    dicomnet_association_describe_end(&meeting->ends[1], described, sizeof described);
    cr_expect_str_eq(described, text);
    cr_expect(meeting->opened[0] == 0 && meeting->opened[1] == 0, "%s", text);
    free(meeting);
}

Test(identity, a_user_with_a_passcode_is_let_in)
{
    const struct dicomnet_identity identity = alice(false);
    struct meeting *meeting = meet(make(&identity, true));
    cr_expect(meeting->asked == 1 && meeting->seen.type == DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE);
    cr_expect(dicomnet_span_equals(meeting->seen.primary, "alice") && !meeting->seen.response_wanted);
    cr_expect(dicomnet_span_equals(meeting->seen.secondary, SECRET));
    cr_expect_str_eq(meeting->user_name, "alice");
    cr_expect_not_null(strstr(meeting->log, "identity=user name 'alice', passcode (hidden)\n"));
    cr_expect_not_null(strstr(meeting->log, "user=alice\n"));
    expect_opened(meeting, "alice");
}

Test(identity, every_kind_arrives_as_it_is)
{
    static uint8_t token[DICOMNET_IDENTITY_LEN_MAX];
    for (size_t i = 0; i < sizeof token; i++)
        token[i] = (uint8_t)(i * 7 + i / 256);
    for (uint8_t type = DICOMNET_IDENTITY_USER_NAME; type <= DICOMNET_IDENTITY_JWT; type++) {
        const struct dicomnet_identity identity = {type, true, {token, sizeof token}, {0}};
        struct meeting *meeting = make(&identity, true);
        meeting->response = dicomnet_span_of("reply");
        meet(meeting);
        cr_expect(meeting->seen.type == type && meeting->seen.response_wanted);
        cr_expect(meeting->seen.primary.len == sizeof token && meeting->seen.secondary.len == 0);
        cr_expect_eq(memcmp(meeting->primary, token, sizeof token), 0, "type %u", type);
        cr_expect(meeting->answer_len == 5 && memcmp(meeting->answer, "reply", 5) == 0, "type %u", type);
        expect_opened(meeting, "kinds");
    }
}

Test(identity, who_is_not_let_in_is_rejected_for_good)
{
    const struct dicomnet_identity with_passcode = alice(true);
    const struct dicomnet_identity name = {DICOMNET_IDENTITY_USER_NAME, false, dicomnet_span_of("m\nallory"), {0}};
    const struct dicomnet_identity token = {DICOMNET_IDENTITY_JWT, false, dicomnet_span_of(SECRET), {0}};
    expect_rejected(meet(make(&with_passcode, false)),
                    "rejected: user identity not accepted: user name 'alice', passcode (hidden), response requested");
    expect_rejected(meet(make(&name, false)), "rejected: user identity not accepted: user name 'm?allory'");
    expect_rejected(meet(make(&token, false)),
                    "rejected: user identity not accepted: JSON web token of 14 bytes (hidden)");
    struct meeting *nobody = meet(make(NULL, false));
    cr_expect(nobody->asked == 1 && !nobody->given);
    expect_rejected(nobody, "rejected: user identity not accepted: none is given");
}

Test(identity, nobody_may_come_without_one_if_that_is_decided)
{
    struct meeting *meeting = meet(make(NULL, true));
    cr_expect(meeting->asked == 1 && !meeting->given);
    cr_expect_str_eq(meeting->user_name, "");
    expect_opened(meeting, "nobody");
}

Test(identity, a_response_comes_only_if_it_is_wanted)
{
    const struct dicomnet_identity identity = alice(false);
    struct meeting *meeting = make(&identity, true);
    meeting->response = dicomnet_span_of("reply");
    meet(meeting);
    cr_expect_eq(meeting->answer_len, 0);
    cr_expect_null(strstr(meeting->log, "server response"));
    expect_opened(meeting, "not wanted");

    const struct dicomnet_identity wanted = alice(true); /* an empty one is one */
    meeting = meet(make(&wanted, true));
    cr_expect_not_null(strstr(meeting->log, "identity=server response of 0 bytes (hidden)\n"));
    expect_opened(meeting, "wanted");
}

Test(identity, who_does_not_look_at_identities_lets_in_and_confirms_nothing)
{
    const struct dicomnet_identity identity = alice(false), wanted = alice(true);
    struct meeting *meeting = make(&identity, false);
    meeting->has_authenticate = false;
    meet(meeting);
    cr_expect_eq(meeting->asked, 0);
    cr_expect_str_eq(meeting->user_name, "alice");
    expect_opened(meeting, "not looked at");

    meeting = make(&wanted, false);
    meeting->has_authenticate = false;
    meet(meeting);
    cr_expect(meeting->opened[0] == 0, "it is not spoken to");
    cr_expect(meeting->ends[0].kind == DICOMNET_ASSOCIATION_ABORTED_BY_US);
    cr_expect_eq(meeting->ends[0].error, DICOMNET_ERROR_IDENTITY_UNCONFIRMED);
    cr_expect(meeting->ends[1].kind == DICOMNET_ASSOCIATION_ABORTED_BY_PEER && meeting->ends[1].abort.source == 0);
    free(meeting);
}

/* ---- identities that cannot be ---- */

static int try_to_open(struct dicomnet_identity identity)
{
    struct fixture fixture;
    struct dicomnet_association *association;
    struct meeting unused = {0};
    fixture_begin(&fixture);
    struct dicomnet_association_options options = fixture_options(1);
    options.parameters.identity = &identity;
    int error = dicomnet_association_open(&association, &fixture.loop, &options, &requestor_handler, &unused);
    fixture_end(&fixture);
    return error;
}

Test(identity, what_cannot_be_said_is_refused)
{
    static const uint8_t bytes[DICOMNET_IDENTITY_LEN_MAX + 1];
    struct dicomnet_identity identity = alice(false);
    identity.type = 0;
    cr_expect_eq(try_to_open(identity), -EINVAL);
    identity.type = DICOMNET_IDENTITY_JWT + 1;
    cr_expect_eq(try_to_open(identity), -EINVAL);
    identity.type = DICOMNET_IDENTITY_JWT; /* which has no passcode */
    cr_expect_eq(try_to_open(identity), -EINVAL);
    identity = alice(false);
    identity.primary.len = 0;
    cr_expect_eq(try_to_open(identity), -EINVAL);
    identity = alice(false);
    identity.secondary.data = NULL;
    cr_expect_eq(try_to_open(identity), -EINVAL);
    identity = (struct dicomnet_identity){DICOMNET_IDENTITY_SAML, false, {bytes, sizeof bytes}, {0}};
    cr_expect_eq(try_to_open(identity), -EINVAL);
    identity = (struct dicomnet_identity){
        DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE, false, {bytes, sizeof bytes - 1}, {bytes, 1}};
    cr_expect_eq(try_to_open(identity), -EINVAL);
}
