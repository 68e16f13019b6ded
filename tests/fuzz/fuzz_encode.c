/*
 * Writing a report and reading it again: the parts of a report are taken from the input, text for text and number for number, and what is
 * decoded is what went in. A message never grows beyond its bound, and a shrunk one is the same report.
 */
#include "fuzz.h"

#include <string.h>

#include "base/buffer.h"
#include "base/identity.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/evidence.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/site.h"
#include "check/url.h"
#include "check/verdict.h"
#include "codec/report_decode.h"
#include "codec/report_encode.h"
#include "codec/report_fields.h"
#include "input.h"

enum {
	MANY = 40,
	LONG_TEXT = 3000,
	/* A large report takes a hundred times as long as others, so one input of so many makes one: not those that begin alike, of
	   which the corpus would soon be full. */
	LARGE_ONE_OF = 128,
};

struct parts {
	struct site site;
	struct observation observation;
	struct verdict verdict;
	struct evidence evidence;
	char *host;
	char *location;
	bool is_large; /* some texts are long, so that fields have to go */
};

/* A text of the input that is not empty. */
static char *take_text(struct input *input, const char *otherwise)
{
	char *text = input_line(input);
	if (text[0] != '\0')
		return text;
	free(text);
	return xstrdup(otherwise);
}

static char *lengthen(const struct parts *parts, char *text)
{
	if (!parts->is_large)
		return text;
	size_t length = strlen(text);
	text = xrealloc(text, length + LONG_TEXT + 1);
	memset(text + length, '0', LONG_TEXT);
	text[length + LONG_TEXT] = '\0';
	return text;
}

/* A number that a prober can have measured: not known, or from 0 on. */
static int64_t take_measure(struct input *input)
{
	int64_t number = input_number(input);
	return number < 0 ? DURATION_UNKNOWN : number;
}

static void take_hop(struct input *input, struct hop *hop)
{
	hop_init(hop);
	hop->url = take_text(input, "http://a/");
	hop->http_status_code = (int)(input_byte(input) * 4 % 1000);
	hop->http_version = (enum http_version)(input_byte(input) % 4);
	hop->dns_us = take_measure(input);
	hop->total_us = take_measure(input);
	(void)snprintf(hop->ip, sizeof(hop->ip), "192.0.2.%u", input_byte(input));
}

static void take_site(struct input *input, struct parts *parts)
{
	struct site *site = &parts->site;
	site_init(site);
	site->name = take_text(input, "name");
	site->url = xstrdup("http://a/");
	site->redacted_url = take_text(input, "http://a/");
	site->interval_us = 1 + (input_number(input) & INT32_MAX);
	site->timeout_us = 1 + (input_number(input) & INT32_MAX);
	site->pattern_text = input_byte(input) % 2 == 0 ? NULL : input_line(input);
	site->label_count = input_byte(input) % 4;
	site->labels = xcalloc(site->label_count + 1, sizeof(site->labels[0]));
	for (size_t i = 0; i < site->label_count; i++) {
		site->labels[i].name = xasprintf("%zu%s", i, "label");
		site->labels[i].value = lengthen(parts, input_line(input));
	}
}

static void take_observation(struct input *input, struct parts *parts)
{
	struct observation *seen = &parts->observation;
	observation_init(seen);
	seen->scheduled_at = input_number(input) & (INT64_MAX >> 6);
	seen->started_at = seen->scheduled_at + (input_number(input) & INT32_MAX);
	seen->late_us = input_number(input);
	seen->is_suspect = input_byte(input) % 2 != 0;
	seen->missed = input_number(input);
	take_hop(input, &seen->final);
	size_t redirects = input_byte(input) % 3 * (parts->is_large ? 10 : 1);
	seen->redirects = xcalloc(redirects + 1, sizeof(seen->redirects[0]));
	seen->redirect_count = redirects;
	for (size_t i = 0; i < redirects; i++)
		take_hop(input, &seen->redirects[i]);
	seen->total_us = take_measure(input);
	seen->body_bytes = take_measure(input);
	seen->decoded_bytes = take_measure(input);
	seen->pattern.state = (enum match_state)(input_byte(input) % 4);
	seen->pattern.capture = input_byte(input) % 2 == 0 ? NULL : input_line(input);
	seen->cert_not_after = input_number(input) & (INT64_MAX >> 6);
	seen->cert_issuer = input_line(input);
	seen->is_keepalive = input_byte(input) % 2 != 0;
}

static void take_verdict(struct input *input, struct parts *parts)
{
	struct verdict *verdict = &parts->verdict;
	verdict->reason = (enum reason)(input_byte(input) % REASON_COUNT);
	verdict->outcome = (enum outcome)(input_byte(input) % OUTCOME_COUNT);
	verdict->message = input_line(input);
	size_t count = parts->is_large ? MANY : input_byte(input) % 3;
	verdict->failures = xcalloc(count + 1, sizeof(verdict->failures[0]));
	verdict->failure_count = count;
	for (size_t i = 0; i < count; i++) {
		verdict->failures[i].reason = (enum reason)(input_byte(input) % REASON_COUNT);
		verdict->failures[i].message = lengthen(parts, input_line(input));
	}
	parts->evidence.headers = input_line(input);
	parts->evidence.body = lengthen(parts, input_line(input));
}

/* What is UTF-8 stays as it is, up to its bound: the prober has made it safe. */
static char *expected_text(const char *given, size_t max)
{
	size_t length = strlen(given);
	if (!input_is_utf8(given, length))
		return text_clean_copy(given, length, max);
	length = length < max ? length : max;
	while (length > 0 && !input_is_utf8(given, length))
		length--;
	return xstrndup(given, length);
}

static void expect_text(const struct row_text *found, const char *given, size_t max)
{
	if (text_is_empty(given)) {
		FUZZ_PROMISE(found->bytes == NULL);
		return;
	}
	char *expected = expected_text(given, max);
	FUZZ_PROMISE(found->bytes != NULL && strcmp(found->bytes, expected) == 0);
	free(expected);
}

static void expect_int(const struct row_int *found, int64_t given)
{
	FUZZ_PROMISE(found->is_present == (given >= 0));
	FUZZ_PROMISE(!found->is_present || found->value == given);
}

static void compare(const struct parts *parts, const struct report_row *row)
{
	const struct observation *seen = &parts->observation;
	expect_text(&row->site, parts->site.name, SITE_NAME_MAX);
	expect_text(&row->url, parts->site.redacted_url, URL_REDACTED_MAX);
	expect_text(&row->host, parts->host, REPORT_HOST_MAX);
	expect_text(&row->location, parts->location, REPORT_LOCATION_MAX);
	expect_text(&row->message, parts->verdict.message, VERDICT_MESSAGE_MAX);
	expect_text(&row->cert_issuer, seen->cert_issuer, OBSERVATION_ISSUER_MAX);
	expect_int(&row->interval_us, parts->site.interval_us);
	expect_int(&row->timeout_us, parts->site.timeout_us);
	expect_int(&row->dns_us, seen->final.dns_us);
	expect_int(&row->total_us, seen->total_us);
	expect_int(&row->body_bytes, seen->body_bytes);
	expect_int(&row->decoded_bytes, seen->decoded_bytes);
	FUZZ_PROMISE(row->late_us.value == (seen->late_us < 0 ? 0 : seen->late_us));
	FUZZ_PROMISE(row->missed.value == (seen->missed < 0 ? 0 : seen->missed));
	FUZZ_PROMISE(row->scheduled_at.value == seen->scheduled_at);
	FUZZ_PROMISE(row->started_at.value == seen->started_at);
	FUZZ_PROMISE(row->cert_not_after.value == seen->cert_not_after);
	FUZZ_PROMISE(row->outcome.value == parts->verdict.outcome);
	expect_text(&row->reason, reason_name(parts->verdict.reason), 64);
	FUZZ_PROMISE(row->keepalive.is_present == seen->is_keepalive);
	bool is_whole = !row->truncated.is_present;
	FUZZ_PROMISE(!is_whole || (row->labels.bytes != NULL) == (parts->site.label_count > 0));
	FUZZ_PROMISE(!is_whole || (row->redirects.bytes != NULL) == (seen->redirect_count > 0));
	FUZZ_PROMISE(!is_whole ||
		     (row->failures.bytes != NULL) == (parts->verdict.failure_count > 0));
}

static void expect_same_when_shrunk(const struct buffer *message, const struct parts *parts)
{
	struct buffer shrunk;
	struct report_row row;
	char detail[256];
	buffer_init(&shrunk, REPORT_MESSAGE_MAX);
	if (report_shrink(&shrunk, message->data, message->length) == 0) {
		FUZZ_PROMISE(shrunk.length < message->length + sizeof(",\"truncated\":true"));
		FUZZ_PROMISE(report_decode(shrunk.data, shrunk.length, &row, detail,
					   sizeof(detail)) == DECODE_NONE);
		compare(parts, &row);
		report_row_finish(&row);
	}
	buffer_finish(&shrunk);
}

static void write_and_read(const struct parts *parts, const struct identity *identity)
{
	const struct report report = {
		.site = &parts->site,
		.observation = &parts->observation,
		.verdict = &parts->verdict,
		.evidence = &parts->evidence,
		.host = parts->host,
		.location = parts->location,
	};
	struct buffer body;
	struct buffer message;
	struct report_row row;
	char detail[256];
	buffer_init(&body, REPORT_MESSAGE_MAX);
	buffer_init(&message, REPORT_MESSAGE_MAX);
	report_encode(&body, &report);
	FUZZ_PROMISE(!body.is_overflowed);
	FUZZ_PROMISE(
		identity_append_message(&message, identity, identity, body.data, body.length) == 0);
	FUZZ_PROMISE(!message.is_overflowed && message.length <= REPORT_MESSAGE_MAX);
	FUZZ_PROMISE(input_is_utf8(message.data, message.length));
	FUZZ_PROMISE(report_decode(message.data, message.length, &row, detail, sizeof(detail)) ==
		     DECODE_NONE);
	FUZZ_PROMISE(row.seq.value == identity->seq);
	compare(parts, &row);
	report_row_finish(&row);
	expect_same_when_shrunk(&message, parts);
	buffer_finish(&body);
	buffer_finish(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = input_of(data, size);
	struct parts parts = {.is_large = input_hash(data, size) % LARGE_ONE_OF == 0};
	struct identity identity = {.seq = input_number(&input) & INT64_MAX};
	memset(&identity.producer_id, 0x42, sizeof(identity.producer_id));
	parts.host = take_text(&input, "host");
	parts.location = take_text(&input, "default");
	take_site(&input, &parts);
	take_observation(&input, &parts);
	take_verdict(&input, &parts);
	write_and_read(&parts, &identity);
	site_finish(&parts.site);
	observation_finish(&parts.observation);
	verdict_finish(&parts.verdict);
	evidence_finish(&parts.evidence);
	free(parts.host);
	free(parts.location);
	return 0;
}
