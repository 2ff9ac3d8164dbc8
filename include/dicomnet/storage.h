/*
 * storage - C-STORE (PS3.4 Annex B, PS3.7 9.1.1), user side and provider side.
 *
 * User side: a dicomnet_storage_user is one association that stores instances. Requests go out in the order given, as
 * many at once as the negotiated window allows (1 unless asked for more); every response is matched by Message ID,
 * presentation context and SOP Instance UID. A response that matches nothing aborts the association. While one store is
 * under way, a response to it on another context of the same class is taken (`context_other`): it cannot mean another.
 *
 * Provider side: a dicomnet_storage_provider drives one accepted association: it hands each instance's bytes to a sink
 * as they come and answers with the status the sink returns. It answers C-ECHO too.
 */
#ifndef DICOMNET_STORAGE_H
#define DICOMNET_STORAGE_H

#include "association.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DICOMNET_STORAGE_WINDOW_MAX = 256 };

/* ---- user ---- */

struct dicomnet_exchange;
struct dicomnet_storage_user;

/* One C-STORE. The caller owns it; it is borrowed from dicomnet_storage_user_store until its `done`. */
struct dicomnet_store {
    uint8_t context_id;
    uint16_t priority; /* enum dicomnet_dimse_priority */
    const char *class_uid;
    const char *instance_uid;
    struct dicomnet_data_source *source; /* the data set */

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
    char comment[DICOMNET_COMMENT_SIZE];
    bool source_failed; /* it could not be read whole: no fault of the peer's */
    int error;          /* why there was no answer; DICOMNET_ERROR_ABORTED_LOCALLY also of those that were under way
                           while the data source of another failed */
    uint64_t read_us;   /* time the data source took, while it was sent */
    uint64_t write_us;  /* first byte handed over to last byte taken, but for read_us */
    uint64_t wait_us;   /* last byte taken to response */

    /* Private. */
    uint64_t begun_us;
    uint64_t read_before_us; /* of read_us: while it was prepared */
    uint64_t prepared;       /* the number of its preparation; 0 = none */
};

struct dicomnet_storage_user_handler {
    void (*opened)(struct dicomnet_storage_user *user, void *context);

    /*
     * A store ended: answered, or the association did. Called once for each store taken by dicomnet_storage_user_store,
     * in the order of the responses; those without an answer come just before `closed`.
     */
    void (*done)(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store);

    /*
     * Another store can be prepared now, and begun unless the window is full. Comes after `opened` and after a store
     * has left or ended. May be NULL.
     */
    void (*ready)(struct dicomnet_storage_user *user, void *context);

    /* The association ended; the dicomnet_storage_user is freed when this returns. Exactly once. */
    void (*closed)(struct dicomnet_storage_user *user, void *context, const struct dicomnet_association_end *end);
};

/*
 * As dicomnet_association_open: `handler` is borrowed until closed. -EINVAL also if loop, options, handler or the
 * handler's `done` or `closed` is NULL.
 */
int dicomnet_storage_user_open(struct dicomnet_storage_user **ret_user, struct uv_loop_s *loop,
                               const struct dicomnet_association_options *options,
                               const struct dicomnet_storage_user_handler *handler, void *context) DICOMNET_MUST_CHECK;

/*
 * The same as one of the services of an exchange (exchange.h). A user that joins before the association is established
 * is told `opened` and `ready`; one that joins later may begin at once. DICOMNET_ERROR_NOT_OPEN if it has ended,
 * -EINVAL as above.
 */
int dicomnet_storage_user_join(struct dicomnet_storage_user **ret_user, struct dicomnet_exchange *exchange,
                               const struct dicomnet_storage_user_handler *handler, void *context) DICOMNET_MUST_CHECK;

/* Its association, for what was negotiated. Valid until `closed` returns. */
struct dicomnet_association *dicomnet_storage_user_association(const struct dicomnet_storage_user *user);

/* The accepted context for this class and stored syntax, or NULL. */
const struct dicomnet_association_context *dicomnet_storage_user_find_context(const struct dicomnet_storage_user *user,
                                                                              const char *class_uid,
                                                                              const char *syntax_uid);

/* True if dicomnet_storage_user_store would take a store now. */
bool dicomnet_storage_user_can_store(const struct dicomnet_storage_user *user);

/*
 * Read and frame the beginning of a store while the response to another is awaited, so that nothing but the write is
 * left to do for dicomnet_storage_user_store. At most one store is prepared at a time: the last. Returns as
 * dicomnet_storage_user_store. A prepared store has not begun: it may be forgotten, and its source closed, at any time.
 * `store` is to be all zero but for what the caller fills in.
 */
int dicomnet_storage_user_prepare(struct dicomnet_storage_user *user, struct dicomnet_store *store) DICOMNET_MUST_CHECK;

/* True if dicomnet_storage_user_prepare would take a store now: nothing is on its way out. */
bool dicomnet_storage_user_can_prepare(const struct dicomnet_storage_user *user);

/*
 * Begin a store. Returns 0 or DICOMNET_ERROR_BUSY, DICOMNET_ERROR_NOT_OPEN, DICOMNET_ERROR_NO_CONTEXT, or the error of
 * a source that failed before anything was sent (then `done` does not come, and the association goes on). -EINVAL if
 * `store`, a UID, its source or the source's `read` is NULL, or if a UID or AE title is too long for its VR.
 */
int dicomnet_storage_user_store(struct dicomnet_storage_user *user, struct dicomnet_store *store) DICOMNET_MUST_CHECK;

/* Stores that have begun and not ended. */
unsigned dicomnet_storage_user_in_flight(const struct dicomnet_storage_user *user);

/* Release (if it is shared: let go of) the association once nothing is in flight; no store is taken from now on. */
void dicomnet_storage_user_release(struct dicomnet_storage_user *user);

/* Abort now. */
void dicomnet_storage_user_abort(struct dicomnet_storage_user *user, int error);

/* ---- provider ---- */

struct dicomnet_storage_provider;

/*
 * Where a provider's instances go. `context` is the pointer given to dicomnet_storage_provider_create, or the
 * provider's own memory if `context_size` was given instead. An instance is one `begin`, `bytes` as often as bytes
 * come, and then `end` or `cancel`, neither of them if `begin` refused.
 */
struct dicomnet_storage_sink {
    /* The association is open: what was agreed is known. May be NULL. */
    void (*opened)(void *context, struct dicomnet_association *association);
    /* A C-STORE-RQ has come. Return 0000 to go on; any other status is answered once the data set has been drained. */
    uint16_t (*begin)(void *context, struct dicomnet_association *association, uint8_t context_id,
                      const struct dicomnet_dimse_command *request);
    /* Bytes of its data set (not called if `begin` refused). */
    void (*bytes)(void *context, struct dicomnet_span bytes);
    /* The data set is complete: the status to answer, and an Error Comment of at most 64 characters ("" = none). */
    uint16_t (*end)(void *context, char ret_comment[DICOMNET_COMMENT_SIZE]);
    /*
     * The response to a C-STORE-RQ, also to one that `begin` refused or that had no data set, is about to leave; its
     * status and comment may still be changed. False keeps it back: the peer gets no answer. May be NULL.
     */
    bool (*answering)(void *context, uint8_t context_id, struct dicomnet_dimse_command *response);
    /* The association ended in the middle of an instance: forget it. May be NULL. */
    void (*cancel)(void *context);
    /* The association ended. The provider is freed after this. May be NULL. */
    void (*closed)(void *context, const struct dicomnet_association_end *end);
};

struct dicomnet_storage_provider_options {
    size_t size;                              /* DICOMNET_STORAGE_PROVIDER_OPTIONS_INIT */
    const struct dicomnet_storage_sink *sink; /* borrowed until closed */
    void *context;
    size_t context_size; /* not 0: the context is this many zeroed bytes, which the provider makes and frees */

    /* As dicomnet_association_handler.welcome. NULL: everybody is. */
    bool (*welcome)(void *context, const struct dicomnet_association *association);

    /*
     * Decides about one proposed context, as association_handler.negotiate. NULL: Verification and every storage class
     * are accepted, in the first syntax proposed.
     */
    uint8_t (*negotiate)(void *context, struct dicomnet_span abstract_syntax, struct dicomnet_span syntaxes,
                         struct dicomnet_span *ret_syntax);

    /*
     * The transfer syntaxes that contexts of storage classes are accepted in: UIDs, the best first; borrowed until
     * closed. A count of 0: any, and the first that is proposed. Without meaning if there is a `negotiate`.
     */
    const char *const *accept_syntaxes;
    size_t accept_syntax_count;
};
#define DICOMNET_STORAGE_PROVIDER_OPTIONS_INIT DICOMNET_INIT(struct dicomnet_storage_provider_options)

/*
 * On the loop of its association, whose end frees it. Returns 0, -ENOMEM, DICOMNET_ERROR_OPTIONS_SIZE, or -EINVAL if an
 * argument, the sink or one of its functions that may not be NULL is NULL.
 */
int dicomnet_storage_provider_create(struct dicomnet_storage_provider **ret_provider, struct uv_loop_s *loop,
                                     const struct dicomnet_storage_provider_options *options) DICOMNET_MUST_CHECK;

/* Free one that no association was made for, on the loop's next turn. NULL is fine. */
void dicomnet_storage_provider_destroy(struct dicomnet_storage_provider *provider);

/* The handler and user pointer for dicomnet_association_accept (or dicomnet_acceptor_handler.connected). */
extern const struct dicomnet_association_handler dicomnet_storage_provider_handler;

#ifdef __cplusplus
}
#endif

#endif
