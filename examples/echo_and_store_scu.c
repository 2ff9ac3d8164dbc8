/*
 * echo_and_store_scu HOST PORT AE FILE - asks by C-ECHO whether the peer is there, then stores one DICOM file, both on
 * one association. Ends with 0 if the peer took it, 1 if not, 2 if there was nothing to send.
 */
#include <dicomnet/data_source.h>
#include <dicomnet/exchange.h>
#include <dicomnet/file_meta.h>
#include <dicomnet/storage.h>
#include <dicomnet/verification.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

struct job {
    struct dicomnet_file_meta meta;             /* what the file says that it is */
    struct dicomnet_descriptor_source data_set; /* what follows: it is read while it is sent */
    struct dicomnet_store store;
    bool begun, stored;
};

static void on_echoed(void *user, const struct dicomnet_verification_result *result)
{
    if (result->error != 0)
        printf("echo: %s\n", dicomnet_error_text(result->error));
    else
        printf("echo: answered, status %04X\n", result->status);
}

/* Something can be prepared. The C-ECHO was asked for first: the store may begin when it has been answered. */
static void on_ready(struct dicomnet_storage_user *user, void *context)
{
    struct job *job = context;
    if (job->begun || !dicomnet_storage_user_can_store(user))
        return;
    job->begun = true;
    const struct dicomnet_association_context *agreed =
        dicomnet_storage_user_find_context(user, job->meta.class_uid, job->meta.syntax_uid);
    job->store = (struct dicomnet_store){.context_id = agreed != NULL ? agreed->id : 0,
                                         .class_uid = job->meta.class_uid,
                                         .instance_uid = job->meta.instance_uid,
                                         .source = &job->data_set.source};
    int error = agreed != NULL ? dicomnet_storage_user_store(user, &job->store) : DICOMNET_ERROR_NO_CONTEXT;
    if (error != 0)
        printf("store: not sent: %s\n", dicomnet_error_text(error));
    dicomnet_storage_user_release(user);
}

static void on_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store)
{
    struct job *job = context;
    if (store->answered)
        printf("store: answered, status %04X, %s\n", store->status, dicomnet_status_text(store->status));
    else
        printf("store: no answer: %s\n", dicomnet_error_text(store->error));
    /* Bxxx is a warning: it is stored all the same. */
    job->stored = store->answered && (store->status == DICOMNET_STATUS_SUCCESS || store->status >> 12 == 0xB);
}

static void on_closed(struct dicomnet_storage_user *user, void *context, const struct dicomnet_association_end *end)
{
    char text[160];
    dicomnet_association_describe_end(end, text, sizeof text);
    printf("association: %s\n", text);
}

static const struct dicomnet_storage_user_handler storage_handler = {
    .ready = on_ready, .done = on_done, .closed = on_closed};

/* Opens what is left open until the program ends. Returns 0, or says why not. */
static int open_file(struct job *job, const char *path)
{
    uint8_t head[16 * 1024]; /* longer than what stands before any data set */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t len = fd >= 0 ? pread(fd, head, sizeof head, 0) : -1;
    if (len < 0) {
        perror(path);
        return -1;
    }
    ssize_t offset = dicomnet_file_meta_decode((struct dicomnet_span){head, (size_t)len}, &job->meta);
    int error = offset > 0 ? dicomnet_descriptor_source_init(&job->data_set, fd, (uint64_t)offset) : -EINVAL;
    if (error != 0 || job->data_set.source.len == 0) {
        fprintf(stderr, "%s: no DICOM file, or one without a data set\n", path);
        return -1;
    }
    return 0;
}

/* Sends what was asked for. Returns 0 or the error of what could not even begin. */
static int run(struct job *job, const char *host, uint16_t port, const char *ae_title)
{
    const struct dicomnet_association_proposal proposals[] = {
        {.abstract_syntax = DICOMNET_UID_VERIFICATION,
         .syntax_count = 1,
         .syntaxes = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}},
        {.abstract_syntax = job->meta.class_uid, .syntax_count = 1, .syntaxes = {job->meta.syntax_uid}}};
    struct dicomnet_association_options options = {.size = sizeof(struct dicomnet_association_options),
                                                   .parameters = {.host = host,
                                                                  .port = port,
                                                                  .calling_ae = "EXAMPLE",
                                                                  .timeouts = dicomnet_association_default_timeouts},
                                                   .proposals = proposals,
                                                   .proposal_count = 2};
    struct dicomnet_exchange *exchange;
    struct dicomnet_verification *echo;
    struct dicomnet_storage_user *user;
    uv_loop_t loop;
    snprintf(options.parameters.called_ae, sizeof options.parameters.called_ae, "%s", ae_title);
    uv_loop_init(&loop);
    int error = dicomnet_exchange_open(&exchange, &loop, &options, NULL, NULL);
    if (error != 0)
        return error;
    error = dicomnet_verification_join(&echo, exchange, on_echoed, NULL);
    if (error == 0)
        error = dicomnet_storage_user_join(&user, exchange, &storage_handler, job);
    if (error != 0)
        dicomnet_exchange_abort(exchange, error);
    dicomnet_exchange_release(exchange); /* when both have had their answer */
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop) != 0 ? UV_EBUSY : error;
}

int main(int argc, char **argv)
{
    static struct job job;
    unsigned long port = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
    if (port == 0 || port > UINT16_MAX || open_file(&job, argv[4]) != 0) {
        fprintf(stderr, "usage: echo_and_store_scu HOST PORT AE FILE\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error of the association */
    int error = run(&job, argv[1], (uint16_t)port, argv[3]);
    if (error != 0)
        fprintf(stderr, "%s\n", dicomnet_error_text(error));
    return job.stored ? 0 : 1;
}
