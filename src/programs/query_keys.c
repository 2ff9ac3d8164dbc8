/* query_keys - see query_keys.h. */
#include "programs/query_keys.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/uid.h"
#include "programs/option_groups.h"

enum {
    META_BEGIN = 132,      /* of a DICOM file: behind the preamble and "DICM" */
    META_LENGTH_SIZE = 12, /* of the first element of its meta header, whose value is the length of the others */
    TAG_TRANSFER_SYNTAX_UID = 0x00020010
};
enum { NEAREST_COUNT = 3, NAME_MAX_LEN = 64, LAST_GROUP_WITHOUT_QUERIES = 0x0003 };

/* ---- what there is to know about a level ---- */

static const uint32_t patient_tags[] = {DICOMNET_TAG_PATIENT_NAME, DICOMNET_TAG_PATIENT_ID,
                                        DICOMNET_TAG_PATIENT_BIRTH_DATE, DICOMNET_TAG_PATIENT_SEX, 0};
static const uint32_t study_tags[] = {DICOMNET_TAG_STUDY_DATE,
                                      DICOMNET_TAG_STUDY_TIME,
                                      DICOMNET_TAG_PATIENT_NAME,
                                      DICOMNET_TAG_PATIENT_ID,
                                      DICOMNET_TAG_ACCESSION_NUMBER,
                                      DICOMNET_TAG_MODALITIES_IN_STUDY,
                                      DICOMNET_TAG_STUDY_DESCRIPTION,
                                      DICOMNET_TAG_NUMBER_OF_STUDY_RELATED_SERIES,
                                      DICOMNET_TAG_NUMBER_OF_STUDY_RELATED_INSTANCES,
                                      DICOMNET_TAG_STUDY_INSTANCE_UID,
                                      0};
static const uint32_t series_tags[] = {DICOMNET_TAG_MODALITY,
                                       DICOMNET_TAG_SERIES_NUMBER,
                                       DICOMNET_TAG_SERIES_DESCRIPTION,
                                       DICOMNET_TAG_NUMBER_OF_SERIES_RELATED_INSTANCES,
                                       DICOMNET_TAG_STUDY_INSTANCE_UID,
                                       DICOMNET_TAG_SERIES_INSTANCE_UID,
                                       0};
static const uint32_t image_tags[] = {DICOMNET_TAG_INSTANCE_NUMBER,    DICOMNET_TAG_SOP_CLASS_UID,
                                      DICOMNET_TAG_STUDY_INSTANCE_UID, DICOMNET_TAG_SERIES_INSTANCE_UID,
                                      DICOMNET_TAG_SOP_INSTANCE_UID,   0};

static const uint32_t *const attributes[] = {[DICOMNET_QUERY_LEVEL_PATIENT] = patient_tags,
                                             [DICOMNET_QUERY_LEVEL_STUDY] = study_tags,
                                             [DICOMNET_QUERY_LEVEL_SERIES] = series_tags,
                                             [DICOMNET_QUERY_LEVEL_IMAGE] = image_tags};

static int show(struct query_keys *keys, uint32_t tag)
{
    for (size_t i = 0; i < keys->count; i++)
        if (keys->tags[i] == tag)
            return 0;
    if (keys->count == QUERY_KEYS_MAX)
        return -E2BIG;
    keys->tags[keys->count++] = tag;
    return 0;
}

/* To be returned. */
static int want(struct query_keys *keys, uint32_t tag)
{
    int error = dicomnet_identifier_set_text(&keys->identifier, tag, "");
    return error != 0 ? error : show(keys, tag);
}

int query_keys_init(struct query_keys *keys, enum dicomnet_query_model model, enum dicomnet_query_level level,
                    bool with_attributes)
{
    keys->count = 0;
    dicomnet_identifier_init(&keys->identifier);
    int error = dicomnet_identifier_set_text(&keys->identifier, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL,
                                             dicomnet_query_level_name(level));
    for (const uint32_t *tag = attributes[level]; error == 0 && with_attributes && *tag != 0; tag++)
        error = want(keys, *tag);
    /* The unique keys of the levels above tell entities apart, and are what a retrieval is asked with. */
    enum dicomnet_query_level first =
        model == DICOMNET_QUERY_STUDY_ROOT ? DICOMNET_QUERY_LEVEL_STUDY : DICOMNET_QUERY_LEVEL_PATIENT;
    for (enum dicomnet_query_level above = first; error == 0 && above <= level; above++)
        error = want(keys, dicomnet_query_level_key(above));
    return error;
}

void query_keys_fini(struct query_keys *keys)
{
    dicomnet_identifier_fini(&keys->identifier);
}

/* ---- one key ---- */

static int say_unknown(const char *name, char *ret_message, size_t size)
{
    const char *nearest[NEAREST_COUNT];
    size_t count = dicomnet_dictionary_find_nearest(name, nearest, NEAREST_COUNT);
    int len =
        snprintf(ret_message, size, "'%.64s' is neither a keyword of the standard nor a tag like 0010,0020", name);
    for (size_t i = 0; i < count && len > 0 && (size_t)len < size; i++)
        len += snprintf(ret_message + len, size - (size_t)len, "%s%s", i == 0 ? "; near to it: " : ", ", nearest[i]);
    return -1;
}

/* What a value of these VRs may be in a query, beyond what the VR itself says (PS3.4 C.2.2.2). */
static const char *find_value_problem(const char *vr, const char *value)
{
    if (strcmp(vr, "UI") == 0 && strspn(value, "0123456789.\\*") != strlen(value))
        return "is no UID, nor several separated by backslashes";
    if (strcmp(vr, "DA") != 0 || strcmp(value, "*") == 0 || *value == '\0')
        return NULL;
    const char *dash = strchr(value, '-');
    size_t first = dash != NULL ? (size_t)(dash - value) : strlen(value);
    size_t second = dash != NULL ? strlen(dash + 1) : 0;
    bool digits = strspn(value, "0123456789") == first && (dash == NULL || strspn(dash + 1, "0123456789") == second);
    if (!digits || (first != 0 && first != 8) || (second != 0 && second != 8) || first + second == 0)
        return "is no date: YYYYMMDD, YYYYMMDD-, -YYYYMMDD or YYYYMMDD-YYYYMMDD";
    return NULL;
}

static int say_value(const char *name, const char *vr, const char *value, const char *problem, char *ret_message,
                     size_t size)
{
    snprintf(ret_message, size, "%.64s: '%.80s' %s (its VR is %s)", name, value, problem, vr);
    return -1;
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* The name of a key, cut out of its text: without spaces around it. False if it is too long to be one. */
static bool cut_name(const char *text, size_t len, char ret_name[NAME_MAX_LEN + 1])
{
    while (len > 0 && isspace((unsigned char)*text)) {
        text++;
        len--;
    }
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    if (len > NAME_MAX_LEN)
        len = NAME_MAX_LEN;
    memcpy(ret_name, text, len);
    ret_name[len] = '\0';
    return len > 0;
}

static int set_value(struct query_keys *keys, const char *name, uint32_t tag, const char *value, char *ret_message,
                     size_t size)
{
    const char *vr = dicomnet_dictionary_vr(tag);
    const char *problem = find_value_problem(vr, value);
    int error = problem == NULL ? dicomnet_identifier_set_text(&keys->identifier, tag, value) : 0;
    if (error == DICOMNET_ERROR_IDENTIFIER_VALUE)
        problem = "is no value for it";
    if (problem != NULL)
        return say_value(name, vr, value, problem, ret_message, size);
    /* What is typed is UTF-8. */
    if (error == 0 && !is_ascii(value) &&
        !dicomnet_identifier_find(&keys->identifier, DICOMNET_TAG_SPECIFIC_CHARACTER_SET, NULL))
        error = dicomnet_identifier_set_text(&keys->identifier, DICOMNET_TAG_SPECIFIC_CHARACTER_SET, "ISO_IR 192");
    if (error == 0 && tag != DICOMNET_TAG_SPECIFIC_CHARACTER_SET)
        error = show(keys, tag);
    if (error == 0)
        return 0;
    snprintf(ret_message, size, "%.64s: %s", name,
             error == -E2BIG ? "there are too many keys" : dicomnet_error_text(error));
    return -1;
}

bool query_keys_is_match(const char *text)
{
    char name[NAME_MAX_LEN + 1];
    uint32_t tag;
    size_t len = strcspn(text, "=");
    return text[len] == '=' && cut_name(text, len, name) && dicomnet_dictionary_parse_tag(name, &tag);
}

bool query_keys_is_level(const char *text, const char **ret_level)
{
    char name[NAME_MAX_LEN + 1];
    uint32_t tag;
    size_t len = strcspn(text, "=");
    *ret_level = text + len + 1;
    return text[len] == '=' && cut_name(text, len, name) && dicomnet_dictionary_parse_tag(name, &tag) &&
           tag == DICOMNET_TAG_QUERY_RETRIEVE_LEVEL;
}

/* The level that a file of keys names must be the one that is asked for. */
static int check_level(const struct query_keys *keys, const char *name, const char *value, char *ret_message,
                       size_t size)
{
    char level[16];
    (void)dicomnet_identifier_get_text(&keys->identifier, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, level, sizeof level);
    if (strcasecmp(level, value) == 0)
        return 0;
    snprintf(ret_message, size, "%s: the level is said with --level; it is %s", name, level);
    return -1;
}

int query_keys_add(struct query_keys *keys, const char *text, char *ret_message, size_t size)
{
    char name[NAME_MAX_LEN + 1];
    size_t len = strcspn(text, "=");
    const char *value = text[len] == '=' ? text + len + 1 : "";
    uint32_t tag;
    if (!cut_name(text, len, name)) {
        snprintf(ret_message, size, "'%.80s' begins with no key: it is KEY or KEY=VALUE", text);
        return -1;
    }
    if (!dicomnet_dictionary_parse_tag(name, &tag))
        return say_unknown(name, ret_message, size);
    if (tag == DICOMNET_TAG_QUERY_RETRIEVE_LEVEL)
        return check_level(keys, name, value, ret_message, size);
    if (tag >> 16 <= LAST_GROUP_WITHOUT_QUERIES || (tag & 0xFFFF) == 0) {
        snprintf(ret_message, size, "%s: that element cannot be in a query", name);
        return -1;
    }
    return set_value(keys, name, tag, value, ret_message, size);
}

/* ---- a file of keys ---- */

/* The meta header of a query needs no more than its transfer syntax (PS3.10 7.1); returns where the data set begins. */
static size_t read_syntax(struct dicomnet_span bytes, char ret_syntax[DICOMNET_UID_SIZE])
{
    struct dicomnet_identifier meta;
    uint32_t len = 0;
    strcpy(ret_syntax, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN);
    if (bytes.len < META_BEGIN + META_LENGTH_SIZE)
        return bytes.len;
    for (unsigned i = 0; i < 4; i++)
        len |= (uint32_t)bytes.data[META_BEGIN + META_LENGTH_SIZE - 4 + i] << (8 * i);
    size_t begin = META_BEGIN + META_LENGTH_SIZE, end = len < bytes.len - begin ? begin + len : bytes.len;
    dicomnet_identifier_init(&meta);
    if (dicomnet_identifier_decode(&meta, (struct dicomnet_span){bytes.data + begin, end - begin},
                                   DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN) == 0)
        (void)dicomnet_identifier_get_text(&meta, TAG_TRANSFER_SYNTAX_UID, ret_syntax, DICOMNET_UID_SIZE);
    dicomnet_identifier_fini(&meta);
    return end;
}

/* Every element of a DICOM file is a key, but for the level, which must be the one that is asked for. */
static int add_elements(struct query_keys *keys, struct dicomnet_span bytes, char *ret_message, size_t size)
{
    char syntax[DICOMNET_UID_SIZE], level[16];
    struct dicomnet_identifier read;
    size_t begin = read_syntax(bytes, syntax);
    dicomnet_identifier_init(&read);
    int error =
        dicomnet_identifier_decode(&read, (struct dicomnet_span){bytes.data + begin, bytes.len - begin}, syntax);
    int result = error == 0 ? 0 : -1;
    if (result == 0 && dicomnet_identifier_get_text(&read, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, level, sizeof level))
        result = check_level(keys, "QueryRetrieveLevel", level, ret_message, size);
    for (struct dicomnet_element element = {0};
         result == 0 && error == 0 && dicomnet_identifier_skip(&read, &element);) {
        if (element.tag == DICOMNET_TAG_QUERY_RETRIEVE_LEVEL)
            continue;
        error = dicomnet_identifier_set_element(&keys->identifier, &read, &element);
        if (error == 0 && element.tag != DICOMNET_TAG_SPECIFIC_CHARACTER_SET)
            error = show(keys, element.tag);
    }
    dicomnet_identifier_fini(&read);
    if (error == 0)
        return result;
    snprintf(ret_message, size, "as a DICOM file: %s",
             error == -E2BIG ? "there are too many keys" : dicomnet_error_text(error));
    return -1;
}

/* 1: it is no DICOM file, and is read from its begin; else as add_elements. */
static int add_dicom_file(struct query_keys *keys, FILE *file, char *ret_message, size_t size)
{
    char head[META_BEGIN] = "";
    bool is_dicom = fread(head, 1, sizeof head, file) == sizeof head && memcmp(head + META_BEGIN - 4, "DICM", 4) == 0;
    rewind(file);
    if (!is_dicom)
        return 1;
    uint8_t *bytes = malloc(DICOMNET_IDENTIFIER_SIZE_MAX);
    size_t len = bytes != NULL ? fread(bytes, 1, DICOMNET_IDENTIFIER_SIZE_MAX, file) : 0;
    int result = -1;
    if (bytes == NULL || ferror(file))
        snprintf(ret_message, size, "it cannot be read");
    else
        result = add_elements(keys, (struct dicomnet_span){bytes, len}, ret_message, size);
    free(bytes);
    return result;
}

int query_keys_add_file(struct query_keys *keys, const char *path, char *ret_message, size_t size)
{
    FILE *file = fopen(path, "re");
    char *line = NULL, problem[512];
    size_t line_size = 0;
    ssize_t len;
    if (file == NULL) {
        snprintf(ret_message, size, "'%.200s': %s", path, dicomnet_error_text(-errno));
        return -1;
    }
    int result = add_dicom_file(keys, file, problem, sizeof problem);
    if (result < 0)
        snprintf(ret_message, size, "'%.200s': %s", path, problem);
    if (result <= 0) {
        fclose(file);
        return result;
    }
    result = 0;
    for (unsigned number = 1; result == 0 && (len = getline(&line, &line_size, file)) >= 0; number++) {
        while (len > 0 && isspace((unsigned char)line[len - 1]))
            line[--len] = '\0';
        const char *text = line + strspn(line, " \t");
        if (*text == '\0' || *text == '#')
            continue;
        result = query_keys_add(keys, text, problem, sizeof problem);
        if (result != 0)
            snprintf(ret_message, size, "%.200s:%u: %s", path, number, problem);
    }
    if (result == 0 && ferror(file)) {
        snprintf(ret_message, size, "'%.200s': %s", path, dicomnet_error_text(errno > 0 ? -errno : -EIO));
        result = -1;
    }
    free(line);
    fclose(file);
    return result;
}

int query_keys_read(struct query_keys *keys, const struct query_group *query, bool with_attributes, char *ret_message,
                    size_t size)
{
    char problem[512];
    enum dicomnet_query_model model = query->patient_root ? DICOMNET_QUERY_PATIENT_ROOT : DICOMNET_QUERY_STUDY_ROOT;
    if (query_keys_init(keys, model, query->level, with_attributes) != 0) {
        snprintf(ret_message, size, "out of memory");
        return -1;
    }
    if (query->query_file != NULL && query_keys_add_file(keys, query->query_file, problem, sizeof problem) != 0) {
        snprintf(ret_message, size, "--query-file: %s", problem);
        return -1;
    }
    for (size_t i = 0; i < query->keys.count; i++) {
        if (query_keys_add(keys, query->keys.items[i], problem, sizeof problem) != 0) {
            snprintf(ret_message, size, "--key: %s", problem);
            return -1;
        }
    }
    return 0;
}

/* ---- does it narrow anything? ---- */

/* Keys of a level below the patient's, which a query of a level above does not look at (PS3.4 C.6). */
static const struct {
    uint32_t tag;
    enum dicomnet_query_level level;
} lower_keys[] = {{DICOMNET_TAG_STUDY_DATE, DICOMNET_QUERY_LEVEL_STUDY},
                  {DICOMNET_TAG_STUDY_TIME, DICOMNET_QUERY_LEVEL_STUDY},
                  {DICOMNET_TAG_ACCESSION_NUMBER, DICOMNET_QUERY_LEVEL_STUDY},
                  {DICOMNET_TAG_MODALITIES_IN_STUDY, DICOMNET_QUERY_LEVEL_STUDY},
                  {DICOMNET_TAG_STUDY_DESCRIPTION, DICOMNET_QUERY_LEVEL_STUDY},
                  {DICOMNET_TAG_STUDY_INSTANCE_UID, DICOMNET_QUERY_LEVEL_STUDY},
                  {DICOMNET_TAG_MODALITY, DICOMNET_QUERY_LEVEL_SERIES},
                  {DICOMNET_TAG_SERIES_NUMBER, DICOMNET_QUERY_LEVEL_SERIES},
                  {DICOMNET_TAG_SERIES_DESCRIPTION, DICOMNET_QUERY_LEVEL_SERIES},
                  {DICOMNET_TAG_SERIES_INSTANCE_UID, DICOMNET_QUERY_LEVEL_SERIES},
                  {DICOMNET_TAG_INSTANCE_NUMBER, DICOMNET_QUERY_LEVEL_IMAGE},
                  {DICOMNET_TAG_SOP_CLASS_UID, DICOMNET_QUERY_LEVEL_IMAGE},
                  {DICOMNET_TAG_SOP_INSTANCE_UID, DICOMNET_QUERY_LEVEL_IMAGE}};

/* They say how to ask and to answer, and no entity is found by them (PS3.4 C.3.4, C.4.1.1.3). */
static const uint32_t manner_keys[] = {DICOMNET_TAG_SPECIFIC_CHARACTER_SET,   0x00080052 /* QueryRetrieveLevel */,
                                       0x00080053 /* QueryRetrieveView */,    0x00080054 /* RetrieveAETitle */,
                                       0x00080056 /* InstanceAvailability */, 0x00080201 /* TimezoneOffsetFromUTC */};

/* What is wrong with it as a key that narrows; NULL if nothing is. */
static const char *find_breadth(const struct dicomnet_identifier *identifier, uint32_t tag,
                                enum dicomnet_query_level level)
{
    struct dicomnet_element element;
    struct dicomnet_span value;
    bool any = false;
    for (size_t i = 0; i < sizeof manner_keys / sizeof manner_keys[0]; i++)
        if (manner_keys[i] == tag)
            return "is nothing to find by";
    for (size_t i = 0; i < sizeof lower_keys / sizeof lower_keys[0]; i++)
        if (lower_keys[i].tag == tag && lower_keys[i].level > level)
            return "is a key of a level below --level";
    if (!dicomnet_identifier_find(identifier, tag, &element))
        return "has no value";
    for (size_t i = 0; dicomnet_element_get_value(&element, i, &value); i++) {
        size_t wild = 0, blank = 0;
        for (size_t k = 0; k < value.len; k++) {
            wild += strchr("*?^=-. ", value.data[k]) != NULL;
            blank += value.data[k] == ' ' || value.data[k] == '\0';
        }
        if (blank < value.len && wild == value.len)
            return "is only wildcards";
        any |= blank < value.len;
    }
    return any ? NULL : "has no value";
}

bool query_keys_narrow(const struct query_keys *keys, const struct query_group *query, char *ret_message, size_t size)
{
    enum dicomnet_query_level level = query->level;
    char name[NAME_MAX_LEN + 1] = "";
    const char *why = "the query file has no key with a value";
    uint32_t tag;
    for (size_t i = 0; i < keys->count; i++)
        if (find_breadth(&keys->identifier, keys->tags[i], level) == NULL)
            return true;
    if (query->keys.count > 0 && cut_name(query->keys.items[0], strcspn(query->keys.items[0], "="), name) &&
        dicomnet_dictionary_parse_tag(name, &tag))
        why = find_breadth(&keys->identifier, tag, level);
    snprintf(ret_message, size,
             "no key narrows this retrieval%s%s %s: give one a value, as StudyInstanceUID=1.2.3, or --all for "
             "everything that the peer has",
             name[0] != '\0' ? ": " : ":", name, why);
    return false;
}
