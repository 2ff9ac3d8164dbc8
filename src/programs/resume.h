/*
 * resume - the ledger of dicom-sender: opened by its options, and plugged into the session.
 */
#ifndef PROGRAMS_RESUME_H
#define PROGRAMS_RESUME_H

#include <stdint.h>

#include "engine/record.h"
#include "engine/session.h"

struct destination;
struct ledger;
struct dicom_sender_options;
struct progress;
struct uv_loop_s;

struct resume {
    struct ledger *ledger; /* NULL = none is wanted, or it is a dry run and there is none yet */
    struct record record;
};

/*
 * Open the ledger that the options name, if any; for a dry run, to be read only. The loop is that of the session; it
 * need not be open yet (ledger_options). 0, or -1 after a line on standard error.
 */
int resume_open(struct resume *resume, const struct dicom_sender_options *options,
                const struct destination *destination, struct uv_loop_s *loop);

/* Note that the session begins, with its options as one text. 0, or -1 after a line on standard error. */
int resume_begin(struct resume *resume, const struct dicom_sender_options *options, const char *session_id,
                 const char *given);

/*
 * Note how it ended, and say on the console what did not get into the ledger. Returns the exit code: 2 instead of 0 if
 * something did not.
 */
int resume_end(struct resume *resume, const struct dicom_sender_options *options, const struct session_result *result,
               int exit_code, struct progress *progress);

/* Before the loop is closed. */
void resume_close(struct resume *resume);

#endif
