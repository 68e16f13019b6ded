#include "probe/head_fields.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "check/observation.h"

enum { FIELD_TEXT_MAX = 64 }; /* bytes of a date or an age */

/* The end of the year 9999, the last that a date of HTTP can name; libcurl reads longer ones as well. */
static const time_t date_max = 253402300799;

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool head_fields_next(const struct raw_response *raw, const char *name, struct head_field *field)
{
	const size_t name_length = strlen(name);
	while (field->next < raw->head_length) {
		const char *line = raw->head + field->next;
		size_t left = raw->head_length - field->next;
		const char *end = memchr(line, '\n', left);
		size_t length = end == NULL ? left : (size_t)(end - line) + 1;
		field->next += length;
		if (length <= name_length || line[name_length] != ':' ||
		    strncasecmp(line, name, name_length) != 0)
			continue;
		field->value = line + name_length + 1;
		field->length = length - name_length - 1;
		while (field->length > 0 && is_blank(field->value[0])) {
			field->value++;
			field->length--;
		}
		while (field->length > 0 && is_blank(field->value[field->length - 1]))
			field->length--;
		return true;
	}
	return false;
}

/* The first field of that name as text; "" where there is none or it is too long for what is expected. */
static void copy_field(const struct raw_response *raw, const char *name,
		       char text[static FIELD_TEXT_MAX])
{
	struct head_field field = {0};
	text[0] = '\0';
	if (!head_fields_next(raw, name, &field) || field.length >= FIELD_TEXT_MAX)
		return;
	memcpy(text, field.value, field.length);
	text[field.length] = '\0';
}

static wall_us read_date(const struct raw_response *raw, const char *name)
{
	char text[FIELD_TEXT_MAX];
	copy_field(raw, name, text);
	time_t date = text[0] == '\0' ? -1 : curl_getdate(text, NULL);
	return date < 0 || date > date_max ? TIME_UNKNOWN : (wall_us)date * CLOCK_US_PER_S;
}

int64_t head_fields_age_us(const struct raw_response *raw, wall_us now)
{
	const int64_t age_max_s = INT64_C(1) << 31; /* RFC 9111: what a larger one counts as */
	char text[FIELD_TEXT_MAX];
	int64_t age_s = -1;
	copy_field(raw, "Age", text);
	if (text_parse_int64(text, &age_s) != 0 || age_s < 0)
		age_s = -1;
	int64_t cached_us = (age_s > age_max_s ? age_max_s : age_s) * CLOCK_US_PER_S;
	wall_us modified = read_date(raw, "Last-Modified");
	wall_us date = read_date(raw, "Date");
	int64_t age_us = DURATION_UNKNOWN;
	if (modified != TIME_UNKNOWN) {
		age_us = (date != TIME_UNKNOWN ? date : now) - modified;
		if (date != TIME_UNKNOWN && age_s > 0)
			age_us += cached_us;
	} else if (age_s >= 0) {
		age_us = cached_us;
	} else if (date != TIME_UNKNOWN) {
		age_us = now - date;
	} else {
		return DURATION_UNKNOWN;
	}
	return age_us < 0 ? 0 : age_us;
}
