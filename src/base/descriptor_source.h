/*
 * descriptor_source - the inside of dicomnet_descriptor_source (dicomnet/data_source.h), for sources that are made of
 * one.
 */
#ifndef BASE_DESCRIPTOR_SOURCE_H
#define BASE_DESCRIPTOR_SOURCE_H

#include <stdbool.h>

#include "dicomnet/data_source.h"

/* Its source.read. */
ssize_t descriptor_source_read(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps,
                               int gap_count);

/* The same, but that the file is not looked at after the last byte. */
ssize_t descriptor_source_fill(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps,
                               int gap_count);

/* 0 if the file has the size and modification time that it should, else SOURCE_CHANGED or the error of fstat. */
int descriptor_source_check(const struct dicomnet_descriptor_source *source);

#endif
