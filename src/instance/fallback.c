/* fallback - see fallback.h. */
#include "instance/fallback.h"

#include <assert.h>
#include <string.h>

#include "dicomnet/uid.h"
#include "wire/syntax.h"

/* True if what is stored so may be converted to an uncompressed syntax. */
static bool may_convert(enum transcode allowed, enum syntax_compression stored)
{
    switch (stored) {
    case SYNTAX_NATIVE:
        return allowed >= TRANSCODE_UNCOMPRESSED;
    case SYNTAX_LOSSLESS:
        return allowed >= TRANSCODE_LOSSLESS;
    case SYNTAX_LOSSY:
        return allowed >= TRANSCODE_LOSSY;
    case SYNTAX_OPAQUE:
        break;
    }
    return false;
}

static bool has(const char *const *list, size_t count, const char *uid)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], uid) == 0)
            return true;
    return false;
}

size_t fallback_list(const struct fallback_policy *policy, const char *stored_uid, const char *ret[FALLBACK_MAX])
{
    static const char *const usual[] = {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN,
                                        DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN,
                                        DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN};
    enum { USUAL_OF_COMPRESSED = 2, USUAL = sizeof usual / sizeof usual[0] };
    enum syntax_compression stored = syntax_find(stored_uid).compression;
    bool named = policy->only_count > 0;
    const char *const *targets = named ? policy->only : usual;
    size_t target_count = named ? policy->only_count : stored == SYNTAX_NATIVE ? USUAL : USUAL_OF_COMPRESSED;
    size_t count = 0;
    if (!named || has(policy->only, policy->only_count, stored_uid))
        ret[count++] = stored_uid;
    if (!may_convert(policy->allowed, stored))
        return count;
    for (size_t i = 0; i < target_count; i++) {
        bool reachable = syntax_find(targets[i]).compression == SYNTAX_NATIVE;
        if (reachable && !has(ret, count, targets[i])) {
            assert(count < FALLBACK_MAX);
            ret[count++] = targets[i];
        }
    }
    return count;
}

enum transcode fallback_needed(const struct fallback_policy *policy, const char *stored_uid)
{
    const char *ways[FALLBACK_MAX];
    struct fallback_policy more = *policy;
    size_t count = fallback_list(policy, stored_uid, ways);
    while (more.allowed < TRANSCODE_LOSSY) {
        more.allowed++;
        if (fallback_list(&more, stored_uid, ways) > count)
            return more.allowed;
    }
    return policy->allowed;
}

const char *transcode_name(enum transcode transcode)
{
    static const char *const names[] = {"never", "uncompressed", "lossless", "lossy"};
    assert((unsigned)transcode < sizeof names / sizeof names[0]);
    return names[transcode];
}
