/*
 * receiver - a storage provider on a loop: acceptor, storage service and the folder it keeps instances in.
 *
 * What dicom-receiver is, and what --loopback runs on a thread of its own.
 */
#ifndef SERVE_RECEIVER_H
#define SERVE_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "dicomnet/acceptor.h"
#include "net/faults.h"

struct receiver;
struct dicomnet_storage_sink;

/* A connection, as an observer sees it from its association's beginning to its end. */
struct receiver_visit {
    uint64_t number;                                /* from 1, in the order they connected */
    const struct dicomnet_association *association; /* for the peer and the AE titles */
    void *note;                                     /* the observer's own; NULL at first */
    uint64_t dropped; /* bytes of the current instance that came when there was no room for it any more */
};

/* A C-STORE that is about to be answered. Borrowed for the call. */
struct receiver_answer {
    const struct dicomnet_dimse_command *response; /* Message ID, UIDs, status, comment */
    const char *syntax_uid;                        /* in which the data set came */
    uint64_t bytes;                                /* of the data set */
};

/* Told what happens, and asked what may, on the loop's thread. Each may be NULL. */
struct receiver_observer {
    /*
     * A C-STORE-RQ has come. Return 0000 to take it, or the status that refuses it with an Error Comment of at most 64
     * characters. NULL: all are taken.
     */
    uint16_t (*store_asked)(void *user, struct receiver_visit *visit, const struct dicomnet_dimse_command *request,
                            char ret_comment[DICOMNET_COMMENT_SIZE]);
    /* True if this instance takes its file's name even if that is taken by another regular file. NULL: none does. */
    bool (*store_replaces)(void *user, const char *instance_uid);
    void (*association_opened)(void *user, struct receiver_visit *visit);
    void (*store_bytes)(void *user, struct receiver_visit *visit, struct dicomnet_span bytes);
    /* Returns 0, or a negative error: then "out of resources" is answered, whatever the response was to say. */
    int (*store_answered)(void *user, struct receiver_visit *visit, const struct receiver_answer *answer);
    /* Also of connections that never became an association. */
    void (*visit_ended)(void *user, struct receiver_visit *visit, const struct dicomnet_association_end *end);
};

/* What a receiver does wrong on purpose, so that senders can be tested. All zero: nothing. */
struct receiver_faults {
    uint16_t status; /* answer every C-STORE with this status. What fails is not kept */
    uint32_t response_delay_ms;
    struct acceptor_faults acceptor;
    uint32_t fail_every; /* N: each Nth C-STORE, counted over all associations, is answered with fail_status */
    uint16_t fail_status;
    /* Of an association: the number of answers after which the next instance is kept and answered by an A-ABORT. */
    uint32_t abort_after;
    uint32_t stall_after; /* Of an association: the number of answers after which what comes is kept and not answered */
};

struct receiver_options {
    struct dicomnet_acceptor_options acceptor; /* its bind_address NULL: it does not listen, see receiver_enter */
    const char *output_dir;                    /* NULL = discard: keep nothing */
    bool sync;
    uint32_t mode;  /* permissions of the files: struct part10_folder */
    bool keep_free; /* leave some room on the disk: see struct part10_folder */
    bool check;     /* look at what came before it is kept (files/arrival.h): C000 or A900 if it is not what it says */
    const char *const *accept_syntaxes; /* as of struct dicomnet_storage_provider_options */
    size_t accept_syntax_count;
    struct receiver_faults faults;
    const struct dicomnet_logger *logger; /* receiver.stored (debug), receiver.refused (warn); borrowed until closed */
    const struct receiver_observer *observer; /* borrowed until closed; NULL = nobody */
    void *observer_user;
};

/* What a receiver has done so far. */
struct receiver_totals {
    uint64_t associations; /* accepted, ever */
    unsigned open_associations;
    uint64_t stored, refused, bytes;
};

/*
 * Listen. Returns 0, or the error of the folder or the port and in `ret_problem`, of at most `problem_size` bytes (NULL
 * and 0: nobody asks), one line that names it. `options` is copied, strings are borrowed.
 */
int receiver_open(struct receiver **ret_receiver, struct uv_loop_s *loop, const struct receiver_options *options,
                  char *ret_problem, size_t problem_size) DICOMNET_MUST_CHECK;
uint16_t receiver_port(const struct receiver *receiver);
const struct receiver_totals *receiver_totals(const struct receiver *receiver);

/* True if the output folder holds an instance with this UID. */
bool receiver_has(const struct receiver *receiver, const char *instance_uid);

/*
 * For an association that the caller opened, and on which instances come all the same (C-GET): the sink that keeps them
 * here, and tells the observer of its answers. Give it back with receiver_leave when that association has ended.
 * Returns 0 or -ENOMEM.
 */
int receiver_enter(struct receiver *receiver, const struct dicomnet_storage_sink **ret_sink,
                   void **ret_context) DICOMNET_MUST_CHECK;
void receiver_leave(struct receiver *receiver, void *context);

/* Stop listening, abort what is open; `closed` is called when all is over and the receiver freed. May be NULL. */
void receiver_close(struct receiver *receiver, void (*closed)(void *user), void *user);

#endif
