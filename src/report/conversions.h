/*
 * conversions - how many instances went out in another transfer syntax than they lie in, by where from and where to.
 */
#ifndef REPORT_CONVERSIONS_H
#define REPORT_CONVERSIONS_H

#include "report/pair_counts.h"

struct instance;
struct text;

/*
 * Count it by the syntaxes that it lies in and went out in, if it was converted and stored in this session; of all
 * others nothing is done. 0 or -ENOMEM.
 */
int conversions_add(struct pair_counts *conversions, const struct instance *instance);

/* "JPEG Lossless to Explicit VR Little Endian". */
void conversions_put_pair(struct text *text, const char *from, const char *to);

/*
 * The commonest and what is left of the others, in one line: "JPEG Lossless to Explicit VR Little Endian", or "250 ...
 * to ..., 60 ... to ..., 2 otherwise". Nothing if there are none.
 */
void conversions_put(struct text *text, const struct pair_counts *conversions);

#endif
