/* decoder_link - see decoder_link.h. */
#include "files/decoder_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { GRACE_MS = 200, STEP_MS = 5 };

/* ---- the process ---- */

/* Its standard input is the socket, and there is nothing else: no descriptor, no blocked signal, no terminal's group.
 */
static int set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int socket_fd)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_adddup2(actions, socket_fd, STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    if (error == 0)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0)
        error = posix_spawnattr_setpgroup(attributes, 0); /* Ctrl-C is for the program that asks */
    if (error == 0)
        error = posix_spawnattr_setflags(attributes,
                                         POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return error;
}

static int spawn(const char *program, int socket_fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char name[] = "dicom-decoder";
    char *const arguments[] = {name, NULL};
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = set_up(&actions, &attributes, socket_fd);
        if (error == 0)
            error = posix_spawn(ret_pid, program, &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

bool decoder_link_start(struct decoder_link *link, const char *program, int *ret_error)
{
    int ends[2];
    link->fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        *ret_error = errno;
        return false;
    }
    *ret_error = spawn(program, ends[1], &link->pid);
    close(ends[1]);
    if (*ret_error == 0)
        link->fd = ends[0];
    else
        close(ends[0]);
    return *ret_error == 0;
}

int decoder_link_end(struct decoder_link *link, bool is_ending)
{
    int status;
    pid_t reaped = 0;
    close(link->fd);
    link->fd = -1;
    for (unsigned waited_ms = 0; is_ending && reaped == 0 && waited_ms < GRACE_MS; waited_ms += STEP_MS) {
        reaped = waitpid(link->pid, &status, WNOHANG);
        if (reaped == 0)
            (void)poll(NULL, 0, STEP_MS);
    }
    if (reaped == 0)
        kill(link->pid, SIGKILL);
    while (reaped == 0 || (reaped < 0 && errno == EINTR))
        reaped = waitpid(link->pid, &status, 0);
    return reaped < 0 ? -1 : status;
}

/* ---- asking ---- */

bool decoder_link_is_idle(const struct decoder_link *link)
{
    char byte;
    return recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool decoder_link_ask(const struct decoder_link *link, const struct decoder_request *request, int file_fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct decoder_request copy = *request;
    struct iovec part = {.iov_base = &copy, .iov_len = sizeof copy};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &file_fd, sizeof file_fd);
    /* It waits for requests, so there is room for one; a process that does not read is no reason to wait. */
    return sendmsg(link->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof copy;
}

/* ---- hearing ---- */

/* Exactly `len` bytes, before the monotonic time `until_ms`. */
static enum decoder_link_result receive(const struct decoder_link *link, void *bytes, size_t len, uint64_t until_ms)
{
    uint8_t *to = bytes;
    while (len > 0) {
        ssize_t got = recv(link->fd, to, len, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            return DECODER_LINK_ENDED;
        if (got > 0) {
            to += got;
            len -= (size_t)got;
            continue;
        }
        uint64_t now_ms = clock_monotonic_us() / 1000;
        if (now_ms >= until_ms)
            return DECODER_LINK_TIMEOUT;
        struct pollfd wanted = {.fd = link->fd, .events = POLLIN};
        (void)poll(&wanted, 1, (int)(until_ms - now_ms));
    }
    return DECODER_LINK_OK;
}

/* True if it is printable ASCII that ends within the `size` bytes. */
static bool is_text(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);
    if (end == NULL)
        return false;
    for (; text < end; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

/* What is wrong with a response, or NULL. */
static const char *find_problem(const struct decoder_response *response, size_t frame_len)
{
    if (response->magic != DECODER_MAGIC)
        return "its answer is none of this protocol";
    if (response->status != DECODER_OK && response->status != DECODER_FAILED)
        return "its answer has a status that does not exist";
    if (!is_text(response->photometric, sizeof response->photometric) ||
        !is_text(response->text, sizeof response->text))
        return "its answer holds a text that is none";
    if (response->frame_len != (response->status == DECODER_OK ? frame_len : 0))
        return "its answer has a frame of another size";
    if (response->status == DECODER_OK && response->photometric[0] == '\0')
        return "its answer has no Photometric Interpretation";
    return NULL;
}

enum decoder_link_result decoder_link_hear(const struct decoder_link *link, uint8_t *pixels, size_t frame_len,
                                           unsigned timeout_ms, struct decoder_response *ret_response,
                                           const char **ret_detail)
{
    uint64_t until_ms = clock_monotonic_us() / 1000 + timeout_ms;
    *ret_detail = NULL;
    enum decoder_link_result result = receive(link, ret_response, sizeof *ret_response, until_ms);
    if (result != DECODER_LINK_OK)
        return result;
    *ret_detail = find_problem(ret_response, frame_len);
    if (*ret_detail != NULL)
        return DECODER_LINK_BROKEN;
    result = ret_response->status == DECODER_OK ? receive(link, pixels, frame_len, until_ms) : DECODER_LINK_OK;
    if (result != DECODER_LINK_OK || decoder_link_is_idle(link))
        return result;
    /* An end that comes here came after a whole frame: it is seen when the next one is asked for. */
    char byte;
    if (recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        return result;
    *ret_detail = "it said more than it was asked for";
    return DECODER_LINK_BROKEN;
}
