/* What other threads call: they leave messages, questions and wishes where the writer's thread (writer_thread.c) finds them. */
#include "store/writer.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "store/store.h"
#include "store/writer_private.h"

enum { LAST_JOIN_MS = 2000 }; /* after the store was interrupted */

struct writer *writer_start(const struct writer_options *options,
			    const struct writer_events *events, struct error *err)
{
	struct writer *writer = xcalloc(1, sizeof(*writer));
	writer->options = *options;
	writer->events = *events;
	struct figures *figures = options->figures != NULL ? options->figures : figures_unread();
	writer->figures = &figures->store;
	writer->readiness = &figures->readiness;
	if (options->producer_id != NULL)
		writer->producer_id = *options->producer_id;
	assert(options->previous_count <= WRITER_PREVIOUS_MAX);
	for (size_t i = 0; i < options->previous_count; i++)
		writer->previous[i] = options->previous[i];
	writer->messages = mailbox_create(); /* bounded by waiting */
	writer->questions = mailbox_create();
	struct writer_batch_options batch_options = {
		.topics = options->topics,
		.producer_id = options->producer_id == NULL ? NULL : &writer->producer_id,
		.decode = options->decode,
	};
	pthread_condattr_t monotonic;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&writer->ended, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	(void)pthread_mutex_init(&writer->lock, NULL);
	writer_batch_init(&writer->batch, &batch_options);
	writer_batch_init(&writer->next, &batch_options);
	sigset_t all;
	sigset_t before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int failure = pthread_create(&writer->thread, NULL, writer_run, writer);
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
	return atomic_load(&writer->waiting) < writer->options.max_waiting &&
	       atomic_load(&writer->waiting_bytes) < WRITER_WAITING_BYTES;
}

bool writer_has_room_again(const struct writer *writer)
{
	size_t max = writer->options.max_waiting;
	return writer_has_room(writer) && atomic_load(&writer->waiting) <= max - max / 10 &&
	       atomic_load(&writer->waiting_bytes) <=
		       WRITER_WAITING_BYTES - WRITER_WAITING_BYTES / 10;
}

bool writer_post(struct writer *writer, struct message *message)
{
	if (!writer_has_room(writer)) {
		atomic_store(&writer->was_refused, true);
		/* Looked at again: room may have come before the thread could see that someone waits for it. */
		if (!writer_has_room(writer))
			return false;
	}
	size_t bytes = message->length; /* once posted it is not ours any more */
	(void)atomic_fetch_add(&writer->waiting, 1);
	(void)atomic_fetch_add(&writer->waiting_bytes, bytes);
	figures_add(&writer->figures->waiting, 1);
	if (mailbox_post(writer->messages, &message->letter))
		return true;
	(void)atomic_fetch_sub(&writer->waiting, 1);
	(void)atomic_fetch_sub(&writer->waiting_bytes, bytes);
	figures_add(&writer->figures->waiting, -1);
	return false;
}

static void post_question(struct writer *writer, struct writer_question *question)
{
	if (!mailbox_post(writer->questions, &question->letter))
		writer_question_destroy(question);
}

void writer_ask_positions(struct writer *writer, uint64_t generation, const char *cluster_id,
			  const struct position *positions, size_t count)
{
	struct writer_question *question = xcalloc(1, sizeof(*question));
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
	post_question(writer, xcalloc(1, sizeof(struct writer_question)));
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
	(void)pthread_mutex_lock(&writer->lock);
	int waited = 0;
	while (!writer->has_ended && waited == 0)
		waited = pthread_cond_timedwait(&writer->ended, &writer->lock, &until);
	bool has_ended = writer->has_ended;
	(void)pthread_mutex_unlock(&writer->lock);
	if (!has_ended)
		return false;
	(void)pthread_join(writer->thread, NULL);
	writer->is_started = false;
	return true;
}

size_t writer_stop(struct writer *writer, int deadline_ms)
{
	if (!writer->is_started)
		return atomic_load(&writer->waiting);
	mailbox_close(writer->messages);
	atomic_store(&writer->is_stopping, true);
	post_question(writer, xcalloc(1, sizeof(struct writer_question)));
	if (!join_until(writer, deadline_ms)) {
		atomic_store(&writer->is_abandoned, true);
		store_interrupt(writer->options.store);
		post_question(writer, xcalloc(1, sizeof(struct writer_question)));
		(void)join_until(writer, LAST_JOIN_MS);
	}
	return atomic_load(&writer->waiting);
}

bool writer_has_ended(const struct writer *writer)
{
	return !writer->is_started;
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
	writer_take_questions(writer);
	writer_question_destroy(writer->question);
	writer_batch_finish(&writer->batch);
	writer_batch_finish(&writer->next);
	(void)pthread_cond_destroy(&writer->ended);
	(void)pthread_mutex_destroy(&writer->lock);
	mailbox_destroy(writer->messages);
	mailbox_destroy(writer->questions);
	store_close(writer->options.store);
	free(writer->cluster_id);
	free(writer->stored);
	free(writer);
}
