/* syntax_choice - see syntax_choice.h. */
#include "services/syntax_choice.h"

#include <string.h>

#include "dicomnet/pdu.h"
#include "dicomnet/uid.h"

uint8_t syntax_choose(struct dicomnet_span proposed, const char *const *accepted, size_t count,
                      struct dicomnet_span *ret_syntax)
{
    struct dicomnet_span syntax;
    char uid[DICOMNET_UID_SIZE];
    size_t best = count; /* of `accepted` */
    if (count == 0)
        return dicomnet_pdu_next_transfer_syntax(&proposed, ret_syntax)
                   ? DICOMNET_CONTEXT_ACCEPTED
                   : DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED;
    while (dicomnet_pdu_next_transfer_syntax(&proposed, &syntax)) {
        dicomnet_span_copy_trimmed(syntax, uid, sizeof uid);
        for (size_t i = 0; i < best; i++) {
            if (strcmp(accepted[i], uid) != 0)
                continue;
            best = i;
            *ret_syntax = syntax;
        }
    }
    return best < count ? DICOMNET_CONTEXT_ACCEPTED : DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED;
}
