/*
 * Regular expressions of users against bodies of strangers (PCRE2): a search that always ends.
 *
 * PCRE2's match limit counts per start position, so a search is cut into windows of start positions
 * (PCRE2_USE_OFFSET_LIMIT) with a clock between them, and a match limit within. A compiled pattern is read-only and may
 * be used by any thread; each search has its own scratch.
 */
#ifndef WEBSENTRY_PATTERN_PATTERN_H
#define WEBSENTRY_PATTERN_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/error.h"

struct pattern;

enum { PATTERN_TEXT_MAX = 16 * 1024 }; /* bytes of a pattern's text */

/*
 * Compile. The same text gives the same object again; each is to be destroyed. NULL with ERROR_REJECT, and PCRE2's message
 * and offset ("missing closing parenthesis at offset 4").
 */
struct pattern *pattern_compile(const char *text, struct error *err);
void pattern_destroy(struct pattern *pattern);

enum pattern_result { PATTERN_FOUND, PATTERN_NOT_FOUND, PATTERN_TOO_COSTLY };

/* Where a match lies in the subject. has_capture: the first group took part (the whole match where there is no group). */
struct pattern_span {
	bool has_capture;
	size_t start; /* bytes */
	size_t end;
};

/*
 * Search bytes (any bytes; invalid UTF-8 matches nothing but does no harm) for at most budget_us of time.
 * PATTERN_TOO_COSTLY: not decided within it. ret_span is written only on PATTERN_FOUND.
 */
enum pattern_result pattern_search(const struct pattern *pattern, const char *bytes, size_t length,
				   int64_t budget_us, struct pattern_span *ret_span);

/*
 * How long searches may go on: until a moment, and, where cpu_until_us is not 0, until the thread that searches has used so much CPU
 * of its own: on a busy machine a search waits for the processor, which says nothing about the pattern. Reading that clock costs
 * more than most searches do.
 */
struct pattern_budget {
	mono_us until;
	int64_t cpu_until_us;
};

struct pattern_budget pattern_budget_of_time(int64_t us);
/* For the calling thread alone. */
struct pattern_budget pattern_budget_of_cpu(int64_t cpu_us, mono_us until);

/* As pattern_search(). */
enum pattern_result pattern_search_within(const struct pattern *pattern, const char *bytes,
					  size_t length, const struct pattern_budget *budget,
					  struct pattern_span *ret_span);

/*
 * The same in bytes that are the beginning of more. PATTERN_FOUND: it is, whatever follows; PATTERN_NOT_FOUND: they do not tell, as "x$"
 * or "x(?!y)" at their end.
 */
enum pattern_result pattern_search_beginning(const struct pattern *pattern, const char *bytes,
					     size_t length, const struct pattern_budget *budget,
					     struct pattern_span *ret_span);

#endif
