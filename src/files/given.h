/*
 * given - the paths that a user gave, one after the other: his inputs, what his patterns match, then the lines of his
 * list. Of each it says that it was given, and not yet what it is (find.h), so that this is quick; only a list that
 * comes through a pipe, the folders of a pattern and a file named DICOMDIR may keep it waiting. One thread's at a time.
 */
#ifndef FILES_GIVEN_H
#define FILES_GIVEN_H

#include <stdbool.h>

#include "files/find.h"

struct discover_options;
struct given;

/* Returns 0, or a negative errno: no memory, or what opening files_from gave. The options are borrowed. */
int given_create(struct given **ret_given, const struct discover_options *options);

/*
 * The next one, or a problem; false at the end. Its path is the caller's, NULL if there was no memory for it. `once` is
 * what it is given (find.h). A DICOMDIR by that name has been looked at already, so that `once` can be set for all that
 * come after it.
 */
bool given_next(struct given *given, bool once, struct find *ret_find);

/* NULL is fine. */
void given_destroy(struct given *given);

#endif
