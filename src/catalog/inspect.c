/* inspect - see inspect.h. */
#include "catalog/inspect.h"

#include <string.h>

#include "base/bytes.h"
#include "dicomnet/uid.h"

enum { PREAMBLE_LEN = 128, DICM_LEN = 4, PREFIX_LEN = PREAMBLE_LEN + DICM_LEN };

/* Behind a deflate stream: a checksum and length as gzip or zlib append them, and a byte of padding. Readers skip them.
 */
enum { DEFLATE_TRAILER_MAX = 8 + 1 };

/* Group and element of each enum inspect_wanted. */
static const uint32_t wanted_tags[INSPECT_WANTED_COUNT] = {
    [INSPECT_META_CLASS] = 0x00020002, [INSPECT_META_INSTANCE] = 0x00020003, [INSPECT_SYNTAX] = 0x00020010,
    [INSPECT_CLASS] = 0x00080016,      [INSPECT_INSTANCE] = 0x00080018,      [INSPECT_STUDY] = 0x0020000d,
    [INSPECT_SERIES] = 0x0020000e};

static void end_with(struct inspection *inspection, enum outcome_state state, enum outcome_reason reason)
{
    inspection->state = state;
    inspection->reason = reason;
}

/* Keep an element if it is wanted. The first of its kind counts. */
static void keep_wanted(struct window *window, struct inspection *inspection, const struct walk_element *element,
                        uint64_t offset)
{
    uint32_t tag = (uint32_t)element->group << 16 | element->element;
    for (size_t i = 0; i < INSPECT_WANTED_COUNT; i++) {
        struct inspect_element *wanted = &inspection->wanted[i];
        if (wanted_tags[i] != tag || wanted->found)
            continue;
        wanted->found = true;
        wanted->form = element->form;
        wanted->offset = window->inflating ? 0 : offset;
        wanted->too_long = element->undefined || element->value_len > INSPECT_VALUE_MAX;
        if (wanted->too_long)
            return;
        wanted->len = element->header_len + element->value_len;
        const uint8_t *p = window_peek(window, offset, wanted->len);
        if (p != NULL)
            memcpy(wanted->raw, p, wanted->len);
        else
            wanted->found = false;
        return;
    }
}

bool inspect_meta(struct window *window, uint64_t offset, struct inspection *inspection, uint64_t *ret_end)
{
    *ret_end = offset;
    while (!window_ends_at(window, *ret_end)) {
        const uint8_t *p = window_peek(window, *ret_end, 2);
        if (p != NULL && get_u16_le(p) != 0x0002)
            return true;
        struct walk_element element;
        if (walk_read_header(window, WALK_EXPLICIT_LE, *ret_end, window->size, false, &element) != WALK_COMPLETE)
            return false;
        if (element.undefined)
            return false;
        keep_wanted(window, inspection, &element, *ret_end);
        *ret_end += element.header_len + element.value_len;
    }
    return true;
}

struct visit {
    const struct inspector *inspector;
    struct window *window;
    struct inspection *inspection;
};

static void show_element(struct visit *visit, const struct walk_element *element, uint64_t offset)
{
    const struct inspector *inspector = visit->inspector;
    uint32_t tag = (uint32_t)element->group << 16 | element->element;
    size_t len = element->header_len + (size_t)element->value_len;
    if (element->undefined || len > WINDOW_JUMP_SIZE || !inspector->wants(inspector->context, tag))
        return;
    const uint8_t *p = window_peek(visit->window, offset, len);
    if (p != NULL)
        inspector->see(inspector->context, tag, element->form, p, len);
}

static void visit_element(void *context, const struct walk_element *element, uint64_t offset)
{
    struct visit *visit = (struct visit *)context;
    if (element->group == 0x0008 || element->group == 0x0020)
        keep_wanted(visit->window, visit->inspection, element, offset);
    if (visit->inspector->see != NULL)
        show_element(visit, element, offset);
}

/* True if the file's bytes at `offset` look like the beginning of a data set or of meta information without preamble.
 */
static bool begins_like_data_set(struct window *window, uint64_t offset)
{
    const uint8_t *p = window_peek(window, offset, 8);
    if (p == NULL)
        return false;
    if (get_u16_be(p) == 0x0008 && walk_is_vr(p + 4))
        return true;
    if (get_u16_le(p) != 0x0008 && get_u16_le(p) != 0x0002)
        return false;
    return walk_is_vr(p + 4) || get_u32_le(p + 4) <= window->size - offset - 8;
}

/* How a transfer syntax is encoded. */
struct syntax {
    const char *uid;
    enum walk_form form;
    bool deflated;
};

static const struct syntax syntaxes[] = {
    {UID_IMPLICIT_VR_LITTLE_ENDIAN, WALK_IMPLICIT_LE, false},
    {UID_EXPLICIT_VR_BIG_ENDIAN, WALK_EXPLICIT_BE, false},
    {UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, WALK_EXPLICIT_LE, true},
    {"1.2.840.10008.1.2.4.95", WALK_EXPLICIT_LE, true},  /* JPIP Referenced Deflate */
    {"1.2.840.10008.1.2.4.205", WALK_EXPLICIT_LE, true}, /* JPIP HTJ2K Referenced Deflate */
    {"1.2.840.113619.5.2", WALK_IMPLICIT_LE, false},     /* GE private: implicit VR, pixel data alone in big endian */
};

static struct syntax find_syntax(const char *uid)
{
    for (size_t i = 0; i < sizeof syntaxes / sizeof syntaxes[0]; i++) {
        if (strcmp(syntaxes[i].uid, uid) == 0)
            return syntaxes[i];
    }
    return (struct syntax){.uid = uid, .form = WALK_EXPLICIT_LE};
}

/* What the walk said, as an outcome. */
static void judge_walk(struct inspection *inspection, const struct window *window, enum walk_result result)
{
    switch (result) {
    case WALK_COMPLETE:
    case WALK_UNFINISHED:
        break;
    case WALK_TRUNCATED:
        end_with(inspection, OUTCOME_FAILED, REASON_TRUNCATED);
        break;
    case WALK_TRAILING:
        end_with(inspection, OUTCOME_FAILED, REASON_TRAILING_DATA);
        break;
    case WALK_MISMATCH:
        end_with(inspection, OUTCOME_FAILED, REASON_SYNTAX_MISMATCH);
        break;
    case WALK_NESTING:
        end_with(inspection, OUTCOME_SKIPPED, REASON_NESTING);
        break;
    case WALK_UNREADABLE:
        end_with(inspection, OUTCOME_FAILED, REASON_UNREADABLE);
        inspection->error = window->error;
        break;
    }
}

/* Walk the data set, which begins at inspection->data_offset. */
static void inspect_data_set(struct inspector *inspector, const struct syntax *syntax, struct inspection *inspection)
{
    struct window *window = &inspector->window;
    uint64_t size = window->size;
    inspection->data_len = size - inspection->data_offset;
    struct visit visit = {.inspector = inspector, .window = window, .inspection = inspection};
    struct walk walk = {.window = window, .visit = visit_element, .context = &visit};
    if (syntax->deflated) {
        int error = window_begin_inflate(window, inspection->data_offset);
        if (error < 0) {
            end_with(inspection, OUTCOME_FAILED, REASON_OUT_OF_MEMORY);
            inspection->error = error;
            return;
        }
    } else {
        walk.offset = inspection->data_offset;
    }
    enum walk_result result = walk_run(&walk, syntax->form);
    if (syntax->deflated) {
        /* The offset in the inflated data would help nobody. */
        walk.offset = result == WALK_TRUNCATED ? size : inspection->data_offset;
        if (result == WALK_COMPLETE && window_input_left(window) > DEFLATE_TRAILER_MAX)
            result = WALK_TRAILING;
    }
    judge_walk(inspection, window, result);
    if (inspection->state != OUTCOME_PENDING) {
        inspection->offset = walk.offset;
    } else if (inspection->data_len % 2 != 0) {
        if (syntax->deflated)
            inspection->pad = true;
        else
            end_with(inspection, OUTCOME_FAILED, REASON_ODD_LENGTH);
    }
}

/* A data set without meta information: walk it in the syntax it seems to be in. */
static void inspect_raw(struct inspector *inspector, struct inspection *inspection)
{
    struct window *window = &inspector->window;
    const uint8_t *p = window_peek(window, inspection->data_offset, 8);
    if (!inspector->accept_raw || p == NULL || get_u16_le(p) != 0x0008) {
        end_with(inspection, OUTCOME_SKIPPED, REASON_NO_META);
        return;
    }
    bool has_vr = walk_is_vr(p + 4);
    inspection->raw_syntax = has_vr ? UID_EXPLICIT_VR_LITTLE_ENDIAN : UID_IMPLICIT_VR_LITTLE_ENDIAN;
    struct syntax syntax = find_syntax(inspection->raw_syntax);
    inspect_data_set(inspector, &syntax, inspection);
}

/* The data set behind complete meta information. */
static void inspect_declared(struct inspector *inspector, struct inspection *inspection)
{
    char uid[UID_SIZE] = "";
    const struct inspect_element *declared = &inspection->wanted[INSPECT_SYNTAX];
    const struct inspect_element *meta_class = &inspection->wanted[INSPECT_META_CLASS];
    if (meta_class->found && inspector->read_uid(inspector->context, meta_class, uid) &&
        strcmp(uid, UID_MEDIA_STORAGE_DIRECTORY) == 0) {
        end_with(inspection, OUTCOME_SKIPPED, REASON_DICOMDIR);
        return;
    }
    uid[0] = '\0';
    bool readable = declared->found && inspector->read_uid(inspector->context, declared, uid);
    if (!declared->found || (readable && uid[0] == '\0')) {
        end_with(inspection, OUTCOME_SKIPPED, REASON_NO_TRANSFER_SYNTAX);
    } else if (!readable || !uid_is_well_formed(uid, strlen(uid))) {
        end_with(inspection, OUTCOME_FAILED, REASON_BAD_UID);
        inspection->offset = declared->offset;
    } else {
        struct syntax syntax = find_syntax(uid);
        inspect_data_set(inspector, &syntax, inspection);
    }
}

void inspect_file(struct inspector *inspector, int fd, uint64_t size, struct inspection *ret_inspection)
{
    struct window *window = &inspector->window;
    window_begin(window, fd, size);
    ret_inspection->state = OUTCOME_PENDING;
    ret_inspection->reason = REASON_NONE;
    ret_inspection->error = 0;
    ret_inspection->offset = ret_inspection->data_offset = ret_inspection->data_len = 0;
    ret_inspection->pad = false;
    ret_inspection->raw_syntax = NULL;
    for (size_t i = 0; i < INSPECT_WANTED_COUNT; i++)
        ret_inspection->wanted[i].found = ret_inspection->wanted[i].too_long = false;

    const uint8_t *p = window_peek(window, 0, PREFIX_LEN);
    bool has_prefix = p != NULL && memcmp(p + PREAMBLE_LEN, "DICM", 4) == 0;
    p = window_peek(window, 0, DICM_LEN);
    bool has_bare_prefix = !has_prefix && p != NULL && memcmp(p, "DICM", DICM_LEN) == 0;
    uint64_t begin = has_prefix ? PREFIX_LEN : has_bare_prefix ? DICM_LEN : 0;
    bool like_data_set = has_prefix || begins_like_data_set(window, begin);
    if (window->error != 0) {
        judge_walk(ret_inspection, window, WALK_UNREADABLE);
        return;
    }
    if (!like_data_set) {
        end_with(ret_inspection, OUTCOME_SKIPPED, REASON_NOT_DICOM);
        return;
    }
    bool whole = inspect_meta(window, begin, ret_inspection, &ret_inspection->data_offset);
    bool has_meta = ret_inspection->data_offset > begin;
    if (window->error != 0) {
        judge_walk(ret_inspection, window, WALK_UNREADABLE);
    } else if (!whole && has_prefix) {
        end_with(ret_inspection, OUTCOME_FAILED, REASON_TRUNCATED);
        ret_inspection->offset = ret_inspection->data_offset;
    } else if (!has_prefix && !(whole && inspector->accept_raw)) {
        end_with(ret_inspection, OUTCOME_SKIPPED, REASON_NO_META);
    } else if (has_meta) {
        inspect_declared(inspector, ret_inspection);
    } else {
        inspect_raw(inspector, ret_inspection);
    }
}
