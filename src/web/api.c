#include "web/api.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "web/escape.h"
#include "web/snapshot.h"

static void put(struct buffer *out, const char *json)
{
	(void)buffer_append_text(out, json);
}

static void put_text(struct buffer *out, const char *key, const char *value)
{
	(void)buffer_append_format(out, ",\"%s\":", key);
	escape_json(out, value);
}

static void put_number(struct buffer *out, const char *key, int64_t value, bool is_known)
{
	if (is_known)
		(void)buffer_append_format(out, ",\"%s\":%" PRId64, key, value);
	else
		(void)buffer_append_format(out, ",\"%s\":null", key);
}

static const char *outcome_of_letter(char letter)
{
	switch (letter) {
	case 'U':
		return outcome_name(OUTCOME_UP);
	case 'G':
		return outcome_name(OUTCOME_DEGRADED);
	case 'D':
		return outcome_name(OUTCOME_DOWN);
	default:
		return outcome_name(OUTCOME_UNKNOWN);
	}
}

static void put_site(struct buffer *out, const struct site_view *view)
{
	char started_at[CLOCK_TEXT_SIZE];
	clock_format(view->started_at, started_at);
	put(out, "{\"name\":");
	escape_json(out, view->name);
	put_text(out, "url", view->url);
	put_text(out, "outcome", outcome_name(view->outcome));
	put_text(out, "reason", view->reason);
	put_text(out, "message", view->message);
	put_text(out, "started_at", started_at);
	put_number(out, "total_us", view->total_us, view->total_us >= 0);
	put_number(out, "interval_us", view->interval_us, true);
	put_number(out, "http_status_code", view->http_status_code, view->http_status_code != 0);
	put_text(out, "location", view->location);
	put(out, view->state == SITE_OVERDUE ? ",\"overdue\":true" : ",\"overdue\":false");
	put(out, view->state == SITE_CLOSED ? ",\"closed\":true" : ",\"closed\":false");
	put(out, ",\"recent\":[");
	for (const char *letter = view->strip; *letter != '\0'; letter++)
		(void)buffer_append_format(out, "%s\"%s\"", letter == view->strip ? "" : ",",
					   outcome_of_letter(*letter));
	put(out, "]}");
}

void api_write_sites(struct buffer *out, const struct snapshot *snapshot)
{
	const char *separator = "";
	put(out, "[");
	for (size_t i = 0; i < snapshot->count; i++) {
		if (snapshot->sites[i].state == SITE_WAITING)
			continue;
		put(out, separator);
		put_site(out, &snapshot->sites[i]);
		separator = ",\n";
	}
	put(out, "]\n");
}
