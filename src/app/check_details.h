/* What `websentry check` prints of a report beyond its outcome and its times. Pure; the buffer's owner's thread. */
#ifndef WEBSENTRY_APP_CHECK_DETAILS_H
#define WEBSENTRY_APP_CHECK_DETAILS_H

struct buffer;
struct check_print_style;
struct report;

/* Each expectation of the site with what was found (--explain). */
void check_details_write_expectations(struct buffer *out, const struct report *report,
				      const struct check_print_style *style);
/* The attempts, where there was more than one. */
void check_details_write_attempts(struct buffer *out, const struct report *report,
				  const struct check_print_style *style);
/* The beginning of head and body, where the report has them. */
void check_details_write_evidence(struct buffer *out, const struct report *report,
				  const struct check_print_style *style);

#endif
