#include "input.h"

#include <string.h>

#include "base/memory.h"

struct input input_of(const uint8_t *data, size_t size)
{
	return (struct input){.at = (const char *)data, .left = size};
}

uint32_t input_hash(const uint8_t *data, size_t size)
{
	uint32_t hash = 2166136261U;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 16777619U;
	return hash >> 16;
}

unsigned input_byte(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return (unsigned char)*input->at++;
}

int64_t input_number(struct input *input)
{
	uint64_t number = 0;
	for (size_t i = 0; i < sizeof(number); i++)
		number = number << 8 | input_byte(input);
	return (int64_t)number;
}

char *input_line(struct input *input)
{
	const char *end = input->left == 0 ? NULL : memchr(input->at, '\n', input->left);
	size_t length = end == NULL ? input->left : (size_t)(end - input->at);
	char *line = xstrndup(input->left == 0 ? "" : input->at, length);
	length += end == NULL ? 0 : 1;
	if (input->left > 0)
		input->at += length;
	input->left -= length;
	return line;
}

/* The character at bytes and how many bytes it has; 0 where that is none. */
static size_t read_character(const unsigned char *bytes, size_t left, uint32_t *ret_character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = bytes[0] < 0x80   ? 1
			: bytes[0] < 0xC0 ? 0
			: bytes[0] < 0xE0 ? 2
			: bytes[0] < 0xF0 ? 3
			: bytes[0] < 0xF8 ? 4
					  : 0;
	if (length == 0 || length > left)
		return 0;
	uint32_t character = length == 1 ? bytes[0] : bytes[0] & (0x7FU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
		character = character << 6 | (bytes[i] & 0x3FU);
	}
	*ret_character = character;
	bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
	return character < least[length] || character > 0x10FFFF || is_surrogate ? 0 : length;
}

/* Whether the eight bytes are all from space to tilde. */
static bool is_plain_word(const unsigned char *bytes)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word;
	memcpy(&word, bytes, sizeof(word));
	uint64_t odd = word | (word - ones * ' ') | (word + ones);
	return (odd & (ones << 7)) == 0;
}

static bool is_text(const char *bytes, size_t length, bool may_have_controls, bool may_have_lines)
{
	const unsigned char *at = (const unsigned char *)bytes;
	while (length > 0) {
		if (length >= sizeof(uint64_t) && is_plain_word(at)) {
			at += sizeof(uint64_t);
			length -= sizeof(uint64_t);
			continue;
		}
		uint32_t character = 0;
		size_t step = read_character(at, length, &character);
		bool is_control = character < 0x20 || (character >= 0x7F && character < 0xA0) ||
				  (character >= 0x202A && character <= 0x202E) ||
				  (character >= 0x2066 && character <= 0x2069);
		if (step == 0 ||
		    (is_control && !may_have_controls && !(may_have_lines && character == '\n')))
			return false;
		at += step;
		length -= step;
	}
	return true;
}

bool input_is_utf8(const char *bytes, size_t length)
{
	return is_text(bytes, length, true, true);
}

bool input_is_safe(const char *bytes, size_t length, bool may_have_lines)
{
	return is_text(bytes, length, false, may_have_lines);
}
