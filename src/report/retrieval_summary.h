/*
 * retrieval_summary - the JSON document that a run of dicom-mover leaves: what was asked, how each request ended, and
 * what is still missing.
 *
 * It is fed from the retrieval's observer and written at the end. docs/mover_summary.schema.json is its form,
 * docs/logs.md explains it. Each request and each missing instance is kept as the line that it will be.
 */
#ifndef REPORT_RETRIEVAL_SUMMARY_H
#define REPORT_RETRIEVAL_SUMMARY_H

#include <stdio.h>

#include "dicomnet/error.h"

struct retrieval_missing;
struct retrieval_options;
struct retrieval_request;
struct retrieval_result;
struct retrieval_summary;

#define RETRIEVAL_SUMMARY_SCHEMA_VERSION "1.1"

/* `session_id` and `options` are borrowed until it is destroyed. NULL if out of memory. */
struct retrieval_summary *retrieval_summary_create(const char *session_id, const struct retrieval_options *options);

/* NULL is fine. */
void retrieval_summary_destroy(struct retrieval_summary *summary);

/* For retrieval_observer.request_ended and .missing. */
void retrieval_summary_add_request(struct retrieval_summary *summary, const struct retrieval_request *request);
void retrieval_summary_add_missing(struct retrieval_summary *summary, const struct retrieval_missing *missing);

/*
 * Write the document to `path`, through a temporary name beside it, so that it is there whole or not at all. Returns 0
 * or a negative errno; -ENOMEM also if a request or a missing instance found no room: then it is not written.
 */
int retrieval_summary_write(const struct retrieval_summary *summary, const struct retrieval_result *result,
                            int exit_code, const char *path) DICOMNET_MUST_CHECK;

/* The same document to an open stream. */
int retrieval_summary_print(const struct retrieval_summary *summary, const struct retrieval_result *result,
                            int exit_code, FILE *out) DICOMNET_MUST_CHECK;

#endif
