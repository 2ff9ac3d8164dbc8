/* What is kept of files between the scan and the store: bounds, references, and files that change meanwhile. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dicomnet/error.h"
#include "files/file_source.h"
#include "files/held_files.h"
#include "files/slowness.h"
#include "golden.h"
#include "instance/instance.h"

static struct golden g;
static char path[GOLDEN_PATH_SIZE], other_path[GOLDEN_PATH_SIZE + 8];

static void write_file(size_t len, uint8_t first)
{
    g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
    for (size_t i = 0; i < len; i++)
        bytes_put_u8(&g.writer, (uint8_t)(first + i * 7 + i / 256));
    golden_write(&g, len, path);
    snprintf(other_path, sizeof other_path, "%s.other", path);
}

/* An open file of `len` bytes and its status. */
static int open_file(size_t len, struct stat *ret_status)
{
    write_file(len, 0);
    int fd = open(path, O_RDONLY);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fstat(fd, ret_status), 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static struct held_files *make_pool(unsigned files_max, size_t bytes_max, bool slow)
{
    struct held_files *pool = held_files_create(files_max, bytes_max);
    cr_assert_not_null(pool);
    for (int i = 0; slow && i < 32; i++)
        held_files_note_time(pool, 5000);
    return pool;
}

static void note(struct slowness *slowness, unsigned count, uint64_t took_us)
{
    for (unsigned i = 0; i < count; i++)
        slowness_note(slowness, took_us);
}

Test(slowness, is_what_most_of_the_last_were)
{
    struct slowness slowness = {0};
    cr_expect_not(slowness_is_slow(&slowness));
    note(&slowness, SLOWNESS_ENOUGH - 1, SLOWNESS_US + 1);
    cr_expect_not(slowness_is_slow(&slowness), "too few");
    note(&slowness, 2, SLOWNESS_US + 1);
    cr_expect(slowness_is_slow(&slowness), "all");
    note(&slowness, 1, SLOWNESS_US);
    cr_expect(slowness_is_slow(&slowness), "seven of eight; what is just fast enough is not slow");
    note(&slowness, 1, SLOWNESS_US);
    cr_expect_not(slowness_is_slow(&slowness), "seven of nine");
    note(&slowness, 32, SLOWNESS_US + 1);
    note(&slowness, 4, 10);
    cr_expect(slowness_is_slow(&slowness), "28 of 32");
    note(&slowness, 1, 10);
    cr_expect_not(slowness_is_slow(&slowness), "27 of 32: those before are forgotten");
}

Test(held_files, are_closed_with_the_last_reference)
{
    struct stat status;
    struct held_files *pool = make_pool(1, 1000, false);
    int fd = open_file(500, &status);
    struct held_file *held = held_files_keep(pool, fd, &status);
    cr_assert_not_null(held);
    cr_expect_eq(held->len, 0, "storage is fast: bytes are not kept");
    cr_expect_eq(held_file_share(held), held);
    held_file_drop(held);
    cr_expect(is_open(fd));
    held_files_destroy(pool); /* before what it counts */
    held_file_drop(held);
    cr_expect_not(is_open(fd));
    unlink(path);
}

Test(held_files, are_bounded)
{
    struct stat status;
    struct held_files *pool = make_pool(2, 1500, true);
    int fds[3];
    struct held_file *held[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = open_file(1000, &status);
        held[i] = held_files_keep(pool, fds[i], &status);
        unlink(path);
    }
    cr_assert_not_null(held[0]);
    cr_assert_not_null(held[1]);
    cr_expect_eq(held[0]->len, 1000);
    cr_expect_eq(memcmp(held[0]->bytes, g.bytes, 1000), 0);
    cr_expect_eq(held[1]->len, 0, "no room for its bytes");
    cr_expect_null(held[2], "nor for the third at all");
    cr_expect(is_open(fds[2]), "which is still the caller's");
    held_file_drop(held[0]);
    held[2] = held_files_keep(pool, fds[2], &status);
    cr_assert_not_null(held[2], "there is room again");
    cr_expect_eq(held[2]->len, 1000, "for bytes as well");
    held_file_drop(held[1]);
    held_file_drop(held[2]);
    cr_expect_null(held_files_keep(NULL, fds[0], &status));
    held_files_destroy(pool);
}

Test(held_files, keep_no_bytes_of_large_ones)
{
    struct stat status;
    struct held_files *pool = make_pool(2, 1 << 20, true);
    int fd = open_file(1000, &status);
    cr_assert_eq(truncate(path, HELD_FILE_SMALL + 1), 0);
    cr_assert_eq(fstat(fd, &status), 0);
    struct held_file *held = held_files_keep(pool, fd, &status);
    cr_assert_not_null(held);
    cr_expect_eq(held->len, 0);
    held_file_drop(held);
    held_files_destroy(pool);
    unlink(path);
}

/* ---- an instance that carries one ---- */

static struct held_files *pool;
static struct instance *instance;
static struct file_source source;

static void make_instance(size_t header_len, size_t data_len, bool slow)
{
    struct stat status;
    pool = make_pool(4, 1 << 20, slow);
    int fd = open_file(header_len + data_len, &status);
    struct file_facts facts = {.path = path,
                               .size_bytes = header_len + data_len,
                               .mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                               .data_offset = header_len,
                               .data_len = data_len,
                               .pad = data_len % 2 != 0};
    instance = instance_create(&facts);
    cr_assert_not_null(instance);
    struct held_file *held = held_files_keep(pool, fd, &status);
    cr_assert_not_null(held);
    instance->hold = &held->hold;
}

static void end_instance(void)
{
    instance_destroy(instance);
    held_files_destroy(pool);
    unlink(path);
    unlink(other_path);
}

static ssize_t read_all(uint8_t *bytes)
{
    struct iovec gap = {.iov_base = bytes, .iov_len = source.descriptor.source.len};
    return source.descriptor.source.read(&source.descriptor.source, 0, &gap, 1);
}

/* From memory, from the descriptor, and from both where they meet: the same bytes, with the one that pads them. */
Test(held_files, are_read_by_the_source)
{
    for (int kind = 0; kind < 3; kind++) {
        for (size_t len = 1000; len <= 1001; len++) {
            uint8_t bytes[1100], part[3][400];
            memset(bytes, 0xee, sizeof bytes);
            make_instance(99, len, kind > 0);
            struct held_file *held = held_file_of(instance);
            if (kind == 2)
                held->len = 99 + 450;
            cr_assert_eq(file_source_open(&source, instance), 0);
            instance_drop_hold(instance);
            size_t whole = source.descriptor.source.len, left = whole - 700;
            cr_expect_eq(whole, len + len % 2);
            struct iovec gaps[] = {{part[0], 300}, {part[1], 400}}, last = {part[2], left};
            cr_expect_eq(source.descriptor.source.read(&source.descriptor.source, 0, gaps, 2), 700);
            cr_expect_eq(source.descriptor.source.read(&source.descriptor.source, 700, &last, 1), (ssize_t)left);
            memcpy(bytes, part[0], 300);
            memcpy(bytes + 300, part[1], 400);
            memcpy(bytes + 700, part[2], left);
            cr_expect_eq(memcmp(bytes, g.bytes + 99, len), 0);
            cr_expect(whole == len || bytes[len] == 0);
            cr_expect_lt(source.descriptor.fd, 0, "it is closed with its last byte");
            cr_expect_eq(file_source_close(&source), 0);
            end_instance();
        }
    }
}

Test(held_files, are_opened_once)
{
    uint8_t bytes[1100];
    make_instance(10, 1000, true);
    cr_assert_eq(file_source_open(&source, instance), 0);
    cr_expect_eq(source.descriptor.fd, held_file_of(instance)->fd);
    cr_expect_eq(read_all(bytes), 1000);
    cr_expect_eq(file_source_close(&source), 0);
    instance_drop_hold(instance);
    cr_assert_eq(file_source_open(&source, instance), 0, "a second time it is opened");
    cr_expect_eq(read_all(bytes), 1000);
    cr_expect_eq(file_source_close(&source), 0);
    end_instance();
}

/* ---- files that change while they are held ---- */

static int file_becomes(void (*change)(void), size_t len)
{
    uint8_t bytes[1000];
    int result = 0;
    for (int slow = 0; slow < 2; slow++) {
        make_instance(10, len, slow != 0);
        change();
        cr_assert_eq(file_source_open(&source, instance), 0);
        ssize_t got = read_all(bytes);
        int closed = file_source_close(&source);
        cr_expect_eq(got < 0 || got == (ssize_t)len, 1, "%zd", got);
        cr_expect_eq(closed, got < 0 ? got : 0);
        cr_expect(slow == 0 || result == closed, "from memory the same as from the file");
        result = closed;
        end_instance();
    }
    return result;
}

static void nothing(void) {}

static void written(void)
{
    FILE *file = fopen(path, "r+");
    cr_assert_not_null(file);
    fputs("other", file);
    fclose(file);
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void longer(void)
{
    cr_assert_eq(truncate(path, 2000), 0);
}

static void deleted(void)
{
    cr_assert_eq(unlink(path), 0);
}

/* As an editor or rsync does it: another file gets the name. */
static void replaced(void)
{
    FILE *file = fopen(other_path, "w");
    cr_assert_not_null(file);
    fputs("another file", file);
    fclose(file);
    cr_assert_eq(rename(other_path, path), 0);
}

/* It keeps a name, so its number of links does not say so. */
static void moved_and_replaced(void)
{
    char moved[sizeof other_path + 8];
    snprintf(moved, sizeof moved, "%s.moved", other_path);
    cr_assert_eq(rename(path, moved), 0);
    replaced();
    unlink(moved);
}

static void moved_away(void)
{
    cr_assert_eq(rename(path, other_path), 0);
}

static void given_another_mode(void)
{
    cr_assert_eq(chmod(path, 0400), 0);
}

static void given_a_second_name(void)
{
    cr_assert_eq(link(path, other_path), 0);
}

static void a_fifo(void)
{
    deleted();
    cr_assert_eq(mkfifo(path, 0600), 0);
}

Test(held_files, are_looked_at_again)
{
    cr_expect_eq(file_becomes(nothing, 500), 0);
    cr_expect_eq(file_becomes(written, 500), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_becomes(longer, 500), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_becomes(deleted, 500), -ENOENT);
    cr_expect_eq(file_becomes(replaced, 500), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_becomes(moved_and_replaced, 500), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_becomes(moved_away, 500), -ENOENT);
    cr_expect_eq(file_becomes(a_fifo, 500), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_becomes(given_another_mode, 500), 0, "its bytes are the same");
    cr_expect_eq(file_becomes(given_a_second_name, 500), 0);
}

/* A large one is looked at before its first byte goes out. */
Test(held_files, are_looked_at_before_they_are_sent)
{
    make_instance(10, 100 * 1000, false);
    replaced();
    cr_expect_eq(file_source_open(&source, instance), DICOMNET_ERROR_SOURCE_CHANGED);
    end_instance();
    make_instance(10, 100 * 1000, false);
    deleted();
    cr_expect_eq(file_source_open(&source, instance), -ENOENT);
    end_instance();
}
