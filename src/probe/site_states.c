#include "probe/site_states.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/schedule.h"
#include "check/site.h"
#include "probe/check_run.h"
#include "probe/kept_connection.h"

void site_states_init(struct site_states *states, size_t share, size_t shares,
		      const struct site *list, size_t list_count)
{
	size_t count = 0;
	for (size_t i = 0; i < list_count; i++)
		count += schedule_share(list[i].name, shares) == share;
	*states = (struct site_states){
		.share = share,
		.shares = shares,
		.states = xcalloc(count, sizeof(states->states[0])),
		.origins = xcalloc(count, sizeof(states->origins[0])),
		.schedule = schedule_create(count),
	};
	for (size_t i = 0; i < list_count; i++) {
		if (schedule_share(list[i].name, shares) != share)
			continue;
		states->states[states->count].site = &list[i];
		states->origins[states->count++] = i;
	}
}

void site_states_finish(struct site_states *states)
{
	for (size_t i = 0; i < states->count; i++)
		kept_connection_release(states->states[i].kept);
	schedule_destroy(states->schedule);
	free(states->states);
	free(states->origins);
	*states = (struct site_states){0};
}

static void schedule_afresh(struct site_states *states, size_t index, mono_us now)
{
	const struct site *site = states->states[index].site;
	schedule_add(states->schedule, index,
		     schedule_first_due_us(site->name, site->interval_us, now), site->interval_us);
}

void site_states_schedule(struct site_states *states, mono_us now)
{
	for (size_t i = 0; i < states->count; i++)
		schedule_afresh(states, i, now);
}

/* The number of the site that stood at a place in the list; SITE_STATES_GONE for none. They are in the list's order. */
static size_t find(const struct site_states *states, size_t origin)
{
	size_t low = 0;
	size_t high = states->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (states->origins[middle] < origin)
			low = middle + 1;
		else
			high = middle;
	}
	return low < states->count && states->origins[low] == origin ? low : SITE_STATES_GONE;
}

size_t *site_states_exchange(struct site_states *states, const struct prober_reload *reload,
			     mono_us now)
{
	struct site_states fresh;
	site_states_init(&fresh, states->share, states->shares, reload->sites, reload->site_count);
	size_t *moved = xcalloc(states->count, sizeof(moved[0]));
	mono_us *dues = xcalloc(states->count, sizeof(dues[0]));
	schedule_read_dues(states->schedule, dues);
	for (size_t i = 0; i < states->count; i++)
		moved[i] = SITE_STATES_GONE;
	for (size_t i = 0; i < fresh.count; i++) {
		size_t was = reload->was[fresh.origins[i]];
		size_t old = was == PROBER_NEW_SITE ? SITE_STATES_GONE : find(states, was);
		const struct site *site = fresh.states[i].site;
		if (old == SITE_STATES_GONE) {
			schedule_afresh(&fresh, i, now);
			continue;
		}
		moved[old] = i;
		bool is_same_url = strcmp(states->states[old].site->url, site->url) == 0;
		bool is_same_pace = states->states[old].site->interval_us == site->interval_us;
		fresh.states[i] = states->states[old];
		fresh.states[i].site = site;
		fresh.states[i].is_public = states->states[old].is_public && is_same_url;
		fresh.states[i].kept = NULL; /* a connection that was made as another site had it */
		if (is_same_pace)
			schedule_add(fresh.schedule, i, dues[old], site->interval_us);
		else
			schedule_afresh(&fresh, i, now);
	}
	free(dues);
	site_states_finish(states);
	*states = fresh;
	return moved;
}

void site_states_note_public(struct site_states *states, const struct check_start *origin,
			     bool is_public)
{
	size_t index = origin->index;
	if (index != SITE_STATES_GONE && states->states[index].site == origin->site)
		states->states[index].is_public = is_public;
}
