/*
 * uid - unique identifiers (PS3.5 chapter 9): their form, and what the standard's own ones mean.
 */
#ifndef DICOMNET_UID_H
#define DICOMNET_UID_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { DICOMNET_UID_LEN_MAX = 64, DICOMNET_UID_SIZE = DICOMNET_UID_LEN_MAX + 1 };

#define DICOMNET_UID_VERIFICATION                       "1.2.840.10008.1.1"
#define DICOMNET_UID_APPLICATION_CONTEXT                "1.2.840.10008.3.1.1.1"
#define DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN          "1.2.840.10008.1.2"
#define DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN          "1.2.840.10008.1.2.1"
#define DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN "1.2.840.10008.1.2.1.99"
#define DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN             "1.2.840.10008.1.2.2"
#define DICOMNET_UID_MEDIA_STORAGE_DIRECTORY            "1.2.840.10008.1.3.10"

#define DICOMNET_UID_PATIENT_ROOT_FIND       "1.2.840.10008.5.1.4.1.2.1.1"
#define DICOMNET_UID_PATIENT_ROOT_MOVE       "1.2.840.10008.5.1.4.1.2.1.2"
#define DICOMNET_UID_PATIENT_ROOT_GET        "1.2.840.10008.5.1.4.1.2.1.3"
#define DICOMNET_UID_STUDY_ROOT_FIND         "1.2.840.10008.5.1.4.1.2.2.1"
#define DICOMNET_UID_STUDY_ROOT_MOVE         "1.2.840.10008.5.1.4.1.2.2.2"
#define DICOMNET_UID_STUDY_ROOT_GET          "1.2.840.10008.5.1.4.1.2.2.3"
#define DICOMNET_UID_PATIENT_STUDY_ONLY_FIND "1.2.840.10008.5.1.4.1.2.3.1"
#define DICOMNET_UID_PATIENT_STUDY_ONLY_MOVE "1.2.840.10008.5.1.4.1.2.3.2"
#define DICOMNET_UID_PATIENT_STUDY_ONLY_GET  "1.2.840.10008.5.1.4.1.2.3.3"

/* This implementation's own names (PS3.7 D.3.3.2). The class UID is of the 2.25 form: no registration needed. */
#define DICOMNET_IMPLEMENTATION_CLASS_UID    "2.25.302043790172249692526321623266752743501"
#define DICOMNET_IMPLEMENTATION_VERSION_NAME "DICOMNET_1"

/*
 * True if the `len` characters are a UID by PS3.5 9.1: 1 to 64 of [0-9.], no empty component. A component with leading
 * zeros passes (it is wrong, and common).
 */
bool dicomnet_uid_is_well_formed(const char *uid, size_t len);

/* True if a component has a leading zero ("1.02.3"), which PS3.5 9.1 forbids. `uid` is well-formed. */
bool dicomnet_uid_has_leading_zero(const char *uid);

/* What kind of thing a UID of the standard names. */
enum dicomnet_uid_kind {
    DICOMNET_UID_KIND_SOP_CLASS,
    DICOMNET_UID_KIND_META_SOP_CLASS,
    DICOMNET_UID_KIND_TRANSFER_SYNTAX,
    DICOMNET_UID_KIND_OTHER
};

enum dicomnet_uid_flags {
    DICOMNET_UID_STORAGE = 1 << 0,        /* a composite storage SOP class (PS3.4 B.5) */
    DICOMNET_UID_QUERY_RETRIEVE = 1 << 1, /* a query/retrieve SOP class (PS3.4 C) */
    DICOMNET_UID_RETIRED = 1 << 2,
    DICOMNET_UID_ENCAPSULATED = 1 << 3, /* transfer syntax: pixel data in fragments (PS3.5 A.4) */
    DICOMNET_UID_LOSSY = 1 << 4,        /* transfer syntax: may be lossy */
    DICOMNET_UID_BIG_ENDIAN = 1 << 5,
    DICOMNET_UID_IMPLICIT_VR = 1 << 6,
    DICOMNET_UID_DEFLATED = 1 << 7
};

/* One row of the standard's registry (PS3.6 Annex A). All strings are static. */
struct dicomnet_uid_info {
    const char *uid;
    const char *keyword;
    const char *name;
    enum dicomnet_uid_kind kind;
    unsigned flags;
};

/* The row for a UID, or NULL if the standard does not list it. */
const struct dicomnet_uid_info *dicomnet_uid_find(const char *uid);

/* The row with this keyword or this name, whatever the case ("CTImageStorage", "CT Image Storage"), or NULL. */
const struct dicomnet_uid_info *dicomnet_uid_find_keyword(const char *keyword);
const struct dicomnet_uid_info *dicomnet_uid_find_name(const char *name);

/* All rows, in the order of their UIDs: index from 0; NULL beyond the last. */
const struct dicomnet_uid_info *dicomnet_uid_at(size_t index);

/*
 * The most used storage classes, the commonest first: as many as an association has presentation contexts. Who needs a
 * context for something else takes fewer of them.
 */
enum { DICOMNET_UID_COMMON_STORAGE_COUNT = 128 };
extern const char *const dicomnet_uid_common_storage[DICOMNET_UID_COMMON_STORAGE_COUNT];

/* The keyword of a UID of the standard ("CTImageStorage"), or the UID itself: for people. Never NULL. */
const char *dicomnet_uid_keyword(const char *uid);

/*
 * True if a provider that stores everything should take this abstract syntax for storage: a storage class of the
 * standard, or a private class (not below 1.2.840.10008).
 */
bool dicomnet_uid_is_storable(const char *uid);

#ifdef __cplusplus
}
#endif

#endif
