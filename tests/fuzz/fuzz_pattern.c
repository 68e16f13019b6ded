/*
 * pattern/pattern.c: the driver of users' patterns on strangers' bodies. The first byte chooses how often the body is repeated and the
 * budget, the first line is a pattern, the rest a body. Where plain PCRE2, in one call, comes to an end, it found the same.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "fuzz.h"

#include <pcre2.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "input.h"
#include "pattern/pattern.h"

enum {
	BODY_MAX = 64 * 1024,
	PLAIN_STEPS = 20000, /* a start position */
	PLAIN_HEAP_KIB = 1024,
	THOROUGH_ONE_OF = 8, /* inputs, see compare() */
	/* Beyond its budget a search may take a quantum, and what valgrind takes from us. Of the thread's own time. */
	SLACK_US = 1000 * 1000,
};

static int64_t cpu_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/*
 * \G is where a call starts, and verbs may end it before its last position: there one call and several are not the same, and how many
 * there are depends on the clock. So nothing can be said of what such a pattern finds, only that its search ends.
 */
static bool is_plain(const char *text)
{
	return strstr(text, "\\G") == NULL && strstr(text, "(*") == NULL;
}

enum answer { SAME, ANOTHER, NONE };

/* Whether one call of PCRE2 found the same; without a span, whether it found anything, too. It may give up. */
static enum answer ask(const pcre2_code *code, uint32_t options, const char *body, size_t length,
		       enum pattern_result result, const struct pattern_span *span)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
	FUZZ_PROMISE(context != NULL && data != NULL);
	(void)pcre2_set_match_limit(context, PLAIN_STEPS);
	(void)pcre2_set_heap_limit(context, PLAIN_HEAP_KIB);
	int found = pcre2_match(code, (PCRE2_SPTR)body, length, 0, options, data, context);
	enum answer answer = NONE;
	if (found > 0) {
		const PCRE2_SIZE *pair = pcre2_get_ovector_pointer(data);
		uint32_t groups = 0;
		(void)pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
		bool is_set = groups == 0 || (found > 1 && pair[2] != PCRE2_UNSET);
		pair += groups == 0 ? 0 : 2;
		bool is_same_span = span == NULL ||
				    (span->has_capture == is_set &&
				     (!is_set || (span->start == pair[0] && span->end == pair[1])));
		answer = result == PATTERN_FOUND && is_same_span ? SAME : ANOTHER;
	} else if (found == PCRE2_ERROR_NOMATCH) {
		answer = result == PATTERN_NOT_FOUND ? SAME : ANOTHER;
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return answer;
}

/*
 * Machine code and interpreter (10.42) differ in whether a group that gives nothing back still holds what it held in an attempt that
 * failed: "(a+)*+$" in "aa!" captures "a" by the one, and nothing by the other. By machine code it may even have been an attempt from
 * another start position, so it depends on where a call begins.
 */
static bool is_possessive(const char *text)
{
	static const char *const possessive[] = {"*+", "++", "?+", "}+", "(?>"};
	for (size_t i = 0; i < sizeof(possessive) / sizeof(possessive[0]); i++)
		if (strstr(text, possessive[i]) != NULL)
			return true;
	return false;
}

/* Both are asked where machine code does not say the same, and whenever is_thorough: the interpreter takes a hundred times as long. */
static void compare(const char *text, const char *body, size_t length, bool is_thorough,
		    enum pattern_result result, const struct pattern_span *span)
{
	int error = 0;
	size_t offset = 0;
	/* Else one call looks for ".*" at starts of lines only, which is not all beside bytes that are no text. */
	const uint32_t everywhere = input_is_utf8(body, length) ? 0 : PCRE2_NO_DOTSTAR_ANCHOR;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
					 PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
						 PCRE2_NEVER_BACKSLASH_C | everywhere,
					 &error, &offset, NULL);
	FUZZ_PROMISE(code != NULL);
	(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	enum answer answer = ask(code, 0, body, length, result, span);
	bool does_agree = answer == SAME && !is_thorough;
	if (!does_agree)
		does_agree = ask(code, PCRE2_NO_JIT, body, length, result, span) != ANOTHER;
	/* The two differ, too, in what an end is beside bytes that are no text. */
	if (!does_agree && is_possessive(text))
		does_agree = ask(code, 0, body, length, result, NULL) != ANOTHER;
	else if (!does_agree && !input_is_utf8(body, length))
		does_agree = answer != ANOTHER;
	FUZZ_PROMISE(does_agree);
	pcre2_code_free(code);
}

static char *repeat(const struct input *input, size_t times, size_t *ret_length)
{
	size_t unit = input->left;
	size_t most = unit == 0 ? 0 : BODY_MAX / unit;
	times = times < most ? times : most;
	char *body = xmalloc(times * unit);
	for (size_t i = 0; i < times; i++)
		memcpy(body + i * unit, input->at, unit);
	*ret_length = times * unit;
	return body;
}

/* What a half of the body tells of all of it is true. */
static void search_beginning(const struct pattern *pattern, const char *body, size_t length,
			     int64_t budget_us, enum pattern_result result)
{
	struct pattern_span span = {0};
	char *half = xmemdup(body, length / 2); /* ends where its bytes end */
	int64_t began = cpu_us();
	const struct pattern_budget budget = pattern_budget_of_time(budget_us);
	enum pattern_result of_half =
		pattern_search_beginning(pattern, half, length / 2, &budget, &span);
	FUZZ_PROMISE(cpu_us() - began <= budget_us + SLACK_US);
	FUZZ_PROMISE(of_half != PATTERN_FOUND || result == PATTERN_FOUND);
	FUZZ_PROMISE(span.end <= length / 2);
	free(half);
}

static void search(const char *text, const char *body, size_t length, int64_t budget_us,
		   bool is_thorough)
{
	struct error err = {0};
	struct pattern_span span = {0};
	struct pattern *pattern = pattern_compile(text, &err);
	if (pattern == NULL) {
		FUZZ_PROMISE(err.kind == ERROR_REJECT && err.message[0] != '\0');
		return;
	}
	struct pattern *same = pattern_compile(text, &err);
	FUZZ_PROMISE(same == pattern);
	pattern_destroy(same);
	int64_t began = cpu_us();
	enum pattern_result result = pattern_search(pattern, body, length, budget_us, &span);
	FUZZ_PROMISE(cpu_us() - began <= budget_us + SLACK_US);
	FUZZ_PROMISE(span.end <= length && span.start <= length);
	FUZZ_PROMISE(result == PATTERN_FOUND || !span.has_capture);
	if (result != PATTERN_TOO_COSTLY && is_plain(text))
		compare(text, body, length, is_thorough, result, &span);
	if (result != PATTERN_TOO_COSTLY)
		search_beginning(pattern, body, length, budget_us, result);
	pattern_destroy(pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t times[] = {1, 2, 16, 256};
	static const int64_t budgets_us[] = {2000, 50, 500, 10000};
	struct input input = input_of(data, size);
	unsigned choice = input_byte(&input);
	char *text = input_line(&input);
	size_t length;
	char *body = repeat(&input, times[choice % 4], &length);
	search(text, body, length, budgets_us[choice / 4 % 4],
	       input_hash(data, size) % THOROUGH_ONE_OF == 0);
	free(body);
	free(text);
	return 0;
}
