/* decoder_main - see decoder_main.h; the protocol is decoder_protocol.h. */
#include "decoder_main.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec.h"
#include "confine.h"
#include "fragments.h"
#include "library_log.h"

/* The client is less patient. This ends a process that hangs when its client is there no more. */
enum { SOCKET = STDIN_FILENO, FRAME_SECONDS = 300 };

static const struct {
    const char *uid;
    void (*decode)(frame &frame);
} codecs[] = {
    {"1.2.840.10008.1.2.4.50", decode_jpeg},       {"1.2.840.10008.1.2.4.51", decode_jpeg},
    {"1.2.840.10008.1.2.4.57", decode_jpeg},       {"1.2.840.10008.1.2.4.70", decode_jpeg},
    {"1.2.840.10008.1.2.4.80", decode_jpeg_ls},    {"1.2.840.10008.1.2.4.81", decode_jpeg_ls},
    {"1.2.840.10008.1.2.4.90", decode_jpeg_2000},  {"1.2.840.10008.1.2.4.91", decode_jpeg_2000},
    {"1.2.840.10008.1.2.4.201", decode_jpeg_2000}, {"1.2.840.10008.1.2.4.202", decode_jpeg_2000},
    {"1.2.840.10008.1.2.4.203", decode_jpeg_2000}, {"1.2.840.10008.1.2.5", decode_rle},
};

/* A request and its descriptor. False at the end, and for what is none. */
static bool receive(decoder_request &request, int &fd, bool &ended)
{
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec part = {&request, sizeof request};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got;
    do
        got = recvmsg(SOCKET, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    while (got < 0 && errno == EINTR);
    ended = got == 0;
    fd = -1;
    const cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    decoder_image &image = request.image;
    image.photometric[sizeof image.photometric - 1] = image.syntax_uid[sizeof image.syntax_uid - 1] = '\0';
    return got == ssize_t(sizeof request) && request.magic == DECODER_MAGIC && fd >= 0;
}

static bool send_all(const void *bytes, size_t len)
{
    const char *from = static_cast<const char *>(bytes);
    while (len > 0) {
        ssize_t sent = send(SOCKET, from, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        from += sent;
        len -= size_t(sent);
    }
    return true;
}

/* What every codec takes for granted. */
static void check_image(const decoder_request &request)
{
    const decoder_image &image = request.image;
    const unsigned bits = image.bits_allocated;
    if (bits != 8 && bits != 16 && bits != 32)
        throw decode_error("frames of " + std::to_string(bits) + " bits allocated are not decoded");
    if (image.rows == 0 || image.columns == 0 || (image.samples != 1 && image.samples != 3) || image.is_signed > 1)
        throw decode_error("no image has these rows, columns, samples per pixel or pixel representation");
    if (request.frame_len != uint64_t(image.rows) * image.columns * image.samples * (bits / 8))
        throw decode_error("the frame's length is not what rows, columns and bits allocated make");
}

static void decode(const decoder_request &request, int fd, std::vector<uint8_t> &pixels, std::string &photometric)
{
    check_image(request);
    for (const auto &codec : codecs) {
        if (strcmp(codec.uid, request.image.syntax_uid) != 0)
            continue;
        const std::vector<uint8_t> stream = read_fragments(fd, request.items_begin, request.items_end);
        frame frame = {request.image, stream, pixels, request.image.photometric};
        codec.decode(frame);
        photometric = frame.photometric;
        return;
    }
    throw decode_error("no codec for this transfer syntax");
}

/* A library's words, as one line of printable ASCII. */
static void put_text(decoder_response &response, const char *text)
{
    size_t len = 0;
    for (; *text != '\0' && len + 1 < sizeof response.text; text++)
        response.text[len++] = *text >= ' ' && *text <= '~' ? *text : ' ';
    while (len > 0 && response.text[len - 1] == ' ')
        len--;
    response.text[len] = '\0';
}

static bool answer(const decoder_request &request, int fd)
{
    decoder_response response = {};
    response.magic = DECODER_MAGIC;
    response.status = DECODER_FAILED;
    std::vector<uint8_t> pixels;
    try {
        std::string photometric;
        alarm(FRAME_SECONDS);
        decode(request, fd, pixels, photometric);
        response.status = DECODER_OK;
        response.frame_len = pixels.size();
        photometric.copy(response.photometric, sizeof response.photometric - 1);
    } catch (const std::bad_alloc &) {
        put_text(response, "not enough memory to decode the frame");
    } catch (const std::exception &error) {
        put_text(response, error.what());
    }
    alarm(0);
    close(fd);
    return send_all(&response, sizeof response) &&
           (response.status != DECODER_OK || send_all(pixels.data(), pixels.size()));
}

int decoder_main(void)
{
    unsetenv("OPJ_NUM_THREADS"); /* a process is one thread */
    library_log_begin();
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || !confine())
        return 1;
    for (;;) {
        decoder_request request = {};
        int fd;
        bool ended;
        if (!receive(request, fd, ended))
            return ended ? 0 : 1;
        if (!answer(request, fd))
            return 1;
    }
}
