/* Which messages a `quarantine` command is about. */
#include "base/text.h"
#include "config/effective.h"
#include "config/reading.h"

static void check_ids(struct reading *reading)
{
	const struct text_list *words = &reading->settings->words;
	for (size_t i = 0; i < words->count; i++) {
		int64_t id;
		if (text_parse_int64(words->items[i], &id) != 0 || id < 0)
			reading_problem(reading, "arguments",
					"found '%s', expected an id as `quarantine list` shows it",
					words->items[i]);
	}
}

static void check_retry(struct reading *reading)
{
	const struct settings *settings = reading->settings;
	size_t count = settings->words.count;
	if (settings->file != NULL && count != 1)
		reading_problem(reading, "--file",
				"found %zu ids, expected the one that it is the repair of", count);
	else if (count == 0 && !settings->is_all)
		reading_problem(reading, "arguments",
				"found none, expected ids as `quarantine list` shows them, or "
				"--all");
	else if (count > 0 && (settings->is_all || settings->reason != NULL))
		reading_problem(reading, settings->is_all ? "--all" : "--reason",
				"found beside ids, expected one of them");
}

void effective_check_quarantine(struct reading *reading)
{
	if (reading->is_incomplete)
		return;
	switch (reading->commands) {
	case COMMAND_QUARANTINE_SHOW:
		if (reading->settings->words.count != 1)
			reading_problem(reading, "arguments",
					"found %zu ids, expected one as `quarantine list` shows it",
					reading->settings->words.count);
		check_ids(reading);
		break;
	case COMMAND_QUARANTINE_RETRY:
		check_retry(reading);
		check_ids(reading);
		break;
	default:
		break;
	}
}
