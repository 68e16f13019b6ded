/* What `check` prints, and how often it checks: the switches that belong together, and those that do not. */
#include <stddef.h>

#include "base/clock.h"
#include "config/effective.h"
#include "config/reading.h"

#define REPEAT_EVERY_US (1 * CLOCK_US_PER_S)

/* Two ways to print, or one that speaks of a single check beside many of them. */
static void refuse_together(struct reading *reading, bool has_one, const char *one, bool has_other,
			    const char *other, const char *why)
{
	if (has_one && has_other)
		reading_problem(reading, one, "found beside %s, expected one of them: %s", other,
				why);
}

/* Sites without an interval have the default one: how often `check` repeats says nothing of their timeouts. */
static void complete_interval(struct reading *reading)
{
	struct settings *settings = reading->settings;
	const struct given *given = reading_find(reading, "interval", SOURCE_FLAG);
	const struct setting *row = settings_table_find("interval");
	settings->repeat_every_us = given == NULL ? REPEAT_EVERY_US : settings->interval_us;
	if (given == NULL)
		reading_set_origin(reading, "interval", SOURCE_DEFAULT, NULL, "1s");
	else if (!effective_was_tried(reading, "repeat"))
		reading_problem(reading, given->place, "does nothing without --repeat");
	setting_store(row, row->default_text, settings);
}

void effective_complete_check(struct reading *reading)
{
	const struct settings *settings = reading->settings;
	if (reading->commands != COMMAND_CHECK)
		return;
	complete_interval(reading);
	refuse_together(reading, settings->is_nagios, "--nagios", settings->is_json, "--json",
			"each is a form of its own");
	refuse_together(reading, settings->is_nagios, "--nagios", settings->repeat > 0, "--repeat",
			"a status line is of one check");
	refuse_together(reading, settings->is_explained, "--explain", settings->is_nagios,
			"--nagios", "a status is one line");
	refuse_together(reading, settings->is_explained, "--explain", settings->is_json, "--json",
			"the report has its failures, an explanation is for people");
}
