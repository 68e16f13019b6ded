/*
 * The database from a DSN, from parts, or from both: parts of a better source win over the DSN, those of its own must
 * agree with it, and those of a lesser one fill what it leaves out, as libpq's own variables do at connect time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/dsn.h"
#include "config/effective.h"
#include "config/problems.h"
#include "config/reading.h"
#include "config/service_file.h"

struct part {
	const char *keyword;
	const char *setting;
};

static const struct part parts[] = {
	{"host", "database-host"}, {"port", "database-port"},         {"dbname", "database-name"},
	{"user", "database-user"}, {"password", "database-password"},
};
enum { PART_COUNT = sizeof(parts) / sizeof(parts[0]) };

/* Whether a DSN and a part of the same source contradict each other. */
static void check_agreement(struct reading *reading, const char *dsn,
			    const struct setting_origin *whole, const struct part *part,
			    const struct setting_origin *origin)
{
	char *in_dsn = dsn_get(dsn, part->keyword);
	if (in_dsn != NULL && strcmp(in_dsn, origin->text) != 0) {
		if (strcmp(part->keyword, "password") == 0)
			reading_problem(reading, origin->place,
					"differs from the password in %s, expected one of the two",
					whole->place);
		else
			reading_problem(
				reading, origin->place,
				"found '%.80s', but %s says '%.80s', expected one of the two",
				origin->text, whole->place, in_dsn);
	}
	free(in_dsn);
}

/* Where no DSN is given, and libpq's variables stand for it. */
static const char from_libpq[] = "PG*";

/* libpq looks the service up whatever the DSN says, and takes the address where the DSN names none. */
static void check_libpq(struct reading *reading)
{
	static const struct {
		const char *keyword;
		const char *variable;
	} checked[] = {{"service", "PGSERVICE"},
		       {"host", "PGHOST"},
		       {"hostaddr", "PGHOSTADDR"},
		       {"dbname", "PGDATABASE"}};
	for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++) {
		struct error err;
		const struct dsn_part part = {
			.keyword = checked[i].keyword,
			.value = reading_variable(reading, checked[i].variable),
		};
		const char *place = effective_origin(reading, "database-dsn")->place;
		bool is_dsn_of_libpq = place != NULL && strcmp(place, from_libpq) == 0;
		char *in_dsn = is_dsn_of_libpq
				       ? NULL
				       : dsn_get(reading->settings->database_dsn, part.keyword);
		char *alone = dsn_compose(NULL, &part, 1);
		if (in_dsn == NULL && dsn_check(alone, &err) != 0)
			reading_problem(reading, checked[i].variable, "%s", err.message);
		free(alone);
		free(in_dsn);
	}
}

/* libpq's variables alone: enough for the commands that can do nothing else than use PostgreSQL. */
static char *compose_from_libpq(const struct reading *reading)
{
	const struct dsn_part given[] = {
		{.keyword = "service", .value = reading_variable(reading, "PGSERVICE")},
		{.keyword = "host", .value = reading_variable(reading, "PGHOST")},
		{.keyword = "hostaddr", .value = reading_variable(reading, "PGHOSTADDR")},
		{.keyword = "dbname", .value = reading_variable(reading, "PGDATABASE")},
	};
	char *dsn = dsn_compose(NULL, given, sizeof(given) / sizeof(given[0]));
	if (dsn[0] != '\0')
		return dsn;
	free(dsn);
	return NULL;
}

static void take_from_libpq(struct reading *reading)
{
	struct settings *settings = reading->settings;
	settings->database_dsn = compose_from_libpq(reading);
	if (settings->database_dsn == NULL)
		effective_complain_missing(
			reading, "database-dsn",
			"a database (WEBSENTRY_DATABASE_NAME and its like will do)");
	else
		reading_set_origin(reading, "database-dsn", SOURCE_ENVIRONMENT, from_libpq,
				   settings->database_dsn);
}

static void complete_from_parts(struct reading *reading)
{
	struct settings *settings = reading->settings;
	const struct setting_origin *whole = effective_origin(reading, "database-dsn");
	struct dsn_part given[PART_COUNT] = {0};
	const struct setting_origin *first = NULL;
	for (size_t i = 0; i < PART_COUNT; i++) {
		const struct setting_origin *origin = effective_origin(reading, parts[i].setting);
		given[i].keyword = parts[i].keyword;
		if (origin->source == SOURCE_DEFAULT || origin->text == NULL)
			continue;
		given[i].value = origin->text;
		given[i].wins = origin->source > whole->source;
		if (first == NULL)
			first = origin;
		if (settings->database_dsn != NULL && origin->source == whole->source)
			check_agreement(reading, settings->database_dsn, whole, &parts[i], origin);
	}
	if (first == NULL)
		return;
	char *composed = dsn_compose(settings->database_dsn, given, PART_COUNT);
	free(settings->database_dsn);
	settings->database_dsn = composed;
	if (whole->source == SOURCE_DEFAULT)
		reading_set_origin(reading, "database-dsn", first->source, first->place, composed);
}

static bool was_any_tried(const struct reading *reading)
{
	bool was_tried = effective_was_tried(reading, "database-dsn");
	for (size_t i = 0; i < PART_COUNT; i++)
		was_tried = was_tried || effective_was_tried(reading, parts[i].setting);
	return was_tried;
}

/* What an LDAP server would say nobody has looked at: a check sends nothing. */
static void warn_of_ldap(struct reading *reading)
{
	char *service = dsn_get(reading->settings->database_dsn, "service");
	const char *place = effective_origin(reading, "database-dsn")->place;
	if (service == NULL) {
		service = xstrdup(reading_variable(reading, "PGSERVICE"));
		place = "PGSERVICE";
	}
	if (service != NULL && service_file_asks_ldap(service))
		problems_warn(reading->problems, place == NULL ? "--database-dsn" : place,
			      "its service '%.40s' is defined by an LDAP server, which was not "
			      "asked: what it answers is not checked before a connection is made",
			      service);
	free(service);
}

void effective_complete_database(struct reading *reading)
{
	struct settings *settings = reading->settings;
	bool is_needed = reading->commands == COMMAND_CONSUMER ||
			 (reading->commands == COMMAND_DB_MIGRATE && !settings->print_sql);
	if (!setting_belongs(settings_table_find("database-dsn"), reading->commands))
		return;
	complete_from_parts(reading);
	if (settings->database_dsn == NULL && !was_any_tried(reading) && is_needed)
		take_from_libpq(reading);
	if (settings->database_dsn != NULL) {
		check_libpq(reading);
		warn_of_ldap(reading);
	}
}
