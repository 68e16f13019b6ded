/*
 * Text that somebody else controls, made safe; and small readers of text. Pure; any thread.
 */
#ifndef WEBSENTRY_BASE_TEXT_H
#define WEBSENTRY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

/* Whether the bytes are UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing above U+10FFFF. */
bool text_is_utf8(const char *bytes, size_t length);

/*
 * Append bytes to out as safe text: invalid UTF-8 becomes U+FFFD, one for each maximal part (Unicode 15, table 3-8);
 * NUL, C0, DEL and C1 controls become a space (tab and newline too); what would change the order in which a terminal or a page shows
 * the text (U+202A to U+202E, U+2066 to U+2069) becomes its number: "a<U+202E>b". At most max_bytes are appended, cut between characters;
 * nothing becomes more than three times as long. Returns whether all of it fitted.
 */
bool text_clean(struct buffer *out, const char *bytes, size_t length, size_t max_bytes);

/* The same into fresh memory, to be freed by the caller. */
char *text_clean_copy(const char *bytes, size_t length, size_t max_bytes);

/*
 * The first control, format or bidirectional character or line separator of a text that people tell from others by eye;
 * joiners between the letters of scripts that need them are none, nor are the tags of an emoji, whole with their end, as flags have
 * them. text is UTF-8.
 */
bool text_find_invisible(const char *text, uint32_t *ret_character);

bool text_equal_ignoring_case(const char *a, const char *b); /* ASCII letters only */
bool text_starts_with(const char *text, const char *prefix);
bool text_is_empty(const char *text); /* NULL or "" */

/* Read a whole decimal integer (an optional minus sign, digits, nothing else). Returns 0, or -1 with *ret_value as it was. */
int text_parse_int64(const char *text, int64_t *ret_value);

/*
 * Read a duration: "30s", "1h30m", "500ms", "250us", "2d", "1w", "1.5s"; a bare number counts in seconds.
 * Units: us, ms, s, m, h, d, w. Result in microseconds. Returns 0, or -1 where the text is none or overflows.
 */
int text_parse_duration(const char *text, int64_t *ret_us);

/* The shortest exact form that text_parse_duration() reads: "30s", "1m30s", "1500ms". */
void text_format_duration(int64_t us, char *text, size_t size);

/* Read a size in bytes: "512", "64KiB", "16MiB", "1GiB" (KB, MB, GB count in thousands). Returns 0 or -1. */
int text_parse_size(const char *text, int64_t *ret_bytes);

/* The nearest of count candidates by edit distance (Damerau-Levenshtein, optimal string alignment), or NULL where none is
 * near enough to be worth suggesting: more than a third of its length away. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

#endif
