#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/named_files.h"

static char folder[] = "/tmp/websentry-test-named-XXXXXX";

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void every_change_is_seen(void **state)
{
	(void)state;
	char *path = path_of("token");
	char *other = path_of("other");
	char *missing = path_of("missing");
	write_file(path, "one");
	struct named_files *files = named_files_create();
	named_files_note(files, path);
	named_files_note(files, missing);
	uint64_t noted = named_files_noted(files);
	assert_int_equal(named_files_now(files), noted);
	write_file(path, "longer");
	uint64_t written = named_files_now(files);
	assert_int_not_equal(written, noted);
	named_files_note(files, path); /* is known */
	assert_int_equal(named_files_noted(files), noted);
	assert_int_equal(chmod(path, S_IRUSR), 0);
	assert_int_not_equal(named_files_now(files), written);
	write_file(other, "longer");
	assert_int_equal(rename(other, path), 0);
	uint64_t replaced = named_files_now(files);
	assert_int_not_equal(replaced, written);
	write_file(missing, "");
	assert_int_not_equal(named_files_now(files), replaced);
	assert_int_equal(unlink(missing), 0);
	assert_int_equal(named_files_now(files), replaced);
	assert_int_equal(unlink(path), 0);
	assert_int_not_equal(named_files_now(files), replaced);
	named_files_destroy(files);
	free(missing);
	free(other);
	free(path);
}

static void only_so_many_are_looked_at(void **state)
{
	(void)state;
	struct named_files *files = named_files_create();
	char *last = NULL;
	for (int i = 0; i <= NAMED_FILES_MAX; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "%d", i);
		free(last);
		last = path_of(name);
		named_files_note(files, last);
	}
	uint64_t noted = named_files_noted(files);
	write_file(last, "one too many");
	assert_int_equal(named_files_now(files), noted);
	assert_int_equal(unlink(last), 0);
	free(last);
	named_files_destroy(files);
	named_files_note(NULL, "/");
	assert_int_equal(named_files_noted(NULL), named_files_now(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_change_is_seen),
		cmocka_unit_test(only_so_many_are_looked_at),
	};
	return cmocka_run_group_tests_name("named files", tests, make_folder, remove_folder);
}
