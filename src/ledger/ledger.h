/*
 * ledger - the durable record of outcomes, which makes a second run a resume: a row for each file and a row for each
 * session. Where it is kept is named by its place: the path of a file is an SQLite database (sqlite.c; docs/ledger.md
 * is its schema). Other places are URLs; which kinds of ledger there are, ledger.c knows, and what one consists of is
 * ledger_kind.h.
 *
 * One session at a time writes a ledger. Readers (ledger_view.h) may look at any time. What is no ledger is never
 * written to.
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
struct uv_loop_s;

enum { LEDGER_SCHEMA_VERSION = 1, LEDGER_MESSAGE_SIZE = 1024 };

struct ledger_options {
    const char *path;       /* the place */
    struct uv_loop_s *loop; /* the session's: open when the record is first asked, closed after ledger_close. Borrowed;
                               a kind that answers at once has no use for it */
    const char *peer_host;  /* the destination, which the ledger belongs to with its first session; NULL = none, for
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
 * Open it, or make it if it is not there or empty. Texts are copied. Returns 0; or -1 with one line in `ret_message` of
 * LEDGER_MESSAGE_SIZE bytes: this build has no ledger of that kind, it is no ledger, of another schema version,
 * damaged, in use by a session (which), of another destination, or the system does not let us. Nothing was changed
 * then. *ret_ledger is NULL with 0 if it is read_only and not there.
 */
int ledger_open(struct ledger **ret_ledger, const struct ledger_options *options,
                char *ret_message) DICOMNET_MUST_CHECK;

/* Note that a session begins. `given` are its options, as text. Returns as ledger_open. */
int ledger_begin_session(struct ledger *ledger, const char *session_id, const char *given,
                         char *ret_message) DICOMNET_MUST_CHECK;

/*
 * The record (engine/record.h) that a session uses, valid until ledger_close; SQLite's answers at once. It has nothing
 * to recall if there were no rows of files when it was opened; and no twins if it is read only, as a dry run has no
 * index of UIDs to ask, and makes none. What could not be written is lost, counted, and said by every flush from then
 * on; but what comes later is tried all the same. What could not be read is said likewise.
 */
struct record ledger_record(struct ledger *ledger);

/* How many outcomes found no place in it: because it could not be written. Their files will be sent again. */
uint64_t ledger_lost(const struct ledger *ledger);

/* Note how the session ended. NULL, or what went wrong, as a flush says it. */
const char *ledger_end_session(struct ledger *ledger, const struct session_result *result, int exit_code);

/* NULL is fine. */
void ledger_close(struct ledger *ledger);

#endif
