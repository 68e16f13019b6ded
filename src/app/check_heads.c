#include "app/check_heads.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "check/heads.h"
#include "check/observation.h"

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

void check_heads_write(struct buffer *out, const struct observation *seen)
{
	for (size_t i = 0; i < seen->redirect_count; i++)
		put_hop(out, &seen->redirects[i]);
	put_hop(out, &seen->final);
}
