/*
 * outline - the plan of a dry run: which instances would go as which studies, in 16 bytes of memory for each instance.
 *
 * The instances themselves lie in the temporary file of `seen`. Once all are found they are told study by study, the
 * one with the most bytes first, as they would be sent. On the main thread.
 */
#ifndef ENGINE_OUTLINE_H
#define ENGINE_OUTLINE_H

#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"

struct instance;
struct seen;

/* One study as it would be sent, and its presentation contexts. */
struct planned_context {
    const char *class_uid;
    const char *syntax_uid;
};
struct planned_study {
    const char *study_uid;
    uint64_t instances;
    uint64_t bytes;
    size_t context_count;
    const struct planned_context *contexts;
};

/* All zero is an empty outline. */
struct outline {
    struct outline_entry {
        uint64_t study; /* uid_set_hash of its UID */
        uint32_t place; /* in `seen`; they grow */
    } * entries;
    size_t count, size;
};

/* Add the instance whose record lies at `place`. 0 or -ENOMEM. */
int outline_add(struct outline *outline, const struct instance *instance, uint32_t place) DICOMNET_MUST_CHECK;

/*
 * Tell all that were added: each study with its presentation contexts (DICOMNET_PDU_CONTEXTS_MAX at most: with more it
 * is told in pieces), then its instances, which are the callee's; `study` may be NULL. The outline is empty afterwards.
 * 0, or the first error of reading a record or of memory: what could not be read is told to nobody.
 */
int outline_tell(struct outline *outline, const struct seen *seen,
                 void (*study)(void *user, const struct planned_study *study),
                 void (*instance)(void *user, struct instance *instance), void *user) DICOMNET_MUST_CHECK;

void outline_fini(struct outline *outline);

#endif
