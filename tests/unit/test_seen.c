/* Unit tests of catalog/seen: what was seen is found again, and only that, also after the records went to the file. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/seen.h"
#include "instance/instance.h"

static struct instance *make(unsigned number, const char *path)
{
    char uid[64];
    snprintf(uid, sizeof uid, "1.2.3.%u", number);
    return instance_create(&(struct file_facts){.path = path,
                                                .data_offset = number,
                                                .data_len = 2 * (uint64_t)number,
                                                .study_uid = "1.2",
                                                .series_uid = "1.2.3",
                                                .instance_uid = uid,
                                                .class_uid = "1.2.840.10008.5.1.4.1.1.2",
                                                .syntax_uid = "1.2.840.10008.1.2.1"});
}

Test(seen, finds_the_first_of_many)
{
    enum { COUNT = 20000 }; /* several buffers of records, and several sizes of the table */
    struct seen *seen;
    struct instance *first;
    char path[64];
    cr_assert_eq(seen_open(&seen), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "folder/%u.dcm", i);
        struct instance *instance = make(i, path);
        cr_assert_eq(seen_check(seen, instance, &first), 0);
        cr_assert_null(first);
        instance_destroy(instance);
    }
    for (unsigned i = 0; i < COUNT; i += 7) {
        struct instance *instance = make(i, "another.dcm");
        cr_assert_eq(seen_check(seen, instance, &first), 0);
        cr_assert_not_null(first);
        snprintf(path, sizeof path, "folder/%u.dcm", i);
        cr_expect_str_eq(first->file.path, path);
        cr_expect_str_eq(first->file.instance_uid, instance->file.instance_uid);
        cr_expect_str_eq(first->file.syntax_uid, "1.2.840.10008.1.2.1");
        cr_expect_eq(first->file.data_offset, i);
        cr_expect_eq(first->file.data_len, 2 * (uint64_t)i);
        instance_destroy(first);
        instance_destroy(instance);
    }
    seen_close(seen);
}

Test(seen, says_what_it_cannot_hold)
{
    struct seen *seen;
    struct instance *first;
    static char path[20000];
    memset(path, 'x', sizeof path - 1);
    cr_assert_eq(seen_open(&seen), 0);
    struct instance *instance = make(1, path);
    cr_expect_lt(seen_check(seen, instance, &first), 0);
    instance_destroy(instance);
    seen_close(seen);
}

Test(seen, needs_its_folder)
{
    struct seen *seen;
    cr_assert_eq(setenv("TMPDIR", "/nonexistent/folder", 1), 0);
    cr_expect_lt(seen_open(&seen), 0);
}
