/*
 * pdu - the seven PDUs of the upper layer protocol (PS3.8 section 9.3), to and from bytes.
 *
 * No I/O and no allocation: decoded values are spans into the caller's bytes, valid as long as those bytes are. All
 * integers of the upper layer are big endian.
 *
 * Reading is incremental. A dicomnet_pdu_reader is given whatever bytes have come and answers with one event at a time:
 * a whole control PDU, or a fragment of a presentation data value (PDV) as far as it is there. A P-DATA-TF PDU of any
 * length is therefore read without being collected.
 */
#ifndef DICOMNET_PDU_H
#define DICOMNET_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "identity.h"
#include "sizes.h"
#include "span.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dicomnet_pdu_type {
    DICOMNET_PDU_ASSOCIATE_RQ = 0x01,
    DICOMNET_PDU_ASSOCIATE_AC = 0x02,
    DICOMNET_PDU_ASSOCIATE_RJ = 0x03,
    DICOMNET_PDU_DATA_TF = 0x04,
    DICOMNET_PDU_RELEASE_RQ = 0x05,
    DICOMNET_PDU_RELEASE_RP = 0x06,
    DICOMNET_PDU_ABORT = 0x07
};

enum {
    DICOMNET_PDU_HEADER_LEN = 6,     /* type, reserved, length (4) */
    DICOMNET_PDV_HEADER_LEN = 6,     /* length (4), presentation context ID, message control header */
    DICOMNET_PDU_CONTEXTS_MAX = 128, /* the odd IDs from 1 to 255 */
    DICOMNET_PDU_ROLES_MAX = 128,
    DICOMNET_PDU_ASSOCIATE_LEN_MAX = 256 * 1024, /* longest A-ASSOCIATE that is read; ours are far shorter */
    DICOMNET_PDU_SHORT_LEN = 10                  /* RJ, RELEASE-RQ, RELEASE-RP and ABORT, header included */
};

/* Message control header (PS3.8 Annex E.2). */
enum { DICOMNET_PDV_COMMAND = 0x01, DICOMNET_PDV_LAST = 0x02 };

/* Result of one presentation context (PS3.8 Table 9-18); the last is ours, for a context the AC does not mention. */
enum dicomnet_pdu_context_result {
    DICOMNET_CONTEXT_ACCEPTED = 0,
    DICOMNET_CONTEXT_USER_REJECTION = 1,
    DICOMNET_CONTEXT_NO_REASON = 2,
    DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED = 3,
    DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED = 4,
    DICOMNET_CONTEXT_NOT_ANSWERED = 255
};

/*
 * One presentation context item (PS3.8 9.3.2.2, 9.3.3.2). `transfer_syntaxes` is the run of transfer syntax sub-items
 * as on the wire: in an RQ one or more, in an AC exactly one (not significant unless accepted). In a run that was
 * decoded other sub-items may lie between them: it is read with dicomnet_pdu_next_transfer_syntax, and written without
 * these.
 */
struct dicomnet_pdu_context {
    uint8_t id;
    uint8_t result; /* AC; in an RQ that was decoded not 0 if it cannot be but refused: with this */
    struct dicomnet_span abstract_syntax; /* RQ only; exactly one */
    struct dicomnet_span transfer_syntaxes;
};

/* SCP/SCU role selection (PS3.7 D.3.3.4). */
struct dicomnet_pdu_role {
    struct dicomnet_span class_uid;
    bool scu;
    bool scp;
};

/*
 * What is not as the standard wants it in an A-ASSOCIATE that was decoded, and did not keep it from being understood:
 * bits of dicomnet_pdu_associate.flaws.
 */
enum dicomnet_pdu_flaw {
    DICOMNET_PDU_FLAW_NO_APPLICATION_CONTEXT = 1 << 0,
    DICOMNET_PDU_FLAW_NO_USER_INFORMATION = 1 << 1,
    DICOMNET_PDU_FLAW_CONTEXT_ID_EVEN = 1 << 2,
    DICOMNET_PDU_FLAW_CONTEXT_ID_TWICE = 1 << 3, /* in an RQ: the first counts, the others are passed over */
    DICOMNET_PDU_FLAW_CONTEXT_INCOMPLETE =
        1 << 4, /* in an RQ: not one abstract syntax, or no transfer syntax: to be refused */
    DICOMNET_PDU_FLAW_NO_CONTEXTS = 1 << 5,       /* in an RQ */
    DICOMNET_PDU_FLAW_TOO_MANY_CONTEXTS = 1 << 6, /* those beyond DICOMNET_PDU_CONTEXTS_MAX are passed over */
    DICOMNET_PDU_FLAW_USER_ITEM = 1 << 7 /* a sub-item of user information too short for what it is: passed over */
};
enum { DICOMNET_PDU_FLAW_COUNT = 8 };

/* A-ASSOCIATE-RQ (PS3.8 Table 9-11) or A-ASSOCIATE-AC (Table 9-17), user information (Annex D, PS3.7 D.3.3) included.
 */
struct dicomnet_pdu_associate {
    uint16_t protocol_version;        /* bit 0 = version 1 */
    unsigned flaws;                   /* decoded: enum dicomnet_pdu_flaw */
    char called_ae[DICOMNET_AE_SIZE]; /* trimmed of spaces and NULs */
    char calling_ae[DICOMNET_AE_SIZE];
    struct dicomnet_span application_context; /* empty if absent */
    size_t context_count;
    struct dicomnet_pdu_context contexts[DICOMNET_PDU_CONTEXTS_MAX];
    bool has_max_len;
    uint32_t max_len; /* bytes after the PDU header in a P-DATA-TF (PS3.8 D.1); 0 = no limit */
    struct dicomnet_span implementation_class_uid;
    struct dicomnet_span implementation_version; /* empty if absent */
    bool has_async;                              /* asynchronous operations window (PS3.7 D.3.3.3) */
    uint16_t async_invoked;                      /* 0 = unlimited */
    uint16_t async_performed;
    size_t role_count;
    struct dicomnet_pdu_role roles[DICOMNET_PDU_ROLES_MAX];
    struct dicomnet_span user_information; /* decoded: its sub-items as on the wire, for dicomnet_pdu_next_user_item */
    bool has_identity;                     /* RQ only (PS3.7 Table D.3-14); of two the first */
    struct dicomnet_identity identity;
    bool has_identity_response; /* AC only (PS3.7 Table D.3-15) */
    struct dicomnet_span identity_response;
};

/* A-ASSOCIATE-RJ (PS3.8 Table 9-21). */
struct dicomnet_pdu_reject {
    uint8_t result; /* 1 permanent, 2 transient */
    uint8_t source; /* 1 user, 2 provider (ACSE), 3 provider (presentation) */
    uint8_t reason;
};

/* A-ABORT (PS3.8 Table 9-26). */
struct dicomnet_pdu_abort {
    uint8_t source; /* 0 user, 2 provider */
    uint8_t reason; /* for source 2: DICOMNET_PDU_ABORT_* */
};

enum dicomnet_pdu_abort_reason {
    DICOMNET_PDU_ABORT_NOT_SPECIFIED = 0,
    DICOMNET_PDU_ABORT_UNRECOGNIZED_PDU = 1,
    DICOMNET_PDU_ABORT_UNEXPECTED_PDU = 2,
    DICOMNET_PDU_ABORT_UNRECOGNIZED_PARAMETER = 4,
    DICOMNET_PDU_ABORT_UNEXPECTED_PARAMETER = 5,
    DICOMNET_PDU_ABORT_INVALID_PARAMETER = 6
};

/* Texts of the standard for people; never NULL. */
const char *dicomnet_pdu_reject_text(const struct dicomnet_pdu_reject *reject);
const char *dicomnet_pdu_abort_text(const struct dicomnet_pdu_abort *abort);
const char *dicomnet_pdu_context_result_text(uint8_t result);

/* "permanent", "transient"; and who says so: "the application", "ACSE", "presentation layer". Never NULL. */
const char *dicomnet_pdu_reject_result_text(uint8_t result);
const char *dicomnet_pdu_reject_source_text(uint8_t source);

/* One flaw: "no user information". */
const char *dicomnet_pdu_flaw_text(enum dicomnet_pdu_flaw flaw);

/* ---- writing: bytes written, or DICOMNET_ERROR_BUFFER_TOO_SMALL ---- */

/*
 * Write an A-ASSOCIATE-RQ or -AC (`type` says which) with its header. `called_ae` and `calling_ae` are padded with
 * spaces. Items that are absent (has_... false, empty span) are left out.
 */
ssize_t dicomnet_pdu_encode_associate(uint8_t *bytes, size_t size, enum dicomnet_pdu_type type,
                                      const struct dicomnet_pdu_associate *associate);

/* Write one transfer syntax sub-item (PS3.8 Table 9-15): one after another they are
 * dicomnet_pdu_context.transfer_syntaxes. */
ssize_t dicomnet_pdu_encode_transfer_syntax(uint8_t *bytes, size_t size, struct dicomnet_span uid);

ssize_t dicomnet_pdu_encode_reject(uint8_t *bytes, size_t size, const struct dicomnet_pdu_reject *reject);
ssize_t dicomnet_pdu_encode_release(uint8_t *bytes, size_t size, enum dicomnet_pdu_type type);
ssize_t dicomnet_pdu_encode_abort(uint8_t *bytes, size_t size, const struct dicomnet_pdu_abort *abort);

/* Write the header of a P-DATA-TF PDU that holds one PDV of `data_len` bytes, and of that PDV: 12 bytes at `bytes`. */
void dicomnet_pdu_encode_data_header(uint8_t bytes[DICOMNET_PDU_HEADER_LEN + DICOMNET_PDV_HEADER_LEN],
                                     uint32_t data_len, uint8_t context_id, uint8_t control);

/* ---- reading ---- */

enum dicomnet_pdu_event_type {
    DICOMNET_PDU_EVENT_CONTROL, /* a whole PDU that is not P-DATA-TF: pdu_type and body are set */
    DICOMNET_PDU_EVENT_FRAGMENT /* bytes of one PDV: context_id, command, last and body are set */
};

struct dicomnet_pdu_event {
    enum dicomnet_pdu_event_type type;
    enum dicomnet_pdu_type pdu_type;
    struct dicomnet_span body; /* control: what follows the 6-byte header; fragment: the bytes that are there */
    uint8_t context_id;
    bool command; /* of a command set; else of a data set */
    bool last;    /* with these bytes the command set or data set is complete */
};

/* Reads a stream of PDUs; set up with dicomnet_pdu_reader_init. */
struct dicomnet_pdu_reader {
    uint32_t data_len_max; /* longest P-DATA-TF that is taken (what we advertised); 0 = no limit */
    uint32_t pdu_left;     /* bytes of the current P-DATA-TF still to come, PDV headers included */
    uint32_t pdv_left;     /* bytes of the current PDV still to come */
    uint8_t context_id;
    uint8_t control;
    bool in_pdv;
};

void dicomnet_pdu_reader_init(struct dicomnet_pdu_reader *reader, uint32_t data_len_max);

/*
 * Look at `len` bytes that have come and not been consumed. Returns the number of bytes consumed (at least 1) with
 * *ret_event set, 0 if more bytes are needed for an event, or
 *   DICOMNET_ERROR_PDU_UNKNOWN    an unknown PDU type (abort reason: unrecognized PDU)
 *   DICOMNET_ERROR_PDU_TOO_LONG   a P-DATA-TF above data_len_max, or another PDU above its cap
 *   DICOMNET_ERROR_PDU_MALFORMED  a PDV length below 2 or past its PDU, a P-DATA-TF without a PDV, a short PDU of wrong
 * length after which the stream is lost. A control PDU must fit whole into the caller's buffer: DICOMNET_PDU_HEADER_LEN
 * + DICOMNET_PDU_ASSOCIATE_LEN_MAX bytes are always enough. A PDV of length 2 (no data) gives a fragment with an empty
 * body.
 */
ssize_t dicomnet_pdu_read(struct dicomnet_pdu_reader *reader, const uint8_t *bytes, size_t len,
                          struct dicomnet_pdu_event *ret_event);

/*
 * Decode the body of an A-ASSOCIATE-RQ or -AC. Returns 0, or DICOMNET_ERROR_PDU_MALFORMED if a length does not fit. It
 * is read for what can be made of it: items come in any order, unknown ones are passed over, and what the standard
 * forbids or misses is told in `flaws`. Spans point into `body`.
 */
int dicomnet_pdu_decode_associate(struct dicomnet_span body, enum dicomnet_pdu_type type,
                                  struct dicomnet_pdu_associate *ret_associate);

/* The next transfer syntax UID of a run, trimmed of padding; false at the end. *cursor starts as the run. */
bool dicomnet_pdu_next_transfer_syntax(struct dicomnet_span *cursor, struct dicomnet_span *ret_uid);

/* Types of user information sub-items (PS3.7 D.3.3.5 to D.3.3.7); the first two are only shown. */
enum {
    DICOMNET_PDU_ITEM_EXTENDED_NEGOTIATION = 0x56,
    DICOMNET_PDU_ITEM_COMMON_EXTENDED_NEGOTIATION = 0x57,
    DICOMNET_PDU_ITEM_USER_IDENTITY_RQ = 0x58,
    DICOMNET_PDU_ITEM_USER_IDENTITY_AC = 0x59
};

/* The next sub-item of user information; false at the end. *cursor starts as dicomnet_pdu_associate.user_information.
 */
bool dicomnet_pdu_next_user_item(struct dicomnet_span *cursor, uint8_t *ret_type, struct dicomnet_span *ret_body);

/* Bodies of 4 bytes; their length has been checked by dicomnet_pdu_read. */
struct dicomnet_pdu_reject dicomnet_pdu_decode_reject(struct dicomnet_span body);
struct dicomnet_pdu_abort dicomnet_pdu_decode_abort(struct dicomnet_span body);

#ifdef __cplusplus
}
#endif

#endif
