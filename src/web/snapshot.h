/*
 * What the store said at one moment: every site in the order of the page, with the state that it is shown in. Made by the
 * reader's thread (snapshot_add() fits store_read_sites()), never changed after snapshot_complete(), then read by any thread.
 */
#ifndef WEBSENTRY_WEB_SNAPSHOT_H
#define WEBSENTRY_WEB_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "check/outcome.h"
#include "store/store.h"

enum {
	SNAPSHOT_SITES_MAX = 100000
}; /* of more sites than this the rest is left out, and the page says so */

/* In the order in which the page shows them. */
enum site_state {
	SITE_DOWN,
	SITE_DEGRADED,
	SITE_UNKNOWN,
	SITE_OVERDUE, /* reports have stopped coming: what the last one says is no news any more */
	SITE_WAITING, /* in the sites file, no report yet */
	SITE_UP,
	SITE_CLOSED, /* not in the sites file any more */
	SITE_STATE_COUNT,
};

/* One site; owns its texts, none of which is NULL. */
struct site_view {
	char *name;
	char *url; /* redacted; "" while waiting */
	char *reason;
	char *message;
	char *location;
	enum outcome outcome; /* of the last report; OUTCOME_UNKNOWN while waiting */
	enum site_state state;
	wall_us started_at;
	int64_t total_us; /* -1 not known */
	int64_t interval_us;
	int http_status_code; /* 0 none */
	char strip[STORE_STRIP_LENGTH + 1];
};

/* The names of the sites file, or none: then no site is closed or waiting. Sorted by bytes. */
struct snapshot_names {
	char **names;
	size_t count;
	bool is_given;
};

struct snapshot {
	struct site_view *sites;
	size_t count;
	size_t capacity;
	size_t counts[SITE_STATE_COUNT];
	size_t left_out; /* sites beyond SNAPSHOT_SITES_MAX */
	wall_us read_at;
};

/* Copies what is given. NULL: none given. */
void snapshot_names_init(struct snapshot_names *names, const char *const *given, size_t count);
void snapshot_names_finish(struct snapshot_names *names);

void snapshot_init(struct snapshot *snapshot);
void snapshot_finish(struct snapshot *snapshot);

/* Copy one site; context is the snapshot. Always true: the end is reached so that what was left out can be counted. */
bool snapshot_add(void *context, const struct store_site *site);

/* Decide every state as of now, add the sites that wait for their first report, sort, count. */
void snapshot_complete(struct snapshot *snapshot, const struct snapshot_names *names, wall_us now);

/* When reports of a site with this interval count as overdue: so long after the last one's start. */
int64_t snapshot_overdue_after_us(int64_t interval_us);

const char *
site_state_name(enum site_state state); /* "down" … "closed": class names, and words in the API */

#endif
