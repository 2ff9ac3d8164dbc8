/*
 * match - does a value match a key? The rules of PS3.4 C.2.2.2.
 *
 *   - Universal: an empty key, and "*" where wildcards are, matches all, also no value.
 *   - Single value: the same text, without padding. PN: whatever the case of ASCII letters, without trailing "^" and
 *     "=", any of the component groups. DS and IS: the same number. TM: "1030" is the whole minute. DA and TM also in
 *     the forms of ACR-NEMA ("2024.01.31", "10:30:00").
 *   - List: values separated by backslashes, any of them. UIDs above all (C.2.2.2.2), but other VRs too.
 *   - Wildcard: "*" is any characters, "?" is one, in AE, CS, LO, LT, PN, SH, ST, UC, UR and UT; nowhere else.
 *   - Range: "A-B", "A-", "-B", in DA and TM (no DT is kept).
 *
 * A value with several values matches if one of them does. Texts are UTF-8.
 */
#ifndef ARCHIVE_MATCH_H
#define ARCHIVE_MATCH_H

#include <stdbool.h>
#include <stddef.h>

/* True if the key asks for nothing: everything matches. */
bool match_is_universal(const char *vr, const char *key);

/* True if `value`, of this VR, matches the key. */
bool match_value(const char *vr, const char *key, const char *value);

#endif
