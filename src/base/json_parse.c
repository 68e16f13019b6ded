/*
 * A scanner of its own, because reading JSON was the largest part of what a row cost: yajl allocated a handle, a lexer and two buffers
 * for each message, called back for each token, and still needed three passes beside it for what it lets pass (docs/benchmarks.md
 * has the figures). It knows RFC 8259 and nothing else.
 *
 * Bytes are UTF-8 before it starts. A text without escapes is handed out where it lies; one with escapes is decoded into the scratch.
 * Objects and arrays are entered by recursion, which depth_max bounds.
 */
#include "base/json_parse.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct parsing {
	json_handler *on_event;
	void *context;
	const char *at;
	const char *end;
	char *scratch; /* NULL until a text has an escape; room for all that was left then */
	int depth;
	int depth_max;
};

static bool read_value(struct parsing *parsing);

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void skip_space(struct parsing *parsing)
{
	while (parsing->at < parsing->end && is_space(*parsing->at))
		parsing->at++;
}

/* Whether c comes next, which is then passed. */
static bool pass(struct parsing *parsing, char c)
{
	if (parsing->at == parsing->end || *parsing->at != c)
		return false;
	parsing->at++;
	return true;
}

static void give(const struct parsing *parsing, enum json_kind kind, const char *place)
{
	parsing->on_event(
		parsing->context,
		&(struct json_event){.kind = kind, .depth = parsing->depth, .place = place});
}

/* --- texts --- */

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

/* The four digits behind \u; -1 where they are none. */
static long read_unit(const struct parsing *parsing, const char *digits)
{
	long unit = 0;
	if (parsing->end - digits < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(digits[i]);
		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

static char *put_character(char *out, long c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xC0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		*out++ = (char)(0xE0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3F));
		*out++ = (char)(0x80 | (c & 0x3F));
	} else {
		*out++ = (char)(0xF0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3F));
		*out++ = (char)(0x80 | (c >> 6 & 0x3F));
		*out++ = (char)(0x80 | (c & 0x3F));
	}
	return out;
}

/* Behind "\u": the character, of one escape or of two surrogates. Sets *is_bad for a NUL and for half a pair. NULL: no escape. */
static char *read_unicode(struct parsing *parsing, char *out, bool *is_bad)
{
	long c = read_unit(parsing, parsing->at);
	if (c < 0)
		return NULL;
	parsing->at += 4;
	bool is_high = c >= 0xD800 && c <= 0xDBFF;
	if (is_high && parsing->end - parsing->at >= 2 && parsing->at[0] == '\\' &&
	    parsing->at[1] == 'u') {
		long low = read_unit(parsing, parsing->at + 2);
		if (low >= 0xDC00 && low <= 0xDFFF) {
			parsing->at += 6;
			return put_character(out, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
		}
	}
	if (c == 0 || (c >= 0xD800 && c <= 0xDFFF)) {
		*is_bad = true;
		c = '?';
	}
	return put_character(out, c);
}

/* Behind a backslash. */
static char *read_escape(struct parsing *parsing, char *out, bool *is_bad)
{
	static const char names[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	if (parsing->at == parsing->end)
		return NULL;
	char c = *parsing->at++;
	if (c == 'u')
		return read_unicode(parsing, out, is_bad);
	const char *name = c == '\0' ? NULL : strchr(names, c);
	if (name == NULL)
		return NULL;
	*out++ = meanings[name - names];
	return out;
}

/* Eight at a time; of the bits in found the lowest is always right (the subtraction's borrow may set others above it). */
const char *json_plain_end(const char *at, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t tops = UINT64_C(0x8080808080808080);
	for (; end - at >= 8; at += 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		word = le64toh(word);
		uint64_t quote = word ^ (ones * '"');
		uint64_t slash = word ^ (ones * '\\');
		uint64_t found = (((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
				  ((word - ones * 0x20) & ~word)) &
				 tops;
		if (found != 0)
			return at + __builtin_ctzll(found) / 8;
	}
	while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
		at++;
	return at;
}

/* A text with escapes, from its first one on; begin is the text's. */
static bool read_escaped(struct parsing *parsing, struct json_event *event, const char *begin)
{
	if (parsing->scratch == NULL) /* what is decoded is never longer than what it stood in */
		parsing->scratch = xmalloc((size_t)(parsing->end - begin));
	char *out = parsing->scratch;
	memcpy(out, begin, (size_t)(parsing->at - begin));
	out += parsing->at - begin;
	while (pass(parsing, '\\')) {
		out = read_escape(parsing, out, &event->is_bad_text);
		if (out == NULL)
			return false;
		const char *end = json_plain_end(parsing->at, parsing->end);
		memcpy(out, parsing->at, (size_t)(end - parsing->at));
		out += end - parsing->at;
		parsing->at = end;
	}
	event->bytes = parsing->scratch;
	event->length = (size_t)(out - parsing->scratch);
	return true;
}

/* At its opening quote. */
static bool read_text(struct parsing *parsing, enum json_kind kind)
{
	struct json_event event = {.kind = kind, .depth = parsing->depth, .place = parsing->at};
	const char *begin = ++parsing->at;
	parsing->at = json_plain_end(parsing->at, parsing->end);
	event.bytes = begin;
	event.length = (size_t)(parsing->at - begin);
	if (parsing->at < parsing->end && *parsing->at == '\\' &&
	    !read_escaped(parsing, &event, begin))
		return false;
	if (!pass(parsing, '"'))
		return false;
	parsing->on_event(parsing->context, &event);
	return true;
}

/* --- other values --- */

/* At least one digit. */
static bool pass_digits(struct parsing *parsing)
{
	const char *begin = parsing->at;
	while (parsing->at < parsing->end && *parsing->at >= '0' && *parsing->at <= '9')
		parsing->at++;
	return parsing->at > begin;
}

static bool read_number(struct parsing *parsing)
{
	const char *begin = parsing->at;
	(void)pass(parsing, '-');
	if (!pass(parsing, '0') && !pass_digits(parsing))
		return false;
	if (pass(parsing, '.') && !pass_digits(parsing))
		return false;
	if (pass(parsing, 'e') || pass(parsing, 'E')) {
		if (!pass(parsing, '+'))
			(void)pass(parsing, '-');
		if (!pass_digits(parsing))
			return false;
	}
	parsing->on_event(parsing->context,
			  &(struct json_event){.kind = JSON_NUMBER,
					       .depth = parsing->depth,
					       .place = begin,
					       .bytes = begin,
					       .length = (size_t)(parsing->at - begin)});
	return true;
}

static bool read_word(struct parsing *parsing, const char *word, enum json_kind kind, bool is_true)
{
	const char *begin = parsing->at;
	size_t length = strlen(word);
	if ((size_t)(parsing->end - begin) < length || memcmp(begin, word, length) != 0)
		return false;
	parsing->at += length;
	parsing->on_event(parsing->context, &(struct json_event){.kind = kind,
								 .depth = parsing->depth,
								 .place = begin,
								 .is_true = is_true});
	return true;
}

static bool read_member(struct parsing *parsing)
{
	skip_space(parsing);
	if (parsing->at == parsing->end || *parsing->at != '"' || !read_text(parsing, JSON_KEY))
		return false;
	skip_space(parsing);
	return pass(parsing, ':') && read_value(parsing);
}

/* At its bracket. */
static bool read_group(struct parsing *parsing, bool is_object)
{
	const char close = is_object ? '}' : ']';
	if (parsing->depth == parsing->depth_max)
		return false;
	give(parsing, is_object ? JSON_OBJECT : JSON_ARRAY, parsing->at);
	parsing->at++;
	parsing->depth++;
	skip_space(parsing);
	if (!pass(parsing, close)) {
		do {
			if (!(is_object ? read_member(parsing) : read_value(parsing)))
				return false;
			skip_space(parsing);
		} while (pass(parsing, ','));
		if (!pass(parsing, close))
			return false;
	}
	parsing->depth--;
	give(parsing, is_object ? JSON_OBJECT_END : JSON_ARRAY_END, parsing->at);
	return true;
}

static bool read_value(struct parsing *parsing)
{
	skip_space(parsing);
	if (parsing->at == parsing->end)
		return false;
	switch (*parsing->at) {
	case '{':
		return read_group(parsing, true);
	case '[':
		return read_group(parsing, false);
	case '"':
		return read_text(parsing, JSON_TEXT);
	case 't':
		return read_word(parsing, "true", JSON_BOOL, true);
	case 'f':
		return read_word(parsing, "false", JSON_BOOL, false);
	case 'n':
		return read_word(parsing, "null", JSON_NULL, false);
	default:
		return read_number(parsing);
	}
}

bool json_parse_within(const char *bytes, size_t length, int depth_max, json_handler *on_event,
		       void *context)
{
	if (length == 0 || !text_is_utf8(bytes, length))
		return false;
	struct parsing parsing = {.on_event = on_event,
				  .context = context,
				  .at = bytes,
				  .end = bytes + length,
				  .depth_max = depth_max};
	bool is_read = read_value(&parsing);
	skip_space(&parsing);
	free(parsing.scratch);
	return is_read && parsing.at == parsing.end;
}

bool json_parse(const char *bytes, size_t length, json_handler *on_event, void *context)
{
	return json_parse_within(bytes, length, JSON_DEPTH_MAX, on_event, context);
}

bool json_to_int64(const struct json_event *number, int64_t *ret_value)
{
	const char *at = number->bytes;
	const char *end = at + number->length;
	bool is_negative = at < end && *at == '-';
	int64_t value = 0;
	at += is_negative ? 1 : 0;
	if (at == end)
		return false;
	/* Below zero there is room for one more. */
	for (; at < end; at++) {
		int digit = *at - '0';
		if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			return false;
	}
	if (!is_negative && value == INT64_MIN)
		return false;
	*ret_value = is_negative ? value : -value;
	return true;
}
