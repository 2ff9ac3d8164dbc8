/*
 * peers - the file of peers: the destinations a user knows by name.
 *
 *   {
 *     "default": "main",
 *     "peers": {
 *       "main": {"host": "pacs.example.org", "port": 4242, "ae_title": "PACS", "calling_ae": "GATEWAY"},
 *       "test": {"host": "127.0.0.1"}
 *     }
 *   }
 *
 * Only `host` is required. A key that is not in this example is an error: a typing slip must not send data elsewhere.
 */
#ifndef PROGRAMS_PEERS_H
#define PROGRAMS_PEERS_H

#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"

/* One peer as the file has it. AE titles are not checked here. */
struct peer {
    char name[64];
    char host[256];
    uint16_t port;       /* 0 = not said */
    char ae_title[64];   /* "" = not said */
    char calling_ae[64]; /* "" = not said */
};

/*
 * The peer called `name`, or the default one if `name` is NULL. Returns 1 if there is one. 0 if there is none: no file,
 * no peer of that name, or no default; then `ret_text` of `size` bytes says which, naming the peers there are.
 * A negative error if the file is there and cannot be read or is wrong: `ret_text` says where, in one line.
 */
int peers_find(const char *path, const char *name, struct peer *ret_peer, char *ret_text,
               size_t size) DICOMNET_MUST_CHECK;

#endif
