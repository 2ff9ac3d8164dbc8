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
        cr_expect(uid_is_well_formed(good[i], strlen(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect(!uid_is_well_formed(bad[i], strlen(bad[i])), "%s", bad[i]);
    cr_assert(!uid_is_well_formed("1.2\0", 4), "a NUL is no character of a UID");
}

Test(uid, form_reads_no_further_than_the_length)
{
    char *copy = (char *)exact_copy("1.2.3", 5);
    for (size_t len = 0; len <= 5; len++)
        cr_assert_eq(uid_is_well_formed(copy, len), len % 2 == 1);
    free(copy);
}

Test(uid, leading_zeros)
{
    cr_assert(uid_has_leading_zero("1.02.3"));
    cr_assert(uid_has_leading_zero("01.2"));
    cr_assert(uid_has_leading_zero("1.2.00"));
    cr_assert(!uid_has_leading_zero("1.0.3"));
    cr_assert(!uid_has_leading_zero("1.2.0"));
    cr_assert(!uid_has_leading_zero("0.10.100"));
}

Test(uid, registry_knows_kinds_and_flags)
{
    static const struct {
        const char *uid;
        const char *keyword;
        enum uid_kind kind;
        unsigned flags;
    } rows[] = {
        {UID_VERIFICATION, "Verification", UID_KIND_SOP_CLASS, 0},
        {STORAGE_ROOT ".2", "CTImageStorage", UID_KIND_SOP_CLASS, UID_STORAGE},
        {STORAGE_ROOT ".6", "UltrasoundImageStorageRetired", UID_KIND_SOP_CLASS, UID_STORAGE | UID_RETIRED},
        {"1.2.840.10008.5.1.4.1.2.2.1", "StudyRootQueryRetrieveInformationModelFind", UID_KIND_SOP_CLASS,
         UID_QUERY_RETRIEVE},
        {"1.2.840.10008.5.1.1.9", "BasicGrayscalePrintManagementMeta", UID_KIND_META_SOP_CLASS, 0},
        {UID_APPLICATION_CONTEXT, "DICOMApplicationContext", UID_KIND_OTHER, 0},
        {UID_IMPLICIT_VR_LITTLE_ENDIAN, "ImplicitVRLittleEndian", UID_KIND_TRANSFER_SYNTAX, UID_IMPLICIT_VR},
        {UID_EXPLICIT_VR_LITTLE_ENDIAN, "ExplicitVRLittleEndian", UID_KIND_TRANSFER_SYNTAX, 0},
        {UID_EXPLICIT_VR_BIG_ENDIAN, "ExplicitVRBigEndian", UID_KIND_TRANSFER_SYNTAX, UID_BIG_ENDIAN | UID_RETIRED},
        {UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "DeflatedExplicitVRLittleEndian", UID_KIND_TRANSFER_SYNTAX,
         UID_DEFLATED},
        {"1.2.840.10008.1.2.4.50", "JPEGBaseline8Bit", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED | UID_LOSSY},
        {"1.2.840.10008.1.2.4.70", "JPEGLosslessSV1", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED},
        {"1.2.840.10008.1.2.4.81", "JPEGLSNearLossless", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED | UID_LOSSY},
        {"1.2.840.10008.1.2.4.90", "JPEG2000Lossless", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED},
        {"1.2.840.10008.1.2.4.102", "MPEG4HP41", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED | UID_LOSSY},
        {"1.2.840.10008.1.2.5", "RLELossless", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED},
        {"1.2.840.10008.1.2.4.102.1", "MPEG4HP41F", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED | UID_LOSSY},
        {"1.2.840.10008.1.2.4.108", "HEVCM10P51", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED | UID_LOSSY},
        {"1.2.840.10008.1.2.4.110", "JPEGXLLossless", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED},
        {"1.2.840.10008.1.2.4.112", "JPEGXL", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED | UID_LOSSY},
        {"1.2.840.10008.1.2.4.201", "HTJ2KLossless", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED},
        {"1.2.840.10008.1.2.4.203", "HTJ2K", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED | UID_LOSSY},
        {"1.2.840.10008.1.2.4.205", "JPIPHTJ2KReferencedDeflate", UID_KIND_TRANSFER_SYNTAX, UID_LOSSY | UID_DEFLATED},
        {"1.2.840.10008.1.2.8.1", "DeflatedImageFrameCompression", UID_KIND_TRANSFER_SYNTAX, UID_ENCAPSULATED},
        {STORAGE_ROOT ".66.7", "LabelMapSegmentationStorage", UID_KIND_SOP_CLASS, UID_STORAGE},
        {STORAGE_ROOT ".201.1", "InventoryStorage", UID_KIND_SOP_CLASS, UID_STORAGE},
        {STORAGE_ROOT ".201.6", "RepositoryQuery", UID_KIND_SOP_CLASS, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct uid_info *info = uid_find(rows[i].uid);
        cr_assert_not_null(info, "%s", rows[i].uid);
        cr_expect_str_eq(info->uid, rows[i].uid);
        cr_expect_str_eq(info->keyword, rows[i].keyword);
        cr_expect_eq(info->kind, rows[i].kind, "%s", rows[i].uid);
        cr_expect_eq(info->flags, rows[i].flags, "%s: %x", rows[i].uid, info->flags);
    }
    cr_assert_str_eq(uid_find(STORAGE_ROOT ".2")->name, "CT Image Storage");
}

Test(uid, what_is_not_in_the_registry_is_not_found)
{
    static const char *const unknown[] = {"",  "1", "1.2.840.10008", "1.2.840.10008.1.", "1.2.840.10008.1.11", "2.25.1",
                                          "9", "z", STORAGE_ROOT,    STORAGE_ROOT ".2 "};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        cr_expect_null(uid_find(unknown[i]), "%s", unknown[i]);
}

Test(uid, keywords_are_for_people)
{
    cr_assert_str_eq(uid_keyword(STORAGE_ROOT ".4"), "MRImageStorage");
    cr_assert_str_eq(uid_keyword("2.25.7"), "2.25.7");
    cr_assert_str_eq(uid_keyword(STORAGE_ROOT ".40"), STORAGE_ROOT ".40", "a retired row that has no name");
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
        UID_VERIFICATION,
        "1.2.840.10008.1.20.1",        /* storage commitment */
        "1.2.840.10008.1.20.1.1",      /* its instance */
        "1.2.840.10008.5.1.4.1.2.1.1", /* patient root FIND */
        "1.2.840.10008.5.1.4.1.2.2.2", /* study root MOVE */
        "1.2.840.10008.5.1.4.1.2.9.9", /* query/retrieve of an edition to come */
        "1.2.840.10008.5.1.4.31",      /* modality worklist */
        STORAGE_ROOT ".200.4",         /* protocol approval FIND: below the root, and not storage */
        "1.2.840.10008.5.1.4.38.2",    /* hanging protocol FIND */
        "1.2.840.10008.5.1.1.1",       /* film session */
        "1.2.840.10008.5.1.1.9",       /* print management */
        "1.2.840.10008.3.1.2.3.3",     /* performed procedure step */
        UID_EXPLICIT_VR_LITTLE_ENDIAN, /* no class at all */
        UID_APPLICATION_CONTEXT,
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
        cr_expect(uid_is_storable(storable[i]), "%s", storable[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_expect(!uid_is_storable(others[i]), "%s", others[i]);
}

Test(uid, our_own_name_is_a_uid)
{
    cr_assert(uid_is_well_formed(IMPLEMENTATION_CLASS_UID, strlen(IMPLEMENTATION_CLASS_UID)));
    cr_assert(!uid_has_leading_zero(IMPLEMENTATION_CLASS_UID));
    cr_assert_leq(strlen(IMPLEMENTATION_VERSION_NAME), 16);
}

Test(uid, every_row_is_found_by_uid_keyword_and_name)
{
    size_t count = 0;
    for (const struct uid_info *info; (info = uid_at(count)) != NULL; count++) {
        cr_assert_eq(uid_find(info->uid), info);
        if (info->keyword[0] != '\0')
            cr_assert_eq(uid_find_keyword(info->keyword), info, "%s", info->keyword);
        if (info->name[0] != '\0')
            cr_assert_str_eq(uid_find_name(info->name)->name, info->name); /* two retired ones share a name */
    }
    cr_assert_gt(count, 400);
    cr_assert_str_eq(uid_find_keyword("ctimagestorage")->uid, STORAGE_ROOT ".2");
    cr_assert_str_eq(uid_find_name("ct image storage")->uid, STORAGE_ROOT ".2");
    cr_assert_null(uid_find_keyword(""));
    cr_assert_null(uid_find_keyword("CTImage"));
    cr_assert_null(uid_find_name("CT"));
}

Test(uid, the_common_storage_classes)
{
    cr_assert_str_eq(uid_common_storage[0], STORAGE_ROOT ".2");
    for (size_t i = 0; i < UID_COMMON_STORAGE_COUNT; i++) {
        const struct uid_info *info = uid_find(uid_common_storage[i]);
        cr_assert(info != NULL && (info->flags & UID_STORAGE) != 0, "%s", uid_common_storage[i]);
        for (size_t k = 0; k < i; k++)
            cr_assert_str_neq(uid_common_storage[i], uid_common_storage[k]);
    }
}
