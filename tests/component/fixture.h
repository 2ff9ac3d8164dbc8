/*
 * fixture - a loop to test on, and the three things that must be true after every test: the loop came to its end by
 * itself, it could be closed, and no descriptor was left open.
 */
#ifndef COMPONENT_FIXTURE_H
#define COMPONENT_FIXTURE_H

#include <uv.h>

#include "dicomnet/association.h"
#include "dicomnet/data_source.h"
#include "script_peer.h"

enum { FIXTURE_PATIENCE_MS = 20 * 1000, FIXTURE_TIMEOUT_S = 60 };

struct fixture {
    uv_loop_t loop;
    uv_timer_t watchdog;
    unsigned descriptors;
    bool hung;
};

void fixture_begin(struct fixture *fixture);

/* The same, and a peer that plays that script; see script_peer_listen. */
struct script_peer *fixture_begin_with_peer(struct fixture *fixture, void (*script)(struct script_peer *peer),
                                            void *user);

/* Run the loop until nothing is left on it. Returns the milliseconds it took. */
uint64_t fixture_run(struct fixture *fixture);

/* Close the loop and look at what is left. */
void fixture_end(struct fixture *fixture);

/* Stop the peer, look at what it had to complain about, and free it. `what` names the case. */
void fixture_end_peer(struct script_peer *peer, const char *what);

/* Options for the peer at that port: short timeouts, and one context (CT, Explicit VR Little Endian). */
struct dicomnet_association_options fixture_options(uint16_t port);

#define FIXTURE_CLASS  "1.2.840.10008.5.1.4.1.1.2"
#define FIXTURE_SYNTAX DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN

/* A data set of any length, made of numbers. */
struct numbers_source {
    struct dicomnet_data_source source;
    uint64_t ends_at; /* no byte comes from here on */
    int error;        /* what a read that comes to `ends_at` answers, if not 0 */
    uint64_t reads;
};
struct dicomnet_data_source *numbers_source_init(struct numbers_source *numbers, uint64_t len);
uint32_t numbers_hash(uint64_t len);

#endif
