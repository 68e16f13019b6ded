#include "app/phase_bar.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/check_print.h"
#include "base/buffer.h"
#include "check/observation.h"

enum { LEGEND_ENTRY_MAX = 64, MS_TEXT_SIZE = 32 };

/* In colour every phase is a full block; without it each has a mark of its own. */
static const struct phase {
	const char *name;
	const char *colour; /* SGR */
	const char *block;
	char ascii;
} phases[PHASE_COUNT] = {
	{"dns", "34", "░", '.'},  {"connect", "36", "▒", '-'},  {"tls", "35", "▓", '+'},
	{"wait", "33", "█", '#'}, {"transfer", "32", "▚", '='},
};

/* dns, connect, tls, wait, transfer in this order; negative where a phase was not reached. */
static void list_durations(const struct hop *hop, int64_t durations[static PHASE_COUNT])
{
	const int64_t all[PHASE_COUNT] = {hop->dns_us, hop->connect_us, hop->tls_us, hop->wait_us,
					  hop->transfer_us};
	memcpy(durations, all, sizeof(all));
}

void phase_bar_share(const int64_t durations[static PHASE_COUNT], int cells,
		     int ret_shares[static PHASE_COUNT])
{
	double total = 0;
	int given = 0;
	int largest = 0;
	for (int i = 0; i < PHASE_COUNT; i++) {
		ret_shares[i] = 0;
		if (durations[i] > 0)
			total += (double)durations[i];
		if (durations[i] > durations[largest])
			largest = i;
	}
	if (total <= 0)
		return;
	for (int i = 0; i < PHASE_COUNT; i++) {
		if (durations[i] <= 0)
			continue;
		ret_shares[i] = (int)((double)durations[i] / total * cells);
		if (ret_shares[i] == 0)
			ret_shares[i] = 1;
		given += ret_shares[i];
	}
	/* What rounding left over or the single cells took is the largest one's to give: it shows it least. */
	ret_shares[largest] += cells - given;
}

static void put_mark(struct buffer *out, const struct phase *phase, int count,
		     const struct check_print_style *style)
{
	if (style->is_coloured && count > 0)
		(void)buffer_append_format(out, "\033[%sm", phase->colour);
	for (int i = 0; i < count; i++) {
		if (!style->is_utf8)
			(void)buffer_append_char(out, phase->ascii);
		else
			(void)buffer_append_text(out, style->is_coloured ? "█" : phase->block);
	}
	if (style->is_coloured && count > 0)
		(void)buffer_append_text(out, "\033[0m");
}

void phase_bar_write(struct buffer *out, const struct hop *hop, int cells,
		     const struct check_print_style *style)
{
	int64_t durations[PHASE_COUNT];
	int shares[PHASE_COUNT];
	if (cells < PHASE_COUNT)
		cells = PHASE_COUNT;
	if (cells > PHASE_BAR_CELLS_MAX)
		cells = PHASE_BAR_CELLS_MAX;
	list_durations(hop, durations);
	phase_bar_share(durations, cells, shares);
	for (int i = 0; i < PHASE_COUNT; i++)
		put_mark(out, &phases[i], shares[i], style);
}

/* Local checks take less than a millisecond: two decimals below ten. */
static void format_ms(int64_t us, char text[static MS_TEXT_SIZE])
{
	int decimals = us < 10 * CLOCK_US_PER_MS ? 2 : 1;
	(void)snprintf(text, MS_TEXT_SIZE, "%.*f ms", decimals, (double)us / CLOCK_US_PER_MS);
}

void phase_bar_write_ms(struct buffer *out, int64_t us)
{
	char text[MS_TEXT_SIZE] = "?";
	if (us >= 0)
		format_ms(us, text);
	(void)buffer_append_text(out, text);
}

void phase_bar_write_legend(struct buffer *out, const struct hop *hop, int indent,
			    const struct check_print_style *style)
{
	int64_t durations[PHASE_COUNT];
	int column = 0;
	list_durations(hop, durations);
	for (int i = 0; i < PHASE_COUNT; i++) {
		char entry[LEGEND_ENTRY_MAX];
		if (durations[i] < 0)
			continue;
		char took[MS_TEXT_SIZE];
		format_ms(durations[i], took);
		int length = 1 + snprintf(entry, sizeof(entry), " %s %s", phases[i].name, took);
		if (column > 0 && column + 2 + length > style->width) {
			(void)buffer_append_char(out, '\n');
			column = 0;
		}
		if (column == 0)
			column = indent;
		else
			column += 2;
		(void)buffer_append_format(out, "%*s", column > indent ? 2 : indent, "");
		put_mark(out, &phases[i], 1, style);
		(void)buffer_append_text(out, entry);
		column += length;
	}
	if (column > 0)
		(void)buffer_append_char(out, '\n');
}
