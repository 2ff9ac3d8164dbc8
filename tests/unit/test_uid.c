/* UIDs: their form, and what the registry says. That the registry is whole is checked by check_uid_table.py. */
#include <criterion/criterion.h>
#include <string.h>

#include "../support/exact.h"
#include "dicomnet/uid.h"

#define STORAGE_ROOT "1.2.840.10008.5.1.4.1.1"
#define DIGITS_60    "123456789012345678901234567890123456789012345678901234567890"

Test(uid, form)
{
    static const char *const good[] = {"1", "0", "1.2", "1.2.840.10008.1.1", "1.02.3", "2.25.0", DIGITS_60 ".123"};
    static const char *const bad[] = {"",     ".",    "1.",   ".1",    "1..2",  "1.2 ",
                                      " 1.2", "1,2",  "1.2a", "-1",    "1.2\n", DIGITS_60 ".1234",
                                      "1/2",  "../1", "\xb2", "1.2.:", "1.\xff"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_expect(dicomnet_uid_is_well_formed(good[i], strlen(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect(!dicomnet_uid_is_well_formed(bad[i], strlen(bad[i])), "%s", bad[i]);
    cr_assert(!dicomnet_uid_is_well_formed("1.2\0", 4), "a NUL is no character of a UID");
}

Test(uid, form_reads_no_further_than_the_length)
{
    char *copy = (char *)exact_copy("1.2.3", 5);
    for (size_t len = 0; len <= 5; len++)
        cr_assert_eq(dicomnet_uid_is_well_formed(copy, len), len % 2 == 1);
    free(copy);
}

Test(uid, leading_zeros)
{
    cr_assert(dicomnet_uid_has_leading_zero("1.02.3"));
    cr_assert(dicomnet_uid_has_leading_zero("01.2"));
    cr_assert(dicomnet_uid_has_leading_zero("1.2.00"));
    cr_assert(!dicomnet_uid_has_leading_zero("1.0.3"));
    cr_assert(!dicomnet_uid_has_leading_zero("1.2.0"));
    cr_assert(!dicomnet_uid_has_leading_zero("0.10.100"));
}

Test(uid, registry_knows_kinds_and_flags)
{
    static const struct {
        const char *uid;
        const char *keyword;
        enum dicomnet_uid_kind kind;
        unsigned flags;
    } rows[] = {
        {DICOMNET_UID_VERIFICATION, "Verification", DICOMNET_UID_KIND_SOP_CLASS, 0},
        {STORAGE_ROOT ".2", "CTImageStorage", DICOMNET_UID_KIND_SOP_CLASS, DICOMNET_UID_STORAGE},
        {STORAGE_ROOT ".6", "UltrasoundImageStorageRetired", DICOMNET_UID_KIND_SOP_CLASS,
         DICOMNET_UID_STORAGE | DICOMNET_UID_RETIRED},
        {"1.2.840.10008.5.1.4.1.2.2.1", "StudyRootQueryRetrieveInformationModelFind", DICOMNET_UID_KIND_SOP_CLASS,
         DICOMNET_UID_QUERY_RETRIEVE},
        {"1.2.840.10008.5.1.1.9", "BasicGrayscalePrintManagementMeta", DICOMNET_UID_KIND_META_SOP_CLASS, 0},
        {DICOMNET_UID_APPLICATION_CONTEXT, "DICOMApplicationContext", DICOMNET_UID_KIND_OTHER, 0},
        {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, "ImplicitVRLittleEndian", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_IMPLICIT_VR},
        {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, "ExplicitVRLittleEndian", DICOMNET_UID_KIND_TRANSFER_SYNTAX, 0},
        {DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN, "ExplicitVRBigEndian", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_BIG_ENDIAN | DICOMNET_UID_RETIRED},
        {DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "DeflatedExplicitVRLittleEndian",
         DICOMNET_UID_KIND_TRANSFER_SYNTAX, DICOMNET_UID_DEFLATED},
        {"1.2.840.10008.1.2.4.50", "JPEGBaseline8Bit", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_ENCAPSULATED | DICOMNET_UID_LOSSY},
        {"1.2.840.10008.1.2.4.70", "JPEGLosslessSV1", DICOMNET_UID_KIND_TRANSFER_SYNTAX, DICOMNET_UID_ENCAPSULATED},
        {"1.2.840.10008.1.2.4.81", "JPEGLSNearLossless", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_ENCAPSULATED | DICOMNET_UID_LOSSY},
        {"1.2.840.10008.1.2.4.90", "JPEG2000Lossless", DICOMNET_UID_KIND_TRANSFER_SYNTAX, DICOMNET_UID_ENCAPSULATED},
        {"1.2.840.10008.1.2.4.102", "MPEG4HP41", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_ENCAPSULATED | DICOMNET_UID_LOSSY},
        {"1.2.840.10008.1.2.5", "RLELossless", DICOMNET_UID_KIND_TRANSFER_SYNTAX, DICOMNET_UID_ENCAPSULATED},
        {"1.2.840.10008.1.2.4.102.1", "MPEG4HP41F", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_ENCAPSULATED | DICOMNET_UID_LOSSY},
        {"1.2.840.10008.1.2.4.108", "HEVCM10P51", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_ENCAPSULATED | DICOMNET_UID_LOSSY},
        {"1.2.840.10008.1.2.4.110", "JPEGXLLossless", DICOMNET_UID_KIND_TRANSFER_SYNTAX, DICOMNET_UID_ENCAPSULATED},
        {"1.2.840.10008.1.2.4.112", "JPEGXL", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_ENCAPSULATED | DICOMNET_UID_LOSSY},
        {"1.2.840.10008.1.2.4.201", "HTJ2KLossless", DICOMNET_UID_KIND_TRANSFER_SYNTAX, DICOMNET_UID_ENCAPSULATED},
        {"1.2.840.10008.1.2.4.203", "HTJ2K", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_ENCAPSULATED | DICOMNET_UID_LOSSY},
        {"1.2.840.10008.1.2.4.205", "JPIPHTJ2KReferencedDeflate", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_LOSSY | DICOMNET_UID_DEFLATED},
        {"1.2.840.10008.1.2.8.1", "DeflatedImageFrameCompression", DICOMNET_UID_KIND_TRANSFER_SYNTAX,
         DICOMNET_UID_ENCAPSULATED},
        {STORAGE_ROOT ".66.7", "LabelMapSegmentationStorage", DICOMNET_UID_KIND_SOP_CLASS, DICOMNET_UID_STORAGE},
        {STORAGE_ROOT ".201.1", "InventoryStorage", DICOMNET_UID_KIND_SOP_CLASS, DICOMNET_UID_STORAGE},
        {STORAGE_ROOT ".201.6", "RepositoryQuery", DICOMNET_UID_KIND_SOP_CLASS, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct dicomnet_uid_info *info = dicomnet_uid_find(rows[i].uid);
        cr_assert_not_null(info, "%s", rows[i].uid);
        cr_expect_str_eq(info->uid, rows[i].uid);
        cr_expect_str_eq(info->keyword, rows[i].keyword);
        cr_expect_eq(info->kind, rows[i].kind, "%s", rows[i].uid);
        cr_expect_eq(info->flags, rows[i].flags, "%s: %x", rows[i].uid, info->flags);
    }
    cr_assert_str_eq(dicomnet_uid_find(STORAGE_ROOT ".2")->name, "CT Image Storage");
}

Test(uid, what_is_not_in_the_registry_is_not_found)
{
    static const char *const unknown[] = {"",  "1", "1.2.840.10008", "1.2.840.10008.1.", "1.2.840.10008.1.11", "2.25.1",
                                          "9", "z", STORAGE_ROOT,    STORAGE_ROOT ".2 "};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        cr_expect_null(dicomnet_uid_find(unknown[i]), "%s", unknown[i]);
}

Test(uid, keywords_are_for_people)
{
    cr_assert_str_eq(dicomnet_uid_keyword(STORAGE_ROOT ".4"), "MRImageStorage");
    cr_assert_str_eq(dicomnet_uid_keyword("2.25.7"), "2.25.7");
    cr_assert_str_eq(dicomnet_uid_keyword(STORAGE_ROOT ".40"), STORAGE_ROOT ".40", "a retired row that has no name");
}

Test(uid, storable_classes)
{
    static const char *const storable[] = {
        STORAGE_ROOT ".2",           /* CT */
        STORAGE_ROOT ".6",           /* retired ultrasound */
        STORAGE_ROOT ".40",          /* retired, without a name */
        STORAGE_ROOT ".88.67",       /* dose report */
        STORAGE_ROOT ".104.1",       /* PDF */
        STORAGE_ROOT ".66",          /* raw data */
        STORAGE_ROOT ".999.7",       /* of an edition to come */
        "1.2.840.10008.5.1.4.38.1",  /* hanging protocol */
        "1.2.840.10008.5.1.4.34.7",  /* RT beams delivery instruction */
        "1.2.840.10008.5.1.1.29",    /* hardcopy grayscale, retired */
        "1.3.46.670589.11.0.0.12.1", /* private */
        "1.2.840.100081.1",          /* private, though it begins alike */
        "1.2.840.113619.4.27",       /* private */
    };
    static const char *const others[] = {
        "1.2.840.10008.1.3.10", /* DICOMDIR */
        DICOMNET_UID_VERIFICATION,
        "1.2.840.10008.1.20.1",                 /* storage commitment */
        "1.2.840.10008.1.20.1.1",               /* its instance */
        "1.2.840.10008.5.1.4.1.2.1.1",          /* patient root FIND */
        "1.2.840.10008.5.1.4.1.2.2.2",          /* study root MOVE */
        "1.2.840.10008.5.1.4.1.2.9.9",          /* query/retrieve of an edition to come */
        "1.2.840.10008.5.1.4.31",               /* modality worklist */
        STORAGE_ROOT ".200.4",                  /* protocol approval FIND: below the root, and not storage */
        "1.2.840.10008.5.1.4.38.2",             /* hanging protocol FIND */
        "1.2.840.10008.5.1.1.1",                /* film session */
        "1.2.840.10008.5.1.1.9",                /* print management */
        "1.2.840.10008.3.1.2.3.3",              /* performed procedure step */
        DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, /* no class at all */
        DICOMNET_UID_APPLICATION_CONTEXT,
        "1.2.840.10008.4.2", /* the storage service class */
        "1.2.840.10008",
        STORAGE_ROOT,
        STORAGE_ROOT ".",
        STORAGE_ROOT "2.1",
        "",
        "abc",
        "1.3..4",
    };
    for (size_t i = 0; i < sizeof storable / sizeof storable[0]; i++)
        cr_expect(dicomnet_uid_is_storable(storable[i]), "%s", storable[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_expect(!dicomnet_uid_is_storable(others[i]), "%s", others[i]);
}

Test(uid, our_own_name_is_a_uid)
{
    cr_assert(
        dicomnet_uid_is_well_formed(DICOMNET_IMPLEMENTATION_CLASS_UID, strlen(DICOMNET_IMPLEMENTATION_CLASS_UID)));
    cr_assert(!dicomnet_uid_has_leading_zero(DICOMNET_IMPLEMENTATION_CLASS_UID));
    cr_assert_leq(strlen(DICOMNET_IMPLEMENTATION_VERSION_NAME), 16);
}

Test(uid, every_row_is_found_by_uid_keyword_and_name)
{
    size_t count = 0;
    for (const struct dicomnet_uid_info *info; (info = dicomnet_uid_at(count)) != NULL; count++) {
        cr_assert_eq(dicomnet_uid_find(info->uid), info);
        if (info->keyword[0] != '\0')
            cr_assert_eq(dicomnet_uid_find_keyword(info->keyword), info, "%s", info->keyword);
        if (info->name[0] != '\0')
            cr_assert_str_eq(dicomnet_uid_find_name(info->name)->name, info->name); /* two retired ones share a name */
    }
    cr_assert_gt(count, 400);
    cr_assert_str_eq(dicomnet_uid_find_keyword("ctimagestorage")->uid, STORAGE_ROOT ".2");
    cr_assert_str_eq(dicomnet_uid_find_name("ct image storage")->uid, STORAGE_ROOT ".2");
    cr_assert_null(dicomnet_uid_find_keyword(""));
    cr_assert_null(dicomnet_uid_find_keyword("CTImage"));
    cr_assert_null(dicomnet_uid_find_name("CT"));
}

Test(uid, the_common_storage_classes)
{
    cr_assert_str_eq(dicomnet_uid_common_storage[0], STORAGE_ROOT ".2");
    for (size_t i = 0; i < DICOMNET_UID_COMMON_STORAGE_COUNT; i++) {
        const struct dicomnet_uid_info *info = dicomnet_uid_find(dicomnet_uid_common_storage[i]);
        cr_assert(info != NULL && (info->flags & DICOMNET_UID_STORAGE) != 0, "%s", dicomnet_uid_common_storage[i]);
        for (size_t k = 0; k < i; k++)
            cr_assert_str_neq(dicomnet_uid_common_storage[i], dicomnet_uid_common_storage[k]);
    }
}
