#include "check/verdict.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/observation.h"
#include "check/site.h"

static_assert(SITE_PATTERNS_MAX + 3 <= VERDICT_FAILURES_MAX,
	      "every expectation of a site has room when all of them fail");

/* How much of a user's pattern a message repeats, and room for a list of status ranges. */
enum { PATTERN_SHOWN_MAX = 200, RANGES_SHOWN_MAX = 128, DURATION_TEXT_SIZE = 32 };

static void add_failure(struct verdict *verdict, enum reason reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add_failure(struct verdict *verdict, enum reason reason, const char *format, ...)
{
	if (verdict->failure_count == VERDICT_FAILURES_MAX)
		return;
	char message[2 * VERDICT_MESSAGE_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	verdict->failures = xreallocarray(verdict->failures, verdict->failure_count + 1,
					  sizeof(*verdict->failures));
	verdict->failures[verdict->failure_count++] = (struct failure){
		.reason = reason,
		.message = text_clean_copy(message, strlen(message), VERDICT_MESSAGE_MAX),
	};
}

/* "200-299, 304", cut where it gets long. */
static void format_ranges(const struct site *site, char *text, size_t size)
{
	if (site->valid_status_code_count == 0) {
		(void)snprintf(text, size, "200-299");
		return;
	}
	size_t used = 0;
	for (size_t i = 0; i < site->valid_status_code_count; i++) {
		const struct status_range *range = &site->valid_status_codes[i];
		const char *comma = i == 0 ? "" : ", ";
		int written =
			range->first == range->last
				? snprintf(text + used, size - used, "%s%d", comma, range->first)
				: snprintf(text + used, size - used, "%s%d-%d", comma, range->first,
					   range->last);
		if (written < 0 || (size_t)written >= size - used) {
			text[used] = '\0';
			return;
		}
		used += (size_t)written;
	}
}

static void judge_status(const struct site *site, const struct observation *observation,
			 struct verdict *verdict)
{
	int status = observation->final.http_status_code;
	if (site_accepts_status(site, status))
		return;
	char expected[RANGES_SHOWN_MAX];
	format_ranges(site, expected, sizeof(expected));
	add_failure(verdict, REASON_STATUS_MISMATCH, "status %d, expected %s", status, expected);
}

static void judge_body_rule(const struct site_body_rule *rule, enum match_state state,
			    struct verdict *verdict)
{
	char *shown = text_clean_copy(rule->text, strlen(rule->text), PATTERN_SHOWN_MAX);
	switch (state) {
	case MATCH_FOUND:
		if (!rule->is_wanted)
			add_failure(verdict, REASON_BODY_MISMATCH, "the body matches \"%s\"",
				    shown);
		break;
	case MATCH_NOT_FOUND:
		if (rule->is_wanted)
			add_failure(verdict, REASON_BODY_MISMATCH, "the body does not match \"%s\"",
				    shown);
		break;
	case MATCH_TRUNCATED:
		add_failure(verdict, REASON_MATCH_TRUNCATED,
			    "\"%s\" is not in the part of the body that is searched, and the body "
			    "is longer",
			    shown);
		break;
	case MATCH_TOO_COSTLY:
		add_failure(verdict, REASON_PATTERN_TOO_COSTLY, "\"%s\" took too long on this body",
			    shown);
		break;
	case MATCH_NOT_TRIED:
		add_failure(verdict, REASON_PROBER_ERROR, "the body was not searched for \"%s\"",
			    shown);
		break;
	}
	free(shown);
}

static void judge_body(const struct site *site, const struct observation *observation,
		       struct verdict *verdict)
{
	for (size_t i = 0; i < site->body_rule_count; i++) {
		bool is_tried = observation->body_rules != NULL && i < observation->body_rule_count;
		judge_body_rule(&site->body_rules[i],
				is_tried ? observation->body_rules[i].state : MATCH_NOT_TRIED,
				verdict);
	}
}

static void judge_time(const struct site *site, const struct observation *observation,
		       struct verdict *verdict)
{
	if (site->max_response_time_us == 0 || observation->total_us <= site->max_response_time_us)
		return;
	char limit[DURATION_TEXT_SIZE];
	text_format_duration(site->max_response_time_us, limit, sizeof(limit));
	if (observation->total_us - observation->lag_us <= site->max_response_time_us)
		add_failure(verdict, REASON_PROBER_OVERLOADED,
			    "took %" PRId64
			    " ms, the limit is %s, but the prober itself was held up for %" PRId64
			    " ms",
			    observation->total_us / CLOCK_US_PER_MS, limit,
			    observation->lag_us / CLOCK_US_PER_MS);
	else
		add_failure(verdict, REASON_SLOW, "took %" PRId64 " ms, the limit is %s",
			    observation->total_us / CLOCK_US_PER_MS, limit);
}

/* The first end in the chain counts: a server whose intermediate certificate runs out is as unreachable. */
static void judge_certificate(const struct site *site, const struct observation *observation,
			      struct verdict *verdict)
{
	wall_us end = observation->cert_not_after;
	if (end == TIME_UNKNOWN ||
	    (observation->chain_not_after != TIME_UNKNOWN && observation->chain_not_after < end))
		end = observation->chain_not_after;
	if (site->cert_expiry_warn_us == 0 || end == TIME_UNKNOWN ||
	    observation->started_at == TIME_UNKNOWN)
		return;
	int64_t left_us = end - observation->started_at;
	if (left_us >= site->cert_expiry_warn_us)
		return;
	char date[CLOCK_TEXT_SIZE];
	clock_format(end, date);
	date[sizeof("2026-11-21") - 1] = '\0';
	const int64_t day_us = INT64_C(86400) * CLOCK_US_PER_S;
	if (left_us < 0)
		add_failure(verdict, REASON_CERT_EXPIRING, "the certificate expired on %s", date);
	else
		add_failure(verdict, REASON_CERT_EXPIRING,
			    "the certificate expires in %" PRId64 " days, on %s", left_us / day_us,
			    date);
}

/* Move the worst failure, the first of equal ones, to the front; the others keep their order. */
static void put_worst_first(struct verdict *verdict)
{
	size_t worst = 0;
	for (size_t i = 1; i < verdict->failure_count; i++)
		if (reason_outcome(verdict->failures[i].reason) >
		    reason_outcome(verdict->failures[worst].reason))
			worst = i;
	struct failure moved = verdict->failures[worst];
	memmove(&verdict->failures[1], &verdict->failures[0], worst * sizeof(moved));
	verdict->failures[0] = moved;
}

void verdict_decide(const struct site *site, const struct observation *observation,
		    struct verdict *ret_verdict)
{
	struct verdict verdict = {.outcome = OUTCOME_UP, .reason = REASON_OK};
	if (observation->trouble != REASON_OK) {
		add_failure(&verdict, observation->trouble, "%s",
			    text_is_empty(observation->message) ? reason_text(observation->trouble)
								: observation->message);
	} else {
		judge_status(site, observation, &verdict);
		judge_body(site, observation, &verdict);
		judge_time(site, observation, &verdict);
		judge_certificate(site, observation, &verdict);
	}
	if (verdict.failure_count > 0) {
		put_worst_first(&verdict);
		verdict.reason = verdict.failures[0].reason;
		verdict.outcome = reason_outcome(verdict.reason);
	}
	verdict.message = xstrdup(verdict.failure_count > 0 ? verdict.failures[0].message : "");
	*ret_verdict = verdict;
}

void verdict_finish(struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->failure_count; i++)
		free(verdict->failures[i].message);
	free(verdict->failures);
	free(verdict->message);
	*verdict = (struct verdict){0};
}
