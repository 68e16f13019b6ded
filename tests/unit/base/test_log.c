#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

/* What stands in a line after its time: "2026-11-21T20:33:45.123Z". */
enum { TIME_LENGTH = 24 };

struct capture {
	int stderr_copy;
	int reader;
	char line[LOG_LINE_MAX + 200];
};

/* The log writes to descriptor 2 itself, so a pipe takes its place for one call. */
static void capture_start(struct capture *capture)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	capture->stderr_copy = dup(STDERR_FILENO);
	capture->reader = ends[0];
	(void)dup2(ends[1], STDERR_FILENO);
	(void)close(ends[1]);
}

static void capture_stop(struct capture *capture)
{
	(void)dup2(capture->stderr_copy, STDERR_FILENO);
	(void)close(capture->stderr_copy);
	size_t used = 0;
	for (;;) {
		ssize_t got = read(capture->reader, capture->line + used,
				   sizeof(capture->line) - 1 - used);
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	capture->line[used] = '\0';
	(void)close(capture->reader);
}

#define CAPTURE(capture, call)                                                                     \
	do {                                                                                       \
		capture_start(capture);                                                            \
		call;                                                                              \
		capture_stop(capture);                                                             \
	} while (0)

static void assert_time(const char *text)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	for (size_t i = 0; i < TIME_LENGTH; i++) {
		if (shape[i] == 'd')
			assert_in_range(text[i], '0', '9');
		else
			assert_int_equal(text[i], shape[i]);
	}
}

static void text_lines(void **state)
{
	(void)state;
	struct capture c;
	log_configure(LOG_INFO, LOG_TEXT);
	CAPTURE(&c,
		log_event(LOG_INFO, "ready", LOG_STR("command", "producer"), LOG_INT("sites", 5)));
	assert_time(c.line);
	assert_string_equal(c.line + TIME_LENGTH, " info ready command=producer sites=5\n");
	CAPTURE(&c, log_event(LOG_WARN, "bare"));
	assert_string_equal(c.line + TIME_LENGTH, " warn bare\n");
	CAPTURE(&c, log_event(LOG_ERROR, "all types", LOG_INT("least", INT64_MIN),
			      LOG_BOOL("yes", true), LOG_BOOL("no", false), LOG_STR("absent", NULL),
			      LOG_STR("last", "x")));
	assert_string_equal(
		c.line + TIME_LENGTH,
		" error all types least=-9223372036854775808 yes=true no=false last=x\n");
}

static void values_are_quoted_where_they_need_it(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		const char *written;
	} cases[] = {
		{"plain", "plain"},
		{"http://x/?a", "http://x/?a"},
		{"", "\"\""},
		{"two words", "\"two words\""},
		{"a=b", "\"a=b\""},
		{"say \"hi\"", "\"say \\\"hi\\\"\""},
		{"back\\slash", "\"back\\\\slash\""},
		{"a\nb\x1b[31m", "\"a b [31m\""},
		{"\xff\xfe", "\xEF\xBF\xBD\xEF\xBF\xBD"},
	};
	log_configure(LOG_INFO, LOG_TEXT);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct capture c;
		char wanted[200];
		CAPTURE(&c, log_event(LOG_INFO, "e", LOG_STR("k", cases[i].value)));
		(void)snprintf(wanted, sizeof(wanted), " info e k=%s\n", cases[i].written);
		assert_string_equal(c.line + TIME_LENGTH, wanted);
	}
}

static void json_lines(void **state)
{
	(void)state;
	struct capture c;
	log_configure(LOG_INFO, LOG_JSON);
	CAPTURE(&c, log_event(LOG_WARN, "a \"b\"", LOG_STR("s", "x\\y\n"), LOG_INT("n", -1),
			      LOG_BOOL("b", true), LOG_STR("empty", "")));
	log_configure(LOG_INFO, LOG_TEXT);
	assert_memory_equal(c.line, "{\"time\":\"", 9);
	assert_time(c.line + 9);
	assert_string_equal(c.line + 9 + TIME_LENGTH,
			    "\",\"level\":\"warn\",\"event\":\"a \\\"b\\\"\","
			    "\"s\":\"x\\\\y \",\"n\":-1,\"b\":true,\"empty\":\"\"}\n");
}

static void levels_hide_what_is_below(void **state)
{
	(void)state;
	static const char *const names[] = {"error", "warn", "info", "debug", "trace"};
	for (int configured = LOG_ERROR; configured <= LOG_TRACE; configured++) {
		log_configure((enum log_level)configured, LOG_TEXT);
		for (int level = LOG_ERROR; level <= LOG_TRACE; level++) {
			struct capture c;
			CAPTURE(&c, log_event((enum log_level)level, "e"));
			assert_int_equal(c.line[0] != '\0', level <= configured);
			assert_int_equal(log_is_enabled((enum log_level)level),
					 level <= configured);
		}
		assert_string_equal(log_level_name((enum log_level)configured), names[configured]);
	}
	log_configure(LOG_INFO, LOG_TEXT);
}

static void a_line_is_whole_and_bounded_whatever_it_holds(void **state)
{
	(void)state;
	char *quotes = malloc(10001);
	assert_non_null(quotes);
	memset(quotes, '"', 10000);
	quotes[10000] = '\0';
	for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
		struct capture c;
		log_configure(LOG_INFO, (enum log_format)format);
		CAPTURE(&c, log_event(LOG_INFO, quotes, LOG_STR("k", quotes), LOG_STR("l", "x")));
		size_t length = strlen(c.line);
		assert_true(length <= LOG_LINE_MAX);
		assert_int_equal(c.line[length - 1], '\n');
		if (format == LOG_JSON)
			assert_int_equal(c.line[length - 2], '}');
		/* a field that does not fit is left out whole, and so are those after it */
		CAPTURE(&c, log_event(LOG_INFO, "e", LOG_STR("first", "1"), LOG_STR("k", quotes),
				      LOG_STR("l", "x")));
		assert_true(strlen(c.line) <= LOG_LINE_MAX);
		assert_non_null(
			strstr(c.line, format == LOG_JSON ? "\"first\":\"1\"" : " first=1"));
		assert_int_equal(c.line[strlen(c.line) - 1], '\n');
	}
	log_configure(LOG_INFO, LOG_TEXT);
	free(quotes);
}

static void stderr_closed_is_no_reason_to_stop(void **state)
{
	(void)state;
	int copy = dup(STDERR_FILENO);
	(void)close(STDERR_FILENO);
	log_event(LOG_ERROR, "nobody reads this");
	(void)dup2(copy, STDERR_FILENO);
	(void)close(copy);
}

/* The pipe of a reader that hangs holds some 64 KiB; the log must not wait for it for ever. */
static void a_reader_that_stopped_costs_lines_not_time(void **state)
{
	(void)state;
	enum { LINES = 3000 };
	struct capture c;
	char *read_later = test_malloc(1 << 20);
	(void)alarm(120);
	log_never_block(); /* for good: the last test */
	capture_start(&c);
	for (int i = 0; i < LINES; i++)
		log_event(LOG_INFO, "a line that nobody reads", LOG_INT("number", i));
	ssize_t length = read(c.reader, read_later, (1 << 20) - 1);
	assert_true(length > 0);
	read_later[length] = '\0';
	int written = 0;
	for (const char *at = read_later; (at = strchr(at, '\n')) != NULL; at++)
		written++;
	assert_in_range(written, 100, LINES - 1);
	assert_int_equal(read_later[length - 1], '\n');
	log_event(LOG_INFO, "read again");
	capture_stop(&c);
	(void)alarm(0);
	char expected[80];
	(void)snprintf(expected, sizeof(expected),
		       " warn log lines were lost, nobody read them count=%d\n", LINES - written);
	assert_non_null(strstr(c.line, expected));
	assert_non_null(strstr(c.line, " info read again\n"));
	test_free(read_later);
}

static void status_stays_below_the_lines(void **state)
{
	(void)state;
	struct capture capture;
	log_configure(LOG_INFO, LOG_TEXT);
	capture_start(&capture);
	log_set_status("[##  ] 1/2");
	log_set_status("[##  ] 1/2"); /* drawn once */
	log_event(LOG_INFO, "ready");
	log_set_status("[####] 2/2");
	log_set_status(NULL);
	log_set_status(NULL);
	log_event(LOG_INFO, "stopped");
	capture_stop(&capture);
	char *at = capture.line;
	static const char *const expected[] = {"\r\033[K[##  ] 1/2\r\033[K",
					       " info ready\n[##  ] 1/2",
					       "\r\033[K[####] 2/2\r\033[K", " info stopped\n"};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (i % 2 == 1) {
			assert_time(at);
			at += TIME_LENGTH;
		}
		assert_memory_equal(at, expected[i], strlen(expected[i]));
		at += strlen(expected[i]);
	}
	assert_string_equal(at, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_lines),
		cmocka_unit_test(status_stays_below_the_lines),
		cmocka_unit_test(values_are_quoted_where_they_need_it),
		cmocka_unit_test(json_lines),
		cmocka_unit_test(levels_hide_what_is_below),
		cmocka_unit_test(a_line_is_whole_and_bounded_whatever_it_holds),
		cmocka_unit_test(stderr_closed_is_no_reason_to_stop),
		cmocka_unit_test(a_reader_that_stopped_costs_lines_not_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
