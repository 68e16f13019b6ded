#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "probe/response_head.h"

enum { LINES_MAX = 8 };

struct head_case {
	const char *name;
	const char *lines[LINES_MAX];
	const char *location;
	int64_t content_length;
	bool is_length_broken;
	bool is_complete;
};

static const struct head_case cases[] = {
	{"nothing", {NULL}, NULL, -1, false, false},
	{"plain", {"HTTP/1.1 200 OK\r\n", "Content-Length: 12\r\n", "\r\n"}, NULL, 12, false, true},
	{"cut off", {"HTTP/1.1 200 OK\r\n", "Content-Length: 12\r\n"}, NULL, 12, false, false},
	{"any case", {"HTTP/2 200\r\n", "content-LENGTH:\t7 \r\n", "\r\n"}, NULL, 7, false, true},
	{"bare newlines", {"HTTP/1.1 200 OK\n", "Content-Length: 1\n", "\n"}, NULL, 1, false, true},
	{"twice the same",
	 {"HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n", "Content-Length: 5\r\n"},
	 NULL,
	 5,
	 false,
	 false},
	{"two lengths",
	 {"HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n", "Content-Length: 6\r\n"},
	 NULL,
	 6,
	 true,
	 false},
	{"list of lengths",
	 {"HTTP/1.1 200 OK\r\n", "Content-Length: 5, 5\r\n"},
	 NULL,
	 -1,
	 true,
	 false},
	{"negative", {"HTTP/1.1 200 OK\r\n", "Content-Length: -1\r\n"}, NULL, -1, true, false},
	{"plus", {"HTTP/1.1 200 OK\r\n", "Content-Length: +1\r\n"}, NULL, -1, true, false},
	{"empty", {"HTTP/1.1 200 OK\r\n", "Content-Length:\r\n"}, NULL, -1, true, false},
	{"hexadecimal", {"HTTP/1.1 200 OK\r\n", "Content-Length: 0x10\r\n"}, NULL, -1, true, false},
	{"largest",
	 {"HTTP/1.1 200 OK\r\n", "Content-Length: 9223372036854775807\r\n"},
	 NULL,
	 INT64_MAX,
	 false,
	 false},
	{"one too large",
	 {"HTTP/1.1 200 OK\r\n", "Content-Length: 9223372036854775808\r\n"},
	 NULL,
	 -1,
	 true,
	 false},
	{"similar name",
	 {"HTTP/1.1 200 OK\r\n", "Content-Length-X: x\r\n", "Locations: /x\r\n"},
	 NULL,
	 -1,
	 false,
	 false},
	{"location",
	 {"HTTP/1.1 302 Found\r\n", "LOCATION:  /next \r\n"},
	 "/next",
	 -1,
	 false,
	 false},
	{"first location",
	 {"HTTP/1.1 302 Found\r\n", "Location: /a\r\n", "Location: /b\r\n"},
	 "/a",
	 -1,
	 false,
	 false},
	{"empty location", {"HTTP/1.1 302 Found\r\n", "Location:\r\n"}, "", -1, false, false},
	{"interim does not count",
	 {"HTTP/1.1 103 Early Hints\r\n", "Location: /a\r\n", "Content-Length: x\r\n", "\r\n",
	  "HTTP/1.1 200 OK\r\n"},
	 NULL,
	 -1,
	 false,
	 false},
	{"no colon", {"HTTP/1.1 200 OK\r\n", "content\r\n", "l\r\n", ""}, NULL, -1, false, false},
};

static void lines_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct head_case *test = &cases[i];
		struct response_head head;
		response_head_init(&head);
		print_message("# %s\n", test->name);
		size_t bytes = 0;
		for (size_t line = 0; line < LINES_MAX && test->lines[line] != NULL; line++) {
			size_t length = strlen(test->lines[line]);
			bytes += length;
			assert_int_equal(response_head_add_line(&head, test->lines[line], length),
					 0);
		}
		assert_int_equal(head.bytes, bytes);
		assert_int_equal(head.content_length, test->content_length);
		assert_int_equal(head.is_length_broken, test->is_length_broken);
		assert_int_equal(head.is_complete, test->is_complete);
		if (test->location == NULL)
			assert_null(head.location);
		else
			assert_string_equal(head.location, test->location);
		response_head_finish(&head);
	}
}

static void status_lines_are_read_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		bool is_broken;
	} lines[] = {
		{"HTTP/1.1 200 OK\r\n", false},
		{"HTTP/1.0 404\r\n", false},
		{"HTTP/1.1 200", false},
		{"HTTP/1.1  200 OK\r\n", false},
		{"HTTP/1.1 100 Continue\r\n", false},
		{"HTTP/1.1 999 No\n", false},
		{"HTTP/1.1 200OK\r\n", false},
		{"HTTP/2 200 \r\n", false},
		{"HTTP/2.0 200\n", false},
		{"HTTP/2 2200\n", true},
		{"HTTP/2 1000\r\n", true},
		{"HTTP/2 000\r\n", true},
		{"HTTP/2 0\r\n", true},
		{"HTTP/2 007\r\n", true},
		{"HTTP/2 99\r\n", true},
		{"HTTP/2 099\r\n", true},
		{"HTTP/2 -200\r\n", true},
		{"HTTP/2 +200\r\n", true},
		{"HTTP/2 2 00\r\n", true},
		{"HTTP/2 4294967496\r\n", true},
		{"HTTP/2 abc\r\n", true},
		{"HTTP/2200 OK\r\n", true},
		{"HTTP/2\r\n", true},
		{"HTTP/2 20", true},
		{"HTTP/2", true},
		{"HTTP/", true},
		{"HTTP/1.", true},
		{"HTTP/1.1 2200 OK\r\n", true},
		{"HTTP/-1.1 500 No\r\n", true},
		{"HTTP/x 500 No\r\n", true},
		{"HTTP/one.one 500 No\r\n", true},
		{"http/1.1 500 No\r\n", true},
		{"HTTp/1.1 200 OK\r\n", true},
		{"X-HTTP/9: 2200\r\n", false}, /* none */
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct response_head head;
		response_head_init(&head);
		print_message("# %s\n", lines[i].line);
		assert_int_equal(
			response_head_add_line(&head, lines[i].line, strlen(lines[i].line)), 0);
		assert_int_equal(head.is_status_broken, lines[i].is_broken);
		response_head_finish(&head);
	}
}

static void head_is_bounded_over_all_its_responses(void **state)
{
	(void)state;
	struct response_head head;
	response_head_init(&head);
	char line[1000] = "HTTP/1.1 102 ";
	memset(line + strlen(line), 'p', sizeof(line) - strlen(line));
	size_t taken = 0;
	while (response_head_add_line(&head, line, sizeof(line)) == 0)
		taken += sizeof(line);
	assert_true(taken <= RESPONSE_HEAD_MAX);
	assert_true(taken + sizeof(line) > RESPONSE_HEAD_MAX);
	response_head_finish(&head);
}

static void lines_are_bounded_over_all_responses(void **state)
{
	(void)state;
	static const char *const lines[] = {"HTTP/1.1 102 Processing\r\n", "a:\r\n", "\r\n"};
	struct response_head head;
	response_head_init(&head);
	size_t taken = 0;
	while (response_head_add_line(&head, lines[taken % 3], strlen(lines[taken % 3])) == 0)
		taken++;
	assert_int_equal(taken, RESPONSE_HEAD_LINES_MAX);
	assert_true(head.bytes < RESPONSE_HEAD_MAX);
	response_head_finish(&head);
}

/* What the body is packed in, one within the other. */
/* Nobody asks for them again behind what is no redirect. */
static void cookies_of_redirects_are_kept(void **state)
{
	(void)state;
	static const struct {
		const char *lines[6];
		const char *cookies;
	} heads[] = {
		{{"HTTP/1.1 302 Found\r\n", "Set-Cookie: a=1; Path=/\r\n", "set-cookie:b=2\r\n",
		  "\r\n"},
		 "a=1; Path=/\nb=2\n"},
		{{"HTTP/2 307 \r\n", "set-cookie: a=1\r\n", "\r\n", "set-cookie: late=1\r\n"},
		 "a=1\n"},
		{{"HTTP/1.1 200 OK\r\n", "Set-Cookie: a=1\r\n", "\r\n"}, NULL},
		{{"HTTP/1.1 302 Found\r\n", "Set-Cookie:\r\n", "\r\n"}, NULL},
		{{"HTTP/1.1 302 Found\r\n", "Set-Cookie: a=1\r\n", "HTTP/1.1 302 Found\r\n",
		  "\r\n"},
		 NULL},
	};
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct response_head head;
		response_head_init(&head);
		for (size_t at = 0; heads[i].lines[at] != NULL; at++)
			assert_int_equal(response_head_add_line(&head, heads[i].lines[at],
								strlen(heads[i].lines[at])),
					 0);
		if (heads[i].cookies == NULL)
			assert_null(head.cookies);
		else
			assert_string_equal(head.cookies, heads[i].cookies);
		response_head_finish(&head);
	}
}

static void cookies_are_bounded(void **state)
{
	(void)state;
	static const char redirect[] = "HTTP/1.1 302 Found\r\n";
	char line[4096] = "Set-Cookie: a=";
	struct response_head head;
	memset(line + strlen(line), 'x', sizeof(line) - strlen(line));
	response_head_init(&head);
	assert_int_equal(response_head_add_line(&head, redirect, strlen(redirect)), 0);
	for (int i = 0; i < 30; i++)
		assert_int_equal(response_head_add_line(&head, line, sizeof(line)), 0);
	assert_in_range(strlen(head.cookies), RESPONSE_COOKIES_MAX / 2, RESPONSE_COOKIES_MAX + 1);
	response_head_finish(&head);
}

static void encodings_are_counted(void **state)
{
	(void)state;
	static const struct {
		const char *lines[3];
		unsigned content;
		unsigned transfer;
		bool has_large_window;
	} table[] = {
		{{"Content-Type: gzip\r\n"}, 0, 0, false},
		{{"Content-Encoding: gzip\r\n"}, 1, 0, false},
		{{"content-encoding:GZIP,Br\r\n"}, 2, 0, true},
		{{"Content-Encoding: gzip\r\n", "Content-Encoding: zstd\r\n"}, 2, 0, true},
		{{"Content-Encoding: identity, , gzip ,\r\n"}, 1, 0, false},
		{{"Content-Encoding: none\r\n"}, 0, 0, false},
		{{"Content-Encoding: UTF-8\r\n"}, 0, 0, false},
		{{"Content-Encoding: aws-chunked, gzip\r\n"}, 1, 0, false},
		{{"Content-Encoding: None, gzip\r\n"}, 1, 0, false},
		{{"Content-Encoding: nonesuch\r\n"}, 1, 0, false},
		{{"Content-Encoding:\r\n"}, 0, 0, false},
		{{"Transfer-Encoding: gzip, chunked\r\n", "Content-Encoding: br\r\n"}, 1, 1, true},
		{{"Transfer-Encoding: chunked\r\n", "\r\n", "Content-Encoding: br\r\n"},
		 0,
		 0,
		 false},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct response_head head;
		response_head_init(&head);
		for (size_t j = 0; j < 3 && table[i].lines[j] != NULL; j++)
			assert_int_equal(response_head_add_line(&head, table[i].lines[j],
								strlen(table[i].lines[j])),
					 0);
		assert_int_equal(head.content_encodings, table[i].content);
		assert_int_equal(head.transfer_encodings, table[i].transfer);
		assert_int_equal(head.has_large_window, table[i].has_large_window);
		response_head_finish(&head);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_understood),
		cmocka_unit_test(status_lines_are_read_strictly),
		cmocka_unit_test(head_is_bounded_over_all_its_responses),
		cmocka_unit_test(lines_are_bounded_over_all_responses),
		cmocka_unit_test(cookies_of_redirects_are_kept),
		cmocka_unit_test(cookies_are_bounded),
		cmocka_unit_test(encodings_are_counted),
	};
	return cmocka_run_group_tests_name("probe_response_head", tests, NULL, NULL);
}
