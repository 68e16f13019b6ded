/*
 * config/: flags, variables and the --config file together. A line that begins with 'a' is an argument, with 'e' a variable, any other
 * line stands in settings.yaml. Whatever they are: every complaint is one line, and no secret is in it or in what config print shows.
 */
#include "fuzz.h"

#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "config/problems.h"
#include "config/settings.h"
#include "input.h"
#include "scratch.h"

enum { WORDS_MAX = 24, FILE_MAX = 16384 };

static const char secret[] = "c4nary";
static const char *folder;
static const char *file_name;

struct given {
	char *arguments[WORDS_MAX + 2];
	int argument_count;
	char *environment[WORDS_MAX + 4];
	size_t variable_count;
	struct buffer file;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	folder = scratch_make();
	file_name = scratch_path("settings.yaml");
	FUZZ_PROMISE(chdir(folder) == 0);
	return 0;
}

static void write_file(const struct buffer *bytes)
{
	if (bytes->length > 0)
		scratch_write(file_name, bytes->data, bytes->length);
	else
		scratch_remove(file_name);
}

static void take_lines(struct given *given, struct input *input)
{
	buffer_init(&given->file, FILE_MAX);
	given->arguments[given->argument_count++] = xstrdup("websentry");
	given->environment[given->variable_count++] = xasprintf("HOME=%s", folder);
	given->environment[given->variable_count++] =
		xasprintf("WEBSENTRY_DATABASE_PASSWORD=%s", secret);
	while (input->left > 0) {
		char *line = input_line(input);
		if (line[0] == 'a' && given->argument_count <= WORDS_MAX) {
			given->arguments[given->argument_count++] = xstrdup(line + 1);
		} else if (line[0] == 'e' && given->variable_count <= WORDS_MAX) {
			given->environment[given->variable_count++] = xstrdup(line + 1);
		} else {
			(void)buffer_append_text(&given->file, line);
			(void)buffer_append_char(&given->file, '\n');
		}
		free(line);
	}
}

static void look_at_problems(const struct problems *problems)
{
	FUZZ_PROMISE(problems->count <= PROBLEMS_MAX + 1);
	size_t errors = 0;
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];
		FUZZ_PROMISE(problem->where[0] != '\0' && problem->what[0] != '\0');
		FUZZ_PROMISE(input_is_safe(problem->where, strlen(problem->where), false));
		FUZZ_PROMISE(input_is_safe(problem->what, strlen(problem->what), false));
		FUZZ_PROMISE(strstr(problem->what, secret) == NULL);
		errors += !problem->is_warning;
	}
	FUZZ_PROMISE((errors == 0) == (problems->error_count == 0));
}

/* What a command may rely on once there was nothing to complain of. */
static void look_at_settings(const struct settings *settings)
{
	FUZZ_PROMISE(settings->interval_us > 0 && settings->timeout_us > 0);
	FUZZ_PROMISE(settings->threads >= 1 && settings->outbox_max_rows >= 1);
	FUZZ_PROMISE(settings->data_dir == NULL || settings->data_dir[0] == '/');
	FUZZ_PROMISE(settings->kafka_properties.count == settings->kafka_property_origins.count);
}

static void look_at_effective(const struct settings *settings)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	FUZZ_PROMISE(out != NULL);
	settings_print_effective(out, settings);
	FUZZ_PROMISE(fclose(out) == 0);
	FUZZ_PROMISE(strstr(text, secret) == NULL);
	FUZZ_PROMISE(input_is_safe(text, size, true));
	free(text);
}

static bool is_command_with_settings(enum command command)
{
	const unsigned none = COMMAND_HELP | COMMAND_VERSION | COMMAND_COMPLETION | COMMAND_MANUAL;
	return command != COMMAND_NONE && ((unsigned)command & none) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Devices and the kernel's own files say something else each time, or nothing for ever. */
	static const char *const others[] = {"/dev", "/proc", "/sys", "c4nary"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (size > 0 && memmem(data, size, others[i], strlen(others[i])) != NULL)
			return 0;
	struct given given = {0};
	struct settings settings;
	struct problems problems;
	struct input input = input_of(data, size);
	take_lines(&given, &input);
	write_file(&given.file);
	problems_init(&problems);
	settings_read(given.argument_count, given.arguments, given.environment, &settings,
		      &problems);
	look_at_problems(&problems);
	if (is_command_with_settings(settings.command)) {
		if (problems.error_count == 0)
			look_at_settings(&settings);
		look_at_effective(&settings);
	}
	settings_finish(&settings);
	problems_finish(&problems);
	buffer_finish(&given.file);
	for (size_t i = 0; i < sizeof(given.arguments) / sizeof(given.arguments[0]); i++)
		free(given.arguments[i]);
	for (size_t i = 0; i < sizeof(given.environment) / sizeof(given.environment[0]); i++)
		free(given.environment[i]);
	return 0;
}
