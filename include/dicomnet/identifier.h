/*
 * identifier - the data sets of queries: attributes to match and to return, matches, lists of UIDs (PS3.4 C.2.2).
 *
 * An identifier is a small data set held in memory: elements in ascending order of their tags, all VRs, sequences.
 * It is put together with dicomnet_identifier_set_... or decoded from bytes, looked at element by element, and encoded
 * in Implicit or Explicit VR Little Endian. Values are kept as they are on the wire (little endian, padded to even
 * length), in the character set that (0008,0005) says; nothing is converted.
 *
 * It grows with what is put into it, never with a length a peer claims, and to no more than
 * DICOMNET_IDENTIFIER_SIZE_MAX; sequences are DICOMNET_IDENTIFIER_DEPTH_MAX deep at most. Nothing here is recursive.
 *
 *     struct dicomnet_identifier keys;
 *     dicomnet_identifier_init(&keys);
 *     error = dicomnet_identifier_set_text(&keys, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, "STUDY");
 *     error = dicomnet_identifier_set_text(&keys, DICOMNET_TAG_PATIENT_NAME, "DOE^*");
 *     error = dicomnet_identifier_set_text(&keys, DICOMNET_TAG_STUDY_INSTANCE_UID, "");    (to be returned)
 *     ...
 *     dicomnet_identifier_fini(&keys);
 */
#ifndef DICOMNET_IDENTIFIER_H
#define DICOMNET_IDENTIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dictionary.h"
#include "error.h"
#include "span.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    DICOMNET_IDENTIFIER_SIZE_MAX = 4 * 1024 * 1024, /* bytes, at most */
    DICOMNET_IDENTIFIER_DEPTH_MAX = 16,             /* sequences within sequences */
    DICOMNET_IDENTIFIER_UNSORTED_MAX = 100          /* elements out of order that a peer is forgiven */
};

/* Private: owned by the identifier. */
struct dicomnet_identifier {
    uint8_t *data;
    size_t len, size;
};

/*
 * One element, as dicomnet_identifier_find and dicomnet_identifier_next give it. `value` points into the identifier and
 * is valid until that is changed. A sequence has VR "SQ", an item the tag DICOMNET_TAG_ITEM and VR "--"; both have an
 * empty `value`, what is in them comes after them.
 */
struct dicomnet_element {
    uint32_t tag;
    char vr[3];
    unsigned depth; /* how many sequences are around it; an item is inside its sequence, so the first ones' is 1 */
    struct dicomnet_span value;
    size_t at; /* private */
};

/* ---- made, emptied ---- */

void dicomnet_identifier_init(struct dicomnet_identifier *identifier);
void dicomnet_identifier_fini(struct dicomnet_identifier *identifier);

/* Remove everything; its memory is kept for the next use. */
void dicomnet_identifier_clear(struct dicomnet_identifier *identifier);

/* Make `identifier` equal to `other`. 0 or -ENOMEM. */
int dicomnet_identifier_copy(struct dicomnet_identifier *identifier,
                             const struct dicomnet_identifier *other) DICOMNET_MUST_CHECK;

/* ---- written: 0, -ENOMEM, DICOMNET_ERROR_IDENTIFIER_TOO_LONG or what is said; nothing is changed then ---- */

/*
 * Set an element from text, with the VR of the dictionary; what was there is replaced. Values of a multi-valued one are
 * separated by backslashes. Numbers of binary VRs are decimal, tags (AT) are as dicomnet_dictionary_parse_tag takes
 * them. "" makes an empty value, also of a sequence. DICOMNET_ERROR_IDENTIFIER_VALUE if the text is no value of that VR
 * (PS3.5 Table 6.2-1: its characters, its length, a date's and a number's form) nor something to match such values with
 * (PS3.4 C.2.2.2: "*" and "?", "20260101-"), or if the VR has no text (SQ, OB, OW, UN, ...). Letters of a CS may be
 * small; what is not ASCII is not measured.
 */
int dicomnet_identifier_set_text(struct dicomnet_identifier *identifier, uint32_t tag,
                                 const char *text) DICOMNET_MUST_CHECK;

/* The same, and the text of a text VR is not looked at: for what a peer or a file has, and is to get back as it is. */
int dicomnet_identifier_set_text_as_it_is(struct dicomnet_identifier *identifier, uint32_t tag,
                                          const char *text) DICOMNET_MUST_CHECK;

/* Set an element of any VR but SQ from its bytes, little endian; they are padded if their number is odd. */
int dicomnet_identifier_set_bytes(struct dicomnet_identifier *identifier, uint32_t tag, const char *vr,
                                  struct dicomnet_span value) DICOMNET_MUST_CHECK;

/*
 * Append a copy of `item` as an item to the sequence `tag`, which is made if it is not there.
 * DICOMNET_ERROR_IDENTIFIER_TOO_DEEP if sequences in it are too deep then. `item` must be another identifier.
 */
int dicomnet_identifier_append_item(struct dicomnet_identifier *identifier, uint32_t tag,
                                    const struct dicomnet_identifier *item) DICOMNET_MUST_CHECK;

/*
 * Set an element (with all its items, if it is a sequence) as it is in another identifier, where
 * dicomnet_identifier_find or dicomnet_identifier_next gave it. It is set at top level, whatever its depth was.
 */
int dicomnet_identifier_set_element(struct dicomnet_identifier *identifier, const struct dicomnet_identifier *from,
                                    const struct dicomnet_element *element) DICOMNET_MUST_CHECK;

/* Remove an element of the top level, if it is there. */
void dicomnet_identifier_remove(struct dicomnet_identifier *identifier, uint32_t tag);

/* ---- read ---- */

bool dicomnet_identifier_is_empty(const struct dicomnet_identifier *identifier);

/* The element with this tag at top level; false if there is none. `ret_element` may be NULL. */
bool dicomnet_identifier_find(const struct dicomnet_identifier *identifier, uint32_t tag,
                              struct dicomnet_element *ret_element);

/*
 * The whole value of an element of the top level as text: without padding, values separated by backslashes, numbers of
 * binary VRs in decimal. What does not fit is cut. False, and "", if it is not there, empty, or has no text.
 */
bool dicomnet_identifier_get_text(const struct dicomnet_identifier *identifier, uint32_t tag, char *ret_text,
                                  size_t size);

/*
 * The element after `element` in the order of writing: elements ascending, a sequence's items and their elements after
 * it. Start with a zeroed struct; false at the end.
 *
 *     for (struct dicomnet_element element = {0}; dicomnet_identifier_next(&identifier, &element);)
 */
bool dicomnet_identifier_next(const struct dicomnet_identifier *identifier, struct dicomnet_element *element);

/* The same, but past everything inside `element`: for a sequence that is of no interest. */
bool dicomnet_identifier_skip(const struct dicomnet_identifier *identifier, struct dicomnet_element *element);

/* Copy the elements of an item (an element with DICOMNET_TAG_ITEM) to `ret_item`, which is initialized, as its top
 * level. */
int dicomnet_identifier_get_item(const struct dicomnet_identifier *identifier, const struct dicomnet_element *item,
                                 struct dicomnet_identifier *ret_item) DICOMNET_MUST_CHECK;

/* ---- the values of an element ---- */

/*
 * How many values there are: texts by their backslashes (ST, LT, UT and UR always have one), binary numbers by their
 * size, 0 if the value is empty. OB, OW, UN and the like have one: its bytes. A byte 5C that is half of a character in
 * a multi-byte set that has such (GBK, GB18030, ISO 2022 IR 13) counts as a backslash.
 */
size_t dicomnet_element_value_count(const struct dicomnet_element *element);

/* Value number `index` as bytes, without padding; false if there is none such. */
bool dicomnet_element_get_value(const struct dicomnet_element *element, size_t index, struct dicomnet_span *ret_value);

/*
 * Value number `index` as text: decimal for numbers (floating point in the shortest form that reads back the same),
 * "00100020" for AT, bytes without padding for texts, in their character set. False, and "", if there is none such or
 * the VR has no text.
 */
bool dicomnet_element_get_text(const struct dicomnet_element *element, size_t index, char *ret_text, size_t size);

/* True for a VR whose values are binary numbers: US, SS, UL, SL, UV, SV, FL, FD. DS and IS are text. */
bool dicomnet_element_is_number(const struct dicomnet_element *element);

/* True for a VR whose value is text: AE, AS, CS, DA, DS, DT, IS, LO, LT, PN, SH, ST, TM, UC, UI, UR, UT. */
bool dicomnet_element_is_text(const struct dicomnet_element *element);

/* ---- bytes ---- */

/* True for the transfer syntaxes that can be read and written: Implicit and Explicit VR Little Endian. */
bool dicomnet_identifier_syntax_is_known(const char *syntax_uid);

/*
 * Replace what is in `identifier` by the data set in `bytes`. Group lengths are dropped; an element that stands twice
 * counts once, the first; elements out of order are put in their place. Explicit VR "UN" of an element that the
 * dictionary knows gets its VR. Returns 0, or with an empty identifier DICOMNET_ERROR_IDENTIFIER_MALFORMED (lengths do
 * not fit, delimiters are missing, it is in another syntax), DICOMNET_ERROR_IDENTIFIER_TOO_DEEP,
 * DICOMNET_ERROR_IDENTIFIER_TOO_LONG, DICOMNET_ERROR_IDENTIFIER_SYNTAX (the transfer syntax is not known) or -ENOMEM.
 */
int dicomnet_identifier_decode(struct dicomnet_identifier *identifier, struct dicomnet_span bytes,
                               const char *syntax_uid) DICOMNET_MUST_CHECK;

/* Bytes that are enough for dicomnet_identifier_encode in any syntax. */
size_t dicomnet_identifier_encoded_size(const struct dicomnet_identifier *identifier);

/*
 * Write the data set; sequences and items have explicit lengths. A value too long for the two bytes that Explicit VR
 * has for some VRs goes out as UN (PS3.5 6.2.2). Returns the number of bytes, DICOMNET_ERROR_BUFFER_TOO_SMALL or
 * DICOMNET_ERROR_IDENTIFIER_SYNTAX.
 */
ssize_t dicomnet_identifier_encode(const struct dicomnet_identifier *identifier, const char *syntax_uid, uint8_t *bytes,
                                   size_t size);

#ifdef __cplusplus
}
#endif

#endif
