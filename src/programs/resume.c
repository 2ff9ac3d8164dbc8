/* resume - see resume.h. */
#include "programs/resume.h"

#include <inttypes.h>
#include <stdio.h>

#include "ledger/ledger.h"
#include "programs/destination.h"
#include "programs/option_groups.h"
#include "report/progress.h"

static int say(const char *message)
{
    fprintf(stderr, "dicom-sender: --ledger: %s\n", message);
    return -1;
}

int resume_open(struct resume *resume, const struct dicom_sender_options *options,
                const struct destination *destination, struct uv_loop_s *loop)
{
    char message[LEDGER_MESSAGE_SIZE];
    *resume = (struct resume){.ledger = NULL};
    if (options->ledger.ledger == NULL)
        return 0;
    const struct ledger_options ledger = {
        .path = options->ledger.ledger,
        .loop = loop,
        .peer_host = destination->loopback ? "loopback" : destination->host,
        .peer_port = destination->association.port,
        .called_ae = destination->association.called_ae,
        .calling_ae = destination->association.calling_ae,
        .allow_other_destination = options->ledger.allow_other_destination,
        .rules = {.retry_failed = options->ledger.retry_failed,
                  .accept_raw = options->session.scan.accept_raw,
                  .allow_incomplete = options->session.scan.allow_incomplete,
                  .other_syntaxes = options_given(&options->common, "transcode") || options->sending.syntaxes.count > 0,
                  .on_conflict = (enum intake_conflict)options->session.on_conflict},
        .paths_may_repeat = options->sending.inputs.count > 1 || options->session.discover.files_from != NULL,
        .read_only = options->session.dry_run,
    };
    if (ledger_open(&resume->ledger, &ledger, message) != 0)
        return say(message);
    if (resume->ledger != NULL)
        resume->record = ledger_record(resume->ledger);
    return 0;
}

int resume_begin(struct resume *resume, const struct dicom_sender_options *options, const char *session_id,
                 const char *given)
{
    char message[LEDGER_MESSAGE_SIZE];
    if (resume->ledger == NULL || options->session.dry_run)
        return 0;
    return ledger_begin_session(resume->ledger, session_id, given, message) != 0 ? say(message) : 0;
}

int resume_end(struct resume *resume, const struct dicom_sender_options *options, const struct session_result *result,
               int exit_code, struct progress *progress)
{
    char line[LEDGER_MESSAGE_SIZE + 160];
    if (resume->ledger == NULL || options->session.dry_run)
        return exit_code;
    const char *problem = ledger_end_session(resume->ledger, result, exit_code);
    if (problem == NULL)
        return exit_code;
    uint64_t lost = ledger_lost(resume->ledger);
    int len = snprintf(line, sizeof line, "dicom-sender: %s", problem);
    if (lost > 0)
        snprintf(line + len, sizeof line - (size_t)len,
                 "; it lacks the outcomes of %" PRIu64 " files, which the next session will look at again", lost);
    progress_print(progress, line);
    return exit_code == 0 ? 2 : exit_code;
}

void resume_close(struct resume *resume)
{
    ledger_close(resume->ledger);
    resume->ledger = NULL;
}
