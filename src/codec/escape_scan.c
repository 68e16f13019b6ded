#include "codec/escape_scan.h"

#include <string.h>

enum {
	UNIT_BYTES = 6, /* \uXXXX */
	HIGH_FIRST = 0xD800,
	LOW_FIRST = 0xDC00,
	LOW_LAST = 0xDFFF,
	NO_UNIT = -1,
};

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

/* The UTF-16 unit of a \u escape at bytes; NO_UNIT where there is none. */
static int unit_at(const char *bytes, size_t left)
{
	if (left < UNIT_BYTES || bytes[0] != '\\' || bytes[1] != 'u')
		return NO_UNIT;
	int unit = 0;
	for (size_t i = 2; i < UNIT_BYTES; i++) {
		int digit = hex_digit(bytes[i]);
		if (digit < 0)
			return NO_UNIT;
		unit = unit * 16 + digit;
	}
	return unit;
}

size_t escape_scan(const char *bytes, size_t length, size_t from)
{
	while (from < length) {
		const char *backslash = memchr(bytes + from, '\\', length - from);
		if (backslash == NULL)
			break;
		size_t at = (size_t)(backslash - bytes);
		int unit = unit_at(backslash, length - at);
		if (unit == NO_UNIT) {
			from = at + 2; /* another escape, or no JSON */
			continue;
		}
		from = at + UNIT_BYTES;
		if (unit == 0 || (unit >= LOW_FIRST && unit <= LOW_LAST))
			return at;
		if (unit < HIGH_FIRST || unit > LOW_LAST)
			continue;
		int low = from < length ? unit_at(bytes + from, length - from) : NO_UNIT;
		if (low < LOW_FIRST || low > LOW_LAST)
			return at;
		from += UNIT_BYTES;
	}
	return length;
}
