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
#include "check/judging.h"
#include "check/limits.h"
#include "check/observation.h"
#include "check/site.h"

static_assert(SITE_RULES_MAX + LIMIT_PHASE_COUNT + 12 <= VERDICT_FAILURES_MAX,
	      "every expectation of a site has room when all of them fail");

/* Room for a list of status ranges, and for "; and 64 more". */
enum { RANGES_SHOWN_MAX = 128, MORE_SIZE = 24 };

static void add_failure(struct verdict *verdict, enum reason reason, const char *message)
{
	if (verdict->failure_count == VERDICT_FAILURES_MAX)
		return;
	verdict->failures = xreallocarray(verdict->failures, verdict->failure_count + 1,
					  sizeof(*verdict->failures));
	verdict->failures[verdict->failure_count++] = (struct failure){
		.reason = reason,
		.message = text_clean_copy(message, strlen(message), VERDICT_FAILURE_MAX),
	};
}

static void add_point(struct explanation *explanation, const char *key, enum reason reason,
		      const char *text)
{
	explanation->points = xreallocarray(explanation->points, explanation->count + 1,
					    sizeof(*explanation->points));
	explanation->points[explanation->count++] = (struct point){
		.key = key,
		.reason = reason,
		.text = text_clean_copy(text, strlen(text), VERDICT_FAILURE_MAX),
	};
}

void judging_note(struct judging *judging, const char *key, enum reason reason, const char *format,
		  ...)
{
	char text[2 * VERDICT_FAILURE_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (judging->verdict != NULL && reason != REASON_OK)
		add_failure(judging->verdict, reason, text);
	if (judging->explanation != NULL)
		add_point(judging->explanation, key, reason, text);
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

static void judge_status(struct judging *judging)
{
	int status = judging->observation->final.http_status_code;
	enum reason reason =
		site_accepts_status(judging->site, status) ? REASON_OK : REASON_STATUS_MISMATCH;
	if (!judging_wants(judging, reason))
		return;
	char expected[RANGES_SHOWN_MAX];
	format_ranges(judging->site, expected, sizeof(expected));
	judging_note(judging, "valid_status_codes", reason, "status %d, expected %s", status,
		     expected);
}

/*
 * A server that was told nothing for a while gives up with this status. Where the prober slept meanwhile that is its own doing, and what
 * came is not the page that is expected.
 */
static bool is_of_our_silence(struct judging *judging)
{
	enum { REQUEST_TIMEOUT = 408, SILENT_MIN_US = 100 * CLOCK_US_PER_MS };
	const struct observation *seen = judging->observation;
	if (seen->final.http_status_code != REQUEST_TIMEOUT || seen->lag_us <= SILENT_MIN_US ||
	    site_accepts_status(judging->site, REQUEST_TIMEOUT))
		return false;
	judging_note(judging, "valid_status_codes", REASON_PROBER_OVERLOADED,
		     "status %d, which says that no request came in time, but the prober itself "
		     "was held up for "
		     "%" PRId64 " ms",
		     REQUEST_TIMEOUT, seen->lag_us / CLOCK_US_PER_MS);
	return true;
}

/* In the order in which the first of equal ones decides. */
static void judge(struct judging *judging)
{
	if (is_of_our_silence(judging))
		return;
	judge_status(judging);
	if (judging->site->limits != NULL) {
		judge_version(judging);
		judge_tls(judging);
	}
	judge_rules(judging);
	if (judging->site->limits != NULL) {
		judge_size(judging);
		judge_age(judging);
	}
	judge_time(judging);
	judge_certificate(judging);
}

/* Move the worst failure, the first of equal ones, to the front; the others keep their order. */
static void put_worst_first(struct verdict *verdict)
{
	size_t worst = 0;
	for (size_t i = 1; i < verdict->failure_count; i++)
		if (reason_outcome(verdict->failures[i].reason) >
		    reason_outcome(verdict->failures[worst].reason))
			worst = i;
	if (worst == 0)
		return;
	struct failure moved = verdict->failures[worst];
	memmove(&verdict->failures[1], &verdict->failures[0], worst * sizeof(moved));
	verdict->failures[0] = moved;
}

/* All of them, as many as there is room for. */
static char *join_failures(const struct verdict *verdict)
{
	struct buffer joined;
	buffer_init(&joined, VERDICT_MESSAGE_MAX);
	for (size_t i = 0; i < verdict->failure_count; i++) {
		const char *message = verdict->failures[i].message;
		size_t needed = joined.length + strlen("; ") + strlen(message);
		if (i > 0 && needed > VERDICT_MESSAGE_MAX - MORE_SIZE) {
			(void)buffer_append_format(&joined, "; and %zu more",
						   verdict->failure_count - i);
			break;
		}
		(void)buffer_append_text(&joined, i == 0 ? "" : "; ");
		(void)buffer_append_text(&joined, message);
	}
	return buffer_take(&joined);
}

/* What could not be told is neither. */
static void invert(struct verdict *verdict)
{
	switch (verdict->outcome) {
	case OUTCOME_UP:
	case OUTCOME_DEGRADED:
		verdict_finish(verdict);
		add_failure(verdict, REASON_INVERTED, "it is up, and must not be");
		break;
	case OUTCOME_DOWN:
		verdict_finish(verdict);
		break;
	case OUTCOME_UNKNOWN:
	case OUTCOME_COUNT:
		break;
	}
}

static void sum_up(struct verdict *verdict)
{
	put_worst_first(verdict);
	verdict->reason = verdict->failure_count == 0 ? REASON_OK : verdict->failures[0].reason;
	verdict->outcome = reason_outcome(verdict->reason);
}

void verdict_decide(const struct site *site, const struct observation *observation,
		    struct verdict *ret_verdict)
{
	struct verdict verdict = {0};
	struct judging judging = {.site = site, .observation = observation, .verdict = &verdict};
	if (observation->trouble != REASON_OK)
		add_failure(&verdict, observation->trouble,
			    text_is_empty(observation->message) ? reason_text(observation->trouble)
								: observation->message);
	else
		judge(&judging);
	sum_up(&verdict);
	if (site->is_inverted) {
		invert(&verdict);
		sum_up(&verdict);
	}
	verdict.message = join_failures(&verdict);
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

void verdict_explain(const struct site *site, const struct observation *observation,
		     struct explanation *ret_explanation)
{
	struct explanation explanation = {0};
	struct judging judging = {
		.site = site, .observation = observation, .explanation = &explanation};
	if (observation->trouble == REASON_OK)
		judge(&judging);
	*ret_explanation = explanation;
}

void explanation_finish(struct explanation *explanation)
{
	for (size_t i = 0; i < explanation->count; i++)
		free(explanation->points[i].text);
	free(explanation->points);
	*explanation = (struct explanation){0};
}
