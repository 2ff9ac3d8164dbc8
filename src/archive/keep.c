/*
 * keep - C-STORE: an instance is looked at, becomes a file under its final name, then a row of the index, then the
 * answer 0000. If the process dies in between, the next start finds the file. See archive/archive_private.h.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "archive/archive_private.h"
#include "instance/instance.h"

static uint16_t refuse(struct client *client, uint16_t status, const char *text)
{
    struct archive *archive = client->archive;
    guest_log_refused(archive->options.logger, client->guest.instance_uid, status, text);
    archive->totals.refused++;
    return status;
}

static uint16_t begin(void *context, struct dicomnet_association *association, uint8_t context_id,
                      const struct dicomnet_dimse_command *request)
{
    struct client *client = context;
    char comment[DICOMNET_COMMENT_SIZE];
    guest_begin(&client->guest, association, request);
    uint16_t status = guest_open_file(&client->guest, &client->archive->folder, context_id, request, comment);
    return status == DICOMNET_STATUS_SUCCESS ? status : refuse(client, status, comment);
}

static void take_bytes(void *context, struct dicomnet_span bytes)
{
    struct client *client = context;
    guest_append(&client->guest, bytes);
}

/* The look of guest_keep: is what came whole, and is it what the request says? */
struct look {
    struct client *client;
    struct instance *instance; /* what it is; NULL = it was not looked at */
};

static enum outcome_reason look_at(void *context, const char *name)
{
    struct look *look = context;
    const struct guest *guest = &look->client->guest;
    return archive_look_at(look->client->archive, name, guest->class_uid, guest->instance_uid, &look->instance);
}

/* The file has its final name. If it cannot be indexed, nobody could find it: it is removed again. */
static uint16_t index_it(struct client *client, const struct instance *instance,
                         char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct archive *archive = client->archive;
    const char *name = client->guest.writer->final_name;
    int error = archive_add(archive, name, instance);
    if (error == 0)
        return DICOMNET_STATUS_SUCCESS;
    snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "it cannot be indexed: %.40s",
             error == -EIO ? index_problem(archive->index) : dicomnet_error_text(error));
    unlinkat(archive->folder.fd, name, 0);
    return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
}

static uint16_t end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct client *client = context;
    struct archive *archive = client->archive;
    struct look look = {.client = client};
    bool is_new;
    uint16_t status = guest_keep(&client->guest, look_at, &look, &is_new, ret_comment);
    if (is_new)
        status = index_it(client, look.instance, ret_comment);
    instance_destroy(look.instance);
    if (status != DICOMNET_STATUS_SUCCESS)
        return refuse(client, status, ret_comment);
    archive->totals.stored++;
    guest_log_stored(archive->options.logger, client->guest.instance_uid, client->guest.bytes, status);
    return status;
}

static void cancel(void *context)
{
    struct client *client = context;
    guest_drop(&client->guest);
}

const struct dicomnet_storage_sink archive_sink = {.begin = begin, .bytes = take_bytes, .end = end, .cancel = cancel};
