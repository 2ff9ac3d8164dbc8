/* pixel_frames - see files/pixel_frames.h. */
#include "files/pixel_frames.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/bytes.h"

enum { GROUP_DELIMITER = 0xfffe, ELEMENT_ITEM = 0xe000, ITEM_HEADER_LEN = 8, START_LEN = 2 };

/* An item, or the delimiter behind the last one. */
struct item {
    bool is_end;
    bool is_start; /* an image begins in it */
    uint64_t next; /* where the next one lies */
};

static int read_bytes(int fd, uint64_t offset, void *ret_bytes, size_t len)
{
    ssize_t got;
    do
        got = pread(fd, ret_bytes, len, (off_t)offset);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    return got == (ssize_t)len ? 0 : DICOMNET_ERROR_SOURCE_SHORT;
}

static int read_item(int fd, uint64_t offset, uint64_t data_end, struct item *ret_item)
{
    uint8_t bytes[ITEM_HEADER_LEN + START_LEN] = {0};
    if (offset > data_end || data_end - offset < ITEM_HEADER_LEN)
        return DICOMNET_ERROR_SOURCE_SHORT;
    size_t there = data_end - offset < sizeof bytes ? (size_t)(data_end - offset) : sizeof bytes;
    int result = read_bytes(fd, offset, bytes, there);
    if (result < 0)
        return result;
    uint32_t len = get_u32_le(bytes + 4);
    *ret_item = (struct item){.is_end = get_u16_le(bytes) != GROUP_DELIMITER || get_u16_le(bytes + 2) != ELEMENT_ITEM};
    if (ret_item->is_end)
        return 0;
    if (len > data_end - offset - ITEM_HEADER_LEN)
        return DICOMNET_ERROR_SOURCE_SHORT;
    unsigned start = len < START_LEN ? 0 : (unsigned)bytes[8] << 8 | bytes[9];
    ret_item->is_start = start == 0xffd8 || start == 0xff4f;
    ret_item->next = offset + ITEM_HEADER_LEN + len;
    return 0;
}

/* Entry `index` of the table. */
static int read_entry(int fd, const struct pixel_place *table, unsigned entry_len, uint32_t index, uint64_t *ret_offset)
{
    uint8_t bytes[8];
    int result = read_bytes(fd, table->offset + (uint64_t)index * entry_len, bytes, entry_len);
    if (result == 0)
        *ret_offset = entry_len == 8 ? get_u32_le(bytes) | (uint64_t)get_u32_le(bytes + 4) << 32 : get_u32_le(bytes);
    return result;
}

/* A table that is held against the fragments, one after the other. */
struct table_check {
    const struct pixel_place *table;
    unsigned entry_len;
    uint32_t found; /* entries that point to the beginning of a fragment, the first to the first, in their order */
};

static int check_fragment(struct table_check *check, int fd, uint32_t frame_count, uint64_t offset)
{
    uint64_t entry;
    bool is_lost = check->found == 0 && offset > 0;
    if (is_lost || check->found == frame_count || check->table->len != (uint64_t)frame_count * check->entry_len)
        return 0;
    int result = read_entry(fd, check->table, check->entry_len, check->found, &entry);
    if (result == 0 && entry == offset)
        check->found++;
    return result;
}

/* What the items are, all of them. */
struct survey {
    uint64_t fragments;
    uint64_t starts;
    bool first_is_start;
    struct table_check extended, basic;
};

static int look_through(struct pixel_frames *frames, uint64_t data_end, struct survey *survey)
{
    struct item item;
    uint64_t offset = frames->begin;
    for (;;) {
        int result = read_item(frames->fd, offset, data_end, &item);
        if (result == 0 && !item.is_end)
            result = check_fragment(&survey->extended, frames->fd, frames->count, offset - frames->begin);
        if (result == 0 && !item.is_end)
            result = check_fragment(&survey->basic, frames->fd, frames->count, offset - frames->begin);
        if (result < 0)
            return result;
        if (item.is_end)
            break;
        if (survey->fragments == 0)
            survey->first_is_start = item.is_start;
        survey->fragments++;
        survey->starts += item.is_start;
        offset = item.next;
    }
    frames->end = offset;
    return 0;
}

static bool choose_way(struct pixel_frames *frames, const struct survey *survey)
{
    if (survey->fragments < frames->count)
        return false;
    if (frames->count == 1) {
        frames->way = PIXEL_FRAMES_ALL;
    } else if (survey->fragments == frames->count) {
        frames->way = PIXEL_FRAMES_ONE_EACH;
    } else if (survey->extended.found == frames->count) {
        frames->way = PIXEL_FRAMES_EXTENDED;
        frames->table = *survey->extended.table;
    } else if (survey->basic.found == frames->count) {
        frames->way = PIXEL_FRAMES_BASIC;
        frames->table = *survey->basic.table;
    } else if (survey->starts == frames->count && survey->first_is_start) {
        frames->way = PIXEL_FRAMES_STARTS;
    } else {
        return false;
    }
    return true;
}

int pixel_frames_open(struct pixel_frames *ret_frames, int fd, uint64_t data_end, const struct pixel_header *header,
                      char *ret_text, size_t size)
{
    struct item table;
    *ret_frames = (struct pixel_frames){.fd = fd, .count = header->frame_count};
    int result = read_item(fd, header->items_begin, data_end, &table);
    if (result < 0)
        return result;
    if (table.is_end) {
        snprintf(ret_text, size, "Pixel Data has no fragments");
        return DICOMNET_ERROR_SOURCE_UNDECODABLE;
    }
    ret_frames->begin = table.next;
    const struct pixel_place basic = {.offset = header->items_begin + ITEM_HEADER_LEN,
                                      .len = table.next - header->items_begin - ITEM_HEADER_LEN};
    struct survey survey = {.extended = {.table = &header->offsets, .entry_len = 8},
                            .basic = {.table = &basic, .entry_len = 4}};
    result = look_through(ret_frames, data_end, &survey);
    if (result < 0)
        return result;
    if (!choose_way(ret_frames, &survey)) {
        snprintf(ret_text, size, "%llu fragments cannot be matched to %u frames", (unsigned long long)survey.fragments,
                 (unsigned)ret_frames->count);
        return DICOMNET_ERROR_SOURCE_UNDECODABLE;
    }
    pixel_frames_rewind(ret_frames);
    return 0;
}

/* Where the frame that begins at `begin` ends, if fragments say so by how they begin. */
static int find_next_start(const struct pixel_frames *frames, uint64_t begin, uint64_t *ret_end)
{
    struct item item;
    int result = read_item(frames->fd, begin, frames->end, &item);
    while (result == 0 && item.next < frames->end) {
        *ret_end = item.next;
        result = read_item(frames->fd, item.next, frames->end, &item);
        if (result == 0 && item.is_start)
            return 0;
    }
    *ret_end = frames->end;
    return result;
}

int pixel_frames_next(struct pixel_frames *frames, uint64_t *ret_begin, uint64_t *ret_end)
{
    assert(frames->next < frames->count);
    struct item item;
    uint64_t end = frames->end;
    int result = 0;
    bool is_last = frames->next + 1 == frames->count;
    switch (frames->way) {
    case PIXEL_FRAMES_ALL:
        break;
    case PIXEL_FRAMES_ONE_EACH:
        result = read_item(frames->fd, frames->next_begin, frames->end, &item);
        end = result == 0 ? item.next : end;
        break;
    case PIXEL_FRAMES_EXTENDED:
    case PIXEL_FRAMES_BASIC:
        if (is_last)
            break;
        result = read_entry(frames->fd, &frames->table, frames->way == PIXEL_FRAMES_EXTENDED ? 8 : 4, frames->next + 1,
                            &end);
        end += frames->begin;
        break;
    case PIXEL_FRAMES_STARTS:
        result = find_next_start(frames, frames->next_begin, &end);
        break;
    }
    /* A file that changes under our eyes may say anything now. */
    if (result == 0 && (end <= frames->next_begin || end > frames->end))
        result = DICOMNET_ERROR_SOURCE_CHANGED;
    if (result < 0)
        return result;
    *ret_begin = frames->next_begin;
    *ret_end = end;
    frames->next++;
    frames->next_begin = end;
    return 0;
}

void pixel_frames_rewind(struct pixel_frames *frames)
{
    frames->next = 0;
    frames->next_begin = frames->begin;
}
