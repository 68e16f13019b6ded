/* Reports for the tests of codec/: a typical one, a full one, and a smallest one. */
#ifndef WEBSENTRY_TESTS_SAMPLE_REPORT_H
#define WEBSENTRY_TESTS_SAMPLE_REPORT_H

#include "base/buffer.h"
#include "base/identity.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/site.h"
#include "check/verdict.h"

struct sample {
	struct site site;
	struct observation observation;
	struct verdict verdict;
	struct report report;
};

/* A TLS site that is up, with a pattern that was found. */
void sample_init(struct sample *sample);
/* The same with everything else: redirects, failures, labels. */
void sample_init_full(struct sample *sample);
void sample_finish(struct sample *sample);

/* The whole message, with an identity (seq 0 has a prev). The caller's. */
char *sample_message(const struct sample *sample, int64_t seq);

/* A message with only the required fields. */
extern const char sample_smallest[];

#endif
