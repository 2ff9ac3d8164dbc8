/*
 * time_kind - what a worker's time goes into. worker_time.h keeps it, reports show it.
 */
#ifndef ENGINE_TIME_KIND_H
#define ENGINE_TIME_KIND_H

enum time_kind {
    TIME_SCANNING,    /* nothing to do: the scan has found nothing for it yet */
    TIME_STORAGE,     /* instances are opened and read */
    TIME_CONVERTING,  /* the same of those that are converted meanwhile to another transfer syntax */
    TIME_CONNECTING,  /* the name is looked up, a TCP connection is made */
    TIME_NEGOTIATING, /* connected, and the A-ASSOCIATE-RQ not yet answered */
    TIME_WRITING,     /* the network, or the peer, has not taken all bytes of an instance */
    TIME_WAITING,     /* for the peer: for the answer to a store, to a C-ECHO, to the release */
    TIME_PAUSED,      /* all pause, as the peer is out of resources, or this one backs off before its next try */
    TIME_IDLE,        /* nothing to do: what is left belongs to other workers, or is on its way */
    TIME_KINDS,
    TIME_RESTING = TIME_KINDS /* it was told to rest (MAIL_REST): this time is not counted */
};

/* "scanning" to "idle": a key of the summary. */
static inline const char *time_kind_name(enum time_kind kind)
{
    static const char *const names[TIME_KINDS] = {
        [TIME_SCANNING] = "scanning",     [TIME_STORAGE] = "storage",         [TIME_CONVERTING] = "converting",
        [TIME_CONNECTING] = "connecting", [TIME_NEGOTIATING] = "negotiating", [TIME_WRITING] = "writing",
        [TIME_WAITING] = "waiting",       [TIME_PAUSED] = "paused",           [TIME_IDLE] = "idle"};
    return names[kind];
}

#endif
