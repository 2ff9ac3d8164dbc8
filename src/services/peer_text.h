/*
 * peer_text - how an association with a peer ended, for whoever has to do something about it: with the address or the
 * AE title in question, and the option that sets it.
 */
#ifndef SERVICES_PEER_TEXT_H
#define SERVICES_PEER_TEXT_H

#include <stddef.h>

struct dicomnet_association_end;
struct dicomnet_association_parameters;

enum { PEER_TEXT_SIZE = 400 };

/*
 * One line: "rejected by 10.0.0.5:104: calling AE title not recognized: 'SENDER' (--calling-ae): the peer must be told
 * of it". `peer` says whom we asked, and as whom.
 */
void peer_describe_end(const struct dicomnet_association_end *end, const struct dicomnet_association_parameters *peer,
                       char *ret_text, size_t size);

#endif
