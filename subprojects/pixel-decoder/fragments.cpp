/* fragments - see fragments.h. */
#include "fragments.h"

#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "codec.h"

enum { ITEM_HEADER_LEN = 8 };

static void read_all(int fd, uint8_t *to, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t got = pread(fd, to, len, off_t(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw decode_error(std::string("the file cannot be read: ") + strerror(errno));
        if (got == 0)
            throw decode_error("the file ends inside the frame");
        to += got;
        len -= size_t(got);
        offset += uint64_t(got);
    }
}

std::vector<uint8_t> read_fragments(int fd, uint64_t begin, uint64_t end)
{
    static const uint8_t item_tag[] = {0xfe, 0xff, 0x00, 0xe0};
    std::vector<uint8_t> bytes;
    if (begin > end || end - begin > FRAGMENTS_LEN_MAX)
        throw decode_error("the frame's fragments are too long");
    bytes.reserve(size_t(end - begin));
    while (begin < end) {
        uint8_t header[ITEM_HEADER_LEN];
        if (end - begin < sizeof header)
            throw decode_error("a fragment is cut off");
        read_all(fd, header, sizeof header, begin);
        begin += sizeof header;
        const uint32_t len =
            uint32_t(header[4]) | uint32_t(header[5]) << 8 | uint32_t(header[6]) << 16 | uint32_t(header[7]) << 24;
        if (memcmp(header, item_tag, sizeof item_tag) != 0 || len > end - begin)
            throw decode_error("what should be a fragment is none");
        const size_t had = bytes.size();
        bytes.resize(had + len);
        read_all(fd, bytes.data() + had, len, begin);
        begin += len;
    }
    return bytes;
}
