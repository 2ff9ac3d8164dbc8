/*
 * uid - the form of unique identifiers, and the standard's registry of them. See dicomnet/uid.h.
 *
 * The registry is a generated table in the order of strcmp, searched by halving.
 */
#include "dicomnet/uid.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct dicomnet_uid_info registry[] = {
#include "wire/uid_table.h"
};

enum { REGISTRY_COUNT = sizeof registry / sizeof registry[0] };

/* What lies below these roots. */
static const char standard_root[] = "1.2.840.10008";
static const char storage_root[] = "1.2.840.10008.5.1.4.1.1";

static int compare_uid(const void *uid, const void *row)
{
    return strcmp(uid, ((const struct dicomnet_uid_info *)row)->uid);
}

const struct dicomnet_uid_info *dicomnet_uid_find(const char *uid)
{
    return bsearch(uid, registry, REGISTRY_COUNT, sizeof registry[0], compare_uid);
}

/* Row by row, as only what people have typed is looked for. Rows that the standard has taken back have neither. */
static const struct dicomnet_uid_info *find_word(const char *word, bool is_name)
{
    for (size_t i = 0; i < REGISTRY_COUNT && word[0] != '\0'; i++)
        if (strcasecmp(is_name ? registry[i].name : registry[i].keyword, word) == 0)
            return &registry[i];
    return NULL;
}

const struct dicomnet_uid_info *dicomnet_uid_find_keyword(const char *keyword)
{
    return find_word(keyword, false);
}

const struct dicomnet_uid_info *dicomnet_uid_find_name(const char *name)
{
    return find_word(name, true);
}

const struct dicomnet_uid_info *dicomnet_uid_at(size_t index)
{
    return index < REGISTRY_COUNT ? &registry[index] : NULL;
}

const char *dicomnet_uid_keyword(const char *uid)
{
    const struct dicomnet_uid_info *info = dicomnet_uid_find(uid);
    return info != NULL && info->keyword[0] != '\0' ? info->keyword : uid;
}

/* True if `uid` is `root` or lies below it. */
static bool is_under(const char *uid, const char *root)
{
    size_t len = strlen(root);
    return strncmp(uid, root, len) == 0 && (uid[len] == '.' || uid[len] == '\0');
}

bool dicomnet_uid_is_storable(const char *uid)
{
    if (!dicomnet_uid_is_well_formed(uid, strnlen(uid, DICOMNET_UID_SIZE)))
        return false;
    if (!is_under(uid, standard_root))
        return true;
    const struct dicomnet_uid_info *info = dicomnet_uid_find(uid);
    if (info != NULL)
        return (info->flags & DICOMNET_UID_STORAGE) != 0;
    /* A storage class of an edition newer than the table. */
    return is_under(uid, storage_root) && uid[sizeof storage_root - 1] == '.';
}

/* ---- their form ---- */

bool dicomnet_uid_is_well_formed(const char *uid, size_t len)
{
    if (len == 0 || len > DICOMNET_UID_LEN_MAX)
        return false;
    const char *end = uid + len;
    for (const char *p = uid;; p++) {
        const char *component = p;
        while (p < end && (unsigned char)(*p - '0') <= 9)
            p++;
        if (p == component)
            return false;
        if (p == end || *p != '.')
            return p == end;
    }
}

bool dicomnet_uid_has_leading_zero(const char *uid)
{
    for (const char *p = uid; p != NULL; p = strchr(p, '.')) {
        p += p != uid;
        if (p[0] == '0' && p[1] >= '0' && p[1] <= '9')
            return true;
    }
    return false;
}
