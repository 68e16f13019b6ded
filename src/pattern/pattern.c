/*
 * How a search is bounded. PCRE2 tries one start position after the other; its match limit bounds the steps of one start
 * position, its offset limit how many positions a call tries. So a call costs at most window x limit steps, and that
 * product (the quantum) is chosen from the time that we have:
 *
 *   window = quantum / limit
 *   nothing found      go on behind the window, with half the limit
 *   limit reached      somewhere in the window: the same window with four times the limit, so a quarter of the positions
 *                      a call; once a window is a single position, its limit grows until the time is up
 *   the time is up     PATTERN_TOO_COSTLY
 *
 * Most positions of most pages end after a handful of steps, hence the small limit at the start.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern/pattern.h"

#include <assert.h>
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum {
	COMPILED_MAX = 1024 * 1024, /* bytes; (a{1000}){1000} and its like are refused */
	NESTING_MAX = 100,          /* parentheses: the compiler recurses */
	STEPS_PER_US = 50,          /* measured: a step takes 10 to 20 ns */
	FIRST_LIMIT = 64,
	QUANTUM_MIN = 20000,        /* 0.4 ms: what a search with the smallest budget may take beyond it */
	QUANTUM_MAX = 1000000,
	HEAP_MAX_KIB = 16 * 1024,   /* backtracking frames of one search */
};

struct pattern {
	pcre2_code *code;
	uint32_t groups;
};

static pcre2_compile_context *new_compile_context(void)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	if (context == NULL)
		abort(); /* out of memory, as in xmalloc() */
	(void)pcre2_set_max_pattern_length(context, PATTERN_TEXT_MAX);
	(void)pcre2_set_parens_nest_limit(context, NESTING_MAX);
	return context;
}

struct pattern *pattern_compile(const char *text, struct error *err)
{
	size_t length = strlen(text);
	if (length > PATTERN_TEXT_MAX) {
		error_set(err, ERROR_REJECT, "longer than %d bytes", (int)PATTERN_TEXT_MAX);
		return NULL;
	}
	int code = 0;
	size_t offset = 0;
	pcre2_compile_context *context = new_compile_context();
	const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_USE_OFFSET_LIMIT |
				 PCRE2_NEVER_BACKSLASH_C;
	pcre2_code *compiled =
		pcre2_compile((PCRE2_SPTR)text, length, options, &code, &offset, context);
	pcre2_compile_context_free(context);
	if (compiled == NULL) {
		char message[256];
		(void)pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof(message));
		error_set(err, ERROR_REJECT, "%s at offset %zu", message, offset);
		return NULL;
	}
	size_t size = 0;
	(void)pcre2_pattern_info(compiled, PCRE2_INFO_SIZE, &size);
	if (size > COMPILED_MAX) {
		pcre2_code_free(compiled);
		error_set(err, ERROR_REJECT, "too large when compiled");
		return NULL;
	}
	struct pattern *pattern = xcalloc(1, sizeof(*pattern));
	pattern->code = compiled;
	(void)pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &pattern->groups);
	return pattern;
}

void pattern_destroy(struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	pcre2_code_free(pattern->code);
	free(pattern);
}

/* What a search needs beside the pattern. */
struct scratch {
	pcre2_match_data *data; /* room for the whole match and the first group */
	pcre2_match_context *context;
};

static struct scratch new_scratch(void)
{
	struct scratch scratch = {
		.data = pcre2_match_data_create(2, NULL),
		.context = pcre2_match_context_create(NULL),
	};
	if (scratch.data == NULL || scratch.context == NULL)
		abort(); /* out of memory, as in xmalloc() */
	(void)pcre2_set_heap_limit(scratch.context, HEAP_MAX_KIB);
	return scratch;
}

static void free_scratch(struct scratch *scratch)
{
	pcre2_match_data_free(scratch->data);
	pcre2_match_context_free(scratch->context);
}

static void read_span(const struct pattern *pattern, pcre2_match_data *data, int pairs,
		      struct pattern_span *ret_span)
{
	const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);
	size_t group = pattern->groups > 0 ? 1 : 0;
	*ret_span = (struct pattern_span){0};
	/* pairs is 0 when there are more groups than room; a group that took no part is PCRE2_UNSET. */
	bool is_set = (pairs == 0 || (size_t)pairs > group) && offsets[2 * group] != PCRE2_UNSET;
	if (!is_set || offsets[2 * group] > offsets[2 * group + 1])
		return; /* \K within a lookahead can end a match before its start */
	ret_span->has_capture = true;
	ret_span->start = offsets[2 * group];
	ret_span->end = offsets[2 * group + 1];
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

enum pattern_result pattern_search(const struct pattern *pattern, const char *bytes, size_t length,
				   int64_t budget_us, struct pattern_span *ret_span)
{
	const mono_us deadline = clock_mono_us() + budget_us;
	const int64_t quantum = clamp(budget_us * STEPS_PER_US / 5, QUANTUM_MIN, QUANTUM_MAX);
	/* Checked once here, or by PCRE2 in every call. */
	const uint32_t options = text_is_utf8(bytes, length) ? PCRE2_NO_UTF_CHECK : 0;
	struct scratch scratch = new_scratch();
	enum pattern_result result = PATTERN_TOO_COSTLY;
	int64_t limit = FIRST_LIMIT;
	size_t start = 0;
	int64_t left_us = budget_us;
	while (left_us > 0) {
		size_t window = limit < quantum ? (size_t)(quantum / limit) : 1;
		size_t last = window < length - start ? start + window - 1 : length;
		(void)pcre2_set_match_limit(scratch.context, (uint32_t)limit);
		(void)pcre2_set_offset_limit(scratch.context, last);
		int code = pcre2_match(pattern->code, (PCRE2_SPTR)bytes, length, start, options,
				       scratch.data, scratch.context);
		if (code >= 0) {
			read_span(pattern, scratch.data, code, ret_span);
			result = PATTERN_FOUND;
			break;
		}
		if (code == PCRE2_ERROR_NOMATCH) {
			if (last == length) {
				result = PATTERN_NOT_FOUND;
				break;
			}
			start = last + 1;
			while (start < length && is_continuation(bytes[start]))
				start++;
			if (limit > FIRST_LIMIT) /* one costly place must not slow the rest of the page */
				limit /= 2;
		} else if (code != PCRE2_ERROR_MATCHLIMIT) {
			break; /* the heap limit: more memory than this is too costly, too */
		}
		left_us = deadline - clock_mono_us();
		if (code == PCRE2_ERROR_MATCHLIMIT)
			limit = clamp(limit * 4, 0, window > 1 ? quantum : clamp(left_us * STEPS_PER_US, 1, UINT32_MAX));
	}
	free_scratch(&scratch);
	return result;
}
