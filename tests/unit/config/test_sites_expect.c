/* Sites files: what a response must be, what it may take, and what follows from a failure; right and wrong. */
#include "site_case.h"

#include <string.h>

#define SITE(keys) FILE_OF("[{url: http://a/, " keys "}]")
#define HEX_8 "0123456789abcdef0123456789abcde"

static const struct site_case rule_cases[] = {
	{"patterns of the body, with and without case",
	 SITE("fail_if_body_not_matches_regexp: [a, {regexp: b, ignore_case: true}], "
	      "fail_if_body_matches_regexp: c"),
	 "http://a/ +'a' +'b' -'c'\n", NULL},
	{"texts are not patterns",
	 SITE("fail_if_body_not_contains: '5.00 (net)', fail_if_body_contains: [{text: '[x'}]"),
	 "http://a/ +'5.00 (net)' as it is -'[x' as it is\n", NULL},
	{"headers",
	 SITE("fail_if_header_matches: {header: X-Cache, regexp: miss}, "
	      "fail_if_header_not_matches: [{header: Server, regexp: n, allow_missing: yes}]"),
	 "http://a/ -header X-Cache~'miss' +header Server~'n' if any\n", NULL},
	{"headers that must and must not be there",
	 SITE("fail_if_header_missing: [A, B], fail_if_header_present: C"),
	 "http://a/ +header A? +header B? -header C?\n", NULL},
	{"every test of JSON",
	 SITE("expect_json: [{pointer: /a, equals: ok}, {pointer: /b/0, less: 5, greater: -1e3}, "
	      "{pointer: '', exists: true}, {pointer: /a~1b, matches: '^2'}, "
	      "{pointer: /x, exists: false}]"),
	 "http://a/ +json /a=3'ok' +json /b/0<5 +json /b/0>-1000 +json ? +json /a~1b~'^2' "
	 "-json /x?\n",
	 NULL},
	{"what is quoted is text",
	 SITE("expect_json: [{pointer: /a, equals: 1}, {pointer: /a, equals: '1'}, "
	      "{pointer: /a, equals: true}, {pointer: /a, equals: 'true'}, "
	      "{pointer: /a, equals: null}, {pointer: /a, equals: 'null'}, "
	      "{pointer: /a, equals: ''}, {pointer: /a, equals: 0x1}]"),
	 "http://a/ +json /a=2'1' +json /a=3'1' +json /a=1'true' +json /a=3'true' "
	 "+json /a=0'null' +json /a=3'null' +json /a=3'' +json /a=3'0x1'\n",
	 NULL},
	{"URL and issuer",
	 SITE("fail_if_final_url_not_matches: ^https, fail_if_final_url_matches: [/login], "
	      "fail_if_cert_issuer_not_matches: R3, fail_if_cert_issuer_matches: Old"),
	 "http://a/ +url '^https' -url '/login' +issuer 'R3' -issuer 'Old'\n", NULL},
	{"a site's own list replaces the defaults'",
	 FILE_OF("{defaults: {fail_if_body_contains: [a, b], fail_if_header_missing: X}, "
		 "sites: [{url: http://a/, fail_if_body_contains: c}, http://b/]}"),
	 "http://a/ +header X? -'c' as it is\n"
	 "http://b/ -'a' as it is -'b' as it is +header X?\n",
	 NULL},
	{"--set replaces the file's",
	 {.args = {"check", "s.yaml", "--set", "fail_if_body_contains=c", "--set",
		   "valid_status_codes=404"},
	  .files = {{"s.yaml", "[{url: http://a/, fail_if_body_contains: [a, b], "
			       "valid_status_codes: [200]}]"}}},
	 "http://a/ -'c' as it is 404-404\n",
	 NULL},
};

static const struct site_case limit_cases[] = {
	{"all times",
	 SITE("time_limits: {total: {warn: 1s, fail: 5s}, dns: 50ms, wait: {fail: 2s}, "
	      "transfer: {seconds: 3}}"),
	 "http://a/ slow=1000000 total=0/5000000 dns=50000/0 wait=0/2000000 transfer=3000000/0\n",
	 NULL},
	{"times by their parts",
	 FILE_OF("{defaults: {time_limits: {dns: 1s, tls: 1s}, max_response_time: 9s}, "
		 "sites: [{url: http://a/, time_limits: {dns: 2s, total: 1s}}]}"),
	 "http://a/ slow=1000000 dns=2000000/0 tls=1000000/0\n", NULL},
	{"certificates",
	 SITE("cert_expiry_fail: 1d, chain_expiry_warn: 2d, chain_expiry_fail: 1d, cert_sha256: "
	      "[" HEX_8 "f" HEX_8 "0, "
	      "'AB:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
	      "00:"
	      "00:00:00:CD']"),
	 "http://a/ cert=0/86400000000 chain=172800000000/86400000000 sha256=01..e0 "
	 "sha256=ab..cd\n",
	 NULL},
	{"versions", SITE("valid_http_versions: [HTTP/1.1, HTTP/2.0]"), "http://a/ versions=0xc\n",
	 NULL},
	{"one version", SITE("valid_http_versions: 2"), "http://a/ versions=0x8\n", NULL},
	{"TLS",
	 FILE_OF("[{url: http://a/, fail_if_ssl: true}, {url: https://b/, fail_if_not_ssl: true}]"),
	 "http://a/ tls refused\nhttps://b/ tls wanted\n", NULL},
	{"sizes", SITE("fail_if_body_smaller_than: 1KiB, fail_if_body_larger_than: 64KiB"),
	 "http://a/ at least 1024 at most 65536\n", NULL},
	{"an empty body", SITE("fail_if_body_larger_than: 0"), "http://a/ at most 0\n", NULL},
	{"ages",
	 FILE_OF("[{url: http://a/, max_document_age: 1d}, "
		 "{url: http://b/, max_document_age: {warn: 1m, fail: 2m}}]"),
	 "http://a/ age=86400000000/0\nhttp://b/ age=60000000/120000000\n", NULL},
	{"what follows from a failure",
	 SITE("invert: true, retries: 2, retry_after: 0, evidence: 0, timeout: 5s"),
	 "http://a/ timeout=5000000 inverted retries=2 after=0 evidence=0\n", NULL},
	{"a default timeout leaves room for all attempts",
	 SITE("interval: 10s, retries: 2, retry_after: 500ms"),
	 "http://a/ interval=10000000 timeout=3000000 retries=2 after=500000\n", NULL},
	{"one check has all the time",
	 {.args = {"check", "s.yaml"}, .files = {{"s.yaml", "[{url: http://a/, retries: 9}]"}}},
	 "http://a/ interval=109000000 retries=9\n",
	 NULL},
};

/* What is said of a file that is wrong; the sites that are left do not matter. */
struct wrong_case {
	const char *name;
	const char *keys;
	const char *line;
};

static const struct wrong_case wrong_cases[] = {
	{"a pattern that is none", "fail_if_final_url_matches: '('",
	 ":46: found '(': missing closing parenthesis at offset 1"},
	{"a text in a regexp's place", "fail_if_body_contains: {regexp: a}",
	 ":43: unknown key `regexp`, expected text or ignore_case"},
	{"a mapping without its text", "fail_if_body_contains: {ignore_case: true}",
	 ":42: found `fail_if_body_contains` without `text`, expected one"},
	{"a header test that is a text", "fail_if_header_matches: X",
	 ":43: found text, expected a mapping for `fail_if_header_matches`"},
	{"a header test without a pattern", "fail_if_header_matches: {header: X}",
	 ":43: found `fail_if_header_matches` without `regexp`, expected one"},
	{"a header that is no name", "fail_if_header_missing: 'a b'",
	 ":43: found 'a …', expected the name of a header"},
	{"a header that would smuggle", "fail_if_header_missing: \"a\\r\\nb\"",
	 ":43: found the control character 0x0D in `header`, expected one line of text"},
	{"a pointer without a slash", "expect_json: {pointer: a, equals: 1}",
	 ":42: found 'a', expected a JSON pointer such as /items/0/name, of at most 64 names and "
	 "1024 bytes"},
	{"a pointer with half an escape", "expect_json: {pointer: /~2, equals: 1}",
	 ":42: found '/~2', expected a JSON pointer such as /items/0/name, of at most 64 names and "
	 "1024 bytes"},
	{"JSON without a test", "expect_json: {pointer: /a}",
	 ":32: found `expect_json` without equals, matches, less, greater or exists, expected "
	 "one"},
	{"JSON without a pointer", "expect_json: {equals: 1}",
	 ":32: found `expect_json` without `pointer`, expected one"},
	{"less than no number", "expect_json: {pointer: /a, less: many}",
	 ":52: found 'many', expected a number for `less`"},
	{"an unknown test", "expect_json: {pointer: /a, equal: 1}",
	 ":46: unknown key `equal`, did you mean `equals`?"},
	{"a phase that is none", "time_limits: {dsn: 1s}",
	 ":33: unknown key `dsn`, did you mean `dns`?"},
	{"two limits that are one", "max_response_time: 1s, time_limits: {total: 2s}",
	 ":63: found `time_limits` beside `max_response_time`, expected one of them"},
	{"a fingerprint that is too short", "cert_sha256: abcd",
	 ":32: found 'abcd', expected a certificate's SHA-256 of 64 hexadecimal digits for "
	 "`cert_sha256`"},
	{"a version that is none", "valid_http_versions: HTTP/3.0",
	 ":40: found 'HTTP/3.0', expected HTTP/1.0, HTTP/1.1 or HTTP/2.0 for "
	 "`valid_http_versions`"},
	{"too many retries", "retries: 11",
	 ":28: found '11', expected a whole number from 0 to 10 for `retries`"},
	{"attempts that do not fit", "timeout: 30s, retries: 1",
	 ":28: found `retries: 1` with the timeout 30s, which may take 1m1s, expected at most the "
	 "interval, 1m"},
	{"too much evidence", "evidence: 17KiB",
	 ":29: found '17KiB', expected a size from 0 to 16384 bytes, such as 64KiB, for "
	 "`evidence`"},
};

static void check_wrong(void **state)
{
	const struct wrong_case *row = *state;
	struct fixture fixture;
	char text[512];
	char line[512];
	(void)snprintf(text, sizeof(text), "[{url: http://a/, %s}]", row->keys);
	(void)snprintf(line, sizeof(line), "s.yaml:1%s\n", row->line);
	const struct fixture_input input = {.args = {"run", "s.yaml"}, .files = {{"s.yaml", text}}};
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, line);
	fixture_finish(&fixture);
}

static void rules_are_counted_together(void **state)
{
	(void)state;
	char text[2048] = "[{url: http://a/, fail_if_header_missing: [X";
	struct fixture fixture;
	const struct fixture_input input = {.args = {"run", "s.yaml"}, .files = {{"s.yaml", text}}};
	for (int i = 1; i < SITE_RULES_MAX; i++)
		strncat(text, ", X", sizeof(text) - strlen(text) - 1);
	strncat(text, "], fail_if_body_contains: a}]", sizeof(text) - strlen(text) - 1);
	fixture_read(&fixture, &input);
	fixture_expect_line(
		fixture.lines,
		"s.yaml:1:260: found more than 64 expectations of body, headers, JSON, URL and "
		"issuer, expected at most that many");
	fixture_finish(&fixture);
}

int main(void)
{
	FIXTURE_ADD_TABLE(rule_cases, site_case_check);
	FIXTURE_ADD_TABLE(limit_cases, site_case_check);
	FIXTURE_ADD_TABLE(wrong_cases, check_wrong);
	FIXTURE_ADD(rules_are_counted_together);
	return fixture_run("sites_expect");
}
