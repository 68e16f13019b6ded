#include "pattern/pattern_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"

static size_t digits_length(const char *text)
{
	return strspn(text, "0123456789");
}

/* Behind the next of these from text on; to the end where there is none. */
size_t pattern_text_length_to(const char *text, char end)
{
	const char *found = strchr(text, end);
	return found == NULL ? strlen(text) : (size_t)(found + 1 - text);
}

/* \d \x{61} \p{L} \pL \cA \012 \k{name} */
size_t pattern_text_escape_length(const char *text)
{
	char c = text[1];
	if (c == '\0')
		return 1;
	bool has_braces = text[2] == '{' && strchr("xopPkg", c) != NULL;
	if (has_braces || strncmp(text, "\\N{U+", 5) == 0)
		return 2 + pattern_text_length_to(text + 2, '}');
	if (c == 'k' && (text[2] == '<' || text[2] == '\''))
		return 3 + pattern_text_length_to(text + 3, text[2] == '<' ? '>' : '\'');
	if ((c == 'p' || c == 'P' || c == 'c') && text[2] != '\0')
		return 3;
	if (c == 'x')
		return 2 + (isxdigit((unsigned char)text[2]) != 0 ? 1U : 0U) +
		       (isxdigit((unsigned char)text[2]) != 0 &&
					isxdigit((unsigned char)text[3]) != 0
				? 1U
				: 0U);
	return (c >= '0' && c <= '9') ? 1 + digits_length(text + 1) : 2;
}

size_t pattern_text_class_length(const char *text)
{
	size_t at = 1;
	if (text[at] == '^')
		at++;
	if (text[at] == ']')
		at++;
	while (text[at] != '\0' && text[at] != ']') {
		bool is_named = text[at] == '[' && text[at + 1] != '\0' &&
				strchr(":.=", text[at + 1]) != NULL;
		const char *end = is_named ? strchr(text + at + 2, ']') : NULL;
		if (end != NULL && end[-1] == text[at + 1] && end > text + at + 2)
			at = (size_t)(end + 1 - text);
		else
			at += text[at] == '\\' && text[at + 1] != '\0' ? 2 : 1;
	}
	return at + (text[at] == ']');
}

char *pattern_text_with_classes(const char *text)
{
	struct buffer out;
	buffer_init(&out, 2 * strlen(text) + 1);
	while (*text != '\0') {
		size_t length = 1;
		if (strncmp(text, "\\Q", 2) == 0) {
			const char *end = strstr(text, "\\E");
			length = end == NULL ? strlen(text) : (size_t)(end + 2 - text);
		} else if (*text == '\\') {
			length = pattern_text_escape_length(text);
		} else if (*text == '[') {
			length = pattern_text_class_length(text);
		}
		bool is_type = text[0] == '\\' && text[1] != '\0' && strchr("DSW", text[1]) != NULL;
		(void)buffer_append_text(&out, is_type ? "[" : "");
		(void)buffer_append(&out, text, length);
		(void)buffer_append_text(&out, is_type ? "]" : "");
		text += length;
	}
	return buffer_take(&out);
}
