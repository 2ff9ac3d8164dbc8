/* provider - see provider.h. */
#include "provider.h"

#include <criterion/criterion.h>

static const struct dicomnet_association_handler *on_connected(void *user, void **ret_user)
{
    struct provider *provider = user;
    struct dicomnet_query_provider *created;
    provider->connections++;
    if (dicomnet_query_provider_create(&created, provider->loop, &provider->options) != 0)
        return NULL;
    *ret_user = created;
    return &dicomnet_query_provider_association_handler;
}

void provider_open(struct provider *provider, uv_loop_t *loop, const struct dicomnet_query_provider_options *options,
                   const struct dicomnet_association_timeouts *timeouts)
{
    static const struct dicomnet_acceptor_handler handler = {.connected = on_connected};
    const struct dicomnet_acceptor_options accept = {
        .size = sizeof accept, .bind_address = "127.0.0.1", .association = {.ae = "ARCHIVE", .timeouts = *timeouts}};
    *provider = (struct provider){.loop = loop, .options = *options};
    provider->options.size = sizeof provider->options;
    cr_assert_eq(dicomnet_acceptor_open(&provider->acceptor, loop, &accept, &handler, provider), 0);
}
