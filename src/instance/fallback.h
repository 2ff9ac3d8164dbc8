/*
 * fallback - in which transfer syntaxes an instance may go out: as it lies, and, if the peer refuses that, converted.
 * Pure.
 *
 *    stored                                            if refused, in this order           from
 *    Explicit VR LE / Implicit VR LE                   the other                           TRANSCODE_UNCOMPRESSED
 *    Deflated, Explicit VR BE                          Explicit VR LE, Implicit VR LE      TRANSCODE_UNCOMPRESSED
 *    compressed without loss (SYNTAX_LOSSLESS)         Explicit VR LE, Implicit VR LE      TRANSCODE_LOSSLESS
 *    compressed with loss (SYNTAX_LOSSY)               Explicit VR LE, Implicit VR LE      TRANSCODE_LOSSY
 *    what cannot be undone (SYNTAX_OPAQUE)             none
 *
 * What is stored in one of the four uncompressed syntaxes is last of all offered in those two of them that few peers
 * insist on, Explicit VR Big Endian and Deflated, so that a peer that takes nothing else still gets it. Pixels are
 * never compressed.
 */
#ifndef INSTANCE_FALLBACK_H
#define INSTANCE_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>

/* What may be done to an instance whose stored syntax the peer refuses; each allows what those before it do. */
enum transcode {
    TRANSCODE_NEVER,
    TRANSCODE_UNCOMPRESSED, /* byte order, the encoding of VRs, deflate: the uncompressed syntaxes among each other */
    TRANSCODE_LOSSLESS,     /* also decompress what was compressed without loss */
    TRANSCODE_LOSSY         /* also decompress what was compressed with loss: nothing more is lost, it only grows */
};

struct fallback_policy {
    enum transcode allowed;
    const char *const *only; /* UIDs: nothing else is proposed, in this order; borrowed */
    size_t only_count;       /* 0: what the table says */
};

enum { FALLBACK_MAX = 5 }; /* of one instance: as it lies, and each of the four uncompressed syntaxes */

/*
 * The syntaxes in which an instance of this stored syntax may go out, the best first; they are static, of `policy`, or
 * `stored_uid` itself. As it lies comes first, if that may be proposed at all. With `only`, the others are those of the
 * named ones that it can be converted to. Returns how many: 0 = it may go out in none.
 */
size_t fallback_list(const struct fallback_policy *policy, const char *stored_uid, const char *ret[FALLBACK_MAX]);

/* What would have to be allowed for an instance of this stored syntax to have more ways than it has; what is allowed,
 * if nothing would help. */
enum transcode fallback_needed(const struct fallback_policy *policy, const char *stored_uid);

/* "never", "uncompressed", "lossless", "lossy" */
const char *transcode_name(enum transcode transcode);

#endif
