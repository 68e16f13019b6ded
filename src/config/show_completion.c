/* Completion for bash, zsh and fish, from the table. */
#include <stdio.h>
#include <string.h>

#include "config/commands.h"
#include "config/settings.h"
#include "config/show.h"

/* "a b c": the first words of commands, each once. */
static void print_commands(FILE *out, const char *separator)
{
	const char *last = "";
	size_t last_length = 0;
	for (size_t i = 0; i < commands_table_count; i++) {
		const struct command_row *row = &commands_table[i];
		size_t length = strcspn(row->name, " ");
		if (row->help == NULL ||
		    (length == last_length && strncmp(row->name, last, length) == 0))
			continue;
		(void)fprintf(out, "%s%.*s", last_length == 0 ? "" : separator, (int)length,
			      row->name);
		last = row->name;
		last_length = length;
	}
}

static bool is_negated(const struct setting *setting)
{
	return setting->type == SETTING_BOOL && setting->default_text != NULL &&
	       strcmp(setting->default_text, "true") == 0;
}

/* The flags of a command, or (0) of all, each behind a blank. */
static void print_flags(FILE *out, unsigned commands)
{
	for (size_t i = 0; i < settings_table_count; i++) {
		const struct setting *setting = &settings_table[i];
		if ((setting->traits & SETTING_NO_FLAG) == 0 &&
		    (commands == 0 || setting_belongs(setting, commands)))
			(void)fprintf(out, " --%s%s", is_negated(setting) ? "no-" : "",
				      setting->name);
	}
	(void)fputs(" --help", out);
}

static bool has_flags(enum command command)
{
	for (size_t i = 0; i < settings_table_count; i++)
		if (setting_belongs(&settings_table[i], (unsigned)command))
			return true;
	return false;
}

static bool wants_path(const struct setting *setting)
{
	return setting->placeholder != NULL && (strstr(setting->placeholder, "FILE") != NULL ||
						strstr(setting->placeholder, "FOLDER") != NULL);
}

/* The flags behind which a path is completed: "--a|--b". */
static void print_path_flags(FILE *out)
{
	bool is_first = true;
	for (size_t i = 0; i < settings_table_count; i++) {
		if (!wants_path(&settings_table[i]))
			continue;
		(void)fprintf(out, "%s--%s", is_first ? "" : "|", settings_table[i].name);
		is_first = false;
	}
}

static void print_choices(FILE *out, const struct setting *setting)
{
	for (size_t i = 0; i < SETTING_CHOICES_MAX && setting->choices[i] != NULL; i++)
		(void)fprintf(out, "%s%s", i == 0 ? "" : " ", setting->choices[i]);
}

static void print_bash_cases(FILE *out)
{
	for (size_t i = 0; i < settings_table_count; i++) {
		if (settings_table[i].type != SETTING_CHOICE)
			continue;
		(void)fprintf(out, "\t--%s) COMPREPLY=($(compgen -W '", settings_table[i].name);
		print_choices(out, &settings_table[i]);
		(void)fputs("' -- \"$word\")); return ;;\n", out);
	}
	for (size_t i = 0; i < commands_table_count; i++) {
		const struct command_row *row = &commands_table[i];
		size_t length = strcspn(row->name, " ");
		if (row->name[length] == '\0' || row->help == NULL)
			continue;
		(void)fprintf(out, "\t%.*s) COMPREPLY=($(compgen -W '", (int)length, row->name);
		for (size_t j = 0; j < commands_table_count; j++)
			if (strncmp(commands_table[j].name, row->name, length + 1) == 0)
				(void)fprintf(out, "%s ", commands_table[j].name + length + 1);
		(void)fputs("' -- \"$word\")); return ;;\n", out);
		while (i + 1 < commands_table_count &&
		       strncmp(commands_table[i + 1].name, row->name, length + 1) == 0)
			i++;
	}
}

static void print_bash(FILE *out)
{
	(void)fputs(
		"# bash completion for websentry: source <(websentry completion bash)\n"
		"_websentry()\n{\n"
		"\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} flags\n"
		"\tcase $before in\n\t",
		out);
	print_path_flags(out);
	(void)fputs(
		") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
		"\tcompletion) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\")); return ;;\n",
		out);
	print_bash_cases(out);
	(void)fputs("\tesac\n\tif [[ $COMP_CWORD -eq 1 && $word != -* ]]; then\n"
		    "\t\tCOMPREPLY=($(compgen -W '",
		    out);
	print_commands(out, " ");
	(void)fputs("' -- \"$word\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n", out);
	for (size_t i = 0; i < commands_table_count; i++) {
		const struct command_row *row = &commands_table[i];
		if (strchr(row->name, ' ') != NULL || !has_flags(row->command))
			continue;
		(void)fprintf(out, "\t%s) flags='", row->name);
		print_flags(out, row->command);
		(void)fputs("' ;;\n", out);
	}
	(void)fputs("\t*) flags='", out);
	print_flags(out, 0);
	(void)fputs("' ;;\n\tesac\n"
		    "\tif [[ $word == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$flags\" -- "
		    "\"$word\"))\n"
		    "\telse\n\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n\tfi\n}\n"
		    "complete -o filenames -F _websentry websentry\n",
		    out);
}

/* Text between single quotes, without those that would end them, nor brackets and colons that zsh reads. */
static void print_quoted(FILE *out, const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if (strchr("'[]:\\", *at) == NULL)
			(void)fputc(*at, out);
}

static void print_zsh_flag(FILE *out, const struct setting *setting)
{
	(void)fprintf(out, "\t'%s--%s%s[", setting->type == SETTING_LIST ? "*" : "",
		      is_negated(setting) ? "no-" : "", setting->name);
	print_quoted(out, setting->help);
	(void)fputc(']', out);
	if (setting->type == SETTING_CHOICE) {
		(void)fputs(":value:(", out);
		print_choices(out, setting);
		(void)fputc(')', out);
	} else if (setting->type != SETTING_BOOL) {
		(void)fprintf(out, ":value:%s", wants_path(setting) ? "_files" : "");
	}
	(void)fputs("' \\\n", out);
}

static void print_zsh(FILE *out)
{
	(void)fputs("#compdef websentry\n_websentry()\n{\n\t_arguments \\\n", out);
	for (size_t i = 0; i < settings_table_count; i++)
		if ((settings_table[i].traits & SETTING_NO_FLAG) == 0)
			print_zsh_flag(out, &settings_table[i]);
	(void)fputs("\t'--help[what a command takes]' \\\n\t'1:command:(", out);
	print_commands(out, " ");
	/* From a folder of functions it is this file that is called the first time; sourced, it has only to say whose it is. */
	(void)fputs(")' \\\n\t'*:sites:_files'\n}\n"
		    "if [ \"$funcstack[1]\" = _websentry ]; then\n\t_websentry \"$@\"\nelse\n"
		    "\tcompdef _websentry websentry\nfi\n",
		    out);
}

static void print_fish(FILE *out)
{
	(void)fputs("complete -c websentry -n __fish_use_subcommand -f -a '", out);
	print_commands(out, " ");
	(void)fputs("'\n", out);
	for (size_t i = 0; i < settings_table_count; i++) {
		const struct setting *setting = &settings_table[i];
		if ((setting->traits & SETTING_NO_FLAG) != 0)
			continue;
		(void)fprintf(out, "complete -c websentry -l %s%s%s -d '",
			      is_negated(setting) ? "no-" : "", setting->name,
			      setting->type == SETTING_BOOL ? ""
			      : wants_path(setting)         ? " -r"
							    : " -x");
		print_quoted(out, setting->help);
		(void)fputc('\'', out);
		if (setting->type == SETTING_CHOICE) {
			(void)fputs(" -a '", out);
			print_choices(out, setting);
			(void)fputc('\'', out);
		}
		(void)fputc('\n', out);
	}
	(void)fputs("complete -c websentry -l help -d 'what a command takes'\n", out);
}

void settings_print_completion(FILE *out, const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		print_bash(out);
	else if (strcmp(shell, "zsh") == 0)
		print_zsh(out);
	else
		print_fish(out);
}
