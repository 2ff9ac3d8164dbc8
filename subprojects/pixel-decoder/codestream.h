/*
 * codestream - a JPEG 2000 codestream (ISO/IEC 15444-1 Annex A) as OpenJPEG is to see it: out of a JP2 file, if it is
 * in one, and with all of its tile-parts. OpenJPEG takes a tile that is not there for a black one.
 */
#ifndef CODESTREAM_H
#define CODESTREAM_H

#include <cstdint>
#include <vector>

/*
 * The codestream of the frame. One that ends behind its last tile-part without EOC gets it. A decode_error if there is
 * no codestream, or if a tile or one of its parts is missing; what else is wrong with it, OpenJPEG says.
 */
std::vector<uint8_t> find_codestream(const std::vector<uint8_t> &stream);

#endif
