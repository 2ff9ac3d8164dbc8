/*
 * synthetic_files - dicom-sender --synthetic SPEC --output-dir DIR: the made-up instances as files, and nothing sent.
 *
 *     DIR/study-1/image-1.dcm, DIR/study-1/image-2.dcm, ..., DIR/study-2/image-1.dcm, ...
 *
 * The same SPEC and seed make the same files, byte for byte. A file that is there already is left alone and is an
 * error; one that could not be written to its end is removed. SIGINT, SIGTERM and SIGHUP end it between two files.
 */
#ifndef PROGRAMS_SYNTHETIC_FILES_H
#define PROGRAMS_SYNTHETIC_FILES_H

#include <stdbool.h>

struct synthetic_spec;

/*
 * Write them, and say on standard error what went wrong and, unless `quiet`, how much there is now. Folders that are
 * missing are made. It ends with the first error. Returns the exit code: 0, 1 if no file could be written, 2 if some
 * could, 130 if it was interrupted.
 */
int synthetic_files_write(const struct synthetic_spec *spec, const char *folder, bool quiet);

#endif
