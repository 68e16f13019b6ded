/* Settings and sites read as the program reads them, in a folder of the test's own. */
#ifndef WEBSENTRY_TESTS_CONFIG_FIXTURE_H
#define WEBSENTRY_TESTS_CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/site.h"
#include "config/problems.h"
#include "config/settings.h"

enum { FIXTURE_WORDS_MAX = 24, FIXTURE_FILES_MAX = 4 };

struct fixture_file {
	const char *name;
	const char *text;
};

struct fixture_input {
	const char *args[FIXTURE_WORDS_MAX]; /* without the program's name */
	const char *environment
		[FIXTURE_WORDS_MAX]; /* "NAME=value"; HOME is the test's folder unless given */
	struct fixture_file files[FIXTURE_FILES_MAX];
	struct fixture_file links[FIXTURE_FILES_MAX]; /* symbolic, text is where they point */
	size_t length; /* of the first file, where its text holds NULs; 0: strlen(text) */
};

struct fixture {
	struct settings settings;
	struct site_list sites;
	struct problems problems;
	char *lines; /* "where: what\n" of each error, "warning where: what\n" of each warning */
	char *effective; /* what config print says */
};

void fixture_read(struct fixture *fixture, const struct fixture_input *input);
void fixture_finish(struct fixture *fixture);

/* The folder that the tests run in. */
const char *fixture_folder(void);

/* Fails, showing text, unless line is one of its lines. */
void fixture_expect_line(const char *text, const char *line);

/*
 * One group of tests a program (TAP has one plan): each row of a table is a test of its own, named by the row's first
 * member, a const char *, and finds the row in *state.
 */
void fixture_add(const char *name, CMUnitTestFunction function);
void fixture_add_rows(const void *rows, size_t row_size, size_t count, CMUnitTestFunction function);
#define FIXTURE_ADD_TABLE(rows, function)                                                          \
	fixture_add_rows(rows, sizeof((rows)[0]), sizeof(rows) / sizeof((rows)[0]), function)
#define FIXTURE_ADD(function) fixture_add(#function, function)

/* Run what was added, in a folder of its own. Returns what main() does. */
int fixture_run(const char *group);

#endif
