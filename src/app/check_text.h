/* The lines that `websentry check` prints are made of these. Pure; the buffer's owner's thread. */
#ifndef WEBSENTRY_APP_CHECK_TEXT_H
#define WEBSENTRY_APP_CHECK_TEXT_H

#include "check/outcome.h"

struct buffer;
struct check_print_style;

enum { CHECK_TEXT_INDENT = 2, CHECK_TEXT_LABEL = 13 }; /* columns */

struct check_text_look {
	const char *word;
	const char *colour; /* SGR */
	const char *symbol;
};

struct check_text_look check_text_look(enum outcome outcome);

void check_text_put(struct buffer *out, const char *text);
/* Text that a site or a user controls: no control character of theirs reaches the terminal. */
void check_text_put_clean(struct buffer *out, const char *text);
void check_text_put_coloured(struct buffer *out, const struct check_print_style *style,
			     const char *colour, const char *text);
/* The indent and a label; the line goes on at column CHECK_TEXT_INDENT + CHECK_TEXT_LABEL. */
void check_text_put_label(struct buffer *out, const struct check_print_style *style,
			  const char *label);
/* Text that starts at column indent, broken between words where a line is full; ends the line. */
void check_text_put_wrapped(struct buffer *out, const char *text, int indent,
			    const struct check_print_style *style);

#endif
