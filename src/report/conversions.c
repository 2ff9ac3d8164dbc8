/* conversions - see conversions.h. */
#include "report/conversions.h"

#include <inttypes.h>

#include "base/text.h"
#include "instance/instance.h"
#include "wire/syntax.h"

enum { PAIRS_SAID_MAX = 3 };

int conversions_add(struct pair_counts *conversions, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    if (!outcome_is_converted(outcome) || outcome->earlier)
        return 0;
    return pair_counts_add(conversions, instance->file.syntax_uid, outcome->sent_syntax, instance_wire_len(instance));
}

void conversions_put_pair(struct text *text, const char *from, const char *to)
{
    text_put_visible(text, syntax_name(from));
    text_put(text, " to ");
    text_put_visible(text, syntax_name(to));
}

void conversions_put(struct text *text, const struct pair_counts *conversions)
{
    uint64_t said = 0;
    for (size_t i = 0; i < conversions->count && i < PAIRS_SAID_MAX; i++) {
        const struct pair_count *item = &conversions->items[i];
        text_put(text, i > 0 ? ", " : "");
        if (conversions->count > 1)
            text_printf(text, "%" PRIu64 " ", item->files);
        conversions_put_pair(text, item->first, item->second);
        said += item->files;
    }
    if (said < conversions->files)
        text_printf(text, ", %" PRIu64 " otherwise", conversions->files - said);
}
