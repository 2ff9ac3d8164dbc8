/*
 * foreign_words - the words that other tools have for their options: DCMTK, dcm4che, pynetdicom, dicom-rs and others.
 *
 * Whoever comes from one of them types its words. Each is understood, has no effect because things are so anyway, or is
 * refused by name with a sentence about what there is instead; none is read as something else. What an option of ours
 * has as another name stands in the table of options; here is what would only fill its help.
 * docs/manual/from-other-tools.md shows whole command lines.
 */
#ifndef PROGRAMS_FOREIGN_WORDS_H
#define PROGRAMS_FOREIGN_WORDS_H

#include <stddef.h>

#include "programs/options.h"

/* What neither means something nor is refused has no effect. */
struct foreign_word {
    unsigned programs;     /* enum program, or-ed */
    const char *spellings; /* as they are typed, separated by a space */
    const char *means;     /* the long name of our option; or "name=value", which adds to a list and
                              does not change a value that is given */
    const char *refused;   /* why it is, and what there is instead */
    int values;            /* arguments that belong to a word without effect: 0 or 1 */
    const char *then;      /* the long name of our option that has the argument behind the first */
};

/* The word for this spelling of `len` characters in this program, or NULL. */
const struct foreign_word *foreign_word_find(enum program program, const char *spelling, size_t len);

/*
 * A letter that another tool uses for something else is told by what stands behind it (`next`, or NULL at the end):
 *
 *     -c PACS@host:104    dcm4che's --connect       -c 4           dicom-rs' --concurrency
 *     -c host:104         the same
 *     -q PatientID=1      dicom-rs' --query         -p localhost   move_scu's --progress
 *
 * Returns the spelling that is meant, or `spelling` itself. No AE title that is called so is out of reach:
 * --calling-ae.
 */
const char *foreign_word_other_meaning(enum program program, const char *spelling, const char *next);

#endif
