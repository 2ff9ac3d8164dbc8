/*
 * fuzz - what the fuzz targets share.
 *
 * A target is LLVMFuzzerTestOneInput and nothing else. Linked with libFuzzer (build/fuzz) it is fed with inputs that
 * libFuzzer invents from those in corpus/; linked with replay.c (any other build) it is a plain program that runs the
 * files and folders it is given, and so a test.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "insist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be true whatever the input is. It holds in builds without asserts too. */
#define FUZZ_CHECK(condition) INSIST(condition)

/* The input, taken from its front. What is taken behind its end is 0. */
struct fuzz_input {
    const uint8_t *data;
    size_t len;
};

static inline unsigned fuzz_take_u8(struct fuzz_input *input)
{
    if (input->len == 0)
        return 0;
    input->len--;
    return *input->data++;
}

static inline unsigned fuzz_take_u16(struct fuzz_input *input)
{
    unsigned low = fuzz_take_u8(input);
    return low | fuzz_take_u8(input) << 8;
}

/* The next `len` bytes, or as many as there are. */
static inline struct fuzz_input fuzz_take(struct fuzz_input *input, size_t len)
{
    struct fuzz_input taken = {.data = input->data, .len = len < input->len ? len : input->len};
    input->data += taken.len;
    input->len -= taken.len;
    return taken;
}

#endif
