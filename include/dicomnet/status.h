/*
 * status - what the status of a response says (PS3.7 Annex C, PS3.4 Tables B.2-1 and B.2-2): C-STORE and C-ECHO.
 * C-FIND, C-MOVE and C-GET give some of them another meaning: status_query_text, or query_status_text of
 * query_retrieve.h.
 */
#ifndef DICOMNET_STATUS_H
#define DICOMNET_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/* Those that the library itself gives. */
enum dimse_status {
    STATUS_SUCCESS = 0x0000,
    STATUS_CANCEL = 0xFE00,
    STATUS_PENDING = 0xFF00,
    STATUS_PENDING_WARNING = 0xFF01,
    STATUS_REFUSED_OUT_OF_RESOURCES = 0xA700,
    STATUS_DATA_SET_MISMATCH = 0xA900,
    STATUS_CANNOT_UNDERSTAND = 0xC000,
    STATUS_PROCESSING_FAILURE = 0x0110,
    STATUS_CLASS_NOT_SUPPORTED = 0x0122,
    STATUS_NOT_AUTHORISED = 0x0124,
    STATUS_UNRECOGNIZED_OPERATION = 0x0211
};

/* For people: "out of resources"; "unknown status" for what the standard does not know. Never NULL. */
const char *status_text(uint16_t status);

/*
 * The same for C-FIND, C-MOVE (`retrieves` and `moves`) and C-GET (`retrieves`), which give some of them another
 * meaning (PS3.4 tables C.4-1 to C.4-3).
 */
const char *status_query_text(uint16_t status, bool retrieves, bool moves);

#endif
