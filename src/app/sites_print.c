#include "app/sites_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "check/schedule.h"
#include "check/site.h"
#include "check/url.h"
#include "codec/json_print.h"

enum { DURATION_SIZE = 48, DURATION_WIDTH = 8, TIME_WIDTH = 24, TIME_SHOWN = 23 };

static int64_t wait_of(const struct site *site, const struct sites_now *now)
{
	return schedule_first_due_us(site->name, site->interval_us, now->boot) - now->boot;
}

void sites_print_head(struct buffer *out)
{
	(void)buffer_append_format(out, "%-*s  %*s  %*s  %*s  %s\n", TIME_WIDTH, "NEXT RUN",
				   DURATION_WIDTH, "IN", DURATION_WIDTH, "EVERY", DURATION_WIDTH,
				   "TIMEOUT", "SITE");
}

/* "12.3s", "3m20s" */
static void format_wait(int64_t wait_us, char text[static DURATION_SIZE])
{
	if (wait_us < 60 * CLOCK_US_PER_S)
		(void)snprintf(text, DURATION_SIZE, "%" PRId64 ".%" PRId64 "s",
			       wait_us / CLOCK_US_PER_S,
			       wait_us % CLOCK_US_PER_S / (CLOCK_US_PER_S / 10));
	else
		text_format_duration(wait_us / CLOCK_US_PER_S * CLOCK_US_PER_S, text,
				     DURATION_SIZE);
}

void sites_print_line(struct buffer *out, const struct site *site, const struct sites_now *now)
{
	char next[CLOCK_TEXT_SIZE];
	char wait[DURATION_SIZE];
	char interval[DURATION_SIZE];
	char timeout[DURATION_SIZE];
	int64_t wait_us = wait_of(site, now);
	clock_format(now->wall + wait_us, next);
	format_wait(wait_us, wait);
	text_format_duration(site->interval_us, interval, sizeof(interval));
	text_format_duration(site->timeout_us, timeout, sizeof(timeout));
	(void)buffer_append_format(out, "%.*sZ  %*s  %*s  %*s  ", TIME_SHOWN, next, DURATION_WIDTH,
				   wait, DURATION_WIDTH, interval, DURATION_WIDTH, timeout);
	(void)text_clean(out, site->name, strlen(site->name), SITE_NAME_MAX);
	if (strcmp(site->name, site->redacted_url) != 0) {
		(void)buffer_append_text(out, "  ");
		(void)text_clean(out, site->redacted_url, strlen(site->redacted_url),
				 URL_REDACTED_MAX);
	}
	(void)buffer_append_char(out, '\n');
}

void sites_print_json(struct buffer *out, const struct site *site, const struct sites_now *now)
{
	yajl_gen json = json_print_create();
	size_t length;
	(void)yajl_gen_map_open(json);
	json_put_text(json, "site", site->name, SITE_NAME_MAX);
	json_put_text(json, "url", site->redacted_url, URL_REDACTED_MAX);
	json_put_int(json, "interval_us", site->interval_us);
	json_put_int(json, "timeout_us", site->timeout_us);
	json_put_int(json, "offset_us", schedule_offset_us(site->name, site->interval_us));
	json_put_time(json, "next_run_at", now->wall + wait_of(site, now));
	(void)yajl_gen_map_close(json);
	const char *bytes = json_print_bytes(json, &length);
	(void)buffer_append(out, bytes, length);
	(void)buffer_append_char(out, '\n');
	yajl_gen_free(json);
}
