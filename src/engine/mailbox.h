/*
 * mailbox - the one thing that two threads share: a list of mail, its lock, and a way to wake the reader.
 *
 * Any thread posts; the thread of the loop receives. What is posted belongs to the receiver from then on. The reader is
 * woken only when the list goes from empty to non-empty, takes the whole list at once, and delivers outside the lock.
 */
#ifndef ENGINE_MAILBOX_H
#define ENGINE_MAILBOX_H

#include <uv.h>

#include "base/list.h"
#include "dicomnet/error.h"

struct mailbox {
    uv_mutex_t mutex;
    struct list list; /* of mail; under the mutex */
    uv_async_t async;
    void (*deliver)(void *user, struct mail *mail);
    void *user;
    void (*closed)(void *user);
};

/* Open a mailbox that delivers on `loop`. 0 or a negative error. */
int mailbox_open(struct mailbox *mailbox, uv_loop_t *loop, void (*deliver)(void *user, struct mail *mail),
                 void *user) DICOMNET_MUST_CHECK;

/* From any thread. Mail of one poster arrives in the order it was posted. */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);

/* The same for a whole list of mail, which is empty afterwards: one lock and one wake-up for all. */
void mailbox_post_all(struct mailbox *mailbox, struct list *mails);

/*
 * On the loop's thread, once nobody posts any more: deliver what is left, and close. `closed` (may be NULL) is called
 * when the memory is the owner's again.
 */
void mailbox_close(struct mailbox *mailbox, void (*closed)(void *user));

#endif
