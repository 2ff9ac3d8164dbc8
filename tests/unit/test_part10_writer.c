/* Files that are kept whole or not at all. */
#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dicomnet/uid.h"
#include "files/part10_writer.h"
#include "files/scan.h"
#include "golden.h"
#include "instance/instance.h"

/* ---- what stands in for the C library: one call of a kind can be made to fail ---- */

enum call { CALL_NONE, CALL_WRITE, CALL_FSYNC, CALL_CLOSE, CALL_RENAME };
static enum call failing;
static int calls_left; /* of that kind; the last of them fails, and none after it */

static bool fails(enum call call)
{
    if (call != failing || calls_left == 0 || --calls_left > 0)
        return false;
    errno = EIO;
    return true;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return fails(CALL_WRITE) ? -1 : syscall(SYS_write, fd, bytes, len);
}

int fsync(int fd)
{
    return fails(CALL_FSYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int close(int fd)
{
    int result = (int)syscall(SYS_close, fd);
    return fails(CALL_CLOSE) ? -1 : result;
}

int renameat2(int old_folder, const char *old_name, int new_folder, const char *new_name, unsigned flags)
{
    return fails(CALL_RENAME) ? -1 : (int)syscall(SYS_renameat2, old_folder, old_name, new_folder, new_name, flags);
}

static char root[] = "/tmp/part10-XXXXXX";
static struct part10_folder folder;
static struct part10_writer writer;
static struct golden g;

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    return remove(path);
}

static void set_up(void)
{
    char path[64];
    cr_assert_not_null(mkdtemp(root));
    snprintf(path, sizeof path, "%s/a/b//c/", root);
    cr_assert_eq(part10_folder_open(&folder, path, true), 0);
    cr_assert_eq(fchdir(folder.fd), 0);
    golden_make(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
}

static void tear_down(void)
{
    part10_folder_close(&folder);
    nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(part10_writer, .init = set_up, .fini = tear_down);

static int count_files(void)
{
    DIR *here = opendir(".");
    int count = -2; /* . and .. */
    while (readdir(here) != NULL)
        count++;
    closedir(here);
    return count;
}

static const struct meta_header golden_meta = {.class_uid = GOLDEN_CLASS,
                                               .instance_uid = GOLDEN_INSTANCE,
                                               .syntax_uid = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN,
                                               .source_ae = "SENDER"};

/* Write the golden data set `times` times over, in pieces of `piece` bytes. */
static int keep(const struct meta_header *meta, size_t piece, int times)
{
    cr_assert_eq(part10_writer_open(&writer, &folder, meta), 0);
    for (int i = 0; i < times; i++) {
        for (size_t at = g.data_offset; at < g.writer.len; at += piece)
            part10_writer_append(&writer, g.bytes + at, piece < g.writer.len - at ? piece : g.writer.len - at);
    }
    return part10_writer_finish(&writer);
}

Test(part10_writer, keeps_what_scan_reads)
{
    static const size_t pieces[] = {1, 7, 100, 100000};
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(keep(&golden_meta, pieces[i], 1), PART10_KEPT);
        struct scan_options options = {0};
        struct scanner *scanner = scanner_create(&options);
        struct instance *instance = scanner_read(scanner, GOLDEN_INSTANCE ".dcm");
        cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
        cr_expect_not(instance->outcome.meta_differs);
        cr_expect_str_eq(instance->file.syntax_uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN);
        cr_expect_eq(instance->file.data_len, g.writer.len - g.data_offset);
        uint8_t bytes[4096];
        int fd = open(GOLDEN_INSTANCE ".dcm", O_RDONLY);
        ssize_t n = pread(fd, bytes, sizeof bytes, (off_t)instance->file.data_offset);
        cr_expect_eq((size_t)n, g.writer.len - g.data_offset);
        cr_expect_eq(memcmp(bytes, g.bytes + g.data_offset, (size_t)n), 0);
        close(fd);
        instance_destroy(instance);
        scanner_destroy(scanner);
        cr_expect_eq(count_files(), 1);
        unlink(GOLDEN_INSTANCE ".dcm");
    }
}

Test(part10_writer, same_name_again)
{
    struct meta_header meta = golden_meta;
    for (int times = 1; times <= 2000; times += 1999) {
        cr_expect_eq(keep(&meta, 5000, times), PART10_KEPT);
        struct stat before, after;
        cr_assert_eq(stat(GOLDEN_INSTANCE ".dcm", &before), 0);
        meta.source_ae = "OTHER AE";
        cr_expect_eq(keep(&meta, 300, times), PART10_IDENTICAL);
        cr_expect_eq(keep(&meta, 300, times + 1), PART10_DIFFERENT);
        meta.syntax_uid = DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN;
        cr_expect_eq(keep(&meta, 300, times), PART10_DIFFERENT);
        meta.syntax_uid = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN;
        g.bytes[g.writer.len - 1] ^= 1;
        cr_expect_eq(keep(&meta, 300, times), PART10_DIFFERENT);
        g.bytes[g.writer.len - 1] ^= 1;
        cr_assert_eq(stat(GOLDEN_INSTANCE ".dcm", &after), 0);
        cr_expect_eq(before.st_ino, after.st_ino);
        cr_expect_eq(count_files(), 1);
        unlink(GOLDEN_INSTANCE ".dcm");
    }
}

Test(part10_writer, a_name_that_is_something_else)
{
    cr_assert_eq(symlink("/etc/passwd", GOLDEN_INSTANCE ".dcm"), 0);
    cr_expect_eq(keep(&golden_meta, 300, 1), PART10_DIFFERENT);
    unlink(GOLDEN_INSTANCE ".dcm");
    cr_assert_eq(mkfifo(GOLDEN_INSTANCE ".dcm", 0600), 0);
    cr_expect_eq(keep(&golden_meta, 300, 1), PART10_DIFFERENT);
    cr_expect_eq(count_files(), 1);
}

Test(part10_writer, names_come_from_good_uids_only)
{
    static const char *const bad[] = {"../../etc/passwd",
                                      "",
                                      "1..2",
                                      ".",
                                      "..",
                                      "1.2/3",
                                      "1.2.",
                                      "a",
                                      "1.2345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct meta_header meta = golden_meta;
        meta.instance_uid = bad[i];
        cr_expect_eq(keep(&meta, 300, 1), PART10_KEPT);
        cr_expect_eq(strncmp(writer.final_name, "hash-", 5), 0);
        cr_expect_eq(strlen(writer.final_name), 5 + 16 + 4);
        cr_expect_eq(access(writer.final_name, R_OK), 0);
        cr_expect_eq(count_files(), (int)i + 1);
    }
    char huge[3000];
    memset(huge, '1', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    struct meta_header meta = golden_meta;
    meta.class_uid = huge;
    cr_expect_eq(part10_writer_open(&writer, &folder, &meta), -EINVAL);
    part10_writer_discard(&writer);
}

Test(part10_writer, discard_leaves_nothing)
{
    cr_assert_eq(part10_writer_open(&writer, &folder, &golden_meta), 0);
    cr_expect_eq(count_files(), 1);
    cr_expect_eq(access(GOLDEN_INSTANCE ".dcm", F_OK), -1);
    part10_writer_append(&writer, g.bytes, sizeof g.bytes);
    part10_writer_discard(&writer);
    part10_writer_discard(&writer);
    cr_expect_eq(count_files(), 0);
}

/* A leftover of a killed process with our number does not stop us, nor is it touched. */
Test(part10_writer, leftover_temporary_name)
{
    char name[64];
    snprintf(name, sizeof name, ".tmp-%ld-0", (long)getpid());
    close(open(name, O_CREAT | O_WRONLY, 0600));
    cr_expect_eq(keep(&golden_meta, 300, 1), PART10_KEPT);
    cr_expect_eq(access(name, F_OK), 0);
    cr_expect_eq(count_files(), 2);
}

Test(part10_writer, full_disk)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(keep(&golden_meta, 300, 2000), -EFBIG);
    cr_expect_eq(count_files(), 0);
    /* The next one fits, and is kept. */
    cr_expect_eq(keep(&golden_meta, 300, 1), PART10_KEPT);
    cr_expect_eq(count_files(), 1);
}

Test(part10_writer, two_at_once)
{
    static struct part10_writer other;
    cr_assert_eq(part10_writer_open(&writer, &folder, &golden_meta), 0);
    cr_assert_eq(part10_writer_open(&other, &folder, &golden_meta), 0);
    part10_writer_append(&writer, "same", 4);
    part10_writer_append(&other, "same", 4);
    cr_expect_eq(part10_writer_finish(&other), PART10_KEPT);
    cr_expect_eq(part10_writer_finish(&writer), PART10_IDENTICAL);
    cr_expect_eq(count_files(), 1);
}

Test(part10_writer, folder_that_cannot_be)
{
    struct part10_folder other;
    close(open("file", O_CREAT | O_WRONLY, 0600));
    cr_expect_eq(part10_folder_open(&other, "file", false), -ENOTDIR);
    cr_expect_eq(part10_folder_open(&other, "file/below", false), -ENOTDIR);
    cr_expect_eq(part10_folder_open(&other, "", false), -ENOENT);
}

static int keep_failing(enum call call, int at)
{
    failing = call;
    calls_left = at;
    int result = keep(&golden_meta, 100, 1);
    failing = CALL_NONE;
    cr_expect_eq(calls_left, 0, "call %d is made %d times", call, at);
    return result;
}

/* Nothing that may be lost is called kept. Only a folder that is not synced has the file already: it is whole. */
Test(part10_writer, a_call_that_fails_is_told)
{
    static const struct {
        enum call call;
        int at, files;
    } rows[] = {{CALL_WRITE, 1, 0}, {CALL_FSYNC, 1, 0}, {CALL_FSYNC, 2, 1}, {CALL_CLOSE, 1, 0}, {CALL_RENAME, 1, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(keep_failing(rows[i].call, rows[i].at), -EIO, "row %zu", i);
        cr_expect_eq(count_files(), rows[i].files, "row %zu", i);
        cr_expect_eq(keep(&golden_meta, 100, 1), rows[i].files == 0 ? PART10_KEPT : PART10_IDENTICAL, "row %zu", i);
        cr_expect_eq(count_files(), 1, "row %zu", i);
        cr_assert_eq(unlink(GOLDEN_INSTANCE ".dcm"), 0);
    }
}

/* Its own file, the one that is there, and the folder. */
Test(part10_writer, an_identical_file_is_synced_before_it_counts)
{
    cr_assert_eq(keep(&golden_meta, 100, 1), PART10_KEPT);
    for (int at = 1; at <= 3; at++) {
        cr_expect_eq(keep_failing(CALL_FSYNC, at), -EIO, "fsync %d", at);
        cr_expect_eq(count_files(), 1, "fsync %d", at);
    }
    cr_expect_eq(keep(&golden_meta, 100, 1), PART10_IDENTICAL);
}
