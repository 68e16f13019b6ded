#include "probe/transfer_http2.h"

#include <curl/curl.h>
#include <string.h>

#include "probe/transfer.h"

static bool is_kept(const struct transfer *transfer)
{
	return transfer->kept != NULL && !transfer->is_unkept;
}

void transfer_http2_watch(struct transfer *transfer)
{
	if (transfer->is_http2)
		return;
	transfer->is_http2 = true;
	(void)curl_easy_setopt(transfer->easy, CURLOPT_VERBOSE, 1L);
	if (!is_kept(transfer))
		(void)curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 0L);
}

void transfer_http2_clear(struct transfer *transfer)
{
	transfer->is_http2 = false;
	transfer->is_left_intact = false;
	transfer->has_goaway = false;
}

static bool holds(const char *text, size_t length, const char *start, const char *part)
{
	size_t size = strlen(start);
	return length >= size && memcmp(text, start, size) == 0 &&
	       memmem(text, length, part, strlen(part)) != NULL;
}

void transfer_http2_hear(struct transfer *transfer, const char *text, size_t length)
{
	if (!transfer->is_http2)
		return;
	if (holds(text, length, "rec", " GOAWAY, error=")) {
		transfer->has_goaway = true;
		if (transfer->heads == NULL) /* there may be thousands of them */
			(void)curl_easy_setopt(transfer->easy, CURLOPT_VERBOSE, 0L);
	} else if (holds(text, length, "Connection #", " left intact")) {
		transfer->is_left_intact = true;
	} else if (holds(text, length, "Downgrades to HTTP/1.1", "") && !is_kept(transfer)) {
		/* It asks again, over another connection; this one is not left open. */
		(void)curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
	}
}

void transfer_http2_let_go(struct transfer *transfer)
{
	/* in the middle of a response, or before it: libcurl would leave it to other streams */
	if (transfer->is_http2 || transfer->kept != NULL)
		(void)curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
	/* behind the end, where it was left intact */
	if (transfer->is_http2 && !is_kept(transfer))
		(void)curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_ONLY, 1L);
}

bool transfer_http2_is_broken(const struct transfer *transfer)
{
	return transfer->is_http2 && !transfer->is_left_intact && !transfer->has_goaway &&
	       !transfer->is_tls_ended && transfer_http_version(transfer) == HTTP_VERSION_2;
}
