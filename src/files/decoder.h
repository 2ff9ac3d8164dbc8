/*
 * decoder - decodes frames of compressed pixels (PS3.5 A.4) in a process of its own, the program dicom-decoder: what is
 * decoded was written by strangers, and whatever it does to a codec stays in there.
 *
 * A decoder belongs to one thread, and so does its process, which is started for the first frame that needs one and
 * kept for those that follow. A process that crashes, hangs, or says what the protocol does not know fails the frame
 * that it had; it is killed and reaped, and the next frame gets a new one. Calls block, with a limit for each frame.
 * How it is asked: decoder_protocol.h; what it may do: confine.h of the same folder.
 *
 * One frame is decoded at a time. Several sources may share a decoder: a frame that was begun and not yet fetched is
 * finished, into its own job, before the next one begins.
 */
#ifndef FILES_DECODER_H
#define FILES_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoder_protocol.h"
#include "dicomnet/error.h"

enum { DECODER_FRAME_TIMEOUT_MS = 60 * 1000 };

struct decoder_options {
    const char *program;       /* borrowed; NULL = dicom-decoder beside this program, or where it is installed */
    unsigned frame_timeout_ms; /* 0 = DECODER_FRAME_TIMEOUT_MS */
};

struct decoder;

/* Starts nothing yet. `options` may be NULL. Returns NULL if there is no memory. */
struct decoder *decoder_create(const struct decoder_options *options);

/* No job may be under way. NULL is fine. */
void decoder_destroy(struct decoder *decoder);

/* One frame: filled in by the caller, whose it is, and done when decoder_finish says so. */
struct decoder_job {
    int fd;                            /* of the file, open for reading; borrowed */
    uint64_t items_begin, items_end;   /* where in it the frame's fragments lie, as items, one behind the other */
    const struct decoder_image *image; /* what the data set says of it; borrowed until the job has begun */
    uint8_t *pixels;                   /* where it goes: native, Little Endian, colour by pixel, of the size */
    size_t frame_len;                  /* rows x columns x samples x bits allocated / 8 */

    /* What came of it. */
    bool is_begun, is_done;
    int result;
    char photometric[DECODER_PHOTOMETRIC_SIZE]; /* the Photometric Interpretation of these pixels */
    char text[DECODER_TEXT_SIZE];               /* why it failed: one line of printable ASCII */
};

/* Have it decoded while the caller does something else. Nothing fails here: decoder_finish says how it went. */
void decoder_begin(struct decoder *decoder, struct decoder_job *job);

/*
 * Wait until it is decoded (and begin, if it has not begun). Returns 0, or DICOMNET_ERROR_SOURCE_UNDECODABLE with the
 * job's text; then `pixels` may hold anything.
 */
int decoder_finish(struct decoder *decoder, struct decoder_job *job) DICOMNET_MUST_CHECK;

/* It is not wanted any more: if it is under way, the process is ended. */
void decoder_cancel(struct decoder *decoder, struct decoder_job *job);

#endif
