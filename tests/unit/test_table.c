/* The hash table with text keys. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"

enum { MANY = 5000 };

struct entry {
    struct table_node node;
    char key[16];
    int seen;
};

static struct entry entries[MANY];

static void fill(struct table *table)
{
    for (int i = 0; i < MANY; i++) {
        snprintf(entries[i].key, sizeof entries[i].key, "1.2.%d", i);
        cr_assert_null(table_find(table, entries[i].key));
        cr_assert_eq(table_add(table, &entries[i].node, entries[i].key), 0);
    }
}

Test(table, empty)
{
    struct table table = {0};
    size_t cursor = 0;
    cr_expect_null(table_find(&table, ""));
    cr_expect_null(table_pop(&table, &cursor));
    table_fini(&table);
}

/* UIDs that differ in one digit, or in their length, have hashes that differ in all of their bits. */
Test(table, hashes_are_mixed)
{
    const char uid[65] = "1.2.826.0.1.3680043.8.498.32735210998394320925122197129876886444";
    char other[65];
    for (size_t len = 1; len < 64; len++) {
        memcpy(other, uid, len);
        other[len] = '\0';
        for (size_t i = 0; i < len; i++) {
            uint64_t hash = hash_text(other);
            other[i] ^= 1;
            int bits = __builtin_popcountll(hash ^ hash_text(other));
            cr_expect(bits > 10 && bits < 54, "%d bits of %s", bits, other);
            other[i] ^= 1;
        }
        uint64_t hash = hash_text(other);
        memcpy(other, uid, len + 1);
        other[len + 1] = '\0';
        int bits = __builtin_popcountll(hash ^ hash_text(other));
        cr_expect(bits > 10 && bits < 54, "%d bits of %s", bits, other);
    }
    cr_expect_eq(hash_text("1.2.3"), hash_text("1.2.3"));
    cr_expect_neq(hash_text(""), hash_text("0"));
}

Test(table, finds_what_was_added_while_it_grows)
{
    struct table table = {0};
    fill(&table);
    cr_expect_eq(table.count, MANY);
    cr_expect_geq(table.chain_count, MANY / 2);
    cr_expect_eq(table.chain_count & (table.chain_count - 1), 0);
    for (int i = 0; i < MANY; i++) {
        char key[16]; /* not the entry's own string */
        snprintf(key, sizeof key, "1.2.%d", i);
        cr_assert_eq(table_find(&table, key), &entries[i].node);
    }
    cr_expect_null(table_find(&table, "1.2.5000"));
    cr_expect_null(table_find(&table, "1.2."));
    cr_expect_null(table_find(&table, ""));
    table_fini(&table);
    cr_expect_eq(table.count, 0);
}

Test(table, remove_takes_one_out)
{
    struct table table = {0};
    fill(&table);
    for (int i = 0; i < MANY; i += 2)
        table_remove(&table, &entries[i].node);
    cr_expect_eq(table.count, MANY / 2);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(table_find(&table, entries[i].key), i % 2 == 0 ? NULL : &entries[i].node);
    cr_assert_eq(table_add(&table, &entries[0].node, entries[0].key), 0);
    cr_expect_eq(table_find(&table, entries[0].key), &entries[0].node);
    table_fini(&table);
}

Test(table, pop_gives_each_once)
{
    struct table table = {0};
    struct table_node *node;
    size_t cursor = 0;
    fill(&table);
    while ((node = table_pop(&table, &cursor)) != NULL)
        ((struct entry *)(void *)node)->seen++;
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(entries[i].seen, 1);
    cr_expect_eq(table.count, 0);
    cr_expect_null(table_find(&table, entries[7].key));
    table_fini(&table);
}
