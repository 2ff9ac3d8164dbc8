/*
 * fold - names in one form, so that those that a reader takes for the same compare equal.
 *
 * PS3.4 C.2.2.2.1 lets the matching of names (VR PN) ignore case, accents and other variants of characters. Capitals
 * become small letters and letters lose their accents, whether an accent is part of the character or one of its own
 * behind it, in Latin, Greek, Cyrillic and Armenian; all other characters stay. So "müller" is "MÜLLER" and "Muller",
 * but not "Mueller".
 */
#ifndef ARCHIVE_FOLD_H
#define ARCHIVE_FOLD_H

#include <stddef.h>

/*
 * Fold a text in UTF-8; what is no UTF-8 stays. It never gets longer: `ret_text` of strlen(text) + 1 bytes is enough,
 * and may be `text` itself. Returns the length.
 */
size_t fold_name(const char *text, char *ret_text);

#endif
