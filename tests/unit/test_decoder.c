/* The decoder process: it decodes; and whatever stands in its place, a frame fails with a reason and the next goes on.
 */
#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/decoder.h"
#include "rle_frame.h"

enum { SIDE = 4, FRAME_LEN = SIDE * SIDE };

static struct decoder_image image = RLE_FRAME_IMAGE(SIDE);

static int make_file(uint8_t value)
{
    int fd = rle_frame_file(SIDE, value);
    cr_assert_geq(fd, 0);
    return fd;
}

static struct decoder_job make_job(int fd, uint8_t *pixels)
{
    return (struct decoder_job){.fd = fd,
                                .items_begin = 0,
                                .items_end = RLE_FRAME_FILE_LEN,
                                .image = &image,
                                .pixels = pixels,
                                .frame_len = FRAME_LEN};
}

static struct decoder *make_decoder(const char *program, unsigned timeout_ms)
{
    struct decoder_options options = {.program = program, .frame_timeout_ms = timeout_ms};
    struct decoder *decoder = decoder_create(&options);
    cr_assert_not_null(decoder);
    return decoder;
}

static void expect_decoded(struct decoder *decoder, uint8_t value)
{
    uint8_t pixels[FRAME_LEN] = {0};
    int fd = make_file(value);
    struct decoder_job job = make_job(fd, pixels);
    cr_expect_eq(decoder_finish(decoder, &job), 0, "%s", job.text);
    cr_expect_str_eq(job.photometric, "MONOCHROME2");
    for (size_t i = 0; i < FRAME_LEN; i++)
        cr_assert_eq(pixels[i], value);
    close(fd);
}

/* The text that the frame fails with. */
static const char *expect_failed(struct decoder *decoder)
{
    static struct decoder_job job;
    uint8_t pixels[FRAME_LEN];
    int fd = make_file(1);
    job = make_job(fd, pixels);
    cr_expect_eq(decoder_finish(decoder, &job), DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_neq(job.text[0], '\0');
    close(fd);
    return job.text;
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* A program made of a line of shell. */
static void make_program(char path[], const char *line)
{
    strcpy(path, "/tmp/test-decoder-XXXXXX");
    int fd = mkstemp(path);
    cr_assert(dprintf(fd, "#!/bin/sh\n%s\n", line) > 0);
    cr_assert_eq(fchmod(fd, 0700), 0);
    cr_assert_eq(close(fd), 0);
}

Test(decoder, frames_of_one_process)
{
    unsigned before = count_descriptors();
    struct decoder *decoder = make_decoder(DECODER_PROGRAM, 0);
    for (unsigned value = 0; value < 20; value++)
        expect_decoded(decoder, (uint8_t)value);
    decoder_destroy(decoder);
    cr_expect_eq(count_descriptors(), before);
    cr_expect(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

Test(decoder, frames_begun_ahead_by_several_owners)
{
    enum { JOBS = 5 };
    struct decoder *decoder = make_decoder(DECODER_PROGRAM, 0);
    uint8_t pixels[JOBS][FRAME_LEN];
    struct decoder_job jobs[JOBS];
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i] = make_job(make_file((uint8_t)(10 + i)), pixels[i]);
        decoder_begin(decoder, &jobs[i]);
    }
    for (unsigned i = JOBS; i-- > 0;) {
        cr_expect_eq(decoder_finish(decoder, &jobs[i]), 0, "%s", jobs[i].text);
        cr_expect_eq(pixels[i][FRAME_LEN - 1], 10 + i);
    }
    decoder_begin(decoder, &jobs[0]);
    decoder_cancel(decoder, &jobs[0]);
    expect_decoded(decoder, 7);
    decoder_destroy(decoder);
}

Test(decoder, a_frame_that_is_none)
{
    struct decoder *decoder = make_decoder(DECODER_PROGRAM, 0);
    uint8_t pixels[FRAME_LEN];
    int fd = make_file(9);
    struct decoder_job job = make_job(fd, pixels);
    job.items_end += 100;
    cr_expect_eq(decoder_finish(decoder, &job), DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_str_eq(job.text, "the file ends inside the frame");
    struct decoder_image wide = image;
    wide.columns++;
    job = make_job(fd, pixels);
    job.image = &wide;
    cr_expect_eq(decoder_finish(decoder, &job), DICOMNET_ERROR_SOURCE_UNDECODABLE);
    struct decoder_image deep = image;
    deep.samples = 3;
    uint8_t more[3 * FRAME_LEN];
    job = make_job(fd, more);
    job.image = &deep;
    job.frame_len = sizeof more;
    cr_expect_eq(decoder_finish(decoder, &job), DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_str_eq(job.text, "the RLE header says 1 segments, the data set makes 3");
    expect_decoded(decoder, 9);
    close(fd);
    decoder_destroy(decoder);
}

/* Processes of which this one is the parent. */
static pid_t find_child(void)
{
    int pid = 0;
    FILE *list = fopen("/proc/thread-self/children", "r");
    if (list == NULL || fscanf(list, "%d", &pid) != 1)
        pid = 0;
    if (list != NULL)
        fclose(list);
    return pid;
}

Test(decoder, a_process_that_is_killed_makes_place_for_another)
{
    struct decoder *decoder = make_decoder(DECODER_PROGRAM, 0);
    expect_decoded(decoder, 3);
    pid_t pid = find_child();
    cr_assert_gt(pid, 0);
    cr_assert_eq(kill(pid, SIGKILL), 0);
    siginfo_t info;
    cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    expect_decoded(decoder, 4); /* it was idle: nothing is lost */
    cr_assert_eq(kill(find_child(), SIGSTOP), 0);
    uint8_t pixels[FRAME_LEN];
    struct decoder_job job = make_job(make_file(1), pixels);
    decoder_begin(decoder, &job);
    cr_assert_eq(kill(find_child(), SIGKILL), 0);
    cr_expect_eq(decoder_finish(decoder, &job), DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_str_eq(job.text, "the decoder was killed (signal 9)");
    expect_decoded(decoder, 5);
    decoder_destroy(decoder);
}

/* The line of /proc/PID/FILE that begins so, without runs of blanks; "" if there is none. */
static const char *find_line(pid_t pid, const char *file, const char *begin)
{
    static char line[256];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *lines = fopen(path, "r");
    cr_assert_not_null(lines);
    while (fgets(line, sizeof line, lines) != NULL && strncmp(line, begin, strlen(begin)) != 0)
        line[0] = '\0';
    fclose(lines);
    char *to = line;
    for (const char *from = line; *from != '\0'; from++)
        if (!strchr(" \t\n", *from) || (from[1] != '\0' && !strchr(" \t\n", from[1])))
            *to++ = strchr("\t\n", *from) ? ' ' : *from;
    *to = '\0';
    return line;
}

Test(decoder, what_its_process_may_do)
{
    struct decoder *decoder = make_decoder(DECODER_PROGRAM, 0);
    int kept = open("/dev/null", O_RDONLY); /* not close-on-exec, as a library might have it */
    expect_decoded(decoder, 3);
    pid_t pid = find_child();
    cr_expect_str_eq(find_line(pid, "limits", "Max open files"), "Max open files 4 4 files");
    cr_expect_str_eq(find_line(pid, "limits", "Max core file size"), "Max core file size 0 0 bytes");
    cr_expect_str_eq(find_line(pid, "limits", "Max file size"), "Max file size 0 0 bytes");
    cr_expect_str_eq(find_line(pid, "status", "NoNewPrivs"), "NoNewPrivs: 1");
#if defined(__x86_64__) || defined(__aarch64__)
    cr_expect_str_eq(find_line(pid, "status", "Seccomp:"), "Seccomp: 2");
#endif
    char path[64], target[64];
    unsigned count = 0;
    for (int fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        ssize_t len = readlink(path, target, sizeof target - 1);
        if (len < 0)
            continue;
        target[len] = '\0';
        count++;
        cr_expect(fd == 0 ? strncmp(target, "socket:", 7) == 0 : strcmp(target, "/dev/null") == 0, "%d: %s", fd,
                  target);
    }
    cr_expect_eq(count, 3);
    close(kept);
    decoder_destroy(decoder);
}

Test(decoder, a_program_that_is_not_there)
{
    unsigned before = count_descriptors();
    struct decoder *decoder = make_decoder("/nonexistent/dicom-decoder", 0);
    cr_expect_str_eq(
        expect_failed(decoder),
        "the program that decodes cannot be started: No such file or directory: /nonexistent/dicom-decoder");
    decoder_destroy(decoder);
    cr_expect_eq(count_descriptors(), before);
}

Test(decoder, others_in_its_place)
{
    static const struct {
        const char *line, *text;
    } rows[] = {
        {"exec sleep 600", "the decoder did not come to an end within 300 ms"},
        {"exit 3", "the decoder ended without an answer (exit code 3)"},
        {"kill -SEGV $$", "the decoder crashed on this frame (signal 11)"},
        {"exec head -c 100000 /dev/zero >&0", "the decoder is not to be trusted: its answer is none of this protocol"},
        {"exec yes >&0", "the decoder is not to be trusted: its answer is none of this protocol"},
        {"printf 1DC >&0; exec sleep 600", "the decoder did not come to an end within 300 ms"},
        {"exec 0<&-; sleep 600", "the decoder was killed (signal 9)"},
    };
    unsigned before = count_descriptors();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[32];
        make_program(path, rows[i].line);
        struct decoder *decoder = make_decoder(path, 300);
        cr_expect_str_eq(expect_failed(decoder), rows[i].text);
        expect_failed(decoder); /* and so does the next, with another process */
        decoder_destroy(decoder);
        cr_assert_eq(unlink(path), 0);
    }
    cr_expect_eq(count_descriptors(), before);
}
