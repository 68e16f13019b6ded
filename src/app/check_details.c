#include "app/check_details.h"

#include <stdlib.h>
#include <string.h>

#include "app/check_print.h"
#include "app/check_text.h"
#include "app/phase_bar.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/attempt.h"
#include "check/evidence.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/verdict.h"

enum { TEXT_COLUMN = CHECK_TEXT_INDENT + CHECK_TEXT_LABEL };

/* The look of a reason: a sign where the terminal has it, else its word. Returns its columns. */
static int put_sign(struct buffer *out, enum outcome outcome, const struct check_print_style *style)
{
	struct check_text_look look = check_text_look(outcome);
	check_text_put_coloured(out, style, look.colour, style->is_utf8 ? look.symbol : look.word);
	check_text_put(out, " ");
	return style->is_utf8 ? 2 : (int)strlen(look.word) + 1;
}

static void write_point(struct buffer *out, const struct point *point,
			const struct check_print_style *style)
{
	int columns = put_sign(out, reason_outcome(point->reason), style);
	struct buffer text;
	buffer_init(&text, CHECK_PRINT_MAX);
	(void)buffer_append_format(&text, "%s: ", point->key);
	check_text_put_clean(&text, point->text);
	check_text_put_wrapped(out, text.data, TEXT_COLUMN + columns, style);
	buffer_finish(&text);
}

void check_details_write_expectations(struct buffer *out, const struct report *report,
				      const struct check_print_style *style)
{
	struct explanation explanation;
	verdict_explain(report->site, report->observation, &explanation);
	check_text_put_label(out, style, "expected");
	if (explanation.count == 0)
		check_text_put_wrapped(out, "nothing was looked at, there was no complete response",
				       TEXT_COLUMN, style);
	for (size_t i = 0; i < explanation.count; i++) {
		if (i > 0)
			check_text_put_label(out, style, "");
		write_point(out, &explanation.points[i], style);
	}
	explanation_finish(&explanation);
}

static void write_attempt(struct buffer *out, const char *label, const struct attempt *attempt,
			  const struct check_print_style *style)
{
	struct buffer text;
	buffer_init(&text, CHECK_PRINT_MAX);
	check_text_put_label(out, style, label);
	int columns = put_sign(out, attempt->outcome, style);
	phase_bar_write_ms(&text, attempt->total_us);
	if (!text_is_empty(attempt->message)) {
		check_text_put(&text, ": ");
		check_text_put_clean(&text, attempt->message);
	}
	check_text_put_wrapped(out, text.data, TEXT_COLUMN + columns, style);
	buffer_finish(&text);
}

void check_details_write_attempts(struct buffer *out, const struct report *report,
				  const struct check_print_style *style)
{
	const struct attempts *earlier = report->observation->earlier;
	if (earlier == NULL)
		return;
	for (size_t i = 0; i < earlier->count; i++)
		write_attempt(out, i == 0 ? "attempts" : "", &earlier->items[i], style);
	const struct attempt last = attempt_of(report->observation, report->verdict);
	write_attempt(out, "", &last, style);
}

/* Lines as they are: what is too long for the terminal is the terminal's to break. */
static void write_lines(struct buffer *out, const char *label, const char *text,
			const struct check_print_style *style)
{
	if (text_is_empty(text))
		return;
	check_text_put(out, "\n");
	check_text_put_label(out, style, label);
	check_text_put(out, "\n");
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		char *line = xstrndup(text, length);
		(void)buffer_append_format(out, "%*s", 2 * CHECK_TEXT_INDENT, "");
		check_text_put_clean(out, line);
		check_text_put(out, "\n");
		free(line);
		text += length;
		text += *text == '\n' ? 1 : 0;
	}
}

void check_details_write_evidence(struct buffer *out, const struct report *report,
				  const struct check_print_style *style)
{
	if (report->evidence == NULL)
		return;
	write_lines(out, "headers", report->evidence->headers, style);
	write_lines(out, "body", report->evidence->body, style);
}
