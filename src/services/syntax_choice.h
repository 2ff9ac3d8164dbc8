/*
 * syntax_choice - which transfer syntax a presentation context gets that a peer proposes for storage. Pure.
 */
#ifndef SERVICES_SYNTAX_CHOICE_H
#define SERVICES_SYNTAX_CHOICE_H

#include <stddef.h>
#include <stdint.h>

#include "dicomnet/span.h"

/*
 * Of `proposed` (a run for dicomnet_pdu_next_transfer_syntax), the one that stands first among the `count` UIDs at
 * `accepted`; with a count of 0, the first that was proposed, which is the one that the proposer likes best. Returns
 * the result of the context (PS3.8 Table 9-18): DICOMNET_CONTEXT_ACCEPTED with *ret_syntax, a part of `proposed`, or
 * DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED.
 */
uint8_t syntax_choose(struct dicomnet_span proposed, const char *const *accepted, size_t count,
                      struct dicomnet_span *ret_syntax);

#endif
