#include "probe/prober.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/site.h"
#include "probe/check_env.h"
#include "probe/check_flow.h"
#include "probe/check_run.h"
#include "probe/loop_lag.h"
#include "probe/trust.h"

enum {
	/* How often an abandoned search on the pool is looked after. */
	DRAIN_TICK_MS = 10,
	/* Runs that were idle for so long are given back. */
	SHRINK_EVERY_MS = 10 * 1000,
};

struct prober {
	/* Set before the thread starts, and only read then. */
	struct prober_sink sink;

	/* The loop's. */
	uv_loop_t loop;
	bool has_loop;
	uv_async_t wake;
	uv_timer_t stop_timer;
	uv_timer_t shrink_timer;
	uv_prepare_t before_sleep;
	uv_check_t after_sleep;
	struct loop_lag lag;
	struct check_env env;
	struct check_flow flow;

	/* Anybody's. */
	_Atomic(const struct prober_reload *) reload; /* asked for, and not done yet */
	atomic_bool is_again_wanted;
	atomic_bool is_stop_wanted;
	atomic_int grace_ms;
	pthread_t thread;
	bool has_thread;
};

/* Everything has ended, or was given up: let the loop end. */
static void close_all(struct prober *prober)
{
	uv_close((uv_handle_t *)&prober->wake, NULL);
	uv_close((uv_handle_t *)&prober->stop_timer, NULL);
	uv_close((uv_handle_t *)&prober->shrink_timer, NULL);
	uv_close((uv_handle_t *)&prober->before_sleep, NULL);
	uv_close((uv_handle_t *)&prober->after_sleep, NULL);
	loop_lag_close(&prober->lag);
	check_flow_close(&prober->flow);
	check_env_close(&prober->env);
}

static void close_when_stopped(struct prober *prober)
{
	if (check_flow_is_over(&prober->flow) && !uv_is_closing((const uv_handle_t *)&prober->wake))
		close_all(prober);
}

static void reap(struct prober *prober)
{
	check_flow_reap(&prober->flow);
	close_when_stopped(prober);
}

static void on_before_sleep(uv_prepare_t *prepare)
{
	reap(prepare->data);
}

static void on_after_sleep(uv_check_t *check)
{
	struct prober *prober = check->data;
	check_flow_begin_turn(&prober->flow);
	reap(prober);
}

static void on_shrink(uv_timer_t *timer)
{
	struct prober *prober = timer->data;
	(void)run_pool_shrink(&prober->flow.pool);
}

/* The grace is over: give up what still runs; a search on the pool is waited for. */
static void on_grace_over(uv_timer_t *timer)
{
	struct prober *prober = timer->data;
	reap(prober);
	if (uv_is_closing((const uv_handle_t *)&prober->wake))
		return;
	if (!check_flow_give_up(&prober->flow))
		(void)uv_timer_start(timer, on_grace_over, DRAIN_TICK_MS, 0);
	else
		close_when_stopped(prober);
}

static void on_wake(uv_async_t *wake)
{
	struct prober *prober = wake->data;
	const struct prober_reload *reload = atomic_exchange(&prober->reload, NULL);
	bool is_stopping = prober->flow.is_stopping;
	if (reload != NULL && !is_stopping)
		check_flow_exchange(&prober->flow, reload);
	if (atomic_exchange(&prober->is_again_wanted, false) && !is_stopping)
		check_flow_again(&prober->flow);
	if (!atomic_load(&prober->is_stop_wanted) || is_stopping)
		return;
	check_flow_stop(&prober->flow);
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
	check_flow_begin(&prober->flow);
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
	(void)uv_timer_init(&prober->loop, &prober->stop_timer);
	(void)uv_timer_init(&prober->loop, &prober->shrink_timer);
	(void)uv_prepare_init(&prober->loop, &prober->before_sleep);
	(void)uv_check_init(&prober->loop, &prober->after_sleep);
	prober->stop_timer.data = prober;
	prober->shrink_timer.data = prober;
	prober->before_sleep.data = prober;
	prober->after_sleep.data = prober;
	(void)uv_prepare_start(&prober->before_sleep, on_before_sleep);
	(void)uv_check_start(&prober->after_sleep, on_after_sleep);
	(void)uv_timer_start(&prober->shrink_timer, on_shrink, SHRINK_EVERY_MS, SHRINK_EVERY_MS);
	loop_lag_init(&prober->lag, &prober->loop);
	check_flow_open(&prober->flow, &prober->loop, &prober->lag);

	prober->env = (struct check_env){
		.loop = &prober->loop,
		.lag = &prober->lag,
		.keeps_heads = options->keeps_heads,
		.user_agent = options->user_agent != NULL ? options->user_agent
							  : "websentry/" WEBSENTRY_VERSION,
		.on_finished = check_flow_on_finished,
		.context = &prober->flow,
	};
	if (check_env_create(&prober->env, check_run_on_ended, options->dns_servers, err) != 0)
		return -1;
	const struct site_states *sites = &prober->flow.sites;
	for (size_t i = 0; i < sites->count; i++) {
		if (text_starts_with(sites->states[i].site->url, "https:")) {
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
	check_flow_init(&prober->flow, options, &prober->sink, &prober->env);
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
	check_flow_finish(&prober->flow);
	check_env_destroy(&prober->env);
	if (prober->has_loop)
		(void)uv_loop_close(&prober->loop);
	free(prober);
}

size_t prober_in_flight(const struct prober *prober)
{
	return atomic_load(&prober->flow.in_flight);
}
