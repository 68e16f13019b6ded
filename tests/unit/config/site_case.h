/* A sites file and what comes of it: rows of tables for fixture_add_rows(). */
#ifndef WEBSENTRY_TESTS_CONFIG_SITE_CASE_H
#define WEBSENTRY_TESTS_CONFIG_SITE_CASE_H

#include "fixture.h"

struct site_case {
	const char *name;
	struct fixture_input input;
	const char *sites; /* a line a site: what is not as by default */
	const char *lines; /* warnings; NULL: none */
};

#define FILE_OF(text)                                                                              \
	{                                                                                          \
		.args = {"run", "s.yaml"}, .files = { {"s.yaml", text} }                           \
	}

/* The test of one row. */
void site_case_check(void **state);

#endif
