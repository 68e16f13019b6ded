/* Every kind of expectation, met, failed and undecided: reason, outcome and the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "check/json_pointer.h"
#include "check/limits.h"
#include "check/observation.h"
#include "check/site.h"
#include "check/verdict.h"

#define DAY (INT64_C(86400) * CLOCK_US_PER_S)
#define MS (INT64_C(1000))

/* A site that is up, and the response that shows it. */
struct scene {
	struct site site;
	struct observation seen;
};

static void set_scene(struct scene *scene)
{
	site_init(&scene->site);
	scene->site.name = xstrdup("a");
	observation_init(&scene->seen);
	struct observation *seen = &scene->seen;
	seen->trouble = REASON_OK;
	seen->started_at = INT64_C(1800000000000000);
	seen->final.url = xstrdup("https://a/");
	seen->final.http_status_code = 200;
	seen->final.http_version = HTTP_VERSION_1_1;
	seen->final.dns_us = 1 * MS;
	seen->final.connect_us = 2 * MS;
	seen->final.tls_us = 30 * MS;
	seen->final.wait_us = 40 * MS;
	seen->final.transfer_us = 5 * MS;
	seen->total_us = 78 * MS;
	seen->decoded_bytes = 1000;
	seen->cert_not_after = seen->started_at + 90 * DAY;
	seen->chain_not_after = seen->started_at + 60 * DAY;
	seen->has_cert_sha256 = true;
	memset(seen->cert_sha256, 0xAB, sizeof(seen->cert_sha256));
}

static void clear_scene(struct scene *scene)
{
	observation_finish(&scene->seen);
	site_finish(&scene->site);
}

static void expect(const struct scene *scene, const char *name, enum reason reason,
		   const char *message)
{
	struct verdict verdict;
	verdict_decide(&scene->site, &scene->seen, &verdict);
	if (verdict.reason != reason || strcmp(verdict.message, message) != 0)
		fail_msg("%s: %s, %s", name, reason_name(verdict.reason), verdict.message);
	assert_int_equal(verdict.outcome, reason_outcome(reason));
	verdict_finish(&verdict);
}

/* --- rules --- */

struct rule_case {
	const char *name;
	struct site_rule rule; /* texts are literals */
	enum match_state state;
	const char *capture;
	enum reason reason;
	const char *message;
};

#define BODY .subject = RULE_BODY, .test = RULE_MATCHES
#define HEADER .subject = RULE_HEADER
#define JSON .subject = RULE_JSON
#define TEXT(literal) .text = (char *)(uintptr_t)(literal)
#define NAME(literal) .name = (char *)(uintptr_t)(literal)

static const struct rule_case rule_cases[] = {
	{"wanted pattern", {BODY, TEXT("a"), .is_wanted = true}, MATCH_FOUND, NULL, REASON_OK, ""},
	{"wanted pattern is not there",
	 {BODY, TEXT("a"), .is_wanted = true},
	 MATCH_NOT_FOUND,
	 NULL,
	 REASON_BODY_MISMATCH,
	 "the body does not match \"a\""},
	{"forbidden text is there",
	 {BODY, TEXT("a"), .is_literal = true},
	 MATCH_FOUND,
	 "a",
	 REASON_BODY_MISMATCH,
	 "the body contains \"a\""},
	{"forbidden text is not there",
	 {BODY, TEXT("a"), .is_literal = true},
	 MATCH_NOT_FOUND,
	 NULL,
	 REASON_OK,
	 ""},
	{"the body is longer than what is searched",
	 {BODY, TEXT("a"), .is_wanted = true},
	 MATCH_TRUNCATED,
	 NULL,
	 REASON_MATCH_TRUNCATED,
	 "whether the body does not match \"a\" can't be told: the part of it that is searched "
	 "does "
	 "not say, and it is longer"},
	{"header matches",
	 {HEADER, NAME("X"), TEXT("a"), .is_wanted = true},
	 MATCH_FOUND,
	 "a",
	 REASON_OK,
	 ""},
	{"header does not match",
	 {HEADER, NAME("X"), TEXT("a"), .is_wanted = true},
	 MATCH_NOT_FOUND,
	 "b",
	 REASON_HEADER_MISMATCH,
	 "the header X does not match \"a\", it is \"b\""},
	{"header must not match",
	 {HEADER, NAME("X"), TEXT("a")},
	 MATCH_FOUND,
	 "ab",
	 REASON_HEADER_MISMATCH,
	 "the header X matches \"a\", it is \"ab\""},
	{"header is missing",
	 {HEADER, NAME("X"), TEXT("a")},
	 MATCH_MISSING,
	 NULL,
	 REASON_HEADER_MISMATCH,
	 "the header X is not there"},
	{"header may be missing",
	 {HEADER, NAME("X"), TEXT("a"), .is_wanted = true, .may_be_missing = true},
	 MATCH_MISSING,
	 NULL,
	 REASON_OK,
	 ""},
	{"header must be there",
	 {HEADER, NAME("X"), .test = RULE_EXISTS, .is_wanted = true},
	 MATCH_MISSING,
	 NULL,
	 REASON_HEADER_MISMATCH,
	 "the header X is not there"},
	{"header must not be there",
	 {HEADER, NAME("X"), .test = RULE_EXISTS},
	 MATCH_FOUND,
	 "a",
	 REASON_HEADER_MISMATCH,
	 "the header X is there, it is \"a\""},
	{"header is not there, as it should",
	 {HEADER, NAME("X"), .test = RULE_EXISTS},
	 MATCH_MISSING,
	 NULL,
	 REASON_OK,
	 ""},
	{"JSON is another",
	 {JSON, NAME("/a"), TEXT("ok"), .test = RULE_EQUALS, .kind = JSON_TEXT, .is_wanted = true},
	 MATCH_NOT_FOUND,
	 "\"warn\"",
	 REASON_JSON_MISMATCH,
	 "the JSON at /a is not \"ok\", it is \"warn\""},
	{"JSON is too much",
	 {JSON, NAME("/a"), TEXT("5"), .test = RULE_LESS, .is_wanted = true},
	 MATCH_NOT_FOUND,
	 "7",
	 REASON_JSON_MISMATCH,
	 "the JSON at /a is not less than 5, it is 7"},
	{"JSON leads nowhere",
	 {JSON, NAME("/a"), TEXT("5"), .test = RULE_GREATER, .is_wanted = true},
	 MATCH_MISSING,
	 NULL,
	 REASON_JSON_MISMATCH,
	 "the JSON at /a is not there"},
	{"no JSON",
	 {JSON, NAME(""), .test = RULE_EXISTS, .is_wanted = true},
	 MATCH_NOT_JSON,
	 NULL,
	 REASON_JSON_MISMATCH,
	 "the JSON can't be looked at: the body is no JSON"},
	{"JSON behind the part that is read",
	 {JSON, NAME("/a"), .test = RULE_EXISTS, .is_wanted = true},
	 MATCH_TRUNCATED,
	 NULL,
	 REASON_MATCH_TRUNCATED,
	 "whether the JSON at /a is not there can't be told: the part of it that is searched does "
	 "not say, and it is longer"},
	{"JSON too deep to read",
	 {JSON, NAME("/a"), .test = RULE_EXISTS, .is_wanted = true},
	 MATCH_TOO_DEEP,
	 NULL,
	 REASON_PATTERN_TOO_COSTLY,
	 "whether the JSON at /a is not there can't be told: the body's JSON is nested deeper than "
	 "512"},
	{"JSON that takes too long",
	 {JSON, NAME("/a"), .test = RULE_EXISTS, .is_wanted = true},
	 MATCH_TOO_COSTLY,
	 NULL,
	 REASON_PATTERN_TOO_COSTLY,
	 "whether the JSON at /a is not there can't be told: it took too long to find out"},
	{"URL",
	 {.subject = RULE_URL, TEXT("login")},
	 MATCH_FOUND,
	 "http://a/login",
	 REASON_URL_MISMATCH,
	 "the final URL matches \"login\", it is \"http://a/login\""},
	{"issuer",
	 {.subject = RULE_ISSUER, TEXT("R3"), .is_wanted = true},
	 MATCH_NOT_FOUND,
	 "E1",
	 REASON_CERT_MISMATCH,
	 "the certificate's issuer does not match \"R3\", it is \"E1\""},
	{"no issuer",
	 {.subject = RULE_ISSUER, TEXT("R3"), .is_wanted = true},
	 MATCH_MISSING,
	 NULL,
	 REASON_CERT_MISMATCH,
	 "the certificate's issuer is not there"},
};

static void every_rule_has_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rule_cases) / sizeof(rule_cases[0]); i++) {
		const struct rule_case *c = &rule_cases[i];
		struct scene scene;
		set_scene(&scene);
		struct site_rule *rule = xcalloc(1, sizeof(*rule));
		*rule = c->rule;
		rule->name = xstrdup(c->rule.name);
		rule->text = xstrdup(c->rule.text);
		scene.site.rules = rule;
		scene.site.rule_count = 1;
		scene.seen.rules = xcalloc(1, sizeof(*scene.seen.rules));
		scene.seen.rule_count = 1;
		scene.seen.rules[0] =
			(struct match){.state = c->state, .capture = xstrdup(c->capture)};
		expect(&scene, c->name, c->reason, c->message);
		clear_scene(&scene);
	}
}

struct compare_case {
	enum rule_test test;
	enum json_kind kind; /* of the rule */
	const char *text;
	enum json_kind found_kind;
	const char *found;
	enum match_state state;
};

static const struct compare_case compare_cases[] = {
	{RULE_EQUALS, JSON_TEXT, "ok", JSON_TEXT, "ok", MATCH_FOUND},
	{RULE_EQUALS, JSON_TEXT, "ok", JSON_TEXT, "OK", MATCH_NOT_FOUND},
	{RULE_EQUALS, JSON_TEXT, "1", JSON_NUMBER, "1", MATCH_NOT_FOUND},
	{RULE_EQUALS, JSON_NUMBER, "1", JSON_TEXT, "1", MATCH_NOT_FOUND},
	{RULE_EQUALS, JSON_NUMBER, "1", JSON_NUMBER, "1.0", MATCH_FOUND},
	{RULE_EQUALS, JSON_NUMBER, "100", JSON_NUMBER, "1e2", MATCH_FOUND},
	{RULE_EQUALS, JSON_NUMBER, "9007199254740993", JSON_NUMBER, "9007199254740992",
	 MATCH_NOT_FOUND},
	{RULE_EQUALS, JSON_NUMBER, "12345678901234567891", JSON_NUMBER, "12345678901234567890",
	 MATCH_NOT_FOUND},
	{RULE_EQUALS, JSON_NUMBER, "-12345678901234567891", JSON_NUMBER, "-12345678901234567891",
	 MATCH_FOUND},
	{RULE_EQUALS, JSON_NUMBER, "0", JSON_NUMBER, "-0", MATCH_FOUND},
	{RULE_EQUALS, JSON_BOOL, "true", JSON_BOOL, "true", MATCH_FOUND},
	{RULE_EQUALS, JSON_BOOL, "true", JSON_BOOL, "false", MATCH_NOT_FOUND},
	{RULE_EQUALS, JSON_NULL, "null", JSON_NULL, "null", MATCH_FOUND},
	{RULE_EQUALS, JSON_NULL, "null", JSON_BOOL, "false", MATCH_NOT_FOUND},
	{RULE_EQUALS, JSON_TEXT, "{}", JSON_OBJECT, "{}", MATCH_NOT_FOUND},
	{RULE_LESS, JSON_NULL, "5", JSON_NUMBER, "4.9", MATCH_FOUND},
	{RULE_LESS, JSON_NULL, "5", JSON_NUMBER, "5", MATCH_NOT_FOUND},
	{RULE_GREATER, JSON_NULL, "5", JSON_NUMBER, "5.1", MATCH_FOUND},
	{RULE_GREATER, JSON_NULL, "5", JSON_NUMBER, "-1e9", MATCH_NOT_FOUND},
	{RULE_LESS, JSON_NULL, "5", JSON_TEXT, "4", MATCH_NOT_FOUND},
	/* whole numbers that are one to a double */
	{RULE_LESS, JSON_NULL, "9007199254740993", JSON_NUMBER, "9007199254740992", MATCH_FOUND},
	{RULE_LESS, JSON_NULL, "9007199254740993", JSON_NUMBER, "9007199254740993",
	 MATCH_NOT_FOUND},
	{RULE_GREATER, JSON_NULL, "9007199254740992", JSON_NUMBER, "9007199254740993", MATCH_FOUND},
	{RULE_GREATER, JSON_NULL, "-9007199254740993", JSON_NUMBER, "-9007199254740992",
	 MATCH_FOUND},
	{RULE_LESS, JSON_NULL, "-9007199254740993", JSON_NUMBER, "-9007199254740992",
	 MATCH_NOT_FOUND},
	{RULE_GREATER, JSON_NULL, "9999999999999999999", JSON_NUMBER, "10000000000000000000",
	 MATCH_FOUND},
	{RULE_LESS, JSON_NULL, "9007199254740993.0", JSON_NUMBER, "9007199254740992", MATCH_FOUND},
	{RULE_EQUALS, JSON_NUMBER, "9007199254740993.0", JSON_NUMBER, "9007199254740992",
	 MATCH_NOT_FOUND},
	/* beyond what a double has */
	{RULE_GREATER, JSON_NULL, "0", JSON_NUMBER, "1e-400", MATCH_FOUND},
	{RULE_EQUALS, JSON_NUMBER, "0", JSON_NUMBER, "1e-400", MATCH_NOT_FOUND},
	{RULE_LESS, JSON_NULL, "1e401", JSON_NUMBER, "1e400", MATCH_FOUND},
	{RULE_EQUALS, JSON_NUMBER, "1e401", JSON_NUMBER, "1e400", MATCH_NOT_FOUND},
	{RULE_EXISTS, JSON_NULL, NULL, JSON_NULL, "null", MATCH_FOUND},
};

static void json_is_compared_by_kind_and_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(compare_cases) / sizeof(compare_cases[0]); i++) {
		const struct compare_case *c = &compare_cases[i];
		const struct site_rule rule = {JSON, TEXT(c->text), .test = c->test,
					       .kind = c->kind};
		const struct json_value value = {.is_found = true,
						 .kind = c->found_kind,
						 .text = (char *)(uintptr_t)c->found,
						 .length = strlen(c->found)};
		if (rule_compare(&rule, &value) != c->state)
			fail_msg("row %zu", i);
		assert_int_equal(rule_compare(&rule, NULL), MATCH_MISSING);
	}
}

/* --- limits --- */

static void phases_have_limits_of_their_own(void **state)
{
	(void)state;
	struct scene scene;
	set_scene(&scene);
	struct limits *limits = limits_make(&scene.site);
	for (unsigned i = 0; i < LIMIT_PHASE_COUNT; i++)
		limits->phases[i] = (struct limit){.warn_us = 100 * MS, .fail_us = 200 * MS};
	limits->total_fail_us = 100 * MS;
	expect(&scene, "within all", REASON_OK, "");
	limits->phases[LIMIT_DNS].warn_us = MS / 2;
	expect(&scene, "dns", REASON_SLOW, "dns took 1.0 ms, the limit is 500us");
	limits->phases[LIMIT_WAIT].fail_us = 20 * MS;
	expect(&scene, "wait", REASON_TOO_SLOW,
	       "wait took 40 ms, the limit is 20ms; dns took 1.0 ms, the limit is 500us");
	limits->total_fail_us = 70 * MS;
	expect(&scene, "total", REASON_TOO_SLOW,
	       "took 78 ms, the limit is 70ms; dns took 1.0 ms, the limit is 500us; wait took 40 "
	       "ms, the limit is 20ms");
	limits->total_fail_us = 0;
	limits->phases[LIMIT_WAIT].fail_us = 0;
	limits->phases[LIMIT_DNS].warn_us = 0;
	limits->phases[LIMIT_TLS] = (struct limit){.warn_us = 1};
	scene.seen.final.tls_us = DURATION_UNKNOWN;
	expect(&scene, "a phase that was not", REASON_OK, "");
	clear_scene(&scene);
}

static void certificates_are_judged_by_both_limits(void **state)
{
	(void)state;
	struct scene scene;
	set_scene(&scene);
	struct limits *limits = limits_make(&scene.site);
	limits->cert_expiry_fail_us = 50 * DAY;
	scene.site.cert_expiry_warn_us = 55 * DAY;
	expect(&scene, "far off", REASON_OK, "");
	scene.site.cert_expiry_warn_us = 70 * DAY;
	expect(&scene, "the chain is near", REASON_CERT_EXPIRING,
	       "the certificate expires in 60 days, on 2027-03-16");
	limits->chain_expiry.warn_us = 40 * DAY;
	expect(&scene, "the chain has its own", REASON_OK, "");
	limits->chain_expiry.fail_us = 61 * DAY;
	expect(&scene, "and breaks it", REASON_CERT_NEARLY_EXPIRED,
	       "the first certificate of the chain expires in 60 days, on 2027-03-16");
	limits->chain_expiry = (struct limit){0};
	limits->cert_expiry_fail_us = 61 * DAY;
	expect(&scene, "down", REASON_CERT_NEARLY_EXPIRED,
	       "the certificate expires in 60 days, on 2027-03-16");
	clear_scene(&scene);
}

static void fingerprints_are_compared(void **state)
{
	(void)state;
	struct scene scene;
	set_scene(&scene);
	struct limits *limits = limits_make(&scene.site);
	limits->fingerprints = xcalloc(2, sizeof(limits->fingerprints[0]));
	limits->fingerprint_count = 2;
	expect(&scene, "another", REASON_CERT_MISMATCH,
	       "the certificate's SHA-256 is "
	       "abababababababababababababababababababababababababababababababab, expected "
	       "another");
	memset(limits->fingerprints[1], 0xAB, sizeof(limits->fingerprints[1]));
	expect(&scene, "one of two", REASON_OK, "");
	scene.seen.has_cert_sha256 = false;
	expect(&scene, "not seen", REASON_PROBER_ERROR,
	       "the certificate of the connection was not seen");
	memcpy(scene.seen.final.url, "http://aa/", sizeof("http://aa/"));
	expect(&scene, "none", REASON_CERT_MISMATCH, "there is no certificate, expected one");
	clear_scene(&scene);
}

static void version_tls_size_and_age_are_judged(void **state)
{
	(void)state;
	struct scene scene;
	set_scene(&scene);
	struct limits *limits = limits_make(&scene.site);
	limits->http_versions = 1U << HTTP_VERSION_2 | 1U << HTTP_VERSION_1_0;
	expect(&scene, "version", REASON_VERSION_MISMATCH, "HTTP/1.1, expected HTTP/1.0 or HTTP/2");
	limits->http_versions = 1U << HTTP_VERSION_1_1;
	limits->is_tls_refused = true;
	expect(&scene, "TLS", REASON_TLS_MISMATCH, "the response came over TLS, expected none");
	limits->is_tls_refused = false;
	limits->is_tls_wanted = true;
	expect(&scene, "TLS as wanted", REASON_OK, "");
	scene.seen.final.tls_us = DURATION_UNKNOWN;
	expect(&scene, "TLS of a kept connection", REASON_OK, "");
	memcpy(scene.seen.final.url, "http://aa/", sizeof("http://aa/"));
	expect(&scene, "no TLS", REASON_TLS_MISMATCH,
	       "the response came without TLS, expected it over TLS");
	limits->is_tls_wanted = false;
	limits->body_bytes_min = 1001;
	expect(&scene, "small", REASON_SIZE_MISMATCH,
	       "the body has 1000 bytes, expected at least 1001");
	limits->body_bytes_min = 1000;
	limits->body_bytes_max = 999;
	limits->is_body_limited = true;
	expect(&scene, "large", REASON_SIZE_MISMATCH,
	       "the body has 1000 bytes, expected at most 999");
	limits->is_body_limited = false;
	limits->document_age = (struct limit){.warn_us = 60 * CLOCK_US_PER_S};
	expect(&scene, "no age", REASON_STALE,
	       "nothing says how old the document is: neither Last-Modified nor Age nor Date");
	scene.seen.document_age_us = 60 * (int64_t)CLOCK_US_PER_S;
	expect(&scene, "young", REASON_OK, "");
	scene.seen.document_age_us = 3600 * (int64_t)CLOCK_US_PER_S;
	expect(&scene, "old", REASON_STALE, "the document is 1h old, the limit is 1m");
	limits->document_age.fail_us = 600 * (int64_t)CLOCK_US_PER_S;
	expect(&scene, "too old", REASON_TOO_STALE, "the document is 1h old, the limit is 10m");
	clear_scene(&scene);
}

/* --- together --- */

static void inverted_sites_are_up_when_they_are_down(void **state)
{
	(void)state;
	struct scene scene;
	set_scene(&scene);
	scene.site.is_inverted = true;
	expect(&scene, "up", REASON_INVERTED, "it is up, and must not be");
	scene.site.max_response_time_us = 1;
	expect(&scene, "degraded", REASON_INVERTED, "it is up, and must not be");
	scene.seen.final.http_status_code = 500;
	expect(&scene, "down", REASON_OK, "");
	scene.seen.trouble = REASON_CONNECT_REFUSED;
	expect(&scene, "refused", REASON_OK, "");
	scene.seen.trouble = REASON_PROBER_OFFLINE;
	scene.seen.message = xstrdup("no name server answered");
	expect(&scene, "unknown", REASON_PROBER_OFFLINE, "no name server answered");
	clear_scene(&scene);
}

static void everything_is_explained(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		enum reason reason;
		const char *text;
	} points[] = {
		{"valid_status_codes", REASON_OK, "status 200, expected 200-299"},
		{"valid_http_versions", REASON_OK, "HTTP/1.1, expected HTTP/1.1"},
		{"fail_if_ssl", REASON_TLS_MISMATCH, "the response came over TLS, expected none"},
		{"fail_if_header_missing", REASON_OK, "the header X is there, it is \"1\""},
		{"fail_if_body_larger_than", REASON_OK,
		 "the body has 1000 bytes, expected at most 1000"},
		{"max_response_time", REASON_SLOW, "took 78 ms, the limit is 1ms"},
		{"cert_expiry_warn", REASON_OK,
		 "the certificate expires in 60 days, on 2027-03-16"},
	};
	struct scene scene;
	struct explanation explanation;
	set_scene(&scene);
	struct limits *limits = limits_make(&scene.site);
	limits->http_versions = 1U << HTTP_VERSION_1_1;
	limits->is_tls_refused = true;
	limits->is_body_limited = true;
	limits->body_bytes_max = 1000;
	scene.site.max_response_time_us = MS;
	scene.site.cert_expiry_warn_us = DAY;
	scene.site.rules = xcalloc(1, sizeof(*scene.site.rules));
	scene.site.rule_count = 1;
	scene.site.rules[0] = (struct site_rule){.key = "fail_if_header_missing",
						 .subject = RULE_HEADER,
						 .test = RULE_EXISTS,
						 .is_wanted = true,
						 .name = xstrdup("X")};
	scene.seen.rules = xcalloc(1, sizeof(*scene.seen.rules));
	scene.seen.rule_count = 1;
	scene.seen.rules[0] = (struct match){.state = MATCH_FOUND, .capture = xstrdup("1")};
	verdict_explain(&scene.site, &scene.seen, &explanation);
	assert_int_equal(explanation.count, sizeof(points) / sizeof(points[0]));
	for (size_t i = 0; i < explanation.count; i++) {
		assert_string_equal(explanation.points[i].key, points[i].key);
		assert_int_equal(explanation.points[i].reason, points[i].reason);
		assert_string_equal(explanation.points[i].text, points[i].text);
	}
	explanation_finish(&explanation);
	scene.seen.trouble = REASON_TIMEOUT;
	verdict_explain(&scene.site, &scene.seen, &explanation);
	assert_int_equal(explanation.count, 0);
	explanation_finish(&explanation);
	clear_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_has_its_words),
		cmocka_unit_test(json_is_compared_by_kind_and_value),
		cmocka_unit_test(phases_have_limits_of_their_own),
		cmocka_unit_test(certificates_are_judged_by_both_limits),
		cmocka_unit_test(fingerprints_are_compared),
		cmocka_unit_test(version_tls_size_and_age_are_judged),
		cmocka_unit_test(inverted_sites_are_up_when_they_are_down),
		cmocka_unit_test(everything_is_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
