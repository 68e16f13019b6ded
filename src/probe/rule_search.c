#include "probe/rule_search.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/evidence.h"
#include "check/rule.h"
#include "check/secrets.h"
#include "check/site.h"
#include "check/token_shapes.h"
#include "check/url.h"
#include "pattern/pattern.h"
#include "probe/head_fields.h"

/* JSON is read at some 300 MB/s: what is longer goes to the pool. */
enum { JSON_INLINE_MAX = 16 * 1024 };

void rule_subjects_finish(struct rule_subjects *subjects)
{
	for (size_t i = 0; subjects->values != NULL && i < subjects->value_count; i++)
		json_value_finish(&subjects->values[i]);
	free(subjects->values);
	subjects->values = NULL;
}

/*
 * Whether these may hold what looks like a secret: a value has its name before it, a user an '@' behind it, and what has no name is a
 * token or a private key.
 */
static bool may_show_secret(const char *bytes, size_t length)
{
	static const char signs[] = "=:>@";
	static const char key[] = "-----BEGIN";
	if (memmem(bytes, length, key, strlen(key)) != NULL || token_shapes_stand_in(bytes, length))
		return true;
	for (size_t i = 0; signs[i] != '\0'; i++)
		if (memchr(bytes, signs[i], length) != NULL)
			return true;
	return false;
}

/* What a pattern captures is what its user wants to see; but secrets, the request's and the page's own, may stand there, too. */
static char *take_capture(const struct site *site, const char *cookies, const char *bytes,
			  size_t length)
{
	enum { LOOKED_MAX = OBSERVATION_CAPTURE_MAX + EVIDENCE_SLACK };
	size_t looked = length < LOOKED_MAX ? length : LOOKED_MAX;
	bool is_hidden = may_show_secret(bytes, looked);
	if (!is_hidden) {
		struct secrets *secrets = secrets_create_with(site, cookies);
		is_hidden = secrets != NULL;
		secrets_destroy(secrets);
	}
	if (is_hidden)
		return secrets_hide_value(site, cookies, NULL, bytes, looked,
					  OBSERVATION_CAPTURE_MAX);
	return text_clean_copy(bytes, looked, OBSERVATION_CAPTURE_MAX);
}

static enum pattern_result search_bytes(const struct pattern *pattern, const char *bytes,
					size_t length, bool is_beginning,
					const struct pattern_budget *budget,
					struct pattern_span *ret_span)
{
	return is_beginning ? pattern_search_beginning(pattern, bytes, length, budget, ret_span)
			    : pattern_search_within(pattern, bytes, length, budget, ret_span);
}

bool rule_search_pattern(const struct site *site, const struct pattern *pattern,
			 const struct rule_subjects *subjects, const struct pattern_budget *budget,
			 struct match *ret_match)
{
	struct pattern_span span;
	const char *bytes = subjects->body != NULL ? subjects->body : "";
	switch (search_bytes(pattern, bytes, subjects->body_length, subjects->is_longer, budget,
			     &span)) {
	case PATTERN_FOUND:
		ret_match->state = MATCH_FOUND;
		if (span.has_capture)
			ret_match->capture =
				take_capture(site, subjects->raw.cookies, bytes + span.start,
					     span.end - span.start);
		return true;
	case PATTERN_NOT_FOUND:
		ret_match->state = subjects->is_longer ? MATCH_TRUNCATED : MATCH_NOT_FOUND;
		return true;
	case PATTERN_TOO_COSTLY:
		break;
	}
	return false;
}

/* A pattern on one short text, or on the beginning of one. */
static bool search_text(const struct site_rule *rule, const char *bytes, size_t length, bool is_cut,
			const struct pattern_budget *budget, enum match_state *ret_state)
{
	struct pattern_span span;
	enum pattern_result result =
		search_bytes(rule->pattern, bytes, length, is_cut, budget, &span);
	if (result == PATTERN_TOO_COSTLY)
		return false;
	*ret_state = result == PATTERN_FOUND ? MATCH_FOUND : MATCH_NOT_FOUND;
	return true;
}

/* The first value that fits, or else the first of all, is the one to show. */
static bool search_header(const struct site *site, const struct site_rule *rule,
			  const struct raw_response *raw, const struct pattern_budget *budget,
			  struct match *ret_match)
{
	struct head_field field = {0};
	struct head_field shown = {0};
	enum match_state state = MATCH_MISSING;
	while (state != MATCH_FOUND && head_fields_next(raw, rule->name, &field)) {
		enum match_state found = MATCH_FOUND;
		if (rule->test == RULE_MATCHES &&
		    !search_text(rule, field.value, field.length, false, budget, &found))
			return false;
		if (state == MATCH_MISSING || found == MATCH_FOUND)
			shown = field;
		state = found;
	}
	ret_match->state = state;
	if (state != MATCH_MISSING)
		ret_match->capture = secrets_hide_value(site, raw->cookies, rule->name, shown.value,
							shown.length, OBSERVATION_VALUE_MAX);
	return true;
}

static bool search_known(const struct site *site, const struct site_rule *rule, const char *cookies,
			 const char *text, const struct pattern_budget *budget,
			 struct match *ret_match)
{
	if (text == NULL) {
		ret_match->state = MATCH_MISSING;
		return true;
	}
	if (!search_text(rule, text, strlen(text), false, budget, &ret_match->state))
		return false;
	ret_match->capture =
		secrets_hide_value(site, cookies, NULL, text, strlen(text), OBSERVATION_VALUE_MAX);
	return true;
}

/* --- JSON --- */

/* Of a beginning of JSON the part that can't be misread: no number and no character that was cut in two. */
static size_t whole_length(const char *bytes, size_t length)
{
	while (length > 0 && (bytes[length - 1] & 0x80) != 0)
		length--;
	while (length > 0 && bytes[length - 1] != '\0' &&
	       strchr("0123456789+-.eE", bytes[length - 1]) != NULL)
		length--;
	return length;
}

static void read_json(const struct site *site, struct rule_subjects *subjects)
{
	static const char mark[] =
		"\xEF\xBB\xBF"; /* of byte order, which some servers put in front */
	const char *bytes = subjects->body != NULL ? subjects->body : "";
	size_t length = subjects->body_length;
	const char **pointers = xcalloc(site->rule_count, sizeof(pointers[0]));
	size_t count = 0;
	if (length >= strlen(mark) && memcmp(bytes, mark, strlen(mark)) == 0) {
		bytes += strlen(mark);
		length -= strlen(mark);
	}
	if (subjects->is_longer)
		length = whole_length(bytes, length);
	for (size_t i = 0; i < site->rule_count; i++) {
		if (site->rules[i].subject == RULE_JSON)
			pointers[count++] = site->rules[i].name;
	}
	subjects->values = xcalloc(count, sizeof(subjects->values[0]));
	subjects->value_count = count;
	subjects->json = json_pointer_find(bytes, length, pointers, count, subjects->values);
	free(pointers);
}

/* Where nothing was found: what that means. */
static enum match_state not_found_state(const struct rule_subjects *subjects)
{
	switch (subjects->json) {
	case JSON_POINTER_READ:
		return MATCH_MISSING;
	case JSON_POINTER_BROKEN:
		return subjects->is_longer ? MATCH_TRUNCATED : MATCH_NOT_JSON;
	case JSON_POINTER_DEEP:
		return MATCH_TOO_DEEP;
	case JSON_POINTER_COSTLY:
		break;
	}
	return MATCH_TOO_COSTLY;
}

/* Those before end. */
static size_t count_json_rules(const struct site_rule *rules, const struct site_rule *end)
{
	size_t count = 0;
	for (; rules < end; rules++)
		count += rules->subject == RULE_JSON;
	return count;
}

/*
 * The name of a pointer by which its value is told to be a secret: the last one, or one that it lies below, as in /credentials/0.
 * To be freed by the caller.
 */
static char *telling_name(const char *pointer)
{
	const char *slash = strchr(pointer, '/');
	char *name = NULL;
	while (slash != NULL && (name == NULL || !url_is_secret_name(name))) {
		size_t length = strcspn(slash + 1, "/");
		free(name);
		name = xstrndup(slash + 1, length);
		slash = strchr(slash + 1, '/');
	}
	return name;
}

/* What a message shows of a value. */
static char *show_json(const struct site *site, const char *cookies, const struct site_rule *rule,
		       const struct json_value *value)
{
	if (value->kind == JSON_ARRAY)
		return xstrdup("an array");
	if (value->kind == JSON_OBJECT)
		return xstrdup("an object");
	char *name = telling_name(rule->name);
	char *safe = secrets_hide_value(site, cookies, name, value->text, value->length,
					OBSERVATION_VALUE_MAX);
	free(name);
	if (value->kind != JSON_TEXT || safe == NULL)
		return safe;
	char *quoted = xasprintf("\"%s\"", safe);
	free(safe);
	return quoted;
}

static bool search_json(const struct site *site, const struct site_rule *rule,
			struct rule_subjects *subjects, const struct pattern_budget *budget,
			bool is_inline, struct match *ret_match)
{
	if (subjects->values == NULL) {
		if (is_inline && subjects->body_length > JSON_INLINE_MAX)
			return false;
		read_json(site, subjects);
	}
	const struct json_value *value = &subjects->values[count_json_rules(site->rules, rule)];
	bool is_broken = subjects->json == JSON_POINTER_BROKEN && !subjects->is_longer;
	if (!value->is_found || is_broken) {
		ret_match->state = not_found_state(subjects);
		return true;
	}
	enum match_state state;
	if (rule->test != RULE_MATCHES)
		state = rule_compare(rule, value);
	else if (!search_text(rule, value->text, value->length, value->is_cut, budget, &state))
		return false;
	if (rule->test == RULE_MATCHES && state == MATCH_NOT_FOUND && value->is_cut)
		state = MATCH_TRUNCATED;
	ret_match->state = state;
	ret_match->capture = show_json(site, subjects->raw.cookies, rule, value);
	return true;
}

bool rule_search(const struct site *site, const struct site_rule *rule,
		 struct rule_subjects *subjects, const struct pattern_budget *budget,
		 bool is_inline, struct match *ret_match)
{
	switch (rule->subject) {
	case RULE_BODY:
		return rule_search_pattern(site, rule->pattern, subjects, budget, ret_match);
	case RULE_HEADER:
		return search_header(site, rule, &subjects->raw, budget, ret_match);
	case RULE_JSON:
		return search_json(site, rule, subjects, budget, is_inline, ret_match);
	case RULE_URL:
		return search_known(site, rule, subjects->raw.cookies, subjects->url, budget,
				    ret_match);
	case RULE_ISSUER:
		if (subjects->is_issuer_unseen)
			return true; /* not tried */
		return search_known(site, rule, subjects->raw.cookies, subjects->issuer, budget,
				    ret_match);
	}
	return false;
}
