#include "probe/loop_lag.h"

#include <stdbool.h>

/* A shorter hold-up is everyday scheduling. */
enum { HOLD_UP_US = 50 * CLOCK_US_PER_MS };

static void note(struct loop_lag *lag, int64_t us)
{
	if (us > HOLD_UP_US)
		lag->lost_us += us;
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct loop_lag *lag = prepare->data;
	lag->slept_at = clock_mono_us();
	if (lag->woke_at != 0)
		note(lag, lag->slept_at - lag->woke_at);
	int timeout_ms = uv_backend_timeout(prepare->loop);
	lag->sleep_max_us = timeout_ms < 0 ? -1 : (int64_t)timeout_ms * CLOCK_US_PER_MS;
}

static void on_check(uv_check_t *check)
{
	struct loop_lag *lag = check->data;
	lag->woke_at = clock_mono_us();
	/* Callbacks for sockets ran since the sleep ended: they are in here too. */
	if (lag->sleep_max_us >= 0)
		note(lag, lag->woke_at - lag->slept_at - lag->sleep_max_us);
}

void loop_lag_init(struct loop_lag *lag, uv_loop_t *loop)
{
	*lag = (struct loop_lag){.sleep_max_us = -1};
	(void)uv_prepare_init(loop, &lag->prepare);
	(void)uv_check_init(loop, &lag->check);
	lag->prepare.data = lag;
	lag->check.data = lag;
	(void)uv_prepare_start(&lag->prepare, on_prepare);
	(void)uv_check_start(&lag->check, on_check);
}

void loop_lag_close(struct loop_lag *lag)
{
	uv_close((uv_handle_t *)&lag->prepare, NULL);
	uv_close((uv_handle_t *)&lag->check, NULL);
}
