/*
 * measure - runs a command to its end and writes what it took: one line of JSON into a file.
 *
 * usage: measure FILE COMMAND [ARGUMENT...]
 *
 * A process inherits the peak memory of whoever started it until it has more of its own, so that the figure of a small
 * program started by an interpreter is the interpreter's. This one is smaller than all that it is used for.
 * The exit code is the command's.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    if (argc < 3) {
        fputs("usage: measure FILE COMMAND [ARGUMENT...]\n", stderr);
        return 1;
    }
    double begun_s = now_s();
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
        perror("measure");
        return 1;
    }
    double wall_s = now_s() - begun_s;
    FILE *out = fopen(argv[1], "w");
    if (out == NULL) {
        perror(argv[1]);
        return 1;
    }
    int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(out,
            "{\"wall_s\": %.6f, \"user_s\": %.6f, \"system_s\": %.6f, \"peak_bytes\": %lld, \"exit_code\": %d, "
            "\"switches\": %ld}\n",
            wall_s, seconds(usage.ru_utime), seconds(usage.ru_stime), (long long)usage.ru_maxrss * 1024, exit_code,
            usage.ru_nvcsw + usage.ru_nivcsw);
    return fclose(out) == 0 ? exit_code : 1;
}
