/*
 * listing - see listing.h.
 *
 * Steps wait in a list, and each match of one above the image level appends the step below it. A step that brings
 * nothing, fails, or at which the peer hangs up opens its part: what it holds will be asked for as a whole. Whatever a
 * peer lists again counts once, and is looked into once.
 */
#include "fetch/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/words.h"

/* Steps in a row at which the peer hung up, after which the other steps of their level are left out. */
enum { LOSSES_MAX = 3 };

#define NUMBER_OF_PATIENT_RELATED_INSTANCES 0x00201204u

/* ---- made and forgotten ---- */

void listing_init(struct listing *listing, struct run *run, struct inventory *inventory, struct arrivals *arrivals)
{
    *listing = (struct listing){.run = run, .inventory = inventory, .arrivals = arrivals};
    dicomnet_identifier_init(&listing->keys);
    listing->last_step = &listing->step;
}

static void forget_step(struct listing *listing)
{
    struct listing_step *step = listing->step;
    listing->step = step->next;
    if (listing->step == NULL)
        listing->last_step = &listing->step;
    free(step);
}

void listing_fini(struct listing *listing)
{
    while (listing->step != NULL)
        forget_step(listing);
    dicomnet_identifier_fini(&listing->keys);
}

static int add_step(struct listing *listing, enum dicomnet_query_level level, const struct inventory_place *place,
                    struct inventory_part *part)
{
    struct listing_step *step = calloc(1, sizeof *step);
    if (step == NULL)
        return -ENOMEM;
    step->level = level;
    step->part = part;
    step->place = *place;
    *listing->last_step = step;
    listing->last_step = &step->next;
    return 0;
}

/* ---- what the keys name ---- */

/* Value `number` (from 0) of a key. False if there is none that names an entity: it has a wildcard, or is too long. */
static bool take_named(const struct dicomnet_identifier *keys, uint32_t tag, size_t number, char ret_key[KEY_SIZE])
{
    struct dicomnet_element element;
    struct dicomnet_span value;
    if (!dicomnet_identifier_find(keys, tag, &element) || !dicomnet_element_get_value(&element, number, &value) ||
        value.len == 0 || value.len >= KEY_SIZE || memchr(value.data, '*', value.len) != NULL ||
        memchr(value.data, '?', value.len) != NULL)
        return false;
    memcpy(ret_key, value.data, value.len);
    ret_key[value.len] = '\0';
    return true;
}

/* The value of a key that has exactly one, which names an entity. False, and "", if it has not. */
static bool take_single(const struct dicomnet_identifier *keys, uint32_t tag, char ret_key[KEY_SIZE])
{
    char second[KEY_SIZE];
    if (take_named(keys, tag, 0, ret_key) && !take_named(keys, tag, 1, second))
        return true;
    ret_key[0] = '\0';
    return false;
}

bool retrieval_names_all(const struct retrieval_options *options)
{
    enum dicomnet_query_level first =
        options->model == DICOMNET_QUERY_STUDY_ROOT ? DICOMNET_QUERY_LEVEL_STUDY : DICOMNET_QUERY_LEVEL_PATIENT;
    char key[KEY_SIZE];
    for (enum dicomnet_query_level level = first; level < options->level; level++)
        if (!take_single(options->keys, dicomnet_query_level_key(level), key))
            return false;
    return take_named(options->keys, dicomnet_query_level_key(options->level), 0, key);
}

/* The place that the keys name. A key below the level is left out: peers do not look at it. */
static struct inventory_place place_of_keys(const struct listing *listing)
{
    const struct dicomnet_identifier *keys = listing->run->options->keys;
    enum dicomnet_query_level level = listing->run->options->level;
    struct inventory_place place = {0};
    take_single(keys, DICOMNET_TAG_PATIENT_ID, place.patient_id);
    if (level >= DICOMNET_QUERY_LEVEL_STUDY)
        take_single(keys, DICOMNET_TAG_STUDY_INSTANCE_UID, place.study_uid);
    if (level >= DICOMNET_QUERY_LEVEL_SERIES)
        take_single(keys, DICOMNET_TAG_SERIES_INSTANCE_UID, place.series_uid);
    return place;
}

static char *key_at(struct inventory_place *place, enum dicomnet_query_level level)
{
    return level == DICOMNET_QUERY_LEVEL_PATIENT ? place->patient_id
           : level == DICOMNET_QUERY_LEVEL_STUDY ? place->study_uid
                                                 : place->series_uid;
}

/* The target that is this entity: found, or new. NULL if out of memory. */
static struct inventory_part *find_or_add_target(struct listing *listing, enum dicomnet_query_level level,
                                                 const struct inventory_place *place, bool *ret_new)
{
    enum dicomnet_query_level part_level = level == DICOMNET_QUERY_LEVEL_IMAGE ? DICOMNET_QUERY_LEVEL_SERIES : level;
    struct inventory_part *part = inventory_find_part(listing->inventory, part_level, place);
    *ret_new = part == NULL;
    if (part != NULL)
        return part;
    struct inventory_target *target = inventory_add_target(listing->inventory, level);
    return target != NULL ? inventory_add_part(listing->inventory, target, NULL, part_level, place) : NULL;
}

static int add_instance(struct listing *listing, struct inventory_part *part, const char *uid, const char *class_uid)
{
    bool spoiled;
    if (inventory_find_instance(listing->inventory, uid) != NULL)
        return 0;
    enum inventory_state state = arrivals_look_for(listing->arrivals, uid, class_uid, &spoiled);
    struct inventory_instance *instance = inventory_add_instance(listing->inventory, part, uid, class_uid, state);
    if (instance == NULL)
        return -ENOMEM;
    instance->spoiled = spoiled;
    listing->inventory->counts.replaced += spoiled;
    listing->inventory->counts.matches += part->target->level == DICOMNET_QUERY_LEVEL_IMAGE;
    run_moved(listing->run);
    return 0;
}

/* Instances of one series, by their UIDs. */
static int add_named_instances(struct listing *listing, const struct inventory_place *place)
{
    bool new;
    struct inventory_part *part = find_or_add_target(listing, DICOMNET_QUERY_LEVEL_IMAGE, place, &new);
    char uid[DICOMNET_UID_SIZE];
    int error = part != NULL ? 0 : -ENOMEM;
    for (size_t i = 0; error == 0 && take_named(listing->run->options->keys, DICOMNET_TAG_SOP_INSTANCE_UID, i, uid);
         i++)
        error = add_instance(listing, part, uid, "");
    return error;
}

/* Nobody lists what there is: each entity that the keys name is asked for as a whole. */
static int add_named(struct listing *listing)
{
    enum dicomnet_query_level level = listing->run->options->level;
    struct inventory_place place = place_of_keys(listing);
    bool new;
    if (level == DICOMNET_QUERY_LEVEL_IMAGE)
        return add_named_instances(listing, &place);
    for (size_t i = 0;
         take_named(listing->run->options->keys, dicomnet_query_level_key(level), i, key_at(&place, level)); i++) {
        struct inventory_part *part = find_or_add_target(listing, level, &place, &new);
        if (part == NULL)
            return -ENOMEM;
        part->open = true;
        listing->inventory->counts.matches += new;
    }
    return 0;
}

bool listing_do_without(struct listing *listing, const char *why)
{
    if (listing->step == NULL || listing->step->part != NULL || !retrieval_names_all(listing->run->options))
        return false;
    LOG(&listing->run->logger, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
        LOG_TEXT("text", "it cannot be listed what there is; what the keys name is asked for as a whole"),
        LOG_TEXT("reason", why));
    listing->error = add_named(listing);
    run_set_study(listing->run, "");
    forget_step(listing);
    return true;
}

int listing_begin(struct listing *listing)
{
    const struct retrieval_options *options = listing->run->options;
    struct inventory_place place = place_of_keys(listing);
    return options->no_find ? add_named(listing) : add_step(listing, options->level, &place, NULL);
}

/* ---- asking ---- */

static uint32_t count_tag(enum dicomnet_query_level level)
{
    return level == DICOMNET_QUERY_LEVEL_PATIENT ? NUMBER_OF_PATIENT_RELATED_INSTANCES
           : level == DICOMNET_QUERY_LEVEL_STUDY ? DICOMNET_TAG_NUMBER_OF_STUDY_RELATED_INSTANCES
                                                 : DICOMNET_TAG_NUMBER_OF_SERIES_RELATED_INSTANCES;
}

/* What is to be told of the level: how many instances there are, or what they are. */
static int want_facts(struct dicomnet_identifier *keys, enum dicomnet_query_level level)
{
    uint32_t tag = level == DICOMNET_QUERY_LEVEL_IMAGE ? DICOMNET_TAG_SOP_CLASS_UID : count_tag(level);
    return dicomnet_identifier_find(keys, tag, NULL) ? 0 : dicomnet_identifier_set_text(keys, tag, "");
}

/* The keys of a step: of the first, those of the options; below, what it is within. */
static int fill_in_keys(struct listing *listing, const struct listing_step *step)
{
    struct dicomnet_identifier *keys = &listing->keys;
    int error;
    if (step->part == NULL) {
        error = dicomnet_identifier_copy(keys, listing->run->options->keys);
        return error != 0 ? error : want_facts(keys, step->level);
    }
    dicomnet_identifier_clear(keys);
    error =
        dicomnet_identifier_set_text(keys, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, dicomnet_query_level_name(step->level));
    if (error == 0 && listing->run->options->model == DICOMNET_QUERY_PATIENT_ROOT)
        error = dicomnet_identifier_set_text_as_it_is(keys, DICOMNET_TAG_PATIENT_ID, step->place.patient_id);
    if (error == 0)
        error = dicomnet_identifier_set_text_as_it_is(keys, DICOMNET_TAG_STUDY_INSTANCE_UID,
                                                      step->level > DICOMNET_QUERY_LEVEL_STUDY ? step->place.study_uid
                                                                                               : "");
    if (error == 0 && step->level >= DICOMNET_QUERY_LEVEL_SERIES)
        error = dicomnet_identifier_set_text_as_it_is(keys, DICOMNET_TAG_SERIES_INSTANCE_UID,
                                                      step->level > DICOMNET_QUERY_LEVEL_SERIES ? step->place.series_uid
                                                                                                : "");
    if (error == 0 && step->level == DICOMNET_QUERY_LEVEL_IMAGE)
        error = dicomnet_identifier_set_text(keys, DICOMNET_TAG_SOP_INSTANCE_UID, "");
    return error != 0 ? error : want_facts(keys, step->level);
}

int listing_next(struct listing *listing, struct dicomnet_query **ret_query)
{
    struct listing_step *step = listing->step;
    if (step == NULL)
        return 0;
    int error = fill_in_keys(listing, step);
    if (error != 0)
        return error;
    step->matches = 0;
    run_set_study(listing->run, step->place.study_uid);
    listing->query = (struct dicomnet_query){.service = DICOMNET_QUERY_FIND,
                                             .model = listing->run->options->model,
                                             .priority = listing->run->options->priority,
                                             .identifier = &listing->keys};
    LOG(&listing->run->logger, DICOMNET_LOG_DEBUG, EVENT_QUERY_STARTED, LOG_TEXT("service", "C-FIND"),
        LOG_TEXT("level", dicomnet_query_level_name(step->level)));
    run_moved(listing->run);
    *ret_query = &listing->query;
    return 1;
}

/* ---- matches ---- */

/*
 * The first value of an element; what the match does not say is as it was asked. False if there is none that can be
 * asked with: it is empty, too long, would be a wildcard, or is several, as no entity has.
 */
static bool take_key(const struct dicomnet_identifier *match, uint32_t tag, char key[KEY_SIZE])
{
    struct dicomnet_element element;
    struct dicomnet_span value;
    if (!dicomnet_identifier_find(match, tag, &element) || !dicomnet_element_get_value(&element, 0, &value) ||
        value.len == 0)
        return key[0] != '\0';
    if (dicomnet_element_value_count(&element) > 1 || value.len >= KEY_SIZE ||
        memchr(value.data, '*', value.len) != NULL || memchr(value.data, '?', value.len) != NULL) {
        key[0] = '\0';
        return false;
    }
    memcpy(key, value.data, value.len);
    key[value.len] = '\0';
    return true;
}

/* How many instances the peer says there are. False if it does not. */
static bool take_count(const struct dicomnet_identifier *match, enum dicomnet_query_level level, uint64_t *ret_count)
{
    char text[KEY_SIZE] = "", *end;
    if (!take_key(match, count_tag(level), text))
        return false;
    *ret_count = strtoull(text, &end, 10);
    return *end == '\0' && text[0] != '-' && text[0] != '+' && *ret_count <= INT32_MAX; /* an IS is no larger */
}

static struct inventory_place place_of_match(const struct listing *listing, const struct listing_step *step,
                                             const struct dicomnet_identifier *match, bool *ret_whole)
{
    struct inventory_place place = step->place;
    bool whole = true;
    if (listing->run->options->model == DICOMNET_QUERY_PATIENT_ROOT)
        whole = take_key(match, DICOMNET_TAG_PATIENT_ID, place.patient_id);
    if (step->level >= DICOMNET_QUERY_LEVEL_STUDY)
        whole = take_key(match, DICOMNET_TAG_STUDY_INSTANCE_UID, place.study_uid) && whole;
    if (step->level >= DICOMNET_QUERY_LEVEL_SERIES)
        whole = take_key(match, DICOMNET_TAG_SERIES_INSTANCE_UID, place.series_uid) && whole;
    *ret_whole = whole;
    return place;
}

/* A match that cannot be asked for: what it is in can, if it is within what is wanted. */
static int take_nameless(struct listing *listing, const struct listing_step *step, const struct inventory_place *place,
                         const struct dicomnet_identifier *match)
{
    struct inventory_part *part = step->part;
    uint64_t count = 1;
    bool new;
    LOG(&listing->run->logger, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
        LOG_TEXT("text", part != NULL ? "a match without a usable unique key of its level is left out: what it is in "
                                        "is asked for as a whole"
                                      : "a match without a usable unique key of its level is left out: it cannot be "
                                        "asked for"),
        LOG_TEXT("level", dicomnet_query_level_name(step->level)));
    if (part == NULL) {
        part = find_or_add_target(listing, step->level, place, &new);
        if (part == NULL)
            return -ENOMEM;
        part->out_of_reach = part->open = true;
        listing->inventory->counts.matches++;
    }
    if (step->level != DICOMNET_QUERY_LEVEL_IMAGE && (!take_count(match, step->level, &count) || count == 0))
        count = 1;
    part->nameless += count;
    return 0;
}

/* A match of the image level. Without a part of its own it belongs to its series. */
static int take_instance(struct listing *listing, const struct listing_step *step, const struct inventory_place *place,
                         const struct dicomnet_identifier *match)
{
    struct inventory_part *part = step->part;
    struct dicomnet_element element;
    char uid[DICOMNET_UID_SIZE], class_uid[DICOMNET_UID_SIZE] = "";
    bool new;
    if (!dicomnet_identifier_find(match, DICOMNET_TAG_SOP_INSTANCE_UID, &element) ||
        dicomnet_element_value_count(&element) == 0)
        return take_nameless(listing, step, place, match);
    if (!take_key(match, DICOMNET_TAG_SOP_CLASS_UID, class_uid) ||
        !dicomnet_uid_is_well_formed(class_uid, strlen(class_uid)))
        class_uid[0] = '\0';
    if (part == NULL)
        part = find_or_add_target(listing, DICOMNET_QUERY_LEVEL_IMAGE, place, &new);
    int error = part != NULL ? 0 : -ENOMEM;
    /* A match should name one instance; if it names several, all are wanted. */
    for (size_t i = 0; error == 0 && i < dicomnet_element_value_count(&element); i++)
        error = take_named(match, DICOMNET_TAG_SOP_INSTANCE_UID, i, uid) ? add_instance(listing, part, uid, class_uid)
                                                                         : take_nameless(listing, step, place, match);
    return error;
}

static int take_match(struct listing *listing, const struct dicomnet_identifier *match)
{
    const struct listing_step *step = listing->step;
    bool whole, new;
    struct inventory_place place = place_of_match(listing, step, match, &whole);
    if (!whole)
        return take_nameless(listing, step, &place, match);
    if (step->level == DICOMNET_QUERY_LEVEL_IMAGE)
        return take_instance(listing, step, &place, match);
    if (inventory_find_part(listing->inventory, step->level, &place) != NULL)
        return 0; /* some peers answer once for each instance */
    struct inventory_part *part = step->part == NULL ? find_or_add_target(listing, step->level, &place, &new)
                                                     : inventory_add_part(listing->inventory, step->part->target,
                                                                          step->part, step->level, &place);
    if (part == NULL)
        return -ENOMEM;
    listing->inventory->counts.matches += step->part == NULL;
    part->has_said = take_count(match, step->level, &part->said);
    run_moved(listing->run);
    return add_step(listing, (enum dicomnet_query_level)(step->level + 1), &place, part);
}

void listing_match(struct listing *listing, const struct dicomnet_identifier *match)
{
    uint64_t max = listing->run->options->max_matches;
    char text[160];
    listing->step->matches++;
    listing->inventory->taken++;
    if (max > 0 && listing->inventory->taken > max) {
        snprintf(text, sizeof text,
                 "the peer lists more than %llu matches: narrow the keys, or allow more with --max-matches",
                 (unsigned long long)max);
        run_give_up(listing->run, text);
        return;
    }
    int error = take_match(listing, match);
    if (error != 0)
        listing->error = error;
}

/* ---- how a step ended ---- */

static void open_part(struct listing *listing, struct inventory_part *part, const char *why)
{
    run_set_study(listing->run, part->place.study_uid);
    LOG(&listing->run->logger, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
        LOG_TEXT("text", "the peer does not list what is in it: it is asked for as a whole"),
        LOG_TEXT("level", dicomnet_query_level_name(part->level)), LOG_TEXT("series", part->place.series_uid),
        LOG_TEXT("reason", why));
    part->open = part->cut = true;
    run_set_study(listing->run, "");
}

/* The end of the first step: without its matches it is not known what is wanted at all. */
static void end_first(struct listing *listing)
{
    char text[256];
    if (listing->query.status == DICOMNET_STATUS_SUCCESS) {
        forget_step(listing);
        return;
    }
    words_describe_query(&listing->query, text, sizeof text);
    if (!listing_do_without(listing, text))
        run_give_up(listing->run, text);
}

void listing_ended(struct listing *listing)
{
    struct listing_step *step = listing->step;
    char text[256];
    listing->steps_ended++;
    listing->losses = 0;
    if (step->part == NULL) {
        end_first(listing);
    } else {
        bool failed = listing->query.status != DICOMNET_STATUS_SUCCESS;
        bool empty = step->matches == 0 && !(step->part->has_said && step->part->said == 0);
        words_describe_query(&listing->query, text, sizeof text);
        if (failed || empty)
            open_part(listing, step->part, failed ? text : "the list is empty");
        forget_step(listing);
    }
    if (listing->error != 0)
        run_give_up(listing->run, dicomnet_error_text(listing->error));
}

void listing_lost(struct listing *listing)
{
    struct listing_step *step = listing->step;
    unsigned tries = listing->run->options->retry > 0 ? 2 : 1;
    if (step == NULL || step->part == NULL || ++step->losses < tries)
        return;
    enum dicomnet_query_level level = step->level;
    bool all = ++listing->losses >= LOSSES_MAX;
    listing->steps_ended++;
    do {
        open_part(listing, listing->step->part, "the association ended at it");
        forget_step(listing);
    } while (all && listing->step != NULL && listing->step->level == level);
}
