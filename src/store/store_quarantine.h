/*
 * What was put aside: messages that are no reports, and reports that could not be stored. `websentry quarantine` looks at it through
 * these; a row goes back through store_write(), whose batch says what it was made of (store_batch.quarantined).
 */
#ifndef WEBSENTRY_STORE_STORE_QUARANTINE_H
#define WEBSENTRY_STORE_STORE_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/store.h"

/* Texts and bytes are borrowed for the callback. */
struct store_quarantined {
	int64_t id;
	struct store_origin origin;
	const char *reason;
	const char *detail;
	wall_us stored_at;
	int64_t length;    /* of the whole message; -1: one without bytes (a tombstone) */
	const char *bytes; /* its first MiB; only where one id was asked for; NULL: none */
	size_t byte_count;
};

enum { STORE_QUARANTINE_ANY = -1 };

struct store_quarantine_query {
	int64_t id;         /* one row, with its bytes; STORE_QUARANTINE_ANY: all */
	const char *reason; /* only those; NULL: any */
	bool is_by_id; /* in the order of ids, from behind after on; otherwise the newest first */
	int64_t after; /* an id, or STORE_QUARANTINE_ANY: from the first on */
	int64_t limit; /* rows at most */
};

/* Call on_row for each; end early when it returns false. */
int store_read_quarantine(struct store *store, const struct store_quarantine_query *query,
			  bool (*on_row)(void *context, const struct store_quarantined *row),
			  void *context, struct error *err);

#endif
