/* Random UUIDs (RFC 9562, version 4). Any thread. */
#ifndef WEBSENTRY_BASE_UUID_H
#define WEBSENTRY_BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uuid {
	uint8_t bytes[16]; /* in the order of the text */
};

enum { UUID_TEXT_SIZE = 37 }; /* 36 characters and the NUL */

struct uuid uuid_random(void); /* from the kernel's generator */
void uuid_format(const struct uuid *uuid, char text[static UUID_TEXT_SIZE]); /* lower case */
int uuid_parse(const char *text, size_t length,
	       struct uuid *ret_uuid); /* 0, or -1: not 8-4-4-4-12 hex digits */
bool uuid_equal(const struct uuid *a, const struct uuid *b);

#endif
