/*
 * vr_guess - reads an element in explicit VR whose VR is none of the standard's, as other readers take such files.
 *
 * Its length may be written in 16 bits, in 32 bits behind two reserved bytes, or in 32 bits in the place of the VR. The
 * right way is the one after which the elements parse: their tags ascend, their VRs are known, they end where the item
 * or the data set does. Only headers are looked at, a few ahead and never more than VR_GUESS_READS_MAX in a file; when
 * these are used up, what was right last is taken again. So the work is bounded whatever the file holds. Several such
 * elements in a row, in any mixture of ways, are followed together.
 */
#ifndef FILES_VR_GUESS_H
#define FILES_VR_GUESS_H

#include "files/walk.h"

enum { VR_GUESS_READS_MAX = 1000000 };

/* All zero at the beginning of a data set. */
struct vr_guess {
    unsigned reads;        /* headers that were looked at ahead of the walk */
    char vr[2];            /* of the last element that was guessed, */
    enum walk_length last; /* and how its length was written */
};

/* Where the element stands. */
struct vr_place {
    enum syntax_form form;
    uint64_t offset;
    uint64_t limit;
    bool in_data_set; /* else in an item: a delimiter may end it */
    bool first;       /* it is the data set's first: it has a VR, and more must speak for it */
};

/*
 * Fill in the header of the element, for which walk_read_header said WALK_UNKNOWN_VR. Answers WALK_COMPLETE;
 * WALK_MISMATCH if nothing makes the rest parse; or WALK_UNREADABLE.
 */
enum walk_result vr_guess_read(struct vr_guess *guess, struct window *window, const struct vr_place *place,
                               struct walk_element *ret_element);

#endif
