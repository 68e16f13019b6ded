/*
 * A report as the store sees it: one row, read from a message by codec/report_decode.h. REPORT_FIELDS is the one list
 * of the fields on the wire; decoder, SQL and tests follow it. Lists and objects are kept as compact JSON text.
 */
#ifndef WEBSENTRY_CHECK_REPORT_ROW_H
#define WEBSENTRY_CHECK_REPORT_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/identity.h"
#include "check/outcome.h"

/*
 * X(field name, type, whether it must be there). Types:
 *   UUID, INT (64 bits), BOOL, TEXT, TIME (RFC 3339), OUTCOME, LIST and OBJECT (JSON text).
 * `prev` is read by hand: it is no column.
 */
#define REPORT_FIELDS(X)                                                                           \
	X(v, INT, true)                                                                            \
	X(producer_id, UUID, true)                                                                 \
	X(seq, INT, true)                                                                          \
	X(kind, TEXT, true)                                                                        \
	X(site, TEXT, true)                                                                        \
	X(url, TEXT, true)                                                                         \
	X(host, TEXT, true)                                                                        \
	X(location, TEXT, true)                                                                    \
	X(labels, OBJECT, false)                                                                   \
	X(interval_us, INT, true)                                                                  \
	X(timeout_us, INT, true)                                                                   \
	X(scheduled_at, TIME, true)                                                                \
	X(started_at, TIME, true)                                                                  \
	X(late_us, INT, true)                                                                      \
	X(suspect, BOOL, false)                                                                    \
	X(missed, INT, false)                                                                      \
	X(outcome, OUTCOME, true)                                                                  \
	X(reason, TEXT, true)                                                                      \
	X(message, TEXT, false)                                                                    \
	X(failures, LIST, false)                                                                   \
	X(http_status_code, INT, false)                                                            \
	X(http_version, TEXT, false)                                                               \
	X(ip, TEXT, false)                                                                         \
	X(dns_us, INT, false)                                                                      \
	X(connect_us, INT, false)                                                                  \
	X(tls_us, INT, false)                                                                      \
	X(wait_us, INT, false)                                                                     \
	X(transfer_us, INT, false)                                                                 \
	X(total_us, INT, false)                                                                    \
	X(body_bytes, INT, false)                                                                  \
	X(decoded_bytes, INT, false)                                                               \
	X(redirects, LIST, false)                                                                  \
	X(attempts, LIST, false)                                                                   \
	X(pattern, TEXT, false)                                                                    \
	X(pattern_matched, BOOL, false)                                                            \
	X(pattern_capture, TEXT, false)                                                            \
	X(tls_version, TEXT, false)                                                                \
	X(cert_not_after, TIME, false)                                                             \
	X(chain_not_after, TIME, false)                                                            \
	X(cert_issuer, TEXT, false)                                                                \
	X(keepalive, BOOL, false)                                                                  \
	X(evidence, OBJECT, false)                                                                 \
	X(truncated, BOOL, false)                                                                  \
	X(round, OBJECT, false)

/* Text of a row: not NUL-terminated knowledge is never needed, both are given. bytes == NULL: absent. */
struct row_text {
	const char *bytes; /* NUL-terminated, valid UTF-8, no NUL inside */
	size_t length;
};

struct row_int {
	bool is_present;
	int64_t value;
};

struct row_bool {
	bool is_present;
	bool value;
};

struct row_time {
	bool is_present;
	wall_us value;
};

struct row_uuid {
	struct uuid value; /* always present */
};

struct row_outcome {
	enum outcome value; /* always present */
};

/* Which C type stands for which field type. */
#define ROW_TYPE_UUID struct row_uuid
#define ROW_TYPE_INT struct row_int
#define ROW_TYPE_BOOL struct row_bool
#define ROW_TYPE_TEXT struct row_text
#define ROW_TYPE_TIME struct row_time
#define ROW_TYPE_OUTCOME struct row_outcome
#define ROW_TYPE_LIST struct row_text
#define ROW_TYPE_OBJECT struct row_text

struct report_row {
#define REPORT_ROW_MEMBER(name, type, is_required) ROW_TYPE_##type name;
	REPORT_FIELDS(REPORT_ROW_MEMBER)
#undef REPORT_ROW_MEMBER
	bool has_prev;
	struct identity prev;
	bool is_speaker; /* it speaks for its round; what that says: */
	struct row_outcome round_outcome;
	struct row_text round_reason; /* absent: the report's own */
	struct row_text round_message;
	char *storage;       /* owns the texts above … */
	char *round_storage; /* … and this those of the round */
};

/* Release the storage; the texts end with it. */
void report_row_finish(struct report_row *row);

/* Whether it counts as a check of its site: of a round only one report does. What it says of the site then. */
bool report_row_is_of_site(const struct report_row *row);
enum outcome report_row_site_outcome(const struct report_row *row);
struct row_text report_row_site_reason(const struct report_row *row);
struct row_text report_row_site_message(const struct report_row *row);

#endif
