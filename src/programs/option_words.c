/* option_words - see option_words.h. */
#include "programs/option_words.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WORD_LEN_MAX = 31 }; /* of a word that is compared with another */

bool option_list_has(const char *list, const char *word, size_t len)
{
    while (list != NULL && *list != '\0') {
        size_t list_len = strcspn(list, " ");
        if (list_len == len && strncmp(list, word, len) == 0)
            return true;
        list += list_len + (list[list_len] == ' ');
    }
    return false;
}

const struct option_row *option_find(enum program program, const char *spelling, size_t len)
{
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & program) == 0)
            continue;
        if (len > 2 && strncmp(spelling, "--", 2) == 0 && strlen(row->name) == len - 2 &&
            strncmp(row->name, spelling + 2, len - 2) == 0)
            return row;
        if (len == 2 && row->letter != 0 && spelling[0] == '-' && spelling[1] == row->letter)
            return row;
        if (option_list_has(row->also, spelling, len))
            return row;
    }
    return NULL;
}

const struct option_row *option_find_by_name(enum program program, const char *name)
{
    for (size_t i = 0; i < option_row_count; i++)
        if ((option_rows[i].programs & program) != 0 && strcmp(option_rows[i].name, name) == 0)
            return &option_rows[i];
    return NULL;
}

/* Edits (insert, drop, replace, swap neighbours) between two words of at most WORD_LEN_MAX characters. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned cost[WORD_LEN_MAX + 1][WORD_LEN_MAX + 1];
    a_len = a_len < WORD_LEN_MAX ? a_len : WORD_LEN_MAX;
    b_len = b_len < WORD_LEN_MAX ? b_len : WORD_LEN_MAX;
    for (size_t i = 0; i <= a_len; i++) {
        for (size_t j = 0; j <= b_len; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = (unsigned)(i + j);
                continue;
            }
            unsigned best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = cost[i - 1][j] + 1 < best ? cost[i - 1][j] + 1 : best;
            best = cost[i][j - 1] + 1 < best ? cost[i][j - 1] + 1 : best;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            best = swapped && cost[i - 2][j - 2] + 1 < best ? cost[i - 2][j - 2] + 1 : best;
            cost[i][j] = best;
        }
    }
    return cost[a_len][b_len];
}

/* Dashes in front say nothing about what was meant: -port is near to --port. */
static unsigned spelling_distance(const char *typed, size_t typed_len, const char *known, size_t known_len)
{
    size_t typed_dashes = strspn(typed, "-+"), known_dashes = strspn(known, "-+");
    return edit_distance(typed + typed_dashes, typed_len - typed_dashes, known + known_dashes,
                         known_len - known_dashes);
}

void option_say_unknown(enum program program, const char *argument, char *ret_message)
{
    size_t argument_len = strcspn(argument, "=");
    bool long_only = strncmp(argument, "--", 2) == 0;
    char nearest[40] = "";
    unsigned nearest_distance = UINT32_MAX;
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & program) == 0)
            continue;
        char spellings[160];
        snprintf(spellings, sizeof spellings, "--%s %s", row->name, row->also != NULL ? row->also : "");
        for (const char *word = spellings; *word != '\0';) {
            size_t len = strcspn(word, " ");
            bool counts = !long_only || strncmp(word, "--", 2) == 0;
            unsigned distance = spelling_distance(argument, argument_len, word, len);
            if (counts && distance < nearest_distance) {
                nearest_distance = distance;
                snprintf(nearest, sizeof nearest, "%.*s", (int)len, word);
            }
            word += len + (word[len] == ' ');
        }
    }
    bool is_near = nearest_distance <= argument_len / 2;
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "unknown option '%.*s'%s%s (all: %s --help)",
             argument_len < 80 ? (int)argument_len : 80, argument, is_near ? "; the nearest is " : "",
             is_near ? nearest : "", options_program_name(program));
}
