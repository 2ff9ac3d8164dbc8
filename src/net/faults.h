/*
 * faults - what an acceptor does wrong on purpose, so that requestors can be tested. Not part of the library's API.
 */
#ifndef NET_FAULTS_H
#define NET_FAULTS_H

#include <stdbool.h>

struct dicomnet_acceptor;
struct dicomnet_association;

struct acceptor_faults {
    unsigned reject_first; /* the number of associations, from the first, that are rejected: transient, local limit
                              exceeded */
    bool two_writes;       /* answer as DCMTK does: each message in two writes, with Nagle's algorithm on */
};

/* For the connections that come from now on. */
void acceptor_set_faults(struct dicomnet_acceptor *acceptor, const struct acceptor_faults *faults);

/* The same for one association that was just accepted. */
void association_use_two_writes(struct dicomnet_association *association);

#endif
