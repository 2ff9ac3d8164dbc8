/*
 * sqlite - a ledger as an SQLite database in WAL mode. Here it is opened: the lock, the schema, the destination.
 *
 * The lock belongs to the session that writes, and the kernel drops it when the process ends, however it ends. It is an
 * open-file-description lock on one byte far behind anything SQLite locks or writes, on a descriptor of our own, which
 * is closed after SQLite's: closing any descriptor of the file drops those locks that SQLite holds.
 *
 * What is lost when: outcomes are committed once for each turn of the session's loop, into the file system's cache, so
 * a kill -9 costs those that had not come to the main thread yet. A power cut or a crash of the system can also cost
 * what was committed since the last checkpoint, which is every 5 s of work: synchronous=NORMAL keeps the database
 * whole, and those files are sent again. Waiting for the disk at each commit would cost more than the stores
 * themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/session.h"
#include "ledger/sqlite_private.h"

#define LOCK_OFFSET (INT64_C(1) << 62)

static const char schema[] =
    "CREATE TABLE destination ("
    "  host TEXT NOT NULL, port INTEGER NOT NULL, called_ae TEXT NOT NULL);"
    "CREATE TABLE session ("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,"
    "  machine TEXT NOT NULL, pid INTEGER NOT NULL, begun_us INTEGER NOT NULL, ended_us INTEGER,"
    "  host TEXT NOT NULL, port INTEGER NOT NULL, called_ae TEXT NOT NULL, calling_ae TEXT NOT NULL,"
    "  options TEXT, verdict TEXT, stop_reason TEXT, exit_code INTEGER,"
    "  files INTEGER, stored INTEGER, warned INTEGER, failed INTEGER, skipped INTEGER, in_doubt INTEGER,"
    "  pending INTEGER, earlier INTEGER, bytes INTEGER);"
    "CREATE TABLE file ("
    "  id INTEGER PRIMARY KEY, path NOT NULL,"
    "  device INTEGER, inode INTEGER, size_bytes INTEGER, mtime_ns INTEGER,"
    "  data_offset INTEGER, data_bytes INTEGER,"
    "  study TEXT, series TEXT, instance TEXT, class TEXT, syntax TEXT,"
    "  state TEXT NOT NULL, status INTEGER, reason TEXT, text TEXT, comment TEXT, error INTEGER, offset INTEGER,"
    "  attempts INTEGER NOT NULL, worker INTEGER, association INTEGER, message_id INTEGER,"
    "  ended_us INTEGER NOT NULL, read_us INTEGER, write_us INTEGER, wait_us INTEGER,"
    "  session INTEGER NOT NULL REFERENCES session (id), sent_syntax TEXT);";

/* A ledger that was made before this column was. Where nothing is written, a view has it: `temp` is looked in first. */
static const char sent_syntax_column[] = "ALTER TABLE file ADD COLUMN sent_syntax TEXT";
static const char sent_syntax_view[] = "PRAGMA query_only = 0;"
                                       "CREATE TEMP VIEW file AS SELECT *, NULL AS sent_syntax FROM main.file;"
                                       "PRAGMA query_only = 1";

/*
 * Only a session that resumes looks for paths and UIDs, so the indexes are made then: to keep them up while a first
 * session writes millions of rows would cost more than the rows themselves. That of paths is made at once if one may
 * come twice.
 */
static const char path_index[] = "CREATE UNIQUE INDEX IF NOT EXISTS file_path ON file (path)";
static const char instance_index[] = "CREATE INDEX IF NOT EXISTS file_instance ON file (instance)";

/*
 * Without that index a path that came twice, as its folder changed while it was read, has two rows: the one that counts
 * is left.
 */
static const char path_once[] =
    "DELETE FROM file WHERE id NOT IN (SELECT id FROM (SELECT id, row_number() OVER"
    "  (PARTITION BY path ORDER BY state IN ('stored', 'warned') DESC, id DESC) AS place FROM file) WHERE place = 1)";

/* For a ledger that is opened read only. */
static const char path_index_apart[] =
    "PRAGMA query_only = 0;"
    "CREATE TEMP TABLE file_path (path PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT OR REPLACE INTO file_path SELECT path, id FROM file ORDER BY state IN ('stored', 'warned'), id;"
    "PRAGMA query_only = 1";

/* One line that a terminal may show, whatever is in the names and in the file. */
__attribute__((format(printf, 2, 3))) static int say(char *ret_message, const char *format, ...)
{
    char raw[LEDGER_MESSAGE_SIZE];
    struct text visible = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    text_put_visible(&visible, raw);
    snprintf(ret_message, LEDGER_MESSAGE_SIZE, "%s", visible.failed ? dicomnet_error_text(-ENOMEM) : visible.data);
    text_fini(&visible);
    return -1;
}

const char *ledger_column_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text != NULL ? text : "";
}

void ledger_describe_error(sqlite3 *db, char *ret_text, size_t size)
{
    int code = sqlite3_extended_errcode(db) & 0xff, system = sqlite3_system_errno(db);
    bool by_system = system != 0 && (code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_CANTOPEN);
    snprintf(ret_text, size, "%s%s%s%s", sqlite3_errmsg(db), by_system ? " (" : "",
             by_system ? dicomnet_error_text(-system) : "", by_system ? ")" : "");
}

int ledger_say_error(const char *path, sqlite3 *db, char *ret_message)
{
    char text[256];
    int code = sqlite3_errcode(db);
    if (code == SQLITE_NOTADB)
        return say(ret_message, "'%s' is no ledger", path);
    ledger_describe_error(db, text, sizeof text);
    return say(ret_message, "'%s'%s: %s", path, code == SQLITE_CORRUPT ? " is damaged" : "", text);
}

int ledger_step(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    int reset_code = sqlite3_reset(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : reset_code != SQLITE_OK ? reset_code : code;
}

void ledger_bind_text(sqlite3_stmt *statement, int index, const char *string)
{
    if (string == NULL || *string == '\0')
        sqlite3_bind_null(statement, index);
    else if (text_is_utf8(string))
        sqlite3_bind_text(statement, index, string, -1, SQLITE_STATIC);
    else
        sqlite3_bind_blob(statement, index, string, (int)strlen(string), SQLITE_STATIC);
}

char *ledger_file_name(const char *path)
{
    char *name;
    return asprintf(&name, "%s%s", strchr(path, '/') != NULL ? "" : "./", path) < 0 ? NULL : name;
}

/* ---- what the file is ---- */

/* The one number that a query gives. SQLITE_OK or an SQLite code. */
static int ask_number(sqlite3 *db, const char *query, int64_t *ret_number)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, query, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_step(statement);
    *ret_number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int ledger_identify(sqlite3 *db, const char *path, char *ret_message)
{
    int64_t application = 0, version = 0, tables = 0, pages = 0;
    if (ask_number(db, "PRAGMA application_id", &application) != SQLITE_OK ||
        ask_number(db, "PRAGMA user_version", &version) != SQLITE_OK ||
        ask_number(db, "PRAGMA page_count", &pages) != SQLITE_OK ||
        ask_number(db, "SELECT count(*) FROM sqlite_master", &tables) != SQLITE_OK)
        return ledger_say_error(path, db, ret_message);
    /* A new database has one page at most; one with more of them and without tables is damaged. */
    if (application == 0 && version == 0 && tables == 0 && pages <= 1)
        return 0;
    if (application != LEDGER_APPLICATION_ID)
        return say(ret_message, "'%s' is no ledger, but a database of something else", path);
    if (version != LEDGER_SCHEMA_VERSION)
        return say(ret_message, "'%s' has schema version %" PRId64 "; this program knows version %d", path, version,
                   LEDGER_SCHEMA_VERSION);
    return 1;
}

int ledger_complete_columns(sqlite3 *db, bool read_only)
{
    int64_t found = 0;
    int code = ask_number(db, "SELECT count(*) FROM pragma_table_info('file') WHERE name = 'sent_syntax'", &found);
    if (code != SQLITE_OK || found > 0)
        return code;
    return sqlite3_exec(db, read_only ? sent_syntax_view : sent_syntax_column, NULL, NULL, NULL);
}

/* ---- the lock ---- */

/* Who has it: the last session that has not ended. The lock says that there is one, the database which. */
static void say_holder(const char *path, const char *file_name, char *ret_message)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    char since[CLOCK_TEXT_SIZE];
    bool known = ledger_connect(file_name, true, &db) == SQLITE_OK &&
                 sqlite3_prepare_v2(db,
                                    "SELECT pid, machine, name, begun_us FROM session WHERE ended_us IS NULL "
                                    "ORDER BY id DESC LIMIT 1",
                                    -1, &statement, NULL) == SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_ROW;
    if (known) {
        clock_format((uint64_t)sqlite3_column_int64(statement, 3), since);
        (void)say(ret_message, "'%s' is in use by another process: pid %d on %s, session %s, since %.19sZ", path,
                  sqlite3_column_int(statement, 0), ledger_column_text(statement, 1), ledger_column_text(statement, 2),
                  since);
    } else {
        (void)say(ret_message, "'%s' is in use by another process", path);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

int ledger_check_file(const char *path, char *ret_message)
{
    struct stat status;
    if (stat(path, &status) < 0 || access(path, R_OK) < 0)
        return say(ret_message, "'%s': %s", path, dicomnet_error_text(-errno));
    return S_ISREG(status.st_mode) ? 0 : say(ret_message, "'%s' is no regular file", path);
}

bool ledger_is_locked(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_OFFSET, .l_len = 1};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool locked = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return locked;
}

static int take_lock(struct sqlite_ledger *ledger, char *ret_message)
{
    struct stat status;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_OFFSET, .l_len = 1};
    ledger->lock_fd = open(ledger->path, O_RDWR | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
    if (ledger->lock_fd < 0 || fstat(ledger->lock_fd, &status) < 0)
        return say(ret_message, "'%s': %s", ledger->path, dicomnet_error_text(-errno));
    if (!S_ISREG(status.st_mode))
        return say(ret_message, "'%s' is no regular file", ledger->path);
    if (fcntl(ledger->lock_fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    if (errno != EAGAIN && errno != EACCES)
        return say(ret_message, "'%s' cannot be locked: %s", ledger->path, dicomnet_error_text(-errno));
    say_holder(ledger->path, ledger->file_name, ret_message);
    return -1;
}

/* ---- opening ---- */

static int execute(struct sqlite_ledger *ledger, const char *statements)
{
    return sqlite3_exec(ledger->db, statements, NULL, NULL, NULL);
}

static int make_schema(struct sqlite_ledger *ledger, char *ret_message)
{
    char begin[160];
    snprintf(begin, sizeof begin, "BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d",
             LEDGER_APPLICATION_ID, LEDGER_SCHEMA_VERSION);
    bool made = execute(ledger, begin) == SQLITE_OK && execute(ledger, schema) == SQLITE_OK &&
                execute(ledger, "COMMIT") == SQLITE_OK;
    return made ? 0 : ledger_say_error(ledger->path, ledger->db, ret_message);
}

/* Whose it is. A new one belongs to the destination it was made for. */
static int check_destination(struct sqlite_ledger *ledger, const struct ledger_options *options, char *ret_message)
{
    sqlite3_stmt *statement = NULL;
    if (options->peer_host == NULL)
        return 0;
    if (sqlite3_prepare_v2(ledger->db, "SELECT host, port, called_ae FROM destination", -1, &statement, NULL) !=
        SQLITE_OK)
        return ledger_say_error(ledger->path, ledger->db, ret_message);
    int code = sqlite3_step(statement), result = 0;
    if (code == SQLITE_ROW) {
        const char *host = ledger_column_text(statement, 0), *called_ae = ledger_column_text(statement, 2);
        int port = sqlite3_column_int(statement, 1);
        bool same = strcasecmp(host, options->peer_host) == 0 && port == options->peer_port &&
                    strcmp(called_ae, options->called_ae) == 0;
        if (!same && !options->allow_other_destination)
            result = say(ret_message,
                         "'%s' belongs to %s@%s:%d; to use it with %s@%s:%u all the same: --allow-other-destination",
                         ledger->path, called_ae, host, port, options->called_ae, options->peer_host,
                         (unsigned)options->peer_port);
    } else if (code != SQLITE_DONE) {
        result = ledger_say_error(ledger->path, ledger->db, ret_message);
    }
    sqlite3_finalize(statement);
    return result;
}

/* Connect to a ledger that nobody has and nobody can change, as SQLite cannot make its files beside it. */
static int connect_immutable(const char *file_name, sqlite3 **ret_db)
{
    struct text uri = {0};
    text_put(&uri, "file:");
    for (const char *at = file_name; *at != '\0'; at++)
        text_printf(&uri, strchr("%?#", *at) != NULL ? "%%%02x" : "%c", (unsigned char)*at);
    text_put(&uri, "?immutable=1");
    int code = uri.failed ? SQLITE_NOMEM
                          : sqlite3_open_v2(uri.data, ret_db,
                                            SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    text_fini(&uri);
    return code;
}

/* True if there is a -wal file beside it: then the file alone is not all of the ledger. */
static bool has_wal(const char *file_name)
{
    char *name;
    if (asprintf(&name, "%s-wal", file_name) < 0)
        return true;
    bool found = access(name, F_OK) == 0;
    free(name);
    return found;
}

int ledger_connect(const char *file_name, bool read_only, sqlite3 **ret_db)
{
    int code = sqlite3_open_v2(file_name, ret_db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(*ret_db, LEDGER_BUSY_MS);
    if (code == SQLITE_OK && read_only)
        code = sqlite3_exec(*ret_db, "PRAGMA query_only = 1", NULL, NULL, NULL);
    if (code != SQLITE_OK || !read_only)
        return code;
    /* Other errors come again when it is asked what it is. */
    int probe = sqlite3_exec(*ret_db, "SELECT 1 FROM sqlite_master", NULL, NULL, NULL);
    if ((probe != SQLITE_READONLY && probe != SQLITE_CANTOPEN) || has_wal(file_name))
        return SQLITE_OK;
    sqlite3_close(*ret_db);
    *ret_db = NULL;
    return connect_immutable(file_name, ret_db);
}

/* Make the index of paths, if this session looks rows up by path. SQLITE_OK or an SQLite code. */
static int index_rows(struct sqlite_ledger *ledger)
{
    const struct ledger_options *options = &ledger->options;
    int64_t indexed = 0;
    int code = ask_number(ledger->db, "SELECT count(*) FROM sqlite_master WHERE name = 'file_path'", &indexed);
    if (code != SQLITE_OK || !(ledger->has_earlier || options->paths_may_repeat || indexed > 0))
        return code;
    if (options->read_only) {
        ledger->indexing = indexed > 0 ? LEDGER_INDEXED : LEDGER_INDEXED_APART;
        return indexed > 0 ? SQLITE_OK : execute(ledger, path_index_apart);
    }
    ledger->indexing = LEDGER_INDEXED;
    code = execute(ledger, path_index);
    if (code == SQLITE_CONSTRAINT && (code = execute(ledger, path_once)) == SQLITE_OK)
        code = execute(ledger, path_index);
    return code == SQLITE_OK && ledger->has_earlier ? execute(ledger, instance_index) : code;
}

/* All or nothing: a ledger whose rows cannot be used is left as it is. SQLITE_OK or an SQLite code. */
static int prepare_rows(struct sqlite_ledger *ledger)
{
    bool changes = !ledger->options.read_only;
    int64_t rows = 0;
    int code = execute(ledger, changes ? "BEGIN IMMEDIATE" : "BEGIN");
    if (code == SQLITE_OK)
        code = ask_number(ledger->db, "SELECT EXISTS (SELECT 1 FROM file)", &rows);
    ledger->has_earlier = rows > 0;
    if (code == SQLITE_OK)
        code = ledger_complete_columns(ledger->db, !changes);
    if (code == SQLITE_OK)
        code = index_rows(ledger);
    if (code == SQLITE_OK)
        code = ledger_prepare(ledger);
    if (code == SQLITE_OK)
        code = execute(ledger, "COMMIT");
    /* Indexes are sorted in files, as memory does not grow with the rows; what comes later is small. */
    return code == SQLITE_OK && changes ? execute(ledger, "PRAGMA temp_store = MEMORY") : code;
}

static int open_database(struct sqlite_ledger *ledger, const struct ledger_options *options, char *ret_message)
{
    if (ledger_connect(ledger->file_name, options->read_only, &ledger->db) != SQLITE_OK)
        return ledger_say_error(ledger->path, ledger->db, ret_message);
    int known = ledger_identify(ledger->db, ledger->path, ret_message);
    if (known < 0)
        return known;
    if (!options->read_only &&
        execute(ledger, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                        "PRAGMA cache_size = -16384;"
                        "PRAGMA wal_autocheckpoint = 0" /* ledger_commit does it */) != SQLITE_OK)
        return ledger_say_error(ledger->path, ledger->db, ret_message);
    if (known == 0 && options->read_only)
        return say(ret_message, "'%s' is no ledger", ledger->path);
    if (known == 0 && make_schema(ledger, ret_message) != 0)
        return -1;
    if (check_destination(ledger, options, ret_message) != 0)
        return -1;
    return prepare_rows(ledger) == SQLITE_OK ? 0 : ledger_say_error(ledger->path, ledger->db, ret_message);
}

/* Copy what is needed later; the folder that relative paths begin at. False if out of memory. */
static bool prepare_texts(struct sqlite_ledger *ledger, const struct ledger_options *options)
{
    char *folder = getcwd(NULL, 0);
    if (folder != NULL && folder[0] == '/') { /* else "(unreachable)": then paths stay as they are */
        const char *slash = folder[1] != '\0' ? "/" : "";
        int len = asprintf(&ledger->folder, "%s%s", folder, slash);
        ledger->folder_len = len > 0 ? (size_t)len : 0;
        ledger->folder = len > 0 ? ledger->folder : NULL;
    }
    free(folder);
    ledger->path = strdup(options->path);
    ledger->file_name = ledger_file_name(options->path);
    ledger->peer_host = strdup(options->peer_host != NULL ? options->peer_host : "");
    ledger->called_ae = strdup(options->called_ae);
    ledger->calling_ae = strdup(options->calling_ae);
    return ledger->path != NULL && ledger->file_name != NULL && ledger->peer_host != NULL &&
           ledger->called_ae != NULL && ledger->calling_ae != NULL;
}

static void close_ledger(struct ledger *base)
{
    struct sqlite_ledger *ledger = (struct sqlite_ledger *)base;
    for (int i = 0; i < LEDGER_QUERY_COUNT; i++)
        sqlite3_finalize(ledger->queries[i]);
    sqlite3_close(ledger->db);
    if (ledger->lock_fd >= 0)
        close(ledger->lock_fd);
    text_fini(&ledger->place);
    free(ledger->folder);
    free(ledger->path);
    free(ledger->file_name);
    free(ledger->peer_host);
    free(ledger->called_ae);
    free(ledger->calling_ae);
    free(ledger);
}

static struct record record_of(struct ledger *base)
{
    struct sqlite_ledger *ledger = (struct sqlite_ledger *)base;
    struct record record = {.user = ledger, .path = ledger->path, .keep = ledger_keep, .flush = ledger_flush};
    if (ledger->has_earlier)
        record.recall_files = ledger_recall_files;
    if (ledger->has_earlier && !ledger->options.read_only)
        record.recall_twins = ledger_recall_twins;
    return record;
}

static uint64_t lost_of(const struct ledger *base)
{
    return ((const struct sqlite_ledger *)base)->lost;
}

static const struct ledger_functions functions = {.begin_session = sqlite_begin_session,
                                                  .record = record_of,
                                                  .lost = lost_of,
                                                  .end_session = sqlite_end_session,
                                                  .close = close_ledger};

static int open_ledger(struct ledger **ret_ledger, const struct ledger_options *options, char *ret_message)
{
    if (options->read_only && access(options->path, F_OK) != 0 && errno == ENOENT)
        return 0;
    struct sqlite_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return say(ret_message, "%s", dicomnet_error_text(-ENOMEM));
    ledger->base.functions = &functions;
    ledger->lock_fd = -1;
    ledger->session = INT64_MAX;
    ledger->options = *options;
    int error = 0;
    if (!prepare_texts(ledger, options))
        error = say(ret_message, "%s", dicomnet_error_text(-ENOMEM));
    if (error == 0)
        error = options->read_only ? ledger_check_file(ledger->path, ret_message) : take_lock(ledger, ret_message);
    if (error == 0)
        error = open_database(ledger, options, ret_message);
    if (error != 0) {
        close_ledger(&ledger->base);
        return error;
    }
    *ret_ledger = &ledger->base;
    return 0;
}

const struct ledger_kind ledger_sqlite = {.open = open_ledger, .open_view = sqlite_open_view};
