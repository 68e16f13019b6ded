/*
 * The SQLite driver. Exactly one connection writes and checkpoints: SQLite 3.40 has a bug with two. A lock file beside the database
 * names the process that has it. Readers open the file read-only and never checkpoint, not even when they close it.
 */
#include "store/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/private_file.h"
#include "store/seq_chunk.h"

enum { BUSY_TIMEOUT_MS = 5000 };

static struct sqlite_store *of(struct store *store)
{
	return (struct sqlite_store *)store;
}

static enum error_kind kind_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return ERROR_REJECT;
	default:
		return ERROR_RETRY; /* full, busy, an I/O error, interrupted */
	}
}

int sqlite_fail(struct sqlite_store *store, const char *what, struct error *err)
{
	int code = store->db == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(store->db);
	error_set(err, kind_of(code), "%s: %s: %s", store->path, what,
		  store->db == NULL ? "out of memory" : sqlite3_errmsg(store->db));
	return -1;
}

int sqlite_execute(struct sqlite_store *store, const char *sql, struct error *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	char what[64];
	(void)snprintf(what, sizeof(what), "%.*s", (int)strcspn(sql, ";\n("), sql);
	return sqlite_fail(store, what, err);
}

int sqlite_begin(struct sqlite_store *store, struct error *err)
{
	if (sqlite_execute(store, "BEGIN IMMEDIATE", err) == 0)
		return 0;
	sqlite_rollback(store);
	return -1;
}

void sqlite_rollback(struct sqlite_store *store)
{
	if (sqlite3_get_autocommit(store->db) == 0)
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

const char *sqlite_text(sqlite3_stmt *row, int column)
{
	const unsigned char *text = sqlite3_column_text(row, column);
	return text == NULL ? "" : (const char *)text;
}

bool sqlite_add_bits(sqlite3_stmt *row, int column, unsigned char *bits)
{
	const unsigned char *more = sqlite3_column_blob(row, column);
	if (more == NULL || sqlite3_column_bytes(row, column) != SEQ_CHUNK_BYTES)
		return false;
	for (int i = 0; i < SEQ_CHUNK_BYTES; i++)
		bits[i] |= more[i];
	return true;
}

static void finish_statements(struct sqlite_store *store)
{
	for (int i = 0; i < SQLITE_STATEMENT_COUNT; i++) {
		(void)sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
}

void sqlite_close_file(struct sqlite_store *store)
{
	finish_statements(store);
	(void)pthread_mutex_lock(&store->db_lock);
	(void)sqlite3_close(store->db);
	store->db = NULL;
	(void)pthread_mutex_unlock(&store->db_lock);
}

static void sqlite_close(struct store *base)
{
	struct sqlite_store *store = of(base);
	sqlite_close_file(store);
	(void)pthread_mutex_destroy(&store->db_lock);
	if (store->lock_fd >= 0)
		(void)close(store->lock_fd);
	store_ids_destroy(store->ids);
	free(store->path);
	free(store);
}

static void sqlite_interrupt(struct store *base)
{
	struct sqlite_store *store = of(base);
	atomic_store(&store->is_interrupted, true);
	(void)pthread_mutex_lock(&store->db_lock);
	if (store->mode == STORE_WRITE && store->db != NULL)
		sqlite3_interrupt(store->db);
	(void)pthread_mutex_unlock(&store->db_lock);
}

static int sqlite_migrate_store(struct store *base, bool is_allowed, struct error *err)
{
	return sqlite_migrate(of(base), is_allowed, err);
}

/* Every insert asks for conflicts anyway. */
static void sqlite_expect_duplicates(struct store *base)
{
	(void)base;
}

static const struct store_driver sqlite_driver = {
	.close = sqlite_close,
	.interrupt = sqlite_interrupt,
	.migrate = sqlite_migrate_store,
	.check_version = sqlite_check_version,
	.write = sqlite_write,
	.expect_duplicates = sqlite_expect_duplicates,
	.tidy = sqlite_tidy,
	.refresh_strips = sqlite_refresh_strips,
	.read_positions = sqlite_read_positions,
	.claim_positions = sqlite_read_positions,
	.read_last_seq = sqlite_read_last_seq,
	.read_sites = sqlite_read_sites,
	.read_quarantine = sqlite_read_quarantine,
	.read_audit = sqlite_read_audit,
	.declare_lost = sqlite_declare_lost,
};

/* The pid that the holder wrote; 0 where it can't be read. */
static int read_pid(int fd)
{
	char text[16] = "";
	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return (int)strtol(text, NULL, 10);
}

/* Whether we have it already, and its file is still the one at path. */
static bool holds_lock(const struct sqlite_store *store, const char *path)
{
	struct stat ours;
	struct stat there;
	return store->lock_fd >= 0 && fstat(store->lock_fd, &ours) == 0 &&
	       stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* Beside the file itself, where links lead to it: those who come by different links have one lock. */
static char *make_lock_path(const struct sqlite_store *store)
{
	char *real = realpath(store->path, NULL);
	char *path = xasprintf("%s.lock", real != NULL ? real : store->path);
	free(real);
	return path;
}

static int take_lock(struct sqlite_store *store, struct error *err)
{
	char *path = make_lock_path(store);
	int status = -1;
	if (holds_lock(store, path)) {
		free(path);
		return 0;
	}
	if (store->lock_fd >= 0)
		(void)close(store->lock_fd);
	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (store->lock_fd < 0) {
		error_set_errno(err, ERROR_REJECT, errno, "can't write %s", path);
		goto out;
	}
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			error_set(err, ERROR_REJECT, "%s is in use by process %d", store->path,
				  read_pid(store->lock_fd));
		else
			error_set_errno(err, ERROR_REJECT, errno, "can't lock %s", path);
		goto out;
	}
	/* The pid is for people: the lock is what counts. */
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(store->lock_fd, 0) != 0 ||
	    pwrite(store->lock_fd, text, (size_t)length, 0) != length) {
		error_set_errno(err, ERROR_REJECT, errno, "can't write %s", path);
		goto out;
	}
	status = 0;
out:
	free(path);
	return status;
}

int sqlite_open_file(struct sqlite_store *store, const struct sqlite_opening *how,
		     struct error *err)
{
	sqlite3 *db = NULL;
	struct stat status;
	if (stat(store->path, &status) == 0 && !S_ISREG(status.st_mode)) {
		/* SQLite would wait for whoever writes to a pipe */
		error_set(err, ERROR_REJECT, "%s: expected a file", store->path);
		return -1;
	}
	int code = sqlite3_open_v2(how->name, &db, how->flags | SQLITE_OPEN_NOMUTEX, how->vfs);
	(void)pthread_mutex_lock(&store->db_lock);
	store->db = db;
	(void)pthread_mutex_unlock(&store->db_lock);
	if (code != SQLITE_OK)
		return sqlite_fail(store, "open", err);
	(void)sqlite3_extended_result_codes(db, 1);
	(void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* The one trigger notes what a person deletes; what we delete ourselves is kept no longer. */
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return 0;
}

void sqlite_note_file(struct sqlite_store *store)
{
	struct stat status = {0};
	(void)stat(store->path, &status);
	store->device = status.st_dev;
	store->inode = status.st_ino;
}

static int open_writer(struct sqlite_store *store, struct error *err)
{
	const struct sqlite_opening how = {.name = store->path,
					   .flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE};
	private_file_create(store->path); /* SQLite gives -wal and -shm the mode that it finds */
	if (take_lock(store, err) != 0)
		return -1;
	/* A commit is what makes a check of `run` finished: it goes to the disk. At most a few a second. */
	if (sqlite_open_file(store, &how, err) != 0 ||
	    sqlite_execute(store,
			   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
			   "PRAGMA trusted_schema = OFF",
			   err) != 0)
		return -1;
	sqlite_note_file(store);
	return 0;
}

enum file_state { FILE_SAME, FILE_DELETED, FILE_REPLACED };

static enum file_state look_at_file(const struct sqlite_store *store)
{
	struct stat status;
	if (stat(store->path, &status) != 0)
		return errno == ENOENT || errno == ENOTDIR ? FILE_DELETED : FILE_SAME;
	return status.st_dev == store->device && status.st_ino == store->inode ? FILE_SAME
									       : FILE_REPLACED;
}

static void remove_beside(const struct sqlite_store *store, const char *ending)
{
	char *path = xasprintf("%s%s", store->path, ending);
	(void)unlink(path);
	free(path);
}

/* What lies beside a file that was deleted is of that one, and a reader may still map it. */
static void remove_remains(const struct sqlite_store *store)
{
	struct stat status;
	if (stat(store->path, &status) == 0 || errno != ENOENT)
		return;
	remove_beside(store, "-wal");
	remove_beside(store, "-shm");
}

/*
 * The file was deleted under the writer, or its folder went: begin another one. What was in it is gone, what comes is stored. Where
 * the same file is back before that, with the log that was beside it, it goes on.
 */
static int begin_anew(struct sqlite_store *store, struct error *err)
{
	if (store->db != NULL)
		log_event(LOG_WARN, "the database file was deleted, making a new one",
			  LOG_STR("path", store->path));
	sqlite_close_file(store);
	remove_remains(store);
	store->schema_version = -1;
	if (open_writer(store, err) == 0 && sqlite_migrate(store, true, err) == 0)
		return 0;
	sqlite_close_file(store);
	err->kind = ERROR_RETRY; /* its folder may come back */
	return -1;
}

int sqlite_connect(struct sqlite_store *store, struct error *err)
{
	if (atomic_load(&store->is_interrupted)) {
		error_set(err, ERROR_RETRY, "%s: interrupted", store->path);
		return -1;
	}
	enum file_state state = store->db == NULL ? FILE_DELETED : look_at_file(store);
	if (state == FILE_SAME && sqlite_is_reading_current(store))
		return 0;
	if (store->mode == STORE_READ) {
		sqlite_close_file(store);
		return sqlite_open_reader(store, err);
	}
	if (state == FILE_DELETED)
		return begin_anew(store, err);
	/* Our write-ahead log beside somebody else's file would be taken for its own: nothing is written there. */
	error_set(err, ERROR_REJECT,
		  "%s was replaced by another file while it was in use: stop this process before "
		  "putting a database in its place",
		  store->path);
	return -1;
}

struct store *store_open_sqlite(const char *path, enum store_mode mode, struct error *err)
{
	struct sqlite_store *store = xcalloc(1, sizeof(*store));
	store->store.driver = &sqlite_driver;
	store->path = xstrdup(path);
	store->mode = mode;
	store->lock_fd = -1;
	store->schema_version = -1;
	store->expired_day = INT64_MIN;
	store->ids = store_ids_create();
	(void)pthread_mutex_init(&store->db_lock, NULL);
	if (mode == STORE_WRITE && open_writer(store, err) != 0) {
		sqlite_close(&store->store);
		return NULL;
	}
	return &store->store;
}
