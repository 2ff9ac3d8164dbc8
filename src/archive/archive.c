/*
 * archive - see archive/archive.h: the acceptor, a client for each association, and who serves which request.
 */
#include "archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive_private.h"
#include "serve/listening.h"

/* All wait for a frame that is decoded: it is given up sooner than where a thread sends. */
enum { FRAME_TIMEOUT_MS = 10 * 1000 };

/* ---- requests ---- */

static uint16_t on_begin(void *context, struct dicomnet_query_request *request, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct client *client = context;
    switch (request->service) {
    case DICOMNET_QUERY_FIND:
        return find_begin(client->archive, request, ret_comment);
    case DICOMNET_QUERY_MOVE:
        return move_begin(client->archive, request, ret_comment);
    default:
        return get_begin(client->archive, request, ret_comment);
    }
}

static void on_ready(void *context, struct dicomnet_query_request *request)
{
    static void (*const readies[])(struct dicomnet_query_request *) = {
        [DICOMNET_QUERY_FIND] = find_ready, [DICOMNET_QUERY_MOVE] = move_ready, [DICOMNET_QUERY_GET] = get_ready};
    (void)context;
    readies[request->service](request);
}

static void on_cancelled(void *context, struct dicomnet_query_request *request)
{
    (void)context;
    if (request->service == DICOMNET_QUERY_MOVE)
        move_cancelled(request);
}

static void on_stored(void *context, struct dicomnet_query_request *request, struct dicomnet_store *store)
{
    (void)context;
    get_stored(request, store);
}

static void on_ended(void *context, struct dicomnet_query_request *request)
{
    static void (*const ends[])(struct dicomnet_query_request *) = {
        [DICOMNET_QUERY_FIND] = find_ended, [DICOMNET_QUERY_MOVE] = move_ended, [DICOMNET_QUERY_GET] = get_ended};
    (void)context;
    ends[request->service](request);
}

/* ---- negotiation ---- */

/* How a syntax that is proposed for a class suits the instances of it that are held. */
struct suited {
    uint64_t sent;  /* how many of them can be sent in it, converted or not */
    uint64_t steps; /* how far down their lists of fallbacks it stands, over all of them: 0 = as they lie */
};

static struct suited suit(const struct index_held *held, size_t count, enum transcode allowed, const char *syntax_uid)
{
    const struct fallback_policy policy = {.allowed = allowed};
    struct suited suited = {0};
    for (size_t i = 0; i < count; i++) {
        const char *syntaxes[FALLBACK_MAX];
        size_t ways = fallback_list(&policy, held[i].syntax_uid, syntaxes);
        for (size_t step = 0; step < ways; step++) {
            if (strcmp(syntaxes[step], syntax_uid) != 0)
                continue;
            suited.sent += held[i].instances;
            suited.steps += step * held[i].instances;
        }
    }
    return suited;
}

/*
 * Of the syntaxes that are proposed for a class, the one in which most of its instances can be sent by a C-GET, and of
 * several such the one that takes the fewest steps; Explicit VR Little Endian if that leaves a choice, as many
 * requestors put Implicit first.
 */
static bool prefer(void *context, const char *class_uid, struct dicomnet_span syntaxes,
                   struct dicomnet_span *ret_syntax)
{
    const struct client *client = context;
    struct index_held held[INDEX_HELD_MAX];
    size_t count = index_find_held(client->archive->index, class_uid, held);
    char syntax_uid[DICOMNET_UID_SIZE];
    struct suited best = {0};
    bool chosen = false;
    if (count == 0)
        return false;
    for (struct dicomnet_span syntax; dicomnet_pdu_next_transfer_syntax(&syntaxes, &syntax);) {
        dicomnet_span_copy_trimmed(syntax, syntax_uid, sizeof syntax_uid);
        struct suited suited = suit(held, count, client->archive->options.transcode, syntax_uid);
        bool is_explicit = strcmp(syntax_uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN) == 0;
        bool is_as_good = suited.sent == best.sent && suited.steps == best.steps;
        bool is_better = suited.sent > best.sent || (suited.sent == best.sent && suited.steps < best.steps);
        if (!is_better && !(is_as_good && is_explicit))
            continue;
        best = suited;
        *ret_syntax = syntax;
        chosen = true;
    }
    return chosen;
}

/* ---- clients ---- */

static void free_client(struct client *client)
{
    guest_leave(&client->guest);
    free(client);
}

static void on_closed(void *context, const struct dicomnet_association_end *end)
{
    struct client *client = context;
    struct archive *archive = client->archive;
    (void)end;
    free_client(client);
    archive_free_if_over(archive);
}

static const struct dicomnet_query_provider_handler provider_handler = {.begin = on_begin,
                                                                        .ready = on_ready,
                                                                        .cancelled = on_cancelled,
                                                                        .stored = on_stored,
                                                                        .ended = on_ended,
                                                                        .closed = on_closed};

static const struct dicomnet_association_handler *on_connected(void *user, void **ret_user)
{
    struct archive *archive = user;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->archive = archive;
    const struct dicomnet_query_provider_options options = {
        .size = sizeof(struct dicomnet_query_provider_options),
        .handler = &provider_handler,
        .context = client,
        .sink = archive->options.output_dir != NULL ? &archive_sink : NULL,
        .sink_context = client,
        .prefer = prefer,
        .accept_syntaxes = archive->options.accept_syntaxes,
        .accept_syntax_count = archive->options.accept_syntax_count,
        .dimse_ms = archive->options.acceptor.association.timeouts.dimse_ms};
    if (dicomnet_query_provider_create(&client->provider, archive->loop, &options) != 0) {
        free(client);
        return NULL;
    }
    guest_enter(&client->guest, &archive->guests);
    archive->totals.associations++;
    *ret_user = client->provider;
    return &dicomnet_query_provider_association_handler;
}

static void on_accepted(void *user, void *association_user, struct dicomnet_association *association)
{
    struct archive *archive = user;
    struct client *client = (struct client *)guest_accepted(&archive->guests, association); /* its first member */
    if (association != NULL)
        return;
    dicomnet_query_provider_destroy(association_user);
    free_client(client);
}

static const struct dicomnet_acceptor_handler acceptor_handler = {.connected = on_connected, .accepted = on_accepted};

/* ---- what else is read of an instance ---- */

static bool wants(void *context, uint32_t tag)
{
    const struct attribute *attribute = attribute_find(tag);
    (void)context;
    return tag == DICOMNET_TAG_SPECIFIC_CHARACTER_SET || (attribute != NULL && attribute->expression == NULL);
}

static void found(void *context, uint32_t tag, struct dicomnet_span value, bool big_endian)
{
    struct archive *archive = context;
    attribute_values_set(&archive->values, tag, value, big_endian);
}

/* ---- the whole ---- */

static void free_archive(struct archive *archive)
{
    if (archive->options.output_dir != NULL)
        part10_folder_close(&archive->folder);
    decoder_destroy(archive->decoder);
    arrival_check_destroy(archive->check);
    index_close(archive->index);
    free(archive);
}

void archive_free_if_over(struct archive *archive)
{
    if (archive->closing && archive->turn_closed && list_is_empty(&archive->guests) && archive->moves == 0)
        free_archive(archive);
}

/* SQLite would follow a symbolic link, so that whoever may write into the folder could make it write to any file. */
static bool index_is_link(const struct archive *archive)
{
    struct stat status;
    return fstatat(archive->folder.fd, "index.sqlite", &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

/* What looks at files, folder, index, and what is in them. 0, or an error and a line about it. */
static int open_store(struct archive *archive, char *ret_problem, size_t size)
{
    const struct archive_options *options = &archive->options;
    /* Strict: an instance without well-formed UIDs could not be found again. */
    const struct arrival_options arrival = {.strict = true, .wants = wants, .found = found, .context = archive};
    const char *folder = options->output_dir;
    char *path = NULL;
    int error = 0;
    archive->check = arrival_check_create(&arrival);
    archive->decoder = decoder_create(&(struct decoder_options){.frame_timeout_ms = FRAME_TIMEOUT_MS});
    archive->folder.fd = -1;
    if (archive->check == NULL || archive->decoder == NULL ||
        (folder != NULL && asprintf(&path, "%s/index.sqlite", folder) < 0))
        error = -ENOMEM;
    if (error == 0 && folder != NULL)
        error = part10_folder_open(&archive->folder, folder, options->sync);
    archive->folder.mode = options->mode;
    if (error != 0) {
        snprintf(ret_problem, size, "%s: %s", folder != NULL ? folder : "scanner", dicomnet_error_text(error));
        free(path);
        return error;
    }
    if (folder != NULL && index_is_link(archive)) {
        snprintf(ret_problem, size, "%s: it is a symbolic link, which is not followed", path);
        free(path);
        return -ELOOP;
    }
    error = index_open(&archive->index, path, options->reindex);
    if (error == 0)
        error = archive_fill(archive);
    if (error == -EIO && archive->index != NULL)
        snprintf(ret_problem, size, "%s: %s (it can be made anew with --reindex)", path != NULL ? path : "index",
                 index_problem(archive->index));
    else if (error != 0)
        snprintf(ret_problem, size, "%s: %s", folder != NULL ? folder : "index", dicomnet_error_text(error));
    free(path);
    return error;
}

int archive_open(struct archive **ret_archive, struct uv_loop_s *loop, const struct archive_options *options,
                 char *ret_problem, size_t problem_size)
{
    struct archive *archive = calloc(1, sizeof *archive);
    if (archive == NULL) {
        snprintf(ret_problem, problem_size, "%s", dicomnet_error_text(-ENOMEM));
        return -ENOMEM;
    }
    archive->options = *options;
    archive->loop = loop;
    list_init(&archive->guests);
    list_init(&archive->resting);
    int error = open_store(archive, ret_problem, problem_size);
    if (error == 0) {
        error = dicomnet_acceptor_open(&archive->acceptor, loop, &options->acceptor, &acceptor_handler, archive);
        if (error != 0)
            listening_say_failure(&options->acceptor, error, ret_problem, problem_size);
    }
    if (error != 0) {
        free_archive(archive);
        return error;
    }
    uv_idle_init(loop, &archive->turn);
    archive->turn.data = archive;
    *ret_archive = archive;
    return 0;
}

uint16_t archive_port(const struct archive *archive)
{
    return dicomnet_acceptor_port(archive->acceptor);
}

const struct archive_totals *archive_totals(const struct archive *archive)
{
    return &archive->totals;
}

static void on_turn_closed(uv_handle_t *handle)
{
    struct archive *archive = handle->data;
    archive->turn_closed = true;
    archive_free_if_over(archive);
}

void archive_close(struct archive *archive)
{
    archive->closing = true;
    dicomnet_acceptor_close(archive->acceptor);
    uv_close((uv_handle_t *)&archive->turn, on_turn_closed);
}
