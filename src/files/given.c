/* given - see given.h. */
#include "files/given.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "files/discover.h"
#include "files/path_list.h"

struct given {
    const struct discover_options *options;
    size_t next_input;
    struct path_list *list; /* files_from, or NULL */
    glob_t matches;
    size_t next_match;
    bool globbing;
};

static struct find make_failure(const char *path, int error)
{
    struct find find = find_make_given(path, false);
    find_set_failure(&find, find.path != NULL ? error : -ENOMEM);
    return find;
}

static struct find make_given(const char *path, bool once)
{
    struct find find = find_make_given(path, once);
    if (find.path == NULL)
        find_set_failure(&find, -ENOMEM);
    return find;
}

/* "DICOMDIR", whatever its case, with what media put behind names. */
static bool is_named_dicomdir(const char *path)
{
    static const char name[] = "DICOMDIR";
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    return strncasecmp(base, name, sizeof name - 1) == 0;
}

/* An input that is not there, and looks like a pattern, is one. */
static bool is_pattern(const char *input)
{
    struct stat status;
    return strpbrk(input, "*?[\\") != NULL && lstat(input, &status) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* The next of `inputs`. False if it was a pattern: its matches come next. */
static bool take_input(struct given *given, bool once, struct find *ret_find)
{
    const char *input = given->options->inputs[given->next_input++];
    if (!is_pattern(input)) {
        *ret_find = make_given(input, once);
        ret_find->is_input = true;
        if (ret_find->kind == FIND_UNKNOWN && is_named_dicomdir(input))
            find_look(ret_find, given->options);
        return true;
    }
    int result = glob(input, 0, NULL, &given->matches);
    given->globbing = result == 0;
    given->next_match = 0;
    if (given->globbing)
        return false;
    globfree(&given->matches);
    *ret_find = make_failure(input, result == GLOB_NOSPACE ? -ENOMEM : result == GLOB_ABORTED ? -EIO : -ENOENT);
    return true;
}

/* The next line of files_from. False at its end. */
static bool take_line(struct given *given, bool once, struct find *ret_find)
{
    int error = 0;
    bool may_be_return = false;
    const char *path = path_list_next(given->list, &may_be_return, &error);
    if (path != NULL) {
        *ret_find = make_given(path, once);
        ret_find->is_line = may_be_return;
        return true;
    }
    path_list_close(given->list);
    given->list = NULL;
    if (error < 0)
        *ret_find = make_failure(given->options->files_from, error);
    return error < 0;
}

int given_create(struct given **ret_given, const struct discover_options *options)
{
    struct given *given = (struct given *)calloc(1, sizeof *given);
    if (given == NULL)
        return -ENOMEM;
    given->options = options;
    int error =
        options->files_from != NULL ? path_list_open(&given->list, options->files_from, options->nul_separated) : 0;
    if (error < 0) {
        free(given);
        return error;
    }
    *ret_given = given;
    return 0;
}

bool given_next(struct given *given, bool once, struct find *ret_find)
{
    for (;;) {
        if (given->globbing && given->next_match < given->matches.gl_pathc) {
            *ret_find = make_given(given->matches.gl_pathv[given->next_match++], once);
            return true;
        }
        if (given->globbing) {
            globfree(&given->matches);
            given->globbing = false;
        }
        if (given->next_input >= given->options->input_count)
            return given->list != NULL && take_line(given, once, ret_find);
        if (take_input(given, once, ret_find))
            return true;
    }
}

void given_destroy(struct given *given)
{
    if (given == NULL)
        return;
    if (given->globbing)
        globfree(&given->matches);
    path_list_close(given->list);
    free(given);
}
