/*
 * source - the data set of an instance, ready to be read while it is sent, whatever kind of source it comes from.
 *
 * The instance says the kind (file_facts.source). Whoever sends opens, hands `data` to the network, and closes; it
 * knows no kind. A new kind is an enumerator of source_kind, a member of the union and a row of the table in source.c.
 */
#ifndef FILES_SOURCE_H
#define FILES_SOURCE_H

#include <stdbool.h>

#include "dicomnet/error.h"
#include "files/file_source.h"
#include "files/synthetic.h"
#include "instance/instance.h"

struct decoder;
struct piece_reader;

/* What the sources of a job have in common; constant while any is open. */
struct source_options {
    const struct synthetic_options *synthetic; /* what SOURCE_SYNTHETIC is made from; NULL = there are none of it */
    struct piece_reader *pieces;               /* what reads large files ahead; NULL = nothing does */
    struct decoder *decoder;                   /* of the caller's thread, for compressed pixels; NULL = there is none */
};

struct converted_source;

enum { SOURCE_FAILURE_SIZE = 256 };

/* Memory for a source of any kind. Its address may not change while it is open. */
struct source {
    enum source_kind kind;
    struct dicomnet_data_source *data;  /* what is to be sent; within the source, or within */
    struct converted_source *converted; /* what reads the instance and converts it; NULL = it goes out as it lies */
    union {
        struct file_source file;
        struct synthetic_instance synthetic;
    } of; /* of what goes out as it lies */
    char failure[SOURCE_FAILURE_SIZE];
};

/*
 * Open the data set of an instance, to be sent in the transfer syntax that was agreed with the peer. In its own it is
 * read byte for byte: that blocks as long as opening a file takes, and allocates nothing. In another it is converted
 * (converted_source.h): the headers of its elements are read first, and a compressed one's first frame is decoded.
 * Returns 0; -ENOENT if the file has vanished; DICOMNET_ERROR_SOURCE_CHANGED if it is not what the scan saw
 * (file_source.h); DICOMNET_ERROR_SOURCE_UNDECODABLE if it cannot be converted to that syntax; or a negative errno.
 *
 * Reading a converted one can fail with DICOMNET_ERROR_SOURCE_UNDECODABLE too.
 */
int source_open(struct source *source, const struct instance *instance, const char *syntax_uid,
                const struct source_options *options) DICOMNET_MUST_CHECK;

/*
 * Let it be read more than once, in any order, until it is closed; it was opened in its own syntax. What is read is
 * then to be trusted only if source_check said so at the end.
 */
void source_keep_open(struct source *source);

/* 0 if what it reads from is still what the scan saw, else DICOMNET_ERROR_SOURCE_CHANGED or a negative errno. */
int source_check(const struct source *source);

/*
 * Close it, at any time after it was opened. Returns 0, or a negative error if what was read is not to be trusted:
 * DICOMNET_ERROR_SOURCE_CHANGED if the file changed since the scan.
 */
int source_close(struct source *source);

/*
 * Why opening or reading it failed, in one line, where the error alone does not say it; else "". Valid until it is
 * opened again; also if opening failed, and when it is closed.
 */
const char *source_failure_text(const struct source *source);

/* What an error of these functions, or of reading the data, means for the instance. */
enum outcome_reason source_failure_reason(int error);

#endif
