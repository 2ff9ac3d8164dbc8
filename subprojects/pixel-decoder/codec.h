/*
 * codec - one frame, from the bytes of its fragments to native pixels: what each codec of dicom-decoder takes and
 * gives.
 *
 * The codecs are DCMTK's and OpenJPEG's. What is done here is to hold the stream's own header against the data set's
 * before and after, and to lay the samples out as they are in a native Pixel Data (PS3.5 8.1.1): Little Endian, colour
 * by pixel (Planar Configuration 0). A frame is right or it is an error: what a library merely warns of (a damaged
 * entropy-coded segment, an end too early) is one too, as it fills in what it does not know.
 */
#ifndef CODEC_H
#define CODEC_H

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "decoder_protocol.h"

/* The frame cannot be decoded: one line that says why. */
struct decode_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct frame {
    const decoder_image &image; /* what the data set's header says; checked by check_image */
    const std::vector<uint8_t>
        &stream;                  /* the fragments' bytes, one behind the other; even, so one byte may be padding */
    std::vector<uint8_t> &pixels; /* as long as the native frame; the codec fills it */
    std::string photometric;      /* of what comes out; the header's unless the codec says otherwise */
};

void decode_jpeg(frame &frame);      /* PS3.5 A.4.1 and A.4.2: baseline, extended, lossless */
void decode_jpeg_ls(frame &frame);   /* A.4.3 */
void decode_jpeg_2000(frame &frame); /* A.4.4, and High-Throughput JPEG 2000 */
void decode_rle(frame &frame);       /* A.4.2 and Annex G */

inline unsigned bytes_per_sample(const decoder_image &image)
{
    return image.bits_allocated / 8;
}

/* Called once the stream's header was found to be right: a data set that only claims to be large costs no memory. */
inline void make_room(frame &frame)
{
    frame.pixels.resize(size_t(frame.image.rows) * frame.image.columns * frame.image.samples *
                        bytes_per_sample(frame.image));
}

#endif
