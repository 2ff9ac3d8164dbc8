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

Test(file_source, reads_into_gaps)
{
    for (int pad = 0; pad < 2; pad++) {
        size_t len = 50000 + (size_t)pad;
        struct instance *instance = make_instance(333, len, pad);
        struct file_source source;
        cr_assert_eq(file_source_open(&source, instance), 0);
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
            cr_assert_eq(source.descriptor.source.read(&source.descriptor.source, offset, gaps, 5), (ssize_t)total);
            offset += total;
        }
        cr_expect_eq(memcmp(buffer, g.bytes + 333, len), 0);
        if (pad)
            cr_expect_eq(buffer[len], 0);
        cr_expect_eq(buffer[len + (size_t)pad], 0xee);
        cr_expect_eq(file_source_close(&source), 0);
        instance_destroy(instance);
        unlink(path);
    }
}

Test(file_source, reads_the_pad_byte_alone)
{
    struct instance *instance = make_instance(10, 5, true);
    struct file_source source;
    cr_assert_eq(file_source_open(&source, instance), 0);
    uint8_t byte = 0xee;
    struct iovec gap = {.iov_base = &byte, .iov_len = 1};
    cr_expect_eq(source.descriptor.source.read(&source.descriptor.source, 5, &gap, 1), 1);
    cr_expect_eq(byte, 0);
    cr_expect_eq(file_source_close(&source), 0);
    instance_destroy(instance);
    unlink(path);
}

Test(file_source, shrinking_file_reads_short)
{
    struct instance *instance = make_instance(100, 1000, false);
    struct file_source source;
    cr_assert_eq(file_source_open(&source, instance), 0);
    cr_assert_eq(truncate(path, 600), 0);
    uint8_t buffer[1000];
    struct iovec gaps[] = {{buffer, 300}, {buffer + 300, 700}};
    cr_expect_eq(source.descriptor.source.read(&source.descriptor.source, 0, gaps, 2), 500);
    cr_expect_eq(source.descriptor.source.read(&source.descriptor.source, 900, gaps, 1), 0);
    cr_expect_eq(file_source_close(&source), DICOMNET_ERROR_SOURCE_CHANGED);
    instance_destroy(instance);
    unlink(path);
}

/* One that lost what the pad byte stands behind must not look whole. */
Test(file_source, shrinking_file_is_not_padded)
{
    struct instance *instance = make_instance(100, 1001, true);
    struct file_source source;
    cr_assert_eq(file_source_open(&source, instance), 0);
    cr_assert_eq(truncate(path, 1100), 0);
    uint8_t buffer[1002];
    struct iovec gap = {buffer, 1002};
    cr_expect_eq(source.descriptor.source.read(&source.descriptor.source, 0, &gap, 1), 1000);
    cr_expect_eq(file_source_close(&source), DICOMNET_ERROR_SOURCE_CHANGED);
    instance_destroy(instance);
    unlink(path);
}

Test(file_source, tells_what_changed)
{
    struct file_source source;
    struct instance *instance = make_instance(100, 1000, false);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    cr_assert_eq(file_source_open(&source, instance), 0);
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    uint8_t buffer[1000];
    struct iovec gap = {buffer, sizeof buffer};
    cr_expect_eq(source.descriptor.source.read(&source.descriptor.source, 0, &gap, 1), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_source_close(&source), DICOMNET_ERROR_SOURCE_CHANGED);
    unlink(path);
    cr_expect_eq(file_source_open(&source, instance), -ENOENT);
    /* A FIFO where the file was: told, and without waiting for a writer. */
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(file_source_open(&source, instance), 0);
    cr_expect_eq(source.descriptor.source.read(&source.descriptor.source, 0, &gap, 1), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_source_close(&source), DICOMNET_ERROR_SOURCE_CHANGED);
    unlink(path);
    instance_destroy(instance);
}

/* What is read piece by piece is looked at before the first and after the last. */
Test(file_source, tells_what_changed_in_a_large_file)
{
    enum { LEN = 100 * 1000 };
    static uint8_t buffer[LEN];
    struct iovec first = {buffer, LEN / 2}, second = {buffer + LEN / 2, LEN / 2};
    struct file_source source;
    struct instance *instance = make_instance(100, LEN, false);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    cr_assert_eq(file_source_open(&source, instance), 0);
    cr_expect_eq(source.descriptor.source.read(&source.descriptor.source, 0, &first, 1), LEN / 2);
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    cr_expect_eq(source.descriptor.source.read(&source.descriptor.source, LEN / 2, &second, 1),
                 DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_source_close(&source), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(file_source_open(&source, instance), DICOMNET_ERROR_SOURCE_CHANGED);
    unlink(path);
    instance_destroy(instance);
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
        instance_destroy(instance);
        unlink(path);
    }
}

Test(descriptor_source, tells_what_cannot_be_read)
{
    struct dicomnet_descriptor_source source;
    struct instance *instance = make_instance(100, 1000, false);
    int fd = open(path, O_RDONLY), folder = open("/", O_RDONLY | O_DIRECTORY), ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_expect_eq(dicomnet_descriptor_source_init(&source, -1, 0), -EBADF);
    cr_expect_eq(dicomnet_descriptor_source_init(&source, folder, 0), -EINVAL);
    cr_expect_eq(dicomnet_descriptor_source_init(&source, ends[0], 0), -EINVAL);
    cr_expect_eq(dicomnet_descriptor_source_init(&source, fd, 1101), -EINVAL);
    cr_expect_eq(dicomnet_descriptor_source_init(&source, fd, 1100), 0);
    cr_expect_eq(source.source.len, 0);
    close(folder);
    close(ends[0]);
    close(ends[1]);
    close(fd);
    instance_destroy(instance);
    unlink(path);
}

Test(descriptor_source, tells_what_changed)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    struct dicomnet_descriptor_source source;
    struct instance *instance = make_instance(100, 1000, false);
    uint8_t buffer[1000];
    struct iovec first = {buffer, 500}, last = {buffer + 500, 500};
    int fd = open(path, O_RDONLY);
    cr_assert_eq(dicomnet_descriptor_source_init(&source, fd, 100), 0);
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    cr_expect_eq(source.source.read(&source.source, 0, &first, 1), 500, "what is not the last is sent");
    cr_expect_eq(source.source.read(&source.source, 500, &last, 1), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_assert_eq(truncate(path, 800), 0);
    cr_expect_eq(source.source.read(&source.source, 500, &last, 1), 200, "short");
    close(fd);
    instance_destroy(instance);
    unlink(path);
}
