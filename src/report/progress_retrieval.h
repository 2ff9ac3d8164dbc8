/*
 * progress_retrieval - the console of a retrieval: the live line and the words at the end, by way of progress.
 */
#ifndef REPORT_PROGRESS_RETRIEVAL_H
#define REPORT_PROGRESS_RETRIEVAL_H

struct progress;
struct retrieval_missing;
struct retrieval_progress;
struct retrieval_result;

/* For retrieval_observer.progress: as progress_update. What the peer counts itself is counted too. */
void progress_update_retrieval(struct progress *progress, const struct retrieval_progress *now);

/* For retrieval_observer.missing: the first few are named at the end. */
void progress_missing(struct progress *progress, const struct retrieval_missing *missing);

/* The words at the end: as progress_finish. */
void progress_finish_retrieval(struct progress *progress, const struct retrieval_result *result,
                               const char *summary_path, const char *log_path);

#endif
