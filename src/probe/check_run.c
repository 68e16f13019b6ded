#include "probe/check_run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "check/request.h"
#include "check/site.h"
#include "probe/addresses.h"
#include "probe/check_env.h"
#include "probe/check_hops.h"
#include "probe/check_run_state.h"
#include "probe/kept_connection.h"
#include "probe/loop_lag.h"
#include "probe/own_trouble.h"
#include "probe/response_note.h"

static void start_attempt(struct check_run *run, mono_us now);

static int64_t not_negative(int64_t us)
{
	return us < 0 ? 0 : us;
}

static int64_t lost_us(const struct check_run *run)
{
	return loop_lag_lost_us(run->env->lag) - run->lost_at_start;
}

void check_run_finish(struct check_run *run)
{
	due_timer_stop(&run->timer);
	own_trouble_note(&run->observation, lost_us(run));
	response_note_raw(&run->observation, &run->transfer, run->request.cookies_set);
	response_hide_secrets(&run->observation, run->start.site);
	run->observation.earlier = run->attempts.count > 0 ? &run->attempts : NULL;
	run->state = RUN_FINISHED;
	run->env->on_finished(run->env->context, run);
}

void check_run_judge_own(const struct check_run *run, struct trouble *trouble)
{
	const char *ip = run->observation.final.ip;
	const struct own_facts facts = {
		.lost_us = lost_us(run),
		.timeout_us = run->start.site->timeout_us,
		.since = run->started,
		.network = run->env->network,
		.peer = ip,
		.source = addresses_source(request_of(run->start.site), ip),
		.resolver = run->hop.resolver,
		.is_stub_failing = run->hop.is_stub_failing,
	};
	own_trouble_judge(&facts, trouble);
}

/* The hops' times, one after the other, where the last has any: what is to be done behind it is none of the site's. */
static int64_t total_us(const struct check_run *run)
{
	int64_t hop_us = run->observation.final.total_us;
	mono_us end = hop_us == DURATION_UNKNOWN ? clock_mono_us() : run->hop.started + hop_us;
	return end - run->started;
}

void check_run_finish_with(struct check_run *run, enum reason reason, const char *message)
{
	struct observation *observation = &run->observation;
	struct trouble trouble = {.reason = reason};
	(void)snprintf(trouble.message, sizeof(trouble.message), "%s", message);
	check_run_judge_own(run, &trouble);
	trouble_note(&trouble, run->hop.parts.host, observation);
	if (observation->total_us == DURATION_UNKNOWN)
		observation->total_us = total_us(run);
	check_run_finish(run);
}

static void on_matched(struct matching *matching)
{
	struct check_run *run = (struct check_run *)(void *)((char *)matching -
							     offsetof(struct check_run, matching));
	if (run->is_abandoned) {
		run->is_abandoned = false;
		run->state = RUN_FINISHED;
		check_run_clear(run);
		return;
	}
	check_run_finish(run);
}

void check_run_finish_complete(struct check_run *run, mono_us now)
{
	struct observation *observation = &run->observation;
	const struct site *site = run->start.site;
	observation->trouble = REASON_OK;
	observation->total_us = now - run->started;
	if (site->pattern == NULL && site->rule_count == 0) {
		check_run_finish(run);
		return;
	}
	response_note_raw(observation, &run->transfer, run->request.cookies_set);
	matching_aim(&run->matching, site, observation, run->transfer.decoded_bytes);
	run->matching.deadline = run->deadline;
	run->matching.on_matched = on_matched;
	run->state = RUN_MATCHING;
	if (matching_start(&run->matching, run->env->loop))
		check_run_finish(run);
}

static void on_due(void *owner)
{
	struct check_run *run = owner;
	mono_us now = clock_mono_us();
	if (run->state == RUN_WAITING)
		start_attempt(run, now);
	else
		check_hops_on_due(run, now);
}

void check_run_on_ended(void *context, CURLcode code)
{
	check_hops_on_ended(context, code);
}

struct check_run *check_run_create(const struct check_env *env, struct error *err)
{
	struct check_run *run = xcalloc(1, sizeof(*run));
	run->env = env;
	if (transfer_init(&run->transfer, env->user_agent, env->trust, env->certificates,
			  env->keeps_heads, run) != 0) {
		error_set(err, ERROR_FATAL, "libcurl is out of memory");
		transfer_finish(&run->transfer);
		free(run);
		return NULL;
	}
	run->transfer.poller = env->poller;
	observation_init(&run->observation);
	due_timer_init(&run->timer, env->loop, on_due, run);
	return run;
}

void check_run_close(struct check_run *run)
{
	due_timer_close(&run->timer, NULL);
}

void check_run_destroy(struct check_run *run)
{
	if (run == NULL)
		return;
	transfer_finish(&run->transfer);
	kept_connection_release(run->start.kept);
	observation_finish(&run->observation);
	redirect_finish(&run->request);
	hop_run_finish(&run->hop);
	attempts_finish(&run->attempts);
	free(run);
}

static void on_closed(uv_handle_t *timer)
{
	check_run_destroy(timer->data);
}

void check_run_release(struct check_run *run)
{
	assert(run->state == RUN_IDLE);
	due_timer_close(&run->timer, on_closed);
}

static void start_attempt(struct check_run *run, mono_us now)
{
	struct observation *observation = &run->observation;
	const struct check_start *start = &run->start;
	run->lost_at_start = loop_lag_begin(run->env->lag);
	observation->attempt_started_at = clock_wall_us();
	if (start->pin != NULL && run->retried == 0) {
		now -= start->pin->dns_us;
		run->lost_at_start -= start->pin->lost_us;
		observation->attempt_started_at = start->pin->started_at;
	}
	run->started = now;
	run->deadline = now + start->site->timeout_us;
	run->has_looked = false;
	if (run->retried == 0)
		run->checked_at = observation->attempt_started_at;
	response_note_start(observation, start, run->checked_at);
	redirect_init(&run->request, start->site);
	run->transfer.redirects_bytes = 0;
	address_guard_start(&run->hop.guard, start->site->address_policy,
			    start->was_public || (run->retried > 0 && run->hop.guard.is_public));
	check_hops_start(run, now);
}

void check_run_start(struct check_run *run, const struct check_start *start, mono_us now)
{
	assert(run->state == RUN_IDLE);
	run->start = *start;
	run->start.late_us = not_negative(start->late_us);
	run->retried = 0;
	run->is_looked_up = false;
	start_attempt(run, now);
}

bool check_run_try_again(struct check_run *run, check_run_question *wants_retry, void *context)
{
	const struct site *site = run->start.site;
	if (wants_retry == NULL || run->retried == site->retries ||
	    !wants_retry(context, site, &run->observation, &run->attempts))
		return false;
	struct attempts attempts = run->attempts;
	struct kept_connection *kept = kept_connection_take(run->start.kept);
	run->attempts = (struct attempts){0};
	check_run_clear(run);
	run->attempts = attempts;
	run->start.kept = kept;
	run->retried++;
	run->state = RUN_WAITING;
	mono_us now = clock_mono_us();
	due_timer_start(&run->timer, now + site->retry_after_us, now);
	return true;
}

const struct check_start *check_run_origin(const struct check_run *run)
{
	return &run->start;
}

void check_run_set_index(struct check_run *run, size_t index)
{
	run->start.index = index;
}

bool check_run_is_public(const struct check_run *run)
{
	return run->hop.guard.is_public;
}

struct observation *check_run_observation(struct check_run *run)
{
	return &run->observation;
}

const struct hop_run *check_run_looked_up(const struct check_run *run)
{
	return run->is_looked_up ? &run->hop : NULL;
}

void check_run_clear(struct check_run *run)
{
	assert(run->state == RUN_FINISHED);
	transfer_clear(&run->transfer);
	kept_connection_release(run->start.kept);
	run->start.kept = NULL;
	observation_finish(&run->observation);
	observation_init(&run->observation);
	redirect_finish(&run->request);
	attempts_finish(&run->attempts);
	run->state = RUN_IDLE;
}

bool check_run_abandon(struct check_run *run)
{
	due_timer_stop(&run->timer);
	switch (run->state) {
	case RUN_IDLE:
		return true;
	case RUN_MATCHING:
		run->is_abandoned = true;
		matching_hurry(&run->matching);
		return false;
	case RUN_RESOLVING:
	case RUN_TRANSFERRING:
		check_hops_stop(run);
		break;
	case RUN_FINISHED:
	case RUN_WAITING:
		break;
	}
	run->state = RUN_FINISHED;
	check_run_clear(run);
	return true;
}

bool check_run_is_idle(const struct check_run *run)
{
	return run->state == RUN_IDLE;
}
