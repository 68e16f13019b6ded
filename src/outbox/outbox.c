/*
 * The outbox's interface and its thread.
 *
 *     append -> intake -> pending -> [commit] -> file -> window (handed to the drain) -> acknowledged -> deleted
 *                                       `---- from memory, while nothing older waits ----^
 *
 * A turn of the thread: wait for the intake, the drain or the next deadline; let the drain work; commit; send; delete.
 */
#include "outbox/outbox.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "outbox/outbox_private.h"

static const mono_us commit_after = INT64_C(1) * OUTBOX_COMMIT_MS * CLOCK_US_PER_MS;
static const mono_us sync_after = INT64_C(1) * OUTBOX_SYNC_MS * CLOCK_US_PER_MS;
static const mono_us delete_after = INT64_C(100) * CLOCK_US_PER_MS;
static const mono_us show_every = INT64_C(200) * CLOCK_US_PER_MS;
static const mono_us serve_every = INT64_C(1) * CLOCK_US_PER_S;
/* So many are deleted without waiting: the window must not fill up with rows that have arrived. */
enum { DELETE_ROWS = OUTBOX_WINDOW_MAX / 4 };

/* What was there before us is as old as its first row. */
static void date_old_rows(struct outbox *outbox,
			  int64_t (*made_at)(const char *message, size_t length))
{
	struct outbox_row row;
	wall_us at = 0;
	struct outbox_file *file = outbox->segments != NULL ? outbox->segments->file : outbox->file;
	if (atomic_load(&outbox->waiting_rows) == 0)
		return;
	outbox_file_seek(file, 0);
	if (made_at != NULL && outbox_file_next(file, &row, NULL) == OUTBOX_FILE_OK)
		at = made_at(row.message, row.message_length);
	outbox_file_reset(file);
	outbox_age_note(&outbox->age, 0, at != 0 ? at : clock_wall_us());
}

static void look_at_bound(struct outbox *outbox, int64_t rows)
{
	if (rows >= outbox->max_rows)
		atomic_store(&outbox->is_at_bound, true);
	else if (rows <= outbox->max_rows - outbox->max_rows / 10)
		atomic_store(&outbox->is_at_bound, false);
}

struct outbox *outbox_open(const struct outbox_options *options, const struct outbox_events *events,
			   struct error *err)
{
	struct outbox *outbox = xcalloc(1, sizeof(*outbox));
	outbox->path = xstrdup(options->path);
	outbox->durability = options->durability;
	outbox->max_rows = options->max_rows;
	struct figures *figures = options->figures != NULL ? options->figures : figures_unread();
	outbox->figures = &figures->outbox;
	outbox->readiness = &figures->readiness;
	figures_set(&outbox->figures->rows_max, outbox->max_rows);
	if (events != NULL)
		outbox->events = *events;
	outbox->pending_end = &outbox->pending;
	outbox->next_id = 1;
	outbox->producer_id = uuid_random();
	buffer_init(&outbox->text, OUTBOX_BATCH_BYTES_MAX + 2 * REPORT_MESSAGE_MAX);
	outbox_window_init(&outbox->window);
	outbox_age_init(&outbox->age);
	outbox_reserve_init(&outbox->reserve, outbox->path);
	if (outbox_intake_init(&outbox->intake, err) != 0 || outbox_commit_open(outbox, err) != 0) {
		outbox_close(outbox);
		return NULL;
	}
	outbox->has_prev = outbox->meta.has_last;
	outbox->prev = outbox->meta.last;
	atomic_store(&outbox->waiting_rows, outbox->meta.rows);
	atomic_store(&outbox->waiting_bytes, outbox->meta.bytes);
	outbox_segment_adopt(outbox);
	look_at_bound(outbox, atomic_load(&outbox->waiting_rows));
	date_old_rows(outbox, options->made_at);
	return outbox;
}

void outbox_close(struct outbox *outbox)
{
	if (outbox == NULL)
		return;
	if (outbox->is_started)
		outbox_stop(outbox, 0);
	outbox_file_close(outbox->file, false);
	outbox_segment_close(outbox->segments);
	while (outbox->pending != NULL) {
		struct outbox_pending *row = outbox->pending;
		outbox->pending = row->next;
		free(row);
	}
	outbox_intake_finish(&outbox->intake);
	outbox_window_finish(&outbox->window);
	outbox_reserve_finish(&outbox->reserve);
	buffer_finish(&outbox->text);
	free(outbox->path);
	free(outbox);
}

int outbox_append(struct outbox *outbox, enum outbox_class class, const char *key,
		  size_t key_length, const char *body, size_t body_length, struct error *err)
{
	if (body_length > REPORT_MESSAGE_MAX || key_length > REPORT_MESSAGE_MAX) {
		error_set(err, ERROR_REJECT, "a report of %zu bytes is too large", body_length);
		return -1;
	}
	if (atomic_load(&outbox->waiting_rows) >= outbox->max_rows + OUTBOX_SLACK_ROWS ||
	    atomic_load(&outbox->uncommitted_rows) >= OUTBOX_UNCOMMITTED_MAX + OUTBOX_SLACK_ROWS) {
		error_set(err, ERROR_FULL, "the outbox is full");
		return -1;
	}
	struct outbox_pending *row = xmalloc(sizeof(*row) + key_length + body_length);
	*row = (struct outbox_pending){
		.class = class, .key_length = key_length, .body_length = body_length};
	if (key_length > 0)
		memcpy(row->bytes, key, key_length);
	memcpy(row->bytes + key_length, body, body_length);
	/* counted first: the outbox thread may be done with it before this function is */
	if (atomic_fetch_add(&outbox->waiting_rows, 1) + 1 >= outbox->max_rows)
		atomic_store(&outbox->is_at_bound, true);
	atomic_fetch_add(&outbox->waiting_bytes, (int64_t)body_length);
	atomic_fetch_add(&outbox->uncommitted_rows, 1);
	if (!outbox_intake_add(&outbox->intake, row)) {
		free(row);
		atomic_fetch_sub(&outbox->waiting_rows, 1);
		atomic_fetch_sub(&outbox->waiting_bytes, (int64_t)body_length);
		atomic_fetch_sub(&outbox->uncommitted_rows, 1);
		error_set(err, ERROR_FATAL, "the outbox is closed");
		return -1;
	}
	return 0;
}

/* At this moment, wherever it comes from. */
static bool has_place(const struct outbox *outbox)
{
	return atomic_load(&outbox->waiting_rows) < outbox->max_rows &&
	       atomic_load(&outbox->uncommitted_rows) < OUTBOX_UNCOMMITTED_MAX &&
	       !atomic_load(&outbox->is_in_trouble);
}

bool outbox_has_room(const struct outbox *outbox)
{
	return has_place(outbox) && !atomic_load(&outbox->is_at_bound);
}

void outbox_acknowledge(struct outbox *outbox, int64_t id)
{
	struct outbox_window_entry *entry = outbox_window_find(&outbox->window, id);
	if (entry == NULL || !outbox_window_acknowledge(&outbox->window, id))
		return; /* of a file that was set aside, or twice */
	atomic_fetch_sub(&outbox->waiting_bytes, (int64_t)entry->bytes);
	atomic_fetch_add(&outbox->acknowledged, 1);
	figures_add(&outbox->figures->acknowledged, 1);
	(void)atomic_fetch_sub(&outbox->waiting_rows, 1);
}

void outbox_rewind(struct outbox *outbox)
{
	outbox->sent_id = outbox_window_rewind(&outbox->window, outbox->sent_id);
}

void outbox_count(const struct outbox *outbox, struct outbox_counts *ret_counts)
{
	*ret_counts = (struct outbox_counts){
		.waiting_rows = atomic_load(&outbox->waiting_rows),
		.waiting_bytes = atomic_load(&outbox->waiting_bytes),
		.committed = atomic_load(&outbox->committed),
		.acknowledged = atomic_load(&outbox->acknowledged),
		.is_at_bound = atomic_load(&outbox->is_at_bound),
	};
}

struct uuid outbox_producer_id(const struct outbox *outbox)
{
	return outbox->producer_id;
}

/* --- the thread --- */

static bool is_delete_due(const struct outbox *outbox, mono_us now)
{
	size_t acknowledged = outbox->window.acknowledged;
	return acknowledged > 0 && (now >= outbox->deleted_at + delete_after ||
				    acknowledged >= DELETE_ROWS || !has_place(outbox));
}

static bool is_retry_due(const struct outbox *outbox, mono_us now)
{
	return !atomic_load(&outbox->is_in_trouble) || now >= outbox->retry_at;
}

static mono_us earlier(mono_us a, mono_us b)
{
	return a < b ? a : b;
}

/* When the thread must wake up though nothing comes. */
static mono_us next_deadline(const struct outbox *outbox)
{
	bool is_in_trouble = atomic_load(&outbox->is_in_trouble);
	if (outbox_send_is_due(outbox))
		return 0;
	mono_us deadline = outbox->served_at + serve_every;
	if (outbox->batch_since != 0)
		deadline = earlier(deadline, outbox->batch_since + commit_after);
	if (outbox->pending != NULL)
		deadline = earlier(deadline, is_in_trouble ? outbox->retry_at : 0);
	if (outbox->window.acknowledged > 0)
		deadline = earlier(deadline, is_in_trouble ? outbox->retry_at
							   : outbox->deleted_at + delete_after);
	if (outbox->unsynced_since != 0)
		deadline = earlier(deadline, outbox->unsynced_since + sync_after);
	if (atomic_load(&outbox->is_stopping))
		deadline = earlier(deadline, atomic_load(&outbox->stop_at));
	return deadline;
}

static int timeout_until(mono_us deadline, mono_us now)
{
	if (deadline <= now)
		return 0;
	return (int)((deadline - now + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS);
}

static void serve_drain(struct outbox *outbox, bool is_readable, mono_us now)
{
	if (!is_readable && now < outbox->served_at + serve_every)
		return;
	outbox->served_at = now;
	outbox->is_drain_blocked = false;
	outbox->drain->serve(outbox->drain->context);
}

/* Take the intake over when a commit is due: enough rows, or the first of them is old enough. */
static void take_due(struct outbox *outbox, mono_us now)
{
	size_t count = outbox_intake_count(&outbox->intake);
	if (count == 0)
		return;
	if (outbox->batch_since == 0)
		outbox->batch_since = now;
	if (count < OUTBOX_COMMIT_ROWS && now < outbox->batch_since + commit_after &&
	    !atomic_load(&outbox->is_stopping))
		return;
	outbox->batch_since = 0;
	*outbox->pending_end = outbox_intake_take(&outbox->intake, &count);
	while (*outbox->pending_end != NULL)
		outbox->pending_end = &(*outbox->pending_end)->next;
}

static bool is_finished(const struct outbox *outbox, mono_us now)
{
	if (!atomic_load(&outbox->is_stopping))
		return false;
	return atomic_load(&outbox->waiting_rows) <= 0 || now >= atomic_load(&outbox->stop_at);
}

/* The oldest row that waits, wherever it is; 0: none does. */
static int64_t oldest_id(const struct outbox *outbox)
{
	int64_t id = outbox_window_oldest(&outbox->window);
	if (id != 0)
		return id;
	if (outbox->sent_id < outbox->committed_id)
		return outbox->sent_id + 1;
	if (outbox->pending != NULL)
		return outbox->pending->id != 0 ? outbox->pending->id : outbox->next_id;
	return 0;
}

/* Five times a second: one look may go through the whole window. */
static void show_age(struct outbox *outbox, int64_t rows)
{
	mono_us now = clock_mono_us();
	if (rows > 0 && now < outbox->shown_at + show_every)
		return;
	outbox->shown_at = now;
	int64_t id = rows > 0 ? oldest_id(outbox) : 0;
	figures_set(&outbox->figures->oldest_at, id == 0 ? 0 : outbox_age_of(&outbox->age, id));
}

static void show(struct outbox *outbox)
{
	int64_t rows = atomic_load(&outbox->waiting_rows);
	figures_set(&outbox->figures->rows, rows);
	figures_set(&outbox->figures->bytes, atomic_load(&outbox->waiting_bytes));
	show_age(outbox, rows);
	look_at_bound(outbox, rows);
	readiness_set(outbox->readiness, OBSTACLE_OUTBOX_FULL, atomic_load(&outbox->is_at_bound));
	readiness_set(outbox->readiness, OBSTACLE_OUTBOX_FAILING,
		      atomic_load(&outbox->is_in_trouble));
}

static void turn(struct outbox *outbox)
{
	mono_us now = clock_mono_us();
	struct pollfd fds[] = {{.fd = outbox->intake.fd, .events = POLLIN},
			       {.fd = outbox->drain->fd, .events = POLLIN}};
	(void)poll(fds, 2, timeout_until(next_deadline(outbox), now));
	now = clock_mono_us();
	if (fds[0].revents != 0)
		outbox_intake_quiet(&outbox->intake);
	serve_drain(outbox, fds[1].revents != 0, now);
	outbox_segment_retry(outbox, now);
	take_due(outbox, now);
	if (outbox->pending != NULL && is_retry_due(outbox, now))
		outbox_commit_pending(outbox, now);
	if (outbox_send_is_due(outbox))
		outbox_send_stored(outbox, now);
	if (is_delete_due(outbox, now) && is_retry_due(outbox, now))
		outbox_commit_deletes(outbox, now);
	if (outbox->unsynced_since != 0 && now >= outbox->unsynced_since + sync_after)
		outbox_commit_sync(outbox, now);
	show(outbox);
}

static void *run(void *context)
{
	struct outbox *outbox = context;
	if (outbox->drain->begin != NULL)
		outbox->drain->begin(outbox->drain->context);
	while (!is_finished(outbox, clock_mono_us()))
		turn(outbox);
	mono_us now = clock_mono_us();
	take_due(outbox, now);
	outbox_commit_pending(outbox, now);
	outbox_commit_deletes(outbox, now);
	return NULL;
}

int outbox_start(struct outbox *outbox, const struct outbox_drain *drain, struct error *err)
{
	assert(!outbox->is_started);
	outbox->drain = drain;
	int code = pthread_create(&outbox->thread, NULL, run, outbox);
	if (code != 0) {
		error_set_errno(err, ERROR_FATAL, code, "start the outbox's thread");
		return -1;
	}
	outbox->is_started = true;
	return 0;
}

void outbox_stop(struct outbox *outbox, int grace_ms)
{
	if (!outbox->is_started)
		return;
	atomic_store(&outbox->stop_at, clock_mono_us() + (mono_us)grace_ms * CLOCK_US_PER_MS);
	atomic_store(&outbox->is_stopping, true);
	outbox_intake_close(&outbox->intake);
	(void)pthread_join(outbox->thread, NULL);
	outbox->is_started = false;
	outbox->drain = NULL;
}
