/* echo_and_store_scu HOST PORT AE FILE - asks by C-ECHO whether the peer is there, then stores one DICOM file. */
#include <dicomnet/data_source.h>
#include <dicomnet/file_meta.h>
#include <dicomnet/storage.h>
#include <dicomnet/verification.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static uint8_t file[64 * 1024 * 1024];
static struct dicomnet_file_meta meta;
static struct dicomnet_memory_source data_set;
static struct dicomnet_store store = {
    .class_uid = meta.class_uid, .instance_uid = meta.instance_uid, .source = &data_set.source};

static void on_echoed(void *user, const struct dicomnet_verification_result *result)
{
    printf("echo: %s\n", result->error != 0 ? dicomnet_error_text(result->error) : "answered");
}

static void on_opened(struct dicomnet_storage_user *user, void *context)
{
    const struct dicomnet_association_context *agreed =
        dicomnet_storage_user_find_context(user, meta.class_uid, meta.syntax_uid);
    store.context_id = agreed != NULL ? agreed->id : 0;
    store.error = dicomnet_storage_user_store(user, &store);
    dicomnet_storage_user_release(user);
}

static void on_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *done)
{
    printf("store: %s, status %04X %s\n", done->answered ? "answered" : "no answer", done->status, done->comment);
}

static void on_closed(struct dicomnet_storage_user *user, void *context, const struct dicomnet_association_end *end)
{
    char text[160];
    dicomnet_association_describe_end(end, text, sizeof text);
    printf("association: %s\n", text);
}

int main(int argc, char **argv)
{
    static const struct dicomnet_storage_user_handler handler = {
        .opened = on_opened, .done = on_done, .closed = on_closed};
    FILE *stream = argc == 5 ? fopen(argv[4], "rb") : NULL;
    size_t len = stream != NULL ? fread(file, 1, sizeof file, stream) : 0;
    ssize_t begin = dicomnet_file_meta_decode((struct dicomnet_span){file, len}, &meta);
    if (begin < 0)
        return 2;
    dicomnet_memory_source_init(&data_set, file + begin, len - (size_t)begin);
    struct dicomnet_association_proposal proposal = {
        .abstract_syntax = meta.class_uid, .syntax_count = 1, .syntaxes = {meta.syntax_uid}};
    struct dicomnet_association_options options = {.parameters = {.host = argv[1],
                                                                  .port = (uint16_t)strtoul(argv[2], NULL, 10),
                                                                  .calling_ae = "EXAMPLE",
                                                                  .timeouts = dicomnet_association_default_timeouts},
                                                   .proposals = &proposal,
                                                   .proposal_count = 1};
    snprintf(options.parameters.called_ae, sizeof options.parameters.called_ae, "%s", argv[3]);
    struct dicomnet_verification *verification;
    struct dicomnet_storage_user *user;
    uv_loop_t loop;
    uv_loop_init(&loop);
    if (dicomnet_verification_echo(&verification, &loop, &options, on_echoed, NULL) == 0)
        uv_run(&loop, UV_RUN_DEFAULT);
    if (dicomnet_storage_user_open(&user, &loop, &options, &handler, NULL) == 0)
        uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop) == 0 && store.answered && store.status == DICOMNET_STATUS_SUCCESS ? 0 : 1;
}
