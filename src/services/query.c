/* query - what both sides of C-FIND, C-MOVE and C-GET speak of. See dicomnet/query_retrieve.h. */
#include <string.h>
#include <strings.h>

#include "dicomnet/query_retrieve.h"

static const char *const class_uids[][3] = {
    [QUERY_PATIENT_ROOT] = {UID_PATIENT_ROOT_FIND, UID_PATIENT_ROOT_MOVE, UID_PATIENT_ROOT_GET},
    [QUERY_STUDY_ROOT] = {UID_STUDY_ROOT_FIND, UID_STUDY_ROOT_MOVE, UID_STUDY_ROOT_GET},
    [QUERY_PATIENT_STUDY_ONLY] = {UID_PATIENT_STUDY_ONLY_FIND, UID_PATIENT_STUDY_ONLY_MOVE, UID_PATIENT_STUDY_ONLY_GET},
};

static const struct {
    const char *name;
    uint32_t key;
} levels[] = {
    [QUERY_LEVEL_PATIENT] = {"PATIENT", TAG_PATIENT_ID},
    [QUERY_LEVEL_STUDY] = {"STUDY", TAG_STUDY_INSTANCE_UID},
    [QUERY_LEVEL_SERIES] = {"SERIES", TAG_SERIES_INSTANCE_UID},
    [QUERY_LEVEL_IMAGE] = {"IMAGE", TAG_SOP_INSTANCE_UID},
};

const char *query_class_uid(enum query_model model, enum query_service service)
{
    return class_uids[model][service];
}

bool query_class_find(const char *class_uid, enum query_model *ret_model, enum query_service *ret_service)
{
    for (int model = QUERY_PATIENT_ROOT; model <= QUERY_PATIENT_STUDY_ONLY; model++)
        for (int service = QUERY_FIND; service <= QUERY_GET; service++)
            if (strcmp(class_uids[model][service], class_uid) == 0) {
                *ret_model = model;
                *ret_service = service;
                return true;
            }
    return false;
}

const char *query_level_name(enum query_level level)
{
    return levels[level].name;
}

uint32_t query_level_key(enum query_level level)
{
    return levels[level].key;
}

int query_level_of(const struct identifier *identifier)
{
    char text[17];
    if (!identifier_get_text(identifier, TAG_QUERY_RETRIEVE_LEVEL, text, sizeof text))
        return -1;
    for (int level = QUERY_LEVEL_PATIENT; level <= QUERY_LEVEL_IMAGE; level++)
        if (strcasecmp(levels[level].name, text) == 0)
            return level;
    return -1;
}

bool query_status_is_pending(uint16_t status)
{
    return status == STATUS_PENDING || status == STATUS_PENDING_WARNING;
}

const char *query_status_text(enum query_service service, uint16_t status)
{
    return status_query_text(status, service != QUERY_FIND, service == QUERY_MOVE);
}
