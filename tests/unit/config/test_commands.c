/* Which command a command line means, and whose settings it is about. */
#include "fixture.h"

#include <string.h>

struct command_case {
	const char *name;
	struct fixture_input input;
	enum command command;
	enum command subject;
};

#define SITE "--url=http://a/"

static const struct command_case cases[] = {
	{"nothing at all", {.args = {NULL}}, COMMAND_NONE, COMMAND_NONE},
	{"producer",
	 {.args = {"producer", SITE, "--kafka-servers=k"}},
	 COMMAND_PRODUCER,
	 COMMAND_PRODUCER},
	{"flags before the command",
	 {.args = {"--kafka-servers", "k", "producer", SITE}},
	 COMMAND_PRODUCER,
	 COMMAND_PRODUCER},
	{"consumer",
	 {.args = {"consumer", "--kafka-servers=k", "--database-dsn=host=h"}},
	 COMMAND_CONSUMER,
	 COMMAND_CONSUMER},
	{"run", {.args = {"run", SITE}}, COMMAND_RUN, COMMAND_RUN},
	{"check", {.args = {"check", SITE}}, COMMAND_CHECK, COMMAND_CHECK},
	{"web", {.args = {"web"}}, COMMAND_WEB, COMMAND_WEB},
	{"db migrate",
	 {.args = {"db", "migrate", "--database-dsn=host=h"}},
	 COMMAND_DB_MIGRATE,
	 COMMAND_DB_MIGRATE},
	{"outbox show", {.args = {"outbox", "show"}}, COMMAND_OUTBOX_SHOW, COMMAND_OUTBOX_SHOW},
	{"outbox salvage",
	 {.args = {"outbox", "salvage", "--data-dir=/tmp", "old.db"}},
	 COMMAND_OUTBOX_SALVAGE,
	 COMMAND_OUTBOX_SALVAGE},
	{"--mode=producer",
	 {.args = {"--mode=producer", SITE, "--kafka-servers=k"}},
	 COMMAND_PRODUCER,
	 COMMAND_PRODUCER},
	{"--mode consumer",
	 {.args = {"--mode", "consumer", "--kafka-servers=k", "--database-dsn=host=h"}},
	 COMMAND_CONSUMER,
	 COMMAND_CONSUMER},
	{"--mode=init",
	 {.args = {"--mode=init"}, .environment = {"POSTGRES_DSN=host=h"}},
	 COMMAND_DB_MIGRATE,
	 COMMAND_DB_MIGRATE},
	{"--mode beside the same command",
	 {.args = {"producer", "--mode=producer", SITE, "--kafka-servers=k"}},
	 COMMAND_PRODUCER,
	 COMMAND_PRODUCER},
	{"config check", {.args = {"config", "check", SITE}}, COMMAND_CONFIG_CHECK, COMMAND_RUN},
	{"config check producer",
	 {.args = {"config", "check", "producer", SITE, "--kafka-servers=k"}},
	 COMMAND_CONFIG_CHECK,
	 COMMAND_PRODUCER},
	{"config check --mode=producer",
	 {.args = {"config", "check", "--mode=producer", SITE, "--kafka-servers=k"}},
	 COMMAND_CONFIG_CHECK,
	 COMMAND_PRODUCER},
	{"config print db migrate",
	 {.args = {"config", "print", "db", "migrate", "--database-dsn=host=h"}},
	 COMMAND_CONFIG_PRINT,
	 COMMAND_DB_MIGRATE},
	{"config print needs no site",
	 {.args = {"config", "print"}},
	 COMMAND_CONFIG_PRINT,
	 COMMAND_RUN},
	{"--help", {.args = {"--help"}}, COMMAND_HELP, COMMAND_NONE},
	{"-h", {.args = {"-h"}}, COMMAND_HELP, COMMAND_NONE},
	{"producer --help needs no settings",
	 {.args = {"producer", "--help"}},
	 COMMAND_HELP,
	 COMMAND_PRODUCER},
	{"--mode=consumer --help",
	 {.args = {"--mode=consumer", "--help"}},
	 COMMAND_HELP,
	 COMMAND_CONSUMER},
	{"help", {.args = {"help"}}, COMMAND_HELP, COMMAND_NONE},
	{"help db migrate", {.args = {"help", "db", "migrate"}}, COMMAND_HELP, COMMAND_DB_MIGRATE},
	{"help config check",
	 {.args = {"help", "config", "check"}},
	 COMMAND_HELP,
	 COMMAND_CONFIG_CHECK},
	{"version", {.args = {"version"}}, COMMAND_VERSION, COMMAND_NONE},
	{"--version", {.args = {"--version"}}, COMMAND_VERSION, COMMAND_NONE},
	{"-V", {.args = {"-V"}}, COMMAND_VERSION, COMMAND_NONE},
	{"completion", {.args = {"completion", "zsh"}}, COMMAND_COMPLETION, COMMAND_NONE},
	{"manual", {.args = {"manual", "man"}}, COMMAND_MANUAL, COMMAND_NONE},
	{"the older consumer takes the producer's flags",
	 {.args = {"--mode=consumer", "--kafka-servers=k", "--database-dsn=host=h"}},
	 COMMAND_CONSUMER,
	 COMMAND_CONSUMER},
};

static void names_the_command(void **state)
{
	const struct command_case *row = *state;
	struct fixture fixture;
	fixture_read(&fixture, &row->input);
	assert_string_equal(fixture.lines, "");
	assert_int_equal(fixture.settings.command, row->command);
	assert_int_equal(fixture.settings.subject, row->subject);
	fixture_finish(&fixture);
}

static void older_mode_only_warns_of_flags_of_the_other(void **state)
{
	(void)state;
	const struct fixture_input input = {.args = {"--mode=consumer", "--kafka-servers=k",
						     "--seconds=30", "--database-dsn=host=h"}};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(
		fixture.lines,
		"warning --seconds: does nothing for `consumer`, only for `producer`, `run`, "
		"`check`, `sites`\n");
	fixture_finish(&fixture);
}

static void words_after_two_dashes_are_arguments(void **state)
{
	(void)state;
	const struct fixture_input input = {.args = {"run", "--", "--odd.yaml"},
					    .files = {{"--odd.yaml", "[http://a/]"}}};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, "");
	assert_int_equal(fixture.sites.count, 1);
	fixture_finish(&fixture);
}

static void every_command_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(command_name(COMMAND_DB_MIGRATE), "db migrate");
	assert_string_equal(command_name(COMMAND_NONE), "websentry");
}

int main(void)
{
	FIXTURE_ADD_TABLE(cases, names_the_command);
	FIXTURE_ADD(older_mode_only_warns_of_flags_of_the_other);
	FIXTURE_ADD(words_after_two_dashes_are_arguments);
	FIXTURE_ADD(every_command_has_a_name);
	return fixture_run("commands");
}
