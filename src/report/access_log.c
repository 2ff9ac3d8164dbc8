/*
 * access_log - see access_log.h.
 *
 * A line is one write(), not collected with others: the response waits for it. The SHA-256 of a data set is computed as
 * its bytes come, in a context of libcrypto's that belongs to the association.
 */
#include "report/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number_text.h"
#include "base/text.h"
#include "serve/receiver.h"

struct access_log {
    int fd;
    int error; /* the first there was */
    EVP_MD *sha256;
};

int access_log_open(struct access_log **ret_log, const char *path)
{
    struct access_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return -ENOMEM;
    log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    int error = log->fd < 0 ? -errno : 0;
    log->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (error == 0 && log->sha256 == NULL)
        error = -ENOTSUP;
    if (error < 0) {
        (void)access_log_close(log);
        return error;
    }
    *ret_log = log;
    return 0;
}

int access_log_close(struct access_log *log)
{
    if (log == NULL)
        return 0;
    if (log->fd >= 0 && close(log->fd) != 0 && log->error == 0)
        log->error = -errno;
    int error = log->error;
    EVP_MD_free(log->sha256);
    free(log);
    return error;
}

/* ---- lines ---- */

/* A peer may send any bytes as an AE title or a UID; jansson takes only UTF-8. */
static void put(json_t *line, const char *key, const char *string)
{
    json_t *value = json_string(string);
    if (value == NULL) {
        struct text text = {0};
        text_put_utf8(&text, string);
        value = text.failed ? NULL : json_string(text.data);
        text_fini(&text);
    }
    json_object_set_new(line, key, value != NULL ? value : json_null());
}

static json_t *begin_line(const char *event)
{
    char time[CLOCK_TEXT_SIZE];
    json_t *line = json_object();
    clock_format(clock_wall_us(), time);
    put(line, "time", time);
    put(line, "event", event);
    return line;
}

static json_t *begin_visit_line(const char *event, const struct receiver_visit *visit)
{
    json_t *line = begin_line(event);
    json_object_set_new(line, "association", json_integer((json_int_t)visit->number));
    put(line, "peer", dicomnet_association_peer(visit->association));
    put(line, "calling_ae", dicomnet_association_calling_ae(visit->association));
    put(line, "called_ae", dicomnet_association_called_ae(visit->association));
    return line;
}

/* Write the whole line or nothing of it: after half a line the next one could not be read either. */
static int write_line(int fd, const char *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t written = write(fd, bytes + done, len - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            int error = -errno;
            off_t end = done > 0 ? lseek(fd, 0, SEEK_END) : 0;
            if (end > 0)
                (void)!ftruncate(fd, end - (off_t)done);
            return error;
        }
        done += (size_t)written;
    }
    return 0;
}

static int end_line(struct access_log *log, json_t *line)
{
    int error = -ENOMEM;
    char *text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    if (text != NULL) {
        size_t len = strlen(text);
        text[len] = '\n'; /* in the place of its NUL */
        error = write_line(log->fd, text, len + 1);
        free(text);
    }
    if (error != 0 && log->error == 0)
        log->error = error;
    return error;
}

int access_log_begin(struct access_log *log, const char *address, uint16_t port)
{
    json_t *line = begin_line("receiver.listening");
    put(line, "address", address);
    json_object_set_new(line, "port", json_integer(port));
    return end_line(log, line);
}

/* ---- what the receiver tells ---- */

static void on_opened(void *user, struct receiver_visit *visit)
{
    struct access_log *log = user;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (hash != NULL && EVP_DigestInit_ex2(hash, log->sha256, NULL) != 1) {
        EVP_MD_CTX_free(hash);
        hash = NULL;
    }
    visit->note = hash;
    (void)end_line(log, begin_visit_line("association.opened", visit));
}

static void on_bytes(void *user, struct receiver_visit *visit, struct dicomnet_span bytes)
{
    (void)user;
    if (visit->note != NULL)
        (void)EVP_DigestUpdate(visit->note, bytes.data, bytes.len);
}

/* The hash of the bytes so far as text, and begin again. */
static void put_hash(json_t *line, struct access_log *log, EVP_MD_CTX *hash)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char text[2 * EVP_MAX_MD_SIZE + 1] = "";
    if (hash == NULL || EVP_DigestFinal_ex(hash, digest, &len) != 1 || EVP_DigestInit_ex2(hash, log->sha256, NULL) != 1)
        len = 0;
    for (unsigned i = 0; i < len; i++)
        snprintf(text + 2 * (size_t)i, 3, "%02x", digest[i]);
    if (len > 0)
        put(line, "sha256", text);
    else
        json_object_set_new(line, "sha256", json_null());
}

static int on_answered(void *user, struct receiver_visit *visit, const struct receiver_answer *answer)
{
    struct access_log *log = user;
    const struct dicomnet_dimse_command *response = answer->response;
    char status[NUMBER_STATUS_SIZE];
    json_t *line = begin_visit_line("store.answered", visit);
    json_object_set_new(line, "message_id", json_integer(response->message_id_responded));
    put(line, "class", response->class_uid);
    put(line, "instance", response->instance_uid);
    put(line, "syntax", answer->syntax_uid);
    number_format_status(response->status, status);
    put(line, "status", status);
    json_object_set_new(line, "bytes", json_integer((json_int_t)answer->bytes));
    put_hash(line, log, visit->note);
    if ((response->present & DICOMNET_DIMSE_HAS_ERROR_COMMENT) != 0)
        put(line, "comment", response->error_comment);
    return end_line(log, line);
}

static void on_ended(void *user, struct receiver_visit *visit, const struct dicomnet_association_end *end)
{
    static const char *const events[] = {[DICOMNET_ASSOCIATION_RELEASED] = "association.released",
                                         [DICOMNET_ASSOCIATION_NOT_CONNECTED] = "association.lost",
                                         [DICOMNET_ASSOCIATION_REJECTED] = "association.rejected",
                                         [DICOMNET_ASSOCIATION_ABORTED_BY_PEER] = "association.aborted",
                                         [DICOMNET_ASSOCIATION_ABORTED_BY_US] = "association.aborted",
                                         [DICOMNET_ASSOCIATION_LOST] = "association.lost"};
    char text[160];
    json_t *line = begin_visit_line(events[end->kind], visit);
    dicomnet_association_describe_end(end, text, sizeof text);
    put(line, "text", text);
    (void)end_line(user, line);
    EVP_MD_CTX_free(visit->note);
    visit->note = NULL;
}

const struct receiver_observer access_log_observer = {
    .association_opened = on_opened, .store_bytes = on_bytes, .store_answered = on_answered, .visit_ended = on_ended};
