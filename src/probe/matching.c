#include "probe/matching.h"

#include "base/memory.h"
#include "check/observation.h"
#include "check/site.h"
#include "pattern/pattern.h"

enum {
	/* A hop to a worker costs 15 to 26 µs: not worth it for a search that ends within this. */
	INLINE_BUDGET_US = 50,
	/*
	 * CPU of all the searches of one check together, on the pool: a page of a site may cost no more. Machine code searches
	 * 256 KiB for most patterns in a thousandth of it.
	 */
	POOL_BUDGET_US = 30 * CLOCK_US_PER_MS,
};

/* The n-th search; false where the budget was not enough. */
static bool search_one(struct matching *matching, size_t n, const struct pattern_budget *budget,
		       bool is_inline)
{
	const struct site *site = matching->site;
	if (n > 0)
		return rule_search(site, &site->rules[n - 1], &matching->subjects, budget,
				   is_inline, &matching->rules[n - 1]);
	return site->pattern == NULL ||
	       rule_search_pattern(site, site->pattern, &matching->subjects, budget,
				   matching->pattern);
}

static void give_up(const struct matching *matching, size_t n)
{
	struct match *match = n == 0 ? matching->pattern : &matching->rules[n - 1];
	if (n > 0 || matching->site->pattern != NULL)
		match->state = MATCH_TOO_COSTLY;
}

/* Search what is cheap; false at the first that would hold up the loop. */
static bool search_inline(struct matching *matching)
{
	for (; matching->next <= matching->site->rule_count; matching->next++) {
		const struct pattern_budget budget = pattern_budget_of_time(INLINE_BUDGET_US);
		if (!search_one(matching, matching->next, &budget, true))
			return false;
	}
	rule_subjects_finish(&matching->subjects);
	return true;
}

/* Go on until everything is decided, or too costly. */
static void search_rest(struct matching *matching, const struct pattern_budget *budget)
{
	for (; matching->next <= matching->site->rule_count; matching->next++) {
		if (!search_one(matching, matching->next, budget, false))
			give_up(matching, matching->next);
	}
	rule_subjects_finish(&matching->subjects);
}

static void on_work(uv_work_t *work)
{
	struct matching *matching = work->data;
	const struct pattern_budget budget =
		pattern_budget_of_cpu(POOL_BUDGET_US, matching->deadline);
	search_rest(matching, &budget);
}

/* Nothing more is decided. */
static void give_up_rest(struct matching *matching)
{
	for (; matching->next <= matching->site->rule_count; matching->next++)
		give_up(matching, matching->next);
	rule_subjects_finish(&matching->subjects);
}

static void on_work_done(uv_work_t *work, int status)
{
	struct matching *matching = work->data;
	if (status != 0) /* cancelled before it began */
		give_up_rest(matching);
	matching->on_matched(matching);
}

void matching_aim(struct matching *matching, const struct site *site,
		  struct observation *observation, int64_t decoded_bytes)
{
	*matching = (struct matching){.site = site};
	const struct raw_response *raw = &observation->raw;
	size_t searched = raw->body_length < (size_t)site->match_bytes ? raw->body_length
								       : (size_t)site->match_bytes;
	if (site->rule_count > 0) {
		observation->rules = xcalloc(site->rule_count, sizeof(observation->rules[0]));
		observation->rule_count = site->rule_count;
	}
	matching->subjects = (struct rule_subjects){
		.body = raw->body,
		.body_length = searched,
		.is_longer = decoded_bytes > (int64_t)searched,
		.raw = *raw,
		.url = observation->final.url,
		.issuer = observation->cert_issuer,
		.is_issuer_unseen = observation_lacks_certificate(observation),
	};
	matching->pattern = &observation->pattern;
	matching->rules = observation->rules;
}

bool matching_start(struct matching *matching, uv_loop_t *loop)
{
	matching->next = 0;
	if (search_inline(matching))
		return true;
	matching->work.data = matching;
	if (uv_queue_work(loop, &matching->work, on_work, on_work_done) == 0)
		return false;
	give_up_rest(matching); /* no pool */
	return true;
}

void matching_hurry(struct matching *matching)
{
	/* A search that runs has a deadline of its own. */
	(void)uv_cancel((uv_req_t *)&matching->work);
}
