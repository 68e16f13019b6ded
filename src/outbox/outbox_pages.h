/*
 * The pages of a database file and of its write-ahead log, read as they lie on the disk: for files that SQLite can't read,
 * or only in part. A page has a version in the file, and one for each frame of the log that holds it.
 *
 * Every frame counts: SQLite stops at the first that does not fit the log's running checksum, so that one flipped bit hides
 * all behind it. That brings up frames of a transaction that a kill cut short, too: their rows are whole, and nobody else
 * has their identity.
 *
 * Any one thread. Never writes.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_PAGES_H
#define WEBSENTRY_OUTBOX_OUTBOX_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct outbox_pages;

enum { OUTBOX_PAGES_SIZE_MAX = 65536 };

/* The file at path and "<path>-wal"; either may be missing, not both. NULL with ERROR_REJECT. */
struct outbox_pages *outbox_pages_open(const char *path, struct error *err);
void outbox_pages_close(struct outbox_pages *pages); /* accepts NULL */

/*
 * The sizes that pages may have: what the headers say, where it is possible, and SQLite's own default. The first one, of
 * outbox_pages_size_count(), is in use from the start.
 */
size_t outbox_pages_size_count(const struct outbox_pages *pages);
void outbox_pages_use_size(struct outbox_pages *pages, size_t which);
size_t outbox_pages_size(const struct outbox_pages *pages);

/* Versions of pages, the file's first. */
size_t outbox_pages_count(const struct outbox_pages *pages);

/* The page's number; 0 where a frame of the log does not say. */
uint32_t outbox_pages_number(const struct outbox_pages *pages, size_t version);

/*
 * Read a version into bytes[outbox_pages_size()]; what a file lacks at its end is zeros. Returns 0; -1 where the disk does not
 * give it.
 */
int outbox_pages_read(const struct outbox_pages *pages, size_t version, unsigned char *bytes);

/*
 * The versions of a page, the likeliest for a reader that came from version near first: those nearest to it. Writes at
 * most max of them; returns how many.
 */
size_t outbox_pages_versions(const struct outbox_pages *pages, uint32_t number, size_t near,
			     size_t *ret_versions, size_t max);

#endif
