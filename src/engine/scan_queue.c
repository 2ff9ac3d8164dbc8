/* scan_queue - see scan_queue.h. */
#include "engine/scan_queue.h"

#include <errno.h>
#include <stdlib.h>

#include "files/dicomdir.h"
#include "files/folder.h"
#include "files/given.h"
#include "instance/instance.h"

enum { LOOK, SCAN, NAMES_AT_ONCE = 256 };

/* A DICOMDIR whose files are given; `dicomdir` stays, as finds name it. */
struct named_files {
    struct list_node node;
    struct dicomdir *dicomdir;
    bool ended;
};

static struct scan_piece *piece_create(void)
{
    struct scan_piece *piece = calloc(1, sizeof *piece);
    if (piece != NULL)
        list_init(&piece->instances);
    return piece;
}

void scan_piece_destroy(struct scan_piece *piece)
{
    if (piece == NULL)
        return;
    for (size_t i = 0; i < piece->count; i++)
        find_fini(&piece->finds[i]);
    free(piece);
}

int scan_queue_init(struct scan_queue *queue, const struct discover_options *options, bool asks)
{
    *queue = (struct scan_queue){.options = *options, .asks = asks, .once = options->follow_symlinks};
    list_init(&queue->dicomdirs);
    list_init(&queue->folders);
    list_init(&queue->looks);
    list_init(&queue->scans);
    return given_create(&queue->given, options);
}

static void drop_pieces(struct scan_queue *queue, struct list *pieces)
{
    struct list_node *node;
    while ((node = list_pop(pieces)) != NULL) {
        queue->pieces--;
        scan_piece_destroy(list_entry(node, struct scan_piece, node));
    }
}

static void drop_folders(struct list *folders)
{
    struct list_node *node;
    while ((node = list_pop(folders)) != NULL)
        folder_destroy(list_entry(node, struct folder, node));
}

void scan_queue_drop(struct scan_queue *queue)
{
    /* With a record to ask, those that were looked at are out already. */
    for (struct list_node *node = list_first(&queue->scans); queue->asks && node != NULL;
         node = list_next(&queue->scans, node))
        queue->out--;
    queue->dropped = true;
    drop_folders(&queue->folders);
    drop_pieces(queue, &queue->looks);
    drop_pieces(queue, &queue->scans);
    for (int i = LOOK; i <= SCAN; i++) {
        scan_piece_destroy(queue->filling[i]);
        queue->filling[i] = NULL;
    }
    for (struct list_node *node = list_first(&queue->dicomdirs); node != NULL;
         node = list_next(&queue->dicomdirs, node))
        list_entry(node, struct named_files, node)->ended = true;
    queue->given_ended = true;
    queue->names = 0;
}

void scan_queue_fini(struct scan_queue *queue)
{
    struct list_node *node;
    scan_queue_drop(queue);
    while ((node = list_pop(&queue->dicomdirs)) != NULL) {
        struct named_files *files = list_entry(node, struct named_files, node);
        dicomdir_close(files->dicomdir);
        free(files);
    }
    given_destroy(queue->given);
    identity_set_fini(&queue->seen);
}

/* ---- into the queue ---- */

static void append(struct scan_queue *queue, int stage, struct scan_piece *piece)
{
    list_append(stage == LOOK ? &queue->looks : &queue->scans, &piece->node);
    queue->pieces++;
}

static int put_path(struct scan_queue *queue, struct find *find)
{
    int stage = find->kind == FIND_UNKNOWN || queue->asks ? LOOK : SCAN;
    struct scan_piece **piece = &queue->filling[stage];
    if (*piece == NULL && (*piece = piece_create()) == NULL) {
        find_fini(find);
        return -ENOMEM;
    }
    (*piece)->finds[(*piece)->count++] = *find;
    queue->names++;
    if ((*piece)->count == SCAN_PIECE_MAX) {
        append(queue, stage, *piece);
        *piece = NULL;
    }
    return 0;
}

static int put_folder(struct scan_queue *queue, struct find *find, struct list *folders)
{
    struct folder *folder = folder_create(find);
    find_fini(find);
    if (folder == NULL)
        return -ENOMEM;
    if (folders != NULL)
        list_append(folders, &folder->node);
    else
        list_prepend(&queue->folders, &folder->node);
    queue->names++;
    return 0;
}

static int put_dicomdir(struct scan_queue *queue, struct find *find)
{
    struct named_files *files = calloc(1, sizeof *files);
    if (files == NULL)
        return -ENOMEM;
    files->dicomdir = find->dicomdir;
    find->dicomdir = NULL;
    list_append(&queue->dicomdirs, &files->node);
    queue->once = true;
    return 0;
}

/* 1 if it counts, 0 if it was found before, or -ENOMEM. */
static int admit(struct scan_queue *queue, struct find *find)
{
    bool identified = find->identified;
    find->identified = false; /* it is asked once */
    if (find->kind == FIND_NOTHING || queue->dropped)
        return 0;
    return identified ? identity_set_add(&queue->seen, find->device, find->inode) : 1;
}

int scan_queue_put(struct scan_queue *queue, struct find *find, struct list *folders)
{
    int error = admit(queue, find);
    if (error > 0)
        error = find->dicomdir != NULL ? put_dicomdir(queue, find) : 0;
    else if (error == 0) {
        find_fini(find);
        return 0;
    }
    if (error < 0) {
        find_fini(find);
        return error;
    }
    return find->kind == FIND_FOLDER ? put_folder(queue, find, folders) : put_path(queue, find);
}

void scan_queue_add(struct scan_queue *queue, struct scan_piece *piece)
{
    if (queue->dropped) {
        queue->out -= queue->asks;
        scan_piece_destroy(piece);
        return;
    }
    queue->names += piece->count;
    append(queue, SCAN, piece);
}

/* ---- out of the queue ---- */

/* Some of the files that DICOMDIRs name. */
static int name_files(struct scan_queue *queue)
{
    struct list_node *node = list_first(&queue->dicomdirs);
    while (node != NULL && list_entry(node, struct named_files, node)->ended)
        node = list_next(&queue->dicomdirs, node);
    if (node == NULL)
        return 0;
    struct named_files *files = list_entry(node, struct named_files, node);
    for (int i = 0; i < NAMES_AT_ONCE; i++) {
        const char *name = dicomdir_next(files->dicomdir);
        files->ended = name == NULL;
        if (name == NULL)
            return 0;
        struct find find = find_make_given(name, true);
        find.named_by = files->dicomdir;
        int error = find.path != NULL ? put_path(queue, &find) : -ENOMEM;
        if (error < 0)
            return error;
    }
    return 0;
}

static bool has_place(const struct scan_queue *queue)
{
    return !list_is_empty(&queue->folders) || (!queue->given_taken && !queue->given_ended);
}

static void take_place(struct scan_queue *queue, struct scan_job *ret_job)
{
    struct list_node *node = list_pop(&queue->folders);
    if (node == NULL) {
        ret_job->kind = SCAN_JOB_GIVEN;
        queue->given_taken = true;
        return;
    }
    size_t room = queue->names < SCAN_NAMES_MAX ? SCAN_NAMES_MAX - queue->names : 0;
    ret_job->kind = SCAN_JOB_FOLDER;
    ret_job->folder = list_entry(node, struct folder, node);
    ret_job->names = room / 2 > SCAN_NAMES_LEAST ? room / 2 : SCAN_NAMES_LEAST;
    queue->names--;
}

static struct scan_piece *take_piece(struct scan_queue *queue, int stage, bool full)
{
    struct scan_piece *piece = queue->filling[stage];
    if (full) {
        struct list_node *node = list_pop(stage == LOOK ? &queue->looks : &queue->scans);
        piece = node != NULL ? list_entry(node, struct scan_piece, node) : NULL;
        queue->pieces -= piece != NULL;
    } else {
        queue->filling[stage] = NULL;
    }
    if (piece != NULL)
        queue->names -= piece->count < queue->names ? piece->count : queue->names;
    return piece;
}

/* A piece is begun with when it is taken for the first time, or, if it turns out then what it is, for the second. */
static bool begins(const struct scan_queue *queue, int stage)
{
    return stage == (queue->asks ? LOOK : SCAN);
}

static bool take_stage(struct scan_queue *queue, int stage, bool full, struct scan_job *ret_job)
{
    if (begins(queue, stage) && queue->out >= SCAN_PIECES_OUT)
        return false;
    ret_job->piece = take_piece(queue, stage, full);
    if (ret_job->piece == NULL)
        return false;
    queue->out += begins(queue, stage);
    ret_job->kind = stage == LOOK ? SCAN_JOB_LOOK : SCAN_JOB_SCAN;
    return true;
}

int scan_queue_take(struct scan_queue *queue, unsigned scanners, struct scan_job *ret_job)
{
    int error = 0;
    *ret_job = (struct scan_job){.kind = SCAN_JOB_NONE};
    if (queue->pieces < scanners)
        error = name_files(queue);
    if (error < 0)
        return error;
    if (queue->pieces < scanners && has_place(queue))
        take_place(queue, ret_job);
    else if (!take_stage(queue, SCAN, true, ret_job) && !take_stage(queue, LOOK, true, ret_job) &&
             !take_stage(queue, SCAN, false, ret_job))
        (void)take_stage(queue, LOOK, false, ret_job);
    queue->taken += ret_job->kind != SCAN_JOB_NONE;
    return 0;
}

/* ---- back from a job ---- */

/* What was looked at is now what it is: folders become places, what counts is left. */
static int sort_piece(struct scan_queue *queue, struct scan_piece *piece)
{
    size_t left = 0;
    int error = 0;
    for (size_t i = 0; i < piece->count; i++) {
        struct find *find = &piece->finds[i];
        int admitted = error == 0 ? admit(queue, find) : 0;
        if (admitted > 0 && find->dicomdir != NULL)
            admitted = put_dicomdir(queue, find) < 0 ? -ENOMEM : 1;
        if (admitted < 0)
            error = admitted;
        if (admitted > 0 && find->kind == FIND_FOLDER)
            error = put_folder(queue, find, NULL);
        else if (admitted > 0)
            piece->finds[left++] = *find;
        else
            find_fini(find);
    }
    piece->count = left;
    return error;
}

static int finish_look(struct scan_queue *queue, struct scan_piece *piece, struct scan_piece **ret_piece)
{
    int error = sort_piece(queue, piece);
    if (error < 0 || piece->count == 0) {
        queue->out -= queue->asks;
        scan_piece_destroy(piece);
    } else if (queue->asks) {
        *ret_piece = piece;
    } else {
        scan_queue_add(queue, piece);
    }
    return error;
}

int scan_queue_finish(struct scan_queue *queue, const struct scan_job *job, struct list *folders,
                      struct scan_piece **ret_piece)
{
    *ret_piece = NULL;
    queue->taken--;
    if (job->kind == SCAN_JOB_GIVEN)
        queue->given_taken = false;
    if (job->kind == SCAN_JOB_SCAN)
        *ret_piece = job->piece;
    if (job->kind == SCAN_JOB_LOOK)
        return finish_look(queue, job->piece, ret_piece);
    if (job->kind != SCAN_JOB_FOLDER)
        return 0;
    if (queue->dropped)
        drop_folders(folders);
    if (folder_is_open(job->folder) && !queue->dropped) {
        list_prepend(&queue->folders, &job->folder->node);
        queue->names++;
    } else {
        folder_destroy(job->folder);
    }
    list_splice(folders, &queue->folders); /* the folders found come before those that wait */
    list_splice(&queue->folders, folders);
    return 0;
}

void scan_queue_release(struct scan_queue *queue, struct scan_piece *piece)
{
    queue->out--;
    scan_piece_destroy(piece);
}

size_t scan_queue_waiting(const struct scan_queue *queue)
{
    size_t folders = 0;
    for (struct list_node *node = list_first(&queue->folders); node != NULL && folders < 64;
         node = list_next(&queue->folders, node))
        folders++;
    return queue->pieces + folders + (queue->filling[LOOK] != NULL) + (queue->filling[SCAN] != NULL);
}

bool scan_queue_is_done(const struct scan_queue *queue)
{
    for (struct list_node *node = list_first(&queue->dicomdirs); node != NULL;
         node = list_next(&queue->dicomdirs, node))
        if (!list_entry(node, struct named_files, node)->ended)
            return false;
    return queue->taken == 0 && queue->out == 0 && queue->pieces == 0 && queue->filling[LOOK] == NULL &&
           queue->filling[SCAN] == NULL && list_is_empty(&queue->folders) && queue->given_ended;
}
