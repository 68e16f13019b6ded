#include "outbox/outbox_window.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

static struct outbox_window_entry *entry_at(const struct outbox_window *window, size_t i)
{
	return &window->entries[(window->first + i) % OUTBOX_WINDOW_MAX];
}

void outbox_window_init(struct outbox_window *window)
{
	*window = (struct outbox_window){
		.entries = xcalloc(OUTBOX_WINDOW_MAX, sizeof(struct outbox_window_entry))};
}

void outbox_window_finish(struct outbox_window *window)
{
	free(window->entries);
	window->entries = NULL;
}

bool outbox_window_is_full(const struct outbox_window *window)
{
	return window->count == OUTBOX_WINDOW_MAX;
}

struct outbox_window_entry *outbox_window_find(struct outbox_window *window, int64_t id)
{
	size_t low = 0;
	size_t high = window->count;
	if (high == 0)
		return NULL;
	/* mostly there are no gaps, and the id says where */
	int64_t offset = id - entry_at(window, 0)->id;
	if (offset >= 0 && offset < (int64_t)high && entry_at(window, (size_t)offset)->id == id)
		return entry_at(window, (size_t)offset);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct outbox_window_entry *entry = entry_at(window, middle);
		if (entry->id == id)
			return entry;
		if (entry->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool outbox_window_is_past(const struct outbox_window *window, int64_t id)
{
	return id <= window->past_id;
}

void outbox_window_begin_after(struct outbox_window *window, int64_t id)
{
	if (window->past_id > id)
		window->past_id = id;
}

void outbox_window_add(struct outbox_window *window, int64_t id, uint32_t bytes)
{
	assert(!outbox_window_is_full(window));
	assert(window->count == 0 || entry_at(window, window->count - 1)->id < id);
	*entry_at(window, window->count++) =
		(struct outbox_window_entry){.id = id, .bytes = bytes, .state = OUTBOX_WINDOW_SENT};
}

/* Entries of rows that are gone leave at the front. */
static void trim(struct outbox_window *window)
{
	while (window->count > 0 && entry_at(window, 0)->state == OUTBOX_WINDOW_GONE) {
		window->past_id = entry_at(window, 0)->id;
		window->first = (window->first + 1) % OUTBOX_WINDOW_MAX;
		window->count--;
		window->gone--;
	}
}

void outbox_window_take_back(struct outbox_window *window, int64_t id, bool was_waiting)
{
	struct outbox_window_entry *entry = outbox_window_find(window, id);
	assert(entry != NULL);
	if (was_waiting)
		entry->state = OUTBOX_WINDOW_WAITING;
	else
		window->count--;
}

void outbox_window_drop(struct outbox_window *window, int64_t id)
{
	struct outbox_window_entry *entry = outbox_window_find(window, id);
	if (entry == NULL || entry->state == OUTBOX_WINDOW_GONE)
		return;
	if (entry->state == OUTBOX_WINDOW_ACKNOWLEDGED)
		window->acknowledged--;
	entry->state = OUTBOX_WINDOW_GONE;
	window->gone++;
	trim(window);
}

int64_t outbox_window_oldest(const struct outbox_window *window)
{
	for (size_t i = 0; i < window->count; i++) {
		const struct outbox_window_entry *entry = entry_at(window, i);
		if (entry->state == OUTBOX_WINDOW_WAITING || entry->state == OUTBOX_WINDOW_SENT)
			return entry->id;
	}
	return 0;
}

void outbox_window_drop_range(struct outbox_window *window, int64_t first_id, int64_t last_id)
{
	for (size_t i = 0; i < window->count; i++) {
		struct outbox_window_entry *entry = entry_at(window, i);
		if (entry->id < first_id || entry->id > last_id ||
		    entry->state == OUTBOX_WINDOW_GONE)
			continue;
		if (entry->state == OUTBOX_WINDOW_ACKNOWLEDGED)
			window->acknowledged--;
		entry->state = OUTBOX_WINDOW_GONE;
		window->gone++;
	}
	trim(window);
}

size_t outbox_window_rows(const struct outbox_window *window)
{
	return window->count - window->gone;
}

size_t outbox_window_rows_until(const struct outbox_window *window, int64_t last_id)
{
	size_t rows = 0;
	for (size_t i = 0; i < window->count && entry_at(window, i)->id <= last_id; i++)
		rows += entry_at(window, i)->state != OUTBOX_WINDOW_GONE ? 1 : 0;
	return rows;
}

bool outbox_window_acknowledge(struct outbox_window *window, int64_t id)
{
	struct outbox_window_entry *entry = outbox_window_find(window, id);
	if (entry == NULL || entry->state == OUTBOX_WINDOW_ACKNOWLEDGED ||
	    entry->state == OUTBOX_WINDOW_GONE)
		return false;
	entry->state = OUTBOX_WINDOW_ACKNOWLEDGED;
	window->acknowledged++;
	return true;
}

int64_t outbox_window_rewind(struct outbox_window *window, int64_t last_id)
{
	int64_t before = last_id;
	for (size_t i = window->count; i-- > 0;) {
		struct outbox_window_entry *entry = entry_at(window, i);
		if (entry->state == OUTBOX_WINDOW_SENT)
			entry->state = OUTBOX_WINDOW_WAITING;
		if (entry->state == OUTBOX_WINDOW_WAITING)
			before = entry->id - 1;
	}
	return before;
}

bool outbox_window_next_range(const struct outbox_window *window, size_t *cursor,
			      struct outbox_window_range *ret_range)
{
	size_t i = *cursor;
	while (i < window->count && entry_at(window, i)->state != OUTBOX_WINDOW_ACKNOWLEDGED)
		i++;
	if (i == window->count) {
		*cursor = i;
		return false;
	}
	struct outbox_window_range range = {.first_id = entry_at(window, i)->id};
	for (; i < window->count; i++) {
		const struct outbox_window_entry *entry = entry_at(window, i);
		/* consecutive ids only: a row between two entries, one that was passed over, must stay */
		if (entry->state != OUTBOX_WINDOW_ACKNOWLEDGED ||
		    (range.rows > 0 && entry->id != range.last_id + 1))
			break;
		range.last_id = entry->id;
		range.rows++;
		range.bytes += entry->bytes;
	}
	*cursor = i;
	*ret_range = range;
	return true;
}

void outbox_window_forget_acknowledged(struct outbox_window *window)
{
	for (size_t i = 0; i < window->count && window->acknowledged > 0; i++) {
		struct outbox_window_entry *entry = entry_at(window, i);
		if (entry->state == OUTBOX_WINDOW_ACKNOWLEDGED) {
			entry->state = OUTBOX_WINDOW_GONE;
			window->acknowledged--;
			window->gone++;
		}
	}
	trim(window);
}
