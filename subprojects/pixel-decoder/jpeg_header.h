/*
 * jpeg_header - what the frame header of a JPEG or JPEG-LS stream says (ISO/IEC 10918-1 B.2, 14495-1 C.2), up to the
 * first scan.
 */
#ifndef JPEG_HEADER_H
#define JPEG_HEADER_H

#include "codec.h"

enum class jpeg_colour {
    unsaid,      /* nothing in the stream says */
    transformed, /* luminance and chrominance: JFIF, or Adobe's marker */
    plain        /* Adobe's marker, or components named R, G and B, say that it is as it came */
};

struct jpeg_header {
    unsigned process; /* the low byte of the SOF marker: C0 baseline, C3 lossless, F7 JPEG-LS, ... */
    unsigned precision, rows, columns, components;
    uint8_t identifiers[4]; /* of the first components */
    size_t scans;           /* where the first scan header begins */
    jpeg_colour colour;
    bool adobe; /* it was Adobe's marker that said so */
};

/* Read it; a decode_error if the stream begins with none. */
jpeg_header read_jpeg_header(const std::vector<uint8_t> &stream);

/* A decode_error unless the stream's size, components and precision are what the data set says. */
void check_jpeg_header(const jpeg_header &header, const decoder_image &image);

/*
 * A decode_error unless each component is in one of the scans of this JPEG stream: IJG's decoder takes one that is in
 * none for 0. (CharLS knows that it lacks one.)
 */
void check_jpeg_scans(const std::vector<uint8_t> &stream, const jpeg_header &header);

/*
 * The decoded samples, of `decoded_size` bytes each, brought to the size that Bits Allocated wants, in place. What is
 * added above is 0, or the sign if the samples are signed and the stream has exactly Bits Stored of them: the bits
 * above the High Bit say nothing (PS3.5 8.1.1), but readers that take the whole word find the same number so.
 */
void lay_out(frame &frame, unsigned decoded_size, unsigned precision);

#endif
