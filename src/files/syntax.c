/* syntax - see syntax.h. */
#include "files/syntax.h"

#include <string.h>

#include "dicomnet/uid.h"

/* Those that the flags of the registry's rows do not describe. */
static const struct {
    const char *uid;
    struct syntax syntax;
} exceptions[] = {
    /* GE private: implicit VR, pixel data alone in big endian. */
    {"1.2.840.113619.5.2", {true, WALK_IMPLICIT_LE, false, SYNTAX_PIXELS_NATIVE}},
    /* JPIP Referenced, and the same deflated: a URL stands in the place of Pixel Data (PS3.5 A.6 to A.8). */
    {"1.2.840.10008.1.2.4.94", {true, WALK_EXPLICIT_LE, false, SYNTAX_PIXELS_ANY}},
    {"1.2.840.10008.1.2.4.95", {true, WALK_EXPLICIT_LE, true, SYNTAX_PIXELS_ANY}},
    {"1.2.840.10008.1.2.4.204", {true, WALK_EXPLICIT_LE, false, SYNTAX_PIXELS_ANY}},
    {"1.2.840.10008.1.2.4.205", {true, WALK_EXPLICIT_LE, true, SYNTAX_PIXELS_ANY}},
    /* SMPTE ST 2110: the pixels travel beside the data set. */
    {"1.2.840.10008.1.2.7.1", {true, WALK_EXPLICIT_LE, false, SYNTAX_PIXELS_ANY}},
    {"1.2.840.10008.1.2.7.2", {true, WALK_EXPLICIT_LE, false, SYNTAX_PIXELS_ANY}},
    {"1.2.840.10008.1.2.7.3", {true, WALK_EXPLICIT_LE, false, SYNTAX_PIXELS_ANY}},
    /* RFC 2557 MIME and XML. */
    {"1.2.840.10008.1.2.6.1", {.walked = false}},
    {"1.2.840.10008.1.2.6.2", {.walked = false}},
};

struct syntax syntax_find(const char *uid)
{
    /* What nearly every file has. */
    if (strcmp(uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN) == 0)
        return (struct syntax){true, WALK_EXPLICIT_LE, false, SYNTAX_PIXELS_NATIVE};
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        if (strcmp(exceptions[i].uid, uid) == 0)
            return exceptions[i].syntax;
    const struct dicomnet_uid_info *info = dicomnet_uid_find(uid);
    if (info == NULL || info->kind != DICOMNET_UID_KIND_TRANSFER_SYNTAX)
        return (struct syntax){.walked = false};
    return (struct syntax){.walked = true,
                           .form = (info->flags & DICOMNET_UID_IMPLICIT_VR) != 0  ? WALK_IMPLICIT_LE
                                   : (info->flags & DICOMNET_UID_BIG_ENDIAN) != 0 ? WALK_EXPLICIT_BE
                                                                                  : WALK_EXPLICIT_LE,
                           .deflated = (info->flags & DICOMNET_UID_DEFLATED) != 0,
                           .pixels = (info->flags & DICOMNET_UID_ENCAPSULATED) != 0 ? SYNTAX_PIXELS_ENCAPSULATED
                                                                                    : SYNTAX_PIXELS_NATIVE};
}
