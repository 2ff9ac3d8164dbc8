/* The data set of an instance by its kind, from its file or made from numbers, as it lies and converted; and what
 * errors mean. */
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

/* Read in Implicit VR: the pixels are the same, and what is before them is 4 bytes shorter for each long VR. */
static void expect_implicit(const struct file_facts *facts, const uint8_t *explicit_bytes, size_t explicit_len)
{
    struct instance *instance = instance_create(facts);
    struct source source;
    cr_assert_eq(source_open(&source, instance, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, &options), 0, "%s",
                 source_failure_text(&source));
    size_t len = source.data->len;
    static uint8_t bytes[2 * SIZE];
    cr_assert_lt(len, explicit_len);
    const struct iovec gap = {.iov_base = bytes, .iov_len = len};
    cr_assert_eq(source.data->read(source.data, 0, &gap, 1), (ssize_t)len);
    cr_expect_arr_eq(bytes + len - 2048, explicit_bytes + explicit_len - 2048, 2048);
    cr_expect_str_eq(source_failure_text(&source), "");
    cr_expect_eq(source_close(&source), 0);
    instance_destroy(instance);
}

Test(source, each_kind_is_converted)
{
    static uint8_t made[2 * SIZE];
    struct file_facts numbers = {.source = SOURCE_SYNTHETIC,
                                 .study_number = 3,
                                 .number = 4,
                                 .syntax_uid = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN};
    size_t len = read_all(&numbers, made, sizeof made);
    expect_implicit(&numbers, made, len);

    char path[] = "/tmp/test-source-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_eq(pwrite(fd, made, len, 100), (ssize_t)len);
    struct file_facts facts = facts_of(path);
    facts.syntax_uid = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN;
    expect_implicit(&facts, made, len);

    /* What it becomes, or cannot become, is of no interest once the file is not what it was. */
    struct instance *instance = instance_create(&facts);
    struct source source;
    cr_assert_eq(source_open(&source, instance, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, &options), 0);
    uint8_t bytes[2 * SIZE];
    const struct iovec gaps[] = {{.iov_base = bytes, .iov_len = source.data->len - 2},
                                 {.iov_base = bytes, .iov_len = 2}};
    cr_expect_eq(source.data->read(source.data, 0, gaps, 1), (ssize_t)gaps[0].iov_len);
    cr_assert_eq(ftruncate(fd, 90), 0);
    cr_expect_eq(source.data->read(source.data, gaps[0].iov_len, gaps + 1, 1), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(source_close(&source), DICOMNET_ERROR_SOURCE_CHANGED);
    cr_expect_eq(source_open(&source, instance, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, &options),
                 DICOMNET_ERROR_SOURCE_CHANGED);
    cr_assert_eq(close(fd), 0);
    cr_assert_eq(unlink(path), 0);
    cr_expect_eq(source_open(&source, instance, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, &options), -ENOENT);
    instance_destroy(instance);
}

Test(source, what_cannot_be_converted)
{
    static const struct {
        const char *from, *to;
    } rows[] = {{"1.2.3", DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN},
                {"1.2.840.10008.1.2.4.100", DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN},
                {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, "1.2.840.10008.1.2.4.70"},
                {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}};
    char path[] = "/tmp/test-source-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_eq(pwrite(fd, "no elements", 11, 100), 11);
    struct file_facts facts = facts_of(path);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct source source;
        facts.syntax_uid = rows[i].from;
        struct instance *instance = instance_create(&facts);
        cr_expect_eq(source_open(&source, instance, rows[i].to, &options), DICOMNET_ERROR_SOURCE_UNDECODABLE);
        cr_expect_str_neq(source_failure_text(&source), "");
        instance_destroy(instance);
    }
    cr_assert_eq(close(fd), 0);
    cr_assert_eq(unlink(path), 0);
}

Test(source, what_errors_mean)
{
    cr_expect_eq(source_failure_reason(-ENOENT), REASON_VANISHED);
    cr_expect_eq(source_failure_reason(DICOMNET_ERROR_SOURCE_CHANGED), REASON_CHANGED);
    cr_expect_eq(source_failure_reason(DICOMNET_ERROR_SOURCE_SHORT), REASON_CHANGED);
    cr_expect_eq(source_failure_reason(DICOMNET_ERROR_SOURCE_UNDECODABLE), REASON_UNDECODABLE);
    cr_expect_eq(source_failure_reason(-EACCES), REASON_UNREADABLE);
    cr_expect_eq(source_failure_reason(-EIO), REASON_UNREADABLE);
}
