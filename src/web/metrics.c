#include "web/metrics.h"

#include <inttypes.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/figures.h"
#include "web/metrics_table.h"

static const void *member_of(const struct figures *figures, const struct metric *metric)
{
	return (const char *)figures + metric->offset;
}

static void append_seconds(struct buffer *out, int64_t us)
{
	(void)buffer_append_format(out, "%" PRId64 ".%06" PRId64, us / CLOCK_US_PER_S,
				   us % CLOCK_US_PER_S);
}

void metrics_write_seconds(struct buffer *out, const char *name, int64_t us)
{
	(void)buffer_append_format(out, "%s ", name);
	append_seconds(out, us > 0 ? us : 0);
	(void)buffer_append_char(out, '\n');
}

static void write_age(struct buffer *out, const char *name, wall_us since)
{
	metrics_write_seconds(out, name, since == 0 ? 0 : clock_wall_us() - since);
}

/* As Prometheus wants it: each bucket holds those below it as well, and the last one is the count. */
static void write_durations(struct buffer *out, const char *name,
			    const struct figure_durations *durations)
{
	int64_t count = 0;
	for (size_t i = 0; i < FIGURES_BOUNDS; i++) {
		count += figures_get(&durations->buckets[i]);
		(void)buffer_append_format(out, "%s_bucket{le=\"%.10g\"} %" PRId64 "\n", name,
					   (double)figures_bounds_us[i] / (double)CLOCK_US_PER_S,
					   count);
	}
	count += figures_get(&durations->buckets[FIGURES_BOUNDS]);
	(void)buffer_append_format(out, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n%s_sum ", name, count,
				   name);
	append_seconds(out, figures_get(&durations->sum_us));
	(void)buffer_append_format(out, "\n%s_count %" PRId64 "\n", name, count);
}

static void write_metric(struct buffer *out, const struct metric *metric,
			 const struct figures *figures)
{
	(void)buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
				   metric->name, metric_type_name(metric->type));
	const void *member = member_of(figures, metric);
	switch (metric->value) {
	case METRIC_NUMBER:
		(void)buffer_append_format(out, "%s %" PRId64 "\n", metric->name,
					   figures_get(member));
		break;
	case METRIC_TIMESTAMP:
		metrics_write_seconds(out, metric->name, figures_get(member));
		break;
	case METRIC_AGE:
		write_age(out, metric->name, figures_get(member));
		break;
	case METRIC_DURATIONS:
		write_durations(out, metric->name, member);
		break;
	case METRIC_SAMPLES:
		metric->write(out, metric, figures);
		break;
	}
}

void metrics_write(struct buffer *out, const struct figures *figures)
{
	for (size_t i = 0; i < metrics_table_count; i++)
		if ((metrics_table[i].section & figures->sections) != 0)
			write_metric(out, &metrics_table[i], figures);
}

static bool is_in_the_way(const struct figures *figures, enum obstacle obstacle, mono_us *ret_since)
{
	return metrics_has_obstacle(figures->sections, obstacle) &&
	       figures_has_obstacle(figures, obstacle, ret_since);
}

bool metrics_is_ready(const struct figures *figures)
{
	for (int i = 0; i < OBSTACLE_COUNT; i++)
		if (is_in_the_way(figures, (enum obstacle)i, NULL))
			return false;
	return true;
}

bool metrics_write_readiness(struct buffer *out, const struct figures *figures)
{
	mono_us now = clock_mono_us();
	bool is_ready = true;
	struct buffer reasons;
	buffer_init(&reasons, METRICS_BYTES_MAX);
	for (int i = 0; i < OBSTACLE_COUNT; i++) {
		enum obstacle obstacle = (enum obstacle)i;
		mono_us since = now;
		if (!is_in_the_way(figures, obstacle, &since))
			continue;
		(void)buffer_append_format(
			&reasons,
			"%s{\"reason\":\"%s\",\"message\":\"%s\",\"seconds\":%" PRId64 "}",
			is_ready ? "" : ",", obstacle_name(obstacle), obstacle_text(obstacle),
			(now - since) / CLOCK_US_PER_S);
		is_ready = false;
	}
	(void)buffer_append_format(out, "{\"ready\":%s,\"reasons\":[", is_ready ? "true" : "false");
	(void)buffer_append(out, reasons.data, reasons.length);
	(void)buffer_append_text(out, "]}\n");
	buffer_finish(&reasons);
	return is_ready;
}

static void print_section(FILE *out, const struct metrics_section *section)
{
	(void)fprintf(out, "\n### %s\n\nOf %s.\n\n", section->title, section->commands);
	(void)fputs("| metric | type | labels | what it says |\n| --- | --- | --- | --- |\n", out);
	for (size_t i = 0; i < metrics_table_count; i++) {
		const struct metric *metric = &metrics_table[i];
		if (metric->section == section->section)
			(void)fprintf(out, "| `%s` | %s | %s | %s |\n", metric->name,
				      metric_type_name(metric->type),
				      metric->labels == NULL ? "" : metric->labels, metric->help);
	}
}

void metrics_print_markdown(FILE *out)
{
	for (size_t i = 0; i < metrics_section_count; i++)
		print_section(out, &metrics_sections[i]);
	(void)fputs("\n### Reasons of `/readyz`\n\n| reason | of | what it says |\n"
		    "| --- | --- | --- |\n",
		    out);
	for (int i = 0; i < OBSTACLE_COUNT; i++) {
		enum obstacle obstacle = (enum obstacle)i;
		(void)fprintf(out, "| `%s` | %s | %s |\n", obstacle_name(obstacle),
			      metrics_obstacle_commands(obstacle), obstacle_text(obstacle));
	}
}
