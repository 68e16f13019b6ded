/* The table of metrics keeps Prometheus' rules, and docs/metrics.md is what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/figures.h"
#include "base/memory.h"
#include "check/outcome.h"
#include "web/metrics.h"
#include "web/metrics_table.h"

static const unsigned all_sections = FIGURES_PROCESS | FIGURES_CHECKS | FIGURES_OUTBOX |
				     FIGURES_KAFKA | FIGURES_PUBLISHER | FIGURES_SUBSCRIBER |
				     FIGURES_STORE | FIGURES_PAGE;

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);
	size_t end_length = strlen(end);
	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static char *written(const struct figures *figures)
{
	struct buffer out;
	buffer_init(&out, METRICS_BYTES_MAX);
	metrics_write(&out, figures);
	assert_false(out.is_overflowed);
	return buffer_take(&out);
}

static void expect(const char *text, const char *line)
{
	char *whole = xasprintf("\n%s\n", line);
	if (strstr(text, whole) == NULL)
		fail_msg("no line '%s' in:\n%s", line, text);
	free(whole);
}

static void names_keep_the_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < metrics_table_count; i++) {
		const struct metric *metric = &metrics_table[i];
		assert_int_equal(strspn(metric->name, "abcdefghijklmnopqrstuvwxyz_"),
				 strlen(metric->name));
		assert_true(strncmp(metric->name, "websentry_", 10) == 0 ||
			    strncmp(metric->name, "process_", 8) == 0);
		assert_int_equal(ends_with(metric->name, "_total"), metric->type == METRIC_COUNTER);
		if (metric->type == METRIC_HISTOGRAM)
			assert_true(ends_with(metric->name, "_seconds"));
		assert_int_equal(metric->type == METRIC_HISTOGRAM,
				 metric->value == METRIC_DURATIONS);
		assert_int_equal(metric->write != NULL, metric->value == METRIC_SAMPLES);
		assert_true(strlen(metric->help) > 10);
		assert_null(strpbrk(metric->help, "\n\\|"));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(metric->name, metrics_table[j].name);
	}
}

static void every_figure_is_shown_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < metrics_table_count; i++)
		for (size_t j = 0; j < i; j++)
			if (metrics_table[i].value != METRIC_SAMPLES &&
			    metrics_table[j].value != METRIC_SAMPLES)
				assert_int_not_equal(metrics_table[i].offset,
						     metrics_table[j].offset);
}

static void the_document_is_the_table(void **state)
{
	(void)state;
	char *document = NULL;
	char *tables = NULL;
	size_t size = 0;
	FILE *in = fopen(SOURCE_ROOT "/docs/metrics.md", "r");
	assert_non_null(in);
	FILE *out = open_memstream(&document, &size);
	for (int c = fgetc(in); c != EOF; c = fgetc(in))
		(void)fputc(c, out);
	(void)fclose(out);
	(void)fclose(in);
	out = open_memstream(&tables, &size);
	metrics_print_markdown(out);
	(void)fclose(out);
	if (strstr(document, tables) == NULL)
		fail_msg("docs/metrics.md is not what the table says: run make docs");
	for (size_t i = 0; i < metrics_table_count; i++) {
		char *row = xasprintf("| `%s` | %s |", metrics_table[i].name,
				      metric_type_name(metrics_table[i].type));
		assert_non_null(strstr(document, row));
		free(row);
	}
	free(document);
	free(tables);
}

static void a_process_shows_its_own_sections(void **state)
{
	(void)state;
	static struct figures figures;
	for (size_t i = 0; i < metrics_section_count; i++) {
		figures_init(&figures, metrics_sections[i].section);
		char *text = written(&figures);
		for (size_t j = 0; j < metrics_table_count; j++) {
			char *line = xasprintf("# TYPE %s %s\n", metrics_table[j].name,
					       metric_type_name(metrics_table[j].type));
			bool is_wanted = (metrics_table[j].section & figures.sections) != 0;
			assert_int_equal(strstr(text, line) != NULL, is_wanted);
			free(line);
		}
		free(text);
	}
}

static void figures_are_shown_in_base_units(void **state)
{
	(void)state;
	static struct figures figures;
	figures_init(&figures, all_sections);
	figures_add(&figures.checks.by_reason[REASON_OK], 5);
	figures_add(&figures.checks.by_reason[REASON_SLOW], 2);
	figures_observe(&figures.checks.late, 1500);
	figures_observe(&figures.checks.late, 90000000);
	figures_set(&figures.outbox.bytes, 4096);
	figures_set(&figures.store.written_at, INT64_C(1700000000250000));
	char *text = written(&figures);
	expect(text, "websentry_checks_total{outcome=\"up\",reason=\"ok\"} 5");
	expect(text, "websentry_checks_total{outcome=\"degraded\",reason=\"slow\"} 2");
	expect(text, "websentry_checks_total{outcome=\"down\",reason=\"dns_error\"} 0");
	expect(text, "websentry_check_lateness_seconds_bucket{le=\"0.001\"} 0");
	expect(text, "websentry_check_lateness_seconds_bucket{le=\"0.0025\"} 1");
	expect(text, "websentry_check_lateness_seconds_bucket{le=\"60\"} 1");
	expect(text, "websentry_check_lateness_seconds_bucket{le=\"+Inf\"} 2");
	expect(text, "websentry_check_lateness_seconds_sum 90.001500");
	expect(text, "websentry_check_lateness_seconds_count 2");
	expect(text, "websentry_outbox_bytes 4096");
	expect(text, "websentry_outbox_oldest_age_seconds 0.000000");
	expect(text, "websentry_store_written_timestamp_seconds 1700000000.250000");
	free(text);
}

static void the_age_of_the_oldest_row_grows_and_is_never_negative(void **state)
{
	(void)state;
	static struct figures figures;
	figures_init(&figures, FIGURES_OUTBOX);
	figures_set(&figures.outbox.oldest_at, clock_wall_us() - 3600 * CLOCK_US_PER_S);
	char *text = written(&figures);
	assert_non_null(strstr(text, "\nwebsentry_outbox_oldest_age_seconds 360"));
	free(text);
	figures_set(&figures.outbox.oldest_at, clock_wall_us() + 3600 * CLOCK_US_PER_S);
	text = written(&figures);
	expect(text, "websentry_outbox_oldest_age_seconds 0.000000");
	free(text);
}

static char *readiness_of(const struct figures *figures, bool is_expected_ready)
{
	struct buffer out;
	buffer_init(&out, METRICS_BYTES_MAX);
	assert_int_equal(metrics_write_readiness(&out, figures), is_expected_ready);
	assert_int_equal(metrics_is_ready(figures), is_expected_ready);
	return buffer_take(&out);
}

static void readiness_names_every_reason(void **state)
{
	(void)state;
	static struct figures figures;
	figures_init(&figures, FIGURES_CHECKS | FIGURES_STORE);
	char *text = readiness_of(&figures, false);
	assert_non_null(strstr(text, "{\"ready\":false,\"reasons\":[{\"reason\":\"starting\","));
	assert_non_null(strstr(text, "},{\"reason\":\"store_away\",\"message\":\"The store"));
	free(text);
	readiness_set(&figures.readiness, OBSTACLE_STARTING, false);
	readiness_set(&figures.readiness, OBSTACLE_STORE_AWAY, false);
	text = readiness_of(&figures, true);
	assert_string_equal(text, "{\"ready\":true,\"reasons\":[]}\n");
	free(text);
	/* another command's obstacle is nothing to this one */
	readiness_set(&figures.readiness, OBSTACLE_OUTBOX_FULL, true);
	free(readiness_of(&figures, true));
	readiness_set(&figures.readiness, OBSTACLE_REPORTS_HELD, true);
	free(readiness_of(&figures, false));
	char *metrics = written(&figures);
	expect(metrics, "websentry_ready 0");
	expect(metrics, "websentry_obstacle{reason=\"reports_held\"} 1");
	expect(metrics, "websentry_obstacle{reason=\"store_away\"} 0");
	assert_null(strstr(metrics, "reason=\"outbox_full\""));
	free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_keep_the_rules),
		cmocka_unit_test(every_figure_is_shown_once),
		cmocka_unit_test(the_document_is_the_table),
		cmocka_unit_test(a_process_shows_its_own_sections),
		cmocka_unit_test(figures_are_shown_in_base_units),
		cmocka_unit_test(the_age_of_the_oldest_row_grows_and_is_never_negative),
		cmocka_unit_test(readiness_names_every_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
