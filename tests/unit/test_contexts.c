/* contexts: what a C-GET proposes for the classes that are wanted. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/uid.h"
#include "fetch/contexts.h"

#define IMPLICIT DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN
#define EXPLICIT DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN

static struct dicomnet_association_proposal *proposals;
static size_t proposal_count;
static struct inventory inventory; /* its classes are those of the proposals */

static void forget(void)
{
    if (proposals != NULL)
        inventory_fini(&inventory);
    free(proposals);
    proposals = NULL;
}

/* Propose for so many classes, 1.9.0 and so on, after so many tries that brought nothing. */
static void propose(unsigned class_count, unsigned attempt)
{
    struct inventory_place place = {.study_uid = "1.2"};
    forget();
    inventory_init(&inventory);
    struct inventory_target *target = inventory_add_target(&inventory, DICOMNET_QUERY_LEVEL_STUDY);
    struct inventory_part *study = inventory_add_part(&inventory, target, NULL, DICOMNET_QUERY_LEVEL_STUDY, &place);
    cr_assert_not_null(study);
    for (unsigned i = 0; i < class_count; i++) {
        char instance_uid[32], class_uid[32];
        snprintf(instance_uid, sizeof instance_uid, "1.2.3.%u", i);
        snprintf(class_uid, sizeof class_uid, "1.9.%u", i);
        cr_assert_not_null(inventory_add_instance(&inventory, study, instance_uid, class_uid, INSTANCE_WANTED));
    }
    proposals = contexts_propose(DICOMNET_QUERY_STUDY_ROOT, DICOMNET_QUERY_GET, &inventory, attempt, &proposal_count);
    cr_assert_not_null(proposals);
    cr_assert_leq(proposal_count, DICOMNET_PDU_CONTEXTS_MAX);
}

/* In how many contexts is this class offered in this syntax; and in how many of these in no other one? */
static unsigned count_offers(const char *class_uid, const char *syntax_uid, unsigned *ret_alone)
{
    unsigned count = 0;
    *ret_alone = 0;
    for (size_t i = 1; i < proposal_count; i++) {
        const struct dicomnet_association_proposal *proposal = &proposals[i];
        cr_assert(proposal->syntax_count >= 1 && proposal->syntax_count <= DICOMNET_ASSOCIATION_SYNTAXES_MAX);
        for (size_t j = 0; strcmp(proposal->abstract_syntax, class_uid) == 0 && j < proposal->syntax_count; j++) {
            bool is_it = strcmp(proposal->syntaxes[j], syntax_uid) == 0;
            count += is_it;
            *ret_alone += is_it && proposal->syntax_count == 1;
        }
    }
    return count;
}

/* All of PS3.6 that a data set of a C-STORE can have. */
static bool is_for_stores(const struct dicomnet_uid_info *info)
{
    return info->kind == DICOMNET_UID_KIND_TRANSFER_SYNTAX && strncmp(info->uid, "1.2.840.10008.1.2.6", 19) != 0 &&
           strncmp(info->uid, "1.2.840.10008.1.2.7", 19) != 0;
}

Test(contexts, every_transfer_syntax_for_each_of_up_to_fifteen_classes)
{
    for (unsigned classes = 1; classes <= 15; classes++) {
        propose(classes, 0);
        for (unsigned i = 0; i < classes; i++) {
            char class_uid[32];
            unsigned alone, total = 0;
            const struct dicomnet_uid_info *info;
            snprintf(class_uid, sizeof class_uid, "1.9.%u", i);
            for (size_t j = 0; (info = dicomnet_uid_at(j)) != NULL; j++) {
                if (!is_for_stores(info))
                    continue;
                total++;
                cr_assert_eq(count_offers(class_uid, info->uid, &alone), 1, "%s of %u", info->keyword, classes);
                cr_assert(alone == 1 || classes > 2, "%s of %u", info->keyword, classes);
            }
            cr_assert_gt(total, 50);
        }
    }
    forget();
}

/* A peer might pick it for what it has compressed. */
Test(contexts, plain_syntaxes_share_no_context_with_others)
{
    for (unsigned classes = 1; classes <= 130; classes++) {
        for (unsigned attempt = 0; attempt < 3; attempt++) {
            propose(classes, attempt);
            for (size_t i = 1; i < proposal_count; i++) {
                size_t plain = 0;
                for (size_t j = 0; j < proposals[i].syntax_count; j++)
                    plain += strcmp(proposals[i].syntaxes[j], IMPLICIT) == 0 ||
                             strcmp(proposals[i].syntaxes[j], EXPLICIT) == 0;
                cr_assert(plain == 0 || plain == proposals[i].syntax_count, "%u classes", classes);
            }
        }
    }
    forget();
}

/* Nobody goes without: 127 classes have a context each, in the plain syntaxes. */
Test(contexts, plain_syntaxes_for_each_class)
{
    unsigned alone;
    for (unsigned classes = 1; classes <= 127; classes += 7) {
        propose(classes, 0);
        for (unsigned i = 0; i < classes; i++) {
            char class_uid[32];
            snprintf(class_uid, sizeof class_uid, "1.9.%u", i);
            cr_assert_eq(count_offers(class_uid, IMPLICIT, &alone), 1, "%u classes", classes);
            cr_assert_eq(count_offers(class_uid, EXPLICIT, &alone), 1, "%u classes", classes);
        }
    }
    forget();
}

/* What shared a context with others, or had none, gets its turn when a try has brought nothing. */
Test(contexts, other_syntaxes_come_first_after_each_fruitless_try)
{
    static const char *const common[] = {"1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.50",
                                         "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.5",    "1.2.840.10008.1.2.4.201"};
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        unsigned alone = 0, tries = 0;
        for (; alone == 0 && tries < 4; tries++) {
            propose(8, tries);
            count_offers("1.9.0", common[i], &alone);
        }
        cr_assert_eq(alone, 1, "%s", common[i]);
    }
    /* More classes than can have all: each syntax is offered in one of the tries. */
    const struct dicomnet_uid_info *info;
    for (size_t j = 0; (info = dicomnet_uid_at(j)) != NULL; j++) {
        unsigned alone, offers = 0;
        for (unsigned attempt = 0; is_for_stores(info) && attempt < 4; attempt++) {
            propose(25, attempt);
            offers += count_offers("1.9.24", info->uid, &alone);
        }
        cr_assert(offers > 0 || !is_for_stores(info), "%s", info->keyword);
    }
    forget();
}
