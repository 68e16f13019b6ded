/*
 * An expectation of one of a site's rules: what it looks at, and what that must or must not be. Made by config/ (or by hand in
 * tests), never changed afterwards, read by every thread. The prober finds out whether the test holds (struct match), the verdict
 * says what that means.
 */
#ifndef WEBSENTRY_CHECK_RULE_H
#define WEBSENTRY_CHECK_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json_parse.h"
#include "check/observation.h"

struct json_value;
struct pattern;

enum rule_subject {
	RULE_BODY,
	RULE_HEADER, /* every value of one name: one that fits is enough */
	RULE_JSON,   /* the value that a pointer leads to in the body */
	RULE_URL,    /* of the last hop, redacted */
	RULE_ISSUER, /* of the certificate */
};

enum rule_test {
	RULE_MATCHES, /* pattern */
	RULE_EQUALS,  /* kind and text, of JSON */
	RULE_LESS,    /* number, of JSON */
	RULE_GREATER,
	RULE_EXISTS,
};

struct site_rule {
	const char *key; /* of the sites file; static. NULL in tests */
	enum rule_subject subject;
	enum rule_test test;
	bool is_wanted;      /* the test must hold; false: it must not */
	bool is_literal;     /* text is no pattern, though it was made one */
	bool ignores_case;   /* RULE_MATCHES */
	bool may_be_missing; /* RULE_HEADER: without such a header all is well */
	char *name; /* the header's, in lower case where the user did; or the JSON pointer. NULL for others */
	char *text;              /* as the user wrote it; NULL where the test needs none */
	struct pattern *pattern; /* RULE_MATCHES; released by the site's owner */
	enum json_kind kind;     /* RULE_EQUALS: null, bool, number or text */
};

/* Release what the fields own but for the pattern. */
void rule_finish(struct site_rule *rule);

/* Whether a test other than RULE_MATCHES holds for what a pointer leads to; value NULL where it leads nowhere. Pure. */
enum match_state rule_compare(const struct site_rule *rule, const struct json_value *value);

#endif
