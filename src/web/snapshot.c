#include "web/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

/* A report may be late by its timeout, its way through Kafka, and a prober that caught up: three intervals and 30 s are not
 * reached by a pipeline that works. */
enum { OVERDUE_INTERVALS = 3, OVERDUE_GRACE_S = 30 };

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void snapshot_names_init(struct snapshot_names *names, const char *const *given, size_t count)
{
	*names = (struct snapshot_names){.is_given = given != NULL};
	if (given == NULL)
		return;
	names->names = xcalloc(count, sizeof(*names->names));
	for (size_t i = 0; i < count; i++)
		names->names[i] = xstrdup(given[i]);
	names->count = count;
	qsort(names->names, count, sizeof(*names->names), compare_names);
}

void snapshot_names_finish(struct snapshot_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct snapshot_names){0};
}

static bool has_name(const struct snapshot_names *names, const char *name)
{
	return bsearch(&name, names->names, names->count, sizeof(*names->names), compare_names) !=
	       NULL;
}

void snapshot_init(struct snapshot *snapshot)
{
	*snapshot = (struct snapshot){0};
}

void snapshot_finish(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		free(snapshot->sites[i].name);
		free(snapshot->sites[i].url);
		free(snapshot->sites[i].reason);
		free(snapshot->sites[i].message);
		free(snapshot->sites[i].location);
	}
	free(snapshot->sites);
	*snapshot = (struct snapshot){0};
}

static char *copy_of(const char *text)
{
	return xstrdup(text == NULL ? "" : text);
}

static struct site_view *next_site(struct snapshot *snapshot)
{
	if (snapshot->count == snapshot->capacity) {
		snapshot->capacity = snapshot->capacity == 0 ? 64 : 2 * snapshot->capacity;
		snapshot->sites = xreallocarray(snapshot->sites, snapshot->capacity,
						sizeof(*snapshot->sites));
	}
	struct site_view *view = &snapshot->sites[snapshot->count++];
	*view = (struct site_view){0};
	return view;
}

bool snapshot_add(void *context, const struct store_site *site)
{
	struct snapshot *snapshot = context;
	if (snapshot->count == SNAPSHOT_SITES_MAX) {
		snapshot->left_out++;
		return true;
	}
	struct site_view *view = next_site(snapshot);
	view->name = copy_of(site->name);
	view->url = copy_of(site->url);
	view->reason = copy_of(site->reason);
	view->message = copy_of(site->message);
	view->location = copy_of(site->location);
	view->outcome = site->outcome;
	view->started_at = site->started_at;
	view->total_us = site->total_us;
	view->interval_us = site->interval_us;
	view->http_status_code = site->http_status_code;
	memcpy(view->strip, site->strip, sizeof(view->strip));
	view->strip[STORE_STRIP_LENGTH] = '\0';
	return true;
}

int64_t snapshot_overdue_after_us(int64_t interval_us)
{
	int64_t grace_us = (int64_t)OVERDUE_GRACE_S * CLOCK_US_PER_S;
	if (interval_us <= 0)
		return INT64_MAX; /* checked once: there is nothing to wait for */
	if (interval_us > (INT64_MAX - grace_us) / OVERDUE_INTERVALS)
		return INT64_MAX;
	return OVERDUE_INTERVALS * interval_us + grace_us;
}

static enum site_state state_of(const struct site_view *view, const struct snapshot_names *names,
				wall_us now)
{
	if (names->is_given && !has_name(names, view->name))
		return SITE_CLOSED;
	if (now - view->started_at > snapshot_overdue_after_us(view->interval_us))
		return SITE_OVERDUE;
	switch (view->outcome) {
	case OUTCOME_UP:
		return SITE_UP;
	case OUTCOME_DEGRADED:
		return SITE_DEGRADED;
	case OUTCOME_DOWN:
		return SITE_DOWN;
	case OUTCOME_UNKNOWN:
	case OUTCOME_COUNT:
		break;
	}
	return SITE_UNKNOWN;
}

static int compare_view_names(const void *a, const void *b)
{
	return strcmp(((const struct site_view *)a)->name, ((const struct site_view *)b)->name);
}

static int compare_views(const void *a, const void *b)
{
	const struct site_view *left = a;
	const struct site_view *right = b;
	if (left->state != right->state)
		return left->state < right->state ? -1 : 1;
	int order = strcasecmp(left->name, right->name);
	return order != 0 ? order : strcmp(left->name, right->name);
}

/* The sites of the file that have no report. Walks both sorted lists at once. */
static void add_waiting(struct snapshot *snapshot, const struct snapshot_names *names)
{
	size_t known = snapshot->count;
	size_t at = 0;
	if (known > 1)
		qsort(snapshot->sites, known, sizeof(*snapshot->sites), compare_view_names);
	for (size_t i = 0; i < names->count; i++) {
		while (at < known && strcmp(snapshot->sites[at].name, names->names[i]) < 0)
			at++;
		if (at < known && strcmp(snapshot->sites[at].name, names->names[i]) == 0)
			continue;
		if (snapshot->count == SNAPSHOT_SITES_MAX) {
			snapshot->left_out++;
			continue;
		}
		struct site_view *view = next_site(snapshot);
		view->name = copy_of(names->names[i]);
		view->url = copy_of("");
		view->reason = copy_of("");
		view->message = copy_of("");
		view->location = copy_of("");
		view->outcome = OUTCOME_UNKNOWN;
		view->state = SITE_WAITING;
		view->total_us = -1;
	}
}

void snapshot_complete(struct snapshot *snapshot, const struct snapshot_names *names, wall_us now)
{
	for (size_t i = 0; i < snapshot->count; i++)
		snapshot->sites[i].state = state_of(&snapshot->sites[i], names, now);
	/* A store that was cut short can't tell who waits. */
	if (names->is_given && snapshot->left_out == 0)
		add_waiting(snapshot, names);
	if (snapshot->count > 1)
		qsort(snapshot->sites, snapshot->count, sizeof(*snapshot->sites), compare_views);
	for (size_t i = 0; i < snapshot->count; i++)
		snapshot->counts[snapshot->sites[i].state]++;
	snapshot->read_at = now;
}

const char *site_state_name(enum site_state state)
{
	switch (state) {
	case SITE_DOWN:
		return "down";
	case SITE_DEGRADED:
		return "degraded";
	case SITE_UNKNOWN:
		return "unknown";
	case SITE_OVERDUE:
		return "overdue";
	case SITE_WAITING:
		return "waiting";
	case SITE_UP:
		return "up";
	case SITE_CLOSED:
		return "closed";
	case SITE_STATE_COUNT:
		break;
	}
	return "unknown";
}
