#include "codec/report_value.h"

#include <assert.h>
#include <string.h>

#include "base/json_parse.h"

enum {
	/* What is kept as JSON of a number, in bytes and digits of its exponent: PostgreSQL's numeric has an end. */
	NUMBER_MAX = 64,
	EXPONENT_DIGITS_MAX = 3,
};

/* 0001-01-01T00:00:00Z: PostgreSQL knows no year 0. The year 9999 is clock_parse()'s own end. */
static const wall_us earliest_time = INT64_C(-62135596800) * CLOCK_US_PER_S;

static enum decode_problem read_int(const struct json_event *event, int64_t min, int64_t max,
				    int64_t *ret_number)
{
	int64_t number;
	if (event->kind != JSON_NUMBER || !json_to_int64(event, &number) || number < min ||
	    number > max)
		return DECODE_WRONG_TYPE;
	*ret_number = number;
	return DECODE_NONE;
}

static enum decode_problem check_text(const struct json_event *event, int64_t min, int64_t max)
{
	if (event->kind != JSON_TEXT)
		return DECODE_WRONG_TYPE;
	if (event->is_bad_text)
		return DECODE_BAD_TEXT;
	int64_t length = (int64_t)event->length;
	return length < min || length > max ? DECODE_WRONG_TYPE : DECODE_NONE;
}

static enum decode_problem read_time(const struct json_event *event, wall_us *ret_time)
{
	wall_us time;
	enum decode_problem problem = check_text(event, 0, INT64_MAX);
	if (problem != DECODE_NONE)
		return problem;
	if (clock_parse(event->bytes, event->length, &time) != 0 || time < earliest_time)
		return DECODE_WRONG_TYPE;
	*ret_time = time;
	return DECODE_NONE;
}

static enum decode_problem read_uuid(const struct json_event *event, struct uuid *ret_uuid)
{
	enum decode_problem problem = check_text(event, 0, INT64_MAX);
	if (problem != DECODE_NONE)
		return problem;
	return uuid_parse(event->bytes, event->length, ret_uuid) == 0 ? DECODE_NONE
								      : DECODE_WRONG_TYPE;
}

static enum decode_problem read_outcome(const struct json_event *event, enum outcome *ret_outcome)
{
	enum decode_problem problem = check_text(event, 0, INT64_MAX);
	if (problem != DECODE_NONE)
		return problem;
	return outcome_parse(event->bytes, event->length, ret_outcome) == 0 ? DECODE_NONE
									    : DECODE_WRONG_TYPE;
}

enum decode_problem report_value_read(const struct json_event *event, enum field_type type,
				      int64_t min, int64_t max, union report_value *ret_value)
{
	switch (type) {
	case FIELD_INT:
		return read_int(event, min, max, &ret_value->number);
	case FIELD_BOOL:
		if (event->kind != JSON_BOOL)
			return DECODE_WRONG_TYPE;
		ret_value->fact = event->is_true;
		return DECODE_NONE;
	case FIELD_TEXT:
		return check_text(event, min, max);
	case FIELD_TIME:
		return read_time(event, &ret_value->time);
	case FIELD_UUID:
		return read_uuid(event, &ret_value->uuid);
	case FIELD_OUTCOME:
		return read_outcome(event, &ret_value->outcome);
	case FIELD_LIST:
	case FIELD_OBJECT:
		break;
	}
	assert(false);
	return DECODE_WRONG_TYPE;
}

static bool is_number_too_large(const struct json_event *number)
{
	size_t exponent = 0;
	for (size_t i = 0; i < number->length && exponent == 0; i++)
		if (number->bytes[i] == 'e' || number->bytes[i] == 'E')
			exponent = i + 1;
	if (exponent > 0 && (number->bytes[exponent] == '+' || number->bytes[exponent] == '-'))
		exponent++;
	return number->length > NUMBER_MAX ||
	       (exponent > 0 && number->length - exponent > EXPONENT_DIGITS_MAX);
}

enum decode_problem report_value_check_unknown(const struct json_event *event)
{
	if (event->is_bad_text)
		return DECODE_BAD_TEXT;
	if (event->kind == JSON_NUMBER && is_number_too_large(event))
		return DECODE_WRONG_TYPE;
	return DECODE_NONE;
}
