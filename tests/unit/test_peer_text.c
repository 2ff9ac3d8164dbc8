/* How associations that were rejected for a name are described, in the words of a program and without any. */
#include <criterion/criterion.h>

#include "dicomnet/association.h"
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
