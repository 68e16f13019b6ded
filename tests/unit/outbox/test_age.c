/* How old rows are is remembered within a second while few wait, and within a small part of the whole time however many do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "outbox/outbox_age.h"

static const wall_us start = INT64_C(1700000000) * CLOCK_US_PER_S;

/* A row every 100 ms, its id counting up from 1. */
static wall_us made_at(int64_t id)
{
	return start + (id - 1) * 100 * CLOCK_US_PER_MS;
}

static void fill(struct outbox_age *age, int64_t rows)
{
	outbox_age_init(age);
	for (int64_t id = 1; id <= rows; id++)
		outbox_age_note(age, id, made_at(id));
}

static void nothing_is_known_without_rows(void **state)
{
	(void)state;
	struct outbox_age age;
	outbox_age_init(&age);
	assert_int_equal(outbox_age_of(&age, 1), 0);
	outbox_age_note(&age, 10, start);
	assert_int_equal(outbox_age_of(&age, 9), 0);
	assert_int_equal(outbox_age_of(&age, 10), start);
	assert_int_equal(outbox_age_of(&age, 1000), start);
}

static void a_row_is_never_younger_than_told_and_at_most_a_second_older(void **state)
{
	(void)state;
	struct outbox_age age;
	fill(&age, 600);
	for (int64_t id = 1; id <= 600; id++) {
		wall_us told = outbox_age_of(&age, id);
		assert_true(told <= made_at(id) && made_at(id) - told <= CLOCK_US_PER_S);
	}
}

static void a_day_of_rows_needs_no_more_marks(void **state)
{
	(void)state;
	struct outbox_age age;
	const int64_t rows = 24 * 3600 * 10;
	fill(&age, rows);
	assert_true(age.count <= OUTBOX_AGE_MARKS);
	const wall_us now = made_at(rows);
	for (int64_t id = 1; id <= rows; id += 997) {
		wall_us told = outbox_age_of(&age, id);
		assert_true(told <= made_at(id));
		assert_true(made_at(id) - told <= (now - start) / 32);
	}
}

static void a_clock_that_jumps_back_makes_a_mark(void **state)
{
	(void)state;
	struct outbox_age age;
	outbox_age_init(&age);
	outbox_age_note(&age, 1, start);
	outbox_age_note(&age, 2, start - 3600 * CLOCK_US_PER_S);
	assert_int_equal(outbox_age_of(&age, 2), start - 3600 * CLOCK_US_PER_S);
}

static void marks_are_fine_again_once_a_backlog_is_gone(void **state)
{
	(void)state;
	struct outbox_age age;
	fill(&age, 100000);
	(void)outbox_age_of(&age, 100001);
	outbox_age_note(&age, 100001, made_at(100001) + CLOCK_US_PER_S);
	outbox_age_note(&age, 100050, made_at(100050));
	assert_int_equal(outbox_age_of(&age, 100050), made_at(100050));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_without_rows),
		cmocka_unit_test(a_row_is_never_younger_than_told_and_at_most_a_second_older),
		cmocka_unit_test(a_day_of_rows_needs_no_more_marks),
		cmocka_unit_test(a_clock_that_jumps_back_makes_a_mark),
		cmocka_unit_test(marks_are_fine_again_once_a_backlog_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
