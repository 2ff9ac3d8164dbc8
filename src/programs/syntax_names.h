/*
 * syntax_names - transfer syntaxes as they are typed: UIDs, the standard's keywords and names, the short names that are
 * shown (syntax_name), and words for kinds.
 *
 * A keyword or a name means the one syntax that has it ("JPEG2000" is 1.2.840.10008.1.2.4.91, and not its lossless
 * sister); a word means a kind, which may be several ("jpeg-2000" is both of them). No word is a keyword too. Letter
 * case does not matter.
 */
#ifndef PROGRAMS_SYNTAX_NAMES_H
#define PROGRAMS_SYNTAX_NAMES_H

#include <stddef.h>

enum { SYNTAX_NAME_UIDS_MAX = 12, SYNTAX_NAMES_TEXT_SIZE = 320 };

/*
 * The UIDs that `name` means, the first of a kind first: static, or `name` itself if it is a well-formed UID that the
 * standard does not have (a private one, or one of a newer edition). Returns how many: 0 = it is none, or the UID of
 * something else.
 */
size_t syntax_names_find(const char *name, const char *ret_uids[SYNTAX_NAME_UIDS_MAX]);

/* What may be typed, in one line: "a UID, a keyword such as JPEG2000Lossless, or one of implicit, explicit, ..." */
void syntax_names_say(char ret_text[SYNTAX_NAMES_TEXT_SIZE]);

#endif
