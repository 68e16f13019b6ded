/* base/json_parse.c: events are nested as they say, their texts are UTF-8, and white space around a document changes nothing. */
#include "fuzz.h"

#include <string.h>

#include "base/json_parse.h"
#include "base/memory.h"
#include "base/text.h"

struct seen {
	const char *start;
	const char *end;
	int depth;
	size_t events;
};

static void on_event(void *context, const struct json_event *event)
{
	struct seen *seen = context;
	int64_t number;
	bool is_end = event->kind == JSON_OBJECT_END || event->kind == JSON_ARRAY_END;
	bool is_begin = event->kind == JSON_OBJECT || event->kind == JSON_ARRAY;
	seen->depth -= is_end ? 1 : 0;
	FUZZ_PROMISE(event->depth == seen->depth && seen->depth >= 0 &&
		     seen->depth <= JSON_DEPTH_MAX);
	seen->depth += is_begin ? 1 : 0;
	FUZZ_PROMISE(event->place >= seen->start && event->place <= seen->end);
	if (event->kind == JSON_NUMBER)
		(void)json_to_int64(event, &number);
	bool is_text = event->kind == JSON_TEXT || event->kind == JSON_KEY;
	if (is_text && !event->is_bad_text)
		FUZZ_PROMISE(text_is_utf8(event->bytes, event->length));
	seen->events++;
}

static bool parse(const char *bytes, size_t length, size_t *ret_events)
{
	struct seen seen = {.start = bytes, .end = bytes + length};
	bool is_json = json_parse(bytes, length, on_event, &seen);
	FUZZ_PROMISE(!is_json || (seen.depth == 0 && seen.events > 0));
	*ret_events = seen.events;
	return is_json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t events;
	size_t events_padded;
	char *padded = xmalloc(size + 2);
	padded[0] = ' ';
	if (size > 0)
		memcpy(padded + 1, data, size);
	padded[size + 1] = '\n';
	bool is_json = parse((const char *)data, size, &events);
	FUZZ_PROMISE(parse(padded, size + 2, &events_padded) == is_json);
	FUZZ_PROMISE(!is_json || events == events_padded);
	free(padded);
	return 0;
}
