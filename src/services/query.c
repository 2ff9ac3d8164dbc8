/* query - what both sides of C-FIND, C-MOVE and C-GET speak of. See dicomnet/query_retrieve.h. */
#include <string.h>
#include <strings.h>

#include "services/query.h"

static const char *const class_uids[][3] = {
    [DICOMNET_QUERY_PATIENT_ROOT] = {DICOMNET_UID_PATIENT_ROOT_FIND, DICOMNET_UID_PATIENT_ROOT_MOVE,
                                     DICOMNET_UID_PATIENT_ROOT_GET},
    [DICOMNET_QUERY_STUDY_ROOT] = {DICOMNET_UID_STUDY_ROOT_FIND, DICOMNET_UID_STUDY_ROOT_MOVE,
                                   DICOMNET_UID_STUDY_ROOT_GET},
    [DICOMNET_QUERY_PATIENT_STUDY_ONLY] = {DICOMNET_UID_PATIENT_STUDY_ONLY_FIND, DICOMNET_UID_PATIENT_STUDY_ONLY_MOVE,
                                           DICOMNET_UID_PATIENT_STUDY_ONLY_GET},
};

static const struct {
    const char *name;
    uint32_t key;
} levels[] = {
    [DICOMNET_QUERY_LEVEL_PATIENT] = {"PATIENT", DICOMNET_TAG_PATIENT_ID},
    [DICOMNET_QUERY_LEVEL_STUDY] = {"STUDY", DICOMNET_TAG_STUDY_INSTANCE_UID},
    [DICOMNET_QUERY_LEVEL_SERIES] = {"SERIES", DICOMNET_TAG_SERIES_INSTANCE_UID},
    [DICOMNET_QUERY_LEVEL_IMAGE] = {"IMAGE", DICOMNET_TAG_SOP_INSTANCE_UID},
};

bool query_class_exists(enum dicomnet_query_model model, enum dicomnet_query_service service)
{
    return (unsigned)model <= DICOMNET_QUERY_PATIENT_STUDY_ONLY && (unsigned)service <= DICOMNET_QUERY_GET;
}

const char *dicomnet_query_class_uid(enum dicomnet_query_model model, enum dicomnet_query_service service)
{
    return query_class_exists(model, service) ? class_uids[model][service] : "";
}

bool dicomnet_query_class_find(const char *class_uid, enum dicomnet_query_model *ret_model,
                               enum dicomnet_query_service *ret_service)
{
    for (int model = DICOMNET_QUERY_PATIENT_ROOT; model <= DICOMNET_QUERY_PATIENT_STUDY_ONLY; model++)
        for (int service = DICOMNET_QUERY_FIND; service <= DICOMNET_QUERY_GET; service++)
            if (strcmp(class_uids[model][service], class_uid) == 0) {
                *ret_model = model;
                *ret_service = service;
                return true;
            }
    return false;
}

const char *dicomnet_query_level_name(enum dicomnet_query_level level)
{
    return (unsigned)level <= DICOMNET_QUERY_LEVEL_IMAGE ? levels[level].name : "";
}

uint32_t dicomnet_query_level_key(enum dicomnet_query_level level)
{
    return (unsigned)level <= DICOMNET_QUERY_LEVEL_IMAGE ? levels[level].key : 0;
}

int dicomnet_query_level_of(const struct dicomnet_identifier *identifier)
{
    char text[17]; /* a CS: at most 16 characters */
    if (!dicomnet_identifier_get_text(identifier, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, text, sizeof text))
        return -1;
    for (int level = DICOMNET_QUERY_LEVEL_PATIENT; level <= DICOMNET_QUERY_LEVEL_IMAGE; level++)
        if (strcasecmp(levels[level].name, text) == 0)
            return level;
    return -1;
}

bool dicomnet_query_status_is_pending(uint16_t status)
{
    return status == DICOMNET_STATUS_PENDING || status == DICOMNET_STATUS_PENDING_WARNING;
}

const char *dicomnet_query_status_text(enum dicomnet_query_service service, uint16_t status)
{
    return dicomnet_status_query_text(status, service != DICOMNET_QUERY_FIND, service == DICOMNET_QUERY_MOVE);
}
