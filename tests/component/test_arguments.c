/*
 * What a caller may get wrong is refused before anything is done; and options of an older, shorter version are taken.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/acceptor.h"
#include "dicomnet/query_retrieve.h"
#include "dicomnet/version.h"
#include "fixture.h"

static void on_closed(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end)
{
}

static const struct dicomnet_association_handler handler = {.closed = on_closed};

static int open_with(struct dicomnet_association_options options)
{
    struct fixture fixture;
    struct dicomnet_association *association;
    fixture_begin(&fixture);
    int error = dicomnet_association_open(&association, &fixture.loop, &options, &handler, NULL);
    cr_assert_neq(error, 0);
    fixture_end(&fixture); /* whatever was begun would keep the loop open */
    return error;
}

#define EXPECT_REFUSED(change, wanted)                                                                                 \
    do {                                                                                                               \
        struct dicomnet_association_options options = fixture_options(1);                                              \
        struct dicomnet_association_proposal proposal = options.proposals[0];                                          \
        (void)proposal;                                                                                                \
        change;                                                                                                        \
        cr_expect_eq(open_with(options), (wanted), "%s", #change);                                                     \
    } while (0)

Test(arguments, parameters_that_cannot_be_are_refused)
{
    EXPECT_REFUSED(options.parameters.host = NULL, -EINVAL);
    EXPECT_REFUSED(options.parameters.host = "", -EINVAL);
    EXPECT_REFUSED(options.parameters.port = 0, -EINVAL);
    EXPECT_REFUSED(options.parameters.bind_address = "localhost", -EINVAL);
    EXPECT_REFUSED(options.parameters.reserved[3] = "", -EINVAL);
    EXPECT_REFUSED(options.parameters.max_send_pdu_len = 4095, -EINVAL);
    EXPECT_REFUSED(options.parameters.max_send_pdu_len = DICOMNET_ASSOCIATION_PEER_PDU_CAP + 1, -EINVAL);
    EXPECT_REFUSED(options.parameters.line.keepalive_s = 32768, -EINVAL);
    EXPECT_REFUSED(options.parameters.line.traffic_class = 256, -EINVAL);
    EXPECT_REFUSED(options.parameters.line.buffer_bytes = INT32_MAX, -EINVAL);
    EXPECT_REFUSED(options.parameters.called_ae[0] = '\0', DICOMNET_ERROR_AE_TITLE);
    EXPECT_REFUSED(options.parameters.calling_ae[0] = '\0', DICOMNET_ERROR_AE_TITLE);
    EXPECT_REFUSED(strcpy(options.parameters.called_ae, "   "), DICOMNET_ERROR_AE_TITLE);
    EXPECT_REFUSED(strcpy(options.parameters.called_ae, "A\\B"), DICOMNET_ERROR_AE_TITLE);
    EXPECT_REFUSED(strcpy(options.parameters.called_ae, "A\tB"), DICOMNET_ERROR_AE_TITLE);
    EXPECT_REFUSED(memset(options.parameters.called_ae, 'A', DICOMNET_AE_SIZE), DICOMNET_ERROR_AE_TITLE);
}

Test(arguments, a_handler_without_an_end_is_refused)
{
    static const struct dicomnet_association_handler deaf;
    struct fixture fixture;
    struct dicomnet_association *association;
    const struct dicomnet_association_options options = fixture_options(1);
    fixture_begin(&fixture);
    cr_expect_eq(dicomnet_association_open(&association, &fixture.loop, &options, &deaf, NULL), -EINVAL);
    cr_expect_eq(dicomnet_association_open(&association, &fixture.loop, &options, NULL, NULL), -EINVAL);
    cr_expect_eq(dicomnet_association_open(&association, NULL, &options, &handler, NULL), -EINVAL);
    cr_expect_eq(dicomnet_association_open(&association, &fixture.loop, NULL, &handler, NULL), -EINVAL);
    fixture_end(&fixture);
}

Test(arguments, proposals_that_cannot_be_are_refused)
{
    static struct dicomnet_association_proposal many[DICOMNET_PDU_CONTEXTS_MAX + 1];
    EXPECT_REFUSED(options.proposal_count = 0, -EINVAL);
    EXPECT_REFUSED(options.proposals = NULL, -EINVAL);
    EXPECT_REFUSED((options.proposals = many, options.proposal_count = DICOMNET_PDU_CONTEXTS_MAX + 1), -EINVAL);
    EXPECT_REFUSED((proposal.abstract_syntax = NULL, options.proposals = &proposal), DICOMNET_ERROR_PROPOSAL);
    EXPECT_REFUSED((proposal.abstract_syntax = "", options.proposals = &proposal), DICOMNET_ERROR_PROPOSAL);
    EXPECT_REFUSED((proposal.syntax_count = 0, options.proposals = &proposal), DICOMNET_ERROR_PROPOSAL);
    EXPECT_REFUSED((proposal.syntax_count = DICOMNET_ASSOCIATION_SYNTAXES_MAX + 1, options.proposals = &proposal),
                   DICOMNET_ERROR_PROPOSAL);
    EXPECT_REFUSED((proposal.syntaxes[0] = NULL, options.proposals = &proposal), DICOMNET_ERROR_PROPOSAL);
}

Test(arguments, a_size_that_cannot_be_is_refused)
{
    EXPECT_REFUSED(options.size = 0, DICOMNET_ERROR_OPTIONS_SIZE);
    EXPECT_REFUSED(options.size = SIZE_MAX, DICOMNET_ERROR_OPTIONS_SIZE);
    EXPECT_REFUSED(options.size = offsetof(struct dicomnet_association_options, proposal_count),
                   DICOMNET_ERROR_OPTIONS_SIZE);
}

/* A caller of an older version has no logger yet: what stands behind its struct is not looked at. */
Test(arguments, an_older_shorter_struct_is_taken)
{
    struct fixture fixture;
    struct dicomnet_association *association;
    struct dicomnet_association_options options = fixture_options(1);
    fixture_begin(&fixture);
    options.size = offsetof(struct dicomnet_association_options, logger);
    memset(&options.logger, 0x55, sizeof options.logger);
    cr_assert_eq(dicomnet_association_open(&association, &fixture.loop, &options, &handler, NULL), 0);
    dicomnet_association_abort(association, DICOMNET_ERROR_ABORTED_LOCALLY);
    fixture_run(&fixture);
    fixture_end(&fixture);
}

/* A caller of a newer version may set nothing that this one does not know. */
Test(arguments, a_newer_longer_struct_is_taken_while_what_is_new_is_zero)
{
    struct fixture fixture;
    struct dicomnet_association *association;
    struct {
        struct dicomnet_association_options known;
        uint64_t unknown;
    } newer = {.known = fixture_options(1), .unknown = 1};
    fixture_begin(&fixture);
    newer.known.size = sizeof newer;
    cr_expect_eq(dicomnet_association_open(&association, &fixture.loop, &newer.known, &handler, NULL),
                 DICOMNET_ERROR_OPTIONS_SIZE);
    newer.unknown = 0;
    cr_assert_eq(dicomnet_association_open(&association, &fixture.loop, &newer.known, &handler, NULL), 0);
    dicomnet_association_abort(association, DICOMNET_ERROR_ABORTED_LOCALLY);
    fixture_run(&fixture);
    fixture_end(&fixture);
}

Test(arguments, those_of_acceptors_are_checked_too)
{
    static const struct dicomnet_acceptor_handler nobody;
    struct fixture fixture;
    struct dicomnet_acceptor *acceptor;
    struct dicomnet_acceptor_options options = DICOMNET_ACCEPTOR_OPTIONS_INIT;
    fixture_begin(&fixture);
    cr_expect_eq(dicomnet_acceptor_open(&acceptor, &fixture.loop, &options, NULL, NULL), -EINVAL);
    cr_expect_eq(dicomnet_acceptor_open(&acceptor, &fixture.loop, &options, &nobody, NULL), -EINVAL);
    options.size = 0;
    cr_expect_eq(dicomnet_acceptor_open(&acceptor, &fixture.loop, &options, &nobody, NULL),
                 DICOMNET_ERROR_OPTIONS_SIZE);
    struct dicomnet_storage_provider *provider;
    struct dicomnet_storage_provider_options storage = {.context_size = 8};
    cr_expect_eq(dicomnet_storage_provider_create(&provider, &fixture.loop, &storage), DICOMNET_ERROR_OPTIONS_SIZE);
    fixture_end(&fixture);
}

Test(arguments, the_version_is_the_projects)
{
    cr_expect_str_eq(dicomnet_version(), PROGRAM_VERSION);
}

/* ---- the address to connect from ---- */

struct local {
    struct dicomnet_association_end end;
    bool opened;
};

static char accepted_peer[64];
static struct dicomnet_acceptor *from_acceptor;

static bool on_welcome(struct dicomnet_association *association, void *user)
{
    snprintf(accepted_peer, sizeof accepted_peer, "%s", dicomnet_association_peer(association));
    return true;
}

static const struct dicomnet_association_handler accepted_handler = {.welcome = on_welcome, .closed = on_closed};

static const struct dicomnet_association_handler *on_connected(void *user, void **ret_user)
{
    return &accepted_handler;
}

static void on_local_opened(struct dicomnet_association *association, void *user)
{
    struct local *local = user;
    local->opened = true;
    dicomnet_association_release(association);
}

static void on_local_closed(struct dicomnet_association *association, void *user,
                            const struct dicomnet_association_end *end)
{
    struct local *local = user;
    local->end = *end;
    dicomnet_acceptor_close(from_acceptor);
}

static struct local connect_from(const char *bind_address)
{
    static const struct dicomnet_association_handler local_handler = {.opened = on_local_opened,
                                                                      .closed = on_local_closed};
    static const struct dicomnet_acceptor_handler acceptor_handler = {.connected = on_connected};
    const struct dicomnet_acceptor_options accept = {.size = sizeof accept, .bind_address = "127.0.0.1"};
    struct fixture fixture;
    struct local local = {0};
    struct dicomnet_association *association;
    fixture_begin(&fixture);
    cr_assert_eq(dicomnet_acceptor_open(&from_acceptor, &fixture.loop, &accept, &acceptor_handler, NULL), 0);
    struct dicomnet_association_options options = fixture_options(dicomnet_acceptor_port(from_acceptor));
    options.parameters.bind_address = bind_address;
    cr_assert_eq(dicomnet_association_open(&association, &fixture.loop, &options, &local_handler, &local), 0);
    fixture_run(&fixture);
    fixture_end(&fixture);
    return local;
}

Test(arguments, the_peer_sees_the_address_that_was_asked_for)
{
    struct local local = connect_from("127.0.0.3");
    cr_assert(local.opened);
    cr_expect_eq(local.end.kind, DICOMNET_ASSOCIATION_RELEASED);
    cr_expect_eq(strncmp(accepted_peer, "127.0.0.3:", 10), 0, "%s", accepted_peer);
}

Test(arguments, an_address_of_the_other_family_reaches_nobody)
{
    struct local local = connect_from("::1");
    cr_expect_not(local.opened);
    cr_expect_eq(local.end.kind, DICOMNET_ASSOCIATION_NOT_CONNECTED);
    cr_expect_eq(local.end.error, -EAFNOSUPPORT, "%s", dicomnet_error_text(local.end.error));
}
