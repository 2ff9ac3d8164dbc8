/*
 * recode_private - the inside of a converted data set, shared by the files it is written in:
 *   recode.c           opened, read, closed
 *   recode_elements.c  goes through the data set: what goes out for each element
 *   recode_frames.c    the sequences and items that are open, and their lengths
 *   recode_input.c     the bytes that come in
 *   recode_header.c    the headers of elements and items, in and out
 *   recode_vr.c        which VR an element gets, and how its words swap
 */
#ifndef WIRE_RECODE_PRIVATE_H
#define WIRE_RECODE_PRIVATE_H

#include "base/text.h"
#include "wire/recode.h"

#define RECODE_NO_END    UINT64_MAX
#define RECODE_UNDEFINED UINT32_C(0xFFFFFFFF) /* a length (PS3.5 7.1.1) */
#define RECODE_VALUE_MAX UINT32_C(0xFFFFFFFE)

enum {
    RECODE_TAG_PIXEL_REPRESENTATION = 0x00280103,
    RECODE_TAG_WAVEFORM_BITS_ALLOCATED = 0x54001004,
    RECODE_TAG_PIXEL_DATA = 0x7FE00010
};
#define RECODE_TAG_ITEM         UINT32_C(0xFFFEE000)
#define RECODE_TAG_ITEM_END     UINT32_C(0xFFFEE00D)
#define RECODE_TAG_SEQUENCE_END UINT32_C(0xFFFEE0DD)

/* ---- bytes in ---- */

enum { RECODE_BUFFER_SIZE = 64 * 1024, RECODE_PEEK_MAX = 64 };

/* A view that moves forward over the input; after a jump nothing is read but what lies where it ends. */
struct recode_input {
    struct dicomnet_data_source *source;
    uint64_t size;   /* where the input ends; RECODE_NO_END until that is known */
    uint64_t offset; /* of the first byte in the buffer */
    size_t len;      /* bytes in the buffer */
    bool sparse;     /* most of what follows will be jumped over */
    int error;       /* of the source's read; or 0 */
    uint8_t buffer[RECODE_BUFFER_SIZE];
};

/* Slow half of recode_input_peek. */
const uint8_t *recode_input_fill(struct recode_input *input, uint64_t offset, size_t len);

/*
 * The `len` bytes at `offset`, at most RECODE_PEEK_MAX, valid until the next call; NULL if the input ends before, or
 * cannot be read: then `error` is set.
 */
static inline const uint8_t *recode_input_peek(struct recode_input *input, uint64_t offset, size_t len)
{
    if (offset >= input->offset && offset - input->offset <= input->len &&
        len <= input->len - (size_t)(offset - input->offset))
        return input->buffer + (offset - input->offset);
    return recode_input_fill(input, offset, len);
}

/* Bytes that can be had at `offset` without reading. */
static inline size_t recode_input_ready(const struct recode_input *input, uint64_t offset)
{
    return offset >= input->offset && offset - input->offset < input->len
               ? input->len - (size_t)(offset - input->offset)
               : 0;
}

/* ---- headers ---- */

#define RECODE_NO_VR "\0" /* of items and delimiters */

enum { RECODE_HEADER_LEN_MAX = 12, RECODE_HEADER_LEN_SHORT = 8 };

/* An element or item, as its header says. */
struct recode_header {
    uint32_t tag;
    char vr[2];            /* {0, 0} if it has none: implicit VR, items, delimiters */
    enum syntax_form form; /* how it is encoded */
    bool undefined;        /* of undefined length */
    bool strange;          /* it has a VR that is none of the standard's, or should have one and has none */
    uint32_t header_len;
    uint32_t value_len; /* 0 if undefined */
};

enum recode_header_result {
    RECODE_HEADER_READ,
    RECODE_HEADER_CUT,       /* it, or its value, ends behind `limit` */
    RECODE_HEADER_UNKNOWN_VR /* its VR is none of the standard's; its tag alone is filled in */
};

/*
 * Read the header at `offset`. `unknown`: how the length is written, should its VR be none of the standard's. If the
 * input could not be read, it is RECODE_HEADER_CUT, and input->error is set.
 */
enum recode_header_result recode_header_read(struct recode_input *input, enum syntax_form form, uint64_t offset,
                                             uint64_t limit, enum recode_length unknown,
                                             struct recode_header *ret_header);

/* Write a header: VR is not looked at in implicit VR, nor of items and delimiters. Returns its length. */
size_t recode_header_write(uint8_t *bytes, enum syntax_form form, uint32_t tag, const char vr[2], uint32_t value_len);

/* ---- VRs ---- */

/* What decides where the standard leaves a choice of VR. */
struct recode_context {
    int pixel_representation;    /* (0028,0103): 0 unsigned, 1 signed, of the item or of what it is in; -1 unknown */
    int waveform_bits_allocated; /* (5400,1004) of the item; -1 unknown */
};

/* The VR of an element that has none (PS3.5 A.1, 6.2.2; PS3.6). Static. */
const char *recode_vr_find(uint32_t tag, const struct recode_context *context);

static inline bool recode_vr_is(const char vr[2], const char name[3])
{
    return vr[0] == name[0] && vr[1] == name[1];
}

/* True if it is one of the standard's. */
bool recode_vr_is_known(const char vr[2]);

/* True if the VR's length has 16 bits in explicit VR. It is one of the standard's. */
bool recode_vr_is_short(const char vr[2]);

/* Bytes of a word whose order is that of the transfer syntax: 2, 4 or 8; 1 if the VR has none (PS3.5 7.3). */
unsigned recode_vr_word(const char vr[2]);

/* Reverse the bytes of each whole word of 2, 4 or 8 bytes. */
void recode_swap(uint8_t *bytes, size_t len, unsigned word);

/* ---- the way through the data set ---- */

enum { RECODE_DEPTH_MAX = 64, RECODE_FRAMES_MAX = 1 + 2 * RECODE_DEPTH_MAX + 1, RECODE_LENGTHS_MAX = 64 * 1024 };
#define RECODE_NO_LENGTH UINT32_MAX

enum recode_value { RECODE_VALUE_NONE, RECODE_VALUE_OF_INPUT, RECODE_VALUE_OF_PIXELS };

/* What goes out next: some bytes that were made, then some that are read. */
struct recode_piece {
    uint8_t bytes[RECODE_HEADER_LEN_MAX + RECODE_PATCH_LEN_MAX];
    size_t bytes_len;
    enum recode_value value;
    uint64_t value_offset;
    uint64_t value_len;
    unsigned word; /* of the value: the bytes of a word, whose order is to be reversed; 1 = none */
};

/* A sequence holds items, an item holds elements, fragments hold items that hold bytes. */
enum recode_frame_kind { RECODE_FRAME_ELEMENTS, RECODE_FRAME_SEQUENCE, RECODE_FRAME_FRAGMENTS };

/* The data set, or a sequence, item or fragments that are open. */
struct recode_frame {
    enum recode_frame_kind kind;
    enum syntax_form from, to;
    bool guess_form;    /* of a sequence: the form of each item is guessed from its first element */
    bool delimited;     /* it has an undefined length in the output: a delimiter ends it there */
    uint64_t end;       /* in the input; RECODE_NO_END if of undefined length there */
    uint64_t limit;     /* in the input: the nearest known end: its own, or that of what it is in */
    uint32_t length;    /* number of its length among the lengths; or RECODE_NO_LENGTH */
    uint64_t out_begin; /* where what it holds begins in the output */

    /* Of elements: the group length that is open, if any, and what decides about VRs. */
    uint16_t group;
    uint32_t group_length;
    uint64_t group_begin;
    struct recode_context context;
};

struct recode_elements {
    const struct recode_options *options;
    struct recode_input *input;
    struct text *failure; /* why it failed */
    bool counting;        /* the first time through: lengths are found; the second time they are written */

    uint64_t offset; /* in the input */
    uint64_t out;    /* bytes that have gone out, with those of the piece */
    bool ended;
    bool pixels_given;     /* the decoded pixels have gone out */
    uint32_t patches_done; /* a bit for each patch that has gone out, or whose element has gone */
    size_t depth;          /* frames in use; frames[0] is the data set */
    size_t muted;          /* frames from this number on put nothing out; 0 = none */
    uint32_t length_count; /* lengths that were met so far */

    /* What the first time found out. */
    uint32_t length_count_all;
    struct recode_context context;

    struct recode_frame frames[RECODE_FRAMES_MAX];
    uint32_t lengths[RECODE_LENGTHS_MAX]; /* of sequences, items and groups, in the order in which they begin */
};

/* What it is inside of now. */
static inline struct recode_frame *recode_top(struct recode_elements *elements)
{
    return &elements->frames[elements->depth - 1];
}

/* True if nothing goes out now. */
static inline bool recode_is_muted(const struct recode_elements *elements)
{
    return elements->muted != 0;
}

/* Note why it cannot be converted: what is wrong with this element. Returns DICOMNET_ERROR_SOURCE_UNDECODABLE. */
int recode_fail_at(struct recode_elements *elements, uint32_t tag, const char *what);

/* A number for a length that begins here; RECODE_NO_LENGTH if there is no room for it, or nothing goes out. */
uint32_t recode_take_length(struct recode_elements *elements);

/* Add a header to the piece, or the value behind it. */
void recode_put_header(struct recode_elements *elements, struct recode_piece *piece, enum syntax_form form,
                       uint32_t tag, const char vr[2], uint32_t value_len);
void recode_put_value(struct recode_elements *elements, struct recode_piece *piece, enum recode_value value,
                      uint64_t offset, uint64_t len, unsigned word);

/* The header of a sequence or item goes out, and it is entered. With a length in the input it has one in the output. */
int recode_put_container(struct recode_elements *elements, struct recode_piece *piece,
                         const struct recode_header *header, const char vr[2], struct recode_frame frame);

/* Enter what begins at the offset. `frame` says kind, forms, length, and the end in the input. */
int recode_enter(struct recode_elements *elements, struct recode_frame frame, uint32_t tag);

/* What is on top has ended: its delimiter goes out, if it has one. */
void recode_leave(struct recode_elements *elements, struct recode_piece *piece);

/* An element with this tag goes out next: if its group is another, the one before has ended. */
void recode_turn_to(struct recode_elements *elements, uint32_t tag);

/* The group that is open in a frame of elements has ended. */
void recode_end_group(struct recode_elements *elements, struct recode_frame *frame);

/* Begin at the input's first byte; `counting` the first time. */
void recode_elements_begin(struct recode_elements *elements, bool counting);

/*
 * What goes out next. Returns 1; 0 at the end; or a negative error: the input's, or DICOMNET_ERROR_SOURCE_UNDECODABLE,
 * with its text in `failure`.
 */
int recode_elements_next(struct recode_elements *elements, struct recode_piece *ret_piece);

#endif
