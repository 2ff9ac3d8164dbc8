/*
 * value_form - whether text can be a value of a VR (PS3.5 Table 6.2-1), or what such a value is matched with in a query
 * (PS3.4 C.2.2.2: wildcards, ranges, several values).
 *
 * It is held to the characters and the length of its VR, dates and numbers to their form. Not held to a length: what
 * has a wildcard, and what is not ASCII, as only its character set tells how many characters that are.
 */
#ifndef WIRE_VALUE_FORM_H
#define WIRE_VALUE_FORM_H

#include <stdbool.h>

#include "dicomnet/span.h"

/* `values` as an element has them, separated by backslashes if the VR allows several. `vr`: one of a text, 2 letters.
 */
bool value_form_fits(const char *vr, struct dicomnet_span values);

#endif
