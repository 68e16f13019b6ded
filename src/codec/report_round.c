#include "codec/report_round.h"

#include <stdbool.h>
#include <string.h>

#include "base/json_parse.h"
#include "base/memory.h"
#include "check/report_row.h"

struct reading {
	struct report_row *row;
	char *storage;
	struct row_text *text; /* whose value comes next; NULL: no text of ours */
	bool is_outcome;       /* the outcome's value comes next */
};

static bool is_named(const struct json_event *key, const char *name)
{
	return key->length == strlen(name) && memcmp(key->bytes, name, key->length) == 0;
}

static void take_name(struct reading *reading, const struct json_event *key)
{
	reading->is_outcome = is_named(key, "outcome");
	reading->text = is_named(key, "reason")    ? &reading->row->round_reason
			: is_named(key, "message") ? &reading->row->round_message
						   : NULL;
}

static void take_text(struct reading *reading, const struct json_event *event)
{
	struct report_row *row = reading->row;
	if (reading->is_outcome) {
		row->is_speaker =
			outcome_parse(event->bytes, event->length, &row->round_outcome.value) == 0;
	} else if (reading->text != NULL) {
		*reading->text =
			(struct row_text){.bytes = reading->storage, .length = event->length};
		memcpy(reading->storage, event->bytes, event->length);
		reading->storage[event->length] = '\0';
		reading->storage += event->length + 1;
	}
}

static void on_event(void *context, const struct json_event *event)
{
	struct reading *reading = context;
	if (event->depth == 1 && event->kind == JSON_KEY)
		take_name(reading, event);
	else if (event->depth == 1 && event->kind == JSON_TEXT)
		take_text(reading, event);
}

void report_round_read(struct report_row *row)
{
	/* each text is shorter than it is there, with its quotes */
	row->round_storage = xmalloc(row->round.length + 1);
	struct reading reading = {.row = row, .storage = row->round_storage};
	(void)json_parse(row->round.bytes, row->round.length, on_event, &reading);
}
