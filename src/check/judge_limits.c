/* What a response may be and take: version, TLS, size, age, time, certificate. */
#include "check/judging.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "check/limits.h"
#include "check/observation.h"
#include "check/site.h"

enum { DURATION_TEXT_SIZE = 32, VERSIONS_SHOWN_MAX = 64, FINGERPRINT_TEXT_SIZE = 65 };

#define DAY_US (INT64_C(86400) * CLOCK_US_PER_S)

static const char *version_name(enum http_version version)
{
	const char *name = http_version_name(version);
	return name == NULL ? "?" : name;
}

void judge_version(struct judging *judging)
{
	unsigned valid = judging->site->limits->http_versions;
	enum http_version version = judging->observation->final.http_version;
	if (valid == 0)
		return;
	enum reason reason = (valid & 1U << version) != 0 ? REASON_OK : REASON_VERSION_MISMATCH;
	if (!judging_wants(judging, reason))
		return;
	char expected[VERSIONS_SHOWN_MAX] = "";
	size_t used = 0;
	for (unsigned i = HTTP_VERSION_1_0; i <= HTTP_VERSION_2; i++) {
		if ((valid & 1U << i) != 0)
			used += (size_t)snprintf(expected + used, sizeof(expected) - used,
						 "%sHTTP/%s", used == 0 ? "" : " or ",
						 version_name((enum http_version)i));
	}
	judging_note(judging, "valid_http_versions", reason, "HTTP/%s, expected %s",
		     version_name(version), expected);
}

void judge_tls(struct judging *judging)
{
	const struct limits *limits = judging->site->limits;
	bool is_tls = observation_is_tls(judging->observation);
	if (limits->is_tls_refused)
		judging_note(judging, "fail_if_ssl", is_tls ? REASON_TLS_MISMATCH : REASON_OK,
			     "the response came %s TLS, expected none",
			     is_tls ? "over" : "without");
	if (limits->is_tls_wanted)
		judging_note(judging, "fail_if_not_ssl", is_tls ? REASON_OK : REASON_TLS_MISMATCH,
			     "the response came %s TLS, expected it over TLS",
			     is_tls ? "over" : "without");
}

void judge_size(struct judging *judging)
{
	const struct limits *limits = judging->site->limits;
	int64_t bytes = judging->observation->decoded_bytes;
	if (limits->body_bytes_min > 0)
		judging_note(judging, "fail_if_body_smaller_than",
			     bytes < limits->body_bytes_min ? REASON_SIZE_MISMATCH : REASON_OK,
			     "the body has %" PRId64 " bytes, expected at least %" PRId64, bytes,
			     limits->body_bytes_min);
	if (limits->is_body_limited)
		judging_note(judging, "fail_if_body_larger_than",
			     bytes > limits->body_bytes_max ? REASON_SIZE_MISMATCH : REASON_OK,
			     "the body has %" PRId64 " bytes, expected at most %" PRId64, bytes,
			     limits->body_bytes_max);
}

/* Against both sides of a limit: the worse that is passed, and the limit to speak of. */
static enum reason pass_limit(const struct limit *limit, int64_t us, enum reason warn,
			      enum reason fail, int64_t *ret_limit_us)
{
	bool is_failed = limit->fail_us != 0 && us > limit->fail_us;
	bool is_warned = limit->warn_us != 0 && us > limit->warn_us;
	*ret_limit_us = is_failed || limit->warn_us == 0 ? limit->fail_us : limit->warn_us;
	return is_failed ? fail : is_warned ? warn : REASON_OK;
}

void judge_age(struct judging *judging)
{
	const struct limit *limit = &judging->site->limits->document_age;
	int64_t age_us = judging->observation->document_age_us;
	int64_t passed_us;
	char age[DURATION_TEXT_SIZE];
	char most[DURATION_TEXT_SIZE];
	if (!limit_is_set(limit))
		return;
	if (age_us == DURATION_UNKNOWN) {
		judging_note(judging, "max_document_age",
			     limit->fail_us != 0 ? REASON_TOO_STALE : REASON_STALE,
			     "nothing says how old the document is: neither Last-Modified nor Age "
			     "nor Date");
		return;
	}
	enum reason reason = pass_limit(limit, age_us, REASON_STALE, REASON_TOO_STALE, &passed_us);
	if (!judging_wants(judging, reason))
		return;
	text_format_duration(age_us / CLOCK_US_PER_S * CLOCK_US_PER_S, age, sizeof(age));
	text_format_duration(passed_us, most, sizeof(most));
	judging_note(judging, "max_document_age", reason, "the document is %s old, the limit is %s",
		     age, most);
}

/* What the prober was held up for is not the site's: only the rest counts, and with it alone within the limit we can't tell. */
static void note_time(struct judging *judging, const char *key, const char *what, int64_t us,
		      const struct limit *limit)
{
	const int64_t lag_us = judging->observation->lag_us;
	int64_t passed_us;
	char most[DURATION_TEXT_SIZE];
	enum reason reason = pass_limit(limit, us, REASON_SLOW, REASON_TOO_SLOW, &passed_us);
	bool is_ours = false;
	if (reason != REASON_OK && lag_us > 0) {
		int64_t own_us = passed_us;
		reason = pass_limit(limit, us - lag_us, REASON_SLOW, REASON_TOO_SLOW, &passed_us);
		is_ours = reason == REASON_OK;
		if (is_ours)
			passed_us = own_us;
	}
	if (!is_ours && !judging_wants(judging, reason))
		return;
	text_format_duration(passed_us, most, sizeof(most));
	if (is_ours)
		judging_note(judging, key, REASON_PROBER_OVERLOADED,
			     "%stook %" PRId64
			     " ms, the limit is %s, but the prober itself was held up "
			     "for %" PRId64 " ms",
			     what, us / CLOCK_US_PER_MS, most, lag_us / CLOCK_US_PER_MS);
	else if (us < 10 * CLOCK_US_PER_MS)
		judging_note(judging, key, reason, "%stook %.1f ms, the limit is %s", what,
			     (double)us / CLOCK_US_PER_MS, most);
	else
		judging_note(judging, key, reason, "%stook %" PRId64 " ms, the limit is %s", what,
			     us / CLOCK_US_PER_MS, most);
}

void judge_time(struct judging *judging)
{
	const struct site *site = judging->site;
	const struct limits *limits = limits_of(site);
	const struct limit total = {site->max_response_time_us, limits->total_fail_us};
	if (limit_is_set(&total))
		note_time(judging, total.fail_us != 0 ? "time_limits" : "max_response_time", "",
			  judging->observation->total_us, &total);
	if (site->limits == NULL)
		return;
	for (unsigned i = 0; i < LIMIT_PHASE_COUNT; i++) {
		enum limit_phase phase = (enum limit_phase)i;
		const struct limit *limit = &limits->phases[phase];
		int64_t us = limits_phase_us(&judging->observation->final, phase);
		char what[DURATION_TEXT_SIZE];
		if (!limit_is_set(limit) || us == DURATION_UNKNOWN)
			continue;
		(void)snprintf(what, sizeof(what), "%s ", limits_phase_name(phase));
		note_time(judging, "time_limits", what, us, limit);
	}
}

/* Nearer to the end than the limit; what is "the certificate" or one of the chain. */
static void note_expiry(struct judging *judging, const char *key, const char *what, wall_us end,
			const struct limit *limit)
{
	int64_t left_us = end - judging->observation->started_at;
	enum reason reason = REASON_OK;
	if (limit->fail_us != 0 && left_us < limit->fail_us)
		reason = REASON_CERT_NEARLY_EXPIRED;
	else if (limit->warn_us != 0 && left_us < limit->warn_us)
		reason = REASON_CERT_EXPIRING;
	if (!judging_wants(judging, reason))
		return;
	char date[CLOCK_TEXT_SIZE];
	clock_format(end, date);
	date[sizeof("2026-11-21") - 1] = '\0';
	if (left_us < 0)
		judging_note(judging, key, reason, "%s expired on %s", what, date);
	else
		judging_note(judging, key, reason, "%s expires in %" PRId64 " days, on %s", what,
			     left_us / DAY_US, date);
}

/*
 * The first end in the chain counts: a server whose intermediate certificate runs out is as unreachable. With limits of its own for the
 * chain, each is judged by its own.
 */
static void judge_expiry(struct judging *judging)
{
	const struct site *site = judging->site;
	const struct observation *observation = judging->observation;
	const struct limit *chain = &limits_of(site)->chain_expiry;
	const struct limit own = {site->cert_expiry_warn_us, limits_of(site)->cert_expiry_fail_us};
	wall_us leaf_end = observation->cert_not_after;
	wall_us chain_end = observation->chain_not_after;
	if (observation->started_at == TIME_UNKNOWN)
		return;
	if (limit_is_set(chain) && chain_end != TIME_UNKNOWN)
		note_expiry(judging,
			    chain->fail_us != 0 ? "chain_expiry_fail" : "chain_expiry_warn",
			    "the first certificate of the chain", chain_end, chain);
	wall_us end = leaf_end;
	if (!limit_is_set(chain) &&
	    (end == TIME_UNKNOWN || (chain_end != TIME_UNKNOWN && chain_end < end)))
		end = chain_end;
	if (limit_is_set(&own) && end != TIME_UNKNOWN)
		note_expiry(judging, own.fail_us != 0 ? "cert_expiry_fail" : "cert_expiry_warn",
			    "the certificate", end, &own);
}

static void judge_fingerprint(struct judging *judging)
{
	const struct limits *limits = limits_of(judging->site);
	const struct observation *observation = judging->observation;
	char text[FINGERPRINT_TEXT_SIZE] = "";
	if (limits->fingerprint_count == 0)
		return;
	if (!observation->has_cert_sha256 && observation_is_tls(observation)) {
		judging_note(judging, "cert_sha256", REASON_PROBER_ERROR,
			     "the certificate of the connection was not seen");
		return;
	}
	if (!observation->has_cert_sha256) {
		judging_note(judging, "cert_sha256", REASON_CERT_MISMATCH,
			     "there is no certificate, expected one");
		return;
	}
	enum reason reason = REASON_CERT_MISMATCH;
	for (size_t i = 0; i < limits->fingerprint_count; i++) {
		if (memcmp(limits->fingerprints[i], observation->cert_sha256, LIMITS_SHA256_SIZE) ==
		    0)
			reason = REASON_OK;
	}
	if (!judging_wants(judging, reason))
		return;
	for (size_t i = 0; i < LIMITS_SHA256_SIZE; i++)
		(void)snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x",
			       observation->cert_sha256[i]);
	judging_note(judging, "cert_sha256", reason, "the certificate's SHA-256 is %s, expected %s",
		     text, reason == REASON_OK ? "that" : "another");
}

void judge_certificate(struct judging *judging)
{
	judge_expiry(judging);
	judge_fingerprint(judging);
}
