#include "response_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authority.h"
#include "base/memory.h"
#include "behaviours.h"
#include "check/request.h"
#include "pattern/pattern.h"

enum { UPLOAD_SIZE = 16 * 1024 * 1024, SMALL_CAP = 64 * 1024 };
enum { DAY_S = 24 * 3600, QUICK_MS = 400, PATIENT_MS = 60000 };

struct authority *response_cases_authority;

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
	site->ca_file = xstrdup(authority_file(response_cases_authority));
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

static void post_expecting_and_record(struct site *site)
{
	post_and_record(site);
	add_header(site, "Expect", "100-continue");
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
	assert_false(asked_with(o, "Expect"));
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

const struct response_case response_cases[] = {
#include "responses.inc"
};

const size_t response_case_count = sizeof(response_cases) / sizeof(response_cases[0]);
_Static_assert(sizeof(response_cases) / sizeof(response_cases[0]) <= RESPONSE_CASES_MAX,
	       "room for each case");
