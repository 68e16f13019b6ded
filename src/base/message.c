#include "base/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct message *message_create(const char *bytes, size_t length)
{
	struct message *message = xmalloc(sizeof(*message) + length + 1);
	*message = (struct message){.topic_index = -1, .length = length};
	if (bytes != NULL) {
		memcpy(message->first, bytes, length);
		message->first[length] = '\0';
		message->bytes = message->first;
	}
	return message;
}

void message_replace(struct message *message, char *bytes, size_t length)
{
	free(message->others);
	message->bytes = message->others = bytes;
	message->length = length;
}

void message_destroy(struct message *message)
{
	if (message == NULL)
		return;
	free(message->others);
	free(message);
}
