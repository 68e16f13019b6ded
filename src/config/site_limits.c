/* The keys that say what a response may be and take, how often a check is tried, and what is kept of one that failed. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/limits.h"
#include "check/observation.h"
#include "config/site_entry.h"
#include "config/site_keys.h"

#define HOUR_US (INT64_C(3600) * CLOCK_US_PER_S)
enum { SECONDS_A_DAY = 24 * 3600 };
#define TEN_YEARS_US (INT64_C(3660) * 24 * HOUR_US)

static struct limits *limits(struct entry_reader *reader)
{
	return limits_make(&reader->entry->site);
}

static const struct entry_key limit_parts[] = {{.name = "warn"}, {.name = "fail"}, {.name = NULL}};

/* A time, which is the warn limit, or {warn: a time, fail: a time}. */
static int take_limit(struct entry_reader *reader, const char *name, const struct node *value,
		      int64_t max_us, struct limit *ret_limit)
{
	struct limit limit = *ret_limit;
	bool has_parts = value->kind == NODE_MAPPING &&
			 (tree_find(value, "warn") != NULL || tree_find(value, "fail") != NULL);
	if (!has_parts) {
		if (entry_take_duration(reader, name, value, 1, max_us, &limit.warn_us) != 0)
			return -1;
	} else if (entry_has_parts(reader, name, value, limit_parts)) {
		const struct node *warn = tree_find(value, "warn");
		const struct node *fail = tree_find(value, "fail");
		if ((warn != NULL &&
		     entry_take_duration(reader, name, warn, 1, max_us, &limit.warn_us) != 0) ||
		    (fail != NULL &&
		     entry_take_duration(reader, name, fail, 1, max_us, &limit.fail_us) != 0))
			return -1;
	} else {
		return -1;
	}
	if (limit.warn_us != 0 && limit.fail_us != 0 && limit.warn_us >= limit.fail_us) {
		entry_problem(reader, value,
			      "found a time to warn that is no shorter than the time to fail for "
			      "`%s`, expected a shorter one",
			      name);
		return -1;
	}
	*ret_limit = limit;
	return 0;
}

const struct entry_key site_keys_time_parts[] = {
	{.name = "total"}, {.name = "dns"},      {.name = "connect"}, {.name = "tls"},
	{.name = "wait"},  {.name = "transfer"}, {.name = NULL},
};

static void take_total(struct entry_reader *reader, const struct node *value)
{
	struct site *site = &reader->entry->site;
	struct limit limit = {0};
	if (take_limit(reader, "total", value, HOUR_US, &limit) != 0)
		return;
	if (limit.warn_us != 0 && entry_claim(reader, SLOT_TOTAL_WARN, "time_limits", value))
		site->max_response_time_us = limit.warn_us;
	if (limit.fail_us != 0)
		limits(reader)->total_fail_us = limit.fail_us;
}

void site_keys_take_time_limits(struct entry_reader *reader, const struct node *value)
{
	if (!entry_has_parts(reader, "time_limits", value, site_keys_time_parts))
		return;
	for (size_t i = 0; i < value->count; i++) {
		const struct node_pair *pair = &value->pairs[i];
		if (strcmp(pair->key->text, "total") == 0) {
			take_total(reader, pair->value);
			continue;
		}
		for (unsigned j = 0; j < LIMIT_PHASE_COUNT; j++) {
			const char *name = limits_phase_name((enum limit_phase)j);
			struct limit limit = {0};
			if (strcmp(name, pair->key->text) == 0 &&
			    take_limit(reader, name, pair->value, HOUR_US, &limit) == 0)
				limits(reader)->phases[j] = limit;
		}
	}
}

void site_keys_take_max_response_time(struct entry_reader *reader, const struct node *value)
{
	int64_t us;
	if (entry_take_duration(reader, "max_response_time", value, 1, HOUR_US, &us) == 0 &&
	    entry_claim(reader, SLOT_TOTAL_WARN, "max_response_time", value))
		reader->entry->site.max_response_time_us = us;
}

void site_keys_take_max_document_age(struct entry_reader *reader, const struct node *value)
{
	struct limit limit = {0};
	if (take_limit(reader, "max_document_age", value, TEN_YEARS_US, &limit) == 0)
		limits(reader)->document_age = limit;
}

/* A bare number counts seconds here, too, while others' tools take it for days: nobody would hear of a certificate in time. */
static void warn_of_seconds(struct entry_reader *reader, const char *name, const struct node *value)
{
	int64_t number;
	if (value->kind == NODE_SCALAR && text_parse_int64(value->text, &number) == 0 &&
	    number > 0 && number < SECONDS_A_DAY)
		entry_warn(reader, value,
			   "found %s seconds for `%s`, did you mean %sd? A time of days ends in d",
			   value->text, name, value->text);
}

static void take_expiry(struct entry_reader *reader, const char *name, const struct node *value,
			int64_t *ret_us)
{
	int64_t us;
	if (entry_take_duration(reader, name, value, 0, TEN_YEARS_US, &us) != 0)
		return;
	warn_of_seconds(reader, name, value);
	*ret_us = us;
}

void site_keys_take_cert_expiry_warn(struct entry_reader *reader, const struct node *value)
{
	take_expiry(reader, "cert_expiry_warn", value, &reader->entry->site.cert_expiry_warn_us);
}

void site_keys_take_cert_expiry_fail(struct entry_reader *reader, const struct node *value)
{
	take_expiry(reader, "cert_expiry_fail", value, &limits(reader)->cert_expiry_fail_us);
}

void site_keys_take_chain_expiry_warn(struct entry_reader *reader, const struct node *value)
{
	take_expiry(reader, "chain_expiry_warn", value, &limits(reader)->chain_expiry.warn_us);
}

void site_keys_take_chain_expiry_fail(struct entry_reader *reader, const struct node *value)
{
	take_expiry(reader, "chain_expiry_fail", value, &limits(reader)->chain_expiry.fail_us);
}

/* 32 bytes in hexadecimal digits, with or without colons. */
static bool read_fingerprint(const char *text, uint8_t bytes[static LIMITS_SHA256_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t count = 0;
	while (count < LIMITS_SHA256_SIZE) {
		if (count > 0 && *text == ':')
			text++;
		int pair = 0;
		for (int i = 0; i < 2; i++, text++) {
			const char *digit = *text == '\0'
						    ? NULL
						    : strchr(digits, tolower((unsigned char)*text));
			if (digit == NULL)
				return false;
			pair = pair * 16 + (int)(digit - digits);
		}
		bytes[count++] = (uint8_t)pair;
	}
	return *text == '\0';
}

static void take_fingerprint(struct entry_reader *reader, const struct node *value)
{
	struct limits *own = limits(reader);
	uint8_t bytes[LIMITS_SHA256_SIZE];
	if (value->kind != NODE_SCALAR || strlen(value->text) != value->length ||
	    !read_fingerprint(value->text, bytes)) {
		entry_expect(reader, value,
			     "a certificate's SHA-256 of 64 hexadecimal digits for `cert_sha256`");
		return;
	}
	own->fingerprints = xreallocarray(own->fingerprints, own->fingerprint_count + 1,
					  sizeof(own->fingerprints[0]));
	memcpy(own->fingerprints[own->fingerprint_count++], bytes, sizeof(bytes));
}

void site_keys_take_cert_sha256(struct entry_reader *reader, const struct node *value)
{
	limits(reader)->fingerprint_count = 0;
	if (entry_is_empty_list(reader, "cert_sha256", value))
		return;
	if (value->kind != NODE_SEQUENCE) {
		take_fingerprint(reader, value);
		return;
	}
	if (value->count > LIMITS_FINGERPRINTS_MAX) {
		entry_problem(reader, value, "found %zu fingerprints, expected at most %d",
			      value->count, (int)LIMITS_FINGERPRINTS_MAX);
		return;
	}
	for (size_t i = 0; i < value->count; i++)
		take_fingerprint(reader, value->items[i]);
}

static void take_version(struct entry_reader *reader, const struct node *value, unsigned *versions)
{
	static const struct site_keys_choice choices[] = {
		{"HTTP/1.0", HTTP_VERSION_1_0},
		{"1.0", HTTP_VERSION_1_0},
		{"HTTP/1.1", HTTP_VERSION_1_1},
		{"1.1", HTTP_VERSION_1_1},
		{"HTTP/2.0", HTTP_VERSION_2},
		{"HTTP/2", HTTP_VERSION_2},
		{"2.0", HTTP_VERSION_2},
		{"2", HTTP_VERSION_2},
		{NULL, 0},
	};
	int version = site_keys_take_choice(
		reader, value, choices, "HTTP/1.0, HTTP/1.1 or HTTP/2.0 for `valid_http_versions`");
	if (version >= 0)
		*versions |= 1U << version;
}

void site_keys_take_valid_http_versions(struct entry_reader *reader, const struct node *value)
{
	unsigned versions = 0;
	if (entry_is_empty_list(reader, "valid_http_versions", value))
		return;
	if (value->kind != NODE_SEQUENCE)
		take_version(reader, value, &versions);
	else
		for (size_t i = 0; i < value->count; i++)
			take_version(reader, value->items[i], &versions);
	limits(reader)->http_versions = versions;
}

void site_keys_take_fail_if_ssl(struct entry_reader *reader, const struct node *value)
{
	(void)entry_take_bool(reader, "fail_if_ssl", value, &limits(reader)->is_tls_refused);
}

void site_keys_take_fail_if_not_ssl(struct entry_reader *reader, const struct node *value)
{
	(void)entry_take_bool(reader, "fail_if_not_ssl", value, &limits(reader)->is_tls_wanted);
}

void site_keys_take_body_smaller(struct entry_reader *reader, const struct node *value)
{
	(void)entry_take_size(reader, "fail_if_body_smaller_than", value, 0, SITE_BODY_MAX,
			      &limits(reader)->body_bytes_min);
}

void site_keys_take_body_larger(struct entry_reader *reader, const struct node *value)
{
	if (entry_take_size(reader, "fail_if_body_larger_than", value, 0, SITE_BODY_MAX,
			    &limits(reader)->body_bytes_max) == 0)
		limits(reader)->is_body_limited = true;
}

void site_keys_take_invert(struct entry_reader *reader, const struct node *value)
{
	(void)entry_take_bool(reader, "invert", value, &reader->entry->site.is_inverted);
}

void site_keys_take_retries(struct entry_reader *reader, const struct node *value)
{
	int64_t number;
	if (entry_take_integer(reader, "retries", value, 0, SITE_RETRIES_MAX, &number) == 0)
		reader->entry->site.retries = (int)number;
}

void site_keys_take_retry_after(struct entry_reader *reader, const struct node *value)
{
	reader->entry->has_retry_after = true;
	(void)entry_take_duration(reader, "retry_after", value, 0, HOUR_US,
				  &reader->entry->site.retry_after_us);
}

void site_keys_take_evidence(struct entry_reader *reader, const struct node *value)
{
	int64_t bytes;
	if (entry_take_size(reader, "evidence", value, 0, SITE_EVIDENCE_MAX, &bytes) == 0)
		reader->entry->site.evidence_bytes = (int)bytes;
}
