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
	OBSERVATION_VALUE_MAX = 200, /* what a rule looked at */
	ADDRESS_TEXT_MAX = 46,       /* INET6_ADDRSTRLEN */
};

enum http_version { HTTP_VERSION_UNKNOWN, HTTP_VERSION_1_0, HTTP_VERSION_1_1, HTTP_VERSION_2 };

struct heads;

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
	struct heads *heads; /* NULL: nobody wants to see them, or none was sent */
};

enum match_state {
	MATCH_NOT_TRIED, /* no complete response */
	MATCH_FOUND,
	MATCH_NOT_FOUND,
	MATCH_TRUNCATED,  /* not found, but the body was longer than what was searched */
	MATCH_TOO_COSTLY, /* the deadline ended the search */
	MATCH_MISSING,    /* there is no such header, value or certificate */
	MATCH_NOT_JSON,   /* what should be JSON is not */
	MATCH_TOO_DEEP,   /* JSON that is nested deeper than is read */
};

struct attempts;

struct match {
	enum match_state state;
	char *capture; /* of a pattern on the body its first group, or the whole match where it has no group; of any other
			  test what was looked at, also where it does not hold: JSON's text in quotes, its other values without. Safe
			  text; NULL where there is none */
};

/* The bytes that came, as they came: whoever shows any of them makes them safe first (check/evidence.h). */
struct raw_response {
	const char *head; /* status line and fields, each line with its end */
	size_t head_length;
	const char *body; /* decoded */
	size_t body_length;
	const char
		*cookies; /* secrets that redirects on the way have set: "a=1; b=2"; NULL: none */
};

struct observation {
	wall_us scheduled_at;
	wall_us started_at;         /* the check, its first attempt */
	wall_us attempt_started_at; /* this attempt; the same where it is the first */
	int64_t late_us;            /* the prober's: its start after scheduled_at, and lag_us */
	int64_t lag_us;  /* how long the prober was kept from working while the check ran */
	bool is_suspect; /* late_us was over the bound, or the trouble was the prober's own */
	int64_t missed; /* checks of this site that were due and never started, since its last report */

	enum reason trouble; /* REASON_OK: a complete response was received; else why not */
	char *message;       /* trouble in words; NULL when there was none */

	struct hop final;      /* the last hop */
	struct hop *redirects; /* those before it */
	size_t redirect_count;

	int64_t total_us;      /* the whole attempt */
	int64_t body_bytes;    /* as transferred; -1 not known */
	int64_t decoded_bytes; /* -1 not known */

	struct match pattern; /* state MATCH_NOT_TRIED where the site has none */
	struct match *rules;  /* parallel to site->rules; NULL where none was tried */
	size_t rule_count;

	char tls_version[8];     /* "1.3"; "" for plain http */
	wall_us cert_not_after;  /* TIME_UNKNOWN */
	wall_us chain_not_after; /* the earliest end in the chain; TIME_UNKNOWN */
	char *cert_issuer;       /* NULL not known */
	bool has_cert_sha256;    /* only where the site wants one */
	uint8_t cert_sha256[32];
	int64_t document_age_us; /* DURATION_UNKNOWN where nobody asks for it or nothing says it */
	struct raw_response
		raw; /* the beginning of the last response; borrowed, and NULL once the observation is copied */
	bool is_keepalive;
	const struct attempts *
		earlier; /* those before this one, as the verdict's owner noted them; borrowed. NULL: none */
};

/* Everything unknown, trouble REASON_PROBER_ERROR. */
void observation_init(struct observation *observation);
void observation_finish(struct observation *observation);
void hop_init(struct hop *hop);
void hop_finish(struct hop *hop);

/* The address of the first hop; "" where no connection was tried. */
const char *observation_first_ip(const struct observation *observation);
/* Whether the last hop went over TLS; with a kept connection there was no handshake to measure. */
bool observation_is_tls(const struct observation *observation);
/* Whether it did, and its certificate was not seen: the connection was there before. */
bool observation_lacks_certificate(const struct observation *observation);

/* "1.0", "1.1", "2", or NULL. */
const char *http_version_name(enum http_version version);

#endif
