/*
 * failing_calls - makes the k-th call of a kind fail, in a program that is run with this library in LD_PRELOAD.
 *
 * FAILING_CALL names the kind, FAILING_AT says which call fails (1 is the first; all others go through), and the file
 * FAILING_MARK is made when that has happened. At the end the number of calls is written to FAILING_COUNT. Reading,
 * writing, closing and fsync count for files, folders and sockets alone: an eventfd or a pipe within the process does
 * not fail so.
 *
 *   malloc  ENOMEM   malloc and its relatives, so new too
 *   open    EMFILE   whatever makes a descriptor
 *   read    EIO, of a socket ECONNRESET
 *   write   ENOSPC, of a socket EPIPE
 *   close   EIO      (it is closed all the same)
 *   fsync, stat, rename   EIO
 *   thread  EAGAIN
 */
#undef _FILE_OFFSET_BITS /* open is open here, and open64 another */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *kind;
static unsigned long fail_at;
static atomic_ulong calls;

/* Environment is read without allocating, before the program's own code runs. */
__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FAILING_AT");
    fail_at = at != NULL ? strtoul(at, NULL, 10) : 0;
    kind = getenv("FAILING_CALL");
}

__attribute__((destructor)) static void end(void)
{
    char text[24];
    const char *path = getenv("FAILING_COUNT");
    int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, 0600) : -1;
    int len = snprintf(text, sizeof text, "%lu", atomic_load(&calls));
    if (fd >= 0)
        (void)!syscall(SYS_write, fd, text, len);
}

/* True if this call is the one that fails. */
static bool fails(const char *its_kind)
{
    if (kind == NULL || strcmp(kind, its_kind) != 0 || atomic_fetch_add(&calls, 1) + 1 != fail_at)
        return false;
    const char *mark = getenv("FAILING_MARK");
    if (mark != NULL)
        syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    return true;
}

/* The error of a call on this descriptor that fails: that of a file or of a socket; 0 if it goes through. */
static int error_on(const char *its_kind, int fd, int file_error, int socket_error)
{
    struct stat status;
    if (kind == NULL || strcmp(kind, its_kind) != 0 || syscall(SYS_fstat, fd, &status) != 0)
        return 0;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISSOCK(status.st_mode))
        return 0;
    return !fails(its_kind) ? 0 : S_ISSOCK(status.st_mode) ? socket_error : file_error;
}

/* The function that this one stands before. */
#define NEXT(name) ((__typeof__(&name))next_of(#name))

static void *next_of(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

#define FAIL_IF(condition, error_)                                                                                     \
    do {                                                                                                               \
        if (condition) {                                                                                               \
            errno = (error_);                                                                                          \
            return -1;                                                                                                 \
        }                                                                                                              \
    } while (0)

/* ---- memory: glibc's own are called by their other names, as dlsym itself allocates ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    if (fails("malloc")) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (fails("malloc")) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (fails("malloc")) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(old, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
    if (fails("malloc"))
        return ENOMEM;
    *ret_memory = __libc_memalign(alignment, size);
    return *ret_memory != NULL ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    void *memory = NULL;
    errno = posix_memalign(&memory, alignment, size);
    return memory;
}

/* ---- descriptors ---- */

#define OPEN_LIKE(name, parameters, arguments)                                                                         \
    int name parameters                                                                                                \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = va_arg(rest, mode_t);                                                                            \
        va_end(rest);                                                                                                  \
        FAIL_IF(fails("open"), EMFILE);                                                                                \
        return NEXT(name) arguments;                                                                                   \
    }
OPEN_LIKE(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN_LIKE(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPEN_LIKE(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN_LIKE(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))

#define PASS(kind_, error_, type, name, parameters, arguments)                                                         \
    type name parameters                                                                                               \
    {                                                                                                                  \
        FAIL_IF(fails(kind_), error_);                                                                                 \
        return NEXT(name) arguments;                                                                                   \
    }
PASS("open", EMFILE, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
PASS("open", EMFILE, int, accept4, (int fd, struct sockaddr *address, socklen_t *len, int flags),
     (fd, address, len, flags))
PASS("open", EMFILE, int, epoll_create1, (int flags), (flags))
PASS("open", EMFILE, int, eventfd, (unsigned start, int flags), (start, flags))
PASS("open", EMFILE, int, pipe2, (int ends[2], int flags), (ends, flags))

/* ---- bytes ---- */

#define ON_FD(kind_, file_error_, socket_error_, type, name, parameters, arguments)                                    \
    type name parameters                                                                                               \
    {                                                                                                                  \
        int error = error_on(kind_, fd, file_error_, socket_error_);                                                   \
        FAIL_IF(error != 0, error);                                                                                    \
        return NEXT(name) arguments;                                                                                   \
    }
ON_FD("read", EIO, ECONNRESET, ssize_t, read, (int fd, void *bytes, size_t len), (fd, bytes, len))
ON_FD("read", EIO, ECONNRESET, ssize_t, pread, (int fd, void *bytes, size_t len, off_t at), (fd, bytes, len, at))
ON_FD("read", EIO, ECONNRESET, ssize_t, pread64, (int fd, void *bytes, size_t len, off64_t at), (fd, bytes, len, at))
ON_FD("read", EIO, ECONNRESET, ssize_t, preadv, (int fd, const struct iovec *parts, int count, off_t at),
      (fd, parts, count, at))
ON_FD("read", EIO, ECONNRESET, ssize_t, preadv64, (int fd, const struct iovec *parts, int count, off64_t at),
      (fd, parts, count, at))
ON_FD("read", EIO, ECONNRESET, ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
ON_FD("write", ENOSPC, EPIPE, ssize_t, write, (int fd, const void *bytes, size_t len), (fd, bytes, len))
ON_FD("write", ENOSPC, EPIPE, ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
ON_FD("write", ENOSPC, EPIPE, ssize_t, pwrite, (int fd, const void *bytes, size_t len, off_t at), (fd, bytes, len, at))
ON_FD("write", ENOSPC, EPIPE, ssize_t, pwrite64, (int fd, const void *bytes, size_t len, off64_t at),
      (fd, bytes, len, at))
ON_FD("write", ENOSPC, EPIPE, ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
ON_FD("fsync", EIO, EIO, int, fsync, (int fd), (fd))
ON_FD("fsync", EIO, EIO, int, fdatasync, (int fd), (fd))

int close(int fd)
{
    int error = error_on("close", fd, EIO, EIO);
    int result = NEXT(close)(fd);
    FAIL_IF(error != 0, error);
    return result;
}

/* ---- names ---- */

PASS("stat", EIO, int, stat, (const char *path, struct stat *status), (path, status))
PASS("stat", EIO, int, lstat, (const char *path, struct stat *status), (path, status))
PASS("stat", EIO, int, fstat, (int fd, struct stat *status), (fd, status))
PASS("stat", EIO, int, fstatat, (int folder, const char *path, struct stat *status, int flags),
     (folder, path, status, flags))
PASS("stat", EIO, int, stat64, (const char *path, struct stat64 *status), (path, status))
PASS("stat", EIO, int, lstat64, (const char *path, struct stat64 *status), (path, status))
PASS("stat", EIO, int, fstat64, (int fd, struct stat64 *status), (fd, status))
PASS("stat", EIO, int, fstatat64, (int folder, const char *path, struct stat64 *status, int flags),
     (folder, path, status, flags))
PASS("rename", EIO, int, rename, (const char *from, const char *to), (from, to))
PASS("rename", EIO, int, renameat, (int from_folder, const char *from, int to_folder, const char *to),
     (from_folder, from, to_folder, to))
PASS("rename", EIO, int, renameat2, (int from_folder, const char *from, int to_folder, const char *to, unsigned flags),
     (from_folder, from, to_folder, to, flags))
PASS("rename", EIO, int, linkat, (int from_folder, const char *from, int to_folder, const char *to, int flags),
     (from_folder, from, to_folder, to, flags))

/* ---- threads ---- */

int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    return fails("thread") ? EAGAIN : NEXT(pthread_create)(ret_thread, attributes, run, argument);
}
