/* listening - see listening.h. */
#include "serve/listening.h"

#include <stdio.h>
#include <string.h>

#include "dicomnet/acceptor.h"

size_t listening_count(const struct dicomnet_acceptor_options *options)
{
    return options->more_address_count + 1;
}

const char *listening_address(const struct dicomnet_acceptor_options *options, size_t index)
{
    return index == 0 ? options->bind_address : options->more_addresses[index - 1];
}

void listening_text(const char *address, uint16_t port, char *ret_text, size_t size)
{
    snprintf(ret_text, size, strchr(address, ':') != NULL ? "[%s]:%u" : "%s:%u", address, port);
}

void listening_say_failure(const struct dicomnet_acceptor_options *options, int error, char *ret_text, size_t size)
{
    char where[256];
    size_t len = 0;
    for (size_t i = 0; i < listening_count(options) && len + 3 < sizeof where; i++) {
        if (i > 0)
            len += (size_t)snprintf(where + len, sizeof where - len, ", ");
        listening_text(listening_address(options, i), options->port, where + len, sizeof where - len);
        len += strlen(where + len);
    }
    snprintf(ret_text, size, "%s: %s", where, dicomnet_error_text(error));
}
