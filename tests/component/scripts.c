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

static void reject(struct script_peer *peer, uint8_t result, uint8_t source, uint8_t reason)
{
    peer_read_request(peer);
    peer_send_short(peer, PEER_RJ, result, source, reason);
    peer_expect_end(peer);
}

void script_reject_for_good(struct script_peer *peer)
{
    reject(peer, 1, 1, 7);
}

void script_reject_for_now(struct script_peer *peer)
{
    reject(peer, 2, 3, 2);
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
