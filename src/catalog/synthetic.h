/*
 * synthetic - valid instances made from numbers: for demos, tests and measuring without patient data.
 *
 * An instance is a function of (seed, study, number, class, size): the same numbers give the same bytes. Data sets are
 * Explicit VR Little Endian, complete enough for an archive and for dciodvfy (patient, study, series, equipment, SOP
 * common and image modules of CT, MR and Secondary Capture), with the pixel data as the last element and all the size
 * in it.
 */
#ifndef CATALOG_SYNTHETIC_H
#define CATALOG_SYNTHETIC_H

#include <stdbool.h>
#include <stdint.h>

#include "dicomnet/data_source.h"
#include "dicomnet/uid.h"

enum synthetic_class { SYNTHETIC_CT, SYNTHETIC_MR, SYNTHETIC_SC };

struct synthetic_options {
    uint64_t seed; /* the same seed gives the same UIDs; see synthetic_seed */
    enum synthetic_class sop_class;
    uint64_t size_bytes; /* of the data set, about: pixel data is rounded to whole rows. At least 2,048 */
};

/* One instance: its UIDs, and its data set as a source. The pixels are made while they are read. */
struct synthetic_instance {
    struct data_source source;
    char study_uid[UID_SIZE];
    char series_uid[UID_SIZE];
    char instance_uid[UID_SIZE];
    const char *class_uid;  /* static */
    const char *syntax_uid; /* static: Explicit VR Little Endian */
    uint64_t pixel_seed;
    uint32_t header_len; /* bytes in `header`: everything before the pixel data's value */
    uint8_t header[1536];
};

/* "4x50x512K:CT": so many studies, of so many instances, of that size. */
struct synthetic_spec {
    uint64_t studies;
    uint64_t instances;
    struct synthetic_options options; /* its seed is left alone */
};

/*
 * Read STUDIESxINSTANCESxSIZE[:CT|MR|SC]; SIZE in bytes, or with K, M or G behind it; CT if no class is named. False if
 * the text is not of that form, or a number is 0 or too large.
 */
bool synthetic_spec_parse(const char *text, struct synthetic_spec *ret_spec);

/* A seed no other run will have: from the clock, the pid and the system's random bytes. */
uint64_t synthetic_seed(void);

/* "CT", "MR" or "SC" (any case) to a class; -1 if it is none of these. */
int synthetic_class_find(const char *name);

/* Fill in instance `number` (from 0) of study `study` (from 0). Nothing is allocated. */
void synthetic_instance_init(struct synthetic_instance *instance, const struct synthetic_options *options,
                             uint64_t study, uint64_t number);

/* Write it as a Part 10 file (for demos and tests). Returns 0 or a negative errno. */
int synthetic_instance_write(struct synthetic_instance *instance, const char *path);

#endif
