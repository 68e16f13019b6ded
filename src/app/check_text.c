#include "app/check_text.h"

#include <string.h>

#include "app/check_print.h"
#include "base/buffer.h"
#include "base/text.h"

enum { WRAP_MIN = 20 };

struct check_text_look check_text_look(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_UP:
		return (struct check_text_look){"UP", "1;32", "✔"};
	case OUTCOME_DEGRADED:
		return (struct check_text_look){"DEGRADED", "1;33", "▲"};
	case OUTCOME_DOWN:
		return (struct check_text_look){"DOWN", "1;31", "✖"};
	case OUTCOME_UNKNOWN:
	case OUTCOME_COUNT:
		break;
	}
	return (struct check_text_look){"UNKNOWN", "1;35", "◆"};
}

void check_text_put(struct buffer *out, const char *text)
{
	(void)buffer_append_text(out, text);
}

void check_text_put_clean(struct buffer *out, const char *text)
{
	(void)text_clean(out, text, strlen(text), CHECK_PRINT_MAX);
}

void check_text_put_coloured(struct buffer *out, const struct check_print_style *style,
			     const char *colour, const char *text)
{
	if (style->is_coloured)
		(void)buffer_append_format(out, "\033[%sm%s\033[0m", colour, text);
	else
		check_text_put(out, text);
}

void check_text_put_label(struct buffer *out, const struct check_print_style *style,
			  const char *label)
{
	(void)buffer_append_format(out, "%*s", CHECK_TEXT_INDENT, "");
	check_text_put_coloured(out, style, "2", label);
	(void)buffer_append_format(out, "%*s", CHECK_TEXT_LABEL - (int)strlen(label), "");
}

static size_t characters(const char *text, size_t length)
{
	size_t count = 0;
	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xC0) != 0x80;
	return count;
}

void check_text_put_wrapped(struct buffer *out, const char *text, int indent,
			    const struct check_print_style *style)
{
	size_t room = style->width > indent + WRAP_MIN ? (size_t)(style->width - indent) : WRAP_MIN;
	size_t column = 0;
	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		size_t width = characters(text, length);
		if (column > 0 && column + 1 + width > room) {
			(void)buffer_append_format(out, "\n%*s", indent, "");
			column = 0;
		} else if (column > 0) {
			check_text_put(out, " ");
			column++;
		}
		(void)buffer_append(out, text, length);
		column += width;
		text += length + strspn(text + length, " ");
	}
	check_text_put(out, "\n");
}
