/* What others may see of the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/command_line.h"

enum { WORD_MAX = 128 };

static void no_word_shows_a_secret(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		const char *shown; /* without the blanks behind it */
	} table[] = {
		{"run", "run"},
		{"--once", "--once"},
		{"sites.yaml", "sites.yaml"},
		{"--interval=30s", "--interval=30s"},
		{"", ""},
		{"-v", "-v"},
		{"https://example.com", "https://***"},
		{"http://me:secret@a.test/?token=secret", "http://***"},
		{"--url=http://me:secret@a.test/", "--url=http://***"},
		{"postgresql://me:secret@db/x", "postgresql://***"},
		{"--database-dsn=host=db password=secret", "--database-dsn=host=***"},
		{"host=db password=secret", "host=***"},
		{"sasl.password=secret", "sasl.password=***"},
		{"url=http://me:secret@a.test/", "url=***"},
		{"--set=bearer_token=x", "--set=bearer_token=*"},
		{"--set=bearer_token=", "--set=bearer_token="},
		{"me:secret@a.test", "***"},
		{"a.test/?token", "***"},
		{"a.test/;token", "***"},
		{"http://", "http://"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char name[] = "websentry";
		char word[WORD_MAX];
		(void)snprintf(word, sizeof(word), "%s", table[i].word);
		char *argv[] = {name, word, NULL};
		char **words = command_line_take(2, argv);
		assert_string_equal(words[0], "websentry");
		assert_string_equal(words[1], table[i].word);
		assert_null(words[2]);
		command_line_free(words);
		assert_string_equal(name, "websentry");
		size_t length = strlen(table[i].shown);
		assert_int_equal(strlen(word), strlen(table[i].word));
		assert_memory_equal(word, table[i].shown, length);
		assert_int_equal(strspn(word + length, " "), strlen(word) - length);
	}
	command_line_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_word_shows_a_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
