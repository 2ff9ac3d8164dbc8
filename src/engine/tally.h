/*
 * tally - what a session adds up for its result: response times, and what its workers did. On the main thread.
 */
#ifndef ENGINE_TALLY_H
#define ENGINE_TALLY_H

struct association_figures;
struct instance;
struct session_result;
struct worker_notice;

/* An instance has its outcome, by this session: its times, if the peer answered. */
void tally_instance(struct session_result *result, const struct instance *instance);

/* MAIL_OPENED, MAIL_ENDED and MAIL_STOPPED; of the first, `open` associations are open now. */
void tally_opened(struct session_result *result, const struct worker_notice *notice, unsigned open);
void tally_ended(struct session_result *result, const struct worker_notice *notice);
void tally_stopped(struct session_result *result, const struct worker_notice *notice);

#endif
