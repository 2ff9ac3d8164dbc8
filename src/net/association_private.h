/*
 * association_private - the inside of an association, shared by the files it is written in:
 *   association.c            opened, asked for things, looked at
 *   association_machine.c    states, timers, what comes in, the end
 *   association_watch.c      whether what comes and goes gets on
 *   association_send.c       what goes out
 *   association_negotiate.c  what A-ASSOCIATE-RQ, -AC and -RJ say, built and understood
 *   association_identity.c   who asks, whether he is let in, and that his secrets do not stay in memory
 *   association_log.c        all of it, and the messages, told to the logger
 */
#ifndef NET_ASSOCIATION_PRIVATE_H
#define NET_ASSOCIATION_PRIVATE_H

#include <uv.h>

#include "dicomnet/association.h"
#include "dicomnet/log.h"
#include "net/framer.h"
#include "net/transport.h"
#include "wire/upper_layer.h"

enum {
    RECEIVE_SIZE_FIRST = 2048, /* while an acceptor waits for a request: most of them are shorter */
    READ_SIZE = 64 * 1024,     /* at a time: what stays in the cache until it has been dealt with */
    RECEIVE_SIZE_MAX = DICOMNET_PDU_HEADER_LEN + DICOMNET_PDU_ASSOCIATE_LEN_MAX,
    ASSOCIATION_USER_NAME_SIZE = 65, /* of a user name: as much of it as is shown */
    /* One command and one PDU of the longest kind always fit behind each other, twice. */
    SEND_SIZE = 2 * (DICOMNET_ASSOCIATION_PEER_PDU_CAP + DICOMNET_PDU_HEADER_LEN) + 4096
};

/*
 * What an association needs once there is one to be agreed on. Who connects and asks for nothing costs an acceptor
 * none of it.
 */
struct association_room {
    size_t context_count;
    struct dicomnet_association_context contexts[DICOMNET_PDU_CONTEXTS_MAX];
    uint8_t context_index[256]; /* context ID to index in contexts + 1; 0 = none */
    struct dicomnet_dimse_reader dimse_reader;
    struct framer framer;
    struct dicomnet_dimse_command outgoing; /* the command of the message in the framer */
    uint8_t send_buffer[SEND_SIZE];
};

struct dicomnet_association {
    enum upper_layer_state state;
    bool requestor;
    bool admitted;                     /* acceptor: it holds a place that `leave` has to give back */
    bool ended;                        /* `end` is final: only closing is left */
    bool release_wanted;               /* as soon as nothing is being sent */
    bool sending;                      /* a message is on its way out */
    bool write_pending;                /* the transport holds bytes of the send buffer */
    bool release_answer_owed;          /* the peer asked for release while we were writing */
    bool abort_written;                /* an A-ABORT went out, or was to */
    bool sent_owed;                    /* ... behind the last bytes of a message, whose `sent` is still to be called */
    bool heard_pdu;                    /* the peer has sent a PDU: it speaks DICOM */
    bool holds_secret;                 /* requestor: the request in the send buffer has an identity */
    bool identity_confirmation_wanted; /* requestor: without a response to the identity it is not opened */
    size_t written_in_a_row;           /* bytes since the loop last turned, as far as is known here */
    bool timer_open;
    bool transport_open;

    const struct dicomnet_association_handler *handler;
    void *user;
    const struct dicomnet_logger *logger;
    struct dicomnet_association_timeouts timeouts;

    struct transport transport;
    uv_timer_t timer; /* the one thing waited for: see enum wait */
    enum wait {
        WAIT_NOTHING,
        WAIT_CONNECT,
        WAIT_ACSE,
        WAIT_WRITE, /* no byte taken */
        WAIT_READ,  /* in the middle of a PDU or message: it does not get on */
        WAIT_RELEASE,
        WAIT_CLOSE /* for the peer to close: ARTIM of Sta13, and after a failed write */
    } waiting_for;
    /* A PDU has to get through in the network timeout, either way. */
    size_t unwritten_at_mark; /* WAIT_WRITE: bytes that waited when the write began, or a PDU's worth was last taken */
    unsigned looks_since_mark;
    uint64_t
        read_mark_ms; /* when a PDU from the peer last began or ended, or a PDU's worth of it had come: loop time */
    size_t read_since_mark; /* bytes */
    bool reading_late;      /* late when the timer ran out last: what waits is read first, then it counts */

    struct dicomnet_association_end end;

    char called_ae[DICOMNET_AE_SIZE], calling_ae[DICOMNET_AE_SIZE];
    char peer_version[DICOMNET_VERSION_NAME_SIZE];
    char peer_class[DICOMNET_UID_SIZE];         /* its implementation class UID */
    char tls_text[64];                          /* "" = in clear */
    char user_name[ASSOCIATION_USER_NAME_SIZE]; /* acceptor: as the identity of the request has it; "" = no name */
    uint8_t *identity_response;                 /* requestor: owned; NULL = none, or an empty one */
    size_t identity_response_len;
    uint32_t max_pdu_len;      /* ours */
    uint32_t max_send_pdu_len; /* the longest P-DATA that we send, */
    uint32_t peer_max_pdu;     /* and how long it may be on this association */
    uint16_t window_proposed;  /* requestor: what we ask for; acceptor: what we grant at most */
    uint16_t window;
    struct dicomnet_association_accept_options accept; /* acceptor only */
    uint64_t begun_us, connected_us, opened_us;
    uint64_t quiet_since_us; /* acceptor: when the last message ended */
    unsigned unanswered;     /* acceptor: requests that have come and have no final response */

    struct dicomnet_pdu_reader pdu_reader;
    struct association_room *room; /* owned; NULL until a request has come, or is to be sent */
    size_t framed_len;             /* bytes of the message in the framer that have not been handed to the transport */

    uint8_t control[DICOMNET_PDU_SHORT_LEN]; /* a release or abort on its way out */
    size_t request_len;                      /* of the A-ASSOCIATE-RQ in the send buffer, until the AC has been read */
    uint8_t *received; /* owned; grows as bytes come, to READ_SIZE when open, at most RECEIVE_SIZE_MAX */
    size_t received_size;
    size_t received_len; /* bytes in `received` that have not been consumed */
};

/* Make the room. 0 or -ENOMEM. */
int association_make_room(struct dicomnet_association *association);

/* Free all of it: both handles are closed. */
void association_free(struct dicomnet_association *association);

/* Let `received` hold `size` bytes at least. 0 or -ENOMEM. */
int association_grow_received(struct dicomnet_association *association, size_t size);

/* ---- association_machine.c ---- */

extern const struct stream_handler association_stream_handler;

/* The one place where the state changes: perform the cell of Table 9-10 for this event. `pdu` for events of a PDU. */
void association_step(struct dicomnet_association *association, enum upper_layer_event event,
                      const struct dicomnet_pdu_event *pdu);

/* Wait for one thing, and no other; WAIT_NOTHING or 0 ms stops the timer. */
void association_wait_for(struct dicomnet_association *association, enum wait what, uint32_t timeout_ms);

/* An acceptor's message begins to come or has been sent: is anything under way? For dicomnet_association_idle_ms. */
void association_note_received(struct dicomnet_association *association, const struct dicomnet_dimse_command *command);
void association_note_sent(struct dicomnet_association *association);

/* Say how it ended. The first end is the one that counts. */
void association_set_end(struct dicomnet_association *association, enum dicomnet_association_end_kind kind, int error);

/* The connection broke: the reason, should that be the end. */
void association_note_error(struct dicomnet_association *association, int error);

/* That end, and an A-ABORT. */
void association_abort_with(struct dicomnet_association *association, enum dicomnet_association_end_kind kind,
                            int error);

/* Close both handles; `closed` follows. */
void association_close_all(struct dicomnet_association *association);

/* ---- association_watch.c ---- */

/* A write has just begun: it does not wait for ever. */
void association_wait_for_write(struct dicomnet_association *association);

/* In the middle of a PDU or of a message the rest is not waited for for ever. */
void association_watch_reading(struct dicomnet_association *association);

/* `len` bytes have come; with them a PDU began or ended (`boundary`), or not. */
void association_mark_reading(struct dicomnet_association *association, size_t len, bool boundary);

/* What has come so far ends in the middle of a PDU or of a message. */
bool association_is_in_message(const struct dicomnet_association *association);

/* The timer of WAIT_WRITE and WAIT_READ has run out: look again later, or abort. */
void association_look_at_write(struct dicomnet_association *association);
void association_look_at_reading(struct dicomnet_association *association);

/* ---- association_send.c ---- */

void association_write(struct dicomnet_association *association, const uint8_t *bytes, size_t len, bool yield);
void association_write_release(struct dicomnet_association *association, enum dicomnet_pdu_type type);
void association_write_abort(struct dicomnet_association *association, uint8_t source, uint8_t reason);

/* Frame and write as much of the message as the connection takes. */
void association_send_more(struct dicomnet_association *association);

/* Nothing is being written: answer the release that the peer asked for, or ask for ours. */
void association_start_release(struct dicomnet_association *association);
void association_on_written(void *user, int error);

/* ---- association_negotiate.c ---- */

/* Build the A-ASSOCIATE-RQ in the send buffer and remember the contexts. 0 or a negative error. */
int negotiate_build_request(struct dicomnet_association *association,
                            const struct dicomnet_association_options *options);

/*
 * Understand the A-ASSOCIATE-AC. 0; DICOMNET_ERROR_PDU_MALFORMED; or DICOMNET_ERROR_PEER_UNUSABLE (its maximum PDU
 * length is 12 or less).
 */
int negotiate_read_accept(struct dicomnet_association *association, struct dicomnet_span body);

/*
 * Understand the A-ASSOCIATE-RQ, ask the user about each context, and build the answer in the send buffer. Returns the
 * length of the AC, 0 if *ret_reject is to be sent instead, or an error as above.
 */
ssize_t negotiate_answer_request(struct dicomnet_association *association, struct dicomnet_span body,
                                 struct dicomnet_pdu_reject *ret_reject);

/* ---- association_identity.c ---- */

/* What may be shown of it: "user name 'alice', passcode (hidden)", "JSON web token of 812 bytes (hidden)". */
void association_describe_identity(const struct dicomnet_identity *identity, char *ret_text, size_t size);

/* Acceptor: may who sent this request come in? If not, end.detail says who it was. As `authenticate` of the options. */
bool association_authenticate(struct dicomnet_association *association, const struct dicomnet_pdu_associate *request,
                              struct dicomnet_span *ret_response);

/* Requestor: keep the response, if one was wanted. 0, DICOMNET_ERROR_IDENTITY_UNCONFIRMED if there is none, -ENOMEM. */
int association_read_identity_response(struct dicomnet_association *association,
                                       const struct dicomnet_pdu_associate *accept);

/* Overwrite a PDU in the receive buffer; our own request in the send buffer; all that may hold a secret at the end. */
void association_wipe_received(struct dicomnet_association *association, struct dicomnet_span pdu);
void association_wipe_request(struct dicomnet_association *association);
void association_wipe(struct dicomnet_association *association);

/* ---- association_log.c: what is wanted is looked at first, so that silence costs nothing ---- */

/* The request: ours as it leaves (it is in the send buffer), or the peer's. */
void association_log_own_request(const struct dicomnet_association *association);
void association_log_request(const struct dicomnet_association *association,
                             const struct dicomnet_pdu_associate *request);

/* What the answer, ours or the peer's, says beyond the contexts; and the contexts as they were agreed. */
void association_log_answer(const struct dicomnet_association *association,
                            const struct dicomnet_pdu_associate *answer);
void association_log_contexts(const struct dicomnet_association *association);

/* What the peer's A-ASSOCIATE has that is not as the standard wants it, and was taken all the same. */
void association_log_flaws(const struct dicomnet_association *association, unsigned flaws);

/* A command set went out (DICOMNET_LOG_DIMSE_SENT) or came in. `len` is that of the data set to be sent. */
void association_log_command(const struct dicomnet_association *association, enum dicomnet_log_event event,
                             uint8_t context_id, const struct dicomnet_dimse_command *command, uint64_t len);

void association_log_opened(const struct dicomnet_association *association);
void association_log_end(const struct dicomnet_association *association);

#endif
