/* Sites files that are right: what each key does to the site, defaults, names, and the older service's way to say it. */
#include "site_case.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

static const struct site_case key_cases[] = {
	{"the least", FILE_OF("sites:\n- url: http://a/\n"), "http://a/\n", NULL},
	{"a list at the top, as the older service has it", FILE_OF("- url: http://a/\n"),
	 "http://a/\n", NULL},
	{"targets", FILE_OF("targets: [{url: http://a/}]"), "http://a/\n", NULL},
	{"a bare URL", FILE_OF("[http://a/, {url: http://b/}]"), "http://a/\nhttp://b/\n", NULL},
	{"a byte order mark", FILE_OF("\xEF\xBB\xBF[http://a/]"), "http://a/\n", NULL},
	{"a Persian name",
	 FILE_OF("[{url: http://a/, name: \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645}]"),
	 "http://a/ name='\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'\n", NULL},
	{"name", FILE_OF("[{url: http://a/, name: A \u00e9}]"), "http://a/ name='A \u00e9'\n",
	 NULL},
	{"the default name is the redacted URL", FILE_OF("[http://u:p@a/?token=1]"),
	 "http://u:p@a/?token=1 name='http://a/?token=***'\n", NULL},
	{"method", FILE_OF("[{url: http://a/, method: post}]"), "http://a/ method=POST\n", NULL},
	{"headers", FILE_OF("[{url: http://a/, headers: {Accept: text/html, X-Empty: ''}}]"),
	 "http://a/ Accept:text/html X-Empty:\n", NULL},
	{"body", FILE_OF("[{url: http://a/, body: \"x\\ny\"}]"), "http://a/ body='x\ny'\n", NULL},
	{"pattern", FILE_OF("[{url: http://a/, pattern: '(?:id=\")([^\"]+)'}]"),
	 "http://a/ pattern='(?:id=\")([^\"]+)'\n", NULL},
	{"body rules",
	 FILE_OF("[{url: http://a/, fail_if_body_not_matches_regexp: [a, b], "
		 "fail_if_body_matches_regexp: c}]"),
	 "http://a/ +'a' +'b' -'c'\n", NULL},
	{"interval as text", FILE_OF("[{url: http://a/, interval: 1h30m}]"),
	 "http://a/ interval=5400000000\n", NULL},
	{"interval as a number of seconds", FILE_OF("[{url: http://a/, interval: 90}]"),
	 "http://a/ interval=90000000\n", NULL},
	{"interval as a sum",
	 FILE_OF("[{url: http://a/, interval: {weeks: 1, days: 1, hours: 1, minutes: 1, seconds: "
		 "1.5}}]"),
	 "http://a/ interval=694861500000\n", NULL},
	{"interval as the older service wrote it",
	 FILE_OF("[{url: http://a/, interval: {seconds: 30, minutes: 1}}]"),
	 "http://a/ interval=90000000\n", NULL},
	{"timeout", FILE_OF("[{url: http://a/, timeout: 2s}]"), "http://a/ timeout=2000000\n",
	 NULL},
	{"statuses", FILE_OF("[{url: http://a/, valid_status_codes: [200-299, 404, \"410\"]}]"),
	 "http://a/ 200-299 404-404 410-410\n", NULL},
	{"one status", FILE_OF("[{url: http://a/, valid_status_codes: 204}]"),
	 "http://a/ 204-204\n", NULL},
	{"max_response_time", FILE_OF("[{url: http://a/, max_response_time: 1500ms}]"),
	 "http://a/ slow=1500000\n", NULL},
	{"redirects", FILE_OF("[{url: http://a/, follow_redirects: no, max_redirects: 3}]"),
	 "http://a/ no-redirects max_redirects=3\n", NULL},
	{"labels, sorted", FILE_OF("[{url: http://a/, labels: {team: web, env: prod}}]"),
	 "http://a/ env=prod team=web\n", NULL},
	{"cert_expiry_warn", FILE_OF("[{url: https://a/, cert_expiry_warn: 2w}]"),
	 "https://a/ expiry=1209600000000\n", NULL},
	{"sizes", FILE_OF("[{url: http://a/, match_bytes: 1KiB, max_body_bytes: 2048}]"),
	 "http://a/ match=1024 max=2048\n", NULL},
	{"keys without a value say nothing",
	 FILE_OF("[{url: http://a/, pattern: , timeout: null, headers: ~}]"), "http://a/\n", NULL},
};

static const struct site_case older_cases[] = {
	{"request_kwargs",
	 FILE_OF("[{url: https://a/, method: post, interval: {seconds: 30, minutes: 1}, "
		 "request_kwargs: {timeout: 5, headers: {Accept: text/html}, allow_redirects: "
		 "false, ssl: false}}]"),
	 "https://a/ method=POST interval=90000000 timeout=5000000 Accept:text/html no-redirects "
	 "insecure\n",
	 NULL},
	{"request_kwargs: aiohttp's total timeout",
	 FILE_OF("[{url: http://a/, request_kwargs: {timeout: {total: 2.5, connect: 1}}}]"),
	 "http://a/ timeout=2500000\n", NULL},
	{"request_kwargs: verification on is as ever",
	 FILE_OF("[{url: http://a/, request_kwargs: {ssl: true, verify_ssl: yes}}]"), "http://a/\n",
	 NULL},
	{"request_kwargs: what is nothing to us, and nothing",
	 FILE_OF("[{url: http://a/, request_kwargs: {timeout: 3, read_bufsize: null}}]"),
	 "http://a/ timeout=3000000\n", NULL},
	{"request_kwargs: data", FILE_OF("[{url: http://a/, request_kwargs: {data: x=1}}]"),
	 "http://a/ body='x=1'\n", NULL},
	{"request_kwargs: data as fields, and cookies",
	 FILE_OF("[{url: http://a/, request_kwargs: {data: {x: 1}, cookies: {a: b}}}]"),
	 "http://a/ method=POST Cookie:a=b Content-Type:application/x-www-form-urlencoded "
	 "body='x=1'\n",
	 NULL},
	{"request_kwargs: json",
	 FILE_OF("[{url: http://a/, request_kwargs: {json: {a: [1, -2.5e3, '3', yes, null, 007], "
		 "\"q\\\"\": {}}}}]"),
	 "http://a/ Content-Type:application/json "
	 "body='{\"a\":[1,-2.5e3,\"3\",true,null,\"007\"],\"q\\\"\":{}}'\n",
	 NULL},
	{"request_kwargs: json with a type of its own",
	 FILE_OF("[{url: http://a/, request_kwargs: {json: [], headers: {content-type: x/y}}}]"),
	 "http://a/ content-type:x/y body='[]'\n", NULL},
	{"request_kwargs: json does not touch headers that are shared",
	 FILE_OF("- {url: http://a/, headers: &h {X: 1}, request_kwargs: {json: 1}}\n- {url: "
		 "http://b/, headers: *h}\n"),
	 "http://a/ X:1 Content-Type:application/json body='1'\nhttp://b/ X:1\n", NULL},
	{"request_kwargs in the defaults",
	 FILE_OF("{defaults: {request_kwargs: {timeout: 3}}, sites: [http://a/]}"),
	 "http://a/ timeout=3000000\n", NULL},
};

static const struct site_case default_cases[] = {
	{"defaults",
	 FILE_OF("defaults: {interval: 30s, timeout: 3s, method: HEAD}\nsites: [http://a/, {url: "
		 "http://b/, timeout: 4s}]\n"),
	 "http://a/ method=HEAD interval=30000000 timeout=3000000\n"
	 "http://b/ method=HEAD interval=30000000 timeout=4000000\n",
	 NULL},
	{"headers and labels are added one by one",
	 FILE_OF("defaults: {headers: {A: 1, B: 2}, labels: {x: 1, y: 2}}\n"
		 "sites: [{url: http://a/, headers: {b: 3, C: 4}, labels: {y: 3}}]\n"),
	 "http://a/ A:1 B:3 C:4 x=1 y=3\n", NULL},
	{"lists are replaced",
	 FILE_OF("defaults: {valid_status_codes: [200]}\nsites: [{url: http://a/, "
		 "valid_status_codes: [301]}]\n"),
	 "http://a/ 301-301\n", NULL},
	{"an empty key undoes a default",
	 FILE_OF("defaults: {pattern: x, body: y}\nsites: [{url: http://a/, pattern: , body: }]\n"),
	 "http://a/\n", NULL},
	{"an empty key undoes a default of which parts are added one by one",
	 FILE_OF("defaults: {headers: {A: 1}, cookies: {c: 1}, labels: {x: 1}, resolve: {a: "
		 "'::1'}, "
		 "time_limits: {dns: 1s}, tls_config: {min_version: TLS12}}\n"
		 "sites: [{url: http://a/, headers: , cookies: , labels: , resolve: , "
		 "time_limits: , tls_config: }]\n"),
	 "http://a/\n", NULL},
	{"settings are the defaults of all",
	 {.args = {"run", "s.yaml", "--interval=20s", "--timeout=2s", "--pattern=p"},
	  .files = {{"s.yaml",
		     "[http://a/, {url: http://b/, interval: 30s, timeout: 3s, pattern: q}]"}}},
	 "http://a/ interval=20000000 timeout=2000000 pattern='p'\nhttp://b/ interval=30000000 "
	 "timeout=3000000 pattern='q'\n",
	 NULL},
	{"a flag wins over the file's defaults",
	 {.args = {"run", "s.yaml", "--interval=20s"},
	  .files = {{"s.yaml", "{defaults: {interval: 5m, pattern: q}, sites: [http://a/]}"}}},
	 "http://a/ interval=20000000 pattern='q'\n",
	 NULL},
	{"a default timeout gives way to a short interval",
	 FILE_OF("[{url: http://a/, interval: 2s}]"),
	 "http://a/ interval=2000000 timeout=2000000\n", NULL},
	{"the defaults' timeout gives way to a short interval",
	 FILE_OF("{defaults: {timeout: 8s}, sites: [{url: http://a/, interval: 2s}]}"),
	 "http://a/ interval=2000000 timeout=2000000\n", NULL},
	{"a check's timeout knows no interval",
	 {.args = {"check", "http://a/", "--timeout=5m"}},
	 "http://a/ interval=300000000 timeout=300000000\n",
	 NULL},
	{"nor does that of --once",
	 {.args = {"run", "--once", "http://a/", "--timeout=5m"}},
	 "http://a/ interval=300000000 timeout=300000000\n",
	 NULL},
	{"merge keys",
	 FILE_OF("x-base: &b {method: HEAD, timeout: 3s}\nsites: [{<<: *b, url: http://a/, "
		 "timeout: 4s}]\n"),
	 "http://a/ method=HEAD timeout=4000000\n", NULL},
	{"several merge keys, the first one first",
	 FILE_OF("x-base: [&b {method: HEAD}, &c {method: PUT, timeout: 3s}]\nsites: [{<<: [*b, "
		 "*c], url: http://a/}]\n"),
	 "http://a/ method=HEAD timeout=3000000\n", NULL},
};

static const struct site_case source_cases[] = {
	{"file, argument and --url together",
	 {.args = {"run", "http://c/", "--sites=s.yaml", "t.yml", "--url", "http://d/"},
	  .files = {{"s.yaml", "[http://a/]"}, {"t.yml", "[http://b/]"}}},
	 "http://a/\nhttp://b/\nhttp://d/\nhttp://c/\n",
	 NULL},
	{"five of the environment",
	 {.args = {"run"},
	  .environment = {"WEBSENTRY_SITES=https://google.com,http://"
			  "something.that.does.not.exist,http://yahoo.com,"
			  "https://icms.cern.ch/tools,http://google.com/404",
			  "WEBSENTRY_REGEXP=x"}},
	 "https://google.com pattern='x'\nhttp://something.that.does.not.exist "
	 "pattern='x'\nhttp://yahoo.com pattern='x'\n"
	 "https://icms.cern.ch/tools pattern='x'\nhttp://google.com/404 pattern='x'\n",
	 NULL},
	{"the --config file itself",
	 {.args = {"run", "--config=c.yaml"},
	  .files = {{"c.yaml",
		     "threads: 2\ndefaults: {method: HEAD}\nsites:\n- url: http://a/\n"}}},
	 "http://a/ method=HEAD\n",
	 NULL},
	{"a flag instead of the sites in --config",
	 {.args = {"run", "--config=c.yaml", "http://b/"},
	  .files = {{"c.yaml", "sites:\n- url: http://a/\n"}}},
	 "http://b/\n",
	 NULL},
	{"a path in --config",
	 {.args = {"run", "--config=c.yaml"},
	  .files = {{"c.yaml", "sites: s.yaml\n"}, {"s.yaml", "[http://a/]"}}},
	 "http://a/\n",
	 NULL},
	{"a second site with the same default name",
	 {.args = {"run", "http://a/", "http://a/", "http://a/"}},
	 "http://a/\nhttp://a/ name='http://a/ #2'\nhttp://a/ name='http://a/ #3'\n",
	 "warning argument: 'http://a/' is watched already, this one is named 'http://a/ #2'\n"
	 "warning argument: 'http://a/' is watched already, this one is named 'http://a/ #3'\n"},
	{"a second site with the same default name, by a variable",
	 {.args = {"run"}, .environment = {"WEBSENTRY_SITES=http://a/,http://a/"}},
	 "http://a/\nhttp://a/ name='http://a/ #2'\n",
	 "warning WEBSENTRY_SITES: 'http://a/' is watched already, this one is named 'http://a/ "
	 "#2'\n"},
	{"a default name gives way to a chosen one",
	 FILE_OF("- http://a/\n- {url: http://b/, name: http://a/}\n- {url: http://c/, name: "
		 "'http://a/ #2'}\n"),
	 "http://a/ name='http://a/ #3'\nhttp://b/ name='http://a/'\nhttp://c/ name='http://a/ "
	 "#2'\n",
	 "warning s.yaml:1:3: 'http://a/' is watched already, this one is named 'http://a/ #3'\n"},
	{"URLs that differ in a secret only",
	 {.args = {"run", "http://a/?token=1", "http://a/?token=2"}},
	 "http://a/?token=1 name='http://a/?token=***'\nhttp://a/?token=2 "
	 "name='http://a/?token=*** #2'\n",
	 "warning argument: 'http://a/?token=***' is watched already, this one is named "
	 "'http://a/?token=*** #2'\n"},
	{"a consumer may read them",
	 {.args = {"consumer", "--kafka-servers=k", "--database-dsn=host=h", "--sites=s.yaml"},
	  .files = {{"s.yaml", "[http://a/]"}}},
	 "http://a/\n",
	 NULL},
	{"a consumer needs none",
	 {.args = {"consumer", "--kafka-servers=k", "--database-dsn=host=h"}},
	 "",
	 NULL},
};

static void a_folder_is_read_in_order(void **state)
{
	(void)state;
	const struct fixture_input input = {
		.args = {"run", "folder/"},
		.files = {{"folder/b.yaml", "[http://b/]"},
			  {"folder/a.yml", "[http://a/]"},
			  {"folder/.hidden.yaml", "nonsense"},
			  {"folder/notes.txt", "nonsense"}},
	};
	struct fixture fixture;
	assert_int_equal(mkdir("folder", 0700), 0);
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, "");
	assert_int_equal(fixture.sites.count, 2);
	assert_string_equal(fixture.sites.sites[0].url, "http://a/");
	assert_string_equal(fixture.sites.sites[1].url, "http://b/");
	fixture_finish(&fixture);
	assert_int_equal(rmdir("folder"), 0);
}

/* All of them with one default name: the numbers must not be searched from 2 each time. */
static void ten_thousand_sites_load_at_once(void **state)
{
	(void)state;
	enum { SITES = 10000 };
	FILE *out = fopen("many.yaml", "w");
	assert_non_null(out);
	(void)fputs("defaults: {interval: 30s, headers: {A: b}}\nsites:\n", out);
	for (int i = 0; i < SITES; i++)
		(void)fprintf(out, "- {url: 'http://a/', pattern: 'x%d', labels: {n: '%d'}}\n", i,
			      i);
	assert_int_equal(fclose(out), 0);
	const struct fixture_input input = {.args = {"run", "many.yaml"}};
	struct fixture fixture;
	mono_us start = clock_mono_us();
	fixture_read(&fixture, &input);
	mono_us took = clock_mono_us() - start;
	assert_int_equal(fixture.problems.error_count, 0);
	assert_int_equal(fixture.sites.count, SITES);
	assert_string_equal(fixture.sites.sites[SITES - 1].name, "http://a/ #10000");
	/* 0.2 s here; a quadratic step would take minutes, also under valgrind. */
	assert_true(took < 60 * CLOCK_US_PER_S);
	fixture_finish(&fixture);
	assert_int_equal(remove("many.yaml"), 0);
}

int main(void)
{
	FIXTURE_ADD_TABLE(key_cases, site_case_check);
	FIXTURE_ADD_TABLE(older_cases, site_case_check);
	FIXTURE_ADD_TABLE(default_cases, site_case_check);
	FIXTURE_ADD_TABLE(source_cases, site_case_check);
	FIXTURE_ADD(a_folder_is_read_in_order);
	FIXTURE_ADD(ten_thousand_sites_load_at_once);
	return fixture_run("sites");
}
