#include "base/uuid.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct uuid uuid_random(void)
{
	struct uuid uuid;
	/* 16 bytes come whole once the generator is seeded; only a signal before that interrupts. */
	while (getrandom(uuid.bytes, sizeof(uuid.bytes), 0) != (ssize_t)sizeof(uuid.bytes))
		if (errno != EINTR)
			abort();
	uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0F) | 0x40);
	uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3F) | 0x80);
	return uuid;
}

static bool is_hyphen_place(size_t place)
{
	return place == 8 || place == 13 || place == 18 || place == 23;
}

void uuid_format(const struct uuid *uuid, char text[static UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	static const unsigned char places[] = {0,  2,  4,  6,  9,  11, 14, 16,
					       19, 21, 24, 26, 28, 30, 32, 34};
	static_assert(sizeof(places) == sizeof(uuid->bytes), "a place for each byte");
	for (size_t i = 0; i < sizeof(places); i++) {
		text[places[i]] = digits[uuid->bytes[i] >> 4];
		text[places[i] + 1] = digits[uuid->bytes[i] & 0x0F];
	}
	text[8] = text[13] = text[18] = text[23] = '-';
	text[UUID_TEXT_SIZE - 1] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int uuid_parse(const char *text, size_t length, struct uuid *ret_uuid)
{
	struct uuid uuid;
	size_t at = 0;
	if (length != UUID_TEXT_SIZE - 1)
		return -1;
	for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
		if (is_hyphen_place(at) && text[at++] != '-')
			return -1;
		int high = hex_value(text[at]);
		int low = hex_value(text[at + 1]);
		if (high < 0 || low < 0)
			return -1;
		uuid.bytes[i] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	*ret_uuid = uuid;
	return 0;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
