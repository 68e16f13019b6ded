/* A plan is sorted by the primary key, has each report once, and makes of its new rows the state of each site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"
#include "store/store_plan.h"

static struct rows rows;
static struct store_ids *ids;
static struct store_plan plan;

static int setup(void **state)
{
	(void)state;
	ids = store_ids_create();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_plan_finish(&plan);
	store_ids_destroy(ids);
	rows_finish(&rows);
	return 0;
}

static void make(const bool *is_left_out)
{
	struct store_batch batch = rows_batch(&rows);
	store_plan_finish(&plan);
	store_plan_make(&plan, &batch, is_left_out, ids);
}

static void rows_come_in_the_order_of_the_key(void **state)
{
	(void)state;
	srand(7);
	for (int i = 0; i < 500; i++)
		rows_add(&rows, rows_make(i % 3 ? "a" : "b", rows_producer(rand() % 3), rand() % 50,
					  ROWS_NOON + rand() % 4, OUTCOME_UP));
	make(NULL);
	assert_int_equal(plan.row_count + plan.duplicates, 500);
	for (size_t i = 1; i < plan.row_count; i++) {
		const struct plan_row *a = &plan.rows[i - 1];
		const struct plan_row *b = &plan.rows[i];
		int order = (a->ids.site_id > b->ids.site_id) - (a->ids.site_id < b->ids.site_id);
		if (order == 0)
			order = (a->row->started_at.value > b->row->started_at.value) -
				(a->row->started_at.value < b->row->started_at.value);
		if (order == 0)
			order = memcmp(&a->row->producer_id, &b->row->producer_id,
				       sizeof(struct uuid));
		if (order == 0)
			order = a->row->seq.value < b->row->seq.value ? -1 : 1;
		assert_true(order < 0);
	}
}

static void of_doubles_the_first_is_kept(void **state)
{
	(void)state;
	rows_add(&rows, rows_make("a", rows_producer(1), 1, ROWS_NOON, OUTCOME_UP));
	rows_add(&rows, rows_make("a", rows_producer(1), 1, ROWS_NOON, OUTCOME_DOWN));
	rows_add(&rows, rows_make("a", rows_producer(1), 1, ROWS_NOON, OUTCOME_UNKNOWN));
	make(NULL);
	assert_int_equal(plan.row_count, 1);
	assert_int_equal(plan.duplicates, 2);
	assert_int_equal(plan.rows[0].row->outcome.value, OUTCOME_UP);
}

static size_t bringing(void)
{
	size_t count = 0;
	for (size_t i = 0; i < plan.row_count; i++)
		count += plan.rows[i].brings_dimensions ? 1 : 0;
	return count;
}

static void dimensions_are_brought_once(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++)
		rows_add(&rows, rows_make(i % 2 ? "a" : "b", rows_producer(1), i, ROWS_NOON - i,
					  OUTCOME_UP));
	make(NULL);
	assert_int_equal(bringing(), 2);
	for (size_t i = 0; i < plan.row_count; i++)
		assert_true(plan.rows[i].needs_dimensions);
	store_plan_bring_all(&plan);
	assert_int_equal(bringing(), 40);
	make(NULL); /* an attempt that failed: once more */
	assert_int_equal(bringing(), 2);
	store_ids_mark_stored(ids);
	make(NULL);
	assert_int_equal(bringing(), 0);
}

/* The second one is left out; what it would have brought, the third one needs. */
static void a_double_with_another_setup_takes_no_dimensions_away(void **state)
{
	(void)state;
	struct report_row other = rows_make("a", rows_producer(1), 1, ROWS_NOON, OUTCOME_UP);
	struct report_row later = rows_make("a", rows_producer(1), 2, ROWS_NOON + 1, OUTCOME_UP);
	other.interval_us.value++;
	later.interval_us.value++;
	rows_add(&rows, rows_make("a", rows_producer(1), 1, ROWS_NOON, OUTCOME_UP));
	rows_add(&rows, other);
	rows_add(&rows, later);
	make(NULL);
	assert_int_equal(plan.row_count, 2);
	assert_true(plan.rows[0].brings_dimensions);
	assert_true(plan.rows[1].brings_dimensions);
}

static void left_out_rows_are_not_planned(void **state)
{
	(void)state;
	const bool is_left_out[] = {false, true, false};
	for (int i = 0; i < 3; i++)
		rows_add(&rows, rows_make("a", rows_producer(1), i, ROWS_NOON + i, OUTCOME_UP));
	make(is_left_out);
	assert_int_equal(plan.row_count, 2);
	assert_int_equal(plan.rows[1].row->seq.value, 2);
}

static void rows_are_found_by_their_key(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		rows_add(&rows,
			 rows_make("a", rows_producer(i % 2), i, ROWS_NOON + i / 10, OUTCOME_UP));
	make(NULL);
	int64_t site_id = store_id_of("a", 1);
	for (int i = 0; i < 100; i++) {
		struct uuid producer_id = rows_producer(i % 2);
		struct plan_row *found =
			store_plan_find(&plan, site_id, ROWS_NOON + i / 10, &producer_id, i);
		assert_non_null(found);
		assert_int_equal(found->row->seq.value, i);
		assert_null(
			store_plan_find(&plan, site_id, ROWS_NOON + i / 10, &producer_id, i + 1));
	}
	struct uuid stranger = rows_producer(9);
	assert_null(store_plan_find(&plan, site_id + 1, ROWS_NOON, &stranger, 0));
}

static void states_count_inserted_rows_alone(void **state)
{
	(void)state;
	const enum outcome outcomes[] = {OUTCOME_UP, OUTCOME_DOWN, OUTCOME_DEGRADED,
					 OUTCOME_UNKNOWN};
	for (int i = 0; i < 4; i++)
		rows_add(&rows, rows_make("a", rows_producer(1), i, ROWS_NOON + i, outcomes[i]));
	rows_add(&rows, rows_make("b", rows_producer(1), 9, ROWS_NOON, OUTCOME_UP));
	make(NULL);
	store_plan_states(&plan);
	assert_int_equal(plan.state_count, 0);
	for (size_t i = 0; i < plan.row_count; i++) {
		const struct report_row *row = plan.rows[i].row;
		plan.rows[i].is_inserted = row->seq.value != 1 && row->seq.value != 9;
	}
	store_plan_states(&plan);
	assert_int_equal(plan.state_count, 1);
	assert_string_equal(plan.states[0].strip, "UG?");
	assert_int_equal(plan.states[0].first_at, ROWS_NOON);
	assert_int_equal(plan.states[0].latest->row->seq.value, 3);
	assert_ptr_equal(store_plan_find_state(&plan, store_id_of("a", 1)), &plan.states[0]);
	assert_null(store_plan_find_state(&plan, store_id_of("b", 1)));
}

/* Four reports of a round, in two batches or in one, are one check of their site. */
static void of_a_round_the_speaker_makes_the_state(void **state)
{
	(void)state;
	static const char speaker[] = "{\"outcome\":\"down\"}";
	rows_add(&rows, rows_make("a", rows_producer(1), 1, ROWS_NOON, OUTCOME_UP));
	for (int i = 0; i < 4; i++)
		rows_add(&rows, rows_make_round("a", 2 + i, ROWS_NOON + 1, i == 2 ? speaker : "{}",
						OUTCOME_DOWN));
	rows_add(&rows, rows_make_round("b", 9, ROWS_NOON, "{}", OUTCOME_UP));
	make(NULL);
	for (size_t i = 0; i < plan.row_count; i++)
		plan.rows[i].is_inserted = true;
	store_plan_states(&plan);
	assert_int_equal(plan.state_count, 1);
	assert_string_equal(plan.states[0].strip, "UD");
	assert_int_equal(plan.states[0].latest->row->seq.value, 4);
}

static void a_strip_holds_the_last_fifty(void **state)
{
	(void)state;
	for (int i = 0; i < 120; i++)
		rows_add(&rows, rows_make("a", rows_producer(1), i, ROWS_NOON + i,
					  i == 70 ? OUTCOME_DOWN : OUTCOME_UP));
	make(NULL);
	for (size_t i = 0; i < plan.row_count; i++)
		plan.rows[i].is_inserted = true;
	store_plan_states(&plan);
	assert_int_equal(strlen(plan.states[0].strip), STORE_STRIP_LENGTH);
	assert_int_equal(plan.states[0].strip[0], 'D');
	assert_int_equal(plan.states[0].strip[1], 'U');
}

static void an_empty_batch_is_an_empty_plan(void **state)
{
	(void)state;
	make(NULL);
	store_plan_states(&plan);
	assert_int_equal(plan.row_count, 0);
	assert_int_equal(plan.state_count, 0);
	assert_null(store_plan_find(&plan, 1, 1, &(struct uuid){{0}}, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_come_in_the_order_of_the_key, setup, teardown),
		cmocka_unit_test_setup_teardown(of_doubles_the_first_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(dimensions_are_brought_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_double_with_another_setup_takes_no_dimensions_away, setup, teardown),
		cmocka_unit_test_setup_teardown(left_out_rows_are_not_planned, setup, teardown),
		cmocka_unit_test_setup_teardown(rows_are_found_by_their_key, setup, teardown),
		cmocka_unit_test_setup_teardown(states_count_inserted_rows_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(of_a_round_the_speaker_makes_the_state, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_strip_holds_the_last_fifty, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_batch_is_an_empty_plan, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
