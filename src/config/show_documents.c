/* The documents that are made of the table: docs/configuration.md's tables and the man page. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "config/commands.h"
#include "config/settings.h"
#include "config/show.h"

enum { FLAG_MAX = 128, TYPE_MAX = 160, COMMANDS_MAX = 256, TABLES_MAX = 256 * 1024 };

/* Cells can't hold a bare '|'. */
static void append_cell(struct buffer *out, const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '|')
			(void)buffer_append_char(out, '\\');
		(void)buffer_append_char(out, *at);
	}
}

static void append_variable(void *context, const char *name, const char *note)
{
	struct buffer *out = context;
	bool is_first = out->length == 0;
	(void)buffer_append_format(out, "%s`%s`", is_first ? "" : ", ", name);
	if (note != NULL)
		(void)buffer_append_format(out, " (%s)", note);
}

static void append_older_flag(void *context, const char *name)
{
	(void)buffer_append_format(context, ", `--%s`", name);
}

static void append_flag(struct buffer *out, const struct setting *setting)
{
	char flag[FLAG_MAX];
	show_flag(setting, flag, sizeof(flag));
	if (flag[0] == '\0')
		return;
	(void)buffer_append_char(out, '`');
	append_cell(out, flag);
	(void)buffer_append_char(out, '`');
	show_each_older_flag(setting, append_older_flag, out);
}

/* A row's help, its bounds, and what else there is to know. */
static void append_meaning(struct buffer *out, const struct setting *setting)
{
	char type[TYPE_MAX];
	append_cell(out, setting->help);
	if (setting->type == SETTING_DURATION || setting->type == SETTING_INTEGER) {
		setting_describe_type(setting, type, sizeof(type));
		(void)buffer_append_format(out, "; %s", type);
	}
	if ((setting->traits & SETTING_SECRET) != 0)
		(void)buffer_append_text(out, "; a secret: also from a file");
	if ((setting->traits & SETTING_CREDENTIAL) != 0)
		(void)buffer_append_format(out, "; also `$CREDENTIALS_DIRECTORY/%s`",
					   setting->name);
	if (setting->environment_commands != 0) {
		char commands[COMMANDS_MAX];
		commands_describe(setting->environment_commands, commands, sizeof(commands));
		(void)buffer_append_format(out, "; the variable counts for %s", commands);
	}
}

static void append_row(struct buffer *out, const struct setting *setting)
{
	struct buffer variables;
	char commands[COMMANDS_MAX];
	buffer_init(&variables, 1024);
	show_each_variable(setting, setting->commands, append_variable, &variables);
	commands_describe(setting->commands, commands, sizeof(commands));
	(void)buffer_append_format(out, "| `%s` | ", setting->name);
	append_flag(out, setting);
	(void)buffer_append_format(out, " | %s | ", variables.data == NULL ? "" : variables.data);
	if (setting->default_text != NULL)
		(void)buffer_append_format(out, "`%s`%s", setting->default_text,
					   setting->default_note == NULL ? "" : "; ");
	if (setting->default_note != NULL)
		append_cell(out, setting->default_note);
	(void)buffer_append_text(out, " | ");
	append_meaning(out, setting);
	(void)buffer_append_format(out, " | %s |\n", commands);
	buffer_finish(&variables);
}

void settings_print_markdown(FILE *out)
{
	struct buffer text;
	buffer_init(&text, TABLES_MAX);
	for (size_t i = 0; show_group(i) != NULL; i++) {
		(void)buffer_append_format(&text, "%s### %s\n\n", i == 0 ? "" : "\n",
					   show_group(i));
		(void)buffer_append_text(
			&text, "| setting | flag | environment | default | meaning | commands |\n"
			       "| --- | --- | --- | --- | --- | --- |\n");
		for (size_t j = 0; j < settings_table_count; j++)
			if (strcmp(settings_table[j].group, show_group(i)) == 0)
				append_row(&text, &settings_table[j]);
	}
	(void)fputs(text.data, out);
	buffer_finish(&text);
}

/* roff: backslashes and hyphens escaped, a line that starts with a dot or quote guarded; back-quotes turned bold. */
static void print_roff(FILE *out, const char *text)
{
	bool is_bold = false;
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '`') {
			is_bold = !is_bold;
			(void)fputs(is_bold ? "\\fB" : "\\fR", out);
		} else if (*at == '\\') {
			(void)fputs("\\e", out);
		} else if (*at == '-') {
			(void)fputs("\\-", out);
		} else if (strncmp(at, "…", strlen("…")) == 0) {
			(void)fputs("...", out);
			at += strlen("…") - 1;
		} else {
			if (at == text && (*at == '.' || *at == '\''))
				(void)fputs("\\&", out);
			(void)fputc(*at, out);
		}
	}
}

static void print_manual_variable(void *context, const char *name, const char *note)
{
	FILE *out = context;
	(void)fprintf(out, ".br\nVariable: \\fB%s\\fR", name);
	if (note != NULL) {
		(void)fputs(" (", out);
		print_roff(out, note);
		(void)fputc(')', out);
	}
	(void)fputc('\n', out);
}

static void print_manual_older_flag(void *context, const char *name)
{
	FILE *out = context;
	(void)fputs(".br\nOlder name: \\fB", out);
	(void)fputs("\\-\\-", out);
	print_roff(out, name);
	(void)fputs("\\fR\n", out);
}

static void print_manual_row(FILE *out, const struct setting *setting)
{
	char flag[FLAG_MAX];
	char type[TYPE_MAX];
	char commands[COMMANDS_MAX];
	show_flag(setting, flag, sizeof(flag));
	(void)fputs(".TP\n.B ", out);
	print_roff(out, flag[0] == '\0' ? setting->name : flag);
	(void)fputc('\n', out);
	print_roff(out, setting->help);
	if (setting->type == SETTING_DURATION || setting->type == SETTING_INTEGER) {
		setting_describe_type(setting, type, sizeof(type));
		(void)fputs("; ", out);
		print_roff(out, type);
	}
	if (setting->default_text != NULL || setting->default_note != NULL)
		(void)fputs(".\nDefault: ", out);
	if (setting->default_text != NULL)
		print_roff(out, setting->default_text);
	if (setting->default_text != NULL && setting->default_note != NULL)
		(void)fputs("; ", out);
	if (setting->default_note != NULL)
		print_roff(out, setting->default_note);
	commands_describe(setting->commands, commands, sizeof(commands));
	(void)fputs(".\nFor ", out);
	print_roff(out, commands);
	(void)fputs(".\n", out);
	show_each_older_flag(setting, print_manual_older_flag, out);
	show_each_variable(setting, setting->commands, print_manual_variable, out);
}

/* "a, b and c" */
static void print_reloadable(FILE *out)
{
	const struct setting *before = NULL;
	bool is_first = true;
	for (size_t i = 0; i <= settings_table_count; i++) {
		bool is_end = i == settings_table_count;
		if (!is_end && (settings_table[i].traits & SETTING_RELOADABLE) == 0)
			continue;
		if (before != NULL) {
			(void)fputs(is_first ? "" : is_end ? " and " : ", ", out);
			print_roff(out, before->name);
			is_first = false;
		}
		before = is_end ? NULL : &settings_table[i];
	}
}

void settings_print_manual(FILE *out)
{
	(void)fputs(
		".TH WEBSENTRY 1 \"\" \"websentry\" \"User commands\"\n.SH NAME\n"
		"websentry \\- watch websites, through Kafka into PostgreSQL or alone with SQLite\n"
		".SH SYNOPSIS\n.B websentry\n.I command\n[options] [URL... | sites.yaml]\n.SH "
		"COMMANDS\n",
		out);
	for (size_t i = 0; i < commands_table_count; i++) {
		const struct command_row *row = &commands_table[i];
		if (row->help == NULL)
			continue;
		(void)fprintf(out, ".TP\n.B %s\n", row->name);
		print_roff(out, row->arguments);
		(void)fputs(row->arguments[0] == 0 ? "" : "\n.br\n", out);
		print_roff(out, row->help);
		(void)fputs(".\n", out);
	}
	(void)fputs(".SH OPTIONS\nFlags win over the environment, that over the "
		    "\\fB\\-\\-config\\fR file, "
		    "that over defaults. An empty variable is an unset one. A secret NAME can also "
		    "be read from the "
		    "file that NAME_FILE names, or from $CREDENTIALS_DIRECTORY.\n",
		    out);
	for (size_t i = 0; show_group(i) != NULL; i++) {
		(void)fprintf(out, ".SS %s\n", show_group(i));
		for (size_t j = 0; j < settings_table_count; j++)
			if (strcmp(settings_table[j].group, show_group(i)) == 0)
				print_manual_row(out, &settings_table[j]);
	}
	(void)fputs(".SH SIGNALS\nSIGTERM and SIGINT stop in good order. SIGHUP reads the sites "
		    "and the settings ",
		    out);
	print_reloadable(out);
	(void)fputs(" again, as a change of their files does; with a mistake\n"
		    "the configuration before stays.\n",
		    out);
	(void)fputs(".SH EXIT STATUS\n0: fine. 2: the input is wrong, nothing was started. 1: "
		    "anything else.\n"
		    "\\fBcheck\\fR: 0 up, 1 degraded, 2 down or wrong input (with "
		    "\\fB\\-\\-nagios\\fR 3), 3 "
		    "unknown; of several the worst, in the order up, degraded, unknown, down.\n",
		    out);
}
