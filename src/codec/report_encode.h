/*
 * A report as the JSON of the wire (schema/report.schema.json), without its identity: v, producer_id and seq are put in
 * front by identity_append_message() when it enters a commit. Pure; any thread; each caller its own buffer.
 */
#ifndef WEBSENTRY_CODEC_REPORT_ENCODE_H
#define WEBSENTRY_CODEC_REPORT_ENCODE_H

#include <stddef.h>

struct buffer;
struct report;

/*
 * Append the report's JSON object to out. Fields that are not known are left out. A report that would be longer than
 * REPORT_MESSAGE_MAX with its identity loses optional fields (evidence, attempts, redirects, pattern_capture, failures, labels, in
 * this order) until it fits, and says `"truncated":true`. Can't fail: what is left is bounded by the caps of its parts.
 */
void report_encode(struct buffer *out, const struct report *report);

/*
 * Make a whole message (with identity) smaller: the same fields dropped at once, `"truncated":true`, same identity.
 * Returns 0; -1 where the message is not one of ours or nothing could be dropped.
 */
int report_shrink(struct buffer *out, const char *message, size_t length);

#endif
