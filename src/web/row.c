#include "web/row.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "web/escape.h"
#include "web/words.h"

enum { LONG_NAME = 60 }; /* bytes */

static void put(struct buffer *out, const char *html)
{
	(void)buffer_append_text(out, html);
}

static uint64_t hash_byte(uint64_t hash, unsigned char byte)
{
	return (hash ^ byte) * UINT64_C(0x100000001b3);
}

uint64_t row_hash_text(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = hash_byte(hash, (unsigned char)*text);
	return hash_byte(hash, 0); /* so that "ab", "c" is not "a", "bc" */
}

uint64_t row_hash_number(uint64_t hash, uint64_t number)
{
	for (int shift = 0; shift < 64; shift += 8)
		hash = hash_byte(hash, (unsigned char)(number >> shift));
	return hash;
}

uint64_t row_hash(const struct site_view *view)
{
	uint64_t hash = row_hash_number(ROW_HASH_START, (uint64_t)view->state);
	hash = row_hash_number(hash, (uint64_t)view->outcome);
	hash = row_hash_number(hash, (uint64_t)view->started_at);
	hash = row_hash_number(hash, (uint64_t)view->total_us);
	hash = row_hash_number(hash, (uint64_t)view->interval_us);
	hash = row_hash_number(hash, (uint64_t)view->http_status_code);
	hash = row_hash_text(hash, view->name);
	hash = row_hash_text(hash, view->url);
	hash = row_hash_text(hash, view->reason);
	hash = row_hash_text(hash, view->message);
	hash = row_hash_text(hash, view->location);
	return row_hash_text(hash, view->strip);
}

static const char *state_label(enum site_state state)
{
	switch (state) {
	case SITE_DOWN:
		return "Down";
	case SITE_DEGRADED:
		return "Degraded";
	case SITE_UNKNOWN:
		return "Unknown";
	case SITE_OVERDUE:
		return "Overdue";
	case SITE_WAITING:
		return "Waiting";
	case SITE_UP:
		return "Up";
	case SITE_CLOSED:
		return "Closed";
	case SITE_STATE_COUNT:
		break;
	}
	return "Unknown";
}

void row_write_icon(struct buffer *out, enum site_state state)
{
	(void)buffer_append_format(
		out, "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-%s\"/></svg>",
		site_state_name(state));
}

static void write_state(struct buffer *out, const struct site_view *view)
{
	put(out, "<td class=\"state\" role=\"cell\"><span class=\"badge\">");
	row_write_icon(out, view->state);
	put(out, state_label(view->state));
	put(out, "</span></td>\n");
}

/* A masked URL would lead to another page than the one that is watched. */
static bool is_link(const char *url)
{
	return (text_starts_with(url, "http://") || text_starts_with(url, "https://")) &&
	       strstr(url, "***") == NULL;
}

static void write_site(struct buffer *out, const struct site_view *view)
{
	put(out, "<th class=\"site\" scope=\"row\" role=\"rowheader\"><span class=\"name\"");
	if (strlen(view->name) > LONG_NAME) { /* the style sheet shows its beginning */
		put(out, " title=\"");
		escape_html(out, view->name);
		put(out, "\"");
	}
	put(out, ">");
	escape_html(out, view->name);
	put(out, "</span>");
	if (strcmp(view->name, view->url) == 0 && is_link(view->url)) {
		/* The name is the URL already: a short link beside it is enough. */
		put(out, "<a class=\"url\" rel=\"noopener noreferrer\" target=\"_blank\" href=\"");
		escape_html(out, view->url);
		put(out, "\">open</a>");
	} else if (is_link(view->url)) {
		put(out, "<a class=\"url\" rel=\"noopener noreferrer\" target=\"_blank\" href=\"");
		escape_html(out, view->url);
		put(out, "\">");
		escape_html(out, view->url);
		put(out, "</a>");
	} else if (view->url[0] != '\0') {
		put(out, "<span class=\"url\">");
		escape_html(out, view->url);
		put(out, "</span>");
	}
	put(out, "</th>\n");
}

static void write_time(struct buffer *out, wall_us time, wall_us now)
{
	char machine[CLOCK_TEXT_SIZE];
	char exact[WORDS_SIZE];
	char ago[WORDS_SIZE];
	clock_format(time, machine);
	words_time(time, exact);
	words_ago(time, now, ago);
	(void)buffer_append_format(out, "<time datetime=\"%s\" title=\"%s\">%s</time>", machine,
				   exact, ago);
}

static void write_reason(struct buffer *out, const struct site_view *view)
{
	enum reason reason;
	if (reason_parse(view->reason, strlen(view->reason), &reason) == 0)
		put(out, reason_text(reason));
	else
		escape_html(out, view->reason); /* of a newer release */
}

static void write_why(struct buffer *out, const struct site_view *view, wall_us now)
{
	put(out, "<td class=\"why\" role=\"cell\">");
	if (view->state == SITE_WAITING) {
		put(out, "<span class=\"reason\">The first check is on its way</span>");
	} else if (view->state == SITE_OVERDUE) {
		put(out, "<span class=\"reason\">Reports have stopped; the last one, ");
		write_time(out, view->started_at, now);
		put(out, ", said <b>");
		put(out, outcome_name(view->outcome));
		put(out, "</b></span>");
	} else {
		put(out, "<span class=\"reason\">");
		write_reason(out, view);
		put(out, "</span>");
	}
	if (view->message[0] != '\0') {
		put(out, "<span class=\"message\">");
		escape_html(out, view->message);
		put(out, "</span>");
	}
	put(out, "</td>\n");
}

static const char *const strip_words[] = {"up", "degraded", "down", "unknown"};

/* Index into strip_words; 4: not an outcome. */
static size_t strip_index(char letter)
{
	const char *letters = "UGD?";
	const char *at = letter == '\0' ? NULL : strchr(letters, letter);
	return at == NULL ? 4 : (size_t)(at - letters);
}

static void write_strip_title(struct buffer *out, const char *strip, size_t length)
{
	size_t counts[5] = {0};
	const char *separator = ": ";
	for (size_t i = 0; i < length; i++)
		counts[strip_index(strip[i])]++;
	(void)buffer_append_format(out, "<title>Last %zu check%s, newest at the right", length,
				   length == 1 ? "" : "s");
	for (size_t i = 0; i < 4; i++) {
		if (counts[i] == 0)
			continue;
		(void)buffer_append_format(out, "%s%zu %s", separator, counts[i], strip_words[i]);
		separator = ", ";
	}
	put(out, "</title>");
}

/*
 * One path a run of equal outcomes, in a picture of 50 x 10 that the style sheet cuts into bars. The height tells the outcome
 * without colour: trouble stands out above what is up.
 */
static void write_strip(struct buffer *out, const struct site_view *view)
{
	static const int heights[] = {6, 8, 10, 4, 1};
	size_t length = strlen(view->strip);
	if (length > STORE_STRIP_LENGTH)
		length = STORE_STRIP_LENGTH;
	put(out, "<td class=\"recent\" role=\"cell\">");
	if (length == 0) {
		put(out, "<span class=\"none\">no check yet</span></td>\n");
		return;
	}
	put(out, "<svg class=\"strip\" viewBox=\"0 0 50 10\" preserveAspectRatio=\"none\" "
		 "role=\"img\">");
	write_strip_title(out, view->strip, length);
	size_t first = STORE_STRIP_LENGTH - length;
	if (first > 0)
		(void)buffer_append_format(out, "<path class=\"c-none\" d=\"M0 9h%zuv1H0z\"/>",
					   first);
	for (size_t start = 0; start < length;) {
		size_t end = start + 1;
		while (end < length && view->strip[end] == view->strip[start])
			end++;
		size_t kind = strip_index(view->strip[start]);
		(void)buffer_append_format(out, "<path class=\"c-%s\" d=\"M%zu %dh%zuv%dH%zuz\"/>",
					   kind < 4 ? strip_words[kind] : "none", first + start,
					   10 - heights[kind], end - start, heights[kind],
					   first + start);
		start = end;
	}
	put(out, "</svg></td>\n");
}

static void write_figures(struct buffer *out, const struct site_view *view, wall_us now)
{
	char duration[WORDS_SIZE];
	char interval[WORDS_SIZE];
	words_duration(view->total_us, duration);
	words_interval(view->interval_us, interval);
	put(out, "<td class=\"took\" role=\"cell\">");
	if (duration[0] != '\0')
		(void)buffer_append_format(out, "<span class=\"figure\">%s</span>", duration);
	if (view->http_status_code != 0)
		(void)buffer_append_format(out, "<span class=\"detail\">HTTP %d</span>",
					   view->http_status_code);
	put(out, "</td>\n<td class=\"when\" role=\"cell\">");
	if (view->state != SITE_WAITING) {
		put(out, "<span class=\"figure\">");
		write_time(out, view->started_at, now);
		put(out, "</span>");
		if (interval[0] != '\0')
			(void)buffer_append_format(out, "<span class=\"detail\">%s</span>",
						   interval);
	}
	put(out, "</td>\n");
}

void row_write(struct buffer *out, const struct site_view *view, wall_us now)
{
	(void)buffer_append_format(
		out, "<tr class=\"is-%s\" role=\"row\" data-version=\"%016" PRIx64 "\" data-key=\"",
		site_state_name(view->state), row_hash(view));
	escape_html(out, view->name);
	put(out, "\">\n");
	write_state(out, view);
	write_site(out, view);
	write_why(out, view, now);
	write_strip(out, view);
	write_figures(out, view, now);
	put(out, "</tr>\n");
}
