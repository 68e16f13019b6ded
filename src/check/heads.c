#include "check/heads.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/evidence.h"
#include "check/secrets.h"
#include "check/site.h"
#include "check/url.h"

/* What a path is put behind, to be redacted as the URL that it is a part of. */
static const char origin[] = "http://host";

/* Of a request line the part between the blanks; the caller's. */
static char *redact_target(const char *target, size_t length)
{
	char *text = xstrndup(target, length);
	bool is_path = text[0] == '/';
	if (!is_path && strstr(text, "://") == NULL)
		return text; /* CONNECT host:port, OPTIONS * */
	char *url = is_path ? xasprintf("%s%s", origin, text) : xstrdup(text);
	char *redacted = url_redact(url);
	bool is_whole = !is_path || text_starts_with(redacted, origin);
	char *shown =
		!is_whole ? xstrdup("***") : xstrdup(redacted + (is_path ? strlen(origin) : 0));
	free(redacted);
	free(url);
	free(text);
	return shown;
}

/* "GET /a?token=*** HTTP/1.1": method and version are ours. */
static void append_request_line(struct buffer *out, const struct secrets *secrets, const char *line,
				size_t length)
{
	const char *first = memchr(line, ' ', length);
	const char *last = memrchr(line, ' ', length);
	if (first == NULL || last == first)
		return;
	char *target = redact_target(first + 1, (size_t)(last - first - 1));
	struct buffer hidden;
	buffer_init(&hidden, 12 * (size_t)HEAD_TEXT_MAX);
	secrets_hide(secrets, target, strlen(target), false, &hidden);
	(void)text_clean(out, line, (size_t)(first + 1 - line), HEAD_TEXT_MAX);
	if (hidden.length > 0)
		(void)text_clean(out, hidden.data, hidden.length, HEAD_TEXT_MAX);
	(void)text_clean(out, last, (size_t)(line + length - last), HEAD_TEXT_MAX);
	buffer_finish(&hidden);
	free(target);
}

static char *make_request(const struct secrets *secrets, const char *bytes, size_t length)
{
	struct buffer out;
	const char *end = memchr(bytes, '\n', length);
	size_t used = end == NULL ? length : (size_t)(end + 1 - bytes);
	size_t line = used;
	while (line > 0 && (bytes[line - 1] == '\n' || bytes[line - 1] == '\r'))
		line--;
	buffer_init(&out, 4 * (size_t)HEAD_TEXT_MAX);
	append_request_line(&out, secrets, bytes, line);
	char *fields = evidence_make_head(secrets, bytes + used, length - used, HEAD_TEXT_MAX);
	if (!text_is_empty(fields))
		(void)buffer_append_format(&out, "\n%s", fields);
	free(fields);
	return buffer_take(&out);
}

void heads_add(struct heads *heads, const struct site *site, const char *cookies, bool is_request,
	       const char *bytes, size_t length)
{
	struct secrets *secrets = secrets_create_with(site, cookies);
	char *text = is_request ? make_request(secrets, bytes, length)
				: evidence_make_head(secrets, bytes, length, HEAD_TEXT_MAX);
	secrets_destroy(secrets);
	if (text == NULL)
		return;
	heads->items = xreallocarray(heads->items, heads->count + 1, sizeof(heads->items[0]));
	heads->items[heads->count++] = (struct head){.is_request = is_request, .text = text};
}

struct heads *heads_join(struct heads *first, struct heads *second)
{
	if (first == NULL || second == NULL)
		return first == NULL ? second : first;
	first->items =
		xreallocarray(first->items, first->count + second->count, sizeof(first->items[0]));
	for (size_t i = 0; i < second->count; i++)
		first->items[first->count++] = second->items[i];
	second->count = 0;
	heads_destroy(second);
	return first;
}

void heads_destroy(struct heads *heads)
{
	if (heads == NULL)
		return;
	for (size_t i = 0; i < heads->count; i++)
		free(heads->items[i].text);
	free(heads->items);
	free(heads);
}
