#include "fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/sites.h"
#include "pattern/pattern.h"

static char folder[] = "/tmp/websentry-config-XXXXXX";

const char *fixture_folder(void)
{
	return folder;
}

static int enter_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int remove_item(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int leave_folder(void **state)
{
	(void)state;
	return chdir("/") == 0 && nftw(folder, remove_item, 16, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : -1;
}

static void write_files(const struct fixture_input *input)
{
	for (size_t i = 0; i < FIXTURE_FILES_MAX && input->links[i].name != NULL; i++)
		assert_int_equal(symlink(input->links[i].text, input->links[i].name), 0);
	for (size_t i = 0; i < FIXTURE_FILES_MAX && input->files[i].name != NULL; i++) {
		const struct fixture_file *file = &input->files[i];
		FILE *out = fopen(file->name, "w");
		assert_non_null(out);
		size_t length = i == 0 && input->length != 0 ? input->length : strlen(file->text);
		assert_int_equal(fwrite(file->text, 1, length, out), length);
		assert_int_equal(fclose(out), 0);
	}
}

static void remove_files(const struct fixture_input *input)
{
	for (size_t i = 0; i < FIXTURE_FILES_MAX && input->links[i].name != NULL; i++)
		(void)remove(input->links[i].name);
	for (size_t i = 0; i < FIXTURE_FILES_MAX && input->files[i].name != NULL; i++)
		(void)remove(input->files[i].name);
}

static char *join_lines(const struct problems *problems)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	for (size_t i = 0; i < problems->count; i++)
		(void)fprintf(out, "%s%s: %s\n", problems->items[i].is_warning ? "warning " : "",
			      problems->items[i].where, problems->items[i].what);
	(void)fclose(out);
	return text;
}

void fixture_read(struct fixture *fixture, const struct fixture_input *input)
{
	char home[128];
	char *argv[FIXTURE_WORDS_MAX + 2] = {(char *)(uintptr_t) "websentry"};
	char *environment[FIXTURE_WORDS_MAX + 2];
	int argc = 1;
	size_t count = 0;
	for (size_t i = 0; i < FIXTURE_WORDS_MAX && input->args[i] != NULL; i++)
		argv[argc++] = (char *)(uintptr_t)input->args[i];
	(void)snprintf(home, sizeof(home), "HOME=%s", folder);
	for (; count < FIXTURE_WORDS_MAX && input->environment[count] != NULL; count++)
		environment[count] = (char *)(uintptr_t)input->environment[count];
	environment[count++] = home;
	environment[count] = NULL;
	write_files(input);
	problems_init(&fixture->problems);
	site_list_init(&fixture->sites, pattern_destroy);
	settings_read(argc, argv, environment, &fixture->settings, &fixture->problems);
	sites_load(&fixture->settings, &fixture->sites, &fixture->problems);
	fixture->lines = join_lines(&fixture->problems);
	size_t size = 0;
	FILE *out = open_memstream(&fixture->effective, &size);
	assert_non_null(out);
	settings_print_effective(out, &fixture->settings);
	(void)fclose(out);
	remove_files(input);
}

void fixture_finish(struct fixture *fixture)
{
	free(fixture->lines);
	free(fixture->effective);
	site_list_finish(&fixture->sites);
	settings_finish(&fixture->settings);
	problems_finish(&fixture->problems);
}

void fixture_expect_line(const char *text, const char *line)
{
	size_t length = strlen(line);
	for (const char *at = strstr(text, line); at != NULL; at = strstr(at + 1, line))
		if ((at == text || at[-1] == '\n') && (at[length] == '\n' || at[length] == '\0'))
			return;
	fail_msg("no line '%s' in:\n%s", line, text);
}

static struct CMUnitTest *tests;
static size_t test_count;

static void add_test(const char *name, CMUnitTestFunction function, const void *row)
{
	tests = xreallocarray(tests, test_count + 1, sizeof(*tests));
	tests[test_count++] = (struct CMUnitTest){
		.name = name, .test_func = function, .initial_state = (void *)(uintptr_t)row};
}

void fixture_add(const char *name, CMUnitTestFunction function)
{
	add_test(name, function, NULL);
}

void fixture_add_rows(const void *rows, size_t row_size, size_t count, CMUnitTestFunction function)
{
	for (size_t i = 0; i < count; i++) {
		const char *row = (const char *)rows + i * row_size;
		const char *name;
		memcpy(&name, row, sizeof(name));
		add_test(name, function, row);
	}
}

int fixture_run(const char *group)
{
	int failed = _cmocka_run_group_tests(group, tests, test_count, enter_folder, leave_folder);
	free(tests);
	return failed;
}
