/*
 * query_retrieve_scp PORT AE FOLDER [AE=HOST:PORT]... - serves the DICOM files of a folder by C-FIND, C-GET and C-MOVE
 * (Study Root), until Ctrl-C. C-MOVE knows the destinations that are listed.
 *
 * What lies in the folder is read once, at the start, up to the pixel data; the rest of a file is read while it is
 * sent. Keys are matched by value, by wildcards and by lists of UIDs.
 */
#define _GNU_SOURCE /* memmem */
#include <dicomnet/acceptor.h>
#include <dicomnet/data_source.h>
#include <dicomnet/file_meta.h>
#include <dicomnet/query_retrieve.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

/* ---- the files ---- */

struct entry {
    char path[PATH_MAX];
    struct dicomnet_file_meta meta;
    uint64_t offset; /* of the data set */
    struct dicomnet_identifier attributes;
    struct entry *next;
};

static struct entry *entries;

/* The attributes that stand before the pixel data, in whatever syntax that is. */
static bool read_entry(struct entry *entry)
{
    static const uint8_t pixel_data[] = {0xE0, 0x7F, 0x10, 0x00};
    static uint8_t head[1024 * 1024];
    int fd = open(entry->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t len = fd >= 0 ? pread(fd, head, sizeof head, 0) : -1;
    if (fd >= 0)
        close(fd);
    ssize_t offset = len < 0 ? len : dicomnet_file_meta_decode((struct dicomnet_span){head, (size_t)len}, &entry->meta);
    if (offset <= 0)
        return false;
    const uint8_t *end = memmem(head + offset, (size_t)(len - offset), pixel_data, sizeof pixel_data);
    struct dicomnet_span bytes = {head + offset, end != NULL ? (size_t)(end - head - offset) : (size_t)(len - offset)};
    bool implicit = strcmp(entry->meta.syntax_uid, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN) == 0;
    entry->offset = (uint64_t)offset;
    return dicomnet_identifier_decode(&entry->attributes, bytes,
                                      implicit ? entry->meta.syntax_uid : DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN) == 0;
}

static void read_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *name;
    while (folder != NULL && (name = readdir(folder)) != NULL) {
        struct entry *entry = calloc(1, sizeof *entry);
        if (entry == NULL)
            break;
        dicomnet_identifier_init(&entry->attributes);
        bool fits = snprintf(entry->path, sizeof entry->path, "%s/%s", path, name->d_name) < PATH_MAX;
        if (fits && read_entry(entry)) {
            entry->next = entries;
            entries = entry;
        } else {
            dicomnet_identifier_fini(&entry->attributes);
            free(entry);
        }
    }
    if (folder != NULL)
        closedir(folder);
}

/* ---- which of them match ---- */

/* '*' is any text, '?' any character. */
static bool text_matches(const char *pattern, size_t pattern_len, const char *text)
{
    size_t i = 0, star = SIZE_MAX;
    const char *after_star = text;
    while (*text != '\0') {
        if (i < pattern_len && pattern[i] == '*') {
            star = ++i;
            after_star = text;
        } else if (i < pattern_len && (pattern[i] == '?' || pattern[i] == *text)) {
            i++;
            text++;
        } else if (star != SIZE_MAX) {
            i = star;
            text = ++after_star;
        } else {
            return false;
        }
    }
    while (i < pattern_len && pattern[i] == '*')
        i++;
    return i == pattern_len;
}

static bool key_matches(const struct entry *entry, const struct dicomnet_element *key)
{
    char text[1024];
    struct dicomnet_span value;
    size_t count = dicomnet_element_value_count(key);
    if (count == 0 || key->tag == DICOMNET_TAG_QUERY_RETRIEVE_LEVEL || key->tag == DICOMNET_TAG_SPECIFIC_CHARACTER_SET)
        return true;
    (void)dicomnet_identifier_get_text(&entry->attributes, key->tag, text, sizeof text);
    for (size_t i = 0; i < count; i++) /* several values: a list of UIDs */
        if (dicomnet_element_get_value(key, i, &value) && text_matches((const char *)value.data, value.len, text))
            return true;
    return false;
}

static bool entry_matches(const struct entry *entry, const struct dicomnet_identifier *keys)
{
    struct dicomnet_element key = {0};
    while (dicomnet_identifier_skip(keys, &key))
        if (!key_matches(entry, &key))
            return false;
    return true;
}

/* ---- requests ---- */

struct job {                                /* one request that is served */
    struct dicomnet_query_request *request; /* NULL: it is over, and only its C-MOVE goes on to its end */
    struct entry *next;
    struct dicomnet_query_counts counts;
    struct dicomnet_store store;
    struct dicomnet_descriptor_source data_set; /* of the store under way */
    struct dicomnet_storage_user *mover;
};

static struct {
    const char *ae_title, *host;
    uint16_t port;
} destinations[16];
static size_t destination_count;

static void finish(struct job *job)
{
    const struct dicomnet_query_counts *counts = &job->counts;
    bool is_find = job->request->service == DICOMNET_QUERY_FIND;
    struct dicomnet_query_finish said = {.counts = is_find ? NULL : counts};
    uint16_t status = DICOMNET_STATUS_SUCCESS;
    if (job->request->cancelled)
        status = DICOMNET_STATUS_CANCEL;
    else if (counts->failed > 0)
        status = counts->completed > 0 ? DICOMNET_STATUS_SUB_OPERATIONS_WARNING : DICOMNET_STATUS_UNABLE_TO_PERFORM;
    dicomnet_query_request_finish(job->request, status, &said);
}

static struct entry *next_match(struct job *job)
{
    while (job->next != NULL && !entry_matches(job->next, job->request->identifier))
        job->next = job->next->next;
    struct entry *match = job->next;
    if (match != NULL)
        job->next = match->next;
    return match;
}

/* True if another file, further on, speaks for the same patient, study or series: it will be the match. */
static bool comes_again(const struct job *job, const struct entry *match, uint32_t unique_key)
{
    char value[DICOMNET_UID_SIZE], other[DICOMNET_UID_SIZE];
    (void)dicomnet_identifier_get_text(&match->attributes, unique_key, value, sizeof value);
    for (const struct entry *entry = job->next; entry != NULL; entry = entry->next) {
        (void)dicomnet_identifier_get_text(&entry->attributes, unique_key, other, sizeof other);
        if (strcmp(value, other) == 0 && entry_matches(entry, job->request->identifier))
            return true;
    }
    return false;
}

/* What was asked for, as it is in the file, or empty. */
static int build_match(struct dicomnet_identifier *match, const struct entry *entry,
                       const struct dicomnet_identifier *keys)
{
    struct dicomnet_element key = {0}, found;
    int error = 0;
    while (error == 0 && dicomnet_identifier_skip(keys, &key)) {
        if (key.tag == DICOMNET_TAG_QUERY_RETRIEVE_LEVEL)
            error = dicomnet_identifier_set_element(match, keys, &key);
        else if (dicomnet_identifier_find(&entry->attributes, key.tag, &found))
            error = dicomnet_identifier_set_element(match, &entry->attributes, &found);
        else
            error = dicomnet_identifier_set_text(match, key.tag, "");
    }
    if (error == 0 && dicomnet_identifier_find(&entry->attributes, DICOMNET_TAG_SPECIFIC_CHARACTER_SET, &found))
        error = dicomnet_identifier_set_element(match, &entry->attributes, &found);
    return error;
}

static void answer_find(struct job *job)
{
    int level = dicomnet_query_level_of(job->request->identifier);
    uint32_t unique_key = dicomnet_query_level_key(level);
    struct entry *entry = next_match(job);
    while (entry != NULL && comes_again(job, entry, unique_key))
        entry = next_match(job);
    if (entry == NULL || job->request->cancelled) {
        finish(job);
        return;
    }
    struct dicomnet_identifier match;
    dicomnet_identifier_init(&match);
    int error = build_match(&match, entry, job->request->identifier);
    if (error == 0)
        error = dicomnet_query_request_match(job->request, &match, DICOMNET_STATUS_PENDING);
    if (error != 0)
        dicomnet_query_request_finish(job->request, DICOMNET_STATUS_UNABLE_TO_PROCESS, NULL);
    dicomnet_identifier_fini(&match);
}

/* ---- sub-operations: stores, on the requestor's association or on one of our own ---- */

static void end_store(struct job *job, const struct dicomnet_store *store)
{
    close(job->data_set.fd);
    job->data_set.fd = -1;
    job->counts.remaining--;
    if (store->answered && store->status == DICOMNET_STATUS_SUCCESS)
        job->counts.completed++;
    else if (store->answered && store->status >> 12 == 0xB)
        job->counts.warning++;
    else
        job->counts.failed++;
    if (job->request != NULL)
        dicomnet_query_request_progress(job->request, &job->counts);
}

static int begin_store(struct job *job, const struct entry *entry)
{
    const char *class_uid = entry->meta.class_uid, *syntax_uid = entry->meta.syntax_uid;
    const struct dicomnet_association_context *agreed =
        job->mover != NULL ? dicomnet_storage_user_find_context(job->mover, class_uid, syntax_uid)
                           : dicomnet_query_request_find_context(job->request, class_uid, syntax_uid);
    if (agreed == NULL)
        return DICOMNET_ERROR_NO_CONTEXT;
    int fd = open(entry->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int error = dicomnet_descriptor_source_init(&job->data_set, fd, entry->offset);
    job->store = (struct dicomnet_store){.context_id = agreed->id,
                                         .class_uid = class_uid,
                                         .instance_uid = entry->meta.instance_uid,
                                         .source = &job->data_set.source};
    if (job->mover != NULL) {
        job->store.originator_ae = dicomnet_association_calling_ae(job->request->association);
        job->store.originator_id = job->request->message_id;
    }
    if (error == 0)
        error = job->mover != NULL ? dicomnet_storage_user_store(job->mover, &job->store)
                                   : dicomnet_query_request_store(job->request, &job->store);
    if (error != 0 && fd >= 0)
        close(fd);
    return error;
}

/* False if there is nothing left to send. */
static bool store_next(struct job *job)
{
    struct entry *entry;
    while (!job->request->cancelled && (entry = next_match(job)) != NULL) {
        if (begin_store(job, entry) == 0)
            return true;
        job->counts.remaining--;
        job->counts.failed++;
    }
    return false;
}

/* What cannot be sent any more. */
static void fail_rest(struct job *job)
{
    if (job->request->cancelled)
        return;
    job->counts.failed += job->counts.remaining;
    job->counts.remaining = 0;
}

/* C-MOVE: the storage user can take another store. */
static void on_mover_ready(struct dicomnet_storage_user *user, void *context)
{
    struct job *job = context;
    if (job->request == NULL || (dicomnet_storage_user_can_store(user) && !store_next(job)))
        dicomnet_storage_user_release(user);
}

static void on_mover_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store)
{
    end_store(context, store);
}

static void on_mover_closed(struct dicomnet_storage_user *user, void *context,
                            const struct dicomnet_association_end *end)
{
    struct job *job = context;
    job->mover = NULL;
    if (job->request == NULL) {
        free(job);
        return;
    }
    fail_rest(job);
    finish(job);
}

/* An association with the destination, for the classes and syntaxes of what matches. */
static int open_mover(struct job *job, uv_loop_t *loop)
{
    static const struct dicomnet_storage_user_handler handler = {
        .ready = on_mover_ready, .done = on_mover_done, .closed = on_mover_closed};
    struct dicomnet_association_proposal proposals[DICOMNET_PDU_CONTEXTS_MAX];
    size_t i, count = 0, destination = 0;
    for (struct entry *entry = entries; entry != NULL && count < DICOMNET_PDU_CONTEXTS_MAX; entry = entry->next) {
        for (i = 0; i < count; i++)
            if (strcmp(proposals[i].abstract_syntax, entry->meta.class_uid) == 0 &&
                strcmp(proposals[i].syntaxes[0], entry->meta.syntax_uid) == 0)
                break;
        if (i == count && entry_matches(entry, job->request->identifier))
            proposals[count++] = (struct dicomnet_association_proposal){
                .abstract_syntax = entry->meta.class_uid, .syntax_count = 1, .syntaxes = {entry->meta.syntax_uid}};
    }
    while (strcmp(destinations[destination].ae_title, job->request->move_destination) != 0)
        destination++;
    struct dicomnet_association_options options = {.size = sizeof(struct dicomnet_association_options),
                                                   .parameters = {.host = destinations[destination].host,
                                                                  .port = destinations[destination].port,
                                                                  .timeouts = dicomnet_association_default_timeouts},
                                                   .proposals = proposals,
                                                   .proposal_count = count};
    snprintf(options.parameters.called_ae, sizeof options.parameters.called_ae, "%s", job->request->move_destination);
    snprintf(options.parameters.calling_ae, sizeof options.parameters.calling_ae, "%s",
             dicomnet_association_called_ae(job->request->association));
    return dicomnet_storage_user_open(&job->mover, loop, &options, &handler, job);
}

/* ---- what the provider tells ---- */

static uint16_t on_begin(void *context, struct dicomnet_query_request *request, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    bool known = request->service != DICOMNET_QUERY_MOVE;
    for (size_t i = 0; i < destination_count && !known; i++)
        known = strcmp(destinations[i].ae_title, request->move_destination) == 0;
    if (!known)
        return DICOMNET_STATUS_DESTINATION_UNKNOWN;
    if (dicomnet_query_level_of(request->identifier) < 0)
        return DICOMNET_STATUS_DATA_SET_MISMATCH;
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    job->request = request;
    job->next = entries;
    for (const struct entry *entry = entries; entry != NULL; entry = entry->next)
        job->counts.remaining += entry_matches(entry, request->identifier);
    request->state = job;
    return DICOMNET_STATUS_PENDING;
}

/* The requestor can take another response. */
static void on_ready(void *context, struct dicomnet_query_request *request)
{
    struct job *job = request->state;
    if (request->service == DICOMNET_QUERY_FIND) {
        answer_find(job);
    } else if (request->service == DICOMNET_QUERY_GET) {
        if (!store_next(job))
            finish(job);
    } else if (job->mover == NULL) { /* else it goes on by itself */
        if (job->counts.remaining > 0 && open_mover(job, context) == 0)
            return;
        fail_rest(job);
        finish(job);
    }
}

static void on_stored(void *context, struct dicomnet_query_request *request, struct dicomnet_store *store)
{
    end_store(request->state, store);
}

static void on_request_ended(void *context, struct dicomnet_query_request *request)
{
    struct job *job = request->state;
    job->request = NULL;
    if (job->mover != NULL)
        dicomnet_storage_user_abort(job->mover, DICOMNET_ERROR_ABORTED_LOCALLY); /* its `closed` frees the job */
    else
        free(job);
}

/* For C-GET, the syntax in which instances of this class lie here. */
static bool prefer(void *context, const char *class_uid, struct dicomnet_span syntaxes,
                   struct dicomnet_span *ret_syntax)
{
    const struct entry *entry = entries;
    while (entry != NULL && strcmp(entry->meta.class_uid, class_uid) != 0)
        entry = entry->next;
    while (entry != NULL && dicomnet_pdu_next_transfer_syntax(&syntaxes, ret_syntax))
        if (dicomnet_span_equals(*ret_syntax, entry->meta.syntax_uid))
            return true;
    return false;
}

static const struct dicomnet_association_handler *connected(void *loop, void **ret_user)
{
    static const struct dicomnet_query_provider_handler handler = {
        .begin = on_begin, .ready = on_ready, .stored = on_stored, .ended = on_request_ended};
    const struct dicomnet_query_provider_options options = {.size = sizeof(struct dicomnet_query_provider_options),
                                                            .handler = &handler,
                                                            .context = loop,
                                                            .prefer = prefer,
                                                            .dimse_ms = dicomnet_association_default_timeouts.dimse_ms};
    struct dicomnet_query_provider *provider;
    if (dicomnet_query_provider_create(&provider, loop, &options) != 0)
        return NULL;
    *ret_user = provider;
    return &dicomnet_query_provider_association_handler;
}

/* ---- the program ---- */

static void on_signal(uv_signal_t *signal, int number)
{
    dicomnet_acceptor_close(signal->data);
    uv_close((uv_handle_t *)signal, NULL);
}

static bool add_destination(char *argument) /* AE=HOST:PORT */
{
    char *host = strchr(argument, '='), *port = strrchr(argument, ':');
    if (host == NULL || port == NULL || port < host || destination_count == 16)
        return false;
    *host++ = *port++ = '\0';
    destinations[destination_count].ae_title = argument;
    destinations[destination_count].host = host;
    destinations[destination_count++].port = (uint16_t)strtoul(port, NULL, 10);
    return true;
}

int main(int argc, char **argv)
{
    static const struct dicomnet_acceptor_handler handler = {.connected = connected};
    bool usable = argc >= 4;
    for (int i = 4; i < argc; i++)
        usable = add_destination(argv[i]) && usable;
    if (!usable) {
        fprintf(stderr, "usage: query_retrieve_scp PORT AE FOLDER [AE=HOST:PORT]...\n");
        return 2;
    }
    struct dicomnet_acceptor_options options = {
        .size = sizeof(struct dicomnet_acceptor_options),
        .bind_address = "127.0.0.1",
        .port = (uint16_t)strtoul(argv[1], NULL, 10),
        .association = {.check_called_ae = true, .timeouts = dicomnet_association_default_timeouts}};
    struct dicomnet_acceptor *acceptor;
    uv_loop_t loop;
    uv_signal_t interrupt;
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error of its association */
    snprintf(options.association.ae, sizeof options.association.ae, "%s", argv[2]);
    read_folder(argv[3]);
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
