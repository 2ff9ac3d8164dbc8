/*
 * guest - one association that a server has accepted, and the instance that comes in on it.
 *
 * What dicom-receiver and dicom-archive have in common: who is there, until the last has left; and the way of an
 * instance from its C-STORE-RQ to a file under its final name, or to the status that says why not.
 *
 *     guest_begin -> guest_open_file -> guest_append, ... -> guest_keep        or, before its end: guest_drop
 *
 * A guest is embedded: the first member of what the server knows of an association.
 */
#ifndef SERVE_GUEST_H
#define SERVE_GUEST_H

#include "base/list.h"
#include "dicomnet/association.h"
#include "dicomnet/uid.h"
#include "files/part10_writer.h"
#include "instance/outcome.h"

struct guest {
    struct list_node node;
    struct dicomnet_association *association; /* NULL until it has been made */
    struct part10_writer *writer;             /* owned; NULL before the first instance that is kept */
    bool writing;                             /* the current instance goes into a file */
    char class_uid[DICOMNET_UID_SIZE], instance_uid[DICOMNET_UID_SIZE]; /* as the request said */
    uint64_t bytes;                                                     /* of its data set, that came */
    uint64_t dropped; /* of these, those for which there was no room any more */
};

/* It is one of those who are there. */
void guest_enter(struct guest *guest, struct list *guests);

/*
 * For acceptor_handler.accepted: the guest that entered last, and the association that was made for it; NULL = it could
 * not be made.
 */
struct guest *guest_accepted(struct list *guests, struct dicomnet_association *association);

/* Its association has ended, or was never made: it is not there any more, and what it was writing is gone. */
void guest_leave(struct guest *guest);

/* A C-STORE-RQ has come on this association: note what it names. */
void guest_begin(struct guest *guest, struct dicomnet_association *association,
                 const struct dicomnet_dimse_command *request);

/*
 * Write what comes into a file of the folder, which is borrowed until guest_keep or guest_drop. 0000, or the status to
 * answer and why: then nothing is written.
 */
uint16_t guest_open_file(struct guest *guest, struct part10_folder *folder, uint8_t context_id,
                         const struct dicomnet_dimse_command *request, char ret_comment[DICOMNET_COMMENT_SIZE]);

/* Bytes of its data set: they are counted, and written if there is a file. */
void guest_append(struct guest *guest, struct dicomnet_span bytes);

/*
 * The data set is there: have the file of that name in the folder looked at, which says REASON_NONE if it may be kept
 * (`look` NULL: it may), and give it its final name. Returns 0000 with *ret_new true
 * unless the same instance was kept before, or the status to answer and why; then the file is gone.
 */
uint16_t guest_keep(struct guest *guest, enum outcome_reason (*look)(void *context, const char *name), void *context,
                    bool *ret_new, char ret_comment[DICOMNET_COMMENT_SIZE]);

/* The instance does not come to its end. Nothing happens if there is none. */
void guest_drop(struct guest *guest);

/* The records of what became of an instance: receiver.stored (debug) and receiver.refused (warn). */
void guest_log_stored(const struct dicomnet_logger *logger, const char *instance_uid, uint64_t bytes, uint16_t status);
void guest_log_refused(const struct dicomnet_logger *logger, const char *instance_uid, uint16_t status,
                       const char *text);

#endif
