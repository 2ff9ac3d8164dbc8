/*
 * probe - asks the peer what it takes of what was found, and in which way: each pair of (SOP class, transfer syntax as
 * stored) with all that it may become (study.h) is negotiated, over as many associations as that takes, one after the
 * other. Nothing is stored. On the loop's thread.
 */
#ifndef ENGINE_PROBE_H
#define ENGINE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/agreed.h"
#include "engine/channel.h"
#include "engine/proposal.h"

struct dicomnet_association_parameters;
struct peer_words;
struct study_table;

/* What came of one pair. Strings are valid for the call. */
struct probed_pair {
    const char *class_uid, *syntax_uid; /* as it lies */
    const char *sent_syntax_uid;    /* in which it would go out: `syntax_uid` itself = as it lies; another: converted to
                                       that; NULL = the peer takes it in none */
    uint64_t instance_count, bytes; /* how many instances lie so, and the bytes of their data sets as they lie */
    const char *text;               /* one line for a person: why it is not taken; "" if it is */
};

struct probe_handler {
    /* Once for each pair, in the order in which they were found. */
    void (*pair)(void *user, const struct probed_pair *pair);
    /* Once, last. NULL: each was told; else one line for a person: why not. */
    void (*done)(void *user, const char *problem);
};

/* Everything is borrowed until `done`. */
struct probe_options {
    struct uv_loop_s *loop;
    const struct channel_peer *peer;
    const struct dicomnet_association_parameters *association; /* for texts of how it ended, */
    const struct peer_words *words;                            /* and these; may be NULL */
    const struct study_table *table;                           /* with the pairs; nothing is added to it meanwhile */
    const struct dicomnet_logger *logger;
};

/* All zero: none is under way. */
struct probe {
    bool under_way;
    bool cancelled;
    struct probe_options options;
    const struct probe_handler *handler;
    void *user;
    struct channel *channel; /* NULL = there is none */
    bool opened;             /* it has opened */
    size_t first, next;      /* it is asked for the pairs from `first` to below `next` */
    struct proposal proposal;
    struct agreed agreed;
};

/* Begin; there is at least one pair. The handler may be called from within. */
void probe_start(struct probe *probe, const struct probe_options *options, const struct probe_handler *handler,
                 void *user);

/* End it soon, if it is under way: `done` comes. */
void probe_cancel(struct probe *probe);

#endif
