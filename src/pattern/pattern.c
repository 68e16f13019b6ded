/*
 * How a search is bounded. PCRE2 tries one start position after the other; its match limit bounds the steps of one start
 * position, its offset limit how many positions a call tries. So a call costs at most window x limit steps, and that
 * product (the quantum) is chosen from the time that we have:
 *
 *   window = quantum / limit, and less where the last window took long
 *   nothing found      go on behind the window, with half the limit
 *   limit reached      somewhere in the window: the same window with four times the limit, so a quarter of the positions
 *                      a call; once a window is a single position, its limit grows until the time is up
 *   the time is up     PATTERN_TOO_COSTLY
 *
 * Most positions of most pages end after a handful of steps, hence the small limit at the start.
 *
 * Patterns are compiled to machine code (JIT), which keeps both limits: 0.3 to 1 us for a page of 2 KiB that took the interpreter
 * 10 to 25, and 256 KiB in 30 us instead of 7 ms, since only the interpreter needs to look for invalid UTF-8 ahead of each
 * window. Where a kernel forbids memory that is both written and run (systemd's MemoryDenyWriteExecute=), or a pattern begins
 * with (*NO_JIT), the interpreter does it; a second copy of the pattern, for bodies that are valid UTF-8, spares it that look.
 *
 * A step may itself run through the page (a reference back, a look-ahead), and machine code does not even count those of
 * references, so patterns that have some are left to the interpreter. It calls us before each part of a pattern
 * (PCRE2_AUTO_CALLOUT, half as much time again), so that the clock is looked at within a position as well.
 *
 * Of a subject that goes on, a match may be one only because it ends here. What was found with a pattern that may look at the end is
 * looked for once more, with a watch on the parts that may (pattern_ends.h). Where these can't be told,
 * PCRE2_PARTIAL_HARD says when anything had to look behind the last byte (or behind bytes that are no text, which it takes for an end).
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern/pattern.h"

#include <assert.h>
#include <pcre2.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "base/memory.h"
#include "base/text.h"
#include "pattern/pattern_ends.h"
#include "pattern/pattern_text.h"

enum {
	COMPILED_MAX = 1024 * 1024, /* bytes; (a{1000}){1000} and its like are refused */
	NESTING_MAX = 100,          /* parentheses: the compiler recurses */
	STEPS_PER_US = 50,          /* measured: a step takes 10 to 20 ns */
	FIRST_LIMIT = 64,
	FIRST_WINDOW = 16, /* start positions, fourfold until the last */
	LAST_WINDOW = 256,
	QUANTUM_MIN = 20000, /* 0.4 ms: what a search with the smallest budget may take beyond it */
	QUANTUM_MAX = 1000000,
	HEAP_MAX_KIB = 1024, /* backtracking frames of one search by the interpreter */
	UNSURE_MAX = 8,      /* windows in which something was found that more behind it may undo */
	VAIN_STEPS_MAX = 4096, /* of one part that has met the end: (?!.*x) runs through the page */
	CALLOUTS_A_LOOK = 16,  /* at the clock: some take 100 us, most 50 ns */
	ANY_BYTES_LOOK_US = 10000, /* PCRE2's own look for invalid UTF-8 takes 7 ms in 256 KiB */
	STACK_START =
		64 * 1024, /* the same for machine code, after the 32 KiB that it has on its own */
	STACK_MAX = 1024 * 1024, /* more takes longer to touch than a small budget lasts */
};

/*
 * PCRE2 looks for a pattern that begins with ".*" at the start of each line only, since a line in which it does not match from there
 * does not match at all. That is so but for bytes that are no text, which no dot matches: ".*foo" is found behind them only where we begin
 * to look, wherever a window happens to. For bodies with such bytes it is to look everywhere.
 */
#define ANY_BYTES (PCRE2_MATCH_INVALID_UTF | PCRE2_NO_DOTSTAR_ANCHOR)

enum { AFTER_NEWLINES = 2 }; /* PCRE2_INFO_FIRSTCODETYPE */

struct pattern {
	pcre2_code *code;   /* takes any bytes */
	pcre2_code *plain;  /* takes valid UTF-8 only; NULL where code is as good for that */
	pcre2_code *ending; /* for the interpreter; NULL: the subject's end means nothing to it */
	pcre2_code *ending_plain;  /* the same, valid UTF-8 only */
	struct pattern_ends *ends; /* NULL with ending */
	uint32_t groups;
	char *text;
	size_t users; /* pattern_compile() minus pattern_destroy() */
	UT_hash_handle hh;
};

/*
 * All patterns by their text. Ten thousand sites often share one pattern, and to compile it costs more than all else that is
 * done to load a site (25 of 50 us).
 */
static struct pattern *patterns;
static pthread_mutex_t patterns_lock = PTHREAD_MUTEX_INITIALIZER;

static pcre2_compile_context *new_compile_context(void)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	if (context == NULL)
		abort(); /* out of memory, as in xmalloc() */
	(void)pcre2_set_max_pattern_length(context, (size_t)2 * PATTERN_TEXT_MAX); /* [\S] for \S */
	(void)pcre2_set_parens_nest_limit(context, NESTING_MAX);
	return context;
}

static pcre2_code *compile(const char *text, size_t length, uint32_t extra_options,
			   struct error *err)
{
	int code = 0;
	size_t offset = 0;
	pcre2_compile_context *context = new_compile_context();
	pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)text, length,
					     PCRE2_UTF | PCRE2_USE_OFFSET_LIMIT |
						     PCRE2_NEVER_BACKSLASH_C | extra_options,
					     &code, &offset, context);
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
	return compiled;
}

static bool make_machine_code(pcre2_code *code)
{
	size_t size = 0;
	return pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0 &&
	       pcre2_pattern_info(code, PCRE2_INFO_JITSIZE, &size) == 0 && size > 0;
}

static void destroy(struct pattern *pattern)
{
	pcre2_code_free(pattern->code);
	pcre2_code_free(pattern->plain);
	pcre2_code_free(pattern->ending);
	pcre2_code_free(pattern->ending_plain);
	free(pattern->ends);
	free(pattern->text);
	free(pattern);
}

/* What the interpreter searches with; it calls us before each part of the pattern. */
static int compile_for_interpreter(const char *text, size_t length, pcre2_code **ret_code,
				   pcre2_code **ret_plain, struct error *err)
{
	pcre2_code_free(*ret_code);
	*ret_code = compile(text, length, ANY_BYTES | PCRE2_AUTO_CALLOUT, err);
	if (*ret_code == NULL)
		return -1;
	*ret_plain = compile(text, length, PCRE2_AUTO_CALLOUT, err);
	return *ret_plain == NULL ? -1 : 0;
}

/* A second copy of a pattern that begins with ".*", for bodies that are valid UTF-8: see ANY_BYTES. */
static bool make_plain_machine_code(struct pattern *pattern, size_t length)
{
	struct error err;
	uint32_t first = 0;
	uint32_t options = 0;
	pcre2_code *plain = compile(pattern->text, length, 0, &err);
	if (plain == NULL)
		return false;
	(void)pcre2_pattern_info(plain, PCRE2_INFO_FIRSTCODETYPE, &first);
	(void)pcre2_pattern_info(plain, PCRE2_INFO_ALLOPTIONS, &options);
	bool is_bound = first == AFTER_NEWLINES || (options & PCRE2_ANCHORED) != 0;
	if (is_bound && make_machine_code(plain))
		pattern->plain = plain;
	else
		pcre2_code_free(plain);
	return !is_bound || pattern->plain != NULL;
}

/*
 * PCRE2 (10.42) misreads \D, \S and \W by machine code for any bytes: there they match no character beyond ASCII, as \S+ not all of
 * "Müller", but in a class they do.
 */
static bool compile_for_machine(struct pattern *pattern)
{
	struct error err;
	bool is_misread = strstr(pattern->text, "\\W") != NULL ||
			  strstr(pattern->text, "\\D") != NULL ||
			  strstr(pattern->text, "\\S") != NULL;
	if (!is_misread)
		return make_machine_code(pattern->code);
	char *text = pattern_text_with_classes(pattern->text);
	pcre2_code *code = compile(text, strlen(text), ANY_BYTES, &err);
	free(text);
	if (code == NULL) /* larger than the original */
		return false;
	pcre2_code_free(pattern->code);
	pattern->code = code;
	return make_machine_code(code);
}

static struct pattern *create(const char *text, size_t length, struct error *err)
{
	struct pattern *pattern = xcalloc(1, sizeof(*pattern));
	pattern->text = xstrdup(text);
	pattern->code = compile(text, length, ANY_BYTES, err);
	if (pattern->code == NULL)
		goto fail;
	/* Machine code counts no step where it tries a reference back again and again: seconds in one position. */
	uint32_t references = 0;
	(void)pcre2_pattern_info(pattern->code, PCRE2_INFO_BACKREFMAX, &references);
	bool is_machine_code =
		references == 0 && compile_for_machine(pattern) &&
		(strchr(text, '.') == NULL || make_plain_machine_code(pattern, length));
	if (!is_machine_code &&
	    compile_for_interpreter(text, length, &pattern->code, &pattern->plain, err) != 0)
		goto fail;
	struct pattern_ends ends;
	pattern_ends_find(text, references > 0, &ends);
	if (ends.may_matter) {
		pattern->ends = xmemdup(&ends, sizeof(ends));
		if (compile_for_interpreter(text, length, &pattern->ending, &pattern->ending_plain,
					    err) != 0)
			goto fail;
	}
	(void)pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &pattern->groups);
	return pattern;
fail:
	destroy(pattern);
	return NULL;
}

struct pattern *pattern_compile(const char *text, struct error *err)
{
	size_t length = strlen(text);
	if (length > PATTERN_TEXT_MAX) {
		error_set(err, ERROR_REJECT, "longer than %d bytes", (int)PATTERN_TEXT_MAX);
		return NULL;
	}
	struct pattern *pattern;
	(void)pthread_mutex_lock(&patterns_lock);
	HASH_FIND(hh, patterns, text, length, pattern);
	if (pattern == NULL) {
		pattern = create(text, length, err);
		if (pattern != NULL)
			HASH_ADD_KEYPTR(hh, patterns, pattern->text, length, pattern);
	}
	if (pattern != NULL)
		pattern->users++;
	(void)pthread_mutex_unlock(&patterns_lock);
	return pattern;
}

void pattern_destroy(struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	(void)pthread_mutex_lock(&patterns_lock);
	if (--pattern->users == 0) {
		HASH_DEL(patterns, pattern);
		destroy(pattern);
	}
	(void)pthread_mutex_unlock(&patterns_lock);
}

/* One search: what it looks through, with what, and how far it may go. */
struct search {
	const pcre2_code *code;
	const char *bytes;
	size_t length;
	uint32_t options;
	pcre2_match_data *data; /* room for the whole match and the first group */
	pcre2_match_context *context;
	pcre2_jit_stack *stack; /* NULL until the first 32 KiB were not enough */
	const struct pattern_budget *budget;
	unsigned callouts;
	struct pattern_ends_watch watch; /* without ends: nothing is watched */
};

static int64_t thread_cpu_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * CLOCK_US_PER_S + now.tv_nsec / 1000;
}

static int64_t budget_left_us(const struct pattern_budget *budget)
{
	int64_t left_us = budget->until - clock_mono_us();
	if (budget->cpu_until_us == 0)
		return left_us;
	int64_t cpu_left_us = budget->cpu_until_us - thread_cpu_us();
	return cpu_left_us < left_us ? cpu_left_us : left_us;
}

/* The interpreter, before each part of a pattern: end it where the time is up, and what is a match only because the subject ends. */
static int on_callout(pcre2_callout_block *block, void *context)
{
	struct search *search = context;
	if (++search->callouts % CALLOUTS_A_LOOK == 0 && budget_left_us(search->budget) <= 0)
		return PCRE2_ERROR_CALLOUT;
	if (search->watch.ends == NULL)
		return 0;
	const char *at = (const char *)block->subject + block->current_position;
	if (pattern_ends_watch_step(&search->watch, block->pattern_position,
				    (size_t)(at - search->bytes)))
		return 1;
	return search->watch.steps_in_vain < VAIN_STEPS_MAX ? 0 : PCRE2_ERROR_CALLOUT;
}

static void search_init(struct search *search, const struct pattern *pattern, const char *bytes,
			size_t length, const struct pattern_budget *budget)
{
	*search = (struct search){
		.code = pattern->code,
		.bytes = bytes,
		.length = length,
		.data = pcre2_match_data_create(2, NULL),
		.context = pcre2_match_context_create(NULL),
		.budget = budget,
	};
	if (search->data == NULL || search->context == NULL)
		abort(); /* out of memory, as in xmalloc() */
	(void)pcre2_set_heap_limit(search->context, HEAP_MAX_KIB);
	(void)pcre2_set_callout(search->context, on_callout, search);
	if (pattern->plain != NULL && text_is_utf8(bytes, length)) {
		search->code = pattern->plain;
		search->options = PCRE2_NO_UTF_CHECK;
	}
}

static void search_finish(struct search *search)
{
	pcre2_match_data_free(search->data);
	pcre2_match_context_free(search->context);
	pcre2_jit_stack_free(search->stack);
}

/* Try the start positions from first to last. Returns as pcre2_match(). */
static int search_window(struct search *search, size_t first, size_t last, uint32_t limit)
{
	(void)pcre2_set_match_limit(search->context, limit);
	(void)pcre2_set_offset_limit(search->context, last);
	int code = pcre2_match(search->code, (PCRE2_SPTR)search->bytes, search->length, first,
			       search->options, search->data, search->context);
	if (code != PCRE2_ERROR_JIT_STACKLIMIT || search->stack != NULL)
		return code;
	search->stack = pcre2_jit_stack_create(STACK_START, STACK_MAX, NULL);
	if (search->stack == NULL)
		return code;
	pcre2_jit_stack_assign(search->context, NULL, search->stack);
	return pcre2_match(search->code, (PCRE2_SPTR)search->bytes, search->length, first,
			   search->options, search->data, search->context);
}

static void read_span(const struct pattern *pattern, pcre2_match_data *data, int pairs,
		      struct pattern_span *ret_span)
{
	const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);
	size_t group = pattern->groups > 0 ? 1 : 0;
	*ret_span = (struct pattern_span){0};
	/* pairs is 0 when there are more groups than room; a group that took no part is PCRE2_UNSET. */
	bool is_set = (pairs == 0 || (size_t)pairs > group) && offsets[2 * group] != PCRE2_UNSET;
	if (!is_set)
		return;
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

/* The first start position behind last: a character's first byte. */
static size_t next_start(const struct search *search, size_t last)
{
	size_t start = last + 1;
	while (start < search->length && is_continuation(search->bytes[start]))
		start++;
	return start;
}

struct pattern_budget pattern_budget_of_time(int64_t us)
{
	return (struct pattern_budget){.until = clock_mono_us() + us};
}

struct pattern_budget pattern_budget_of_cpu(int64_t cpu_us, mono_us until)
{
	return (struct pattern_budget){.until = until, .cpu_until_us = thread_cpu_us() + cpu_us};
}

/*
 * A step is not always a moment: one that runs through the page (a look-ahead with a repeated letter, a reference back to all of
 * it) takes 100 us, so windows grow only while they are quick.
 */
static size_t next_window(size_t positions, int64_t took_us, int64_t left_us)
{
	if (took_us > left_us / 2)
		return positions > 4 ? positions / 4 : 1;
	if (took_us <= left_us / 8 && positions < LAST_WINDOW)
		return positions * 4;
	return positions;
}

/* Whether what was found from one of these positions is found whatever follows; where something else is, span becomes that. */
static enum pattern_result find_whatever_follows(struct search *search,
						 const struct pattern *pattern, size_t first,
						 size_t last, struct pattern_span *span)
{
	/* What stands before the end looks one character further: $ also at a last line's end, of three bytes at most. */
	enum { LINE_END_MAX = 3 };
	const struct pattern_ends *ends = pattern->ends;
	size_t end = pcre2_get_ovector_pointer(search->data)[1];
	if (ends == NULL || (!ends->look_far && end + LINE_END_MAX < search->length))
		return PATTERN_FOUND;
	bool is_plain = text_is_utf8(search->bytes, search->length);
	int64_t left_us = budget_left_us(search->budget);
	if (left_us <= (is_plain ? 0 : ANY_BYTES_LOOK_US))
		return PATTERN_TOO_COSTLY;
	const struct search found = *search;
	search->code = is_plain ? pattern->ending_plain : pattern->ending;
	search->options =
		(ends->are_told ? 0 : PCRE2_PARTIAL_HARD) | (is_plain ? PCRE2_NO_UTF_CHECK : 0);
	search->watch = (struct pattern_ends_watch){
		.ends = ends->are_told ? ends : NULL,
		.bytes = search->bytes,
		.length = search->length,
	};
	int code = search_window(search, first, last,
				 (uint32_t)clamp(left_us * STEPS_PER_US, FIRST_LIMIT, UINT32_MAX));
	search->code = found.code;
	search->options = found.options;
	search->watch.ends = NULL;
	if (code >= 0 && ends->are_told)
		read_span(pattern, search->data, code, span);
	if (code >= 0)
		return PATTERN_FOUND;
	if (code == PCRE2_ERROR_PARTIAL || code == PCRE2_ERROR_NOMATCH ||
	    search->watch.steps_in_vain >= VAIN_STEPS_MAX)
		return PATTERN_NOT_FOUND;
	return PATTERN_TOO_COSTLY;
}

static enum pattern_result search_subject(const struct pattern *pattern, const char *bytes,
					  size_t length, bool is_beginning,
					  const struct pattern_budget *budget,
					  struct pattern_span *ret_span)
{
	const int64_t budget_us = budget_left_us(budget);
	const int64_t quantum = clamp(budget_us * STEPS_PER_US / 5, QUANTUM_MIN, QUANTUM_MAX);
	enum pattern_result result = PATTERN_TOO_COSTLY;
	struct search search;
	search_init(&search, pattern, bytes == NULL ? "" : bytes, length, budget);
	int64_t limit = FIRST_LIMIT;
	size_t positions = FIRST_WINDOW;
	size_t start = 0;
	int64_t left_us = budget_us;
	int unsure = 0;
	while (left_us > 0) {
		size_t window = limit < quantum ? (size_t)(quantum / limit) : 1;
		if (window > positions)
			window = positions;
		size_t last = window < length - start ? start + window - 1 : length;
		int code = search_window(&search, start, last, (uint32_t)limit);
		if (code >= 0) {
			struct pattern_span span;
			read_span(pattern, search.data, code, &span);
			result = is_beginning ? find_whatever_follows(&search, pattern, start, last,
								      &span)
					      : PATTERN_FOUND;
			if (result == PATTERN_FOUND)
				*ret_span = span;
			if (result != PATTERN_NOT_FOUND || ++unsure == UNSURE_MAX)
				break;
			/* there may be another one behind it */
			result = PATTERN_TOO_COSTLY;
			code = PCRE2_ERROR_NOMATCH;
		}
		if (code == PCRE2_ERROR_NOMATCH && last == length) {
			result = PATTERN_NOT_FOUND;
			break;
		}
		int64_t took_us = left_us;
		left_us = budget_left_us(budget);
		took_us -= left_us;
		if (code == PCRE2_ERROR_NOMATCH) {
			start = next_start(&search, last);
			positions = next_window(positions, took_us, left_us);
			if (limit >
			    FIRST_LIMIT) /* one costly place must not slow the rest of the page */
				limit /= 2;
		} else if (code == PCRE2_ERROR_MATCHLIMIT && took_us < left_us) {
			int64_t most = window > 1 ? quantum : left_us * STEPS_PER_US;
			int64_t factor = took_us * 4 < left_us ? 4 : 2;
			limit = clamp(limit * factor, FIRST_LIMIT,
				      clamp(most, FIRST_LIMIT, UINT32_MAX));
		} else {
			break; /* more time, or memory (STACK_MAX, HEAP_MAX_KIB), than there is */
		}
	}
	search_finish(&search);
	bool is_last_try = budget->cpu_until_us != 0;
	if (result == PATTERN_TOO_COSTLY && unsure > 0 && is_last_try)
		return PATTERN_NOT_FOUND;
	return result;
}

enum pattern_result pattern_search_within(const struct pattern *pattern, const char *bytes,
					  size_t length, const struct pattern_budget *budget,
					  struct pattern_span *ret_span)
{
	return search_subject(pattern, bytes, length, false, budget, ret_span);
}

/* Without a character at the end of which the rest is to come, and without a CR, which may be half a line's end. */
static size_t whole_characters(const char *bytes, size_t length)
{
	enum { CHARACTER_MAX = 4 };
	if (length > 0 && bytes[length - 1] == '\r')
		return length - 1;
	size_t start = length;
	while (start > 0 && length - start < CHARACTER_MAX - 1 && is_continuation(bytes[start - 1]))
		start--;
	if (start == 0)
		return length;
	unsigned char first = (unsigned char)bytes[start - 1];
	size_t needed = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
	return length - (start - 1) < needed ? start - 1 : length;
}

enum pattern_result pattern_search_beginning(const struct pattern *pattern, const char *bytes,
					     size_t length, const struct pattern_budget *budget,
					     struct pattern_span *ret_span)
{
	return search_subject(pattern, bytes, whole_characters(bytes, length), true, budget,
			      ret_span);
}

enum pattern_result pattern_search(const struct pattern *pattern, const char *bytes, size_t length,
				   int64_t budget_us, struct pattern_span *ret_span)
{
	const struct pattern_budget budget = pattern_budget_of_time(budget_us);
	return pattern_search_within(pattern, bytes, length, &budget, ret_span);
}
