/* codestream - see codestream.h. */
#include "codestream.h"

#include <algorithm>
#include <cstring>

#include "codec.h"

enum : unsigned { SOC = 0xff4f, SIZ = 0xff51, SOT = 0xff90, EOC = 0xffd9 };
enum : size_t { BOX_HEADER_LEN = 8, SIZ_LEN = 38, SOT_LEN = 12, TILES_MAX = 65535 };

static uint32_t get_u16(const uint8_t *p)
{
    return uint32_t(p[0]) << 8 | p[1];
}

static uint32_t get_u32(const uint8_t *p)
{
    return get_u16(p) << 16 | get_u16(p + 2);
}

/* Where the codestream begins: a JP2 file (Annex I) has it in the box "jp2c". PS3.5 A.4.4 wants it alone. */
static size_t find_begin(const std::vector<uint8_t> &stream)
{
    static const uint8_t signature[] = {0, 0, 0, 12, 'j', 'P', ' ', ' '};
    size_t at = 0;
    if (stream.size() < sizeof signature || memcmp(stream.data(), signature, sizeof signature) != 0)
        return 0;
    while (stream.size() - at >= BOX_HEADER_LEN) {
        const uint32_t len = get_u32(&stream[at]);
        if (memcmp(&stream[at + 4], "jp2c", 4) == 0)
            return at + (len == 1 ? 2 * BOX_HEADER_LEN : BOX_HEADER_LEN);
        if (len < BOX_HEADER_LEN || len > stream.size() - at)
            break;
        at += len;
    }
    throw decode_error("the JP2 file holds no JPEG 2000 codestream");
}

/* How many tiles the SIZ marker segment at `p` makes (B.3); 0 if that is none. */
static size_t count_tiles(const uint8_t *p)
{
    const uint64_t width = get_u32(p + 6), height = get_u32(p + 10);
    const uint64_t tile_width = get_u32(p + 22), tile_height = get_u32(p + 26);
    const uint64_t left = get_u32(p + 30), top = get_u32(p + 34);
    if (tile_width == 0 || tile_height == 0 || left >= width || top >= height)
        return 0;
    const uint64_t across = (width - left + tile_width - 1) / tile_width;
    const uint64_t down = (height - top + tile_height - 1) / tile_height;
    return across > TILES_MAX || down > TILES_MAX || across * down > TILES_MAX ? 0 : size_t(across * down);
}

namespace
{
struct tile {
    unsigned parts; /* that are there */
    unsigned said;  /* that there should be; 0 = nothing says */
};
} // namespace

/* Where the first tile-part begins, and the tiles; or nothing known of them, if the main header is not as it should be.
 */
static size_t read_main_header(const std::vector<uint8_t> &bytes, std::vector<tile> &tiles)
{
    size_t at = 2;
    while (bytes.size() - at >= 4) {
        const unsigned marker = get_u16(&bytes[at]);
        const size_t len = 2 + size_t(get_u16(&bytes[at + 2]));
        if (marker == SOT || len > bytes.size() - at)
            break;
        if (marker == SIZ && len >= SIZ_LEN)
            tiles.resize(count_tiles(&bytes[at]));
        at += len;
    }
    return at;
}

/* Count the tile-parts from the first on (A.4.2). Returns where they end, or 0 if nothing says so. */
static size_t count_parts(const std::vector<uint8_t> &bytes, size_t at, std::vector<tile> &tiles)
{
    while (bytes.size() - at >= SOT_LEN && get_u16(&bytes[at]) == SOT) {
        const uint32_t number = get_u16(&bytes[at + 4]), len = get_u32(&bytes[at + 6]);
        if (number >= tiles.size())
            throw decode_error("a tile-part belongs to no tile of the image");
        tiles[number].parts++;
        if (bytes[at + 11] != 0)
            tiles[number].said = bytes[at + 11];
        if (len < SOT_LEN || len > bytes.size() - at) /* up to the EOC; or cut, or wrong, which OpenJPEG says */
            return 0;
        at += len;
    }
    return at;
}

std::vector<uint8_t> find_codestream(const std::vector<uint8_t> &stream)
{
    const size_t begin = find_begin(stream);
    if (begin > stream.size() || stream.size() - begin < 4 || get_u16(&stream[begin]) != SOC)
        throw decode_error("the frame does not begin with a JPEG 2000 codestream");
    std::vector<uint8_t> bytes(stream.begin() + ptrdiff_t(begin), stream.end());
    std::vector<tile> tiles;
    const size_t first = read_main_header(bytes, tiles);
    if (tiles.empty())
        return bytes;
    const size_t end = count_parts(bytes, first, tiles);
    for (size_t i = 0; i < tiles.size(); i++) {
        if (tiles[i].parts == 0)
            throw decode_error("tile " + std::to_string(i) + " of " + std::to_string(tiles.size()) + " is missing");
        if (tiles[i].parts < tiles[i].said)
            throw decode_error("tile " + std::to_string(i) + " has " + std::to_string(tiles[i].parts) + " of its " +
                               std::to_string(tiles[i].said) + " parts");
    }
    const bool only_padding =
        std::all_of(bytes.begin() + ptrdiff_t(end), bytes.end(), [](uint8_t b) { return b == 0; });
    if (end != 0 && only_padding) {
        bytes.resize(end);
        bytes.insert(bytes.end(), {uint8_t(EOC >> 8), uint8_t(EOC & 0xff)});
    }
    return bytes;
}
