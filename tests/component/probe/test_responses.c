/*
 * Whatever a site does, its check ends in time, for the right reason, with phases that add up. One prober takes all the cases
 * at once; each is then looked at by a test of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "base/memory.h"
#include "base/text.h"
#include "behaviours.h"
#include "check/request.h"
#include "name_server.h"
#include "pattern/pattern.h"
#include "peer.h"
#include "watch.h"

enum { UPLOAD_SIZE = 16 * 1024 * 1024, SMALL_CAP = 64 * 1024 };
enum {
	DAY_S = 24 * 3600,
	MONTH_S = 30 * DAY_S,
	OVERTIME_US = 200 * 1000,
	QUICK_MS = 400,
	USUAL_MS = 5000,
	PATIENT_MS = 60000,
	AGAIN_MAX = 30,
	VALGRIND_SLOWNESS = 12
};

/* Where a case's site lives. */
enum place {
	PLAIN,
	TLS_GOOD,  /* signed by the tests' authority, named localhost and 127.0.0.1 */
	TLS_OTHER, /* signed, but for another name */
	TLS_EXPIRED,
	TLS_NOT_YET,
	TLS_SELF,
	TLS_OLD,      /* speaks TLS 1.1 at most */
	TLS_1_2,      /* … 1.2 at most */
	TLS_FIELDS,   /* agrees on keys over a finite field only */
	TLS_ON_PLAIN, /* https to the plain server */
	PLAIN_ON_TLS, /* http to the TLS server */
	REFUSED,
	FULL,
	PLACE_COUNT,
};

struct test_case {
	const char *name; /* of the test, and for most the path */
	enum place place;
	const char *path; /* NULL: the name */
	const char *host; /* NULL: 127.0.0.1 */
	int timeout_ms;   /* 0: USUAL_MS */
	enum reason reason;
	int status;
	void (*configure)(struct site *site);
	void (*look)(const struct site *site, const struct observation *observation);
};

static struct authority *authority;
static int slowness = 1; /* how many times slower than usual everything is: valgrind */

/*
 * A duration that a peer caused. It waited far longer: a busy machine may see the start of a phase late, and how much it adds
 * to the end is not ours to say.
 */
static void is_at_least(int64_t us, int64_t least_us)
{
	assert_true(us >= least_us);
}

/* ---- What some sites ask for. ---- */

static void trust_authority(struct site *site)
{
	site->ca_file = xstrdup(authority_file(authority));
}

static void skip_verify(struct site *site)
{
	site->insecure_skip_verify = true;
}

static void follow_none(struct site *site)
{
	site->follow_redirects = false;
}

static void follow_three(struct site *site)
{
	site->max_redirects = 3;
}

static void set_method(struct site *site, const char *method, const char *body)
{
	free(site->method);
	site->method = xstrdup(method);
	site->body = xstrdup(body);
	site->body_length = body == NULL ? 0 : strlen(body);
}

static void ask_no_compression(struct site *site)
{
	request_make(site)->accept_encoding = xstrdup("");
}

static void ask_head(struct site *site)
{
	set_method(site, "HEAD", NULL);
}

static void ask_post(struct site *site)
{
	set_method(site, "POST", "a=1&b=2");
}

static void ask_post_large(struct site *site)
{
	char *body = xcalloc(1, UPLOAD_SIZE + 1);
	memset(body, 'b', UPLOAD_SIZE);
	set_method(site, "POST", NULL);
	site->body = body;
	site->body_length = UPLOAD_SIZE;
}

static void ask_put_without_body(struct site *site)
{
	set_method(site, "PUT", NULL);
}

static void ask_purge(struct site *site)
{
	set_method(site, "PURGE", NULL);
}

static void add_header(struct site *site, const char *name, const char *value)
{
	site->headers =
		xreallocarray(site->headers, site->header_count + 1, sizeof(site->headers[0]));
	site->headers[site->header_count++] =
		(struct site_header){.name = xstrdup(name), .value = xstrdup(value)};
}

static void send_secrets(struct site *site)
{
	add_header(site, "Authorization", "Bearer s3cret");
	add_header(site, "Cookie", "session=s3cret");
	add_header(site, "X-Plain", "plain");
}

static void send_headers(struct site *site)
{
	add_header(site, "Accept", "text/html");
	add_header(site, "X-Empty", "");
	add_header(site, "User-Agent", "somebody else");
}

static void cap_small(struct site *site)
{
	site->max_body_bytes = SMALL_CAP;
}

static void set_pattern(struct site *site, const char *text)
{
	struct error err;
	site->pattern_text = xstrdup(text);
	site->pattern = pattern_compile(text, &err);
	assert_non_null(site->pattern);
}

static void want_id(struct site *site)
{
	set_pattern(site, "(?:id=\")([^\"]+)");
}

static void trust_and_want_id(struct site *site)
{
	trust_authority(site);
	want_id(site);
}

static void want_whole(struct site *site)
{
	set_pattern(site, "Wel[a-z]+");
}

static void want_absent(struct site *site)
{
	set_pattern(site, "Goodbye");
}

static void want_costly(struct site *site)
{
	set_pattern(site, "(a+)+$");
}

static void add_rule(struct site *site, const char *text, bool is_wanted)
{
	struct error err;
	site->rules = xreallocarray(site->rules, site->rule_count + 1, sizeof(site->rules[0]));
	site->rules[site->rule_count++] = (struct site_rule){.pattern = pattern_compile(text, &err),
							     .text = xstrdup(text),
							     .is_wanted = is_wanted};
}

static void expect_body(struct site *site)
{
	add_rule(site, "Welcome", true);
	add_rule(site, "Internal error", false);
}

/* ---- What some cases look at. ---- */

static void is_hello(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->body_bytes, 5);
	assert_int_equal(o->decoded_bytes, 5);
	assert_int_equal(o->final.http_version, HTTP_VERSION_1_1);
	assert_string_equal(o->final.ip, "127.0.0.1");
	assert_int_equal(o->final.tls_us, DURATION_UNKNOWN);
	assert_string_equal(o->tls_version, "");
	assert_null(o->message);
}

static void is_http_1_0(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->final.http_version, HTTP_VERSION_1_0);
	assert_int_equal(o->decoded_bytes, 13);
}

static void is_without_body(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->decoded_bytes, 0);
}

static void is_chunked(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->decoded_bytes, 11);
}

static void is_packed(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->decoded_bytes, 4096);
	assert_in_range(o->body_bytes, 1, 500);
	assert_int_equal(o->pattern.state, MATCH_FOUND);
}

static void is_not_unpacked(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->decoded_bytes, o->body_bytes);
	assert_in_range(o->body_bytes, 1, 500);
}

static void waited(const struct site *site, const struct observation *o)
{
	(void)site;
	is_at_least(o->final.wait_us, 100000);
	assert_true(o->final.transfer_us < o->final.wait_us);
}

static void transferred_slowly(const struct site *site, const struct observation *o)
{
	(void)site;
	is_at_least(o->final.transfer_us, 100000);
	assert_true(o->final.wait_us < o->final.transfer_us);
}

static void sent_slowly(const struct site *site, const struct observation *o)
{
	(void)site;
	/* the peer reads late, and answers later still: neither pause is counted with the other */
	is_at_least(o->final.transfer_us, 100000);
	is_at_least(o->final.wait_us, 20000);
	assert_true(o->final.wait_us < o->final.transfer_us);
}

static void went_one_hop(const struct site *site, const struct observation *o)
{
	assert_int_equal(o->redirect_count, 1);
	assert_string_equal(o->redirects[0].url, site->redacted_url);
	assert_string_not_equal(o->final.url, site->redacted_url);
}

static void knows_nothing_of_the_last_hop(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->redirect_count, 1);
	assert_int_equal(o->body_bytes, -1);
	assert_int_equal(o->decoded_bytes, -1);
	assert_string_equal(o->tls_version, "");
	assert_null(o->cert_issuer);
	assert_true(o->cert_not_after == TIME_UNKNOWN);
}

static void went_three_hops(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->redirect_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(o->redirects[i].http_status_code, 301);
}

static void went_ten_hops(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->redirect_count, SITE_REDIRECTS_DEFAULT);
}

static void went_nowhere(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->redirect_count, 0);
}

/* The echoed request is in the recorded pattern's capture: the cases below record all of it, made safe. */
static void record_request(struct site *site)
{
	set_pattern(site, "(?s)^(.*)$");
}

static bool asked_with(const struct observation *o, const char *words)
{
	assert_int_equal(o->pattern.state, MATCH_FOUND);
	return strstr(o->pattern.capture, words) != NULL;
}

static void post_and_record(struct site *site)
{
	ask_post(site);
	record_request(site);
}

static void put_and_record(struct site *site)
{
	ask_put_without_body(site);
	record_request(site);
}

static void purge_and_record(struct site *site)
{
	ask_purge(site);
	record_request(site);
}

static void headers_and_record(struct site *site)
{
	send_headers(site);
	record_request(site);
}

static void secrets_and_record(struct site *site)
{
	send_secrets(site);
	record_request(site);
}

static void userinfo_and_record(struct site *site)
{
	char *url = xasprintf("http://user:p%%40ss@%s", site->url + strlen("http://"));
	free(site->url);
	site->url = url;
	record_request(site);
}

static void was_plain_get(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_true(asked_with(o, "GET /echo HTTP/1.1"));
	assert_true(asked_with(o, "User-Agent: websentry/"));
	assert_true(asked_with(o, "Accept-Encoding: "));
	assert_true(asked_with(o, "gzip"));
	assert_false(asked_with(o, "Content-"));
}

static void was_post(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_true(asked_with(o, "POST /echo HTTP/1.1"));
	assert_true(asked_with(o, "Content-Length: 7"));
	assert_true(asked_with(o, "a=1&b=2"));
	assert_false(asked_with(o, "Content-Type"));
	assert_false(asked_with(o, "Expect"));
}

static void was_empty_put(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_true(asked_with(o, "PUT /echo HTTP/1.1"));
	assert_true(asked_with(o, "Content-Length: 0"));
}

static void was_purge(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_true(asked_with(o, "PURGE /echo HTTP/1.1"));
}

static void became_get(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_true(asked_with(o, "GET /echo HTTP/1.1"));
	assert_false(asked_with(o, "Content-Length"));
	assert_false(asked_with(o, "a=1&b=2"));
}

static void had_headers(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_true(asked_with(o, "Accept: text/html"));
	assert_true(asked_with(o, "X-Empty:"));
	assert_true(asked_with(o, "User-Agent: somebody else"));
	assert_false(asked_with(o, "websentry/"));
}

static void kept_secrets(const struct site *site, const struct observation *o)
{
	(void)site;
	/* The site says what it was asked, and what it repeats of our secrets is hidden. */
	assert_true(asked_with(o, "Authorization: ***"));
	assert_true(asked_with(o, "Cookie: ***"));
	assert_true(asked_with(o, "X-Plain: plain"));
}

static void dropped_secrets(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_false(asked_with(o, "s3cret"));
	assert_true(asked_with(o, "X-Plain: plain"));
}

static void had_basic_auth(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_true(asked_with(o, "Authorization: ***")); /* as above */
}

static void had_no_auth(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_false(asked_with(o, "Authorization"));
}

static void found_id(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->pattern.state, MATCH_FOUND);
	assert_string_equal(o->pattern.capture, "main");
}

static void found_whole(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->pattern.state, MATCH_FOUND);
	assert_string_equal(o->pattern.capture, "Welcome");
}

static void found_odd(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->pattern.state, MATCH_FOUND);
	assert_string_equal(o->pattern.capture, "a b \xc3\xa9 <z");
}

static void found_nothing(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->pattern.state, MATCH_NOT_FOUND);
	assert_null(o->pattern.capture);
}

static void was_truncated(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->pattern.state, MATCH_TRUNCATED);
	assert_true(o->decoded_bytes > SITE_MATCH_BYTES_DEFAULT);
}

static void was_too_costly(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_int_equal(o->pattern.state, MATCH_TOO_COSTLY);
}

static void met_rules(const struct site *site, const struct observation *o)
{
	assert_int_equal(o->rule_count, site->rule_count);
	assert_int_equal(o->rules[0].state, MATCH_FOUND);
	assert_int_equal(o->rules[1].state, MATCH_NOT_FOUND);
	assert_int_equal(o->pattern.state, MATCH_NOT_TRIED);
}

static void has_tls_details(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_string_equal(o->tls_version, "1.3");
	assert_string_equal(o->cert_issuer, "Test authority, Websentry tests");
	int64_t days = (o->cert_not_after - o->started_at) / CLOCK_US_PER_S / DAY_S;
	assert_in_range(days, 29, 30);
	assert_int_equal(o->chain_not_after, o->cert_not_after);
	assert_true(o->final.tls_us > 0);
}

static void knows_the_end(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_true(o->cert_not_after != TIME_UNKNOWN);
	assert_true(o->cert_not_after < o->started_at);
	assert_non_null(strstr(o->message, "expired"));
}

static void waited_for_tls(const struct site *site, const struct observation *o)
{
	(void)site;
	is_at_least(o->final.tls_us, 100000);
	assert_true(o->final.connect_us < o->final.tls_us);
	assert_int_equal(o->final.wait_us, DURATION_UNKNOWN);
}

static void was_slow_to_resolve(const struct site *site, const struct observation *o)
{
	(void)site;
	is_at_least(o->final.dns_us, 50000);
}

static void used_second_address(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_string_equal(o->final.ip, "127.0.0.1");
}

static void has_no_address(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_string_equal(o->final.ip, "");
	assert_int_equal(o->final.connect_us, DURATION_UNKNOWN);
	assert_true(o->final.dns_us >= 0);
}

static void waited_for_connection(const struct site *site, const struct observation *o)
{
	(void)site;
	assert_true(o->final.connect_us > 300000);
	assert_int_equal(o->final.wait_us, DURATION_UNKNOWN);
}

static const struct test_case cases[] = {
#include "responses.inc"
};

enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

static const struct name_record names[] = {
	{.name = "ok.test", .addresses = {"127.0.0.1"}},
	{.name = "slow.test", .addresses = {"127.0.0.1"}, .delay_ms = 60},
	{.name = "second.test", .addresses = {"127.0.0.9", "127.0.0.1"}},
	{.name = "both.test", .addresses = {"::1", "127.0.0.1"}},
	{.name = "none.test"},
	{.name = "broken.test", .rcode = 2},
	{.name = "refused.test", .rcode = 5},
	{.name = "silent.test", .is_silent = true},
	{.name = NULL},
};

static const struct authority_leaf leaves[PLACE_COUNT] = {
	[TLS_GOOD] = {"DNS:localhost,DNS:ok.test,IP:127.0.0.1", -DAY_S, MONTH_S, false},
	[TLS_OTHER] = {"DNS:elsewhere.test", -DAY_S, MONTH_S, false},
	[TLS_EXPIRED] = {"IP:127.0.0.1", -MONTH_S, -DAY_S, false},
	[TLS_NOT_YET] = {"IP:127.0.0.1", DAY_S, MONTH_S, false},
	[TLS_SELF] = {"IP:127.0.0.1", -DAY_S, MONTH_S, true},
	[TLS_OLD] = {"IP:127.0.0.1", -DAY_S, MONTH_S, false},
	[TLS_1_2] = {"IP:127.0.0.1", -DAY_S, MONTH_S, false},
	[TLS_FIELDS] = {"IP:127.0.0.1", -DAY_S, MONTH_S, false},
};

static SSL_CTX *contexts[PLACE_COUNT];
static struct peer *peers[PLACE_COUNT];
static struct peer *other_origin;
static struct peer *slow_tls;
static struct name_server *name_server;
static struct site sites[CASE_COUNT];
static struct watch watch;
static struct site again_sites[CASE_COUNT]; /* shallow copies */
static struct watch again[AGAIN_MAX];
static size_t again_count;

static int port_of(const struct test_case *test)
{
	if (test->place == REFUSED)
		return peer_refused_port();
	if (test->place == FULL)
		return peer_full_port();
	if (test->place == TLS_ON_PLAIN)
		return peer_port(peers[PLAIN]);
	if (test->place == PLAIN_ON_TLS)
		return peer_port(peers[TLS_GOOD]);
	if (strcmp(test->name, "tls_phase_times_out") == 0)
		return peer_port(slow_tls);
	return peer_port(peers[test->place]);
}

static void make_site(struct site *site, const struct test_case *test)
{
	bool is_https = test->place >= TLS_GOOD && test->place <= TLS_ON_PLAIN;
	char *url = xasprintf("%s://%s:%d/%s", is_https ? "https" : "http",
			      test->host != NULL ? test->host : "127.0.0.1", port_of(test),
			      test->path != NULL ? test->path : test->name);
	watch_make_site(site, test->name, url,
			slowness * (test->timeout_ms != 0 ? test->timeout_ms : USUAL_MS));
	if (test->configure != NULL)
		test->configure(site);
}

static const struct observation *find_observation(const struct site *site)
{
	for (size_t i = again_count; i > 0; i--) {
		for (size_t j = 0; j < again[i - 1].count; j++) {
			if (strcmp(again[i - 1].all[j].site->name, site->name) == 0)
				return &again[i - 1].all[j].observation;
		}
	}
	return watch_find(&watch, site);
}

/* A busy machine holds the prober up, and then it says so: those checks are repeated, as any producer would. */
static bool check_held_up_again(const struct prober_options *options)
{
	while (again_count < AGAIN_MAX) {
		size_t count = 0;
		for (size_t i = 0; i < CASE_COUNT; i++) {
			const struct observation *observation = find_observation(&sites[i]);
			if (observation != NULL && observation->trouble == REASON_PROBER_OVERLOADED)
				again_sites[count++] = sites[i];
		}
		if (count == 0)
			break;
		struct watch *run = &again[again_count++];
		watch_start(run, *options, again_sites, count);
		if (!watch_wait_done(run, 120000 * slowness))
			return false;
		watch_stop(run, 0);
	}
	return true;
}

static int set_up(void **state)
{
	(void)state;
	const char *preload = getenv("LD_PRELOAD");
	if (preload != NULL && strstr(preload, "valgrind") != NULL)
		slowness = VALGRIND_SLOWNESS;
	/* Nobody's proxy may come between a site and its check. */
	static const char *const proxies[] = {"http_proxy",  "HTTP_PROXY", "https_proxy",
					      "HTTPS_PROXY", "all_proxy",  "ALL_PROXY"};
	for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
		(void)setenv(proxies[i], "http://127.0.0.1:1/", 1);
	authority = authority_create();
	for (int place = PLAIN; place < PLACE_COUNT; place++) {
		if (leaves[place].name != NULL)
			contexts[place] = authority_make_context(authority, &leaves[place]);
		if (leaves[place].name != NULL || place == PLAIN)
			peers[place] = peer_start(contexts[place], behaviours);
	}
	(void)SSL_CTX_set_max_proto_version(contexts[TLS_OLD], TLS1_1_VERSION);
	(void)SSL_CTX_set_max_proto_version(contexts[TLS_1_2], TLS1_2_VERSION);
	if (SSL_CTX_set1_groups_list(contexts[TLS_FIELDS], "ffdhe2048") != 1)
		return -1;
	other_origin = peer_start(NULL, behaviours);
	behaviours_other_port = peer_port(other_origin);
	slow_tls = peer_start(contexts[TLS_GOOD], behaviours);
	peer_set_tls_delay(slow_tls, 2000 * slowness);
	name_server = name_server_start(names);
	for (size_t i = 0; i < CASE_COUNT; i++)
		make_site(&sites[i], &cases[i]);
	const struct prober_options options = {
		.is_once = true,
		/* Hostile behaviours cost the peers CPU, and timing is looked at: few at a time. */
		.max_in_flight = 16,
		.dns_servers = name_server_address(name_server),
	};
	watch_start(&watch, options, sites, CASE_COUNT);
	return watch_wait_done(&watch, 120000 * slowness) && check_held_up_again(&options) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	watch_stop(&watch, 0);
	watch_finish(&watch);
	for (size_t i = 0; i < again_count; i++)
		watch_finish(&again[i]);
	for (size_t i = 0; i < CASE_COUNT; i++) {
		pattern_destroy(sites[i].pattern);
		for (size_t j = 0; j < sites[i].rule_count; j++)
			pattern_destroy(sites[i].rules[j].pattern);
		site_finish(&sites[i]);
	}
	name_server_stop(name_server);
	peer_stop(other_origin);
	peer_stop(slow_tls);
	for (int place = PLAIN; place < PLACE_COUNT; place++) {
		if (peers[place] != NULL)
			peer_stop(peers[place]);
		SSL_CTX_free(contexts[place]);
	}
	authority_destroy(authority);
	return 0;
}

/* The phases that were reached follow one another, and add up to the hop's total. */
static void phases_add_up(const struct hop *hop)
{
	const int64_t phases[] = {hop->dns_us, hop->connect_us, hop->tls_us, hop->wait_us,
				  hop->transfer_us};
	int64_t sum = 0;
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		sum += phases[i] == DURATION_UNKNOWN ? 0 : phases[i];
	int64_t gap = llabs(hop->total_us - sum);
	assert_true(gap <= hop->total_us / 100 + 100);
}

static void ends_as_it_should(void **state)
{
	size_t index = *(const size_t *)*state;
	const struct test_case *test = &cases[index];
	const struct site *site = &sites[index];
	const struct observation *observation = find_observation(site);
	assert_non_null(observation);
	/* Under valgrind one thread runs at a time, a site's or the prober's: what the prober says of that is true, however often it is
	 * asked again. The runs without valgrind demand the reason; this one looks at memory. */
	if (slowness > 1 && observation->trouble == REASON_PROBER_OVERLOADED)
		return;
	if (observation->trouble != test->reason)
		print_error("%s: %s (%s), not %s\n", test->name, reason_name(observation->trouble),
			    observation->message, reason_name(test->reason));
	assert_int_equal(observation->trouble, test->reason);
	assert_int_equal(observation->final.http_status_code, test->status);
	assert_true(observation->total_us <= site->timeout_us + OVERTIME_US);
	/* each starts when its place is free */
	assert_int_equal(observation->late_us, observation->lag_us);
	int64_t hops_us = observation->final.total_us;
	phases_add_up(&observation->final);
	for (size_t i = 0; i < observation->redirect_count; i++) {
		phases_add_up(&observation->redirects[i]);
		hops_us += observation->redirects[i].total_us;
	}
	assert_true(observation->total_us >= hops_us);
	if (test->reason == REASON_OK) {
		assert_null(observation->message);
	} else {
		assert_non_null(observation->message);
		assert_true(strlen(observation->message) > 0);
		assert_true(text_is_utf8(observation->message, strlen(observation->message)));
		assert_int_equal(observation->pattern.state, MATCH_NOT_TRIED);
	}
	if (test->look != NULL)
		test->look(site, observation);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN); /* the peers write to sockets that the prober has closed */
	struct CMUnitTest tests[CASE_COUNT];
	size_t indices[CASE_COUNT];
	for (size_t i = 0; i < CASE_COUNT; i++) {
		indices[i] = i;
		tests[i] = (struct CMUnitTest){.name = cases[i].name,
					       .test_func = ends_as_it_should,
					       .initial_state = &indices[i]};
	}
	return _cmocka_run_group_tests("probe_responses", tests, CASE_COUNT, set_up, tear_down);
}
