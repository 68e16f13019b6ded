#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"

static void no_size_gives_a_pointer(void **state)
{
	(void)state;
	char *a = xmalloc(0);
	char *b = xcalloc(0, 8);
	char *c = xrealloc(NULL, 0);
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	free(a);
	free(b);
	free(c);
}

static void copies(void **state)
{
	(void)state;
	assert_null(xstrdup(NULL));
	char *whole = xstrdup("text");
	char *part = xstrndup("text", 2);
	char *more = xstrndup("text", 99);
	char *bytes = xmemdup("a\0b", 3);
	char *made = xasprintf("%d-%s", 7, "x");
	assert_string_equal(whole, "text");
	assert_string_equal(part, "te");
	assert_string_equal(more, "text");
	assert_memory_equal(bytes, "a\0b", 3);
	assert_string_equal(made, "7-x");
	int *numbers = xcalloc(3, sizeof(*numbers));
	assert_int_equal(numbers[2], 0);
	numbers = xreallocarray(numbers, 100, sizeof(*numbers));
	numbers[99] = 1;
	free(whole);
	free(part);
	free(more);
	free(bytes);
	free(made);
	free(numbers);
}

/* In a child, because it must end the process: its one line is read through a pipe. */
static void overflow_is_out_of_memory_and_ends_the_process(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		volatile size_t count = SIZE_MAX / 2;
		free(xreallocarray(NULL, count, 4));
		_exit(77);
	}
	(void)close(ends[1]);
	char line[200] = "";
	ssize_t length = read(ends[0], line, sizeof(line) - 1);
	(void)close(ends[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_true(length > 0);
	assert_string_equal(line, "error out of memory, ending\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_size_gives_a_pointer),
		cmocka_unit_test(copies),
		cmocka_unit_test(overflow_is_out_of_memory_and_ends_the_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
