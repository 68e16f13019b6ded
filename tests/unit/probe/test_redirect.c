#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "check/request.h"
#include "check/site.h"
#include "probe/redirect.h"
#include "probe/transfer.h"

struct redirect_case {
	const char *name;
	const char *method;
	const char *url;
	int status;
	const char *location;
	const char *next; /* NULL: refused */
	const char *next_method;
	bool has_body;
	bool is_trusted;
	const char *username;
};

#define SITE "http://a.test/dir/page"
#define AUTH "http://me:p%40ss@a.test/dir/page"

static const struct redirect_case cases[] = {
	{"301 get", "GET", SITE, 301, "/x", "http://a.test/x", "GET", true, true, NULL},
	{"301 post", "POST", SITE, 301, "/x", "http://a.test/x", "GET", false, true, NULL},
	{"302 post", "POST", SITE, 302, "/x", "http://a.test/x", "GET", false, true, NULL},
	{"303 post", "POST", SITE, 303, "/x", "http://a.test/x", "GET", false, true, NULL},
	{"303 delete", "DELETE", SITE, 303, "/x", "http://a.test/x", "GET", false, true, NULL},
	{"303 head", "HEAD", SITE, 303, "/x", "http://a.test/x", "HEAD", true, true, NULL},
	{"302 delete", "DELETE", SITE, 302, "/x", "http://a.test/x", "DELETE", true, true, NULL},
	{"307 post", "POST", SITE, 307, "/x", "http://a.test/x", "POST", true, true, NULL},
	{"308 put", "PUT", SITE, 308, "/x", "http://a.test/x", "PUT", true, true, NULL},
	{"relative", "GET", SITE, 302, "other", "http://a.test/dir/other", "GET", true, true, NULL},
	{"other host", "GET", SITE, 302, "http://b.test/", "http://b.test/", "GET", true, false,
	 NULL},
	{"other port", "GET", SITE, 302, "http://a.test:81/", "http://a.test:81/", "GET", true,
	 false, NULL},
	{"other scheme", "GET", SITE, 302, "https://a.test/", "https://a.test/", "GET", true, false,
	 NULL},
	{"ftp", "GET", SITE, 302, "ftp://a.test/", NULL, "GET", true, true, NULL},
	{"userinfo stays, relative", "GET", AUTH, 302, "/x", "http://me:p%40ss@a.test/x", "GET",
	 true, true, "me"},
	{"userinfo stays, absolute", "GET", AUTH, 302, "http://a.test/x", "http://a.test/x", "GET",
	 true, true, "me"},
	{"userinfo goes", "GET", AUTH, 302, "http://b.test/x", "http://b.test/x", "GET", true,
	 false, NULL},
};

static void site_of(struct site *site, const struct redirect_case *test)
{
	*site = (struct site){.url = (char *)(uintptr_t)test->url,
			      .method = (char *)(uintptr_t)test->method,
			      .body = (char *)(uintptr_t) "body",
			      .body_length = strlen("body")};
}

static void redirects_change_the_request(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct redirect_case *test = &cases[i];
		struct site site;
		struct redirect redirect;
		struct error err;
		print_message("# %s\n", test->name);
		site_of(&site, test);
		redirect_init(&redirect, &site);
		int status = redirect_follow(&redirect, &site, test->status, test->location, &err);
		assert_int_equal(status, test->next == NULL ? -1 : 0);
		assert_string_equal(redirect.url, test->next == NULL ? test->url : test->next);
		assert_string_equal(redirect.method, test->next_method);
		assert_int_equal(redirect.body != NULL, test->has_body);
		assert_int_equal(redirect.is_trusted_origin, test->is_trusted);
		if (test->username == NULL) {
			assert_null(redirect.username);
		} else {
			assert_string_equal(redirect.username, test->username);
			assert_string_equal(redirect.password, "p@ss");
		}
		redirect_finish(&redirect);
	}
}

/* Out and back: the secrets stay behind for good. */
static void trust_does_not_come_back(void **state)
{
	(void)state;
	struct site site;
	struct redirect redirect;
	struct error err;
	site_of(&site, &(struct redirect_case){.url = AUTH, .method = "GET"});
	redirect_init(&redirect, &site);
	assert_int_equal(redirect_follow(&redirect, &site, 302, "http://b.test/", &err), 0);
	assert_int_equal(redirect_follow(&redirect, &site, 302, "http://a.test/", &err), 0);
	assert_false(redirect.is_trusted_origin);
	assert_null(redirect.username);
	redirect_finish(&redirect);
}

/* A form with a password: within the origin, or as a GET that has none of it. */
static void secret_body_leaves_no_origin(void **state)
{
	(void)state;
	struct request secret = {.is_body_secret = true};
	struct site site;
	struct redirect redirect;
	struct error err;
	site_of(&site, &(struct redirect_case){.url = SITE, .method = "POST"});
	site.request = &secret;
	redirect_init(&redirect, &site);
	assert_int_equal(redirect_follow(&redirect, &site, 307, "/x", &err), 0);
	assert_non_null(redirect.body);
	assert_int_equal(redirect_follow(&redirect, &site, 307, "http://b.test/", &err), -1);
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_string_equal(redirect.url, "http://a.test/x");
	assert_true(redirect.is_trusted_origin);
	assert_int_equal(redirect_follow(&redirect, &site, 303, "http://b.test/", &err), 0);
	assert_null(redirect.body);
	redirect_finish(&redirect);
}

/* The site's own go no further than its origin; what a redirect sets goes where it says. */
static void cookies_follow(void **state)
{
	(void)state;
	struct site_header own[] = {
		{.name = (char *)(uintptr_t) "Accept", .value = (char *)(uintptr_t) "*"},
		{.name = (char *)(uintptr_t) "cookie", .value = (char *)(uintptr_t) "s=1"}};
	struct site site;
	struct redirect redirect;
	struct transfer_request request = {0};
	struct error err;
	site_of(&site, &(struct redirect_case){.url = SITE, .method = "GET"});
	site.headers = own;
	site.header_count = 2;
	redirect_init(&redirect, &site);
	redirect_take_cookies(&redirect, NULL, 0);
	assert_int_equal(redirect_follow(&redirect, &site, 302, "/x", &err), 0);
	redirect_fill(&redirect, &request);
	assert_null(request.cookies);
	redirect_take_cookies(&redirect, "a=2\n", 0);
	assert_int_equal(redirect_follow(&redirect, &site, 302, "/y", &err), 0);
	redirect_fill(&redirect, &request);
	assert_string_equal(request.cookies, "s=1; a=2");
	assert_int_equal(redirect_follow(&redirect, &site, 302, "http://b.test/", &err), 0);
	redirect_fill(&redirect, &request);
	assert_null(request.cookies);
	redirect_take_cookies(&redirect, "b=3\n", 0);
	assert_int_equal(redirect_follow(&redirect, &site, 302, SITE, &err), 0);
	redirect_fill(&redirect, &request);
	assert_string_equal(request.cookies, "a=2");
	redirect_finish(&redirect);
}

static void some_statuses_lead_on(void **state)
{
	(void)state;
	for (int status = 100; status < 600; status++) {
		bool leads_on = status == 301 || status == 302 || status == 303 || status == 307 ||
				status == 308;
		assert_int_equal(redirect_is(status), leads_on);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redirects_change_the_request),
		cmocka_unit_test(trust_does_not_come_back),
		cmocka_unit_test(secret_body_leaves_no_origin),
		cmocka_unit_test(cookies_follow),
		cmocka_unit_test(some_statuses_lead_on),
	};
	return cmocka_run_group_tests_name("probe_redirect", tests, NULL, NULL);
}
