/* recode_input - the bytes that come in. See recode_private.h. */
#include <string.h>

#include "wire/recode_private.h"

enum { SPARSE_SIZE = 4096 }; /* what is read after a jump: some headers, and the short values between them */

/* Put what the source has at `offset` behind the `kept` bytes in the buffer. False if it cannot be read. */
static bool read_more(struct recode_input *input, uint64_t offset, size_t kept)
{
    bool is_small = input->size <= RECODE_BUFFER_SIZE;
    uint64_t left = input->size - offset;
    size_t wanted = input->sparse && !is_small ? SPARSE_SIZE : RECODE_BUFFER_SIZE - kept;
    if (wanted > left)
        wanted = (size_t)left;
    const struct iovec gap = {.iov_base = input->buffer + kept, .iov_len = wanted};
    ssize_t got = wanted > 0 ? input->source->read(input->source, offset, &gap, 1) : 0;
    if (got < 0) {
        input->error = (int)got;
        return false;
    }
    input->len = kept + (size_t)got;
    if ((size_t)got < wanted && input->size == RECODE_NO_END)
        input->size = input->source->len; /* it is known now */
    else if ((size_t)got < wanted)
        input->error = DICOMNET_ERROR_SOURCE_SHORT;
    return input->error == 0;
}

const uint8_t *recode_input_fill(struct recode_input *input, uint64_t offset, size_t len)
{
    if (input->error != 0 || offset > input->size || len > input->size - offset)
        return NULL;
    size_t kept = recode_input_ready(input, offset);
    if (kept > 0)
        memmove(input->buffer, input->buffer + (offset - input->offset), kept);
    input->offset = offset;
    input->len = kept;
    return read_more(input, offset + kept, kept) && input->len >= len ? input->buffer : NULL;
}
