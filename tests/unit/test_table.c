/* The hash table with text keys. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

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
