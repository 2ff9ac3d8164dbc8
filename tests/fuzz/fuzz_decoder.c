/*
 * fuzz_decoder - the two kinds of stranger in front of the decoder's process: what it answers, and which fragments of a
 * file are which frame. Nothing crashes or hangs; an answer that is taken is one of the protocol, with the pixels that
 * came; frames lie inside the file, one behind the other.
 *
 * Input: 1 byte, even or odd. Even: 1 byte n; then what the process answers to a request for a frame of n bytes. Odd: a
 * data set in Explicit VR Little Endian.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "files/decoder_link.h"
#include "files/pixel_frames.h"
#include "files/pixel_header.h"
#include "fuzz.h"

enum { ANSWER_MAX = 16 * 1024, FRAMES_MAX = 1000 };

static void check_text(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);
    FUZZ_CHECK(end != NULL);
    for (; text < end; text++)
        FUZZ_CHECK(*text >= ' ' && *text <= '~');
}

static void hear(struct fuzz_input input)
{
    uint8_t pixels[256];
    size_t frame_len = fuzz_take_u8(&input) % sizeof pixels;
    struct decoder_response response;
    const char *detail;
    int ends[2];
    if (input.len > ANSWER_MAX)
        return;
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    FUZZ_CHECK(send(ends[1], input.data, input.len, 0) == (ssize_t)input.len);
    close(ends[1]);
    const struct decoder_link link = {.fd = ends[0]};
    enum decoder_link_result result = decoder_link_hear(&link, pixels, frame_len, 1000, &response, &detail);
    FUZZ_CHECK(result != DECODER_LINK_TIMEOUT);
    FUZZ_CHECK((result == DECODER_LINK_BROKEN) == (detail != NULL));
    if (result == DECODER_LINK_OK) {
        size_t pixels_len = response.status == DECODER_OK ? frame_len : 0;
        FUZZ_CHECK(response.magic == DECODER_MAGIC && response.frame_len == pixels_len);
        FUZZ_CHECK(response.status == DECODER_OK || response.status == DECODER_FAILED);
        FUZZ_CHECK(input.len == sizeof response + pixels_len);
        FUZZ_CHECK(pixels_len == 0 || memcmp(pixels, input.data + sizeof response, pixels_len) == 0);
        check_text(response.photometric, sizeof response.photometric);
        check_text(response.text, sizeof response.text);
    } else if (result == DECODER_LINK_ENDED) {
        FUZZ_CHECK(input.len < sizeof response + frame_len);
    }
    close(ends[0]);
}

static void find_frames(int fd, uint64_t size, const struct pixel_header *header)
{
    struct pixel_frames frames;
    char text[256] = "";
    int result = pixel_frames_open(&frames, fd, size, header, text, sizeof text);
    FUZZ_CHECK(result != DICOMNET_ERROR_SOURCE_UNDECODABLE || text[0] != '\0');
    if (result < 0)
        return;
    uint64_t expected = frames.begin;
    for (uint32_t i = 0; i < frames.count && i < FRAMES_MAX; i++) {
        uint64_t begin, end;
        FUZZ_CHECK(pixel_frames_next(&frames, &begin, &end) == 0);
        FUZZ_CHECK(begin == expected && end >= begin + 8 && end <= size);
        expected = end;
    }
    FUZZ_CHECK(frames.count > FRAMES_MAX || expected == frames.end);
}

static void read_header(struct fuzz_input input)
{
    static int fd = -1;
    struct pixel_header header;
    char text[256] = "";
    if (fd < 0)
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
    FUZZ_CHECK(pwrite(fd, input.data, input.len, 0) == (ssize_t)input.len);
    int result = pixel_header_read(&header, fd, 0, input.len, "1.2.840.10008.1.2.5", text, sizeof text);
    FUZZ_CHECK(result == 0 || (result == DICOMNET_ERROR_SOURCE_UNDECODABLE && text[0] != '\0'));
    if (result < 0 || !header.has_pixels)
        return;
    const struct decoder_image *image = &header.image;
    uint64_t frame_len = (uint64_t)image->rows * image->columns * image->samples * (image->bits_allocated / 8U);
    FUZZ_CHECK(header.frame_len == frame_len && frame_len > 0 && frame_len <= PIXEL_FRAME_LEN_MAX);
    FUZZ_CHECK(header.pixels_len % 2 == 0 && header.pixels_len - frame_len * header.frame_count <= 1);
    check_text(image->syntax_uid, sizeof image->syntax_uid);
    FUZZ_CHECK(memchr(image->photometric, '\0', sizeof image->photometric) != NULL);
    find_frames(fd, input.len, &header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.data = data, .len = size};
    if (fuzz_take_u8(&input) % 2 == 0)
        hear(input);
    else
        read_header(input);
    return 0;
}
