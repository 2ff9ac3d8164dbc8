/*
 * summary - the JSON document that a session leaves: what was asked, how it ended, and every file that is not simply
 * stored.
 *
 * It is fed from the session's observer as things end, and written once the session has ended. In memory it holds one
 * small block for each study and association and for each file that did not end as stored; the document is written
 * piece by piece, never built as a whole. docs/summary.schema.json is its form, docs/logs.md explains it. Used on the
 * main thread only.
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include <stdio.h>

#include "dicomnet/error.h"

struct association_figures;
struct forecast;
struct instance;
struct session_options;
struct session_result;
struct summary;

#define SUMMARY_SCHEMA_VERSION "1.3"

/*
 * No more studies and associations are listed than this; with a ledger, which has them all, no more files of each
 * outcome either; and of a dry run no more files that are pending. So memory is bounded; "all_listed" says which lists
 * are whole.
 */
enum { SUMMARY_LISTED_MAX = 10000 };

/*
 * `session_id` is copied; `options`, and `given`, what was typed, are borrowed until summary_destroy. `loopback`: the
 * peer is a receiver of this very process, whose address tells nobody anything. `forecast`: what a session that sends
 * nothing says of its files, borrowed likewise; NULL for all others. 0 or -ENOMEM.
 */
int summary_create(struct summary **ret_summary, const char *session_id, const struct session_options *options,
                   const char *given, bool loopback, const struct forecast *forecast) DICOMNET_MUST_CHECK;

/* NULL is fine. */
void summary_destroy(struct summary *summary);

/* For session_observer.instance_ended: note this outcome. Everything needed is copied. */
void summary_add_instance(struct summary *summary, const struct instance *instance);

/* For session_observer.association_ended. */
void summary_add_association(struct summary *summary, const struct association_figures *figures);

/*
 * Write the document to `path`, through a temporary name beside it, so that it is there whole or not at all. Returns
 * 0 or a negative errno; -ENOMEM also if memory ran out while collecting: then it is written, and its lists lack what
 * found no room ("complete": false).
 */
int summary_write(const struct summary *summary, const struct session_result *result, int exit_code,
                  const char *path) DICOMNET_MUST_CHECK;

/* The same document to an open stream (for --json on standard output). Returns as summary_write. */
int summary_print(const struct summary *summary, const struct session_result *result, int exit_code,
                  FILE *out) DICOMNET_MUST_CHECK;

#endif
