/*
 * What can be read of a bad message: enough to know which report it was to be. Pure; any thread.
 */
#ifndef WEBSENTRY_CODEC_REPORT_PEEK_H
#define WEBSENTRY_CODEC_REPORT_PEEK_H

#include <stdbool.h>
#include <stddef.h>

#include "check/report_row.h"

/*
 * What makes a report that one and no other: nobody may change it afterwards. X(field, type as in REPORT_FIELDS). prev counts as
 * well, and is read by hand.
 */
#define REPORT_IDENTITY_FIELDS(X)                                                                  \
	X(producer_id, UUID)                                                                       \
	X(seq, INT)                                                                                \
	X(site, TEXT)                                                                              \
	X(scheduled_at, TIME)                                                                      \
	X(started_at, TIME)

struct report_peek {
#define REPORT_PEEK_MEMBER(name, type)                                                             \
	bool has_##name;                                                                           \
	ROW_TYPE_##type name;
	REPORT_IDENTITY_FIELDS(REPORT_PEEK_MEMBER)
#undef REPORT_PEEK_MEMBER
	bool has_prev;
	struct identity prev;
	char *storage; /* of site */
};

/*
 * Read what is sound of bytes, which may be anything, also a message that breaks off: the document is read up to its first error. A
 * field that is missing, wrong, or there twice is not readable. Released with report_peek_finish().
 */
void report_peek(const char *bytes, size_t length, struct report_peek *ret_peek);
void report_peek_finish(struct report_peek *peek);

/* "seq, started_at": what can't be read, so that a repaired message must say it; "" where all can. prev is not asked for. */
void report_peek_missing(const struct report_peek *peek, char *text, size_t size);

/* Whether a row is of the same report, as far as the original can be read; if not, text says where they differ. */
bool report_peek_matches(const struct report_peek *original, const struct report_row *row,
			 char *text, size_t size);

#endif
