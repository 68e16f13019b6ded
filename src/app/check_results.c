/*
 * A site's text waits in its slot until all slots before have had theirs. The slots from next on wait:
 *
 *     printed printed next=missing ready missing ready
 */
#include "app/check_results.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/check_heads.h"
#include "app/check_line.h"
#include "app/check_print.h"
#include "app/check_round.h"
#include "app/check_summary.h"
#include "app/nagios.h"
#include "app/samples.h"
#include "base/buffer.h"
#include "base/identity.h"
#include "base/memory.h"
#include "check/report.h"
#include "check/round.h"
#include "check/site.h"
#include "check/verdict.h"
#include "config/settings.h"

enum { SLOT_TEXT_MAX = 16 * 1024 * 1024 };

struct slot {
	struct buffer heads; /* with -v, for standard error */
	struct buffer text;
	size_t reports;              /* in this round */
	bool is_checked;             /* in any */
	struct nagios_result *found; /* with --nagios */
	size_t found_count;
	struct samples samples; /* with --repeat */
};

struct check_results {
	const struct settings *settings;
	const struct site *sites;
	struct slot *slots; /* parallel */
	size_t count;
	size_t next;
	int64_t round;
	struct identity identity; /* of the next report */
	enum outcome worst;
	struct check_print_style style;
	bool has_blocks; /* each check has many lines */
	bool is_unread;
};

struct check_results *check_results_create(const struct settings *settings,
					   const struct site *sites, size_t count)
{
	struct check_results *results = xcalloc(1, sizeof(*results));
	results->settings = settings;
	results->sites = sites;
	results->count = count;
	results->slots = xcalloc(count, sizeof(results->slots[0]));
	for (size_t i = 0; i < count; i++) {
		buffer_init(&results->slots[i].heads, SLOT_TEXT_MAX);
		buffer_init(&results->slots[i].text, SLOT_TEXT_MAX);
	}
	results->identity.producer_id = uuid_random();
	results->worst = OUTCOME_UP;
	results->has_blocks = settings->is_explained || (count == 1 && settings->repeat == 0);
	check_print_choose_style(stdout, &results->style);
	results->style.is_explained = settings->is_explained;
	if (settings->is_ascii)
		results->style.is_utf8 = false;
	return results;
}

static void finish_slot(struct slot *slot)
{
	buffer_finish(&slot->heads);
	buffer_finish(&slot->text);
	for (size_t i = 0; i < slot->found_count; i++)
		nagios_result_finish(&slot->found[i]);
	free(slot->found);
	samples_finish(&slot->samples);
}

void check_results_destroy(struct check_results *results)
{
	if (results == NULL)
		return;
	for (size_t i = 0; i < results->count; i++)
		finish_slot(&results->slots[i]);
	free(results->slots);
	free(results);
}

void check_results_begin_round(struct check_results *results, int64_t round)
{
	results->round = round;
	results->next = 0;
	for (size_t i = 0; i < results->count; i++)
		results->slots[i].reports = 0;
}

static void write_to(FILE *out, struct buffer *text)
{
	if (text->length == 0)
		return;
	(void)fwrite(text->data, 1, text->length, out);
	buffer_clear(text);
}

static void write_slot(struct slot *slot)
{
	write_to(stderr, &slot->heads);
	write_to(stdout, &slot->text);
}

static void flush_out(struct check_results *results)
{
	if (fflush(stdout) != 0 || ferror(stdout) != 0)
		results->is_unread = true;
}

static void add_json(struct check_results *results, struct buffer *out, const char *body,
		     size_t length)
{
	struct buffer message;
	buffer_init(&message, REPORT_MESSAGE_MAX + IDENTITY_PREFIX_MAX);
	if (identity_append_message(&message, &results->identity, NULL, body, length) == 0)
		(void)buffer_append_format(out, "%s\n", message.data);
	buffer_finish(&message);
	results->identity.seq++;
}

static void add_nagios(struct slot *slot, const struct report *report, bool is_one_of_many)
{
	slot->found = xreallocarray(slot->found, slot->found_count + 1, sizeof(slot->found[0]));
	nagios_result_make(report, is_one_of_many, &slot->found[slot->found_count++]);
}

/* What counts for the site's figures: of a round one report, with what comes of all addresses. */
static void count_report(struct check_results *results, struct slot *slot,
			 const struct report *report)
{
	const struct round_note *round = report->round;
	struct report counted = *report;
	struct verdict of_all;
	if (round != NULL && !round->is_speaker)
		return;
	if (round != NULL) {
		of_all = (struct verdict){.outcome = round->verdict->outcome,
					  .reason = round->verdict->reason,
					  .message = round->verdict->message};
		counted.verdict = &of_all;
	}
	if (counted.verdict->outcome > results->worst)
		results->worst = counted.verdict->outcome;
	if (results->settings->repeat > 0)
		samples_add(&slot->samples, &counted);
	if (results->settings->is_nagios)
		add_nagios(slot, &counted, results->count > 1);
}

static void print_report(struct check_results *results, struct slot *slot,
			 const struct report *report)
{
	bool is_last = report->round == NULL || report->round->is_last;
	if (report->round != NULL)
		check_round_write(&slot->text, report, &results->style);
	else if (results->has_blocks)
		check_print_write(&slot->text, report, &results->style);
	else
		check_line_write(&slot->text, report, results->round, results->settings->repeat,
				 &results->style);
	if (results->has_blocks && is_last)
		(void)buffer_append_char(&slot->text, '\n');
}

void check_results_add(struct check_results *results, const struct report *report, const char *body,
		       size_t length)
{
	const struct settings *settings = results->settings;
	size_t index = (size_t)(report->site - results->sites);
	struct slot *slot = &results->slots[index];
	slot->reports++;
	slot->is_checked = true;
	count_report(results, slot, report);
	if (settings->is_verbose)
		check_heads_write(&slot->heads, report->observation);
	if (settings->is_json && !settings->is_nagios)
		add_json(results, &slot->text, body, length);
	else if (!settings->is_nagios)
		print_report(results, slot, report);
	if (index < results->next)
		write_slot(slot);
	while (results->next < results->count && results->slots[results->next].reports > 0)
		write_slot(&results->slots[results->next++]);
	flush_out(results);
}

void check_results_end_round(struct check_results *results)
{
	for (; results->next < results->count; results->next++)
		write_slot(&results->slots[results->next]);
	flush_out(results);
}

static void write_status(struct check_results *results)
{
	struct nagios_result *all = NULL;
	struct buffer line;
	size_t count = 0;
	size_t unchecked = 0;
	for (size_t i = 0; i < results->count; i++) {
		const struct slot *slot = &results->slots[i];
		unchecked += !slot->is_checked;
		for (size_t k = 0; k < slot->found_count; k++) {
			all = xreallocarray(all, count + 1, sizeof(all[0]));
			all[count++] = slot->found[k]; /* lent */
		}
	}
	buffer_init(&line, NAGIOS_LINE_MAX);
	nagios_write(&line, all, count, unchecked);
	write_to(stdout, &line);
	buffer_finish(&line);
	free(all);
}

static void write_figures(struct check_results *results)
{
	struct buffer text;
	buffer_init(&text, CHECK_PRINT_MAX);
	for (size_t i = 0; i < results->count; i++) {
		const struct samples *samples = &results->slots[i].samples;
		if (results->settings->is_json) {
			check_summary_write_json(&text, &results->sites[i], samples);
		} else {
			if (i > 0 || !results->has_blocks)
				(void)buffer_append_char(&text, '\n');
			check_summary_write(&text, &results->sites[i], samples, &results->style);
		}
		write_to(stdout, &text);
	}
	buffer_finish(&text);
}

void check_results_sum_up(struct check_results *results)
{
	if (results->settings->is_nagios)
		write_status(results);
	else if (results->settings->repeat > 0)
		write_figures(results);
	flush_out(results);
}

enum outcome check_results_worst(const struct check_results *results)
{
	enum outcome worst = results->worst;
	for (size_t i = 0; i < results->count; i++) {
		if (!results->slots[i].is_checked && worst < OUTCOME_UNKNOWN)
			worst = OUTCOME_UNKNOWN;
	}
	return worst;
}

bool check_results_is_unread(const struct check_results *results)
{
	return results->is_unread;
}
