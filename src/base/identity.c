#include "base/identity.h"

#include <assert.h>

#include "base/buffer.h"

int identity_append_message(struct buffer *out, const struct identity *identity,
			    const struct identity *prev, const char *body, size_t body_length)
{
	assert(body_length > 2 && body[0] == '{' && body[body_length - 1] == '}');
	char id[UUID_TEXT_SIZE];
	uuid_format(&identity->producer_id, id);
	(void)buffer_append_format(out, "{\"v\":%d,\"producer_id\":\"%s\",\"seq\":%lld,",
				   (int)REPORT_VERSION, id, (long long)identity->seq);
	if (prev != NULL) {
		uuid_format(&prev->producer_id, id);
		(void)buffer_append_format(out, "\"prev\":{\"producer_id\":\"%s\",\"seq\":%lld},",
					   id, (long long)prev->seq);
	}
	return buffer_append(out, body + 1, body_length - 1);
}
