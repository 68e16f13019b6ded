#include "app/check_heads.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "check/attempt.h"
#include "check/heads.h"
#include "check/observation.h"

enum { ATTEMPT_TEXT_MAX = 1024 * 1024 };

static void put_line(struct buffer *out, char mark, const char *line, size_t length)
{
	(void)buffer_append_format(out, "%c ", mark);
	(void)text_clean(out, line, length, HEAD_TEXT_MAX);
	(void)buffer_append_char(out, '\n');
}

static void put_head(struct buffer *out, const struct head *head)
{
	const char *line = head->text;
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");
		put_line(out, head->is_request ? '>' : '<', line, length);
		line += length;
		line += *line == '\n' ? 1 : 0;
	}
}

static void put_hop(struct buffer *out, const struct hop *hop)
{
	if (hop->url != NULL)
		put_line(out, '*', hop->url, strlen(hop->url));
	for (size_t i = 0; hop->heads != NULL && i < hop->heads->count; i++)
		put_head(out, &hop->heads->items[i]);
}

static void put_hops(struct buffer *out, const struct observation *seen)
{
	for (size_t i = 0; i < seen->redirect_count; i++)
		put_hop(out, &seen->redirects[i]);
	put_hop(out, &seen->final);
}

void check_heads_write(struct buffer *out, const struct observation *seen)
{
	size_t earlier = seen->earlier == NULL ? 0 : seen->earlier->count;
	for (size_t i = 0; i < earlier; i++) {
		const char *heads = seen->earlier->items[i].heads;
		(void)buffer_append_format(out, "* attempt %zu of %zu\n", i + 1, earlier + 1);
		(void)buffer_append_text(out, heads == NULL ? "" : heads);
	}
	if (earlier > 0)
		(void)buffer_append_format(out, "* attempt %zu of %zu\n", earlier + 1, earlier + 1);
	put_hops(out, seen);
}

char *check_heads_of_attempt(const struct observation *seen)
{
	struct buffer text;
	buffer_init(&text, ATTEMPT_TEXT_MAX);
	put_hops(&text, seen);
	return buffer_take(&text);
}
