/*
 * path_list - reads a list of paths, one a line (or separated by NULs), as it was meant.
 *
 * Lists come from find, from editors and from other systems: lines may end in CR LF, a byte-order mark may stand before
 * the first, and the text may be UTF-16 (with its mark, or told by the NUL beside the first letter); it comes out as
 * UTF-8. Empty lines are no paths. A NUL ends a path also where lines were expected; a text of another kind, such as
 * UTF-32, is -EILSEQ. A stream is read line by line as it comes, so it may be a pipe.
 */
#ifndef FILES_PATH_LIST_H
#define FILES_PATH_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct path_list;

/*
 * Open the file, or standard input for "-". `nul_separated`: by NULs; then nothing is told from the paths but a mark
 * before the first. Returns 0, or a negative errno.
 */
int path_list_open(struct path_list **ret_list, const char *path, bool nul_separated);

/*
 * The next path, valid until the next call; NULL at the end, or with *ret_error a negative errno. *ret_may_be_return:
 * it ends in a CR, which is the path's own if there is a file of that name, and belongs to the end of the line if not.
 */
const char *path_list_next(struct path_list *list, bool *ret_may_be_return, int *ret_error);

/* NULL is fine. */
void path_list_close(struct path_list *list);

#endif
