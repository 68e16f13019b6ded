/*
 * One search of a check: the recorded pattern, or a rule of the site, on what it is about. Any thread, one at a time for the same
 * subjects.
 */
#ifndef WEBSENTRY_PROBE_RULE_SEARCH_H
#define WEBSENTRY_PROBE_RULE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "check/json_pointer.h"
#include "check/observation.h"

struct pattern;
struct pattern_budget;
struct site;
struct site_rule;

/* What is looked at. All is borrowed but for what the body's JSON holds. */
struct rule_subjects {
	const char *body;
	size_t body_length;
	bool is_longer;          /* the body was */
	struct raw_response raw; /* its head */
	const char *url;
	const char *issuer; /* NULL: none */
	bool is_issuer_unseen;

	/* The JSON, once a rule has asked for it; the values are those of the site's JSON rules, in their order. */
	struct json_value *values; /* NULL: not yet */
	enum json_pointer_result json;
	size_t value_count;
};

/* Release what the JSON held. */
void rule_subjects_finish(struct rule_subjects *subjects);

/*
 * Search within the budget and fill ret_match. False, with nothing filled, where that was not enough; or, with is_inline, where it
 * would hold up the loop.
 */
bool rule_search_pattern(const struct site *site, const struct pattern *pattern,
			 const struct rule_subjects *subjects, const struct pattern_budget *budget,
			 struct match *ret_match);
bool rule_search(const struct site *site, const struct site_rule *rule,
		 struct rule_subjects *subjects, const struct pattern_budget *budget,
		 bool is_inline, struct match *ret_match);

#endif
