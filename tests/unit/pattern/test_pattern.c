#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/memory.h"
#include "pattern/pattern.h"

#define BYTES(text) (text), sizeof(text) - 1
#define PLENTY INT64_C(10000000)

/* Everything is tried twice: as machine code and with the interpreter, which does it where machine code is forbidden. */
static const char *const prefixes[] = {"", "(*NO_JIT)"};
enum { PREFIXES = 2 };

static struct pattern *compile(const char *prefix, const char *text)
{
	struct error err;
	char *whole = xasprintf("%s%s", prefix, text);
	struct pattern *pattern = pattern_compile(whole, &err);
	if (pattern == NULL)
		fail_msg("%s: %s", whole, err.message);
	free(whole);
	return pattern;
}

static const struct search_case {
	const char *pattern;
	const char *bytes;
	size_t length;
	enum pattern_result result;
	const char *capture; /* NULL: none took part */
} cases[] = {
	/* the first group, or the whole match */
	{"(?:id=\")([^\"]+)", BYTES("<p id=\"main\">"), PATTERN_FOUND, "main"},
	{"id=\"[^\"]+", BYTES("<p id=\"main\">"), PATTERN_FOUND, "id=\"main"},
	{"Yes", BYTES("No, Yes, No"), PATTERN_FOUND, "Yes"},
	{"Yes", BYTES("No"), PATTERN_NOT_FOUND, NULL},
	{"(a)|b", BYTES("b"), PATTERN_FOUND, NULL},
	{"(a)|(b)", BYTES("b"), PATTERN_FOUND, NULL},
	{"(a)(b)(c)(d)", BYTES("abcd"), PATTERN_FOUND, "a"},
	{"()x", BYTES("x"), PATTERN_FOUND, ""},
	{"(?<name>\\d+)", BYTES("a 42"), PATTERN_FOUND, "42"},
	{"a\\Kb", BYTES("ab"), PATTERN_FOUND, "b"},
	{"x(?=(y))", BYTES("xy"), PATTERN_FOUND, "y"},

	/* places */
	{"^a", BYTES("ba"), PATTERN_NOT_FOUND, NULL},
	{"(?m)^a", BYTES("b\na"), PATTERN_FOUND, "a"},
	{"a$", BYTES("a\n"), PATTERN_FOUND, "a"},
	{"\\Aa", BYTES("a"), PATTERN_FOUND, "a"},
	{"", BYTES(""), PATTERN_FOUND, ""},
	{"$", BYTES("abc"), PATTERN_FOUND, ""},
	{"x", BYTES(""), PATTERN_NOT_FOUND, NULL},
	{"c", BYTES("abc"), PATTERN_FOUND, "c"},
	{"(?<=b)c", BYTES("abc"), PATTERN_FOUND, "c"},
	{"(?i)HELLO", BYTES("say hello"), PATTERN_FOUND, "hello"},
	{"(?s)a.b", BYTES("a\nb"), PATTERN_FOUND, "a\nb"},

	/* Unicode */
	{".", BYTES("\xF0\x9F\x98\x80"), PATTERN_FOUND, "\xF0\x9F\x98\x80"},
	{"^.$", BYTES("\xC3\xA4"), PATTERN_FOUND, "\xC3\xA4"},
	{"(?i)\xC3\xA4", BYTES("\xC3\x84"), PATTERN_FOUND, "\xC3\x84"},
	{"\\x{1F600}", BYTES("a\xF0\x9F\x98\x80"), PATTERN_FOUND, "\xF0\x9F\x98\x80"},
	{"\\p{Lu}", BYTES("a\xC3\x84"), PATTERN_FOUND, "\xC3\x84"},
	{"x\\W", BYTES("x\xC3\xA4"), PATTERN_FOUND, "x\xC3\xA4"},
	{"\\S+ Shop", BYTES("M\xC3\xBCller Shop"), PATTERN_FOUND, "M\xC3\xBCller Shop"},
	{"^\\D{2}$", BYTES("\xE2\x82\xAC!"), PATTERN_FOUND, "\xE2\x82\xAC!"},
	{"[^\\D]\\Q\\S\\E[]\\W]\\S", BYTES("1\\S-\xC3\xA4"), PATTERN_FOUND, "1\\S-\xC3\xA4"},
	{"\\\\S\\x{53}\\S{2,}+$", BYTES("\\SS\xC3\xA4\xE2\x82\xAC"), PATTERN_FOUND,
	 "\\SS\xC3\xA4\xE2\x82\xAC"},
	{"\\S+ Shop", BYTES("\xFFM\xC3\xBCller Shop"), PATTERN_FOUND, "M\xC3\xBCller Shop"},
	{".*\\S+ Shop", BYTES("\xE4h M\xC3\xBCller Shop"), PATTERN_FOUND, "h M\xC3\xBCller Shop"},

	/* any bytes */
	{"b", BYTES("a\0b"), PATTERN_FOUND, "b"},
	{"a\\x00b", BYTES("a\0b"), PATTERN_FOUND, NULL}, /* the NUL ends the C text of this table */
	{"Welcome", BYTES("\xFF\xFE\xC3Welcome\x80\x80"), PATTERN_FOUND, "Welcome"},
	{"x(.)y", BYTES("x\xFFy x\xC3\xA4y"), PATTERN_FOUND, "\xC3\xA4"},
	{".", BYTES("\xFF\x80\xC0"), PATTERN_NOT_FOUND, NULL},
	{".*Welcome", BYTES("\xE4h, Welcome"), PATTERN_FOUND, "h, Welcome"},
	{"(?s).*Welcome", BYTES("\xE4h, Welcome"), PATTERN_FOUND, "h, Welcome"},
	{".*Welcome", BYTES("a\nb, Welcome"), PATTERN_FOUND, "b, Welcome"},
	{".*Welcome", BYTES("\xE4h"), PATTERN_NOT_FOUND, NULL},
	{"caf\xC3\xA9", BYTES("caf\xE9"), PATTERN_NOT_FOUND, NULL},
	{"^b",
	 BYTES("\xFF"
	       "b"),
	 PATTERN_NOT_FOUND, NULL},
	{"a$", BYTES("a\xFF"), PATTERN_NOT_FOUND, NULL},
	{"\xC3\xA4", BYTES("\xED\xA0\x80\xC3\xA4"), PATTERN_FOUND, "\xC3\xA4"},
};

static void every_case_is_found_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct search_case *c = &cases[i];
		for (size_t j = 0; j < PREFIXES; j++) {
			struct pattern *pattern = compile(prefixes[j], c->pattern);
			char *copy = xmemdup(
				c->bytes, c->length); /* ends where its bytes end, for valgrind */
			struct pattern_span span = {.start = 77};
			if (pattern_search(pattern, copy, c->length, PLENTY, &span) != c->result)
				fail_msg("%s%s on %s", prefixes[j], c->pattern, c->bytes);
			if (c->result != PATTERN_FOUND) {
				assert_int_equal(span.start, 77);
			} else if (c->capture != NULL) {
				assert_true(span.has_capture);
				assert_int_equal(span.end - span.start, strlen(c->capture));
				assert_memory_equal(copy + span.start, c->capture,
						    strlen(c->capture));
			} else if (strchr(c->pattern, '\\') == NULL) {
				assert_false(span.has_capture);
			}
			free(copy);
			pattern_destroy(pattern);
		}
	}
}

/* Of bytes that go on: what is found in them whatever follows. */
static const struct search_case beginnings[] = {
	{"x", BYTES("aax"), PATTERN_FOUND, NULL},
	{"x$", BYTES("aax"), PATTERN_NOT_FOUND, NULL},
	{"x$", BYTES("aax\n"), PATTERN_NOT_FOUND, NULL},
	{"(?m)x$", BYTES("x\na"), PATTERN_FOUND, NULL},
	{"x\\z", BYTES("x"), PATTERN_NOT_FOUND, NULL},
	{"x\\Z", BYTES("x"), PATTERN_NOT_FOUND, NULL},
	{"x\\b", BYTES("x"), PATTERN_NOT_FOUND, NULL},
	{"x\\b", BYTES("x."), PATTERN_FOUND, NULL},
	{"x\\B", BYTES(".x"), PATTERN_NOT_FOUND, NULL},
	{"x[[:>:]]", BYTES("x"), PATTERN_NOT_FOUND, NULL},
	{"x(?!y)", BYTES("x"), PATTERN_NOT_FOUND, NULL},
	{"x(?!yy)", BYTES("xy"), PATTERN_NOT_FOUND, NULL},
	{"x(?!yy)", BYTES("xyz"), PATTERN_FOUND, NULL},
	{"x(?!y)", BYTES("xz x"), PATTERN_FOUND, NULL},
	{"(?s)^(?!.*Welcome)", BYTES("a page"), PATTERN_NOT_FOUND, NULL},
	{"(?s)^(?!.*Welcome)", BYTES("Welcome"), PATTERN_NOT_FOUND, NULL},
	{"(?s)a.*b", BYTES("a b c"), PATTERN_FOUND, NULL},
	{"(?>a*)", BYTES("aa"), PATTERN_NOT_FOUND, NULL},
	{"a++b", BYTES("aab"), PATTERN_FOUND, NULL},
	{"a{1,2}+b", BYTES("aab"), PATTERN_FOUND, NULL},
	{"(?x)a + +", BYTES("aa"), PATTERN_NOT_FOUND, NULL},
	{"cost: 5$|x", BYTES("x, cost: 5"), PATTERN_FOUND, NULL},
	{"\\Q5$\\E", BYTES("a 5$"), PATTERN_FOUND, NULL},
	{"(a)\\1(?!b)", BYTES("aa"), PATTERN_NOT_FOUND, NULL},
	{"(a)\\1(?!b)", BYTES("aac"), PATTERN_FOUND, "a"},
	{"(?!y)", BYTES("\xFFx"), PATTERN_FOUND, NULL},
	{"x(?!y)", BYTES("\xFFx"), PATTERN_NOT_FOUND, NULL},
	/* what runs to the end on its way, and is found well before it */
	{"<t>.*\\bShop\\b", BYTES("<t>Our Shop</t> and a long line"), PATTERN_FOUND, NULL},
	{"<t>.*\\bShop\\b", BYTES("<t>Our Shop"), PATTERN_NOT_FOUND, NULL},
	{"(?s)a.*b$|a", BYTES("a and more"), PATTERN_FOUND, NULL},
	{"(?s)^(?=.*([ab]))\\1", BYTES("a--a"), PATTERN_NOT_FOUND, NULL},
	/* … by a look-ahead, or by what gives nothing back */
	{"(?s)<t>.*Shop(?!ping)", BYTES("<t>Our Shop</t> and more"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*Shop(?!ping)", BYTES("<t>Our Shopping"), PATTERN_NOT_FOUND, NULL},
	{"(?s)<t>.*Shop(?!ping)", BYTES("<t>Our Shoppin"), PATTERN_NOT_FOUND, NULL},
	{"(?s)<t>.*Shop(?!ping)", BYTES("<t>Our Shop, and Shop"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*Shop(?!ping)", BYTES("<t>Our Shop"), PATTERN_NOT_FOUND, NULL},
	{"(?s)<t>.*(Shop)(?!ping)", BYTES("<t>a Shop, Shopp"), PATTERN_FOUND, "Shop"},
	{"(?s)<t>.*(?!ping)Shop", BYTES("<t>Our Shop"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*Shop(?!ping|s)x", BYTES("<t>Our Shopx and"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*Shop(?!.*ping)", BYTES("<t>Our Shop and"), PATTERN_NOT_FOUND, NULL},
	{"(?s)<t>.*Shop(?!\\w{4})", BYTES("<t>Our Shoppin"), PATTERN_NOT_FOUND, NULL},
	{"(?s)<t>.*Shop(?!\\w{4})", BYTES("<t>Our Shop - the one and only"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*(?<!Work)Shop", BYTES("<t>Our Shop and"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*S(?>h+)o", BYTES("<t>Our Shop and"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*S(?>h+)$", BYTES("<t>Our Shh"), PATTERN_NOT_FOUND, NULL},
	{"(?s)<t>.*S(?>ho|h)", BYTES("<t>Our Shop"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*S(?:ho)*+p", BYTES("<t>Our Shop and"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*Sh++", BYTES("<t>Our Shop"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*Sh++$", BYTES("<t>Our Shh"), PATTERN_NOT_FOUND, NULL},
	{"(?s)<t>.*(?(?=S)Sh|x)", BYTES("<t>Our Shop"), PATTERN_FOUND, NULL},
	{"(?s)(<t>)?.*(?(1)Sh|x)", BYTES("<t>Our Shop"), PATTERN_FOUND, "<t>"},
	{"(?s)<t>(?=.*Shop$)", BYTES("<t>Our Shop"), PATTERN_NOT_FOUND, NULL},
	{"(?s)<t>(?=.*Shop\\b)", BYTES("<t>Our Shop and"), PATTERN_FOUND, NULL},
	{"(?s)<t>(?=.*Shop\\b).", BYTES("<t>Our Shop"), PATTERN_NOT_FOUND, NULL},
	{"(?s)<t>.*Shop(?!ping)",
	 BYTES("<t>\xFF"
	       "Our <t>Shop, \xFF and"),
	 PATTERN_FOUND, NULL},
	{"(?s)<t>.*(?:[]a)b\\])]|S)hop(?!ping)", BYTES("<t>Our Shop and"), PATTERN_FOUND, NULL},
	{"(?s)<t>.*(?'n'S)hop(?!\\p{L}\\x{70})", BYTES("<t>Our Shop and"), PATTERN_FOUND, "S"},
	{"(?s)<t>.*S(?#)hop(?!ping)", BYTES("<t>Our Shop and"), PATTERN_NOT_FOUND, NULL},
	/* a later one may be there for sure */
	{"(?s)x(?!.*y)|(z)$|(?:a) b", BYTES("x and a b c"), PATTERN_FOUND, NULL},
	/* a line's end of two bytes may be cut in two */
	{"(*CRLF)x.", BYTES("x\r"), PATTERN_NOT_FOUND, NULL},
	{"(*CRLF)x.", BYTES("x\ra"), PATTERN_FOUND, NULL},
	{"(*ANYCRLF)x$", BYTES("x\r"), PATTERN_NOT_FOUND, NULL},
	{"(*ANYCRLF)x$", BYTES("x\r\n"), PATTERN_NOT_FOUND, NULL},
	{"(*ANYCRLF)x$", BYTES("x\n"), PATTERN_NOT_FOUND, NULL},
	{"(*CR)x$", BYTES("x\r"), PATTERN_NOT_FOUND, NULL},
	{"(*CRLF)x$", BYTES("x\r"), PATTERN_NOT_FOUND, NULL},
	{"(*CRLF)(?m)x$", BYTES("x\r\na"), PATTERN_FOUND, NULL},
	{"(*CRLF)(?m)x$", BYTES("x\r"), PATTERN_NOT_FOUND, NULL},
	{"(*ANY)x$", BYTES("x\xE2\x80\xA8"), PATTERN_NOT_FOUND, NULL},
	{"x\\R\\z", BYTES("x\r"), PATTERN_NOT_FOUND, NULL},
	{"(?>x\\R)y", BYTES("x\r\ny."), PATTERN_FOUND, NULL},
	{"x\\s(?!\\n)", BYTES("x\r"), PATTERN_NOT_FOUND, NULL},
	/* a character that was cut in two is to come yet */
	{"x(?!\xC3\xA4)", BYTES("x\xC3"), PATTERN_NOT_FOUND, NULL},
	{"x(?!\xF0\x9F\x98\x80)", BYTES("x\xF0\x9F\x98"), PATTERN_NOT_FOUND, NULL},
	{"x(?!y)", BYTES("x\xC3\xA4"), PATTERN_FOUND, NULL},
	{"x", BYTES(""), PATTERN_NOT_FOUND, NULL},
	{"$", BYTES(""), PATTERN_NOT_FOUND, NULL},
	{"$", BYTES("\x80"), PATTERN_NOT_FOUND, NULL},
};

static void a_beginning_tells_what_holds_whatever_follows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		const struct search_case *c = &beginnings[i];
		for (size_t j = 0; j < PREFIXES; j++) {
			struct pattern *pattern = compile(prefixes[j], c->pattern);
			char *copy = xmemdup(c->bytes, c->length);
			struct pattern_span span = {.start = 77};
			struct pattern_budget budget = pattern_budget_of_time(PLENTY);
			if (pattern_search_beginning(pattern, copy, c->length, &budget, &span) !=
			    c->result)
				fail_msg("%s%s on %s", prefixes[j], c->pattern, c->bytes);
			assert_true(c->result == PATTERN_FOUND || span.start == 77);
			if (c->capture != NULL)
				assert_memory_equal(copy + span.start, c->capture,
						    strlen(c->capture));
			free(copy);
			pattern_destroy(pattern);
		}
	}
}

static void bad_patterns_are_refused_with_an_offset(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *message; /* part of it */
	} table[] = {
		{"(abc", "missing closing parenthesis at offset 4"},
		{"a)", "unmatched closing parenthesis at offset 1"},
		{"[a", "missing terminating ] for character class at offset 2"},
		{"*a", "quantifier does not follow a repeatable item at offset 0"},
		{"a{2,1}", "at offset"},
		{"(?<n>a)(?<n>b)", "at offset"},
		{"\\", "\\ at end of pattern at offset 1"},
		{"\xA4", "UTF-8 error"},
		{"\\C", "at offset"},
		{"(?P=x)", "at offset"},
		{"(?=ab\\K)", "not allowed in lookarounds"},
		{"((a{0,60}){0,60}){0,60}b", "too large"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct error err = {0};
		assert_null(pattern_compile(table[i].pattern, &err));
		assert_int_equal(err.kind, ERROR_REJECT);
		if (strstr(err.message, table[i].message) == NULL)
			fail_msg("%s: %s", table[i].pattern, err.message);
	}
	char *text = xmalloc(PATTERN_TEXT_MAX + 2);
	memset(text, 'a', PATTERN_TEXT_MAX + 1);
	text[PATTERN_TEXT_MAX + 1] = '\0';
	assert_null(pattern_compile(text, NULL));
	text[PATTERN_TEXT_MAX] = '\0';
	struct pattern *pattern = pattern_compile(text, NULL);
	assert_non_null(pattern);
	pattern_destroy(pattern);
	memset(text, '(', 1000);
	text[1000] = '\0';
	assert_null(pattern_compile(text, NULL));
	free(text);
	pattern_destroy(NULL);
}

static void fill_body(char *body, size_t length, const char *fill)
{
	size_t fill_length = strlen(fill);
	for (size_t i = 0; i < length; i++)
		body[i] = fill[i % fill_length];
}

/* Wherever the needle lies in a body of many windows, it is found there, also across the edge of two. */
static void every_place_of_a_long_body_is_searched(void **state)
{
	(void)state;
	enum { LENGTH = 20000 };
	static const char needle[] = "\xC3\xA4need\xE2\x82\xACle";
	char *body = xmalloc(LENGTH);
	for (size_t j = 0; j < PREFIXES; j++) {
		struct pattern *pattern = compile(prefixes[j], needle);
		struct pattern *costly = compile(prefixes[j], "(?:\xC3\xB6|\xC3\xB6\xC3\xB6)*need");
		for (size_t at = 0; at + strlen(needle) <= LENGTH; at += 74) {
			fill_body(body, LENGTH, "\xC3\xB6");
			memcpy(body + at, needle,
			       sizeof(needle) - 1); // NOLINT(bugprone-not-null-terminated-result)
			struct pattern_span span = {0};
			assert_int_equal(pattern_search(pattern, body, LENGTH, PLENTY, &span),
					 PATTERN_FOUND);
			assert_int_equal(span.start, at);
			assert_int_equal(span.end, at + strlen(needle));
			if (at % 740 != 0)
				continue;
			enum pattern_result result =
				pattern_search(costly, body, LENGTH, 20000, &span);
			assert_int_not_equal(result, PATTERN_NOT_FOUND);
		}
		pattern_destroy(pattern);
		pattern_destroy(costly);
	}
	free(body);
}

static int64_t cpu_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/*
 * Patterns that take minutes without a bound, on 256 KiB that do not match. The time allowed beyond the budget is that of a
 * slow machine under valgrind; what it really is stands in docs/benchmarks.md.
 */
static const struct {
	const char *pattern;
	const char *fill;
} evil[] = {
	{"(a+)+$", "a"},
	{"(a|a)*b", "a"},
	{"(a|aa)+$", "a"},
	{"(.*a){20}b", "a"},
	{"^(([a-z])+.)+[A-Z]([a-z])+$", "a"},
	{"(a*)*b", "a"},
	{"(x+x+)+y", "x"},
	{"(\\w+\\s*)+:", "word "},
	{".*.*.*=.*", "a"},
	{"(?=(a+))a*b\\1", "a"},
	{"([a-zA-Z]+)*#", "a"},
	{"(?s).*.*.*!.*\\?", "a!"},
	{"(a+)(?1)*b", "a"},
	{"(?:(?:\"(?:[^\"\\\\]|\\\\.)*\")*,?)*x$", "\"a\","},
	{"(\xC3\xA4+)+$", "\xC3\xA4"},
	{"(.|\\n)*end", "line\n"},
	{"(?:\\s*\\S+)*\\s*\\.$", "ab "},
	{"(a?){200}a{200}!", "a"},
	/* No letter that must be there tells PCRE2 at once that there is no match. */
	{"(a*)*[bc]", "a"},
	{"(a|a)*[bc]", "a"},
	{"(.*a){20}[bc]", "a"},
	{"(\\w+\\s*)+[:;]", "word "},
	{"(a+)(?1)*[bc]", "a"},
	{"(a?){200}a{200}[!?]", "a"},
	{"(?:(?:\"(?:[^\"\\\\]|\\\\.)*\")*,?)*[xy]$", "\"a\","},
	{"^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*[@%][a-z0-9]+$", "a"},
	{"^(([a-z])+.)+[A-Z]([a-z])+$", "ab"},
	{"(?i)(a+)+[!?]$", "aA"},
	{"((a+)*)+[^a~\xC3\xA4]", "a"},
	{"([^<]*<[^>]*>)+[\\x01\\x02]", "<p>text"},
	{"<(\\w+)(\\s+\\w+=(\"[^\"]*\"|'[^']*'))*\\s*[/?]+$", "<a b=\"c\" d='e' "},
	{"(\\d+,?)+[;|]", "123,"},
	{"(\\s|\\n|\\t)+[!?]", " \n\t"},
	{"^(\\d+\\.?)+[ab]$", "1.22."},
	{"(?:.*,){30}[|;]", "a,"},
	{"(.*)(.*)(.*)(.*)[|;]", "abc"},
	{"(\\w*\\W*)*[\\x01\\x02]", "a b-c "},
	{"(?:a(?:b(?:c)*)*)*[de]", "abcc"},
	{"((?:ab?)+)\\1[cd]", "aba"},
	{"(\\p{L}+\\s?)+[\\x01\\x02]", "w\xC3\xB6rter "},
	{"(?:\\X)*[\\x01\\x02]", "e\xCC\x81"},
	/* Steps that each run through the page. */
	{"(?=(a+))a*[bc]\\1", "a"},
	{"(?=(a+))\\1[bc]", "a"},
	{"(a+)\\1[bc]", "a"},
	{"(a+)(\\1+)\\2[bc]", "a"},
	{"(?<!b)(?=a+[bc])a", "a"},
	{"(?:(?=a+[bc]|a)a)*[de]", "a"},
	{"(?=.*(?=.*[bc]))a", "a"},
};

static void evil_patterns_end_near_their_budget(void **state)
{
	(void)state;
	enum { LENGTH = 256 * 1024 };
	static const int64_t budgets_us[] = {50, 5000, 20000};
	const char *preload = getenv("LD_PRELOAD");
	bool is_valgrind = preload != NULL && strstr(preload, "valgrind") != NULL;
	const int64_t grace_us = is_valgrind ? 20000000 : 100000;
	char *body = xmalloc(LENGTH);
	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		fill_body(body, LENGTH, evil[i].fill);
		for (size_t j = 0; j < (size_t)PREFIXES * 2; j++) {
			struct pattern *pattern = compile(prefixes[j % PREFIXES], evil[i].pattern);
			body[LENGTH - 1] =
				j < PREFIXES ? '~'
					     : '\xFF'; /* and once with a byte that is not UTF-8 */
			size_t count = j == 0 ? sizeof(budgets_us) / sizeof(budgets_us[0]) : 2;
			for (size_t k = 0; k < count; k++) {
				struct pattern_span span;
				int64_t start = cpu_us();
				enum pattern_result result =
					pattern_search(pattern, body, LENGTH, budgets_us[k], &span);
				int64_t took = cpu_us() - start;
				assert_int_not_equal(result, PATTERN_FOUND);
				if (took > budgets_us[k] + grace_us)
					fail_msg("%s took %lld us of %lld", evil[i].pattern,
						 (long long)took, (long long)budgets_us[k]);
			}
			pattern_destroy(pattern);
		}
	}
	free(body);
}

/* A start position that needs more steps than the first limits is tried again with more, not given up. */
static void costly_place_is_decided_while_there_is_time(void **state)
{
	(void)state;
	for (size_t j = 0; j < PREFIXES; j++) {
		struct pattern *pattern = compile(prefixes[j], "(?:a|b|ab)*c(\\d)");
		char body[2000];
		struct pattern_span span;
		memset(body, 'x', sizeof(body));
		for (size_t i = 500; i < 514; i++)
			body[i] = i % 2 == 0 ? 'a' : 'b';
		body[1990] = 'c';
		body[1991] = '7';
		assert_int_equal(pattern_search(pattern, body, sizeof(body), PLENTY, &span),
				 PATTERN_FOUND);
		assert_int_equal(span.start, 1991);
		pattern_destroy(pattern);
	}
}

static void no_budget_decides_nothing(void **state)
{
	(void)state;
	struct pattern *pattern = compile("", "a");
	struct pattern_span span;
	assert_int_equal(pattern_search(pattern, "a", 1, 0, &span), PATTERN_TOO_COSTLY);
	assert_int_equal(pattern_search(pattern, NULL, 0, PLENTY, &span), PATTERN_NOT_FOUND);
	pattern_destroy(pattern);
}

static void same_text_is_compiled_once(void **state)
{
	(void)state;
	struct pattern_span span;
	struct pattern *one = compile("", "b+");
	struct pattern *two = compile("", "b+");
	struct pattern *other = compile("", "c+");
	assert_ptr_equal(one, two);
	assert_ptr_not_equal(one, other);
	pattern_destroy(one);
	assert_int_equal(pattern_search(two, "abb", 3, PLENTY, &span), PATTERN_FOUND);
	pattern_destroy(two);
	pattern_destroy(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_found_or_not),
		cmocka_unit_test(a_beginning_tells_what_holds_whatever_follows),
		cmocka_unit_test(bad_patterns_are_refused_with_an_offset),
		cmocka_unit_test(every_place_of_a_long_body_is_searched),
		cmocka_unit_test(evil_patterns_end_near_their_budget),
		cmocka_unit_test(costly_place_is_decided_while_there_is_time),
		cmocka_unit_test(no_budget_decides_nothing),
		cmocka_unit_test(same_text_is_compiled_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
