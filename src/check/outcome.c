#include "check/outcome.h"

#include <assert.h>
#include <string.h>

static const char *const outcome_names[] = {
	[OUTCOME_UP] = "up",
	[OUTCOME_DEGRADED] = "degraded",
	[OUTCOME_UNKNOWN] = "unknown",
	[OUTCOME_DOWN] = "down",
};
static_assert(sizeof(outcome_names) / sizeof(outcome_names[0]) == OUTCOME_COUNT,
	      "every outcome has a name");

struct reason_row {
	const char *name;
	const char *text;
	enum outcome outcome;
};

static const struct reason_row reasons[REASON_COUNT] = {
#define REASON_ROW(suffix, word, result, sentence)                                                 \
	[REASON_##suffix] = {.name = (word), .text = (sentence), .outcome = (result)},
	REASON_TABLE(REASON_ROW)
#undef REASON_ROW
};

static const struct reason_row *reason_row(enum reason reason)
{
	assert((unsigned)reason < REASON_COUNT);
	return &reasons[reason];
}

const char *outcome_name(enum outcome outcome)
{
	assert((unsigned)outcome < OUTCOME_COUNT);
	return outcome_names[outcome];
}

const char *reason_name(enum reason reason)
{
	return reason_row(reason)->name;
}

const char *reason_text(enum reason reason)
{
	return reason_row(reason)->text;
}

enum outcome reason_outcome(enum reason reason)
{
	return reason_row(reason)->outcome;
}

static bool is_word(const char *word, const char *text, size_t length)
{
	return strlen(word) == length && memcmp(word, text, length) == 0;
}

int outcome_parse(const char *name, size_t length, enum outcome *ret_outcome)
{
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		if (is_word(outcome_names[i], name, length)) {
			*ret_outcome = (enum outcome)i;
			return 0;
		}
	}
	return -1;
}

int reason_parse(const char *name, size_t length, enum reason *ret_reason)
{
	for (int i = 0; i < REASON_COUNT; i++) {
		if (is_word(reasons[i].name, name, length)) {
			*ret_reason = (enum reason)i;
			return 0;
		}
	}
	return -1;
}
