/*
 * How a response over HTTP/2 ended where libcurl 7.88 doesn't say: where the server breaks a rule, nghttp2 (libcurl's library for HTTP/2)
 * ends the connection, and libcurl calls what came so far the whole response, or waits for more that nobody would read; and a stream
 * that the server resets in the middle, with no error as its reason, has ended well to libcurl; but where it resets one behind a whole
 * response, as it may do when it wants no more of an upload, libcurl drops what it has not handed over; and where it says nothing of the
 * rest of an upload, which it does not have to read either, libcurl waits for it to be sent; and pings it answers without end. So this program's
 * nghttp2_session_send() stands before nghttp2's, which libcurl calls behind whatever it has read, and asks the session whether that
 * was its end; and libcurl's callbacks for frames and for the end of a stream are called through this program's. Its sessions are made
 * by this program's nghttp2_session_client_new2(), too, which has nghttp2 take more settings at once than it would. Whoever else uses nghttp2,
 * in whatever thread, notices nothing.
 */
#ifndef WEBSENTRY_PROBE_CURL_STREAMS_H
#define WEBSENTRY_PROBE_CURL_STREAMS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* One that wants to know. Its owner's to hold, and to fill in: easy and what is called. */
struct curl_stream {
	const CURL *easy; /* whose requests it is about */
	/*
	 * From within libcurl: the response will not come to its end. libcurl ends the transfer, as if all were well or not; but where the
	 * whole connection has ended it may wait instead.
	 */
	void (*on_broken)(struct curl_stream *stream, bool is_connection);
	/* From within libcurl: the response has come to its end, which libcurl may have yet to hand over, and the request has not. */
	void (*on_early)(struct curl_stream *stream);
	/* From within libcurl: the server has said the STOP_PINGS_MAX-th ping that we are to answer. */
	void (*on_pinged)(struct curl_stream *stream);
	/* What came of the response, the owner's to clear: pings, bytes of its body, and whether the server said that this was all. */
	int pings;
	int64_t body_bytes;
	bool is_whole;
	bool is_early; /* and said so before the request was: the server need not read the rest of it */
	bool has_settings; /* which begin what a server says over HTTP/2; on a connection that was there, not heard of again */
	struct curl_stream *next;
	struct curl_stream *previous;
	bool is_watched;
};

/* From now on, on the thread that drives the handle, which is also the one to end it. Each may be called twice. */
void curl_stream_watch(struct curl_stream *stream);
void curl_stream_unwatch(struct curl_stream *stream);

#endif
