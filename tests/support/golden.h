/*
 * golden - small DICOM files made element by element, for tests: right ones, and wrong in just one way.
 */
#ifndef SUPPORT_GOLDEN_H
#define SUPPORT_GOLDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "files/walk.h"

enum { GOLDEN_SIZE = 512 * 1024, GOLDEN_PATH_SIZE = 64 };

#define GOLDEN_CLASS    "1.2.840.10008.5.1.4.1.1.7"
#define GOLDEN_INSTANCE "1.2.3.4.5"
#define GOLDEN_STUDY    "1.2.3.4"
#define GOLDEN_SERIES   "1.2.3.4.1"

struct golden {
    struct bytes_writer writer; /* over `bytes`; writer.len is the file's length */
    enum syntax_form form;      /* of the elements to come */
    size_t data_offset;         /* where the data set began */
    uint8_t bytes[GOLDEN_SIZE];
};

/* Tags are written 0xGGGGEEEE. `vr` is ignored in implicit VR. */
void golden_put_header(struct golden *golden, uint32_t tag, const char *vr, uint32_t len);
void golden_put(struct golden *golden, uint32_t tag, const char *vr, const void *value, uint32_t len);
void golden_put_uid(struct golden *golden, uint32_t tag, const char *uid);
/* An item or a delimiter: (FFFE,element). */
void golden_put_item(struct golden *golden, uint16_t element, uint32_t len);

/* Preamble, DICM and meta information. `syntax` NULL leaves (0002,0010) out. Elements go on in `form`. */
void golden_begin(struct golden *golden, const char *syntax, enum syntax_form form);
/* The four UIDs that name the instance. */
void golden_put_names(struct golden *golden);
/* golden_begin, golden_put_names, and 64 bytes of pixel data: encapsulated, if the syntax wants that. */
void golden_make(struct golden *golden, const char *syntax, enum syntax_form form);
/* Deflate the data set as PS3.5 A.5 wants it. */
void golden_deflate(struct golden *golden);

/* Write the first `len` bytes as a file of its own; its path into ret_path. unlink it afterwards. */
void golden_write(const struct golden *golden, size_t len, char ret_path[GOLDEN_PATH_SIZE]);

#endif
