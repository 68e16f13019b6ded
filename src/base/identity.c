#include "base/identity.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"

/* By hand, not by printf: this is done for every report, and printf took an eighth of what the outbox needs for a row. */

enum { DIGITS_MAX = 20 };
static_assert(REPORT_VERSION >= 1 && REPORT_VERSION <= 9, "one digit");

static char *put_text(char *at, const char *text)
{
	size_t length = strlen(text);
	memcpy(at, text, length); /* NOLINT(bugprone-not-null-terminated-result): more follows */
	return at + length;
}

static char *put_number(char *at, int64_t number)
{
	char digits[DIGITS_MAX];
	size_t count = 0;
	assert(number >= 0);
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

/* "producer_id":"…","seq":N */
static char *put_identity(char *at, const struct identity *identity)
{
	at = put_text(at, "\"producer_id\":\"");
	uuid_format(&identity->producer_id, at);
	at += UUID_TEXT_SIZE - 1;
	at = put_text(at, "\",\"seq\":");
	return put_number(at, identity->seq);
}

int identity_append_message(struct buffer *out, const struct identity *identity,
			    const struct identity *prev, const char *body, size_t body_length)
{
	assert(body_length > 2 && body[0] == '{' && body[body_length - 1] == '}');
	char head[IDENTITY_PREFIX_MAX];
	char *at = put_text(head, "{\"v\":");
	at = put_number(at, REPORT_VERSION);
	*at++ = ',';
	at = put_identity(at, identity);
	*at++ = ',';
	if (prev != NULL) {
		at = put_text(at, "\"prev\":{");
		at = put_identity(at, prev);
		at = put_text(at, "},");
	}
	if (buffer_append(out, head, (size_t)(at - head)) != 0)
		return -1;
	return buffer_append(out, body + 1, body_length - 1);
}

struct reading {
	const char *at;
	const char *end;
};

/* The text, exactly. */
static bool skip(struct reading *reading, const char *text)
{
	size_t length = strlen(text);
	if ((size_t)(reading->end - reading->at) < length || memcmp(reading->at, text, length) != 0)
		return false;
	reading->at += length;
	return true;
}

static void skip_space(struct reading *reading)
{
	while (reading->at < reading->end && (*reading->at == ' ' || *reading->at == '\t' ||
					      *reading->at == '\r' || *reading->at == '\n'))
		reading->at++;
}

/* The text, with white space around it. */
static bool skip_token(struct reading *reading, const char *text)
{
	skip_space(reading);
	if (!skip(reading, text))
		return false;
	skip_space(reading);
	return true;
}

static bool skip_member(struct reading *reading, const char *before, const char *name)
{
	return skip_token(reading, before) && skip_token(reading, name) && skip_token(reading, ":");
}

/* Digits without a leading zero, as JSON has them; what follows ends the number. */
static bool take_number(struct reading *reading, int64_t *ret_number)
{
	const char *first = reading->at;
	int64_t number = 0;
	for (; reading->at < reading->end && *reading->at >= '0' && *reading->at <= '9';
	     reading->at++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, *reading->at - '0', &number))
			return false;
	if (reading->at == first || (*first == '0' && reading->at - first > 1))
		return false;
	*ret_number = number;
	return true;
}

int identity_read_message(const char *bytes, size_t length, struct identity *ret_identity)
{
	if (bytes == NULL)
		return -1;
	struct reading reading = {.at = bytes, .end = bytes + length};
	struct identity identity;
	int64_t version;
	if (!skip_member(&reading, "{", "\"v\"") || !take_number(&reading, &version) ||
	    !skip_member(&reading, ",", "\"producer_id\"") || !skip(&reading, "\"") ||
	    reading.end - reading.at < UUID_TEXT_SIZE - 1 ||
	    uuid_parse(reading.at, UUID_TEXT_SIZE - 1, &identity.producer_id) != 0)
		return -1;
	reading.at += UUID_TEXT_SIZE - 1;
	if (!skip(&reading, "\"") || !skip_member(&reading, ",", "\"seq\"") ||
	    !take_number(&reading, &identity.seq) ||
	    (!skip_token(&reading, ",") && !skip_token(&reading, "}")))
		return -1;
	*ret_identity = identity;
	return 0;
}

int identity_parse_range(const char *text, struct identity_range *ret_range)
{
	struct reading reading = {.at = text, .end = text + strlen(text)};
	struct identity_range range;
	if (reading.end - reading.at < UUID_TEXT_SIZE - 1 ||
	    uuid_parse(reading.at, UUID_TEXT_SIZE - 1, &range.producer_id) != 0)
		return -1;
	reading.at += UUID_TEXT_SIZE - 1;
	if (!skip(&reading, ":") || !take_number(&reading, &range.first))
		return -1;
	range.last = range.first;
	if (skip(&reading, "-") && !take_number(&reading, &range.last))
		return -1;
	if (reading.at != reading.end || range.last < range.first)
		return -1;
	*ret_range = range;
	return 0;
}
