#include "web/page.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "web/assets.h"
#include "web/escape.h"
#include "web/row.h"
#include "web/snapshot.h"
#include "web/words.h"

enum { SMALL_TEXT = 160 };

static void put(struct buffer *out, const char *html)
{
	(void)buffer_append_text(out, html);
}

static size_t open_count(const struct snapshot *snapshot)
{
	return snapshot->count - snapshot->counts[SITE_CLOSED];
}

/* The state that the page as a whole is in: that of its first row. */
static enum site_state worst_state(const struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return SITE_WAITING;
	for (int state = SITE_DOWN; state < SITE_CLOSED; state++) {
		if (snapshot->counts[state] > 0)
			return (enum site_state)state;
	}
	return SITE_WAITING;
}

/* The tab's icon tells the same, for a page behind other tabs. */
static const char *icon_path(enum site_state worst)
{
	if (worst == SITE_UP)
		return assets_path("icon.svg");
	return assets_path(worst == SITE_DOWN ? "icon-down.svg" : "icon-warn.svg");
}

static void write_headline(char text[static SMALL_TEXT], const struct snapshot *snapshot)
{
	enum site_state worst = worst_state(snapshot);
	size_t count = snapshot == NULL ? 0 : snapshot->counts[worst];
	const char *plural = count == 1 ? "" : "s";
	const char *verb = count == 1 ? "is" : "are";

	if (snapshot == NULL)
		(void)snprintf(text, SMALL_TEXT, "Waiting for the store");
	else if (count == 0 || worst == SITE_WAITING)
		(void)snprintf(text, SMALL_TEXT, "No report yet");
	else if (worst != SITE_UP)
		(void)snprintf(text, SMALL_TEXT, "%zu site%s %s %s", count, plural, verb,
			       site_state_name(worst));
	else if (count == 1)
		(void)snprintf(text, SMALL_TEXT, "The site is up");
	else
		(void)snprintf(text, SMALL_TEXT, "All %zu sites are up", count);
}

static void write_tally(struct buffer *out, const struct snapshot *snapshot)
{
	/* The four outcomes always, so that the eye finds each in its place; the rest when there is any. */
	static const struct {
		enum site_state state;
		bool is_always;
	} entries[] = {
		{SITE_UP, true},      {SITE_DEGRADED, true}, {SITE_DOWN, true},
		{SITE_UNKNOWN, true}, {SITE_OVERDUE, false}, {SITE_WAITING, false},
	};

	put(out, "<ul class=\"tally\" aria-label=\"Sites by state\">\n");
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		enum site_state state = entries[i].state;
		size_t count = snapshot->counts[state];
		if (count == 0 && !entries[i].is_always)
			continue;
		(void)buffer_append_format(out, "<li class=\"is-%s%s\">", site_state_name(state),
					   count == 0 ? " is-zero" : "");
		row_write_icon(out, state);
		(void)buffer_append_format(out, "<b>%zu</b> <span>%s</span></li>\n", count,
					   site_state_name(state));
	}
	put(out, "</ul>\n");
}

static void write_stale(struct buffer *out, const struct page_facts *facts)
{
	if (!facts->is_stale)
		return;
	if (facts->snapshot == NULL) {
		put(out, "<p class=\"notice is-bad\" role=\"alert\"><b>The store can't be "
			 "read.</b> This page "
			 "goes on trying.</p>\n");
		return;
	}
	put(out, "<p class=\"notice is-bad\" role=\"alert\"><b>These figures are old.</b> ");
	char machine[CLOCK_TEXT_SIZE];
	char exact[WORDS_SIZE];
	clock_format(facts->snapshot->read_at, machine);
	words_time(facts->snapshot->read_at, exact);
	(void)buffer_append_format(out,
				   "The store can't be read since <time datetime=\"%s\" "
				   "data-fixed>%s</time>; this page goes on trying.</p>\n",
				   machine, exact);
}

/* Returns how many of count rows had room. */
static size_t write_table(struct buffer *out, const struct page_facts *facts, size_t first,
			  size_t count, const char *caption)
{
	static const char *const columns[] = {"State",          "Site",          "Reason",
					      "Last 50 checks", "Response time", "Checked"};
	put(out, "<table role=\"table\"><caption>");
	put(out, caption);
	put(out, "</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		(void)buffer_append_format(out, "<th scope=\"col\" role=\"columnheader\">%s</th>",
					   columns[i]);
	put(out, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
	size_t shown = 0;
	while (shown < count && shown < PAGE_ROWS_MAX && out->length < PAGE_ROWS_BYTES_MAX)
		row_write(out, &facts->snapshot->sites[first + shown++], facts->now);
	put(out, "</tbody></table>\n");
	return shown;
}

static void write_not_shown(struct buffer *out, size_t shown, size_t of)
{
	if (shown < of)
		(void)buffer_append_format(
			out,
			"<p class=\"notice\">The first %zu of %zu sites are shown, the worst "
			"first; "
			"<a href=\"/api/v1/sites\">the API</a> has all of them.</p>\n",
			shown, of);
}

static void write_left_out(struct buffer *out, size_t count)
{
	if (count > 0)
		(void)buffer_append_format(
			out,
			"<p class=\"notice is-bad\">%zu more sites are in the store and neither "
			"shown nor counted here.</p>\n",
			count);
}

static void write_sites(struct buffer *out, const struct page_facts *facts)
{
	const struct snapshot *snapshot = facts->snapshot;
	size_t open = open_count(snapshot);
	size_t closed = snapshot->counts[SITE_CLOSED];
	size_t shown = 0;

	if (open > 0)
		shown = write_table(out, facts, 0, open, "Sites, the worst first");
	else
		put(out,
		    "<div class=\"empty\"><p><b>No report yet.</b></p><p>The first checks are on "
		    "their way; this page shows them as they come in.</p></div>\n");
	write_not_shown(out, shown, open);
	write_left_out(out, snapshot->left_out);
	if (closed == 0)
		return;
	(void)buffer_append_format(
		out,
		"<details class=\"closed\" id=\"closed\"><summary>%zu closed site%s "
		"<span>no longer in the sites file</span></summary>\n",
		closed, closed == 1 ? "" : "s");
	shown = write_table(out, facts, open, closed, "Closed sites");
	write_not_shown(out, shown, closed);
	put(out, "</details>\n");
}

void page_write_board(struct buffer *out, const struct page_facts *facts)
{
	const struct snapshot *snapshot = facts->snapshot;
	enum site_state worst = worst_state(snapshot);
	char headline[SMALL_TEXT];
	write_headline(headline, snapshot);

	(void)buffer_append_format(
		out,
		"<div id=\"board\" data-build=\"%s\" data-icon=\"%s\" data-lost-icon=\"%s\" "
		"data-title=\"",
		assets_build(), icon_path(worst), icon_path(SITE_UNKNOWN));
	escape_html(out, headline);
	put(out, " &#183; ");
	escape_html(out, facts->title);
	put(out, "\">\n");
	(void)buffer_append_format(out, "<div class=\"summary is-%s%s\" id=\"summary\">\n",
				   site_state_name(worst), facts->is_stale ? " is-stale" : "");
	put(out, "<div id=\"headline\" role=\"status\"><h1>");
	row_write_icon(out, worst);
	escape_html(out, headline);
	put(out, "</h1></div>\n<div id=\"tally\">");
	if (snapshot != NULL)
		write_tally(out, snapshot);
	put(out, "</div>\n");
	put(out, "</div>\n<div id=\"notices\">");
	write_stale(out, facts);
	put(out, "</div>\n<div id=\"sites\">\n");
	if (snapshot != NULL)
		write_sites(out, facts);
	else
		put(out, "<div class=\"empty\"><p>The figures will be here as soon as the store "
			 "answers.</p></div>\n");
	put(out, "</div>\n</div>\n");
}

/* The shapes, drawn once and used by reference. */
static const char shapes[] = "<svg class=\"shapes\" aria-hidden=\"true\">"
			     "<symbol id=\"i-up\" viewBox=\"0 0 16 16\"><circle class=\"fill\" "
			     "cx=\"8\" cy=\"8\" r=\"7.5\"/>"
			     "<path class=\"mark\" d=\"M4.5 8.3l2.4 2.4 4.6-5\"/></symbol>"
			     "<symbol id=\"i-degraded\" viewBox=\"0 0 16 16\"><path class=\"fill\" "
			     "d=\"M8 .8l7.6 14H.4z\"/>"
			     "<path class=\"mark\" d=\"M8 5.8v4.2M8 12.3v.1\"/></symbol>"
			     "<symbol id=\"i-down\" viewBox=\"0 0 16 16\"><path class=\"fill\" "
			     "d=\"M4.8.5h6.4l4.3 4.3v6.4l-4.3 "
			     "4.3H4.8L.5 11.2V4.8z\"/><path class=\"mark\" d=\"M5.2 5.2l5.6 "
			     "5.6M10.8 5.2l-5.6 5.6\"/></symbol>"
			     "<symbol id=\"i-unknown\" viewBox=\"0 0 16 16\"><path class=\"fill\" "
			     "d=\"M8 .4L15.6 8 8 15.6.4 8z\"/>"
			     "<path class=\"mark\" d=\"M6.2 6.3a1.9 1.9 0 1 1 2.6 "
			     "1.8c-.6.3-.8.6-.8 1.2M8 11.6v.1\"/></symbol>"
			     "<symbol id=\"i-overdue\" viewBox=\"0 0 16 16\"><circle "
			     "class=\"ring\" cx=\"8\" cy=\"8\" r=\"6.7\"/>"
			     "<path class=\"line\" d=\"M8 4.2V8l2.6 1.8\"/></symbol>"
			     "<symbol id=\"i-waiting\" viewBox=\"0 0 16 16\"><circle class=\"ring "
			     "dashed\" cx=\"8\" cy=\"8\" "
			     "r=\"6.7\"/></symbol>"
			     "<symbol id=\"i-closed\" viewBox=\"0 0 16 16\"><circle class=\"ring\" "
			     "cx=\"8\" cy=\"8\" r=\"6.7\"/>"
			     "<path class=\"line\" d=\"M4.5 8h7\"/></symbol>"
			     "</svg>\n";

static void write_head(struct buffer *out, const struct page_facts *facts)
{
	char headline[SMALL_TEXT];
	write_headline(headline, facts->snapshot);
	put(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		 "<meta name=\"color-scheme\" content=\"light dark\">\n"
		 "<meta name=\"robots\" content=\"noindex\">\n<title>");
	escape_html(out, headline);
	put(out, " &#183; ");
	escape_html(out, facts->title);
	(void)buffer_append_format(
		out,
		"</title>\n<link rel=\"icon\" id=\"icon\" type=\"image/svg+xml\" href=\"%s\">\n"
		"<link rel=\"stylesheet\" href=\"%s\">\n"
		"<link rel=\"stylesheet\" href=\"%s\">\n<script src=\"%s\" defer></script>\n"
		"<noscript><meta http-equiv=\"refresh\" content=\"%d\"></noscript>\n</head>\n",
		icon_path(worst_state(facts->snapshot)), assets_path("page.css"),
		assets_path("sites.css"), assets_path("page.js"), PAGE_REFRESH_S);
}

/* A hole in the store is said where an operator looks, and does not worry visitors. */
static void write_footer(struct buffer *out, const struct page_facts *facts)
{
	put(out,
	    "<footer><p>Websentry " WEBSENTRY_VERSION
	    " &#183; <a href=\"/api/v1/sites\">API</a> &#183; <a href=\"/healthz\">health</a>");
	if (facts->missing > 0)
		(void)buffer_append_format(
			out,
			" &#183; %" PRId64
			" report%s missing in the store: <code>websentry audit</code>",
			facts->missing, facts->missing == 1 ? " is" : "s are");
	put(out, "</p></footer>\n");
}

void page_write(struct buffer *out, const struct page_facts *facts, const struct buffer *board)
{
	char read_at[WORDS_SIZE] = "not yet";
	if (facts->snapshot != NULL)
		words_time(facts->snapshot->read_at, read_at);
	write_head(out, facts);
	put(out, "<body>\n");
	put(out, shapes);
	put(out,
	    "<header><a class=\"brand\" href=\"/\"><svg aria-hidden=\"true\" viewBox=\"0 0 24 24\">"
	    "<path class=\"shield\" d=\"M12 1.5l9 3.2v6.6c0 5.3-3.7 9.4-9 "
	    "11.2-5.3-1.8-9-5.9-9-11.2V4.7z\"/>"
	    "<path class=\"pulse\" d=\"M5.5 12.2h3.3l1.7-4.4 2.9 8.2 1.9-3.8h3.2\"/></svg><span>");
	escape_html(out, facts->title);
	put(out, "</span></a>\n<p class=\"follow\" id=\"follow\"><span class=\"dot\"></span>"
		 "<span id=\"follow-text\" role=\"status\">As of ");
	put(out, read_at);
	put(out, "</span></p></header>\n<main>\n");
	if (board->length > 0)
		(void)buffer_append(out, board->data, board->length);
	put(out, "</main>\n");
	write_footer(out, facts);
	put(out, "</body>\n</html>\n");
}

uint64_t page_hash(const struct page_facts *facts)
{
	const struct snapshot *snapshot = facts->snapshot;
	uint64_t hash = row_hash_number(ROW_HASH_START, facts->is_stale);
	hash = row_hash_text(hash, assets_build());
	hash = row_hash_text(hash, facts->title);
	if (snapshot == NULL)
		return hash;
	for (size_t i = 0; i < snapshot->count; i++)
		hash = row_hash_number(hash, row_hash(&snapshot->sites[i]));
	return row_hash_number(hash, snapshot->left_out + 1); /* an empty snapshot is not none */
}
