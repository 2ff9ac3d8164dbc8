/*
 * report_command - `dicom-sender report`: what the ledger knows, on standard output.
 */
#ifndef PROGRAMS_REPORT_COMMAND_H
#define PROGRAMS_REPORT_COMMAND_H

/* `argv` begins with the word "report". Returns the exit code: 0, or 1 if the ledger cannot be read. */
int report_command(int argc, char **argv);

#endif
