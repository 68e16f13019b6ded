/* Which relations are ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "store/store_driver.h"

static void marks_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *comment;
		int version;
	} cases[] = {
		{"What is watched. [websentry 1]", 1},
		{"[websentry 12] What is watched", 12},
		{"CREATE TABLE site ( -- [websentry 7] x\n\tid", 7},
		{NULL, -1},
		{"", -1},
		{"What is watched", -1},
		{"[websentry]", -1},
		{"[websentry ]", -1},
		{"[websentry 0]", -1},
		{"[websentry -3]", -1},
		{"[websentry 1x]", -1},
		{"[websentry 99999999999999999999]", -1},
		{"[Websentry 1]", -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(store_mark_version(cases[i].comment), cases[i].version);
}

/* Every relation is made with a mark, in both schemas. */
static void each_relation_is_marked(void **state)
{
	(void)state;
	for (size_t i = 0; store_relations[i] != NULL; i++) {
		char comment[2][128];
		(void)snprintf(comment[0], sizeof(comment[0]), "COMMENT ON TABLE %s IS '",
			       store_relations[i]);
		(void)snprintf(comment[1], sizeof(comment[1]), "COMMENT ON VIEW %s IS '",
			       store_relations[i]);
		int found = 0;
		for (const char *const *file = store_schema_postgres(); *file != NULL; file++)
			for (int j = 0; j < 2; j++) {
				const char *at = strstr(*file, comment[j]);
				if (at != NULL && store_mark_version(at) <= STORE_SCHEMA_VERSION &&
				    strstr(at, "[websentry ") < strstr(at, "';"))
					found++;
			}
		assert_int_equal(found, 1);
		char create[2][128];
		(void)snprintf(create[0], sizeof(create[0]),
			       "CREATE TABLE IF NOT EXISTS %s ( -- [websentry ",
			       store_relations[i]);
		(void)snprintf(create[1], sizeof(create[1]), "CREATE VIEW %s AS -- [websentry ",
			       store_relations[i]);
		found = 0;
		for (const char *const *file = store_schema_sqlite(); *file != NULL; file++)
			for (int j = 0; j < 2; j++)
				found += strstr(*file, create[j]) != NULL;
		assert_int_equal(found, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_are_read),
		cmocka_unit_test(each_relation_is_marked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
