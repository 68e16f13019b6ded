#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REPLACEMENT "\xEF\xBF\xBD"

struct bytes_case {
	const char *name;
	const char *bytes;
	size_t length;
	const char *clean; /* what text_clean() makes of it without a cap */
	bool is_utf8;
};

#define BYTES(text) (text), sizeof(text) - 1

/* The ill-formed ones are those of Unicode 15.0, tables 3-8 to 3-11, and their neighbours. */
static const struct bytes_case bytes_cases[] = {
	{"empty", BYTES(""), "", true},
	{"ascii", BYTES("plain"), "plain", true},
	{"two, three and four bytes", BYTES("\u00e9\u20ac\U0001F600"), "\u00e9\u20ac\U0001F600",
	 true},
	{"last code point", BYTES("\xF4\x8F\xBF\xBF"), "\xF4\x8F\xBF\xBF", true},
	{"above the last code point", BYTES("\xF4\x90\x80\x80"),
	 REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT, false},
	{"overlong slash", BYTES("\xC0\xAF"), REPLACEMENT REPLACEMENT, false},
	{"overlong three", BYTES("\xE0\x80\xBF"), REPLACEMENT REPLACEMENT REPLACEMENT, false},
	{"overlong four", BYTES("\xF0\x81\x82\x41"), REPLACEMENT REPLACEMENT REPLACEMENT "A",
	 false},
	{"first that is not overlong", BYTES("\xE0\xA0\x80\xF0\x90\x80\x80\xC2\xA0"),
	 "\xE0\xA0\x80\xF0\x90\x80\x80\xC2\xA0", true},
	{"high surrogate", BYTES("\xED\xA0\x80"), REPLACEMENT REPLACEMENT REPLACEMENT, false},
	{"low surrogate", BYTES("\xED\xBF\xBF"), REPLACEMENT REPLACEMENT REPLACEMENT, false},
	{"before the surrogates", BYTES("\xED\x9F\xBF"), "\xED\x9F\xBF", true},
	{"stray continuation", BYTES("a\x80z"), "a" REPLACEMENT "z", false},
	{"FE and FF", BYTES("\xFE\xFF"), REPLACEMENT REPLACEMENT, false},
	{"truncated: one mark for a maximal part", BYTES("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"),
	 REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT "A", false},
	{"cut at the end", BYTES("ok\xF0\x9F\x98"), "ok" REPLACEMENT, false},
	{"controls", BYTES("a\tb\nc\rd\x1B[0m\x7F"), "a b c d [0m ", true},
	{"NUL", BYTES("a\0b"), "a b", true},
	{"C1 controls",
	 BYTES("a\xC2\x80\xC2\x9F"
	       "b"),
	 "a  b", true},
	{"what changes the order", BYTES("a\u202a\u202b\u202c\u202d\u202eb"),
	 "a<U+202A><U+202B><U+202C><U+202D><U+202E>b", true},
	{"isolates", BYTES("a\u2066\u2067\u2068\u2069b"), "a<U+2066><U+2067><U+2068><U+2069>b",
	 true},
	{"their neighbours, and marks", BYTES("\u2029\u202f\u2065\u206a\u200e\u200f\u05d0"),
	 "\u2029\u202f\u2065\u206a\u200e\u200f\u05d0", true},
	{"first after C1", BYTES("\xC2\xA0"), "\xC2\xA0", true},
};

static void utf8_is_told_from_what_is_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bytes_cases); i++) {
		const struct bytes_case *c = &bytes_cases[i];
		if (text_is_utf8(c->bytes, c->length) != c->is_utf8)
			fail_msg("%s", c->name);
	}
}

static void clean_text_is_valid_and_holds_no_controls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bytes_cases); i++) {
		const struct bytes_case *c = &bytes_cases[i];
		char *clean = text_clean_copy(c->bytes, c->length, 1000);
		if (strcmp(clean, c->clean) != 0)
			fail_msg("%s: got '%s'", c->name, clean);
		assert_true(text_is_utf8(clean, strlen(clean)));
		free(clean);
	}
}

static void clean_text_is_cut_between_characters(void **state)
{
	(void)state;
	/* 1 + 2 + 3 + 4 bytes, then one that becomes three */
	static const char text[] = "a\u00e9\u20ac\U0001F600\xFF";
	static const size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10, 10, 13, 13};
	for (size_t max = 0; max < COUNT(ends); max++) {
		struct buffer out;
		buffer_init(&out, 100);
		bool is_whole = text_clean(&out, text, sizeof(text) - 1, max);
		assert_int_equal(out.length, ends[max]);
		assert_int_equal(is_whole, ends[max] == 13);
		buffer_finish(&out);
	}
}

static void what_is_shown_by_its_number_is_not_cut(void **state)
{
	(void)state;
	for (size_t max = 0; max < 12; max++) {
		char *clean = text_clean_copy("a\u202eb", 5, max);
		assert_string_equal(clean, max == 0   ? ""
					   : max < 9  ? "a"
					   : max == 9 ? "a<U+202E>"
						      : "a<U+202E>b");
		free(clean);
	}
}

static void clean_text_stops_at_the_buffers_own_maximum(void **state)
{
	(void)state;
	struct buffer out;
	buffer_init(&out, 4);
	assert_false(text_clean(&out, "ab\u20acz", 6, 100));
	assert_string_equal(out.data, "ab");
	assert_true(out.is_overflowed);
	buffer_finish(&out);
}

static void every_cap_of_every_pair_of_bytes_gives_valid_text(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 65536; pair++) {
		const char bytes[] = {(char)(pair >> 8), (char)(pair & 0xFF), (char)0xBF, 'x'};
		struct buffer out;
		char room[16];
		buffer_init(&out, sizeof(room));
		(void)text_clean(&out, bytes, sizeof(bytes), pair % 13);
		assert_true(out.length <= pair % 13);
		assert_true(out.length == 0 || text_is_utf8(out.data, out.length));
		buffer_finish(&out);
	}
}

struct number_case {
	const char *text;
	int64_t value;
	bool is_valid;
};

static void check_numbers(const struct number_case *cases, size_t count,
			  int (*parse)(const char *, int64_t *))
{
	for (size_t i = 0; i < count; i++) {
		int64_t value = -77;
		int result = parse(cases[i].text, &value);
		int64_t wanted = cases[i].is_valid ? cases[i].value : -77;
		if (result != (cases[i].is_valid ? 0 : -1) || value != wanted)
			fail_msg("'%s' gave %d and %lld", cases[i].text, result, (long long)value);
	}
}

static void integers(void **state)
{
	(void)state;
	static const struct number_case cases[] = {
		{"0", 0, true},
		{"-0", 0, true},
		{"007", 7, true},
		{"9223372036854775807", INT64_MAX, true},
		{"-9223372036854775808", INT64_MIN, true},
		{"9223372036854775808", 0, false},
		{"-9223372036854775809", 0, false},
		{"", 0, false},
		{"-", 0, false},
		{"+1", 0, false},
		{" 1", 0, false},
		{"1 ", 0, false},
		{"1.0", 0, false},
		{"0x10", 0, false},
		{"--1", 0, false},
	};
	check_numbers(cases, COUNT(cases), text_parse_int64);
}

static void durations(void **state)
{
	(void)state;
	static const struct number_case cases[] = {
		{"30s", 30000000, true},
		{"30", 30000000, true},
		{"0", 0, true},
		{"0s", 0, true},
		{"1.5", 1500000, true},
		{".5s", 500000, true},
		{"1h30m", INT64_C(5400000000), true},
		{"1h 30m", INT64_C(5400000000), true},
		{"1m1s1ms1us", 61001001, true},
		{"500ms", 500000, true},
		{"250us", 250, true},
		{"0.25ms", 250, true},
		{"2d", INT64_C(172800000000), true},
		{"1w", INT64_C(604800000000), true},
		{"1.5H", INT64_C(5400000000), true},
		{"-5s", -5000000, true},
		{"106751991d", INT64_C(106751991) * 86400 * 1000000, true},
		{"0.000001s", 1, true},
		{"0.0000001s", 0, false}, /* more than six decimals */
		{"0.5us", 0, false},      /* no whole microsecond */
		{"106751992d", 0, false},
		{"99999999999999999999s", 0, false},
		{"", 0, false},
		{"-", 0, false},
		{"s", 0, false},
		{".", 0, false},
		{".s", 0, false},
		{"1..5s", 0, false},
		{"5x", 0, false},
		{"5 s", 0, false},
		{"5s 5", 0, false},
		{"0s30", 0, false}, /* a bare number stands alone */
		{"5 5", 0, false},
		{"1e3", 0, false},
		{"+5s", 0, false},
		{"5s-", 0, false},
		{" 5s", 0, false},
		{"5sec", 0, false},
		{"nan", 0, false},
	};
	check_numbers(cases, COUNT(cases), text_parse_duration);
}

static void a_formatted_duration_is_short_and_reads_back(void **state)
{
	(void)state;
	static const struct {
		int64_t us;
		const char *text;
	} cases[] = {
		{0, "0s"},
		{1, "1us"},
		{1500, "1500us"},
		{250000, "250ms"},
		{1500000, "1500ms"},
		{30000000, "30s"},
		{60000000, "1m"},
		{90000000, "1m30s"},
		{61500000, "1m1500ms"},
		{INT64_C(3600000000), "1h"},
		{INT64_C(5400000000), "1h30m"},
		{INT64_C(86400000000), "1d"},
		{INT64_C(604800000000), "7d"},
		{INT64_C(90061000001), "1d1h1m1000001us"},
		{-1500000, "-1500ms"},
		{INT64_MAX, "106751991d4h54775807us"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[64];
		int64_t back = -77;
		text_format_duration(cases[i].us, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
		assert_int_equal(text_parse_duration(text, &back), 0);
		assert_true(back == cases[i].us);
	}
}

static void a_formatted_duration_never_leaves_its_array(void **state)
{
	(void)state;
	for (size_t size = 1; size < 24; size++) {
		char text[32];
		memset(text, '#', sizeof(text));
		text_format_duration(INT64_MIN, text, size);
		assert_true(memchr(text, '\0', size) != NULL);
		assert_int_equal(text[size], '#');
	}
}

static void sizes(void **state)
{
	(void)state;
	static const struct number_case cases[] = {
		{"0", 0, true},
		{"512", 512, true},
		{"512B", 512, true},
		{"64KiB", 65536, true},
		{"64 KiB", 65536, true},
		{"64kib", 65536, true},
		{"1.5KiB", 1536, true},
		{"16MiB", INT64_C(16) << 20, true},
		{"1GiB", INT64_C(1) << 30, true},
		{"1KB", 1000, true},
		{"2MB", 2000000, true},
		{"3GB", INT64_C(3000000000), true},
		{"", 0, false},
		{"KiB", 0, false},
		{"-1", 0, false},
		{"1.5", 0, false}, /* half a byte */
		{"1TB", 0, false},
		{"1K", 0, false},
		{"1KiBx", 0, false},
		{"1KiB 1", 0, false},
		{"9000000000000GiB", 0, false},
	};
	check_numbers(cases, COUNT(cases), text_parse_size);
}

static void nearest_word(void **state)
{
	(void)state;
	static const char *const words[] = {"interval", "timeout", "url",
					    "pattern",  "name",    "method"};
	static const struct {
		const char *word;
		const char *nearest;
	} cases[] = {
		{"intervall", "interval"},
		{"intreval", "interval"},
		{"tiemout", "timeout"},
		{"patern", "pattern"},
		{"ulr", "url"},
		{"nam", "name"},
		{"url", "url"},
		{"", NULL},
		{"x", NULL},
		{"zz", NULL},
		{"something", NULL},
		{"interlude", NULL},
		{"names", "name"},
		{"metdho", "method"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *nearest = text_nearest(cases[i].word, words, COUNT(words));
		if (cases[i].nearest == NULL
			    ? nearest != NULL
			    : nearest == NULL || strcmp(nearest, cases[i].nearest) != 0)
			fail_msg("'%s' gave '%s'", cases[i].word,
				 nearest == NULL ? "nothing" : nearest);
	}
	assert_null(text_nearest("url", NULL, 0));
}

static void nearest_word_bounds_long_words(void **state)
{
	(void)state;
	char word[200];
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	const char *const words[] = {word, "aaaa"};
	assert_null(text_nearest(word, words, 2));
	word[64] = '\0'; /* the longest that is compared */
	assert_ptr_equal(text_nearest(word, words, 2), word);
}

#define BLACK_FLAG "\U0001F3F4"
#define TAGS_GB BLACK_FLAG "\U000E0067\U000E0062"
#define ENGLAND TAGS_GB "\U000E0065\U000E006E\U000E0067\U000E007F"
#define SCOTLAND TAGS_GB "\U000E0073\U000E0063\U000E0074\U000E007F"
#define WALES TAGS_GB "\U000E0077\U000E006C\U000E0073\U000E007F"

static void invisible_characters_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *text;
		uint32_t found; /* 0: none */
	} cases[] = {
		{"nothing", "", 0},
		{"ascii", "shop (EU) #1", 0},
		{"letters of many scripts",
		 "\u00dcn\u00efc\u00f6de \u0416 \u05d0 \u0639\u0631\u0628 \u0939\u093f "
		 "\u65e5\u672c "
		 "\ud55c\uad6d",
		 0},
		{"a combining mark", "e\u0301", 0},
		{"a no-break space is seen", "a\u00a0b", 0},
		{"an emoji", "\U0001F600", 0},
		{"a family of emoji", "\U0001F468\u200d\U0001F469\u200d\U0001F467", 0},
		{"a Persian non-joiner", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", 0},
		{"a joiner of Devanagari", "\u0915\u094d\u200d\u0937", 0},
		{"a non-joiner after Latin letters", "HTTP\u200c\u0647\u0627", 0},
		{"a separator of Mongolian", "\u182d\u180e\u1820", 0},
		{"a number sign of Arabic", "\u0600\u0661", 0},
		{"an escape", "a\x1b[0m", 0x1B},
		{"delete", "a\x7f", 0x7F},
		{"a C1 control", "a\xC2\x85", 0x85},
		{"a soft hyphen", "sh\u00adop", 0xAD},
		{"a mark of Arabic", "\u0639\u061c", 0x61C},
		{"a space of no width", "shop\u200b", 0x200B},
		{"a mark of the left", "\u200eshop", 0x200E},
		{"a line separator", "a\u2028b", 0x2028},
		{"a paragraph separator", "a\u2029b", 0x2029},
		{"an embedding", "a\u202ab", 0x202A},
		{"an override", "pay\u202eLAP", 0x202E},
		{"a word joiner", "a\u2060b", 0x2060},
		{"an isolate", "a\u2066b", 0x2066},
		{"the last isolate", "a\u2069b", 0x2069},
		{"a byte order mark", "\ufeffshop", 0xFEFF},
		{"the flag of Scotland", "shop " SCOTLAND " #1", 0},
		{"the flags of England and Wales", ENGLAND WALES, 0},
		{"a flag that is joined", SCOTLAND "\u200d\u2764", 0},
		{"tags behind the style of an emoji", "\u2764\ufe0f\U000E0061\U000E007F", 0},
		{"tags behind a colour of skin", "\U0001F44B\U0001F3FD\U000E0061\U000E007F", 0},
		{"a tag", "a\U000E0041", 0xE0041},
		{"a whole sequence of tags behind a letter", "a\U000E0041\U000E007F", 0xE0041},
		{"a whole sequence of tags in front", "\U000E0041\U000E007F", 0xE0041},
		{"tags behind a style alone", "a\ufe0f\U000E0041\U000E007F", 0xE0041},
		{"tags of a flag without an end", BLACK_FLAG "\U000E0067\U000E0062", 0xE0067},
		{"tags of a flag that a letter ends", BLACK_FLAG "\U000E0067x\U000E007F", 0xE0067},
		{"the end of tags alone", BLACK_FLAG "\U000E007F", 0xE007F},
		{"two sequences of tags", SCOTLAND "\U000E0067\U000E007F", 0xE0067},
		{"a tag of language", BLACK_FLAG "\U000E0001\U000E007F", 0xE0001},
		{"a joiner of Latin letters", "sh\u200dop", 0x200D},
		{"a joiner in front", "\u200d\u0645", 0x200D},
		{"a joiner at the end", "\u0645\u200c", 0x200C},
		{"two joiners", "\u0645\u200c\u200c\u0645", 0x200C},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t found = 0;
		if (text_find_invisible(cases[i].text, &found) != (cases[i].found != 0) ||
		    found != cases[i].found)
			fail_msg("%s: found U+%04X", cases[i].name, (unsigned)found);
	}
}

static void small_readers(void **state)
{
	(void)state;
	assert_true(text_equal_ignoring_case("Content-Type", "content-type"));
	assert_false(text_equal_ignoring_case("a", "ab"));
	assert_true(text_starts_with("https://x", "https://"));
	assert_true(text_starts_with("x", ""));
	assert_false(text_starts_with("ht", "http"));
	assert_true(text_is_empty(NULL));
	assert_true(text_is_empty(""));
	assert_false(text_is_empty(" "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_told_from_what_is_not),
		cmocka_unit_test(clean_text_is_valid_and_holds_no_controls),
		cmocka_unit_test(clean_text_is_cut_between_characters),
		cmocka_unit_test(what_is_shown_by_its_number_is_not_cut),
		cmocka_unit_test(clean_text_stops_at_the_buffers_own_maximum),
		cmocka_unit_test(every_cap_of_every_pair_of_bytes_gives_valid_text),
		cmocka_unit_test(integers),
		cmocka_unit_test(durations),
		cmocka_unit_test(a_formatted_duration_is_short_and_reads_back),
		cmocka_unit_test(a_formatted_duration_never_leaves_its_array),
		cmocka_unit_test(sizes),
		cmocka_unit_test(nearest_word),
		cmocka_unit_test(nearest_word_bounds_long_words),
		cmocka_unit_test(invisible_characters_are_found),
		cmocka_unit_test(small_readers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
