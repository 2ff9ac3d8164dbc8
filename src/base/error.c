/* error - the texts of error codes. See dicomnet/error.h. */
#include "dicomnet/error.h"

#include <string.h>

const char *dicomnet_error_text(int error)
{
    switch (error) {
#define X(name, value, text)                                                                                           \
    case DICOMNET_ERROR_##name:                                                                                        \
        return text;
        DICOMNET_ERRORS(X)
#undef X
    default:
        break;
    }
    if (error == 0)
        return "no error";
    const char *text = error < 0 ? strerrordesc_np(-error) : NULL;
    return text != NULL ? text : "unknown error";
}

const char *dicomnet_error_name(int error)
{
    switch (error) {
#define X(name, value, text)                                                                                           \
    case DICOMNET_ERROR_##name:                                                                                        \
        return "ERROR_" #name;
        DICOMNET_ERRORS(X)
#undef X
    default:
        break;
    }
    const char *name = error < 0 ? strerrorname_np(-error) : NULL;
    return name != NULL ? name : "UNKNOWN";
}

bool dicomnet_error_is_foreign(int error)
{
    return (error <= DICOMNET_ERROR_PEER_SPEAKS_TLS && error >= DICOMNET_ERROR_PEER_SPEAKS_OTHER) ||
           error == DICOMNET_ERROR_PEER_SPEAKS_CLEAR;
}

bool dicomnet_error_is_tls_setup(int error)
{
    return error <= DICOMNET_ERROR_TLS_NOTHING_COMMON && error >= DICOMNET_ERROR_TLS_NO_CERTIFICATE;
}
