/*
 * intake - what is found on its way into the plan: paths are walked and scanned, what an earlier session ended is
 * recalled, instances are told from duplicates, and what is left is planned. Or instances are made up, if they are
 * synthetic. Or, in a dry run, they are only noted, and shown study by study at the end.
 *
 *   scan_feed --+-- has its outcome already: cannot be sent, or ended by an earlier session ---------> ended
 *               +-- the first with its SOP Instance UID -------------------------------------------> planned
 *               +-- not the first: compared with it, on the thread pool, as both data sets are read
 *                      the same bytes: a duplicate ------------------------------------------------> ended
 *                      other bytes: a conflict; on_conflict says which it is ----------> ended, or planned
 *
 * It knows the plan that it fills and nothing of whoever empties it: what it has to say it says by events. All on the
 * thread of the loop.
 */
#ifndef ENGINE_INTAKE_H
#define ENGINE_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "dicomnet/error.h"
#include "engine/figures.h"
#include "instance/outcome.h"

struct discover_options;
struct instance;
struct intake;
struct plan;
struct planned_study;
struct record;
struct peer_words;
struct scan_options;
struct synthetic_spec;
struct uv_loop_s;

/* What becomes of an instance whose SOP Instance UID was seen before, with another data set. */
enum intake_conflict {
    CONFLICT_FAIL,  /* it fails */
    CONFLICT_FIRST, /* it is skipped: the first one found is sent */
    CONFLICT_ALL    /* it is sent as well */
};

/* All pointers are borrowed until intake_destroy. */
struct intake_options {
    const struct discover_options *discover; /* which paths */
    const struct scan_options *scan;
    unsigned scanners;                      /* that look into files side by side; 0 = as many as are worth it */
    const struct record *record;            /* what earlier sessions did; NULL = nothing is known of them */
    const struct synthetic_spec *synthetic; /* NULL = files; else these are made, its seed included, and no path is
                                               looked at */
    uint64_t repeat;                        /* synthetic: how many times they are made, with fresh UIDs; at least 1 */
    bool endless;                           /* synthetic: make more until intake_stop; `repeat` is not looked at */
    bool outline; /* nothing is to be sent: the plan counts, and keeps no instance; see intake_show */
    enum intake_conflict on_conflict;
    const struct peer_words *words; /* for texts of what may not be sent; may be NULL */
    uint64_t found_max;             /* it pauses while this many are found or made and have not ended; 0 = no bound */
};

struct intake_handler {
    /* One more was found or made. It will be planned, or ended, or both; `ended` comes once for it, from here or from
     * whoever takes it out of the plan. */
    void (*found)(void *user);
    /* It is in the plan; its data set has that size. Of a dry run: noted. */
    void (*planned)(void *user, uint64_t size_bytes);
    /* The record could not be asked: nothing that is found from now on is to be sent. */
    void (*record_failed)(void *user, const char *problem);
    /* It has its outcome and was not sent. The instance is the receiver's now. */
    void (*ended)(void *user, struct instance *instance);
    /* Several of these events are over, or there is less to wait for: a moment to act on it. */
    void (*go_on)(void *user);
    /* All was looked at or made (0); or the scan was stopped (-ECANCELED) or broke off (another negative error). What
     * waits for a comparison still comes. */
    void (*scan_ended)(void *user, int error);
};

/*
 * Begin. Only of synthetic instances events come from within, so that *ret_intake is set before them. 0, or a negative
 * error, with *ret_intake NULL: no memory, no temporary file, or what discover_create gave.
 */
int intake_start(struct intake **ret_intake, struct uv_loop_s *loop, const struct intake_options *options,
                 struct plan *plan, const struct intake_handler *handler, void *user) DICOMNET_MUST_CHECK;

/* Make synthetic instances as far as there is room for them. Events come from within. */
void intake_go_on(struct intake *intake);

/* One that was found has ended, wherever: there is room for another. Nothing comes from within. */
void intake_note_ended(struct intake *intake);

/* Look at nothing more and make nothing more. `scan_ended` comes once what is under way is through; of synthetic
 * instances by the next intake_go_on. */
void intake_stop(struct intake *intake);

/* What the scan did up to now; all zero of synthetic instances. */
struct scan_figures intake_figures(const struct intake *intake);

/* True while paths are looked at, instances made or duplicates compared. */
bool intake_is_busy(const struct intake *intake);

/* True if more comes by itself: it is busy, and not paused until some have ended. */
bool intake_brings_more(const struct intake *intake);

/*
 * After the end of a dry run: each study that would be sent to `show` (NULL = to nobody), and every instance of it to
 * handler.ended, as pending with `reason`. 0, or the first error of reading back what was found; then it was not all.
 */
int intake_show(struct intake *intake, void (*show)(void *user, const struct planned_study *study),
                enum outcome_reason reason) DICOMNET_MUST_CHECK;

/* When it is not busy any more. NULL is fine. */
void intake_destroy(struct intake *intake);

#endif
