/* Values in PostgreSQL's binary format, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rows.h"
#include "store/postgres_encode.h"
#include "store/store_columns.h"

static struct buffer out;

static int setup(void **state)
{
	(void)state;
	buffer_init(&out, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buffer_finish(&out);
	return 0;
}

#define ASSERT_BYTES(text)                                                                         \
	do {                                                                                       \
		assert_int_equal(out.length, sizeof(text) - 1);                                    \
		assert_memory_equal(out.data, text, out.length);                                   \
	} while (0)

static void numbers_are_big_endian(void **state)
{
	(void)state;
	encode_int8(&out, 1);
	encode_int8(&out, INT64_MIN);
	encode_int4(&out, -2);
	ASSERT_BYTES("\0\0\0\10\0\0\0\0\0\0\0\1"
		     "\0\0\0\10\200\0\0\0\0\0\0\0"
		     "\0\0\0\4\377\377\377\376");
}

static void absent_is_minus_one_and_empty_is_zero(void **state)
{
	(void)state;
	encode_null(&out);
	encode_bytes(&out, NULL, 0);
	encode_jsonb(&out, NULL, 0);
	encode_bytes(&out, "", 0);
	encode_bytes(&out, "ab", 2);
	encode_jsonb(&out, "{}", 2);
	ASSERT_BYTES("\377\377\377\377"
		     "\377\377\377\377"
		     "\377\377\377\377"
		     "\0\0\0\0"
		     "\0\0\0\2ab"
		     "\0\0\0\3\1{}");
}

static void times_count_from_2000(void **state)
{
	(void)state;
	encode_time(&out, POSTGRES_EPOCH_US);
	encode_time(&out, POSTGRES_EPOCH_US - 1);
	encode_time(&out, INT64_MIN); /* refused by the database, and not -infinity */
	ASSERT_BYTES("\0\0\0\10\0\0\0\0\0\0\0\0"
		     "\0\0\0\10\377\377\377\377\377\377\377\377"
		     "\0\0\0\10\200\0\0\0\0\0\0\1");
}

static void arrays_have_one_dimension_or_none(void **state)
{
	(void)state;
	encode_array_start(&out, TYPE_INT8, 2);
	ASSERT_BYTES("\0\0\0\1\0\0\0\1\0\0\0\24\0\0\0\2\0\0\0\1");
	buffer_clear(&out);
	encode_array_start(&out, TYPE_TEXT, 0);
	ASSERT_BYTES("\0\0\0\0\0\0\0\1\0\0\0\31");
}

static void copy_rows_have_every_column(void **state)
{
	(void)state;
	struct plan_row planned = {.ids = {.site_id = 5, .setup_id = 6}};
	struct report_row row = rows_make_full(7, ROWS_NOON);
	planned.row = &row;
	encode_copy_start(&out);
	assert_memory_equal(out.data, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
	assert_int_equal(out.length, 19);
	encode_report(&out, &planned);
	encode_copy_end(&out);
	/* Walk it: a count of fields, then that many lengths with their bytes, then -1. */
	const unsigned char *at = (const unsigned char *)out.data + 19;
	assert_int_equal(at[0] << 8 | at[1], REPORT_COLUMN_COUNT);
	at += 2;
	for (int i = 0; i < REPORT_COLUMN_COUNT; i++) {
		uint32_t length = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
				  (uint32_t)at[2] << 8 | at[3];
		assert_int_not_equal(length, UINT32_MAX); /* the full report has every field */
		at += 4 + length;
	}
	assert_int_equal(at[0], 255);
	assert_int_equal(at[1], 255);
	assert_int_equal(at + 2 - (const unsigned char *)out.data, out.length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_are_big_endian, setup, teardown),
		cmocka_unit_test_setup_teardown(absent_is_minus_one_and_empty_is_zero, setup,
						teardown),
		cmocka_unit_test_setup_teardown(times_count_from_2000, setup, teardown),
		cmocka_unit_test_setup_teardown(arrays_have_one_dimension_or_none, setup, teardown),
		cmocka_unit_test_setup_teardown(copy_rows_have_every_column, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
