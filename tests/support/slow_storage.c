/*
 * slow_storage - makes the storage below one folder slow, or odd, for a program that is run with this library in
 * LD_PRELOAD: a NAS, or a gateway to objects, whose every answer takes a round trip.
 *
 *   SLOW_TREE     the folder, an absolute path
 *   SLOW_US       how long each call waits, in microseconds
 *   SLOW_STAT_US  how long stat and its relatives wait [0]
 *   SLOW_ODD      rules: which calls hang, or fail
 *   SLOW_COUNT    a file for counts
 *
 * What waits is opening a file, opening a folder, and reading a MiB of a file that this descriptor has not read yet, so
 * also the first read of it. Attributes are there with a listing, as with NFS, unless SLOW_STAT_US says otherwise;
 * fstat never waits. What a descriptor has read, or was advised to read ahead (posix_fadvise with WILLNEED, readahead),
 * whichever thread asked, is there for all its readers one delay after it was asked for; another descriptor of the same
 * file has nothing. Calls wait each for themselves: the storage answers any number at once. A signal does not end a
 * wait, as with NFS.
 *
 * A rule is CALL TEXT ACTION, with semicolons between rules, as in "folder study7 hang=60000; read b.dcm EIO@2". CALL
 * is open, read, folder (opening one), list (reading its entries) or stat; TEXT is a part of the path, without blanks;
 * ACTION is the name of an error (ESTALE, EIO, EAGAIN, ...), or hang=MS, after which the call goes through. With @N
 * only the N-th call that the rule fits. The first rule that fits counts.
 *
 * SLOW_COUNT gets one line at the end of a process that has asked for anything below the tree: "opens 3 reads 3 folders
 * 1 lists 9 stats 0 odd 0 at_once 2". That is: calls of each kind (reads: of MiB that were not there yet), how many a
 * rule fitted, and how many calls waited at the same time at most.
 *
 * Known: open, openat, fopen and fread with their variants, opendir, readdir, read, readv, pread, preadv, stat, lstat,
 * fstatat, statx, access. Not known: mmap, duplicated descriptors, scandir, getc and its relatives, symbolic links into
 * the tree and paths with "..".
 */
#undef _FILE_OFFSET_BITS /* open is open here, and open64 another */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FD_MAX = 65536, RULES_MAX = 32, MIB = 1 << 20 };

enum kind { OPEN, READ, FOLDER, LIST, STAT, KINDS };

static const char *const kind_names[KINDS] = {"open", "read", "folder", "list", "stat"};

struct rule {
    enum kind kind;
    char text[200];
    int error; /* 0: it hangs */
    int64_t hang_us;
    unsigned long only; /* the N-th call alone; 0: each */
    atomic_ulong fitted;
};

/* An open file or folder below the tree. */
struct known {
    char *path;
    int64_t *there_us; /* of each MiB: when it is there; 0 is not asked for */
    size_t count;
};

static char tree[PATH_MAX];
static size_t tree_len;
static int64_t delay_us[KINDS];
static struct rule rules[RULES_MAX];
static size_t rule_count;
static struct known *_Atomic descriptors[FD_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of descriptors; nobody waits with it */
static atomic_ulong calls[KINDS], odd_calls;
static atomic_long waiting, waiting_max;

/* The function that this one stands before. */
#define NEXT(name)                                                                                                     \
    ({                                                                                                                 \
        static __typeof__(&name) _Atomic next;                                                                         \
        if (next == NULL)                                                                                              \
            next = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                                         \
        (__typeof__(&name))next;                                                                                       \
    })

/* ---- what the environment says ---- */

static int error_of_name(const char *name)
{
    for (int error = 1; error < 134; error++) {
        const char *its_name = strerrorname_np(error);
        if (its_name != NULL && strcmp(its_name, name) == 0)
            return error;
    }
    return 0;
}

static bool read_rule(char *text, struct rule *rule)
{
    char *rest, *kind = strtok_r(text, " ", &rest), *path = strtok_r(NULL, " ", &rest);
    char *action = strtok_r(NULL, " ", &rest);
    if (action == NULL || strlen(path) >= sizeof rule->text)
        return false;
    char *at = strchr(action, '@');
    if (at != NULL) {
        *at = '\0';
        rule->only = strtoul(at + 1, NULL, 10);
    }
    if (strncmp(action, "hang=", 5) == 0)
        rule->hang_us = atoll(action + 5) * 1000;
    else
        rule->error = error_of_name(action);
    strcpy(rule->text, path);
    for (rule->kind = 0; rule->kind < KINDS && strcmp(kind, kind_names[rule->kind]) != 0; rule->kind++)
        continue;
    return rule->kind < KINDS && (rule->error != 0 || rule->hang_us > 0);
}

static void read_rules(const char *text)
{
    char *copy = strdup(text), *rest, *one = copy != NULL ? strtok_r(copy, ";", &rest) : NULL;
    for (; one != NULL; one = strtok_r(NULL, ";", &rest)) {
        if (rule_count == RULES_MAX || !read_rule(one, &rules[rule_count])) {
            fprintf(stderr, "slow_storage: a rule of SLOW_ODD is none: %s\n", text);
            _exit(127);
        }
        rule_count++;
    }
    free(copy);
}

static int64_t number_of(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? atoll(text) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SLOW_TREE"), *odd = getenv("SLOW_ODD");
    if (path == NULL || path[0] != '/' || strlen(path) >= sizeof tree)
        return;
    for (int kind = 0; kind < KINDS; kind++)
        delay_us[kind] = number_of("SLOW_US");
    delay_us[LIST] = 0; /* a folder is listed with the answer to its opening */
    delay_us[STAT] = number_of("SLOW_STAT_US");
    if (odd != NULL)
        read_rules(odd);
    strcpy(tree, path);
    for (tree_len = strlen(tree); tree_len > 1 && tree[tree_len - 1] == '/';)
        tree[--tree_len] = '\0';
}

__attribute__((destructor)) static void end(void)
{
    char text[200];
    bool any = calls[OPEN] + calls[FOLDER] + calls[STAT] > 0;
    const char *path = any ? getenv("SLOW_COUNT") : NULL;
    int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, 0600) : -1;
    if (fd < 0)
        return;
    int len = snprintf(text, sizeof text, "opens %lu reads %lu folders %lu lists %lu stats %lu odd %lu at_once %ld\n",
                       calls[OPEN], calls[READ], calls[FOLDER], calls[LIST], calls[STAT], odd_calls, waiting_max);
    (void)!syscall(SYS_write, fd, text, len);
    syscall(SYS_close, fd);
}

/* ---- waiting ---- */

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void wait_until(int64_t until_us)
{
    int saved = errno;
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    if (until_us > now_us()) {
        long count = atomic_fetch_add(&waiting, 1) + 1, max = waiting_max;
        while (count > max && !atomic_compare_exchange_weak(&waiting_max, &max, count))
            continue;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
            continue;
        atomic_fetch_sub(&waiting, 1);
    }
    errno = saved;
}

/* The error of a call that a rule fits, after its time; 0 if it goes through. */
static int odd(enum kind kind, const char *path)
{
    for (size_t i = 0; i < rule_count; i++) {
        struct rule *rule = &rules[i];
        if (rule->kind != kind || strstr(path, rule->text) == NULL)
            continue;
        if (rule->only != 0 && atomic_fetch_add(&rule->fitted, 1) + 1 != rule->only)
            continue;
        atomic_fetch_add(&odd_calls, 1);
        if (rule->error == 0)
            wait_until(now_us() + rule->hang_us);
        return rule->error;
    }
    return 0;
}

/* The way of a call on a path: counted, delayed, judged. 0 if it goes through. */
static int ask(enum kind kind, const char *path)
{
    atomic_fetch_add(&calls[kind], 1);
    if (delay_us[kind] > 0)
        wait_until(now_us() + delay_us[kind]);
    return odd(kind, path);
}

/* ---- what is open ---- */

static struct known *known_of(int fd)
{
    return fd >= 0 && fd < FD_MAX ? descriptors[fd] : NULL;
}

static void put(int fd, struct known *known)
{
    if (fd < 0 || fd >= FD_MAX)
        return;
    pthread_mutex_lock(&lock);
    struct known *old = descriptors[fd];
    descriptors[fd] = known;
    pthread_mutex_unlock(&lock);
    if (old != NULL) {
        free(old->there_us);
        free(old->path);
        free(old);
    }
}

static void forget(int fd)
{
    if (tree_len > 0)
        put(fd, NULL);
}

/* What was opened: known if path, which find_path made, is below the tree. */
static void remember(int fd, const char *path)
{
    struct known *known = fd >= 0 && path[0] != '\0' ? calloc(1, sizeof *known) : NULL;
    if (known != NULL)
        known->path = strdup(path);
    if (fd >= 0 && tree_len > 0)
        put(fd, known);
}

/* The path of a descriptor below the tree, or "". */
static void copy_path(int fd, char *path)
{
    path[0] = '\0';
    pthread_mutex_lock(&lock);
    struct known *known = known_of(fd);
    if (known != NULL && known->path != NULL)
        strcpy(path, known->path);
    pthread_mutex_unlock(&lock);
}

/* path[PATH_MAX] gets the absolute form of name if that is below the tree, or is "". */
static void find_path(int folder, const char *name, char *path)
{
    path[0] = '\0';
    if (tree_len == 0 || name == NULL || strlen(name) >= PATH_MAX / 2)
        return;
    if (name[0] == '/') {
        strcpy(path, name);
    } else {
        char link[32], above[PATH_MAX / 2];
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        ssize_t len = readlink(link, above, sizeof above - 1);
        if (len > 0)
            snprintf(path, PATH_MAX, name[0] != '\0' ? "%.*s/%s" : "%.*s", (int)len, above, name);
    }
    if (strncmp(path, tree, tree_len) != 0 || (path[tree_len] != '/' && path[tree_len] != '\0'))
        path[0] = '\0';
}

/* ---- files and folders are opened ---- */

static bool takes_mode(int flags)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

/* Before something is opened: true if that fails, with errno set. path is find_path's. */
static bool fails(enum kind kind, const char *path)
{
    int error = path[0] != '\0' ? ask(kind, path) : 0;
    if (error != 0)
        errno = error;
    return error != 0;
}

/* OPENER is the call that is stood before; folder and name are its arguments. */
#define OPEN_LIKE(folder, name, flags, OPENER)                                                                         \
    char path[PATH_MAX];                                                                                               \
    mode_t mode = 0;                                                                                                   \
    if (takes_mode(flags)) {                                                                                           \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode = va_arg(list, mode_t);                                                                                   \
        va_end(list);                                                                                                  \
    }                                                                                                                  \
    find_path(folder, name, path);                                                                                     \
    if (fails((flags & O_DIRECTORY) != 0 ? FOLDER : OPEN, path))                                                       \
        return -1;                                                                                                     \
    int fd = OPENER;                                                                                                   \
    remember(fd, path);                                                                                                \
    return fd

int open(const char *name, int flags, ...)
{
    OPEN_LIKE(AT_FDCWD, name, flags, NEXT(open)(name, flags, mode));
}

int open64(const char *name, int flags, ...)
{
    OPEN_LIKE(AT_FDCWD, name, flags, NEXT(open64)(name, flags, mode));
}

int openat(int folder, const char *name, int flags, ...)
{
    OPEN_LIKE(folder, name, flags, NEXT(openat)(folder, name, flags, mode));
}

int openat64(int folder, const char *name, int flags, ...)
{
    OPEN_LIKE(folder, name, flags, NEXT(openat64)(folder, name, flags, mode));
}

#define FOPEN_LIKE(name)                                                                                               \
    FILE *name(const char *file, const char *how)                                                                      \
    {                                                                                                                  \
        char path[PATH_MAX];                                                                                           \
        find_path(AT_FDCWD, file, path);                                                                               \
        FILE *stream = fails(OPEN, path) ? NULL : NEXT(name)(file, how);                                               \
        if (stream != NULL)                                                                                            \
            remember(fileno(stream), path);                                                                            \
        return stream;                                                                                                 \
    }

FOPEN_LIKE(fopen)
FOPEN_LIKE(fopen64)

DIR *opendir(const char *name)
{
    char path[PATH_MAX];
    find_path(AT_FDCWD, name, path);
    DIR *folder = fails(FOLDER, path) ? NULL : NEXT(opendir)(name);
    if (folder != NULL)
        remember(dirfd(folder), path);
    return folder;
}

int close(int fd)
{
    forget(fd);
    return NEXT(close)(fd);
}

int fclose(FILE *stream)
{
    forget(fileno(stream));
    return NEXT(fclose)(stream);
}

int closedir(DIR *folder)
{
    forget(dirfd(folder));
    return NEXT(closedir)(folder);
}

/* ---- entries of folders, and attributes ---- */

#define READDIR_LIKE(entry, name)                                                                                      \
    struct entry *name(DIR *folder)                                                                                    \
    {                                                                                                                  \
        char path[PATH_MAX];                                                                                           \
        copy_path(dirfd(folder), path);                                                                                \
        return fails(LIST, path) ? NULL : NEXT(name)(folder);                                                          \
    }

READDIR_LIKE(dirent, readdir)
READDIR_LIKE(dirent64, readdir64)

#define STAT_LIKE(folder, file, CALL)                                                                                  \
    char path[PATH_MAX];                                                                                               \
    find_path(folder, file, path);                                                                                     \
    return fails(STAT, path) ? -1 : CALL

int stat(const char *file, struct stat *status)
{
    STAT_LIKE(AT_FDCWD, file, NEXT(stat)(file, status));
}

int stat64(const char *file, struct stat64 *status)
{
    STAT_LIKE(AT_FDCWD, file, NEXT(stat64)(file, status));
}

int lstat(const char *file, struct stat *status)
{
    STAT_LIKE(AT_FDCWD, file, NEXT(lstat)(file, status));
}

int lstat64(const char *file, struct stat64 *status)
{
    STAT_LIKE(AT_FDCWD, file, NEXT(lstat64)(file, status));
}

int fstatat(int folder, const char *file, struct stat *status, int flags)
{
    STAT_LIKE(folder, file, NEXT(fstatat)(folder, file, status, flags));
}

int fstatat64(int folder, const char *file, struct stat64 *status, int flags)
{
    STAT_LIKE(folder, file, NEXT(fstatat64)(folder, file, status, flags));
}

int statx(int folder, const char *file, int flags, unsigned mask, struct statx *status)
{
    STAT_LIKE(folder, file, NEXT(statx)(folder, file, flags, mask, status));
}

int access(const char *file, int how)
{
    STAT_LIKE(AT_FDCWD, file, NEXT(access)(file, how));
}

/* ---- reading ---- */

/* Ask for each MiB of a range that was not asked for yet; in_turn: one after the other. When all of it is there. */
static int64_t ask_for_range(struct known *known, uint64_t at, uint64_t len, bool in_turn)
{
    size_t first = at / MIB, end_at = (at + len + MIB - 1) / MIB;
    int64_t last_us = 0, at_us = now_us();
    if (end_at > known->count) {
        int64_t *grown = realloc(known->there_us, end_at * sizeof *grown);
        if (grown == NULL)
            return 0;
        memset(grown + known->count, 0, (end_at - known->count) * sizeof *grown);
        known->there_us = grown;
        known->count = end_at;
    }
    for (size_t i = first; i < end_at; i++) {
        if (known->there_us[i] == 0) {
            atomic_fetch_add(&calls[READ], 1);
            known->there_us[i] = at_us + delay_us[READ];
        }
        if (in_turn && known->there_us[i] > at_us)
            at_us = known->there_us[i];
        if (known->there_us[i] > last_us)
            last_us = known->there_us[i];
    }
    return last_us;
}

/* After so much of a descriptor was read: it takes its time. */
static void take_time(int fd, uint64_t at, ssize_t len)
{
    if (tree_len == 0 || len <= 0 || known_of(fd) == NULL)
        return;
    pthread_mutex_lock(&lock);
    struct known *known = known_of(fd);
    int64_t until_us = known != NULL ? ask_for_range(known, at, (uint64_t)len, true) : 0;
    pthread_mutex_unlock(&lock);
    wait_until(until_us);
}

/* True if reading of this descriptor fails, with errno set. */
static bool read_fails(int fd)
{
    char path[PATH_MAX];
    if (rule_count == 0 || known_of(fd) == NULL)
        return false;
    copy_path(fd, path);
    int error = path[0] != '\0' ? odd(READ, path) : 0;
    if (error != 0)
        errno = error;
    return error != 0;
}

#define READ_LIKE(at, CALL)                                                                                            \
    if (tree_len == 0 || known_of(fd) == NULL)                                                                         \
        return CALL;                                                                                                   \
    if (read_fails(fd))                                                                                                \
        return -1;                                                                                                     \
    uint64_t begins_at = (uint64_t)(at);                                                                               \
    ssize_t len = CALL;                                                                                                \
    take_time(fd, begins_at, len);                                                                                     \
    return len

ssize_t read(int fd, void *bytes, size_t size)
{
    READ_LIKE(lseek(fd, 0, SEEK_CUR), NEXT(read)(fd, bytes, size));
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    READ_LIKE(lseek(fd, 0, SEEK_CUR), NEXT(readv)(fd, parts, count));
}

ssize_t pread(int fd, void *bytes, size_t size, off_t at)
{
    READ_LIKE(at, NEXT(pread)(fd, bytes, size, at));
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t at)
{
    READ_LIKE(at, NEXT(pread64)(fd, bytes, size, at));
}

ssize_t preadv(int fd, const struct iovec *parts, int count, off_t at)
{
    READ_LIKE(at, NEXT(preadv)(fd, parts, count, at));
}

ssize_t preadv64(int fd, const struct iovec *parts, int count, off64_t at)
{
    READ_LIKE(at, NEXT(preadv64)(fd, parts, count, at));
}

size_t fread(void *bytes, size_t size, size_t count, FILE *stream)
{
    int fd = tree_len > 0 ? fileno(stream) : -1;
    if (known_of(fd) == NULL)
        return NEXT(fread)(bytes, size, count, stream);
    if (read_fails(fd)) {
        stream->_flags |= 0x20; /* what ferror() looks at */
        return 0;
    }
    off_t at = ftello(stream);
    size_t got = NEXT(fread)(bytes, size, count, stream);
    take_time(fd, (uint64_t)at, (ssize_t)(got * size));
    return got;
}

/* Bytes that are asked for now and read later. */
static void read_ahead(int fd, off64_t at, off64_t len)
{
    struct stat status;
    if (tree_len == 0 || known_of(fd) == NULL || fstat(fd, &status) != 0 || at >= status.st_size)
        return;
    if (len == 0 || len > status.st_size - at)
        len = status.st_size - at;
    pthread_mutex_lock(&lock);
    struct known *known = known_of(fd);
    if (known != NULL)
        ask_for_range(known, (uint64_t)at, (uint64_t)len, false);
    pthread_mutex_unlock(&lock);
}

int posix_fadvise(int fd, off_t at, off_t len, int advice)
{
    if (advice == POSIX_FADV_WILLNEED)
        read_ahead(fd, at, len);
    return NEXT(posix_fadvise)(fd, at, len, advice);
}

int posix_fadvise64(int fd, off64_t at, off64_t len, int advice)
{
    if (advice == POSIX_FADV_WILLNEED)
        read_ahead(fd, at, len);
    return NEXT(posix_fadvise64)(fd, at, len, advice);
}

ssize_t readahead(int fd, off64_t at, size_t len)
{
    read_ahead(fd, at, (off64_t)len);
    return NEXT(readahead)(fd, at, len);
}
