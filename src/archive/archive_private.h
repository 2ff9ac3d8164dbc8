/*
 * archive_private - what the files of the archive share: the archive, a client (an association that was accepted), and
 * what serves one request.
 */
#ifndef ARCHIVE_ARCHIVE_PRIVATE_H
#define ARCHIVE_ARCHIVE_PRIVATE_H

#include <uv.h>

#include "archive/archive.h"
#include "archive/attribute.h"
#include "archive/index.h"
#include "base/list.h"
#include "dicomnet/query_retrieve.h"
#include "files/arrival.h"
#include "files/decoder.h"
#include "files/part10_writer.h"
#include "instance/outcome.h"
#include "serve/guest.h"

struct archive {
    struct archive_options options;
    struct uv_loop_s *loop;
    struct dicomnet_acceptor *acceptor;
    struct index *index;
    struct arrival_check *check;    /* which looks at files */
    struct decoder *decoder;        /* of compressed pixels, for all deliveries; its process starts when one needs it */
    struct attribute_values values; /* of the instance that is looked at */
    struct part10_folder folder;    /* open if there is an output_dir */
    struct list guests;
    struct list resting; /* see turn.c: work that has given the loop back and is not done */
    uv_idle_t turn;      /* runs while there are any */
    struct archive_totals totals;
    unsigned moves; /* under way, with or without a client */
    bool closing, turn_closed;
};

struct client {
    struct guest guest; /* the first member */
    struct archive *archive;
    struct dicomnet_query_provider *provider;
};

/* Free the archive if it is closing and nothing is left of it. */
void archive_free_if_over(struct archive *archive);

/* ---- turn.c: long work on the one loop ---- */

/*
 * What may take long looks after each step whether its slice, some milliseconds, is over. Then it rests: it returns,
 * and is called again on a later turn of the loop. One at a time does so between two looks at the sockets, so that a
 * C-ECHO, a C-CANCEL or the end of a connection never waits for more than a slice, however many queries are under way.
 */
struct slice {
    uint64_t begun_us;
};
struct slice slice_begin(void);
bool slice_is_over(const struct slice *slice);

/* All zero at first. */
struct rest {
    struct list_node node;
    bool resting;
    void (*go_on)(void *context);
    void *context;
};
void rest_begin(struct archive *archive, struct rest *rest, void (*go_on)(void *context), void *context);

/* Its go_on will not be called any more. */
void rest_end(struct rest *rest);

/*
 * The most values that a list in a query may have: of UIDs, which the index looks up, and of others, each of which is
 * compared with each row.
 */
enum { KEY_UIDS_MAX = 10000, KEY_VALUES_MAX = 1000 };

/* ---- keep.c: C-STORE ---- */

extern const struct dicomnet_storage_sink archive_sink; /* its context is a client */

/* ---- fill.c: what is in the archive when it opens ---- */

int archive_fill(struct archive *archive);

/* Look at a file of the folder, as arrival_check_file does; archive->values are what it says. */
enum outcome_reason archive_look_at(struct archive *archive, const char *name, const char *class_uid,
                                    const char *instance_uid, struct instance **ret_instance);

/* Index what was looked at last, under that name. 0 or an error of index.h. */
int archive_add(struct archive *archive, const char *name, const struct instance *instance) DICOMNET_MUST_CHECK;

/* What the made-up instances of a series are made from; *ret_story, to which the options point, too. */
void archive_make_up(const struct archive *archive, uint64_t study, uint64_t series,
                     struct synthetic_options *ret_options, struct synthetic_story *ret_story);

/* ---- find.c: C-FIND ---- */

uint16_t find_begin(struct archive *archive, struct dicomnet_query_request *request,
                    char ret_comment[DICOMNET_COMMENT_SIZE]);
void find_ready(struct dicomnet_query_request *request);
void find_ended(struct dicomnet_query_request *request);

/* ---- retrieve.c: what C-MOVE and C-GET have in common ---- */

/* The instances of one C-MOVE or C-GET, and how many of them have ended in which way. */
struct retrieve {
    struct archive *archive;
    struct index_keys keys;
    char *key_texts[4]; /* owned */
    uint64_t total, series;
    uint64_t completed, failed, warning;
    char *failed_uids; /* with backslashes; owned */
    size_t failed_len;
    char comment[DICOMNET_COMMENT_SIZE]; /* why the first of those failed; "" if nothing is known of it */
};

/* DICOMNET_STATUS_PENDING, or what to answer at once. Call retrieve_fini in either case. */
uint16_t retrieve_init(struct retrieve *retrieve, struct archive *archive, const struct dicomnet_query_request *request,
                       char ret_comment[DICOMNET_COMMENT_SIZE]);
void retrieve_fini(struct retrieve *retrieve);

struct dicomnet_query_counts retrieve_counts(const struct retrieve *retrieve);

/* Count how one instance ended. True if it was taken, with or without a warning. */
bool retrieve_count(struct retrieve *retrieve, const struct dicomnet_store *store, bool sound,
                    const char *instance_uid);

/* The index does not tell what else there is: all of it has failed. */
void retrieve_fail_rest(struct retrieve *retrieve);

/* Why something has failed, for the Error Comment of the final answer: the first that is noted stays. */
void retrieve_note(struct retrieve *retrieve, const char *comment);

/* Give the final answer. */
void retrieve_finish(struct retrieve *retrieve, struct dicomnet_query_request *request, bool cancelled);

/* ---- delivery.c: one instance that is being sent ---- */

/* Its UIDs, its store and what its data set is read from. */
struct delivery;
struct delivery *delivery_create(void);
void delivery_destroy(struct delivery *delivery);

/* It is the cursor's instance now. The UIDs of the store that is returned are set; it is borrowed until the next. */
struct dicomnet_store *delivery_name(struct delivery *delivery, struct index_cursor *row);
struct dicomnet_store *delivery_store(struct delivery *delivery);

/* The accepted context of this class and transfer syntax on the association where the delivery is to go, or NULL. */
typedef const struct dicomnet_association_context *delivery_find(const void *where, const char *class_uid,
                                                                 const char *syntax_uid);

/*
 * `row` is what it was named by. Choose the context in which the instance goes out, as it lies or converted, and open
 * its source: then the store can be begun. It blocks while the file is opened and, if it is to be decompressed, while
 * its first frame is decoded. False if no context fits or it cannot be opened: `retrieve` has a note of it.
 */
bool delivery_open(struct delivery *delivery, struct retrieve *retrieve, struct index_cursor *row, delivery_find *find,
                   const void *where);

/* Note why it could not be sent: with this error of its store. While it is open. */
void delivery_note(const struct delivery *delivery, struct retrieve *retrieve, int error);

/* True if it went out in another transfer syntax than it is kept in. */
bool delivery_was_converted(const struct delivery *delivery);

/* False if the file has changed while it was sent: what went out is not to be trusted. */
bool delivery_close(struct delivery *delivery);

/* ---- move.c, get.c ---- */

uint16_t move_begin(struct archive *archive, struct dicomnet_query_request *request,
                    char ret_comment[DICOMNET_COMMENT_SIZE]);
void move_ready(struct dicomnet_query_request *request);
void move_cancelled(struct dicomnet_query_request *request);
void move_ended(struct dicomnet_query_request *request);

uint16_t get_begin(struct archive *archive, struct dicomnet_query_request *request,
                   char ret_comment[DICOMNET_COMMENT_SIZE]);
void get_ready(struct dicomnet_query_request *request);
void get_stored(struct dicomnet_query_request *request, struct dicomnet_store *store);
void get_ended(struct dicomnet_query_request *request);

#endif
