/*
 * storage - C-STORE (PS3.4 Annex B, PS3.7 9.1.1), user side and provider side.
 *
 * User side: a storage_user is one association that stores instances. Requests go out in the order given, as
 * many at once as the negotiated window allows (1 unless asked for more); every response is matched by Message ID,
 * presentation context and SOP Instance UID. A response that matches nothing aborts the association. While one store is
 * under way, a response to it on another context of the same class is taken (`context_other`): it cannot mean another.
 *
 * Provider side: a storage_provider drives one accepted association: it hands each instance's bytes to a sink as they
 * come and answers with the status the sink returns. It answers C-ECHO too.
 */
#ifndef DICOMNET_STORAGE_H
#define DICOMNET_STORAGE_H

#include "association.h"

enum { STORAGE_WINDOW_MAX = 256 };

/* ---- user ---- */

struct storage_user;

/* One C-STORE. The caller owns it; it is borrowed from storage_user_store until its `done`. */
struct store {
    uint8_t context_id;
    uint16_t priority; /* enum dimse_priority */
    const char *class_uid;
    const char *instance_uid;
    struct data_source *source; /* the data set */

    /* A sub-operation of a C-MOVE says whose (0000,1030 and 1031); NULL = it is none. */
    const char *originator_ae;
    uint16_t originator_id;

    /* Filled in for `done`: */
    uint16_t message_id;
    bool answered;       /* the peer answered: status and comment are set */
    bool all_sent;       /* the last byte was taken by the system: unanswered then means in doubt */
    bool response_came;  /* a response came before that, and counts once the last byte is out; if the association ends
                            first, the store is unanswered, and in doubt all the same */
    bool uid_missing;    /* the response named no SOP Instance UID; it was matched by Message ID */
    bool context_other;  /* the response came on another presentation context of the same class */
    bool status_missing; /* the response had no status; `status` is 0110 then, lest anybody take it for success */
    uint16_t status;
    char comment[65];
    bool source_failed; /* it could not be read whole: no fault of the peer's */
    int error;          /* why there was no answer */
    uint64_t read_us;   /* time the data source took, while it was sent */
    uint64_t write_us;  /* first byte handed over to last byte taken, but for read_us */
    uint64_t wait_us;   /* last byte taken to response */

    /* Private. */
    uint64_t begun_us, sent_us;
    uint64_t read_before_us; /* of read_us: while it was prepared */
    uint64_t prepared;       /* the number of its preparation; 0 = none */
};

struct storage_user_handler {
    void (*opened)(struct storage_user *user, void *context);

    /*
     * A store ended: answered, or the association did. Called once for each store taken by storage_user_store, in the
     * order of the responses; those without an answer come just before `closed`.
     */
    void (*done)(struct storage_user *user, void *context, struct store *store);

    /*
     * Another store can be prepared now, and begun unless the window is full. Comes after `opened` and after a store
     * has left or ended. May be NULL.
     */
    void (*ready)(struct storage_user *user, void *context);

    /* The association ended; the storage_user is freed when this returns. Exactly once. */
    void (*closed)(struct storage_user *user, void *context, const struct association_end *end);
};

/* As association_open: `handler` is borrowed until closed. */
int storage_user_open(struct storage_user **ret_user, struct uv_loop_s *loop, const struct association_options *options,
                      const struct storage_user_handler *handler, void *context) MUST_CHECK;

/* Its association, for what was negotiated. Valid until `closed` returns. */
struct association *storage_user_association(const struct storage_user *user);

/* The accepted context for this class and stored syntax, or NULL. */
const struct association_context *storage_user_find_context(const struct storage_user *user, const char *class_uid,
                                                            const char *syntax_uid);

/* True if storage_user_store would take a store now. */
bool storage_user_can_store(const struct storage_user *user);

/*
 * Read and frame the beginning of a store while the response to another is awaited, so that nothing but the write is
 * left to do for storage_user_store. At most one store is prepared at a time: the last. Returns as storage_user_store.
 * A prepared store has not begun: it may be forgotten, and its source closed, at any time. `store` is to be all zero
 * but for what the caller fills in.
 */
int storage_user_prepare(struct storage_user *user, struct store *store) MUST_CHECK;

/* True if storage_user_prepare would take a store now: nothing is on its way out. */
bool storage_user_can_prepare(const struct storage_user *user);

/*
 * Begin a store. Returns 0 or ERROR_BUSY, ERROR_NOT_OPEN, ERROR_NO_CONTEXT, or the error of a source that failed before
 * anything was sent (then `done` does not come, and the association goes on).
 */
int storage_user_store(struct storage_user *user, struct store *store) MUST_CHECK;

/* Stores that have begun and not ended. */
unsigned storage_user_in_flight(const struct storage_user *user);

/* Release once nothing is in flight; no store is taken from now on. */
void storage_user_release(struct storage_user *user);

/* Abort now. */
void storage_user_abort(struct storage_user *user, int error);

/* ---- provider ---- */

struct storage_provider;

/*
 * Where a provider's instances go. `context` is the pointer given to storage_provider_create, or the provider's own
 * memory if `context_size` was given instead. An instance is one `begin`, `bytes` as often as bytes come, and then
 * `end` or `cancel`, neither of them if `begin` refused.
 */
struct storage_sink {
    /* The association is open: what was agreed is known. May be NULL. */
    void (*opened)(void *context, struct association *association);
    /* A C-STORE-RQ has come. Return 0000 to go on; any other status is answered once the data set has been drained. */
    uint16_t (*begin)(void *context, struct association *association, uint8_t context_id,
                      const struct dimse_command *request);
    /* Bytes of its data set (not called if `begin` refused). */
    void (*bytes)(void *context, struct span bytes);
    /* The data set is complete: the status to answer, and an Error Comment of at most 64 characters ("" = none). */
    uint16_t (*end)(void *context, char ret_comment[65]);
    /*
     * The response to a C-STORE-RQ, also to one that `begin` refused or that had no data set, is about to leave; its
     * status and comment may still be changed. False keeps it back: the peer gets no answer. May be NULL.
     */
    bool (*answering)(void *context, uint8_t context_id, struct dimse_command *response);
    /* The association ended in the middle of an instance: forget it. */
    void (*cancel)(void *context);
    /* The association ended. The provider is freed after this. May be NULL. */
    void (*closed)(void *context, const struct association_end *end);
};

struct storage_provider_options {
    const struct storage_sink *sink; /* borrowed until closed */
    void *context;
    size_t context_size;        /* not 0: the context is so many bytes, zeroed, which the provider makes and frees */
    uint32_t response_delay_ms; /* before each C-STORE response; for tests */

    /* As association_handler.welcome. NULL: everybody is. */
    bool (*welcome)(void *context, const struct association *association);

    /*
     * Decides about one proposed context, as association_handler.negotiate. NULL: Verification and every storage class
     * are accepted, in the first syntax proposed.
     */
    uint8_t (*negotiate)(void *context, struct span abstract_syntax, struct span syntaxes, struct span *ret_syntax);
};

/* On the loop of its association. NULL if out of memory. It is freed by its association's end. */
struct storage_provider *storage_provider_create(struct uv_loop_s *loop,
                                                 const struct storage_provider_options *options);

/* Free one that no association was made for, on the loop's next turn. NULL is fine. */
void storage_provider_destroy(struct storage_provider *provider);

/* The handler and user pointer for association_accept (or acceptor_handler.connected). */
extern const struct association_handler storage_provider_handler;

#endif
