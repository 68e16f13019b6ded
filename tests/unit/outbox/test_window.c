/* The rows between the file and the drain: what is read a second time is known again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outbox/outbox_window.h"

static struct outbox_window window;

static int setup(void **state)
{
	(void)state;
	outbox_window_init(&window);
	for (int64_t id = 3; id <= 6; id++)
		outbox_window_add(&window, id, 100);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	outbox_window_finish(&window);
	return 0;
}

static void assert_past(int64_t last_id)
{
	for (int64_t id = 1; id <= 7; id++)
		assert_int_equal(outbox_window_is_past(&window, id), id <= last_id);
}

static void acknowledged_rows_are_deleted_in_ranges(void **state)
{
	(void)state;
	struct outbox_window_range range;
	size_t cursor = 0;
	assert_true(outbox_window_acknowledge(&window, 4));
	assert_false(outbox_window_acknowledge(&window, 4));
	assert_true(outbox_window_acknowledge(&window, 5));
	assert_true(outbox_window_next_range(&window, &cursor, &range));
	assert_int_equal(range.first_id, 4);
	assert_int_equal(range.last_id, 5);
	assert_int_equal(range.bytes, 200);
	assert_false(outbox_window_next_range(&window, &cursor, &range));
	outbox_window_forget_acknowledged(&window);
	assert_int_equal(outbox_window_rows(&window), 2);
	assert_int_equal(outbox_window_oldest(&window), 3);
	assert_past(0);
}

/* Row 4 has arrived, 3 turns out to be damaged when it is read once more: both leave the window, and 4 is read again behind it. */
static void a_row_that_left_the_window_is_known_to_be_gone(void **state)
{
	(void)state;
	assert_true(outbox_window_acknowledge(&window, 4));
	outbox_window_forget_acknowledged(&window);
	assert_int_equal(outbox_window_rewind(&window, 6), 2);
	outbox_window_drop(&window, 3);
	assert_null(outbox_window_find(&window, 4));
	assert_past(4);
	assert_int_equal(outbox_window_rewind(&window, 6), 4);
	outbox_window_drop_range(&window, 5, INT64_MAX);
	assert_int_equal(window.count, 0);
	assert_past(6);
}

static void another_file_may_have_rows_with_lower_ids(void **state)
{
	(void)state;
	outbox_window_drop_range(&window, 1, 5);
	assert_past(5);
	outbox_window_begin_after(&window, 6);
	assert_past(5);
	outbox_window_begin_after(&window, 2);
	assert_past(2);
	outbox_window_begin_after(&window, 0);
	assert_past(0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(acknowledged_rows_are_deleted_in_ranges),
		CASE(a_row_that_left_the_window_is_known_to_be_gone),
		CASE(another_file_may_have_rows_with_lower_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
