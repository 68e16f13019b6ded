#include "probe/matching.h"

#include "base/memory.h"
#include "check/observation.h"
#include "check/site.h"

enum {
	/* A hop to a worker costs 15 to 26 µs: not worth it for a search that ends within this. */
	INLINE_BUDGET_US = 50,
	/* All the searches of one check together, on the pool. */
	POOL_BUDGET_US = 1 * CLOCK_US_PER_S,
};

/* The n-th search within a budget; false where that was not enough. */
static bool search_one(struct matching *matching, size_t n, int64_t budget_us, bool is_inline)
{
	const struct site *site = matching->site;
	if (n > 0)
		return rule_search(site, &site->rules[n - 1], &matching->subjects, budget_us,
				   is_inline, &matching->rules[n - 1]);
	return site->pattern == NULL || rule_search_pattern(site->pattern, &matching->subjects,
							    budget_us, matching->pattern);
}

static void give_up(const struct matching *matching, size_t n)
{
	struct match *match = n == 0 ? matching->pattern : &matching->rules[n - 1];
	if (n > 0 || matching->site->pattern != NULL)
		match->state = MATCH_TOO_COSTLY;
}

/* Go on until everything is decided; with is_inline, until a search is too costly for the loop. Returns whether all is. */
static bool search(struct matching *matching, bool is_inline, mono_us end)
{
	for (; matching->next <= matching->site->rule_count; matching->next++) {
		int64_t budget_us = is_inline ? INLINE_BUDGET_US : end - clock_mono_us();
		bool is_decided =
			budget_us > 0 && search_one(matching, matching->next, budget_us, is_inline);
		if (!is_decided && is_inline)
			return false;
		if (!is_decided)
			give_up(matching, matching->next);
	}
	rule_subjects_finish(&matching->subjects);
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
