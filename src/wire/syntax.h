/*
 * syntax - how a transfer syntax encodes a data set (PS3.5 Annex A): its elements, and its pixels.
 */
#ifndef WIRE_SYNTAX_H
#define WIRE_SYNTAX_H

#include <stdbool.h>

/* How the elements of a data set are encoded (PS3.5 7.1, 7.3). */
enum syntax_form { SYNTAX_EXPLICIT_LE, SYNTAX_EXPLICIT_BE, SYNTAX_IMPLICIT_LE };

/* The form that Pixel Data (7FE0,0010) of the data set itself must have. */
enum syntax_pixels {
    SYNTAX_PIXELS_ANY,         /* it has none (JPIP, real-time video), or nothing is known */
    SYNTAX_PIXELS_NATIVE,      /* of defined length (PS3.5 A.1 to A.3, A.5) */
    SYNTAX_PIXELS_ENCAPSULATED /* fragments, of undefined length (PS3.5 A.4) */
};

/* What it does to pixels, and so whether a data set can leave it for one of the four uncompressed syntaxes. */
enum syntax_compression {
    SYNTAX_OPAQUE,   /* nothing that can be undone here: MPEG, HEVC, JPEG XL, JPIP, private and unknown ones */
    SYNTAX_NATIVE,   /* nothing: Implicit VR Little Endian, Explicit VR Little and Big Endian, Deflated */
    SYNTAX_LOSSLESS, /* compressed without loss: RLE, JPEG, JPEG-LS, JPEG 2000 and HTJ2K, each in its lossless syntax */
    SYNTAX_LOSSY     /* compressed in a syntax that may lose: what was lost is lost, decoding loses nothing more */
};

struct syntax {
    bool walked; /* how it encodes a data set is known; else nothing below says anything */
    enum syntax_form form;
    bool deflated;
    enum syntax_pixels pixels;
    enum syntax_compression compression;
};

/*
 * What is known of the transfer syntax with this UID: all of PS3.6 Annex A but those that hold no data elements (MIME,
 * XML), and the one private syntax that is common. Any other private or future one is not walked: what it does with the
 * data set is its own affair.
 */
struct syntax syntax_find(const char *uid);

/*
 * What people call the transfer syntax: the standard's name, or a short one where that is a description ("JPEG Lossless
 * SV1", "JPEG 2000 Lossless"). `uid` itself if nothing is known of it.
 */
const char *syntax_name(const char *uid);

#endif
