/*
 * seen - see seen.h.
 *
 * A record is a fixed head and the six strings of file_facts with their NULs, rounded up to UNIT bytes. Places count
 * in units, so 32 bits of them reach 64 GiB of records.
 */
#include "files/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "files/read_at.h"
#include "instance/instance.h"

enum { UNIT = 16, BUFFER_SIZE = 64 * 1024, FIRST_SLOTS = 1024, RECORD_MAX = 16 * 1024 };

struct record {
    uint32_t len;            /* of the record, strings included */
    struct file_facts facts; /* its pointers mean nothing here */
};

struct seen {
    int fd;
    uint64_t *slots;   /* fingerprint in the upper half, place + 1 in the lower; 0 = free */
    size_t slot_count; /* a power of two */
    size_t count;
    int64_t last_place; /* of the record that was appended last */
    uint64_t flushed;   /* bytes of records in the file */
    size_t buffered;
    uint8_t buffer[BUFFER_SIZE];
};

static uint32_t fingerprint(const char *uid)
{
    return (uint32_t)hash_text(uid);
}

/* ---- records ---- */

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            bytes += written;
            len -= (size_t)written;
        }
    }
    return 0;
}

static int flush(struct seen *seen)
{
    int error = write_all(seen->fd, seen->buffer, seen->buffered);
    if (error == 0) {
        seen->flushed += seen->buffered;
        seen->buffered = 0;
    }
    return error;
}

/* Append the record of an instance. Its place, or a negative error. */
static int64_t append_record(struct seen *seen, const struct instance *instance)
{
    const struct file_facts *facts = &instance->file;
    const char *texts[] = {facts->path,         facts->study_uid, facts->series_uid,
                           facts->instance_uid, facts->class_uid, facts->syntax_uid};
    struct record head = {.len = sizeof head, .facts = *facts};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        head.len += (uint32_t)strlen(texts[i]) + 1;
    size_t rounded = (head.len + UNIT - 1) / UNIT * UNIT;
    if (rounded > RECORD_MAX)
        return -ENAMETOOLONG;
    if (seen->buffered + rounded > BUFFER_SIZE) {
        int error = flush(seen);
        if (error != 0)
            return error;
    }
    int64_t place = (int64_t)((seen->flushed + seen->buffered) / UNIT);
    if (place >= UINT32_MAX)
        return -EFBIG;
    uint8_t *bytes = seen->buffer + seen->buffered;
    memset(bytes, 0, rounded);
    memcpy(bytes, &head, sizeof head);
    char *cursor = (char *)bytes + sizeof head;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cursor = stpcpy(cursor, texts[i]) + 1;
    seen->buffered += rounded;
    return place;
}

static int read_bytes(const struct seen *seen, uint64_t offset, void *bytes, size_t len)
{
    if (offset >= seen->flushed) {
        memcpy(bytes, seen->buffer + (offset - seen->flushed), len);
        return 0;
    }
    ssize_t got = read_at(seen->fd, bytes, len, offset);
    return got == (ssize_t)len ? 0 : got < 0 ? (int)got : -EIO;
}

/* The instance of a record, as its instance_create would make it. */
static int read_record(const struct seen *seen, uint32_t place, struct instance **ret_instance)
{
    uint8_t bytes[RECORD_MAX];
    struct record head;
    uint64_t offset = (uint64_t)place * UNIT;
    int error = read_bytes(seen, offset, &head, sizeof head);
    if (error == 0)
        error = read_bytes(seen, offset, bytes, head.len);
    if (error != 0)
        return error;
    const char **texts[] = {&head.facts.path,         &head.facts.study_uid, &head.facts.series_uid,
                            &head.facts.instance_uid, &head.facts.class_uid, &head.facts.syntax_uid};
    const char *cursor = (const char *)bytes + sizeof head;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = cursor;
        cursor += strlen(cursor) + 1;
    }
    *ret_instance = instance_create(&head.facts);
    return *ret_instance != NULL ? 0 : -ENOMEM;
}

/* ---- the table ---- */

static void put_slot(uint64_t *slots, size_t slot_count, uint64_t slot)
{
    size_t i = (size_t)(slot >> 32) & (slot_count - 1);
    while (slots[i] != 0)
        i = (i + 1) & (slot_count - 1);
    slots[i] = slot;
}

static int grow(struct seen *seen)
{
    size_t slot_count = 2 * seen->slot_count;
    uint64_t *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < seen->slot_count; i++)
        if (seen->slots[i] != 0)
            put_slot(slots, slot_count, seen->slots[i]);
    free(seen->slots);
    seen->slots = slots;
    seen->slot_count = slot_count;
    return 0;
}

static int find(const struct seen *seen, const char *uid, uint32_t print, struct instance **ret_first)
{
    size_t i = print & (seen->slot_count - 1);
    for (; seen->slots[i] != 0; i = (i + 1) & (seen->slot_count - 1)) {
        struct instance *candidate;
        if ((uint32_t)(seen->slots[i] >> 32) != print)
            continue;
        int error = read_record(seen, (uint32_t)seen->slots[i] - 1, &candidate);
        if (error != 0)
            return error;
        if (strcmp(candidate->file.instance_uid, uid) == 0) {
            *ret_first = candidate;
            return 0;
        }
        instance_destroy(candidate);
    }
    return 0;
}

int seen_check(struct seen *seen, const struct instance *instance, struct instance **ret_first)
{
    uint32_t print = fingerprint(instance->file.instance_uid);
    *ret_first = NULL;
    int error = find(seen, instance->file.instance_uid, print, ret_first);
    if (error != 0 || *ret_first != NULL)
        return error;
    if (5 * (seen->count + 1) > 4 * seen->slot_count) {
        error = grow(seen);
        if (error != 0)
            return error;
    }
    int64_t place = append_record(seen, instance);
    if (place < 0)
        return (int)place;
    seen->last_place = place;
    put_slot(seen->slots, seen->slot_count, (uint64_t)print << 32 | (uint64_t)(place + 1));
    seen->count++;
    return 0;
}

int64_t seen_keep(struct seen *seen, const struct instance *instance)
{
    seen->last_place = append_record(seen, instance);
    return seen->last_place;
}

uint32_t seen_last_place(const struct seen *seen)
{
    return (uint32_t)seen->last_place;
}

int seen_read(const struct seen *seen, uint32_t place, struct instance **ret_instance)
{
    return read_record(seen, place, ret_instance);
}

int seen_open(struct seen **ret_seen)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    struct seen *seen = malloc(sizeof *seen);
    if (seen == NULL)
        return -ENOMEM;
    *seen = (struct seen){.slot_count = FIRST_SLOTS, .slots = calloc(FIRST_SLOTS, sizeof *seen->slots)};
    snprintf(path, sizeof path, "%s/dicom-sender-XXXXXX", folder != NULL && folder[0] != '\0' ? folder : "/tmp");
    seen->fd = seen->slots != NULL ? mkostemp(path, O_CLOEXEC) : -1;
    if (seen->fd < 0) {
        int error = seen->slots != NULL ? -errno : -ENOMEM;
        free(seen->slots);
        free(seen);
        return error;
    }
    (void)unlink(path);
    *ret_seen = seen;
    return 0;
}

void seen_close(struct seen *seen)
{
    if (seen == NULL)
        return;
    close(seen->fd);
    free(seen->slots);
    free(seen);
}
