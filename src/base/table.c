/* table - see table.h. */
#include "base/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CHAINS = 64 };

/* FNV-1a, and a last mix because the chain is chosen by the low bits. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

void table_fini(struct table *table)
{
    free(table->chains);
    *table = (struct table){0};
}

struct table_node *table_find(const struct table *table, const char *key)
{
    if (table->count == 0)
        return NULL;
    uint64_t hash = hash_text(key);
    struct table_node *node = table->chains[hash & (table->chain_count - 1)];
    while (node != NULL && (node->hash != hash || strcmp(node->key, key) != 0))
        node = node->next;
    return node;
}

static void link_node(struct table *table, struct table_node *node)
{
    struct table_node **chain = &table->chains[node->hash & (table->chain_count - 1)];
    node->next = *chain;
    *chain = node;
}

static int grow(struct table *table)
{
    struct table old = *table;
    table->chain_count = old.chain_count > 0 ? 2 * old.chain_count : FIRST_CHAINS;
    table->chains = calloc(table->chain_count, sizeof *table->chains);
    if (table->chains == NULL) {
        *table = old;
        return -ENOMEM;
    }
    for (size_t i = 0; i < old.chain_count; i++) {
        struct table_node *next;
        for (struct table_node *node = old.chains[i]; node != NULL; node = next) {
            next = node->next;
            link_node(table, node);
        }
    }
    free(old.chains);
    return 0;
}

int table_add(struct table *table, struct table_node *node, const char *key)
{
    if (table->count >= table->chain_count && grow(table) != 0 && table->chain_count == 0)
        return -ENOMEM;
    node->key = key;
    node->hash = hash_text(key);
    link_node(table, node);
    table->count++;
    return 0;
}

void table_remove(struct table *table, struct table_node *node)
{
    struct table_node **link = &table->chains[node->hash & (table->chain_count - 1)];
    while (*link != node)
        link = &(*link)->next;
    *link = node->next;
    table->count--;
}

struct table_node *table_pop(struct table *table, size_t *cursor)
{
    for (; *cursor < table->chain_count; (*cursor)++) {
        struct table_node *node = table->chains[*cursor];
        if (node != NULL) {
            table->chains[*cursor] = node->next;
            table->count--;
            return node;
        }
    }
    return NULL;
}
