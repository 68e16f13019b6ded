/* An input that is taken apart, and what is promised of every text that leaves us. */
#ifndef WEBSENTRY_TESTS_FUZZ_INPUT_H
#define WEBSENTRY_TESTS_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
	const char *at;
	size_t left;
};

struct input input_of(const uint8_t *data, size_t size);

/* FNV-1a: to choose some inputs of many, whatever they begin with. */
uint32_t input_hash(const uint8_t *data, size_t size);

/* The next byte; 0 at the end. */
unsigned input_byte(struct input *input);
/* Eight bytes as a number. */
int64_t input_number(struct input *input);

/* Everything up to the next newline, which is left out, or to the end; NUL-terminated, and so cut at a NUL. The caller's. */
char *input_line(struct input *input);

/* UTF-8 by the letter of RFC 3629: an oracle that shares nothing with base/text.c. */
bool input_is_utf8(const char *bytes, size_t length);
/* The same without C0, DEL, C1 and bidirectional controls, but for newlines where they are allowed. */
bool input_is_safe(const char *bytes, size_t length, bool may_have_lines);

#endif
