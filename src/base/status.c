/* status - see dicomnet/status.h. */
#include "dicomnet/status.h"

#include <stddef.h>

/* The first row that fits counts. */
static const struct {
    uint16_t value, mask;
    const char *text;
} rows[] = {
    {0x0000, 0xFFFF, "success"},
    {0x0001, 0xFFFF, "warning"},
    {0x0107, 0xFFFF, "attribute list error"},
    {0x0110, 0xFFFF, "processing failure"},
    {0x0111, 0xFFFF, "duplicate SOP instance"},
    {0x0112, 0xFFFF, "no such SOP instance"},
    {0x0115, 0xFFFF, "invalid argument value"},
    {0x0116, 0xFFFF, "attribute value out of range"},
    {0x0117, 0xFFFF, "invalid SOP instance"},
    {0x0122, 0xFFFF, "SOP class not supported"},
    {0x0124, 0xFFFF, "not authorised"},
    {0x0210, 0xFFFF, "duplicate invocation"},
    {0x0211, 0xFFFF, "unrecognised operation"},
    {0x0212, 0xFFFF, "mistyped argument"},
    {0x0213, 0xFFFF, "resource limitation"},
    {0xA700, 0xFF00, "out of resources"},
    {0xA900, 0xFF00, "data set does not match SOP class"},
    {0xB000, 0xFFFF, "coercion of data elements"},
    {0xB006, 0xFFFF, "elements discarded"},
    {0xB007, 0xFFFF, "data set does not match SOP class"},
    {0xB000, 0xF000, "warning"},
    {0xC000, 0xF000, "cannot understand"},
    {0xFE00, 0xFFFF, "cancelled"},
    {0xFF00, 0xFFFE, "pending"},
};

const char *dicomnet_status_text(uint16_t status)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((status & rows[i].mask) == rows[i].value)
            return rows[i].text;
    return "unknown status";
}

/* PS3.4 tables C.4-1 to C.4-3, PS3.7 Annex C. */
const char *dicomnet_status_query_text(uint16_t status, bool retrieves, bool moves)
{
    switch (status) {
    case DICOMNET_STATUS_SUCCESS:
        return "success";
    case DICOMNET_STATUS_CANCEL:
        return "cancelled";
    case DICOMNET_STATUS_PENDING:
        return "pending";
    case DICOMNET_STATUS_PENDING_WARNING:
        return "pending; one or more optional keys were not supported";
    case DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES:
        return "refused: out of resources";
    case 0xA701:
        return retrieves ? "refused: unable to calculate the number of matches" : "refused: out of resources";
    case 0xA702:
        return retrieves ? "refused: unable to perform sub-operations" : "refused: out of resources";
    case 0xA801:
        return moves ? "refused: move destination unknown" : "failed";
    case DICOMNET_STATUS_DATA_SET_MISMATCH:
        return "the identifier does not match the SOP class";
    case 0xB000:
        return retrieves ? "complete, but one or more sub-operations failed or gave a warning" : "warning";
    case DICOMNET_STATUS_PROCESSING_FAILURE:
        return "processing failure";
    case DICOMNET_STATUS_CLASS_NOT_SUPPORTED:
        return "SOP class not supported";
    case DICOMNET_STATUS_NOT_AUTHORISED:
        return "not authorised";
    case DICOMNET_STATUS_UNRECOGNIZED_OPERATION:
        return "unrecognized operation";
    default:
        break;
    }
    switch (status >> 12) {
    case 0xA:
        return "refused";
    case 0xB:
        return "warning";
    case 0xC:
        return "unable to process";
    default:
        return "failed, with a status the standard does not define here";
    }
}
