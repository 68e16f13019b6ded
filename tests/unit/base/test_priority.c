#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/resource.h>

#include "base/priority.h"

enum { NICE_MAX = 19 };

struct seen {
	int before;
	int after;
	int again;
};

static void *give_way_twice(void *context)
{
	struct seen *seen = context;
	seen->before = getpriority(PRIO_PROCESS, 0);
	priority_give_way();
	seen->after = getpriority(PRIO_PROCESS, 0);
	priority_give_way();
	seen->again = getpriority(PRIO_PROCESS, 0);
	return NULL;
}

static void only_the_calling_thread_gives_way(void **state)
{
	(void)state;
	int own = getpriority(PRIO_PROCESS, 0);
	int below = own + 5 < NICE_MAX ? own + 5 : NICE_MAX; /* the tests themselves may be nice */
	struct seen seen = {0};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, give_way_twice, &seen), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(seen.before, own);
	assert_int_equal(seen.after, below);
	assert_int_equal(seen.again, seen.after);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_calling_thread_gives_way),
	};
	return cmocka_run_group_tests_name("priority", tests, NULL, NULL);
}
