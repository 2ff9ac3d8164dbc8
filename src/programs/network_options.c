/* network_options - see network_options.h. */
#include "programs/network_options.h"

#include "programs/option_groups.h"
#include "programs/peers.h"

struct dicomnet_association_line network_options_line(const struct network_group *network)
{
    return (struct dicomnet_association_line){
        .keepalive_s = network->keepalive_s != 0 ? network->keepalive_s : DICOMNET_ASSOCIATION_KEEPALIVE_OFF,
        .buffer_bytes = network->socket_buffer,
        .traffic_class = network->traffic_class};
}

void network_options_use_peer(const struct options *options, const struct peer *peer,
                              struct dicomnet_association_parameters *association)
{
    const struct peer_network *has = &peer->network;
    if (peer->bind[0] != '\0' && !options_given(options, "bind"))
        association->bind_address = peer->bind;
    if (has->keepalive.said && !options_given(options, "keepalive"))
        association->line.keepalive_s =
            has->keepalive.value != 0 ? has->keepalive.value : DICOMNET_ASSOCIATION_KEEPALIVE_OFF;
    if (has->traffic_class.said && !options_given(options, "tos"))
        association->line.traffic_class = has->traffic_class.value;
    if (has->socket_buffer.said && !options_given(options, "socket-buffer"))
        association->line.buffer_bytes = has->socket_buffer.value;
    if (has->max_send_pdu.said && !options_given(options, "max-send-pdu"))
        association->max_send_pdu_len = has->max_send_pdu.value;
}
