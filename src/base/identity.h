/*
 * The identity of a report, (producer_id, seq), and how it is put in front of a report's JSON.
 *
 * The outbox (in `run`: the writer) gives a report its identity when it enters a commit, so the JSON is made
 * without it. Pure; any thread.
 */
#ifndef WEBSENTRY_BASE_IDENTITY_H
#define WEBSENTRY_BASE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct buffer;

enum { REPORT_VERSION = 1 };             /* the report's field v */
enum { REPORT_MESSAGE_MAX = 64 * 1024 }; /* bytes of a whole message */
enum { IDENTITY_PREFIX_MAX = 192 };      /* bytes that identity_append_message() adds at most */

struct identity {
	struct uuid producer_id;
	int64_t seq; /* 0, 1, 2 … without gaps */
};

/*
 * Append `{"v":1,"producer_id":"…","seq":N,` [`"prev":{"producer_id":"…","seq":M},`] and then body without its first
 * byte. body is a JSON object with at least one member. prev may be NULL; it belongs into the report with seq 0 only.
 * Returns 0, or -1 where out overflows.
 */
int identity_append_message(struct buffer *out, const struct identity *identity,
			    const struct identity *prev, const char *body, size_t body_length);

/*
 * The identity at the beginning of a message as identity_append_message() writes it, whatever follows: also of a message that
 * is cut off, or of a version that we do not know. 0, or -1 where there is none; bytes may be NULL.
 */
int identity_read_message(const char *bytes, size_t length, struct identity *ret_identity);

/* Reports of one producer_id, as a person writes them: "PRODUCER_ID:FIRST-LAST", or "PRODUCER_ID:SEQ" for one. */
struct identity_range {
	struct uuid producer_id;
	int64_t first;
	int64_t last; /* belongs to it; not below first */
};
int identity_parse_range(const char *text, struct identity_range *ret_range); /* 0, or -1 */

#endif
