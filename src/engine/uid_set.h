/*
 * uid_set - how many different UIDs there were, in some 12 bytes for each: a hash of 64 bits stands for the UID.
 *
 * Two UIDs may share a hash: among a million that happens once in 40 million runs, and the count is then too small by
 * one. So it is for counting, and not for deciding what becomes of anything.
 */
#ifndef ENGINE_UID_SET_H
#define ENGINE_UID_SET_H

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty set. */
struct uid_set {
    uint64_t *slots;   /* 0 = free */
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
};

/* The hash that stands for a UID; never 0. */
uint64_t uid_set_hash(const char *uid);

/* 1 if it was added, 0 if it was there, -ENOMEM. */
int uid_set_add(struct uid_set *set, const char *uid);

void uid_set_fini(struct uid_set *set);

#endif
