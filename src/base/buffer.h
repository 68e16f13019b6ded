/*
 * A growing array of bytes with a declared maximum. Going over the maximum sets is_overflowed, drops
 * what did not fit, and every later append as well, so that a writer may check once at its end.
 * One thread at a time.
 */
#ifndef WEBSENTRY_BASE_BUFFER_H
#define WEBSENTRY_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *data;    /* NUL-terminated once anything was appended; NULL before */
	size_t length; /* bytes, the NUL not counted */
	size_t capacity;
	size_t max_length; /* bytes */
	bool is_overflowed;
};

void buffer_init(struct buffer *buffer, size_t max_length);
void buffer_finish(struct buffer *buffer); /* releases the bytes; the buffer may be used again */
void buffer_clear(struct buffer *buffer);  /* keeps the memory */

/* Return 0, or -1 with is_overflowed set and nothing of this call appended. */
int buffer_append(struct buffer *buffer, const void *bytes, size_t length);
int buffer_append_text(struct buffer *buffer, const char *text);
int buffer_append_char(struct buffer *buffer, char c);
int buffer_append_format(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Room for length bytes behind what is there, for the caller to fill; buffer_grown() says how many it filled. NULL: overflowed. */
char *buffer_grow(struct buffer *buffer, size_t length);
void buffer_grown(struct buffer *buffer, size_t length);

/* The bytes, NUL-terminated, to be freed by the caller; the buffer is empty afterwards. Never NULL. */
char *buffer_take(struct buffer *buffer);

#endif
