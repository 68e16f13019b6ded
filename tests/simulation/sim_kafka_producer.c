/*
 * The producing half of the simulated librdkafka: idempotent, one batch of a partition under way at a time, so that a
 * handle's records are in order and once in the log, whatever is lost between it and the brokers. That ends with the
 * handle: the next one sends again what this one may have written.
 *
 *     produce -> queued -> (a batch leaves) on the wire -> (the broker decides) written or not -> answered -> rd_kafka_poll
 */
#include <stdarg.h>
#include <string.h>

#include "sim_broker.h"
#include "sim_message.h"
#include "sim_oracle.h"
#include "sim_random.h"
#include "sim_trace.h"

#define BROKERS_FUTURE (INT64_C(3600) * CLOCK_US_PER_S)
static const mono_us retry_pause = INT64_C(300) * CLOCK_US_PER_MS;

static void on_leave(void *context, int64_t place);
static void on_arrive(void *context, int64_t place);
static void on_answer(void *context, int64_t place);

static bool is_at(const struct sim_sent *sent, int64_t place, enum sim_sent_state state)
{
	return sent->state == state && sent->topic * SIM_PARTITIONS + sent->partition == place;
}

static bool *wire_of(rd_kafka_t *rk, int64_t place)
{
	return &rk->is_wire_busy[place / SIM_PARTITIONS][place % SIM_PARTITIONS];
}

static void start_wire(rd_kafka_t *rk, int64_t place, mono_us delay)
{
	if (*wire_of(rk, place))
		return;
	*wire_of(rk, place) = true;
	sim_broker_later(rk, delay, on_leave, place);
}

static void on_leave(void *context, int64_t place)
{
	rd_kafka_t *rk = context;
	int count = 0;
	sim_broker_event_done(rk);
	if (!rk->is_open)
		return;
	if (!sim_broker_reaches(rk)) {
		sim_broker_later(rk, retry_pause, on_leave, place);
		return;
	}
	int64_t batch = sim_random_between(1, rk->batch_max);
	for (size_t i = 0; i < rk->sent_count && count < batch; i++) {
		if (!is_at(&rk->sent[i], place, SIM_SENT_QUEUED))
			continue;
		rk->sent[i].state = SIM_SENT_ON_WIRE;
		count++;
	}
	if (count > 0)
		sim_broker_later(rk, sim_broker_latency(), on_arrive, place);
	else
		*wire_of(rk, place) = false;
}

/*
 * The client calls a batch delivered that never arrived, as librdkafka does where it takes the answer to a later one for it. The same
 * message does not suffer that twice.
 */
static bool is_falsely_delivered(const rd_kafka_t *rk, int64_t place)
{
	struct sim_message message;
	if (!sim_random_chance(sim_broker_faults.false_chance))
		return false;
	for (size_t i = 0; i < rk->sent_count; i++)
		if (is_at(&rk->sent[i], place, SIM_SENT_ON_WIRE) &&
		    sim_message_parse(rk->sent[i].bytes, rk->sent[i].length, &message) &&
		    sim_oracle_report(message.nonce)->was_called_delivered)
			return false;
	for (size_t i = 0; i < rk->sent_count; i++)
		if (is_at(&rk->sent[i], place, SIM_SENT_ON_WIRE) &&
		    sim_message_parse(rk->sent[i].bytes, rk->sent[i].length, &message))
			sim_oracle_report(message.nonce)->was_called_delivered = true;
	return true;
}

/* What the broker makes of a batch; *ret_written: whether it is in the log. */
static rd_kafka_resp_err_t judge(const rd_kafka_t *rk, int64_t place, bool *ret_written)
{
	size_t bytes = 0;
	bool is_early = false;
	*ret_written = false;
	for (size_t i = 0; i < rk->sent_count; i++) {
		if (!is_at(&rk->sent[i], place, SIM_SENT_ON_WIRE))
			continue;
		bytes += rk->sent[i].length;
		is_early = is_early || (rk->sent[i].is_timed && rk->is_open &&
					rk->process->wall_error > BROKERS_FUTURE);
	}
	if (sim_broker_faults.is_missing[place / SIM_PARTITIONS])
		return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	if (bytes > SIM_BATCH_BYTES_MAX)
		return RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
	if (is_early)
		return RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP;
	if (sim_random_chance(sim_broker_faults.refuse_chance))
		return RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
	if (sim_random_chance(sim_broker_faults.unsure_chance)) {
		*ret_written = sim_random_chance(5000);
		return RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND;
	}
	*ret_written = !is_falsely_delivered(rk, place);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void on_arrive(void *context, int64_t place)
{
	rd_kafka_t *rk = context;
	bool is_written;
	sim_broker_event_done(rk);
	if (!rk->is_open && sim_random_chance(5000))
		return; /* it was never on its way */
	if (sim_broker_faults.is_down) {
		if (rk->is_open)
			sim_broker_later(rk, retry_pause, on_arrive, place);
		return;
	}
	bool is_last = sim_random_chance(sim_broker_faults.fatal_chance);
	rd_kafka_resp_err_t err = judge(rk, place, &is_written);
	for (size_t i = 0; i < rk->sent_count; i++) {
		struct sim_sent *sent = &rk->sent[i];
		if (!is_at(sent, place, SIM_SENT_ON_WIRE))
			continue;
		sent->offset = RD_KAFKA_OFFSET_INVALID;
		if (is_written)
			sent->offset = sim_broker_append(sent->topic, sent->partition, sent->bytes,
							 sent->length);
		sent->err = err;
	}
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		sim_trace("a batch is refused: #, written #", err, is_written ? 1 : 0, 0);
	if (is_last && rk->is_open) {
		sim_trace("kafka handle fails for good", 0, 0, 0);
		rk->is_fatal = true;
		sim_broker_wake(rk);
		return;
	}
	sim_broker_later(rk, sim_broker_latency(), on_answer, place);
}

static void on_answer(void *context, int64_t place)
{
	rd_kafka_t *rk = context;
	sim_broker_event_done(rk);
	if (!rk->is_open)
		return;
	if (!sim_broker_reaches(rk)) { /* asked again; the broker knows the batch */
		sim_broker_later(rk, retry_pause, on_answer, place);
		return;
	}
	for (size_t i = 0; i < rk->sent_count; i++)
		if (is_at(&rk->sent[i], place, SIM_SENT_ON_WIRE))
			rk->sent[i].state = SIM_SENT_ANSWERED;
	*wire_of(rk, place) = false;
	start_wire(rk, place, sim_random_between(10, 3000));
	sim_broker_wake(rk);
}

/* --- librdkafka's functions --- */

rd_kafka_topic_t *rd_kafka_topic_new(rd_kafka_t *rk, const char *name, rd_kafka_topic_conf_t *conf)
{
	(void)conf;
	return &rk->topics[sim_broker_topic_index(name)];
}

void rd_kafka_topic_destroy(rd_kafka_topic_t *topic)
{
	(void)topic;
}

static void read_arguments(va_list arguments, struct sim_sent *sent, int *ret_topic)
{
	for (;;) {
		int type = va_arg(arguments, int);
		switch (type) {
		case RD_KAFKA_VTYPE_RKT:
			*ret_topic = va_arg(arguments, rd_kafka_topic_t *)->index;
			break;
		case RD_KAFKA_VTYPE_PARTITION:
		case RD_KAFKA_VTYPE_MSGFLAGS:
			(void)va_arg(arguments, int);
			break;
		case RD_KAFKA_VTYPE_KEY:
			sent->key = va_arg(arguments, const char *);
			sent->key_length = va_arg(arguments, size_t);
			break;
		case RD_KAFKA_VTYPE_VALUE:
			sent->bytes = va_arg(arguments, const char *);
			sent->length = va_arg(arguments, size_t);
			break;
		case RD_KAFKA_VTYPE_TIMESTAMP:
			sent->is_timed = va_arg(arguments, int64_t) != -1;
			break;
		case RD_KAFKA_VTYPE_OPAQUE:
			sent->opaque = va_arg(arguments, void *);
			break;
		default:
			return;
		}
	}
}

rd_kafka_resp_err_t rd_kafka_producev(rd_kafka_t *rk, ...)
{
	struct sim_sent sent = {.state = SIM_SENT_QUEUED};
	va_list arguments;
	sim_point();
	va_start(arguments, rk);
	read_arguments(arguments, &sent, &sent.topic);
	va_end(arguments);
	if (rk->is_fatal)
		return RD_KAFKA_RESP_ERR__FATAL;
	if (rk->sent_count == SIM_SENT_MAX)
		return RD_KAFKA_RESP_ERR__QUEUE_FULL;
	if (sent.length > 2 * SIM_BATCH_BYTES_MAX) /* message.max.bytes */
		return RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
	sent.key = sim_message_keep(sent.key, sent.key_length);
	sent.bytes = sim_message_keep(sent.bytes, sent.length);
	sent.partition = sent.key_length == 0 ? 0 : sent.key[0] % SIM_PARTITIONS;
	rk->sent[rk->sent_count++] = sent;
	start_wire(rk, sent.topic * SIM_PARTITIONS + sent.partition, sim_random_between(10, 5000));
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool take_answered(rd_kafka_t *rk, struct sim_sent *ret_sent)
{
	for (size_t i = 0; i < rk->sent_count; i++) {
		if (rk->sent[i].state != SIM_SENT_ANSWERED)
			continue;
		*ret_sent = rk->sent[i];
		rk->sent_count--;
		memmove(&rk->sent[i], &rk->sent[i + 1], (rk->sent_count - i) * sizeof(rk->sent[0]));
		return true;
	}
	return false;
}

int rd_kafka_poll(rd_kafka_t *rk, int timeout_ms)
{
	struct sim_sent sent;
	int count = 0;
	(void)timeout_ms;
	sim_point();
	if (rk->is_fatal)
		rk->client->is_fatal = true; /* what the error callback does */
	while (take_answered(rk, &sent)) {
		rd_kafka_message_t message = {
			.err = sent.err,
			.rkt = &rk->topics[sent.topic],
			.partition = sent.partition,
			.offset = sent.offset,
			.payload = (void *)sent.bytes,
			.len = sent.length,
			.key = (void *)sent.key,
			.key_len = sent.key_length,
			._private = sent.opaque,
		};
		rk->on_delivery(rk, &message, rk->client);
		count++;
	}
	return count;
}
