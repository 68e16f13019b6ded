#include "codec/json_writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"

void json_begin(struct buffer *out, char bracket)
{
	(void)buffer_append_char(out, bracket);
}

void json_end(struct buffer *out, char bracket)
{
	(void)buffer_append_char(out, bracket);
}

void json_comma(struct buffer *out)
{
	if (out->length == 0)
		return;
	char last = out->data[out->length - 1];
	if (last != '{' && last != '[')
		(void)buffer_append_char(out, ',');
}

void json_name(struct buffer *out, const char *name)
{
	json_comma(out);
	(void)buffer_append_char(out, '"');
	(void)buffer_append_text(out, name);
	(void)buffer_append(out, "\":", 2);
}

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c != '"' && c != '\\';
}

static void append_escaped(struct buffer *out, unsigned char c)
{
	switch (c) {
	case '"':
		(void)buffer_append(out, "\\\"", 2);
		return;
	case '\\':
		(void)buffer_append(out, "\\\\", 2);
		return;
	case '\n':
		(void)buffer_append(out, "\\n", 2);
		return;
	case '\r':
		(void)buffer_append(out, "\\r", 2);
		return;
	case '\t':
		(void)buffer_append(out, "\\t", 2);
		return;
	default:
		(void)buffer_append_format(out, "\\u%04x", c);
	}
}

static void append_body(struct buffer *out, const char *text, size_t length)
{
	size_t start = 0;
	for (size_t i = 0; i < length; i++) {
		if (is_plain((unsigned char)text[i]))
			continue;
		(void)buffer_append(out, text + start, i - start);
		append_escaped(out, (unsigned char)text[i]);
		start = i + 1;
	}
	(void)buffer_append(out, text + start, length - start);
}

static bool is_ascii(const char *text, size_t length)
{
	unsigned char all = 0;
	for (size_t i = 0; i < length; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

/* The longest start of a valid text that has at most max bytes and ends between characters. */
static size_t cut(const char *text, size_t length, size_t max)
{
	if (length <= max)
		return length;
	while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
		max--;
	return max;
}

void json_text(struct buffer *out, const char *text, size_t max_bytes)
{
	size_t length = strlen(text);
	(void)buffer_append_char(out, '"');
	if (is_ascii(text, length) || text_is_utf8(text, length)) {
		append_body(out, text, cut(text, length, max_bytes));
	} else {
		char *clean = text_clean_copy(text, length, max_bytes);
		append_body(out, clean, strlen(clean));
		free(clean);
	}
	(void)buffer_append_char(out, '"');
}

void json_put_text(struct buffer *out, const char *name, const char *text, size_t max_bytes)
{
	json_name(out, name);
	json_text(out, text, max_bytes);
}

void json_put_int(struct buffer *out, const char *name, int64_t value)
{
	char digits[24];
	char *end = digits + sizeof(digits);
	char *at = end;
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	do {
		*--at = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		*--at = '-';
	json_name(out, name);
	(void)buffer_append(out, at, (size_t)(end - at));
}

void json_put_bool(struct buffer *out, const char *name, bool value)
{
	json_name(out, name);
	(void)buffer_append_text(out, value ? "true" : "false");
}

void json_put_time(struct buffer *out, const char *name, wall_us time)
{
	char text[CLOCK_TEXT_SIZE];
	clock_format(time, text);
	json_name(out, name);
	(void)buffer_append_char(out, '"');
	(void)buffer_append(out, text, CLOCK_TEXT_SIZE - 1);
	(void)buffer_append_char(out, '"');
}
