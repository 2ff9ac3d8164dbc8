/*
 * match - does a value match a key? The rules of PS3.4 C.2.2.2.
 *
 *   - Universal: an empty key, and "*" where wildcards are, matches all, also no value.
 *   - Single value: the same text, without padding. PN: whatever its case and accents (fold.h), without trailing "^"
 *     and "=", any of the component groups. DS and IS: the same number. TM: "1030" is the whole minute. DA and TM also
 *     in the forms of ACR-NEMA ("2024.01.31", "10:30:00").
 *   - List: values separated by backslashes, any of them. UIDs above all (C.2.2.2.2), but other VRs too.
 *   - Wildcard: "*" is any characters, "?" is one, in AE, CS, LO, LT, PN, SH, ST, UC, UR and UT; nowhere else.
 *   - Range: "A-B", "A-", "-B", in DA and TM (no DT is kept).
 *
 * A value with several values matches if one of them does. Texts are UTF-8.
 *
 * A key is taken apart once and then compared with many values. As a list may be long, and a pattern of many "*" slow,
 * a comparison can be done in steps, between which others have their turn.
 */
#ifndef ARCHIVE_MATCH_H
#define ARCHIVE_MATCH_H

#include <stdbool.h>
#include <stddef.h>

/* True if the key asks for nothing: everything matches. */
bool match_is_universal(const char *vr, const char *key);

/* How many values there are in the list that a key is. */
size_t match_count_values(const char *vr, const char *key);

struct match_key;

/* A key of this VR; `vr` is borrowed, `key` is copied. NULL if out of memory. */
struct match_key *match_key_create(const char *vr, const char *key);
void match_key_destroy(struct match_key *key);

enum match_verdict { MATCH_NO, MATCH_YES, MATCH_UNFINISHED };

/* Where a comparison is: all zero at the beginning of each. */
struct match_position {
    size_t value; /* of the key: the offset of the one to be compared next */
};

/*
 * Compare `value` with the next values of the key, a few of them: MATCH_UNFINISHED if there are more, and the same call
 * goes on with them. A step takes some milliseconds at most, whatever key and value are.
 */
enum match_verdict match_step(const struct match_key *key, const char *value, struct match_position *position);

/* True if `value`, of this VR, matches the key: all at once. */
bool match_value(const char *vr, const char *key, const char *value);

#endif
