#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void holds_kind_and_message(void **state)
{
	(void)state;
	struct error err = {0};
	error_set(&err, ERROR_RETRY, "port %d", 80);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.message, "port 80");
	error_set_errno(&err, ERROR_REJECT, ENOENT, "open %s", "x.yaml");
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_string_equal(err.message, "open x.yaml: No such file or directory");
	error_prefix(&err, "site %d: ", 3);
	assert_string_equal(err.message, "site 3: open x.yaml: No such file or directory");
	assert_int_equal(err.kind, ERROR_REJECT);
}

static void a_long_message_is_cut(void **state)
{
	(void)state;
	struct {
		struct error err;
		char guard;
	} held = {.guard = '#'};
	char word[2 * ERROR_MESSAGE_MAX];
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	error_set(&held.err, ERROR_FATAL, "%s", word);
	assert_int_equal(strlen(held.err.message), ERROR_MESSAGE_MAX - 1);
	error_set_errno(&held.err, ERROR_FATAL, EIO, "%s", word);
	assert_int_equal(strlen(held.err.message), ERROR_MESSAGE_MAX - 1);
	error_prefix(&held.err, "%s", "first: ");
	assert_int_equal(strlen(held.err.message), ERROR_MESSAGE_MAX - 1);
	assert_memory_equal(held.err.message, "first: www", 10);
	error_prefix(&held.err, "%s", word);
	assert_int_equal(strlen(held.err.message), ERROR_MESSAGE_MAX - 1);
	assert_int_equal(held.guard, '#');
}

static void nobody_need_ask(void **state)
{
	(void)state;
	error_set(NULL, ERROR_FATAL, "x");
	error_set_errno(NULL, ERROR_FATAL, EIO, "x");
	error_prefix(NULL, "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_kind_and_message),
		cmocka_unit_test(a_long_message_is_cut),
		cmocka_unit_test(nobody_need_ask),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
