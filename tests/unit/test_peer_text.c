/* How associations that were rejected for a name are described, in the words of a program and without any. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/association.h"
#include "dicomnet/error.h"
#include "services/peer_text.h"

enum { PERMANENT = 1, BY_USER = 1, CALLING_AE_UNKNOWN = 3, CALLED_AE_UNKNOWN = 7 };

static const struct peer_words words = {.called_ae = "--to", .calling_ae = "--from"};

static const char *describe(unsigned char reason, const struct peer_words *of_program)
{
    static char text[PEER_TEXT_SIZE];
    const struct dicomnet_association_parameters peer = {
        .host = "h", .port = 104, .called_ae = "PACS", .calling_ae = "ME"};
    const struct dicomnet_association_end end = {.kind = DICOMNET_ASSOCIATION_REJECTED,
                                                 .reject = {PERMANENT, BY_USER, reason}};
    peer_describe_end(&end, &peer, of_program, text, sizeof text);
    return text;
}

Test(peer_text, names_the_option_as_the_program_does)
{
    cr_expect_str_eq(describe(CALLED_AE_UNKNOWN, &words),
                     "rejected: called AE title not recognized: 'PACS' (--to) is not the peer's AE title");
    cr_expect_str_eq(describe(CALLING_AE_UNKNOWN, &words),
                     "rejected: calling AE title not recognized: the peer does not know 'ME' (--from)");
}

static const char *describe_no_reason(unsigned char source, const struct dicomnet_identity *identity,
                                      const struct peer_words *of_program)
{
    static char text[PEER_TEXT_SIZE];
    const struct dicomnet_association_parameters peer = {.host = "h", .port = 104, .identity = identity};
    const struct dicomnet_association_end end = {.kind = DICOMNET_ASSOCIATION_REJECTED,
                                                 .reject = {PERMANENT, source, 1}};
    peer_describe_end(&end, &peer, of_program, text, sizeof text);
    return text;
}

Test(peer_text, thinks_of_the_user_where_no_reason_is_given)
{
    const struct peer_words user = {.user = "--user", .identity_response = "--response"};
    const struct dicomnet_identity identity = {.type = DICOMNET_IDENTITY_USER_NAME};
    cr_expect_str_eq(describe_no_reason(2, &identity, &user),
                     "rejected: no reason given by the peer's ACSE provider: it may not accept the user identity "
                     "(--user)");
    cr_expect_str_eq(describe_no_reason(1, &identity, NULL),
                     "rejected: no reason given by the peer's application: it may not accept the user identity");
    cr_expect_str_eq(describe_no_reason(2, NULL, &user),
                     "rejected: no reason given by the peer's ACSE provider: it may want to know the user (--user)");
    cr_expect_str_eq(describe_no_reason(1, NULL, &user), "rejected: no reason given by the peer's application");

    char text[PEER_TEXT_SIZE];
    const struct dicomnet_association_parameters peer = {.host = "h", .port = 104, .identity = &identity};
    const struct dicomnet_association_end end = {.kind = DICOMNET_ASSOCIATION_ABORTED_BY_US,
                                                 .error = DICOMNET_ERROR_IDENTITY_UNCONFIRMED};
    peer_describe_end(&end, &peer, &user, text, sizeof text);
    cr_expect_str_eq(text, "aborted: the peer did not confirm the user identity, as it was asked to; if it need not "
                           "look at it: leave out --response");
}

static const char *describe_tls(int error, const char *detail, const struct peer_words *of_program)
{
    static char text[PEER_TEXT_SIZE];
    const struct dicomnet_association_parameters peer = {.host = "h", .port = 104};
    struct dicomnet_association_end end = {.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED, .error = error};
    snprintf(end.detail, sizeof end.detail, "%s", detail);
    peer_describe_end(&end, &peer, of_program, text, sizeof text);
    return text;
}

Test(peer_text, says_what_to_do_about_tls)
{
    const struct peer_words tls = {
        .tls = "--t", .tls_ca = "--ca", .tls_certificate = "--cert", .tls_server_name = "--name", .tls_pin = "--pin"};
    cr_expect_str_eq(describe_tls(DICOMNET_ERROR_TLS_NAME, "'a', 'b'", &tls),
                     "not connected to h:104: the peer's certificate is made out to another name: 'a', 'b'; if that is "
                     "the peer you mean: --name with one of its names");
    cr_expect_str_eq(describe_tls(DICOMNET_ERROR_TLS_CERTIFICATE_WANTED, "", &tls),
                     "not connected to h:104: the peer wants a certificate of this side; give it with --cert");
    cr_expect_str_eq(describe_tls(DICOMNET_ERROR_TLS_NAME, "'a'", NULL),
                     "not connected to h:104: the peer's certificate is made out to another name: 'a'");
    const int errors[] = {DICOMNET_ERROR_TLS_UNTRUSTED,  DICOMNET_ERROR_TLS_PIN,
                          DICOMNET_ERROR_TLS_CLOSED,     DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED,
                          DICOMNET_ERROR_TIMEOUT_TLS,    DICOMNET_ERROR_PEER_SPEAKS_CLEAR,
                          DICOMNET_ERROR_PEER_SPEAKS_TLS};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        cr_expect_not_null(strstr(describe_tls(errors[i], "", &tls), "--"), "%s", dicomnet_error_text(errors[i]));
}

Test(peer_text, says_that_our_own_address_is_the_trouble)
{
    static const struct peer_words with_bind = {.bind = "--bind"};
    const struct dicomnet_association_parameters peer = {.host = "h", .port = 104, .bind_address = "192.0.2.1"};
    struct dicomnet_association_end end = {.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED, .error = -EADDRNOTAVAIL};
    char text[PEER_TEXT_SIZE];
    peer_describe_end(&end, &peer, &with_bind, text, sizeof text);
    cr_expect_str_eq(text, "not connected to h:104: Cannot assign requested address: 192.0.2.1 is no address of this "
                           "machine; see --bind");
    end.error = -EAFNOSUPPORT;
    peer_describe_end(&end, &peer, NULL, text, sizeof text);
    cr_expect_not_null(strstr(text, ": it has no address of the family of 192.0.2.1"), "%s", text);
}

Test(peer_text, says_that_the_name_is_the_trouble)
{
    const int errors[] = {DICOMNET_ERROR_HOST_UNKNOWN, DICOMNET_ERROR_LOOKUP_FAILED, DICOMNET_ERROR_TIMEOUT_LOOKUP};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        char text[PEER_TEXT_SIZE];
        snprintf(text, sizeof text, "not connected to 'h': %s", dicomnet_error_text(errors[i]));
        cr_expect_str_eq(describe_tls(errors[i], "", NULL), text, "no port, and no word of a firewall");
    }
}

Test(peer_text, names_no_option_where_there_is_no_word)
{
    const struct peer_words only_one = {.calling_ae = "--from"};
    cr_expect_str_eq(describe(CALLED_AE_UNKNOWN, NULL),
                     "rejected: called AE title not recognized: 'PACS' is not the peer's AE title");
    cr_expect_str_eq(describe(CALLING_AE_UNKNOWN, NULL),
                     "rejected: calling AE title not recognized: the peer does not know 'ME'");
    cr_expect_str_eq(describe(CALLED_AE_UNKNOWN, &only_one),
                     "rejected: called AE title not recognized: 'PACS' is not the peer's AE title");
}
