/* conversions - see conversions.h. */
#include "report/conversions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "instance/instance.h"
#include "wire/syntax.h"

enum { ITEMS_SAID_MAX = 3 };

/* The item of this way, new if need be: then the last one. NULL if out of memory. */
static struct conversion *find_item(struct conversions *conversions, const char *from, const char *to)
{
    for (size_t i = 0; i < conversions->count; i++)
        if (strcmp(conversions->items[i].from, from) == 0 && strcmp(conversions->items[i].to, to) == 0)
            return &conversions->items[i];
    if (conversions->count == conversions->room) {
        size_t room = conversions->room > 0 ? conversions->room * 2 : 8;
        struct conversion *more = realloc(conversions->items, room * sizeof *more);
        if (more == NULL)
            return NULL;
        conversions->items = more;
        conversions->room = room;
    }
    struct conversion *item = &conversions->items[conversions->count++];
    *item = (struct conversion){.files = 0};
    snprintf(item->from, sizeof item->from, "%s", from);
    snprintf(item->to, sizeof item->to, "%s", to);
    return item;
}

int conversions_add(struct conversions *conversions, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    if (!outcome_is_converted(outcome) || outcome->earlier)
        return 0;
    struct conversion *item = find_item(conversions, instance->file.syntax_uid, outcome->sent_syntax);
    if (item == NULL)
        return -ENOMEM;
    item->files++;
    item->bytes += instance_wire_len(instance);
    conversions->files++;
    for (; item > conversions->items && item[-1].files < item->files; item--) {
        struct conversion before = item[-1];
        item[-1] = *item;
        *item = before;
    }
    return 0;
}

void conversions_fini(struct conversions *conversions)
{
    free(conversions->items);
    *conversions = (struct conversions){0};
}

void conversions_put_pair(struct text *text, const char *from, const char *to)
{
    text_put_visible(text, syntax_name(from));
    text_put(text, " to ");
    text_put_visible(text, syntax_name(to));
}

void conversions_put(struct text *text, const struct conversions *conversions)
{
    uint64_t said = 0;
    for (size_t i = 0; i < conversions->count && i < ITEMS_SAID_MAX; i++) {
        const struct conversion *item = &conversions->items[i];
        text_put(text, i > 0 ? ", " : "");
        if (conversions->count > 1)
            text_printf(text, "%" PRIu64 " ", item->files);
        conversions_put_pair(text, item->from, item->to);
        said += item->files;
    }
    if (said < conversions->files)
        text_printf(text, ", %" PRIu64 " otherwise", conversions->files - said);
}
