/*
 * rle - RLE Lossless (PS3.5 Annex G). The runs are DCMTK's DcmRLEDecoder's; its decoder of whole frames makes up what a
 * segment lacks, and trusts the offsets in the header.
 */
#include "codec.h"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcerror.h>
#include <dcmtk/dcmdata/dcrledec.h>
#include <dcmtk/dcmdata/dctypes.h>

enum { HEADER_LEN = 64, SEGMENTS_MAX = 15 };

static uint32_t get_u32(const uint8_t *p)
{
    return uint32_t(p[0]) | uint32_t(p[1]) << 8 | uint32_t(p[2]) << 16 | uint32_t(p[3]) << 24;
}

void decode_rle(frame &frame)
{
    const unsigned bytes = bytes_per_sample(frame.image), samples = frame.image.samples;
    const size_t pixel_count = size_t(frame.image.rows) * frame.image.columns;
    if (frame.stream.size() < HEADER_LEN)
        throw decode_error("the RLE header is cut off");
    const uint8_t *stream = frame.stream.data();
    const uint32_t segments = get_u32(stream);
    if (segments > SEGMENTS_MAX || segments != samples * bytes)
        throw decode_error("the RLE header says " + std::to_string(segments) + " segments, the data set makes " +
                           std::to_string(samples * bytes));
    make_room(frame);
    DcmRLEDecoder decoder(pixel_count);
    for (uint32_t i = 0; i < segments; i++) {
        const size_t begin = get_u32(stream + 4 + 4 * i);
        const size_t end = i + 1 < segments ? get_u32(stream + 8 + 4 * i) : frame.stream.size();
        if (begin < HEADER_LEN || begin > end || end > frame.stream.size())
            throw decode_error("the RLE header points outside the frame");
        decoder.clear();
        decoder.decompress(const_cast<uint8_t *>(stream + begin), end - begin);
        if (decoder.fail() || decoder.size() != pixel_count)
            throw decode_error("RLE segment " + std::to_string(i + 1) + " does not hold one byte for each pixel");
        /* The segments hold the bytes of each sample, the most significant first. */
        const uint8_t *from = static_cast<const uint8_t *>(decoder.getOutputBuffer());
        uint8_t *to = frame.pixels.data() + (i / bytes) * bytes + (bytes - 1 - i % bytes);
        for (size_t pixel = 0; pixel < pixel_count; pixel++, to += samples * bytes)
            *to = from[pixel];
    }
}
