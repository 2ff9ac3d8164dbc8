/*
 * recode - a data set in one transfer syntax, read in another: the bytes of a data source become another data source.
 *
 * Between the uncompressed syntaxes (PS3.5 A.1, A.2, A.3, A.5) any way is gone; and from a compressed one to those if
 * the pixels are handed in decoded. What changes is how elements are encoded, never what they hold: the form of VR and
 * length, the order of bytes in words, sequences' lengths, group lengths. See recode.c for each rule.
 *
 * Memory is constant, however large the data set is, and there is no recursion. The exact length of the output is
 * known once it is open: a first pass reads the headers of all elements, and no values but those it needs.
 */
#ifndef WIRE_RECODE_H
#define WIRE_RECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/data_source.h"
#include "dicomnet/error.h"
#include "wire/syntax.h"

enum { RECODE_PATCHES_MAX = 16, RECODE_PATCH_LEN_MAX = 32 };

/*
 * An element of the data set itself (not of an item) that gets another value, is added, or goes. The value is as Little
 * Endian has it, of even length. Patches are in the order of their tags.
 */
struct recode_patch {
    uint16_t group, element;
    char vr[2];
    bool drop; /* it is left out, with all that it holds; nothing below counts */
    uint8_t len;
    uint8_t value[RECODE_PATCH_LEN_MAX];
};

/* What is read, and how it is to come out. */
struct recode_options {
    struct dicomnet_data_source *input; /* borrowed; read at any offset, from 0 to its len, also twice */
    struct syntax from, to;             /* `to` is one of the four that compress no pixels */
    const struct recode_patch *patches; /* borrowed */
    size_t patch_count;                 /* at most RECODE_PATCHES_MAX */

    /* The native pixels, in Little Endian, that take the place of the encapsulated Pixel Data (7FE0,0010) of the data
     * set itself; read in order; borrowed. NULL = there is none: then encapsulated pixels are an error. */
    struct dicomnet_data_source *pixels;
    char pixels_vr[2]; /* "OB" or "OW" */
};

struct recode; /* on the heap: one block whose size does not depend on the data set */

/*
 * Look through the input, and make ready to read it converted. Returns 0; -ENOMEM, and *ret_recode is NULL; a negative
 * error of the input's own read; or DICOMNET_ERROR_SOURCE_UNDECODABLE if it cannot be converted: then
 * recode_failure_text says why. It is to be closed whatever came out.
 */
int recode_open(struct recode **ret_recode, const struct recode_options *options) DICOMNET_MUST_CHECK;

/*
 * The converted data set, of exactly known len; read in order, from 0 or from where the last read ended. It fails with
 * an error of the sources it reads from, or, if the input has changed since it was opened, may be undecodable or end
 * early.
 */
struct dicomnet_data_source *recode_source(struct recode *recode);

/* Why opening or reading failed and where, in one line; "" if there is nothing to say. Valid until it is closed. */
const char *recode_failure_text(const struct recode *recode);

/* NULL is fine. */
void recode_close(struct recode *recode);

#endif
