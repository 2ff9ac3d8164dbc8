/*
 * fake_client - a client of a server that is fuzzed: its connection, and all that it has said and heard on it. Also the
 * folder that such a server may keep things in.
 */
#ifndef FUZZ_FAKE_CLIENT_H
#define FUZZ_FAKE_CLIENT_H

#include "fake_net.h"
#include "messages.h"

enum { FAKE_CLIENT_SAYS_MAX = 64 * 1024, FAKE_CLIENT_HEARS_MAX = 256 * 1024 };

struct fake_client {
    struct far_end far_end;
    size_t said_len;
    uint8_t said[FAKE_CLIENT_SAYS_MAX]; /* what is beyond is not sent */
    uint8_t heard[FAKE_CLIENT_HEARS_MAX];
};

static inline bool fake_client_is_connected(const struct fake_client *client)
{
    return client->far_end.fd >= 0;
}

/* Connect to the listener; nothing is said or heard yet. */
void fake_client_connect(struct fake_client *client);

/* Say as much of this as the connection takes. */
void fake_client_say(struct fake_client *client, struct fuzz_input bytes);

/* The messages of both sides so far. What was heard must be DIMSE, unless more came than is kept. */
void fake_client_read(const struct fake_client *client, struct messages *ret_said, struct messages *ret_heard);

/* A new folder in $TMPDIR or /tmp, the same one for all inputs of this process, which removes it when it exits. */
const char *fake_folder(void);

/* Remove the files that the folder holds; each must be one that may be there. Returns how many. */
uint64_t fake_folder_empty(bool (*may_be_there)(const char *name));

/* True for "NAME.dcm" that does not begin with a dot. */
bool fake_folder_is_instance(const char *name);

#endif
