#include "probe/trouble_stops.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "probe/response_head.h"
#include "probe/stop.h"
#include "probe/trouble.h"
#include "probe/unpack.h"

/* "16 MiB" */
static void format_bytes(int64_t bytes, char *text, size_t size)
{
	const int64_t kib = 1024;
	if (bytes >= kib * kib && bytes % (kib * kib) == 0)
		(void)snprintf(text, size, "%" PRId64 " MiB", bytes / (kib * kib));
	else if (bytes >= kib && bytes % kib == 0)
		(void)snprintf(text, size, "%" PRId64 " KiB", bytes / kib);
	else
		(void)snprintf(text, size, "%" PRId64 " bytes", bytes);
}

/* What is known beyond the words. */
typedef void tell_more(const struct trouble_facts *facts, char *text, size_t size);

static void tell_body_max(const struct trouble_facts *facts, char *text, size_t size)
{
	format_bytes(facts->body_max, text, size);
}

static void tell_unpack_trouble(const struct trouble_facts *facts, char *text, size_t size)
{
	if (!text_is_empty(facts->unpack_trouble))
		(void)snprintf(text, size, ": %s", facts->unpack_trouble);
}

static void tell_forbidden(const struct trouble_facts *facts, char *text, size_t size)
{
	(void)snprintf(text, size, "%s", facts->forbidden);
}

static const struct stop_row {
	enum reason reason;
	const char *words;
	/* What stands behind them: none of these, or one. */
	tell_more *tell;
	int64_t bytes_max;
	int count_max;
	const char *of_what; /* behind count_max; NULL: nothing */
} stops[] = {
	[STOP_HEAD] =
		{.reason = REASON_TOO_LARGE,
		 .words = "the response's headers (trailers and interim responses included) are "
			  "larger than the cap of ",
		 .bytes_max = RESPONSE_HEAD_MAX},
	[STOP_LINES] = {.reason = REASON_TOO_LARGE,
			.words = "the response's headers (trailers and interim responses included) "
				 "are more "
				 "than the cap of ",
			.count_max = RESPONSE_HEAD_LINES_MAX,
			.of_what = " lines"},
	[STOP_STATUS] =
		{.reason = REASON_PROTOCOL_ERROR,
		 .words = "not a valid response: its status line has no version of HTTP, or its "
			  "status is none of 100 to 999"},
	[STOP_LENGTH] = {.reason = REASON_PROTOCOL_ERROR,
			 .words = "Content-Length is no number, too large, or contradicts itself"},
	[STOP_ENCODINGS] = {.reason = REASON_PROTOCOL_ERROR,
			    .words = "the body is packed more than once, which is not unpacked"},
	[STOP_BODY] = {.reason = REASON_TOO_LARGE,
		       .words = "the body is larger than the cap of ",
		       .tell = tell_body_max},
	[STOP_BODIES] =
		{.reason = REASON_TOO_LARGE,
		 .words = "the bodies of the redirects and of this response are together larger "
			  "than the cap of ",
		 .bytes_max = STOP_BODIES_MAX},
	[STOP_UNASKED] = {.reason = REASON_PROTOCOL_ERROR,
			  .words = "the body is packed as br or zstd, which was not asked for; "
				   "`compression: br` does"},
	[STOP_PACKING] = {.reason = REASON_PROTOCOL_ERROR,
			  .words = "not a valid response: its body is packed in an encoding that "
				   "is not known"},
	[STOP_UNPACKING] = {.reason = REASON_PROTOCOL_ERROR,
			    .words = "not a valid response: its body can't be unpacked",
			    .tell = tell_unpack_trouble},
	[STOP_WINDOW] =
		{.reason = REASON_TOO_LARGE,
		 .words =
			 "the body is packed with a window that takes more memory than the cap of ",
		 .bytes_max = UNPACK_WINDOW_MAX},
	[STOP_PIECES] = {.reason = REASON_TOO_LARGE,
			 .words = "the body is packed in more pieces than the cap of ",
			 .count_max = UNPACK_TABLES_MAX,
			 .of_what = ", which take long to unpack"},
	[STOP_CUT_OFF] = {.reason = REASON_PROTOCOL_ERROR,
			  .words = "the body was cut off: what is packed in it ends too soon"},
	[STOP_RAW] = {.reason = REASON_TOO_LARGE,
		      .words = "far more bytes came than the response holds: they are framing, or "
			       "packed so that they unpack to next to nothing"},
	[STOP_PACKETS] =
		{.reason = REASON_TOO_LARGE,
		 .words = "the response comes in packets that hold next to nothing, more of them "
			  "than the cap of ",
		 .count_max = STOP_PACKETS_MAX},
	[STOP_PINGS] = {.reason = REASON_TOO_LARGE,
			.words = "the server pings again and again over HTTP/2, more often than "
				 "the cap of ",
			.count_max = STOP_PINGS_MAX},
	[STOP_TUNNEL] = {.reason = REASON_PROBER_ERROR,
			 .words = "the proxy's answer to CONNECT is larger than the cap"},
	[STOP_FORBIDDEN] = {.reason = REASON_FORBIDDEN_ADDRESS,
			    .words = "",
			    .tell = tell_forbidden},
	[STOP_HTTP2] =
		{.reason = REASON_PROTOCOL_ERROR,
		 .words = "not a valid response: the server broke the rules of HTTP/2 before it "
			  "was whole"},
	[STOP_NOT_HTTP2] = {.reason = REASON_PROTOCOL_ERROR,
			    .words = "not a valid response: the server does not speak HTTP/2"},
	[STOP_RESET] = {.reason = REASON_PROTOCOL_ERROR,
			.words = "not a valid response: the server ended it over HTTP/2 before it "
				 "was whole"},
	[STOP_RECORDS] = {.reason = REASON_TLS_ERROR,
			  .words = "TLS messages came without end that hold next to nothing"},
};

enum reason trouble_stops_tell(const struct trouble_facts *facts,
			       char ret_message[static OBSERVATION_MESSAGE_MAX])
{
	char more[OBSERVATION_MESSAGE_MAX] = "";
	assert((size_t)facts->stopped_for < sizeof(stops) / sizeof(stops[0]));
	const struct stop_row *stop = &stops[facts->stopped_for];
	if (stop->tell != NULL)
		stop->tell(facts, more, sizeof(more));
	else if (stop->bytes_max > 0)
		format_bytes(stop->bytes_max, more, sizeof(more));
	else if (stop->count_max > 0)
		(void)snprintf(more, sizeof(more), "%d%s", stop->count_max,
			       stop->of_what == NULL ? "" : stop->of_what);
	(void)snprintf(ret_message, OBSERVATION_MESSAGE_MAX, "%s%s", stop->words, more);
	return stop->reason;
}
