/* jpeg_2000 - JPEG 2000 (ISO/IEC 15444-1) and High-Throughput JPEG 2000 (15444-15), by OpenJPEG. */
#include "codec.h"
#include "codestream.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include <openjpeg.h>

namespace
{
/* The frame's bytes as OpenJPEG reads them. */
struct input {
    const std::vector<uint8_t> &bytes;
    size_t at;
};

OPJ_SIZE_T read_input(void *buffer, OPJ_SIZE_T len, void *context)
{
    input &in = *static_cast<input *>(context);
    len = std::min<OPJ_SIZE_T>(len, in.bytes.size() - in.at);
    if (len == 0)
        return OPJ_SIZE_T(-1);
    memcpy(buffer, in.bytes.data() + in.at, len);
    in.at += len;
    return len;
}

OPJ_OFF_T skip_input(OPJ_OFF_T len, void *context)
{
    input &in = *static_cast<input *>(context);
    if (len < 0 || size_t(len) > in.bytes.size() - in.at)
        return -1;
    in.at += size_t(len);
    return len;
}

OPJ_BOOL seek_input(OPJ_OFF_T offset, void *context)
{
    input &in = *static_cast<input *>(context);
    if (offset < 0 || size_t(offset) > in.bytes.size())
        return OPJ_FALSE;
    in.at = size_t(offset);
    return OPJ_TRUE;
}

/* The first message is the one that says what is wrong. */
void keep_error(const char *message, void *context)
{
    std::string &first = *static_cast<std::string *>(context);
    if (first.empty())
        first.assign(message, strcspn(message, "\n"));
}

/* Most warnings tell of samples that are missing; these two of headers that decide nothing. */
void keep_warning(const char *message, void *context)
{
    if (strstr(message, "TPsot==TNsot") == nullptr && strstr(message, "Unknown marker") == nullptr)
        keep_error(message, context);
}

struct codec_deleter {
    void operator()(opj_codec_t *codec) const { opj_destroy_codec(codec); }
};
struct stream_deleter {
    void operator()(opj_stream_t *stream) const { opj_stream_destroy(stream); }
};
struct image_deleter {
    void operator()(opj_image_t *image) const { opj_image_destroy(image); }
};
} // namespace

/* The stream against the data set, before anything is decoded. */
static void check_image(const opj_image_t &image, const decoder_image &said)
{
    if (image.numcomps != said.samples)
        throw decode_error("the stream has " + std::to_string(image.numcomps) +
                           " samples per pixel, the data set says " + std::to_string(said.samples));
    for (unsigned i = 0; i < image.numcomps; i++) {
        const opj_image_comp_t &component = image.comps[i];
        if (component.w != said.columns || component.h != said.rows)
            throw decode_error("the stream has " + std::to_string(component.h) + " rows and " +
                               std::to_string(component.w) + " columns, the data set says " +
                               std::to_string(said.rows) + " and " + std::to_string(said.columns));
        if (component.prec > said.bits_allocated)
            throw decode_error("the stream has " + std::to_string(component.prec) +
                               " bits a sample, the data set says " + std::to_string(said.bits_allocated) +
                               " bits allocated");
        if (component.sgnd != said.is_signed)
            throw decode_error(component.sgnd != 0 ? "the stream's samples are signed, the data set says unsigned"
                                                   : "the stream's samples are unsigned, the data set says signed");
    }
}

/* What the colours are once the multiple component transformation (15444-1 Annex G) is undone, if there is one. */
static std::string find_photometric(opj_codec_t *codec, const std::string &said)
{
    opj_codestream_info_v2_t *info = opj_get_cstr_info(codec);
    if (info == nullptr)
        throw decode_error("the JPEG 2000 stream has no main header");
    const bool transformed = info->m_default_tile_info.mct != 0;
    opj_destroy_cstr_info(&info);
    const bool says_transformed = said == "YBR_RCT" || said == "YBR_ICT";
    if (says_transformed && !transformed)
        throw decode_error("the data set says " + said + ", the stream has no component transformation");
    if (transformed && !says_transformed && said != "RGB")
        throw decode_error("the stream has a component transformation, the data set says " + said);
    if (said == "YBR_FULL_422")
        return "YBR_FULL"; /* no component is subsampled: check_image */
    return says_transformed ? "RGB" : said;
}

static void store(const opj_image_t &image, unsigned size, std::vector<uint8_t> &pixels)
{
    const unsigned count = image.numcomps;
    const size_t pixel_count = size_t(image.comps[0].w) * image.comps[0].h;
    for (unsigned i = 0; i < count; i++) {
        const OPJ_INT32 *from = image.comps[i].data;
        uint8_t *to = pixels.data() + size_t(i) * size;
        for (size_t pixel = 0; pixel < pixel_count; pixel++, to += size_t(count) * size) {
            const uint32_t sample = uint32_t(from[pixel]);
            to[0] = uint8_t(sample);
            if (size > 1)
                to[1] = uint8_t(sample >> 8);
            if (size > 2) {
                to[2] = uint8_t(sample >> 16);
                to[3] = uint8_t(sample >> 24);
            }
        }
    }
}

void decode_jpeg_2000(frame &frame)
{
    std::string message;
    const std::vector<uint8_t> codestream = find_codestream(frame.stream);
    input in = {codestream, 0};
    std::unique_ptr<opj_codec_t, codec_deleter> codec(opj_create_decompress(OPJ_CODEC_J2K));
    std::unique_ptr<opj_stream_t, stream_deleter> stream(opj_stream_default_create(OPJ_STREAM_READ));
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    if (!codec || !stream || !opj_setup_decoder(codec.get(), &parameters) ||
        !opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE))
        throw std::bad_alloc();
    opj_set_error_handler(codec.get(), keep_error, &message);
    opj_set_warning_handler(codec.get(), keep_warning, &message);
    opj_stream_set_user_data(stream.get(), &in, nullptr);
    opj_stream_set_user_data_length(stream.get(), codestream.size());
    opj_stream_set_read_function(stream.get(), read_input);
    opj_stream_set_skip_function(stream.get(), skip_input);
    opj_stream_set_seek_function(stream.get(), seek_input);

    opj_image_t *read = nullptr;
    const bool is_read = opj_read_header(stream.get(), codec.get(), &read) != OPJ_FALSE;
    std::unique_ptr<opj_image_t, image_deleter> image(read);
    if (!is_read || !image)
        throw decode_error("no JPEG 2000 stream: " + message);
    check_image(*image, frame.image);
    frame.photometric = find_photometric(codec.get(), frame.image.photometric);
    const bool is_decoded = opj_decode(codec.get(), stream.get(), image.get()) != OPJ_FALSE &&
                            opj_end_decompress(codec.get(), stream.get()) != OPJ_FALSE;
    if (!is_decoded || !message.empty())
        throw decode_error("JPEG 2000: " + (message.empty() ? std::string("the stream cannot be decoded") : message));
    check_image(*image, frame.image); /* the buffers are those that were said */
    for (unsigned i = 0; i < image->numcomps; i++)
        if (image->comps[i].data == nullptr)
            throw decode_error("JPEG 2000: a component has no samples");
    make_room(frame);
    store(*image, bytes_per_sample(frame.image), frame.pixels);
}
