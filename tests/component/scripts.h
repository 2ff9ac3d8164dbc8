/* scripts - what a scripted peer does in many tests, for script_peer_listen and fixture_begin_with_peer. */
#ifndef COMPONENT_SCRIPTS_H
#define COMPONENT_SCRIPTS_H

#include "script_peer.h"

/* Accepts, answers every request with success, and the release. */
void script_serve(struct script_peer *peer);

/* Reads the A-ASSOCIATE-RQ and says nothing until the connection ends. */
void script_silent_at_request(struct script_peer *peer);

/* Rejected by the service user, permanently: the called AE title is not known (PS3.8 9.3.4). */
void script_reject_for_good(struct script_peer *peer);

/* Rejected by the service provider, for now: a local limit is exceeded. */
void script_reject_for_now(struct script_peer *peer);

/* Accepts, and reads until the connection ends, without a word. */
void script_accept_and_wait(struct script_peer *peer);

/* Accepts, and neither reads nor closes: see peer_stay. */
void script_accept_and_stay(struct script_peer *peer);

#endif
