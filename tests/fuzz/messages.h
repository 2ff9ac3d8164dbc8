/*
 * messages - the DIMSE messages that stand in a run of bytes: what one side of an association said, as its far end
 * understands it. Read with the decoders that fuzz_pdu_stream and fuzz_command check by themselves.
 */
#ifndef FUZZ_MESSAGES_H
#define FUZZ_MESSAGES_H

#include <stdbool.h>

#include "dicomnet/dimse.h"
#include "dicomnet/pdu.h"
#include "fuzz.h"

enum { MESSAGES_MAX = 256 };

struct message {
    uint8_t context_id;
    struct dicomnet_dimse_command command;
    bool complete;     /* with its data set, if it has one */
    uint64_t data_len; /* so far */
    uint32_t data_sum; /* messages_sum over its data set */
    bool used;         /* for the caller */
};

struct messages {
    struct dicomnet_pdu_reader pdus;
    struct dicomnet_dimse_reader reader;
    bool broken; /* what follows is not understood */
    size_t at;   /* bytes read */
    size_t count;
    struct message list[MESSAGES_MAX];
};

void messages_begin(struct messages *messages);

/* Go on reading: the first `len` bytes are there now. */
void messages_read(struct messages *messages, const uint8_t *bytes, size_t len);

/* A sum over bytes that come in pieces; begin with 0. */
uint32_t messages_sum(uint32_t sum, const uint8_t *bytes, size_t len);

#endif
