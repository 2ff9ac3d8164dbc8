/*
 * channel - what a worker needs of the peer: something that is opened, carries stores, and ends.
 *
 * A worker has at most one channel at a time and knows no protocol. channel_dimse.h makes channels that are DICOM
 * associations; another protocol (STOW-RS, PS3.18 10.5, say) is another file that fills in the same functions.
 *
 *    channel_open -> opened -> ready, channel_prepare, channel_begin, done ... -> closed
 *
 * `closed` comes exactly once, last, for every channel_open, whatever happened; the channel is freed when it returns.
 * Everything is on the thread of the loop.
 *
 * A store is known by a number of the caller's choice, below CHANNEL_SPARE + channel_peer.window: of one store or none
 * at a time, free again with its `done`, or while it is only prepared. Which pair an instance goes out in, (SOP class,
 * transfer syntax), decides whether the peer takes it; the agreement about a pair is called a context, as in PS3.8.
 */
#ifndef ENGINE_CHANNEL_H
#define ENGINE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"

struct channel;
struct context_pair;
struct dicomnet_association_end;
struct dicomnet_data_source;
struct dicomnet_logger;
struct uv_loop_s;

enum {
    CHANNEL_SPARE = 1,      /* one store is prepared while the window is full */
    CHANNEL_NO_CONTEXT = -1 /* the peer takes no instance of that pair */
};

/* What was agreed when it opened. */
struct channel_opening {
    uint64_t connect_us, negotiate_us; /* durations: until there was a connection, and from there */
    unsigned contexts_proposed;        /* by the protocol: those asked for, and what it adds */
    unsigned contexts_accepted;        /* of them */
    uint32_t peer_max_pdu;             /* bytes; 0 = the protocol has no such thing */
};

/* How it ended. */
struct channel_end {
    bool source_failed;  /* it was ended on this side, as a data source failed or was short: no fault of the peer's */
    uint64_t connect_us; /* duration, as in channel_opening; 0 = there was no connection */
    const char *text;    /* one line for a person; valid for the call */
    const struct dicomnet_association_end *report; /* for the session and its reports; valid for the call */
};

/* A store to be made. Strings and the source are borrowed until it is done, or forgotten before it has begun. */
struct channel_request {
    int context; /* as channel_find_context gave it */
    const char *class_uid;
    const char *instance_uid;
    struct dicomnet_data_source *source;
};

/* How a store ended. */
struct channel_answer {
    bool answered; /* the peer answered: the next five are set */
    bool has_status;
    bool uid_missing;    /* the answer named no SOP Instance UID */
    bool context_other;  /* it came on another context of the same class */
    uint16_t status;     /* PS3.4 B.2.3; an answer without one counts as 0110 */
    const char *comment; /* at most 64 characters, "" = none; valid for the call */

    int error;          /* not answered: why */
    bool in_doubt;      /* not answered: all of it was sent, or the peer began to answer: it may have been stored */
    bool silent;        /* not answered: the peer said nothing in time */
    bool source_failed; /* not answered: its data source failed or was short */
    bool ended_here;    /* not answered: the channel was ended on this side, as another's data source failed, or by
                           channel_abort: no fault of its own */

    uint16_t message_id;    /* the number that it had in the protocol; 0 = none */
    uint64_t read_us;       /* what reading its data took, of which */
    uint64_t read_ahead_us; /* while it was prepared */
    uint64_t write_us;      /* from the first byte handed over to the last one taken, but for reading */
    uint64_t wait_us;       /* from the last byte taken to the answer */
};

struct channel_handler {
    /* Stores can be prepared and begun. */
    void (*opened)(void *user, const struct channel_opening *opening);
    /* A store ended, or the channel did. Once for each that has begun; those without an answer just before `closed`. */
    void (*done)(void *user, unsigned number, const struct channel_answer *answer);
    /* Another store can be prepared. Comes after `opened` and after a store has left or ended. */
    void (*ready)(void *user);
    void (*closed)(void *user, const struct channel_end *end);
};

/* What a channel is opened for. Everything is borrowed for the call but the handler and the logger: until `closed`. */
struct channel_options {
    struct uv_loop_s *loop;
    const struct context_pair *const *pairs; /* what is to be stored on it */
    size_t pair_count;
    const struct channel_handler *handler;
    void *user;
    const struct dicomnet_logger *logger;
};

/*
 * A peer, and the protocol that is spoken to it: the first member of a protocol's own struct with address, names and
 * limits. Constant, and shared by the workers of a session.
 */
struct channel_peer {
    unsigned window; /* stores that may be under way at a time: at least 1 */
    /* As channel_open. */
    struct channel *(*open)(const struct channel_peer *peer, const struct channel_options *options);
};

/* A protocol's functions: each as the function below with its name. */
struct channel_functions {
    int (*find_context)(struct channel *channel, const char *class_uid, const char *syntax_uid);
    bool (*describe_refusal)(const struct channel *channel, const struct context_pair *pair, char *ret_text,
                             size_t size);
    bool (*can_prepare)(const struct channel *channel);
    bool (*can_begin)(const struct channel *channel);
    int (*prepare)(struct channel *channel, unsigned number, const struct channel_request *request,
                   uint64_t *ret_read_us);
    bool (*begin)(struct channel *channel, unsigned number);
    void (*release)(struct channel *channel);
    void (*abort)(struct channel *channel);
};

/* The first member of a protocol's channel. */
struct channel {
    const struct channel_functions *functions;
};

/* Open a channel to that peer. NULL if it cannot even begin: `closed` has been called then, before this returned. */
static inline struct channel *channel_open(const struct channel_peer *peer, const struct channel_options *options)
{
    return peer->open(peer, options);
}

/* The context for instances that go out in this pair, for channel_request; or CHANNEL_NO_CONTEXT. Of an open channel.
 */
static inline int channel_find_context(struct channel *channel, const char *class_uid, const char *syntax_uid)
{
    return channel->functions->find_context(channel, class_uid, syntax_uid);
}

/* Say for a person, in one line, why instances of this pair, whose ways were asked for, are not taken. True if it may
 * be for their transfer syntaxes alone: another might be taken. */
static inline bool channel_describe_refusal(const struct channel *channel, const struct context_pair *pair,
                                            char *ret_text, size_t size)
{
    return channel->functions->describe_refusal(channel, pair, ret_text, size);
}

/* True if channel_prepare would take a store now: it is open, not ending, and nothing is on its way out. */
static inline bool channel_can_prepare(const struct channel *channel)
{
    return channel->functions->can_prepare(channel);
}

/* True if channel_begin would take a store now: that, and the peer allows another one under way. */
static inline bool channel_can_begin(const struct channel *channel)
{
    return channel->functions->can_begin(channel);
}

/*
 * Read and frame the beginning of a store, so that nothing but the write is left to do for channel_begin. At most one
 * store is prepared: the last. It may be forgotten, and its source closed, at any time before channel_begin. Returns
 * 0; DICOMNET_ERROR_BUSY if none is taken now; or the negative error of the source. *ret_read_us is what reading took,
 * in any case.
 */
static inline int channel_prepare(struct channel *channel, unsigned number, const struct channel_request *request,
                                  uint64_t *ret_read_us)
{
    return channel->functions->prepare(channel, number, request, ret_read_us);
}

/* Begin the store that is prepared under this number. False if it is not taken now: then it is still prepared. */
static inline bool channel_begin(struct channel *channel, unsigned number)
{
    return channel->functions->begin(channel, number);
}

/* End it in good order once nothing is under way; no store is taken from now on. */
static inline void channel_release(struct channel *channel)
{
    channel->functions->release(channel);
}

/* End it now. Stores under way are then not answered. */
static inline void channel_abort(struct channel *channel)
{
    channel->functions->abort(channel);
}

#endif
