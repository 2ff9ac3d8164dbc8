/*
 * unsupported - what a person needs to know of an instance that the peer does not take: its class and transfer syntax,
 * the peer's result for them, and what the peer does take.
 *
 * Each text is one line of at most `size` bytes with its NUL, cut if it is longer; `size` is at least 1.
 */
#ifndef ENGINE_UNSUPPORTED_H
#define ENGINE_UNSUPPORTED_H

#include <stddef.h>

struct dicomnet_association;

/*
 * No context of this association, which proposed one for this class and syntax, can carry such an instance:
 * "CTImageStorage (UID) as JPEGBaseline8Bit (UID): transfer syntaxes not supported (result 4); of this class the peer
 * takes ...".
 */
void unsupported_describe(const struct dicomnet_association *association, const char *class_uid, const char *syntax_uid,
                          char *ret_text, size_t size);

/* The peer answered 0122 (SOP class not supported) to an instance of this class: "CTImageStorage (UID)". */
void unsupported_describe_class(const char *class_uid, char *ret_text, size_t size);

#endif
