/*
 * table - an intrusive hash table with text keys.
 *
 * Entries embed a table_node and own their key. The table owns only its array of chains, and grows by doubling.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_node {
    struct table_node *next;
    const char *key; /* borrowed from the entry */
    uint64_t hash;
};

struct table {
    struct table_node **chains;
    size_t chain_count; /* a power of two, 0 before the first entry */
    size_t count;
};

/* All zero is an empty table. table_fini frees the chains, not the entries. */
void table_fini(struct table *table);

/* The entry with this key, or NULL. */
struct table_node *table_find(const struct table *table, const char *key);

/* Add an entry whose key is not in the table yet. Returns 0 or -ENOMEM. */
int table_add(struct table *table, struct table_node *node, const char *key);

void table_remove(struct table *table, struct table_node *node);

/* Take any entry out, NULL if empty: to free them all. *cursor starts as 0. */
struct table_node *table_pop(struct table *table, size_t *cursor);

#endif
