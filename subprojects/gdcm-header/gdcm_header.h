/*
 * gdcm_header - the C face of GDCM: decodes the elements of a DICOM header. No C++ exception leaves it.
 *
 * The fast way reads one element from memory through GDCM's element readers and one reusable stream, and allocates
 * nothing per element. The slow way opens a file with gdcm::Reader; it is the second opinion in tests.
 */
#ifndef GDCM_HEADER_H
#define GDCM_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How an element is encoded (PS3.5 7.1.2, 7.1.3). */
enum gdcm_header_form { GDCM_HEADER_EXPLICIT_LE, GDCM_HEADER_EXPLICIT_BE, GDCM_HEADER_IMPLICIT_LE };

struct gdcm_header_element {
    uint16_t group;
    uint16_t element;
    const uint8_t *value;   /* inside the bytes that were given */
    size_t value_len;
};

/* A reader is one thread's; it keeps the stream. */
struct gdcm_header_reader;

/* NULL if out of memory. */
struct gdcm_header_reader *gdcm_header_reader_create(void);
void gdcm_header_reader_destroy(struct gdcm_header_reader *reader);

/*
 * Decode the element that begins at `bytes` and ends within `len` bytes. Returns the number of bytes it takes, or
 * -EBADMSG if GDCM cannot read it or it does not end within them.
 */
int gdcm_header_read_element(struct gdcm_header_reader *reader, enum gdcm_header_form form, const uint8_t *bytes,
                             size_t len, struct gdcm_header_element *ret_element);

/* What gdcm::Reader says of a file; "" for what it did not find. Longer values are cut. */
struct gdcm_header_uids {
    char class_uid[72];
    char instance_uid[72];
    char study_uid[72];
    char series_uid[72];
    char syntax_uid[72];
};

/* Returns 0, or -EBADMSG if gdcm::Reader cannot read the file. */
int gdcm_header_read_file(const char *path, struct gdcm_header_uids *ret_uids);

#ifdef __cplusplus
}
#endif

#endif
