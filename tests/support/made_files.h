/*
 * made_files - a folder of synthetic instances for a test, and what a scan of them says.
 */
#ifndef SUPPORT_MADE_FILES_H
#define SUPPORT_MADE_FILES_H

#include <stdint.h>

#include "instance/instance.h"

struct made_files {
    char folder[64];
    unsigned count;
    struct instance **instances; /* owned; an entry given away is set to NULL by who takes it */
};

/*
 * Make `studies` studies of `each` CT instances of about `bytes` in a new folder below /tmp, and scan them. Returns 0
 * or a negative errno.
 */
int made_files_create(struct made_files *files, unsigned studies, unsigned each, uint64_t bytes);

/* Remove the folder, and free the instances that are still here. */
void made_files_remove(struct made_files *files);

#endif
