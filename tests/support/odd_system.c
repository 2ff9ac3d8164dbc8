/*
 * odd_system - makes a system odd, for a program that is run with this library in LD_PRELOAD.
 *
 *   ODD_READ_BYTES_PER_S  reading from files is no faster than that
 *   ODD_JUMP_AFTER_MS     so long after the program's start the wall clock jumps
 *   ODD_JUMP_S            by so many seconds; negative is back
 *   ODD_LOOKUP_MS         looking up a host name takes so long, and then fails
 */
#undef _FILE_OFFSET_BITS /* pread is pread here, and pread64 another */
#include <dlfcn.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static long long number_of(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? atoll(text) : 0;
}

/* The function that this one stands before. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void take_time(int fd, ssize_t len)
{
    struct stat status;
    long long rate = number_of("ODD_READ_BYTES_PER_S");
    if (rate > 0 && len > 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        usleep((useconds_t)(len * 1000000 / rate));
}

ssize_t pread(int fd, void *bytes, size_t len, off_t at)
{
    ssize_t got = NEXT(pread)(fd, bytes, len, at);
    take_time(fd, got);
    return got;
}

ssize_t pread64(int fd, void *bytes, size_t len, off64_t at)
{
    ssize_t got = NEXT(pread64)(fd, bytes, len, at);
    take_time(fd, got);
    return got;
}

ssize_t preadv(int fd, const struct iovec *parts, int count, off_t at)
{
    ssize_t got = NEXT(preadv)(fd, parts, count, at);
    take_time(fd, got);
    return got;
}

ssize_t preadv64(int fd, const struct iovec *parts, int count, off64_t at)
{
    ssize_t got = NEXT(preadv64)(fd, parts, count, at);
    take_time(fd, got);
    return got;
}

static int64_t milliseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    static int64_t begun_ms;
    struct timespec now;
    int result = NEXT(clock_gettime)(id, ret_time);
    if (result != 0 || getenv("ODD_JUMP_AFTER_MS") == NULL || NEXT(clock_gettime)(CLOCK_MONOTONIC, &now) != 0)
        return result;
    if (begun_ms == 0)
        begun_ms = milliseconds(&now);
    if (id == CLOCK_REALTIME && milliseconds(&now) - begun_ms >= number_of("ODD_JUMP_AFTER_MS"))
        ret_time->tv_sec += (time_t)number_of("ODD_JUMP_S");
    return 0;
}

int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict ret_list)
{
    if (getenv("ODD_LOOKUP_MS") == NULL)
        return NEXT(getaddrinfo)(host, service, hints, ret_list);
    usleep((useconds_t)(number_of("ODD_LOOKUP_MS") * 1000));
    return EAI_AGAIN;
}
