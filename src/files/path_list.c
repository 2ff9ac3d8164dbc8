/* path_list - see path_list.h. */
#include "files/path_list.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum encoding { AS_IT_IS, UTF_16_LE, UTF_16_BE };
enum { REPLACEMENT = 0xfffd };

struct path_list {
    FILE *file;
    bool nul_separated;
    bool begun; /* the encoding is known */
    enum encoding encoding;
    char *line; /* of `size` bytes, of which `len` are used */
    size_t len, size;
};

int path_list_open(struct path_list **ret_list, const char *path, bool nul_separated)
{
    struct path_list *list = (struct path_list *)calloc(1, sizeof *list);
    if (list == NULL)
        return -ENOMEM;
    list->nul_separated = nul_separated;
    list->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (list->file == NULL) {
        int error = -errno;
        free(list);
        return error;
    }
    *ret_list = list;
    return 0;
}

void path_list_close(struct path_list *list)
{
    if (list == NULL)
        return;
    if (list->file != stdin)
        fclose(list->file);
    free(list->line);
    free(list);
}

static bool put_byte(struct path_list *list, int byte)
{
    if (list->len + 1 >= list->size) {
        size_t size = list->size > 0 ? 2 * list->size : 256;
        char *line = (char *)realloc(list->line, size);
        if (line == NULL)
            return false;
        list->line = line;
        list->size = size;
    }
    list->line[list->len++] = (char)byte;
    list->line[list->len] = '\0';
    return true;
}

static bool put_character(struct path_list *list, uint32_t code)
{
    if (code < 0x80)
        return put_byte(list, (int)code);
    if (code < 0x800)
        return put_byte(list, (int)(0xc0 | code >> 6)) && put_byte(list, (int)(0x80 | (code & 0x3f)));
    bool begun = code < 0x10000
                     ? put_byte(list, (int)(0xe0 | code >> 12))
                     : put_byte(list, (int)(0xf0 | code >> 18)) && put_byte(list, (int)(0x80 | (code >> 12 & 0x3f)));
    return begun && put_byte(list, (int)(0x80 | (code >> 6 & 0x3f))) && put_byte(list, (int)(0x80 | (code & 0x3f)));
}

/* A unit of UTF-16, or -1 at the end of the file. */
static int32_t read_unit(struct path_list *list)
{
    int first = getc_unlocked(list->file), second = first != EOF ? getc_unlocked(list->file) : EOF;
    if (second == EOF)
        return -1;
    return list->encoding == UTF_16_LE ? first | second << 8 : first << 8 | second;
}

/* A character, or a byte of what is not UTF-16; -1 at the end of the file. */
static int32_t read_character(struct path_list *list)
{
    if (list->encoding == AS_IT_IS)
        return getc_unlocked(list->file);
    int32_t unit = read_unit(list);
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    int32_t low = unit < 0xdc00 ? read_unit(list) : -1;
    return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : REPLACEMENT;
}

/*
 * Look at the first three bytes. A mark is passed over; what is none begins the first line. False if out of memory.
 */
static bool begin(struct path_list *list)
{
    unsigned char bytes[3];
    size_t len = 0;
    int byte;
    list->begun = true;
    while (len < sizeof bytes && (byte = getc_unlocked(list->file)) != EOF) {
        bytes[len++] = (unsigned char)byte;
        bool may_be_mark = (len == 1 && (byte == 0xef || byte == 0xff || byte == 0xfe)) ||
                           (len == 2 && bytes[0] == 0xef && byte == 0xbb);
        bool may_be_wide = len == 1 && !list->nul_separated && byte != '\n';
        if (!may_be_mark && !may_be_wide)
            break;
    }
    if (len == 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        return true;
    if (len >= 2 && bytes[0] + bytes[1] == 0xff + 0xfe) {
        list->encoding = bytes[0] == 0xff ? UTF_16_LE : UTF_16_BE;
        return true;
    }
    if (len == 2 && !list->nul_separated && (bytes[0] == 0) != (bytes[1] == 0)) {
        list->encoding = bytes[0] == 0 ? UTF_16_BE : UTF_16_LE;
        return put_character(list, (uint32_t)(bytes[0] | bytes[1]));
    }
    while (len > 0)
        if (ungetc(bytes[--len], list->file) == EOF)
            return false;
    return true;
}

/* CR LF ends a line elsewhere; but a name may end in CR too, if it is not UTF-16. */
static bool may_be_return(struct path_list *list)
{
    if (list->nul_separated || list->len == 0 || list->line[list->len - 1] != '\r')
        return false;
    if (list->encoding == AS_IT_IS && list->len > 1)
        return true;
    list->line[--list->len] = '\0';
    return false;
}

const char *path_list_next(struct path_list *list, bool *ret_may_be_return, int *ret_error)
{
    int separator = list->nul_separated ? '\0' : '\n';
    int32_t letter = 0;
    *ret_error = 0;
    while (letter >= 0) {
        list->len = 0;
        errno = 0;
        bool fits = list->begun || begin(list);
        while (fits && (letter = read_character(list)) > 0 && letter != separator)
            fits = list->encoding == AS_IT_IS ? put_byte(list, letter) : put_character(list, (uint32_t)letter);
        if (!fits || ferror(list->file)) {
            *ret_error = !fits ? -ENOMEM : errno != 0 ? -errno : -EIO;
            return NULL;
        }
        /* No path holds a NUL: it ends one, as --null would have said. Where it cannot, this is no list of paths. */
        if (letter == 0 && !list->nul_separated && (list->encoding != AS_IT_IS || list->len == 0)) {
            *ret_error = -EILSEQ;
            return NULL;
        }
        *ret_may_be_return = may_be_return(list);
        if (list->len > 0)
            return list->line;
    }
    return NULL;
}
