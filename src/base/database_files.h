/*
 * The files of an SQLite database that lies where nothing can be written: a backup on read-only media, or another user's folder.
 * SQLite refuses a write-ahead-log database there unless it finds its index (-shm), since it must make one. Any thread.
 */
#ifndef WEBSENTRY_BASE_DATABASE_FILES_H
#define WEBSENTRY_BASE_DATABASE_FILES_H

#include <stdbool.h>
#include <stdint.h>

struct database_file {
	int64_t size; /* -1: not there */
	int64_t changed_ns;
};

/* A database, and what SQLite lays beside it (beside the file itself, where path is a link to it). */
struct database_files {
	struct database_file main;
	struct database_file log;     /* -wal */
	struct database_file index;   /* -shm, of whoever has it open in the usual way */
	struct database_file journal; /* -journal */
};

void database_files_look(const char *path, struct database_files *ret_files);

/* Whether nobody wrote between the two looks. */
bool database_files_are_equal(const struct database_files *a, const struct database_files *b);

/* Whether we can't write to the file or make others beside it. */
bool database_files_are_unwritable(const char *path);

/* How to read what can't be written, so that nothing of it is missed. */
enum database_files_manner {
	DATABASE_FILES_AS_THEY_ARE, /* all is in the database: SQLite's immutable=1 */
	DATABASE_FILES_WITH_LOG, /* newer rows are in the log: with an index in memory (unix-none, EXCLUSIVE) */
	DATABASE_FILES_UNFINISHED, /* a transaction must be undone first, which is writing */
};
enum database_files_manner database_files_manner(const struct database_files *files);

/* SQLite's URI of what is read as it is, to be freed. */
char *database_files_uri(const char *path);

#endif
