/* What is made from the table says all of it: help, config print, completion, the man page and the files in docs/. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/older.h"
#include "config/settings_table.h"
#include "config/site_entry.h"

static char *read_document(const char *name)
{
	char *path = xasprintf("%s/docs/%s", SOURCE_ROOT, name);
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;
	assert_non_null(in);
	FILE *out = open_memstream(&text, &size);
	for (int c = fgetc(in); c != EOF; c = fgetc(in))
		(void)fputc(c, out);
	(void)fclose(out);
	(void)fclose(in);
	free(path);
	return text;
}

static void print_bash(FILE *out)
{
	settings_print_completion(out, "bash");
}

static void print_zsh(FILE *out)
{
	settings_print_completion(out, "zsh");
}

static void print_fish(FILE *out)
{
	settings_print_completion(out, "fish");
}

static char *printed(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	print(out);
	(void)fclose(out);
	return text;
}

static void expect_in(const char *what, const char *text, const char *word)
{
	if (strstr(text, word) == NULL)
		fail_msg("%s lacks '%s'", what, word);
}

static void configuration_md_is_the_tables(void **state)
{
	(void)state;
	char *document = read_document("configuration.md");
	char *tables = printed(settings_print_markdown);
	expect_in("docs/configuration.md (run make docs)", document, tables);
	free(document);
	free(tables);
}

static void man_page_is_the_table(void **state)
{
	(void)state;
	char *document = read_document("websentry.1");
	char *page = printed(settings_print_manual);
	if (strcmp(document, page) != 0)
		fail_msg("docs/websentry.1 is not what the program prints: run make docs");
	free(document);
	free(page);
}

/* Names with their hyphens as roff has them. */
static char *roff(const char *name)
{
	char *text = xmalloc(2 * strlen(name) + 1);
	size_t used = 0;
	for (const char *at = name; *at != '\0'; at++) {
		if (*at == '-')
			text[used++] = '\\';
		text[used++] = *at;
	}
	text[used] = '\0';
	return text;
}

static void every_row_is_in_the_documents(void **state)
{
	(void)state;
	char *tables = printed(settings_print_markdown);
	char *page = printed(settings_print_manual);
	for (size_t i = 0; i < settings_table_count; i++) {
		char *cell = xasprintf("| `%s` | ", settings_table[i].name);
		char *name = roff(settings_table[i].name);
		expect_in("docs/configuration.md", tables, cell);
		expect_in("the man page", page, name);
		for (size_t j = 0;
		     j < SETTING_ENVIRONMENT_MAX && settings_table[i].environment[j] != NULL; j++) {
			expect_in("docs/configuration.md", tables,
				  settings_table[i].environment[j]);
			expect_in("the man page", page, settings_table[i].environment[j]);
		}
		free(cell);
		free(name);
	}
	for (size_t i = 0; i < older_variable_count; i++) {
		expect_in("docs/configuration.md", tables, older_variables[i].name);
		expect_in("the man page", page, older_variables[i].name);
	}
	free(tables);
	free(page);
}

static void every_setting_that_may_change_is_said_to(void **state)
{
	(void)state;
	char *operations = read_document("operations.md");
	char *page = read_document("websentry.1");
	const char *in_operations = strstr(operations, "that are taken over: ");
	const char *in_page = strstr(page, "SIGHUP reads");
	assert_non_null(in_operations);
	assert_non_null(in_page);
	char *sentence = xstrndup(in_operations, strcspn(in_operations, "."));
	char *signals = xstrndup(in_page, strcspn(in_page, "."));
	for (size_t i = 0; i < settings_table_count; i++) {
		char *quoted = xasprintf("`%s`", settings_table[i].name);
		char *name = roff(settings_table[i].name);
		if ((settings_table[i].traits & SETTING_RELOADABLE) != 0) {
			expect_in("docs/operations.md", sentence, quoted);
			expect_in("the man page's SIGHUP", signals, name);
		}
		free(quoted);
		free(name);
	}
	free(sentence);
	free(signals);
	free(operations);
	free(page);
}

static void every_older_name_is_in_migrating_md(void **state)
{
	(void)state;
	char *document = read_document("migrating.md");
	for (size_t i = 0; i < older_flag_count; i++)
		expect_in("docs/migrating.md", document, older_flags[i].name);
	for (size_t i = 0; i < older_variable_count; i++)
		expect_in("docs/migrating.md", document, older_variables[i].name);
	free(document);
}

static void every_key_is_in_sites_md(void **state)
{
	(void)state;
	char *document = read_document("sites.md");
	for (size_t i = 0; i < entry_key_count; i++) {
		char *cell = xasprintf("| `%s` | `", entry_keys[i].name);
		expect_in("docs/sites.md", document, cell);
		free(cell);
	}
	free(document);
}

/* Or the first TAB of a shell would only define what completes. */
static void zsh_completes_from_a_folder_of_functions(void **state)
{
	(void)state;
	char *zsh = printed(print_zsh);
	expect_in("zsh completion", zsh, "#compdef websentry\n");
	expect_in("zsh completion", zsh,
		  "if [ \"$funcstack[1]\" = _websentry ]; then\n\t_websentry \"$@\"\n");
	free(zsh);
}

static void every_flag_is_completed(void **state)
{
	(void)state;
	char *scripts[] = {printed(print_bash), printed(print_zsh), printed(print_fish)};
	for (size_t i = 0; i < settings_table_count; i++) {
		if ((settings_table[i].traits & SETTING_NO_FLAG) != 0)
			continue;
		for (size_t j = 0; j < 3; j++)
			expect_in("a completion", scripts[j], settings_table[i].name);
	}
	for (size_t j = 0; j < 3; j++)
		free(scripts[j]);
}

static void help_names_each_setting_of_a_command(void **state)
{
	(void)state;
	const enum command commands[] = {COMMAND_PRODUCER,
					 COMMAND_CONSUMER,
					 COMMAND_RUN,
					 COMMAND_CHECK,
					 COMMAND_DB_MIGRATE,
					 COMMAND_WEB,
					 COMMAND_QUARANTINE_LIST,
					 COMMAND_QUARANTINE_SHOW,
					 COMMAND_QUARANTINE_RETRY,
					 COMMAND_AUDIT};
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);
		settings_print_help(out, commands[i]);
		(void)fclose(out);
		for (size_t j = 0; j < settings_table_count; j++) {
			const char letter[] = {'-', settings_table[j].letter, ',', ' ', '\0'};
			char *flag = xasprintf(
				"\n  %s%s%s ", settings_table[j].letter != '\0' ? letter : "",
				(settings_table[j].traits & SETTING_NO_FLAG) != 0 ? "("
				: settings_table[j].traits & SETTING_INVERTED     ? "--no-"
										  : "--",
				settings_table[j].name);
			if ((settings_table[j].traits & SETTING_NO_FLAG) != 0)
				flag[strlen(flag) - 1] = ')';
			assert_int_equal(strstr(text, flag) != NULL,
					 setting_belongs(&settings_table[j], commands[i]));
			free(flag);
		}
		free(text);
	}
}

static void expect_sound(const char *command, const char *flag, const char *path, size_t site_count)
{
	struct fixture_input input = {.args = {"config", "check", command, flag, path}};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, "");
	assert_int_equal(fixture.sites.count, site_count);
	fixture_finish(&fixture);
}

static void examples_are_sound(void **state)
{
	(void)state;
	expect_sound("run", "--sites", SOURCE_ROOT "/configs/sites.yaml", 3);
	expect_sound("run", "--config", SOURCE_ROOT "/configs/settings.yaml", 1);
	expect_sound("producer", "--config", SOURCE_ROOT "/configs/pipeline.yaml", 1);
	expect_sound("consumer", "--config", SOURCE_ROOT "/configs/pipeline.yaml", 1);
}

/* The first block of docs/sites.md. */
static void the_documented_sites_file_is_sound(void **state)
{
	(void)state;
	char *document = read_document("sites.md");
	char *start = strstr(document, "```yaml\n");
	assert_non_null(start);
	start += strlen("```yaml\n");
	char *end = strstr(start, "```");
	assert_non_null(end);
	*end = '\0';
	FILE *out = fopen("documented.yaml", "w");
	assert_non_null(out);
	assert_true(fputs(start, out) >= 0);
	assert_int_equal(fclose(out), 0);
	expect_sound("run", "--sites", "documented.yaml", 2);
	assert_int_equal(remove("documented.yaml"), 0);
	free(document);
}

/* A row that the parser would stumble over. */
static void rows_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < settings_table_count; i++) {
		const struct setting *row = &settings_table[i];
		char *canonical = NULL;
		struct error err;
		assert_ptr_equal(settings_table_find(row->name), row); /* each name once */
		assert_true(row->commands != 0);
		assert_non_null(row->help);
		assert_true(row->min <= row->max);
		assert_true(row->type == SETTING_BOOL || row->type == SETTING_CHOICE ||
			    row->placeholder != NULL);
		if (row->default_text != NULL) {
			if (setting_parse(row, row->default_text, &canonical, &err) != 0)
				fail_msg("the default of %s: %s", row->name, err.message);
			free(canonical);
		}
	}
	for (size_t i = 0; i < older_variable_count; i++)
		assert_non_null(settings_table_find(older_variables[i].setting));
	for (size_t i = 0; i < older_flag_count; i++)
		assert_non_null(settings_table_find(older_flags[i].setting));
}

int main(void)
{
	FIXTURE_ADD(rows_are_sound);
	FIXTURE_ADD(configuration_md_is_the_tables);
	FIXTURE_ADD(man_page_is_the_table);
	FIXTURE_ADD(every_row_is_in_the_documents);
	FIXTURE_ADD(every_setting_that_may_change_is_said_to);
	FIXTURE_ADD(every_older_name_is_in_migrating_md);
	FIXTURE_ADD(every_key_is_in_sites_md);
	FIXTURE_ADD(examples_are_sound);
	FIXTURE_ADD(the_documented_sites_file_is_sound);
	FIXTURE_ADD(every_flag_is_completed);
	FIXTURE_ADD(zsh_completes_from_a_folder_of_functions);
	FIXTURE_ADD(help_names_each_setting_of_a_command);
	return fixture_run("documents");
}
