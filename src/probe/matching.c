#include "probe/matching.h"

#include "base/text.h"
#include "check/observation.h"
#include "check/site.h"
#include "pattern/pattern.h"

enum {
	/* A hop to a worker costs 15 to 26 µs: not worth it for a search that ends within this. */
	INLINE_BUDGET_US = 50,
	/* All the searches of one check together, on the pool. */
	POOL_BUDGET_US = 1 * CLOCK_US_PER_S,
};

static void record(const struct matching *matching, enum pattern_result result,
		   const struct pattern_span *span, struct match *match)
{
	switch (result) {
	case PATTERN_FOUND:
		match->state = MATCH_FOUND;
		if (span->has_capture)
			match->capture =
				text_clean_copy(matching->bytes + span->start,
						span->end - span->start, OBSERVATION_CAPTURE_MAX);
		break;
	case PATTERN_NOT_FOUND:
		match->state = matching->is_longer ? MATCH_TRUNCATED : MATCH_NOT_FOUND;
		break;
	case PATTERN_TOO_COSTLY:
		match->state = MATCH_TOO_COSTLY;
		break;
	}
}

/* The n-th search: false when there are no more. A site without a recorded pattern has none for n = 0. */
static bool get_search(const struct matching *matching, size_t n,
		       const struct pattern **ret_pattern, struct match **ret_match)
{
	if (n == 0) {
		*ret_pattern = matching->site->pattern;
		*ret_match = matching->pattern;
		return true;
	}
	if (n > matching->site->body_rule_count)
		return false;
	*ret_pattern = matching->site->body_rules[n - 1].pattern;
	*ret_match = &matching->rules[n - 1];
	return true;
}

/* Go on until everything is decided; with is_inline, until a search is too costly for the loop. Returns whether all is. */
static bool search(struct matching *matching, bool is_inline, mono_us end)
{
	const struct pattern *pattern;
	struct match *match;
	const char *bytes = matching->bytes != NULL ? matching->bytes : "";
	for (; get_search(matching, matching->next, &pattern, &match); matching->next++) {
		if (pattern == NULL)
			continue;
		int64_t budget = is_inline ? INLINE_BUDGET_US : end - clock_mono_us();
		struct pattern_span span;
		enum pattern_result result = PATTERN_TOO_COSTLY;
		if (budget > 0)
			result = pattern_search(pattern, bytes, matching->length, budget, &span);
		if (result == PATTERN_TOO_COSTLY && is_inline)
			return false;
		record(matching, result, &span, match);
	}
	return true;
}

static void on_work(uv_work_t *work)
{
	struct matching *matching = work->data;
	mono_us end = clock_mono_us() + POOL_BUDGET_US;
	(void)search(matching, false, end < matching->deadline ? end : matching->deadline);
}

static void on_work_done(uv_work_t *work, int status)
{
	struct matching *matching = work->data;
	if (status != 0) /* cancelled before it began */
		(void)search(matching, false, 0);
	matching->on_matched(matching);
}

bool matching_start(struct matching *matching, uv_loop_t *loop)
{
	matching->next = 0;
	if (search(matching, true, 0))
		return true;
	matching->work.data = matching;
	if (uv_queue_work(loop, &matching->work, on_work, on_work_done) == 0)
		return false;
	return search(matching, false, 0); /* no pool: nothing more is decided */
}

void matching_hurry(struct matching *matching)
{
	/* A search that runs has a deadline of its own. */
	(void)uv_cancel((uv_req_t *)&matching->work);
}
