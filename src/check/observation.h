/*
 * What the prober measured in one check, before anybody judges it. Owned by whoever holds it; text that the site
 * controls is safe already (text_clean, capped), URLs are redacted. Durations in microseconds; DURATION_UNKNOWN where
 * a phase was not reached.
 */
#ifndef WEBSENTRY_CHECK_OBSERVATION_H
#define WEBSENTRY_CHECK_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "check/outcome.h"

#define DURATION_UNKNOWN INT64_C(-1)
#define TIME_UNKNOWN INT64_MIN

enum {
	OBSERVATION_MESSAGE_MAX = 512,
	OBSERVATION_CAPTURE_MAX = 1024,
	OBSERVATION_ISSUER_MAX = 256,
	ADDRESS_TEXT_MAX = 46, /* INET6_ADDRSTRLEN */
};

enum http_version { HTTP_VERSION_UNKNOWN, HTTP_VERSION_1_0, HTTP_VERSION_1_1, HTTP_VERSION_2 };

/* One request and its response. The phases follow one another and add up to total_us. */
struct hop {
	char *url;                 /* redacted */
	char ip[ADDRESS_TEXT_MAX]; /* "" where no connection was tried */
	int http_status_code;      /* 0 where none was received */
	enum http_version http_version;
	int64_t dns_us;
	int64_t connect_us;
	int64_t tls_us;      /* DURATION_UNKNOWN for plain http */
	int64_t wait_us;     /* the request's last byte sent to the first byte received */
	int64_t transfer_us; /* first byte to last */
	int64_t total_us;
};

enum match_state {
	MATCH_NOT_TRIED, /* no complete response */
	MATCH_FOUND,
	MATCH_NOT_FOUND,
	MATCH_TRUNCATED,  /* not found, but the body was longer than what was searched */
	MATCH_TOO_COSTLY, /* the deadline ended the search */
};

struct match {
	enum match_state state;
	char *capture; /* first group, or the whole match where the pattern has no group; safe text; NULL where not found
			  or where the group took no part */
};

struct observation {
	wall_us scheduled_at;
	wall_us started_at;
	int64_t late_us; /* the prober's: its start after scheduled_at, and lag_us */
	int64_t lag_us;  /* how long the prober was kept from working while the check ran */
	bool is_suspect; /* late_us was over the bound, or the trouble was the prober's own */
	int64_t missed; /* checks of this site that were due and never started, since its last report */

	enum reason trouble; /* REASON_OK: a complete response was received; else why not */
	char *message;       /* trouble in words; NULL when there was none */

	struct hop final;      /* the last hop */
	struct hop *redirects; /* those before it */
	size_t redirect_count;

	int64_t total_us;      /* the whole check */
	int64_t body_bytes;    /* as transferred; -1 not known */
	int64_t decoded_bytes; /* -1 not known */

	struct match pattern;     /* state MATCH_NOT_TRIED where the site has none */
	struct match *body_rules; /* parallel to site->body_rules; NULL where none was tried */
	size_t body_rule_count;

	char tls_version[8];     /* "1.3"; "" for plain http */
	wall_us cert_not_after;  /* TIME_UNKNOWN */
	wall_us chain_not_after; /* the earliest end in the chain; TIME_UNKNOWN */
	char *cert_issuer;       /* NULL not known */
	bool is_keepalive;
};

/* Everything unknown, trouble REASON_PROBER_ERROR. */
void observation_init(struct observation *observation);
void observation_finish(struct observation *observation);
void hop_init(struct hop *hop);
void hop_finish(struct hop *hop);

/* "1.0", "1.1", "2", or NULL. */
const char *http_version_name(enum http_version version);

#endif
