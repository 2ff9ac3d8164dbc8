/*
 * arrivals - the output folder of a retrieval: what it has already, and what comes into it, from a C-MOVE on
 * associations that the peer opens, or on the association of a C-GET.
 *
 * With a third party as the destination nothing comes here: then all of it does nothing.
 */
#ifndef FETCH_ARRIVALS_H
#define FETCH_ARRIVALS_H

#include "fetch/asking.h"
#include "fetch/inventory.h"
#include "fetch/run.h"
#include "files/arrival.h"
#include "serve/receiver.h"

struct arrivals {
    struct run *run;
    struct inventory *inventory;
    struct asking *asking; /* what is asked for, and how much came that was not */
    void (*break_off)(void *user, int error);
    void *break_off_user;
    struct allowed *allowed;     /* who may send; NULL = anybody */
    struct arrival_check *check; /* looks at what is there already */
    struct receiver *receiver;   /* NULL before arrivals_open, after arrivals_close and with a third party */
    void *guest;                 /* of the receiver, with a C-GET; NULL = none */
    uint16_t port;               /* 0 = it does not listen */
};

/*
 * All are borrowed until arrivals_fini. `break_off` is called when what comes for the request under way does not come
 * to an end, or has no room: the association that asks is to be aborted with this error.
 */
void arrivals_init(struct arrivals *arrivals, struct run *run, struct inventory *inventory, struct asking *asking,
                   void (*break_off)(void *user, int error), void *user);
void arrivals_fini(struct arrivals *arrivals);

/*
 * Open the output folder and, for a C-MOVE to here, the port. 0, or a negative error and what it is about in
 * `ret_problem` ("" stays: no memory); then there is nothing to close.
 */
int arrivals_open(struct arrivals *arrivals, struct uv_loop_s *loop, char *ret_problem,
                  size_t size) DICOMNET_MUST_CHECK;

/* Listen no more, abort what is open. True if `closed` will be called; false if nothing was open. */
bool arrivals_close(struct arrivals *arrivals, void (*closed)(void *user), void *user);

/* For a C-GET: have what comes on its association kept here. 0 or -ENOMEM. */
int arrivals_enter(struct arrivals *arrivals, struct dicomnet_query_user_options *user) DICOMNET_MUST_CHECK;

/* That association has ended. Nothing happens if there was none. */
void arrivals_leave(struct arrivals *arrivals);

/* What the output folder has of an instance: INSTANCE_PRESENT if it is whole and that very one. class_uid "" = any. */
enum inventory_state arrivals_look_for(struct arrivals *arrivals, const char *uid, const char *class_uid,
                                       bool *ret_spoiled);

#endif
