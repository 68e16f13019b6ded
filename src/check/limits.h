/*
 * What a site's response may be and take, where the site says so: most sites say nothing of it, so it lies beside the site. As plain as
 * the site: made by config/ (or by hand in tests), never changed afterwards, read by every thread.
 */
#ifndef WEBSENTRY_CHECK_LIMITS_H
#define WEBSENTRY_CHECK_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hop;
struct site;

enum { LIMITS_FINGERPRINTS_MAX = 16, LIMITS_SHA256_SIZE = 32 };

/* Beyond warn is degraded, beyond fail is down; 0 where there is no such limit. Microseconds. */
struct limit {
	int64_t warn_us;
	int64_t fail_us;
};

enum limit_phase {
	LIMIT_DNS,
	LIMIT_CONNECT,
	LIMIT_TLS,
	LIMIT_WAIT,
	LIMIT_TRANSFER,
	LIMIT_PHASE_COUNT,
};

struct limits {
	struct limit phases[LIMIT_PHASE_COUNT]; /* of the last hop */
	int64_t total_fail_us;                  /* warn: the site's max_response_time_us */

	int64_t cert_expiry_fail_us; /* warn: the site's cert_expiry_warn_us */
	struct limit chain_expiry;   /* neither: the two above hold for the chain as well */
	uint8_t (
		*fingerprints)[LIMITS_SHA256_SIZE]; /* the certificate has one of them; none: any */
	size_t fingerprint_count;

	bool is_tls_refused;    /* fail_if_ssl */
	bool is_tls_wanted;     /* fail_if_not_ssl */
	unsigned http_versions; /* 1 << enum http_version of each that is fine; 0: all */
	int64_t body_bytes_min; /* decoded */
	int64_t body_bytes_max;
	bool is_body_limited; /* body_bytes_max counts */
	struct limit document_age;
};

/* What holds for a site that says nothing. */
extern const struct limits limits_none;

/* The site's, never NULL. */
const struct limits *limits_of(const struct site *site);
/* The site's, to be changed; made where there were none. */
struct limits *limits_make(struct site *site);
void limits_destroy(struct limits *limits); /* accepts NULL */

bool limit_is_set(const struct limit *limit);

/* "dns", and a hop's duration of it. */
const char *limits_phase_name(enum limit_phase phase);
int64_t limits_phase_us(const struct hop *hop, enum limit_phase phase);

#endif
