#include "sim_message.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char kept[8 * 1024 * 1024];
static size_t kept_length;

static const char pad_key[] = ",\"pad\":\"";
static const char truncated[] = ",\"truncated\":true}";

void sim_message_reset(void)
{
	kept_length = 0;
}

const char *sim_message_keep(const void *bytes, size_t length)
{
	assert(kept_length + length < sizeof(kept));
	char *copy = kept + kept_length;
	kept_length += length + 1;
	memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

size_t sim_message_body(char *body, int nonce, enum sim_size size)
{
	static const size_t pads[] = {[SIM_SIZE_SMALL] = 0,
				      [SIM_SIZE_SHRINKS] = SIM_BATCH_BYTES_MAX,
				      [SIM_SIZE_HUGE] = SIM_BATCH_BYTES_MAX};
	/* what is huge has its bulk where it can't be dropped */
	int length = snprintf(body, SIM_BODY_MAX, "{\"nonce\":%d%s", nonce,
			      size == SIM_SIZE_HUGE ? ",\"site\":\"" : "");
	char *end = body + length;
	if (size == SIM_SIZE_SHRINKS) {
		memcpy(end, pad_key, sizeof(pad_key) - 1);
		end += sizeof(pad_key) - 1;
	}
	memset(end, 'x', pads[size]);
	end += pads[size];
	if (size != SIM_SIZE_SMALL)
		*end++ = '"';
	*end++ = '}';
	*end = '\0';
	return (size_t)(end - body);
}

size_t sim_message_shrink(char *text, const char *message, size_t length)
{
	const char *pad = memmem(message, length, pad_key, sizeof(pad_key) - 1);
	if (pad == NULL)
		return 0;
	size_t before = (size_t)(pad - message);
	memcpy(text, message, before);
	memcpy(text + before, truncated, sizeof(truncated));
	return before + sizeof(truncated) - 1;
}

static bool skip(const char **at, const char *text)
{
	size_t length = strlen(text);
	if (strncmp(*at, text, length) != 0)
		return false;
	*at += length;
	return true;
}

static bool parse_identity(const char **at, struct identity *ret_identity)
{
	char *end;
	if (strlen(*at) < UUID_TEXT_SIZE || uuid_parse(*at, 36, &ret_identity->producer_id) != 0)
		return false;
	*at += 36;
	if (!skip(at, "\",\"seq\":"))
		return false;
	ret_identity->seq = strtoll(*at, &end, 10);
	*at = end;
	return true;
}

bool sim_message_parse(const char *bytes, size_t length, struct sim_message *ret_message)
{
	char head[IDENTITY_PREFIX_MAX + 64]; /* messages are not always terminated */
	const char *at = head;
	size_t head_length = length < sizeof(head) - 1 ? length : sizeof(head) - 1;
	if (bytes == NULL)
		return false;
	memcpy(head, bytes, head_length);
	head[head_length] = '\0';
	if (!skip(&at, "{\"v\":1,\"producer_id\":\"") ||
	    !parse_identity(&at, &ret_message->identity) || !skip(&at, ","))
		return false;
	ret_message->has_prev = skip(&at, "\"prev\":{\"producer_id\":\"");
	if (ret_message->has_prev && (!parse_identity(&at, &ret_message->prev) || !skip(&at, "},")))
		return false;
	ret_message->rest = bytes + (at - head);
	if (!skip(&at, "\"nonce\":"))
		return false;
	char *end;
	long nonce = strtol(at, &end, 10);
	ret_message->nonce = (int)nonce;
	return end != at && nonce >= 0 && nonce < SIM_NONCES;
}
