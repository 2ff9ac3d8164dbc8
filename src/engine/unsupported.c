/* unsupported - see unsupported.h. */
#include "engine/unsupported.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/association.h"
#include "dicomnet/pdu.h"
#include "dicomnet/uid.h"
#include "instance/instance.h"

struct fact {
    char text[INSTANCE_FACT_SIZE];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct fact *fact, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(fact->text + fact->len, sizeof fact->text - fact->len, format, arguments);
    va_end(arguments);
    fact->len += len > 0 ? (size_t)len : 0;
    if (fact->len >= sizeof fact->text)
        fact->len = sizeof fact->text - 1;
}

/* "CTImageStorage (1.2.840.10008.5.1.4.1.1.2)"; of a UID that is not the standard's, that alone. */
static void put_uid(struct fact *fact, const char *uid)
{
    const char *keyword = dicomnet_uid_keyword(uid);
    if (strcmp(keyword, uid) == 0)
        put(fact, "%s", uid);
    else
        put(fact, "%s (%s)", keyword, uid);
}

static void put_accepted(struct fact *fact, const struct dicomnet_association *association, const char *class_uid)
{
    unsigned others = 0, accepted = 0;
    for (size_t i = 0; i < dicomnet_association_context_count(association); i++) {
        const struct dicomnet_association_context *context = dicomnet_association_context(association, i);
        if (strcmp(context->abstract_syntax, class_uid) != 0)
            continue;
        others++;
        if (context->result != DICOMNET_CONTEXT_ACCEPTED)
            continue;
        put(fact, accepted++ == 0 ? "; of this class the peer takes " : ", ");
        put_uid(fact, context->transfer_syntax);
    }
    if (accepted == 0)
        put(fact,
            others > 1 ? "; it takes this class in none of the %u syntaxes that were proposed"
                       : "; no other syntax was proposed for this class",
            others);
}

void unsupported_note(struct instance *instance, const struct dicomnet_association *association)
{
    const struct file_facts *file = &instance->file;
    struct fact fact = {.len = 0};
    put_uid(&fact, file->class_uid);
    put(&fact, " as ");
    put_uid(&fact, file->syntax_uid);
    for (size_t i = 0; i < dicomnet_association_context_count(association); i++) {
        const struct dicomnet_association_context *context = dicomnet_association_context(association, i);
        bool is_its = strcmp(context->abstract_syntax, file->class_uid) == 0 &&
                      strcmp(context->transfer_syntax, file->syntax_uid) == 0;
        if (is_its && context->result <= DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED)
            put(&fact, ": %s (result %u)", dicomnet_pdu_context_result_text(context->result), context->result);
        else if (is_its)
            put(&fact, ": %s", dicomnet_pdu_context_result_text(context->result));
    }
    put_accepted(&fact, association, file->class_uid);
    instance_note(instance, "%s", fact.text);
}

void unsupported_note_class(struct instance *instance)
{
    struct fact fact = {.len = 0};
    put_uid(&fact, instance->file.class_uid);
    instance_note(instance, "%s", fact.text);
}
