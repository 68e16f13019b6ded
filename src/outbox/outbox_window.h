/*
 * The rows that were handed to the drain and still lie in the file, in order of id: a ring of bounded size.
 *
 *     waiting --sent--> sent --acknowledged--> acknowledged --deleted from the file--> gone
 *        ^----rewind-----'
 *
 * Pure; outbox thread.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_WINDOW_H
#define WEBSENTRY_OUTBOX_OUTBOX_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outbox_window_state {
	OUTBOX_WINDOW_WAITING, /* to be offered again */
	OUTBOX_WINDOW_SENT,
	OUTBOX_WINDOW_ACKNOWLEDGED,
	OUTBOX_WINDOW_GONE,
};

struct outbox_window_entry {
	int64_t id;
	uint32_t bytes;
	enum outbox_window_state state;
};

struct outbox_window {
	struct outbox_window_entry *entries; /* a ring of OUTBOX_WINDOW_MAX */
	size_t first;
	size_t count;
	size_t acknowledged; /* entries in that state */
	size_t gone;
	int64_t past_id; /* rows up to here are gone, and have left the window; 0: none has */
};

/* Rows in flight at most. The oldest one may hold the others up: a partition without a leader, say. */
enum { OUTBOX_WINDOW_MAX = 65536 };

void outbox_window_init(struct outbox_window *window);
void outbox_window_finish(struct outbox_window *window);

bool outbox_window_is_full(const struct outbox_window *window);

/* The entry of a row, or NULL where it has none. */
struct outbox_window_entry *outbox_window_find(struct outbox_window *window, int64_t id);

/* Whether a row is gone and has left the window. In a segment, where nothing is deleted, it may be read once more. */
bool outbox_window_is_past(const struct outbox_window *window, int64_t id);

/* Another file is read from here on: rows with higher ids than this are not gone, even where they were of the file before. */
void outbox_window_begin_after(struct outbox_window *window, int64_t id);

/* A row was handed over; its id is higher than those before. The window is not full. */
void outbox_window_add(struct outbox_window *window, int64_t id, uint32_t bytes);

/* The drain did not want it after all. was_waiting: it was in the window before; otherwise it was added last. */
void outbox_window_take_back(struct outbox_window *window, int64_t id, bool was_waiting);

/* A row has left the file without being sent. */
void outbox_window_drop(struct outbox_window *window, int64_t id);

/* The id of the oldest row that is not acknowledged; 0 where there is none. */
int64_t outbox_window_oldest(const struct outbox_window *window);

/* The same for all rows from first_id to last_id; what becomes of them there is not followed any more. */
void outbox_window_drop_range(struct outbox_window *window, int64_t first_id, int64_t last_id);

/* Rows of the window that lie in the file, and those among them with an id up to last_id. */
size_t outbox_window_rows(const struct outbox_window *window);
size_t outbox_window_rows_until(const struct outbox_window *window, int64_t last_id);

/* True the first time a row that is in the window is acknowledged. */
bool outbox_window_acknowledge(struct outbox_window *window, int64_t id);

/* All that are sent wait again. Returns the id before the oldest of them, or last_id where there is none. */
int64_t outbox_window_rewind(struct outbox_window *window, int64_t last_id);

/*
 * Ranges of acknowledged rows, for deletion: call with *cursor = 0 first, until it returns false. bytes and rows are what
 * the range holds. Nothing may change in between.
 */
struct outbox_window_range {
	int64_t first_id;
	int64_t last_id;
	int64_t rows;
	int64_t bytes;
};
bool outbox_window_next_range(const struct outbox_window *window, size_t *cursor,
			      struct outbox_window_range *ret_range);

/* The acknowledged rows have been deleted from the file. */
void outbox_window_forget_acknowledged(struct outbox_window *window);

#endif
