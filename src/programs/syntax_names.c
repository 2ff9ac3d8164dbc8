/* syntax_names - see syntax_names.h. */
#include "programs/syntax_names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dicomnet/uid.h"
#include "wire/syntax.h"

/* In the order in which they are listed to who typed something else. */
static const struct {
    const char *word;
    const char *uids[SYNTAX_NAME_UIDS_MAX];
} words[] = {
    {"implicit", {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}},
    {"explicit", {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN}},
    {"big", {DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN}},
    {"deflated", {DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN}},
    {"uncompressed",
     {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN,
      DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN}},
    {"rle", {"1.2.840.10008.1.2.5"}},
    {"jpeg", {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}},
    {"jpeg-lossless", {"1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.57"}},
    {"jpeg-ls", {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}},
    {"jpeg-2000", {"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"}},
    {"ht-jpeg-2000", {"1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"}},
    {"jpeg-xl", {"1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.111", "1.2.840.10008.1.2.4.112"}},
    {"mpeg2",
     {"1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.100.1", "1.2.840.10008.1.2.4.101", "1.2.840.10008.1.2.4.101.1"}},
    {"mpeg4",
     {"1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.102.1", "1.2.840.10008.1.2.4.103", "1.2.840.10008.1.2.4.103.1",
      "1.2.840.10008.1.2.4.104", "1.2.840.10008.1.2.4.104.1", "1.2.840.10008.1.2.4.105", "1.2.840.10008.1.2.4.105.1",
      "1.2.840.10008.1.2.4.106", "1.2.840.10008.1.2.4.106.1"}},
    {"hevc", {"1.2.840.10008.1.2.4.107", "1.2.840.10008.1.2.4.108"}},
};

enum { WORD_COUNT = sizeof words / sizeof words[0] };

static size_t find_word(const char *name, const char *ret_uids[SYNTAX_NAME_UIDS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (strcasecmp(words[i].word, name) != 0)
            continue;
        while (count < SYNTAX_NAME_UIDS_MAX && words[i].uids[count] != NULL) {
            ret_uids[count] = words[i].uids[count];
            count++;
        }
        break;
    }
    return count;
}

/* The syntax that syntax_name calls so. */
static const struct dicomnet_uid_info *find_short_name(const char *name)
{
    const struct dicomnet_uid_info *info;
    for (size_t i = 0; (info = dicomnet_uid_at(i)) != NULL; i++)
        if (info->kind == DICOMNET_UID_KIND_TRANSFER_SYNTAX && strcasecmp(syntax_name(info->uid), name) == 0)
            return info;
    return NULL;
}

size_t syntax_names_find(const char *name, const char *ret_uids[SYNTAX_NAME_UIDS_MAX])
{
    const struct dicomnet_uid_info *info = dicomnet_uid_find(name);
    if (info == NULL)
        info = dicomnet_uid_find_keyword(name);
    if (info == NULL)
        info = dicomnet_uid_find_name(name);
    if (info == NULL)
        info = find_short_name(name);
    if (info != NULL) {
        ret_uids[0] = info->uid;
        return info->kind == DICOMNET_UID_KIND_TRANSFER_SYNTAX ? 1 : 0;
    }
    /* A single number is well-formed, and a slip. */
    if (dicomnet_uid_is_well_formed(name, strlen(name)) && strchr(name, '.') != NULL) {
        ret_uids[0] = name;
        return 1;
    }
    return find_word(name, ret_uids);
}

void syntax_names_say(char ret_text[SYNTAX_NAMES_TEXT_SIZE])
{
    int len = snprintf(ret_text, SYNTAX_NAMES_TEXT_SIZE, "a UID, a keyword such as JPEG2000Lossless, or one of ");
    for (size_t i = 0; i < WORD_COUNT && len < SYNTAX_NAMES_TEXT_SIZE; i++)
        len += snprintf(ret_text + len, SYNTAX_NAMES_TEXT_SIZE - (size_t)len, "%s%s", i > 0 ? ", " : "", words[i].word);
}
