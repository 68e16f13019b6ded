/* A report made by hand, for the tests of what `check` prints. */
#ifndef WEBSENTRY_TESTS_APP_SUBJECT_H
#define WEBSENTRY_TESTS_APP_SUBJECT_H

#include <stdint.h>

#include "base/clock.h"
#include "check/limits.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/site.h"
#include "check/verdict.h"

struct subject {
	struct site site;
	struct limits limits; /* count once site.limits points at them */
	struct observation observation;
	struct verdict verdict;
	struct report report;
};

/* Sites and verdicts own their texts; those of the tests are literals that nobody frees. */
static inline char *subject_text(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* Up, 200 over HTTP/1.1 in 10 ms: dns 1, connect 2, wait 6, transfer 1. */
static inline void subject_init(struct subject *subject, const char *name)
{
	*subject = (struct subject){
		.site = {.name = subject_text(name), .redacted_url = subject_text("http://a/")},
		.verdict = {.outcome = OUTCOME_UP, .message = subject_text("")},
		.report = {.site = &subject->site,
			   .observation = &subject->observation,
			   .verdict = &subject->verdict},
	};
	struct observation *seen = &subject->observation;
	observation_init(seen);
	seen->trouble = REASON_OK;
	seen->started_at = INT64_C(1795291200) * CLOCK_US_PER_S;
	seen->final.url = subject_text("http://a/");
	seen->final.http_status_code = 200;
	seen->final.http_version = HTTP_VERSION_1_1;
	seen->final.dns_us = 1000;
	seen->final.connect_us = 2000;
	seen->final.wait_us = 6000;
	seen->final.transfer_us = 1000;
	seen->total_us = 10000;
	seen->decoded_bytes = 512;
}

/* Without any response. */
static inline void subject_fail(struct subject *subject, enum outcome outcome, const char *message)
{
	observation_init(&subject->observation);
	subject->observation.trouble = REASON_CONNECT_REFUSED;
	subject->observation.total_us = 300;
	subject->verdict.outcome = outcome;
	subject->verdict.message = subject_text(message);
}

#endif
