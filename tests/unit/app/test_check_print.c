/* What `check` prints, as whole texts: a person reads whole texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/check_print.h"
#include "app/phase_bar.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/site.h"
#include "check/verdict.h"

/* 2026-11-21T20:00:00Z */
static const wall_us started_at = INT64_C(1795291200) * CLOCK_US_PER_S;

/* Sites and verdicts own their texts; those of the tests are literals that nobody frees. */
static char *borrowed(const char *text)
{
	return (char *)(uintptr_t)text;
}

struct subject {
	struct site site;
	struct observation observation;
	struct verdict verdict;
	struct hop redirects[2];
	struct failure failures[3];
	struct check_print_style style;
};

static struct hop plain_hop(void)
{
	return (struct hop){
		.ip = "127.0.0.1",
		.http_status_code = 200,
		.http_version = HTTP_VERSION_1_1,
		.dns_us = 1000,
		.connect_us = 2000,
		.tls_us = DURATION_UNKNOWN,
		.wait_us = 6000,
		.transfer_us = 1000,
		.total_us = 10000,
	};
}

static struct subject plain_subject(void)
{
	struct subject subject = {
		.site = {.name = borrowed("http://localhost/"),
			 .redacted_url = borrowed("http://localhost/")},
		.verdict = {.outcome = OUTCOME_UP, .reason = REASON_OK, .message = borrowed("")},
		.style = {.width = 42},
	};
	observation_init(&subject.observation);
	subject.observation.started_at = started_at;
	subject.observation.final = plain_hop();
	subject.observation.total_us = 10000;
	subject.observation.body_bytes = 512;
	subject.observation.decoded_bytes = 512;
	return subject;
}

static void expect(struct subject *subject, const char *expected)
{
	const struct report report = {
		.site = &subject->site,
		.observation = &subject->observation,
		.verdict = &subject->verdict,
		.host = "here",
		.location = "default",
	};
	struct buffer out;
	buffer_init(&out, CHECK_PRINT_MAX);
	check_print_write(&out, &report, &subject->style);
	assert_string_equal(out.data, expected);
	buffer_finish(&out);
}

static void plain_site_in_ascii(void **state)
{
	(void)state;
	struct subject subject = plain_subject();
	expect(&subject, "UP  http://localhost/\n"
			 "  Everything was as expected\n"
			 "\n"
			 "  response     200 over HTTP/1.1 from 127.0.0.1, 512 bytes\n"
			 "  time         10.0 ms\n"
			 "\n"
			 "  ....--------########################====\n"
			 "  . dns 1.00 ms  - connect 2.00 ms\n"
			 "  # wait 6.00 ms  = transfer 1.00 ms\n");
}

static void same_site_in_colour(void **state)
{
	(void)state;
	struct subject subject = plain_subject();
	subject.style =
		(struct check_print_style){.width = 30, .is_coloured = true, .is_utf8 = true};
	subject.observation.final.dns_us = DURATION_UNKNOWN;
	subject.observation.final.connect_us = DURATION_UNKNOWN;
	subject.observation.final.wait_us = 9000;
	expect(&subject,
	       "\033[1;32m✔ UP\033[0m  http://localhost/\n"
	       "  Everything was as expected\n"
	       "\n"
	       "  \033[2mresponse\033[0m     200 over HTTP/1.1 from 127.0.0.1, 512 bytes\n"
	       "  \033[2mtime\033[0m         10.0 ms\n"
	       "\n"
	       "  \033[33m██████████████████████████\033[0m\033[32m██\033[0m\n"
	       "  \033[33m█\033[0m wait 9.00 ms\n"
	       "  \033[32m█\033[0m transfer 1.00 ms\n");
}

static void down_says_why_and_what_else(void **state)
{
	(void)state;
	struct subject subject = plain_subject();
	subject.style = (struct check_print_style){.width = 80, .is_utf8 = true};
	subject.site.name = borrowed("Shop");
	subject.observation.final.http_status_code = 500;
	subject.failures[0] =
		(struct failure){REASON_STATUS_MISMATCH, borrowed("got 500, expected 200-299")};
	subject.failures[1] =
		(struct failure){REASON_BODY_MISMATCH, borrowed("/Welcome/ not found")};
	subject.failures[2] = (struct failure){REASON_SLOW, borrowed("")};
	subject.verdict = (struct verdict){
		.outcome = OUTCOME_DOWN,
		.reason = REASON_STATUS_MISMATCH,
		.message = borrowed("got 500, expected 200-299"),
		.failures = subject.failures,
		.failure_count = 3,
	};
	expect(&subject,
	       "✖ DOWN  Shop\n"
	       "  The status code is not one of the valid ones: got 500, expected 200-299\n"
	       "  and also     The body does not say what it should: /Welcome/ not found\n"
	       "               The response took longer than it should\n"
	       "\n"
	       "  url          http://localhost/\n"
	       "  response     500 over HTTP/1.1 from 127.0.0.1, 512 bytes\n"
	       "  time         10.0 ms\n"
	       "\n"
	       "  ░░░░░░░▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒█████████████████████████████████████████████████▚▚▚▚▚▚▚\n"
	       "  ░ dns 1.00 ms  ▒ connect 2.00 ms  █ wait 6.00 ms  ▚ transfer 1.00 ms\n");
}

static void nothing_received_has_no_bar(void **state)
{
	(void)state;
	struct subject subject = plain_subject();
	observation_init(&subject.observation);
	subject.observation.started_at = started_at;
	subject.observation.total_us = 300;
	subject.verdict = (struct verdict){
		.outcome = OUTCOME_UNKNOWN,
		.reason = REASON_PROBER_OFFLINE,
		.message = borrowed("no resolver answers"),
	};
	expect(&subject, "UNKNOWN  http://localhost/\n"
			 "  The prober has no network or no\n"
			 "  resolver: no resolver answers\n"
			 "\n"
			 "  response     no response\n"
			 "  time         0.30 ms\n"
			 "\n");
}

static void redirects_share_one_scale(void **state)
{
	(void)state;
	struct subject subject = plain_subject();
	for (int i = 0; i < 2; i++) {
		subject.redirects[i] = plain_hop();
		subject.redirects[i].http_status_code = 302;
		subject.redirects[i].dns_us = 0;
		subject.redirects[i].connect_us = 0;
		subject.redirects[i].wait_us = 5000;
		subject.redirects[i].transfer_us = 0;
		subject.redirects[i].total_us = 5000;
	}
	subject.redirects[0].url = borrowed("http://localhost/");
	subject.redirects[1].url = borrowed("http://localhost/b");
	subject.observation.final.url = borrowed("http://localhost/c");
	subject.observation.redirects = subject.redirects;
	subject.observation.redirect_count = 2;
	subject.observation.total_us = 20000;
	expect(&subject, "UP  http://localhost/\n"
			 "  Everything was as expected\n"
			 "\n"
			 "  response     200 over HTTP/1.1 from 127.0.0.1, 512 bytes\n"
			 "  time         20.0 ms over 2 redirects\n"
			 "\n"
			 "  1. http://localhost/\n"
			 "  302 over HTTP/1.1 from 127.0.0.1, 5.00 ms\n"
			 "  ####################\n"
			 "  . dns 0.00 ms  - connect 0.00 ms\n"
			 "  # wait 5.00 ms  = transfer 0.00 ms\n"
			 "\n"
			 "  2. http://localhost/b\n"
			 "  302 over HTTP/1.1 from 127.0.0.1, 5.00 ms\n"
			 "  ####################\n"
			 "  . dns 0.00 ms  - connect 0.00 ms\n"
			 "  # wait 5.00 ms  = transfer 0.00 ms\n"
			 "\n"
			 "  3. http://localhost/c\n"
			 "  200 over HTTP/1.1 from 127.0.0.1, 10.0 ms\n"
			 "  ....--------########################====\n"
			 "  . dns 1.00 ms  - connect 2.00 ms\n"
			 "  # wait 6.00 ms  = transfer 1.00 ms\n");
}

static void certificate_and_pattern_are_said(void **state)
{
	(void)state;
	struct subject subject = plain_subject();
	struct observation *seen = &subject.observation;
	seen->final.total_us = 0;
	seen->body_bytes = 2048;
	seen->decoded_bytes = 3 * 1024 * 1024;
	memcpy(seen->tls_version, "1.3", sizeof("1.3"));
	seen->cert_not_after = started_at + INT64_C(6) * 86400 * CLOCK_US_PER_S + 5;
	seen->chain_not_after = started_at - 1;
	seen->cert_issuer = borrowed("Demo CA\033[31m");
	subject.site.pattern_text = borrowed("id=\"([^\"]+)");
	seen->pattern = (struct match){.state = MATCH_FOUND, .capture = borrowed("main")};
	expect(&subject,
	       "UP  http://localhost/\n"
	       "  Everything was as expected\n"
	       "\n"
	       "  response     200 over HTTP/1.1 from 127.0.0.1, 2.0 KiB (3.0 MiB decoded)\n"
	       "  tls          TLS 1.3\n"
	       "  certificate  6 days left, until 2026-11-27, issued by Demo CA [31m\n"
	       "  chain        ended on 2026-11-21\n"
	       "  pattern      id=\"([^\"]+) found: main\n"
	       "  time         10.0 ms\n"
	       "\n");
}

static void every_state_of_the_pattern_is_said(void **state)
{
	(void)state;
	static const struct {
		enum match_state state;
		const char *words;
	} cases[] = {
		{MATCH_NOT_TRIED, "Yes was not looked for\n"},
		{MATCH_FOUND, "Yes found\n"},
		{MATCH_NOT_FOUND, "Yes not found\n"},
		{MATCH_TRUNCATED, "Yes not found in the part of the body that is searched\n"},
		{MATCH_TOO_COSTLY, "Yes took too long to look for\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct subject subject = plain_subject();
		struct buffer out;
		subject.site.pattern_text = borrowed("Yes");
		subject.observation.pattern.state = cases[i].state;
		const struct report report = {
			.site = &subject.site,
			.observation = &subject.observation,
			.verdict = &subject.verdict,
		};
		buffer_init(&out, CHECK_PRINT_MAX);
		check_print_write(&out, &report, &subject.style);
		assert_non_null(strstr(out.data, cases[i].words));
		buffer_finish(&out);
	}
}

static void bar_is_shared_out_exactly(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t durations[PHASE_COUNT];
		int shares[PHASE_COUNT]; /* of 20 */
	} cases[] = {
		{"even", {10, 10, 10, 10, 10}, {4, 4, 4, 4, 4}},
		{"nothing took time", {0, 0, -1, 0, 0}, {0, 0, 0, 0, 0}},
		{"nothing was reached", {-1, -1, -1, -1, -1}, {0, 0, 0, 0, 0}},
		{"tiny phases are seen", {1, 1, 1, 1000000, 1}, {1, 1, 1, 16, 1}},
		{"one phase", {-1, -1, -1, 5, -1}, {0, 0, 0, 20, 0}},
		{"what is left goes to the largest", {1, 1, 1, 4, -1}, {2, 2, 2, 14, 0}},
		{"huge",
		 {INT64_MAX / 4, INT64_MAX / 4, -1, INT64_MAX / 4, INT64_MAX / 4},
		 {5, 5, 0, 5, 5}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int shares[PHASE_COUNT];
		phase_bar_share(cases[i].durations, 20, shares);
		for (int k = 0; k < PHASE_COUNT; k++) {
			if (shares[k] != cases[i].shares[k])
				fail_msg("%s: phase %d got %d, expected %d", cases[i].name, k,
					 shares[k], cases[i].shares[k]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_site_in_ascii),
		cmocka_unit_test(same_site_in_colour),
		cmocka_unit_test(down_says_why_and_what_else),
		cmocka_unit_test(nothing_received_has_no_bar),
		cmocka_unit_test(redirects_share_one_scale),
		cmocka_unit_test(certificate_and_pattern_are_said),
		cmocka_unit_test(every_state_of_the_pattern_is_said),
		cmocka_unit_test(bar_is_shared_out_exactly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
