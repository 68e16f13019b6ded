#include "web/escape.h"

#include <stddef.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"

static const char *reference_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* The store may hand out what an older release or a person wrote, so bytes are made safe once more. */
static void clean(struct buffer *out, const char *text)
{
	buffer_init(out, 4 * strlen(text) + 1);
	(void)text_clean(out, text, strlen(text), 4 * strlen(text));
}

void escape_html(struct buffer *out, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	struct buffer safe;
	clean(&safe, text);
	size_t start = 0;
	for (size_t i = 0; i < safe.length; i++) {
		const char *reference = reference_of(safe.data[i]);
		if (reference == NULL)
			continue;
		(void)buffer_append(out, safe.data + start, i - start);
		(void)buffer_append_text(out, reference);
		start = i + 1;
	}
	if (safe.length > start)
		(void)buffer_append(out, safe.data + start, safe.length - start);
	buffer_finish(&safe);
}

void escape_json(struct buffer *out, const char *text)
{
	if (text == NULL) {
		(void)buffer_append_text(out, "null");
		return;
	}
	struct buffer safe;
	clean(&safe, text);
	(void)buffer_append_char(out, '"');
	for (size_t i = 0; i < safe.length; i++) {
		char c = safe.data[i];
		if (c == '"' || c == '\\') {
			(void)buffer_append_char(out, '\\');
			(void)buffer_append_char(out, c);
		} else if (c == '<' || c == '>' || c == '&') {
			(void)buffer_append_format(out, "\\u%04x", (unsigned)c);
		} else {
			(void)buffer_append_char(out, c);
		}
	}
	(void)buffer_append_char(out, '"');
	buffer_finish(&safe);
}
