/*
 * The group's coordinator, eager protocol: a member that comes or goes starts a round; everybody gives back what he holds
 * and joins; when all have joined (or their time is up) the partitions are dealt out anew, range by topic. A member that
 * was silent too long is put out, and learns of it when it speaks again: until then it is a zombie.
 */
#include <assert.h>
#include <string.h>

#include "sim_broker.h"
#include "sim_database.h"
#include "sim_oracle.h"
#include "sim_random.h"
#include "sim_trace.h"

enum { MEMBERS = 16 };
static const mono_us session = INT64_C(6) * CLOCK_US_PER_S;
static const mono_us round_max = INT64_C(20) * CLOCK_US_PER_S;
static const mono_us look_every = INT64_C(1) * CLOCK_US_PER_S;

static rd_kafka_t *members[MEMBERS];
static size_t member_count;
static int64_t generation;
static int64_t round_number;
static bool is_rebalancing;
static bool is_looking;
static int64_t committed[SIM_TOPICS][SIM_PARTITIONS];

void sim_group_reset(void)
{
	member_count = 0;
	generation = round_number = 0;
	is_rebalancing = is_looking = false;
	for (int i = 0; i < SIM_TOPICS; i++)
		for (int j = 0; j < SIM_PARTITIONS; j++)
			committed[i][j] = -1;
}

int64_t sim_group_committed(int topic, int partition)
{
	return committed[topic][partition];
}

bool sim_group_is_busy(void)
{
	return is_rebalancing;
}

static void deal_out(void)
{
	generation++;
	is_rebalancing = false;
	sim_trace("group generation # of # members", generation, (int64_t)member_count, 0);
	for (size_t i = 0; i < member_count; i++) {
		rd_kafka_t *rk = members[i];
		rk->generation = generation;
		rk->has_joined = false;
		rk->must_assign = true;
		memset(rk->is_given, 0, sizeof(rk->is_given));
	}
	size_t each = SIM_PARTITIONS / member_count;
	size_t more = SIM_PARTITIONS % member_count;
	for (int topic = 0; topic < SIM_TOPICS; topic++) {
		size_t partition = 0;
		for (size_t i = 0; i < member_count; i++)
			for (size_t n = each + (i < more ? 1 : 0); n > 0; n--)
				members[i]->is_given[topic][partition++] = true;
	}
	for (size_t i = 0; i < member_count; i++)
		sim_broker_wake(members[i]);
}

static void end_round_if_complete(void)
{
	if (!is_rebalancing || member_count == 0)
		return;
	for (size_t i = 0; i < member_count; i++)
		if (!members[i]->has_joined)
			return;
	deal_out();
}

static void remove_member(size_t i)
{
	rd_kafka_t *rk = members[i];
	sim_trace("a member is put out of the group", 0, 0, 0);
	rk->is_member = false;
	rk->must_assign = false;
	members[i] = members[--member_count];
}

static void on_round_end(void *context, int64_t number)
{
	(void)context;
	if (!is_rebalancing || number != round_number)
		return;
	for (size_t i = member_count; i-- > 0;)
		if (!members[i]->has_joined)
			remove_member(i);
	end_round_if_complete();
	if (member_count == 0)
		is_rebalancing = false;
}

/* Those who hold nothing have nothing to give back. */
static void start_round(void)
{
	round_number++;
	is_rebalancing = true;
	for (size_t i = 0; i < member_count; i++) {
		rd_kafka_t *rk = members[i];
		rk->must_assign = false;
		rk->has_joined = !rk->holds && sim_broker_reaches(rk);
		rk->must_revoke = rk->holds;
		sim_broker_wake(rk);
	}
	sim_task_later(round_max, on_round_end, NULL, round_number);
	end_round_if_complete();
}

/* Heartbeats, seen from the coordinator. */
static void look(void *context, int64_t number)
{
	bool is_anyone_gone = false;
	(void)context;
	(void)number;
	is_looking = member_count > 0;
	if (!is_looking)
		return;
	for (size_t i = member_count; i-- > 0 && !sim_broker_faults.is_down;) {
		rd_kafka_t *rk = members[i];
		bool is_silent = !rk->is_open || (rk->process->silent_since != 0 &&
						  sim_now() - rk->process->silent_since > session);
		if (!is_silent || (!rk->is_open && sim_random_chance(8000)))
			continue; /* the session of one that died ends some time */
		remove_member(i);
		is_anyone_gone = true;
	}
	if (is_anyone_gone && member_count > 0)
		start_round();
	sim_task_later(look_every, look, NULL, 0);
}

void sim_group_join(rd_kafka_t *rk)
{
	if (rk->is_member) {
		rk->has_joined = true;
		end_round_if_complete();
		return;
	}
	assert(member_count < MEMBERS);
	members[member_count++] = rk;
	rk->is_member = true;
	rk->is_lost = false;
	start_round();
	if (!is_looking)
		sim_task_later(look_every, look, NULL, 0);
	is_looking = true;
}

void sim_group_leave(rd_kafka_t *rk)
{
	for (size_t i = 0; i < member_count; i++) {
		if (members[i] != rk)
			continue;
		remove_member(i);
		if (member_count > 0)
			start_round();
		else
			is_rebalancing = false;
		return;
	}
}

rd_kafka_resp_err_t sim_group_commit(const rd_kafka_t *rk, int64_t sent_generation, int topic,
				     int partition, int64_t offset)
{
	if (!rk->is_member)
		return RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
	if (sent_generation != generation)
		return RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
	if (offset > (int64_t)sim_broker_logs[topic][partition].count)
		sim_oracle_fail("an offset past the end is committed: partition, offset",
				topic * SIM_PARTITIONS + partition, offset);
	else
		sim_database_check_offset(topic, partition, offset);
	committed[topic][partition] = offset;
	sim_trace("group commits partition # offset #", topic * SIM_PARTITIONS + partition, offset,
		  0);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}
