/* Two data sets on disk: the same or not. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dicomnet/error.h"
#include "files/compare.h"
#include "golden.h"
#include "instance/instance.h"

enum { CHUNK = 32 * 1024 };

static struct golden g;
static char first_path[GOLDEN_PATH_SIZE], second_path[GOLDEN_PATH_SIZE];

/* A file of `header` bytes of noise and `len` bytes of data. */
static struct file_facts write_file(char *path, size_t header, size_t len)
{
    g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
    for (size_t i = 0; i < header; i++)
        bytes_put_u8(&g.writer, (uint8_t)header);
    for (size_t i = 0; i < len; i++)
        bytes_put_u8(&g.writer, (uint8_t)(i * 3 + i / 256));
    cr_assert(!g.writer.overflow);
    golden_write(&g, g.writer.len, path);
    return (struct file_facts){.path = path,
                               .data_offset = header,
                               .data_len = len,
                               .class_uid = GOLDEN_CLASS,
                               .syntax_uid = "1.2.840.10008.1.2.1"};
}

static void flip(const char *path, off_t offset)
{
    FILE *file = fopen(path, "r+b");
    cr_assert_not_null(file);
    fseek(file, (long)offset, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, (long)offset, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void remove_both(void)
{
    unlink(first_path);
    unlink(second_path);
}

/* What stands before the data set does not count. */
Test(compare, same_data_behind_different_headers)
{
    static const size_t lens[] = {0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct file_facts first = write_file(first_path, 300, lens[i]);
        struct file_facts second = write_file(second_path, 411, lens[i]);
        cr_expect_eq(compare_data_sets(&first, &second), 1, "%zu", lens[i]);
        remove_both();
    }
}

Test(compare, one_bit_anywhere)
{
    static const off_t places[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 6};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct file_facts first = write_file(first_path, 300, 3 * CHUNK + 7);
        struct file_facts second = write_file(second_path, 300, 3 * CHUNK + 7);
        flip(second_path, 300 + places[i]);
        cr_expect_eq(compare_data_sets(&first, &second), 0, "%ld", (long)places[i]);
        remove_both();
    }
}

Test(compare, facts_that_differ)
{
    struct file_facts first = write_file(first_path, 300, 1000), second = write_file(second_path, 300, 1000);
    cr_expect_eq(compare_data_sets(&first, &second), 1);
    second.class_uid = "1.2.840.10008.5.1.4.1.1.2";
    cr_expect_eq(compare_data_sets(&first, &second), 0);
    second = first;
    second.syntax_uid = "1.2.840.10008.1.2";
    cr_expect_eq(compare_data_sets(&first, &second), 0);
    second = first;
    second.data_len = 998;
    cr_expect_eq(compare_data_sets(&first, &second), 0);
    remove_both();
}

Test(compare, file_that_cannot_be_read)
{
    struct file_facts first = write_file(first_path, 300, 1000), second = write_file(second_path, 300, 1000);
    unlink(second_path);
    cr_expect_eq(compare_data_sets(&first, &second), -ENOENT);
    cr_expect_eq(compare_data_sets(&second, &first), -ENOENT);
    cr_assert_eq(mkfifo(second_path, 0600), 0); /* and does not hang */
    cr_expect_lt(compare_data_sets(&first, &second), 0);
    unlink(second_path);
    second = write_file(second_path, 300, 1000);
    cr_assert_eq(truncate(second_path, 900), 0);
    cr_expect_eq(compare_data_sets(&first, &second), DICOMNET_ERROR_SOURCE_CHANGED);
    remove_both();
}
