/*
 * unsupported - what a person needs to know of an instance that the peer does not take: its class and transfer syntax,
 * the peer's result for them and for what they could be converted to, what the peer does take, and what would help.
 *
 * Each text is one line of at most `size` bytes with its NUL, cut if it is longer; `size` is at least 1.
 */
#ifndef ENGINE_UNSUPPORTED_H
#define ENGINE_UNSUPPORTED_H

#include <stdbool.h>
#include <stddef.h>

struct context_pair;
struct dicomnet_association;
struct fallback_policy;
struct peer_words;

/*
 * No context of this association, which was asked for all ways (engine/study.h) of this pair, can carry an instance
 * with it: "CTImageStorage (UID) as JPEGLosslessSV1 (UID), or converted to ExplicitVRLittleEndian,
 * ImplicitVRLittleEndian: transfer syntaxes not supported (result 4); of this class the peer takes ...".
 * True if that may be for the transfer syntaxes alone: another might be taken.
 */
bool unsupported_describe(const struct dicomnet_association *association, const struct context_pair *pair,
                          char *ret_text, size_t size);

/* The policy lets an instance of this class and syntax go out in no syntax: "CTImageStorage (UID) as JPEGBaseline8Bit
 * (UID): only ImplicitVRLittleEndian (UID) may be proposed". */
void unsupported_describe_policy(const struct fallback_policy *policy, const char *class_uid, const char *syntax_uid,
                                 char *ret_text, size_t size);

/* Add to a text what would let an instance of this syntax be converted, if the policy forbids it: "; --transcode lossy
 * would convert it". `words` may be NULL: then no option is named, and nothing is added. */
void unsupported_add_advice(const struct fallback_policy *policy, const struct peer_words *words,
                            const char *syntax_uid, char *text, size_t size);

/* The peer answered 0122 (SOP class not supported) to an instance of this class: "CTImageStorage (UID)". */
void unsupported_describe_class(const char *class_uid, char *ret_text, size_t size);

#endif
