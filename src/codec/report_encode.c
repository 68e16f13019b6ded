/*
 * Fields come in the order of REPORT_FIELDS, which lets the decoder find each at the first look. A report that is too large is
 * written again with one optional field less, until it fits; that is rare enough to cost nothing.
 */
#include "codec/report_encode.h"

#include <string.h>

#include "base/buffer.h"
#include "base/identity.h"
#include "base/planted.h"
#include "base/text.h"
#include "check/attempt.h"
#include "check/evidence.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/report_row.h"
#include "check/round.h"
#include "check/site.h"
#include "check/url.h"
#include "check/verdict.h"
#include "codec/json_write.h"
#include "codec/report_fields.h"

/* What the body of a message may have; its identity comes on top. */
enum { BODY_MAX = REPORT_MESSAGE_MAX - IDENTITY_PREFIX_MAX };

/* Durations and counts below zero are not known. */
static void put_known(struct json_write *out, const char *name, int64_t value)
{
	if (value >= 0)
		json_write_member_int(out, name, value);
}

static void put_known_time(struct json_write *out, const char *name, wall_us time)
{
	if (time != TIME_UNKNOWN)
		json_write_member_time(out, name, time);
}

static void put_known_text(struct json_write *out, const char *name, const char *text,
			   size_t max_bytes)
{
	if (text != NULL && text[0] != '\0')
		json_write_member_text(out, name, text, max_bytes);
}

static void put_labels(struct json_write *out, const struct site *site)
{
	if (site->label_count == 0)
		return;
	json_write_name(out, "labels");
	json_write_open(out, '{');
	for (size_t i = 0; i < site->label_count && i < OBJECT_MEMBERS_MAX; i++) {
		json_write_text_name(out, site->labels[i].name, LABEL_TEXT_MAX);
		json_write_text(out, site->labels[i].value, LABEL_TEXT_MAX);
	}
	json_write_close(out, '}');
}

static void put_failures(struct json_write *out, const struct verdict *verdict)
{
	if (verdict->failure_count == 0)
		return;
	json_write_name(out, "failures");
	json_write_open(out, '[');
	for (size_t i = 0; i < verdict->failure_count && i < LIST_ELEMENTS_MAX; i++) {
		json_write_open(out, '{');
		json_write_member_text(out, "reason", reason_name(verdict->failures[i].reason), 64);
		json_write_member_text(out, "message", verdict->failures[i].message,
				       VERDICT_FAILURE_MAX);
		json_write_close(out, '}');
	}
	json_write_close(out, ']');
}

/* The fields that a hop and a report have in common, without total_us. */
static void put_hop(struct json_write *out, const struct hop *hop)
{
	if (hop->http_status_code > 0)
		json_write_member_int(out, "http_status_code", hop->http_status_code);
	put_known_text(out, "http_version", http_version_name(hop->http_version), 16);
	put_known_text(out, "ip", hop->ip, ADDRESS_TEXT_MAX);
	put_known(out, "dns_us", hop->dns_us);
	put_known(out, "connect_us", hop->connect_us);
	put_known(out, "tls_us", hop->tls_us);
	put_known(out, "wait_us", hop->wait_us);
	put_known(out, "transfer_us", hop->transfer_us);
}

static void put_redirects(struct json_write *out, const struct observation *observation)
{
	if (observation->redirect_count == 0)
		return;
	json_write_name(out, "redirects");
	json_write_open(out, '[');
	for (size_t i = 0; i < observation->redirect_count && i < LIST_ELEMENTS_MAX; i++) {
		const struct hop *hop = &observation->redirects[i];
		json_write_open(out, '{');
		json_write_member_text(out, "url", hop->url, URL_REDACTED_MAX);
		put_hop(out, hop);
		put_known(out, "total_us", hop->total_us);
		json_write_close(out, '}');
	}
	json_write_close(out, ']');
}

static void put_attempt(struct json_write *out, const struct attempt *attempt)
{
	json_write_open(out, '{');
	json_write_member_time(out, "started_at", attempt->started_at);
	json_write_member_text(out, "outcome", outcome_name(attempt->outcome), 16);
	json_write_member_text(out, "reason", reason_name(attempt->reason), 64);
	put_known_text(out, "message", attempt->message, VERDICT_MESSAGE_MAX);
	if (attempt->http_status_code > 0)
		json_write_member_int(out, "http_status_code", attempt->http_status_code);
	put_known(out, "total_us", attempt->total_us);
	json_write_close(out, '}');
}

/* All of them, the last one as well; a check that was tried once has none. */
static void put_attempts(struct json_write *out, const struct report *report)
{
	const struct attempts *earlier = report->observation->earlier;
	if (earlier == NULL)
		return;
	const struct attempt last = attempt_of(report->observation, report->verdict);
	json_write_name(out, "attempts");
	json_write_open(out, '[');
	for (size_t i = 0; i < earlier->count && i < LIST_ELEMENTS_MAX - 1; i++)
		put_attempt(out, &earlier->items[i]);
	put_attempt(out, &last);
	json_write_close(out, ']');
}

static void put_evidence(struct json_write *out, const struct evidence *evidence)
{
	if (text_is_empty(evidence->headers) && text_is_empty(evidence->body))
		return;
	json_write_name(out, "evidence");
	json_write_open(out, '{');
	put_known_text(out, "headers", evidence->headers, SITE_EVIDENCE_MAX);
	put_known_text(out, "body", evidence->body, SITE_EVIDENCE_MAX);
	json_write_close(out, '}');
}

/* The verdict of all stands in one of their reports. */
static void put_round(struct json_write *out, const struct round_note *note)
{
	const struct round_verdict *verdict = note->verdict;
	json_write_name(out, "round");
	json_write_open(out, '{');
	json_write_member_text(out, "address", note->address, ADDRESS_TEXT_MAX);
	json_write_member_int(out, "addresses", (int64_t)verdict->addresses);
	json_write_member_int(out, "needed", (int64_t)verdict->needed);
	json_write_member_int(out, "up", (int64_t)verdict->up);
	json_write_member_int(out, "failed", (int64_t)verdict->failed);
	if (verdict->unchecked > 0)
		json_write_member_int(out, "unchecked", (int64_t)verdict->unchecked);
	if (note->is_speaker) {
		json_write_member_text(out, "outcome", outcome_name(verdict->outcome), 16);
		json_write_member_text(out, "reason", reason_name(verdict->reason), 64);
		put_known_text(out, "message", verdict->message, VERDICT_MESSAGE_MAX);
	}
	json_write_close(out, '}');
}

static void put_site(struct json_write *out, const struct report *report, uint64_t dropped)
{
	const struct site *site = report->site;
	json_write_member_text(out, "kind", "http", 32);
	json_write_member_text(out, "site", site->name, SITE_NAME_MAX);
	json_write_member_text(out, "url", site->redacted_url, URL_REDACTED_MAX);
	json_write_member_text(out, "host", report->host, REPORT_HOST_MAX);
	json_write_member_text(out, "location", report->location, REPORT_LOCATION_MAX);
	if ((dropped & (UINT64_C(1) << REPORT_FIELD_labels)) == 0)
		put_labels(out, site);
	json_write_member_int(out, "interval_us", site->interval_us);
	json_write_member_int(out, "timeout_us", site->timeout_us);
}

static void put_verdict(struct json_write *out, const struct verdict *verdict, uint64_t dropped)
{
	json_write_member_text(out, "outcome", outcome_name(verdict->outcome), 16);
	json_write_member_text(out, "reason", reason_name(verdict->reason), 64);
	put_known_text(out, "message", verdict->message, VERDICT_MESSAGE_MAX);
	if ((dropped & (UINT64_C(1) << REPORT_FIELD_failures)) == 0)
		put_failures(out, verdict);
}

/* pattern_matched only where the search came to a decision. */
static void put_pattern(struct json_write *out, const struct site *site, const struct match *match,
			uint64_t dropped)
{
	if (site->pattern_text == NULL)
		return;
	json_write_member_text(out, "pattern", site->pattern_text, REPORT_PATTERN_MAX);
	if (match->state == MATCH_FOUND || match->state == MATCH_NOT_FOUND)
		json_write_member_bool(out, "pattern_matched", match->state == MATCH_FOUND);
	if (match->capture != NULL &&
	    (dropped & (UINT64_C(1) << REPORT_FIELD_pattern_capture)) == 0)
		json_write_member_text(out, "pattern_capture", match->capture,
				       OBSERVATION_CAPTURE_MAX);
}

/* Of the prober's own trouble, also of one that only the verdict knows. */
static bool is_suspect(const struct report *report)
{
	enum reason reason = report->verdict->reason;
	return report->observation->is_suspect || reason == REASON_PROBER_OVERLOADED ||
	       reason == REASON_PROBER_OFFLINE;
}

static void put_report(struct json_write *out, const struct report *report, uint64_t dropped)
{
	const struct observation *observation = report->observation;
	json_write_open(out, '{');
	put_site(out, report, dropped);
	json_write_member_time(out, "scheduled_at", observation->scheduled_at);
	json_write_member_time(out, "started_at", observation->started_at);
	json_write_member_int(out, "late_us", observation->late_us < 0 ? 0 : observation->late_us);
	json_write_member_bool(out, "suspect", is_suspect(report));
	json_write_member_int(out, "missed", observation->missed < 0 ? 0 : observation->missed);
	put_verdict(out, report->verdict, dropped);
	put_hop(out, &observation->final);
	put_known(out, "total_us", observation->total_us);
	put_known(out, "body_bytes",
		  observation->body_bytes -
			  (IS_PLANTED(WRONG_SIZE) && observation->body_bytes > 3000));
	put_known(out, "decoded_bytes", observation->decoded_bytes);
	if ((dropped & (UINT64_C(1) << REPORT_FIELD_redirects)) == 0)
		put_redirects(out, observation);
	if ((dropped & (UINT64_C(1) << REPORT_FIELD_attempts)) == 0)
		put_attempts(out, report);
	put_pattern(out, report->site, &observation->pattern, dropped);
	put_known_text(out, "tls_version", observation->tls_version, 16);
	put_known_time(out, "cert_not_after", observation->cert_not_after);
	put_known_time(out, "chain_not_after", observation->chain_not_after);
	put_known_text(out, "cert_issuer", observation->cert_issuer, OBSERVATION_ISSUER_MAX);
	if (observation->is_keepalive)
		json_write_member_bool(out, "keepalive", true);
	if (report->evidence != NULL && (dropped & (UINT64_C(1) << REPORT_FIELD_evidence)) == 0)
		put_evidence(out, report->evidence);
	if (dropped != 0)
		json_write_member_bool(out, "truncated", true);
	if (report->round != NULL)
		put_round(out, report->round);
	json_write_close(out, '}');
}

void report_encode(struct buffer *out, const struct report *report)
{
	const size_t start = out->length;
	uint64_t dropped = 0;
	struct json_write json;
	json_write_init(&json, out);
	put_report(&json, report, dropped);
	for (size_t i = 0;
	     i < report_droppable_count && (out->is_overflowed || out->length - start > BODY_MAX);
	     i++) {
		dropped |= UINT64_C(1) << report_droppable[i];
		out->length = start;
		out->is_overflowed = false;
		json_write_init(&json, out);
		put_report(&json, report, dropped);
	}
	if (out->is_overflowed)
		out->length = start;
}
