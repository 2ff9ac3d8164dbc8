/*
 * receiver - a storage provider on a loop: acceptor, storage service and the folder it keeps instances in.
 *
 * What dicom-receiver is, and what --loopback runs on a thread of its own.
 */
#ifndef ENGINE_RECEIVER_H
#define ENGINE_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "dicomnet/acceptor.h"

struct receiver;

struct receiver_options {
    struct acceptor_options acceptor;
    const char *output_dir; /* NULL = discard: keep nothing */
    bool sync;
    uint16_t status; /* answer every C-STORE with this status; 0 = honestly. Failures keep nothing */
    uint32_t response_delay_ms;
    const struct logger *logger; /* receiver.stored (debug), receiver.refused (warn); borrowed until closed */
};

/* What a receiver has done so far. */
struct receiver_totals {
    uint64_t associations; /* accepted, ever */
    unsigned open_associations;
    uint64_t stored, refused, bytes;
};

/* Listen. Returns 0, or the error of the folder or the port. `options` is copied, strings are borrowed. */
int receiver_open(struct receiver **ret_receiver, struct uv_loop_s *loop,
                  const struct receiver_options *options) MUST_CHECK;
uint16_t receiver_port(const struct receiver *receiver);
const struct receiver_totals *receiver_totals(const struct receiver *receiver);

/* Stop listening, abort what is open; `closed` is called when all is over and the receiver freed. May be NULL. */
void receiver_close(struct receiver *receiver, void (*closed)(void *user), void *user);

#endif
