/*
 *     STATE - text | 'label'=value[UOM];[warn];[crit];[min];[max] 'label'=...
 *
 * No '|' and no line's end can stand in text and labels, no '=' in labels; a quote in a label is doubled. Times are in seconds. A value
 * that is not known is U. A range of warn and crit raises the alarm outside of it: "2" is 0 to 2, "14:" is 14 and more.
 */
#include "app/nagios.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/phase_bar.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/limits.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/site.h"
#include "check/verdict.h"

enum {
	PERFDATA_MAX = 64 * 1024,
	NUMBER_SIZE = 32,
	RANGE_SIZE = 2 * NUMBER_SIZE,
	SAID_MAX = 20, /* sites that are named, of those that are not up */
};

#define DAY_US (INT64_C(86400) * CLOCK_US_PER_S)

static const char *state_name(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_UP:
		return "OK";
	case OUTCOME_DEGRADED:
		return "WARNING";
	case OUTCOME_DOWN:
		return "CRITICAL";
	case OUTCOME_UNKNOWN:
	case OUTCOME_COUNT:
		break;
	}
	return "UNKNOWN";
}

/* Safe text on one line, with another character for '|'. */
static void put_text(struct buffer *out, const char *text)
{
	size_t begin = out->length;
	(void)text_clean(out, text, strlen(text), NAGIOS_TEXT_MAX);
	for (size_t i = begin; i < out->length; i++) {
		if (out->data[i] == '|')
			out->data[i] = '/';
	}
}

static void put_label(struct buffer *out, const char *site_name, const char *label)
{
	struct buffer text;
	if (out->length > 0)
		(void)buffer_append_char(out, ' ');
	if (site_name == NULL) {
		(void)buffer_append_text(out, label);
		return;
	}
	buffer_init(&text, 2 * (size_t)NAGIOS_TEXT_MAX);
	put_text(&text, site_name);
	(void)buffer_append_format(&text, " %s", label);
	(void)buffer_append_char(out, '\'');
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		(void)buffer_append_char(out, (char)(c == '=' ? ':' : c));
		if (c == '\'')
			(void)buffer_append_char(out, c);
	}
	(void)buffer_append_char(out, '\'');
	buffer_finish(&text);
}

/* Exact, without zeros that say nothing: 1500000 of 1000000 is "1.5". */
static void format_ratio(int64_t value, int64_t unit, char text[static NUMBER_SIZE])
{
	int length = snprintf(text, NUMBER_SIZE, "%.6f", (double)value / (double)unit);
	while (length > 0 && text[length - 1] == '0')
		text[--length] = '\0';
	if (length > 0 && text[length - 1] == '.')
		text[--length] = '\0';
}

/* "": no limit */
static void format_limit(int64_t limit_us, int64_t unit, const char *after,
			 char text[static RANGE_SIZE])
{
	char number[NUMBER_SIZE];
	text[0] = '\0';
	if (limit_us <= 0)
		return;
	format_ratio(limit_us, unit, number);
	(void)snprintf(text, RANGE_SIZE, "%s%s", number, after);
}

static void put_time(struct buffer *out, const char *site_name, const char *label, int64_t us,
		     const struct limit *limit)
{
	char value[NUMBER_SIZE] = "U";
	char warn[RANGE_SIZE];
	char crit[RANGE_SIZE];
	if (us >= 0)
		(void)snprintf(value, sizeof(value), "%" PRId64 ".%06" PRId64 "s",
			       us / CLOCK_US_PER_S, us % CLOCK_US_PER_S);
	format_limit(limit->warn_us, CLOCK_US_PER_S, "", warn);
	format_limit(limit->fail_us, CLOCK_US_PER_S, "", crit);
	put_label(out, site_name, label);
	(void)buffer_append_format(out, "=%s;%s;%s;0", value, warn, crit);
}

static void put_times(struct buffer *out, const char *site_name, const struct report *report)
{
	const struct site *site = report->site;
	const struct observation *seen = report->observation;
	const struct limits *limits = limits_of(site);
	const struct limit total = {site->max_response_time_us, limits->total_fail_us};
	put_time(out, site_name, "total", seen->total_us, &total);
	for (int i = 0; i < LIMIT_PHASE_COUNT; i++) {
		enum limit_phase phase = (enum limit_phase)i;
		int64_t us = limits_phase_us(&seen->final, phase);
		/* A site has the same labels at every check, but one without TLS has no tls. */
		if (phase == LIMIT_TLS && us < 0 && !observation_is_tls(seen))
			continue;
		put_time(out, site_name, limits_phase_name(phase), us, &limits->phases[i]);
	}
}

static void put_size(struct buffer *out, const char *site_name, const struct report *report)
{
	const struct limits *limits = limits_of(report->site);
	int64_t bytes = report->observation->decoded_bytes;
	char value[NUMBER_SIZE] = "U";
	char crit[RANGE_SIZE] = "";
	if (bytes >= 0)
		(void)snprintf(value, sizeof(value), "%" PRId64 "B", bytes);
	if (limits->is_body_limited)
		(void)snprintf(crit, sizeof(crit), "%" PRId64 ":%" PRId64, limits->body_bytes_min,
			       limits->body_bytes_max);
	else if (limits->body_bytes_min > 0)
		(void)snprintf(crit, sizeof(crit), "%" PRId64 ":", limits->body_bytes_min);
	put_label(out, site_name, "size");
	(void)buffer_append_format(out, "=%s;;%s;0", value, crit);
}

/* Days; below zero where it has ended, so there is no minimum. */
static void put_certificate(struct buffer *out, const char *site_name, const struct report *report)
{
	const struct observation *seen = report->observation;
	char value[NUMBER_SIZE] = "U";
	char warn[RANGE_SIZE];
	char crit[RANGE_SIZE];
	if (!observation_is_tls(seen))
		return;
	if (seen->cert_not_after != TIME_UNKNOWN)
		(void)snprintf(value, sizeof(value), "%.2f",
			       (double)(seen->cert_not_after - seen->started_at) / (double)DAY_US);
	format_limit(report->site->cert_expiry_warn_us, DAY_US, ":", warn);
	format_limit(limits_of(report->site)->cert_expiry_fail_us, DAY_US, ":", crit);
	put_label(out, site_name, "certificate_days");
	(void)buffer_append_format(out, "=%s;%s;%s", value, warn, crit);
}

static char *make_perfdata(const struct report *report, const char *site_name)
{
	struct buffer out;
	buffer_init(&out, PERFDATA_MAX);
	put_times(&out, site_name, report);
	put_size(&out, site_name, report);
	put_certificate(&out, site_name, report);
	return buffer_take(&out);
}

static char *make_text(const struct report *report)
{
	const struct verdict *verdict = report->verdict;
	const struct hop *hop = &report->observation->final;
	const char *version = http_version_name(hop->http_version);
	struct buffer out;
	buffer_init(&out, 2 * (size_t)NAGIOS_TEXT_MAX);
	if (!text_is_empty(verdict->message)) {
		put_text(&out, verdict->message);
	} else if (hop->http_status_code == 0) {
		put_text(&out, reason_text(verdict->reason));
	} else {
		(void)buffer_append_format(&out, "HTTP/%s %d in ", version == NULL ? "?" : version,
					   hop->http_status_code);
		phase_bar_write_ms(&out, report->observation->total_us);
	}
	return buffer_take(&out);
}

void nagios_result_make(const struct report *report, bool is_one_of_many,
			struct nagios_result *ret_result)
{
	*ret_result = (struct nagios_result){
		.outcome = report->verdict->outcome,
		.name = xstrdup(report->site->name),
		.text = make_text(report),
		.perfdata = make_perfdata(report, is_one_of_many ? report->site->name : NULL),
	};
}

void nagios_result_finish(struct nagios_result *result)
{
	free(result->name);
	free(result->text);
	free(result->perfdata);
	*result = (struct nagios_result){0};
}

/* "1 down, 2 up" */
static void put_counts(struct buffer *out, const size_t counts[static OUTCOME_COUNT],
		       size_t unchecked)
{
	bool is_first = true;
	for (int i = OUTCOME_COUNT - 1; i >= 0; i--) {
		if (counts[i] == 0)
			continue;
		(void)buffer_append_format(out, "%s%zu %s", is_first ? "" : ", ", counts[i],
					   outcome_name((enum outcome)i));
		is_first = false;
	}
	if (unchecked > 0)
		(void)buffer_append_format(out, "%s%zu not checked", is_first ? "" : ", ",
					   unchecked);
}

static void put_result(struct buffer *out, const struct nagios_result *result)
{
	put_text(out, result->name);
	(void)buffer_append_format(out, ": %s", result->text);
}

/* The counts, then what is not as it should be, the worst first. */
static void put_summary(struct buffer *out, const struct nagios_result *results, size_t count,
			const size_t counts[static OUTCOME_COUNT], size_t unchecked)
{
	size_t said = 0;
	size_t bad = count - counts[OUTCOME_UP];
	put_counts(out, counts, unchecked);
	for (int outcome = OUTCOME_COUNT - 1; outcome > OUTCOME_UP; outcome--) {
		for (size_t i = 0; i < count && said < SAID_MAX; i++) {
			if ((int)results[i].outcome != outcome)
				continue;
			(void)buffer_append_text(out, said == 0 ? ": " : "; ");
			put_result(out, &results[i]);
			said++;
		}
	}
	if (bad > said)
		(void)buffer_append_format(out, "; and %zu more", bad - said);
}

void nagios_write(struct buffer *out, const struct nagios_result *results, size_t count,
		  size_t unchecked)
{
	size_t counts[OUTCOME_COUNT] = {0};
	enum outcome worst = unchecked > 0 || count == 0 ? OUTCOME_UNKNOWN : OUTCOME_UP;
	for (size_t i = 0; i < count; i++) {
		counts[results[i].outcome]++;
		if (results[i].outcome > worst)
			worst = results[i].outcome;
	}
	(void)buffer_append_format(out, "%s - ", state_name(worst));
	if (count == 1 && unchecked == 0)
		put_result(out, &results[0]);
	else
		put_summary(out, results, count, counts, unchecked);
	for (size_t i = 0; i < count; i++)
		(void)buffer_append_format(out, "%s%s", i == 0 ? " | " : " ", results[i].perfdata);
	(void)buffer_append_char(out, '\n');
}

void nagios_write_unknown(struct buffer *out, const char *why)
{
	(void)buffer_append_format(out, "%s - ", state_name(OUTCOME_UNKNOWN));
	put_text(out, why);
	(void)buffer_append_char(out, '\n');
}
