#include "probe/transfer_keep.h"

#include <string.h>

#include "check/evidence.h"
#include "check/limits.h"
#include "check/site.h"
#include "probe/transfer.h"

enum {
	/* Of a buffer this much stays with a handle between transfers. */
	BODY_KEPT_IDLE = 64 * 1024,
	HEAD_KEPT_IDLE = 16 * 1024,
};

void transfer_keep_choose(struct transfer *transfer)
{
	const struct site *site = transfer->site;
	const size_t evidence =
		site->evidence_bytes > 0 ? (size_t)site->evidence_bytes + EVIDENCE_SLACK : 0;
	bool is_searched = site->pattern != NULL;
	bool is_head_searched = limit_is_set(&limits_of(site)->document_age);
	for (size_t i = 0; i < site->rule_count; i++) {
		enum rule_subject subject = site->rules[i].subject;
		is_searched = is_searched || subject == RULE_BODY || subject == RULE_JSON;
		is_head_searched = is_head_searched || subject == RULE_HEADER;
	}
	transfer->kept_max = evidence;
	if (is_searched && (size_t)site->match_bytes > evidence)
		transfer->kept_max = (size_t)site->match_bytes;
	transfer->head_max = is_head_searched ? RESPONSE_HEAD_MAX : evidence;
}

static void keep(struct buffer *kept, size_t max, const char *bytes, size_t length)
{
	size_t room = kept->length < max ? max - kept->length : 0;
	if (room > 0)
		(void)buffer_append(kept, bytes, length < room ? length : room);
}

/* A field that goes on over the next line, as was allowed once: one blank takes the place of the break (RFC 9112, 5.2). */
static void keep_folded(struct buffer *kept, size_t max, const char *line, size_t length)
{
	if (kept->length == 0 || kept->length >= max)
		return;
	while (kept->length > 0 && strchr(" \t\r\n", kept->data[kept->length - 1]) != NULL)
		kept->data[--kept->length] = '\0';
	while (length > 1 && (line[1] == ' ' || line[1] == '\t')) {
		line++;
		length--;
	}
	keep(kept, max, " ", 1);
	keep(kept, max, line + 1, length - 1);
}

void transfer_keep_line(struct transfer *transfer, const char *line, size_t length)
{
	if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
		buffer_clear(&transfer->head_text);
	if (transfer->head.is_complete)
		return;
	if (length > 0 && (line[0] == ' ' || line[0] == '\t'))
		keep_folded(&transfer->head_text, transfer->head_max, line, length);
	else
		keep(&transfer->head_text, transfer->head_max, line, length);
}

void transfer_keep_body(struct transfer *transfer, const char *bytes, size_t length)
{
	keep(&transfer->body, transfer->kept_max, bytes, length);
}

void transfer_keep_clear(struct transfer *transfer)
{
	buffer_clear(&transfer->body);
	if (transfer->body.capacity > BODY_KEPT_IDLE)
		buffer_finish(&transfer->body);
	buffer_clear(&transfer->head_text);
	if (transfer->head_text.capacity > HEAD_KEPT_IDLE)
		buffer_finish(&transfer->head_text);
}
