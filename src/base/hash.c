/* hash - see hash.h. */
#include "base/hash.h"

#include <string.h>

/* For a given `hash`, different words give different results; for a given word, different hashes do. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xbf58476d1ce4e5b9u;
    return hash ^ hash >> 32;
}

uint64_t hash_text(const char *text)
{
    size_t len = strlen(text), at = 0;
    uint64_t hash = len, word = 0;
    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        hash = mix(hash, word);
    }
    for (word = 0; at < len; at++)
        word = word << 8 | (unsigned char)text[at];
    hash = mix(hash, word);
    /* The finaliser of splitmix64. */
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111ebu;
    return hash ^ hash >> 31;
}
