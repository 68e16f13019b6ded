#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/url.h"

struct redaction {
	const char *url;
	const char *expected;
};

static const struct redaction table[] = {
	/* nothing to hide */
	{"", ""},
	{"https://example.com", "https://example.com"},
	{"https://example.com/", "https://example.com/"},
	{"https://example.com:8443/a/b?c=d&e=f", "https://example.com:8443/a/b?c=d&e=f"},
	{"http://[::1]:8080/x", "http://[::1]:8080/x"},
	{"http://[fe80::1]/", "http://[fe80::1]/"},
	{"/a/path", "/a/path"},
	{"/users/@me?page=2", "/users/@me?page=2"},
	{"https://example.com/@user/post", "https://example.com/@user/post"},
	{"http:///0:x?@&api_key=SECRET0:1", "http:///&api_key=***"},
	{"http:///x@e:U?%40e80&api_key=h:/ SECRET&tt", "http:///e80&api_key=***&tt"},
	{"http:///x@e:U?%40e80/x&api_key=h/SECRET", "http:///e80/x&api_key=***"},
	{"http:///x@e:U?k=v@e80/x;api_key=h/SECRET", "http:///***;api_key=***"},
	{"https:/@/@/@/@/@/@/@/@/@/x:SECRET@/y", "***"},
	{"http://a.example/x//@/@/@/@/@/@/@/@/@/x:SECRET@/y", "http://a.example:80/***"},
	{"https://SECRET@[::1]:8443/x//@/@/@/@/@/@/@/@/@/SECRET@/y", "https://[::1]:8443/***"},
	{"https://example.com/?email=user@example.com",
	 "https://example.com/?email=user@example.com"},
	{"https://example.com/?monkey=1&author=me&keyboard=de&passage=3&design=x",
	 "https://example.com/?monkey=1&author=me&keyboard=de&passage=3&design=x"},
	{"https://example.com/?next=https://other.example/",
	 "https://example.com/?next=https://other.example/"},
	{"https://example.com/?q=a%20b+c%C3%A4", "https://example.com/?q=a%20b+c%C3%A4"},
	{"https://example.com/?", "https://example.com/?"},
	{"https://example.com/?token", "https://example.com/?token"},
	{"https://example.com/?token=", "https://example.com/?token="},
	{"https://b\xC3\xBC"
	 "cher.example/\xC3\xA4",
	 "https://b\xC3\xBC"
	 "cher.example/\xC3\xA4"},
	{"not a url at all", "not a url at all"},
	{"example.com", "example.com"},
	{"example.com:8080/x", "example.com:8080/x"},

	/* tokens, wherever they stand and whatever their name */
	{"https://a.example/verify/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_/done?x=1",
	 "https://a.example/verify/***/done?x=1"},
	{"https://a.example/v=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_;b",
	 "https://a.example/v=***;b"},
	{"https://a.example/x;eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_/",
	 "https://a.example/x;***/"},
	{"https://a.example/verify/%65yJhbGciOiJIUzI1NiJ9%2EeyJzdWIiOiIxIn0.c2ln-_",
	 "https://a.example/verify/***"},
	{"https://a.example/verify/%2565yJhbGciOiJIUzI1NiJ9%252EeyJzdWIiOiIxIn0.c2ln-_",
	 "https://a.example/verify/***"},
	{"https://a.example/a%2FeyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_",
	 "https://a.example/***"},
	{"https://a.example/?q=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_&r=2",
	 "https://a.example/?q=***&r=2"},
	{"https://a.example/?eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_",
	 "https://a.example/?***"},
	{"https://a.example/?eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_=1&b",
	 "https://a.example/?***=1&b"},
	{"https://a.example/AKIAIOSFODNN7EXAMPLE/list", "https://a.example/***/list"},
	{"https://a.example/repos/ghp_0123456789abcdefghijABCDEFGHIJ012345/x",
	 "https://a.example/repos/***/x"},
	{"https://a.example/"
	 "github_pat_11ABCDEFG0123456789012_abcdefghijABCDEFGHIJ0123456789abcdefghij",
	 "https://a.example/***"},
	{"https://a.example/slack/xoxb-17653285-2489237492-abcdefghijABCDEF",
	 "https://a.example/slack/***"},
	{"https://a.example/maps/AIzaSyA-0123456789_abcdefghijABCDEFGHIJ",
	 "https://a.example/maps/***"},
	{"https://eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_.a.example/", "https://***/"},
	{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_", "***"},
	{"https://hooks.example/services/T01ABCDEF23/B01ABCDEF45/abcdefghijklmnopqrstu0123?x=1",
	 "https://hooks.example/***?x=1"},
	{"https://a.example/api/webhooks/123456789012345678/"
	 "abcdefghij-ABCDEFGHIJ_0123456789abcdefghij-ABCDEFGHIJ_0123456789/slack",
	 "https://a.example/api/***"},
	{"https://a.example/bot123456789:AAabcdefghij-ABCDEFGHIJ_012345678/getMe",
	 "https://a.example/***/getMe"},
	/* what only looks a little like one */
	{"https://a.example/services/Transport/Logistics/"
	 "bottom-line:abcdefghijklmnopqrstuvwxyz012345",
	 "https://a.example/services/Transport/Logistics/"
	 "bottom-line:abcdefghijklmnopqrstuvwxyz012345"},
	{"https://a.example/heyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln/ghp_short/xoxb-1/"
	 "eyJhbGci.html",
	 "https://a.example/heyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln/ghp_short/xoxb-1/"
	 "eyJhbGci.html"},
	{"https://a.example/eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiIxIn0/AKIAIOSFODNN7EXAMPLES",
	 "https://a.example/eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiIxIn0/AKIAIOSFODNN7EXAMPLES"},
	{"https://a.example/npm_and_yarn_are_package_managers/xapp-what-it-is-for",
	 "https://a.example/npm_and_yarn_are_package_managers/xapp-what-it-is-for"},

	/* userinfo */
	{"https://user@example.com/", "https://example.com/"},
	{"https://user:password@example.com/", "https://example.com/"},
	{"https://user:password@example.com:8443/x?y=z", "https://example.com:8443/x?y=z"},
	{"https://:password@example.com/", "https://example.com/"},
	{"https://@example.com/", "https://example.com/"},
	{"https://user:p@ss@w@rd@example.com/", "https://example.com/"},
	{"https://user%40corp:pw@example.com/", "https://example.com/"},
	{"https://user:pw%40example.com/", "https://example.com/"},
	{"https://user:pw%2540example.com/", "https://example.com/"},
	{"https://user:pa/ss@example.com/x", "https://example.com/x"},
	{"https://user:pa#ss@example.com/x", "https://example.com/x"},
	{"https://user:pa?ss@example.com/x", "https://example.com/x"},
	{"https://user:pa\\ss@example.com/x", "https://example.com/x"},
	{"https://user:p:a:s:s@[::1]:80/", "https://[::1]:80/"},
	{"https://user:password", "https://user:***"},
	{"https://user:password/path", "https://user:***/path"},
	{"user:password@example.com/x", "example.com/x"},
	{"user@example.com", "example.com"},
	{"//user:password@example.com/x", "//example.com/x"},
	{"http://a/?u=https:/me:password@h", "http://a/?u=***"},
	{"http://a/?u=https:%5C%5Cme:password@h&v=c:/x", "http://a/?u=***&v=c:/x"},
	{"http:/user:password@example.com/x", "http:/example.com/x"},
	{"http:///user:password@example.com/x", "http:///example.com/x"},
	{"http:\\\\user:password@example.com/x", "http:\\\\example.com/x"},
	{"http://a/?x=%\x14secret%3Dv", "http://a/?x=***"},
	{"u@//user:secret", "//user:***"},
	{"http://user:1234\\@example.com/x", "http://example.com/x"},
	{"http://example.com\\x?token=1", "http://example.com\\x?token=***"},
	{"HTTPS://User:PassWord@Example.COM/", "HTTPS://Example.COM/"},

	/* of a URL in the path of another */
	{"https://a.example/fetch/https://user:password@b.example/x",
	 "https://a.example/fetch/https://b.example/x"},
	{"https://a.example/fetch/https:/user:password@b.example:80/",
	 "https://a.example/fetch/https:/b.example:80/"},
	{"/fetch/https:/user:password@b.example/", "/fetch/https:/b.example/"},
	{"https://a.example/fetch/https%3A/user:password@b.example/",
	 "https://a.example/fetch/https%3A/b.example/"},
	{"/fetch/https%3a/user:pa/ss@b.example/", "/fetch/https%3a/b.example/"},
	{"https://a.example//user:password@b.example", "https://a.example//b.example"},
	{"https://a.example/x/http://user:pa/ss@b.example/y",
	 "https://a.example/x/http://b.example/y"},
	{"https://a.example/x/http://user:pass%40b.example/y",
	 "https://a.example/x/http://b.example/y"},
	{"https://a.example/x/http:\\\\user:password@b.example/y",
	 "https://a.example/x/http:\\\\b.example/y"},
	{"https://a.example/x/http://user;password@b.example/y",
	 "https://a.example/x/http://b.example/y"},
	{"/fetch/https://user:password@b.example/x?token=abc",
	 "/fetch/https://b.example/x?token=***"},
	{"https://a.example/x/http://b.example/@user/y@z",
	 "https://a.example/x/http://b.example/@user/y@z"},
	{"https://a.example/x/http://b.example/y;token=abc",
	 "https://a.example/x/http://b.example/y;token=***"},
	{"ftp://user:password@example.com/", "ftp://example.com/"},
	{"postgresql+x://user:password@db/name", "postgresql+x://db/name"},
	{"https://user:\xFF\xFE@example.com/", "https://example.com/"},
	{"https://user:pass word@example.com/", "https://example.com/"},

	/* fragment */
	{"https://example.com/#access_token=abc", "https://example.com/"},
	{"https://example.com#x", "https://example.com"},
	{"https://example.com/?a=b#c=d?e", "https://example.com/?a=b"},

	/* secret names */
	{"https://example.com/?token=abc", "https://example.com/?token=***"},
	{"https://example.com/?a=1&token=abc&b=2", "https://example.com/?a=1&token=***&b=2"},
	{"https://example.com/?TOKEN=abc", "https://example.com/?TOKEN=***"},
	{"https://example.com/?ToKeN=abc", "https://example.com/?ToKeN=***"},
	{"https://example.com/?access_token=abc", "https://example.com/?access_token=***"},
	{"https://example.com/?accessToken=abc", "https://example.com/?accessToken=***"},
	{"https://example.com/?accesstoken=abc", "https://example.com/?accesstoken=***"},
	{"https://example.com/?api-key=abc", "https://example.com/?api-key=***"},
	{"https://example.com/?apiKey=abc", "https://example.com/?apiKey=***"},
	{"https://example.com/?APIKEY=abc", "https://example.com/?APIKEY=***"},
	{"https://example.com/?key=abc", "https://example.com/?key=***"},
	{"https://example.com/?key2=abc", "https://example.com/?key2=***"},
	{"https://example.com/?AWSAccessKeyId=abc", "https://example.com/?AWSAccessKeyId=***"},
	{"https://example.com/?X-Amz-Signature=abc", "https://example.com/?X-Amz-Signature=***"},
	{"https://example.com/?X-Amz-Security-Token=abc",
	 "https://example.com/?X-Amz-Security-Token=***"},
	{"https://example.com/?X-Amz-Credential=abc%2Fx",
	 "https://example.com/?X-Amz-Credential=***"},
	{"https://example.com/?sv=1&sig=a%2Bb", "https://example.com/?sv=1&sig=***"},
	{"https://example.com/?password=a=b=c", "https://example.com/?password=***"},
	{"https://example.com/?user[password]=abc", "https://example.com/?user[password]=***"},
	{"https://example.com/?user%5Bpassword%5D=abc",
	 "https://example.com/?user%5Bpassword%5D=***"},
	{"https://example.com/?client_secret=abc", "https://example.com/?client_secret=***"},
	{"https://example.com/?auth=abc&pwd=x&jwt=y",
	 "https://example.com/?auth=***&pwd=***&jwt=***"},
	{"https://example.com/?%74oken=abc", "https://example.com/?%74oken=***"},
	{"https://example.com/?%2574oken=abc", "https://example.com/?%2574oken=***"},
	{"https://example.com/?to\tken=abc", "https://example.com/?to ken=***"},
	{"https://example.com/?to%0Aken=abc", "https://example.com/?to%0Aken=***"},
	{"https://example.com/?a=1;token=abc;b=2", "https://example.com/?a=1;token=***;b=2"},
	{"https://example.com/?a=1?token=abc", "https://example.com/?a=***"},
	{"https://example.com/a;jsessionid=abc?x=1", "https://example.com/a;jsessionid=***?x=1"},
	{"https://example.com/a;token=abc/b;v=1", "https://example.com/a;token=***/b;v=1"},
	{"example.com/?token=abc", "example.com/?token=***"},
	{"/x?token=abc", "/x?token=***"},
	{"?token=abc", "?token=***"},
	{"https://example.com?token=abc", "https://example.com?token=***"},

	/* secrets within a value */
	{"https://example.com/?next=https://u:p@other/", "https://example.com/?next=***"},
	{"https://example.com/?next=https%3A%2F%2Fu%3Ap%40other%2F",
	 "https://example.com/?next=***"},
	{"https://example.com/?next=https%253A%252F%252Fu%253Ap%2540other",
	 "https://example.com/?next=***"},
	{"https://example.com/?next=%2Flogin%3Ftoken%3Dabc&a=1",
	 "https://example.com/?next=***&a=1"},
	{"https://example.com/?next=/login?token=abc", "https://example.com/?next=***"},
	{"https://example.com/?q=a%3D1%26api_key%3D2", "https://example.com/?q=***"},
	{"https://example.com/?https%3A%2F%2Fu%3Ap%40other%2F", "https://example.com/?***"},

	/* text that is not safe */
	{"https://example.com/\x01\x02?a=\n", "https://example.com/  ?a= "},
	{"https://example.com/\xFF", "https://example.com/\xEF\xBF\xBD"},
};

static void every_case_is_redacted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *redacted = url_redact(table[i].url);
		if (strcmp(redacted, table[i].expected) != 0)
			fail_msg("%s became %s, not %s", table[i].url, redacted, table[i].expected);
		free(redacted);
	}
}

/* A URL that stands in a report may be redacted once more by whoever shows it. */
static void redacting_twice_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *once = url_redact(table[i].url);
		char *twice = url_redact(once);
		assert_string_equal(once, twice);
		free(once);
		free(twice);
	}
}

static void result_is_bounded_and_valid(void **state)
{
	(void)state;
	struct buffer url;
	buffer_init(&url, SIZE_MAX);
	(void)buffer_append_text(&url, "https://x/");
	for (size_t i = 0; i < URL_REDACTED_MAX; i++)
		(void)buffer_append_text(&url, "\xC3\xA4");
	char *redacted = url_redact(url.data);
	assert_in_range(strlen(redacted), URL_REDACTED_MAX - 3, URL_REDACTED_MAX);
	assert_true(text_is_utf8(redacted, strlen(redacted)));
	free(redacted);
	buffer_finish(&url);
}

/* No prefix of a URL with secrets shows more of them than the whole. */
static void no_prefix_shows_the_password(void **state)
{
	(void)state;
	static const char url[] =
		"https://user:SECRET@example.com/?token=SECRET&next=%2Fx%3Fkey%3DSECRET";
	char *prefix = xstrdup(url);
	for (size_t length = strlen(url); length > 0; length--) {
		prefix[length] = '\0';
		char *redacted = url_redact(prefix);
		if (strstr(redacted, "SECRET") != NULL)
			fail_msg("%s became %s", prefix, redacted);
		free(redacted);
	}
	free(prefix);
}

static void every_word_of_a_secret_is_known(void **state)
{
	(void)state;
	static const char *const words[] = {
		"key",        "keys",          "auth",       "oauth",       "pass",
		"pw",         "pwd",           "pin",        "otp",         "sig",
		"sign",       "jwt",           "hmac",       "bearer",      "sid",
		"session",    "sessionid",     "sas",        "csrf",        "cookie",
		"token",      "secret",        "password",   "passwd",      "passphrase",
		"passcode",   "signature",     "credential", "apikey",      "accesskey",
		"privatekey", "authorization", "jsessionid", "phpsessid",   "authkey",
		"authcode",   "sharedkey",     "accountkey", "authenticat", "secretkey",
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char *name = xasprintf("X%%2D%s2-y", words[i]);
		bool is_known = url_is_secret_name(words[i]) && url_is_secret_name(name);
		for (char *at = name; *at != '\0'; at++)
			*at = (char)toupper((unsigned char)*at);
		if (!is_known || !url_is_secret_name(name))
			fail_msg("%s is no secret's name", words[i]);
		free(name);
	}
}

struct header_case {
	const char *name;
	const char *value;
	bool is_secret;
};

static void headers_are_secret_by_name_or_value(void **state)
{
	(void)state;
	static const struct header_case headers[] = {
		{"Authorization", "x", true},
		{"X-Api-Key", "x", true},
		{"X-Authentication", "x", true},
		{"Cookie", "a=b", true},
		{"X-Forwarded", "Bearer x", true},
		{"X-Forwarded", "basic eDp5", true},
		{"X-Forwarded", "eyJhbGciOiJub25lIn0.e30.", true},
		{"Referer", "https://me:x@a.test/", true},
		{"Referer", "https://a.test/?token=x", true},
		{"Referer", "https://a.test/?page=x", false},
		{"Accept", "text/html", false},
		{"Accept", "", false},
		{"Content-Type", "application/json; charset=utf-8", false},
		{"Cache-Control", "no-cache, max-age=0", false},
		{"X-Author", "Bearer", false},
		{"X-Note", "Basically all", false},
	};
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (url_is_secret_header(headers[i].name, headers[i].value) != headers[i].is_secret)
			fail_msg("%s: %s", headers[i].name, headers[i].value);
}

static void bodies_are_secret_by_a_name_in_them(void **state)
{
	(void)state;
	static const char *const secret[] = {
		"password=x",
		"user=me&user%5Bpassword%5D=x",
		"my+pass=x",
		"{\"user\": \"me\", \"accessToken\" : \"x\"}",
		"{'api_key': 1}",
		"\"{\\\"secret\\\":\\\"x\\\"}\"",
		"<login><password>x</password></login>",
		"--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nx",
	};
	static const char *const plain[] = {
		"",
		"=",
		"\"",
		"hello",
		"password",
		"a=1&b=2",
		"{\"query\": \"password\"}",
		"the key is under the mat",
		"monkey=1&author=me",
		"<note>token</note>",
	};
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		if (!url_is_secret_body(secret[i], strlen(secret[i])))
			fail_msg("%s", secret[i]);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (url_is_secret_body(plain[i], strlen(plain[i])))
			fail_msg("%s", plain[i]);
	assert_true(url_is_secret_body("\0\xff\npin=1", 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_redacted),
		cmocka_unit_test(redacting_twice_changes_nothing),
		cmocka_unit_test(result_is_bounded_and_valid),
		cmocka_unit_test(no_prefix_shows_the_password),
		cmocka_unit_test(every_word_of_a_secret_is_known),
		cmocka_unit_test(headers_are_secret_by_name_or_value),
		cmocka_unit_test(bodies_are_secret_by_a_name_in_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
