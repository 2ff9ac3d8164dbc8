/*
 * fallbacks - what each transfer syntax may become, as instance/fallback.h says: the table of docs/conformance.md. Rows
 * are those of the standard's registry, the retired ones and those that hold no data elements left out.
 */
#include <stdio.h>
#include <string.h>

#include "dicomnet/uid.h"
#include "instance/fallback.h"
#include "wire/syntax.h"

/* The least that --transcode must allow so that anything but the stored syntax is proposed; TRANSCODE_LOSSY + 1 if
 * nothing is enough. */
static int level_of(const char *uid, const char *ret[FALLBACK_MAX], size_t *ret_count)
{
    int level = TRANSCODE_NEVER;
    for (; level <= TRANSCODE_LOSSY; level++) {
        struct fallback_policy policy = {.allowed = (enum transcode)level};
        *ret_count = fallback_list(&policy, uid, ret);
        if (*ret_count > 1)
            break;
    }
    return level;
}

static void print_row(const struct dicomnet_uid_info *info)
{
    const char *list[FALLBACK_MAX];
    size_t count = 0;
    int level = level_of(info->uid, list, &count);
    printf("| %s | %s |", syntax_name(info->uid), info->uid);
    for (size_t i = 1; i < count; i++)
        printf("%s %s", i > 1 ? "," : "", syntax_name(list[i]));
    if (count <= 1)
        printf(" nothing | |\n");
    else
        printf(" | `%s` |\n", transcode_name((enum transcode)level));
}

int main(void)
{
    const struct dicomnet_uid_info *info;
    printf("| stored as | UID | if that is refused, in this order | from `--transcode` |\n|---|---|---|---|\n");
    for (size_t i = 0; (info = dicomnet_uid_at(i)) != NULL; i++) {
        bool is_syntax = info->kind == DICOMNET_UID_KIND_TRANSFER_SYNTAX && syntax_find(info->uid).walked;
        bool retired = (info->flags & DICOMNET_UID_RETIRED) != 0;
        if (is_syntax && (!retired || syntax_find(info->uid).compression != SYNTAX_OPAQUE))
            print_row(info);
    }
    printf("| any other, private ones too | | nothing | |\n");
    return 0;
}
