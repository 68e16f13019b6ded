/*
 * The command line. Flags may stand before and after the command; the first word without dashes is the command unless
 * --mode named one; the words after it are sites.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/url.h"
#include "config/commands.h"
#include "config/older.h"
#include "config/reading.h"

enum { FLAG_MAX = 64, CANDIDATES_MAX = 128 };

struct command_line {
	struct reading *reading;
	int argc;
	char **argv;
	int at;
	bool is_help;
	bool is_version;
	const char *mode; /* of --mode, or NULL */
	struct text_list words;
};

static void add_word(struct text_list *list, const char *word)
{
	list->items = xreallocarray(list->items, list->count + 1, sizeof(char *));
	list->items[list->count++] = xstrdup(word);
}

static const struct setting *find_flag(const char *name)
{
	for (size_t i = 0; i < older_flag_count; i++)
		if (strcmp(older_flags[i].name, name) == 0)
			return settings_table_find(older_flags[i].setting);
	const struct setting *setting = settings_table_find(name);
	return setting != NULL && (setting->traits & SETTING_NO_FLAG) == 0 ? setting : NULL;
}

/* The flag nearest to a word, without the dashes; NULL for none. */
static const char *nearest_flag(const char *name)
{
	const char *candidates[CANDIDATES_MAX] = {"help", "version", "mode"};
	size_t count = 3;
	for (size_t i = 0; i < settings_table_count; i++)
		if ((settings_table[i].traits & SETTING_NO_FLAG) == 0)
			candidates[count++] = settings_table[i].name;
	for (size_t i = 0; i < older_flag_count; i++)
		candidates[count++] = older_flags[i].name;
	return text_nearest(name, candidates, count);
}

/* What follows an unknown flag may be its value: it is not taken for a site, and nothing is said to be missing. */
static void complain_unknown(struct command_line *line, const char *flag, const char *name,
			     const char *inline_value)
{
	struct reading *reading = line->reading;
	const char *nearest = nearest_flag(name);
	const struct setting *meant = nearest == NULL ? NULL : find_flag(nearest);
	bool has_value = nearest == NULL || strcmp(nearest, "mode") == 0 ||
			 (meant != NULL && meant->type != SETTING_BOOL);
	if (nearest != NULL)
		reading_problem(reading, flag, "unknown option, did you mean --%s?", nearest);
	else
		reading_problem(reading, flag, "unknown option, see --help");
	reading->is_incomplete = true;
	reading->settings->has_bad_sites = true;
	bool is_followed = line->at + 1 < line->argc && line->argv[line->at + 1][0] != '-';
	size_t used;
	if (inline_value == NULL && has_value && is_followed &&
	    commands_find(line->argv + line->at + 1, 1, &used) == COMMAND_NONE)
		line->at++;
}

/* The value after '=' or the next word; NULL, with a problem, where there is none. */
static const char *take_value(struct command_line *line, const char *flag, const char *inline_value)
{
	const char *value = inline_value;
	if (value == NULL && line->at + 1 < line->argc &&
	    strncmp(line->argv[line->at + 1], "--", 2) != 0)
		value = line->argv[++line->at];
	if (value == NULL) {
		reading_problem(line->reading, flag, "found no value, expected one");
		line->reading->is_incomplete = true;
		return NULL;
	}
	return value;
}

static bool starts_no(const char *name)
{
	return text_starts_with(name, "no-");
}

/* --once, --no-once, --once=false. */
static void take_bool(struct command_line *line, const struct setting *setting, const char *flag,
		      bool is_negated, const char *inline_value)
{
	if (is_negated && inline_value != NULL)
		reading_problem(line->reading, flag, "found a value, expected none");
	else
		reading_add(line->reading, setting, SOURCE_FLAG, flag,
			    is_negated             ? "false"
			    : inline_value == NULL ? "true"
						   : inline_value);
}

static void take_setting(struct command_line *line, const char *flag, const char *name,
			 const char *inline_value)
{
	const struct setting *setting = find_flag(name);
	bool is_negated = false;
	if (setting == NULL && starts_no(name)) {
		setting = find_flag(name + 3);
		is_negated = setting != NULL;
		if (setting != NULL && setting->type != SETTING_BOOL)
			setting = NULL;
	}
	if (setting == NULL) {
		complain_unknown(line, flag, name, inline_value);
		return;
	}
	if (setting->type == SETTING_BOOL) {
		take_bool(line, setting, flag, is_negated, inline_value);
		return;
	}
	const char *value = take_value(line, flag, inline_value);
	if (value != NULL)
		reading_add(line->reading, setting, SOURCE_FLAG, flag, value);
}

/* What is written at the letter, or behind it, may be its value: -psecret, -p secret. */
static void complain_unknown_letter(struct command_line *line, const char *flag)
{
	char shown[] = {'-', flag[1], '\0'};
	const char *next = line->at + 1 < line->argc ? line->argv[line->at + 1] : NULL;
	size_t used;
	reading_problem(line->reading, shown, "unknown option, see --help");
	line->reading->is_incomplete = true;
	line->reading->settings->has_bad_sites = true;
	if (flag[2] == '\0' && next != NULL && next[0] != '-' && strstr(next, "://") == NULL &&
	    commands_find(line->argv + line->at + 1, 1, &used) == COMMAND_NONE)
		line->at++;
}

/* -v, of a switch. */
static void take_letter(struct command_line *line, const char *flag)
{
	for (size_t i = 0; i < settings_table_count; i++) {
		if (flag[2] == '\0' && settings_table[i].letter == flag[1]) {
			take_bool(line, &settings_table[i], flag, false, NULL);
			return;
		}
	}
	complain_unknown_letter(line, flag);
}

static void take_mode(struct command_line *line, const char *flag, const char *inline_value)
{
	const char *value = take_value(line, flag, inline_value);
	if (value == NULL)
		return;
	if (older_mode_command(value) == NULL)
		reading_problem(line->reading, flag,
				"found '%s', expected producer, consumer or init", value);
	else if (line->mode != NULL && strcmp(line->mode, value) != 0)
		reading_problem(line->reading, flag, "found '%s' and '%s', expected one",
				line->mode, value);
	line->mode = value;
}

static void take_flag(struct command_line *line, const char *text)
{
	char flag[FLAG_MAX];
	const char *equals = strchr(text, '=');
	size_t length = equals == NULL ? strlen(text) : (size_t)(equals - text);
	(void)snprintf(flag, sizeof(flag), "%.*s", (int)(length < FLAG_MAX ? length : FLAG_MAX - 1),
		       text);
	const char *name = flag + 2;
	const char *inline_value = equals == NULL ? NULL : equals + 1;
	if (strcmp(name, "help") == 0)
		line->is_help = true;
	else if (strcmp(name, "version") == 0)
		line->is_version = true;
	else if (strcmp(name, "mode") == 0)
		take_mode(line, flag, inline_value);
	else
		take_setting(line, flag, name, inline_value);
}

static void split(struct command_line *line)
{
	for (line->at = 1; line->at < line->argc; line->at++) {
		const char *text = line->argv[line->at];
		if (strcmp(text, "--") == 0) {
			for (line->at++; line->at < line->argc; line->at++)
				add_word(&line->words, line->argv[line->at]);
			return;
		}
		if (strcmp(text, "-h") == 0)
			line->is_help = true;
		else if (strcmp(text, "-V") == 0)
			line->is_version = true;
		else if (text_starts_with(text, "--"))
			take_flag(line, text);
		else if (text[0] == '-' && text[1] != '\0')
			take_letter(line, text);
		else
			add_word(&line->words, text);
	}
}

/* Words from the count-th on are the command's arguments. */
static void keep_arguments(struct command_line *line, size_t count)
{
	for (size_t i = count; i < line->words.count; i++)
		add_word(&line->reading->arguments, line->words.items[i]);
}

static void complain_of_command(struct command_line *line, const char *word)
{
	const char *nearest = commands_nearest(word);
	char *shown = url_redact(word);
	if (strstr(word, "://") != NULL)
		reading_problem(line->reading, "command",
				"found '%s', did you mean `websentry run %s`?", shown, shown);
	else if (nearest != NULL)
		reading_problem(line->reading, "command", "found '%s', did you mean `%s`?", shown,
				nearest);
	else
		reading_problem(line->reading, "command", "found '%s', expected one of %s", shown,
				commands_list());
	free(shown);
}

static bool has_settings(enum command command)
{
	for (size_t i = 0; i < settings_table_count; i++)
		if (setting_belongs(&settings_table[i], command))
			return true;
	return false;
}

/* Nothing may stand behind so many words. */
static void refuse_words(struct command_line *line, size_t used)
{
	if (used < line->words.count)
		reading_problem(line->reading, "arguments", "found '%s', expected none for `%s`",
				line->words.items[used],
				command_name(line->reading->settings->command));
}

/* The command that `config check`, `config print` and `help` are asked about. */
static void take_subject(struct command_line *line, size_t used)
{
	struct settings *settings = line->reading->settings;
	size_t more = 0;
	const char *mode = line->mode == NULL ? NULL : older_mode_command(line->mode);
	settings->subject = COMMAND_RUN;
	if (settings->command == COMMAND_HELP)
		settings->subject = COMMAND_NONE;
	if (used < line->words.count) {
		enum command named =
			commands_find(line->words.items + used, line->words.count - used, &more);
		bool is_wrong = named != COMMAND_NONE && settings->command != COMMAND_HELP &&
				!has_settings(named);
		if (is_wrong) {
			reading_problem(line->reading, "arguments",
					"found `%s`, which has no settings, expected another "
					"command",
					command_name(named));
			settings->has_bad_sites = true;
		} else if (named != COMMAND_NONE) {
			settings->subject = named;
			if (settings->command == COMMAND_HELP)
				refuse_words(line, used + more);
		} else if (settings->command == COMMAND_HELP) {
			complain_of_command(line, line->words.items[used]);
		}
	}
	if (mode != NULL)
		settings->subject = commands_by_name(mode);
	keep_arguments(line, used + more);
}

/* The one word behind `completion` and the like, which must be one of words. */
static void take_shell(struct command_line *line, size_t used, const char *const *words,
		       size_t count, const char *expected)
{
	const char *word = used < line->words.count ? line->words.items[used] : NULL;
	bool is_known = false;
	for (size_t i = 0; word != NULL && i < count; i++)
		is_known = is_known || strcmp(words[i], word) == 0;
	if (!is_known || line->words.count > used + 1)
		reading_problem(line->reading, command_name(line->reading->settings->command),
				"found '%s', expected one of %s",
				line->words.count > used + 1 ? line->words.items[used + 1]
				: word == NULL               ? ""
							     : word,
				expected);
	else
		line->reading->settings->shell = xstrdup(word);
}

/* The command that is done: named by the first words, or by --mode, and not otherwise by the other. */
static void settle_command(struct command_line *line, enum command named)
{
	struct settings *settings = line->reading->settings;
	const char *mode = line->mode == NULL ? NULL : older_mode_command(line->mode);
	enum command by_mode = mode == NULL ? COMMAND_NONE : commands_by_name(mode);
	bool is_asking = line->is_help || line->is_version;
	if (by_mode != COMMAND_NONE && named != COMMAND_NONE && by_mode != named)
		reading_problem(line->reading, "--mode",
				"found '%s' beside the command `%s`, expected one of them",
				line->mode, command_name(named));
	settings->command = named == COMMAND_NONE ? by_mode : named;
	if (settings->command == COMMAND_NONE && line->words.count > 0 && !is_asking)
		complain_of_command(line, line->words.items[0]);
	else if (settings->command == COMMAND_NONE && line->mode == NULL && line->argc > 1 &&
		 !line->reading->is_incomplete && !is_asking)
		reading_problem(line->reading, "command", "found none, expected one of %s",
				commands_list());
	settings->subject = settings->command;
}

/* What --mode and the first words say. */
static void take_command(struct command_line *line)
{
	size_t used = 0;
	enum command named = commands_find(line->words.items, line->words.count, &used);
	line->reading->settings->command = named;
	switch (named) {
	case COMMAND_CONFIG_CHECK:
	case COMMAND_CONFIG_PRINT:
	case COMMAND_HELP:
		take_subject(line, used);
		return;
	case COMMAND_COMPLETION:
		take_shell(line, used, (const char *const[]){"bash", "zsh", "fish"}, 3,
			   "bash, zsh, fish");
		return;
	case COMMAND_MANUAL:
		take_shell(line, used, (const char *const[]){"man", "markdown", "metrics"}, 3,
			   "man, markdown, metrics");
		return;
	case COMMAND_VERSION:
		refuse_words(line, used);
		return;
	case COMMAND_NONE:
	case COMMAND_PRODUCER:
	case COMMAND_CONSUMER:
	case COMMAND_RUN:
	case COMMAND_CHECK:
	case COMMAND_SITES:
	case COMMAND_DB_MIGRATE:
	case COMMAND_WEB:
	case COMMAND_AUDIT:
	case COMMAND_QUARANTINE_LIST:
	case COMMAND_QUARANTINE_SHOW:
	case COMMAND_QUARANTINE_RETRY:
	case COMMAND_OUTBOX_SHOW:
	case COMMAND_OUTBOX_SALVAGE:
		settle_command(line, named);
		keep_arguments(line, used);
		return;
	}
}

/* --help and --version count whatever else stands there. */
static void take_help(struct command_line *line)
{
	struct settings *settings = line->reading->settings;
	if (line->is_help && settings->command != COMMAND_HELP) {
		settings->subject = settings->command;
		settings->command = COMMAND_HELP;
	} else if (line->is_version) {
		settings->command = COMMAND_VERSION;
	} else {
		return;
	}
	/* Who asks for help is not told what else is wrong. */
	problems_finish(line->reading->problems);
	problems_init(line->reading->problems);
}

/* Flags of other commands are errors; with the older --mode they are only said, as the older service took them all. */
static void refuse_foreign_flags(struct command_line *line)
{
	struct reading *reading = line->reading;
	char allowed[256];
	for (size_t i = 0; i < reading->count; i++) {
		const struct given *given = &reading->given[i];
		if (setting_belongs(given->setting, reading->commands))
			continue;
		commands_describe(given->setting->commands, allowed, sizeof(allowed));
		if (line->mode != NULL)
			problems_warn(reading->problems, given->place,
				      "does nothing for `%s`, only for %s",
				      command_name(reading->settings->subject), allowed);
		else
			reading_problem(reading, given->place, "not an option of `%s`, only of %s",
					command_name(reading->settings->subject), allowed);
	}
}

static bool is_sites_file(const char *word)
{
	struct stat status;
	size_t length = strlen(word);
	return (length > 5 && strcmp(word + length - 5, ".yaml") == 0) ||
	       (length > 4 && strcmp(word + length - 4, ".yml") == 0) || stat(word, &status) == 0;
}

static void take_site(struct reading *reading, const struct setting *url, const char *word)
{
	char *shown = url_redact(word);
	if (!setting_belongs(url, reading->commands)) {
		reading_problem(reading, "arguments", "found '%s', expected none for `%s`", shown,
				command_name(reading->settings->subject));
	} else if (strstr(word, "://") != NULL) {
		reading_add(reading, url, SOURCE_FLAG, "argument", word);
	} else if (is_sites_file(word)) {
		add_word(&reading->settings->site_files, word);
	} else {
		reading_problem(reading, "arguments",
				"found '%s', expected a URL such as https://%s or a sites file",
				shown, shown[0] == '\0' ? "example.com" : shown);
		reading->settings->has_bad_sites = true;
	}
	free(shown);
}

/* The one FILE of `outbox salvage`. */
static void take_salvage_file(struct reading *reading)
{
	const struct text_list *given = &reading->arguments;
	if (given->count == 1)
		add_word(&reading->settings->words, given->items[0]);
	else if (given->count == 0)
		reading_problem(reading, "arguments", "found none, expected the file to salvage");
	else
		reading_problem(reading, "arguments", "found '%s', expected one file",
				given->items[1]);
}

/* Arguments are URLs or sites files, or the ids of what is in quarantine, or a file to salvage. */
static void take_arguments(struct reading *reading)
{
	const struct setting *url = settings_table_find("url");
	if (reading->settings->command == COMMAND_OUTBOX_SALVAGE) {
		take_salvage_file(reading);
		return;
	}
	if ((reading->commands & (COMMAND_QUARANTINE_SHOW | COMMAND_QUARANTINE_RETRY)) != 0) {
		for (size_t i = 0; i < reading->arguments.count; i++)
			add_word(&reading->settings->words, reading->arguments.items[i]);
		return;
	}
	for (size_t i = 0; i < reading->arguments.count; i++)
		take_site(reading, url, reading->arguments.items[i]);
}

void arguments_read(struct reading *reading, int argc, char **argv)
{
	struct command_line line = {.reading = reading, .argc = argc, .argv = argv};
	split(&line);
	take_command(&line);
	take_help(&line);
	struct settings *settings = reading->settings;
	reading->commands = settings->subject;
	bool has_settings =
		settings->command != COMMAND_HELP && settings->command != COMMAND_VERSION &&
		settings->command != COMMAND_COMPLETION && settings->command != COMMAND_MANUAL;
	if (!has_settings)
		reading->commands = 0;
	if (has_settings && settings->command != COMMAND_NONE) {
		refuse_foreign_flags(&line);
		take_arguments(reading);
	}
	for (size_t i = 0; i < line.words.count; i++)
		free(line.words.items[i]);
	free(line.words.items);
}
