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
#include "store/writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/store.h"
#include "store/writer_batch.h"

enum {
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 10000,
	LAST_JOIN_MS = 2000, /* after the store was interrupted */
	BAD_LOG_S = 60,      /* bad messages are summed up this often */
};

/* A question for positions, on its way in or being answered. */
struct question {
	struct letter letter; /* must be first */
	uint64_t generation;
	char *cluster_id;
	struct position *positions;
	size_t count;
};

struct writer {
	struct writer_options options;
	struct writer_events events;
	struct uuid producer_id; /* `run` */
	struct uuid previous;
	struct identity prev;
	pthread_t thread;
	bool is_started;
	struct mailbox *messages;
	struct mailbox *questions;
	atomic_size_t waiting;
	atomic_bool was_refused;
	atomic_uint_fast64_t
		revoked; /* messages of this generation and older are dropped; 0 none */
	atomic_bool is_stopping;
	atomic_bool is_abandoned; /* the stop's deadline is over */

	/* The thread's own. */
	struct writer_batch batch;
	struct letter *pending; /* taken from the mailbox, not in the batch yet */
	struct question *question;
	char *cluster_id;
	int backoff_ms; /* 0: the store is there */
	mono_us retry_at;
	mono_us away_since;
	uint64_t foreign_count;
	uint64_t bad_count;
	uint64_t bad_logged;
	mono_us bad_logged_at;
	bool is_ready;
};

static void question_destroy(struct question *question)
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
	if (writer->backoff_ms == 0) {
		writer->away_since = now;
		log_event(err->kind == ERROR_RETRY ? LOG_WARN : LOG_ERROR,
			  "store is away, trying again", LOG_STR("cause", err->message));
	}
	writer->backoff_ms = writer->backoff_ms == 0 ? BACKOFF_FIRST_MS : writer->backoff_ms * 2;
	if (writer->backoff_ms > BACKOFF_MAX_MS)
		writer->backoff_ms = BACKOFF_MAX_MS;
	writer->retry_at = now + (mono_us)writer->backoff_ms * CLOCK_US_PER_MS;
}

static void note_success(struct writer *writer)
{
	if (writer->backoff_ms != 0)
		log_event(LOG_INFO, "store is back",
			  LOG_INT("away_ms",
				  (clock_mono_us() - writer->away_since) / CLOCK_US_PER_MS));
	writer->backoff_ms = 0;
	writer->retry_at = 0;
}

/* So many messages wait no more. */
static void release(struct writer *writer, size_t count)
{
	(void)atomic_fetch_sub(&writer->waiting, count);
	if (atomic_load(&writer->was_refused) && writer_has_room(writer) &&
	    atomic_exchange(&writer->was_refused, false) && writer->events.on_room != NULL)
		writer->events.on_room(writer->events.context);
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
	(void)poll(waiting, 2, timeout_ms);
}

static bool is_revoked(const struct writer *writer, uint64_t generation)
{
	return generation != 0 && generation <= atomic_load(&writer->revoked);
}

static void drop_revoked(struct writer *writer)
{
	if (writer->batch.message_count > 0 && is_revoked(writer, writer->batch.generation)) {
		size_t count = writer->batch.message_count;
		writer_batch_clear(&writer->batch);
		release(writer, count);
	}
	size_t dropped = 0;
	for (struct letter **link = &writer->pending; *link != NULL;) {
		struct message *message = (struct message *)*link;
		if (!is_revoked(writer, message->generation)) {
			link = &message->letter.next;
			continue;
		}
		*link = message->letter.next;
		message_destroy(message);
		dropped++;
	}
	if (dropped > 0)
		release(writer, dropped);
}

/* Of several questions the newest counts: an assignment replaces the one before. */
static void take_questions(struct writer *writer)
{
	struct letter *letter = mailbox_take_all(writer->questions);
	while (letter != NULL) {
		struct question *question = (struct question *)letter;
		letter = letter->next;
		if (question->generation == 0) { /* only a knock */
			question_destroy(question);
			continue;
		}
		question_destroy(writer->question);
		writer->question = question;
	}
}

static void answer(struct writer *writer)
{
	struct question *question = writer->question;
	if (question == NULL)
		return;
	if (is_revoked(writer, question->generation)) {
		question_destroy(question);
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
	if (store_read_positions(writer->options.store, question->cluster_id, positions,
				 question->count, &err) != 0) {
		back_off(writer, &err);
		free(positions);
		return;
	}
	note_success(writer);
	for (size_t i = 0; i < question->count; i++)
		question->positions[i].next = positions[i].next;
	free(positions);
	/* What comes now may have been stored by whoever had these partitions before. */
	store_expect_duplicates(writer->options.store);
	free(writer->cluster_id);
	writer->cluster_id = xstrdup(question->cluster_id);
	if (writer->events.on_positions != NULL)
		writer->events.on_positions(writer->events.context, question->generation,
					    question->positions, question->count);
	question_destroy(question);
	writer->question = NULL;
}

static void log_bad(struct writer *writer, bool is_last)
{
	mono_us now = clock_mono_us();
	if (writer->bad_count == writer->bad_logged ||
	    (!is_last && now - writer->bad_logged_at < (mono_us)BAD_LOG_S * CLOCK_US_PER_S))
		return;
	log_event(LOG_WARN, "bad messages were put into quarantine",
		  LOG_INT("count", writer->bad_count),
		  LOG_INT("foreign_format", writer->foreign_count));
	writer->bad_logged = writer->bad_count;
	writer->bad_logged_at = now;
}

static void note_bad(struct writer *writer, const struct message *message, const char *reason)
{
	bool is_foreign = strcmp(reason, "foreign_format") == 0;
	if (is_foreign && writer->foreign_count++ == 0)
		log_event(LOG_WARN,
			  "foreign_format: messages of an older service are in the topic, "
			  "docs/migrating.md says how to "
			  "switch; they go to quarantine",
			  LOG_INT("partition", message->partition),
			  LOG_INT("offset", message->offset));
	if (writer->bad_count++ == 0 && !is_foreign)
		log_event(LOG_WARN, "a bad message goes to quarantine", LOG_STR("reason", reason),
			  LOG_INT("partition", message->partition),
			  LOG_INT("offset", message->offset));
	if (writer->bad_count == 1) {
		writer->bad_logged = 1;
		writer->bad_logged_at = clock_mono_us();
	}
}

/* From the mailbox into the batch, as far as it accepts them. Returns whether the batch is closed by what comes next. */
static bool fill_batch(struct writer *writer)
{
	if (writer->pending == NULL)
		writer->pending = mailbox_take_all(writer->messages);
	mono_us now = clock_mono_us();
	while (writer->pending != NULL) {
		struct message *message = (struct message *)writer->pending;
		if (!is_revoked(writer, message->generation) &&
		    !writer_batch_accepts(&writer->batch, message))
			return true;
		writer->pending = message->letter.next;
		if (is_revoked(writer, message->generation)) {
			message_destroy(message);
			release(writer, 1);
			continue;
		}
		const char *reason = writer_batch_add(&writer->batch, message, now);
		if (reason != NULL)
			note_bad(writer, message, reason);
	}
	return writer_batch_is_full(&writer->batch);
}

static void write_batch(struct writer *writer)
{
	struct writer_batch *batch = &writer->batch;
	const char *cluster_id = batch->generation == 0 ? NULL : writer->cluster_id;
	struct store_batch view = writer_batch_view(batch, cluster_id);
	struct store_written written;
	struct error err;
	if (store_write(writer->options.store, &view, &written, &err) != 0) {
		back_off(writer, &err);
		return;
	}
	note_success(writer);
	writer->bad_count +=
		written.quarantined - batch->bad_count; /* rows that the database refused */
	size_t count = batch->message_count;
	if (writer->events.on_committed != NULL)
		writer->events.on_committed(writer->events.context, batch->generation,
					    batch->positions, batch->position_count,
					    written.inserted);
	writer_batch_clear(batch);
	release(writer, count);
	log_bad(writer, false);
}

/* One turn of the thread, once the schema is there. Returns false when all is written and a stop was asked for. */
static bool turn(struct writer *writer)
{
	bool is_stopping = atomic_load(&writer->is_stopping);
	take_questions(writer);
	drop_revoked(writer);
	mono_us now = clock_mono_us();
	bool may_try = now >= writer->retry_at;
	if (may_try && !is_stopping)
		answer(writer);
	bool is_closed = fill_batch(writer);
	if (is_stopping && writer->batch.message_count == 0 && writer->pending == NULL &&
	    mailbox_count(writer->messages) == 0)
		return false;
	may_try = now >= writer->retry_at;
	mono_us due = is_closed || is_stopping ? now : writer_batch_due(&writer->batch);
	if (may_try && writer->batch.message_count > 0 && due <= clock_mono_us()) {
		write_batch(writer);
		return true;
	}
	mono_us until = due;
	if (writer->question != NULL && !is_stopping && until > writer->retry_at)
		until = writer->retry_at;
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
	if (writer->options.producer_id == NULL || writer->options.previous == NULL)
		return 0;
	bool is_found;
	writer->prev.producer_id = writer->previous;
	if (store_read_last_seq(writer->options.store, &writer->previous, &is_found,
				&writer->prev.seq, err) != 0)
		return -1;
	writer->batch.options.prev = is_found ? &writer->prev : NULL;
	return 0;
}

/* Until it succeeds, is refused for good, or a stop comes. */
static void start(struct writer *writer)
{
	while (!writer->is_ready && !atomic_load(&writer->is_stopping)) {
		struct error err;
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
				take_questions(writer);
			}
			return;
		}
		back_off(writer, &err);
		while (!atomic_load(&writer->is_stopping) && clock_mono_us() < writer->retry_at) {
			sleep_until(writer, writer->retry_at, false);
			take_questions(writer);
		}
	}
}

static void *run(void *context)
{
	struct writer *writer = context;
	(void)pthread_setname_np(pthread_self(), "writer");
	start(writer);
	while (writer->is_ready && !atomic_load(&writer->is_abandoned))
		if (!turn(writer))
			break;
	log_bad(writer, true);
	return NULL;
}

struct writer *writer_start(const struct writer_options *options,
			    const struct writer_events *events, struct error *err)
{
	struct writer *writer = xcalloc(1, sizeof(*writer));
	writer->options = *options;
	writer->events = *events;
	if (options->producer_id != NULL)
		writer->producer_id = *options->producer_id;
	if (options->previous != NULL)
		writer->previous = *options->previous;
	writer->messages = mailbox_create(SIZE_MAX); /* bounded by waiting */
	writer->questions = mailbox_create(SIZE_MAX);
	struct writer_batch_options batch_options = {
		.topics = options->topics,
		.producer_id = options->producer_id == NULL ? NULL : &writer->producer_id,
		.decode = options->decode,
	};
	writer_batch_init(&writer->batch, &batch_options);
	sigset_t all;
	sigset_t before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int failure = pthread_create(&writer->thread, NULL, run, writer);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failure != 0) {
		error_set_errno(err, ERROR_FATAL, failure, "start the writer's thread");
		writer->options.store = NULL; /* still the caller's */
		writer_destroy(writer);
		return NULL;
	}
	writer->is_started = true;
	return writer;
}

bool writer_has_room(const struct writer *writer)
{
	return atomic_load(&writer->waiting) < writer->options.max_waiting;
}

bool writer_post(struct writer *writer, struct message *message)
{
	if (!writer_has_room(writer)) {
		atomic_store(&writer->was_refused, true);
		/* Looked at again: room may have come before the thread could see that someone waits for it. */
		if (!writer_has_room(writer))
			return false;
	}
	(void)atomic_fetch_add(&writer->waiting, 1);
	if (mailbox_post_always(writer->messages, &message->letter))
		return true;
	(void)atomic_fetch_sub(&writer->waiting, 1);
	return false;
}

static void post_question(struct writer *writer, struct question *question)
{
	if (!mailbox_post_always(writer->questions, &question->letter))
		question_destroy(question);
}

void writer_ask_positions(struct writer *writer, uint64_t generation, const char *cluster_id,
			  const struct position *positions, size_t count)
{
	struct question *question = xcalloc(1, sizeof(*question));
	question->generation = generation;
	question->cluster_id = xstrdup(cluster_id);
	question->positions = xmemdup(positions, count * sizeof(*positions));
	question->count = count;
	post_question(writer, question);
}

void writer_revoke(struct writer *writer, uint64_t generation)
{
	uint_fast64_t revoked = atomic_load(&writer->revoked);
	while (revoked < generation &&
	       !atomic_compare_exchange_weak(&writer->revoked, &revoked, generation))
		;
	post_question(writer, xcalloc(1, sizeof(struct question)));
}

static bool join_until(struct writer *writer, int timeout_ms)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	if (pthread_clockjoin_np(writer->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
		return false;
	writer->is_started = false;
	return true;
}

size_t writer_stop(struct writer *writer, int deadline_ms)
{
	if (!writer->is_started)
		return atomic_load(&writer->waiting);
	mailbox_close(writer->messages);
	atomic_store(&writer->is_stopping, true);
	post_question(writer, xcalloc(1, sizeof(struct question)));
	if (!join_until(writer, deadline_ms)) {
		atomic_store(&writer->is_abandoned, true);
		store_interrupt(writer->options.store);
		post_question(writer, xcalloc(1, sizeof(struct question)));
		(void)join_until(writer, LAST_JOIN_MS);
	}
	return atomic_load(&writer->waiting);
}

void writer_destroy(struct writer *writer)
{
	/* A thread that could not be joined still uses all of it: the process is about to end. */
	if (writer == NULL || writer->is_started)
		return;
	for (struct letter *letter = writer->pending; letter != NULL;) {
		struct message *message = (struct message *)letter;
		letter = letter->next;
		message_destroy(message);
	}
	for (struct letter *letter = mailbox_take_all(writer->messages); letter != NULL;) {
		struct message *message = (struct message *)letter;
		letter = letter->next;
		message_destroy(message);
	}
	take_questions(writer);
	question_destroy(writer->question);
	writer_batch_finish(&writer->batch);
	mailbox_destroy(writer->messages);
	mailbox_destroy(writer->questions);
	store_close(writer->options.store);
	free(writer->cluster_id);
	free(writer);
}
