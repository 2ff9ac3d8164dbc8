/*
 * walk - follows the elements of a data set from the first to the end of the file, reading nothing but their headers.
 *
 * Without recursion, in memory that does not depend on the file: a stack of WALK_DEPTH_MAX sequences with their items.
 * Each step moves forward by at least 8 bytes, so no file can hold it up.
 *
 * What is followed, and how strictly:
 *   - Elements of the data set itself, sequences of undefined length (their items, and the items' elements), and
 *     encapsulated pixel data (its fragments): where these end is known only from what they hold, so all of it must
 *     parse, and the last element must end exactly where the file does.
 *   - Sequences of defined length are entered too, because peers recurse into them: that is how deep nesting is found.
 *     But their end is known, so what does not parse inside is not judged here: the walk goes on behind the innermost
 *     value whose length is known. In implicit VR, and in a value of VR UN, a value is taken for a sequence if it
 *     begins with an item that fits.
 *   - A value of VR UN and undefined length is a sequence in Implicit VR Little Endian (PS3.5 6.2.2 note 4); items
 *     written in Explicit VR against that rule are recognised by their first element's VR.
 *   - In explicit VR, an element whose VR is none of the standard's (two spaces, two NULs, "--", lower case, new
 * letters, or none, as in implicit VR) is read in the way that makes what follows it parse: see vr_guess.h. But the
 * data set's first element has a VR, or the syntax is not what was declared.
 *   - Zeros behind the last element, to the end of the source, are no elements: the data set ends before them.
 *   - Delimiters that are missing, or stand where none belongs, are told from other bytes that do not parse.
 */
#ifndef FILES_WALK_H
#define FILES_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files/window.h"
#include "wire/syntax.h"

enum { WALK_DEPTH_MAX = 64 };

enum walk_result {
    WALK_COMPLETE,   /* the last element ends where the source ends, or where zeros begin that go on to its end */
    WALK_TRUNCATED,  /* the source ends inside an element, or before a delimiter */
    WALK_TRAILING,   /* bytes after the last element are no element */
    WALK_MISMATCH,   /* does not parse in this form */
    WALK_DELIMITER,  /* a delimiter is missing, or stands where none belongs */
    WALK_NESTING,    /* deeper than WALK_DEPTH_MAX */
    WALK_UNREADABLE, /* the window's error says why */
    WALK_UNFINISHED, /* a deflated data set too long to follow to its end; all was well so far */
    WALK_UNKNOWN_VR  /* of walk_read_header alone: the VR does not say how the length is written */
};

/* How the length of an element in explicit VR is written (PS3.5 7.1.2): as its VR says, or as was guessed. */
enum walk_length { WALK_LENGTH_BY_VR, WALK_LENGTH_16, WALK_LENGTH_32, WALK_LENGTH_IMPLICIT };

/* An element's header. */
struct walk_element {
    uint16_t group;
    uint16_t element;
    char vr[2];              /* {0, 0} if it has none */
    enum syntax_form form;   /* how this header is encoded: implicit, for one without a VR */
    enum walk_length length; /* not WALK_LENGTH_BY_VR: its VR is none of the standard's */
    unsigned depth;          /* sequences that it is inside of; 0: it is the data set's own */
    bool undefined;          /* of undefined length */
    uint32_t header_len;
    uint32_t value_len; /* 0 if undefined */
};

/* Told of the elements of the data set itself, and if `deep` is set also of those inside sequences that parse. */
typedef void walk_visit(void *context, const struct walk_element *element, uint64_t offset);

struct walk {
    struct window *window;
    walk_visit *visit; /* may be NULL */
    void *context;
    bool deep;
    const uint32_t *tags; /* `visit` is told of elements with these tags, 0xGGGGEEEE; NULL = of all */
    size_t tag_count;
    uint64_t offset; /* where it begins; then where it ended, and on failure where it went wrong */

    /* What was found, once it has ended. */
    const char *detail; /* static: what exactly is wrong, or NULL */
    size_t elements;    /* of the data set itself that were read */
    bool unknown_vr;    /* an element has a VR that is none of the standard's */
    bool zero_tail;     /* zeros follow, from `offset` to the end of the source */
    bool encapsulated;  /* pixel data (of group 7FE0) in fragments, here or inside a sequence; the first of it is at */
    uint64_t encapsulated_offset;
};

/*
 * Read the header at `offset`, of an element that ends before `limit`. Answers WALK_COMPLETE if all is well, and else
 * what is wrong. `length`: how the length is written, should the element have a VR that is none of the standard's; with
 * WALK_LENGTH_BY_VR that is WALK_UNKNOWN_VR, and only tag and letters are filled in. `first`: it is the data set's
 * first.
 */
enum walk_result walk_read_header(struct window *window, enum syntax_form form, uint64_t offset, uint64_t limit,
                                  enum walk_length length, bool first, struct walk_element *ret_element);

/* True if these are the letters of a VR of the standard (PS3.5 6.2). */
bool walk_is_vr(const uint8_t letters[2]);

/* Walk from walk->offset to the end of the window's source. */
enum walk_result walk_run(struct walk *walk, enum syntax_form form);

#endif
