#include "app/check_summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/check_print.h"
#include "app/check_text.h"
#include "app/phase_bar.h"
#include "app/samples.h"
#include "app/sparkline.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "check/site.h"
#include "check/url.h"
#include "codec/json_print.h"

enum { FIGURE_WIDTH = 12, NAME_WIDTH = 10 };

static void put_outcomes(struct buffer *out, const struct site *site, const struct samples *samples)
{
	check_text_put_clean(out, site->name);
	(void)buffer_append_format(out, ": %zu check%s", samples->count,
				   samples->count == 1 ? "" : "s");
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		if (samples->outcomes[i] > 0)
			(void)buffer_append_format(out, ", %zu %s", samples->outcomes[i],
						   outcome_name((enum outcome)i));
	}
	check_text_put(out, "\n");
}

static void put_figure(struct buffer *out, int64_t us)
{
	struct buffer text;
	buffer_init(&text, CHECK_PRINT_MAX);
	phase_bar_write_ms(&text, us);
	(void)buffer_append_format(out, "%*s", FIGURE_WIDTH, text.data);
	buffer_finish(&text);
}

static void put_series(struct buffer *out, const struct samples *samples, int series)
{
	const struct sample_figures figures = samples_sum_up(samples, series);
	if (figures.count == 0)
		return;
	(void)buffer_append_format(out, "  %-*s", NAME_WIDTH, samples_series_name(series));
	put_figure(out, figures.min);
	put_figure(out, figures.median);
	put_figure(out, figures.p95);
	put_figure(out, figures.max);
	check_text_put(out, "\n");
}

static void put_sparkline(struct buffer *out, const struct samples *samples,
			  const struct check_print_style *style)
{
	int64_t *totals = xcalloc(samples->count, sizeof(totals[0]));
	int room = style->width - CHECK_TEXT_INDENT;
	for (size_t i = 0; i < samples->count; i++)
		totals[i] = samples->items[i].us[SAMPLE_TOTAL];
	check_text_put(out, "  ");
	sparkline_write(out, totals, samples->count, room > 1 ? (size_t)room : 1, style->is_utf8);
	check_text_put(out, "\n");
	free(totals);
}

void check_summary_write(struct buffer *out, const struct site *site, const struct samples *samples,
			 const struct check_print_style *style)
{
	put_outcomes(out, site, samples);
	if (samples->measured == 0) {
		if (samples->count > 0)
			check_text_put(out, "  no complete response, so there are no figures\n");
		return;
	}
	(void)buffer_append_format(out, "  %-*s%*s%*s%*s%*s\n", NAME_WIDTH, "", FIGURE_WIDTH, "min",
				   FIGURE_WIDTH, "median", FIGURE_WIDTH, "p95", FIGURE_WIDTH,
				   "max");
	for (int i = 0; i < SAMPLE_SERIES_COUNT; i++)
		put_series(out, samples, i);
	put_sparkline(out, samples, style);
}

static void put_json_figures(yajl_gen json, const struct samples *samples, int series)
{
	char name[32];
	const struct sample_figures figures = samples_sum_up(samples, series);
	if (figures.count == 0)
		return;
	(void)snprintf(name, sizeof(name), "%s_us", samples_series_name(series));
	json_print_name(json, name);
	(void)yajl_gen_map_open(json);
	json_put_int(json, "min", figures.min);
	json_put_int(json, "median", figures.median);
	json_put_int(json, "p95", figures.p95);
	json_put_int(json, "max", figures.max);
	(void)yajl_gen_map_close(json);
}

void check_summary_write_json(struct buffer *out, const struct site *site,
			      const struct samples *samples)
{
	yajl_gen json = json_print_create();
	size_t length;
	(void)yajl_gen_map_open(json);
	json_put_text(json, "kind", "summary", 16);
	json_put_text(json, "site", site->name, SITE_NAME_MAX);
	json_put_text(json, "url", site->redacted_url, URL_REDACTED_MAX);
	json_put_int(json, "checks", (int64_t)samples->count);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		json_put_int(json, outcome_name((enum outcome)i), (int64_t)samples->outcomes[i]);
	json_put_int(json, "measured", (int64_t)samples->measured);
	for (int i = 0; i < SAMPLE_SERIES_COUNT; i++)
		put_json_figures(json, samples, i);
	(void)yajl_gen_map_close(json);
	const char *bytes = json_print_bytes(json, &length);
	(void)buffer_append(out, bytes, length);
	(void)buffer_append_char(out, '\n');
	yajl_gen_free(json);
}
