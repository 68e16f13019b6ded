/* What is said at the end of repeated checks of a site (`websentry check --repeat`). Pure; the buffer's owner's thread. */
#ifndef WEBSENTRY_APP_CHECK_SUMMARY_H
#define WEBSENTRY_APP_CHECK_SUMMARY_H

struct buffer;
struct check_print_style;
struct samples;
struct site;

/* For people: the outcomes, a table of figures, a sparkline of the totals. */
void check_summary_write(struct buffer *out, const struct site *site, const struct samples *samples,
			 const struct check_print_style *style);

/* One line of JSON, `"kind":"summary"`, and its end. */
void check_summary_write_json(struct buffer *out, const struct site *site,
			      const struct samples *samples);

#endif
