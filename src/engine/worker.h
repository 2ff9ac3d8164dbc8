/*
 * worker - one thread with one loop and at most one association: it stores the instances of the work it is given.
 *
 * Work comes and results go by mail (worker_mail.h). Everything the worker holds is its own while it holds it; what it
 * shares with the main thread is two mailboxes and constant options.
 */
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/figures.h"
#include "engine/lookahead.h"
#include "engine/mailbox.h"
#include "engine/worker_mail.h"
#include "engine/worker_time.h"
#include "files/source.h"
#include "instance/event.h"

struct channel_peer;
struct fallback_policy;
struct peer_words;
struct worker;

/* What all workers share, constant while any of them runs. */
struct worker_options {
    const struct channel_peer *peer; /* whom to store to */
    struct session_limit association_limit;
    unsigned retry;   /* further attempts that an instance has after the first */
    unsigned threads; /* number of workers: worker n numbers its associations n, n + threads, n + 2 threads ... */
    const struct fallback_policy *transcode; /* for texts of what the peer does not take; and */
    const struct peer_words *words;          /* for these too; may be NULL */
    struct source_options sources;           /* each worker adds a decoder of its own */
    struct lookahead_options lookahead;
    enum dicomnet_log_level log_level;
    struct mailbox *home;          /* where its mail goes */
    struct idle_clock *idle_clock; /* why a worker has no work; NULL = nobody says */
};

/* Start worker `number` (from 1) on a thread of its own. `options` is borrowed until it is joined. */
int worker_start(struct worker **ret_worker, int number, const struct worker_options *options) DICOMNET_MUST_CHECK;

/* Post to it, from the main thread. */
void worker_post(struct worker *worker, struct mail *mail);

/* After its MAIL_STOPPED: end the thread, wait for it and free it. Nothing is posted to it any more. */
void worker_join(struct worker *worker);

#endif
