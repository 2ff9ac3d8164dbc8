/*
 * inspect - the structure check: is this file a DICOM instance, whole, and where do the elements that name it stand?
 *
 * Header reads only: one pread of the file's start, then small ones (see window.h); a file's values are never read.
 * What leads to which reason, in the order of the checks:
 *
 *   not-dicom            no "DICM" at byte 128, and the file neither begins with meta information nor can be read as a
 *                        data set: parsed as one it holds a class, instance or study UID, or it ends with its last
 *                        element and has three at least ("DICM" may stand before either)
 *   truncated            the file ends inside the meta information
 *   no-meta              a data set with "DICM" but no group 0002 behind it, or without "DICM" at byte 128 (unless
 *                        accept_raw)
 *   dicomdir             the meta information says Media Storage Directory
 *   no-transfer-syntax   (0002,0010) is missing or empty (unless accept_raw)
 *   bad-uid              the transfer syntax is no UID
 *   nesting, truncated, trailing-data, bad-delimiter, syntax-mismatch, unreadable
 *                        what walking the data set says (see walk.h). (0002,0000), the length of the meta information,
 *                        is not looked at: group 0002 is walked. Bytes FF behind the last element are trailing data;
 *                        zeros are left away, and a flaw. (FFFC,FFFC) is an element like others, so padding is legal by
 *                        itself. Behind a deflate stream up to 9 bytes may follow (a checksum and padding)
 *   syntax-mismatch      the data set's Pixel Data is encapsulated and the transfer syntax is not, or the other way
 * round (PS3.5 A.4). What is inside sequences, such as an icon, may be native in a compressed file odd-length the data
 * set has an odd length, but for a deflated one, which is padded
 *
 * With accept_raw, the syntax of what declares none is found by parsing: Explicit or Implicit VR Little Endian, or
 * Explicit VR Big Endian. A data set in a transfer syntax that is not known (see syntax.h) is not judged at all; its
 * names are read from it if it can be parsed as one of these three, and else from the meta information.
 */
#ifndef FILES_INSPECT_H
#define FILES_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/uid.h"
#include "files/walk.h"
#include "files/window.h"
#include "instance/outcome.h"

/* The elements asked for, with room for what a UID may be and a little more; a longer value is no UID. */
enum inspect_wanted {
    INSPECT_META_CLASS,    /* (0002,0002) */
    INSPECT_META_INSTANCE, /* (0002,0003) */
    INSPECT_SYNTAX,        /* (0002,0010) */
    INSPECT_CLASS,         /* (0008,0016) */
    INSPECT_INSTANCE,      /* (0008,0018) */
    INSPECT_STUDY,         /* (0020,000D) */
    INSPECT_SERIES         /* (0020,000E) */
};
enum { INSPECT_WANTED_COUNT = INSPECT_SERIES + 1, INSPECT_VALUE_MAX = 128, INSPECT_RAW_SIZE = 12 + INSPECT_VALUE_MAX };

/* One element as it stands in the file, header and value. */
struct inspect_element {
    bool found;
    bool too_long; /* its value is longer than INSPECT_VALUE_MAX and was not kept */
    enum syntax_form form;
    uint64_t offset; /* in the file; 0 if the data set is deflated */
    size_t len;
    uint8_t raw[INSPECT_RAW_SIZE];
};

/* What inspect_file found. */
struct inspection {
    enum outcome_state state; /* OUTCOME_PENDING if the structure is whole */
    enum outcome_reason reason;
    int error;            /* negative errno behind REASON_UNREADABLE */
    uint64_t offset;      /* where it went wrong, of truncated, trailing-data, syntax-mismatch, nesting, bad-uid, ... */
    const char *detail;   /* static: what exactly is wrong; or NULL */
    uint64_t data_offset; /* of the data set in the file */
    uint64_t data_len;
    bool pad;               /* odd deflated data */
    bool unwalked;          /* in an unknown transfer syntax */
    bool unknown_vr;        /* a flaw: see walk.h */
    bool zero_tail;         /* a flaw: zeros behind the last element. data_len is without them, unless deflated */
    const char *raw_syntax; /* the syntax that was found by parsing; static. NULL: it is declared */
    struct inspect_element wanted[INSPECT_WANTED_COUNT];
};

/*
 * The text of a wanted element of the inspection without padding, of 64 characters at most, valid until this is asked
 * for with another file. NULL if it is not there, or is no such text.
 */
typedef const char *inspect_read_uid(void *context, enum inspect_wanted which);

/*
 * An element of the data set itself, header and value in `raw` until this returns. Not called for sequences, for what
 * is in them, and for what is longer than WINDOW_JUMP_SIZE.
 */
typedef void inspect_see(void *context, uint32_t tag, enum syntax_form form, const uint8_t *raw, size_t len);

struct inspector {
    struct window window; /* all zero at first; window_fini when done */
    const uint8_t *start; /* the first bytes of the next file, which need not be read; borrowed. NULL = none */
    size_t start_len;
    bool accept_raw;
    inspect_read_uid *read_uid; /* how the transfer syntax is read */
    inspect_see *see;           /* told of the elements that `wants` says true for; NULL = nobody is */
    bool (*wants)(void *context, uint32_t tag);
    void *context; /* for all of these */
};

/* Look at the file, which is `size` bytes long. */
void inspect_file(struct inspector *inspector, int fd, uint64_t size, struct inspection *ret_inspection);

/*
 * Find the end of the meta information that begins at `offset`: *ret_end is where the data set begins. Elements that
 * are wanted of it are kept in the inspection. False if the file ends inside it or cannot be read.
 */
bool inspect_meta(struct window *window, uint64_t offset, struct inspection *inspection, uint64_t *ret_end);

#endif
