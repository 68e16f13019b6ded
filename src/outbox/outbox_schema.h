/*
 * Opening the outbox's file: pragmas, tables, and whether what lies there is ours at all. Used by outbox_file.c alone.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_SCHEMA_H
#define WEBSENTRY_OUTBOX_OUTBOX_SCHEMA_H

#include <stdint.h>

#include "outbox/outbox_file.h"

struct sqlite3;

/* *ret_db is set also on failure, and closed by the caller. */
enum outbox_file_result outbox_schema_open(const char *path, enum outbox_durability durability,
					   struct sqlite3 **ret_db, struct error *err);

/* The same where nothing can be written: all that lies there, and nothing is made. An outbox without tables is damaged there. */
enum outbox_file_result outbox_schema_open_to_read(const char *path, struct sqlite3 **ret_db,
						   struct error *err);

enum outbox_file_result
outbox_schema_read_meta(struct sqlite3 *db, struct outbox_file_meta *ret_meta, struct error *err);

/* What an SQLite result code means to the outbox, with err filled: "doing: SQLite's message (extended code)". */
enum outbox_file_result outbox_schema_result(struct sqlite3 *db, int code, const char *doing,
					     struct error *err);

/* The first column of a query's first row; 0 where there is none. */
int64_t outbox_schema_number(struct sqlite3 *db, const char *query);

#endif
