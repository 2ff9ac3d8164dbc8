/*
 * session_dry_run - what a session that stores nothing says of what it found: the studies as they would be sent, or
 * what the peer says it would take (probe.h). See session_private.h.
 */
#include <stdio.h>

#include "engine/session_private.h"

/* ---- the peer is asked ---- */

static void on_pair(void *user, const struct probed_pair *pair)
{
    const struct session_observer *observer = ((struct session *)user)->observer;
    if (observer->pair_probed != NULL)
        observer->pair_probed(observer->user, pair);
}

static void on_done(void *user, const char *problem)
{
    if (problem != NULL)
        session_stop_for(user, SESSION_STOPPED, problem);
    session_go_on(user);
}

void session_begin_probing(struct session *session)
{
    static const struct probe_handler handler = {.pair = on_pair, .done = on_done};
    const struct probe_options options = {.loop = session->loop,
                                          .peer = session->channel_peer,
                                          .association = &session->options->association,
                                          .words = session->options->peer_words,
                                          .table = &session->plan.table,
                                          .logger = &session->logger};
    session_enter(session, PHASE_PROBING);
    probe_start(&session->probe, &options, &handler, session);
}

/* ---- studies ---- */

static void show_study(void *user, const struct planned_study *study)
{
    const struct session_observer *observer = ((struct session *)user)->observer;
    if (observer->study_planned != NULL)
        observer->study_planned(observer->user, study);
}

void session_show_plan(struct session *session)
{
    bool whole = session->result->verdict == SESSION_COMPLETE;
    if (session->intake == NULL)
        return;
    bool shows = whole && !session->options->probe;
    int error = intake_show(session->intake, shows ? show_study : NULL, whole ? REASON_NONE : REASON_INTERRUPTED);
    if (error == 0 || !whole)
        return;
    session->result->verdict = SESSION_STOPPED;
    snprintf(session->result->stop_text, sizeof session->result->stop_text, "the plan could not be shown whole: %s",
             dicomnet_error_text(error));
}
