/* store_scp PORT AE - a storage SCP: keeps every instance that comes as UID.dcm in the current folder. */
#include <dicomnet/acceptor.h>
#include <dicomnet/file_meta.h>
#include <dicomnet/storage.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct guest { /* an association: the file of the instance that comes */
    char path[DICOMNET_UID_SIZE + 4];
    FILE *file;
};

static uint16_t begin(void *context, struct dicomnet_association *association, uint8_t id,
                      const struct dicomnet_dimse_command *request)
{
    struct guest *guest = context;
    struct dicomnet_file_meta meta;
    uint8_t head[DICOMNET_FILE_META_SIZE_MAX];
    if (!dicomnet_uid_is_well_formed(request->instance_uid, strlen(request->instance_uid)))
        return DICOMNET_STATUS_CANNOT_UNDERSTAND;
    strcpy(meta.class_uid, request->class_uid);
    strcpy(meta.instance_uid, request->instance_uid);
    strcpy(meta.syntax_uid, dicomnet_association_find_context(association, id)->transfer_syntax);
    snprintf(guest->path, sizeof guest->path, "%s.dcm", request->instance_uid);
    ssize_t len = dicomnet_file_meta_encode(&meta, head, sizeof head);
    guest->file = len > 0 ? fopen(guest->path, "wb") : NULL;
    if (guest->file == NULL)
        return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    (void)!fwrite(head, (size_t)len, 1, guest->file);
    return DICOMNET_STATUS_SUCCESS;
}

static void bytes(void *context, struct dicomnet_span bytes)
{
    (void)!fwrite(bytes.data, bytes.len, 1, ((struct guest *)context)->file);
}

static uint16_t end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct guest *guest = context;
    bool failed = ferror(guest->file) != 0;
    failed = fclose(guest->file) != 0 || failed;
    printf("%s %s\n", failed ? "failed" : "stored", guest->path);
    return failed ? DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES : DICOMNET_STATUS_SUCCESS;
}

static void cancel(void *context) /* the association ended before the instance did */
{
    struct guest *guest = context;
    fclose(guest->file);
    remove(guest->path);
}

static const struct dicomnet_association_handler *connected(void *loop, void **ret_user)
{
    static const struct dicomnet_storage_sink sink = {.begin = begin, .bytes = bytes, .end = end, .cancel = cancel};
    struct dicomnet_storage_provider_options options = {.sink = &sink, .context_size = sizeof(struct guest)};
    *ret_user = dicomnet_storage_provider_create(loop, &options);
    return *ret_user != NULL ? &dicomnet_storage_provider_handler : NULL;
}

int main(int argc, char **argv)
{
    static const struct dicomnet_acceptor_handler handler = {.connected = connected};
    struct dicomnet_acceptor_options options = {
        .bind_address = "127.0.0.1",
        .port = argc == 3 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0,
        .association = {.check_called_ae = true, .timeouts = dicomnet_association_default_timeouts}};
    struct dicomnet_acceptor *acceptor;
    uv_loop_t loop;
    snprintf(options.association.ae, sizeof options.association.ae, "%s", argc == 3 ? argv[2] : "STORE_SCP");
    uv_loop_init(&loop);
    int error = dicomnet_acceptor_open(&acceptor, &loop, &options, &handler, &loop);
    printf("%s, port %u\n", error != 0 ? dicomnet_error_text(error) : "listening",
           error != 0 ? 0 : dicomnet_acceptor_port(acceptor));
    fflush(stdout);
    return error != 0 || uv_run(&loop, UV_RUN_DEFAULT);
}
