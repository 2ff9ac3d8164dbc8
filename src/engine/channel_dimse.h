/*
 * channel_dimse - channels that are DICOM associations: each store is a C-STORE (PS3.4 Annex B, PS3.7 9.1.1).
 *
 * One presentation context is proposed for each pair (SOP class, transfer syntax) that it is asked for, so that the
 * peer has no choice of syntaxes: what it takes as it lies goes out untouched.
 */
#ifndef ENGINE_CHANNEL_DIMSE_H
#define ENGINE_CHANNEL_DIMSE_H

#include "dicomnet/association.h"
#include "engine/channel.h"

/* A storage SCP. */
struct channel_dimse_peer {
    struct channel_peer peer; /* for channel_open */
    struct dicomnet_association_parameters association;
    uint16_t priority; /* enum dicomnet_dimse_priority, of each C-STORE-RQ */
    bool propose_all;  /* also propose the commonest storage classes, each in the four uncompressed syntaxes, as far as
                          there is room: for peers that judge by it. What was accepted so is used as well */
};

/* `association` is copied, and what it points to is borrowed. Its window is capped at DICOMNET_STORAGE_WINDOW_MAX. */
void channel_dimse_peer_init(struct channel_dimse_peer *peer, const struct dicomnet_association_parameters *association,
                             uint16_t priority);

#endif
