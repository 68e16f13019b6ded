#include "app/check_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/check_print.h"
#include "app/check_text.h"
#include "app/phase_bar.h"
#include "base/buffer.h"
#include "base/text.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/site.h"
#include "check/verdict.h"

enum { WORD_WIDTH = 8, TIME_WIDTH = 11, STATUS_WIDTH = 3 };

static void put_outcome(struct buffer *out, enum outcome outcome,
			const struct check_print_style *style)
{
	struct check_text_look look = check_text_look(outcome);
	char word[32];
	(void)snprintf(word, sizeof(word), "%s%s%-*s", style->is_utf8 ? look.symbol : "",
		       style->is_utf8 ? " " : "", WORD_WIDTH, look.word);
	check_text_put_coloured(out, style, look.colour, word);
}

static void put_time(struct buffer *out, int64_t us)
{
	struct buffer text;
	buffer_init(&text, CHECK_PRINT_MAX);
	phase_bar_write_ms(&text, us);
	(void)buffer_append_format(out, "%*s", TIME_WIDTH, text.data);
	buffer_finish(&text);
}

static void put_status(struct buffer *out, int status)
{
	if (status > 0)
		(void)buffer_append_format(out, "  %*d", STATUS_WIDTH, status);
	else
		(void)buffer_append_format(out, "  %*s", STATUS_WIDTH, "-");
}

void check_line_write(struct buffer *out, const struct report *report, int64_t round,
		      int64_t rounds, const struct check_print_style *style)
{
	const struct verdict *verdict = report->verdict;
	char last[32];
	if (rounds > 1)
		(void)buffer_append_format(out, "%*" PRId64 "  ",
					   snprintf(last, sizeof(last), "%" PRId64, rounds), round);
	put_outcome(out, verdict->outcome, style);
	put_time(out, report->observation->total_us);
	put_status(out, report->observation->final.http_status_code);
	check_text_put(out, "  ");
	check_text_put_clean(out, report->site->name);
	if (!text_is_empty(verdict->message)) {
		check_text_put(out, ": ");
		check_text_put_clean(out, verdict->message);
	}
	check_text_put(out, "\n");
}
