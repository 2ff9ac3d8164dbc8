/* fragments - the bytes of a frame, out of the items of an encapsulated Pixel Data (PS3.5 A.4) in a file. */
#ifndef FRAGMENTS_H
#define FRAGMENTS_H

#include <cstdint>
#include <vector>

/*
 * The values of the items that lie from `begin` to exactly `end` in the file, one behind the other. A decode_error if
 * they are no items, cannot be read, or are more than FRAGMENTS_LEN_MAX.
 */
std::vector<uint8_t> read_fragments(int fd, uint64_t begin, uint64_t end);

/* More than any frame that is decoded here has uncompressed. */
enum : uint64_t { FRAGMENTS_LEN_MAX = uint64_t(2) << 30 };

#endif
