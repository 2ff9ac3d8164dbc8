/* The same numbers give the same bytes; others give others; and what comes out is DICOM. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/scan.h"
#include "files/synthetic.h"
#include "instance/instance.h"

static const enum synthetic_class classes[] = {SYNTHETIC_CT, SYNTHETIC_MR, SYNTHETIC_SC};

/* The whole data set; free it. */
static uint8_t *read_all(struct synthetic_instance *instance)
{
    uint8_t *bytes = (uint8_t *)malloc(instance->source.len);
    struct iovec gap = {.iov_base = bytes, .iov_len = instance->source.len};
    cr_assert_eq(instance->source.read(&instance->source, 0, &gap, 1), (ssize_t)instance->source.len);
    return bytes;
}

Test(synthetic, same_numbers_same_bytes)
{
    struct synthetic_options options = {.seed = 42, .sop_class = SYNTHETIC_MR, .size_bytes = 20000};
    struct synthetic_instance a, b;
    synthetic_instance_init(&a, &options, 3, 4);
    synthetic_instance_init(&b, &options, 3, 4);
    uint8_t *left = read_all(&a), *right = read_all(&b);
    cr_expect_eq(a.source.len, b.source.len);
    cr_expect_eq(memcmp(left, right, a.source.len), 0);
    free(right);
    options.seed = 43;
    synthetic_instance_init(&b, &options, 3, 4);
    cr_expect_str_neq(a.study_uid, b.study_uid);
    options.seed = 42;
    synthetic_instance_init(&b, &options, 3, 5);
    cr_expect_str_eq(a.study_uid, b.study_uid);
    cr_expect_str_eq(a.series_uid, b.series_uid);
    cr_expect_str_neq(a.instance_uid, b.instance_uid);
    synthetic_instance_init(&b, &options, 4, 4);
    cr_expect_str_neq(a.study_uid, b.study_uid);
    cr_expect_neq(synthetic_seed(), synthetic_seed());
    free(left);
}

Test(synthetic, reads_the_same_in_any_pieces)
{
    struct synthetic_options options = {.seed = 1, .sop_class = SYNTHETIC_CT, .size_bytes = 5000};
    struct synthetic_instance instance;
    synthetic_instance_init(&instance, &options, 0, 0);
    uint8_t *whole = read_all(&instance), *pieces = (uint8_t *)malloc(instance.source.len);
    for (size_t step = 1; step < 2000; step = step * 2 + 1) {
        for (uint64_t at = 0; at < instance.source.len;) {
            struct iovec gaps[3];
            size_t total = 0;
            for (size_t i = 0; i < 3; i++) {
                size_t left = instance.source.len - at - total, part = step + i < left ? step + i : left;
                gaps[i] = (struct iovec){.iov_base = pieces + at + total, .iov_len = part};
                total += part;
            }
            cr_assert_eq(instance.source.read(&instance.source, at, gaps, 3), (ssize_t)total);
            at += total;
        }
        cr_expect_eq(memcmp(whole, pieces, instance.source.len), 0, "in steps of %zu", step);
    }
    free(whole);
    free(pieces);
}

Test(synthetic, series_and_stories_tell_instances_apart)
{
    struct synthetic_story story, other;
    struct synthetic_options options = {.seed = 1, .size_bytes = 4096, .story = &story};
    struct synthetic_instance a, b;
    for (uint64_t study = 0; study < 40; study++) {
        options.series = 0;
        options.sop_class = synthetic_story_make(1, study, 0, &story);
        cr_expect_eq(synthetic_story_make(1, study, 0, &other), options.sop_class);
        cr_expect_str_eq(story.patient_name, other.patient_name);
        cr_expect_str_eq(story.study_description, other.study_description);
        synthetic_instance_init(&a, &options, study, 0);
        cr_expect_not_null(memmem(a.header, a.header_len, story.patient_name, strlen(story.patient_name)));
        cr_expect_not_null(memmem(a.header, a.header_len, story.accession, strlen(story.accession)));
        options.series = 1;
        cr_expect_eq(synthetic_story_make(1, study, 1, &story), options.sop_class);
        cr_expect_str_eq(story.patient_id, other.patient_id);
        synthetic_instance_init(&b, &options, study, 0);
        cr_expect_str_eq(a.study_uid, b.study_uid);
        cr_expect_str_neq(a.series_uid, b.series_uid);
        cr_expect_str_neq(a.instance_uid, b.instance_uid);
    }
    synthetic_story_make(1, 1, 0, &story);
    synthetic_story_make(1, 2, 0, &other);
    cr_expect_str_eq(story.patient_id, other.patient_id);
    cr_expect_str_neq(story.accession, other.accession);
}

Test(synthetic, sizes)
{
    static const uint64_t sizes[] = {2048, 5000, 16 << 10, 512 << 10, 5 << 20, (uint64_t)3 << 30, (uint64_t)9 << 30};
    for (size_t i = 0; i < 7; i++) {
        for (size_t c = 0; c < 3; c++) {
            struct synthetic_options options = {.seed = 1, .sop_class = classes[c], .size_bytes = sizes[i]};
            struct synthetic_instance instance;
            synthetic_instance_init(&instance, &options, UINT64_MAX, UINT64_MAX);
            uint64_t wanted = sizes[i] < 0xf0000000 ? sizes[i] : 0xf0000000;
            cr_expect_eq(instance.source.len % 2, 0);
            cr_expect(instance.source.len > wanted - wanted / 8 && instance.source.len <= sizes[i], "%lu for %lu",
                      (unsigned long)instance.source.len, (unsigned long)sizes[i]);
        }
    }
}

Test(synthetic, files_pass_the_scan)
{
    for (size_t c = 0; c < 3; c++) {
        struct synthetic_options options = {.seed = 5, .sop_class = classes[c], .size_bytes = 100000};
        struct synthetic_instance made;
        synthetic_instance_init(&made, &options, 1, 2);
        char path[] = "/tmp/synthetic-XXXXXX";
        int fd = mkstemp(path);
        cr_assert_eq(synthetic_instance_write(&made, fd), 0);
        close(fd);
        struct scan_options scan_options = {0};
        struct scanner *scanner = scanner_create(&scan_options);
        struct instance *instance = scanner_read(scanner, path);
        cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
        cr_expect_not(instance->outcome.meta_differs || instance->outcome.leading_zero_uid);
        cr_expect_eq(instance->file.data_len, made.source.len);
        cr_expect_str_eq(instance->file.study_uid, made.study_uid);
        cr_expect_str_eq(instance->file.series_uid, made.series_uid);
        cr_expect_str_eq(instance->file.instance_uid, made.instance_uid);
        cr_expect_str_eq(instance->file.class_uid, made.class_uid);
        cr_expect_str_eq(instance->file.syntax_uid, made.syntax_uid);
        instance_destroy(instance);
        scanner_destroy(scanner);
        unlink(path);
    }
    struct synthetic_options options = {.size_bytes = 3000};
    struct synthetic_instance made;
    synthetic_instance_init(&made, &options, 0, 0);
    int fd = open("/dev/full", O_WRONLY);
    cr_expect_eq(synthetic_instance_write(&made, fd), -28);
    close(fd);
}

Test(synthetic, class_names)
{
    cr_expect_eq(synthetic_class_find("CT"), SYNTHETIC_CT);
    cr_expect_eq(synthetic_class_find("mr"), SYNTHETIC_MR);
    cr_expect_eq(synthetic_class_find("Sc"), SYNTHETIC_SC);
    cr_expect_eq(synthetic_class_find("US"), -1);
    cr_expect_eq(synthetic_class_find(""), -1);
}
