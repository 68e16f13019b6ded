/*
 * What is watched: a URL with its request, its expectations and its interval. Made by config/ (or by hand in tests),
 * never changed afterwards, read by every thread; the list is released after all of them have ended.
 */
#ifndef WEBSENTRY_CHECK_SITE_H
#define WEBSENTRY_CHECK_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/rule.h"

struct address_policy;
struct limits;
struct pattern;
struct request;

enum {
	SITE_NAME_MAX = 512,     /* bytes */
	SITE_REDIRECTS_MAX = 20, /* the most that max_redirects may say */
	SITE_REDIRECTS_DEFAULT = 10,
	SITE_RULES_MAX = 64,
	SITE_STATUS_RANGES_MAX = 64,
	SITE_HEADERS_MAX = 64,
	SITE_LABELS_MAX = 32,
	SITE_MATCH_BYTES_DEFAULT = 256 * 1024,
	SITE_RETRIES_MAX = 10,
	SITE_EVIDENCE_DEFAULT = 1024,
	SITE_EVIDENCE_MAX = 16 * 1024,
	SITE_BODY_MAX = 16 * 1024 * 1024, /* bytes of a body that are read, decoded */
};

struct status_range {
	int first;
	int last; /* included */
};

struct site_header {
	char *name;
	char *value;
};

struct site_label {
	char *name;
	char *value;
};

struct site {
	char *name;
	char *url;          /* as given; holds secrets, never leaves the prober */
	char *redacted_url; /* what everybody else may see */
	char *method;       /* "GET" … */
	char *body;         /* request body, any bytes; NULL for none */
	size_t body_length;
	struct site_header *headers; /* in the order in which they are sent; names may repeat */
	size_t header_count;
	struct site_label *labels; /* sorted by name */
	size_t label_count;

	int64_t interval_us; /* > 0 */
	int64_t timeout_us;  /* > 0, <= interval_us */

	bool follow_redirects;
	int max_redirects;
	bool insecure_skip_verify;
	char *ca_file;                         /* NULL: the system's */
	struct request *request;               /* NULL: as usual; read it with request_of() */
	struct address_policy *address_policy; /* NULL: as usual */

	struct pattern *pattern; /* recorded, never changes the outcome; NULL for none */
	char *pattern_text;
	struct site_rule *rules; /* in the order of the file */
	size_t rule_count;
	struct status_range *valid_status_codes; /* empty means 200-299 */
	size_t valid_status_code_count;
	int64_t max_response_time_us; /* 0: no limit */
	int64_t cert_expiry_warn_us; /* certificate nearer to its end than this is degraded; 0: no limit */
	struct limits *limits; /* NULL: none; read them with limits_of() */
	bool is_inverted;      /* up is down, and down is up */
	int retries;           /* more attempts after one that is down */
	int64_t retry_after_us;
	int64_t match_bytes;    /* how much of the body is searched */
	int64_t max_body_bytes; /* body cap, decoded */
	int evidence_bytes; /* of head and of body, kept of a check that is down or unknown; 0: none */
};

/* A site with the defaults above, GET, redirects followed, verification on; every pointer NULL. */
void site_init(struct site *site);
/* Release what the fields own; patterns with pattern_destroy() are released by the list's owner (see site_list). */
void site_finish(struct site *site);

/* An owned list. pattern_free releases the patterns of every site (pattern_destroy; check/ does not know it). */
struct site_list {
	struct site *sites;
	size_t count;
	size_t capacity;
	void (*pattern_free)(struct pattern *pattern);
};

void site_list_init(struct site_list *list, void (*pattern_free)(struct pattern *));
void site_list_finish(struct site_list *list);
/* Takes over what the site's fields own. The returned pointer holds until the next add. */
struct site *site_list_add(struct site_list *list, const struct site *taken);

/* Whether a status is one of the valid ones. */
bool site_accepts_status(const struct site *site, int status);

#endif
