/*
 * Which fields of a report stand in which table. A test compares the two lists with REPORT_FIELDS: each field stands in one of
 * them, but for site and location, which have tables of their own, and the columns of the key. Private to src/store/.
 */
#ifndef WEBSENTRY_STORE_STORE_COLUMNS_H
#define WEBSENTRY_STORE_STORE_COLUMNS_H

/*
 * What a report repeats of its set-up: X(field, type as in REPORT_FIELDS). The id of a set-up is made of these in this
 * order, after site and location: changing the order changes every id.
 */
#define SETUP_FIELDS(X)                                                                            \
	X(v, INT)                                                                                  \
	X(kind, TEXT)                                                                              \
	X(url, TEXT)                                                                               \
	X(host, TEXT)                                                                              \
	X(labels, OBJECT)                                                                          \
	X(interval_us, INT)                                                                        \
	X(timeout_us, INT)                                                                         \
	X(pattern, TEXT)

/* The columns of the report table that are fields as they are, in the table's order; before them stand the four below. */
#define REPORT_COLUMNS(X)                                                                          \
	X(scheduled_at, TIME)                                                                      \
	X(late_us, INT)                                                                            \
	X(missed, INT)                                                                             \
	X(http_status_code, INT)                                                                   \
	X(dns_us, INT)                                                                             \
	X(connect_us, INT)                                                                         \
	X(tls_us, INT)                                                                             \
	X(wait_us, INT)                                                                            \
	X(transfer_us, INT)                                                                        \
	X(total_us, INT)                                                                           \
	X(body_bytes, INT)                                                                         \
	X(decoded_bytes, INT)                                                                      \
	X(cert_not_after, TIME)                                                                    \
	X(chain_not_after, TIME)                                                                   \
	X(producer_id, UUID)                                                                       \
	X(suspect, BOOL)                                                                           \
	X(pattern_matched, BOOL)                                                                   \
	X(keepalive, BOOL)                                                                         \
	X(truncated, BOOL)                                                                         \
	X(outcome, OUTCOME)                                                                        \
	X(reason, TEXT)                                                                            \
	X(http_version, TEXT)                                                                      \
	X(tls_version, TEXT)                                                                       \
	X(ip, TEXT)                                                                                \
	X(message, TEXT)                                                                           \
	X(pattern_capture, TEXT)                                                                   \
	X(cert_issuer, TEXT)                                                                       \
	X(failures, LIST)                                                                          \
	X(redirects, LIST)                                                                         \
	X(attempts, LIST)                                                                          \
	X(evidence, OBJECT)                                                                        \
	X(round, OBJECT)

#define REPORT_COLUMNS_FIRST "site_id, started_at, seq, setup_id"
enum { REPORT_COLUMNS_FIRST_COUNT = 4 };

#define REPORT_COLUMN_NAME(name, type) ", " #name
#define REPORT_COLUMN_NAMES REPORT_COLUMNS_FIRST REPORT_COLUMNS(REPORT_COLUMN_NAME)

enum {
	REPORT_COLUMN_BEFORE = REPORT_COLUMNS_FIRST_COUNT - 1,
#define REPORT_COLUMN_ENUM(name, type) REPORT_COLUMN_##name,
	REPORT_COLUMNS(REPORT_COLUMN_ENUM)
#undef REPORT_COLUMN_ENUM
		REPORT_COLUMN_COUNT,
};

#endif
