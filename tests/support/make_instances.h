/*
 * make_instances - instances without files, for tests of what is planned and grouped.
 */
#ifndef SUPPORT_MAKE_INSTANCES_H
#define SUPPORT_MAKE_INSTANCES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dicomnet/uid.h"
#include "instance/instance.h"

#define MADE_CLASS "1.2.840.10008.5.1.4.1.1.2"

/* Instance `number` of a study, `bytes` long, of class MADE_CLASS or below it ("MADE_CLASS.kind"). NULL: no memory. */
static inline struct instance *make_instance(const char *study_uid, unsigned number, uint64_t bytes, unsigned kind)
{
    char instance_uid[DICOMNET_UID_SIZE], class_uid[DICOMNET_UID_SIZE], path[64];
    snprintf(instance_uid, sizeof instance_uid, "%.40s.%u", study_uid, number);
    snprintf(path, sizeof path, "/made/%.40s/%u", study_uid, number);
    if (kind == 0)
        snprintf(class_uid, sizeof class_uid, "%s", MADE_CLASS);
    else
        snprintf(class_uid, sizeof class_uid, "%s.%u", MADE_CLASS, kind);
    const struct file_facts facts = {.path = path,
                                     .data_len = bytes,
                                     .study_uid = study_uid,
                                     .instance_uid = instance_uid,
                                     .class_uid = class_uid,
                                     .syntax_uid = DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN};
    return instance_create(&facts);
}

#endif
