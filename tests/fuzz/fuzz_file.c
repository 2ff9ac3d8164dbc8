/*
 * fuzz_file - scan and inspect of a file, and what a DICOMDIR names: nothing crashes or hangs, and what is found to be
 * whole hangs together.
 *
 * Input: 1 byte of flags; then the file. With FLAG_DEFLATE it is a data set, which is put deflated behind meta
 * information, as nobody guesses his way into a deflate stream. With FLAG_ELEMENT it is one element, for GDCM's
 * readers.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dicomnet/uid.h"
#include "files/dicomdir.h"
#include "files/scan.h"
#include "fuzz.h"
#include "gdcm_header.h"
#include "golden.h"
#include "instance/instance.h"

enum { FLAG_RAW = 1, FLAG_INCOMPLETE = 2, FLAG_DEFLATE = 4, FLAG_ELEMENT = 8, INPUT_MAX = GOLDEN_SIZE / 2 };

/* GDCM's element readers, in each form: the element they find lies inside the bytes. */
static void read_elements(const uint8_t *data, size_t size)
{
    struct gdcm_header_reader *reader = gdcm_header_reader_create();
    FUZZ_CHECK(reader != NULL);
    for (int form = GDCM_HEADER_EXPLICIT_LE; form <= GDCM_HEADER_IMPLICIT_LE; form++) {
        struct gdcm_header_element element;
        int len = gdcm_header_read_element(reader, (enum gdcm_header_form)form, data, size, &element);
        FUZZ_CHECK(len == -EBADMSG || (len >= 8 && (size_t)len <= size));
        if (len > 0)
            FUZZ_CHECK(element.value >= data && element.value + element.value_len == data + len);
    }
    gdcm_header_reader_destroy(reader);
}

static void check_uid(const char *uid, bool may_be_empty)
{
    FUZZ_CHECK((may_be_empty && uid[0] == '\0') || dicomnet_uid_is_well_formed(uid, strlen(uid)));
}

static void check_instance(const struct instance *instance, size_t size)
{
    const struct file_facts *file = &instance->file;
    const struct outcome *outcome = &instance->outcome;
    char text[256];
    FUZZ_CHECK(file->size_bytes == size);
    FUZZ_CHECK(outcome->offset <= size && file->data_offset <= size);
    if (outcome->state == OUTCOME_PENDING) {
        FUZZ_CHECK(outcome->reason == REASON_NONE && outcome->error == 0);
        bool ends_early = file->data_offset + file->data_len < size && outcome->zero_tail;
        FUZZ_CHECK((file->data_offset + file->data_len == size || ends_early) && instance_wire_len(instance) % 2 == 0);
        check_uid(file->class_uid, false);
        check_uid(file->instance_uid, false);
        check_uid(file->syntax_uid, false);
        check_uid(file->study_uid, true); /* without one it goes with its class */
        check_uid(file->series_uid, true);
    } else {
        FUZZ_CHECK(outcome->state == OUTCOME_FAILED || outcome->state == OUTCOME_SKIPPED);
        FUZZ_CHECK(outcome->reason != REASON_NONE && outcome->reason != REASON_UNREADABLE);
        outcome_describe(outcome, text, sizeof text);
        FUZZ_CHECK(text[0] != '\0');
    }
}

static void scan(const uint8_t *data, size_t size, unsigned flags)
{
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        FUZZ_CHECK(fd >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    FUZZ_CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    struct dicomdir *dicomdir = NULL;
    if (dicomdir_open(&dicomdir, path) == 0) {
        for (const char *id; (id = dicomdir_next(dicomdir)) != NULL;) {
            char named[PATH_MAX];
            const char *detail = NULL;
            /* Nothing beside a descriptor's link is called as in a fuzz input. */
            bool there = dicomdir_locate(dicomdir, id, false, named, &detail);
            FUZZ_CHECK(strncmp(named, "/proc/self/fd/", 14) == 0 && (there || detail != NULL));
        }
        dicomdir_close(dicomdir);
    }
    struct scan_options options = {.accept_raw = (flags & FLAG_RAW) != 0,
                                   .allow_incomplete = (flags & FLAG_INCOMPLETE) != 0};
    struct scanner *scanner = scanner_create(&options);
    FUZZ_CHECK(scanner != NULL);
    struct instance *first = scanner_read(scanner, path);
    struct instance *second = scanner_read(scanner, path); /* what the first has left behind plays no part */
    FUZZ_CHECK(first != NULL && second != NULL);
    check_instance(first, size);
    FUZZ_CHECK(first->outcome.state == second->outcome.state && first->outcome.reason == second->outcome.reason);
    FUZZ_CHECK(first->outcome.offset == second->outcome.offset);
    FUZZ_CHECK(strcmp(first->file.instance_uid, second->file.instance_uid) == 0);
    instance_destroy(first);
    instance_destroy(second);
    scanner_destroy(scanner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct golden golden;
    struct fuzz_input input = {.data = data, .len = size};
    unsigned flags = fuzz_take_u8(&input);
    if (input.len > INPUT_MAX)
        return 0;
    if ((flags & FLAG_ELEMENT) != 0) {
        read_elements(input.data, input.len);
    } else if ((flags & FLAG_DEFLATE) != 0) {
        golden_begin(&golden, DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
        bytes_put(&golden.writer, input.data, input.len);
        golden_deflate(&golden);
        scan(golden.bytes, golden.writer.len, flags);
    } else {
        scan(input.data, input.len, flags);
    }
    return 0;
}
