/*
 * The way of a prober's checks: started when they are due and a run is free for them, counted while they are in flight, told to the
 * sink at the end of the turn in which they ended, when their places go to others. The list of sites that they are of can be
 * exchanged on the way.
 *
 * One thread: the loop's, but for in_flight, which is anybody's to read.
 */
#ifndef WEBSENTRY_PROBE_CHECK_FLOW_H
#define WEBSENTRY_PROBE_CHECK_FLOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "probe/kept_connection.h"
#include "probe/prober.h"
#include "probe/rounds.h"
#include "probe/run_pool.h"
#include "probe/site_states.h"

struct check_env;
struct check_run;
struct figures;
struct loop_lag;
struct used_list;

struct check_flow {
	const struct prober_sink *sink;
	bool is_once;
	struct figures *figures;
	struct loop_lag *lag;
	uv_timer_t due_timer;
	struct site_states sites;
	struct used_list *lists; /* the present one first */
	size_t once_next;        /* with is_once: the next site to start */
	bool is_done_told;
	bool is_stopping;
	struct run_pool pool;
	struct kept_count kept;
	struct rounds rounds;
	size_t starts_left;          /* in this turn */
	struct check_run **finished; /* to be told at the end of the turn */
	size_t finished_count;
	struct check_run **reaped; /* the batch that is being told */
	atomic_size_t in_flight;
};

/* Of zeros. Sink and env are borrowed for its life; the env has check_flow_on_finished() with the flow as its context. */
void check_flow_init(struct check_flow *flow, const struct prober_options *options,
		     const struct prober_sink *sink, const struct check_env *env);
/* Of a flow that was initialised, also without more, and once the loop has ended. */
void check_flow_finish(struct check_flow *flow);

/* Let it have its timer in the loop, and let go of that again. */
void check_flow_open(struct check_flow *flow, uv_loop_t *loop, struct loop_lag *lag);
void check_flow_close(struct check_flow *flow);

/* The loop's thread is there: the first checks. */
void check_flow_begin(struct check_flow *flow);
/* A turn of the loop has begun: as many checks as a turn may start can start again. */
void check_flow_begin_turn(struct check_flow *flow);
/* With is_once: check all sites once more. */
void check_flow_again(struct check_flow *flow);

/* For the env: takes note. */
void check_flow_on_finished(void *context, struct check_run *run);
/* The end of a turn: tell about the checks that have finished in it, and give their places to others. */
void check_flow_reap(struct check_flow *flow);

/* Checks that run belong to the site of their name from now on. */
void check_flow_exchange(struct check_flow *flow, const struct prober_reload *reload);

/* No check starts any more. */
void check_flow_stop(struct check_flow *flow);
/* Give up what still runs, without a word. Returns false where a search on the pool must end first: ask again. */
bool check_flow_give_up(struct check_flow *flow);
/* It was stopped, and nothing is in flight. */
bool check_flow_is_over(const struct check_flow *flow);

#endif
