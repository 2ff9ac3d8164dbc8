/* recode - see recode.h. */
#include <assert.h>
#include <string.h>

#include "base/buffer.h"
#include "wire/recode_private.h"

/* What is read past the buffers, straight to where it goes, if it is so long. */
enum { DIRECT_LEN_MIN = 16 * 1024, BLOCK_SIZE = RECODE_BUFFER_SIZE };

struct recode {
    struct dicomnet_data_source source;
    struct recode_options options;
    struct text failure;

    uint64_t position; /* in the output: what was read of it */
    struct recode_piece piece;
    size_t bytes_done;   /* of the piece's bytes, */
    uint64_t value_done; /* and of its value */
    size_t block_begin;  /* in the block: what of it is still to go out */
    size_t block_end;

    struct recode_input input;
    struct recode_elements elements;
    uint8_t block[BLOCK_SIZE]; /* of a value: with its words turned round */
};

/* Where the gaps that are to be filled have come to. */
struct cursor {
    const struct iovec *gaps;
    int count;
    int index;
    size_t at; /* in the gap */
};

static bool has_room(struct cursor *cursor)
{
    while (cursor->index < cursor->count && cursor->at == cursor->gaps[cursor->index].iov_len) {
        cursor->index++;
        cursor->at = 0;
    }
    return cursor->index < cursor->count;
}

/* Put as many of `len` bytes as the next gap has room for. Returns how many. */
static size_t put_bytes(struct cursor *cursor, const uint8_t *bytes, size_t len)
{
    const struct iovec *gap = &cursor->gaps[cursor->index];
    size_t room = gap->iov_len - cursor->at;
    size_t taken = len < room ? len : room;
    memcpy((uint8_t *)gap->iov_base + cursor->at, bytes, taken);
    cursor->at += taken;
    return taken;
}

/* Let a source fill up to `len` bytes of the gaps. Returns how many, or a negative error. */
static ssize_t put_from(struct cursor *cursor, struct dicomnet_data_source *source, uint64_t offset, uint64_t len)
{
    struct iovec gaps[DICOMNET_DATA_SOURCE_GAPS_MAX];
    int count = 0;
    uint64_t wanted = 0;
    for (; wanted < len && count < DICOMNET_DATA_SOURCE_GAPS_MAX && has_room(cursor); count++) {
        const struct iovec *gap = &cursor->gaps[cursor->index];
        size_t room = gap->iov_len - cursor->at;
        size_t taken = room < len - wanted ? room : (size_t)(len - wanted);
        gaps[count] = (struct iovec){.iov_base = (uint8_t *)gap->iov_base + cursor->at, .iov_len = taken};
        cursor->at += taken;
        wanted += taken;
    }
    if (count == 0)
        return 0;
    ssize_t got = source->read(source, offset, gaps, count);
    return got >= 0 && (uint64_t)got < wanted ? DICOMNET_ERROR_SOURCE_SHORT : got;
}

static uint64_t room_of(const struct cursor *cursor)
{
    uint64_t room = 0;
    for (int i = cursor->index; i < cursor->count; i++)
        room += cursor->gaps[i].iov_len;
    return room - cursor->at;
}

/* Read what follows of the value into the block, its words turned round. */
static int fill_block(struct recode *recode)
{
    const struct recode_piece *piece = &recode->piece;
    uint64_t left = piece->value_len - recode->value_done, offset = piece->value_offset + recode->value_done;
    size_t wanted = left < BLOCK_SIZE ? (size_t)left : BLOCK_SIZE;
    bool of_input = piece->value == RECODE_VALUE_OF_INPUT;
    size_t ready = of_input ? recode_input_ready(&recode->input, offset) : 0;
    if (ready > wanted)
        ready = wanted;
    if (ready > 0)
        memcpy(recode->block, recode_input_peek(&recode->input, offset, 0), ready);
    if (ready < wanted) {
        struct iovec gap = {.iov_base = recode->block + ready, .iov_len = wanted - ready};
        struct cursor cursor = {.gaps = &gap, .count = 1};
        struct dicomnet_data_source *source = of_input ? recode->input.source : recode->options.pixels;
        ssize_t got = put_from(&cursor, source, offset + ready, wanted - ready);
        if (got < 0)
            return (int)got;
    }
    recode_swap(recode->block, wanted, piece->word);
    recode->block_begin = 0;
    recode->block_end = wanted;
    return 0;
}

/* Put what fits of the value. Returns the bytes, or a negative error. */
static ssize_t put_value(struct recode *recode, struct cursor *cursor)
{
    const struct recode_piece *piece = &recode->piece;
    uint64_t left = piece->value_len - recode->value_done, offset = piece->value_offset + recode->value_done;
    if (piece->word > 1) {
        int error = recode->block_begin == recode->block_end ? fill_block(recode) : 0;
        if (error < 0)
            return error;
        size_t taken = put_bytes(cursor, recode->block + recode->block_begin, recode->block_end - recode->block_begin);
        recode->block_begin += taken;
        return (ssize_t)taken;
    }
    if (piece->value == RECODE_VALUE_OF_PIXELS)
        return put_from(cursor, recode->options.pixels, offset, left);
    size_t ready = recode_input_ready(&recode->input, offset);
    if (ready == 0 && left >= DIRECT_LEN_MIN && room_of(cursor) >= DIRECT_LEN_MIN)
        return put_from(cursor, recode->input.source, offset, left);
    const uint8_t *bytes = recode_input_peek(&recode->input, offset, ready > 0 ? 0 : 1);
    if (bytes == NULL)
        return recode->input.error != 0 ? recode->input.error : DICOMNET_ERROR_SOURCE_SHORT;
    ready = recode_input_ready(&recode->input, offset);
    return (ssize_t)put_bytes(cursor, bytes, left < ready ? (size_t)left : ready);
}

static void rewind_output(struct recode *recode)
{
    recode_elements_begin(&recode->elements, false);
    recode->position = 0;
    recode->piece = (struct recode_piece){.bytes_len = 0};
    recode->bytes_done = 0;
    recode->value_done = 0;
    recode->block_begin = recode->block_end = 0;
}

static ssize_t read_elements(struct dicomnet_data_source *base, uint64_t offset, const struct iovec *gaps,
                             int gap_count)
{
    struct recode *recode = (struct recode *)base;
    struct cursor cursor = {.gaps = gaps, .count = gap_count};
    if (offset == 0 && recode->position > 0)
        rewind_output(recode);
    assert(offset == recode->position);
    uint64_t begin = recode->position;
    while (has_room(&cursor)) {
        const struct recode_piece *piece = &recode->piece;
        if (recode->bytes_done < piece->bytes_len) {
            size_t taken = put_bytes(&cursor, piece->bytes + recode->bytes_done, piece->bytes_len - recode->bytes_done);
            recode->bytes_done += taken;
            recode->position += taken;
        } else if (recode->value_done < piece->value_len) {
            ssize_t taken = put_value(recode, &cursor);
            if (taken < 0)
                return taken;
            recode->value_done += (uint64_t)taken;
            recode->position += (uint64_t)taken;
        } else {
            recode->bytes_done = 0;
            recode->value_done = 0;
            int more = recode_elements_next(&recode->elements, &recode->piece);
            if (more < 0)
                return more;
            if (more == 0)
                break;
        }
    }
    return (ssize_t)(recode->position - begin);
}

/* Go through the data set for the first time: find out how long it will be. */
static int count(struct recode *recode)
{
    struct recode_piece piece;
    int more;
    recode->input.sparse = true;
    recode_elements_begin(&recode->elements, true);
    while ((more = recode_elements_next(&recode->elements, &piece)) == 1)
        ;
    recode->input.sparse = false;
    if (more < 0)
        return more;
    if (recode->elements.out % 2 != 0) {
        text_put(&recode->failure, "the data set has an odd length");
        return DICOMNET_ERROR_SOURCE_UNDECODABLE;
    }
    recode->source.len = recode->elements.out;
    rewind_output(recode);
    return 0;
}

int recode_open(struct recode **ret_recode, const struct recode_options *options)
{
    uint8_t *memory = NULL;
    size_t size = 0;
    *ret_recode = NULL;
    int error = buffer_grow(&memory, &size, sizeof(struct recode), sizeof(struct recode));
    if (error < 0)
        return error;
    struct recode *recode = (struct recode *)memory;
    recode->source = (struct dicomnet_data_source){.read = read_elements};
    recode->options = *options;
    recode->failure = (struct text){.data = NULL};
    recode->input.source = options->input;
    recode->input.size = options->input->len;
    recode->input.offset = 0;
    recode->input.len = 0;
    recode->input.error = 0;
    recode->elements.options = &recode->options;
    recode->elements.input = &recode->input;
    recode->elements.failure = &recode->failure;
    *ret_recode = recode;
    return count(recode);
}

struct dicomnet_data_source *recode_source(struct recode *recode)
{
    return &recode->source;
}

const char *recode_failure_text(const struct recode *recode)
{
    return recode != NULL && recode->failure.data != NULL ? recode->failure.data : "";
}

void recode_close(struct recode *recode)
{
    if (recode == NULL)
        return;
    text_fini(&recode->failure);
    uint8_t *memory = (uint8_t *)recode;
    size_t size = sizeof *recode;
    buffer_free(&memory, &size);
}
