/* The data set of an instance by its kind: from its file, or made from numbers; and what errors mean. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/source.h"

enum { SIZE = 5000 };

static const struct synthetic_options synthetic = {.seed = 7, .sop_class = SYNTHETIC_MR, .size_bytes = SIZE};
static const struct source_options options = {.synthetic = &synthetic};

/* The whole data set through the source of an instance with these facts. Returns its length. */
static size_t read_all(const struct file_facts *facts, uint8_t *ret_bytes, size_t size)
{
    struct instance *instance = instance_create(facts);
    struct source source;
    cr_assert_not_null(instance);
    cr_assert_eq(source_open(&source, instance, instance->file.syntax_uid, &options), 0);
    cr_expect_eq(source.kind, facts->source);
    size_t len = source.data->len;
    cr_assert_leq(len, size);
    const struct iovec gap = {.iov_base = ret_bytes, .iov_len = len};
    cr_assert_eq(source.data->read(source.data, 0, &gap, 1), (ssize_t)len);
    cr_expect_eq(source_close(&source), 0);
    instance_destroy(instance);
    return len;
}

static struct file_facts facts_of(const char *path)
{
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    return (struct file_facts){.path = path,
                               .size_bytes = (uint64_t)status.st_size,
                               .mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                               .data_offset = 100,
                               .data_len = (uint64_t)status.st_size - 100};
}

Test(source, each_kind_gives_its_own_bytes)
{
    static uint8_t made[2 * SIZE], in_file[100 + 2 * SIZE], read[2 * SIZE];
    struct file_facts numbers = {.source = SOURCE_SYNTHETIC, .study_number = 3, .number = 4};
    size_t len = read_all(&numbers, made, sizeof made);
    struct synthetic_instance expected;
    synthetic_instance_init(&expected, &synthetic, 3, 4);
    cr_assert_eq(len, expected.source.len);
    cr_expect_arr_eq(made, expected.header, expected.header_len);

    char path[] = "/tmp/test-source-XXXXXX";
    int fd = mkstemp(path);
    memcpy(in_file + 100, made, len);
    cr_assert_eq(write(fd, in_file, 100 + len), (ssize_t)(100 + len));
    cr_assert_eq(close(fd), 0);
    struct file_facts file = facts_of(path);
    cr_assert_eq(read_all(&file, read, sizeof read), len);
    cr_expect_arr_eq(read, made, len);
    cr_assert_eq(unlink(path), 0);
}

Test(source, a_file_that_is_not_what_it_was)
{
    char path[] = "/tmp/test-source-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_eq(ftruncate(fd, 2 * SIZE), 0);
    struct file_facts facts = facts_of(path);
    struct instance *instance = instance_create(&facts);
    struct source source;
    cr_assert_eq(source_open(&source, instance, instance->file.syntax_uid, &options), 0);
    cr_assert_eq(ftruncate(fd, SIZE), 0);
    cr_expect_eq(source_close(&source), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_assert_eq(unlink(path), 0);
    cr_expect_eq(source_open(&source, instance, instance->file.syntax_uid, &options), -ENOENT);
    cr_assert_eq(close(fd), 0);
    instance_destroy(instance);
}

Test(source, what_errors_mean)
{
    cr_expect_eq(source_failure_reason(-ENOENT), REASON_VANISHED);
    cr_expect_eq(source_failure_reason(DICOMNET_ERROR_SOURCE_CHANGED), REASON_CHANGED);
    cr_expect_eq(source_failure_reason(DICOMNET_ERROR_SOURCE_SHORT), REASON_CHANGED);
    cr_expect_eq(source_failure_reason(-EACCES), REASON_UNREADABLE);
    cr_expect_eq(source_failure_reason(-EIO), REASON_UNREADABLE);
}
