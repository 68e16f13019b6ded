#include "codec/json_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_parse.h"
#include "base/text.h"

/* The digits of an int64_t, and its sign. */
enum { INT_TEXT_MAX = 20 };

void json_write_init(struct json_write *json, struct buffer *out)
{
	*json = (struct json_write){.out = out};
}

static void comma(struct json_write *json)
{
	if (json->has_before)
		(void)buffer_append_char(json->out, ',');
	json->has_before = true;
}

void json_write_open(struct json_write *json, char bracket)
{
	comma(json);
	(void)buffer_append_char(json->out, bracket);
	json->has_before = false;
}

void json_write_close(struct json_write *json, char bracket)
{
	(void)buffer_append_char(json->out, bracket);
	json->has_before = true;
}

/* A member's name and room for more bytes of its value behind it: where that begins. NULL: there is no room. */
static char *begin_member(struct json_write *json, const char *name, size_t more,
			  size_t *ret_length)
{
	const size_t length = strlen(name);
	const size_t before = json->has_before ? 1 : 0;
	*ret_length = before + length + 3;
	char *at = buffer_grow(json->out, *ret_length + more);
	json->has_before = true;
	if (at == NULL)
		return NULL;
	if (before > 0)
		*at++ = ',';
	*at++ = '"';
	memcpy(at, name, length); /* NOLINT(bugprone-not-null-terminated-result): more follows */
	at += length;
	*at++ = '"';
	*at++ = ':';
	return at;
}

void json_write_name(struct json_write *json, const char *name)
{
	size_t length;
	if (begin_member(json, name, 0, &length) != NULL)
		buffer_grown(json->out, length);
	json->has_before = false; /* its value follows */
}

/* The length of a text that may stand there as it is, as nearly all may; SIZE_MAX for any other one. */
static size_t plain_length(const char *text)
{
	size_t length = strlen(text);
	bool is_plain =
		json_plain_end(text, text + length) == text + length && text_is_utf8(text, length);
	return is_plain ? length : SIZE_MAX;
}

static void append_escape(struct buffer *out, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char short_forms[] =
		"\"\"\\\\\bb\ff\nn\rr\tt"; /* each with its letter behind it */
	char text[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 0xF]};
	for (size_t i = 0; i + 1 < sizeof(short_forms); i += 2) {
		if ((unsigned char)short_forms[i] == c) {
			text[1] = short_forms[i + 1];
			(void)buffer_append(out, text, 2);
			return;
		}
	}
	(void)buffer_append(out, text, sizeof(text));
}

/* Between quotes, in pieces that need no escapes: nearly always one. */
static void append_quoted(struct buffer *out, const char *text, size_t length)
{
	(void)buffer_append_char(out, '"');
	const char *end = text + length;
	for (const char *at = text; at < end;) {
		const char *plain = at;
		at = json_plain_end(plain, end);
		(void)buffer_append(out, plain, (size_t)(at - plain));
		if (at < end)
			append_escape(out, (unsigned char)*at++);
	}
	(void)buffer_append_char(out, '"');
}

size_t json_write_cut(const char *text, size_t length, size_t max_bytes)
{
	if (length <= max_bytes)
		return length;
	while (max_bytes > 0 && ((unsigned char)text[max_bytes] & 0xC0) == 0x80)
		max_bytes--;
	return max_bytes;
}

void json_write_text(struct json_write *json, const char *text, size_t max_bytes)
{
	comma(json);
	size_t length = strlen(text);
	if (text_is_utf8(text, length)) {
		append_quoted(json->out, text, json_write_cut(text, length, max_bytes));
		return;
	}
	char *clean = text_clean_copy(text, length, max_bytes);
	append_quoted(json->out, clean, strlen(clean));
	free(clean);
}

void json_write_text_name(struct json_write *json, const char *text, size_t max_bytes)
{
	json_write_text(json, text, max_bytes);
	(void)buffer_append_char(json->out, ':');
	json->has_before = false;
}

void json_write_member_text(struct json_write *json, const char *name, const char *text,
			    size_t max_bytes)
{
	size_t name_length;
	size_t length = plain_length(text);
	if (length > max_bytes) {
		json_write_name(json, name);
		json_write_text(json, text, max_bytes);
		return;
	}
	char *at = begin_member(json, name, length + 2, &name_length);
	if (at == NULL)
		return;
	*at++ = '"';
	memcpy(at, text, length);
	at[length] = '"';
	buffer_grown(json->out, name_length + length + 2);
}

static void put_value(struct json_write *json, const char *name, const char *value, size_t length)
{
	size_t name_length;
	char *at = begin_member(json, name, length, &name_length);
	if (at == NULL)
		return;
	memcpy(at, value, length);
	buffer_grown(json->out, name_length + length);
}

void json_write_member_int(struct json_write *json, const char *name, int64_t value)
{
	char text[INT_TEXT_MAX];
	size_t first = sizeof(text);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	do {
		text[--first] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (value < 0)
		text[--first] = '-';
	put_value(json, name, text + first, sizeof(text) - first);
}

void json_write_member_bool(struct json_write *json, const char *name, bool value)
{
	put_value(json, name, value ? "true" : "false", value ? 4 : 5);
}

void json_write_member_time(struct json_write *json, const char *name, wall_us time)
{
	char text[CLOCK_TEXT_SIZE + 1]; /* the NUL becomes a quote */
	text[0] = '"';
	clock_format(time, text + 1);
	text[CLOCK_TEXT_SIZE] = '"';
	put_value(json, name, text, sizeof(text));
}
