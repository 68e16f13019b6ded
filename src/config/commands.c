#include "config/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

const struct command_row commands_table[] = {
	{COMMAND_PRODUCER, "producer", "[URL… | sites.yaml]",
	 "check sites, publish reports to Kafka"},
	{COMMAND_CONSUMER, "consumer", "", "store reports from Kafka in PostgreSQL"},
	{COMMAND_RUN, "run", "[URL… | sites.yaml]",
	 "both in one process, with SQLite and a status page; no Kafka"},
	{COMMAND_CHECK, "check", "URL… | sites.yaml",
	 "check now, once or --repeat times, and print what was found"},
	{COMMAND_SITES, "sites", "[URL… | sites.yaml]",
	 "list the sites that a producer would watch, and when each is due next"},
	{COMMAND_CONFIG_CHECK, "config check", "[COMMAND] [URL… | sites.yaml]",
	 "validate everything that a command (run) would read"},
	{COMMAND_CONFIG_PRINT, "config print", "[COMMAND] [URL… | sites.yaml]",
	 "print a command's effective settings and where each came from"},
	{COMMAND_DB_MIGRATE, "db migrate", "", "create or upgrade the tables in PostgreSQL"},
	{COMMAND_AUDIT, "audit", "", "tell which reports are missing in the store"},
	{COMMAND_QUARANTINE_LIST, "quarantine list", "",
	 "list messages that could not be stored, the newest first"},
	{COMMAND_QUARANTINE_SHOW, "quarantine show", "ID", "show one of them, and why it is there"},
	{COMMAND_QUARANTINE_RETRY, "quarantine retry", "ID…",
	 "store them as they are, or one repaired in a file"},
	{COMMAND_OUTBOX_SHOW, "outbox show", "", "list the reports that wait for Kafka"},
	{COMMAND_OUTBOX_SALVAGE, "outbox salvage", "FILE",
	 "feed what a damaged outbox file still holds back into the outbox"},
	{COMMAND_WEB, "web", "", "status page, API and /metrics alone, over an existing store"},
	{COMMAND_COMPLETION, "completion", "bash|zsh|fish",
	 "print a script that completes in a shell"},
	{COMMAND_HELP, "help", "[COMMAND]", "print what a command takes"},
	{COMMAND_VERSION, "version", "", "print the version"},
	{COMMAND_MANUAL, "manual", "man|markdown|metrics", NULL},
};
const size_t commands_table_count = sizeof(commands_table) / sizeof(commands_table[0]);

const char *command_name(enum command command)
{
	for (size_t i = 0; i < commands_table_count; i++)
		if (commands_table[i].command == command)
			return commands_table[i].name;
	return "websentry";
}

/* How many words of a name stand at the beginning of words: all of them, or 0. */
static size_t match_name(const char *name, char *const *words, size_t count)
{
	size_t used = 0;
	for (const char *at = name; *at != '\0'; used++) {
		size_t length = strcspn(at, " ");
		if (used == count || strlen(words[used]) != length ||
		    strncmp(words[used], at, length) != 0)
			return 0;
		at += length;
		at += strspn(at, " ");
	}
	return used;
}

enum command commands_find(char *const *words, size_t count, size_t *ret_used)
{
	for (size_t i = 0; i < commands_table_count; i++) {
		size_t used = match_name(commands_table[i].name, words, count);
		if (used > 0) {
			*ret_used = used;
			return commands_table[i].command;
		}
	}
	*ret_used = 0;
	return COMMAND_NONE;
}

enum command commands_by_name(const char *name)
{
	for (size_t i = 0; i < commands_table_count; i++)
		if (strcmp(commands_table[i].name, name) == 0)
			return commands_table[i].command;
	return COMMAND_NONE;
}

const char *commands_nearest(const char *word)
{
	const char *names[sizeof(commands_table) / sizeof(commands_table[0])];
	size_t count = 0;
	for (size_t i = 0; i < commands_table_count; i++)
		if (commands_table[i].help != NULL)
			names[count++] = commands_table[i].name;
	if (strcmp(word, "config") == 0)
		return "config check";
	if (strcmp(word, "db") == 0 || strcmp(word, "migrate") == 0 || strcmp(word, "init") == 0)
		return "db migrate";
	if (strcmp(word, "quarantine") == 0)
		return "quarantine list";
	if (strcmp(word, "outbox") == 0)
		return "outbox show";
	return text_nearest(word, names, count);
}

const char *commands_list(void)
{
	return "producer, consumer, run, check, sites, config check, config print, db migrate, "
	       "audit, "
	       "quarantine list, quarantine show, quarantine retry, outbox show, outbox salvage, "
	       "web";
}

void commands_describe(unsigned commands, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < commands_table_count && used < size; i++)
		if ((commands_table[i].command & commands) != 0)
			used += (size_t)snprintf(text + used, size - used, "%s`%s`",
						 used == 0 ? "" : ", ", commands_table[i].name);
}
