/*
 * What a site asks for arrives on the wire, and nothing else does: one prober takes all the cases at once, each of which says which
 * words stand in its request, in their order, and which do not.
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

#include "base/memory.h"
#include "behaviours.h"
#include "kept.h"
#include "peer.h"
#include "watch.h"

enum { TIMEOUT_MS = 10000, PATIENCE_MS = 120000, WORDS_MAX = 12, AGAIN_MAX = 8 };

struct request_case {
	const char *name;
	const char *way; /* what the path begins with: "", or redirects such as "away/307/" */
	void (*configure)(struct site *site);
	const char *words[WORDS_MAX];  /* of the request that arrived, in this order */
	const char *absent[WORDS_MAX]; /* not in it, in any case of letters */
};

static struct peer *peer;
static struct peer *other_origin;

/* ---- What the sites ask for. ---- */

static void set_method(struct site *site, const char *method)
{
	free(site->method);
	site->method = xstrdup(method);
}

static void set_body(struct site *site, const char *method, const char *body, size_t length)
{
	set_method(site, method);
	site->body = xcalloc(1, length + 1);
	memcpy(site->body, body, length);
	site->body_length = length;
}

static void add_header(struct site *site, const char *name, const char *value)
{
	site->headers =
		xreallocarray(site->headers, site->header_count + 1, sizeof(site->headers[0]));
	site->headers[site->header_count++] =
		(struct site_header){.name = xstrdup(name), .value = xstrdup(value)};
}

static void ask_plainly(struct site *site)
{
	(void)site;
}

static void ask_search(struct site *site)
{
	set_method(site, "M-Search");
}

static void ask_delete_with_body(struct site *site)
{
	set_body(site, "DELETE", "x", 1);
}

static void send_bytes(struct site *site)
{
	set_body(site, "POST", "a\0\r\n\xff!", 6);
}

static void send_nothing(struct site *site)
{
	set_body(site, "POST", "", 0);
}

static void send_form(struct site *site)
{
	set_body(site, "POST", "a=1&b=x+y", 9);
	add_header(site, "Content-Type", "application/x-www-form-urlencoded");
}

static void repeat_headers(struct site *site)
{
	add_header(site, "X-Tag", "one");
	add_header(site, "X-Other", "between");
	add_header(site, "X-Tag", "two");
	add_header(site, "X-Empty", "");
	add_header(site, "X-Tag", "one");
}

static void replace_own_headers(struct site *site)
{
	add_header(site, "Accept", "text/html");
	add_header(site, "User-Agent", "probe/1 (x)");
	add_header(site, "Host", "other.test");
}

static void expect_continue(struct site *site)
{
	set_body(site, "POST", "x", 1);
	add_header(site, "Expect", "something");
}

static void send_secrets(struct site *site)
{
	add_header(site, "Authorization", "Bearer s3cret");
	add_header(site, "X-Api-Key", "s3cret");
	add_header(site, "X-Session-Token", "s3cret");
	add_header(site, "Proxy-Authorization", "s3cret");
	add_header(site, "Cookie", "a=s3cret; b=2");
	add_header(site, "X-Keyboard", "plain");
}

static void post_secrets(struct site *site)
{
	set_body(site, "POST", "hello", 5);
	send_secrets(site);
}

static const struct request_case cases[] = {
	{"plain",
	 "",
	 ask_plainly,
	 {"GET /keep/plain HTTP/1.1\r\n", "User-Agent: websentry/"},
	 {"Content-", "Authorization", "Cookie", "Expect"}},
	{"own_method", "", ask_search, {"M-Search /keep/own_method HTTP/1.1\r\n"}, {"Content-"}},
	{"delete_with_body",
	 "",
	 ask_delete_with_body,
	 {"DELETE /keep/delete_with_body HTTP/1.1\r\n", "Content-Length: 1\r\n", "\r\nx"},
	 {"Content-Type", "Expect"}},
	{"bytes",
	 "",
	 send_bytes,
	 {"POST /keep/bytes HTTP/1.1\r\n", "Content-Length: 6\r\n"},
	 {"Content-Type"}},
	{"empty_body",
	 "",
	 send_nothing,
	 {"POST /keep/empty_body HTTP/1.1\r\n", "Content-Length: 0\r\n"},
	 {"Content-Type"}},
	{"form",
	 "",
	 send_form,
	 {"POST ", "Content-Type: application/x-www-form-urlencoded\r\n", "\r\na=1&b=x+y"},
	 {"Expect"}},
	{"headers_in_order_and_repeated",
	 "",
	 repeat_headers,
	 {"\r\nX-Tag: one\r\nX-Other: between\r\nX-Tag: two\r\nX-Empty:\r\nX-Tag: one\r\n"},
	 {0}},
	{"headers_of_our_own_replaced",
	 "",
	 replace_own_headers,
	 {"Host: other.test\r\n", "Accept: text/html\r\n", "User-Agent: probe/1 (x)\r\n"},
	 {"websentry", "127.0.0.1", "*/*"}},
	{"expect_is_the_sites", "", expect_continue, {"Expect: something\r\n"}, {0}},
	{"secrets_stay_within_the_origin",
	 "to/302/",
	 send_secrets,
	 {"Authorization: Bearer s3cret\r\n", "X-Api-Key: s3cret\r\n",
	  "X-Session-Token: s3cret\r\n", "Cookie: a=s3cret; b=2\r\n", "X-Keyboard: plain\r\n"},
	 {0}},
	{"secrets_leave_no_origin",
	 "away/302/",
	 send_secrets,
	 {"X-Keyboard: plain\r\n"},
	 {"s3cret", "Cookie", "X-Api-Key"}},
	{"secrets_do_not_come_back",
	 "away/302/to/302/",
	 send_secrets,
	 {"X-Keyboard: plain\r\n"},
	 {"s3cret"}},
	{"a_body_follows_307",
	 "away/307/",
	 post_secrets,
	 {"POST ", "X-Keyboard: plain\r\n", "Content-Length: 5\r\n", "\r\nhello"},
	 {"s3cret"}},
	{"a_body_does_not_follow_303",
	 "away/303/",
	 post_secrets,
	 {"GET "},
	 {"s3cret", "hello", "Content-"}},
};

enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

static struct site sites[CASE_COUNT];
static struct watch watches[AGAIN_MAX];
static size_t watch_count;

static const struct observation *find_observation(const struct site *site)
{
	const struct observation *found = NULL;
	for (size_t i = 0; i < watch_count; i++)
		for (size_t j = 0; j < watches[i].count; j++)
			if (strcmp(watches[i].all[j].site->name, site->name) == 0)
				found = &watches[i].all[j].observation;
	return found;
}

static void expect_words(const struct request_case *test, const struct kept *kept)
{
	const char *at = kept->request;
	for (size_t i = 0; i < WORDS_MAX && test->words[i] != NULL; i++) {
		const char *found = strstr(at, test->words[i]);
		if (found == NULL)
			fail_msg("no '%s' from here on:\n%s\nin\n%s", test->words[i], at,
				 kept->request);
		at = found + strlen(test->words[i]);
	}
	for (size_t i = 0; i < WORDS_MAX && test->absent[i] != NULL; i++)
		if (strcasestr(kept->request, test->absent[i]) != NULL)
			fail_msg("'%s' in:\n%s", test->absent[i], kept->request);
}

static void arrives_as_asked(void **state)
{
	const struct request_case *test = *state;
	const struct observation *observation = find_observation(&sites[test - cases]);
	assert_non_null(observation);
	if (observation->trouble != REASON_OK)
		fail_msg("%s: %s", reason_name(observation->trouble), observation->message);
	const struct kept *kept = kept_find(test->name);
	assert_non_null(kept);
	expect_words(test, kept);
}

static void any_byte_of_a_body_arrives(void **state)
{
	(void)state;
	const struct kept *kept = kept_find("bytes");
	assert_non_null(kept);
	assert_memory_equal(kept->request + kept->length - 6, "a\0\r\n\xff!", 6);
}

/* A busy machine holds the prober up, and then it says so: all of them once more. */
static bool was_held_up(void)
{
	for (size_t i = 0; i < CASE_COUNT; i++) {
		const struct observation *observation = find_observation(&sites[i]);
		if (observation == NULL || observation->trouble == REASON_PROBER_OVERLOADED)
			return true;
	}
	return false;
}

static int set_up(void **state)
{
	(void)state;
	peer = peer_start(NULL, behaviours);
	other_origin = peer_start(NULL, behaviours);
	behaviours_other_port = peer_port(other_origin);
	for (size_t i = 0; i < CASE_COUNT; i++) {
		watch_make_site(&sites[i], cases[i].name,
				xasprintf("http://127.0.0.1:%d/%skeep/%s", peer_port(peer),
					  cases[i].way, cases[i].name),
				TIMEOUT_MS);
		cases[i].configure(&sites[i]);
	}
	do {
		struct watch *watch = &watches[watch_count++];
		watch_start(watch, (struct prober_options){.is_once = true}, sites, CASE_COUNT);
		if (!watch_wait_done(watch, PATIENCE_MS))
			return -1;
		watch_stop(watch, 0);
	} while (was_held_up() && watch_count < AGAIN_MAX);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < watch_count; i++)
		watch_finish(&watches[i]);
	for (size_t i = 0; i < CASE_COUNT; i++)
		site_finish(&sites[i]);
	peer_stop(peer);
	peer_stop(other_origin);
	kept_forget();
	return 0;
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	struct CMUnitTest tests[CASE_COUNT + 1];
	for (size_t i = 0; i < CASE_COUNT; i++)
		tests[i] = (struct CMUnitTest){.name = cases[i].name,
					       .test_func = arrives_as_asked,
					       .initial_state = (void *)(uintptr_t)&cases[i]};
	tests[CASE_COUNT] = (struct CMUnitTest)cmocka_unit_test(any_byte_of_a_body_arrives);
	return _cmocka_run_group_tests("probe_request", tests, CASE_COUNT + 1, set_up, tear_down);
}
