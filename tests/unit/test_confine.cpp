/* What dicom-decoder gives up is gone: each way out of the process is tried behind it. A plain program. */
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine.h"

static int failures;

static void expect_refused(const char *what, long result, int error)
{
    if (result >= 0 || error != EPERM) {
        failures++;
        fprintf(stderr, "%s: %ld, %s\n", what, result, strerror(error));
    }
}

#define EXPECT_REFUSED(call)                                                                                           \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        long result = long(call);                                                                                      \
        expect_refused(#call, result, errno);                                                                          \
    } while (0)

int main()
{
    const rlimit more = {100, 100};
    char *const arguments[] = {nullptr};
    signal(SIGXFSZ, SIG_IGN); /* what is printed may go to a file, which may not grow any more */
    if (!confine()) {
        fprintf(stderr, "a limit could not be set\n");
        return 1;
    }
    rlimit files;
    if (dup(STDERR_FILENO) != 3 || dup(STDERR_FILENO) >= 0 || errno != EMFILE) {
        failures++;
        fprintf(stderr, "one descriptor more than the three, and no other\n");
    }
    close(3);
#if defined(__x86_64__) || defined(__aarch64__)
    EXPECT_REFUSED(open("/etc/passwd", O_RDONLY));
    EXPECT_REFUSED(open("/tmp/written", O_WRONLY | O_CREAT, 0600));
    EXPECT_REFUSED(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_REFUSED(fork());
    EXPECT_REFUSED(execv("/bin/true", arguments));
    EXPECT_REFUSED(kill(getppid(), 0));
    EXPECT_REFUSED(ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr));
    EXPECT_REFUSED(unlink("/tmp/written"));
    EXPECT_REFUSED(setrlimit(RLIMIT_NOFILE, &more));
    EXPECT_REFUSED(getrlimit(RLIMIT_NOFILE, &files)); /* the same call as changing those of others */
#endif
    printf("%d failures\n", failures);
    fflush(stdout);
    _exit(failures == 0 ? 0 : 1);
}
