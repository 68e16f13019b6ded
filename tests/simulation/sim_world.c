#include "sim_world.h"

#include <string.h>

#include "sim_broker.h"
#include "sim_consumer.h"
#include "sim_database.h"
#include "sim_message.h"
#include "sim_oracle.h"
#include "sim_producer.h"
#include "sim_random.h"
#include "sim_trace.h"

enum { PRODUCERS = 2, CONSUMERS = 2 };

/* Virtual time: troubles last so long, and afterwards all must be well within this. */
static const mono_us trouble_min = INT64_C(2) * CLOCK_US_PER_S;
static const mono_us trouble_max = INT64_C(12) * CLOCK_US_PER_S;
static const mono_us drain_max = INT64_C(900) * CLOCK_US_PER_S;
static const mono_us stop_max = INT64_C(60) * CLOCK_US_PER_S;

static struct sim_producer producers[PRODUCERS] = {
	{.name = "producer-1", .path = "producer-1/outbox.db"},
	{.name = "producer-2", .path = "producer-2/outbox.db"},
};
static struct sim_consumer consumers[CONSUMERS] = {{.name = "consumer-1"}, {.name = "consumer-2"}};
static bool is_healed;
static bool is_closing;
static int64_t kills;
static mono_us nemesis_pause;

/* --- what happens to a machine --- */

static void continue_process(void *context, int64_t number)
{
	(void)number;
	sim_process_continue(context);
}

static void mend_network(void *context, int64_t number)
{
	(void)number;
	sim_process_cut(context, false);
}

static void empty_disk(void *context, int64_t number)
{
	struct sim_producer *producer = context;
	(void)number;
	producer->disk.is_full = false;
}

static void mend_brokers(void *context, int64_t number)
{
	(void)context;
	(void)number;
	sim_broker_faults.is_down = false;
}

static void kill_producer(struct sim_producer *producer, bool is_power_cut)
{
	kills++;
	sim_process_kill(producer->process);
	if (is_power_cut)
		sim_disk_power_cut(&producer->disk);
}

static void trouble_process(struct sim_process *process)
{
	mono_us duration = sim_random_log(1000000, 60000000);
	if (process == NULL || !process->is_alive)
		return;
	switch (sim_random_between(0, 2)) {
	case 0:
		sim_trace("a process is stopped", 0, 0, 0);
		sim_process_stop(process);
		sim_task_later(duration, continue_process, process, 0);
		break;
	case 1:
		sim_trace("a process is cut off", 0, 0, 0);
		sim_process_cut(process, true);
		sim_task_later(duration, mend_network, process, 0);
		break;
	default:
		process->wall_error = sim_random_between(-1, 1) * 86400 * CLOCK_US_PER_S;
		sim_trace("a clock jumps to #", process->wall_error, 0, 0);
		break;
	}
}

static void trouble_producer(struct sim_producer *producer)
{
	if (producer->process == NULL)
		return;
	switch (sim_random_between(0, 5)) {
	case 0:
	case 1:
		kill_producer(producer, false);
		break;
	case 2:
		kill_producer(producer, true);
		break;
	case 3:
		sim_trace("a disk is full", 0, 0, 0);
		producer->disk.is_full = true;
		sim_task_later(sim_random_log(100000, 10000000), empty_disk, producer, 0);
		break;
	case 4:
		sim_trace("a producer is asked to stop", 0, 0, 0);
		producer->is_asked_to_stop = true;
		break;
	default:
		trouble_process(producer->process);
		break;
	}
}

static void trouble_consumer(struct sim_consumer *consumer)
{
	if (consumer->process == NULL)
		return;
	switch (sim_random_between(0, 3)) {
	case 0:
		kills++;
		sim_process_kill(consumer->process);
		break;
	case 1:
		sim_trace("a consumer is asked to stop", 0, 0, 0);
		consumer->is_asked_to_stop = true;
		break;
	default:
		trouble_process(consumer->process);
		break;
	}
}

static void mend_database(void *context, int64_t number)
{
	(void)context;
	(void)number;
	sim_database_faults.is_away = false;
}

/* With the consumers ended, or under their feet. */
static void put_back_database(void)
{
	bool is_known = sim_random_chance(5000);
	for (int i = 0; i < CONSUMERS; i++)
		if (is_known && consumers[i].process != NULL)
			sim_process_kill(consumers[i].process);
	sim_database_put_back();
}

static void trouble_database(void)
{
	switch (sim_random_between(0, 2)) {
	case 0:
		sim_database_back_up();
		break;
	case 1:
		put_back_database();
		break;
	default:
		sim_trace("the database is away", 0, 0, 0);
		sim_database_faults.is_away = true;
		sim_task_later(sim_random_log(500000, 30000000), mend_database, NULL, 0);
		break;
	}
}

/* Into any topic, by anybody: text, half a message, nothing at all. */
static void write_poison(void)
{
	static const char *const poisons[] = {"poison", "", NULL, "{\"v\":1,\"producer_id\":\"0",
					      "{\"v\":2}"};
	const char *poison = poisons[sim_random_between(0, 4)];
	(void)sim_broker_append((int)sim_random_between(0, SIM_TOPICS - 1),
				(int)sim_random_between(0, SIM_PARTITIONS - 1), poison,
				poison == NULL ? 0 : strlen(poison));
}

static void trouble_brokers(void)
{
	sim_trace("the brokers are down", 0, 0, 0);
	sim_broker_faults.is_down = true;
	sim_task_later(sim_random_log(500000, 30000000), mend_brokers, NULL, 0);
}

static void nemesis(void *context, int64_t number)
{
	(void)context;
	(void)number;
	if (is_healed)
		return;
	switch (sim_random_between(0, 9)) {
	case 0:
		trouble_brokers();
		break;
	case 1:
		trouble_database();
		break;
	case 2:
		write_poison();
		break;
	case 3:
	case 4:
	case 5:
		trouble_consumer(&consumers[sim_random_between(0, CONSUMERS - 1)]);
		break;
	default:
		trouble_producer(&producers[sim_random_between(0, PRODUCERS - 1)]);
		break;
	}
	sim_task_later(sim_random_between(1, 2 * nemesis_pause), nemesis, NULL, 0);
}

/* Every process that ends comes again. */
static void supervise(void *context, int64_t number)
{
	(void)context;
	(void)number;
	if (is_closing)
		return;
	for (int i = 0; i < PRODUCERS; i++)
		if (producers[i].process == NULL)
			sim_producer_start(&producers[i]);
	for (int i = 0; i < CONSUMERS; i++)
		if (consumers[i].process == NULL)
			sim_consumer_start(&consumers[i]);
	sim_task_later(sim_random_between(200000, 1500000), supervise, NULL, 0);
}

static void set_kill_chances(int chance)
{
	for (int i = 0; i < PRODUCERS; i++)
		if (producers[i].process != NULL)
			producers[i].process->kill_chance = chance;
	for (int i = 0; i < CONSUMERS; i++)
		if (consumers[i].process != NULL)
			consumers[i].process->kill_chance = chance;
}

/* --- the seed --- */

/* A seed has some kinds of trouble, and others not: each alone, and in every mixture. */
static int often(int chance)
{
	return sim_random_chance(4000) ? (int)sim_random_between(1, chance) : 0;
}

static int kill_chance;

static void set_up(void)
{
	sim_task_reset();
	sim_message_reset();
	sim_oracle_reset();
	sim_broker_reset();
	sim_database_reset();
	is_healed = is_closing = false;
	kills = 0;
	kill_chance = often(100);
	nemesis_pause = sim_random_log(100000, 4000000);
	sim_broker_faults.refuse_chance = often(1000);
	sim_broker_faults.unsure_chance = often(2000);
	sim_broker_faults.false_chance = often(2000);
	sim_broker_faults.fatal_chance = often(500);
	sim_broker_faults.error_chance = often(500);
	sim_broker_faults.skip_chance = often(500);
	sim_database_faults.fail_chance = often(1000);
	sim_database_faults.unknown_chance = often(2000);
	for (int i = 0; i < CONSUMERS; i++) {
		consumers[i].max_waiting = (size_t)sim_random_log(2, 10000);
		consumers[i].process = NULL;
	}
	for (int i = 0; i < PRODUCERS; i++) {
		struct sim_producer *producer = &producers[i];
		sim_disk_reset(&producer->disk);
		producer->disk.fail_chance = often(500);
		producer->disk.sync_chance = often(1000);
		producer->disk.damage_chance = sim_random_chance(1000) ? 20 : 0;
		producer->disk.rot_chance = sim_random_chance(1000) ? 50 : 0;
		producer->durability = sim_random_chance(5000) ? OUTBOX_DURABILITY_POWER
							       : OUTBOX_DURABILITY_PROCESS;
		producer->max_rows = sim_random_log(4, 1000);
		producer->odd_chance = often(1000);
		producer->pause = sim_random_log(200000, 3000000);
		producer->is_quiet = false;
		producer->process = NULL;
	}
}

static void heal_process(struct sim_process *process)
{
	if (process == NULL)
		return;
	process->wall_error = 0;
	sim_process_continue(process);
	sim_process_cut(process, false);
}

static void heal(void)
{
	is_healed = true;
	sim_trace("all is healed", 0, 0, 0);
	kill_chance = 0;
	sim_broker_faults = (struct sim_broker_faults){0};
	sim_database_faults = (struct sim_database_faults){0};
	set_kill_chances(0);
	for (int i = 0; i < PRODUCERS; i++) {
		struct sim_producer *producer = &producers[i];
		producer->is_quiet = true;
		producer->disk.is_full = false;
		producer->disk.fail_chance = producer->disk.sync_chance =
			producer->disk.damage_chance = producer->disk.rot_chance = 0;
		heal_process(producer->process);
	}
	for (int i = 0; i < CONSUMERS; i++)
		heal_process(consumers[i].process);
}

static bool is_broken(void)
{
	set_kill_chances(kill_chance);
	return sim_oracle_failure() != NULL;
}

static bool is_drained(void)
{
	if (sim_oracle_failure() != NULL)
		return true;
	for (int i = 0; i < PRODUCERS; i++)
		if (!sim_producer_is_empty(&producers[i]))
			return false;
	return sim_database_has_all();
}

static void say_not_drained(void)
{
	for (int i = 0; i < PRODUCERS; i++)
		if (!sim_producer_is_empty(&producers[i]))
			sim_oracle_fail("not drained in time: producer, rows that it counts", i + 1,
					sim_producer_rows(&producers[i]));
	sim_oracle_fail("not drained in time: records, committed", sim_broker_records(),
			sim_broker_committed());
}

static bool is_stopped(void)
{
	for (int i = 0; i < PRODUCERS; i++)
		if (producers[i].process != NULL)
			return false;
	for (int i = 0; i < CONSUMERS; i++)
		if (consumers[i].process != NULL)
			return false;
	return true;
}

static void close_all(void)
{
	is_closing = true;
	for (int i = 0; i < PRODUCERS; i++)
		producers[i].is_asked_to_stop = true;
	for (int i = 0; i < CONSUMERS; i++)
		consumers[i].is_asked_to_stop = true;
	sim_task_run(sim_now() + stop_max, is_stopped);
	if (!is_stopped())
		sim_oracle_fail("a process does not end", 0, 0);
}

void sim_world_run(uint64_t seed, bool is_loud, struct sim_result *ret_result)
{
	sim_random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	set_up();
	sim_trace_reset(is_loud);
	supervise(NULL, 0);
	sim_task_later(nemesis_pause, nemesis, NULL, 0);
	sim_task_run(sim_random_between(trouble_min, trouble_max), is_broken);
	if (sim_oracle_failure() == NULL) {
		heal();
		sim_task_run(sim_now() + drain_max, is_drained);
		if (!is_drained())
			say_not_drained();
	}
	if (sim_oracle_failure() == NULL) {
		close_all();
		sim_database_check_end();
		sim_oracle_check_end();
	}
	*ret_result = (struct sim_result){
		.failure = sim_oracle_failure(),
		.hash = sim_trace_hash(),
		.reports = sim_oracle_durable_count(),
		.kills = kills,
	};
}
