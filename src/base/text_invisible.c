/*
 * Characters that a name must not hold, because two names with and without them look the same, or one looks like another:
 * Unicode 15's categories Cc, Cf, Zl and Zp. Left out are those that are seen (the number signs of Arabic, Syriac and Kaithi)
 * and the joints of hieroglyphs. An emoji may have tags, which tell the flags of England, Scotland and Wales from one another (UTS #51).
 */
#include <stdlib.h>

#include "base/text.h"

static const struct {
	uint32_t first;
	uint32_t last;
} invisible[] = {
	{0x0000, 0x001F},   {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x061C, 0x061C},
	{0x180E, 0x180E},   {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x2064},
	{0x2066, 0x206F},   {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},   {0x1BCA0, 0x1BCA3},
	{0x1D173, 0x1D17A}, {0xE0001, 0xE0001}, {0xE0020, 0xE007F},
};

static bool is_invisible(uint32_t character)
{
	for (size_t i = 0; i < sizeof(invisible) / sizeof(invisible[0]); i++)
		if (character >= invisible[i].first && character <= invisible[i].last)
			return true;
	return false;
}

/* Spelling needs these in Persian, in the scripts of India and in Mongolian, and emoji are joined by one. */
static bool is_joiner(uint32_t character)
{
	return character == 0x200C || character == 0x200D || character == 0x180E;
}

/* The scripts that know joiners begin with Arabic. */
static bool takes_joiner(uint32_t character)
{
	return character >= 0x0600 && !is_invisible(character);
}

/* The character that begins at *at, which moves behind it; 0 at the end. */
static uint32_t next(const unsigned char **at)
{
	const unsigned char *bytes = *at;
	int more = bytes[0] < 0x80 ? 0 : bytes[0] < 0xE0 ? 1 : bytes[0] < 0xF0 ? 2 : 3;
	uint32_t character = more == 0 ? bytes[0] : bytes[0] & (0x3FU >> more);
	for (int i = 1; i <= more; i++)
		character = character << 6 | (bytes[i] & 0x3FU);
	*at += bytes[0] == '\0' ? 0 : more + 1;
	return character;
}

/*
 * Pictures that a sequence of tags may follow (Extended_Pictographic and Emoji_Modifier; some that are no emoji lie between them).
 * Copyright and trade mark signs are left out: they are letters to the eye.
 */
static const struct {
	uint32_t first;
	uint32_t last;
} pictures[] = {
	{0x231A, 0x23FA}, {0x25AA, 0x25FE}, {0x2600, 0x27BF},   {0x2934, 0x2935},
	{0x2B05, 0x2B55}, {0x3030, 0x303D}, {0x1F000, 0x1FAFF},
};

enum { TAG_FIRST = 0xE0020, TAG_LAST = 0xE007E, TAG_END = 0xE007F, EMOJI_STYLE = 0xFE0F };

static bool is_picture(uint32_t character)
{
	for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++)
		if (character >= pictures[i].first && character <= pictures[i].last)
			return true;
	return false;
}

/* Behind the rest of a sequence of tags whose first one was read; NULL where it is not whole. */
static const unsigned char *skip_tags(const unsigned char *at)
{
	uint32_t character = next(&at);
	while (character >= TAG_FIRST && character <= TAG_LAST)
		character = next(&at);
	return character == TAG_END ? at : NULL;
}

bool text_find_invisible(const char *text, uint32_t *ret_character)
{
	const unsigned char *at = (const unsigned char *)text;
	while (*at >= 0x20 && *at < 0x7F)
		at++;
	if (*at == '\0')
		return false; /* nothing but ASCII that is seen, as nearly always */
	at = (const unsigned char *)text;
	uint32_t before = 0;
	bool takes_tags = false;
	for (uint32_t character; (character = next(&at)) != 0;) {
		bool is_tag = character >= TAG_FIRST && character <= TAG_LAST;
		const unsigned char *behind = is_tag && takes_tags ? skip_tags(at) : NULL;
		if (behind != NULL) {
			at = behind; /* all of it is part of the picture before */
			takes_tags = false;
			continue;
		}
		const unsigned char *ahead = at;
		uint32_t after = next(&ahead);
		bool is_between = before != 0 && after != 0 && !is_invisible(before) &&
				  !is_invisible(after) &&
				  (takes_joiner(before) || takes_joiner(after));
		if (is_invisible(character) && !(is_joiner(character) && is_between)) {
			*ret_character = character;
			return true;
		}
		takes_tags = is_picture(character) || (takes_tags && character == EMOJI_STYLE);
		before = character;
	}
	return false;
}
