/*
 * decoder_protocol - what dicom-decoder is asked, and what it answers, over the stream socket that is its standard
 * input.
 *
 *    client                                          dicom-decoder
 *    decoder_request, with the file's descriptor -->
 *                                                <-- decoder_response
 *                                                <-- frame_len bytes of native pixels, if status is DECODER_OK
 *
 * One frame a request, in the order of the requests. Both are programs of one build on one machine: structs go as they
 * lie in memory. Whoever finds the other breaking this protocol closes the socket; the decoder ends when it is closed.
 */
#ifndef DECODER_PROTOCOL_H
#define DECODER_PROTOCOL_H

#include <stdint.h>

enum {
    DECODER_MAGIC = 0x44434431,    /* "DCD1": of this version of the protocol */
    DECODER_PHOTOMETRIC_SIZE = 17, /* a CS of 16 characters, and a NUL */
    DECODER_SYNTAX_SIZE = 65,      /* a UID, and a NUL */
    DECODER_TEXT_SIZE = 256        /* one line, and a NUL */
};

/* What the header of the data set says of its pixels (PS3.3 C.7.6.3). */
struct decoder_image {
    uint16_t rows, columns;
    uint16_t samples;        /* Samples per Pixel */
    uint16_t bits_allocated; /* what the pixels come out in: 8, 16 or 32 */
    uint16_t bits_stored;
    uint16_t high_bit;
    uint16_t is_signed; /* Pixel Representation */
    uint16_t planar_configuration;
    char photometric[DECODER_PHOTOMETRIC_SIZE]; /* Photometric Interpretation; NUL-terminated */
    char syntax_uid[DECODER_SYNTAX_SIZE];       /* the transfer syntax it is stored in; NUL-terminated */
};

/* One descriptor comes with it (SCM_RIGHTS): of the file, open for reading. */
struct decoder_request {
    uint32_t magic;
    uint32_t reserved;
    uint64_t items_begin; /* where in the file the frame's fragments lie: items (FFFE,E000), one behind the other, */
    uint64_t items_end;   /* up to here */
    uint64_t frame_len;   /* rows x columns x samples x bits_allocated / 8 */
    struct decoder_image image;
};

enum decoder_status {
    DECODER_OK,
    DECODER_FAILED /* this frame cannot be decoded; `text` says why */
};

struct decoder_response {
    uint32_t magic;
    uint32_t status;
    uint64_t frame_len;                         /* what follows: the request's frame_len, or 0 if it failed */
    char photometric[DECODER_PHOTOMETRIC_SIZE]; /* of the pixels that follow; NUL-terminated */
    char text[DECODER_TEXT_SIZE];               /* printable ASCII, NUL-terminated */
};

#endif
