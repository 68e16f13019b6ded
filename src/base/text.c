#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"

/*
 * The length of the well-formed UTF-8 sequence at bytes (1 to 4), or minus the length of the maximal part that is
 * ill-formed (Unicode 15.0, table 3-7 and section 3.9).
 */
static int sequence_length(const unsigned char *bytes, size_t left)
{
	unsigned char lead = bytes[0];
	if (lead < 0x80)
		return 1;
	int length;
	unsigned char low = 0x80;
	unsigned char high = 0xBF;
	if (lead >= 0xC2 && lead <= 0xDF) {
		length = 2;
	} else if (lead >= 0xE0 && lead <= 0xEF) {
		length = 3;
		if (lead == 0xE0)
			low = 0xA0;
		if (lead == 0xED)
			high = 0x9F;
	} else if (lead >= 0xF0 && lead <= 0xF4) {
		length = 4;
		if (lead == 0xF0)
			low = 0x90;
		if (lead == 0xF4)
			high = 0x8F;
	} else {
		return -1;
	}
	for (int i = 1; i < length; i++) {
		if ((size_t)i >= left || bytes[i] < low || bytes[i] > high)
			return -i;
		low = 0x80;
		high = 0xBF;
	}
	return length;
}

/* How many of the bytes are ASCII before the first that is not, in steps of eight. */
static size_t ascii_length(const unsigned char *bytes, size_t length)
{
	size_t done = 0;
	while (length - done >= sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, bytes + done, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
		done += sizeof(word);
	}
	return done;
}

bool text_is_utf8(const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;
	while (length > 0) {
		size_t plain = ascii_length(at, length);
		at += plain;
		length -= plain;
		if (length == 0)
			break;
		int step = sequence_length(at, length);
		if (step < 0)
			return false;
		at += step;
		length -= (size_t)step;
	}
	return true;
}

static bool is_control(const unsigned char *at, int step)
{
	if (step == 1)
		return at[0] < 0x20 || at[0] == 0x7F;
	return step == 2 && at[0] == 0xC2 && at[1] < 0xA0; /* C1 */
}

/* Embeddings, overrides and isolates of the bidirectional algorithm, and their ends: as what they are shown; NULL for anything else. */
static const char *order_control(const unsigned char *at, int step)
{
	static const char *const embeddings[] = {"<U+202A>", "<U+202B>", "<U+202C>", "<U+202D>",
						 "<U+202E>"};
	static const char *const isolates[] = {"<U+2066>", "<U+2067>", "<U+2068>", "<U+2069>"};
	if (step != 3 || at[0] != 0xE2)
		return NULL;
	if (at[1] == 0x80 && at[2] >= 0xAA && at[2] <= 0xAE)
		return embeddings[at[2] - 0xAA];
	if (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9)
		return isolates[at[2] - 0xA6];
	return NULL;
}

/* How many bytes may be taken over as they are, at once: ASCII without controls. Eight at a time, then each. */
static size_t plain_length(const unsigned char *bytes, size_t length)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t done = 0;
	for (; length - done >= sizeof(uint64_t); done += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, bytes + done, sizeof(word));
		/* DEL has its top bit set once one is added, what is below a space once that is subtracted. */
		if (((word | (word - ones * ' ') | (word + ones)) & (ones << 7)) != 0)
			break;
	}
	while (done < length && bytes[done] >= 0x20 && bytes[done] < 0x7F)
		done++;
	return done;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

bool text_clean(struct buffer *out, const char *bytes, size_t length, size_t max_bytes)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t used = 0;
	while (length > 0) {
		size_t room = smaller(max_bytes - used, out->max_length - out->length);
		size_t plain = plain_length(at, smaller(length, room));
		if (plain > 0 && buffer_append(out, at, plain) == 0) {
			used += plain;
			at += plain;
			length -= plain;
			continue;
		}
		int step = sequence_length(at, length);
		size_t consumed = (size_t)abs(step);
		const char *piece = (const char *)at;
		size_t piece_length = consumed;
		const char *shown = order_control(at, step);
		if (shown != NULL) {
			piece = shown;
			piece_length = strlen(shown);
		} else if (step < 0) {
			piece = "\xEF\xBF\xBD";
			piece_length = 3;
		} else if (is_control(at, step)) {
			piece = " ";
			piece_length = 1;
		}
		if (used + piece_length > max_bytes || buffer_append(out, piece, piece_length) != 0)
			return false;
		used += piece_length;
		at += consumed;
		length -= consumed;
	}
	return true;
}

char *text_clean_copy(const char *bytes, size_t length, size_t max_bytes)
{
	struct buffer out;
	buffer_init(&out, max_bytes);
	(void)text_clean(&out, bytes, length, max_bytes);
	return buffer_take(&out);
}

bool text_equal_ignoring_case(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

bool text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_is_empty(const char *text)
{
	return text == NULL || text[0] == '\0';
}

int text_parse_int64(const char *text, int64_t *ret_value)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return -1;
	errno = 0;
	long long value = strtoll(text, NULL, 10);
	if (errno != 0)
		return -1;
	*ret_value = value;
	return 0;
}

/* A number with at most six decimals, as millionths, so that "1.5s" is exact. */
static int take_decimal(const char **at, int64_t *ret_millionths)
{
	const char *start = *at;
	int64_t value = 0;
	int decimals = -1; /* -1: no dot yet */
	int digits = 0;
	for (; isdigit((unsigned char)**at) || (**at == '.' && decimals < 0); (*at)++) {
		if (**at == '.') {
			decimals = 0;
			continue;
		}
		if (decimals >= 6)
			return -1;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, **at - '0', &value))
			return -1;
		digits++;
		if (decimals >= 0)
			decimals++;
	}
	if (*at == start || digits == 0)
		return -1;
	for (int i = decimals < 0 ? 0 : decimals; i < 6; i++)
		if (__builtin_mul_overflow(value, 10, &value))
			return -1;
	*ret_millionths = value;
	return 0;
}

struct unit {
	const char *name;
	int64_t size;
};

/* The longest unit first where one begins with another. */
static const struct unit duration_units[] = {
	{"us", 1},
	{"ms", 1000},
	{"s", INT64_C(1000000)},
	{"m", INT64_C(60000000)},
	{"h", INT64_C(3600000000)},
	{"d", INT64_C(86400000000)},
	{"w", INT64_C(604800000000)},
};

static const struct unit *take_unit(const char **at, const struct unit *units, size_t count)
{
	size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	for (size_t i = 0; i < count; i++) {
		if (strlen(units[i].name) == length &&
		    strncasecmp(*at, units[i].name, length) == 0) {
			*at += length;
			return &units[i];
		}
	}
	return NULL;
}

/* millionths x size / 1e6, exactly. */
static int scale(int64_t millionths, int64_t size, int64_t *ret_value)
{
	__int128 product = (__int128)millionths * size;
	if (product % 1000000 != 0 || product / 1000000 > INT64_MAX)
		return -1;
	*ret_value = (int64_t)(product / 1000000);
	return 0;
}

int text_parse_duration(const char *text, int64_t *ret_us)
{
	const size_t unit_count = sizeof(duration_units) / sizeof(duration_units[0]);
	int sign = 1;
	int64_t total = 0;
	bool is_first = true;
	const char *at = text;
	if (*at == '-') {
		sign = -1;
		at++;
	}
	if (*at == '\0')
		return -1;
	while (*at != '\0') {
		int64_t millionths;
		int64_t part;
		if (take_decimal(&at, &millionths) != 0)
			return -1;
		bool is_bare = *at == '\0' && is_first;
		const struct unit *unit =
			is_bare ? &duration_units[2] : take_unit(&at, duration_units, unit_count);
		if (unit == NULL || scale(millionths, unit->size, &part) != 0 ||
		    __builtin_add_overflow(total, part, &total))
			return -1;
		is_first = false;
		while (*at == ' ')
			at++;
	}
	*ret_us = sign * total;
	return 0;
}

void text_format_duration(int64_t us, char *text, size_t size)
{
	if (us == 0) {
		(void)snprintf(text, size, "0s");
		return;
	}
	size_t used = 0;
	uint64_t left = us < 0 ? -(uint64_t)us : (uint64_t)us;
	if (us < 0 && used + 1 < size)
		text[used++] = '-';
	text[used] = '\0';
	for (size_t i = sizeof(duration_units) / sizeof(duration_units[0]); i-- > 0 && left > 0;) {
		const struct unit *unit = &duration_units[i];
		uint64_t unit_size = (uint64_t)unit->size;
		/* Weeks are for reading only. From seconds down one unit takes all that is left: "1500ms". */
		if (left < unit_size || unit->name[0] == 'w')
			continue;
		if (unit->size <= CLOCK_US_PER_S && left % unit_size != 0)
			continue;
		int written = snprintf(text + used, size - used, "%llu%s",
				       (unsigned long long)(left / unit_size), unit->name);
		if (written < 0 || (size_t)written >= size - used)
			return;
		used += (size_t)written;
		left %= unit_size;
	}
}

int text_parse_size(const char *text, int64_t *ret_bytes)
{
	static const struct unit units[] = {
		{"b", 1},     {"kib", 1024},   {"mib", INT64_C(1) << 20}, {"gib", INT64_C(1) << 30},
		{"kb", 1000}, {"mb", 1000000}, {"gb", 1000000000},
	};
	static const struct unit bytes = {"", 1};
	const char *at = text;
	int64_t millionths;
	if (take_decimal(&at, &millionths) != 0)
		return -1;
	while (*at == ' ')
		at++;
	const struct unit *unit =
		*at == '\0' ? &bytes : take_unit(&at, units, sizeof(units) / sizeof(units[0]));
	if (unit == NULL || *at != '\0')
		return -1;
	return scale(millionths, unit->size, ret_bytes);
}

enum { WORD_MAX = 64 };

static uint8_t least(uint8_t a, size_t b)
{
	return b < a ? (uint8_t)b : a;
}

/*
 * Optimal string alignment distance, or anything from limit on where it is no less; words longer than WORD_MAX are never near. A row is made of
 * the two above it, so once neither has less than limit, no other will.
 */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length,
			    size_t limit)
{
	if (a_length > WORD_MAX || b_length > WORD_MAX)
		return SIZE_MAX;
	uint8_t rows[3][WORD_MAX + 1];
	size_t low_above = 0;
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= a_length; i++) {
		uint8_t *row = rows[i % 3];
		const uint8_t *above = rows[(i - 1) % 3];
		const uint8_t *two_above = rows[(i + 1) % 3];
		row[0] = (uint8_t)i;
		uint8_t low = row[0];
		for (size_t j = 1; j <= b_length; j++) {
			uint8_t best = (uint8_t)(above[j - 1] + (a[i - 1] != b[j - 1]));
			best = least(best, above[j] + 1U);
			best = least(best, row[j - 1] + 1U);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = least(best, two_above[j - 2] + 1U);
			row[j] = best;
			low = least(low, best);
		}
		if (low >= limit && low_above >= limit)
			return limit;
		low_above = low;
	}
	return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	size_t best = length / 3 + 1;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]);
		if ((length < other ? other - length : length - other) >= best)
			continue; /* each byte more is an edit */
		size_t distance = edit_distance(word, length, candidates[i], other, best);
		if (distance < best) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}
