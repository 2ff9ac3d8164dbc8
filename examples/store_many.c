/*
 * store_many HOST PORT AE FILE... - stores many DICOM files over four associations at once, all on one loop.
 *
 * Each association takes the next file as soon as it can. A file that an association lost is not tried again, and said;
 * what no association is left for is not sent. Ends with 0 if the peer took all, 1 if not, 2 if there was nothing to
 * send.
 */
#include <dicomnet/data_source.h>
#include <dicomnet/file_meta.h>
#include <dicomnet/storage.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { ASSOCIATIONS = 4 };

struct file {
    const char *path;
    struct dicomnet_file_meta meta;
    uint64_t offset; /* of the data set; 0: no DICOM file */
};

struct job {
    struct file *files;
    size_t count, next;
    size_t stored;
    struct dicomnet_association_proposal proposals[DICOMNET_PDU_CONTEXTS_MAX];
    size_t proposal_count;
};

struct sender { /* an association, and the store under way on it */
    struct job *job;
    const struct file *file;
    struct dicomnet_store store;
    struct dicomnet_descriptor_source data_set;
};

/* ---- the files ---- */

/* Returns the descriptor, or -1 and says why. */
static int open_file(struct file *file)
{
    uint8_t head[16 * 1024]; /* longer than what stands before any data set */
    int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t len = fd >= 0 ? pread(fd, head, sizeof head, 0) : -1;
    if (len < 0)
        perror(file->path);
    ssize_t offset = len < 0 ? len : dicomnet_file_meta_decode((struct dicomnet_span){head, (size_t)len}, &file->meta);
    if (offset > 0 && offset < len) { /* there is a data set */
        file->offset = (uint64_t)offset;
        return fd;
    }
    if (len >= 0)
        fprintf(stderr, "%s: no DICOM file\n", file->path);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* One presentation context for each SOP class in each transfer syntax. */
static void propose(struct job *job, const struct file *file)
{
    for (size_t i = 0; i < job->proposal_count; i++)
        if (strcmp(job->proposals[i].abstract_syntax, file->meta.class_uid) == 0 &&
            strcmp(job->proposals[i].syntaxes[0], file->meta.syntax_uid) == 0)
            return;
    if (job->proposal_count < DICOMNET_PDU_CONTEXTS_MAX)
        job->proposals[job->proposal_count++] = (struct dicomnet_association_proposal){
            .abstract_syntax = file->meta.class_uid, .syntax_count = 1, .syntaxes = {file->meta.syntax_uid}};
}

static void look_at_files(struct job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        int fd = open_file(&job->files[i]);
        if (fd < 0)
            continue;
        close(fd);
        propose(job, &job->files[i]);
    }
}

/* ---- stores ---- */

static int begin_store(struct sender *sender, struct dicomnet_storage_user *user, struct file *file)
{
    const struct dicomnet_association_context *agreed =
        dicomnet_storage_user_find_context(user, file->meta.class_uid, file->meta.syntax_uid);
    if (agreed == NULL)
        return DICOMNET_ERROR_NO_CONTEXT;
    int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int error = dicomnet_descriptor_source_init(&sender->data_set, fd, file->offset);
    sender->file = file;
    sender->store = (struct dicomnet_store){.context_id = agreed->id,
                                            .class_uid = file->meta.class_uid,
                                            .instance_uid = file->meta.instance_uid,
                                            .source = &sender->data_set.source};
    if (error == 0)
        error = dicomnet_storage_user_store(user, &sender->store);
    if (error != 0 && fd >= 0)
        close(fd);
    return error;
}

/* The association can take another store: the next file that can be sent, whoever's turn it is. */
static void on_ready(struct dicomnet_storage_user *user, void *context)
{
    struct sender *sender = context;
    struct job *job = sender->job;
    while (dicomnet_storage_user_can_store(user) && job->next < job->count) {
        struct file *file = &job->files[job->next++];
        int error = file->offset > 0 ? begin_store(sender, user, file) : 0;
        if (error != 0)
            fprintf(stderr, "%s: not sent: %s\n", file->path, dicomnet_error_text(error));
    }
    if (job->next == job->count)
        dicomnet_storage_user_release(user); /* once the store under way has been answered */
}

static void on_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store)
{
    struct sender *sender = context;
    close(sender->data_set.fd);
    if (!store->answered)
        fprintf(stderr, "%s: no answer: %s\n", sender->file->path, dicomnet_error_text(store->error));
    else if (store->status == DICOMNET_STATUS_SUCCESS || store->status >> 12 == 0xB) /* Bxxx: stored, with a warning */
        sender->job->stored++;
    else
        fprintf(stderr, "%s: status %04X, %s\n", sender->file->path, store->status,
                dicomnet_status_text(store->status));
}

static void on_closed(struct dicomnet_storage_user *user, void *context, const struct dicomnet_association_end *end)
{
    char text[160];
    dicomnet_association_describe_end(end, text, sizeof text);
    if (end->kind != DICOMNET_ASSOCIATION_RELEASED || end->error != 0)
        fprintf(stderr, "association: %s\n", text);
}

static void run(struct job *job, const char *host, uint16_t port, const char *ae_title)
{
    static const struct dicomnet_storage_user_handler handler = {
        .ready = on_ready, .done = on_done, .closed = on_closed};
    struct sender senders[ASSOCIATIONS] = {0};
    struct dicomnet_association_options options = {.size = sizeof(struct dicomnet_association_options),
                                                   .parameters = {.host = host,
                                                                  .port = port,
                                                                  .calling_ae = "EXAMPLE",
                                                                  .timeouts = dicomnet_association_default_timeouts},
                                                   .proposals = job->proposals,
                                                   .proposal_count = job->proposal_count};
    uv_loop_t loop;
    snprintf(options.parameters.called_ae, sizeof options.parameters.called_ae, "%s", ae_title);
    uv_loop_init(&loop);
    for (size_t i = 0; i < ASSOCIATIONS && i < job->count; i++) {
        struct dicomnet_storage_user *user;
        senders[i].job = job;
        int error = dicomnet_storage_user_open(&user, &loop, &options, &handler, &senders[i]);
        if (error != 0)
            fprintf(stderr, "no association: %s\n", dicomnet_error_text(error));
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

int main(int argc, char **argv)
{
    unsigned long port = argc >= 5 ? strtoul(argv[2], NULL, 10) : 0;
    if (port == 0 || port > UINT16_MAX) {
        fprintf(stderr, "usage: store_many HOST PORT AE FILE...\n");
        return 2;
    }
    struct job job = {.count = (size_t)argc - 4, .files = calloc((size_t)argc, sizeof *job.files)};
    if (job.files == NULL)
        return 2;
    for (size_t i = 0; i < job.count; i++)
        job.files[i].path = argv[i + 4];
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error of its association */
    look_at_files(&job);
    if (job.proposal_count > 0)
        run(&job, argv[1], (uint16_t)port, argv[3]);
    printf("%zu of %zu files stored\n", job.stored, job.count);
    free(job.files);
    return job.stored == job.count ? 0 : job.proposal_count > 0 ? 1 : 2;
}
