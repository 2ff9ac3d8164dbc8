/*
 * network_options - what the options say of how connections are carried, made into what associations take.
 */
#ifndef PROGRAMS_NETWORK_OPTIONS_H
#define PROGRAMS_NETWORK_OPTIONS_H

#include "dicomnet/association.h"

struct network_group;
struct options;
struct peer;

struct dicomnet_association_line network_options_line(const struct network_group *network);

/* What the file of peers says of them, which is borrowed; what the options say wins. */
void network_options_use_peer(const struct options *options, const struct peer *peer,
                              struct dicomnet_association_parameters *association);

#endif
