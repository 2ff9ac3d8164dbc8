/*
 * dimse - DIMSE command sets (PS3.7 chapter 9, Annex E), to and from bytes, and the reading of messages.
 *
 * A message is a command set and, if its Command Data Set Type says so, a data set. Command sets are always Implicit
 * VR Little Endian (PS3.7 6.3.1).
 */
#ifndef DICOMNET_DIMSE_H
#define DICOMNET_DIMSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sizes.h"
#include "span.h"
#include "status.h"
#include "uid.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dicomnet_pdu_event;

/* Command Field (0000,0100), PS3.7 Annex E. A response is its request with bit 15 set. */
enum dicomnet_dimse_field {
    DICOMNET_DIMSE_C_STORE_RQ = 0x0001,
    DICOMNET_DIMSE_C_STORE_RSP = 0x8001,
    DICOMNET_DIMSE_C_GET_RQ = 0x0010,
    DICOMNET_DIMSE_C_GET_RSP = 0x8010,
    DICOMNET_DIMSE_C_FIND_RQ = 0x0020,
    DICOMNET_DIMSE_C_FIND_RSP = 0x8020,
    DICOMNET_DIMSE_C_MOVE_RQ = 0x0021,
    DICOMNET_DIMSE_C_MOVE_RSP = 0x8021,
    DICOMNET_DIMSE_C_ECHO_RQ = 0x0030,
    DICOMNET_DIMSE_C_ECHO_RSP = 0x8030,
    DICOMNET_DIMSE_C_CANCEL_RQ = 0x0FFF
};

enum { DICOMNET_DIMSE_RESPONSE = 0x8000 };

/* Priority (0000,0700). Zero is a value. */
enum dicomnet_dimse_priority {
    DICOMNET_PRIORITY_MEDIUM = 0x0000,
    DICOMNET_PRIORITY_HIGH = 0x0001,
    DICOMNET_PRIORITY_LOW = 0x0002
};

/* Command Data Set Type (0000,0800): this value says there is none, any other that there is one. */
enum { DICOMNET_DIMSE_NO_DATA_SET = 0x0101, DICOMNET_DIMSE_DATA_SET = 0x0001 };

/* Which elements a command set holds: one bit for each, in `dicomnet_dimse_command.present`. */
enum dicomnet_dimse_element {
    DICOMNET_DIMSE_HAS_CLASS_UID = 1 << 0,            /* (0000,0002) Affected SOP Class UID */
    DICOMNET_DIMSE_HAS_MESSAGE_ID = 1 << 1,           /* (0000,0110) */
    DICOMNET_DIMSE_HAS_MESSAGE_ID_RESPONDED = 1 << 2, /* (0000,0120) Message ID Being Responded To */
    DICOMNET_DIMSE_HAS_MOVE_DESTINATION = 1 << 3,     /* (0000,0600) */
    DICOMNET_DIMSE_HAS_PRIORITY = 1 << 4,             /* (0000,0700) */
    DICOMNET_DIMSE_HAS_STATUS = 1 << 5,               /* (0000,0900) */
    DICOMNET_DIMSE_HAS_ERROR_COMMENT = 1 << 6,        /* (0000,0902) */
    DICOMNET_DIMSE_HAS_ERROR_ID = 1 << 7,             /* (0000,0903) */
    DICOMNET_DIMSE_HAS_INSTANCE_UID = 1 << 8,         /* (0000,1000) Affected SOP Instance UID */
    DICOMNET_DIMSE_HAS_REMAINING = 1 << 9,            /* (0000,1020) Number of Remaining Sub-operations */
    DICOMNET_DIMSE_HAS_COMPLETED = 1 << 10,           /* (0000,1021) */
    DICOMNET_DIMSE_HAS_FAILED = 1 << 11,              /* (0000,1022) */
    DICOMNET_DIMSE_HAS_WARNING = 1 << 12,             /* (0000,1023) */
    DICOMNET_DIMSE_HAS_ORIGINATOR_AE = 1 << 13,       /* (0000,1030) Move Originator Application Entity Title */
    DICOMNET_DIMSE_HAS_ORIGINATOR_ID = 1 << 14,       /* (0000,1031) Move Originator Message ID */
    DICOMNET_DIMSE_HAS_OFFENDING_ELEMENT = 1 << 15    /* (0000,0901) */
};

enum { DICOMNET_DIMSE_OFFENDING_MAX = 8 };

struct dicomnet_dimse_command {
    uint32_t present;
    uint32_t cut; /* decoded: elements of `present` whose text was longer than it may be */
    uint16_t field;
    uint16_t data_set_type;
    uint16_t message_id;
    uint16_t message_id_responded;
    uint16_t priority;
    uint16_t status;
    uint16_t error_id;
    uint16_t remaining, completed, failed, warning;
    uint16_t originator_id;
    uint16_t offending_count; /* at most DICOMNET_DIMSE_OFFENDING_MAX; what a peer says beyond is dropped */
    uint32_t offending[DICOMNET_DIMSE_OFFENDING_MAX]; /* tags: 0x00100020 is (0010,0020) */
    char class_uid[DICOMNET_UID_SIZE];                /* trimmed of padding; "" if absent */
    char instance_uid[DICOMNET_UID_SIZE];
    char error_comment[DICOMNET_COMMENT_SIZE];
    char move_destination[DICOMNET_AE_SIZE];
    char originator_ae[DICOMNET_AE_SIZE];
};

enum {
    DICOMNET_DIMSE_COMMAND_LEN_MAX = 16 * 1024, /* longest command set that is read */
    DICOMNET_DIMSE_COMMAND_ENCODED_MAX = 512    /* no command set of ours is longer */
};

static inline bool dicomnet_dimse_has_data_set(const struct dicomnet_dimse_command *command)
{
    return command->data_set_type != DICOMNET_DIMSE_NO_DATA_SET;
}

/* "C-STORE-RQ", "C-ECHO-RSP", ...; "unknown" otherwise. */
const char *dicomnet_dimse_field_name(uint16_t field);

/*
 * Write the elements of `present`, Command Field and Command Data Set Type, in ascending order, after their Command
 * Group Length. UIDs are padded with NUL to even length, texts with a space. Returns the bytes written or
 * DICOMNET_ERROR_BUFFER_TOO_SMALL.
 */
ssize_t dicomnet_dimse_encode_command(uint8_t *bytes, size_t size, const struct dicomnet_dimse_command *command);

/*
 * Read a whole command set. Unsorted, unknown and odd-length elements and a wrong group length are tolerated; a value
 * that reaches past the end or a missing Command Field is DICOMNET_ERROR_DIMSE_MALFORMED, and so is a numeric element
 * shorter than 2 bytes, or an element of the list above that stands there twice: which one would be meant? UIDs and
 * texts longer than their maximum are cut (see `cut`); a NUL with more behind it is a '?' in them
 * (dicomnet_span_copy_trimmed), but ends an Error Comment. A missing Command Data Set Type is read as "none". Returns 0
 * or the error.
 */
int dicomnet_dimse_decode_command(struct dicomnet_span bytes, struct dicomnet_dimse_command *ret_command);

/* The response to `request`: field with bit 15, Message ID Being Responded To, class and instance UID, status. */
struct dicomnet_dimse_command dicomnet_dimse_response_to(const struct dicomnet_dimse_command *request, uint16_t status);

/* ---- reading messages from fragments ---- */

enum dicomnet_dimse_event_type {
    DICOMNET_DIMSE_EVENT_NONE,    /* nothing to say yet: the command set is not complete */
    DICOMNET_DIMSE_EVENT_COMMAND, /* *command is complete; a data set follows if it says so */
    DICOMNET_DIMSE_EVENT_DATA     /* bytes of the data set; last = the message is complete */
};

struct dicomnet_dimse_event {
    enum dicomnet_dimse_event_type type;
    uint8_t context_id;
    const struct dicomnet_dimse_command
        *command; /* the command of this message, for DATA too; until the next dicomnet_dimse_read */
    struct dicomnet_span data;
    bool last;
};

struct dicomnet_dimse_reader {
    enum { DICOMNET_DIMSE_AWAIT_COMMAND, DICOMNET_DIMSE_IN_COMMAND, DICOMNET_DIMSE_IN_DATA } state;
    uint8_t context_id;
    size_t len;
    struct dicomnet_dimse_command command;
    uint8_t bytes[DICOMNET_DIMSE_COMMAND_LEN_MAX];
};

void dicomnet_dimse_reader_init(struct dicomnet_dimse_reader *reader);

/*
 * Take one DICOMNET_PDU_EVENT_FRAGMENT. Returns 0 with *ret_event set, DICOMNET_ERROR_DIMSE_UNEXPECTED if the fragment
 * does not belong here (a data fragment without a command, a command fragment inside a data set, a change of
 * presentation context in mid-message), or DICOMNET_ERROR_DIMSE_MALFORMED (command set above
 * DICOMNET_DIMSE_COMMAND_LEN_MAX or unreadable).
 */
int dicomnet_dimse_read(struct dicomnet_dimse_reader *reader, const struct dicomnet_pdu_event *fragment,
                        struct dicomnet_dimse_event *ret_event);

#ifdef __cplusplus
}
#endif

#endif
