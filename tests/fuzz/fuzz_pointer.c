/*
 * check/json_pointer.c and check/secrets.c: the first line is a pointer, the rest a document. Whatever they are, values are bounded, a
 * document that is JSON is read to its end, the pointer leads to what another reader finds there, and nothing is left of a secret that
 * stands in it.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/json_pointer.h"
#include "check/secrets.h"
#include "check/site.h"
#include "json_oracle.h"

static void on_event(void *context, const struct json_event *event)
{
	(void)context;
	(void)event;
}

static void look(const char *pointer, const char *document, size_t length)
{
	const char *pointers[] = {pointer, ""};
	struct json_value values[2];
	bool is_json = json_parse_within(document, length, JSON_POINTER_DEPTH_MAX, on_event, NULL);
	enum json_pointer_result result = json_pointer_find(document, length, pointers, 2, values);
	FUZZ_PROMISE(is_json == (result == JSON_POINTER_READ));
	FUZZ_PROMISE(!is_json || values[1].is_found);
	if (is_json)
		json_oracle_compare(document, length, pointer, &values[0]);
	for (size_t i = 0; i < 2; i++) {
		FUZZ_PROMISE(!values[i].is_found || values[i].length <= JSON_POINTER_VALUE_MAX);
		FUZZ_PROMISE(!values[i].is_found || values[i].text[values[i].length] == '\0');
		json_value_finish(&values[i]);
	}
}

static void hide(const char *document, size_t length)
{
	static const char secret[] = "c4nary";
	struct site site;
	struct buffer out;
	site_init(&site);
	site.headers = xcalloc(1, sizeof(*site.headers));
	site.headers[0] = (struct site_header){xstrdup("X-Api-Key"), xstrdup(secret)};
	site.header_count = 1;
	struct secrets *secrets = secrets_create(&site);
	buffer_init(&out, 12 * length + 64);
	secrets_hide(secrets, document, length, true, &out);
	FUZZ_PROMISE(!out.is_overflowed);
	FUZZ_PROMISE(out.data == NULL ||
		     memmem(out.data, out.length, secret, strlen(secret)) == NULL);
	buffer_finish(&out);
	secrets_destroy(secrets);
	site_finish(&site);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = memchr(data, '\n', size);
	size_t length = line == NULL ? 0 : (size_t)(line - (const char *)data);
	char *pointer = xstrndup((const char *)data, length);
	const char *document = (const char *)data + length + (line == NULL ? 0 : 1);
	size_t left = size - (size_t)(document - (const char *)data);
	if (json_pointer_is_valid(pointer))
		look(pointer, document, left);
	hide(document, left);
	free(pointer);
	return 0;
}
