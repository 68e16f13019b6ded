/* A loop with all that checks need and a peer to ask, for tests that drive checks without a prober. One thread. */
#ifndef WEBSENTRY_TESTS_PROBE_LOOP_BENCH_H
#define WEBSENTRY_TESTS_PROBE_LOOP_BENCH_H

#include <uv.h>

#include "peer.h"
#include "probe/check_env.h"
#include "probe/loop_lag.h"
#include "probe/poller.h"

struct check_run;

struct loop_bench {
	struct peer *peer;
	uv_loop_t loop;
	uv_prepare_t turn;
	struct loop_lag lag;
	struct check_env env;
};

/* on_turn is called once a turn; no name server is asked. Returns 0, or -1 where something is missing. */
int loop_bench_open(struct loop_bench *bench, const struct peer_behaviour *behaviours,
		    uv_prepare_cb on_turn,
		    void (*on_finished)(void *context, struct check_run *run),
		    poller_on_ended on_ended);

/* Let the loop end, whose runs are closed already; they are then destroyed before the rest. */
void loop_bench_close(struct loop_bench *bench);
/* Returns 0, or libuv's word for a loop that is still in use. */
int loop_bench_destroy(struct loop_bench *bench);

#endif
