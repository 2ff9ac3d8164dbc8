/* error - the texts of error codes. See dicomnet/error.h. */
#include "dicomnet/error.h"

#include <string.h>

const char *error_text(int error)
{
    switch (error) {
#define X(name, value, text)                                                                                           \
    case name:                                                                                                         \
        return text;
        DICOMNET_ERRORS(X)
#undef X
    default:
        break;
    }
    const char *text = error < 0 ? strerrordesc_np(-error) : NULL;
    return text != NULL ? text : "unknown error";
}

const char *error_name(int error)
{
    switch (error) {
#define X(name, value, text)                                                                                           \
    case name:                                                                                                         \
        return #name;
        DICOMNET_ERRORS(X)
#undef X
    default:
        break;
    }
    const char *name = error < 0 ? strerrorname_np(-error) : NULL;
    return name != NULL ? name : "UNKNOWN";
}

bool error_is_foreign(int error)
{
    return error <= ERROR_PEER_SPEAKS_TLS && error >= ERROR_PEER_SPEAKS_OTHER;
}
