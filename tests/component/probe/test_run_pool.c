/* How check runs are used again, and given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <uv.h>

#include "probe/check_env.h"
#include "probe/check_run.h"
#include "probe/run_pool.h"

enum { RUNS = 3 * RUN_POOL_KEPT };

struct bench {
	uv_loop_t loop;
	struct check_env env;
	struct run_pool pool;
	struct check_run *taken[RUNS];
};

static struct bench bench;

static int set_up(void **state)
{
	(void)state;
	bench = (struct bench){0};
	(void)uv_loop_init(&bench.loop);
	bench.env = (struct check_env){.loop = &bench.loop, .user_agent = "test"};
	run_pool_init(&bench.pool, &bench.env, RUNS);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	run_pool_close(&bench.pool);
	(void)uv_run(&bench.loop, UV_RUN_DEFAULT);
	run_pool_finish(&bench.pool);
	return uv_loop_close(&bench.loop);
}

static void take(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bench.taken[i] = run_pool_take(&bench.pool);
		assert_non_null(bench.taken[i]);
	}
}

static void put(size_t count)
{
	for (size_t i = 0; i < count; i++)
		run_pool_put(&bench.pool, bench.taken[i]);
}

static void runs_are_bounded_and_used_again(void **state)
{
	(void)state;
	take(RUNS);
	assert_null(run_pool_take(&bench.pool));
	put(RUNS);
	take(RUNS);
	assert_int_equal(bench.pool.count, RUNS);
	put(RUNS);
}

static void what_a_rush_left_is_given_back(void **state)
{
	(void)state;
	take(RUNS);
	put(RUNS);
	/* all were in use since the last time */
	assert_int_equal(run_pool_shrink(&bench.pool), 0);
	/* a few are needed now and then */
	take(RUN_POOL_KEPT / 2);
	put(RUN_POOL_KEPT / 2);
	assert_int_equal(run_pool_shrink(&bench.pool), RUNS - RUN_POOL_KEPT / 2 - RUN_POOL_KEPT);
	(void)uv_run(&bench.loop, UV_RUN_DEFAULT);
	assert_int_equal(run_pool_shrink(&bench.pool), RUN_POOL_KEPT / 2);
	assert_int_equal(run_pool_shrink(&bench.pool), 0);
	assert_int_equal(bench.pool.count, RUN_POOL_KEPT);
	take(RUNS);
	assert_null(run_pool_take(&bench.pool));
	put(RUNS);
}

/* Connections that are kept take their descriptors from runs. */
static void what_others_have_is_not_for_runs(void **state)
{
	(void)state;
	size_t others = 3;
	run_pool_share(&bench.pool, 10, &others);
	take(7);
	assert_null(run_pool_take(&bench.pool));
	others = 2;
	bench.taken[7] = run_pool_take(&bench.pool);
	assert_non_null(bench.taken[7]);
	others = 5; /* those of runs that are not over yet */
	assert_null(run_pool_take(&bench.pool));
	put(8);
	take(5);
	assert_null(run_pool_take(&bench.pool));
	put(5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(runs_are_bounded_and_used_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_rush_left_is_given_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_others_have_is_not_for_runs, set_up,
						tear_down),
	};
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	int failed = cmocka_run_group_tests_name("probe run pool", tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
