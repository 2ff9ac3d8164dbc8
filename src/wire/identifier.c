/* identifier - made, changed and walked. See dicomnet/identifier.h, and identifier_private.h for how it lies in memory.
 */
#include "dicomnet/identifier.h"

#include <assert.h>

#include "base/buffer.h"
#include "wire/identifier_private.h"
#include "wire/vr.h"

/* ---- made, emptied ---- */

void dicomnet_identifier_init(struct dicomnet_identifier *identifier)
{
    *identifier = (struct dicomnet_identifier){0};
}

void dicomnet_identifier_fini(struct dicomnet_identifier *identifier)
{
    buffer_free(&identifier->data, &identifier->size);
    identifier->len = 0;
}

void dicomnet_identifier_clear(struct dicomnet_identifier *identifier)
{
    identifier->len = 0;
}

int dicomnet_identifier_copy(struct dicomnet_identifier *identifier, const struct dicomnet_identifier *other)
{
    if (identifier == other)
        return 0;
    int error = buffer_grow(&identifier->data, &identifier->size, other->len, DICOMNET_IDENTIFIER_SIZE_MAX);
    if (error != 0)
        return error;
    if (other->len > 0)
        memcpy(identifier->data, other->data, other->len);
    identifier->len = other->len;
    return 0;
}

bool dicomnet_identifier_is_empty(const struct dicomnet_identifier *identifier)
{
    return identifier->len == 0;
}

/* ---- records ---- */

int identifier_reserve(struct dicomnet_identifier *identifier, size_t more)
{
    if (more > DICOMNET_IDENTIFIER_SIZE_MAX)
        return DICOMNET_ERROR_IDENTIFIER_TOO_LONG;
    int error = buffer_grow(&identifier->data, &identifier->size, identifier->len + more, DICOMNET_IDENTIFIER_SIZE_MAX);
    return error == DICOMNET_ERROR_BUFFER_TOO_SMALL ? DICOMNET_ERROR_IDENTIFIER_TOO_LONG : error;
}

int identifier_append_record(struct dicomnet_identifier *identifier, const struct record *record, const void *value,
                             size_t len)
{
    int error = identifier_reserve(identifier, RECORD_HEADER_LEN + len);
    if (error != 0)
        return error;
    record_put(identifier, identifier->len, record);
    if (len > 0)
        memcpy(identifier->data + identifier->len + RECORD_HEADER_LEN, value, len);
    identifier->len += RECORD_HEADER_LEN + len;
    return 0;
}

size_t identifier_find_place(const struct dicomnet_identifier *identifier, size_t at, size_t end, uint32_t tag)
{
    while (at < end && record_at(identifier, at).tag < tag)
        at = record_end(identifier, at);
    return at;
}

int identifier_splice(struct dicomnet_identifier *identifier, size_t at, size_t old_len, size_t new_len)
{
    if (new_len > old_len) {
        int error = identifier_reserve(identifier, new_len - old_len);
        if (error != 0)
            return error;
    }
    size_t behind = identifier->len - at - old_len;
    if (behind > 0)
        memmove(identifier->data + at + new_len, identifier->data + at + old_len, behind);
    identifier->len = identifier->len - old_len + new_len;
    return 0;
}

uint8_t identifier_padding(const char *vr)
{
    const struct vr_info *info = vr_find(vr);
    bool spaces = info != NULL && info->kind == VR_TEXT && memcmp(vr, "UI", 2) != 0;
    return spaces ? ' ' : '\0';
}

/* Make room at top level for a record of `tag` with `len` bytes of value; what was there is gone. */
static int make_place(struct dicomnet_identifier *identifier, uint32_t tag, size_t len, size_t *ret_at)
{
    if (len > DICOMNET_IDENTIFIER_SIZE_MAX)
        return DICOMNET_ERROR_IDENTIFIER_TOO_LONG;
    size_t at = identifier_find_place(identifier, 0, identifier->len, tag);
    bool is_there = at < identifier->len && record_at(identifier, at).tag == tag;
    size_t old_len = is_there ? record_end(identifier, at) - at : 0;
    *ret_at = at;
    return identifier_splice(identifier, at, old_len, RECORD_HEADER_LEN + len);
}

/* ---- written ---- */

int dicomnet_identifier_set_bytes(struct dicomnet_identifier *identifier, uint32_t tag, const char *vr,
                                  struct dicomnet_span value)
{
    assert(memcmp(vr, "SQ", 2) != 0 || value.len == 0);
    size_t at, len = value.len + value.len % 2;
    int error = make_place(identifier, tag, len, &at);
    if (error != 0)
        return error;
    struct record record = {.tag = tag, .vr = {vr[0], vr[1]}, .len = (uint32_t)len};
    record_put(identifier, at, &record);
    uint8_t *to = identifier->data + at + RECORD_HEADER_LEN;
    if (value.len > 0)
        memcpy(to, value.data, value.len);
    if (len > value.len)
        to[value.len] = identifier_padding(vr);
    return 0;
}

/* Copy records from another identifier to the place at `at`, with other depths. */
static void copy_records(struct dicomnet_identifier *identifier, size_t at, const struct dicomnet_identifier *from,
                         size_t from_at, size_t len, int deeper)
{
    if (len == 0)
        return;
    memcpy(identifier->data + at, from->data + from_at, len);
    size_t end = at + len;
    while (at < end) {
        struct record record = record_at(identifier, at);
        record.depth = (uint8_t)(record.depth + deeper);
        record_put(identifier, at, &record);
        at += RECORD_HEADER_LEN + (record_is_container(&record) ? 0 : record.len);
    }
}

static unsigned deepest(const struct dicomnet_identifier *identifier)
{
    unsigned depth = 0;
    for (struct dicomnet_element element = {0}; dicomnet_identifier_next(identifier, &element);)
        if (element.depth > depth)
            depth = element.depth;
    return depth;
}

int dicomnet_identifier_append_item(struct dicomnet_identifier *identifier, uint32_t tag,
                                    const struct dicomnet_identifier *item)
{
    assert(item != identifier);
    struct dicomnet_element sequence;
    if (deepest(item) + 1 > DICOMNET_IDENTIFIER_DEPTH_MAX)
        return DICOMNET_ERROR_IDENTIFIER_TOO_DEEP;
    bool is_there = dicomnet_identifier_find(identifier, tag, &sequence);
    if (is_there && memcmp(sequence.vr, "SQ", 2) != 0)
        return DICOMNET_ERROR_IDENTIFIER_VALUE;
    size_t before = is_there ? 0 : RECORD_HEADER_LEN; /* of the sequence, if it has to be made */
    size_t len = before + RECORD_HEADER_LEN + item->len;
    size_t begin = is_there ? sequence.at : identifier_find_place(identifier, 0, identifier->len, tag);
    size_t at = is_there ? record_end(identifier, begin) : begin;
    int error = identifier_splice(identifier, at, 0, len);
    if (error != 0)
        return error;
    struct record record = {.tag = tag, .vr = {'S', 'Q'}};
    if (is_there)
        record = record_at(identifier, begin);
    record.len += (uint32_t)(len - before);
    record_put(identifier, begin, &record);
    struct record item_record = {.tag = DICOMNET_TAG_ITEM, .vr = {'-', '-'}, .depth = 1, .len = (uint32_t)item->len};
    record_put(identifier, at + before, &item_record);
    copy_records(identifier, at + before + RECORD_HEADER_LEN, item, 0, item->len, 1);
    return 0;
}

int dicomnet_identifier_set_element(struct dicomnet_identifier *identifier, const struct dicomnet_identifier *from,
                                    const struct dicomnet_element *element)
{
    assert(identifier != from && element->tag != DICOMNET_TAG_ITEM);
    size_t at, len = record_end(from, element->at) - element->at;
    int error = make_place(identifier, element->tag, len - RECORD_HEADER_LEN, &at);
    if (error == 0)
        copy_records(identifier, at, from, element->at, len, -(int)element->depth);
    return error;
}

void dicomnet_identifier_remove(struct dicomnet_identifier *identifier, uint32_t tag)
{
    struct dicomnet_element element;
    if (!dicomnet_identifier_find(identifier, tag, &element))
        return;
    size_t len = record_end(identifier, element.at) - element.at;
    (void)!identifier_splice(identifier, element.at, len, 0);
}

/* ---- read ---- */

static void element_of(const struct dicomnet_identifier *identifier, size_t at, struct dicomnet_element *ret_element)
{
    struct record record = record_at(identifier, at);
    *ret_element = (struct dicomnet_element){
        .tag = record.tag, .vr = {record.vr[0], record.vr[1]}, .depth = record.depth, .at = at};
    ret_element->value.data = identifier->data + at + RECORD_HEADER_LEN;
    ret_element->value.len = record_is_container(&record) ? 0 : record.len;
}

bool dicomnet_identifier_find(const struct dicomnet_identifier *identifier, uint32_t tag,
                              struct dicomnet_element *ret_element)
{
    size_t at = identifier_find_place(identifier, 0, identifier->len, tag);
    if (at == identifier->len || record_at(identifier, at).tag != tag)
        return false;
    if (ret_element != NULL)
        element_of(identifier, at, ret_element);
    return true;
}

static bool go_to(const struct dicomnet_identifier *identifier, size_t at, struct dicomnet_element *element)
{
    if (at == identifier->len)
        return false;
    element_of(identifier, at, element);
    return true;
}

bool dicomnet_identifier_next(const struct dicomnet_identifier *identifier, struct dicomnet_element *element)
{
    bool is_start = element->vr[0] == '\0';
    return go_to(identifier, is_start ? 0 : element->at + RECORD_HEADER_LEN + element->value.len, element);
}

bool dicomnet_identifier_skip(const struct dicomnet_identifier *identifier, struct dicomnet_element *element)
{
    bool is_start = element->vr[0] == '\0';
    return go_to(identifier, is_start ? 0 : record_end(identifier, element->at), element);
}

int dicomnet_identifier_get_item(const struct dicomnet_identifier *identifier, const struct dicomnet_element *item,
                                 struct dicomnet_identifier *ret_item)
{
    assert(item->tag == DICOMNET_TAG_ITEM && identifier != ret_item);
    size_t at = item->at + RECORD_HEADER_LEN, len = record_end(identifier, item->at) - at;
    dicomnet_identifier_clear(ret_item);
    int error = identifier_splice(ret_item, 0, 0, len);
    if (error == 0)
        copy_records(ret_item, 0, identifier, at, len, -(int)item->depth);
    return error;
}
