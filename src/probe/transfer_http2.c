#include "probe/transfer_http2.h"

#include <curl/curl.h>
#include <stddef.h>
#include <string.h>

#include "probe/kept_connection.h"
#include "probe/poller.h"
#include "probe/transfer.h"

static bool is_kept(const struct transfer *transfer)
{
	return transfer->kept != NULL && !transfer->is_unkept;
}

static struct transfer *owner_of(struct curl_stream *stream)
{
	return (struct transfer *)(void *)((char *)stream - offsetof(struct transfer, stream));
}

/* libcurl may wait for what it would not read. */
static void on_broken(struct curl_stream *stream, bool is_connection)
{
	struct transfer *transfer = owner_of(stream);
	bool has_spoken = stream->has_settings || transfer_is_reused(transfer);
	transfer->http2_end = !is_connection ? STOP_RESET
			      : has_spoken   ? STOP_HTTP2
					     : STOP_NOT_HTTP2;
	if (is_connection && transfer->poller != NULL)
		poller_end(transfer->poller, transfer->easy, CURLE_HTTP2);
}

/* Said by the server, and taken by us. */
static bool has_all(const struct transfer *transfer)
{
	const struct curl_stream *stream = &transfer->stream;
	return stream->is_whole && transfer->taken == 0 &&
	       transfer->handed_bytes == stream->body_bytes;
}

void transfer_http2_end_early(struct transfer *transfer)
{
	if (!transfer->stream.is_early || transfer->is_ended_early || transfer->poller == NULL)
		return;
	bool has_head = transfer->head.is_complete && transfer_status(transfer) != 0;
	if (!has_head || !has_all(transfer))
		return;
	transfer->is_ended_early = true;
	poller_end(transfer->poller, transfer->easy, CURLE_HTTP2_STREAM);
}

/* What libcurl has yet to hand over is waited for. */
static void on_early(struct curl_stream *stream)
{
	transfer_http2_end_early(owner_of(stream));
}

/* Not before curl has answered those that came with this one. */
static void on_pinged(struct curl_stream *stream)
{
	struct transfer *transfer = owner_of(stream);
	if (transfer->http2_end != STOP_NONE || stream->is_whole || transfer->poller == NULL)
		return;
	transfer->http2_end = STOP_PINGS;
	poller_end(transfer->poller, transfer->easy, CURLE_HTTP2);
}

void transfer_http2_watch(struct transfer *transfer)
{
	if (transfer->is_http2)
		return;
	transfer->is_http2 = true;
	transfer->stream.easy = transfer->easy;
	transfer->stream.on_broken = on_broken;
	transfer->stream.on_early = on_early;
	transfer->stream.on_pinged = on_pinged;
	curl_stream_watch(&transfer->stream);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_VERBOSE, 1L);
	if (!is_kept(transfer))
		(void)curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 0L);
}

static void forget_response(struct curl_stream *stream)
{
	stream->pings = 0;
	stream->body_bytes = 0;
	stream->is_whole = false;
	stream->is_early = false;
	stream->has_settings = false;
}

void transfer_http2_clear(struct transfer *transfer)
{
	forget_response(&transfer->stream);
	curl_stream_unwatch(&transfer->stream);
	transfer->is_http2 = false;
	transfer->http2_end = STOP_NONE;
	transfer->has_goaway = false;
	transfer->is_ended_early = false;
	transfer->handed_bytes = 0;
}

void transfer_http2_ask_again(struct transfer *transfer)
{
	forget_response(&transfer->stream);
	if (transfer->http2_end == STOP_NONE && !transfer->is_ended_early)
		return;
	transfer->http2_end = STOP_NONE;
	transfer->is_ended_early = false;
	if (transfer->poller != NULL)
		poller_go_on(transfer->poller, transfer->easy);
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
	} else if (holds(text, length, "Downgrades to HTTP/1.1", "") && !is_kept(transfer)) {
		/* It asks again, over another connection; this one is not left open. */
		(void)curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
	}
}

void transfer_http2_let_go(struct transfer *transfer)
{
	curl_stream_unwatch(
		&transfer->stream); /* what libcurl breaks off now is no end of the server's */
	/* in the middle of a response, or before it: libcurl would leave it to other streams */
	if (transfer->is_http2 || transfer->kept != NULL)
		(void)curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
	/* where half a request has gone over it, the server may have left no window for the next one */
	if (transfer->kept != NULL && transfer->stream.is_early)
		kept_connection_give_up(transfer->kept);
	/* behind the end, where it was left intact */
	if (transfer->is_http2 && !is_kept(transfer))
		(void)curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_ONLY, 1L);
}

CURLcode transfer_http2_end(const struct transfer *transfer, CURLcode code)
{
	bool is_of_connection = code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
				code == CURLE_PARTIAL_FILE || code == CURLE_HTTP2_STREAM;
	return transfer->is_http2 && is_of_connection && has_all(transfer) ? CURLE_OK : code;
}

enum stop transfer_http2_judge(const struct transfer *transfer, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
		return transfer->http2_end;
	case CURLE_SEND_ERROR: /* who breaks a rule may close at once */
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
		return transfer->http2_end == STOP_RESET ? STOP_NONE : transfer->http2_end;
	default:
		return STOP_NONE; /* libcurl knows better */
	}
}
