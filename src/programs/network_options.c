/* network_options - see network_options.h. */
#include "programs/network_options.h"

#include "programs/option_groups.h"

struct dicomnet_association_line network_options_line(const struct network_group *network)
{
    return (struct dicomnet_association_line){
        .keepalive_s = network->keepalive_s != 0 ? network->keepalive_s : DICOMNET_ASSOCIATION_KEEPALIVE_OFF,
        .buffer_bytes = network->socket_buffer,
        .traffic_class = network->traffic_class};
}
