/*
 * destination - where to: one peer out of all the ways to name one.
 *
 *   --host HOST [--port PORT] [--ae-title AE]
 *   pacs://[AE@]HOST[:PORT]   or   AE@HOST:PORT       (an IPv6 address stands in brackets)
 *   --peer NAME, or nothing at all: a peer from the file of peers, or its default
 *   --loopback
 *
 * --port, --ae-title and --calling-ae, where given, win over what the other ways say.
 */
#ifndef PROGRAMS_DESTINATION_H
#define PROGRAMS_DESTINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"

struct options;

struct destination {
    char host[256]; /* without brackets; "" with loopback */
    uint16_t port;
    char called_ae[17];
    char calling_ae[17];
    bool loopback;
    char text[300]; /* for people: "PACS@pacs.example.org:4242", "PACS@[::1]:104", "the loopback receiver" */
};

/* True if a positional argument is meant as a destination and not as a path: pacs://..., or AE@HOST:PORT. */
bool destination_looks_like_one(const char *argument);

/*
 * Find the destination that the options name. Returns 0, or -1 and one line in `ret_message` of `size` bytes: what is
 * wrong with it or, if there is none, all the ways to name one.
 */
int destination_find(const struct options *options, struct destination *ret_destination, char *ret_message,
                     size_t size) MUST_CHECK;

#endif
