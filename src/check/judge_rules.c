/* What the body, a header, the JSON, the last URL and the certificate's issuer must say, or must not. */
#include "check/judging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/json_pointer.h"
#include "check/observation.h"
#include "check/rule.h"
#include "check/site.h"

enum {
	TEXT_SHOWN_MAX = 200, /* how much of a user's pattern a message repeats … */
	NAME_SHOWN_MAX = 120, /* … and of a header's name or a pointer */
	SUBJECT_MAX = 256,
	TEST_MAX = 320,
};

/* What a rule is about, for people. */
static void name_subject(const struct site_rule *rule, char text[static SUBJECT_MAX])
{
	char *name = rule->name == NULL
			     ? xstrdup("")
			     : text_clean_copy(rule->name, strlen(rule->name), NAME_SHOWN_MAX);
	switch (rule->subject) {
	case RULE_BODY:
		(void)snprintf(text, SUBJECT_MAX, "the body");
		break;
	case RULE_HEADER:
		(void)snprintf(text, SUBJECT_MAX, "the header %s", name);
		break;
	case RULE_JSON:
		(void)snprintf(text, SUBJECT_MAX, "the JSON%s%s", name[0] == '\0' ? "" : " at ",
			       name);
		break;
	case RULE_URL:
		(void)snprintf(text, SUBJECT_MAX, "the final URL");
		break;
	case RULE_ISSUER:
		(void)snprintf(text, SUBJECT_MAX, "the certificate's issuer");
		break;
	}
	free(name);
}

static enum reason mismatch_of(enum rule_subject subject)
{
	switch (subject) {
	case RULE_BODY:
		return REASON_BODY_MISMATCH;
	case RULE_HEADER:
		return REASON_HEADER_MISMATCH;
	case RULE_JSON:
		return REASON_JSON_MISMATCH;
	case RULE_URL:
		return REASON_URL_MISMATCH;
	case RULE_ISSUER:
		break;
	}
	return REASON_CERT_MISMATCH;
}

static enum reason reason_of(const struct site_rule *rule, enum match_state state)
{
	enum reason mismatch = mismatch_of(rule->subject);
	switch (state) {
	case MATCH_FOUND:
		return rule->is_wanted ? REASON_OK : mismatch;
	case MATCH_NOT_FOUND:
		return rule->is_wanted ? mismatch : REASON_OK;
	case MATCH_MISSING:
		if (rule->test == RULE_EXISTS)
			return rule->is_wanted ? mismatch : REASON_OK;
		return rule->may_be_missing ? REASON_OK : mismatch;
	case MATCH_NOT_JSON:
		return mismatch;
	case MATCH_TRUNCATED:
		return REASON_MATCH_TRUNCATED;
	case MATCH_TOO_COSTLY:
	case MATCH_TOO_DEEP:
		return REASON_PATTERN_TOO_COSTLY;
	case MATCH_NOT_TRIED:
		break;
	}
	return REASON_PROBER_ERROR;
}

/* "matches "x"", "does not match "x"": what is true of the subject. */
static void name_test(const struct site_rule *rule, bool holds, char text[static TEST_MAX])
{
	const char *quote = rule->test == RULE_EQUALS && rule->kind != JSON_TEXT ? "" : "\"";
	char *shown = rule->text == NULL
			      ? xstrdup("")
			      : text_clean_copy(rule->text, strlen(rule->text), TEXT_SHOWN_MAX);
	const char *verb = "";
	switch (rule->test) {
	case RULE_MATCHES:
		if (rule->is_literal)
			verb = holds ? "contains" : "does not contain";
		else
			verb = holds ? "matches" : "does not match";
		break;
	case RULE_EQUALS:
		verb = holds ? "is" : "is not";
		break;
	case RULE_LESS:
		verb = holds ? "is less than" : "is not less than";
		quote = "";
		break;
	case RULE_GREATER:
		verb = holds ? "is greater than" : "is not greater than";
		quote = "";
		break;
	case RULE_EXISTS:
		(void)snprintf(text, TEST_MAX, "%s", holds ? "is there" : "is not there");
		free(shown);
		return;
	}
	(void)snprintf(text, TEST_MAX, "%s %s%s%s", verb, quote, shown, quote);
	free(shown);
}

static void note(struct judging *judging, const struct site_rule *rule, const struct match *match,
		 enum reason reason)
{
	char subject[SUBJECT_MAX];
	char test[TEST_MAX];
	name_subject(rule, subject);
	name_test(rule, match->state == MATCH_FOUND, test);
	const char *key = rule->key == NULL ? "" : rule->key;
	bool is_shown = rule->subject != RULE_BODY && match->capture != NULL &&
			(match->state == MATCH_FOUND || match->state == MATCH_NOT_FOUND);
	const char *quote = is_shown && rule->subject != RULE_JSON ? "\"" : "";
	switch (match->state) {
	case MATCH_FOUND:
	case MATCH_NOT_FOUND:
		judging_note(judging, key, reason, "%s %s%s%s%s%s", subject, test,
			     is_shown ? ", it is " : "", quote, is_shown ? match->capture : "",
			     quote);
		break;
	case MATCH_MISSING:
		judging_note(judging, key, reason, "%s is not there", subject);
		break;
	case MATCH_NOT_JSON:
		judging_note(judging, key, reason, "%s can't be looked at: the body is no JSON",
			     subject);
		break;
	case MATCH_TRUNCATED:
		judging_note(
			judging, key, reason,
			"whether %s %s can't be told: the part of it that is searched does not "
			"say, and it is longer",
			subject, test);
		break;
	case MATCH_TOO_COSTLY:
		judging_note(judging, key, reason,
			     "whether %s %s can't be told: it took too long to find out", subject,
			     test);
		break;
	case MATCH_TOO_DEEP:
		judging_note(judging, key, reason,
			     "whether %s %s can't be told: the body's JSON is nested deeper than "
			     "%d",
			     subject, test, JSON_POINTER_DEPTH_MAX);
		break;
	case MATCH_NOT_TRIED:
		judging_note(judging, key, reason,
			     "whether %s %s can't be told: it was not searched", subject, test);
		break;
	}
}

void judge_rules(struct judging *judging)
{
	const struct site *site = judging->site;
	const struct observation *observation = judging->observation;
	static const struct match not_tried = {.state = MATCH_NOT_TRIED};
	for (size_t i = 0; i < site->rule_count; i++) {
		bool is_tried = observation->rules != NULL && i < observation->rule_count;
		const struct match *match = is_tried ? &observation->rules[i] : &not_tried;
		enum reason reason = reason_of(&site->rules[i], match->state);
		if (judging_wants(judging, reason))
			note(judging, &site->rules[i], match, reason);
	}
}
