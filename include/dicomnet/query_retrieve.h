/*
 * query_retrieve - C-FIND, C-MOVE, C-GET and C-CANCEL (PS3.4 Annex C, PS3.7 9.1.2 to 9.1.4), user and provider side.
 *
 * User side: a dicomnet_query_user is one association on which queries run one after another. Matches come one at a
 * time and are not kept; while a callback runs nothing is read, so a slow application makes the peer wait, and no
 * memory grows.
 *
 * Provider side: a dicomnet_query_provider drives one accepted association. It gives a request with its identifier to
 * the application and asks it for the next response whenever the last one has left: a peer that reads slowly makes the
 * application wait. It answers C-ECHO too and, given a sink, C-STORE.
 *
 * In the order of their calls and callbacks, dicomnet_query_ left away:
 *
 *   user      user_open -> opened: user_begin -> match, match, ... -> ended: user_release -> closed
 *   provider  begin: "pending" -> ready: request_match -> ready: ... -> ready: request_finish -> ended
 *
 * A C-MOVE and a C-GET have `progress` and dicomnet_query_request_progress in the place of matches.
 *
 * The provider of a C-MOVE sends the instances by itself: over a storage_user (storage.h) to the move destination, in
 * stores whose originator_ae is the requestor's (dicomnet_association_calling_ae of request->association) and whose
 * originator_id is request->message_id. It may be asked for several at a time, and the requestor may be gone before
 * they end: from `ended` on the request must not be touched.
 *
 * C-GET's sub-operations are C-STOREs on the same association. For them the requestor proposes the storage classes with
 * DICOMNET_ASSOCIATION_ROLE_PROVIDER (PS3.7 D.3.3.4).
 */
#ifndef DICOMNET_QUERY_RETRIEVE_H
#define DICOMNET_QUERY_RETRIEVE_H

#include "association.h"
#include "identifier.h"
#include "storage.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what both sides speak of ---- */

/* Information models (PS3.4 C.6). */
enum dicomnet_query_model {
    DICOMNET_QUERY_PATIENT_ROOT,
    DICOMNET_QUERY_STUDY_ROOT,
    DICOMNET_QUERY_PATIENT_STUDY_ONLY /* retired */
};

enum dicomnet_query_service { DICOMNET_QUERY_FIND, DICOMNET_QUERY_MOVE, DICOMNET_QUERY_GET };

/* Query/Retrieve Level (0008,0052). */
enum dicomnet_query_level {
    DICOMNET_QUERY_LEVEL_PATIENT,
    DICOMNET_QUERY_LEVEL_STUDY,
    DICOMNET_QUERY_LEVEL_SERIES,
    DICOMNET_QUERY_LEVEL_IMAGE
};

/* The SOP class of a model and a service. Static; "" if there is none such. */
const char *dicomnet_query_class_uid(enum dicomnet_query_model model, enum dicomnet_query_service service);

/* The other way round; false if it is none of the nine. */
bool dicomnet_query_class_find(const char *class_uid, enum dicomnet_query_model *ret_model,
                               enum dicomnet_query_service *ret_service);

/* "PATIENT", "STUDY", "SERIES", "IMAGE". */
const char *dicomnet_query_level_name(enum dicomnet_query_level level);

/* The level that an identifier says, whatever its case; -1 if it says none or another. */
int dicomnet_query_level_of(const struct dicomnet_identifier *identifier);

/* The unique key of a level: PatientID, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID. */
uint32_t dicomnet_query_level_key(enum dicomnet_query_level level);

/* Statuses beside those in dimse.h (PS3.4 tables C.4-1 to C.4-3). */
enum dicomnet_query_status {
    DICOMNET_STATUS_UNABLE_TO_CALCULATE =
        0xA701, /* MOVE, GET: out of resources, unable to calculate the number of matches */
    DICOMNET_STATUS_UNABLE_TO_PERFORM = 0xA702,      /* MOVE, GET: out of resources, unable to perform sub-operations */
    DICOMNET_STATUS_DESTINATION_UNKNOWN = 0xA801,    /* MOVE */
    DICOMNET_STATUS_SUB_OPERATIONS_WARNING = 0xB000, /* MOVE, GET: complete, one or more failed or gave a warning */
    DICOMNET_STATUS_UNABLE_TO_PROCESS = 0xC000       /* the first of C000 to CFFF */
};

/* FF00 and FF01. */
bool dicomnet_query_status_is_pending(uint16_t status);

/* What a status of this service means, for a person: "move destination unknown". Static; never NULL. */
const char *dicomnet_query_status_text(enum dicomnet_query_service service, uint16_t status);

/* Sub-operations of a C-MOVE or C-GET (PS3.7 9.1.3). */
struct dicomnet_query_counts {
    uint16_t remaining, completed, failed, warning;
};

/* ---- user ---- */

struct dicomnet_exchange;
struct dicomnet_query_user;

/* One C-FIND, C-MOVE or C-GET. The caller owns it; it is borrowed from dicomnet_query_user_begin to its `ended`. */
struct dicomnet_query {
    enum dicomnet_query_service service;
    enum dicomnet_query_model model;
    uint16_t priority;                            /* enum dicomnet_dimse_priority */
    const struct dicomnet_identifier *identifier; /* the keys, (0008,0052) among them; borrowed for the call of begin */
    const char *move_destination; /* DICOMNET_QUERY_MOVE: an AE title that the peer knows; borrowed for the call */
    void *state;                  /* the application's own */

    /* Filled in: */
    uint16_t message_id;
    uint64_t match_count;                /* pending responses of a C-FIND so far, also those after a cancel */
    struct dicomnet_query_counts counts; /* of the last response of a C-MOVE or C-GET that had any */
    bool has_counts;                     /* there was one */

    /* Filled in for `ended`: */
    bool answered;                       /* the final response came: what follows is the peer's */
    uint16_t status;                     /* 0000, FE00 (cancelled), Bxxx, or a failure */
    char comment[DICOMNET_COMMENT_SIZE]; /* (0000,0902), "" if none */
    unsigned offending_count;            /* (0000,0901): elements of the identifier that the peer objects to */
    uint32_t offending[DICOMNET_DIMSE_OFFENDING_MAX];
    int error; /* why there was no final response; 0 if it came */
};

struct dicomnet_query_user_handler {
    /* The association is established: queries can begin. */
    void (*opened)(struct dicomnet_query_user *user, void *context);

    /*
     * A match of a C-FIND; `match` is valid until this returns. May be NULL if no C-FIND is begun. Not called any more
     * once the query was cancelled. A match that cannot be decoded aborts the association.
     */
    void (*match)(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                  const struct dicomnet_identifier *match);

    /* A pending response of a C-MOVE or C-GET: query->counts are new. May be NULL. */
    void (*progress)(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query);

    /*
     * A query ended: answered, or the association did. Exactly once for each that was begun. `failed` is the final
     * response's data set, with the Failed SOP Instance UID List (0008,0058), or NULL if there was none (or none that
     * could be read); valid until this returns. The next query may be begun, or the association be released, from here.
     */
    void (*ended)(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                  const struct dicomnet_identifier *failed);

    /* The association ended; the dicomnet_query_user is freed when this returns. Exactly once, last. */
    void (*closed)(struct dicomnet_query_user *user, void *context, const struct dicomnet_association_end *end);
};

struct dicomnet_query_user_options {
    size_t size;                                       /* DICOMNET_QUERY_USER_OPTIONS_INIT */
    const struct dicomnet_query_user_handler *handler; /* borrowed until closed */
    void *context;                                     /* the first argument but one of its callbacks */

    /*
     * Where the instances of a C-GET go; NULL: a C-STORE is answered 0122. Its `opened` and `closed` are not called.
     * Borrowed until closed.
     */
    const struct dicomnet_storage_sink *sink;
    void *sink_context;
};
#define DICOMNET_QUERY_USER_OPTIONS_INIT DICOMNET_INIT(struct dicomnet_query_user_options)

/*
 * As dicomnet_association_open. `association` proposes what is wanted: dicomnet_query_class_uid() with Implicit and
 * Explicit VR Little Endian and, for C-GET, storage classes with DICOMNET_ASSOCIATION_ROLE_PROVIDER. Its
 * timeouts.dimse_ms is the longest wait from a request, or from its last response or sub-operation, to the next one.
 * Everything but handler, sink and logger is copied. -EINVAL also if loop, association, options, the handler, its
 * `ended` or `closed`, or a function of the sink that may not be NULL is NULL.
 */
int dicomnet_query_user_open(struct dicomnet_query_user **ret_user, struct uv_loop_s *loop,
                             const struct dicomnet_association_options *association,
                             const struct dicomnet_query_user_options *options) DICOMNET_MUST_CHECK;

/*
 * The same as one of the services of an exchange (exchange.h), whose dimse_ms it is then. A user that joins before the
 * association is established is told `opened`; one that joins later may begin at once. DICOMNET_ERROR_NOT_OPEN if it
 * has ended.
 */
int dicomnet_query_user_join(struct dicomnet_query_user **ret_user, struct dicomnet_exchange *exchange,
                             const struct dicomnet_query_user_options *options) DICOMNET_MUST_CHECK;

/* Its association, for what was negotiated. Valid until `closed` returns. */
struct dicomnet_association *dicomnet_query_user_association(const struct dicomnet_query_user *user);

/* The accepted context for a model and service, or NULL. */
const struct dicomnet_association_context *dicomnet_query_user_find_context(const struct dicomnet_query_user *user,
                                                                            enum dicomnet_query_model model,
                                                                            enum dicomnet_query_service service);

/*
 * Begin a query. One at a time: DICOMNET_ERROR_BUSY before the last has ended. DICOMNET_ERROR_NOT_OPEN,
 * DICOMNET_ERROR_NO_CONTEXT (the peer has not accepted that class), -ENOMEM; -EINVAL if query or identifier is NULL,
 * model or service is none of those above, a C-FIND has no handler `match`, or a C-MOVE no destination of 1 to 16
 * characters. `ended` does not come then. Callbacks may come before this returns.
 */
int dicomnet_query_user_begin(struct dicomnet_query_user *user, struct dicomnet_query *query) DICOMNET_MUST_CHECK;

/*
 * Ask the peer to stop the query that is under way (C-CANCEL). `ended` comes as ever, with FE00 or, if the peer was
 * done before, another status. Nothing happens if no query is under way or this was called before.
 */
void dicomnet_query_user_cancel(struct dicomnet_query_user *user);

/* Release (if it is shared: let go of) the association once the query under way has ended; none is taken any more. */
void dicomnet_query_user_release(struct dicomnet_query_user *user);

/* Abort now. */
void dicomnet_query_user_abort(struct dicomnet_query_user *user, int error);

/* ---- provider ---- */

struct dicomnet_query_provider;

/* A request that the application serves; from `begin` until `ended`. One at a time on an association. */
struct dicomnet_query_request {
    enum dicomnet_query_service service;
    enum dicomnet_query_model model;
    uint16_t message_id;
    uint16_t priority;
    char move_destination[DICOMNET_AE_SIZE];
    const struct dicomnet_identifier *identifier; /* its keys; valid until `ended` */
    struct dicomnet_association *association;
    bool cancelled; /* a C-CANCEL has come */
    void *state;    /* the application's own */
};

struct dicomnet_query_provider_handler {
    /*
     * A request has come. Return DICOMNET_STATUS_PENDING to serve it: `ready` comes next, after this has returned. Any
     * other status is the final answer, with an Error Comment of at most 64 characters ("" = none), and the request is
     * over (no `ended`). An identifier that cannot be decoded has been answered already.
     */
    uint16_t (*begin)(void *context, struct dicomnet_query_request *request, char ret_comment[DICOMNET_COMMENT_SIZE]);

    /*
     * The peer can take the next response. Call one of dicomnet_query_request_match, _progress, _store or _finish now,
     * or later when there is something to say; after later calls `ready` comes again, once what was said has left. Not
     * called while a sub-operation of a C-GET is under way.
     */
    void (*ready)(void *context, struct dicomnet_query_request *request);

    /* A C-CANCEL has come: end it soon with DICOMNET_STATUS_CANCEL. May be NULL: request->cancelled says it too. */
    void (*cancelled)(void *context, struct dicomnet_query_request *request);

    /*
     * A sub-operation of a C-GET ended (see struct dicomnet_store); `ready` comes next, unless the association has
     * ended. May be NULL if dicomnet_query_request_store is never called.
     */
    void (*stored)(void *context, struct dicomnet_query_request *request, struct dicomnet_store *store);

    /* A request that was being served is over: finished, or the association ended. Free its state. */
    void (*ended)(void *context, struct dicomnet_query_request *request);

    /* The association ended. The provider is freed after this. May be NULL. */
    void (*closed)(void *context, const struct dicomnet_association_end *end);
};

struct dicomnet_query_provider_options {
    size_t size;                                           /* DICOMNET_QUERY_PROVIDER_OPTIONS_INIT */
    const struct dicomnet_query_provider_handler *handler; /* borrowed until closed */
    void *context;

    /* Where C-STOREs go; NULL: they are answered 0122. Its `opened` and `closed` are not called. Borrowed until closed.
     */
    const struct dicomnet_storage_sink *sink;
    void *sink_context;

    /*
     * Decides about one proposed context, as dicomnet_association_handler.negotiate. NULL: Verification, the
     * query/retrieve classes (those syntaxes that an identifier can have) and storage classes are accepted, in the
     * first syntax that fits.
     */
    uint8_t (*negotiate)(void *context, struct dicomnet_span abstract_syntax, struct dicomnet_span syntaxes,
                         struct dicomnet_span *ret_syntax);

    /*
     * Which of the proposed syntaxes (a run for dicomnet_pdu_next_transfer_syntax) a context of this storage class
     * gets: the one in which its instances lie, so that they can be sent back by C-GET as they are. True with
     * *ret_syntax; false: the first that was proposed. May be NULL. Not asked if there is a `negotiate`.
     */
    bool (*prefer)(void *context, const char *class_uid, struct dicomnet_span syntaxes,
                   struct dicomnet_span *ret_syntax);

    uint32_t dimse_ms; /* longest wait for the response to a C-GET's sub-operation; 0 = for ever */

    /* As of struct dicomnet_storage_provider_options. With a count other than 0, `prefer` is not asked. */
    const char *const *accept_syntaxes;
    size_t accept_syntax_count;
};
#define DICOMNET_QUERY_PROVIDER_OPTIONS_INIT DICOMNET_INIT(struct dicomnet_query_provider_options)

/*
 * On the loop of its association, whose end frees it. Returns 0, -ENOMEM, DICOMNET_ERROR_OPTIONS_SIZE, or -EINVAL if an
 * argument, the handler's begin, ready or ended, or a function of the sink that may not be NULL is NULL.
 */
int dicomnet_query_provider_create(struct dicomnet_query_provider **ret_provider, struct uv_loop_s *loop,
                                   const struct dicomnet_query_provider_options *options) DICOMNET_MUST_CHECK;

/* Free one that no association was made for, on the loop's next turn. NULL is fine. */
void dicomnet_query_provider_destroy(struct dicomnet_query_provider *provider);

/* The handler and user pointer for dicomnet_association_accept (or dicomnet_acceptor_handler.connected). */
extern const struct dicomnet_association_handler dicomnet_query_provider_association_handler;

/*
 * Answer a C-FIND with a match; `status` is DICOMNET_STATUS_PENDING or DICOMNET_STATUS_PENDING_WARNING (optional keys
 * were not supported). The match is encoded at once and may be changed afterwards. Returns 0, DICOMNET_ERROR_BUSY (the
 * last response has not left: wait for `ready`), DICOMNET_ERROR_NOT_OPEN or -ENOMEM.
 */
int dicomnet_query_request_match(struct dicomnet_query_request *request, const struct dicomnet_identifier *match,
                                 uint16_t status) DICOMNET_MUST_CHECK;

/*
 * Tell how far a C-MOVE or C-GET is (a pending response). Takes it at any time: if the last response has not left, the
 * newest counts go out when it has.
 */
void dicomnet_query_request_progress(struct dicomnet_query_request *request,
                                     const struct dicomnet_query_counts *counts);

/*
 * The accepted context on which an instance of this class in this transfer syntax can be sent to the requestor of a
 * C-GET, or NULL.
 */
const struct dicomnet_association_context *
dicomnet_query_request_find_context(const struct dicomnet_query_request *request, const char *class_uid,
                                    const char *syntax_uid);

/*
 * Send an instance to the requestor of a C-GET; context_id, class_uid, instance_uid and source of the store are set.
 * It is borrowed until `stored`, which says too if it could not be read. Returns 0, DICOMNET_ERROR_BUSY (a
 * sub-operation is under way), DICOMNET_ERROR_NOT_OPEN, DICOMNET_ERROR_NO_CONTEXT, or -EINVAL as
 * dicomnet_storage_user_store, or if there is no handler `stored`.
 */
int dicomnet_query_request_store(struct dicomnet_query_request *request,
                                 struct dicomnet_store *store) DICOMNET_MUST_CHECK;

/* What a final response says beside its status; a zeroed one says nothing. */
struct dicomnet_query_finish {
    const struct dicomnet_query_counts
        *counts; /* C-MOVE, C-GET; NULL = none. `remaining` goes out with DICOMNET_STATUS_CANCEL only */
    const struct dicomnet_identifier *failed; /* with the Failed SOP Instance UID List; NULL = no data set */
    const char *comment;                      /* NULL = none; cut at 64 characters */
};

/*
 * Give the final answer; `ended` comes now or later, once, and nothing more is asked of this request. What waits to be
 * sent goes first, and a sub-operation under way is waited for. `finish` may be NULL and is copied.
 */
void dicomnet_query_request_finish(struct dicomnet_query_request *request, uint16_t status,
                                   const struct dicomnet_query_finish *finish);

#ifdef __cplusplus
}
#endif

#endif
