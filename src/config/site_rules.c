/*
 * The keys that say what a response must or must not say: patterns and texts of the body, headers, JSON, the final URL, the
 * certificate's issuer. Each becomes rules of the site; a text to be found is a pattern that matches just it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/decimal.h"
#include "check/json_pointer.h"
#include "config/site_entry.h"
#include "config/site_keys.h"
#include "pattern/pattern.h"

enum { LITERAL_MAX = 4096, HEADER_NAME_MAX = 256, EQUALS_MAX = 4096 };

/* Those of the same key that a level farther from the site gave go. */
static void forget_rules(struct site *site, const char *key)
{
	size_t kept = 0;
	for (size_t i = 0; i < site->rule_count; i++) {
		struct site_rule *rule = &site->rules[i];
		if (strcmp(rule->key, key) == 0) {
			pattern_destroy(rule->pattern);
			rule_finish(rule);
		} else {
			site->rules[kept++] = *rule;
		}
	}
	site->rule_count = kept;
}

/* Takes what the rule owns, also where there is no room for it. */
static void add_rule(struct entry_reader *reader, const struct node *place,
		     const struct site_rule *taken)
{
	struct site *site = &reader->entry->site;
	if (site->rule_count == SITE_RULES_MAX) {
		struct site_rule surplus = *taken;
		entry_problem(reader, place,
			      "found more than %d expectations of body, headers, JSON, URL and "
			      "issuer, expected at most that many",
			      (int)SITE_RULES_MAX);
		pattern_destroy(surplus.pattern);
		rule_finish(&surplus);
		return;
	}
	site->rules = xreallocarray(site->rules, site->rule_count + 1, sizeof(*site->rules));
	site->rules[site->rule_count++] = *taken;
}

typedef void take_item(struct entry_reader *reader, const struct node *item,
		       const struct site_rule *kind);

/* One value or a list of them, each by take. */
static void take_list(struct entry_reader *reader, const struct node *value,
		      const struct site_rule *kind, take_item *take)
{
	forget_rules(&reader->entry->site, kind->key);
	if (entry_is_empty_list(reader, kind->key, value))
		return;
	if (value->kind != NODE_SEQUENCE) {
		take(reader, value, kind);
		return;
	}
	for (size_t i = 0; i < value->count; i++)
		take(reader, value->items[i], kind);
}

/* --- patterns --- */

/* The pattern that matches just this text. */
static char *quote_literal(const char *text)
{
	struct buffer quoted;
	buffer_init(&quoted, 2 * strlen(text));
	for (const char *at = text; *at != '\0'; at++) {
		if (strchr("\\^$.[|()?*+{]}#- \t\n\r\f\v", *at) != NULL)
			(void)buffer_append_char(&quoted, '\\');
		(void)buffer_append_char(&quoted, *at);
	}
	return buffer_take(&quoted);
}

/* Compile what a node says, into a rule's text and pattern. */
static int take_pattern(struct entry_reader *reader, const struct node *value, bool ignores_case,
			struct site_rule *rule)
{
	struct error err;
	char *text;
	size_t max = rule->is_literal ? LITERAL_MAX : PATTERN_TEXT_MAX;
	if (entry_take_block(reader, rule->key, value, max, &text) != 0)
		return -1;
	char *quoted = rule->is_literal ? quote_literal(text) : xstrdup(text);
	char *compiled = xasprintf("%s%s", ignores_case ? "(?i)" : "", quoted);
	rule->pattern = pattern_compile(compiled, &err);
	free(quoted);
	free(compiled);
	if (rule->pattern == NULL) {
		entry_problem(reader, value, "found '%.200s': %s", text, err.message);
		free(text);
		return -1;
	}
	rule->text = text;
	rule->ignores_case = ignores_case;
	return 0;
}

static int take_ignore_case(struct entry_reader *reader, const struct node *mapping,
			    bool *ret_ignores_case)
{
	const struct node *value = tree_find(mapping, "ignore_case");
	*ret_ignores_case = false;
	return value == NULL ? 0 : entry_take_bool(reader, "ignore_case", value, ret_ignores_case);
}

static const struct entry_key regexp_parts[] = {
	{.name = "regexp"}, {.name = "ignore_case"}, {.name = NULL}};
static const struct entry_key text_parts[] = {
	{.name = "text"}, {.name = "ignore_case"}, {.name = NULL}};

/* A pattern, or {regexp: a pattern, ignore_case: true}; a text likewise. */
static void take_search(struct entry_reader *reader, const struct node *item,
			const struct site_rule *kind)
{
	const struct entry_key *parts = kind->is_literal ? text_parts : regexp_parts;
	const struct node *what = item;
	struct site_rule rule = *kind;
	bool ignores_case = false;
	if (item->kind == NODE_MAPPING) {
		if (!entry_has_parts(reader, kind->key, item, parts) ||
		    take_ignore_case(reader, item, &ignores_case) != 0)
			return;
		what = tree_find(item, parts[0].name);
		if (what == NULL) {
			entry_problem(reader, item, "found `%s` without `%s`, expected one",
				      kind->key, parts[0].name);
			return;
		}
	}
	if (take_pattern(reader, what, ignores_case, &rule) == 0)
		add_rule(reader, item, &rule);
}

#define SEARCH_KEY(function, key_name, subject_name, wanted, literal)                              \
	void function(struct entry_reader *reader, const struct node *value)                       \
	{                                                                                          \
		static const struct site_rule kind = {                                             \
			.key = (key_name),                                                         \
			.subject = (subject_name),                                                 \
			.test = RULE_MATCHES,                                                      \
			.is_wanted = (wanted),                                                     \
			.is_literal = (literal),                                                   \
		};                                                                                 \
		take_list(reader, value, &kind, take_search);                                      \
	}

SEARCH_KEY(site_keys_take_body_not_matches, "fail_if_body_not_matches_regexp", RULE_BODY, true,
	   false)
SEARCH_KEY(site_keys_take_body_matches, "fail_if_body_matches_regexp", RULE_BODY, false, false)
SEARCH_KEY(site_keys_take_body_not_contains, "fail_if_body_not_contains", RULE_BODY, true, true)
SEARCH_KEY(site_keys_take_body_contains, "fail_if_body_contains", RULE_BODY, false, true)
SEARCH_KEY(site_keys_take_url_not_matches, "fail_if_final_url_not_matches", RULE_URL, true, false)
SEARCH_KEY(site_keys_take_url_matches, "fail_if_final_url_matches", RULE_URL, false, false)
SEARCH_KEY(site_keys_take_issuer_not_matches, "fail_if_cert_issuer_not_matches", RULE_ISSUER, true,
	   false)
SEARCH_KEY(site_keys_take_issuer_matches, "fail_if_cert_issuer_matches", RULE_ISSUER, false, false)

/* --- headers --- */

static int take_header_name(struct entry_reader *reader, const struct node *value, char **ret_name)
{
	char *name;
	char found[NODE_KEY_MAX];
	if (entry_take_text(reader, "header", value, HEADER_NAME_MAX, &name) != 0)
		return -1;
	if (!site_keys_is_token(name)) {
		node_name_key(value, found);
		entry_problem(reader, value, "found '%s', expected the name of a header", found);
		free(name);
		return -1;
	}
	*ret_name = name;
	return 0;
}

static const struct entry_key header_parts[] = {{.name = "header"},
						{.name = "regexp"},
						{.name = "allow_missing"},
						{.name = "ignore_case"},
						{.name = NULL}};

/* {header: NAME, regexp: PATTERN, allow_missing: true}, as blackbox_exporter has it. */
static void take_header_search(struct entry_reader *reader, const struct node *item,
			       const struct site_rule *kind)
{
	struct site_rule rule = *kind;
	bool ignores_case;
	if (!entry_has_parts(reader, kind->key, item, header_parts))
		return;
	const struct node *name = tree_find(item, "header");
	const struct node *pattern = tree_find(item, "regexp");
	const struct node *allowed = tree_find(item, "allow_missing");
	if (name == NULL || pattern == NULL) {
		entry_problem(reader, item, "found `%s` without `%s`, expected one", kind->key,
			      name == NULL ? "header" : "regexp");
		return;
	}
	if (take_ignore_case(reader, item, &ignores_case) == 0 &&
	    (allowed == NULL ||
	     entry_take_bool(reader, "allow_missing", allowed, &rule.may_be_missing) == 0) &&
	    take_pattern(reader, pattern, ignores_case, &rule) == 0 &&
	    take_header_name(reader, name, &rule.name) == 0) {
		add_rule(reader, item, &rule);
		return;
	}
	pattern_destroy(rule.pattern);
	rule_finish(&rule);
}

static void take_header_presence(struct entry_reader *reader, const struct node *item,
				 const struct site_rule *kind)
{
	struct site_rule rule = *kind;
	if (take_header_name(reader, item, &rule.name) == 0)
		add_rule(reader, item, &rule);
}

#define HEADER_KEY(function, key_name, test_name, wanted, take)                                    \
	void function(struct entry_reader *reader, const struct node *value)                       \
	{                                                                                          \
		static const struct site_rule kind = {                                             \
			.key = (key_name),                                                         \
			.subject = RULE_HEADER,                                                    \
			.test = (test_name),                                                       \
			.is_wanted = (wanted),                                                     \
		};                                                                                 \
		take_list(reader, value, &kind, take);                                             \
	}

HEADER_KEY(site_keys_take_header_not_matches, "fail_if_header_not_matches", RULE_MATCHES, true,
	   take_header_search)
HEADER_KEY(site_keys_take_header_matches, "fail_if_header_matches", RULE_MATCHES, false,
	   take_header_search)
HEADER_KEY(site_keys_take_header_missing, "fail_if_header_missing", RULE_EXISTS, true,
	   take_header_presence)
HEADER_KEY(site_keys_take_header_present, "fail_if_header_present", RULE_EXISTS, false,
	   take_header_presence)

/* --- JSON --- */

/* As YAML reads it: what is quoted is text. */
static int take_equals(struct entry_reader *reader, const struct node *value,
		       struct site_rule *rule)
{
	bool is_true;
	rule->test = RULE_EQUALS;
	rule->kind = JSON_TEXT;
	if (node_is_null(value)) {
		rule->kind = JSON_NULL;
		rule->text = xstrdup("null");
		return 0;
	}
	if (value->kind == NODE_SCALAR && value->is_plain &&
	    (text_equal_ignoring_case(value->text, "true") ||
	     text_equal_ignoring_case(value->text, "false"))) {
		rule->kind = JSON_BOOL;
		if (entry_take_bool(reader, "equals", value, &is_true) == 0)
			rule->text = xstrdup(is_true ? "true" : "false");
		return 0;
	}
	if (value->kind == NODE_SCALAR && value->length == 0) {
		rule->text = xstrdup("");
		return 0;
	}
	if (value->kind == NODE_SCALAR && value->is_plain && node_is_json_number(value))
		rule->kind = JSON_NUMBER;
	return entry_take_block(reader, "equals", value, EQUALS_MAX, &rule->text);
}

static int take_number(struct entry_reader *reader, const char *name, const struct node *value,
		       struct site_rule *rule)
{
	rule->test = strcmp(name, "less") == 0 ? RULE_LESS : RULE_GREATER;
	if (!node_is_json_number(value)) {
		entry_expect(reader, value, "a number for `%s`", name);
		return -1;
	}
	rule->text = xstrdup(value->text);
	return 0;
}

/* One test of an entry of expect_json, into rule. */
static int take_json_test(struct entry_reader *reader, const struct node_pair *pair,
			  bool ignores_case, struct site_rule *rule)
{
	const char *name = pair->key->text;
	rule->is_wanted = true;
	if (strcmp(name, "equals") == 0)
		return take_equals(reader, pair->value, rule);
	if (strcmp(name, "less") == 0 || strcmp(name, "greater") == 0)
		return take_number(reader, name, pair->value, rule);
	if (strcmp(name, "matches") == 0) {
		rule->test = RULE_MATCHES;
		return take_pattern(reader, pair->value, ignores_case, rule);
	}
	rule->test = RULE_EXISTS;
	return entry_take_bool(reader, "exists", pair->value, &rule->is_wanted);
}

static const struct entry_key json_parts[] = {
	{.name = "pointer"}, {.name = "equals"}, {.name = "matches"},     {.name = "less"},
	{.name = "greater"}, {.name = "exists"}, {.name = "ignore_case"}, {.name = NULL},
};

static bool is_json_test(const char *name)
{
	return strcmp(name, "pointer") != 0 && strcmp(name, "ignore_case") != 0;
}

/* Tests that can't all hold, or one that nothing comes of. */
static bool is_json_sound(struct entry_reader *reader, const struct node *item)
{
	const struct node *exists = tree_find(item, "exists");
	const struct node *less = tree_find(item, "less");
	const struct node *greater = tree_find(item, "greater");
	const struct node *ignore_case = tree_find(item, "ignore_case");
	bool is_there = true;
	if (ignore_case != NULL && tree_find(item, "matches") == NULL) {
		entry_problem(reader, ignore_case,
			      "found `ignore_case` without `matches`, expected both");
		return false;
	}
	if (exists != NULL && entry_take_bool(reader, "exists", exists, &is_there) != 0)
		return false;
	if (!is_there && item->count > 2) {
		entry_problem(reader, exists,
			      "found `exists: false` beside another test, expected it alone");
		return false;
	}
	if (less != NULL && greater != NULL && node_is_json_number(less) &&
	    node_is_json_number(greater) && decimal_compare(greater->text, less->text) >= 0) {
		entry_problem(reader, greater,
			      "found a number for `greater` that is not below that for `less`, "
			      "expected a smaller one");
		return false;
	}
	return true;
}

/* {pointer: /a/0, less: 5, greater: 1}: a rule for each test. */
static void take_json(struct entry_reader *reader, const struct node *item,
		      const struct site_rule *kind)
{
	bool ignores_case;
	size_t count = 0;
	if (!entry_has_parts(reader, kind->key, item, json_parts) ||
	    take_ignore_case(reader, item, &ignores_case) != 0)
		return;
	const struct node *pointer = tree_find(item, "pointer");
	for (size_t i = 0; i < item->count; i++)
		count += is_json_test(item->pairs[i].key->text);
	if (pointer == NULL || count == 0) {
		entry_problem(reader, item, "found `%s` without %s, expected one", kind->key,
			      pointer == NULL ? "`pointer`"
					      : "equals, matches, less, greater or exists");
		return;
	}
	if (pointer->kind != NODE_SCALAR || strlen(pointer->text) != pointer->length ||
	    !json_pointer_is_valid(pointer->text)) {
		entry_expect(
			reader, pointer,
			"a JSON pointer such as /items/0/name, of at most %d names and %d bytes",
			(int)JSON_POINTER_TOKENS_MAX, (int)JSON_POINTER_MAX);
		return;
	}
	if (!is_json_sound(reader, item))
		return;
	for (size_t i = 0; i < item->count; i++) {
		struct site_rule rule = *kind;
		if (!is_json_test(item->pairs[i].key->text))
			continue;
		if (take_json_test(reader, &item->pairs[i], ignores_case, &rule) != 0)
			continue;
		rule.name = xstrdup(pointer->text);
		add_rule(reader, item, &rule);
	}
}

void site_keys_take_expect_json(struct entry_reader *reader, const struct node *value)
{
	static const struct site_rule kind = {.key = "expect_json", .subject = RULE_JSON};
	take_list(reader, value, &kind, take_json);
}
