/* scripts - see scripts.h. */
#include "scripts.h"

void script_serve(struct script_peer *peer)
{
    if (peer_accept(peer))
        peer_serve(peer);
}

void script_silent_at_request(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_expect_end(peer);
}

void script_reject_for_good(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_short(peer, PEER_RJ, 1, 1, 7);
    peer_expect_end(peer);
}

void script_reject_for_now(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_short(peer, PEER_RJ, 2, 3, 2);
    peer_expect_end(peer);
}

void script_accept_and_wait(struct script_peer *peer)
{
    peer_accept(peer);
    peer_expect_end(peer);
}

void script_accept_and_stay(struct script_peer *peer)
{
    peer_accept(peer);
    peer_stay(peer);
}
