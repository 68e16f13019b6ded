#include "probe/transfer_heads.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "check/heads.h"
#include "probe/transfer.h"
#include "probe/transfer_http2.h"

enum { HEADS_MAX = 32 }; /* of one hop: more are interim responses without end */

struct raw_head {
	bool is_request;
	struct buffer bytes; /* its beginning */
};

struct raw_heads {
	struct raw_head items[HEADS_MAX];
	size_t count;
};

/* The head that bytes of a direction belong to; NULL where there are too many. */
static struct raw_head *find(struct raw_heads *heads, bool is_request, const char *bytes,
			     size_t length)
{
	bool is_status_line = !is_request && length >= 5 && memcmp(bytes, "HTTP/", 5) == 0;
	struct raw_head *last = heads->count == 0 ? NULL : &heads->items[heads->count - 1];
	if (last != NULL && last->is_request == is_request && !is_status_line)
		return last;
	if (heads->count == HEADS_MAX)
		return NULL;
	last = &heads->items[heads->count++];
	last->is_request = is_request;
	buffer_init(&last->bytes, HEAD_TEXT_MAX);
	return last;
}

static int on_debug(CURL *easy, curl_infotype type, char *bytes, size_t length, void *context)
{
	(void)easy;
	struct transfer *transfer = context;
	struct raw_heads *heads = transfer->heads;
	if (type == CURLINFO_TEXT)
		transfer_http2_hear(transfer, bytes, length);
	if (heads == NULL || (type != CURLINFO_HEADER_OUT && type != CURLINFO_HEADER_IN))
		return 0;
	struct raw_head *head = find(heads, type == CURLINFO_HEADER_OUT, bytes, length);
	if (head == NULL)
		return 0;
	size_t room = HEAD_TEXT_MAX - head->bytes.length;
	if (room > 0)
		(void)buffer_append(&head->bytes, bytes, length < room ? length : room);
	return 0;
}

struct raw_heads *raw_heads_create(void)
{
	return xcalloc(1, sizeof(struct raw_heads));
}

void transfer_heads_watch(struct transfer *transfer)
{
	(void)curl_easy_setopt(transfer->easy, CURLOPT_DEBUGFUNCTION, on_debug);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_DEBUGDATA, transfer);
	if (transfer->heads != NULL)
		(void)curl_easy_setopt(transfer->easy, CURLOPT_VERBOSE, 1L);
}

static void forget(struct raw_heads *heads)
{
	for (size_t i = 0; i < heads->count; i++)
		buffer_finish(&heads->items[i].bytes);
	heads->count = 0;
}

void transfer_heads_forget(struct transfer *transfer)
{
	if (transfer->heads != NULL)
		forget(transfer->heads);
}

/* What came of cookies, and what comes with this response: its Location may repeat that. Without Path and the like, which are no secrets. */
static char *list_cookies(const struct transfer *transfer)
{
	char *list = xstrdup(transfer->cookies != NULL ? transfer->cookies : "");
	const char *line = transfer->head.cookies;
	while (line != NULL && line[0] != '\0') {
		char *longer = xasprintf("%s; %.*s", list, (int)strcspn(line, ";\n"), line);
		free(list);
		list = longer;
		line += strcspn(line, "\n");
		line += strspn(line, "\n");
	}
	return list;
}

struct heads *transfer_heads_take(struct transfer *transfer)
{
	struct raw_heads *raw = transfer->heads;
	if (raw == NULL || raw->count == 0)
		return NULL;
	struct heads *heads = xcalloc(1, sizeof(*heads));
	char *cookies = list_cookies(transfer);
	for (size_t i = 0; i < raw->count; i++) {
		const struct raw_head *head = &raw->items[i];
		if (head->bytes.length > 0)
			heads_add(heads, transfer->site, cookies, head->is_request,
				  head->bytes.data, head->bytes.length);
	}
	free(cookies);
	forget(raw);
	return heads;
}

void raw_heads_destroy(struct raw_heads *heads)
{
	if (heads == NULL)
		return;
	forget(heads);
	free(heads);
}
