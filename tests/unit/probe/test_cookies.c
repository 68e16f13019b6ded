#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "probe/cookies.h"

#define NOW (INT64_C(1790000000) * CLOCK_US_PER_S)
#define FROM "http://shop.a.test/dir/page?x=/y"

struct cookie_case {
	const char *name;
	const char *from;
	const char *fields;
	const char *to;
	const char *own;   /* NULL: none */
	const char *field; /* NULL: nothing of theirs to say */
};

static const struct cookie_case cases[] = {
	{"one", FROM, "a=1", "http://shop.a.test/dir/next", NULL, "a=1"},
	{"two fields", FROM, "a=1\nb=2\n", "http://shop.a.test/dir/", NULL, "a=1; b=2"},
	{"a later one wins", FROM, "a=1\na=2\n", "http://shop.a.test/dir/", NULL, "a=2"},
	{"blanks around", FROM, " a = 1 ; Path = / ", "http://shop.a.test/", NULL, "a=1"},
	{"equal signs within", FROM, "a=b=c==", "http://shop.a.test/dir/", NULL, "a=b=c=="},
	{"nothing in it", FROM, "a=", "http://shop.a.test/dir/", NULL, "a="},
	{"without a name", FROM, "=1", "http://shop.a.test/dir/", NULL, NULL},
	{"without a sign", FROM, "a", "http://shop.a.test/dir/", NULL, NULL},
	{"controls", FROM, "a=\x01\nb=\x7f\n", "http://shop.a.test/dir/", NULL, NULL},
	{"other host", FROM, "a=1; Path=/", "http://b.test/", NULL, NULL},
	{"other port and scheme", FROM, "a=1; Path=/", "https://shop.a.test:8443/", NULL, "a=1"},
	{"host below", FROM, "a=1; Path=/", "http://x.shop.a.test/", NULL, NULL},
	{"host above", FROM, "a=1; Path=/", "http://a.test/", NULL, NULL},
	{"domain", FROM, "a=1; Path=/; Domain=.A.test", "http://www.a.test/", NULL, "a=1"},
	{"domain, itself", FROM, "a=1; Path=/; Domain=a.test", "http://a.test/", NULL, "a=1"},
	{"domain, no part of it", FROM, "a=1; Path=/; Domain=a.test", "http://ba.test/", NULL,
	 NULL},
	{"domain, own", FROM, "a=1; Path=/; Domain=shop.a.test", "http://x.shop.a.test/", NULL,
	 "a=1"},
	{"domain of somebody else", FROM, "a=1; Path=/; Domain=b.test", "http://b.test/", NULL,
	 NULL},
	{"domain below", FROM, "a=1; Path=/; Domain=x.shop.a.test", "http://x.shop.a.test/", NULL,
	 NULL},
	{"domain of all", FROM, "a=1; Path=/; Domain=test", "http://b.test/", NULL, NULL},
	{"empty domain", FROM, "a=1; Path=/; Domain=", "http://shop.a.test/", NULL, "a=1"},
	{"domain of somebody else, then none", FROM,
	 "a=1; Path=/; Domain=b.test; Domain=", "http://b.test/", NULL, NULL},
	{"domain, then none", FROM, "a=1; Path=/; Domain=a.test; Domain=.", "http://a.test/", NULL,
	 NULL},
	{"domain of somebody else, then its own", FROM,
	 "a=1; Path=/; Domain=b.test; Domain=", "http://shop.a.test/", NULL, "a=1"},
	{"address", "http://192.0.2.1/", "a=1", "http://192.0.2.1/x", NULL, "a=1"},
	{"part of an address", "http://192.0.2.1/", "a=1; Domain=0.2.1", "http://192.0.2.1/", NULL,
	 NULL},
	{"address as domain", "http://192.0.2.1/", "a=1; Domain=192.0.2.1", "http://192.0.2.1/",
	 NULL, "a=1"},
	{"IPv6", "http://[2001:db8::1]:80/", "a=1", "http://[2001:db8::1]/", NULL, "a=1"},
	{"default path", FROM, "a=1", "http://shop.a.test/dir", NULL, "a=1"},
	{"default path, elsewhere", FROM, "a=1", "http://shop.a.test/", NULL, NULL},
	{"default path, alike", FROM, "a=1", "http://shop.a.test/directory", NULL, NULL},
	{"default path, none", "http://shop.a.test?x", "a=1", "http://shop.a.test/y/z", NULL,
	 "a=1"},
	{"path", FROM, "a=1; Path=/x/", "http://shop.a.test/x/y?z", NULL, "a=1"},
	{"path, elsewhere", FROM, "a=1; Path=/x/", "http://shop.a.test/x", NULL, NULL},
	{"no path", FROM, "a=1; Path=x", "http://shop.a.test/dir/", NULL, "a=1"},
	{"secure, plain", FROM, "a=1; Path=/; Secure", "http://shop.a.test/", NULL, NULL},
	{"secure", FROM, "a=1; Path=/; secure", "https://shop.a.test/", NULL, "a=1"},
	{"other words", FROM, "a=1; HttpOnly; SameSite=None; Priority=High; ;;",
	 "http://shop.a.test/dir/", NULL, "a=1"},
	{"taken back by age", FROM, "a=1\nb=2\na=; Max-Age=0", "http://shop.a.test/dir/", NULL,
	 "b=2"},
	{"taken back by a negative age", FROM, "a=1\na=1; Max-Age=-5", "http://shop.a.test/dir/",
	 NULL, ""},
	{"taken back by date", FROM, "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
	 "http://shop.a.test/dir/", NULL, ""},
	{"an age counts before a date", FROM,
	 "a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://shop.a.test/dir/", NULL,
	 "a=1"},
	{"to come", FROM, "a=1; Expires=Fri, 01-Jan-2100 00:00:00 GMT", "http://shop.a.test/dir/",
	 NULL, "a=1"},
	{"no date", FROM, "a=1; Expires=soon", "http://shop.a.test/dir/", NULL, "a=1"},
	{"taken back by a year of two digits", FROM, "a=1; Expires=Thu, 01-Jan-70 00:00:01 GMT",
	 "http://shop.a.test/dir/", NULL, ""},
	{"to come, by two digits", FROM, "a=1; Expires=Tue, 01-Jan-69 00:00:01 GMT",
	 "http://shop.a.test/dir/", NULL, "a=1"},
	{"by another date", FROM, "a=1; Expires=Sat Jan  1 00:00:00 2000",
	 "http://shop.a.test/dir/", NULL, ""},
	{"a day that isn't there", FROM, "a=1; Expires=Wed, 31 Feb 2001 00:00:00 GMT",
	 "http://shop.a.test/dir/", NULL, "a=1"},
	{"no age", FROM, "a=1; Max-Age=1h; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
	 "http://shop.a.test/dir/", NULL, ""},
	{"an empty age", FROM, "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=",
	 "http://shop.a.test/dir/", NULL, ""},
	{"noughts", FROM, "a=1; Max-Age=00", "http://shop.a.test/dir/", NULL, ""},
	{"a sign is no age", FROM, "a=1; Max-Age=-", "http://shop.a.test/dir/", NULL, "a=1"},
	{"the last path is no path", FROM, "a=1; Path=/; Path=x", "http://shop.a.test/", NULL,
	 NULL},
	{"longer paths first", FROM, "a=1; Path=/\nb=2; Path=/dir\na=3; Path=/dir/\nc=4; Path=/",
	 "http://shop.a.test/dir/", NULL, "a=3; b=2; a=1; c=4"},
	{"beside the site's own", FROM, "a=1", "http://shop.a.test/dir/", "s=9;t=8",
	 "s=9; t=8; a=1"},
	{"in place of the site's own", FROM, "s=1", "http://shop.a.test/dir/", "s=9; t=8",
	 "t=8; s=1"},
	{"the site's own is taken back", FROM, "s=; Max-Age=0", "http://shop.a.test/dir/", "s=9",
	 ""},
	{"not there", FROM, "s=1", "http://shop.a.test/", "s=9", NULL},
	{"no URL", "http://a b/", "a=1", "http://shop.a.test/", NULL, NULL},
};

static void cookies_go_where_they_belong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct cookie_case *test = &cases[i];
		struct cookies cookies = {0};
		cookies_take(&cookies, test->from, test->fields, NOW);
		char *field = cookies_field(&cookies, test->to, test->own);
		bool is_right = (field == NULL) == (test->field == NULL) &&
				(field == NULL || strcmp(field, test->field) == 0);
		if (!is_right)
			fail_msg("%s: '%s', not '%s'", test->name, field != NULL ? field : "(none)",
				 test->field != NULL ? test->field : "(none)");
		free(field);
		cookies_finish(&cookies);
	}
}

static void floods_are_bounded(void **state)
{
	(void)state;
	struct cookies cookies = {0};
	char *long_value = xmalloc(COOKIE_MAX);
	memset(long_value, 'x', COOKIE_MAX - 1);
	long_value[COOKIE_MAX - 1] = '\0';
	char *longest = xasprintf("a=%s", long_value);
	char *too_long = xasprintf("ab=%s", long_value);
	cookies_take(&cookies, FROM, too_long, NOW);
	assert_int_equal(cookies.count, 0);
	cookies_take(&cookies, FROM, longest, NOW);
	assert_int_equal(cookies.count, 1);
	for (int i = 0; i < 200; i++) {
		char *field = xasprintf("c%d=%.*s", i, i % 2 == 0 ? 1 : 1000, long_value);
		cookies_take(&cookies, FROM, field, NOW);
		free(field);
	}
	assert_in_range(cookies.count, 10, COOKIES_MAX);
	assert_in_range(cookies.bytes, 1, COOKIES_BYTES_MAX);
	char *field = cookies_field(&cookies, FROM, NULL);
	assert_in_range(strlen(field), 1, COOKIES_BYTES_MAX);
	free(field);
	free(too_long);
	free(longest);
	free(long_value);
	cookies_finish(&cookies);
	assert_int_equal(cookies.bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cookies_go_where_they_belong),
		cmocka_unit_test(floods_are_bounded),
	};
	return cmocka_run_group_tests_name("cookies", tests, NULL, NULL);
}
