/*
 * status - what the status of a response says (PS3.7 Annex C, PS3.4 Tables B.2-1 and B.2-2): C-STORE and C-ECHO.
 * C-FIND, C-MOVE and C-GET give some of them another meaning: dicomnet_status_query_text, or dicomnet_query_status_text
 * of query_retrieve.h.
 */
#ifndef DICOMNET_STATUS_H
#define DICOMNET_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Those that the library itself gives. */
enum dicomnet_dimse_status {
    DICOMNET_STATUS_SUCCESS = 0x0000,
    DICOMNET_STATUS_CANCEL = 0xFE00,
    DICOMNET_STATUS_PENDING = 0xFF00,
    DICOMNET_STATUS_PENDING_WARNING = 0xFF01,
    DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES = 0xA700,
    DICOMNET_STATUS_DATA_SET_MISMATCH = 0xA900,
    DICOMNET_STATUS_CANNOT_UNDERSTAND = 0xC000,
    DICOMNET_STATUS_PROCESSING_FAILURE = 0x0110,
    DICOMNET_STATUS_CLASS_NOT_SUPPORTED = 0x0122,
    DICOMNET_STATUS_NOT_AUTHORISED = 0x0124,
    DICOMNET_STATUS_UNRECOGNIZED_OPERATION = 0x0211
};

/* For people: "out of resources"; "unknown status" for what the standard does not know. Never NULL. */
const char *dicomnet_status_text(uint16_t status);

/*
 * The same for C-FIND, C-MOVE (`retrieves` and `moves`) and C-GET (`retrieves`), which give some of them another
 * meaning (PS3.4 tables C.4-1 to C.4-3).
 */
const char *dicomnet_status_query_text(uint16_t status, bool retrieves, bool moves);

#ifdef __cplusplus
}
#endif

#endif
