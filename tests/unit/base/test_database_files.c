#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/database_files.h"
#include "base/memory.h"

#define COUNT(items) (sizeof(items) / sizeof((items)[0]))

static char folder[64];

static int setup(void **state)
{
	(void)state;
	const char *parent = getenv("TMPDIR");
	(void)snprintf(folder, sizeof(folder), "%.30s/files-XXXXXX",
		       parent == NULL ? "/tmp" : parent);
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	static const char *const names[] = {"a.db",         "a.db-wal", "a.db-shm",
					    "a.db-journal", "link.db",  "link.db-wal"};
	for (size_t i = 0; i < COUNT(names); i++) {
		char *path = xasprintf("%s/%s", folder, names[i]);
		(void)unlink(path);
		free(path);
	}
	return rmdir(folder);
}

static void put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	(void)fputs(text, file);
	(void)fclose(file);
	free(path);
}

static struct database_files look(const char *name)
{
	struct database_files files;
	char *path = xasprintf("%s/%s", folder, name);
	database_files_look(path, &files);
	free(path);
	return files;
}

static void a_log_that_holds_something_is_not_passed_over(void **state)
{
	(void)state;
	put("a.db", "a database");
	struct database_files files = look("a.db");
	assert_int_equal(files.main.size, 10);
	assert_int_equal(files.log.size, -1);
	assert_int_equal(database_files_manner(&files), DATABASE_FILES_AS_THEY_ARE);
	put("a.db-wal", "");
	files = look("a.db");
	assert_int_equal(database_files_manner(&files), DATABASE_FILES_AS_THEY_ARE);
	put("a.db-wal", "a log");
	files = look("a.db");
	assert_int_equal(database_files_manner(&files), DATABASE_FILES_WITH_LOG);
	put("a.db-journal", "what was there");
	files = look("a.db");
	assert_int_equal(database_files_manner(&files), DATABASE_FILES_UNFINISHED);
}

static void a_log_lies_beside_what_a_link_leads_to(void **state)
{
	(void)state;
	char *link = xasprintf("%s/link.db", folder);
	put("a.db", "a database");
	put("a.db-wal", "a log");
	assert_int_equal(symlink("a.db", link), 0);
	struct database_files files = look("link.db");
	assert_int_equal(database_files_manner(&files), DATABASE_FILES_WITH_LOG);
	free(link);
}

static void a_change_of_any_file_is_seen(void **state)
{
	(void)state;
	static const char *const names[] = {"a.db", "a.db-wal", "a.db-shm", "a.db-journal"};
	put("a.db", "a database");
	for (size_t i = 0; i < COUNT(names); i++) {
		struct database_files before = look("a.db");
		struct database_files after = look("a.db");
		assert_true(database_files_are_equal(&before, &after));
		put(names[i], "something new");
		after = look("a.db");
		assert_false(database_files_are_equal(&before, &after));
	}
}

static void a_uri_names_the_same_file(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		const char *uri;
	} cases[] = {
		{"/var/lib/websentry.db", "file:///var/lib/websentry.db?immutable=1"},
		{"data/websentry.db", "file:data/websentry.db?immutable=1"},
		{"//data/websentry.db", "file:////data/websentry.db?immutable=1"},
		{"/50%/a?b#c&d=e f", "file:///50%25/a%3Fb%23c%26d%3De%20f?immutable=1"},
		{"/%41", "file:///%2541?immutable=1"},
		{"/\xC3\xBC", "file:///%C3%BC?immutable=1"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *uri = database_files_uri(cases[i].path);
		assert_string_equal(uri, cases[i].uri);
		free(uri);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_log_that_holds_something_is_not_passed_over,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_log_lies_beside_what_a_link_leads_to, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_change_of_any_file_is_seen, setup, teardown),
		cmocka_unit_test(a_uri_names_the_same_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
