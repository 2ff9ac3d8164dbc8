/* syntax - see syntax.h. */
#include "wire/syntax.h"

#include <string.h>

#include "dicomnet/uid.h"

/* Those that the flags of the registry's rows do not describe. */
static const struct {
    const char *uid;
    struct syntax syntax;
} exceptions[] = {
    /* GE private: implicit VR, pixel data alone in big endian. */
    {"1.2.840.113619.5.2", {true, SYNTAX_IMPLICIT_LE, false, SYNTAX_PIXELS_NATIVE, SYNTAX_OPAQUE}},
    /* JPIP Referenced, and the same deflated: a URL stands in the place of Pixel Data (PS3.5 A.6 to A.8). */
    {"1.2.840.10008.1.2.4.94", {true, SYNTAX_EXPLICIT_LE, false, SYNTAX_PIXELS_ANY, SYNTAX_OPAQUE}},
    {"1.2.840.10008.1.2.4.95", {true, SYNTAX_EXPLICIT_LE, true, SYNTAX_PIXELS_ANY, SYNTAX_OPAQUE}},
    {"1.2.840.10008.1.2.4.204", {true, SYNTAX_EXPLICIT_LE, false, SYNTAX_PIXELS_ANY, SYNTAX_OPAQUE}},
    {"1.2.840.10008.1.2.4.205", {true, SYNTAX_EXPLICIT_LE, true, SYNTAX_PIXELS_ANY, SYNTAX_OPAQUE}},
    /* SMPTE ST 2110: the pixels travel beside the data set. */
    {"1.2.840.10008.1.2.7.1", {true, SYNTAX_EXPLICIT_LE, false, SYNTAX_PIXELS_ANY, SYNTAX_OPAQUE}},
    {"1.2.840.10008.1.2.7.2", {true, SYNTAX_EXPLICIT_LE, false, SYNTAX_PIXELS_ANY, SYNTAX_OPAQUE}},
    {"1.2.840.10008.1.2.7.3", {true, SYNTAX_EXPLICIT_LE, false, SYNTAX_PIXELS_ANY, SYNTAX_OPAQUE}},
    /* RFC 2557 MIME and XML. */
    {"1.2.840.10008.1.2.6.1", {.walked = false}},
    {"1.2.840.10008.1.2.6.2", {.walked = false}},
};

/* The syntaxes whose compression can be undone (PS3.5 A.4.1 to A.4.7), and what people call them. */
static const struct {
    const char *uid;
    enum syntax_compression compression;
    const char *name;
} compressed[] = {
    {"1.2.840.10008.1.2.4.50", SYNTAX_LOSSY, "JPEG Baseline"},
    {"1.2.840.10008.1.2.4.51", SYNTAX_LOSSY, "JPEG Extended"},
    {"1.2.840.10008.1.2.4.57", SYNTAX_LOSSLESS, "JPEG Lossless"},
    {"1.2.840.10008.1.2.4.70", SYNTAX_LOSSLESS, "JPEG Lossless SV1"},
    {"1.2.840.10008.1.2.4.80", SYNTAX_LOSSLESS, "JPEG-LS Lossless"},
    {"1.2.840.10008.1.2.4.81", SYNTAX_LOSSY, "JPEG-LS Near-Lossless"},
    {"1.2.840.10008.1.2.4.90", SYNTAX_LOSSLESS, "JPEG 2000 Lossless"},
    {"1.2.840.10008.1.2.4.91", SYNTAX_LOSSY, "JPEG 2000"},
    {"1.2.840.10008.1.2.4.201", SYNTAX_LOSSLESS, "HTJ2K Lossless"},
    {"1.2.840.10008.1.2.4.202", SYNTAX_LOSSLESS, "HTJ2K Lossless RPCL"},
    {"1.2.840.10008.1.2.4.203", SYNTAX_LOSSY, "HTJ2K"},
    {"1.2.840.10008.1.2.5", SYNTAX_LOSSLESS, "RLE Lossless"},
};

/* The four that PS3.5 A.1, A.2, A.3 and A.5 define; others that do not compress have their pixels elsewhere. */
static bool is_uncompressed(const char *uid)
{
    return strcmp(uid, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN) == 0 ||
           strcmp(uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN) == 0 ||
           strcmp(uid, DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) == 0 ||
           strcmp(uid, DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN) == 0;
}

static enum syntax_compression compression_of(const char *uid)
{
    if (is_uncompressed(uid))
        return SYNTAX_NATIVE;
    for (size_t i = 0; i < sizeof compressed / sizeof compressed[0]; i++)
        if (strcmp(compressed[i].uid, uid) == 0)
            return compressed[i].compression;
    return SYNTAX_OPAQUE;
}

struct syntax syntax_find(const char *uid)
{
    /* What nearly every file has. */
    if (strcmp(uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN) == 0)
        return (struct syntax){true, SYNTAX_EXPLICIT_LE, false, SYNTAX_PIXELS_NATIVE, SYNTAX_NATIVE};
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        if (strcmp(exceptions[i].uid, uid) == 0)
            return exceptions[i].syntax;
    const struct dicomnet_uid_info *info = dicomnet_uid_find(uid);
    if (info == NULL || info->kind != DICOMNET_UID_KIND_TRANSFER_SYNTAX)
        return (struct syntax){.walked = false};
    return (struct syntax){.walked = true,
                           .form = (info->flags & DICOMNET_UID_IMPLICIT_VR) != 0  ? SYNTAX_IMPLICIT_LE
                                   : (info->flags & DICOMNET_UID_BIG_ENDIAN) != 0 ? SYNTAX_EXPLICIT_BE
                                                                                  : SYNTAX_EXPLICIT_LE,
                           .deflated = (info->flags & DICOMNET_UID_DEFLATED) != 0,
                           .pixels = (info->flags & DICOMNET_UID_ENCAPSULATED) != 0 ? SYNTAX_PIXELS_ENCAPSULATED
                                                                                    : SYNTAX_PIXELS_NATIVE,
                           .compression = compression_of(uid)};
}

const char *syntax_name(const char *uid)
{
    for (size_t i = 0; i < sizeof compressed / sizeof compressed[0]; i++)
        if (strcmp(compressed[i].uid, uid) == 0)
            return compressed[i].name;
    const struct dicomnet_uid_info *info = dicomnet_uid_find(uid);
    return info != NULL ? info->name : uid;
}
