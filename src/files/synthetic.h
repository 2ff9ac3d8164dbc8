/*
 * synthetic - valid instances made from numbers: for demos, tests and measuring without patient data.
 *
 * An instance is a function of (seed, study, number, class, size): the same numbers give the same bytes. Data sets are
 * Explicit VR Little Endian, complete enough for an archive and for dciodvfy (patient, study, series, equipment, SOP
 * common and image modules of CT, MR and Secondary Capture), with the pixel data as the last element and all the size
 * in it.
 */
#ifndef FILES_SYNTHETIC_H
#define FILES_SYNTHETIC_H

#include <stdbool.h>
#include <stdint.h>

#include "dicomnet/data_source.h"
#include "dicomnet/error.h"
#include "dicomnet/uid.h"

enum synthetic_class { SYNTHETIC_CT, SYNTHETIC_MR, SYNTHETIC_SC };

struct synthetic_options {
    uint64_t seed; /* the same seed gives the same UIDs; see synthetic_seed */
    enum synthetic_class sop_class;
    uint64_t size_bytes; /* of the data set, about: pixel data is rounded to whole rows. At least 2,048 */
    uint64_t series;     /* of the study, from 0 */
    const struct synthetic_story *story; /* whom it is of, and what; NULL: always the same. Borrowed for the call */
};

/* What tells one study from another when an archive is searched. */
struct synthetic_story {
    char patient_name[32], patient_id[16], birth_date[9];
    char sex;
    char study_date[9], study_time[7];
    char accession[16], study_id[16], study_description[32], series_description[32], referring[32];
    const char *body_part; /* static */
};

/* One instance: its UIDs, and its data set as a source. The pixels are made while they are read. */
struct synthetic_instance {
    struct dicomnet_data_source source;
    char study_uid[DICOMNET_UID_SIZE];
    char series_uid[DICOMNET_UID_SIZE];
    char instance_uid[DICOMNET_UID_SIZE];
    const char *class_uid;  /* static */
    const char *syntax_uid; /* static: Explicit VR Little Endian */
    uint64_t pixel_seed;
    uint32_t header_len; /* bytes in `header`: everything before the pixel data's value */
    uint8_t header[2048];
};

/* "4x50x512K:CT": 4 studies of 50 instances, each of 512 KiB, of class CT. */
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

/* How many studies, how many series in each, and how many instances in each of these. */
struct synthetic_population {
    uint64_t studies, series, instances;
    uint64_t size_bytes; /* of an instance, about */
};

enum { SYNTHETIC_POPULATION_MAX = 10000000 /* instances */, SYNTHETIC_SIZE_DEFAULT = 64 * 1024 };

/* Read STUDIESxSERIESxINSTANCES[:SIZE]; false if it is not of that form or makes too many. */
bool synthetic_population_parse(const char *text, struct synthetic_population *ret_population);

/* A seed no other run will have: from the clock, the pid and the system's random bytes. */
uint64_t synthetic_seed(void);

/*
 * Make up the story of a series of a study (both from 0): people with one to two studies each, in the years 2015 to
 * 2024. The same numbers give the same story. Returns the class that its images have.
 */
enum synthetic_class synthetic_story_make(uint64_t seed, uint64_t study, uint64_t series,
                                          struct synthetic_story *ret_story);

/* "CT", "MR" or "SC" (any case) to a class; -1 if it is none of these. */
int synthetic_class_find(const char *name);

/* Fill in instance `number` (from 0) of study `study` (from 0). Nothing is allocated. */
void synthetic_instance_init(struct synthetic_instance *instance, const struct synthetic_options *options,
                             uint64_t study, uint64_t number);

/* Write it as a Part 10 file into an open, empty file. Returns 0 or a negative errno. */
int synthetic_instance_write(struct synthetic_instance *instance, int fd) DICOMNET_MUST_CHECK;

#endif
