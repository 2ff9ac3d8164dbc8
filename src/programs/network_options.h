/*
 * network_options - what the options say of how connections are carried, made into what associations take.
 */
#ifndef PROGRAMS_NETWORK_OPTIONS_H
#define PROGRAMS_NETWORK_OPTIONS_H

#include "dicomnet/association.h"

struct network_group;

struct dicomnet_association_line network_options_line(const struct network_group *network);

#endif
