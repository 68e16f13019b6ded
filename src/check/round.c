#include "check/round.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"

static size_t count_outcome(const struct round_result *results, size_t count, enum outcome outcome)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		found += results[i].outcome == outcome;
	return found;
}

/* The first with an outcome; 0 where none has it. */
static size_t find_outcome(const struct round_result *results, size_t count, enum outcome outcome)
{
	for (size_t i = 0; i < count; i++)
		if (results[i].outcome == outcome)
			return i;
	return 0;
}

/* ": 192.0.2.1 connect_refused, 192.0.2.2 timeout" */
static void list_results(struct buffer *out, const struct round_result *results, size_t count,
			 enum outcome outcome)
{
	const char *before = ": ";
	for (size_t i = 0; i < count; i++) {
		if (results[i].outcome != outcome)
			continue;
		(void)buffer_append_format(out, "%s%s %s", before, results[i].address,
					   reason_name(results[i].reason));
		before = ", ";
	}
}

/* "2 of 4 addresses fail", "1 of 4 addresses fails" */
static void put_share(struct buffer *out, size_t part, size_t count, const char *one,
		      const char *many)
{
	(void)buffer_append_format(out, "%zu of %zu address%s %s", part, count,
				   count == 1 ? "" : "es", part == 1 ? one : many);
}

static void explain(const struct round_result *results, struct round_verdict *verdict)
{
	struct buffer text;
	size_t count = verdict->addresses;
	size_t degraded = count_outcome(results, count, OUTCOME_DEGRADED);
	size_t unknown = count_outcome(results, count, OUTCOME_UNKNOWN);
	buffer_init(&text, VERDICT_MESSAGE_MAX);
	switch (verdict->outcome) {
	case OUTCOME_DOWN:
	case OUTCOME_DEGRADED:
		if (verdict->failed > 0) {
			put_share(&text, verdict->failed, count, "fails", "fail");
			if (verdict->needed != count)
				(void)buffer_append_format(&text, ", %zu needed", verdict->needed);
			list_results(&text, results, count, OUTCOME_DOWN);
		} else if (verdict->outcome == OUTCOME_DOWN) {
			(void)buffer_append_format(&text, "the name has %zu address%s, %zu needed",
						   count, count == 1 ? "" : "es", verdict->needed);
		} else {
			put_share(&text, degraded, count, "is degraded", "are degraded");
			list_results(&text, results, count, OUTCOME_DEGRADED);
		}
		break;
	case OUTCOME_UNKNOWN:
		put_share(&text, unknown, count, "could not be checked", "could not be checked");
		list_results(&text, results, count, OUTCOME_UNKNOWN);
		break;
	case OUTCOME_UP:
	case OUTCOME_COUNT:
		break;
	}
	verdict->message = buffer_take(&text);
}

static enum outcome judge(const struct round_verdict *verdict, size_t unknown, bool is_degraded)
{
	if (verdict->up + unknown < verdict->needed)
		return OUTCOME_DOWN;
	if (verdict->up < verdict->needed)
		return OUTCOME_UNKNOWN;
	return verdict->failed > 0 || is_degraded ? OUTCOME_DEGRADED : OUTCOME_UP;
}

void round_decide(const struct round_result *results, size_t count, size_t needed,
		  struct round_verdict *ret_verdict)
{
	size_t unknown = count_outcome(results, count, OUTCOME_UNKNOWN);
	size_t degraded = count_outcome(results, count, OUTCOME_DEGRADED);
	struct round_verdict verdict = {
		.addresses = count,
		.needed = needed == 0 ? count : needed,
		.up = count_outcome(results, count, OUTCOME_UP) + degraded,
		.failed = count_outcome(results, count, OUTCOME_DOWN),
	};
	verdict.outcome = judge(&verdict, unknown, degraded > 0);
	bool is_of_failed = verdict.failed > 0 && (verdict.outcome == OUTCOME_DOWN ||
						   verdict.outcome == OUTCOME_DEGRADED);
	verdict.speaker =
		find_outcome(results, count, is_of_failed ? OUTCOME_DOWN : verdict.outcome);
	verdict.reason = results[verdict.speaker].reason;
	if (verdict.outcome == OUTCOME_DOWN && !is_of_failed)
		verdict.reason = REASON_TOO_FEW_ADDRESSES;
	else if (verdict.outcome == OUTCOME_DEGRADED && is_of_failed)
		verdict.reason = REASON_ADDRESS_FAILS;
	else if (verdict.outcome == OUTCOME_UP)
		verdict.reason = REASON_OK;
	explain(results, &verdict);
	*ret_verdict = verdict;
}

void round_verdict_finish(struct round_verdict *verdict)
{
	free(verdict->message);
	*verdict = (struct round_verdict){0};
}

void round_add(struct round *round, struct observation *observation, struct verdict *verdict,
	       struct evidence *evidence)
{
	round->parts = xreallocarray(round->parts, round->count + 1, sizeof(*round->parts));
	struct round_part *part = &round->parts[round->count++];
	*part = (struct round_part){
		.observation = *observation, .verdict = *verdict, .evidence = *evidence};
	if (observation->earlier != NULL)
		attempts_copy(&part->attempts, observation->earlier);
	part->observation.raw = (struct raw_response){0};
	part->observation.earlier = NULL; /* the list of parts may still move */
	observation_init(observation);
	*verdict = (struct verdict){0};
	*evidence = (struct evidence){0};
}

/* The order in which checks end tells nothing. */
static int compare_parts(const void *a, const void *b)
{
	const struct round_part *left = a;
	const struct round_part *right = b;
	return strcmp(observation_first_ip(&left->observation),
		      observation_first_ip(&right->observation));
}

void round_judge(struct round *round, size_t needed, struct round_verdict *ret_verdict)
{
	struct round_result *results = xcalloc(round->count, sizeof(*results));
	qsort(round->parts, round->count, sizeof(*round->parts), compare_parts);
	for (size_t i = 0; i < round->count; i++) {
		struct round_part *part = &round->parts[i];
		part->observation.earlier = part->attempts.count > 0 ? &part->attempts : NULL;
		results[i] = (struct round_result){
			.address = observation_first_ip(&part->observation),
			.outcome = part->verdict.outcome,
			.reason = part->verdict.reason,
		};
	}
	round_decide(results, round->count, needed, ret_verdict);
	ret_verdict->unchecked = round->unchecked;
	free(results);
}

void round_finish(struct round *round)
{
	for (size_t i = 0; i < round->count; i++) {
		struct round_part *part = &round->parts[i];
		observation_finish(&part->observation);
		attempts_finish(&part->attempts);
		verdict_finish(&part->verdict);
		evidence_finish(&part->evidence);
	}
	free(round->parts);
	*round = (struct round){0};
}
