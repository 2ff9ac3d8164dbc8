/* inspect - see inspect.h. */
#include "files/inspect.h"

#include <string.h>

#include "base/bytes.h"
#include "dicomnet/uid.h"
#include "files/vr_guess.h"
#include "wire/syntax.h"

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

/*
 * The element as it stands in the file, header and value. One whose VR is none of the standard's is shown as it would
 * be in Implicit VR Little Endian, as a reader of DICOM knows no other way to decode it; so what is no text must not be
 * in big endian. Returns its length, or 0 if the file has ended; its value is WINDOW_JUMP_SIZE - 12 bytes long at most.
 */
static size_t copy_element(struct window *window, const struct walk_element *element, uint64_t offset, uint8_t *ret_raw,
                           enum syntax_form *ret_form)
{
    size_t len = element->header_len + (size_t)element->value_len;
    const uint8_t *p = window_peek(window, offset, len);
    if (p == NULL)
        return 0;
    *ret_form = element->form;
    if (element->length == WALK_LENGTH_BY_VR) {
        memcpy(ret_raw, p, len);
        return len;
    }
    *ret_form = SYNTAX_IMPLICIT_LE;
    set_u16_le(ret_raw, element->group);
    set_u16_le(ret_raw + 2, element->element);
    set_u32_le(ret_raw + 4, element->value_len);
    memcpy(ret_raw + 8, p + element->header_len, element->value_len);
    return 8 + (size_t)element->value_len;
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
        wanted->offset = window->inflating ? 0 : offset;
        wanted->too_long = element->undefined || element->value_len > INSPECT_VALUE_MAX;
        if (wanted->too_long)
            return;
        wanted->len = copy_element(window, element, offset, wanted->raw, &wanted->form);
        wanted->found = wanted->len > 0;
        return;
    }
}

/* An element of the meta information whose VR is none of the standard's. */
static enum walk_result read_strange(struct vr_guess *guess, struct window *window, uint64_t offset,
                                     struct walk_element *element)
{
    const struct vr_place place = {
        .form = SYNTAX_EXPLICIT_LE, .offset = offset, .limit = window->size, .in_data_set = true};
    enum walk_result result = vr_guess_read(guess, window, &place, element);
    if (result != WALK_MISMATCH)
        return result;
    /* No way of reading its length makes what follows parse. That proves little if a data set in Implicit VR follows,
     * so the length is taken to be 32 bits in the place of the VR. */
    return walk_read_header(window, SYNTAX_EXPLICIT_LE, offset, window->size, WALK_LENGTH_IMPLICIT, false, element);
}

bool inspect_meta(struct window *window, uint64_t offset, struct inspection *inspection, uint64_t *ret_end)
{
    struct vr_guess guess = {.reads = 0};
    *ret_end = offset;
    while (!window_ends_at(window, *ret_end)) {
        const uint8_t *p = window_peek(window, *ret_end, 2);
        if (p != NULL && get_u16_le(p) != 0x0002)
            return true;
        struct walk_element element;
        enum walk_result result =
            walk_read_header(window, SYNTAX_EXPLICIT_LE, *ret_end, window->size, WALK_LENGTH_BY_VR, false, &element);
        if (result == WALK_UNKNOWN_VR)
            result = read_strange(&guess, window, *ret_end, &element);
        if (result != WALK_COMPLETE || element.undefined)
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
    size_t elements; /* of the data set itself */
    bool native;     /* (7FE0,0010) of the data set itself has a defined length, and stands at */
    uint64_t native_offset;
};

static void show_element(struct visit *visit, const struct walk_element *element, uint64_t offset)
{
    const struct inspector *inspector = visit->inspector;
    uint32_t tag = (uint32_t)element->group << 16 | element->element;
    uint8_t raw[WINDOW_JUMP_SIZE];
    enum syntax_form form;
    if (element->undefined || element->header_len + (uint64_t)element->value_len > sizeof raw ||
        !inspector->wants(inspector->context, tag))
        return;
    size_t len = copy_element(visit->window, element, offset, raw, &form);
    if (len > 0)
        inspector->see(inspector->context, tag, form, raw, len);
}

/* The elements that visit_element has something to do with, unless somebody else is to see others. */
static const uint32_t looked_at[] = {0x00080016, 0x00080018, 0x0020000d, 0x0020000e, 0x7fe00010};

static void visit_element(void *context, const struct walk_element *element, uint64_t offset)
{
    struct visit *visit = (struct visit *)context;
    if (element->group == 0x0008 || element->group == 0x0020)
        keep_wanted(visit->window, visit->inspection, element, offset);
    if (element->group == 0x7fe0 && element->element == 0x0010 && !element->undefined) {
        visit->native = true;
        visit->native_offset = offset;
    }
    if (visit->inspector->see != NULL)
        show_element(visit, element, offset);
}

/* True if the group of a first element is one in which meta information or a data set begins, in either byte order. */
static bool begins_like_data_set(struct window *window, uint64_t offset)
{
    const uint8_t *p = window_peek(window, offset, 8);
    return p != NULL && (get_u16_le(p) == 0x0002 || get_u16_le(p) == 0x0008 || get_u16_be(p) == 0x0008);
}

/* Why a file fails of which a walk said that; REASON_NONE if it does not. */
static enum outcome_reason reason_of_walk(enum walk_result result)
{
    switch (result) {
    case WALK_COMPLETE:
    case WALK_UNFINISHED:
        return REASON_NONE;
    case WALK_TRUNCATED:
        return REASON_TRUNCATED;
    case WALK_TRAILING:
        return REASON_TRAILING_DATA;
    case WALK_MISMATCH:
    case WALK_UNKNOWN_VR:
        return REASON_SYNTAX_MISMATCH;
    case WALK_DELIMITER:
        return REASON_BAD_DELIMITER;
    case WALK_NESTING:
        return REASON_NESTING;
    case WALK_UNREADABLE:
        return REASON_UNREADABLE;
    }
    return REASON_NONE;
}

static void judge_walk(struct inspection *inspection, const struct window *window, enum walk_result result)
{
    enum outcome_reason reason = reason_of_walk(result);
    if (reason != REASON_NONE)
        end_with(inspection, OUTCOME_FAILED, reason);
    if (result == WALK_UNREADABLE)
        inspection->error = window->error;
}

/* The form of Pixel Data against the transfer syntax. */
static void judge_pixels(struct inspection *inspection, const struct visit *visit, const struct walk *walk,
                         const struct syntax *syntax)
{
    uint64_t offset = visit->native_offset;
    if (visit->native && syntax->pixels == SYNTAX_PIXELS_ENCAPSULATED) {
        inspection->detail = "Pixel Data is native (of defined length), and the transfer syntax is a compressed one";
    } else if (walk->encapsulated && syntax->pixels == SYNTAX_PIXELS_NATIVE) {
        inspection->detail =
            "Pixel Data is encapsulated (of undefined length), and the transfer syntax is a native one";
        offset = walk->encapsulated_offset;
    } else {
        return;
    }
    end_with(inspection, OUTCOME_FAILED, REASON_SYNTAX_MISMATCH);
    inspection->offset = syntax->deflated ? inspection->data_offset : offset;
}

/* True if nothing but zeros follows the deflate stream, of which the window has seen the end. */
static bool only_zeros_follow_stream(struct window *window, uint64_t left)
{
    const uint8_t *p = NULL;
    uint64_t size = window->input_size, offset = size - left;
    window_begin(window, window->fd, size);
    while (offset < size && (p = window_peek(window, offset, 1)) != NULL && *p == 0)
        offset++;
    return offset == size;
}

/* The walk of a deflated data set has ended: what follows the stream, and where things are in the file. */
static enum walk_result end_deflated(struct window *window, struct walk *walk, struct inspection *inspection,
                                     enum walk_result result)
{
    uint64_t left = window_input_left(window), size = inspection->data_offset + inspection->data_len;
    /* The offset in the inflated data would help nobody. */
    walk->offset = result == WALK_TRUNCATED ? size : inspection->data_offset;
    if (result != WALK_COMPLETE || left <= DEFLATE_TRAILER_MAX)
        return result;
    walk->offset = size - left;
    if (!only_zeros_follow_stream(window, left))
        return window->error != 0 ? WALK_UNREADABLE : WALK_TRAILING;
    inspection->zero_tail = true;
    inspection->data_len -= left;
    return WALK_COMPLETE;
}

/* Walk the data set, which begins at inspection->data_offset and is data_len long, and judge its structure. */
static void walk_data_set(struct inspector *inspector, const struct syntax *syntax, struct inspection *inspection,
                          struct visit *ret_visit)
{
    struct window *window = &inspector->window;
    *ret_visit = (struct visit){.inspector = inspector, .window = window, .inspection = inspection};
    struct walk walk = {.window = window, .visit = visit_element, .context = ret_visit};
    if (inspector->see == NULL) {
        walk.tags = looked_at;
        walk.tag_count = sizeof looked_at / sizeof looked_at[0];
    }
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
    ret_visit->elements = walk.elements;
    inspection->unknown_vr = walk.unknown_vr;
    inspection->zero_tail = walk.zero_tail;
    inspection->detail = walk.detail;
    if (syntax->deflated)
        result = end_deflated(window, &walk, inspection, result);
    else if (walk.zero_tail)
        inspection->data_len = walk.offset - inspection->data_offset;
    judge_walk(inspection, window, result);
    if (inspection->state != OUTCOME_PENDING)
        inspection->offset = walk.offset;
    else
        judge_pixels(inspection, ret_visit, &walk, syntax);
    if (inspection->state != OUTCOME_PENDING || inspection->data_len % 2 == 0)
        return;
    if (syntax->deflated)
        inspection->pad = true;
    else
        end_with(inspection, OUTCOME_FAILED, REASON_ODD_LENGTH);
}

/* Forget what an earlier walk has found. */
static void forget_walk(struct inspector *inspector, struct inspection *inspection)
{
    end_with(inspection, OUTCOME_PENDING, REASON_NONE);
    inspection->detail = NULL;
    inspection->offset = 0;
    inspection->data_len = inspector->window.size - inspection->data_offset;
    for (size_t i = INSPECT_CLASS; i < INSPECT_WANTED_COUNT; i++)
        inspection->wanted[i].found = inspection->wanted[i].too_long = false;
}

static bool has_uid(struct inspector *inspector, enum inspect_wanted which)
{
    const char *uid = inspector->read_uid(inspector->context, which);
    return uid != NULL && dicomnet_uid_is_well_formed(uid, strlen(uid));
}

/* The syntaxes that can be told by parsing. */
static const char *const parsed_syntaxes[] = {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN,
                                              DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN,
                                              DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN};
enum { PARSED_SYNTAXES = sizeof parsed_syntaxes / sizeof parsed_syntaxes[0], ELEMENTS_MIN = 3 };

/* Walk what lies at data_offset as a data set in this syntax. True if it is one, whole or not. */
static bool try_syntax(struct inspector *inspector, const char *uid, struct inspection *inspection)
{
    struct syntax syntax = syntax_find(uid);
    struct visit visit;
    forget_walk(inspector, inspection);
    walk_data_set(inspector, &syntax, inspection, &visit);
    if (has_uid(inspector, INSPECT_CLASS) || has_uid(inspector, INSPECT_INSTANCE) || has_uid(inspector, INSPECT_STUDY))
        return true;
    return inspection->state == OUTCOME_PENDING && visit.elements >= ELEMENTS_MIN;
}

/* Find the syntax of the data set by parsing, and judge it in that. False if it is no data set in any. */
static bool inspect_parsed(struct inspector *inspector, struct inspection *inspection)
{
    size_t best = PARSED_SYNTAXES;
    for (size_t i = 0; i < PARSED_SYNTAXES; i++) {
        bool fits = try_syntax(inspector, parsed_syntaxes[i], inspection);
        if (fits && (inspection->state == OUTCOME_PENDING || best == PARSED_SYNTAXES))
            best = i;
        if (fits && inspection->state == OUTCOME_PENDING)
            break;
    }
    if (best == PARSED_SYNTAXES)
        return false;
    if (inspection->state != OUTCOME_PENDING)
        (void)try_syntax(inspector, parsed_syntaxes[best], inspection);
    inspection->raw_syntax = parsed_syntaxes[best];
    return true;
}

/* A data set that does not say how it is encoded: take it, or say why not. */
static void inspect_undeclared(struct inspector *inspector, enum outcome_reason reason, bool is_dicom,
                               struct inspection *inspection)
{
    bool parsed = inspect_parsed(inspector, inspection);
    if (inspector->window.error != 0)
        return;
    if (!parsed && !is_dicom) {
        forget_walk(inspector, inspection);
        inspection->data_len = 0;
        end_with(inspection, OUTCOME_SKIPPED, REASON_NOT_DICOM);
    } else if (!parsed || !inspector->accept_raw) {
        end_with(inspection, OUTCOME_FAILED, reason);
        inspection->offset = 0;
        inspection->detail = NULL;
    }
}

/* Nothing is known of the syntax: the file goes as it lies. What names it is read where that can be found. */
static void inspect_unwalked(struct inspector *inspector, struct inspection *inspection)
{
    bool named = false;
    for (size_t i = 0; i < PARSED_SYNTAXES && !named; i++) {
        (void)try_syntax(inspector, parsed_syntaxes[i], inspection);
        named = has_uid(inspector, INSPECT_CLASS) && has_uid(inspector, INSPECT_INSTANCE);
        if (inspector->window.error != 0 || inspection->reason == REASON_NESTING)
            return;
    }
    if (!named) {
        forget_walk(inspector, inspection);
        inspection->wanted[INSPECT_CLASS] = inspection->wanted[INSPECT_META_CLASS];
        inspection->wanted[INSPECT_INSTANCE] = inspection->wanted[INSPECT_META_INSTANCE];
    }
    end_with(inspection, OUTCOME_PENDING, REASON_NONE);
    inspection->offset = 0;
    inspection->detail = NULL;
    inspection->unwalked = true;
    inspection->unknown_vr = inspection->zero_tail = false;
    inspection->data_len = inspector->window.size - inspection->data_offset;
    if (inspection->data_len % 2 != 0)
        end_with(inspection, OUTCOME_FAILED, REASON_ODD_LENGTH);
}

/* The data set behind complete meta information. */
static void inspect_declared(struct inspector *inspector, struct inspection *inspection)
{
    const struct inspect_element *declared = &inspection->wanted[INSPECT_SYNTAX];
    const char *meta_class = inspector->read_uid(inspector->context, INSPECT_META_CLASS);
    if (meta_class != NULL && strcmp(meta_class, DICOMNET_UID_MEDIA_STORAGE_DIRECTORY) == 0) {
        end_with(inspection, OUTCOME_SKIPPED, REASON_DICOMDIR);
        return;
    }
    const char *uid = inspector->read_uid(inspector->context, INSPECT_SYNTAX);
    if (!declared->found || (uid != NULL && uid[0] == '\0')) {
        inspect_undeclared(inspector, REASON_NO_TRANSFER_SYNTAX, true, inspection);
        return;
    }
    struct syntax syntax = uid != NULL ? syntax_find(uid) : (struct syntax){.walked = false};
    if (!syntax.walked && (uid == NULL || !dicomnet_uid_is_well_formed(uid, strlen(uid)))) {
        end_with(inspection, OUTCOME_FAILED, REASON_BAD_UID);
        inspection->offset = declared->offset;
        inspection->detail = "the transfer syntax";
        return;
    }
    if (!syntax.walked) {
        inspect_unwalked(inspector, inspection);
        return;
    }
    struct visit visit;
    forget_walk(inspector, inspection);
    walk_data_set(inspector, &syntax, inspection, &visit);
}

/* What follows "DICM", or the file's beginning where there is none. */
static void inspect_content(struct inspector *inspector, uint64_t begin, bool has_preamble,
                            struct inspection *inspection)
{
    struct window *window = &inspector->window;
    bool whole = inspect_meta(window, begin, inspection, &inspection->data_offset);
    bool has_meta = inspection->data_offset > begin;
    /* A file that happens to begin with the two bytes of group 0002 has none of the elements that all meta information
     * has. */
    bool is_meta = inspection->wanted[INSPECT_SYNTAX].found || inspection->wanted[INSPECT_META_CLASS].found ||
                   inspection->wanted[INSPECT_META_INSTANCE].found;
    if (window->error != 0)
        return;
    if (has_preamble && (!whole || window_ends_at(window, begin))) {
        end_with(inspection, OUTCOME_FAILED, REASON_TRUNCATED);
        inspection->offset = inspection->data_offset;
    } else if (!has_meta) {
        inspect_undeclared(inspector, REASON_NO_META, has_preamble, inspection);
    } else if (!has_preamble && !is_meta) {
        end_with(inspection, OUTCOME_SKIPPED, REASON_NOT_DICOM);
    } else if (!has_preamble && !(whole && inspector->accept_raw)) {
        end_with(inspection, OUTCOME_FAILED, REASON_NO_META);
    } else {
        inspect_declared(inspector, inspection);
    }
}

void inspect_file(struct inspector *inspector, int fd, uint64_t size, struct inspection *ret_inspection)
{
    struct window *window = &inspector->window;
    window_begin(window, fd, size);
    window_set_start(window, inspector->start, inspector->start_len);
    ret_inspection->state = OUTCOME_PENDING;
    ret_inspection->reason = REASON_NONE;
    ret_inspection->error = 0;
    ret_inspection->offset = ret_inspection->data_offset = ret_inspection->data_len = 0;
    ret_inspection->pad = ret_inspection->unwalked = ret_inspection->unknown_vr = ret_inspection->zero_tail = false;
    ret_inspection->raw_syntax = ret_inspection->detail = NULL;
    for (size_t i = 0; i < INSPECT_WANTED_COUNT; i++)
        ret_inspection->wanted[i].found = ret_inspection->wanted[i].too_long = false;

    const uint8_t *p = window_peek(window, 0, PREFIX_LEN);
    bool has_preamble = p != NULL && memcmp(p + PREAMBLE_LEN, "DICM", DICM_LEN) == 0;
    p = window_peek(window, 0, DICM_LEN);
    bool is_bare = !has_preamble && p != NULL && memcmp(p, "DICM", DICM_LEN) == 0;
    uint64_t begin = has_preamble ? PREFIX_LEN : is_bare ? DICM_LEN : 0;
    if (window->error == 0 && (has_preamble || begins_like_data_set(window, begin)))
        inspect_content(inspector, begin, has_preamble, ret_inspection);
    else
        end_with(ret_inspection, OUTCOME_SKIPPED, REASON_NOT_DICOM);
    if (window->error != 0)
        judge_walk(ret_inspection, window, WALK_UNREADABLE);
}
