/*
 * From the mailbox into the batches. There are two: the batch that is filled, written and written again until it is stored, and
 * behind it the next one, which takes messages while the store works on the first: reading JSON and PostgreSQL's work then
 * go on at the same time, without another thread. Messages keep their order: while the next one holds any, the first takes no more.
 */
#include <string.h>

#include "base/log.h"
#include "base/planted.h"
#include "store/store.h"
#include "store/writer_private.h"

enum {
	BAD_LOG_S = 60, /* bad messages are summed up this often */
	MEANWHILE_MESSAGES =
		8, /* a piece of work of some 30 us, while the store does not wait for us */
};

/* So many messages wait no more. */
static void release(struct writer *writer, size_t count, size_t bytes)
{
	(void)atomic_fetch_sub(&writer->waiting, count);
	(void)atomic_fetch_sub(&writer->waiting_bytes, bytes);
	figures_add(&writer->figures->waiting, -(int64_t)count);
	if (atomic_load(&writer->was_refused) && writer_has_room(writer) &&
	    atomic_exchange(&writer->was_refused, false) && writer->events.on_room != NULL)
		writer->events.on_room(writer->events.context);
}

bool writer_is_revoked(const struct writer *writer, uint64_t generation)
{
	return generation != 0 && generation <= atomic_load(&writer->revoked);
}

void writer_end_batch(struct writer *writer)
{
	size_t count = writer->batch.message_count;
	size_t bytes = writer->batch.posted_bytes;
	writer_batch_clear(&writer->batch);
	if (writer->next.message_count > 0) {
		struct writer_batch cleared = writer->batch;
		writer->batch = writer->next;
		writer->next = cleared;
	}
	release(writer, count, bytes);
}

void writer_drop_revoked(struct writer *writer)
{
	/* The next one is of the same generation or of a later one. */
	while (writer->batch.message_count > 0 &&
	       writer_is_revoked(writer, writer->batch.generation))
		writer_end_batch(writer);
	size_t dropped = 0;
	size_t bytes = 0;
	for (struct letter **link = &writer->pending; *link != NULL;) {
		struct message *message = (struct message *)*link;
		if (!writer_is_revoked(writer, message->generation)) {
			link = &message->letter.next;
			continue;
		}
		*link = message->letter.next;
		bytes += message->length;
		message_destroy(message);
		dropped++;
	}
	if (dropped > 0)
		release(writer, dropped, bytes);
}

void writer_log_bad(struct writer *writer, bool is_last)
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
	if (is_foreign)
		figures_add(&writer->figures->foreign, 1);
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

/* The first message that waits, into a batch. Returns false where there is none that it accepts. */
static bool take_message(struct writer *writer, struct writer_batch *batch, mono_us now)
{
	if (writer->pending == NULL)
		writer->pending = mailbox_take_all(writer->messages);
	struct message *message = (struct message *)writer->pending;
	if (message == NULL)
		return false;
	if (writer_is_revoked(writer, message->generation)) {
		size_t bytes = message->length;
		writer->pending = message->letter.next;
		message_destroy(message);
		release(writer, 1, bytes);
		return true;
	}
	if (!writer_batch_accepts(batch, message))
		return false;
	writer->pending = message->letter.next;
	const char *reason = writer_batch_add(batch, message, now);
	if (reason != NULL)
		note_bad(writer, message, reason);
	return true;
}

bool writer_fill_batch(struct writer *writer)
{
	mono_us now = clock_mono_us();
	if (writer->next.message_count > 0)
		return true;
	while (take_message(writer, &writer->batch, now))
		;
	return writer->pending != NULL || writer_batch_is_full(&writer->batch);
}

bool writer_fill_next(void *context)
{
	struct writer *writer = context;
	mono_us now = clock_mono_us();
	if (writer->next.message_count == 0)
		writer->next.next_seq = writer->batch.next_seq;
	for (int i = 0; i < MEANWHILE_MESSAGES; i++)
		if (atomic_load(&writer->is_abandoned) || !take_message(writer, &writer->next, now))
			return false;
	return true;
}
