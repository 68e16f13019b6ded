/*
 * The files around outbox.db: setting a damaged one aside, and the reserve that is freed when the disk is full.
 * Outbox thread (or its creator, before it starts). Returns errors, logs nothing.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_PLACE_H
#define WEBSENTRY_OUTBOX_OUTBOX_PLACE_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"

/*
 * Rename what lies at path (file or folder), and its write-ahead log with it, to "<path>.damaged-20261121T203345Z".
 * *ret_name is the new name, to be freed.
 */
int outbox_place_set_aside(const char *path, char **ret_name, struct error *err);

/* The same to "<path><infix>20261121T203345Z". */
int outbox_place_rename(const char *path, const char *infix, char **ret_name, struct error *err);

/*
 * A process that was killed while it renamed leaves the log under the new name and the database, without its newest rows,
 * under the old one: give the database its new name as well. A marker tells ("<new name>-renaming"): a log alone may have been left by
 * anybody. Before the database is opened. Returns that name, to be freed; NULL: there was nothing to finish.
 */
char *outbox_place_finish_rename(const char *path);

/* A database and what belongs to it. */
void outbox_place_remove(const char *path);

/*
 * A database of zero bytes beside a log that holds something: SQLite would delete the log, and the reports in it. True
 * says: set both aside.
 */
bool outbox_place_is_torn(const char *path);

bool outbox_place_is_folder(const char *path);

/* How much disk space is kept back, so that rows can be deleted on a full disk. */
enum { OUTBOX_RESERVE_BYTES = 1024 * 1024 };

struct outbox_reserve {
	char *path;         /* "<path>.reserve" */
	const char *beside; /* the database, borrowed */
	bool is_there;
	mono_us next_try;
};

/* Borrows path for its whole life. */
void outbox_reserve_init(struct outbox_reserve *reserve,
			 const char *path);                 /* makes it, where there is room */
void outbox_reserve_finish(struct outbox_reserve *reserve); /* the file stays */

/* The disk is full: give the space back. Returns whether there was any. */
bool outbox_reserve_release(struct outbox_reserve *reserve, mono_us now);

/* Make it again, now and then, once the disk has plenty. */
void outbox_reserve_restore(struct outbox_reserve *reserve, mono_us now);

#endif
