/*
 * expect - checks for programs that run under ThreadSanitizer, where Criterion cannot: what fails is printed, and the
 * exit code says so. A program that hangs is ended by its alarm.
 */
#ifndef THREADS_EXPECT_H
#define THREADS_EXPECT_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int expect_failures;

#define EXPECT(condition, ...)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            expect_failures++;                                                                                         \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                                            \
            fprintf(stderr, __VA_ARGS__);                                                                              \
            fputc('\n', stderr);                                                                                       \
        }                                                                                                              \
    } while (0)

#define REQUIRE(condition, ...)                                                                                        \
    do {                                                                                                               \
        EXPECT(condition, __VA_ARGS__);                                                                                \
        if (expect_failures > 0)                                                                                       \
            exit(1);                                                                                                   \
    } while (0)

static inline void expect_begin(unsigned patience_s)
{
    signal(SIGPIPE, SIG_IGN); /* as the programs do: a peer may be gone when the next byte is written */
    alarm(patience_s);
}

/* The exit code of the program. */
static inline int expect_end(void)
{
    if (expect_failures > 0)
        fprintf(stderr, "%d checks failed\n", expect_failures);
    return expect_failures > 0 ? 1 : 0;
}

#endif
