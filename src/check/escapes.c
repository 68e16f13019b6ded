#include "check/escapes.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { NUMBER_DIGITS_MAX = 7 }; /* of an entity: &#1114111; */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Up to most digits of a number; returns how many there are. */
static size_t read_number(const char *bytes, size_t length, unsigned base, size_t most,
			  uint32_t *ret_number)
{
	size_t used = 0;
	*ret_number = 0;
	while (used < length && used < most) {
		int digit = digit_of(bytes[used]);
		if (digit < 0 || (unsigned)digit >= base)
			break;
		*ret_number = *ret_number * base + (unsigned)digit;
		used++;
	}
	return used;
}

static size_t put_character(uint32_t c, char out[static ESCAPES_CHARACTER_MAX])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = length - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3F));
	out[0] = (char)((length == 2 ? 0xC0 : length == 3 ? 0xE0 : 0xF0) | c);
	return length;
}

/* \u002f, or two of them for one character. */
static size_t read_units(const char *bytes, size_t length, uint32_t *ret_character)
{
	enum { UNIT = 6, PAIR = 2 * UNIT, HIGH = 0xD800, LOW = 0xDC00, LOW_END = 0xE000 };
	uint32_t low;
	if (read_number(bytes + 2, length - 2, 16, 4, ret_character) != 4)
		return 0;
	bool is_high = *ret_character >= HIGH && *ret_character < LOW;
	if (!is_high || length < PAIR || memcmp(bytes + UNIT, "\\u", 2) != 0 ||
	    read_number(bytes + UNIT + 2, length - UNIT - 2, 16, 4, &low) != 4 || low < LOW ||
	    low >= LOW_END)
		return UNIT;
	*ret_character = 0x10000 + ((*ret_character - HIGH) << 10) + (low - LOW);
	return PAIR;
}

/* \/ and \" and \\, \u002f; \x2f as scripts have it. */
static size_t read_json(const char *bytes, size_t length, uint32_t *ret_character)
{
	if (length < 2)
		return 0;
	if (bytes[1] == '/' || bytes[1] == '"' || bytes[1] == '\\' || bytes[1] == '\'') {
		*ret_character = (unsigned char)bytes[1];
		return 2;
	}
	if (bytes[1] == 'x')
		return read_number(bytes + 2, length - 2, 16, 2, ret_character) == 2 ? 4 : 0;
	return bytes[1] == 'u' ? read_units(bytes, length, ret_character) : 0;
}

/* &amp; and its like, &#38;, &#x26;. */
static size_t read_entity(const char *bytes, size_t length, uint32_t *ret_character)
{
	static const struct {
		const char *text;
		char character;
	} names[] = {{"&amp;", '&'},    {"&lt;", '<'},    {"&gt;", '>'},   {"&quot;", '"'},
		     {"&apos;", '\''},  {"&sol;", '/'},   {"&plus;", '+'}, {"&equals;", '='},
		     {"&commat;", '@'}, {"&colon;", ':'}, {"&num;", '#'},  {"&percnt;", '%'}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t name = strlen(names[i].text);
		if (name <= length && memcmp(bytes, names[i].text, name) == 0) {
			*ret_character = (unsigned char)names[i].character;
			return name;
		}
	}
	if (length < 3 || bytes[1] != '#')
		return 0;
	bool is_hex = bytes[2] == 'x' || bytes[2] == 'X';
	size_t begin = is_hex ? 3 : 2;
	size_t digits = read_number(bytes + begin, length - begin, is_hex ? 16 : 10,
				    NUMBER_DIGITS_MAX, ret_character);
	size_t end = begin + digits;
	return digits > 0 && end < length && bytes[end] == ';' ? end + 1 : 0;
}

size_t escapes_read(const char *bytes, size_t length, char character[static ESCAPES_CHARACTER_MAX],
		    size_t *ret_character_length)
{
	uint32_t number = 0;
	size_t used = 0;
	if (length == 0)
		return 0;
	if (bytes[0] == '%' && read_number(bytes + 1, length - 1, 16, 2, &number) == 2) {
		character[0] =
			(char)(unsigned char)number; /* a byte: UTF-8 is escaped byte by byte */
		*ret_character_length = 1;
		return 3;
	}
	if (bytes[0] == '\\')
		used = read_json(bytes, length, &number);
	else if (bytes[0] == '&')
		used = read_entity(bytes, length, &number);
	if (used == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF))
		return 0;
	*ret_character_length = put_character(number, character);
	return used;
}
