#include "probe/check_flow.h"

#include <stdlib.h>

#include "base/figures.h"
#include "base/memory.h"
#include "check/request.h"
#include "check/schedule.h"
#include "probe/check_run.h"
#include "probe/kept_connection.h"
#include "probe/loop_lag.h"
#include "probe/used_lists.h"

enum {
	/* With is_once nothing is left out: a sink that is full is asked again after this. */
	RETRY_MS = 50,
	/*
	 * Checks started in one turn of the loop. A prober that fell behind, on a machine that is busy otherwise, must not start
	 * all that is due before it looks at what runs: every check would take as long as all of them together, and hold its
	 * buffers for that long. What is due starts late instead, and says so.
	 */
	STARTS_A_TURN = 64,
	/* The loop's timers stand still while the machine is suspended; the schedule does not, and is looked at this often. */
	DUE_TIMER_MAX_US = 10 * CLOCK_US_PER_S,
};

enum start_result {
	START_ALL,       /* nothing is due any more */
	START_NEXT_TURN, /* enough for one turn */
	START_NO_RUN,    /* the end of a check comes back here */
};

static void on_due(uv_timer_t *timer);

static bool may_start(const struct check_flow *flow)
{
	return flow->sink->may_start == NULL || flow->sink->may_start(flow->sink->context);
}

static void count_in_flight(struct check_flow *flow, int64_t more)
{
	size_t before = atomic_fetch_add(&flow->in_flight, (size_t)more);
	figures_add(&flow->figures->checks.in_flight, more);
	if (before + (size_t)more == 0)
		loop_lag_rest(flow->lag);
}

static void start_check(struct check_flow *flow, struct check_run *run, size_t index,
			int64_t late_us)
{
	struct site_state *state = &flow->sites.states[index];
	if (state->kept == NULL && request_of(state->site)->is_keepalive)
		state->kept = kept_connection_create(&flow->kept);
	const struct check_start start = {.site = state->site,
					  .kept = kept_connection_take(state->kept),
					  .list = flow->lists,
					  .index = index,
					  .late_us = late_us,
					  .missed = state->missed,
					  .was_public = state->is_public};
	state->missed = 0;
	state->is_running = true;
	flow->lists->running++;
	count_in_flight(flow, 1);
	check_run_start(run, &start, clock_mono_us());
}

/*
 * Whether a site that is due may start now. One whose last check is just ending waits for it; others count as missed. When whole
 * intervals went by, the prober was away, and all sites are over their time at once: each goes on when it is due next, so that
 * they stay spread. But only once: a prober that is always too late still checks.
 */
static bool has_turn(struct check_flow *flow, const struct due_check *check)
{
	struct site_state *state = &flow->sites.states[check->site];
	state->missed += check->missed;
	bool was_away = check->missed > 0 && !state->was_away;
	state->was_away = was_away;
	if (was_away) {
		state->missed++;
		return false;
	}
	if (state->is_running && state->waiting_due == 0) {
		state->waiting_due = check->due;
		return false;
	}
	if (state->is_running || !may_start(flow)) {
		state->missed++;
		return false;
	}
	return true;
}

/* Start what is due. What finds no run stays due: it starts late, and says so. Returns when to go on. */
static enum start_result start_due(struct check_flow *flow, mono_us now)
{
	for (;;) {
		mono_us next;
		if (!schedule_next_due(flow->sites.schedule, &next) || next > now)
			return START_ALL;
		if (flow->starts_left == 0)
			return START_NEXT_TURN;
		struct check_run *run = run_pool_take(&flow->pool);
		if (run == NULL)
			return START_NO_RUN;
		struct due_check check;
		if (!schedule_take_due(flow->sites.schedule, now, &check)) {
			run_pool_put(&flow->pool, run);
			return START_ALL;
		}
		if (has_turn(flow, &check)) {
			flow->starts_left--;
			start_check(flow, run, check.site, clock_boot_us() - check.due);
		} else {
			run_pool_put(&flow->pool, run);
		}
	}
}

/* With is_once. Returns false when it has to be tried again: the sink is full, or there is no memory for a check. */
static bool start_once(struct check_flow *flow)
{
	while (flow->once_next < flow->sites.count) {
		if (!may_start(flow))
			return false;
		struct check_run *run = run_pool_take(&flow->pool);
		if (run == NULL)
			return atomic_load(&flow->in_flight) > 0;
		start_check(flow, run, flow->once_next++, 0);
	}
	return true;
}

static void tell_done(struct check_flow *flow)
{
	bool is_done = flow->is_once && flow->once_next == flow->sites.count &&
		       atomic_load(&flow->in_flight) == 0;
	if (!is_done || flow->is_done_told)
		return;
	flow->is_done_told = true;
	if (flow->sink->on_done != NULL)
		flow->sink->on_done(flow->sink->context);
}

/* Start what may start now, and have the timer go off for what comes next. */
static void start_checks(struct check_flow *flow)
{
	/* First the checks of names that were looked up: their rounds have begun. */
	rounds_start(&flow->rounds, &flow->pool, &flow->starts_left);
	if (flow->rounds.waiting > 0) {
		bool has_run = flow->rounds.waiting < atomic_load(&flow->in_flight);
		if (flow->starts_left == 0 || !has_run)
			(void)uv_timer_start(&flow->due_timer, on_due, has_run ? 1 : RETRY_MS, 0);
		return;
	}
	if (flow->is_stopping)
		return;
	mono_us next;
	if (flow->is_once) {
		if (!start_once(flow))
			(void)uv_timer_start(&flow->due_timer, on_due, RETRY_MS, 0);
		return;
	}
	mono_us now = clock_boot_us();
	enum start_result result = start_due(flow, now);
	if (result == START_NO_RUN) {
		/* Without any check that runs there is no memory for one. */
		if (atomic_load(&flow->in_flight) == 0)
			(void)uv_timer_start(&flow->due_timer, on_due, RETRY_MS, 0);
		return;
	}
	if (!schedule_next_due(flow->sites.schedule, &next))
		return;
	uv_update_time(flow->due_timer.loop);
	now = clock_boot_us();
	int64_t wait_us = next > now ? next - now : 0;
	if (wait_us > DUE_TIMER_MAX_US)
		wait_us = DUE_TIMER_MAX_US;
	/* Not at once: libuv would come back within this turn. Sockets that are ready are not kept waiting by it. */
	if (result == START_NEXT_TURN)
		wait_us = CLOCK_US_PER_MS;
	(void)uv_timer_start(&flow->due_timer, on_due,
			     (uint64_t)((wait_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS), 0);
}

static void on_due(uv_timer_t *timer)
{
	start_checks(timer->data);
}

void check_flow_on_finished(void *context, struct check_run *run)
{
	struct check_flow *flow = context;
	flow->finished[flow->finished_count++] = run;
}

/* A timeout as long as the interval ends just when the next check is due: that one follows, a moment late. */
static void start_waiting(struct check_flow *flow, size_t index)
{
	struct site_state *state = &flow->sites.states[index];
	mono_us due = state->waiting_due;
	state->waiting_due = 0;
	if (due == 0 || flow->is_stopping)
		return;
	struct check_run *run = may_start(flow) ? run_pool_take(&flow->pool) : NULL;
	if (run != NULL)
		start_check(flow, run, index, clock_boot_us() - due);
	else
		state->missed++;
}

static void release_unused(struct check_flow *flow)
{
	used_lists_release(flow->lists, flow->sink->on_released, flow->sink->context);
}

/* The name has been looked up: from now on its addresses are what is in flight. */
static void begin_round(struct check_flow *flow, struct check_run *run)
{
	const struct round_run *round = rounds_begin(&flow->rounds, run);
	site_states_note_public(&flow->sites, check_run_origin(run), check_run_is_public(run));
	count_in_flight(flow, (int64_t)round->count - 1);
	check_run_clear(run);
	run_pool_put(&flow->pool, run);
}

static void tell(struct check_flow *flow, struct check_run *run)
{
	const struct prober_sink *sink = flow->sink;
	const struct check_start *origin = check_run_origin(run);
	if (check_run_looked_up(run) != NULL) {
		begin_round(flow, run);
		return;
	}
	if (check_run_try_again(run, sink->wants_retry, sink->context))
		return;
	size_t index = origin->index;
	struct used_list *list = origin->list;
	struct site_state *state = index == SITE_STATES_GONE ? NULL : &flow->sites.states[index];
	struct prober_memo *memo = state == NULL ? NULL : &state->memo;
	struct observation *observation = check_run_observation(run);
	struct round_run *round = origin->pin == NULL ? NULL : origin->pin->round;
	if (round != NULL)
		sink->on_address(sink->context, origin->site, observation, &round->round);
	bool is_over = round == NULL || round_run_end_one(round);
	if (is_over && state != NULL)
		state->is_running = false;
	if (round == NULL) {
		site_states_note_public(&flow->sites, origin, check_run_is_public(run));
		sink->on_checked(sink->context, origin->site, observation, memo);
	} else if (is_over) {
		sink->on_round(sink->context, origin->site, &round->round, memo);
		rounds_remove(&flow->rounds, round);
	}
	check_run_clear(run);
	run_pool_put(&flow->pool, run);
	count_in_flight(flow, -1);
	if (!is_over)
		return;
	if (--list->running == 0 && list != flow->lists)
		release_unused(flow);
	if (state != NULL)
		start_waiting(flow, index);
}

void check_flow_reap(struct check_flow *flow)
{
	if (flow->finished_count == 0)
		return;
	while (flow->finished_count > 0) { /* what is started here may finish on the spot */
		struct check_run **batch = flow->finished;
		size_t count = flow->finished_count;
		flow->finished = flow->reaped;
		flow->finished_count = 0;
		flow->reaped = batch;
		for (size_t i = 0; i < count; i++)
			tell(flow, batch[i]);
		start_checks(flow);
	}
	tell_done(flow);
}

void check_flow_exchange(struct check_flow *flow, const struct prober_reload *reload)
{
	size_t *moved = site_states_exchange(&flow->sites, reload, clock_boot_us());
	for (size_t i = 0; i < flow->pool.count; i++) {
		struct check_run *run = flow->pool.runs[i];
		size_t index = check_run_origin(run)->index;
		if (!check_run_is_idle(run) && index != SITE_STATES_GONE)
			check_run_set_index(run, moved[index]);
	}
	rounds_move(&flow->rounds, moved, SITE_STATES_GONE);
	free(moved);
	used_lists_push(&flow->lists, reload->sites);
	release_unused(flow);
	if (flow->sink->on_reloaded != NULL)
		flow->sink->on_reloaded(flow->sink->context);
	start_checks(flow);
}

void check_flow_init(struct check_flow *flow, const struct prober_options *options,
		     const struct prober_sink *sink, const struct check_env *env)
{
	flow->sink = sink;
	site_states_init(&flow->sites, options->share, options->shares, options->sites,
			 options->site_count);
	used_lists_push(&flow->lists, options->sites);
	flow->is_once = options->is_once;
	flow->figures = options->figures != NULL ? options->figures : figures_unread();
	size_t descriptors = run_pool_descriptors(options->shares);
	size_t max =
		options->max_in_flight != 0 ? options->max_in_flight : run_pool_max(descriptors);
	flow->kept.max = descriptors / 2; /* a check over a fresh connection is better than none */
	run_pool_init(&flow->pool, env, max);
	run_pool_share(&flow->pool, descriptors, &flow->kept.open);
	flow->starts_left = STARTS_A_TURN;
	flow->finished = xcalloc(max, sizeof(struct check_run *));
	flow->reaped = xcalloc(max, sizeof(struct check_run *));
}

void check_flow_open(struct check_flow *flow, uv_loop_t *loop, struct loop_lag *lag)
{
	flow->lag = lag;
	(void)uv_timer_init(loop, &flow->due_timer);
	flow->due_timer.data = flow;
}

void check_flow_begin(struct check_flow *flow)
{
	if (!flow->is_once)
		site_states_schedule(&flow->sites, clock_boot_us());
	start_checks(flow);
	tell_done(flow); /* no sites at all */
}

void check_flow_begin_turn(struct check_flow *flow)
{
	flow->starts_left = STARTS_A_TURN;
}

void check_flow_again(struct check_flow *flow)
{
	flow->once_next = 0;
	flow->is_done_told = false;
	start_checks(flow);
}

void check_flow_stop(struct check_flow *flow)
{
	flow->is_stopping = true;
	(void)uv_timer_stop(&flow->due_timer);
}

bool check_flow_give_up(struct check_flow *flow)
{
	size_t running = 0;
	rounds_drop_waiting(&flow->rounds);
	for (size_t i = 0; i < flow->pool.count; i++) {
		if (!check_run_abandon(flow->pool.runs[i]))
			running++;
	}
	size_t before = atomic_exchange(&flow->in_flight, running);
	figures_add(&flow->figures->checks.in_flight, (int64_t)running - (int64_t)before);
	return running == 0;
}

bool check_flow_is_over(const struct check_flow *flow)
{
	return flow->is_stopping && atomic_load(&flow->in_flight) == 0;
}

void check_flow_close(struct check_flow *flow)
{
	uv_close((uv_handle_t *)&flow->due_timer, NULL);
	run_pool_close(&flow->pool);
}

void check_flow_finish(struct check_flow *flow)
{
	run_pool_finish(&flow->pool);
	rounds_finish(&flow->rounds);
	site_states_finish(&flow->sites);
	used_lists_finish(&flow->lists);
	free(flow->finished);
	free(flow->reaped);
}
