/* jpeg - JPEG baseline, extended and lossless (ISO/IEC 10918-1), by DCMTK's three builds of IJG's decoder. */
#include "codec.h"
#include "jpeg_header.h"
#include "library_log.h"

#include <memory>

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>

enum { SOF_LOSSLESS = 0xc3 };

/*
 * The colours come out as they are in the stream, brought to full resolution: converting YCbCr to RGB rounds. So what
 * was YBR_FULL_422 is YBR_FULL then (PS3.3 C.7.6.3.1.2), and a stream that says that its colours are others than the
 * data set says is a contradiction.
 */
static std::string find_photometric(const jpeg_header &header, const std::string &said)
{
    if (header.components == 1)
        return said;
    if (said != "RGB" && said != "YBR_FULL" && said != "YBR_FULL_422")
        throw decode_error("a JPEG stream of " + std::to_string(header.components) +
                           " components cannot be of Photometric Interpretation " + said);
    if (said == "RGB" && header.colour == jpeg_colour::transformed)
        throw decode_error("the stream says that its colours are YCbCr, the data set says RGB");
    if (said != "RGB" && header.colour == jpeg_colour::plain)
        throw decode_error("the stream says that its colours are RGB, the data set says " + said);
    return said == "RGB" ? said : "YBR_FULL";
}

static std::unique_ptr<DJDecoder> make_decoder(unsigned precision, const DJCodecParameter &parameters)
{
    if (precision <= 8)
        return std::make_unique<DJDecompressIJG8Bit>(parameters, OFFalse);
    if (precision <= 12)
        return std::make_unique<DJDecompressIJG12Bit>(parameters, OFFalse);
    return std::make_unique<DJDecompressIJG16Bit>(parameters, OFFalse);
}

void decode_jpeg(frame &frame)
{
    static const DJCodecParameter parameters(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel);
    jpeg_header header = read_jpeg_header(frame.stream);
    check_jpeg_header(header, frame.image);
    check_jpeg_scans(frame.stream, header);
    if (header.precision > 16)
        throw decode_error("a JPEG stream of more than 16 bits a sample");
    if (header.process == SOF_LOSSLESS && header.colour == jpeg_colour::transformed && !header.adobe)
        header.colour = jpeg_colour::unsaid; /* a JFIF header in front of a lossless stream says nothing */
    frame.photometric = find_photometric(header, frame.image.photometric);

    make_room(frame);
    std::unique_ptr<DJDecoder> decoder = make_decoder(header.precision, parameters);
    const size_t samples = size_t(frame.image.rows) * frame.image.columns * frame.image.samples;
    const unsigned decoded_size = header.precision <= 8 ? 1 : 2;
    library_log_clear();
    OFCondition result = decoder->init();
    if (result.good())
        result = decoder->decode(const_cast<uint8_t *>(frame.stream.data()), Uint32(frame.stream.size()),
                                 frame.pixels.data(), Uint32(samples * decoded_size), frame.image.is_signed != 0);
    const std::string damage = library_log_damage();
    if (result.bad())
        throw decode_error(result == EJ_Suspension ? "the JPEG stream ends too early" : result.text());
    if (!damage.empty())
        throw decode_error(damage);
    lay_out(frame, decoded_size, header.precision);
}
