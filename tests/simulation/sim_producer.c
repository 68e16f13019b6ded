/* The wiring of src/app/producer.c once more: its callbacks are one line each, and every one here also tells the oracle. */
#include "sim_producer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kafka/publisher.h"
#include "sim_broker.h"
#include "sim_message.h"
#include "sim_oracle.h"
#include "sim_random.h"
#include "sim_trace.h"

/* --- the outbox's thread --- */

static int on_send(void *context, const struct outbox_row *row)
{
	struct sim_producer *producer = context;
	if (!sim_disk_has_id(&producer->disk, row->id))
		sim_oracle_fail("sent before it was committed: id", row->id, 0);
	if (publisher_send(producer->publisher, row->id, (int)row->class, row->key, row->key_length,
			   row->message, row->message_length) != 0)
		return -1;
	/* a segment that could not be opened at first comes later */
	if (row->id <= producer->sent_id && !producer->disk.has_unread)
		sim_oracle_fail("sent out of order: id, after", row->id, producer->sent_id);
	producer->sent_id = row->id;
	return 0;
}

static void on_serve(void *context)
{
	struct sim_producer *producer = context;
	publisher_serve(producer->publisher);
}

static void on_delivered(void *context, int64_t id)
{
	struct sim_producer *producer = context;
	sim_point();
	outbox_acknowledge(producer->outbox, id);
}

static void on_rewind(void *context)
{
	struct sim_producer *producer = context;
	sim_trace("sends all again", 0, 0, 0);
	producer->sent_id = 0;
	outbox_rewind(producer->outbox);
}

static void on_refused(void *context, int64_t id, const char *message, size_t length,
		       const char *why)
{
	struct sim_producer *producer = context;
	struct sim_message parsed;
	(void)why;
	sim_point();
	if (!sim_message_parse(message, length, &parsed)) {
		sim_oracle_fail("an altered message is put aside: id", id, 0);
		return;
	}
	struct sim_report *report = sim_oracle_report(parsed.nonce);
	if (report->size != SIM_SIZE_HUGE)
		sim_oracle_fail("put aside though it could have been sent: nonce", parsed.nonce, 0);
	report->is_put_aside = true;
	outbox_acknowledge(producer->outbox, id);
}

static char *on_shrink(void *context, const char *message, size_t length, size_t *ret_length)
{
	char text[SIM_BODY_MAX];
	(void)context;
	*ret_length = sim_message_shrink(text, message, length);
	return *ret_length == 0 ? NULL : xstrndup(text, *ret_length);
}

static void on_durable(void *context, size_t rows)
{
	const struct sim_producer *producer = context;
	sim_oracle_durable(producer->incarnation, rows);
}

/* --- the main thread --- */

static int open_parts(struct sim_producer *producer, struct error *err)
{
	const struct outbox_options options = {
		.path = producer->path,
		.durability = producer->durability,
		.max_rows = producer->max_rows,
	};
	const struct outbox_events events = {.context = producer, .on_durable = on_durable};
	producer->outbox = outbox_open(&options, &events, err);
	if (producer->outbox == NULL)
		return -1;
	struct uuid producer_id = outbox_producer_id(producer->outbox);
	producer->incarnation = sim_oracle_begin(
		&producer_id, producer->disk.has_unread ? SIM_PREV_ANY : producer->disk.prev_nonce);
	const struct publisher_options publisher_options = {
		.topics = {sim_broker_topics[0], sim_broker_topics[1]}};
	const struct publisher_events publisher_events = {
		.context = producer,
		.on_delivered = on_delivered,
		.on_rewind = on_rewind,
		.on_refused = on_refused,
		.shrink = on_shrink,
	};
	producer->publisher = publisher_create(&publisher_options, &publisher_events, err);
	if (producer->publisher == NULL)
		return -1;
	producer->drain = (struct outbox_drain){
		.context = producer,
		.send = on_send,
		.serve = on_serve,
		.fd = publisher_fd(producer->publisher),
	};
	return outbox_start(producer->outbox, &producer->drain, err);
}

static void append(struct sim_producer *producer)
{
	char body[SIM_BODY_MAX];
	struct error err;
	enum sim_size size = SIM_SIZE_SMALL;
	if (sim_random_chance(producer->odd_chance))
		size = sim_random_chance(5000) ? SIM_SIZE_SHRINKS : SIM_SIZE_HUGE;
	int nonce = sim_oracle_append(producer->incarnation, size);
	if (nonce < 0)
		return;
	size_t length = sim_message_body(body, nonce, size);
	char site = (char)('a' + sim_random_between(0, 3));
	enum outbox_class class =
		sim_random_chance(3000) ? OUTBOX_CLASS_FAILURE : OUTBOX_CLASS_SUCCESS;
	sim_trace("appends nonce #", nonce, 0, 0);
	if (outbox_append(producer->outbox, class, &site, 1, body, length, &err) != 0)
		sim_oracle_append_refused(nonce);
}

static void check(struct sim_producer *producer)
{
	if (producer->is_quiet || !outbox_has_room(producer->outbox))
		return;
	for (int64_t n = sim_random_log(1, 4); n > 0; n--)
		append(producer);
}

static void *run(void *context)
{
	struct sim_producer *producer = context;
	struct error err;
	producer->sent_id = 0;
	if (open_parts(producer, &err) == 0) {
		while (!producer->is_asked_to_stop) {
			sim_sleep(sim_random_between(1, 2 * producer->pause));
			check(producer);
		}
	}
	if (producer->outbox != NULL)
		outbox_stop(producer->outbox, (int)sim_random_between(0, 2000));
	publisher_destroy(producer->publisher, 100);
	outbox_close(producer->outbox);
	producer->outbox = NULL;
	return NULL;
}

static void on_end(struct sim_process *process, bool is_killed)
{
	struct sim_producer *producer = process->owner;
	(void)is_killed;
	sim_broker_process_ended(process);
	sim_disk_process_ended(&producer->disk);
	producer->process = NULL;
	producer->outbox = NULL;
	producer->publisher = NULL;
}

void sim_producer_start(struct sim_producer *producer)
{
	producer->outbox = NULL;
	producer->publisher = NULL;
	producer->is_asked_to_stop = false;
	producer->process = sim_process_start(producer->name, producer, run, producer, on_end);
}

int64_t sim_producer_rows(const struct sim_producer *producer)
{
	struct outbox_counts counts;
	if (producer->process == NULL || producer->outbox == NULL)
		return -1;
	outbox_count(producer->outbox, &counts);
	return counts.waiting_rows;
}

bool sim_producer_is_empty(const struct sim_producer *producer)
{
	return sim_producer_rows(producer) == 0 && sim_disk_is_empty(&producer->disk);
}
