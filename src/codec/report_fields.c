#include "codec/report_fields.h"

#include <assert.h>
#include <string.h>

#include "check/report_row.h"
#include "check/site.h"
#include "check/url.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes of a text that nothing bounds more closely: a message is no larger. */
#define TEXT_ANY (INT64_C(1) << 20)

static const struct member redirect_members[] = {
	{"url", FIELD_TEXT, true, 1, 8192},
	{"http_status_code", FIELD_INT, false, 0, 999},
	{"http_version", FIELD_TEXT, false, 1, 16},
	{"ip", FIELD_TEXT, false, 1, 64},
	{"dns_us", FIELD_INT, false, 0, INT64_MAX},
	{"connect_us", FIELD_INT, false, 0, INT64_MAX},
	{"tls_us", FIELD_INT, false, 0, INT64_MAX},
	{"wait_us", FIELD_INT, false, 0, INT64_MAX},
	{"transfer_us", FIELD_INT, false, 0, INT64_MAX},
	{"total_us", FIELD_INT, false, 0, INT64_MAX},
};

static const struct member failure_members[] = {
	{"reason", FIELD_TEXT, true, 1, 64},
	{"message", FIELD_TEXT, false, 0, 4096},
};

static const struct member attempt_members[] = {
	{"started_at", FIELD_TIME, true, 0, 0},
	{"outcome", FIELD_OUTCOME, true, 0, 0},
	{"reason", FIELD_TEXT, true, 1, 64},
	{"message", FIELD_TEXT, false, 0, 4096},
	{"http_status_code", FIELD_INT, false, 0, 999},
	{"total_us", FIELD_INT, false, 0, INT64_MAX},
};

static const struct member evidence_members[] = {
	{"headers", FIELD_TEXT, false, 0, TEXT_ANY},
	{"body", FIELD_TEXT, false, 0, TEXT_ANY},
};

/* The verdict's members stand in the report that speaks for the round. */
static const struct member round_members[] = {
	{"address", FIELD_TEXT, true, 1, 64},    {"addresses", FIELD_INT, true, 1, 1000},
	{"needed", FIELD_INT, true, 1, 1000},    {"up", FIELD_INT, true, 0, 1000},
	{"failed", FIELD_INT, true, 0, 1000},    {"unchecked", FIELD_INT, false, 1, INT64_MAX},
	{"outcome", FIELD_OUTCOME, false, 0, 0}, {"reason", FIELD_TEXT, false, 1, 64},
	{"message", FIELD_TEXT, false, 0, 4096},
};

#define MEMBERS(array) .members = (array), .member_count = COUNT_OF(array)

/* Durations and counts have no rule: they are never negative, that is all. */
const struct field_rule report_field_rules[REPORT_FIELD_COUNT] = {
	[REPORT_FIELD_kind] = {.min = 1, .max = 32},
	[REPORT_FIELD_site] = {.min = 1, .max = SITE_NAME_MAX},
	[REPORT_FIELD_url] = {.min = 1, .max = URL_MAX},
	[REPORT_FIELD_host] = {.min = 1, .max = REPORT_HOST_MAX},
	[REPORT_FIELD_location] = {.min = 1, .max = REPORT_LOCATION_MAX},
	[REPORT_FIELD_interval_us] = {.min = 1, .max = INT64_MAX},
	[REPORT_FIELD_timeout_us] = {.min = 1, .max = INT64_MAX},
	[REPORT_FIELD_reason] = {.min = 1, .max = 64},
	[REPORT_FIELD_message] = {.min = 0, .max = 4096},
	[REPORT_FIELD_http_status_code] = {.min = 0, .max = 999},
	[REPORT_FIELD_http_version] = {.min = 1, .max = 16},
	[REPORT_FIELD_ip] = {.min = 1, .max = 64},
	[REPORT_FIELD_tls_version] = {.min = 1, .max = 16},
	[REPORT_FIELD_failures] = {MEMBERS(failure_members)},
	[REPORT_FIELD_redirects] = {MEMBERS(redirect_members)},
	[REPORT_FIELD_attempts] = {MEMBERS(attempt_members)},
	[REPORT_FIELD_evidence] = {MEMBERS(evidence_members)},
	[REPORT_FIELD_round] = {MEMBERS(round_members)},
};

const struct field report_fields[REPORT_FIELD_COUNT] = {
#define REPORT_FIELD_ROW(field_name, field_type, needed)                                           \
	[REPORT_FIELD_##field_name] = {.name = #field_name,                                        \
				       .name_length = sizeof(#field_name) - 1,                     \
				       .type = FIELD_##field_type,                                 \
				       .is_required = (needed),                                    \
				       .offset = offsetof(struct report_row, field_name)},
	REPORT_FIELDS(REPORT_FIELD_ROW)
#undef REPORT_FIELD_ROW
};

const enum report_field report_droppable[] = {
	REPORT_FIELD_evidence,        REPORT_FIELD_attempts, REPORT_FIELD_redirects,
	REPORT_FIELD_pattern_capture, REPORT_FIELD_failures, REPORT_FIELD_labels,
};
const size_t report_droppable_count = COUNT_OF(report_droppable);

struct field_rule report_field_rule(size_t field)
{
	struct field_rule rule = report_field_rules[field];
	if (rule.max == 0)
		rule.max = report_fields[field].type == FIELD_INT ? INT64_MAX : TEXT_ANY;
	return rule;
}

size_t report_field_find(const char *name, size_t length, size_t expected)
{
	size_t field = expected < REPORT_FIELD_COUNT ? expected : 0;
	for (size_t i = 0; i < REPORT_FIELD_COUNT; i++) {
		if (report_fields[field].name_length == length &&
		    report_fields[field].name[0] == name[0] &&
		    memcmp(report_fields[field].name, name, length) == 0)
			return field;
		field = field + 1 < REPORT_FIELD_COUNT ? field + 1 : 0;
	}
	return REPORT_FIELD_COUNT;
}
