/*
 * meta_header - what stands before a data set in a file, to bytes: preamble, prefix and file meta information
 * (PS3.10 7.1). The one encoder of it; dicomnet/file_meta.h is its public face.
 */
#ifndef WIRE_META_HEADER_H
#define WIRE_META_HEADER_H

#include <stddef.h>
#include <stdint.h>

/* What the file meta information says (PS3.10 7.1). Strings are borrowed for the call. */
struct meta_header {
    const char *class_uid;
    const char *instance_uid;
    const char *syntax_uid;
    const char *source_ae; /* (0002,0016): the calling AE; "" = left out */
};

/*
 * Encode preamble, DICM and file meta information into `ret_bytes` of `size` bytes (1,024 are enough for well-formed
 * values). Returns the number of bytes, or 0 if they do not fit.
 */
size_t meta_header_encode(const struct meta_header *meta, uint8_t *ret_bytes, size_t size);

#endif
