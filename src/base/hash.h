/*
 * hash - a hash of texts, for tables in memory.
 *
 * Texts are UIDs and paths, which nobody gains by choosing so that they collide: it need not withstand that. It is made
 * of eight bytes at a time, and differs from one kind of machine to another: not for anything that is kept.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

/* 64 bits, all of which are mixed well. */
uint64_t hash_text(const char *text);

#endif
