#include "codec/json_reader.h"

#include <string.h>

#include "base/text.h"

enum {
	NUMBER_MAX =
		64, /* bytes of a number that we keep as JSON; PostgreSQL's numeric has an end */
	EXPONENT_DIGITS_MAX = 3,
};

void json_open(struct json_reader *reader, const char *bytes, size_t length)
{
	*reader = (struct json_reader){.at = bytes, .end = bytes + length};
}

static bool break_off(struct json_reader *reader)
{
	reader->is_broken = true;
	return false;
}

static void skip_space(struct json_reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
					    *reader->at == '\r' || *reader->at == '\t'))
		reader->at++;
}

bool json_is_done(struct json_reader *reader)
{
	skip_space(reader);
	return !reader->is_broken && reader->at == reader->end;
}

bool json_peek(struct json_reader *reader, enum json_kind *ret_kind)
{
	skip_space(reader);
	if (reader->is_broken || reader->at == reader->end)
		return break_off(reader);
	switch (*reader->at) {
	case '{':
		*ret_kind = JSON_OBJECT;
		return true;
	case '[':
		*ret_kind = JSON_ARRAY;
		return true;
	case '"':
		*ret_kind = JSON_TEXT;
		return true;
	case 't':
		*ret_kind = JSON_TRUE;
		return true;
	case 'f':
		*ret_kind = JSON_FALSE;
		return true;
	case 'n':
		*ret_kind = JSON_NULL;
		return true;
	default:
		*ret_kind = JSON_NUMBER; /* or broken, as json_read_number() will find */
		return true;
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The four hex digits at bytes; -1 where they are none. */
static int32_t hex_unit(const char *bytes, const char *end)
{
	if (end - bytes < 4)
		return -1;
	int32_t unit = 0;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(bytes[i]);
		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

/* The second half of a surrogate pair (\uDC00 to \uDFFF) at bytes; -1 where there is none. */
static int32_t low_surrogate(const char *bytes, const char *end)
{
	if (end - bytes < 6 || bytes[0] != '\\' || bytes[1] != 'u')
		return -1;
	int32_t unit = hex_unit(bytes + 2, end);
	return unit >= 0xDC00 && unit <= 0xDFFF ? unit : -1;
}

/* Past one escape; at stands on the backslash. */
static bool read_escape(struct json_reader *reader)
{
	if (reader->end - reader->at < 2)
		return break_off(reader);
	char c = reader->at[1];
	if (c != 'u') {
		reader->at += 2;
		return (c != '\0' && strchr("\"\\/bfnrt", c) != NULL) || break_off(reader);
	}
	int32_t unit = hex_unit(reader->at + 2, reader->end);
	if (unit < 0)
		return break_off(reader);
	reader->at += 6;
	if (unit >= 0xD800 && unit <= 0xDBFF && low_surrogate(reader->at, reader->end) >= 0)
		reader->at += 6;
	else if (unit == 0 || (unit >= 0xD800 && unit <= 0xDFFF))
		reader->is_bad_text = true;
	return true;
}

/* Eight bytes at once, as long as none is a quote, a backslash, a control character or beyond ASCII. */
static const char *skip_plain(const char *at, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t tops = ones * 0x80;
	while (end - at >= 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		uint64_t quote = word ^ (ones * '"');
		uint64_t backslash = word ^ (ones * '\\');
		/* A byte's top bit comes out where the byte is zero, below a space, or has its top bit set. */
		uint64_t found = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
				 (word - ones * ' ') | word;
		if ((found & tops) != 0)
			break;
		at += 8;
	}
	return at;
}

bool json_read_text(struct json_reader *reader, struct json_slice *ret_text)
{
	skip_space(reader);
	if (reader->is_broken || reader->at == reader->end || *reader->at != '"')
		return break_off(reader);
	reader->at++;
	const char *start = reader->at;
	bool has_escapes = false;
	bool is_beyond_ascii = false;
	for (;;) {
		reader->at = skip_plain(reader->at, reader->end);
		if (reader->at == reader->end)
			return break_off(reader);
		unsigned char c = (unsigned char)*reader->at;
		if (c == '"')
			break;
		if (c < ' ')
			return break_off(reader);
		if (c == '\\') {
			has_escapes = true;
			if (!read_escape(reader))
				return false;
			continue;
		}
		is_beyond_ascii = is_beyond_ascii || c >= 0x80;
		reader->at++;
	}
	size_t length = (size_t)(reader->at - start);
	if (is_beyond_ascii && !text_is_utf8(start, length))
		return break_off(reader);
	reader->at++;
	*ret_text =
		(struct json_slice){.bytes = start, .length = length, .has_escapes = has_escapes};
	return true;
}

static bool skip_digits(struct json_reader *reader)
{
	const char *start = reader->at;
	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
		reader->at++;
	return reader->at > start;
}

static bool skip_char(struct json_reader *reader, const char *wanted)
{
	if (reader->at == reader->end || *reader->at == '\0' || strchr(wanted, *reader->at) == NULL)
		return false;
	reader->at++;
	return true;
}

bool json_read_number(struct json_reader *reader, struct json_slice *ret_number)
{
	skip_space(reader);
	const char *start = reader->at;
	const char *exponent = NULL;
	(void)skip_char(reader, "-");
	if (!skip_char(reader, "0") && !skip_digits(reader))
		return break_off(reader);
	if (skip_char(reader, ".") && !skip_digits(reader))
		return break_off(reader);
	if (skip_char(reader, "eE")) {
		(void)skip_char(reader, "+-");
		exponent = reader->at;
		if (!skip_digits(reader))
			return break_off(reader);
	}
	size_t length = (size_t)(reader->at - start);
	if (length > NUMBER_MAX ||
	    (exponent != NULL && reader->at - exponent > EXPONENT_DIGITS_MAX))
		reader->is_bad_number = true;
	*ret_number = (struct json_slice){.bytes = start, .length = length};
	return true;
}

bool json_read_literal(struct json_reader *reader)
{
	static const char *const words[] = {"true", "false", "null"};
	skip_space(reader);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);
		if ((size_t)(reader->end - reader->at) >= length &&
		    memcmp(reader->at, words[i], length) == 0) {
			reader->at += length;
			return true;
		}
	}
	return break_off(reader);
}

bool json_enter(struct json_reader *reader)
{
	skip_space(reader);
	if (reader->is_broken || reader->at == reader->end || ++reader->depth > JSON_DEPTH_MAX)
		return break_off(reader);
	reader->at++;
	return true;
}

/* Past the comma between two, or past the end of the container (false). */
static bool next_item(struct json_reader *reader, bool *is_first, char close)
{
	if (reader->is_broken)
		return false;
	skip_space(reader);
	if (reader->at == reader->end)
		return break_off(reader);
	if (*reader->at == close) {
		reader->at++;
		reader->depth--;
		return false;
	}
	if (!*is_first) {
		if (*reader->at != ',')
			return break_off(reader);
		reader->at++;
	}
	*is_first = false;
	return true;
}

bool json_next_element(struct json_reader *reader, bool *is_first)
{
	return next_item(reader, is_first, ']');
}

bool json_next_member(struct json_reader *reader, bool *is_first, struct json_slice *ret_key)
{
	if (!next_item(reader, is_first, '}') || !json_read_text(reader, ret_key))
		return false;
	skip_space(reader);
	if (reader->at == reader->end || *reader->at != ':')
		return break_off(reader);
	reader->at++;
	return true;
}

/* Recursion ends at JSON_DEPTH_MAX. */
bool json_skip(struct json_reader *reader) // NOLINT(misc-no-recursion)
{
	enum json_kind kind;
	struct json_slice slice;
	bool is_first = true;
	if (!json_peek(reader, &kind))
		return false;
	switch (kind) {
	case JSON_TEXT:
		return json_read_text(reader, &slice);
	case JSON_NUMBER:
		return json_read_number(reader, &slice);
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		return json_read_literal(reader);
	case JSON_ARRAY:
		if (!json_enter(reader))
			return false;
		while (json_next_element(reader, &is_first))
			if (!json_skip(reader))
				return false;
		return !reader->is_broken;
	case JSON_OBJECT:
		if (!json_enter(reader))
			return false;
		while (json_next_member(reader, &is_first, &slice))
			if (!json_skip(reader))
				return false;
		return !reader->is_broken;
	}
	return break_off(reader);
}

static size_t put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | (code >> 6));
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | (code >> 12));
		out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | (code >> 18));
	out[1] = (char)(0x80 | ((code >> 12) & 0x3F));
	out[2] = (char)(0x80 | ((code >> 6) & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

/* One escape, checked before, at the backslash; moves *at past it. */
static size_t decode_escape(const char **at, const char *end, char *out)
{
	static const char letters[] = "bfnrt";
	static const char meanings[] = "\b\f\n\r\t";
	char c = (*at)[1];
	if (c != 'u') {
		const char *letter = strchr(letters, c);
		if (letter != NULL)
			c = meanings[letter - letters];
		*out = c;
		*at += 2;
		return 1;
	}
	uint32_t code = (uint32_t)hex_unit(*at + 2, end);
	*at += 6;
	if (code >= 0xD800 && code <= 0xDFFF) {
		int32_t low = code <= 0xDBFF ? low_surrogate(*at, end) : -1;
		if (low >= 0) {
			*at += 6;
			return put_utf8(out, 0x10000 + ((code - 0xD800) << 10) +
						     ((uint32_t)low - 0xDC00));
		}
		code = '?';
	}
	return put_utf8(out, code == 0 ? '?' : code);
}

size_t json_decode_text(const struct json_slice *text, char *out)
{
	if (!text->has_escapes) {
		memcpy(out, text->bytes, text->length);
		return text->length;
	}
	const char *at = text->bytes;
	const char *end = text->bytes + text->length;
	size_t used = 0;
	while (at < end) {
		if (*at == '\\')
			used += decode_escape(&at, end, out + used);
		else
			out[used++] = *at++;
	}
	return used;
}

size_t json_copy_compact(const char *bytes, size_t length, char *out)
{
	bool is_in_text = false;
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];
		if (is_in_text && c == '\\') {
			out[used++] = c;
			c = bytes[++i];
		} else if (c == '"') {
			is_in_text = !is_in_text;
		} else if (!is_in_text && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
			continue;
		}
		out[used++] = c;
	}
	return used;
}

bool json_to_int64(const struct json_slice *number, int64_t *ret_value)
{
	bool is_negative = number->bytes[0] == '-';
	int64_t value = 0;
	for (size_t i = is_negative ? 1 : 0; i < number->length; i++) {
		char c = number->bytes[i];
		if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, c - '0', &value))
			return false;
	}
	/* Counted downwards, since INT64_MIN has no positive twin. */
	if (!is_negative && value == INT64_MIN)
		return false;
	*ret_value = is_negative ? value : -value;
	return true;
}
