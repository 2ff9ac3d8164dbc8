/*
 * association - one DICOM association (PS3.8) on the caller's libuv loop, as requestor or as acceptor.
 *
 * Everything happens on the loop's thread, in callbacks; the association knows nothing of threads. Two associations
 * share nothing.
 *
 *   dicomnet_association_open    (requestor)  ->  opened  ->  command / data / sent ...  ->  closed
 *   dicomnet_association_accept  (acceptor)   ->  negotiate ->  opened  ->  command / data / sent ...  ->  closed
 *
 * `closed` comes exactly once, last, for every association that was created, whatever happened: refused connection,
 * rejection, abort from either side, release, timeout. The object is freed when `closed` returns; the pointer is dead
 * from then on. No callback is called from within dicomnet_association_open or dicomnet_association_accept.
 *
 * libuv writes without MSG_NOSIGNAL: an application ignores SIGPIPE (signal(SIGPIPE, SIG_IGN)) before it opens or
 * accepts anything, or a peer that has gone ends the process.
 *
 * What is sent is one message at a time: a command set and, if there is one, its data set, written as many PDUs
 * at once from one buffer. What comes is read without being collected. Reading goes on while writing, so a peer that
 * answers early blocks nobody.
 */
#ifndef DICOMNET_ASSOCIATION_H
#define DICOMNET_ASSOCIATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dimse.h"
#include "error.h"
#include "identity.h"
#include "pdu.h"
#include "sizes.h"
#include "span.h"
#include "uid.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dicomnet_association;
struct dicomnet_data_source;
struct dicomnet_logger;
struct dicomnet_tls;
struct uv_loop_s;
struct uv_stream_s;

/*
 * Milliseconds; 0 = wait for ever, which is what the initializers set: assign dicomnet_association_default_timeouts,
 * whose values are given here.
 */
struct dicomnet_association_timeouts {
    uint32_t connect_ms; /* name look-up, its addresses (tried in turn: RFC 8305) and the handshake of TLS; 10,000 */
    uint32_t acse_ms;    /* A-ASSOCIATE-RQ sent to its answer (requestor), connection to RQ (acceptor: ARTIM); 30,000 */
    uint32_t dimse_ms;   /* last byte of a request to its response; 120,000. The service that waits applies it */
    /*
     * What is being written or read does not get on: in so long a PDU has to get through, or 128 KiB of a longer one;
     * and inside a message the next PDU has to begin. 60,000
     */
    uint32_t network_ms;
    uint32_t release_ms; /* A-RELEASE-RQ to -RP; 10,000 */
};
extern const struct dicomnet_association_timeouts dicomnet_association_default_timeouts;

enum {
    DICOMNET_ASSOCIATION_MAX_PDU_DEFAULT = 128 * 1024, /* what we advertise */
    DICOMNET_ASSOCIATION_MAX_PDU_MIN = 4096,
    DICOMNET_ASSOCIATION_MAX_PDU_MAX = 1024 * 1024,
    DICOMNET_ASSOCIATION_PEER_PDU_CAP = 128 * 1024, /* longest P-DATA we send, even to a peer without a limit */
    DICOMNET_ASSOCIATION_KEEPALIVE_DEFAULT_S = 30,
    DICOMNET_ASSOCIATION_KEEPALIVE_MAX_S = 32767, /* what Linux takes */
    DICOMNET_ASSOCIATION_SYNTAXES_MAX = 8,        /* transfer syntaxes in one proposed context */
    DICOMNET_ASSOCIATION_DETAIL_SIZE = 256        /* of a text */
};

/* How the system carries a connection. All zero: nothing is asked of it but to look after a silent peer. */
struct dicomnet_association_line {
    /*
     * TCP keepalive: after so many seconds of silence the system asks whether the peer is there, so that firewalls do
     * not forget the connection. 0 = DICOMNET_ASSOCIATION_KEEPALIVE_DEFAULT_S
     */
    uint32_t keepalive_s;
#define DICOMNET_ASSOCIATION_KEEPALIVE_OFF UINT32_MAX
    /*
     * SO_SNDBUF and SO_RCVBUF, at most INT32_MAX / 2. 0 = not set, and better so: the system then adapts them to the
     * line, which a fixed size switches off
     */
    uint32_t buffer_bytes;
    uint32_t traffic_class; /* of each packet: the octet of IPv4's TOS and IPv6's Traffic Class (RFC 2474), 0 to 255 */
};

/*
 * How a connection is made and kept: whom to reach, as whom, and how long to wait. What every association of a program
 * has in common; it is filled in once and copied by assignment.
 */
struct dicomnet_association_parameters {
    const char *host;         /* of the peer: a name, or an address (IPv6 without brackets); borrowed */
    const char *bind_address; /* ours to connect from, numeric; borrowed. NULL = the system chooses */
    uint16_t port;            /* of the peer */
    uint16_t window;          /* operations invoked asynchronously to propose; 0 or 1 = do not propose */
    uint32_t max_pdu_len;     /* advertised; 0 = DICOMNET_ASSOCIATION_MAX_PDU_DEFAULT */
    char called_ae[DICOMNET_AE_SIZE];
    char calling_ae[DICOMNET_AE_SIZE];
    struct dicomnet_association_timeouts timeouts;
    struct dicomnet_tls *tls; /* for requestors (tls.h): held until the end of each association. NULL = in clear */
    /* For requestors: who asks (identity.h); borrowed, with its bytes, as the strings are. NULL = it is not said */
    const struct dicomnet_identity *identity;
    struct dicomnet_association_line line;
    uint32_t max_send_pdu_len; /* the longest P-DATA that we send: up to, and 0 = DICOMNET_ASSOCIATION_PEER_PDU_CAP */
    const void *reserved[4];   /* NULL: room for what is still to come */
};

/*
 * Who invokes operations (user, SCU) and who performs them (provider, SCP) in a class. Without role selection (PS3.7
 * D.3.3.4) the requestor is the user and the acceptor the provider.
 */
enum dicomnet_association_role { DICOMNET_ASSOCIATION_ROLE_USER = 1 << 0, DICOMNET_ASSOCIATION_ROLE_PROVIDER = 1 << 1 };

/* A presentation context to propose. Strings and the array are borrowed for the call of dicomnet_association_open. */
struct dicomnet_association_proposal {
    const char *abstract_syntax;
    size_t syntax_count; /* 1 to DICOMNET_ASSOCIATION_SYNTAXES_MAX */
    const char *syntaxes[DICOMNET_ASSOCIATION_SYNTAXES_MAX];
    uint8_t roles; /* ours, to be proposed by role selection; 0 = no role selection. Equal in all of one class */
};

/* A presentation context as negotiated. */
struct dicomnet_association_context {
    uint8_t id;
    uint8_t result; /* enum dicomnet_pdu_context_result */
    uint8_t roles;  /* ours, as agreed: enum dicomnet_association_role */
    char abstract_syntax[DICOMNET_UID_SIZE];
    char transfer_syntax[DICOMNET_UID_SIZE]; /* the accepted one, or the first proposed if it was not accepted */
};

struct dicomnet_association_options {
    size_t size;                                       /* DICOMNET_ASSOCIATION_OPTIONS_INIT */
    struct dicomnet_association_parameters parameters; /* its strings are borrowed for the call */
    const struct dicomnet_association_proposal *proposals;
    size_t proposal_count;                /* 1 to DICOMNET_PDU_CONTEXTS_MAX */
    const struct dicomnet_logger *logger; /* borrowed until closed; NULL = silent */
};
#define DICOMNET_ASSOCIATION_OPTIONS_INIT DICOMNET_INIT(struct dicomnet_association_options)

enum dicomnet_association_end_kind {
    DICOMNET_ASSOCIATION_RELEASED,        /* in good order, by whichever side asked */
    DICOMNET_ASSOCIATION_NOT_CONNECTED,   /* no TCP connection, or no TLS on it: `error` says why */
    DICOMNET_ASSOCIATION_REJECTED,        /* `reject` is set */
    DICOMNET_ASSOCIATION_ABORTED_BY_PEER, /* `abort` is set */
    DICOMNET_ASSOCIATION_ABORTED_BY_US,   /* `error` says why; `abort` is what we sent */
    DICOMNET_ASSOCIATION_LOST             /* the connection ended without a word: `error` says how */
};

/* How an association ended. */
struct dicomnet_association_end {
    enum dicomnet_association_end_kind kind;
    int error;
    bool source_failed; /* ABORTED_BY_US, because the data source of the message being sent failed or was short */
    struct dicomnet_pdu_reject reject;
    struct dicomnet_pdu_abort abort;
    /*
     * What belongs to a DICOMNET_ERROR_TLS_...: the names in the peer's certificate, or its issuer, say; of a rejection
     * by our own `authenticate`, what may be shown of the identity; else ""
     */
    char detail[DICOMNET_ASSOCIATION_DETAIL_SIZE];
};

/* One line for a person: "rejected: permanent, called AE title not recognized". */
void dicomnet_association_describe_end(const struct dicomnet_association_end *end, char *ret_text, size_t size);

/* What the association tells its user. Any but `closed` may be NULL. */
struct dicomnet_association_handler {
    /* The association is established: contexts are known, messages can be sent. */
    void (*opened)(struct dicomnet_association *association, void *user);

    /*
     * Acceptor only: a request has come whose called AE title is right. False rejects it for good: calling AE title not
     * recognized. dicomnet_association_calling_ae and dicomnet_association_peer say who it is. NULL handler = everybody
     * is welcome.
     */
    bool (*welcome)(struct dicomnet_association *association, void *user);

    /*
     * Acceptor only: decide about one proposed context. Return an enum dicomnet_pdu_context_result and, if accepted,
     * the chosen one of `syntaxes` (a run for dicomnet_pdu_next_transfer_syntax) in *ret_syntax. NULL handler =
     * everything is refused.
     */
    uint8_t (*negotiate)(struct dicomnet_association *association, void *user, struct dicomnet_span abstract_syntax,
                         struct dicomnet_span syntaxes, struct dicomnet_span *ret_syntax);

    /*
     * Acceptor only: the requestor proposes these roles of its own for a class. Return those of them that are granted
     * to it. NULL handler = role selection is not answered, and the requestor is the user.
     */
    uint8_t (*negotiate_roles)(struct dicomnet_association *association, void *user, struct dicomnet_span class_uid,
                               uint8_t roles);

    /* A whole command set has come. If it has a data set, `data` follows until `last`. */
    void (*command)(struct dicomnet_association *association, void *user, uint8_t context_id,
                    const struct dicomnet_dimse_command *command);

    /* Bytes of the data set of the last command; `last` ends the message (`bytes` may then be empty). */
    void (*data)(struct dicomnet_association *association, void *user, const struct dicomnet_dimse_command *command,
                 struct dicomnet_span bytes, bool last);

    /* The message given to dicomnet_association_send has left entirely: the next one may be given. */
    void (*sent)(struct dicomnet_association *association, void *user);

    /* The end; see the top of this file. */
    void (*closed)(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end);
};

/*
 * Open an association. `handler` and the logger are borrowed until closed; everything else is copied. Returns 0 and
 * the association, or a negative error, and then no callback comes: -ENOMEM; DICOMNET_ERROR_OPTIONS_SIZE; -EINVAL for
 * no host, port, loop or handler with `closed`, a bind_address that is not numeric, a max_send_pdu_len or line with
 * numbers that are none, no or too many proposals, an identity of an unknown type, without a primary, with a secondary
 * where none belongs, or that is too long; DICOMNET_ERROR_AE_TITLE; DICOMNET_ERROR_PROPOSAL for one without an abstract
 * syntax, or with no or too many transfer syntaxes.
 */
int dicomnet_association_open(struct dicomnet_association **ret_association, struct uv_loop_s *loop,
                              const struct dicomnet_association_options *options,
                              const struct dicomnet_association_handler *handler, void *user) DICOMNET_MUST_CHECK;

/* What an acceptor answers with. */
struct dicomnet_association_accept_options {
    size_t size;               /* DICOMNET_ASSOCIATION_ACCEPT_OPTIONS_INIT */
    char ae[DICOMNET_AE_SIZE]; /* our AE title; the called AE must be equal if `check_called_ae` */
    bool check_called_ae;
    uint32_t max_pdu_len; /* advertised; 0 = DICOMNET_ASSOCIATION_MAX_PDU_DEFAULT */
    uint16_t window;      /* most asynchronous operations that are granted; 0 or 1 = none */
    struct dicomnet_association_timeouts timeouts;
    /*
     * For who counts associations; an acceptor sets them itself. `admit` is asked when the request has come; false
     * answers it with a transient rejection: local limit exceeded. `leave` is called once for each that was admitted,
     * as soon as it has ended in whatever way. `gone` is called once for each, after `closed`. Any may be NULL.
     */
    bool (*admit)(void *admission);
    void (*leave)(void *admission);
    void (*gone)(void *admission);
    void *admission;
    const struct dicomnet_logger *logger;
    struct dicomnet_tls *tls; /* for acceptors (tls.h): held until the end of each association. NULL = in clear */
    /*
     * Who may come in, by the identity that the request gives (PS3.7 D.3.3.7): asked when `welcome` of the handler has
     * let it pass, before `admit`. `identity` is NULL if the request has none; else it is borrowed, with its bytes, for
     * the call, and its type may be one that the standard does not know. False rejects the association for good
     * (permanent, by the ACSE provider, no reason given). True lets it in; the requestor that wants a response then
     * gets one: *ret_response, which is empty if it is not set, as it is for user names. Its bytes, at most
     * DICOMNET_IDENTITY_LEN_MAX, are borrowed until `opened`. NULL = everybody is let in, and no response is given.
     * Compare secrets in a time that does not depend on how much of them is right.
     */
    bool (*authenticate)(void *authentication, struct dicomnet_association *association,
                         const struct dicomnet_identity *identity, struct dicomnet_span *ret_response);
    void *authentication;
    struct dicomnet_association_line line; /* its buffer and class are set by an acceptor, as it listens */
    uint32_t max_send_pdu_len;             /* as of struct dicomnet_association_parameters */
    /* As `welcome` of the handler, before that is asked: for whoever serves with handlers of others. May be NULL. */
    bool (*welcome)(void *welcomer, const struct dicomnet_association *association);
    void *welcomer;
};
#define DICOMNET_ASSOCIATION_ACCEPT_OPTIONS_INIT DICOMNET_INIT(struct dicomnet_association_accept_options)

/* Accept the connection that waits at `listener` (a uv_stream_t in its connection callback). As
 * dicomnet_association_open. */
int dicomnet_association_accept(struct dicomnet_association **ret_association, struct uv_stream_s *listener,
                                const struct dicomnet_association_accept_options *options,
                                const struct dicomnet_association_handler *handler, void *user) DICOMNET_MUST_CHECK;

/*
 * Send a message on an accepted context. `source` gives the data set (NULL: the command has none) and is borrowed
 * until `sent` or `closed`, whichever is first; the command is copied. Its data_set_type is set accordingly. Returns 0,
 * DICOMNET_ERROR_BUSY while the last message has not been sent, DICOMNET_ERROR_NOT_OPEN, DICOMNET_ERROR_NO_CONTEXT, or
 * the error of a source that failed or was short (DICOMNET_ERROR_SOURCE_SHORT) before anything went out. Later than
 * that the association is aborted, with the source's error as its end. `sent` may come before this returns.
 */
int dicomnet_association_send(struct dicomnet_association *association, uint8_t context_id,
                              const struct dicomnet_dimse_command *command,
                              struct dicomnet_data_source *source) DICOMNET_MUST_CHECK;

/*
 * The same in two steps: prepare reads and frames as much of the message as the send buffer holds, while the response
 * to another message is awaited, say; send_prepared sends it. Preparing anything else in between (by
 * dicomnet_association_send, too) forgets the prepared message; its source is then no longer looked at. Both return
 * what dicomnet_association_send returns; send_prepared DICOMNET_ERROR_NOT_OPEN if nothing is prepared.
 */
int dicomnet_association_prepare(struct dicomnet_association *association, uint8_t context_id,
                                 const struct dicomnet_dimse_command *command,
                                 struct dicomnet_data_source *source) DICOMNET_MUST_CHECK;
int dicomnet_association_send_prepared(struct dicomnet_association *association) DICOMNET_MUST_CHECK;

/* True if dicomnet_association_send would take a message now. */
bool dicomnet_association_can_send(const struct dicomnet_association *association);

/* Ask for release. What is being sent is sent first. Nothing happens if it is ending already. */
void dicomnet_association_release(struct dicomnet_association *association);

/*
 * Abort. `error` says why (a DIMSE timeout, a protocol error, DICOMNET_ERROR_ABORTED_LOCALLY) and becomes end.error.
 * The A-ABORT is written if the connection takes it at once, the peer is given a second to close, then we do. Safe in
 * any state and callback.
 */
void dicomnet_association_abort(struct dicomnet_association *association, int error);

/* ---- what was agreed; valid from `negotiate` or `opened` on ---- */

const char *dicomnet_association_called_ae(const struct dicomnet_association *association);
const char *dicomnet_association_calling_ae(const struct dicomnet_association *association);

/* "127.0.0.1:11112", for logs. Static within the association. */
const char *dicomnet_association_peer(const struct dicomnet_association *association);

/* Over TLS its version and cipher suite, "TLSv1.3 TLS_AES_128_GCM_SHA256"; NULL in clear, or before it is open. */
const char *dicomnet_association_tls_text(const struct dicomnet_association *association);

/*
 * Acceptor: the user name of the identity that came with the request, as far as 64 bytes hold it and with '?' for
 * control characters; "" without one. It was proved only if `authenticate` saw to that.
 */
const char *dicomnet_association_user_name(const struct dicomnet_association *association);

/*
 * Requestor that asked for a response to its identity, from `opened` on: the Kerberos server ticket, SAML response or
 * JSON web token; empty for user names. Borrowed until closed. A peer that gives no response, because it does not look
 * at identities, is not spoken to: the association is aborted with DICOMNET_ERROR_IDENTITY_UNCONFIRMED.
 */
struct dicomnet_span dicomnet_association_identity_response(const struct dicomnet_association *association);

/* Implementation version name of the peer, "" if it gave none. */
const char *dicomnet_association_peer_version(const struct dicomnet_association *association);

size_t dicomnet_association_context_count(const struct dicomnet_association *association);
const struct dicomnet_association_context *dicomnet_association_context(const struct dicomnet_association *association,
                                                                        size_t index);

/* The context with this ID, accepted or not; NULL if there is none. */
const struct dicomnet_association_context *
dicomnet_association_find_context(const struct dicomnet_association *association, uint8_t id);

/* Bytes after the PDU header that the peer takes in one P-DATA-TF, as we use it. */
uint32_t dicomnet_association_peer_max_pdu(const struct dicomnet_association *association);

/* The number of operations that may be outstanding: what was negotiated, at least 1. */
uint16_t dicomnet_association_window(const struct dicomnet_association *association);

/*
 * Of an acceptor: milliseconds since the last message ended that came or was sent; 0 while there is no association, and
 * while a request is being received or has not been answered.
 */
uint64_t dicomnet_association_idle_ms(const struct dicomnet_association *association);

/* Microseconds that the data source of the last message took: the disk's part of sending it. */
uint64_t dicomnet_association_read_us(const struct dicomnet_association *association);

/* Microseconds it took to connect (name look-up included), and from connected to AC. */
uint64_t dicomnet_association_connect_us(const struct dicomnet_association *association);
uint64_t dicomnet_association_negotiate_us(const struct dicomnet_association *association);

#ifdef __cplusplus
}
#endif

#endif
