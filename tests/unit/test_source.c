/* The data set of an instance by its kind, from its file or made from numbers, as it lies and converted; and what
 * errors mean. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "files/source.h"
#include "golden.h"

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

/* The instance with these facts read in another syntax, in gaps of `step` bytes. Returns its length, or an error. */
static ssize_t read_as(const struct file_facts *facts, const char *syntax_uid, size_t step, uint8_t *ret_bytes,
                       char ret_text[SOURCE_FAILURE_SIZE])
{
    struct instance *instance = instance_create(facts);
    struct source source;
    int error = source_open(&source, instance, syntax_uid, &options);
    ssize_t len = error;
    if (error == 0) {
        struct dicomnet_data_source *data = source.data;
        len = (ssize_t)data->len;
        cr_assert_leq(data->len, 2 * SIZE);
        for (uint64_t offset = 0; offset < data->len; offset += step) {
            size_t left = data->len - offset;
            const struct iovec gap = {.iov_base = ret_bytes + offset, .iov_len = left < step ? left : step};
            cr_assert_eq(data->read(data, offset, &gap, 1), (ssize_t)gap.iov_len);
        }
        cr_expect_eq(source_close(&source), 0);
    }
    snprintf(ret_text, SOURCE_FAILURE_SIZE, "%s", source_failure_text(&source));
    instance_destroy(instance);
    return len;
}

/* PS3.5 A.5: what is deflated comes back, its pad byte or a cut in it plays no part, or is told. */
Test(source, deflated)
{
    static uint8_t made[2 * SIZE], deflated[2 * SIZE], again[2 * SIZE];
    char text[SOURCE_FAILURE_SIZE];
    bool was_padded = false, was_even = false;
    for (uint64_t number = 0; number < 20; number++) {
        struct file_facts numbers = {
            .source = SOURCE_SYNTHETIC, .number = number, .syntax_uid = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN};
        size_t len = read_all(&numbers, made, sizeof made);
        const char *syntax_uid = DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
        ssize_t deflated_len = read_as(&numbers, syntax_uid, 1 + number * 100, deflated, text);
        cr_assert_gt(deflated_len, 0);
        cr_expect_eq(deflated_len % 2, 0);
        z_stream stream = {
            .next_in = deflated, .avail_in = (uInt)deflated_len, .next_out = again, .avail_out = 2 * SIZE};
        cr_assert_eq(inflateInit2(&stream, -MAX_WBITS), Z_OK);
        cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
        cr_assert_eq(inflateEnd(&stream), Z_OK);
        cr_expect_eq(stream.total_out, len);
        cr_expect_arr_eq(again, made, len);
        cr_expect_leq(stream.avail_in, 1);
        was_padded |= stream.avail_in == 1 && deflated[deflated_len - 1] == 0;
        was_even |= stream.avail_in == 0;

        char path[] = "/tmp/test-source-XXXXXX";
        int fd = mkstemp(path);
        cr_assert_eq(pwrite(fd, deflated, (size_t)deflated_len, 100), deflated_len);
        struct file_facts file = facts_of(path);
        file.syntax_uid = syntax_uid;
        memset(again, 0, sizeof again);
        cr_expect_eq(read_as(&file, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, 777, again, text), (ssize_t)len, "%s",
                     text);
        cr_expect_arr_eq(again, made, len);
        cr_assert_eq(ftruncate(fd, 100 + deflated_len / 2), 0);
        file = facts_of(path);
        file.syntax_uid = syntax_uid;
        cr_expect_eq(read_as(&file, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, 777, again, text),
                     DICOMNET_ERROR_SOURCE_UNDECODABLE);
        cr_expect_not_null(strstr(text, "deflate stream"), "%s", text);
        cr_assert_eq(close(fd), 0);
        cr_assert_eq(unlink(path), 0);
    }
    cr_expect(was_padded && was_even);
}

/* Elements whose VR is none of the standard's, in each way in which their length is written, and their neighbours. */
static void put_strange(struct golden *golden, bool strange)
{
    static const struct {
        uint32_t tag;
        const char *vr, *right;
        enum walk_length length;
    } rows[] = {{0x00090010, "LO", "LO", WALK_LENGTH_BY_VR},  {0x00091001, "zz", "UN", WALK_LENGTH_16},
                {0x00091002, "??", "UN", WALK_LENGTH_32},     {0x00100010, "  ", "PN", WALK_LENGTH_16},
                {0x00100020, "", "LO", WALK_LENGTH_IMPLICIT}, {0x00100021, "LO", "LO", WALK_LENGTH_BY_VR},
                {0x00280010, "zz", "US", WALK_LENGTH_16},     {0x00280011, "US", "US", WALK_LENGTH_BY_VR},
                {0x7FE00010, "??", "OW", WALK_LENGTH_32}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t *p = golden->writer.data + golden->writer.len;
        bool is_strange = strange && rows[i].length != WALK_LENGTH_BY_VR;
        /* OB and LO have the layout of what is written here, and golden takes them for it. */
        const char *like = rows[i].length == WALK_LENGTH_32 ? "OB" : "LO";
        enum syntax_form form = golden->form;
        if (is_strange && rows[i].length == WALK_LENGTH_IMPLICIT)
            golden->form = SYNTAX_IMPLICIT_LE;
        golden_put(golden, rows[i].tag, is_strange ? like : rows[i].right, "ab", 2);
        golden->form = form;
        if (is_strange && rows[i].length != WALK_LENGTH_IMPLICIT)
            memcpy(p + 4, rows[i].vr, 2);
    }
}

Test(source, vrs_that_are_none)
{
    static struct golden strange, right;
    static uint8_t bytes[2 * SIZE];
    static const char *const targets[] = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN,
                                          DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN};
    char path[GOLDEN_PATH_SIZE], text[SOURCE_FAILURE_SIZE];
    for (size_t i = 0; i < 2; i++) {
        golden_begin(&strange, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
        golden_begin(&right, targets[i], i == 0 ? SYNTAX_IMPLICIT_LE : SYNTAX_EXPLICIT_LE);
        golden_put_names(&strange);
        golden_put_names(&right);
        put_strange(&strange, true);
        put_strange(&right, false);
        golden_write(&strange, strange.writer.len, path);
        struct file_facts facts = facts_of(path);
        facts.syntax_uid = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN;
        facts.data_offset = strange.data_offset;
        facts.data_len = facts.size_bytes - strange.data_offset;
        ssize_t len = read_as(&facts, targets[i], 50, bytes, text);
        cr_assert_gt(len, 0, "%s", text);
        if (i == 1)
            golden_deflate(&right);
        cr_assert_eq((size_t)len, right.writer.len - right.data_offset);
        cr_expect_arr_eq(bytes, right.bytes + right.data_offset, (size_t)len);
        cr_assert_eq(unlink(path), 0);
    }
}

/* Of a private one in big endian nobody knows which of its bytes make a word. */
Test(source, vrs_that_are_none_in_big_endian)
{
    static struct golden golden;
    static uint8_t bytes[2 * SIZE];
    char path[GOLDEN_PATH_SIZE], text[SOURCE_FAILURE_SIZE];
    golden_begin(&golden, DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN, SYNTAX_EXPLICIT_BE);
    golden_put_names(&golden);
    uint8_t *p = golden.writer.data + golden.writer.len;
    golden_put(&golden, 0x00211001, "LO", "ab", 2);
    memcpy(p + 4, "zz", 2);
    golden_put(&golden, 0x00280010, "US", "ab", 2);
    golden_write(&golden, golden.writer.len, path);
    struct file_facts facts = facts_of(path);
    facts.syntax_uid = DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN;
    facts.data_offset = golden.data_offset;
    facts.data_len = facts.size_bytes - golden.data_offset;
    cr_expect_eq(read_as(&facts, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, 50, bytes, text),
                 DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_not_null(strstr(text, "nobody knows"), "%s", text);
    cr_assert_eq(unlink(path), 0);
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
