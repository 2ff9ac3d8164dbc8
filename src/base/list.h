/*
 * list - an intrusive doubly linked list with a head, and the mail that travels between threads.
 *
 * A struct is on at most one list through one node. Which list it is on says what state it is in; ownership goes with
 * the node.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *next;
    struct list_node *prev;
};

/* The head is a node too; an empty list points at itself. */
struct list {
    struct list_node head;
};

/* The struct of `type` that holds `node` as `member`. */
#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->head.next = list->head.prev = &list->head;
}
static inline bool list_is_empty(const struct list *list)
{
    return list->head.next == &list->head;
}
static inline struct list_node *list_first(const struct list *list)
{
    return list_is_empty(list) ? NULL : list->head.next;
}
static inline struct list_node *list_next(const struct list *list, const struct list_node *node)
{
    return node->next == &list->head ? NULL : node->next;
}
static inline void list_insert_after(struct list_node *place, struct list_node *node)
{
    node->prev = place;
    node->next = place->next;
    place->next->prev = node;
    place->next = node;
}
static inline void list_append(struct list *list, struct list_node *node)
{
    list_insert_after(list->head.prev, node);
}
static inline void list_prepend(struct list *list, struct list_node *node)
{
    list_insert_after(&list->head, node);
}
static inline void list_remove(struct list_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = NULL;
}
static inline struct list_node *list_pop(struct list *list)
{
    struct list_node *node = list_first(list);
    if (node != NULL)
        list_remove(node);
    return node;
}
/* Append all of `from` to `to`; `from` is empty afterwards. */
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    struct list_node *first = from->head.next, *last = from->head.prev;
    first->prev = to->head.prev;
    to->head.prev->next = first;
    last->next = &to->head;
    to->head.prev = last;
    list_init(from);
}

/* What a mailbox carries: a node, and a kind that tells the receiving side which struct is around it. */
struct mail {
    struct list_node node;
    int kind;
};

#endif
