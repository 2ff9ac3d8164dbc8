/*
 * part10_writer - keeps received instances as files (PS3.10 section 7), so that a crash never leaves half a file under
 * a final name.
 *
 * Names come from UIDs only: `<study>/<series>/<instance>.dcm` would need the data set to be read, so the layout is
 * flat: `<SOP Instance UID>.dcm`. A UID that is not 1 to 64 of [0-9.] without an empty component is replaced by
 * "hash-" and 16 hex digits of its FNV-1a hash. The bytes go to `.tmp-<pid>-<number>` in the same folder (O_EXCL,
 * O_NOFOLLOW, openat below the output folder), are checked, closed and renamed; only then may the caller answer 0000.
 */
#ifndef FILES_PART10_WRITER_H
#define FILES_PART10_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/meta_header.h"

struct part10_folder {
    int fd;               /* of the output folder */
    bool sync;            /* fsync file and folder before the name is final */
    uint32_t mode;        /* permissions of the files; 0: what the umask leaves of 0640. To be set after opening */
    uint64_t next_number; /* of temporary names */

    /*
     * Leave 5 % of the file system free, or 1 GiB of a large one: a file that would go beyond it ends with -ENOSPC. For
     * who cannot trust that what comes has an end. It is looked at every 16 MiB of a file.
     */
    bool keep_free;
};

/* Open the folder, and make it (with its parents) if it is missing. Returns 0 or a negative errno. */
int part10_folder_open(struct part10_folder *folder, const char *path, bool sync);
void part10_folder_close(struct part10_folder *folder);

/* The name that an instance with this UID is kept under: see the top of this file. */
enum { PART10_NAME_SIZE = 96 };
void part10_file_name(const char *instance_uid, char ret_name[PART10_NAME_SIZE]);

/* True if the folder holds a file of that name: only complete ones have it. */
bool part10_folder_has(const struct part10_folder *folder, const char *instance_uid);

struct part10_writer {
    struct part10_folder *folder;
    int fd;
    int error;          /* first error; further bytes are then dropped */
    bool replace;       /* set by the caller: take the name also from another regular file that has it */
    uint64_t data_len;  /* bytes of the data set so far */
    uint64_t looked_at; /* of them, when the free space was looked at */
    char temporary_name[64];
    char final_name[PART10_NAME_SIZE];
    size_t buffered;
    uint8_t buffer[64 * 1024];
};

enum part10_result {
    PART10_KEPT,      /* the file is there, new */
    PART10_IDENTICAL, /* a file of that name with the same data set was there: nothing was rewritten */
    PART10_DIFFERENT  /* something else of that name was there, and still is: another data set, a symbolic link, ... */
};

/* Begin a file: zero preamble, DICM, meta information. Returns 0 or a negative errno (-ENOSPC, ...). */
int part10_writer_open(struct part10_writer *writer, struct part10_folder *folder, const struct meta_header *meta);

/* Append bytes of the data set. Never fails at once: the first error is kept for part10_writer_finish. */
void part10_writer_append(struct part10_writer *writer, const void *bytes, size_t len);

/*
 * All bytes are given: write what is still buffered. From then on the file can be read under its temporary name.
 * Returns 0 or the first negative errno; the file is there until it is finished or discarded.
 */
int part10_writer_complete(struct part10_writer *writer);

/*
 * Complete, check, close, rename. Returns an enum part10_result, or the first negative errno, after which nothing of
 * the file is left; only if the folder alone could not be synced is it there, whole, under its name. Two data sets are
 * compared by their bytes, and their syntax by the meta information.
 */
int part10_writer_finish(struct part10_writer *writer);

/* Drop the file; nothing is left of it. */
void part10_writer_discard(struct part10_writer *writer);

#endif
