/* The heads of requests and responses, without what is secret in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/heads.h"
#include "check/site.h"

struct head_case {
	const char *name;
	bool is_request;
	const char *bytes;
	const char *text; /* NULL: nothing is left */
};

static const struct head_case cases[] = {
	{"a request", true, "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
	 "GET / HTTP/1.1\nHost: a\nAccept: */*"},
	{"a token in the query", true, "GET /a?token=canary&x=1 HTTP/1.1\r\nHost: a\r\n\r\n",
	 "GET /a?token=***&x=1 HTTP/1.1\nHost: a"},
	{"a token with a colon", true, "GET /a?token=canary:canary HTTP/2\r\n\r\n",
	 "GET /a?token=*** HTTP/2"},
	{"through a proxy", true,
	 "GET http://me:canary@a/b?api_key=canary HTTP/1.1\r\nProxy-Authorization: Basic "
	 "canary\r\n\r\n",
	 "GET http://a/b?api_key=*** HTTP/1.1\nProxy-Authorization: ***"},
	{"a tunnel", true, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
	 "CONNECT a:443 HTTP/1.1\nHost: a:443"},
	{"no path at all", true, "OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1"},
	{"who asks", true,
	 "GET / HTTP/1.1\r\nAuthorization: Bearer canary\r\ncookie: a=canary; b=canary\r\n"
	 "X-Api-Key: canary\r\n\r\n",
	 "GET / HTTP/1.1\nAuthorization: ***\ncookie: ***\nX-Api-Key: ***"},
	{"a secret that is known, in a path", true, "GET /own-canary/x HTTP/1.1\r\n\r\n",
	 "GET /***/x HTTP/1.1"},
	{"half a request line", true, "GET /canary?token=canary", ""},
	{"a response", false, "HTTP/1.1 200 OK\r\nServer: a\r\n\r\n", "HTTP/1.1 200 OK\nServer: a"},
	{"cookies and links", false,
	 "HTTP/1.1 302 Found\r\nSet-Cookie: a=canary\r\nLocation: "
	 "http://me:canary@a/?token=canary&b=1\r\nX-Seen: own-canary\r\n\r\n",
	 "HTTP/1.1 302 Found\nSet-Cookie: ***\nLocation: http://***@a/?token=***&b=1\nX-Seen: ***"},
	{"folded", false, "HTTP/1.1 200 OK\r\nSet-Cookie: a=\r\n canary\r\n\r\n",
	 "HTTP/1.1 200 OK\nSet-Cookie: ***"},
	{"what would reach the terminal", false, "HTTP/1.1 200 \x1b[31mOK\r\nA: \x07\xff\r\n\r\n",
	 "HTTP/1.1 200  [31mOK\nA:  \xef\xbf\xbd"},
	{"nothing but line ends", false, "\r\n\r\n", ""},
};

static void secrets_are_hidden(void **state)
{
	(void)state;
	char name[] = "X-Api-Key";
	char value[] = "own-canary";
	struct site_header header = {.name = name, .value = value};
	struct site site;
	site_init(&site);
	site.headers = &header;
	site.header_count = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct heads *heads = xcalloc(1, sizeof(*heads));
		heads_add(heads, &site, NULL, cases[i].is_request, cases[i].bytes,
			  strlen(cases[i].bytes));
		const char *found = heads->count == 0 ? NULL : heads->items[0].text;
		if (found == NULL || strcmp(found, cases[i].text) != 0)
			fail_msg("%s: '%s'", cases[i].name, found == NULL ? "NULL" : found);
		if (strstr(found, "canary") != NULL)
			fail_msg("%s: '%s'", cases[i].name, found);
		assert_int_equal(heads->items[0].is_request, cases[i].is_request);
		heads_destroy(heads);
	}
	site.headers = NULL;
	site.header_count = 0;
	site_finish(&site);
}

static void a_head_has_an_end(void **state)
{
	(void)state;
	const size_t length = 3 * (size_t)HEAD_TEXT_MAX;
	char *bytes = xmalloc(length);
	struct site site;
	site_init(&site);
	memset(bytes, 'a', length);
	memcpy(bytes, "GET /", 5);
	for (int is_request = 0; is_request < 2; is_request++) {
		struct heads *heads = xcalloc(1, sizeof(*heads));
		heads_add(heads, &site, NULL, is_request == 1, bytes, length);
		assert_true(heads->count == 0 ||
			    strlen(heads->items[0].text) <= 2 * (size_t)HEAD_TEXT_MAX);
		heads_destroy(heads);
	}
	heads_destroy(NULL);
	site_finish(&site);
	free(bytes);
}

/* A hop that asks twice, as over a connection that was kept and has died, shows both. */
static void heads_follow_one_another(void **state)
{
	(void)state;
	struct heads *all = NULL;
	struct site site;
	site_init(&site);
	assert_null(heads_join(NULL, NULL));
	for (int i = 0; i < 3; i++) {
		struct heads *heads = xcalloc(1, sizeof(*heads));
		char *line = xasprintf("GET /%d HTTP/1.1\r\n\r\n", i);
		heads_add(heads, &site, NULL, true, line, strlen(line));
		all = heads_join(heads_join(all, heads), NULL);
		free(line);
	}
	assert_int_equal(all->count, 3);
	for (size_t i = 0; i < all->count; i++)
		assert_int_equal(all->items[i].text[strlen("GET /")], '0' + (int)i);
	heads_destroy(all);
	site_finish(&site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_hidden),
		cmocka_unit_test(a_head_has_an_end),
		cmocka_unit_test(heads_follow_one_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
