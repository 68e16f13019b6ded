#include "probe/curl_streams.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/stop.h"

/* Of nghttp2, whose headers nobody needs for so little. */
typedef struct nghttp2_session http2_session;
typedef struct nghttp2_session_callbacks http2_callbacks;
typedef struct nghttp2_option http2_option;

/* The beginning of what nghttp2 calls a frame. */
struct http2_frame {
	size_t length;
	int32_t stream;
	uint8_t type;
	uint8_t flags;
};

struct http2_data {
	struct http2_frame head;
	size_t padding; /* of its length */
};

typedef int on_frame(http2_session *session, const struct http2_frame *frame, void *context);
typedef int on_close(http2_session *session, int32_t stream, uint32_t error, void *context);

enum {
	/*
	 * Settings that a server may say at once. nghttp2 ends the connection for more than 32 of them, though any number is sound, and unknown
	 * ones are to be ignored (RFC 9113, 6.5.2). It looks each that it knows up among all before it, so not as many as a frame holds.
	 */
	SETTINGS_AT_ONCE = 256,

	FRAME_DATA = 0,
	FRAME_HEADERS = 1,
	FRAME_RST_STREAM = 3,
	FRAME_SETTINGS = 4,
	FRAME_PING = 6,
	FLAG_ACK = 1,
	FLAG_END_STREAM = 1,
};

/* nghttp2's own functions, found once by each thread. */
static _Thread_local struct {
	int (*send)(http2_session *session);
	void (*set_on_frame)(http2_callbacks *callbacks, on_frame *callback);
	void (*set_on_close)(http2_callbacks *callbacks, on_close *callback);
	int (*client_new)(http2_session **session, const http2_callbacks *callbacks, void *context,
			  const http2_option *option);
	void (*set_max_settings)(http2_option *option, size_t count);
	int (*want_read)(http2_session *session);
	uint32_t (*next_stream)(http2_session *session);
	/* Of a stream: 1, 0, or -1 for one that isn't there. */
	int (*is_local_closed)(http2_session *session, int32_t stream);
	int (*is_remote_closed)(http2_session *session, int32_t stream);
	void *(*user_data)(http2_session *session, int32_t stream); /* libcurl's handle */
} nghttp2;

static _Thread_local const http2_callbacks *curl_callbacks; /* that were set last */
static _Thread_local struct curl_stream *watched;
static _Thread_local struct curl_stream *last_found; /* one of them, or NULL */

/* libcurl's, the same for every session. */
static _Atomic(on_frame *) curl_on_frame;
static _Atomic(on_close *) curl_on_close;

/* ISO C knows no pointer that may be either; POSIX has dlsym() return one. */
static void find(void *function, const char *name)
{
	*(void **)function = dlsym(RTLD_NEXT, name);
	assert(*(void **)function != NULL);
}

static void find_nghttp2(void)
{
	if (nghttp2.send != NULL)
		return;
	find(&nghttp2.set_on_frame, "nghttp2_session_callbacks_set_on_frame_recv_callback");
	find(&nghttp2.set_on_close, "nghttp2_session_callbacks_set_on_stream_close_callback");
	find(&nghttp2.client_new, "nghttp2_session_client_new2");
	find(&nghttp2.set_max_settings, "nghttp2_option_set_max_settings");
	find(&nghttp2.want_read, "nghttp2_session_want_read");
	find(&nghttp2.next_stream, "nghttp2_session_get_next_stream_id");
	find(&nghttp2.is_local_closed, "nghttp2_session_get_stream_local_close");
	find(&nghttp2.is_remote_closed, "nghttp2_session_get_stream_remote_close");
	find(&nghttp2.user_data, "nghttp2_session_get_stream_user_data");
	find(&nghttp2.send, "nghttp2_session_send");
}

/* NULL: nobody wants to know. */
static struct curl_stream *find_watched(http2_session *session, int32_t stream)
{
	const void *easy = nghttp2.user_data(session, stream);
	if (last_found != NULL && last_found->easy == easy)
		return last_found;
	struct curl_stream *at = watched;
	while (at != NULL && at->easy != easy)
		at = at->next;
	if (at != NULL)
		last_found = at;
	return at;
}

static void tell(http2_session *session, int32_t stream, bool is_connection)
{
	struct curl_stream *found = find_watched(session, stream);
	if (found != NULL)
		found->on_broken(found, is_connection);
}

static void note_response(http2_session *session, const struct http2_frame *frame)
{
	find_nghttp2();
	struct curl_stream *found = find_watched(session, frame->stream);
	if (found == NULL)
		return;
	if (frame->type == FRAME_DATA) {
		const struct http2_data *data = (const void *)frame;
		found->body_bytes += (int64_t)(frame->length - data->padding);
	}
	if ((frame->flags & FLAG_END_STREAM) == 0)
		return;
	found->is_whole = true;
	found->is_early = nghttp2.is_local_closed(session, frame->stream) == 0;
	if (found->is_early)
		found->on_early(found);
}

/* Of the last request: they go one by one. 0: there was none. */
static int32_t last_stream(http2_session *session)
{
	int32_t next = (int32_t)nghttp2.next_stream(session);
	return next > 2 ? next - 2 : 0;
}

static void note_settings(http2_session *session)
{
	find_nghttp2();
	struct curl_stream *found = find_watched(session, last_stream(session));
	if (found != NULL)
		found->has_settings = true;
}

static void note_ping(http2_session *session)
{
	find_nghttp2();
	struct curl_stream *found = find_watched(session, last_stream(session));
	if (found != NULL && ++found->pings == STOP_PINGS_MAX)
		found->on_pinged(found);
}

/* With a stream that goes on, a session that wants to read no more has ended over a broken rule. */
static void look_at(http2_session *session)
{
	if (nghttp2.want_read(session) != 0)
		return;
	int32_t last = last_stream(session);
	if (last > 0 && nghttp2.is_remote_closed(session, last) == 0)
		tell(session, last, true);
}

/* The server wants no more of the request: it has said all of its response (RFC 9113, 8.1). */
static bool is_behind_response(http2_session *session, int32_t stream)
{
	const struct curl_stream *found = find_watched(session, stream);
	return found != NULL && found->is_whole;
}

/* A stream whose request and response have both ended isn't there any more. Before the request has, a response may be whole. */
static int on_frame_received(http2_session *session, const struct http2_frame *frame, void *context)
{
	if (watched != NULL && (frame->type == FRAME_DATA || frame->type == FRAME_HEADERS))
		note_response(session, frame);
	if (watched != NULL && frame->type == FRAME_SETTINGS)
		note_settings(session);
	if (watched != NULL && frame->type == FRAME_PING && (frame->flags & FLAG_ACK) == 0)
		note_ping(session);
	if (frame->type == FRAME_RST_STREAM && watched != NULL) {
		find_nghttp2();
		if (is_behind_response(session, frame->stream))
			return 0;
		if (nghttp2.is_local_closed(session, frame->stream) == 1)
			tell(session, frame->stream, false);
	}
	return curl_on_frame(session, frame, context);
}

/* libcurl drops what it has of a stream that did not end well. */
static int on_stream_closed(http2_session *session, int32_t stream, uint32_t error, void *context)
{
	find_nghttp2();
	if (watched != NULL && error != 0 && is_behind_response(session, stream))
		error = 0;
	return curl_on_close(session, stream, error, context);
}

int nghttp2_session_send(http2_session *session);
int nghttp2_session_send(http2_session *session)
{
	find_nghttp2();
	int status = nghttp2.send(session);
	if (watched != NULL)
		look_at(session);
	return status;
}

void nghttp2_session_callbacks_set_on_frame_recv_callback(http2_callbacks *callbacks,
							  on_frame *callback);
void nghttp2_session_callbacks_set_on_frame_recv_callback(http2_callbacks *callbacks,
							  on_frame *callback)
{
	find_nghttp2();
	on_frame *known = NULL;
	bool is_curls = atomic_compare_exchange_strong(&curl_on_frame, &known, callback) ||
			known == callback;
	if (is_curls)
		curl_callbacks = callbacks;
	nghttp2.set_on_frame(callbacks, is_curls ? on_frame_received : callback);
}

void nghttp2_session_callbacks_set_on_stream_close_callback(http2_callbacks *callbacks,
							    on_close *callback);
void nghttp2_session_callbacks_set_on_stream_close_callback(http2_callbacks *callbacks,
							    on_close *callback)
{
	find_nghttp2();
	on_close *known = NULL;
	bool is_curls = atomic_compare_exchange_strong(&curl_on_close, &known, callback) ||
			known == callback;
	nghttp2.set_on_close(callbacks, is_curls ? on_stream_closed : callback);
}

/* libcurl's option is one that it has made for this call. */
int nghttp2_session_client_new2(http2_session **session, const http2_callbacks *callbacks,
				void *context, http2_option *option);
int nghttp2_session_client_new2(http2_session **session, const http2_callbacks *callbacks,
				void *context, http2_option *option)
{
	find_nghttp2();
	if (option != NULL && callbacks == curl_callbacks)
		nghttp2.set_max_settings(option, SETTINGS_AT_ONCE);
	curl_callbacks = NULL;
	return nghttp2.client_new(session, callbacks, context, option);
}

void curl_stream_watch(struct curl_stream *stream)
{
	if (stream->is_watched)
		return;
	stream->is_watched = true;
	stream->previous = NULL;
	stream->next = watched;
	if (watched != NULL)
		watched->previous = stream;
	watched = stream;
}

void curl_stream_unwatch(struct curl_stream *stream)
{
	if (!stream->is_watched)
		return;
	stream->is_watched = false;
	if (last_found == stream)
		last_found = NULL;
	if (stream->next != NULL)
		stream->next->previous = stream->previous;
	if (stream->previous != NULL)
		stream->previous->next = stream->next;
	else
		watched = stream->next;
}
