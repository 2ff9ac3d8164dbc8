/*
 * recode - a data set in one transfer syntax, read in another: the bytes of a data source become another data source.
 *
 * It converts between any two uncompressed syntaxes (PS3.5 A.1, A.2, A.3); and from a compressed one to those if the
 * pixels are handed in decoded. What changes is how elements are encoded, never what they hold:
 *
 *   - Explicit to implicit VR, the VR goes. The other way each element gets the VR that PS3.6 says; US or SS as Pixel
 *     Representation of the item, or of what it is in, says; OB or OW of Waveform Data as Waveform Bits Allocated says,
 *     and of all else OW (PS3.5 A.1); LO for a private creator; and UN for what is not known, which is any other
 *     private element, but SQ if it has an undefined length, as nothing else has one in implicit VR. A known sequence
 *     whose value does not begin with an item is UN.
 *   - An element in explicit VR whose VR is none of the standard's, or that lacks one, is read as recode_options.guess
 *     says, and gets the VR that it would get from implicit VR. From big endian, where nobody can say how its bytes
 *     are ordered if that is UN, it is an error.
 *   - A value longer than 65,534 bytes, of a VR whose length has 16 bits, becomes UN (PS3.5 6.2.2).
 *   - To and from big endian the bytes of each word are reversed: words of 2 bytes in US, SS, AT and OW, of 4 in UL,
 *     SL, FL, OL and OF, of 8 in FD, OD, SV, UV and OV (PS3.5 7.3).
 *   - A value of VR UN keeps its bytes: what is in it is in Implicit VR Little Endian (PS3.5 6.2.2). If it has an
 *     undefined length its items are followed, and those written in explicit VR against that rule become implicit.
 *   - A sequence, or item, of undefined length keeps that. One with a length keeps one, which is computed, so that the
 *     way back gives the same bytes. Room is for 65,536 of these; what comes behind them gets an undefined length and a
 *     delimiter, and so does one that would be longer than a length can say.
 *   - A group length (gggg,0000) is computed. It takes its place among these 65,536, and is left out behind them.
 *   - Zeros behind the last element, to the end, are not read; nor is a delimiter at the end of what has a length.
 *
 * What goes there and back comes back to the byte, but for: VRs that PS3.6 does not say (private ones; OB where it says
 * OB or OW), reserved bytes that were not 0, group lengths that were wrong, and the form of what is behind the 65,536.
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

/* How the length of an element in explicit VR is written (PS3.5 7.1.2). */
enum recode_length {
    RECODE_LENGTH_UNKNOWN,
    RECODE_LENGTH_16,
    RECODE_LENGTH_32,      /* behind two reserved bytes */
    RECODE_LENGTH_IMPLICIT /* in 32 bits in the place of the VR */
};

/* Where an element stands whose VR is none of the standard's, or that has none although it should. */
struct recode_place {
    uint64_t offset; /* in the input */
    uint64_t limit;  /* where what it is in ends, at the latest; UINT64_MAX: where the input ends */
    enum syntax_form form;
    bool in_data_set; /* it is the data set's own, not an item's */
};

/* What is read, and how it is to come out. */
struct recode_options {
    /* Borrowed; read twice from 0 on, with jumps ahead. Its len may be UINT64_MAX until a read has come to its end,
     * which is then short. */
    struct dicomnet_data_source *input;
    struct syntax from, to;             /* `to` compresses no pixels; whether they are deflated is not looked at */
    const struct recode_patch *patches; /* borrowed */
    size_t patch_count;                 /* at most RECODE_PATCHES_MAX */

    /* The native pixels, in Little Endian, that take the place of the encapsulated Pixel Data (7FE0,0010) of the data
     * set itself; read in order; borrowed. NULL = there is none: then encapsulated pixels are an error. */
    struct dicomnet_data_source *pixels;
    char pixels_vr[2]; /* "OB" or "OW" */

    /*
     * Says how such an element is to be read; asked for each, in order, both times; the same is to be said again.
     * RECODE_LENGTH_UNKNOWN: it cannot be read. NULL = none can. May be NULL.
     */
    enum recode_length (*guess)(void *context, const struct recode_place *place);
    void *context;
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
