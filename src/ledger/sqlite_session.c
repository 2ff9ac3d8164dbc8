/* sqlite_session - the row of a session: written when it begins, completed when it ends. See ledger.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/session.h"
#include "ledger/sqlite_private.h"

static int write_session(struct sqlite_ledger *ledger, const char *session_id, const char *given)
{
    sqlite3_stmt *statement = NULL;
    char machine[256] = "";
    (void)gethostname(machine, sizeof machine - 1);
    int code = sqlite3_prepare_v2(ledger->db,
                                  "INSERT INTO session (name, version, machine, pid, begun_us, host, port, called_ae, "
                                  "calling_ae, options) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                  -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_text(statement, 1, session_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, PROGRAM_VERSION, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, machine, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, getpid());
    sqlite3_bind_int64(statement, 5, (int64_t)clock_wall_us());
    sqlite3_bind_text(statement, 6, ledger->peer_host, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 7, ledger->options.peer_port);
    sqlite3_bind_text(statement, 8, ledger->called_ae, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 9, ledger->calling_ae, -1, SQLITE_STATIC);
    ledger_bind_text(statement, 10, given);
    code = ledger_step(statement);
    sqlite3_finalize(statement);
    return code;
}

static int write_destination(struct sqlite_ledger *ledger)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_exec(ledger->db, "DELETE FROM destination", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(ledger->db, "INSERT INTO destination VALUES (?, ?, ?)", -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_text(statement, 1, ledger->peer_host, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, ledger->options.peer_port);
    sqlite3_bind_text(statement, 3, ledger->called_ae, -1, SQLITE_STATIC);
    code = ledger_step(statement);
    sqlite3_finalize(statement);
    return code;
}

int sqlite_begin_session(struct ledger *base, const char *session_id, const char *given, char *ret_message)
{
    struct sqlite_ledger *ledger = (struct sqlite_ledger *)base;
    int code = ledger_step(ledger->queries[LEDGER_BEGIN]);
    if (code == SQLITE_OK)
        code = write_destination(ledger);
    if (code == SQLITE_OK)
        code = write_session(ledger, session_id, given);
    int64_t session = sqlite3_last_insert_rowid(ledger->db);
    if (code == SQLITE_OK)
        code = ledger_step(ledger->queries[LEDGER_COMMIT]);
    if (code != SQLITE_OK)
        return ledger_say_error(ledger->path, ledger->db, ret_message);
    ledger->session = session;
    ledger->checkpoint_us = clock_monotonic_us();
    return 0;
}

static int write_end(struct sqlite_ledger *ledger, const struct session_result *result, int exit_code)
{
    static const enum outcome_state states[] = {OUTCOME_STORED,  OUTCOME_WARNED,   OUTCOME_FAILED,
                                                OUTCOME_SKIPPED, OUTCOME_IN_DOUBT, OUTCOME_PENDING};
    static const char *const verdicts[] = {
        [SESSION_COMPLETE] = "complete", [SESSION_INTERRUPTED] = "interrupted", [SESSION_STOPPED] = "stopped"};
    const struct session_totals *totals = &result->totals;
    sqlite3_stmt *statement = NULL;
    uint64_t earlier = 0;
    int code = sqlite3_prepare_v2(ledger->db,
                                  "UPDATE session SET ended_us = ?, verdict = ?, stop_reason = ?, exit_code = ?, "
                                  "files = ?, bytes = ?, earlier = ?, stored = ?, warned = ?, failed = ?, skipped = ?, "
                                  "in_doubt = ?, pending = ? WHERE id = ?",
                                  -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_int64(statement, 1, (int64_t)result->ended_us);
    sqlite3_bind_text(statement, 2, verdicts[result->verdict], -1, SQLITE_STATIC);
    ledger_bind_text(statement, 3, result->stop_text);
    sqlite3_bind_int(statement, 4, exit_code);
    sqlite3_bind_int64(statement, 5, (int64_t)totals->files);
    sqlite3_bind_int64(statement, 6, (int64_t)totals->bytes_stored);
    int index = 8;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        earlier += totals->earlier[states[i]];
        sqlite3_bind_int64(statement, index++, (int64_t)totals->by_state[states[i]]);
    }
    sqlite3_bind_int64(statement, 7, (int64_t)earlier);
    sqlite3_bind_int64(statement, index, ledger->session);
    code = ledger_step(statement);
    sqlite3_finalize(statement);
    return code;
}

const char *sqlite_end_session(struct ledger *base, const struct session_result *result, int exit_code)
{
    struct sqlite_ledger *ledger = (struct sqlite_ledger *)base;
    ledger_commit(ledger);
    if (write_end(ledger, result, exit_code) != SQLITE_OK)
        ledger_note_problem(ledger);
    ledger_check_place(ledger);
    return ledger_problem(ledger);
}
