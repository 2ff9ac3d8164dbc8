/*
 * store_scp PORT AE - a storage SCP: keeps every instance that comes as UID.dcm in the current folder, until Ctrl-C.
 *
 * An instance is written beside its place and gets its name when it is whole and on disk: whatever breaks off, and
 * whatever the disk has no room for, a file UID.dcm is a whole instance. A second copy replaces the first.
 */
#include <dicomnet/acceptor.h>
#include <dicomnet/file_meta.h>
#include <dicomnet/storage.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

struct guest { /* an association: the instance that comes */
    char name[DICOMNET_UID_SIZE + 4];
    char partial[sizeof "incoming-XXXXXX"];
    FILE *file;
};

static void forget(struct guest *guest)
{
    if (guest->file != NULL)
        fclose(guest->file);
    guest->file = NULL;
    unlink(guest->partial);
}

static uint16_t begin(void *context, struct dicomnet_association *association, uint8_t id,
                      const struct dicomnet_dimse_command *request)
{
    struct guest *guest = context;
    struct dicomnet_file_meta meta;
    uint8_t head[DICOMNET_FILE_META_SIZE_MAX];
    if (!dicomnet_uid_is_well_formed(request->instance_uid, strlen(request->instance_uid)))
        return DICOMNET_STATUS_CANNOT_UNDERSTAND; /* it would become the name of a file */
    const struct dicomnet_association_context *agreed = dicomnet_association_find_context(association, id);
    snprintf(meta.class_uid, sizeof meta.class_uid, "%s", agreed->abstract_syntax);
    snprintf(meta.instance_uid, sizeof meta.instance_uid, "%s", request->instance_uid);
    snprintf(meta.syntax_uid, sizeof meta.syntax_uid, "%s", agreed->transfer_syntax);
    snprintf(guest->name, sizeof guest->name, "%s.dcm", request->instance_uid);
    strcpy(guest->partial, "incoming-XXXXXX");
    ssize_t len = dicomnet_file_meta_encode(&meta, head, sizeof head);
    int fd = len > 0 ? mkstemp(guest->partial) : -1;
    if (fd < 0)
        return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    guest->file = fdopen(fd, "wb");
    if (guest->file == NULL) {
        close(fd);
        forget(guest);
        return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    }
    (void)!fwrite(head, (size_t)len, 1, guest->file); /* `end` looks at what became of it */
    return DICOMNET_STATUS_SUCCESS;
}

static void bytes(void *context, struct dicomnet_span bytes)
{
    (void)!fwrite(bytes.data, bytes.len, 1, ((struct guest *)context)->file);
}

/* The data set is complete. What is answered 0000 is on disk and has its name. */
static uint16_t end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct guest *guest = context;
    bool kept = ferror(guest->file) == 0 && fflush(guest->file) == 0 && fsync(fileno(guest->file)) == 0;
    kept = fclose(guest->file) == 0 && kept;
    guest->file = NULL;
    kept = kept && rename(guest->partial, guest->name) == 0;
    if (!kept) {
        strcpy(ret_comment, "the file could not be written");
        forget(guest);
    }
    printf("%s %s\n", kept ? "stored" : "failed", guest->name);
    fflush(stdout);
    return kept ? DICOMNET_STATUS_SUCCESS : DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
}

static void cancel(void *context) /* the association ended before the instance did */
{
    forget(context);
}

static const struct dicomnet_association_handler *connected(void *loop, void **ret_user)
{
    static const struct dicomnet_storage_sink sink = {.begin = begin, .bytes = bytes, .end = end, .cancel = cancel};
    struct dicomnet_storage_provider_options options = {
        .size = sizeof(struct dicomnet_storage_provider_options), .sink = &sink, .context_size = sizeof(struct guest)};
    struct dicomnet_storage_provider *provider;
    if (dicomnet_storage_provider_create(&provider, loop, &options) != 0)
        return NULL;
    *ret_user = provider;
    return &dicomnet_storage_provider_handler;
}

static void on_signal(uv_signal_t *signal, int number)
{
    dicomnet_acceptor_close(signal->data);
    uv_close((uv_handle_t *)signal, NULL);
}

int main(int argc, char **argv)
{
    static const struct dicomnet_acceptor_handler handler = {.connected = connected};
    unsigned long port = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    if (port == 0 || port > UINT16_MAX) {
        fprintf(stderr, "usage: store_scp PORT AE\n");
        return 2;
    }
    struct dicomnet_acceptor_options options = {
        .size = sizeof(struct dicomnet_acceptor_options),
        .bind_address = "127.0.0.1",
        .port = (uint16_t)port,
        .association = {.check_called_ae = true, .timeouts = dicomnet_association_default_timeouts}};
    struct dicomnet_acceptor *acceptor;
    uv_loop_t loop;
    uv_signal_t interrupt;
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error of its association */
    snprintf(options.association.ae, sizeof options.association.ae, "%s", argv[2]);
    uv_loop_init(&loop);
    int error = dicomnet_acceptor_open(&acceptor, &loop, &options, &handler, &loop);
    if (error != 0) {
        fprintf(stderr, "not listening: %s\n", dicomnet_error_text(error));
        return 1;
    }
    uv_signal_init(&loop, &interrupt);
    interrupt.data = acceptor;
    uv_signal_start(&interrupt, on_signal, SIGINT);
    printf("listening, port %u\n", dicomnet_acceptor_port(acceptor));
    fflush(stdout);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop) == 0 ? 0 : 1;
}
