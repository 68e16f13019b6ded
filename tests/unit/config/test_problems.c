#include "fixture.h"

#include <string.h>

static void text_is_made_safe(void **state)
{
	(void)state;
	struct problems problems;
	problems_init(&problems);
	problems_add(&problems, "a\nb", "found '%s'", "x\x1b[31m\r\ny\xff");
	assert_string_equal(problems.items[0].where, "a b");
	assert_string_equal(problems.items[0].what, "found 'x [31m  y\xEF\xBF\xBD'");
	problems_finish(&problems);
}

static void warnings_are_no_errors(void **state)
{
	(void)state;
	struct problems problems;
	problems_init(&problems);
	problems_warn(&problems, "a", "b");
	assert_int_equal(problems.count, 1);
	assert_int_equal(problems.error_count, 0);
	problems_finish(&problems);
}

static void an_error_takes_the_place_of_a_warning(void **state)
{
	(void)state;
	struct problems problems;
	problems_init(&problems);
	for (int i = 0; i < PROBLEMS_MAX; i++)
		problems_warn(&problems, "warning", "%d", i);
	assert_int_equal(problems.count, PROBLEMS_MAX);
	problems_add(&problems, "error", "here");
	assert_int_equal(problems.count, PROBLEMS_MAX + 1);
	assert_int_equal(problems.error_count, 1);
	assert_string_equal(problems.items[PROBLEMS_MAX - 1].where, "error");
	assert_string_equal(problems.items[PROBLEMS_MAX].what, "1 more problems are not shown");
	assert_true(problems.items[PROBLEMS_MAX].is_warning);
	problems_finish(&problems);
}

static void errors_beyond_the_bound_are_counted(void **state)
{
	(void)state;
	struct problems problems;
	problems_init(&problems);
	for (int i = 0; i < PROBLEMS_MAX + 3; i++)
		problems_add(&problems, "error", "%d", i);
	assert_int_equal(problems.error_count, PROBLEMS_MAX + 3);
	assert_int_equal(problems.count, PROBLEMS_MAX + 1);
	assert_string_equal(problems.items[PROBLEMS_MAX].what, "3 more problems are not shown");
	assert_false(problems.items[PROBLEMS_MAX].is_warning);
	problems_finish(&problems);
}

int main(void)
{
	FIXTURE_ADD(text_is_made_safe);
	FIXTURE_ADD(warnings_are_no_errors);
	FIXTURE_ADD(an_error_takes_the_place_of_a_warning);
	FIXTURE_ADD(errors_beyond_the_bound_are_counted);
	return fixture_run("problems");
}
