/*
 * contexts - see contexts.h.
 *
 * A context has one transfer syntax in the end, so a class is proposed in many: each syntax of the standard in a
 * context of its own for two classes, the commonest so and the others several to a context for up to 15 (8 contexts are
 * enough for all), and a part of them for more, another part after each try that brought nothing.
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
    "1.2.840.10008.1.2.4.70",  /* JPEG Lossless SV1 */
    "1.2.840.10008.1.2.4.90",  /* JPEG 2000 Lossless */
    "1.2.840.10008.1.2.4.91",  /* JPEG 2000 */
    "1.2.840.10008.1.2.4.50",  /* JPEG Baseline */
    "1.2.840.10008.1.2.4.51",  /* JPEG Extended */
    "1.2.840.10008.1.2.4.57",  /* JPEG Lossless */
    "1.2.840.10008.1.2.4.80",  /* JPEG-LS Lossless */
    "1.2.840.10008.1.2.4.81",  /* JPEG-LS Near-lossless */
    "1.2.840.10008.1.2.5",     /* RLE Lossless */
    "1.2.840.10008.1.2.4.201", /* HTJ2K Lossless */
    "1.2.840.10008.1.2.4.202", /* HTJ2K Lossless, RPCL */
    "1.2.840.10008.1.2.4.203", /* HTJ2K */
    DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    "1.2.840.10008.1.2.4.100", /* MPEG-2 */
    "1.2.840.10008.1.2.4.102", /* MPEG-4 */
    "1.2.840.10008.1.2.4.103"  /* MPEG-4, Blu-ray */
};

enum { COMMON_COUNT = sizeof common_syntaxes / sizeof common_syntaxes[0], PLAIN_COUNT = 2 };

/* With this many contexts a class has each plain syntax in one of its own: there is room for all others still. */
enum { PLAIN_APART_MIN = 9 };

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

static struct dicomnet_association_proposal *add_proposal(struct proposals *proposals, const char *class_uid)
{
    struct dicomnet_association_proposal *proposal = &proposals->array[proposals->count++];
    *proposal = (struct dicomnet_association_proposal){.abstract_syntax = class_uid,
                                                       .roles = DICOMNET_ASSOCIATION_ROLE_PROVIDER};
    return proposal;
}

static void add_syntax(struct dicomnet_association_proposal *proposal, const char *uid)
{
    proposal->syntaxes[proposal->syntax_count++] = uid;
}

/* How many of the syntaxes that are not plain can have a context of their own, so that the others still fit behind. */
static size_t count_alone(size_t contexts, size_t syntaxes)
{
    enum { MAX = DICOMNET_ASSOCIATION_SYNTAXES_MAX };
    if (contexts >= syntaxes)
        return syntaxes;
    return contexts * MAX > syntaxes ? (contexts * MAX - syntaxes) / (MAX - 1) : 0;
}

/* Add the plain syntaxes, in that many contexts. */
static void add_plain(struct proposals *proposals, const char *class_uid, size_t contexts)
{
    struct dicomnet_association_proposal *proposal = NULL;
    for (size_t i = 0; i < PLAIN_COUNT && contexts > 0; i++) {
        if (i < contexts)
            proposal = add_proposal(proposals, class_uid);
        add_syntax(proposal, proposals->syntaxes[i]);
    }
}

/* The other syntaxes, as many as there is room for; each turn has other ones first. */
static void add_others(struct proposals *proposals, const char *class_uid, size_t contexts, unsigned turn)
{
    struct dicomnet_association_proposal *proposal = NULL;
    const char *const *others = &proposals->syntaxes[PLAIN_COUNT];
    size_t count = proposals->syntax_count - PLAIN_COUNT;
    size_t alone = count_alone(contexts, count);
    size_t offered = alone + (contexts - alone) * DICOMNET_ASSOCIATION_SYNTAXES_MAX;
    size_t first = turn * (alone > 0 ? alone : offered);
    for (size_t i = 0; i < offered && i < count; i++) {
        if (i <= alone || (i - alone) % DICOMNET_ASSOCIATION_SYNTAXES_MAX == 0)
            proposal = add_proposal(proposals, class_uid);
        add_syntax(proposal, others[(first + i) % count]);
    }
}

/*
 * Add a class, in at most that many contexts. The commonest syntaxes have one each, so that the peer can send an
 * instance as it lies there; of those that share one it picks one. Plain ones share none with others, as a peer might
 * pick them for what it has compressed.
 *
 * Plain ones come first, and last after a try that brought nothing: dcmqrscp sends what it has in the first context of
 * the class that it accepted, and fails what is compressed if that is a plain one. After more such tries other
 * syntaxes than before are the first of the others.
 */
static void add_class(struct proposals *proposals, const char *class_uid, size_t contexts, unsigned attempt)
{
    size_t room = DICOMNET_PDU_CONTEXTS_MAX - proposals->count;
    size_t own = contexts < room ? contexts : room;
    size_t plain = own >= PLAIN_APART_MIN ? PLAIN_COUNT : own > 0;
    if (attempt == 0)
        add_plain(proposals, class_uid, plain);
    add_others(proposals, class_uid, own - plain, attempt > 1 ? attempt - 1 : 0);
    if (attempt > 0)
        add_plain(proposals, class_uid, plain);
}

static bool class_is_there(const struct proposals *proposals, const char *class_uid)
{
    for (size_t i = 0; i < proposals->count; i++)
        if (strcmp(proposals->array[i].abstract_syntax, class_uid) == 0)
            return true;
    return false;
}

/* Count the classes that are wanted or, given proposals, add each in that many contexts. */
static size_t walk_classes(const struct table *classes, struct proposals *proposals, size_t contexts, unsigned attempt)
{
    size_t count = 0;
    for (size_t i = 0; i < classes->chain_count; i++) {
        for (struct table_node *node = classes->chains[i]; node != NULL; node = node->next) {
            const struct inventory_class *class = (const struct inventory_class *)node; /* its first member */
            if (class->wanted > 0 && proposals != NULL)
                add_class(proposals, class->uid, contexts, attempt);
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
    size_t count = walk_classes(classes, NULL, 0, 0);
    bool unknown = inventory->unknown_class > 0 || inventory->unnamed > 0;
    size_t room = count > 0 ? CONTEXTS_MAX / count : 1;
    size_t contexts = room > 0 ? room : 1;
    list_syntaxes(proposals);
    if (unknown)
        contexts = attempt == 0 ? 1 : COMMON_COUNT;
    walk_classes(classes, proposals, contexts, attempt);
    /* Each try proposes other classes than the one before it, the commonest first. */
    size_t first = attempt > 1 ? (attempt - 1) * (CONTEXTS_MAX / COMMON_COUNT) : 0;
    for (size_t i = first; unknown && i < DICOMNET_UID_COMMON_STORAGE_COUNT; i++)
        if (!class_is_there(proposals, dicomnet_uid_common_storage[i]))
            add_class(proposals, dicomnet_uid_common_storage[i], contexts, attempt > 0);
}

struct dicomnet_association_proposal *contexts_propose(enum dicomnet_query_model model,
                                                       enum dicomnet_query_service service,
                                                       const struct inventory *inventory, unsigned attempt,
                                                       size_t *ret_count)
{
    struct proposals proposals = {.array = calloc(DICOMNET_PDU_CONTEXTS_MAX, sizeof *proposals.array)};
    if (proposals.array == NULL)
        return NULL;
    struct dicomnet_association_proposal *proposal = add_proposal(&proposals, dicomnet_query_class_uid(model, service));
    proposal->roles = 0;
    proposal->syntaxes[proposal->syntax_count++] = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN;
    proposal->syntaxes[proposal->syntax_count++] = DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN;
    if (service == DICOMNET_QUERY_GET)
        add_classes(inventory, attempt, &proposals);
    *ret_count = proposals.count;
    return proposals.array;
}
