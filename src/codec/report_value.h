/*
 * One value of a report, judged by its type and bounds. Pure; any thread.
 */
#ifndef WEBSENTRY_CODEC_REPORT_VALUE_H
#define WEBSENTRY_CODEC_REPORT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "check/outcome.h"
#include "codec/report_decode.h"
#include "codec/report_fields.h"

struct json_event;

/* What a value means, in the member for its type; a TEXT is the event's own bytes. */
union report_value {
	int64_t number;
	bool fact;
	wall_us time;
	struct uuid uuid;
	enum outcome outcome;
};

/*
 * Read a value of any type but LIST and OBJECT; min and max bound an INT's value and the bytes of a TEXT. Returns DECODE_NONE,
 * DECODE_WRONG_TYPE or DECODE_BAD_TEXT; ret_value is written on success only.
 */
enum decode_problem report_value_read(const struct json_event *event, enum field_type type,
				      int64_t min, int64_t max, union report_value *ret_value);

/*
 * Whether something that is kept as JSON without being known, be it a name or a value, can be stored: the databases know neither
 * some texts nor numbers of any size.
 */
enum decode_problem report_value_check_unknown(const struct json_event *event);

#endif
