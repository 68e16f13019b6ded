/* What the `quarantine` commands share. Main thread. */
#ifndef WEBSENTRY_APP_QUARANTINE_H
#define WEBSENTRY_APP_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store_quarantine.h"

/* A row that outlives the callback that it came in. */
struct quarantined {
	bool is_found;
	struct store_quarantined row; /* its texts and bytes are owned */
};

/* Read the row of an id; is_found false where there is none. Released with quarantined_finish(). */
int quarantined_read(struct store *store, int64_t id, struct quarantined *ret_found,
		     struct error *err);
void quarantined_finish(struct quarantined *found);

/* Log what went wrong with the store and return the exit code for it. */
int quarantine_fail(const struct error *err);

#endif
