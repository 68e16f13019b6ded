#include "app/check_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/check_details.h"
#include "app/check_text.h"
#include "app/phase_bar.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/site.h"
#include "check/verdict.h"

enum { DAY_S = 86400 };

/* "The reason in words: the message" */
static void put_reason(struct buffer *out, enum reason reason, const char *message, int indent,
		       const struct check_print_style *style)
{
	struct buffer text;
	buffer_init(&text, CHECK_PRINT_MAX);
	check_text_put(&text, reason_text(reason));
	if (!text_is_empty(message)) {
		check_text_put(&text, ": ");
		check_text_put_clean(&text, message);
	}
	check_text_put_wrapped(out, text.data, indent, style);
	buffer_finish(&text);
}

static void write_headline(struct buffer *out, const struct report *report,
			   const struct check_print_style *style)
{
	const struct verdict *verdict = report->verdict;
	struct check_text_look look = check_text_look(verdict->outcome);
	char word[32];
	(void)snprintf(word, sizeof(word), "%s%s%s", style->is_utf8 ? look.symbol : "",
		       style->is_utf8 ? " " : "", look.word);
	check_text_put_coloured(out, style, look.colour, word);
	check_text_put(out, "  ");
	check_text_put_clean(out, report->site->name);
	(void)buffer_append_format(out, "\n%*s", CHECK_TEXT_INDENT, "");
	put_reason(out, verdict->reason,
		   verdict->failure_count > 0 ? verdict->failures[0].message : verdict->message,
		   CHECK_TEXT_INDENT, style);
}

/* The deciding failure stands in the headline already. */
static void write_other_failures(struct buffer *out, const struct verdict *verdict,
				 const struct check_print_style *style)
{
	for (size_t i = 1; i < verdict->failure_count; i++) {
		check_text_put_label(out, style, i == 1 ? "and also" : "");
		put_reason(out, verdict->failures[i].reason, verdict->failures[i].message,
			   CHECK_TEXT_INDENT + CHECK_TEXT_LABEL, style);
	}
}

static void put_size(struct buffer *out, int64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double size = (double)bytes;
	size_t unit = 0;
	if (bytes < 1024) {
		(void)buffer_append_format(out, "%" PRId64 " bytes", bytes);
		return;
	}
	for (size /= 1024; size >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		size /= 1024;
	(void)buffer_append_format(out, "%.1f %s", size, units[unit]);
}

static void put_response(struct buffer *out, const struct hop *hop)
{
	const char *version = http_version_name(hop->http_version);
	if (hop->http_status_code != 0)
		(void)buffer_append_format(out, "%d", hop->http_status_code);
	else
		check_text_put(out, "no response");
	if (version != NULL)
		(void)buffer_append_format(out, " over HTTP/%s", version);
	if (hop->ip[0] != '\0') {
		check_text_put(out, " from ");
		check_text_put_clean(out, hop->ip);
	}
}

static void write_response(struct buffer *out, const struct observation *seen,
			   const struct check_print_style *style)
{
	check_text_put_label(out, style, "response");
	put_response(out, &seen->final);
	if (seen->body_bytes >= 0) {
		check_text_put(out, ", ");
		put_size(out, seen->body_bytes);
	}
	if (seen->decoded_bytes >= 0 && seen->decoded_bytes != seen->body_bytes) {
		check_text_put(out, " (");
		put_size(out, seen->decoded_bytes);
		check_text_put(out, " decoded)");
	}
	check_text_put(out, "\n");
}

/* One scale for all hops of a check, so that their bars can be compared. */
static int64_t longest_hop(const struct observation *seen)
{
	int64_t longest = seen->final.total_us;
	for (size_t i = 0; i < seen->redirect_count; i++) {
		if (seen->redirects[i].total_us > longest)
			longest = seen->redirects[i].total_us;
	}
	return longest;
}

static void write_hop_time(struct buffer *out, const struct hop *hop, int64_t longest,
			   const struct check_print_style *style)
{
	int cells = style->width - CHECK_TEXT_INDENT;
	if (hop->total_us <= 0 || longest <= 0)
		return;
	cells = (int)((double)hop->total_us / (double)longest * cells);
	(void)buffer_append_format(out, "%*s", CHECK_TEXT_INDENT, "");
	phase_bar_write(out, hop, cells, style);
	check_text_put(out, "\n");
	phase_bar_write_legend(out, hop, CHECK_TEXT_INDENT, style);
}

static void write_redirects(struct buffer *out, const struct observation *seen, int64_t longest,
			    const struct check_print_style *style)
{
	for (size_t i = 0; i < seen->redirect_count; i++) {
		const struct hop *hop = &seen->redirects[i];
		(void)buffer_append_format(out, "\n%*s%zu. ", CHECK_TEXT_INDENT, "", i + 1);
		if (hop->url != NULL)
			check_text_put_clean(out, hop->url);
		(void)buffer_append_format(out, "\n%*s", CHECK_TEXT_INDENT, "");
		put_response(out, hop);
		check_text_put(out, ", ");
		phase_bar_write_ms(out, hop->total_us);
		check_text_put(out, "\n");
		write_hop_time(out, hop, longest, style);
	}
	if (seen->redirect_count > 0 && seen->final.url != NULL) {
		(void)buffer_append_format(out, "\n%*s%zu. ", CHECK_TEXT_INDENT, "",
					   seen->redirect_count + 1);
		check_text_put_clean(out, seen->final.url);
		(void)buffer_append_format(out, "\n%*s", CHECK_TEXT_INDENT, "");
		put_response(out, &seen->final);
		check_text_put(out, ", ");
		phase_bar_write_ms(out, seen->final.total_us);
		check_text_put(out, "\n");
	}
}

static void put_date(struct buffer *out, wall_us time)
{
	char text[CLOCK_TEXT_SIZE];
	clock_format(time, text);
	(void)buffer_append(out, text, strlen("2026-11-21"));
}

static void put_days_left(struct buffer *out, wall_us end, wall_us now)
{
	int64_t days = (end - now) / ((int64_t)DAY_S * CLOCK_US_PER_S);
	if (end < now)
		check_text_put(out, "ended on ");
	else
		(void)buffer_append_format(out, "%" PRId64 " day%s left, until ", days,
					   days == 1 ? "" : "s");
	put_date(out, end);
}

static void write_certificate(struct buffer *out, const struct observation *seen,
			      const struct check_print_style *style)
{
	if (seen->tls_version[0] != '\0') {
		check_text_put_label(out, style, "tls");
		(void)buffer_append_format(out, "TLS %s\n", seen->tls_version);
	}
	if (seen->cert_not_after == TIME_UNKNOWN)
		return;
	check_text_put_label(out, style, "certificate");
	put_days_left(out, seen->cert_not_after, seen->started_at);
	if (!text_is_empty(seen->cert_issuer)) {
		check_text_put(out, ", issued by ");
		check_text_put_clean(out, seen->cert_issuer);
	}
	check_text_put(out, "\n");
	if (seen->chain_not_after == TIME_UNKNOWN || seen->chain_not_after >= seen->cert_not_after)
		return;
	check_text_put_label(out, style, "chain");
	put_days_left(out, seen->chain_not_after, seen->started_at);
	check_text_put(out, "\n");
}

static void write_pattern(struct buffer *out, const struct report *report,
			  const struct check_print_style *style)
{
	const struct match *match = &report->observation->pattern;
	if (text_is_empty(report->site->pattern_text))
		return;
	check_text_put_label(out, style, "pattern");
	check_text_put_clean(out, report->site->pattern_text);
	switch (match->state) {
	case MATCH_NOT_TRIED:
	case MATCH_MISSING:
	case MATCH_NOT_JSON:
	case MATCH_TOO_DEEP:
		check_text_put(out, " was not looked for");
		break;
	case MATCH_FOUND:
		check_text_put(out, " found");
		if (match->capture != NULL) {
			check_text_put(out, ": ");
			check_text_put_clean(out, match->capture);
		}
		break;
	case MATCH_NOT_FOUND:
		check_text_put(out, " not found");
		break;
	case MATCH_TRUNCATED:
		check_text_put(out, " not found in the part of the body that is searched");
		break;
	case MATCH_TOO_COSTLY:
		check_text_put(out, " took too long to look for");
		break;
	}
	check_text_put(out, "\n");
}

void check_print_write(struct buffer *out, const struct report *report,
		       const struct check_print_style *style)
{
	const struct observation *seen = report->observation;
	struct check_print_style bounded = *style;
	if (bounded.width < CHECK_PRINT_WIDTH_MIN)
		bounded.width = CHECK_PRINT_WIDTH_MIN;
	if (bounded.width > CHECK_PRINT_WIDTH_MAX)
		bounded.width = CHECK_PRINT_WIDTH_MAX;
	int64_t longest = longest_hop(seen);

	write_headline(out, report, &bounded);
	write_other_failures(out, report->verdict, &bounded);
	check_text_put(out, "\n");
	if (strcmp(report->site->name, report->site->redacted_url) != 0) {
		check_text_put_label(out, &bounded, "url");
		check_text_put_clean(out, report->site->redacted_url);
		check_text_put(out, "\n");
	}
	write_response(out, seen, &bounded);
	write_certificate(out, seen, &bounded);
	write_pattern(out, report, &bounded);
	check_details_write_attempts(out, report, &bounded);
	if (bounded.is_explained)
		check_details_write_expectations(out, report, &bounded);
	check_text_put_label(out, &bounded, "time");
	phase_bar_write_ms(out, seen->total_us);
	if (seen->redirect_count > 0)
		(void)buffer_append_format(out, " over %zu redirect%s", seen->redirect_count,
					   seen->redirect_count == 1 ? "" : "s");
	check_text_put(out, "\n");
	write_redirects(out, seen, longest, &bounded);
	if (seen->redirect_count == 0)
		check_text_put(out, "\n");
	write_hop_time(out, &seen->final, longest, &bounded);
	check_details_write_evidence(out, report, &bounded);
}

static bool is_utf8_locale(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return strcasestr(value, "UTF-8") != NULL ||
			       strcasestr(value, "UTF8") != NULL;
	}
	return false;
}

/* It would show the codes themselves. */
static bool is_dumb_terminal(void)
{
	const char *name = getenv("TERM");
	return name != NULL && strcmp(name, "dumb") == 0;
}

void check_print_choose_style(FILE *out, struct check_print_style *ret_style)
{
	struct winsize size = {0};
	int fd = fileno(out);
	bool is_terminal = fd >= 0 && isatty(fd) == 1;
	*ret_style = (struct check_print_style){
		.width = CHECK_PRINT_WIDTH_DEFAULT,
		.is_coloured =
			is_terminal && text_is_empty(getenv("NO_COLOR")) && !is_dumb_terminal(),
		.is_utf8 = is_utf8_locale(),
	};
	if (is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		ret_style->width = size.ws_col;
}
