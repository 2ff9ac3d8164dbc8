/* scan - see scan.h. */
#include "files/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "dicomnet/span.h"
#include "dicomnet/uid.h"
#include "files/held_files.h"
#include "files/inspect.h"
#include "gdcm_header.h"
#include "instance/instance.h"

/*
 * A wanted element as it was decoded last. Files that lie side by side mostly have the same class, syntax, study and
 * series: an element that is byte for byte that of the file before is not decoded again.
 */
struct decoded {
    enum syntax_form form;
    size_t len; /* of `raw`; 0 = nothing was decoded yet */
    uint8_t raw[INSPECT_RAW_SIZE];
    bool readable;     /* its value is text that fits */
    bool well_formed;  /* which is a UID, */
    bool leading_zero; /* with a component that has a leading zero */
    char uid[DICOMNET_UID_SIZE];
};

enum { TAG_LEN = 4 };

struct scanner {
    struct scan_options options;
    struct gdcm_header_reader *reader;
    struct inspector inspector;
    struct inspection inspection;
    struct decoded decoded[INSPECT_WANTED_COUNT];
    struct held_file *held; /* of the file that is looked at; NULL = it is not kept */
};

/* True if nothing but padding follows the first NUL of a value: what is behind it would be lost in a string. */
static bool ends_at_nul(const uint8_t *value, size_t len)
{
    const uint8_t *nul = (const uint8_t *)memchr(value, '\0', len);
    for (const uint8_t *p = nul; p != NULL && p < value + len; p++) {
        if (*p != '\0' && *p != ' ')
            return false;
    }
    return true;
}

static const enum gdcm_header_form forms[] = {[SYNTAX_EXPLICIT_LE] = GDCM_HEADER_EXPLICIT_LE,
                                              [SYNTAX_EXPLICIT_BE] = GDCM_HEADER_EXPLICIT_BE,
                                              [SYNTAX_IMPLICIT_LE] = GDCM_HEADER_IMPLICIT_LE};

static bool wants(void *context, uint32_t tag)
{
    const struct scanner *scanner = (const struct scanner *)context;
    return scanner->options.wants(scanner->options.context, tag);
}

/* Have GDCM decode an element that the user of the scanner wants. */
static void see(void *context, uint32_t tag, enum syntax_form form, const uint8_t *raw, size_t len)
{
    struct scanner *scanner = (struct scanner *)context;
    struct gdcm_header_element decoded;
    if (gdcm_header_read_element(scanner->reader, forms[form], raw, len, &decoded) < 0)
        return;
    struct dicomnet_span value = {.data = decoded.value, .len = decoded.value_len};
    scanner->options.found(scanner->options.context, tag, value, form == SYNTAX_EXPLICIT_BE);
}

/* Have GDCM decode an element, and trim its value. False if that is no text, or is longer than a UID may be. */
static bool decode_uid(struct gdcm_header_reader *reader, const struct inspect_element *element,
                       char ret_uid[DICOMNET_UID_SIZE])
{
    struct gdcm_header_element decoded;
    ret_uid[0] = '\0';
    if (gdcm_header_read_element(reader, forms[element->form], element->raw, element->len, &decoded) < 0)
        return false;
    if (!ends_at_nul(decoded.value, decoded.value_len))
        return false;
    char text[INSPECT_VALUE_MAX + 1];
    dicomnet_span_copy_trimmed((struct dicomnet_span){.data = decoded.value, .len = decoded.value_len}, text,
                               sizeof text);
    size_t len = strlen(text);
    if (len > DICOMNET_UID_LEN_MAX)
        return false;
    memcpy(ret_uid, text, len + 1);
    return true;
}

/* What a wanted element of the inspection says. Not readable: it is not there, or is no text that fits. */
static const struct decoded *decode(struct scanner *scanner, enum inspect_wanted which)
{
    static const struct decoded nothing = {.readable = false};
    const struct inspect_element *element = &scanner->inspection.wanted[which];
    struct decoded *decoded = &scanner->decoded[which];
    if (!element->found || element->too_long)
        return &nothing;
    if (decoded->len == element->len && decoded->form == element->form &&
        memcmp(decoded->raw, element->raw, element->len) == 0)
        return decoded;
    decoded->form = element->form;
    decoded->len = element->len;
    memcpy(decoded->raw, element->raw, element->len);
    decoded->readable = decode_uid(scanner->reader, element, decoded->uid);
    decoded->well_formed = decoded->readable && dicomnet_uid_is_well_formed(decoded->uid, strlen(decoded->uid));
    decoded->leading_zero = decoded->well_formed && dicomnet_uid_has_leading_zero(decoded->uid);
    return decoded;
}

static const char *read_uid(void *context, enum inspect_wanted which)
{
    const struct decoded *decoded = decode((struct scanner *)context, which);
    return decoded->readable ? decoded->uid : NULL;
}

struct scanner *scanner_create(const struct scan_options *options)
{
    struct scanner *scanner = (struct scanner *)calloc(1, sizeof *scanner);
    if (scanner == NULL)
        return NULL;
    scanner->reader = gdcm_header_reader_create();
    if (scanner->reader == NULL) {
        free(scanner);
        return NULL;
    }
    scanner->options = *options;
    scanner->inspector.accept_raw = options->accept_raw;
    scanner->inspector.read_uid = read_uid;
    if (options->found != NULL) {
        scanner->inspector.wants = wants;
        scanner->inspector.see = see;
    }
    scanner->inspector.context = scanner;
    return scanner;
}

void scanner_destroy(struct scanner *scanner)
{
    if (scanner == NULL)
        return;
    window_fini(&scanner->inspector.window);
    gdcm_header_reader_destroy(scanner->reader);
    free(scanner);
}

/* One of the UIDs that name the instance: *ret_uid is "" if it is none. */
static enum outcome_reason read_name(struct scanner *scanner, enum inspect_wanted which, enum outcome_reason if_missing,
                                     const char **ret_uid, bool *ret_leading_zero)
{
    const struct decoded *decoded = decode(scanner, which);
    *ret_uid = decoded->well_formed ? decoded->uid : "";
    *ret_leading_zero = *ret_leading_zero || decoded->leading_zero;
    if (!scanner->inspection.wanted[which].found || (decoded->readable && decoded->uid[0] == '\0'))
        return if_missing;
    return decoded->well_formed ? REASON_NONE : REASON_BAD_UID;
}

/* True if two elements have the same VR, length and value, whatever their tags. */
static bool says_the_same(const struct inspect_element *one, const struct inspect_element *other)
{
    return one->found && other->found && !one->too_long && !other->too_long && one->form == other->form &&
           one->len == other->len && memcmp(one->raw + TAG_LEN, other->raw + TAG_LEN, one->len - TAG_LEN) == 0;
}

/* True if the meta information has this UID and the data set another, which is `uid`. */
static bool differs(struct scanner *scanner, enum inspect_wanted meta, enum inspect_wanted data, const char *uid)
{
    const struct inspect_element *wanted = scanner->inspection.wanted;
    if (!wanted[meta].found || (uid[0] != '\0' && says_the_same(&wanted[meta], &wanted[data])))
        return false;
    const struct decoded *decoded = decode(scanner, meta);
    return !decoded->readable || strcmp(decoded->uid, uid) != 0;
}

/* The classes of objects that belong to no patient, and so to no study (PS3.4 table GG.3-1, edition 2025). */
static bool belongs_to_no_patient(const char *class_uid)
{
    static const char *const classes[] = {
        "1.2.840.10008.5.1.4.1.1.200.1", /* CT Defined Procedure Protocol */
        "1.2.840.10008.5.1.4.1.1.200.3", /* Protocol Approval */
        "1.2.840.10008.5.1.4.1.1.200.7", /* XA Defined Procedure Protocol */
        "1.2.840.10008.5.1.4.1.1.201.1", /* Inventory */
        "1.2.840.10008.5.1.4.38.1",      /* Hanging Protocol */
        "1.2.840.10008.5.1.4.39.1",      /* Color Palette */
        "1.2.840.10008.5.1.4.43.1",      /* Generic Implant Template */
        "1.2.840.10008.5.1.4.44.1",      /* Implant Assembly Template */
        "1.2.840.10008.5.1.4.45.1",      /* Implant Template Group */
    };
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(classes[i], class_uid) == 0)
            return true;
    return false;
}

/* What the name is called in an outcome's detail. */
static const char *const wrong_uids[INSPECT_WANTED_COUNT] = {
    [INSPECT_INSTANCE] = "the SOP Instance UID",
    [INSPECT_CLASS] = "the SOP Class UID",
    [INSPECT_STUDY] = "the Study Instance UID; --allow-incomplete sends it as it lies",
    [INSPECT_SERIES] = "the Series Instance UID; --allow-incomplete sends it as it lies"};

/*
 * The study's or the series' UID. A C-STORE does not carry them, so what is wrong with them may be let pass: the
 * instance then goes without, as far as we are concerned.
 */
static enum outcome_reason read_place(struct scanner *scanner, enum inspect_wanted which, struct file_facts *facts,
                                      bool *ret_leading_zero, bool *ret_bad)
{
    bool lenient = scanner->options.allow_incomplete || scanner->inspection.unwalked;
    bool is_study = which == INSPECT_STUDY;
    enum outcome_reason reason = read_name(scanner, which, is_study ? REASON_NO_STUDY_UID : REASON_NONE,
                                           is_study ? &facts->study_uid : &facts->series_uid, ret_leading_zero);
    if (reason == REASON_NO_STUDY_UID && belongs_to_no_patient(facts->class_uid))
        return REASON_NONE;
    *ret_bad = lenient && reason == REASON_BAD_UID && !scanner->inspection.unwalked;
    return lenient ? REASON_NONE : reason;
}

/* The structure is whole: read what names the instance, and judge it. */
static void read_names(struct scanner *scanner, struct file_facts *facts, struct outcome *outcome)
{
    const struct inspection *inspection = &scanner->inspection;
    bool leading_zero = false;
    static const enum inspect_wanted names[] = {INSPECT_INSTANCE, INSPECT_CLASS, INSPECT_STUDY, INSPECT_SERIES};
    enum outcome_reason reasons[sizeof names / sizeof names[0]];
    reasons[0] = read_name(scanner, INSPECT_INSTANCE, REASON_NO_INSTANCE_UID, &facts->instance_uid, &leading_zero);
    reasons[1] = read_name(scanner, INSPECT_CLASS, REASON_NO_CLASS_UID, &facts->class_uid, &leading_zero);
    reasons[2] = read_place(scanner, INSPECT_STUDY, facts, &leading_zero, &outcome->bad_study_uid);
    reasons[3] = read_place(scanner, INSPECT_SERIES, facts, &leading_zero, &outcome->bad_series_uid);
    facts->syntax_uid = inspection->raw_syntax;
    if (inspection->raw_syntax == NULL)
        (void)read_name(scanner, INSPECT_SYNTAX, REASON_NO_TRANSFER_SYNTAX, &facts->syntax_uid, &leading_zero);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (reasons[i] == REASON_NONE || outcome->state != OUTCOME_PENDING)
            continue;
        outcome->state = OUTCOME_FAILED;
        outcome->reason = reasons[i];
        if (reasons[i] == REASON_BAD_UID) {
            outcome->offset = inspection->wanted[names[i]].offset;
            outcome->detail = wrong_uids[names[i]];
        }
    }
    outcome->leading_zero_uid = leading_zero;
    outcome->meta_differs = differs(scanner, INSPECT_META_CLASS, INSPECT_CLASS, facts->class_uid) ||
                            differs(scanner, INSPECT_META_INSTANCE, INSPECT_INSTANCE, facts->instance_uid);
}

/* The file is open: look into it. */
static void read_open_file(struct scanner *scanner, int fd, struct file_facts *facts, struct outcome *outcome)
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        *outcome = (struct outcome){.state = OUTCOME_FAILED, .reason = REASON_UNREADABLE, .error = -errno};
        return;
    }
    facts->size_bytes = (uint64_t)status.st_size;
    facts->mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    facts->device = status.st_dev;
    facts->inode = status.st_ino;
    if (!S_ISREG(status.st_mode)) {
        *outcome = (struct outcome){.state = OUTCOME_SKIPPED, .reason = REASON_NOT_A_FILE};
        return;
    }
    struct inspection *inspection = &scanner->inspection;
    scanner->held = held_files_keep(scanner->options.held, fd, &status);
    scanner->inspector.start = scanner->held != NULL ? scanner->held->bytes : NULL;
    scanner->inspector.start_len = scanner->held != NULL ? scanner->held->len : 0;
    inspect_file(&scanner->inspector, fd, facts->size_bytes, inspection);
    outcome->state = inspection->state;
    outcome->reason = inspection->reason;
    outcome->error = inspection->error;
    outcome->offset = inspection->offset;
    outcome->detail = inspection->detail;
    outcome->unknown_vr = inspection->unknown_vr;
    outcome->zero_tail = inspection->zero_tail;
    facts->data_offset = inspection->data_offset;
    facts->data_len = inspection->data_len;
    facts->pad = inspection->pad;
    bool named = inspection->data_len > 0 || inspection->raw_syntax != NULL;
    if (inspection->state == OUTCOME_PENDING || named)
        read_names(scanner, facts, outcome);
}

/* The file was looked at: what is kept goes with the instance, if that can be sent. Else it is closed. */
static void let_go(struct scanner *scanner, int fd, struct instance *instance)
{
    struct held_file *held = scanner->held;
    scanner->held = NULL;
    if (held == NULL)
        close(fd);
    else if (instance != NULL && instance->outcome.state == OUTCOME_PENDING)
        instance->hold = &held->hold;
    else
        held_file_drop(held);
}

struct instance *scanner_read(struct scanner *scanner, const char *path)
{
    struct file_facts facts = {.path = path};
    struct outcome outcome = {.state = OUTCOME_PENDING};
    uint64_t begun_us = scanner->options.held != NULL ? clock_monotonic_us() : 0;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENXIO) {
        /* A socket, or a FIFO's other relatives: there, but nothing to open. */
        outcome = (struct outcome){.state = OUTCOME_SKIPPED, .reason = REASON_NOT_A_FILE};
    } else if (fd < 0) {
        enum outcome_reason reason = errno == ENOENT ? REASON_MISSING : REASON_UNREADABLE;
        outcome = (struct outcome){.state = OUTCOME_FAILED, .reason = reason, .error = -errno};
    } else {
        if (begun_us != 0)
            held_files_note_time(scanner->options.held, clock_monotonic_us() - begun_us);
        read_open_file(scanner, fd, &facts, &outcome);
    }
    struct instance *instance = instance_create(&facts);
    if (instance != NULL)
        instance->outcome = outcome;
    if (fd >= 0)
        let_go(scanner, fd, instance);
    return instance;
}
