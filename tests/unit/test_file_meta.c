/* Meta headers: a file's beginning, written and read. That other programs read them is tested with the examples. */
#include <criterion/criterion.h>

#include "../support/exact.h"
#include "dicomnet/file_meta.h"

static const struct dicomnet_file_meta meta = {"1.2.840.10008.5.1.4.1.1.2", "1.2.3.45",
                                               DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN};

Test(file_meta, what_is_written_is_read_again)
{
    uint8_t bytes[DICOMNET_FILE_META_SIZE_MAX + 4];
    struct dicomnet_file_meta again;
    ssize_t len = dicomnet_file_meta_encode(&meta, bytes, DICOMNET_FILE_META_SIZE_MAX);
    cr_assert_gt(len, 144);
    cr_assert_arr_eq(bytes + 128, "DICM\x02\x00\x00\x00UL\x04\x00", 12);
    cr_assert_eq(bytes[140] | bytes[141] << 8, len - 144, "the group length is what follows it");
    cr_assert_arr_eq(bytes + 144, "\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01", 14);
    memcpy(bytes + len, "data", 4);
    cr_assert_eq(dicomnet_file_meta_decode((struct dicomnet_span){bytes, (size_t)len + 4}, &again), len);
    cr_assert_str_eq(again.class_uid, meta.class_uid);
    cr_assert_str_eq(again.instance_uid, meta.instance_uid);
    cr_assert_str_eq(again.syntax_uid, meta.syntax_uid);
}

Test(file_meta, every_short_file_and_every_small_buffer)
{
    uint8_t bytes[DICOMNET_FILE_META_SIZE_MAX];
    struct dicomnet_file_meta again;
    ssize_t len = dicomnet_file_meta_encode(&meta, bytes, sizeof bytes);
    for (size_t i = 0; i < (size_t)len; i++) {
        uint8_t *copy = exact_copy(bytes, i), *small = malloc(i);
        cr_assert_eq(dicomnet_file_meta_decode((struct dicomnet_span){copy, i}, &again),
                     DICOMNET_ERROR_IDENTIFIER_MALFORMED);
        cr_assert_eq(dicomnet_file_meta_encode(&meta, small, i), DICOMNET_ERROR_BUFFER_TOO_SMALL);
        free(copy);
        free(small);
    }
    bytes[130] = 'X';
    cr_assert_eq(dicomnet_file_meta_decode((struct dicomnet_span){bytes, (size_t)len}, &again),
                 DICOMNET_ERROR_IDENTIFIER_MALFORMED);
}
