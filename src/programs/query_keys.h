/*
 * query_keys - the keys of a query as people write them: KEY or KEY=VALUE, on the command line or in a file.
 *
 *   PatientName=DOE^*     StudyDate=20240101-     0020,000D=1.2.3\1.2.4     (0010,0010)=DOE^*     StudyDescription
 *
 * A KEY is a keyword of the standard, whatever its case, or a tag; without a value it is to be returned. What is wrong
 * comes back as one line, which names the nearest keywords for one that does not exist.
 */
#ifndef PROGRAMS_QUERY_KEYS_H
#define PROGRAMS_QUERY_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "dicomnet/query_retrieve.h"

struct query_group;

enum { QUERY_KEYS_MAX = 256 };

struct query_keys {
    struct dicomnet_identifier identifier; /* what is asked, level included */
    size_t count;
    uint32_t tags[QUERY_KEYS_MAX]; /* in the order to show them: the level's own, then as they were added */
};

/*
 * Begin with the level, and what is worth knowing about an entity of it: unique keys, and the usual attributes if
 * `with_attributes`. 0 or -ENOMEM; call query_keys_fini in any case.
 */
int query_keys_init(struct query_keys *keys, enum dicomnet_query_model model, enum dicomnet_query_level level,
                    bool with_attributes) DICOMNET_MUST_CHECK;
void query_keys_fini(struct query_keys *keys);

/* True if `text` is KEY=VALUE and there is such a KEY. */
bool query_keys_is_match(const char *text);

/* True if `text` is QueryRetrieveLevel=LEVEL, in which other tools say the level; *ret_level is behind the '='. */
bool query_keys_is_level(const char *text, const char **ret_level);

/* Add "KEY" or "KEY=VALUE"; what is said last counts. 0, or -1 and in `ret_message` what is wrong. */
int query_keys_add(struct query_keys *keys, const char *text, char *ret_message, size_t size) DICOMNET_MUST_CHECK;

/*
 * Add the keys of a file: one a line, where empty lines and those that begin with # say nothing; or the elements of a
 * DICOM file, as other tools have it. As query_keys_add.
 */
int query_keys_add_file(struct query_keys *keys, const char *path, char *ret_message, size_t size) DICOMNET_MUST_CHECK;

/*
 * True if some key narrows what matches: one of this level or above, with a value that is not only wildcards. Else what
 * is asked for is everything the peer has, and `ret_message` says so in one line, naming the first of the options'
 * keys.
 */
bool query_keys_narrow(const struct query_keys *keys, const struct query_group *query, char *ret_message, size_t size);

/* All of it: the level of the options, then their file, then their keys. As query_keys_add. */
int query_keys_read(struct query_keys *keys, const struct query_group *query, bool with_attributes, char *ret_message,
                    size_t size) DICOMNET_MUST_CHECK;

#endif
