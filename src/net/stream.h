/*
 * stream - what is told to whoever reads from and writes to a connection: by net/tcp.h of the bytes on the line, by
 * net/transport.h of those that the peer means. On the loop's thread.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream_handler {
    /* The connection is there (0), or could not be made (the error of the last address that was tried). */
    void (*connected)(void *user, int error);

    /* Where the next bytes are to be read to, and how many fit; at least one. */
    uint8_t *(*room)(void *user, size_t *ret_size);

    /* `len` bytes were read to the start of that room. Returns true if they end in the middle of a message. */
    bool (*received)(void *user, size_t len);

    /* The peer closed its side (DICOMNET_ERROR_PEER_CLOSED) or the connection broke: nothing more will be read. */
    void (*ended)(void *user, int error);

    /* All bytes of the write that returned 1 were taken (0), or not (an error). */
    void (*written)(void *user, int error);

    /* The close is complete: the memory of the connection is the owner's again. */
    void (*closed)(void *user);
};

#endif
