#include "probe/prober.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

#include "base/figures.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/request.h"
#include "check/schedule.h"
#include "probe/check_env.h"
#include "probe/check_run.h"
#include "probe/kept_connection.h"
#include "probe/loop_lag.h"
#include "probe/rounds.h"
#include "probe/run_pool.h"
#include "probe/site_states.h"
#include "probe/trust.h"
#include "probe/used_lists.h"

enum {
	/* With is_once nothing is left out: a sink that is full is asked again after this. */
	RETRY_MS = 50,
	/* How often an abandoned search on the pool is looked after. */
	DRAIN_TICK_MS = 10,
	/*
	 * Checks started in one turn of the loop. A prober that fell behind, on a machine that is busy otherwise, must not start
	 * all that is due before it looks at what runs: every check would take as long as all of them together, and hold its
	 * buffers for that long. What is due starts late instead, and says so.
	 */
	STARTS_A_TURN = 64,
	/* Runs that were idle for so long are given back. */
	SHRINK_EVERY_MS = 10 * 1000,
	/* The loop's timers stand still while the machine is suspended; the schedule does not, and is looked at this often. */
	DUE_TIMER_MAX_US = 10 * CLOCK_US_PER_S,
};

enum start_result {
	START_ALL,       /* nothing is due any more */
	START_NEXT_TURN, /* enough for one turn */
	START_NO_RUN,    /* the end of a check comes back here */
};

struct prober {
	/* Set before the thread starts, and only read then. */
	struct prober_sink sink;
	bool is_once;
	size_t max_in_flight;
	struct figures *figures;

	/* The loop's. */
	uv_loop_t loop;
	bool has_loop;
	uv_async_t wake;
	uv_timer_t due_timer;
	uv_timer_t stop_timer;
	uv_timer_t shrink_timer;
	uv_prepare_t before_sleep;
	uv_check_t after_sleep;
	struct loop_lag lag;
	struct check_env env;
	struct site_states sites;
	struct used_list *lists; /* the present one first */
	size_t once_next;        /* with is_once: the next site to start */
	bool is_done_told;
	bool is_stopping;
	struct run_pool pool;
	struct rounds rounds;
	size_t starts_left;          /* in this turn */
	struct check_run **finished; /* to be told at the end of the turn */
	size_t finished_count;
	struct check_run **reaped; /* the batch that is being told */

	/* Anybody's. */
	_Atomic(const struct prober_reload *) reload; /* asked for, and not done yet */
	atomic_bool is_again_wanted;
	atomic_size_t in_flight;
	atomic_bool is_stop_wanted;
	atomic_int grace_ms;
	pthread_t thread;
	bool has_thread;
};

static void on_due(uv_timer_t *timer);

static bool may_start(const struct prober *prober)
{
	return prober->sink.may_start == NULL || prober->sink.may_start(prober->sink.context);
}

static void count_in_flight(struct prober *prober, int64_t more)
{
	size_t before = atomic_fetch_add(&prober->in_flight, (size_t)more);
	figures_add(&prober->figures->checks.in_flight, more);
	size_t after = before + (size_t)more;
	if ((before == 0) != (after == 0))
		loop_lag_watch(&prober->lag, after > 0);
}

static void start_check(struct prober *prober, struct check_run *run, size_t index, int64_t late_us)
{
	struct site_state *state = &prober->sites.states[index];
	if (state->kept == NULL && request_of(state->site)->is_keepalive)
		state->kept = kept_connection_create();
	const struct check_start start = {.site = state->site,
					  .kept = kept_connection_take(state->kept),
					  .list = prober->lists,
					  .index = index,
					  .late_us = late_us,
					  .missed = state->missed,
					  .was_public = state->is_public};
	state->missed = 0;
	state->is_running = true;
	prober->lists->running++;
	count_in_flight(prober, 1);
	check_run_start(run, &start, clock_mono_us());
}

/*
 * Whether a site that is due may start now. One whose last check is just ending waits for it; others count as missed. When whole
 * intervals went by, the prober was away, and all sites are over their time at once: each goes on when it is due next, so that
 * they stay spread. But only once: a prober that is always too late still checks.
 */
static bool has_turn(struct prober *prober, const struct due_check *check)
{
	struct site_state *state = &prober->sites.states[check->site];
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
	if (state->is_running || !may_start(prober)) {
		state->missed++;
		return false;
	}
	return true;
}

/* Start what is due. What finds no run stays due: it starts late, and says so. Returns when to go on. */
static enum start_result start_due(struct prober *prober, mono_us now)
{
	for (;;) {
		mono_us next;
		if (!schedule_next_due(prober->sites.schedule, &next) || next > now)
			return START_ALL;
		if (prober->starts_left == 0)
			return START_NEXT_TURN;
		struct check_run *run = run_pool_take(&prober->pool);
		if (run == NULL)
			return START_NO_RUN;
		struct due_check check;
		if (!schedule_take_due(prober->sites.schedule, now, &check)) {
			run_pool_put(&prober->pool, run);
			return START_ALL;
		}
		if (has_turn(prober, &check)) {
			prober->starts_left--;
			start_check(prober, run, check.site, clock_boot_us() - check.due);
		} else {
			run_pool_put(&prober->pool, run);
		}
	}
}

/* With is_once. Returns false when it has to be tried again: the sink is full, or there is no memory for a check. */
static bool start_once(struct prober *prober)
{
	while (prober->once_next < prober->sites.count) {
		if (!may_start(prober))
			return false;
		struct check_run *run = run_pool_take(&prober->pool);
		if (run == NULL)
			return atomic_load(&prober->in_flight) > 0;
		start_check(prober, run, prober->once_next++, 0);
	}
	return true;
}

static void tell_done(struct prober *prober)
{
	bool is_done = prober->is_once && prober->once_next == prober->sites.count &&
		       atomic_load(&prober->in_flight) == 0;
	if (!is_done || prober->is_done_told)
		return;
	prober->is_done_told = true;
	if (prober->sink.on_done != NULL)
		prober->sink.on_done(prober->sink.context);
}

/* Start what may start now, and have the timer go off for what comes next. */
static void start_more(struct prober *prober)
{
	/* First the checks of names that were looked up: their rounds have begun. */
	rounds_start(&prober->rounds, &prober->pool, &prober->starts_left);
	if (prober->rounds.waiting > 0) {
		bool has_run = prober->rounds.waiting < atomic_load(&prober->in_flight);
		if (prober->starts_left == 0 || !has_run)
			(void)uv_timer_start(&prober->due_timer, on_due, has_run ? 1 : RETRY_MS, 0);
		return;
	}
	if (prober->is_stopping)
		return;
	mono_us next;
	if (prober->is_once) {
		if (!start_once(prober))
			(void)uv_timer_start(&prober->due_timer, on_due, RETRY_MS, 0);
		return;
	}
	mono_us now = clock_boot_us();
	enum start_result result = start_due(prober, now);
	if (result == START_NO_RUN) {
		/* Without any check that runs there is no memory for one. */
		if (atomic_load(&prober->in_flight) == 0)
			(void)uv_timer_start(&prober->due_timer, on_due, RETRY_MS, 0);
		return;
	}
	if (!schedule_next_due(prober->sites.schedule, &next))
		return;
	uv_update_time(&prober->loop);
	now = clock_boot_us();
	int64_t wait_us = next > now ? next - now : 0;
	if (wait_us > DUE_TIMER_MAX_US)
		wait_us = DUE_TIMER_MAX_US;
	/* Not at once: libuv would come back within this turn. Sockets that are ready are not kept waiting by it. */
	if (result == START_NEXT_TURN)
		wait_us = CLOCK_US_PER_MS;
	(void)uv_timer_start(&prober->due_timer, on_due,
			     (uint64_t)((wait_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS), 0);
}

static void on_due(uv_timer_t *timer)
{
	start_more(timer->data);
}

static void on_finished(void *context, struct check_run *run)
{
	struct prober *prober = context;
	prober->finished[prober->finished_count++] = run;
}

/* Everything has ended, or was given up: let the loop end. */
static void close_all(struct prober *prober)
{
	uv_close((uv_handle_t *)&prober->wake, NULL);
	uv_close((uv_handle_t *)&prober->due_timer, NULL);
	uv_close((uv_handle_t *)&prober->stop_timer, NULL);
	uv_close((uv_handle_t *)&prober->shrink_timer, NULL);
	uv_close((uv_handle_t *)&prober->before_sleep, NULL);
	uv_close((uv_handle_t *)&prober->after_sleep, NULL);
	loop_lag_close(&prober->lag);
	run_pool_close(&prober->pool);
	check_env_close(&prober->env);
}

static void close_when_stopped(struct prober *prober)
{
	if (prober->is_stopping && atomic_load(&prober->in_flight) == 0 &&
	    !uv_is_closing((const uv_handle_t *)&prober->wake))
		close_all(prober);
}

/* A timeout as long as the interval ends just when the next check is due: that one follows, a moment late. */
static void start_waiting(struct prober *prober, size_t index)
{
	struct site_state *state = &prober->sites.states[index];
	mono_us due = state->waiting_due;
	state->waiting_due = 0;
	if (due == 0 || prober->is_stopping)
		return;
	struct check_run *run = may_start(prober) ? run_pool_take(&prober->pool) : NULL;
	if (run != NULL)
		start_check(prober, run, index, clock_boot_us() - due);
	else
		state->missed++;
}

static void release_unused(struct prober *prober)
{
	used_lists_release(prober->lists, prober->sink.on_released, prober->sink.context);
}

/* The name has been looked up: from now on its addresses are what is in flight. */
static void begin_round(struct prober *prober, struct check_run *run)
{
	const struct round_run *round = rounds_begin(&prober->rounds, run);
	site_states_note_public(&prober->sites, check_run_origin(run), check_run_is_public(run));
	count_in_flight(prober, (int64_t)round->count - 1);
	check_run_clear(run);
	run_pool_put(&prober->pool, run);
}

static void tell(struct prober *prober, struct check_run *run)
{
	const struct prober_sink *sink = &prober->sink;
	const struct check_start *origin = check_run_origin(run);
	if (check_run_looked_up(run) != NULL) {
		begin_round(prober, run);
		return;
	}
	if (check_run_try_again(run, sink->wants_retry, sink->context))
		return;
	size_t index = origin->index;
	struct used_list *list = origin->list;
	struct site_state *state = index == SITE_STATES_GONE ? NULL : &prober->sites.states[index];
	struct prober_memo *memo = state == NULL ? NULL : &state->memo;
	struct observation *observation = check_run_observation(run);
	struct round_run *round = origin->pin == NULL ? NULL : origin->pin->round;
	if (round != NULL)
		sink->on_address(sink->context, origin->site, observation, &round->round);
	bool is_over = round == NULL || round_run_end_one(round);
	if (is_over && state != NULL)
		state->is_running = false;
	if (round == NULL) {
		site_states_note_public(&prober->sites, origin, check_run_is_public(run));
		sink->on_checked(sink->context, origin->site, observation, memo);
	} else if (is_over) {
		sink->on_round(sink->context, origin->site, &round->round, memo);
		rounds_remove(&prober->rounds, round);
	}
	check_run_clear(run);
	run_pool_put(&prober->pool, run);
	count_in_flight(prober, -1);
	if (!is_over)
		return;
	if (--list->running == 0 && list != prober->lists)
		release_unused(prober);
	if (state != NULL)
		start_waiting(prober, index);
}

/* The end of a turn: tell about the checks that have finished in it, and give their places to others. */
static void reap(struct prober *prober)
{
	if (prober->finished_count == 0)
		return;
	while (prober->finished_count > 0) { /* what is started here may finish on the spot */
		struct check_run **batch = prober->finished;
		size_t count = prober->finished_count;
		prober->finished = prober->reaped;
		prober->finished_count = 0;
		prober->reaped = batch;
		for (size_t i = 0; i < count; i++)
			tell(prober, batch[i]);
		start_more(prober);
	}
	tell_done(prober);
	close_when_stopped(prober);
}

static void on_before_sleep(uv_prepare_t *prepare)
{
	reap(prepare->data);
}

static void on_after_sleep(uv_check_t *check)
{
	struct prober *prober = check->data;
	prober->starts_left = STARTS_A_TURN;
	reap(prober);
}

static void on_shrink(uv_timer_t *timer)
{
	struct prober *prober = timer->data;
	(void)run_pool_shrink(&prober->pool);
}

/* The grace is over: give up what still runs; a search on the pool is waited for. */
static void on_grace_over(uv_timer_t *timer)
{
	struct prober *prober = timer->data;
	size_t running = 0;
	reap(prober);
	if (uv_is_closing((const uv_handle_t *)&prober->wake))
		return;
	rounds_drop_waiting(&prober->rounds);
	for (size_t i = 0; i < prober->pool.count; i++) {
		if (!check_run_abandon(prober->pool.runs[i]))
			running++;
	}
	size_t before = atomic_exchange(&prober->in_flight, running);
	figures_add(&prober->figures->checks.in_flight, (int64_t)running - (int64_t)before);
	if (running > 0)
		(void)uv_timer_start(timer, on_grace_over, DRAIN_TICK_MS, 0);
	else
		close_when_stopped(prober);
}

/* Checks that run belong to the site of their name from now on. */
static void exchange_sites(struct prober *prober, const struct prober_reload *reload)
{
	size_t *moved = site_states_exchange(&prober->sites, reload, clock_boot_us());
	for (size_t i = 0; i < prober->pool.count; i++) {
		struct check_run *run = prober->pool.runs[i];
		size_t index = check_run_origin(run)->index;
		if (!check_run_is_idle(run) && index != SITE_STATES_GONE)
			check_run_set_index(run, moved[index]);
	}
	rounds_move(&prober->rounds, moved, SITE_STATES_GONE);
	free(moved);
	used_lists_push(&prober->lists, reload->sites);
	release_unused(prober);
	if (prober->sink.on_reloaded != NULL)
		prober->sink.on_reloaded(prober->sink.context);
	start_more(prober);
}

static void on_wake(uv_async_t *wake)
{
	struct prober *prober = wake->data;
	const struct prober_reload *reload = atomic_exchange(&prober->reload, NULL);
	if (reload != NULL && !prober->is_stopping)
		exchange_sites(prober, reload);
	if (atomic_exchange(&prober->is_again_wanted, false) && !prober->is_stopping) {
		prober->once_next = 0;
		prober->is_done_told = false;
		start_more(prober);
	}
	if (!atomic_load(&prober->is_stop_wanted) || prober->is_stopping)
		return;
	prober->is_stopping = true;
	(void)uv_timer_stop(&prober->due_timer);
	(void)uv_timer_stop(&prober->shrink_timer);
	int grace_ms = atomic_load(&prober->grace_ms);
	(void)uv_timer_start(&prober->stop_timer, on_grace_over,
			     grace_ms > 0 ? (uint64_t)grace_ms : 0, 0);
	close_when_stopped(prober);
}

static void *run_thread(void *context)
{
	struct prober *prober = context;
	(void)pthread_setname_np(pthread_self(), "prober");
	if (!prober->is_once)
		site_states_schedule(&prober->sites, clock_boot_us());
	start_more(prober);
	tell_done(prober); /* no sites at all */
	(void)uv_run(&prober->loop, UV_RUN_DEFAULT);
	return NULL;
}

static int prepare_loop(struct prober *prober, const struct prober_options *options,
			struct error *err)
{
	int status = uv_loop_init(&prober->loop);
	if (status != 0) {
		error_set(err, ERROR_FATAL, "prepare the prober's loop: %s", uv_strerror(status));
		return -1;
	}
	prober->has_loop = true;
	status = uv_async_init(&prober->loop, &prober->wake, on_wake);
	if (status != 0) {
		error_set(err, ERROR_FATAL, "prepare the prober's loop: %s", uv_strerror(status));
		return -1;
	}
	prober->wake.data = prober;
	(void)uv_timer_init(&prober->loop, &prober->due_timer);
	(void)uv_timer_init(&prober->loop, &prober->stop_timer);
	(void)uv_timer_init(&prober->loop, &prober->shrink_timer);
	(void)uv_prepare_init(&prober->loop, &prober->before_sleep);
	(void)uv_check_init(&prober->loop, &prober->after_sleep);
	prober->due_timer.data = prober;
	prober->stop_timer.data = prober;
	prober->shrink_timer.data = prober;
	prober->before_sleep.data = prober;
	prober->after_sleep.data = prober;
	(void)uv_prepare_start(&prober->before_sleep, on_before_sleep);
	(void)uv_check_start(&prober->after_sleep, on_after_sleep);
	(void)uv_timer_start(&prober->shrink_timer, on_shrink, SHRINK_EVERY_MS, SHRINK_EVERY_MS);
	loop_lag_init(&prober->lag, &prober->loop);

	prober->env = (struct check_env){
		.loop = &prober->loop,
		.lag = &prober->lag,
		.keeps_heads = options->keeps_heads,
		.user_agent = options->user_agent != NULL ? options->user_agent
							  : "websentry/" WEBSENTRY_VERSION,
		.on_finished = on_finished,
		.context = prober,
	};
	if (check_env_create(&prober->env, check_run_on_ended, options->dns_servers, err) != 0)
		return -1;
	for (size_t i = 0; i < prober->sites.count; i++) {
		if (text_starts_with(prober->sites.states[i].site->url, "https:")) {
			trust_load_system(prober->env.trust);
			break;
		}
	}
	return 0;
}

/* Signals are the main thread's. */
static int start_thread(struct prober *prober, struct error *err)
{
	sigset_t all;
	sigset_t before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int status = pthread_create(&prober->thread, NULL, run_thread, prober);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status != 0) {
		error_set_errno(err, ERROR_FATAL, status, "start the prober's thread");
		return -1;
	}
	prober->has_thread = true;
	return 0;
}

struct prober *prober_start(const struct prober_options *options, const struct prober_sink *sink,
			    struct error *err)
{
	if (check_env_prepare(err) != 0)
		return NULL;
	struct prober *prober = xcalloc(1, sizeof(*prober));
	prober->sink = *sink;
	site_states_init(&prober->sites, options->share, options->shares, options->sites,
			 options->site_count);
	used_lists_push(&prober->lists, options->sites);
	prober->is_once = options->is_once;
	prober->figures = options->figures != NULL ? options->figures : figures_unread();
	prober->max_in_flight = options->max_in_flight != 0 ? options->max_in_flight
							    : run_pool_max(options->shares);
	run_pool_init(&prober->pool, &prober->env, prober->max_in_flight);
	prober->starts_left = STARTS_A_TURN;
	prober->finished = xcalloc(prober->max_in_flight, sizeof(struct check_run *));
	prober->reaped = xcalloc(prober->max_in_flight, sizeof(struct check_run *));
	if (prepare_loop(prober, options, err) != 0 || start_thread(prober, err) != 0) {
		prober_destroy(prober);
		return NULL;
	}
	return prober;
}

void prober_reload(struct prober *prober, const struct prober_reload *reload)
{
	atomic_store(&prober->reload, reload);
	(void)uv_async_send(&prober->wake);
}

void prober_again(struct prober *prober)
{
	atomic_store(&prober->is_again_wanted, true);
	(void)uv_async_send(&prober->wake);
}

void prober_stop(struct prober *prober, int grace_ms)
{
	if (!prober->has_thread)
		return;
	atomic_store(&prober->grace_ms, grace_ms);
	atomic_store(&prober->is_stop_wanted, true);
	(void)uv_async_send(&prober->wake);
	(void)pthread_join(prober->thread, NULL);
	prober->has_thread = false;
}

static void close_left(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void prober_destroy(struct prober *prober)
{
	if (prober == NULL)
		return;
	prober_stop(prober, 0);
	if (prober->has_loop) {
		/* Nothing is left of a prober that ran; one whose start failed has some handles open. */
		uv_walk(&prober->loop, close_left, NULL);
		(void)uv_run(&prober->loop, UV_RUN_DEFAULT);
	}
	run_pool_finish(&prober->pool);
	rounds_finish(&prober->rounds);
	check_env_destroy(&prober->env);
	if (prober->has_loop)
		(void)uv_loop_close(&prober->loop);
	site_states_finish(&prober->sites);
	used_lists_finish(&prober->lists);
	free(prober->finished);
	free(prober->reaped);
	free(prober);
}

size_t prober_in_flight(const struct prober *prober)
{
	return atomic_load(&prober->in_flight);
}
