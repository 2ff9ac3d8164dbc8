/*
 * contexts - see contexts.h.
 *
 * A context has one transfer syntax in the end, so a class is proposed in many: the common syntaxes in one context
 * each, the others some to a context when the 128 contexts do not suffice for all.
 */
#include "fetch/contexts.h"

#include <stdlib.h>
#include <string.h>

#include "dicomnet/uid.h"

enum { CONTEXTS_MAX = DICOMNET_PDU_CONTEXTS_MAX - 1, SYNTAXES_MAX = 96 };

/* What an instance may lie in at the peer, the commonest first. */
static const char *const common_syntaxes[] = {
    DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN,
    DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN,
    "1.2.840.10008.1.2.4.70", /* JPEG Lossless SV1 */
    "1.2.840.10008.1.2.4.90", /* JPEG 2000 Lossless */
    "1.2.840.10008.1.2.4.91", /* JPEG 2000 */
    "1.2.840.10008.1.2.4.50", /* JPEG Baseline */
    "1.2.840.10008.1.2.4.51", /* JPEG Extended */
    "1.2.840.10008.1.2.4.57", /* JPEG Lossless */
    "1.2.840.10008.1.2.4.80", /* JPEG-LS Lossless */
    "1.2.840.10008.1.2.4.81", /* JPEG-LS Near-lossless */
    "1.2.840.10008.1.2.5",    /* RLE Lossless */
    DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN,
    "1.2.840.10008.1.2.4.100", /* MPEG-2 */
    "1.2.840.10008.1.2.4.102", /* MPEG-4 */
    "1.2.840.10008.1.2.4.103"  /* MPEG-4, Blu-ray */
};

enum { COMMON_COUNT = sizeof common_syntaxes / sizeof common_syntaxes[0], PLAIN_COUNT = 2 };

struct proposals {
    struct dicomnet_association_proposal *array;
    size_t count;
    const char *syntaxes[SYNTAXES_MAX]; /* of a C-GET */
    size_t syntax_count;
};

/* ---- syntaxes ---- */

static bool is_common(const char *uid)
{
    for (size_t i = 0; i < COMMON_COUNT; i++)
        if (strcmp(common_syntaxes[i], uid) == 0)
            return true;
    return false;
}

/* A syntax that a data set of C-STORE can have: not that of live video over RTP, or of a mail. */
static bool is_for_stores(const struct dicomnet_uid_info *info)
{
    return info->kind == DICOMNET_UID_KIND_TRANSFER_SYNTAX && strncmp(info->uid, "1.2.840.10008.1.2.6.", 20) != 0 &&
           strncmp(info->uid, "1.2.840.10008.1.2.7.", 20) != 0;
}

static void add_registered(struct proposals *proposals, bool retired)
{
    const struct dicomnet_uid_info *info;
    for (size_t i = 0; (info = dicomnet_uid_at(i)) != NULL && proposals->syntax_count < SYNTAXES_MAX; i++)
        if (is_for_stores(info) && !is_common(info->uid) && ((info->flags & DICOMNET_UID_RETIRED) != 0) == retired)
            proposals->syntaxes[proposals->syntax_count++] = info->uid;
}

/* The common ones, then the others of the standard, retired ones last. */
static void list_syntaxes(struct proposals *proposals)
{
    for (size_t i = 0; i < COMMON_COUNT; i++)
        proposals->syntaxes[proposals->syntax_count++] = common_syntaxes[i];
    add_registered(proposals, false);
    add_registered(proposals, true);
}

/* ---- contexts ---- */

static struct dicomnet_association_proposal *add_proposal(struct proposals *proposals, const char *class_uid,
                                                          uint8_t roles)
{
    struct dicomnet_association_proposal *proposal = &proposals->array[proposals->count++];
    *proposal = (struct dicomnet_association_proposal){.abstract_syntax = class_uid, .roles = roles};
    return proposal;
}

static void add_syntaxes(const struct proposals *proposals, struct dicomnet_association_proposal *proposal,
                         size_t begin, size_t count)
{
    for (size_t i = begin; i < begin + count && i < proposals->syntax_count; i++)
        proposal->syntaxes[proposal->syntax_count++] = proposals->syntaxes[i];
}

/*
 * A class in at most so many contexts: one syntax in each as long as the others still fit behind it, so that the peer
 * can send an instance as it lies there. The only context has the plain syntaxes and no other: a peer might pick it.
 */
static void add_class(struct proposals *proposals, const char *class_uid, size_t contexts)
{
    size_t next = 0, left = contexts > 1 ? proposals->syntax_count : PLAIN_COUNT;
    for (; contexts > 0 && left > 0 && proposals->count < DICOMNET_PDU_CONTEXTS_MAX; contexts--) {
        size_t behind = (contexts - 1) * DICOMNET_ASSOCIATION_SYNTAXES_MAX; /* that still have a place */
        size_t count = left - 1 <= behind || (contexts > 1 && next < COMMON_COUNT) ? 1 : left - behind;
        if (count > DICOMNET_ASSOCIATION_SYNTAXES_MAX)
            count = DICOMNET_ASSOCIATION_SYNTAXES_MAX;
        add_syntaxes(proposals, add_proposal(proposals, class_uid, DICOMNET_ASSOCIATION_ROLE_PROVIDER), next, count);
        next += count;
        left -= count;
    }
}

static bool class_is_there(const struct proposals *proposals, const char *class_uid)
{
    for (size_t i = 0; i < proposals->count; i++)
        if (strcmp(proposals->array[i].abstract_syntax, class_uid) == 0)
            return true;
    return false;
}

/* Count the classes that are wanted or, given proposals, add each in so many contexts. */
static size_t walk_classes(const struct table *classes, struct proposals *proposals, size_t contexts)
{
    size_t count = 0;
    for (size_t i = 0; i < classes->chain_count; i++) {
        for (struct table_node *node = classes->chains[i]; node != NULL; node = node->next) {
            const struct inventory_class *class = (const struct inventory_class *)node; /* its first member */
            if (class->wanted > 0 && proposals != NULL)
                add_class(proposals, class->uid, contexts);
            count += class->wanted > 0;
        }
    }
    return count;
}

/*
 * The classes that are wanted share the room, so that few of them are offered in every syntax. If some are not known,
 * the common ones are offered too: all of them in the plain syntaxes and, when that brought nothing, a few in every
 * one.
 */
static void add_classes(const struct inventory *inventory, unsigned attempt, struct proposals *proposals)
{
    const struct table *classes = &inventory->classes;
    size_t count = walk_classes(classes, NULL, 0);
    bool unknown = inventory->unknown_class > 0 || inventory->unnamed > 0;
    size_t room = count > 0 ? CONTEXTS_MAX / count : 1;
    size_t contexts = room > 0 ? room : 1;
    list_syntaxes(proposals);
    if (unknown)
        contexts = attempt == 0 ? 1 : COMMON_COUNT;
    walk_classes(classes, proposals, contexts);
    /* Each try proposes other classes than the one before it, the commonest first. */
    size_t first = attempt > 1 ? (attempt - 1) * (CONTEXTS_MAX / COMMON_COUNT) : 0;
    for (size_t i = first; unknown && i < DICOMNET_UID_COMMON_STORAGE_COUNT; i++)
        if (!class_is_there(proposals, dicomnet_uid_common_storage[i]))
            add_class(proposals, dicomnet_uid_common_storage[i], contexts);
}

struct dicomnet_association_proposal *contexts_propose(enum dicomnet_query_model model,
                                                       enum dicomnet_query_service service,
                                                       const struct inventory *inventory, unsigned attempt,
                                                       size_t *ret_count)
{
    struct proposals proposals = {.array = calloc(DICOMNET_PDU_CONTEXTS_MAX, sizeof *proposals.array)};
    if (proposals.array == NULL)
        return NULL;
    struct dicomnet_association_proposal *proposal =
        add_proposal(&proposals, dicomnet_query_class_uid(model, service), 0);
    proposal->syntaxes[proposal->syntax_count++] = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN;
    proposal->syntaxes[proposal->syntax_count++] = DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN;
    if (service == DICOMNET_QUERY_GET)
        add_classes(inventory, attempt, &proposals);
    *ret_count = proposals.count;
    return proposals.array;
}
