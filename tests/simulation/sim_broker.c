#include "sim_broker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim_message.h"
#include "sim_oracle.h"
#include "sim_random.h"
#include "sim_trace.h"

const char *const sim_broker_topics[SIM_TOPICS] = {"checks", "failures"};

struct sim_log sim_broker_logs[SIM_TOPICS][SIM_PARTITIONS];
struct sim_broker_faults sim_broker_faults;
static struct rd_kafka_s handles[SIM_HANDLES];

void sim_broker_reset(void)
{
	for (int i = 0; i < SIM_TOPICS; i++)
		for (int j = 0; j < SIM_PARTITIONS; j++)
			sim_broker_logs[i][j].count = sim_broker_logs[i][j].skipped_until = 0;
	sim_broker_faults = (struct sim_broker_faults){0};
	for (int i = 0; i < SIM_HANDLES; i++) {
		handles[i].is_open = handles[i].is_member = false;
		handles[i].events = 0;
	}
	sim_group_reset();
}

mono_us sim_broker_latency(void)
{
	return sim_random_log(100, 400000);
}

int sim_broker_topic_index(const char *name)
{
	for (int i = 0; i < SIM_TOPICS; i++)
		if (strcmp(name, sim_broker_topics[i]) == 0)
			return i;
	abort(); /* names come from sim_broker_topics alone */
}

void sim_broker_later(rd_kafka_t *rk, mono_us delay, void (*run)(void *rk, int64_t number),
		      int64_t number)
{
	rk->events++;
	sim_task_later(delay, run, rk, number);
}

void sim_broker_event_done(rd_kafka_t *rk)
{
	rk->events--;
}

bool sim_broker_reaches(const rd_kafka_t *rk)
{
	return rk->is_open && !sim_broker_faults.is_down && sim_process_is_reachable(rk->process);
}

void sim_broker_wake(const rd_kafka_t *rk)
{
	if (rk->is_open)
		sim_task_signal(rk->client->wake_fd);
}

static void on_fetched(void *context, int64_t number)
{
	rd_kafka_t *rk = context;
	(void)number;
	sim_broker_event_done(rk);
	sim_broker_wake(rk);
}

int64_t sim_broker_append(int topic, int partition, const char *bytes, size_t length)
{
	struct sim_message message;
	struct sim_log *log = &sim_broker_logs[topic][partition];
	if (log->count == SIM_LOG_MAX) {
		sim_oracle_fail("a log is full: the same again and again", topic, partition);
		return RD_KAFKA_OFFSET_INVALID;
	}
	bool is_ours = sim_message_parse(bytes, length, &message);
	if (is_ours) {
		sim_oracle_check_message(&message, bytes, length);
		sim_oracle_report(message.nonce)->is_in_log = true;
	}
	log->records[log->count++] = (struct sim_record){
		.nonce = is_ours ? message.nonce : -1, .bytes = bytes, .length = length};
	sim_trace("record of nonce # in partition # at offset #", is_ours ? message.nonce : -1,
		  topic * SIM_PARTITIONS + partition, (int64_t)log->count - 1);
	for (rd_kafka_t *rk = handles; rk < handles + SIM_HANDLES; rk++)
		if (rk->is_open && rk->is_assigned[topic][partition])
			sim_broker_later(rk, sim_random_between(100, 5000), on_fetched, 0);
	return (int64_t)log->count - 1;
}

int64_t sim_broker_records(void)
{
	int64_t count = 0;
	for (int i = 0; i < SIM_TOPICS; i++)
		for (int j = 0; j < SIM_PARTITIONS; j++)
			count += (int64_t)sim_broker_logs[i][j].count;
	return count;
}

int64_t sim_broker_committed(void)
{
	int64_t count = 0;
	for (int i = 0; i < SIM_TOPICS; i++)
		for (int j = 0; j < SIM_PARTITIONS; j++)
			count += sim_group_committed(i, j) < 0 ? 0 : sim_group_committed(i, j);
	return count;
}

/* --- kafka_client.h and topic_watch.h --- */

static void on_view(void *context, int64_t number)
{
	rd_kafka_t *rk = context;
	sim_broker_event_done(rk);
	if (!rk->is_open || !rk->is_watching)
		return;
	if (!sim_broker_reaches(rk)) {
		sim_broker_later(rk, sim_random_between(500000, 1500000), on_view, number);
		return;
	}
	rk->view.is_complete = true;
	for (int i = 0; i < SIM_TOPICS; i++) {
		rk->view.partitions[i] = sim_broker_faults.is_missing[i] ? 0 : SIM_PARTITIONS;
		if (sim_broker_faults.is_missing[i])
			rk->view.is_complete = false;
	}
	rk->is_view_new = true;
	rk->is_watching = !rk->view.is_complete;
	if (rk->is_watching)
		sim_broker_later(rk, sim_random_between(500000, 1500000), on_view, number);
	sim_broker_wake(rk);
}

static void watch(rd_kafka_t *rk)
{
	if (rk->is_watching)
		return;
	rk->is_watching = true;
	sim_broker_later(rk, sim_broker_latency(), on_view, 0);
}

struct kafka_client *kafka_client_create(const struct kafka_client_setup *setup, struct error *err)
{
	sim_point();
	if (sim_random_chance(sim_broker_faults.error_chance)) {
		error_set(err, ERROR_REJECT, "simulated: no handle");
		return NULL;
	}
	rd_kafka_t *rk = handles;
	while (rk < handles + SIM_HANDLES && (rk->is_open || rk->is_member || rk->events > 0))
		rk++;
	assert(rk < handles + SIM_HANDLES);
	struct kafka_client *client = xcalloc(1, sizeof(*client));
	client->rk = rk;
	client->owner = setup->owner;
	client->wake_fd = setup->wake_fd;
	*rk = (struct rd_kafka_s){
		.process = sim_process_current(),
		.client = client,
		.is_open = true,
		.on_delivery = setup->on_delivery,
		.on_rebalance = setup->on_rebalance,
		.batch_max = setup->batch_messages == NULL ? 8 : 1,
		.topics = {{.index = 0}, {.index = 1}},
	};
	if (setup->topic_count > 0) {
		/* the watch is found again by its handle */
		client->watch = (struct topic_watch *)rk;
		watch(rk);
	}
	sim_trace("new kafka handle", 0, 0, 0);
	return client;
}

/* The process has ended, or let go of its handle. */
static void abandon(rd_kafka_t *rk)
{
	rk->is_open = false;
	rk->is_watching = false;
	sim_kafka_drop_commit(rk);
}

void kafka_client_destroy(struct kafka_client *client, int timeout_ms)
{
	(void)timeout_ms;
	if (client == NULL)
		return;
	sim_point();
	abandon(client->rk);
	free(client);
}

void sim_broker_process_ended(const struct sim_process *process)
{
	for (rd_kafka_t *rk = handles; rk < handles + SIM_HANDLES; rk++)
		if (rk->is_open && rk->process == process) {
			rk->commit = NULL; /* its memory is gone already */
			abandon(rk);
		}
}

void kafka_client_up(struct kafka_client *client)
{
	client->is_down = false;
}

void kafka_client_complain(struct kafka_client *client, rd_kafka_resp_err_t code,
			   const char *reason)
{
	(void)client;
	(void)reason;
	sim_trace("complains of kafka: #", code, 0, 0);
}

bool kafka_client_look(struct kafka_client *client, struct topic_watch_view *ret_view)
{
	rd_kafka_t *rk = client->rk;
	if (!rk->is_view_new)
		return false;
	rk->is_view_new = false;
	*ret_view = rk->view;
	return true;
}

void topic_watch_lost(struct topic_watch *watched, size_t topic_index)
{
	(void)topic_index;
	if (watched != NULL)
		watch((rd_kafka_t *)watched);
}

const char *rd_kafka_err2name(rd_kafka_resp_err_t err)
{
	(void)err;
	return "SIMULATED";
}

const char *rd_kafka_err2str(rd_kafka_resp_err_t err)
{
	(void)err;
	return "simulated";
}

const char *rd_kafka_topic_name(const rd_kafka_topic_t *topic)
{
	return sim_broker_topics[topic->index];
}
