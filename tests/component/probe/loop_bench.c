#include "loop_bench.h"

#include "base/error.h"

int loop_bench_open(struct loop_bench *bench, const struct peer_behaviour *behaviours,
		    uv_prepare_cb on_turn,
		    void (*on_finished)(void *context, struct check_run *run),
		    poller_on_ended on_ended)
{
	struct error err;
	bench->peer = peer_start(NULL, behaviours);
	if (bench->peer == NULL || check_env_prepare(&err) != 0)
		return -1;
	(void)uv_loop_init(&bench->loop);
	(void)uv_prepare_init(&bench->loop, &bench->turn);
	(void)uv_prepare_start(&bench->turn, on_turn);
	loop_lag_init(&bench->lag, &bench->loop);
	bench->env = (struct check_env){.loop = &bench->loop,
					.lag = &bench->lag,
					.user_agent = "test",
					.on_finished = on_finished};
	return check_env_create(&bench->env, on_ended, "127.0.0.1:9", &err);
}

void loop_bench_close(struct loop_bench *bench)
{
	uv_close((uv_handle_t *)&bench->turn, NULL);
	loop_lag_close(&bench->lag);
	check_env_close(&bench->env);
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
}

int loop_bench_destroy(struct loop_bench *bench)
{
	check_env_destroy(&bench->env);
	peer_stop(bench->peer);
	return uv_loop_close(&bench->loop);
}
