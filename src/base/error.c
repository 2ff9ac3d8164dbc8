/* error - the texts of error codes. See dicomnet/error.h. */
#include "dicomnet/error.h"

#include <string.h>

static const struct row {
    int value;
    const char *name, *text;
} rows[] = {
#define X(name, value, text) {DICOMNET_ERROR_##name, "ERROR_" #name, text},
    DICOMNET_ERRORS(X)
#undef X
};

/* The row of one of our own errors, or NULL: 0, or an error of the system. */
static const struct row *find_row(int error)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].value == error)
            return &rows[i];
    return NULL;
}

const char *dicomnet_error_text(int error)
{
    const struct row *row = find_row(error);
    if (error == 0 || row != NULL)
        return row != NULL ? row->text : "no error";
    const char *text = error < 0 ? strerrordesc_np(-error) : NULL;
    return text != NULL ? text : "unknown error";
}

const char *dicomnet_error_name(int error)
{
    const struct row *row = find_row(error);
    if (row != NULL)
        return row->name;
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
