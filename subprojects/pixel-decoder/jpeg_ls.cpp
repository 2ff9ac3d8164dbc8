/* jpeg_ls - JPEG-LS, lossless and near-lossless (ISO/IEC 14495-1), by DCMTK's dcmjpls, which is CharLS. */
#include "codec.h"
#include "jpeg_header.h"

#include <memory>

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcitem.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcvrcs.h>
#include <dcmtk/dcmdata/dcvrus.h>
#include <dcmtk/dcmjpls/djcodecd.h>
#include <dcmtk/dcmjpls/djcparam.h>

enum { SOF55 = 0xf7 };

static void check(const OFCondition &result)
{
    if (result.bad())
        throw decode_error(result.text());
}

static void put(DcmItem &item, const DcmTagKey &key, unsigned value)
{
    auto element = std::make_unique<DcmUnsignedShort>(DcmTag(key, EVR_US));
    check(element->putUint16(Uint16(value), 0));
    check(item.insert(element.release(), OFTrue));
}

static void put_fragment(DcmPixelSequence &sequence, const std::vector<uint8_t> &bytes)
{
    auto item = std::make_unique<DcmPixelItem>(DcmTag(DCM_PixelItemTag, EVR_OB));
    if (!bytes.empty())
        check(item->putUint8Array(bytes.data(), (unsigned long)bytes.size()));
    check(sequence.insert(item.release()));
}

/* The codec takes a data set: one with the frame alone, and with the depth that the stream has. */
void decode_jpeg_ls(frame &frame)
{
    static const DJLSCodecParameter parameters(EJLSUC_never, EJLSPC_colorByPixel);
    static const DJLSNearLosslessDecoder codec;
    const jpeg_header header = read_jpeg_header(frame.stream);
    check_jpeg_header(header, frame.image);
    if (header.process != SOF55)
        throw decode_error("the stream is JPEG, and not JPEG-LS as the transfer syntax says");
    const unsigned decoded_size = header.precision <= 8 ? 1 : 2;

    make_room(frame);
    DcmItem item;
    put(item, DCM_Rows, header.rows);
    put(item, DCM_Columns, header.columns);
    put(item, DCM_SamplesPerPixel, header.components);
    put(item, DCM_BitsAllocated, 8 * decoded_size);
    put(item, DCM_BitsStored, header.precision);
    auto photometric = std::make_unique<DcmCodeString>(DcmTag(DCM_PhotometricInterpretation, EVR_CS));
    check(photometric->putString(frame.image.photometric));
    check(item.insert(photometric.release(), OFTrue));
    DcmPixelSequence sequence(DcmTag(DCM_PixelData, EVR_OB));
    put_fragment(sequence, {});
    put_fragment(sequence, frame.stream);

    const size_t samples = size_t(frame.image.rows) * frame.image.columns * frame.image.samples;
    Uint32 fragment = 1;
    OFString colour;
    const DcmCodec &decoder = codec;
    OFCondition result = decoder.decodeFrame(nullptr, &sequence, &parameters, &item, 0, fragment, frame.pixels.data(),
                                             Uint32(samples * decoded_size), colour);
    check(result);
    if (frame.photometric == "YBR_FULL_422")
        throw decode_error("a JPEG-LS stream cannot be of Photometric Interpretation YBR_FULL_422");
    lay_out(frame, decoded_size, header.precision);
}
