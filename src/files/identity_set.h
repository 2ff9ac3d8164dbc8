/*
 * identity_set - which files were seen, by (device, inode): open addressing, grows by itself.
 */
#ifndef FILES_IDENTITY_SET_H
#define FILES_IDENTITY_SET_H

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty set. */
struct identity_set {
    struct identity {
        uint64_t device;
        uint64_t inode; /* 0 = a free place; no file system gives an inode this number */
    } * places;
    size_t size; /* a power of two, or 0 */
    size_t count;
};

/* Returns 1 if it was added, 0 if it was there already, -ENOMEM. */
int identity_set_add(struct identity_set *set, uint64_t device, uint64_t inode);

void identity_set_fini(struct identity_set *set);

#endif
