/*
 * recode_guess - for the converter (wire/recode.h): how an element of a file is to be read whose VR is none of the
 * standard's. It is read as the scan has read it: see vr_guess.h.
 */
#ifndef FILES_RECODE_GUESS_H
#define FILES_RECODE_GUESS_H

#include "files/vr_guess.h"
#include "files/window.h"
#include "wire/recode.h"

struct recode_guess {
    uint64_t data_offset; /* of the data set in the file */
    uint64_t last;        /* where it was asked last: from what lies before, the data set is gone through again */
    struct vr_guess guess;
    struct window window;
};

/* Make one over the data set in `fd`, which is borrowed; nothing to finish. */
void recode_guess_init(struct recode_guess *guess, int fd, uint64_t data_offset, uint64_t data_len);

/* recode_options.guess; `context` is the struct. */
enum recode_length recode_guess_read(void *context, const struct recode_place *place);

#endif
