/* --help. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "config/commands.h"
#include "config/settings.h"
#include "config/show.h"

enum { FLAG_MAX = 128, HELP_COLUMN = 34, WIDTH = 100 };

/* Words from column on, broken before WIDTH. */
static void print_wrapped(FILE *out, const char *text, int column)
{
	int at = column;
	for (const char *word = text; *word != '\0';) {
		int length = (int)strcspn(word, " ");
		if (at > column && at + length + 1 > WIDTH) {
			(void)fprintf(out, "\n%*s", column, "");
			at = column;
		}
		at += fprintf(out, "%s%.*s", at > column ? " " : "", length, word);
		word += length;
		word += strspn(word, " ");
	}
	(void)fputc('\n', out);
}

static void append_variable(void *context, const char *name, const char *note)
{
	struct buffer *text = context;
	(void)note;
	(void)buffer_append_format(text, "%s%s", text->length == 0 ? "" : ", ", name);
}

static void append_older_flag(void *context, const char *name)
{
	(void)buffer_append_format(context, " (also --%s)", name);
}

/* "[default 30s] [env A, B]" behind a row's help. */
static void append_notes(struct buffer *text, const struct setting *setting, unsigned commands)
{
	struct buffer variables;
	buffer_init(&variables, 1024);
	show_each_older_flag(setting, append_older_flag, text);
	if (setting->type != SETTING_BOOL && setting->default_text != NULL)
		(void)buffer_append_format(text, " [default %s%s%s]", setting->default_text,
					   setting->default_note == NULL ? "" : "; ",
					   setting->default_note == NULL ? ""
									 : setting->default_note);
	else if (setting->default_note != NULL)
		(void)buffer_append_format(text, " [default %s]", setting->default_note);
	show_each_variable(setting, commands, append_variable, &variables);
	if (variables.length > 0)
		(void)buffer_append_format(text, " [env %s]", variables.data);
	buffer_finish(&variables);
}

static void print_row(FILE *out, const struct setting *setting, unsigned commands)
{
	char flag[FLAG_MAX];
	struct buffer text;
	buffer_init(&text, 4096);
	show_flag(setting, flag, sizeof(flag));
	if (flag[0] == '\0')
		(void)snprintf(flag, sizeof(flag), "(%s)", setting->name);
	(void)buffer_append_text(&text, setting->help);
	append_notes(&text, setting, commands);
	int used = fprintf(out, "  %s", flag);
	if (used > HELP_COLUMN - 2)
		(void)fprintf(out, "\n%*s", HELP_COLUMN, "");
	else
		(void)fprintf(out, "%*s", HELP_COLUMN - used, "");
	print_wrapped(out, text.data, HELP_COLUMN);
	buffer_finish(&text);
}

static void print_general(FILE *out)
{
	(void)fputs("Websentry watches websites.\n\n"
		    "Usage: websentry COMMAND [options] [URL… | sites.yaml]\n\n"
		    "  websentry run https://example.com      watch it, and see it on "
		    "http://127.0.0.1:8080\n"
		    "  websentry check https://example.com    look once\n\nCommands:\n",
		    out);
	for (size_t i = 0; i < commands_table_count; i++) {
		const struct command_row *row = &commands_table[i];
		if (row->help != NULL)
			(void)fprintf(out, "  %-16s %s\n", row->name, row->help);
	}
	(void)fputs(
		"\n`websentry COMMAND --help` prints a command's options and their variables.\n"
		"Flags win over the environment, that over --config FILE, that over defaults.\n",
		out);
}

static const struct command_row *find_row(enum command command)
{
	for (size_t i = 0; i < commands_table_count; i++)
		if (commands_table[i].command == command)
			return &commands_table[i];
	return NULL;
}

void settings_print_help(FILE *out, enum command command)
{
	const struct command_row *row = find_row(command);
	const unsigned others = COMMAND_CONFIG_CHECK | COMMAND_CONFIG_PRINT;
	if (row == NULL || row->help == NULL) {
		print_general(out);
		return;
	}
	(void)fprintf(out, "%c%s.\n\nUsage: websentry %s [options]%s%s\n",
		      row->help[0] >= 'a' && row->help[0] <= 'z' ? row->help[0] - 'a' + 'A'
								 : row->help[0],
		      row->help + 1, row->name, row->arguments[0] == '\0' ? "" : " ",
		      row->arguments);
	if ((command & others) != 0)
		(void)fputs("\nOptions are those of COMMAND.\n", out);
	for (size_t i = 0; show_group(i) != NULL; i++) {
		bool is_named = false;
		for (size_t j = 0; j < settings_table_count; j++) {
			const struct setting *setting = &settings_table[j];
			if (strcmp(setting->group, show_group(i)) != 0 ||
			    !setting_belongs(setting, command))
				continue;
			if (!is_named)
				(void)fprintf(out, "\n%s:\n", show_group(i));
			is_named = true;
			print_row(out, setting,
				  (command & others) != 0 ? setting->commands : command);
		}
	}
	(void)fputs("\nEach option can stand as --option VALUE or --option=VALUE; --no-OPTION "
		    "turns a switch off.\n",
		    out);
}
