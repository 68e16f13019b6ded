/* Figures in words, escaping, and Host headers: tables of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "web/escape.h"
#include "web/host.h"
#include "web/words.h"

enum { OUT_MAX = 4096 };

static void durations_are_said(void **state)
{
	(void)state;
	static const struct {
		int64_t us;
		const char *words;
	} cases[] = {
		{-1, ""},
		{0, "0.0 ms"},
		{840, "0.8 ms"},
		{9949, "9.9 ms"},
		{10000, "10 ms"},
		{142400, "142 ms"},
		{999499, "999 ms"},
		{1000000, "1.00 s"},
		{1237000, "1.24 s"},
		{60000000, "60.00 s"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[WORDS_SIZE];
		words_duration(cases[i].us, text);
		assert_string_equal(text, cases[i].words);
	}
}

static void ages_are_said(void **state)
{
	(void)state;
	static const struct {
		int64_t seconds;
		const char *words;
	} cases[] = {
		{-30, "just now"},     {0, "just now"},         {1, "just now"},
		{2, "2 s ago"},        {119, "119 s ago"},      {120, "2 min ago"},
		{7199, "119 min ago"}, {7200, "2 h ago"},       {172799, "47 h ago"},
		{172800, "2 d ago"},   {31536000, "365 d ago"},
	};
	const wall_us now = INT64_C(1795291200) * CLOCK_US_PER_S;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[WORDS_SIZE];
		words_ago(now - cases[i].seconds * CLOCK_US_PER_S, now, text);
		assert_string_equal(text, cases[i].words);
	}
}

static void intervals_are_said(void **state)
{
	(void)state;
	static const struct {
		int64_t us;
		const char *words;
	} cases[] = {
		{0, ""},
		{-5, ""},
		{500000, "every 500 ms"},
		{5000000, "every 5 s"},
		{60000000, "every 1 min"},
		{90000000, "every 1 min 30 s"},
		{INT64_C(90061) * 1000000, "every 1 d 1 h 1 min 1 s"},
		{INT64_MAX, "every 106751991 d 4 h 54 s"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[WORDS_SIZE];
		words_interval(cases[i].us, text);
		assert_string_equal(text, cases[i].words);
	}
}

static void times_are_said(void **state)
{
	(void)state;
	char text[WORDS_SIZE];
	words_time(INT64_C(1795291200) * CLOCK_US_PER_S + 999999, text);
	assert_string_equal(text, "2026-11-21 20:00:00 UTC");
}

static void html_is_escaped(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *html;
	} cases[] = {
		{"", ""},
		{NULL, ""},
		{"plain", "plain"},
		{"<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"},
		{"\" onload=\"x", "&quot; onload=&quot;x"},
		{"a&amp;b", "a&amp;amp;b"},
		{"\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac"},
		{"a\x01\x1b[31m\nb", "a  [31m b"},
		{"broken \xff<", "broken \xef\xbf\xbd&lt;"},
		{"cut \xe2\x82", "cut \xef\xbf\xbd"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer out;
		buffer_init(&out, OUT_MAX);
		escape_html(&out, cases[i].text);
		assert_string_equal(out.data == NULL ? "" : out.data, cases[i].html);
		buffer_finish(&out);
	}
}

static void json_is_escaped(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *json;
	} cases[] = {
		{NULL, "null"},
		{"", "\"\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"</script>&", "\"\\u003c/script\\u003e\\u0026\""},
		{"line\nend\x7f", "\"line end \""},
		{"\xff", "\"\xef\xbf\xbd\""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer out;
		buffer_init(&out, OUT_MAX);
		escape_json(&out, cases[i].text);
		assert_string_equal(out.data, cases[i].json);
		buffer_finish(&out);
	}
}

static void host_headers_are_judged(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool is_local;
	} cases[] = {
		{NULL, true},
		{"127.0.0.1", true},
		{"127.0.0.1:80", true},
		{"192.0.2.7", true},
		{"[::1]", true},
		{"[::1]:8080", true},
		{"localhost", true},
		{"LocalHost.:1", true},
		{"x.localhost", true},
		{".localhost", false},
		{"localhost.evil", false},
		{"evil.example:8080", false},
		{"127.0.0.1.evil", false},
		{"1.2.3", false},
		{"[::1", false},
		{"[evil]", false},
		{"", false},
		{":80", false},
		{"::1", false},
	};
	char longest[300];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (host_is_local(cases[i].host) != cases[i].is_local)
			fail_msg("%s", cases[i].host);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(host_is_local(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_said),      cmocka_unit_test(ages_are_said),
		cmocka_unit_test(intervals_are_said),      cmocka_unit_test(times_are_said),
		cmocka_unit_test(html_is_escaped),         cmocka_unit_test(json_is_escaped),
		cmocka_unit_test(host_headers_are_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
