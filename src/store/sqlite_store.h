/*
 * The parts of the SQLite driver know one another through this struct. Private to src/store/.
 *
 *   sqlite_store.c   the driver: open, the lock of the one writer, close
 *   sqlite_reader.c  opening to read, also where nothing can be written
 *   sqlite_migrate.c the schema
 *   sqlite_write.c   a batch
 *   sqlite_strip.c   the last outcomes of sites whose reports came late
 *   sqlite_read.c    what the page reads
 *   sqlite_seq_chunk.c which seq are stored
 *   sqlite_seq_range.c that becomes ranges, and expires
 *   sqlite_audit.c   what audit reads of that
 */
#ifndef WEBSENTRY_STORE_SQLITE_STORE_H
#define WEBSENTRY_STORE_SQLITE_STORE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/database_files.h"
#include "store/store_driver.h"
#include "store/store_ids.h"
#include "store/store_plan.h"

/* The statements of a batch, prepared once: X(SUFFIX, SQL) */
#define SQLITE_STATEMENTS(X)                                                                       \
	X(SITE,                                                                                    \
	  "INSERT INTO site (id, name, first_seen_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING") \
	X(LOCATION, "INSERT INTO location (id, name, first_seen_at) VALUES (?1, ?2, ?3) ON "       \
		    "CONFLICT DO NOTHING")                                                         \
	X(PRODUCER, "INSERT INTO producer (id, location_id, host, prev_producer_id, prev_seq, "    \
		    "first_seen_at) "                                                              \
		    "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET "              \
		    "prev_producer_id = excluded.prev_producer_id, prev_seq = excluded.prev_seq "  \
		    "WHERE producer.prev_seq IS NULL AND excluded.prev_seq IS NOT NULL")           \
	X(SETUP, "INSERT INTO check_setup (id, site_id, location_id, v, kind, url, host, labels, " \
		 "interval_us, "                                                                   \
		 "timeout_us, pattern, first_seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "    \
		 "?9, ?10, ?11, ?12) "                                                             \
		 "ON CONFLICT DO NOTHING")                                                         \
	X(REPORT, sqlite_insert_report)                                                            \
	X(STATE, sqlite_upsert_state)                                                              \
	X(ADVANCE, sqlite_advance_state)                                                           \
	X(MARK, "UPDATE site_state SET is_strip_stale = 1 WHERE site_id = ?1")                     \
	X(BAD,                                                                                     \
	  "INSERT INTO quarantine (id, kafka_topic, kafka_partition, kafka_offset, reason, "       \
	  "detail, length, "                                                                       \
	  "bytes, stored_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING")  \
	X(SETTLE, "DELETE FROM quarantine WHERE id = ?1")                                          \
	X(POSITION,                                                                                \
	  "INSERT INTO kafka_offset (cluster_id, group_id, topic, partition, next, stored_at) "    \
	  "VALUES (?1, ?2, ?3, ?4, ?5, ?6) "                                                       \
	  "ON CONFLICT (cluster_id, group_id, topic, partition) DO UPDATE SET "                    \
	  "next = excluded.next, stored_at = excluded.stored_at")

extern const char sqlite_insert_report[];
extern const char sqlite_upsert_state[];
extern const char sqlite_advance_state[];

enum sqlite_statement {
#define SQLITE_STATEMENT_ENUM(suffix, sql) SQLITE_STATEMENT_##suffix,
	SQLITE_STATEMENTS(SQLITE_STATEMENT_ENUM)
#undef SQLITE_STATEMENT_ENUM
		SQLITE_STATEMENT_COUNT,
};

struct sqlite_fold_place {
	char producer_id[UUID_TEXT_SIZE];
	int64_t chunk;
};

struct sqlite_store {
	struct store store;
	char *path;
	enum store_mode mode;
	int lock_fd; /* -1 for readers */
	sqlite3 *db; /* NULL: not open, yet or again */
	dev_t device; /* of the file that is open: somebody may delete it or put another in its place */
	ino_t inode;
	bool is_unlocked; /* a reader's, in a folder that can't be written: the files as they were when it was opened */
	struct database_files files;
	pthread_mutex_t db_lock; /* over db, against sqlite_interrupt() */
	sqlite3_stmt *statements[SQLITE_STATEMENT_COUNT];
	struct store_ids *ids;
	bool may_migrate;
	int64_t schema_version; /* SQLite's own counter when the relations were looked at; -1 never */
	mono_us fold_at;        /* when chunks of seq become ranges again, and behind which one */
	struct sqlite_fold_place fold_from;
	int64_t expired_day; /* what was stored before it is noted as expired; INT64_MIN: never */
	atomic_bool is_interrupted;
};

/* What SQLite says, as an error of ours; returns -1. */
int sqlite_fail(struct sqlite_store *store, const char *what, struct error *err);

int sqlite_execute(struct sqlite_store *store, const char *sql, struct error *err);

/* Begin a transaction that writes. After -1 none is open: not even where it was interrupted just behind its beginning. */
int sqlite_begin(struct sqlite_store *store, struct error *err);
/* End the transaction without a trace, unless SQLite has done so itself. */
void sqlite_rollback(struct sqlite_store *store);

/* A column as text, "" for null; valid until the next step. */
const char *sqlite_text(sqlite3_stmt *row, int column);
/* Add a column's bitmap of SEQ_CHUNK_BYTES to bits. Returns false where it holds none. */
bool sqlite_add_bits(sqlite3_stmt *row, int column, unsigned char *bits);

/* How SQLite is asked for the file. name: a path, or a URI with SQLITE_OPEN_URI; vfs NULL: the usual one. */
struct sqlite_opening {
	const char *name;
	int flags;
	const char *vfs;
};

int sqlite_open_file(struct sqlite_store *store, const struct sqlite_opening *how,
		     struct error *err);
void sqlite_note_file(struct sqlite_store *store); /* which one it is */
void sqlite_close_file(struct sqlite_store *store);

/* ERROR_RETRY where it may be there later, ERROR_REJECT where it can't be read in its place. */
int sqlite_open_reader(struct sqlite_store *store, struct error *err);

/* False: nothing kept a writer from changing what is open, and one did. */
bool sqlite_is_reading_current(const struct sqlite_store *store);

/* At the end of a reading with this status: the same, or -1 where what was read may be half of this and half of that. */
int sqlite_confirm(struct sqlite_store *store, int status, struct error *err);

/*
 * Before each use, outside a transaction: open the file unless it is open. One that was deleted meanwhile is made anew by the
 * writer, which says so; one that another was put in place of is left alone by the writer (ERROR_REJECT), and read by readers.
 */
int sqlite_connect(struct sqlite_store *store, struct error *err);

int sqlite_migrate(struct sqlite_store *store, bool is_allowed, struct error *err);
int sqlite_check_version(struct store *base, struct error *err);

/* Look whether the relations are there, when the schema has changed since the last look; make them again where they are not. */
int sqlite_check_relations(struct sqlite_store *store, struct error *err);

int sqlite_write(struct store *base, const struct store_batch *batch,
		 struct store_written *ret_written, struct error *err);
/* In the batch's transaction, once it is known which rows are new. */
int sqlite_write_seq_chunks(struct sqlite_store *store, const struct store_batch *batch,
			    const struct store_plan *plan, const bool *is_old, wall_us now,
			    struct error *err);

/* Now and then, outside a transaction: chunks that are full, or that nothing comes to any more, become ranges. */
void sqlite_fold_seq_chunks(struct sqlite_store *store);

/* Reports that began before go: what is stored of them is expired from now on. Outside a transaction. */
int sqlite_expire_seqs(struct sqlite_store *store, wall_us before, struct error *err);

/* Whether the tables and the trigger are there; and fill them from the reports. In the migration's transaction. */
int sqlite_seq_chunks_are_there(struct sqlite_store *store, bool *ret_are_there, struct error *err);
int sqlite_make_seq_chunks(struct sqlite_store *store, struct error *err);

int sqlite_read_audit(struct store *base, struct audit *audit, struct error *err);
int sqlite_declare_lost(struct store *base, const struct uuid *producer_id,
			const struct store_seq_range *range, const char *who, struct error *err);

int sqlite_tidy(struct store *base, int *ret_again_ms, struct error *err);
int sqlite_refresh_strips(struct store *base, bool *ret_is_done, struct error *err);
int sqlite_read_positions(struct store *base, const char *cluster_id,
			  struct store_position *positions, size_t count, struct error *err);
int sqlite_read_last_seq(struct store *base, const struct uuid *producer_id, bool *ret_found,
			 int64_t *ret_seq, struct error *err);
int sqlite_read_sites(struct store *base,
		      bool (*on_site)(void *context, const struct store_site *site), void *context,
		      struct error *err);
int sqlite_read_quarantine(struct store *base, const struct store_quarantine_query *query,
			   bool (*on_row)(void *context, const struct store_quarantined *row),
			   void *context, struct error *err);

#endif
