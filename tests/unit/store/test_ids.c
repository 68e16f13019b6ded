/* Ids are computed from what they name, and the cache knows which dimension rows the store has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rows.h"
#include "store/store_ids.h"

enum { MESSAGE_MAX = 1024 * 1024 }; /* what report_decode() reads */

static struct report_row report(const char *site)
{
	return rows_make(site, rows_producer(1), 0, ROWS_NOON, OUTCOME_UP);
}

static void id_is_the_first_63_bits_of_sha256(void **state)
{
	(void)state;
	/* printf Example | sha256sum: d029f87e3d80f8fd9b1be67c7426b4cc1ff47b4a9d0a8461c826a59d8c5eb6cd */
	assert_int_equal(store_id_of("Example", 7), (int64_t)(UINT64_C(0xd029f87e3d80f8fd) >> 1));
	assert_int_equal(store_id_of("", 0), (int64_t)(UINT64_C(0xe3b0c44298fc1c14) >> 1));
}

static void same_setup_has_the_same_id_in_every_cache(void **state)
{
	(void)state;
	struct store_ids *one = store_ids_create();
	struct store_ids *other = store_ids_create();
	struct report_row row = rows_make_full(1, ROWS_NOON);
	enum store_ids_found found;
	struct setup_ids a = store_ids_find(one, &row, &found);
	struct setup_ids b = store_ids_find(other, &row, &found);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(a.site_id, store_id_of(row.site.bytes, row.site.length));
	assert_int_equal(a.location_id, store_id_of("eu-1", 4));
	store_ids_destroy(one);
	store_ids_destroy(other);
}

static void every_field_of_a_setup_counts(void **state)
{
	(void)state;
	struct report_row rows[12];
	for (size_t i = 0; i < 12; i++)
		rows[i] = report("a");
	const struct row_text text = {.bytes = "other", .length = 5};
	const struct row_text empty = {.bytes = "", .length = 0};
	rows[1].site = text;
	rows[2].location = text;
	rows[3].kind = text;
	rows[4].url = text;
	rows[5].host = text;
	rows[6].labels = text;
	rows[7].interval_us.value++;
	rows[8].timeout_us.value++;
	rows[9].pattern = text;
	rows[10].pattern = empty; /* is not the same as absent */
	rows[11].v.value = 2;
	struct store_ids *ids = store_ids_create();
	int64_t seen[12];
	for (size_t i = 0; i < 12; i++) {
		enum store_ids_found found;
		seen[i] = store_ids_find(ids, &rows[i], &found).setup_id;
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(seen[i], seen[j]);
	}
	store_ids_destroy(ids);
}

static void what_changes_from_check_to_check_is_no_part_of_the_setup(void **state)
{
	(void)state;
	struct report_row a = rows_make("a", rows_producer(1), 1, ROWS_NOON, OUTCOME_UP);
	struct report_row b = rows_make("a", rows_producer(2), 9, ROWS_NOON + 7, OUTCOME_DOWN);
	struct store_ids *ids = store_ids_create();
	enum store_ids_found found;
	int64_t setup_id = store_ids_find(ids, &a, &found).setup_id;
	assert_int_equal(store_ids_find(ids, &b, &found).setup_id, setup_id);
	store_ids_destroy(ids);
}

static void stored_is_known_after_a_mark_and_not_after_a_forget(void **state)
{
	(void)state;
	struct store_ids *ids = store_ids_create();
	struct report_row a = report("a");
	struct report_row b = report("b");
	enum store_ids_found found;
	for (int i = 0; i < 3; i++) { /* asked again before the mark: still not stored */
		(void)store_ids_find(ids, &a, &found);
		assert_int_equal(found, i == 0 ? STORE_IDS_FIRST : STORE_IDS_AGAIN);
	}
	store_ids_mark_stored(ids);
	(void)store_ids_find(ids, &a, &found);
	assert_int_equal(found, STORE_IDS_STORED);
	(void)store_ids_find(ids, &b, &found);
	assert_int_not_equal(found, STORE_IDS_STORED);
	store_ids_mark_stored(ids);
	(void)store_ids_find(ids, &b, &found);
	assert_int_equal(found, STORE_IDS_STORED);
	store_ids_forget(ids);
	(void)store_ids_find(ids, &a, &found);
	assert_int_not_equal(found, STORE_IDS_STORED);
	store_ids_mark_stored(ids);
	(void)store_ids_find(ids, &b, &found);
	assert_int_not_equal(found, STORE_IDS_STORED);
	store_ids_destroy(ids);
}

static void what_a_failed_attempt_found_is_not_marked(void **state)
{
	(void)state;
	struct store_ids *ids = store_ids_create();
	struct report_row a = report("a");
	struct report_row b = report("b");
	enum store_ids_found found;
	store_ids_begin(ids);
	(void)store_ids_find(ids, &a, &found);
	(void)store_ids_find(ids, &b, &found);
	store_ids_begin(ids); /* that attempt failed; the next leaves b out */
	(void)store_ids_find(ids, &a, &found);
	assert_int_not_equal(found, STORE_IDS_STORED);
	store_ids_mark_stored(ids);
	(void)store_ids_find(ids, &a, &found);
	assert_int_equal(found, STORE_IDS_STORED);
	(void)store_ids_find(ids, &b, &found);
	assert_int_not_equal(found, STORE_IDS_STORED);
	store_ids_destroy(ids);
}

static void a_new_producer_of_a_known_setup_is_not_stored(void **state)
{
	(void)state;
	struct store_ids *ids = store_ids_create();
	struct report_row a = report("a");
	enum store_ids_found found;
	(void)store_ids_find(ids, &a, &found);
	store_ids_mark_stored(ids);
	a.producer_id.value = rows_producer(2);
	(void)store_ids_find(ids, &a, &found);
	assert_int_not_equal(found, STORE_IDS_STORED);
	store_ids_mark_stored(ids);
	a.has_prev = true; /* the first report says what came before it: to be written, once */
	(void)store_ids_find(ids, &a, &found);
	assert_int_not_equal(found, STORE_IDS_STORED);
	store_ids_mark_stored(ids);
	(void)store_ids_find(ids, &a, &found);
	assert_int_equal(found, STORE_IDS_STORED);
	store_ids_destroy(ids);
}

static void many_setups_keep_their_ids(void **state)
{
	(void)state;
	enum { COUNT = 20000 };
	struct store_ids *ids = store_ids_create();
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < COUNT; i++) {
			char name[32];
			(void)snprintf(name, sizeof(name), "site %d", i);
			struct report_row row = report(name);
			enum store_ids_found found;
			struct setup_ids made = store_ids_find(ids, &row, &found);
			assert_int_equal(made.site_id, store_id_of(name, strlen(name)));
			assert_int_equal(found, round ? STORE_IDS_STORED : STORE_IDS_FIRST);
		}
		store_ids_mark_stored(ids);
	}
	store_ids_destroy(ids);
}

/* A foreign producer may write one: it must not stop the consumer. */
static void a_setup_may_be_as_large_as_a_message(void **state)
{
	(void)state;
	struct report_row row = report("a");
	char *pattern = xmalloc(MESSAGE_MAX);
	memset(pattern, 'x', MESSAGE_MAX);
	row.pattern = (struct row_text){.bytes = pattern, .length = MESSAGE_MAX};
	struct store_ids *ids = store_ids_create();
	enum store_ids_found found;
	int64_t setup_id = store_ids_find(ids, &row, &found).setup_id;
	pattern[MESSAGE_MAX - 1] = 'y';
	assert_int_not_equal(store_ids_find(ids, &row, &found).setup_id, setup_id);
	store_ids_destroy(ids);
	free(pattern);
}

/* Whether the set-up before them is still known once so many of this size were found. */
static bool is_known_behind(size_t count, size_t size)
{
	struct report_row row = report("a");
	struct report_row first = report("b");
	char *pattern = xmalloc(size);
	memset(pattern, 'x', size);
	row.pattern = (struct row_text){.bytes = pattern, .length = size};
	struct store_ids *ids = store_ids_create();
	enum store_ids_found found;
	(void)store_ids_find(ids, &first, &found);
	store_ids_mark_stored(ids);
	for (size_t i = 0; i < count; i++) {
		memcpy(pattern, &i, sizeof(i));
		(void)store_ids_find(ids, &row, &found);
	}
	(void)store_ids_find(ids, &first, &found);
	store_ids_destroy(ids);
	free(pattern);
	return found == STORE_IDS_STORED;
}

static void what_the_cache_holds_is_bounded_in_bytes(void **state)
{
	(void)state;
	assert_true(is_known_behind(64, MESSAGE_MAX));
	assert_false(is_known_behind(160, MESSAGE_MAX));
}

static void messages_are_told_apart_by_place_and_bytes(void **state)
{
	(void)state;
	struct store_origin here = {.topic = "t", .partition = 1, .offset = 2};
	struct store_origin next = {.topic = "t", .partition = 1, .offset = 3};
	struct store_origin nowhere = {.topic = NULL};
	int64_t id = store_id_of_message(&here, "abc", 3);
	assert_int_equal(store_id_of_message(&here, "abc", 3), id);
	assert_int_not_equal(store_id_of_message(&next, "abc", 3), id);
	assert_int_not_equal(store_id_of_message(&here, "abd", 3), id);
	assert_int_not_equal(store_id_of_message(&nowhere, "abc", 3), id);
	assert_int_not_equal(store_id_of_message(&here, NULL, 0),
			     store_id_of_message(&here, "", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(id_is_the_first_63_bits_of_sha256),
		cmocka_unit_test(same_setup_has_the_same_id_in_every_cache),
		cmocka_unit_test(every_field_of_a_setup_counts),
		cmocka_unit_test(what_changes_from_check_to_check_is_no_part_of_the_setup),
		cmocka_unit_test(stored_is_known_after_a_mark_and_not_after_a_forget),
		cmocka_unit_test(what_a_failed_attempt_found_is_not_marked),
		cmocka_unit_test(a_new_producer_of_a_known_setup_is_not_stored),
		cmocka_unit_test(many_setups_keep_their_ids),
		cmocka_unit_test(a_setup_may_be_as_large_as_a_message),
		cmocka_unit_test(what_the_cache_holds_is_bounded_in_bytes),
		cmocka_unit_test(messages_are_told_apart_by_place_and_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
