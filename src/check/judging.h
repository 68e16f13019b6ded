/* How the judges of check/verdict.h say what they found. Internal to check/; pure. */
#ifndef WEBSENTRY_CHECK_JUDGING_H
#define WEBSENTRY_CHECK_JUDGING_H

#include <stdbool.h>

#include "check/outcome.h"

struct explanation;
struct observation;
struct site;
struct verdict;

struct judging {
	const struct site *site;
	const struct observation *observation;
	struct verdict *verdict;         /* takes what is not met; NULL: nobody asks */
	struct explanation *explanation; /* takes everything; NULL: nobody asks */
};

/* Whether words are wanted at all: a check that is up has none, and none are made for it. */
static inline bool judging_wants(const struct judging *judging, enum reason reason)
{
	return reason != REASON_OK || judging->explanation != NULL;
}

/* One expectation: its key in the sites file (static), REASON_OK where it is met, and what was found. */
void judging_note(struct judging *judging, const char *key, enum reason reason, const char *format,
		  ...) __attribute__((format(printf, 4, 5)));

/* The judges. */
void judge_rules(struct judging *judging);
void judge_version(struct judging *judging);
void judge_tls(struct judging *judging);
void judge_size(struct judging *judging);
void judge_age(struct judging *judging);
void judge_time(struct judging *judging);
void judge_certificate(struct judging *judging);

#endif
