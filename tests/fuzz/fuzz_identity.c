/* base/identity.c: what is read in front of a message can be written, and is read again as the same. */
#include "fuzz.h"

#include <string.h>

#include "base/buffer.h"
#include "base/identity.h"
#include "base/memory.h"

static void check_again(const struct identity *identity)
{
	static const char body[] = "{\"n\":1}";
	struct identity again;
	struct buffer message;
	buffer_init(&message, 1024);
	FUZZ_PROMISE(identity->seq >= 0);
	FUZZ_PROMISE(
		identity_append_message(&message, identity, identity, body, sizeof(body) - 1) == 0);
	FUZZ_PROMISE(message.length <= IDENTITY_PREFIX_MAX + sizeof(body));
	FUZZ_PROMISE(identity_read_message(message.data, message.length, &again) == 0);
	FUZZ_PROMISE(
		again.seq == identity->seq &&
		memcmp(&again.producer_id, &identity->producer_id, sizeof(again.producer_id)) == 0);
	buffer_finish(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identity identity;
	struct identity_range range;
	char *text = xstrndup((const char *)data, size);
	if (identity_read_message((const char *)data, size, &identity) == 0)
		check_again(&identity);
	if (identity_parse_range(text, &range) == 0)
		FUZZ_PROMISE(range.first >= 0 && range.last >= range.first);
	free(text);
	return 0;
}
