/* The data set of a file, read in gaps; and files that change behind our back. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dicomnet/error.h"
#include "files/file_source.h"
#include "golden.h"
#include "instance/instance.h"

static struct golden g;
static char path[GOLDEN_PATH_SIZE];

/* A file of `header_len` + `data_len` bytes that count up, as the scan would see it. */
static struct instance *make_instance(size_t header_len, size_t data_len, bool pad)
{
    g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
    for (size_t i = 0; i < header_len + data_len; i++)
        bytes_put_u8(&g.writer, (uint8_t)(i * 7 + i / 256));
    golden_write(&g, g.writer.len, path);
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    struct file_facts facts = {.path = path,
                               .size_bytes = header_len + data_len,
                               .mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                               .data_offset = header_len,
                               .data_len = data_len,
                               .pad = pad};
    struct instance *instance = instance_create(&facts);
    cr_assert_not_null(instance);
    return instance;
}

static void remove_instance(struct instance *instance)
{
    instance_destroy(instance);
    unlink(path);
}

/* The same, opened; close_made must answer as is said, and both are gone then. */
static struct instance *made;
static struct file_source source;

static void open_made(size_t header_len, size_t data_len, bool pad)
{
    made = make_instance(header_len, data_len, pad);
    cr_assert_eq(file_source_open(&source, made), 0);
}

static ssize_t read_at(uint64_t offset, const struct iovec *gaps, int gap_count)
{
    return source.descriptor.source.read(&source.descriptor.source, offset, gaps, gap_count);
}

static void close_made(int answer)
{
    cr_expect_eq(file_source_close(&source), answer);
    remove_instance(made);
}

static void touch(void)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

Test(file_source, reads_into_gaps)
{
    for (int pad = 0; pad < 2; pad++) {
        size_t len = 50000 + (size_t)pad;
        open_made(333, len, pad);
        cr_expect_eq(source.descriptor.source.len, len + (size_t)pad);
        static uint8_t buffer[60000];
        memset(buffer, 0xee, sizeof buffer);
        uint64_t offset = 0;
        for (size_t step = 1; offset < source.descriptor.source.len; step = step * 3 + 1) {
            struct iovec gaps[5];
            size_t total = 0;
            for (int i = 0; i < 5; i++) {
                size_t part = i == 2 ? 0 : step + (size_t)i;
                if (part > source.descriptor.source.len - offset - total)
                    part = source.descriptor.source.len - offset - total;
                gaps[i] = (struct iovec){.iov_base = buffer + offset + total, .iov_len = part};
                total += part;
            }
            cr_assert_eq(read_at(offset, gaps, 5), (ssize_t)total);
            offset += total;
        }
        cr_expect_eq(memcmp(buffer, g.bytes + 333, len), 0);
        if (pad)
            cr_expect_eq(buffer[len], 0);
        cr_expect_eq(buffer[len + (size_t)pad], 0xee);
        close_made(0);
    }
}

Test(file_source, reads_the_pad_byte_alone)
{
    open_made(10, 5, true);
    uint8_t byte = 0xee;
    struct iovec gap = {.iov_base = &byte, .iov_len = 1};
    cr_expect_eq(read_at(5, &gap, 1), 1);
    cr_expect_eq(byte, 0);
    close_made(0);
}

Test(file_source, shrinking_file_reads_short)
{
    open_made(100, 1000, false);
    cr_assert_eq(truncate(path, 600), 0);
    uint8_t buffer[1000];
    struct iovec gaps[] = {{buffer, 300}, {buffer + 300, 700}};
    cr_expect_eq(read_at(0, gaps, 2), 500);
    cr_expect_eq(read_at(900, gaps, 1), 0);
    close_made(DICOMNET_ERROR_SOURCE_CHANGED);
}

/* One that lost what the pad byte stands behind must not look whole. */
Test(file_source, shrinking_file_is_not_padded)
{
    open_made(100, 1001, true);
    cr_assert_eq(truncate(path, 1100), 0);
    uint8_t buffer[1002];
    struct iovec gap = {buffer, 1002};
    cr_expect_eq(read_at(0, &gap, 1), 1000);
    close_made(DICOMNET_ERROR_SOURCE_CHANGED);
}

Test(file_source, tells_what_changed)
{
    open_made(100, 1000, false);
    touch();
    uint8_t buffer[1000];
    struct iovec gap = {buffer, sizeof buffer};
    cr_expect_eq(read_at(0, &gap, 1), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_source_close(&source), DICOMNET_ERROR_SOURCE_CHANGED);
    unlink(path);
    cr_expect_eq(file_source_open(&source, made), -ENOENT);
    /* A FIFO where the file was: told, and without waiting for a writer. */
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(file_source_open(&source, made), 0);
    cr_expect_eq(read_at(0, &gap, 1), DICOMNET_ERROR_SOURCE_CHANGED);
    close_made(DICOMNET_ERROR_SOURCE_CHANGED);
}

/* What is read piece by piece is looked at before the first and after the last. */
Test(file_source, tells_what_changed_in_a_large_file)
{
    enum { LEN = 100 * 1000 };
    static uint8_t buffer[LEN];
    struct iovec first = {buffer, LEN / 2}, second = {buffer + LEN / 2, LEN / 2};
    open_made(100, LEN, false);
    cr_expect_eq(read_at(0, &first, 1), LEN / 2);
    touch();
    cr_expect_eq(read_at(LEN / 2, &second, 1), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_source_close(&source), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_source_open(&source, made), DICOMNET_ERROR_SOURCE_CHANGED);
    remove_instance(made);
}

/* ---- dicomnet_descriptor_source: the rest of what the caller has open ---- */

Test(descriptor_source, reads_the_rest_of_a_file)
{
    for (size_t len = 1000; len <= 1001; len++) {
        struct instance *instance = make_instance(333, len, false);
        struct dicomnet_descriptor_source one, other;
        int fd = open(path, O_RDONLY);
        uint8_t first[1002] = {0}, second[1002];
        memset(second, 0xee, sizeof second);
        cr_assert_eq(dicomnet_descriptor_source_init(&one, fd, 333), 0);
        cr_assert_eq(dicomnet_descriptor_source_init(&other, fd, 333 + 500), 0);
        cr_expect_eq(one.source.len, len + len % 2);
        cr_expect_eq(other.source.len, one.source.len - 500);
        struct iovec gaps[] = {{first, 400}, {first + 400, one.source.len - 400}}, rest = {second, other.source.len};
        cr_expect_eq(other.source.read(&other.source, 0, &rest, 1), (ssize_t)other.source.len);
        cr_expect_eq(one.source.read(&one.source, 0, gaps, 2), (ssize_t)one.source.len);
        cr_expect_eq(memcmp(first, g.bytes + 333, len), 0);
        cr_expect_eq(memcmp(second, g.bytes + 833, len - 500), 0);
        cr_expect(len % 2 == 0 || second[len - 500] == 0, "an odd data set ends with a NUL");
        cr_expect_eq(lseek(fd, 0, SEEK_CUR), 0);
        close(fd);
        remove_instance(instance);
    }
}

Test(descriptor_source, tells_what_cannot_be_read)
{
    struct dicomnet_descriptor_source rest;
    struct instance *instance = make_instance(100, 1000, false);
    int fd = open(path, O_RDONLY), folder = open("/", O_RDONLY | O_DIRECTORY), ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_expect_eq(dicomnet_descriptor_source_init(&rest, -1, 0), -EBADF);
    cr_expect_eq(dicomnet_descriptor_source_init(&rest, folder, 0), -EINVAL);
    cr_expect_eq(dicomnet_descriptor_source_init(&rest, ends[0], 0), -EINVAL);
    cr_expect_eq(dicomnet_descriptor_source_init(&rest, fd, 1101), -EINVAL);
    cr_expect_eq(dicomnet_descriptor_source_init(&rest, fd, 1100), 0);
    cr_expect_eq(rest.source.len, 0);
    close(folder);
    close(ends[0]);
    close(ends[1]);
    close(fd);
    remove_instance(instance);
}

Test(descriptor_source, tells_what_changed)
{
    struct dicomnet_descriptor_source rest;
    struct instance *instance = make_instance(100, 1000, false);
    uint8_t buffer[1000];
    struct iovec first = {buffer, 500}, last = {buffer + 500, 500};
    int fd = open(path, O_RDONLY);
    cr_assert_eq(dicomnet_descriptor_source_init(&rest, fd, 100), 0);
    touch();
    cr_expect_eq(rest.source.read(&rest.source, 0, &first, 1), 500, "what is not the last is sent");
    cr_expect_eq(rest.source.read(&rest.source, 500, &last, 1), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_assert_eq(truncate(path, 800), 0);
    cr_expect_eq(rest.source.read(&rest.source, 500, &last, 1), 200, "short");
    close(fd);
    remove_instance(instance);
}
