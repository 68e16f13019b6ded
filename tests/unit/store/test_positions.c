/* What becomes of a partition's position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store_positions.h"

enum { STALE = -2 };

static void positions_follow(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t first, next, stored, claim; /* the batch's */
		int64_t known, latest;              /* the store's */
		int64_t wanted;
	} cases[] = {
		{"the first ever", 0, 10, -1, 0, -1, -1, 10},
		{"the next one", 10, 20, 10, 3, 10, 3, 20},
		{"again, after a COMMIT that had happened", 10, 20, 10, 3, 20, 3, 20},
		{"read again from Kafka's position", 3, 5, 10, 3, 10, 3, 5},
		{"the same again, after a COMMIT that had happened", 3, 5, 10, 3, 5, 3, 5},
		{"the same again, after a COMMIT that had happened, and grown", 3, 8, 10, 3, 5, 3,
		 8},
		{"read again, and put back to within what comes again", 3, 8, 10, 3, 4, 2, 8},
		{"read again, and put back to before that", 3, 8, 10, 3, 2, 2, STALE},
		{"put back", 10, 20, 10, 3, 7, 2, STALE},
		{"put back since this assignment", 10, 20, 10, 3, 7, 3, STALE},
		{"put back to nothing", 10, 20, 10, 3, -1, -1, STALE},
		{"another has read on", 10, 20, 10, 3, 50, 4, 50},
		{"another reads again", 10, 20, 10, 3, 7, 4, 7},
		{"another before any claim, ahead", 10, 20, -1, 0, 50, 0, 50},
		{"another before any claim, behind", 10, 20, -1, 0, 15, 0, 20},
		{"of no assignment, whatever is there", 1, 3, -1, STORE_NO_CLAIM, 17, 5, 3},
		{"of no assignment, ahead", 30, 40, 30, STORE_NO_CLAIM, 50, 5, 50},
		{"of no assignment, put back", 30, 40, 30, STORE_NO_CLAIM, 20, 0, STALE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct store_position position = {.first = cases[i].first,
							.next = cases[i].next,
							.stored = cases[i].stored,
							.claim = cases[i].claim};
		int64_t next = STALE;
		int status =
			store_position_follow(&position, cases[i].known, cases[i].latest, &next);
		if (next != cases[i].wanted || (status != 0) != (cases[i].wanted == STALE))
			fail_msg("%s: %lld", cases[i].name, (long long)next);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positions_follow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
