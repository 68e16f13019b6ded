/*
 * The writer's thread:
 *
 *   migrate ──ok──> wait ──batch full or due──> write ──ok──> on_committed ──> wait
 *      └─away: back-off, again                    └─away: back-off, the same batch again
 *
 * Between any two steps it looks at what was asked of it: a revoke drops the batch and what waits of that generation,
 * a question for positions is answered from the store, a stop writes what is left until its deadline.
 * waiting counts messages from writer_post() until they are written or dropped: that is what max_waiting bounds.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/planted.h"
#include "store/store.h"
#include "store/writer_private.h"

enum {
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 10000,
	CAUSE_LOG_S = 60,   /* another cause for the store being away is said this often at most */
	STRIPS_LOOK_S = 60, /* for what another writer left behind */
	STRIPS_LATE_MS =
		500,     /* after a batch with late reports: the next one may have more of them */
	STRIPS_REST = 4, /* times as long as a step took: batches go on meanwhile */
	STRIPS_AT_STOP_MS = 1000,
};

void writer_question_destroy(struct writer_question *question)
{
	if (question == NULL)
		return;
	free(question->cluster_id);
	free(question->positions);
	free(question);
}

/* The store failed: wait longer each time, and say so once. */
static void back_off(struct writer *writer, const struct error *err)
{
	mono_us now = clock_mono_us();
	if (atomic_load(&writer->is_abandoned))
		return; /* we interrupted it ourselves */
	figures_add(&writer->figures->failures, 1);
	readiness_set(writer->readiness, OBSTACLE_STORE_AWAY, true);
	if (writer->backoff_ms == 0)
		writer->away_since = now;
	/* Once, and again when it has long been something else: it was refused, and now its disk is full. */
	if (writer->backoff_ms == 0 ||
	    (strncmp(err->message, writer->cause, sizeof(writer->cause) - 1) != 0 &&
	     now - writer->cause_said_at >= (mono_us)CAUSE_LOG_S * CLOCK_US_PER_S)) {
		log_event(err->kind == ERROR_RETRY ? LOG_WARN : LOG_ERROR,
			  "store is away, trying again", LOG_STR("cause", err->message));
		(void)snprintf(writer->cause, sizeof(writer->cause), "%.255s", err->message);
		writer->cause_said_at = now;
	}
	writer->backoff_ms = writer->backoff_ms == 0 ? BACKOFF_FIRST_MS : writer->backoff_ms * 2;
	if (writer->backoff_ms > BACKOFF_MAX_MS)
		writer->backoff_ms = BACKOFF_MAX_MS;
	writer->retry_at = now + (mono_us)writer->backoff_ms * CLOCK_US_PER_MS;
}

static void note_success(struct writer *writer)
{
	readiness_set(writer->readiness, OBSTACLE_STORE_AWAY, false);
	if (writer->backoff_ms != 0)
		log_event(LOG_INFO, "store is back",
			  LOG_INT("away_ms",
				  (clock_mono_us() - writer->away_since) / CLOCK_US_PER_MS));
	writer->backoff_ms = 0;
	writer->retry_at = 0;
}

/* What follows may ask the store, and wait for it. */
static void note_busy(struct writer *writer)
{
	figures_set(&writer->figures->busy_since, clock_mono_us());
}

/* Sleep until a time, a letter or a stop. */
static void sleep_until(struct writer *writer, mono_us until, bool for_messages)
{
	mono_us left = until - clock_mono_us();
	if (left <= 0)
		return;
	int timeout_ms = until == INT64_MAX ? -1 : (int)(left / CLOCK_US_PER_MS) + 1;
	struct pollfd waiting[2] = {
		{.fd = mailbox_fd(writer->questions), .events = POLLIN},
		{.fd = for_messages ? mailbox_fd(writer->messages) : -1, .events = POLLIN},
	};
	figures_set(&writer->figures->busy_since, 0);
	(void)poll(waiting, 2, timeout_ms);
	note_busy(writer);
}

void writer_take_questions(struct writer *writer)
{
	struct letter *letter = mailbox_take_all(writer->questions);
	while (letter != NULL) {
		struct writer_question *question = (struct writer_question *)letter;
		letter = letter->next;
		if (question->generation == 0) { /* only a knock */
			writer_question_destroy(question);
			continue;
		}
		writer_question_destroy(writer->question);
		writer->question = question;
	}
}

static void answer(struct writer *writer)
{
	struct writer_question *question = writer->question;
	if (question == NULL)
		return;
	if (writer_is_revoked(writer, question->generation)) {
		writer_question_destroy(question);
		writer->question = NULL;
		return;
	}
	struct store_position *positions = xcalloc(question->count, sizeof(*positions));
	for (size_t i = 0; i < question->count; i++)
		positions[i] = (struct store_position){
			.topic = writer->options.topics[question->positions[i].topic_index],
			.partition = question->positions[i].partition,
			.next = -1,
		};
	struct error err;
	if (store_claim_positions(writer->options.store, question->cluster_id, positions,
				  question->count, &err) != 0) {
		back_off(writer, &err);
		free(positions);
		return;
	}
	note_success(writer);
	for (size_t i = 0; i < question->count; i++)
		question->positions[i].next = positions[i].next;
	/* What comes now may have been stored by whoever had these partitions before. */
	store_expect_duplicates(writer->options.store);
	free(writer->cluster_id);
	writer->cluster_id = xstrdup(question->cluster_id);
	writer_positions_begin(writer, question, positions);
	free(positions);
	if (writer->events.on_positions != NULL)
		writer->events.on_positions(writer->events.context, question->generation,
					    question->positions, question->count);
	writer_question_destroy(question);
	writer->question = NULL;
}

/* The store failed us. */
static void give_way(struct writer *writer, const struct error *err)
{
	if (err->kind != ERROR_STALE) {
		back_off(writer, err);
		return;
	}
	note_success(writer);
	writer_positions_lose(writer);
	writer_drop_revoked(writer);
}

/* Between two batches: a step at removing what is kept no longer. A failure is for the next batch to find. */
static void tidy(struct writer *writer)
{
	int again_ms = STORE_TIDY_MS;
	struct error err;
	if (store_tidy(writer->options.store, &again_ms, &err) != 0 &&
	    !atomic_load(&writer->is_abandoned))
		log_event(LOG_WARN, "can't remove old reports, trying again later",
			  LOG_STR("cause", err.message));
	writer->tidy_at = clock_mono_us() + (mono_us)again_ms * CLOCK_US_PER_MS;
}

/*
 * When to look for strips that lack late reports. A store that is away is asked by what failed: a look that finds nothing to write
 * would take a full disk for one that has room again. Where no batch waits, the look itself tells when it is back.
 */
static mono_us strips_due(const struct writer *writer)
{
	if (writer->backoff_ms == 0)
		return writer->strips_at;
	return writer->batch.message_count > 0 || writer->question != NULL ? INT64_MAX
									   : writer->retry_at;
}

/* A step at strips that lack late reports. */
static void refresh_strips(struct writer *writer)
{
	bool is_done = false;
	struct error err;
	mono_us began_at = clock_mono_us();
	if (store_refresh_strips(writer->options.store, &is_done, &err) != 0) {
		back_off(writer, &err);
		return;
	}
	note_success(writer);
	mono_us now = clock_mono_us();
	writer->has_stale_strips = !is_done;
	writer->strips_at = now + (is_done ? (mono_us)STRIPS_LOOK_S * CLOCK_US_PER_S
					   : (now - began_at) * STRIPS_REST);
}

static void note_late(struct writer *writer, const struct store_written *written)
{
	mono_us soon = clock_mono_us() + (mono_us)STRIPS_LATE_MS * CLOCK_US_PER_MS;
	if (written->late_sites == 0)
		return;
	if (!writer->has_stale_strips)
		writer->strips_at = soon;
	writer->has_stale_strips = true;
}

/* All is written and a stop was asked for. Returns whether a step was taken at what would be left for the next process. */
static bool refresh_last_strips(struct writer *writer)
{
	mono_us now = clock_mono_us();
	if (writer->stop_seen_at == 0)
		writer->stop_seen_at = now;
	if (!writer->has_stale_strips || writer->backoff_ms != 0 ||
	    now - writer->stop_seen_at > (mono_us)STRIPS_AT_STOP_MS * CLOCK_US_PER_MS)
		return false;
	refresh_strips(writer);
	return true;
}

static void check_positions(struct writer *writer)
{
	struct error err;
	if (writer_positions_check(writer, &err) != 0)
		give_way(writer, &err);
}

static void count_batch(struct figures_store *figures, const struct store_written *written)
{
	figures_add(&figures->batches, 1);
	figures_add(&figures->rows, (int64_t)written->inserted);
	figures_add(&figures->duplicates, (int64_t)written->duplicates);
	figures_add(&figures->conflicts, written->duplicates > 0);
	figures_add(&figures->quarantined, (int64_t)written->quarantined);
	figures_set(&figures->written_at, clock_wall_us());
}

/* A planted bug: store and Kafka hear of positions whose rows are not stored yet. */
static void write_positions_ahead(struct writer *writer, const struct store_batch *view)
{
	struct store_batch ahead = *view;
	struct store_written written;
	ahead.row_count = ahead.bad_count = 0;
	if (store_write(writer->options.store, &ahead, &written, NULL) == 0 &&
	    writer->events.on_committed != NULL)
		writer->events.on_committed(writer->events.context, writer->batch.generation,
					    writer->batch.positions, writer->batch.position_count,
					    0);
}

/*
 * Whoever claims the partitions later has them, as far as the store can tell. It may be the one that had them before, whose claim
 * arrived late.
 */
static void note_outclaimed(struct writer *writer, const struct store_written *written)
{
	uint64_t generation = writer->batch.generation;
	if (!written->is_outclaimed || writer->outclaimed_generation == generation)
		return;
	writer->outclaimed_generation = generation;
	if (writer->events.on_outclaimed != NULL)
		writer->events.on_outclaimed(writer->events.context, generation);
}

static void write_batch(struct writer *writer)
{
	struct writer_batch *batch = &writer->batch;
	const char *cluster_id = batch->generation == 0 ? NULL : writer->cluster_id;
	struct store_batch view = writer_batch_view(batch, cluster_id);
	writer_positions_expect(writer, batch);
	struct store_written written;
	struct error err;
	if (IS_PLANTED(OFFSET_BEFORE_TRANSACTION))
		write_positions_ahead(writer, &view);
	mono_us began_at = clock_mono_us();
	int result = store_write(writer->options.store, &view, &written, &err);
	figures_observe(&writer->figures->took, clock_mono_us() - began_at);
	if (result != 0) {
		give_way(writer, &err);
		return;
	}
	note_success(writer);
	count_batch(writer->figures, &written);
	note_late(writer, &written);
	writer->bad_count += written.refused;
	writer_positions_note(writer, batch);
	note_outclaimed(writer, &written);
	if (writer->events.on_committed != NULL)
		writer->events.on_committed(writer->events.context, batch->generation,
					    batch->positions, batch->position_count,
					    written.inserted);
	writer_end_batch(writer);
	writer_log_bad(writer, false);
}

/* One turn of the thread, once the schema is there. Returns false when all is written and a stop was asked for. */
static bool turn(struct writer *writer)
{
	bool is_stopping = atomic_load(&writer->is_stopping);
	note_busy(writer);
	writer_take_questions(writer);
	writer_drop_revoked(writer);
	mono_us now = clock_mono_us();
	bool may_try = now >= writer->retry_at;
	if (may_try && !is_stopping)
		answer(writer);
	if (may_try && !is_stopping && now >= writer_positions_due(writer))
		check_positions(writer);
	if (!is_stopping && now >= strips_due(writer))
		refresh_strips(writer);
	bool is_closed = writer_fill_batch(writer);
	if (is_stopping && writer->batch.message_count == 0 && writer->pending == NULL &&
	    mailbox_count(writer->messages) == 0)
		return refresh_last_strips(writer);
	may_try = now >= writer->retry_at;
	mono_us due = is_closed || is_stopping ? now : writer_batch_due(&writer->batch);
	if (may_try && writer->batch.message_count > 0 && due <= clock_mono_us()) {
		write_batch(writer);
		return true;
	}
	if (may_try && !is_stopping && now >= writer->tidy_at) {
		tidy(writer);
		return true;
	}
	mono_us until = due;
	if (writer->question != NULL && !is_stopping && until > writer->retry_at)
		until = writer->retry_at;
	if (!is_stopping && until > writer_positions_due(writer))
		until = writer_positions_due(writer);
	if (!is_stopping && until > writer->tidy_at)
		until = writer->tidy_at;
	if (!is_stopping && until > strips_due(writer))
		until = strips_due(writer);
	if (until < writer->retry_at)
		until = writer->retry_at;
	sleep_until(writer, until, !is_closed && !is_stopping);
	return true;
}

/* The schema, and in `run` what the process before stored last. */
static int prepare(struct writer *writer, struct error *err)
{
	if (store_migrate(writer->options.store, writer->options.may_migrate, err) != 0)
		return -1;
	if (writer->options.producer_id == NULL)
		return 0;
	for (size_t i = 0; i < writer->options.previous_count; i++) {
		bool is_found;
		struct identity *prev = &writer->prev;
		prev->producer_id = writer->previous[i];
		if (store_read_last_seq(writer->options.store, &prev->producer_id, &is_found,
					&prev->seq, err) != 0)
			return -1;
		if (is_found) {
			writer->batch.options.prev = writer->next.options.prev = prev;
			break;
		}
	}
	return 0;
}

/* Until it succeeds, is refused for good, or a stop comes. */
static void start(struct writer *writer)
{
	while (!writer->is_ready && !atomic_load(&writer->is_stopping)) {
		struct error err;
		note_busy(writer);
		if (prepare(writer, &err) == 0) {
			note_success(writer);
			writer->is_ready = true;
			if (writer->events.on_ready != NULL)
				writer->events.on_ready(writer->events.context);
			return;
		}
		if (err.kind != ERROR_RETRY) {
			if (writer->events.on_failed != NULL)
				writer->events.on_failed(writer->events.context, &err);
			while (!atomic_load(&writer->is_stopping)) {
				sleep_until(writer, INT64_MAX, false);
				writer_take_questions(writer);
			}
			return;
		}
		back_off(writer, &err);
		while (!atomic_load(&writer->is_stopping) && clock_mono_us() < writer->retry_at) {
			sleep_until(writer, writer->retry_at, false);
			writer_take_questions(writer);
		}
	}
}

void *writer_run(void *context)
{
	struct writer *writer = context;
	(void)pthread_setname_np(pthread_self(), "writer");
	start(writer);
	store_meanwhile(writer->options.store, writer_fill_next, writer);
	while (writer->is_ready && !atomic_load(&writer->is_abandoned))
		if (!turn(writer))
			break;
	writer_log_bad(writer, true);
	figures_set(&writer->figures->busy_since, 0);
	(void)pthread_mutex_lock(&writer->lock);
	writer->has_ended = true;
	(void)pthread_cond_signal(&writer->ended);
	(void)pthread_mutex_unlock(&writer->lock);
	return NULL;
}
