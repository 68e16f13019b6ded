#include "base/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct message *message_create(const char *bytes, size_t length)
{
	struct message *message = xcalloc(1, sizeof(*message));
	message->topic_index = -1;
	message->length = length;
	if (bytes != NULL) {
		message->bytes = xmalloc(length + 1);
		memcpy(message->bytes, bytes, length);
		message->bytes[length] = '\0';
	}
	return message;
}

void message_destroy(struct message *message)
{
	if (message == NULL)
		return;
	free(message->bytes);
	free(message);
}
