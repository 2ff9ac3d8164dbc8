/* report_command - see report_command.h. */
#include "programs/report_command.h"

#include <stdio.h>

#include "instance/outcome.h"
#include "ledger/ledger.h"
#include "programs/console.h"
#include "programs/option_groups.h"
#include "report/ledger_report.h"

static unsigned states_of(const struct dicom_sender_report_options *options)
{
    return (options->ledger.show_failed ? 1u << OUTCOME_FAILED : 0) |
           (options->ledger.show_warned ? 1u << OUTCOME_WARNED : 0) |
           (options->ledger.show_skipped ? 1u << OUTCOME_SKIPPED : 0) |
           (options->ledger.show_pending ? 1u << OUTCOME_PENDING | 1u << OUTCOME_IN_DOUBT : 0);
}

static int report(const void *read_options)
{
    const struct dicom_sender_report_options *options = read_options;
    const struct ledger_report_options report = {.path = options->ledger.ledger,
                                                 .states = states_of(options),
                                                 .format = options->common.json  ? LEDGER_JSON
                                                           : options->common.csv ? LEDGER_CSV
                                                                                 : LEDGER_TEXT};
    char message[LEDGER_MESSAGE_SIZE];
    if (ledger_report(&report, stdout, message) == 0)
        return 0;
    fprintf(stderr, "%s: %s\n", options_program_name(PROGRAM_REPORT), message);
    return 1;
}

int report_command(int argc, char **argv)
{
    struct dicom_sender_report_options options;
    return console_main(PROGRAM_REPORT, &options.common, argc, argv, report);
}
