/* jpeg_header - see jpeg_header.h. */
#include "jpeg_header.h"

#include <cstring>

enum {
    SOF0 = 0xc0,
    DHT = 0xc4,
    JPG = 0xc8,
    RST0 = 0xd0,
    RST7 = 0xd7,
    DAC = 0xcc,
    SOF15 = 0xcf,
    SOI = 0xd8,
    EOI = 0xd9,
    SOS = 0xda,
    APP0 = 0xe0,
    APP14 = 0xee,
    SOF55 = 0xf7
};

static bool is_frame_header(unsigned marker)
{
    return marker == SOF55 || (marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC);
}

/* SOFn: precision, lines, samples a line, components with their identifiers. */
static void read_frame_header(const uint8_t *p, size_t len, jpeg_header &header)
{
    if (len < 6 || len < 6 + 3 * size_t(p[5]))
        throw decode_error("the frame header of the JPEG stream is too short");
    header.precision = p[0];
    header.rows = unsigned(p[1]) << 8 | p[2];
    header.columns = unsigned(p[3]) << 8 | p[4];
    header.components = p[5];
    for (size_t i = 0; i < header.components && i < sizeof header.identifiers; i++)
        header.identifiers[i] = p[6 + 3 * i];
    if (header.colour == jpeg_colour::unsaid && header.components == 3 && p[6] == 'R' && p[9] == 'G' && p[12] == 'B')
        header.colour = jpeg_colour::plain;
}

static void read_application_data(unsigned marker, const uint8_t *p, size_t len, jpeg_header &header)
{
    if (marker == APP14 && len >= 12 && memcmp(p, "Adobe", 5) == 0) {
        header.adobe = true;
        header.colour = p[11] == 0 ? jpeg_colour::plain : jpeg_colour::transformed;
    } else if (marker == APP0 && len >= 5 && memcmp(p, "JFIF", 5) == 0 && header.colour == jpeg_colour::unsaid) {
        header.colour = jpeg_colour::transformed;
    }
}

jpeg_header read_jpeg_header(const std::vector<uint8_t> &stream)
{
    jpeg_header header = {};
    const uint8_t *p = stream.data();
    size_t len = stream.size(), at = 2;
    if (len < 4 || p[0] != 0xff || p[1] != SOI)
        throw decode_error("the frame does not begin with a JPEG stream");
    while (at + 4 <= len) {
        if (p[at] != 0xff)
            throw decode_error("no marker where the JPEG stream must have one");
        unsigned marker = p[at + 1];
        if (marker == 0xff) { /* fill */
            at++;
            continue;
        }
        if (marker == SOS || marker == EOI)
            break;
        size_t segment_len = size_t(p[at + 2]) << 8 | p[at + 3];
        if (segment_len < 2 || at + 2 + segment_len > len)
            break;
        if (is_frame_header(marker)) {
            if (header.process != 0)
                throw decode_error("the JPEG stream has two frame headers");
            read_frame_header(p + at + 4, segment_len - 2, header);
            header.process = marker;
        } else {
            read_application_data(marker, p + at + 4, segment_len - 2, header);
        }
        at += 2 + segment_len;
    }
    if (header.process == 0)
        throw decode_error("the JPEG stream has no frame header");
    header.scans = at;
    return header;
}

/* The next marker from `at` on that ends entropy-coded data: no stuffed zero, restart or fill. */
static size_t find_marker(const std::vector<uint8_t> &stream, size_t at)
{
    while (at + 1 < stream.size()) {
        const void *found = memchr(&stream[at], 0xff, stream.size() - 1 - at);
        if (found == nullptr)
            break;
        at = size_t(static_cast<const uint8_t *>(found) - stream.data());
        const unsigned next = stream[at + 1];
        if (next != 0 && next != 0xff && (next < RST0 || next > RST7))
            return at;
        at++;
    }
    return stream.size();
}

void check_jpeg_scans(const std::vector<uint8_t> &stream, const jpeg_header &header)
{
    bool seen[256] = {};
    for (size_t at = find_marker(stream, header.scans); at + 5 < stream.size(); at = find_marker(stream, at)) {
        if (stream[at + 1] == EOI)
            break;
        const size_t end = at + 2 + (size_t(stream[at + 2]) << 8 | stream[at + 3]);
        if (stream[at + 1] == SOS)
            for (size_t i = 0; i < stream[at + 4] && at + 5 + 2 * i < stream.size(); i++)
                seen[stream[at + 5 + 2 * i]] = true;
        at = end;
    }
    for (size_t i = 0; i < header.components && i < sizeof header.identifiers; i++)
        if (!seen[header.identifiers[i]])
            throw decode_error("component " + std::to_string(i + 1) + " of " + std::to_string(header.components) +
                               " is in no scan of the JPEG stream");
}

void check_jpeg_header(const jpeg_header &header, const decoder_image &image)
{
    if (header.rows != image.rows || header.columns != image.columns)
        throw decode_error("the stream has " + std::to_string(header.rows) + " rows and " +
                           std::to_string(header.columns) + " columns, the data set says " +
                           std::to_string(image.rows) + " and " + std::to_string(image.columns));
    if (header.components != image.samples)
        throw decode_error("the stream has " + std::to_string(header.components) +
                           " samples per pixel, the data set says " + std::to_string(image.samples));
    if (header.precision < 2 || header.precision > image.bits_allocated)
        throw decode_error("the stream has " + std::to_string(header.precision) + " bits a sample, the data set says " +
                           std::to_string(image.bits_allocated) + " bits allocated");
}

void lay_out(frame &frame, unsigned decoded_size, unsigned precision)
{
    const decoder_image &image = frame.image;
    const unsigned size = bytes_per_sample(image);
    const size_t samples = size_t(image.rows) * image.columns * image.samples;
    const bool has_sign = image.is_signed != 0 && precision == image.bits_stored && precision < image.bits_allocated &&
                          image.high_bit + 1 == image.bits_stored;
    if (decoded_size == size && !has_sign)
        return;
    /* From the back: no sample is overwritten before it was read. */
    for (size_t i = samples; i-- > 0;) {
        const uint8_t *from = &frame.pixels[i * decoded_size];
        uint32_t sample = decoded_size == 1 ? from[0] : uint32_t(from[0]) | uint32_t(from[1]) << 8;
        if (has_sign && (sample >> (precision - 1) & 1) != 0)
            sample |= ~uint32_t(0) << precision;
        for (unsigned byte = 0; byte < size; byte++)
            frame.pixels[i * size + byte] = uint8_t(sample >> (8 * byte));
    }
}
