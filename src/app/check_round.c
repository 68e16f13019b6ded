#include "app/check_round.h"

#include "app/check_print.h"
#include "app/check_text.h"
#include "app/phase_bar.h"
#include "base/buffer.h"
#include "base/text.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/round.h"
#include "check/site.h"
#include "check/verdict.h"

static void put_look(struct buffer *out, struct check_text_look look, const char *text,
		     const struct check_print_style *style)
{
	char word[32];
	(void)snprintf(word, sizeof(word), "%s%s%s", style->is_utf8 ? look.symbol : "",
		       style->is_utf8 && text[0] != '\0' ? " " : "", text);
	check_text_put_coloured(out, style, look.colour, word);
}

static void write_address(struct buffer *out, const struct report *report,
			  const struct check_print_style *style)
{
	const struct verdict *verdict = report->verdict;
	const struct hop *hop = &report->observation->final;
	struct check_text_look look = check_text_look(verdict->outcome);
	(void)buffer_append_format(out, "%*s", CHECK_TEXT_INDENT, "");
	put_look(out, look, style->is_utf8 ? "" : look.word, style);
	(void)buffer_append_format(out, " %s  ", report->round->address);
	if (hop->http_status_code != 0)
		(void)buffer_append_format(out, "%d, ", hop->http_status_code);
	phase_bar_write_ms(out, report->observation->total_us);
	if (verdict->reason != REASON_OK) {
		(void)buffer_append_format(out, "  %s", reason_name(verdict->reason));
		if (!text_is_empty(verdict->message)) {
			check_text_put(out, ": ");
			check_text_put_clean(out, verdict->message);
		}
	}
	check_text_put(out, "\n");
}

static void write_verdict(struct buffer *out, const struct report *report,
			  const struct check_print_style *style)
{
	const struct round_verdict *verdict = report->round->verdict;
	struct check_text_look look = check_text_look(verdict->outcome);
	put_look(out, look, look.word, style);
	check_text_put(out, "  ");
	check_text_put_clean(out, report->site->name);
	(void)buffer_append_format(out, "\n%*s", CHECK_TEXT_INDENT, "");
	if (verdict->outcome == OUTCOME_UP)
		(void)buffer_append_format(out, "%zu of %zu address%s work%s, %zu needed",
					   verdict->up, verdict->addresses,
					   verdict->addresses == 1 ? "" : "es",
					   verdict->up == 1 ? "s" : "", verdict->needed);
	else
		check_text_put_clean(out, verdict->message);
	if (verdict->unchecked > 0)
		(void)buffer_append_format(out, "; %zu more %s not checked", verdict->unchecked,
					   verdict->unchecked == 1 ? "is" : "are");
	check_text_put(out, "\n");
}

void check_round_write(struct buffer *out, const struct report *report,
		       const struct check_print_style *style)
{
	if (style->is_explained)
		check_print_write(out, report, style);
	write_address(out, report, style);
	if (report->round->is_last)
		write_verdict(out, report, style);
}
