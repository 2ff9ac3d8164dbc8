/*
 * ledger - the durable record of outcomes, which makes a second run a resume: an SQLite database in WAL mode with a row
 * for each file and a row for each session. docs/ledger.md is its schema.
 *
 * One session at a time writes it, and holds a lock that the kernel drops when the process ends, however it ends.
 * Readers (ledger_report, sqlite3) may look at any time. What is not a ledger is never written to.
 *
 * What is lost when: outcomes are committed once for each turn of the session's loop, into the file system's cache, so
 * a kill -9 costs those that had not come to the main thread yet. A power cut or a crash of the system can also cost
 * what was committed since the last checkpoint, which is every 5 s of work: synchronous=NORMAL keeps the database
 * whole, and those files are sent again. Waiting for the disk at each commit would cost more than the stores
 * themselves.
 *
 * Used on the main thread only.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "dicomnet/error.h"
#include "engine/record.h"
#include "engine/session.h"
#include "ledger/rules.h"

struct ledger;

enum { LEDGER_SCHEMA_VERSION = 1, LEDGER_MESSAGE_SIZE = 1024 };

struct ledger_options {
    const char *path;
    const char *peer_host; /* the destination, which the ledger belongs to with its first session; NULL = none, for
                              read_only */
    uint16_t peer_port;
    const char *called_ae;
    const char *calling_ae;       /* noted only */
    bool allow_other_destination; /* the ledger belongs to this one from now on */
    struct rules_options rules;   /* what stands of earlier sessions */
    bool paths_may_repeat;        /* the inputs may name a path twice: it has one row all the same */
    bool read_only;               /* to ask it only: no lock, no session; a file that is not there is no error */
};

/*
 * Open it, or make it if the file is not there or empty. Texts are copied. Returns 0; or -1 with one line in
 * `ret_message` of LEDGER_MESSAGE_SIZE bytes: it is no ledger, of another schema version, damaged, in use by a session
 * (which), of another destination, or the system does not let us. Nothing was changed then. *ret_ledger is NULL with 0
 * if it is read_only and not there.
 */
int ledger_open(struct ledger **ret_ledger, const struct ledger_options *options,
                char *ret_message) DICOMNET_MUST_CHECK;

/* Note that a session begins. `given` are its options, as text. Returns as ledger_open. */
int ledger_begin_session(struct ledger *ledger, const char *session_id, const char *given,
                         char *ret_message) DICOMNET_MUST_CHECK;

/*
 * The record (engine/record.h) that a session uses, valid until ledger_close. It answers at once. It has nothing to
 * recall if there were no rows of files when it was opened; and no twins if it is read only, as a dry run has no index
 * of UIDs to ask, and makes none. What could not be written is lost, counted, and said by every flush from then on; but
 * what comes later is tried all the same. What could not be read is said likewise.
 */
struct record ledger_record(struct ledger *ledger);

/* How many outcomes found no place in it: because it could not be written. Their files will be sent again. */
uint64_t ledger_lost(const struct ledger *ledger);

/* Note how the session ended. NULL, or what went wrong, as a flush says it. */
const char *ledger_end_session(struct ledger *ledger, const struct session_result *result, int exit_code);

/* NULL is fine. */
void ledger_close(struct ledger *ledger);

#endif
