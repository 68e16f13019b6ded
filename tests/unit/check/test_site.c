#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/site.h"

static void new_site_has_the_defaults(void **state)
{
	(void)state;
	struct site site;
	site_init(&site);
	assert_string_equal(site.method, "GET");
	assert_int_equal(site.interval_us, 60000000);
	assert_int_equal(site.timeout_us, 10000000);
	assert_true(site.follow_redirects);
	assert_int_equal(site.max_redirects, SITE_REDIRECTS_DEFAULT);
	assert_false(site.insecure_skip_verify);
	assert_int_equal(site.match_bytes, 256 * 1024);
	assert_int_equal(site.max_body_bytes, 16 * 1024 * 1024);
	assert_null(site.name);
	assert_null(site.pattern);
	site_finish(&site);
	site_finish(&site); /* twice is harmless */
}

static void status_ranges_include_their_ends(void **state)
{
	(void)state;
	struct site site;
	site_init(&site);
	assert_true(site_accepts_status(&site, 200));
	assert_true(site_accepts_status(&site, 299));
	assert_false(site_accepts_status(&site, 199));
	assert_false(site_accepts_status(&site, 300));
	assert_false(site_accepts_status(&site, 0));
	site.valid_status_codes = xcalloc(2, sizeof(*site.valid_status_codes));
	site.valid_status_code_count = 2;
	site.valid_status_codes[0] = (struct status_range){404, 404};
	site.valid_status_codes[1] = (struct status_range){500, 599};
	assert_true(site_accepts_status(&site, 404));
	assert_true(site_accepts_status(&site, 599));
	assert_false(site_accepts_status(&site, 200));
	assert_false(site_accepts_status(&site, 405));
	site_finish(&site);
}

static int patterns_freed;

static void count_free(struct pattern *pattern)
{
	if (pattern != NULL)
		patterns_freed++;
}

static void list_owns_its_sites_and_their_patterns(void **state)
{
	(void)state;
	struct site_list list;
	site_list_init(&list, count_free);
	static char stand_in;
	for (int i = 0; i < 40; i++) {
		struct site site;
		site_init(&site);
		site.name = xasprintf("site %d", i);
		site.url = xstrdup("http://a/");
		site.redacted_url = xstrdup("http://a/");
		site.body = xstrdup("body");
		site.ca_file = xstrdup("ca.pem");
		site.headers = xcalloc(1, sizeof(*site.headers));
		site.headers[0] = (struct site_header){xstrdup("A"), xstrdup("b")};
		site.header_count = 1;
		site.labels = xcalloc(1, sizeof(*site.labels));
		site.labels[0] = (struct site_label){xstrdup("a"), xstrdup("b")};
		site.label_count = 1;
		site.pattern = (struct pattern *)(void *)&stand_in;
		site.pattern_text = xstrdup("x");
		site.rules = xcalloc(1, sizeof(*site.rules));
		site.rules[0].pattern = (struct pattern *)(void *)&stand_in;
		site.rules[0].text = xstrdup("y");
		site.rule_count = 1;
		struct site *kept = site_list_add(&list, &site);
		assert_ptr_equal(kept->name, site.name);
	}
	assert_int_equal(list.count, 40);
	assert_string_equal(list.sites[39].name, "site 39");
	site_list_finish(&list);
	assert_int_equal(patterns_freed, 80);
	assert_int_equal(list.count, 0);
	site_list_finish(&list);
}

static void new_observation_knows_nothing(void **state)
{
	(void)state;
	struct observation observation;
	observation_init(&observation);
	assert_int_equal(observation.trouble, REASON_PROBER_ERROR);
	assert_int_equal(observation.total_us, DURATION_UNKNOWN);
	assert_int_equal(observation.final.dns_us, DURATION_UNKNOWN);
	assert_int_equal(observation.cert_not_after, TIME_UNKNOWN);
	assert_int_equal(observation.body_bytes, -1);
	assert_int_equal(observation.pattern.state, MATCH_NOT_TRIED);
	observation.message = xstrdup("x");
	observation.final.url = xstrdup("http://a/");
	observation.redirects = xcalloc(2, sizeof(*observation.redirects));
	observation.redirect_count = 2;
	hop_init(&observation.redirects[0]);
	hop_init(&observation.redirects[1]);
	observation.redirects[1].url = xstrdup("http://b/");
	observation.pattern.capture = xstrdup("c");
	observation.rules = xcalloc(1, sizeof(*observation.rules));
	observation.rule_count = 1;
	observation.rules[0].capture = xstrdup("d");
	observation.cert_issuer = xstrdup("CA");
	observation_finish(&observation);
	observation_finish(&observation);
}

static void success_is_a_complete_response_of_any_status(void **state)
{
	(void)state;
	struct observation observation;
	observation_init(&observation);
	struct report report = {.observation = &observation};
	assert_false(report_is_success(&report));
	observation.trouble = REASON_TIMEOUT;
	observation.final.http_status_code = 200;
	assert_false(report_is_success(&report));
	observation.trouble = REASON_OK;
	observation.final.http_status_code = 500;
	assert_true(report_is_success(&report));
	observation_finish(&observation);
}

static void http_versions_have_names(void **state)
{
	(void)state;
	assert_null(http_version_name(HTTP_VERSION_UNKNOWN));
	assert_string_equal(http_version_name(HTTP_VERSION_1_0), "1.0");
	assert_string_equal(http_version_name(HTTP_VERSION_1_1), "1.1");
	assert_string_equal(http_version_name(HTTP_VERSION_2), "2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_site_has_the_defaults),
		cmocka_unit_test(status_ranges_include_their_ends),
		cmocka_unit_test(list_owns_its_sites_and_their_patterns),
		cmocka_unit_test(new_observation_knows_nothing),
		cmocka_unit_test(success_is_a_complete_response_of_any_status),
		cmocka_unit_test(http_versions_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
