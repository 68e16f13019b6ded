/*
 * The outbox's SQLite file: one connection, prepared statements, one transaction at a time.
 *
 * Rows, and one meta row that is written in the same transactions and always whole (absolute figures, so that doing a
 * commit again after an unknown one changes nothing). Belongs to the outbox thread; the caller logs, this file does not.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_FILE_H
#define WEBSENTRY_OUTBOX_OUTBOX_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "outbox/outbox.h"

struct outbox_file;

/* What the caller acts on; every result but OK and NO_ROW comes with err filled. */
enum outbox_file_result {
	OUTBOX_FILE_OK,
	OUTBOX_FILE_NO_ROW,  /* read: nothing more */
	OUTBOX_FILE_BAD_ROW, /* read: the row does not match its CRC; its id is right */
	OUTBOX_FILE_FULL,    /* the disk is full */
	OUTBOX_FILE_HELD,    /* another process has the file */
	OUTBOX_FILE_DAMAGED, /* not a database, malformed, or not an outbox of this version */
	/*
	 * The disk did not confirm what was written (fsync), now or earlier. The kernel takes such pages for clean, so that asking again
	 * would be answered with a lie: nothing is written to this file any more, it can only be read.
	 */
	OUTBOX_FILE_UNSYNCED,
	OUTBOX_FILE_FAILED, /* anything else: permissions, I/O errors */
};

/* The meta row. */
struct outbox_file_meta {
	int64_t rows;    /* that lie in the file */
	int64_t bytes;   /* of their messages */
	int64_t last_id; /* the highest id ever given */
	bool has_last;
	struct identity last; /* of the last row committed; valid with has_last */
};

/* Open or create. On OK the file is held until outbox_file_close(). */
enum outbox_file_result outbox_file_open(const char *path, enum outbox_durability durability,
					 struct outbox_file **ret_file,
					 struct outbox_file_meta *ret_meta, struct error *err);

/* To look at what is there; also where nothing can be written. Nothing else than reading may be asked of it. */
enum outbox_file_result outbox_file_open_to_read(const char *path, struct outbox_file **ret_file,
						 struct outbox_file_meta *ret_meta,
						 struct error *err);

/* Whether SQLite finds nothing wrong with the structure of the file: OK, or DAMAGED with err. Reads all of it. */
enum outbox_file_result outbox_file_check(struct outbox_file *file, struct error *err);

/* is_damaged: leave everything as it is on disk, without a checkpoint. Accepts NULL. */
void outbox_file_close(struct outbox_file *file, bool is_damaged);

/* A transaction: begin, any of the three, commit. After any other result than OK: outbox_file_rollback(). */
enum outbox_file_result outbox_file_begin(struct outbox_file *file, struct error *err);
enum outbox_file_result outbox_file_insert(struct outbox_file *file, const struct outbox_row *row,
					   struct error *err);
enum outbox_file_result outbox_file_delete(struct outbox_file *file, int64_t first_id,
					   int64_t last_id, struct error *err);
/* A row that can't be sent moves to a table of its own, for salvage. */
enum outbox_file_result outbox_file_move_bad(struct outbox_file *file, int64_t id,
					     struct error *err);
enum outbox_file_result outbox_file_commit(struct outbox_file *file,
					   const struct outbox_file_meta *meta, struct error *err);
void outbox_file_rollback(struct outbox_file *file);

/*
 * Read in order of id. seek, then next until it is not OK; what a row points to lives until the next call. reset before
 * any transaction.
 */
void outbox_file_seek(struct outbox_file *file, int64_t after_id);
enum outbox_file_result outbox_file_next(struct outbox_file *file, struct outbox_row *ret_row,
					 struct error *err);
void outbox_file_reset(struct outbox_file *file);

/* Give the space of deleted rows back to the disk. Cheap only while the file holds no rows. */
void outbox_file_shrink(struct outbox_file *file);

/* The lowest id that lies in the file; INT64_MAX: none does. */
int64_t outbox_file_first_id(struct outbox_file *file);

/* Whether rows that did not match their CRC were put aside in it. */
bool outbox_file_has_bad_rows(struct outbox_file *file);

/* Bytes of the database file that hold nothing. */
int64_t outbox_file_free_bytes(struct outbox_file *file);

/* Copy what waits in the WAL into the database: the WAL is then used again from its start. Its file keeps its size. */
bool outbox_file_checkpoint(struct outbox_file *file); /* whether all of it is on the disk */

#endif
