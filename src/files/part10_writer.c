/* part10_writer - see files/part10_writer.h. */
#include "files/part10_writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "dicomnet/uid.h"
#include "files/inspect.h"
#include "files/read_at.h"

enum {
    PREFIX_LEN = 132,
    META_SIZE_MAX = 1024,
    COMPARE_SIZE = 32 * 1024,
    NAME_TRIES_MAX = 1000,
    ROOM_STEP = 16 * 1024 * 1024
};

/* Make the entry of this folder in the one above it durable. Returns 0 or a negative errno. */
static int sync_above(const char *path)
{
    char above[PATH_MAX + 4];
    snprintf(above, sizeof above, "%s/..", path);
    int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return error;
}

/* Make every missing folder of `path`. Returns 0 or a negative errno. */
static int make_folders(const char *path, bool sync)
{
    char prefix[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof prefix)
        return len == 0 ? -ENOENT : -ENAMETOOLONG;
    memcpy(prefix, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (prefix[i] != '/' && prefix[i] != '\0')
            continue;
        char kept = prefix[i];
        prefix[i] = '\0';
        int error = mkdir(prefix, 0750) < 0 ? -errno : sync ? sync_above(prefix) : 0;
        if (error < 0 && error != -EEXIST)
            return error;
        prefix[i] = kept;
    }
    return 0;
}

int part10_folder_open(struct part10_folder *folder, const char *path, bool sync)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    *folder = (struct part10_folder){.fd = open(path, flags), .sync = sync};
    if (folder->fd < 0 && errno == ENOENT) {
        int error = make_folders(path, sync);
        if (error < 0)
            return error;
        folder->fd = open(path, flags);
    }
    return folder->fd < 0 ? -errno : 0;
}

void part10_folder_close(struct part10_folder *folder)
{
    if (folder->fd >= 0)
        close(folder->fd);
    folder->fd = -1;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
    return hash;
}

void part10_file_name(const char *instance_uid, char ret_name[PART10_NAME_SIZE])
{
    if (dicomnet_uid_is_well_formed(instance_uid, strlen(instance_uid)))
        snprintf(ret_name, PART10_NAME_SIZE, "%s.dcm", instance_uid);
    else
        snprintf(ret_name, PART10_NAME_SIZE, "hash-%016" PRIx64 ".dcm", hash_text(instance_uid));
}

bool part10_folder_has(const struct part10_folder *folder, const char *instance_uid)
{
    char name[PART10_NAME_SIZE];
    struct stat status;
    part10_file_name(instance_uid, name);
    return fstatat(folder->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
}

int part10_writer_open(struct part10_writer *writer, struct part10_folder *folder, const struct meta_header *meta)
{
    writer->folder = folder;
    writer->fd = -1;
    writer->error = 0;
    writer->data_len = writer->looked_at = 0;
    writer->replace = false;
    writer->buffered = meta_header_encode(meta, writer->buffer, META_SIZE_MAX);
    if (writer->buffered == 0)
        return -EINVAL;

    part10_file_name(meta->instance_uid, writer->final_name);
    /* A name may be left over from a process of the same number that was killed. */
    for (int tries = 0; writer->fd < 0 && tries < NAME_TRIES_MAX; tries++) {
        snprintf(writer->temporary_name, sizeof writer->temporary_name, ".tmp-%ld-%" PRIu64, (long)getpid(),
                 folder->next_number++);
        writer->fd =
            openat(folder->fd, writer->temporary_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (writer->fd < 0 && errno != EEXIST)
            break;
    }
    if (writer->fd < 0)
        return -errno;
    if (folder->mode != 0 && fchmod(writer->fd, folder->mode) != 0) {
        int error = -errno;
        part10_writer_discard(writer);
        return error;
    }
    return 0;
}

/* A peer may send an instance without end: a part of the file system is kept free for others who write to it. */
static void look_at_room(struct part10_writer *writer)
{
    const uint64_t large = 1024 * 1024 * 1024;
    struct statvfs status;
    if (!writer->folder->keep_free || writer->data_len - writer->looked_at < ROOM_STEP)
        return;
    writer->looked_at = writer->data_len;
    if (fstatvfs(writer->fd, &status) < 0)
        return;
    uint64_t keep = (uint64_t)status.f_blocks * status.f_frsize / 20;
    if ((uint64_t)status.f_bavail * status.f_frsize < (keep < large ? keep : large) && writer->error == 0)
        writer->error = -ENOSPC;
}

/* Write to the file; the first error is kept. */
static void write_out(struct part10_writer *writer, const uint8_t *bytes, size_t len)
{
    while (len > 0 && writer->error == 0) {
        ssize_t n = write(writer->fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            writer->error = -errno;
            break;
        }
        bytes += n;
        len -= (size_t)n;
    }
}

static void flush(struct part10_writer *writer)
{
    write_out(writer, writer->buffer, writer->buffered);
    writer->buffered = 0;
}

void part10_writer_append(struct part10_writer *writer, const void *bytes, size_t len)
{
    const uint8_t *p = (const uint8_t *)bytes;
    writer->data_len += len;
    look_at_room(writer);
    if (len > sizeof writer->buffer - writer->buffered)
        flush(writer);
    if (writer->error != 0)
        return;
    if (len >= sizeof writer->buffer) {
        write_out(writer, p, len);
    } else if (len > 0) {
        memcpy(writer->buffer + writer->buffered, p, len);
        writer->buffered += len;
    }
}

void part10_writer_discard(struct part10_writer *writer)
{
    if (writer->fd < 0)
        return;
    close(writer->fd);
    writer->fd = -1;
    unlinkat(writer->folder->fd, writer->temporary_name, 0);
}

/* Where a Part 10 file's data set begins, and its (0002,0010) as it stands there. */
struct layout {
    uint64_t size;
    uint64_t data_offset;
    struct inspect_element syntax;
};

/* False if the file is no Part 10 file. `window` and `inspection` are room to work in. */
static bool find_layout(int fd, struct window *window, struct inspection *inspection, struct layout *ret_layout)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return false;
    memset(inspection, 0, sizeof *inspection);
    window_begin(window, fd, (uint64_t)status.st_size);
    ret_layout->size = (uint64_t)status.st_size;
    const uint8_t *p = window_peek(window, 0, PREFIX_LEN);
    if (p == NULL || memcmp(p + 128, "DICM", 4) != 0 ||
        !inspect_meta(window, PREFIX_LEN, inspection, &ret_layout->data_offset))
        return false;
    ret_layout->syntax = inspection->wanted[INSPECT_SYNTAX];
    return ret_layout->syntax.found && !ret_layout->syntax.too_long;
}

/* True if the two files hold the same data set in the same transfer syntax. */
static bool data_sets_equal(struct part10_writer *writer, int other_fd)
{
    /* What was written is in the file now, so the writer's buffer is free for the comparison. */
    uint8_t *mine = writer->buffer, *theirs = writer->buffer + COMPARE_SIZE;
    struct window window = {0};
    struct inspection inspection;
    struct layout a, b;
    if (!find_layout(writer->fd, &window, &inspection, &a) || !find_layout(other_fd, &window, &inspection, &b))
        return false;
    if (a.syntax.len != b.syntax.len || memcmp(a.syntax.raw, b.syntax.raw, a.syntax.len) != 0)
        return false;
    uint64_t len = a.size - a.data_offset;
    if (len != b.size - b.data_offset)
        return false;
    for (uint64_t done = 0; done < len;) {
        size_t part = len - done < COMPARE_SIZE ? (size_t)(len - done) : COMPARE_SIZE;
        if (read_at(writer->fd, mine, part, a.data_offset + done) != (ssize_t)part ||
            read_at(other_fd, theirs, part, b.data_offset + done) != (ssize_t)part || memcmp(mine, theirs, part) != 0)
            return false;
        done += part;
    }
    return true;
}

/* Give the file its final name, unless that is taken: -EEXIST. */
static int name_finally(struct part10_writer *writer)
{
    int folder = writer->folder->fd;
    struct stat status;
    if (writer->replace && fstatat(folder, writer->final_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode))
        return renameat(folder, writer->temporary_name, folder, writer->final_name) == 0 ? 0 : -errno;
    if (renameat2(folder, writer->temporary_name, folder, writer->final_name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    /* A file system without RENAME_NOREPLACE: a second link refuses a taken name too. */
    if (linkat(folder, writer->temporary_name, folder, writer->final_name, 0) < 0)
        return -errno;
    return unlinkat(folder, writer->temporary_name, 0) < 0 ? -errno : 0;
}

/* The final name is taken: by the same data set? */
static int compare_with_existing(struct part10_writer *writer)
{
    int other = openat(writer->folder->fd, writer->final_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (other < 0)
        return errno == ELOOP ? PART10_DIFFERENT : -errno; /* a symbolic link is never followed */
    int result = data_sets_equal(writer, other) ? PART10_IDENTICAL : PART10_DIFFERENT;
    /* It may be the work of a process that died before its own fsync. */
    if (result == PART10_IDENTICAL && writer->folder->sync && fsync(other) < 0)
        result = -errno;
    close(other);
    return result;
}

int part10_writer_complete(struct part10_writer *writer)
{
    flush(writer);
    return writer->error;
}

int part10_writer_finish(struct part10_writer *writer)
{
    (void)part10_writer_complete(writer);
    if (writer->error == 0 && writer->folder->sync && fsync(writer->fd) < 0)
        writer->error = -errno;
    if (writer->error != 0) {
        int error = writer->error;
        part10_writer_discard(writer);
        return error;
    }
    /* close() is where some file systems report that the bytes did not fit; the descriptor itself may still be needed.
     */
    int checked = dup(writer->fd);
    if (checked < 0 || close(checked) < 0) {
        int error = -errno;
        part10_writer_discard(writer);
        return error;
    }
    int result = name_finally(writer);
    if (result == -EEXIST)
        result = compare_with_existing(writer);
    else if (result == 0)
        result = PART10_KEPT;
    if (result >= 0 && writer->folder->sync && fsync(writer->folder->fd) < 0)
        result = -errno;
    if (result == PART10_KEPT) {
        close(writer->fd);
        writer->fd = -1;
    } else {
        part10_writer_discard(writer);
    }
    return result;
}
