#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/url.h"

static const struct {
	const char *url;
	const char *host;
	int port;
	bool is_https;
	bool is_ip;
} good[] = {
	{"http://example.com", "example.com", 80, false, false},
	{"https://example.com", "example.com", 443, true, false},
	{"HTTPS://EXAMPLE.Com/Path", "example.com", 443, true, false},
	{"http://example.com:8080/?a=b#c", "example.com", 8080, false, false},
	{"http://example.com:1/", "example.com", 1, false, false},
	{"http://example.com:65535/", "example.com", 65535, false, false},
	{"http://user:password@example.com/", "example.com", 80, false, false},
	{"http://127.0.0.1:9/", "127.0.0.1", 9, false, true},
	{"http://[::1]:8080/", "::1", 8080, false, true},
	{"https://[2001:DB8::1]/", "2001:db8::1", 443, true, true},
	{"http://127.1/", "127.0.0.1", 80, false, true},
	{"http://0x7f.0.0.1/", "127.0.0.1", 80, false, true},
	{"https://b\xC3\xBC"
	 "cher.example/",
	 "xn--bcher-kva.example", 443, true, false},
	{"http://localhost/%20%zz?x=[1]", "localhost", 80, false, false},
	{"http://example.com?x", "example.com", 80, false, false},
	{"http://example.com./", "example.com.", 80, false, false},
};

static const char *const bad[] = {
	"",
	"example.com",
	"//example.com/",
	"/path",
	"ftp://example.com/",
	"file:///etc/passwd",
	"gopher://example.com/",
	"javascript:alert(1)",
	"httpx://example.com/",
	"http:",
	"http:/example.com/",
	"http://",
	"http:///",
	"http:///path",
	"http://?x",
	"http://#x",
	"http://user@/",
	"http://:80/",
	"http://exa mple.com/",
	"http://example.com/a b",
	" http://example.com/",
	"http://example.com/ ",
	"http://example.com/\n",
	"http://example.com/\t",
	"http://example.com/\x7f",
	"http://example.com/\x01",
	"http://example.com/\xC2\x94",
	"http://example.com:0/",
	"http://example.com:65536/",
	"http://example.com:99999999999/",
	"http://example.com:-1/",
	"http://example.com:port/",
	"http://example.com:80:80/",
	"http://[::1/",
	"http://[::g]/",
	"http://[fe80::1%25eth0]/",
	"http://example.com\\@evil/",
	"http://exam%00ple.com/",
	"http://u%00:p@example.com/",
	"http://u:p%0a@example.com/",
	"http://u%0d%0aX:%201@example.com/",
	"http://u%7f@example.com/",
	"http://example.com/\xFF",
	"http://\xC3/",
	"http://a\u2028b.example/", /* a letter that no name may have */
	"http://<script>/",
	"http://us\u2002m/", /* what libidn2 makes a space, a slash, an at, a colon of */
	"http://a\uFF0Fb/",
	"http://a\uFF20b/",
	"http://a\uFF1A80/",
	"http://us%zzm/",
	"http://a%2540b/",
	"http://a..example/",
	"http://.a.example/",
	"http://a.example../",
	"http://./",
	"http://../",
};

static void good_urls_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct url_parts parts;
		struct error err;
		if (url_parse(good[i].url, &parts, &err) != 0)
			fail_msg("%s: %s", good[i].url, err.message);
		assert_string_equal(parts.host, good[i].host);
		assert_string_equal(parts.scheme, good[i].is_https ? "https" : "http");
		assert_int_equal(parts.port, good[i].port);
		assert_int_equal(parts.is_https, good[i].is_https);
		assert_int_equal(parts.is_host_ip, good[i].is_ip);
		url_parts_finish(&parts);
	}
}

/* Of the same URL, one is read here and the other, for its scheme, by libcurl: they must not differ in anything. */
static void plain_urls_are_read_as_libcurl_reads_them(void **state)
{
	(void)state;
	static const char *const rests[] = {
		"example.com",
		"example.com/",
		"example.com:8080/x?y#z",
		"a-b.c-d.example/",
		"1.2.3.example/",
		"127.0.0.1/",
		"127.0.0.1:9",
		"127.0.0.01/",
		"127.1/",
		"2130706433/",
		"0x7f.1/",
		"0x7f000001",
		"0177.0.0.1/",
		"1.2.3.4.5/",
		"256.0.0.1/",
		"1.2.3.4./",
		"example.1/",
		"example.0x7f/",
		"a.b./",
		"a..b/",
		".a/",
		"-/",
		"-a.b-/",
		"a_b.example/",
		"example.com:/",
		"example.com:080/",
		"example.com:00080/",
		"example.com:0/",
		"example.com:65535/",
		"example.com:65536/",
		"example.com:655350/",
		"example.com:8x/",
		"example.com:8:9/",
		"example.com?x",
		"example.com#x",
		"example.com//x",
		"u@example.com/",
		"u:p@example.com/",
		"example.com/@x:1/",
		"example.com:1@x/",
		"[::1]/",
		"EXAMPLE.com/",
		"ex%61mple.com/",
		"localhost:1/%zz",
		"0/",
		"0.0.0.0/",
		"1/",
		"08.0.0.1/",
		"a.xn--bcher-kva/",
		"xn--bcher-kva.example/",
		"4.example/",
		"a.4a/",
	};
	for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		char ours[128];
		char theirs[128];
		struct url_parts a = {0};
		struct url_parts b = {0};
		(void)snprintf(ours, sizeof(ours), "https://%s", rests[i]);
		(void)snprintf(theirs, sizeof(theirs), "HTTPS://%s", rests[i]);
		int code = url_parse(ours, &a, NULL);
		if (code != url_parse(theirs, &b, NULL))
			fail_msg("%s is read as %s and as %s", rests[i], a.host, b.host);
		if (code != 0)
			continue;
		if (strcmp(a.host, b.host) != 0)
			fail_msg("%s is read as %s and as %s", rests[i], a.host, b.host);
		assert_string_equal(a.scheme, b.scheme);
		assert_int_equal(a.port, b.port);
		assert_int_equal(a.is_host_ip, b.is_host_ip);
		assert_int_equal(a.is_https, b.is_https);
		url_parts_finish(&a);
		url_parts_finish(&b);
	}
}

static void bad_urls_are_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct url_parts parts;
		struct error err = {0};
		if (url_parse(bad[i], &parts, &err) == 0)
			fail_msg("%s was taken for host %s", bad[i], parts.host);
		assert_int_equal(err.kind, ERROR_REJECT);
		assert_true(strlen(err.message) > 0);
	}
}

static void length_has_a_bound(void **state)
{
	(void)state;
	char *url = xmalloc(URL_MAX + 2);
	memset(url, 'a', URL_MAX + 1);
	memcpy(url, "http://example.com/", 19);
	url[URL_MAX + 1] = '\0';
	struct url_parts parts;
	assert_int_equal(url_parse(url, &parts, NULL), -1);
	url[URL_MAX] = '\0';
	assert_int_equal(url_parse(url, &parts, NULL), 0);
	url_parts_finish(&parts);
	free(url);
}

static const struct {
	const char *base;
	const char *location;
	const char *expected; /* NULL: refused */
} resolutions[] = {
	{"http://a/b/c", "/d", "http://a/d"},
	{"http://a/b/c", "d", "http://a/b/d"},
	{"http://a/b/c", "../d", "http://a/d"},
	{"http://a/b/c", "./d", "http://a/b/d"},
	{"http://a/b/c", "?x=1", "http://a/b/c?x=1"},
	{"http://a/b/c?y", "#s", "http://a/b/c?y"},
	{"http://a/b/c?y", "//e/f", "http://e/f"},
	{"http://a/b", "https://e/f", "https://e/f"},
	{"http://a/b", "HTTPS://E/f", "https://E/f"},
	{"http://a/b", "https://e", "https://e/"},
	{"http://a/b", "/d#frag", "http://a/d"},
	{"http://a/b", "https://e/f#x?y", "https://e/f"},
	{"http://a:81/b", "/d", "http://a:81/d"},
	{"http://u:p@a/b", "/d", "http://u:p@a/d"},
	{"http://a/b", "/d e", "http://a/d%20e"},
	{"http://a/b", "/\xC3\xA4", "http://a/%c3%a4"},
	{"http://a/b", "/\xE4", "http://a/%e4"},
	{"http://a/b", "http://[::1]:8/", "http://[::1]:8/"},
	{"http://a/b", "http://2130706%33/", "http://1.69.30.183/"},
	{"http://a/b", "http://2130706%2533/", NULL},
	{"http://a/b", "", NULL},
	{"http://a/b", "ftp://e/", NULL},
	{"http://a/b", "file:///etc/passwd", NULL},
	{"http://a/b", "javascript:alert(1)", NULL},
	{"http://a/b", "mailto:x@y", NULL},
	{"http://a/b", "data:text/html,x", NULL},
	{"http://a/b", "http://", NULL},
	{"http://a/b", "http://e:99999/", NULL},
	{"http://a/b", "http://e:0/", NULL},
	{"http://a/b", "http://exa mple/", NULL},
	{"http://a/b", "/\x01", NULL},
	{"http://a/b", "http://[::1/", NULL},
};

static void redirects_lead_where_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(resolutions) / sizeof(resolutions[0]); i++) {
		struct error err = {0};
		char *url = url_resolve(resolutions[i].base, resolutions[i].location, &err);
		if (resolutions[i].expected == NULL) {
			if (url != NULL)
				fail_msg("%s led to %s", resolutions[i].location, url);
			assert_int_equal(err.kind, ERROR_REJECT);
			continue;
		}
		if (url == NULL)
			fail_msg("%s: %s", resolutions[i].location, err.message);
		assert_string_equal(url, resolutions[i].expected);
		free(url);
	}
}

static void overlong_redirect_is_refused(void **state)
{
	(void)state;
	char *location = xmalloc(URL_MAX + 2);
	memset(location, 'a', URL_MAX + 1);
	location[0] = '/';
	location[URL_MAX + 1] = '\0';
	assert_null(url_resolve("http://a/", location, NULL));
	location[URL_MAX] = '\0'; /* fits alone, but not behind its base */
	assert_null(url_resolve("http://a/", location, NULL));
	free(location);
}

static void same_origin_is_scheme_host_and_port(void **state)
{
	(void)state;
	assert_true(url_is_same_origin("http://a/x", "http://A:80/y?z"));
	assert_true(url_is_same_origin("http://u:p@a/", "http://a/"));
	assert_true(url_is_same_origin("https://a/", "https://a:443/"));
	assert_false(url_is_same_origin("http://a/", "https://a/"));
	assert_false(url_is_same_origin("http://a/", "http://b/"));
	assert_false(url_is_same_origin("http://a/", "http://a:81/"));
	assert_false(url_is_same_origin("http://a/", "http://a.b/"));
	assert_false(url_is_same_origin("nothing", "nothing"));
	assert_false(url_is_same_origin("http://a/", "nothing"));
}

int main(void)
{
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* as main() does, for IDNA */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_urls_are_taken_apart),
		cmocka_unit_test(plain_urls_are_read_as_libcurl_reads_them),
		cmocka_unit_test(bad_urls_are_refused_with_a_reason),
		cmocka_unit_test(length_has_a_bound),
		cmocka_unit_test(redirects_lead_where_they_say),
		cmocka_unit_test(overlong_redirect_is_refused),
		cmocka_unit_test(same_origin_is_scheme_host_and_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
