/* synthetic - see files/synthetic.h. */
#include "files/synthetic.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "files/part10_writer.h"

enum { COLUMNS_MIN = 16, COLUMNS_MAX = 65520, ROWS_MAX = 65535, WRITE_SIZE = 64 * 1024 };

/* What a class needs besides what all have in common. */
struct class_facts {
    const char *name;
    const char *uid;
    const char *image_type;
    unsigned bytes_per_pixel;
    unsigned bits_stored;
};

static const struct class_facts classes[] = {
    [SYNTHETIC_CT] = {"CT", "1.2.840.10008.5.1.4.1.1.2", "ORIGINAL\\PRIMARY\\AXIAL", 2, 12},
    [SYNTHETIC_MR] = {"MR", "1.2.840.10008.5.1.4.1.1.4", "ORIGINAL\\PRIMARY\\OTHER", 2, 12},
    [SYNTHETIC_SC] = {"SC", "1.2.840.10008.5.1.4.1.1.7", "DERIVED\\SECONDARY", 1, 8},
};

/* Spread the bits of a number over all 64 (the finaliser of splitmix64). */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static uint64_t combine(uint64_t a, uint64_t b)
{
    return mix(a ^ mix(b));
}

uint64_t synthetic_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0)
        seed = 0;
    return combine(combine(seed, clock_wall_us()), (uint64_t)getpid() ^ clock_monotonic_us() << 20);
}

int synthetic_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strcasecmp(name, classes[i].name) == 0)
            return (int)i;
    }
    return -1;
}

/* "2.25." and the decimal digits of a UUID (PS3.5 B.2) made from `key`. */
static void make_uid(uint64_t key, char ret_uid[DICOMNET_UID_SIZE])
{
    uint64_t high = (mix(key) & ~(uint64_t)0xf000) | 0x4000;                                   /* version 4: random */
    uint64_t low = (mix(key ^ 0x5851f42d4c957f2d) & ~((uint64_t)3 << 62)) | (uint64_t)2 << 62; /* variant 1 */
    uint32_t limbs[] = {(uint32_t)(high >> 32), (uint32_t)high, (uint32_t)(low >> 32), (uint32_t)low};
    char digits[40];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    while ((limbs[0] | limbs[1] | limbs[2] | limbs[3]) != 0) {
        uint64_t rest = 0;
        for (size_t i = 0; i < 4; i++) {
            rest = rest << 32 | limbs[i];
            limbs[i] = (uint32_t)(rest / 10);
            rest %= 10;
        }
        digits[--at] = (char)('0' + rest);
    }
    snprintf(ret_uid, DICOMNET_UID_SIZE, "2.25.%s", digits + at);
}

static void put_header(struct bytes_writer *writer, uint32_t tag, const char vr[2], size_t len)
{
    bytes_put_u16_le(writer, (uint16_t)(tag >> 16));
    bytes_put_u16_le(writer, (uint16_t)tag);
    bytes_put(writer, vr, 2);
    bytes_put_u16_le(writer, (uint16_t)len);
}

/* A text element; UIDs are padded with NUL, all others with a space (PS3.5 6.2). */
static void put_text(struct bytes_writer *writer, uint32_t tag, const char vr[2], const char *text)
{
    size_t len = strlen(text);
    put_header(writer, tag, vr, len + len % 2);
    bytes_put(writer, text, len);
    if (len % 2 != 0)
        bytes_put_u8(writer, memcmp(vr, "UI", 2) == 0 ? '\0' : ' ');
}

__attribute__((format(printf, 4, 5))) static void put_format(struct bytes_writer *writer, uint32_t tag,
                                                             const char vr[2], const char *format, ...)
{
    char text[96];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_text(writer, tag, vr, text);
}

static void put_u16(struct bytes_writer *writer, uint32_t tag, uint16_t value)
{
    put_header(writer, tag, "US", 2);
    bytes_put_u16_le(writer, value);
}

/* What an instance is made from. */
struct recipe {
    enum synthetic_class sop_class;
    uint64_t study;
    uint64_t number;
    uint64_t study_key;
    uint64_t series;
    const struct synthetic_story *story; /* or NULL */
    uint16_t rows;
    uint16_t columns;
};

/* The patient, who has a story or not. */
static void put_patient(struct bytes_writer *w, const struct recipe *r)
{
    const struct synthetic_story *story = r->story;
    if (story == NULL) {
        put_format(w, 0x00100010, "PN", "Synthetic^Patient %" PRIu64, r->study + 1);
        put_format(w, 0x00100020, "LO", "SYN%" PRIu64, r->study_key >> 20);
    } else {
        put_text(w, 0x00100010, "PN", story->patient_name);
        put_text(w, 0x00100020, "LO", story->patient_id);
    }
    put_text(w, 0x00100030, "DA", story != NULL ? story->birth_date : "19700101");
    put_format(w, 0x00100040, "CS", "%c", story != NULL ? story->sex : 'O');
}

/* Dates and times of study, series, acquisition and content: (0008,0020) to (0008,0033). */
static void put_moments(struct bytes_writer *w, const struct recipe *r)
{
    const struct synthetic_story *story = r->story;
    unsigned day = (unsigned)(r->study_key % 28) + 1, month = (unsigned)(r->study_key >> 8) % 12 + 1;
    unsigned hour = (unsigned)(r->study_key >> 16) % 24, minute = (unsigned)(r->study_key >> 24) % 60;
    for (uint32_t element = 0x20; element <= 0x23; element++) {
        if (story != NULL)
            put_text(w, 0x00080000 | element, "DA", story->study_date);
        else
            put_format(w, 0x00080000 | element, "DA", "2024%02u%02u", month, day);
    }
    for (uint32_t element = 0x30; element <= 0x33; element++) {
        if (story != NULL)
            put_text(w, 0x00080000 | element, "TM", story->study_time);
        else
            put_format(w, 0x00080000 | element, "TM", "%02u%02u00", hour, minute);
    }
}

/* SOP common, and the parts of general study, series and equipment that stand in group 0008. */
static void put_identifying(struct bytes_writer *w, const struct synthetic_instance *instance, const struct recipe *r)
{
    const struct class_facts *facts = &classes[r->sop_class];
    const struct synthetic_story *story = r->story;
    put_text(w, 0x00080005, "CS", "ISO_IR 100");
    put_text(w, 0x00080008, "CS", facts->image_type);
    put_text(w, 0x00080016, "UI", facts->uid);
    put_text(w, 0x00080018, "UI", instance->instance_uid);
    put_moments(w, r);
    if (story != NULL)
        put_text(w, 0x00080050, "SH", story->accession);
    else
        put_format(w, 0x00080050, "SH", "ACC%" PRIu64, r->study_key % 1000000000);
    put_text(w, 0x00080060, "CS", r->sop_class == SYNTHETIC_SC ? "OT" : facts->name);
    if (r->sop_class == SYNTHETIC_SC)
        put_text(w, 0x00080064, "CS", "WSD");
    put_text(w, 0x00080070, "LO", "Synthetic");
    put_text(w, 0x00080090, "PN", story != NULL ? story->referring : "");
    if (story != NULL) {
        put_text(w, 0x00081030, "LO", story->study_description);
        put_text(w, 0x0008103e, "LO", story->series_description);
    } else {
        put_format(w, 0x00081030, "LO", "Synthetic study %" PRIu64, r->study + 1);
    }
    put_text(w, 0x00081090, "LO", "Generator");
    put_patient(w, r);
}

/* General series, CT image and MR image, the parts in group 0018. */
static void put_acquisition(struct bytes_writer *w, const struct recipe *r)
{
    static const struct {
        uint32_t tag;
        bool ct, mr; /* which of the two has it */
        char vr[3];
        const char *value;
    } rows[] = {
        {0x00180020, false, true, "CS", "SE"},  {0x00180021, false, true, "CS", "NONE"},
        {0x00180022, false, true, "CS", ""},    {0x00180023, false, true, "CS", "2D"},
        {0x00180050, true, true, "DS", "1"},    {0x00180060, true, false, "DS", "120"},
        {0x00180080, false, true, "DS", "500"}, {0x00180081, false, true, "DS", "15"},
        {0x00180087, false, true, "DS", "1.5"}, {0x00180091, false, true, "IS", "1"},
        {0x00185100, true, true, "CS", "HFS"},
    };
    put_text(w, 0x00180015, "CS", r->story != NULL ? r->story->body_part : "HEAD");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((r->sop_class == SYNTHETIC_CT && rows[i].ct) || (r->sop_class == SYNTHETIC_MR && rows[i].mr))
            put_text(w, rows[i].tag, rows[i].vr, rows[i].value);
}

/* Relationships and the image: groups 0020, 0028, and the pixel data's header. */
static void put_image(struct bytes_writer *w, const struct synthetic_instance *instance, const struct recipe *r)
{
    const struct class_facts *facts = &classes[r->sop_class];
    bool in_space = r->sop_class != SYNTHETIC_SC;
    char frame_uid[DICOMNET_UID_SIZE];
    make_uid(combine(r->study_key, 0xf4a3e), frame_uid);
    put_text(w, 0x0020000d, "UI", instance->study_uid);
    put_text(w, 0x0020000e, "UI", instance->series_uid);
    if (r->story != NULL)
        put_text(w, 0x00200010, "SH", r->story->study_id);
    else
        put_format(w, 0x00200010, "SH", "%" PRIu64, r->study + 1);
    put_format(w, 0x00200011, "IS", "%" PRIu64, (r->story != NULL ? r->series : r->series + r->sop_class) + 1);
    if (in_space)
        put_text(w, 0x00200012, "IS", "1");
    put_format(w, 0x00200013, "IS", "%" PRIu64, r->number % INT32_MAX + 1);
    put_text(w, 0x00200020, "CS", in_space ? "L\\P" : "");
    if (in_space) {
        put_format(w, 0x00200032, "DS", "-250\\-250\\%" PRIu64, r->number % 1000000);
        put_text(w, 0x00200037, "DS", "1\\0\\0\\0\\1\\0");
        put_text(w, 0x00200052, "UI", frame_uid);
        put_text(w, 0x00201040, "LO", "");
    }
    put_u16(w, 0x00280002, 1);
    put_text(w, 0x00280004, "CS", "MONOCHROME2");
    put_u16(w, 0x00280010, r->rows);
    put_u16(w, 0x00280011, r->columns);
    if (in_space)
        put_text(w, 0x00280030, "DS", "0.5\\0.5");
    put_u16(w, 0x00280100, (uint16_t)(8 * facts->bytes_per_pixel));
    put_u16(w, 0x00280101, (uint16_t)facts->bits_stored);
    put_u16(w, 0x00280102, (uint16_t)(facts->bits_stored - 1));
    put_u16(w, 0x00280103, 0);
    if (r->sop_class == SYNTHETIC_CT) {
        put_text(w, 0x00281052, "DS", "-1024");
        put_text(w, 0x00281053, "DS", "1");
    }
    put_header(w, 0x7fe00010, facts->bytes_per_pixel == 2 ? "OW" : "OB", 0);
    bytes_put_u32_le(w, (uint32_t)r->rows * r->columns * facts->bytes_per_pixel);
}

/* Rows and columns, about square, that fill `size_bytes` after a header of `header_len` as well as whole rows can. */
static void choose_matrix(struct recipe *recipe, uint64_t size_bytes, uint64_t header_len)
{
    unsigned depth = classes[recipe->sop_class].bytes_per_pixel;
    uint64_t pixels = size_bytes > header_len ? (size_bytes - header_len) / depth : 0;
    uint64_t columns = COLUMNS_MIN;
    while (columns < COLUMNS_MAX && columns * columns < pixels)
        columns = columns * 2 < COLUMNS_MAX ? columns * 2 : COLUMNS_MAX;
    uint64_t rows = pixels / columns;
    /* The length of pixel data is a 32-bit number (PS3.5 7.1.1). */
    uint64_t rows_max = (UINT32_MAX - 1) / (columns * depth);
    if (rows > rows_max)
        rows = rows_max;
    recipe->rows = (uint16_t)(rows == 0 ? 1 : rows > ROWS_MAX ? ROWS_MAX : rows);
    recipe->columns = (uint16_t)columns;
}

/* Eight bytes of pixels, by their number. */
static uint64_t pixel_word(const struct synthetic_instance *instance, uint64_t index)
{
    uint64_t word = mix(instance->pixel_seed + index * 0x9e3779b97f4a7c15);
    return instance->class_uid == classes[SYNTHETIC_SC].uid ? word : word & 0x0fff0fff0fff0fff;
}

/* Pixel bytes from `offset` of the pixel data on. */
static void make_pixels(const struct synthetic_instance *instance, uint64_t offset, uint8_t *p, size_t len)
{
    while (len > 0) {
        size_t skipped = (size_t)(offset % 8);
        size_t part = 8 - skipped < len ? 8 - skipped : len;
        uint8_t bytes[8];
        uint64_t word = pixel_word(instance, offset / 8);
        set_u32_le(bytes, (uint32_t)word);
        set_u32_le(bytes + 4, (uint32_t)(word >> 32));
        if (part == 8)
            memcpy(p, bytes, 8);
        else
            memcpy(p, bytes + skipped, part);
        p += part;
        len -= part;
        offset += part;
    }
}

static ssize_t read_synthetic(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps,
                              int gap_count)
{
    const struct synthetic_instance *instance = (const struct synthetic_instance *)source;
    ssize_t filled = 0;
    for (int i = 0; i < gap_count; i++) {
        uint8_t *p = (uint8_t *)gaps[i].iov_base;
        size_t len = gaps[i].iov_len;
        if (offset < instance->header_len && len > 0) {
            size_t part = instance->header_len - (size_t)offset;
            if (part > len)
                part = len;
            memcpy(p, instance->header + offset, part);
            p += part;
            len -= part;
            offset += part;
            filled += (ssize_t)part;
        }
        if (len > 0)
            make_pixels(instance, offset - instance->header_len, p, len);
        offset += len;
        filled += (ssize_t)len;
    }
    return filled;
}

enum synthetic_class synthetic_story_make(uint64_t seed, uint64_t study, uint64_t series,
                                          struct synthetic_story *ret_story)
{
    static const char *const families[] = {"Adams",  "Baker",  "Costa",   "Dubois", "Evans", "Fischer",
                                           "Garcia", "Huber",  "Ivanov",  "Jensen", "Kowal", "Larsen",
                                           "Moreno", "Nowak",  "Olsen",   "Parker", "Quinn", "Rossi",
                                           "Silva",  "Tanaka", "Ullmann", "Vargas", "Weber", "Young"};
    static const char *const women[] = {"Anna", "Clara", "Elena", "Grace", "Ines", "Laura", "Maria", "Nora", "Sofia"};
    static const char *const men[] = {"Ben", "David", "Felix", "Henry", "Jonas", "Karl", "Oscar", "Peter", "Tom"};
    static const struct {
        const char *part, *study;
        enum synthetic_class sop_class;
    } kinds[] = {{"CHEST", "CT Chest", SYNTHETIC_CT}, {"ABDOMEN", "CT Abdomen", SYNTHETIC_CT},
                 {"HEAD", "MR Brain", SYNTHETIC_MR},  {"PELVIS", "MR Pelvis", SYNTHETIC_MR},
                 {"HEAD", "CT Head", SYNTHETIC_CT},   {"LSPINE", "MR Lumbar Spine", SYNTHETIC_MR}};
    static const char *const views[] = {"Scout", "Axial", "Coronal", "Sagittal", "Thin slices", "Late phase"};
    uint64_t patient = study / 3 * 2 + (study % 3 + 1) / 2; /* 0, 1, 1, 2, 3, 3, ... */
    uint64_t who = combine(combine(seed, 5), patient), what = combine(combine(seed, 6), study);
    bool woman = who % 2 == 0;
    size_t kind = what % (sizeof kinds / sizeof kinds[0]);
    struct synthetic_story *story = ret_story;

    snprintf(story->patient_name, sizeof story->patient_name, "%s^%s", families[(who >> 8) % 24],
             (woman ? women : men)[(who >> 16) % 9]);
    snprintf(story->patient_id, sizeof story->patient_id, "SYN%06" PRIu64, (patient + 1) % 1000000);
    snprintf(story->birth_date, sizeof story->birth_date, "%04u%02u%02u", 1930 + (unsigned)(who >> 24) % 80,
             (unsigned)(who >> 32) % 12 + 1, (unsigned)(who >> 40) % 28 + 1);
    story->sex = woman ? 'F' : 'M';
    snprintf(story->study_date, sizeof story->study_date, "%04u%02u%02u", 2015 + (unsigned)(what >> 8) % 10,
             (unsigned)(what >> 16) % 12 + 1, (unsigned)(what >> 24) % 28 + 1);
    snprintf(story->study_time, sizeof story->study_time, "%02u%02u%02u", 7 + (unsigned)(what >> 32) % 13,
             (unsigned)(what >> 40) % 60, (unsigned)(what >> 48) % 60);
    snprintf(story->accession, sizeof story->accession, "A%08" PRIu64, (study + 1) % 100000000);
    snprintf(story->study_id, sizeof story->study_id, "%" PRIu64, (study + 1) % 100000000);
    snprintf(story->study_description, sizeof story->study_description, "%s", kinds[kind].study);
    snprintf(story->series_description, sizeof story->series_description, "%s", views[series % 6]);
    snprintf(story->referring, sizeof story->referring, "%s^Dr", families[(what >> 56) % 24]);
    story->body_part = kinds[kind].part;
    return kinds[kind].sop_class;
}

void synthetic_instance_init(struct synthetic_instance *instance, const struct synthetic_options *options,
                             uint64_t study, uint64_t number)
{
    const struct class_facts *facts = &classes[options->sop_class];
    struct recipe recipe = {.sop_class = options->sop_class,
                            .study = study,
                            .number = number,
                            .series = options->series,
                            .story = options->story,
                            .study_key = combine(combine(options->seed, 1), study)};
    uint64_t series_key = combine(recipe.study_key, 2 + (uint64_t)options->sop_class + (options->series << 4));
    uint64_t instance_key = combine(combine(series_key, number), options->size_bytes);
    make_uid(recipe.study_key, instance->study_uid);
    make_uid(series_key, instance->series_uid);
    make_uid(instance_key, instance->instance_uid);
    instance->class_uid = facts->uid;
    instance->syntax_uid = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN;
    instance->pixel_seed = combine(instance_key, 3);

    /* The header's length does not depend on the matrix, so the first of two passes says how much is left for it. */
    struct bytes_writer writer;
    for (int pass = 0; pass < 2; pass++) {
        choose_matrix(&recipe, options->size_bytes, pass == 0 ? 0 : instance->header_len);
        writer = bytes_writer_over(instance->header, sizeof instance->header);
        put_identifying(&writer, instance, &recipe);
        put_acquisition(&writer, &recipe);
        put_image(&writer, instance, &recipe);
        assert(!writer.overflow);
        instance->header_len = (uint32_t)writer.len;
    }
    uint64_t pixel_len = (uint64_t)recipe.rows * recipe.columns * facts->bytes_per_pixel;
    instance->source = (struct dicomnet_data_source){.len = instance->header_len + pixel_len, .read = read_synthetic};
}

/* Write all of it; 0 or a negative errno. */
static int write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

int synthetic_instance_write(struct synthetic_instance *instance, int fd)
{
    uint8_t buffer[WRITE_SIZE];
    struct meta_header meta = {.class_uid = instance->class_uid,
                               .instance_uid = instance->instance_uid,
                               .syntax_uid = instance->syntax_uid,
                               .source_ae = ""};
    size_t meta_len = meta_header_encode(&meta, buffer, sizeof buffer);
    int error = write_all(fd, buffer, meta_len);
    for (uint64_t done = 0; done < instance->source.len && error == 0;) {
        uint64_t left = instance->source.len - done;
        struct iovec gap = {.iov_base = buffer, .iov_len = left < sizeof buffer ? (size_t)left : sizeof buffer};
        (void)instance->source.read(&instance->source, done, &gap, 1);
        error = write_all(fd, buffer, gap.iov_len);
        done += gap.iov_len;
    }
    return error;
}
