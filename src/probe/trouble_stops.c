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

/* What stands at the end of the words of a stop: a cap, or what is known beyond the words. */
typedef void tell_more(const struct trouble_facts *facts, char *text, size_t size);

static void tell_head_max(const struct trouble_facts *facts, char *text, size_t size)
{
	(void)facts;
	format_bytes(RESPONSE_HEAD_MAX, text, size);
}

static void tell_lines_max(const struct trouble_facts *facts, char *text, size_t size)
{
	(void)facts;
	(void)snprintf(text, size, "%d lines", (int)RESPONSE_HEAD_LINES_MAX);
}

static void tell_body_max(const struct trouble_facts *facts, char *text, size_t size)
{
	format_bytes(facts->body_max, text, size);
}

static void tell_bodies_max(const struct trouble_facts *facts, char *text, size_t size)
{
	(void)facts;
	format_bytes(STOP_BODIES_MAX, text, size);
}

static void tell_unpack_trouble(const struct trouble_facts *facts, char *text, size_t size)
{
	if (!text_is_empty(facts->unpack_trouble))
		(void)snprintf(text, size, ": %s", facts->unpack_trouble);
}

static void tell_window_max(const struct trouble_facts *facts, char *text, size_t size)
{
	(void)facts;
	format_bytes(UNPACK_WINDOW_MAX, text, size);
}

static void tell_packets_max(const struct trouble_facts *facts, char *text, size_t size)
{
	(void)facts;
	(void)snprintf(text, size, "%d", (int)STOP_PACKETS_MAX);
}

static void tell_pings_max(const struct trouble_facts *facts, char *text, size_t size)
{
	(void)facts;
	(void)snprintf(text, size, "%d", (int)STOP_PINGS_MAX);
}

static void tell_pieces_max(const struct trouble_facts *facts, char *text, size_t size)
{
	(void)facts;
	(void)snprintf(text, size, "%d, which take long to unpack", (int)UNPACK_TABLES_MAX);
}

static void tell_forbidden(const struct trouble_facts *facts, char *text, size_t size)
{
	(void)snprintf(text, size, "%s", facts->forbidden);
}

static const struct stop_row {
	enum reason reason;
	const char *words;
	tell_more *tell; /* NULL: the words are all */
} stops[] = {
	[STOP_HEAD] = {REASON_TOO_LARGE,
		       "the response's headers (trailers and interim responses included) are "
		       "larger than the cap of ",
		       tell_head_max},
	[STOP_LINES] = {REASON_TOO_LARGE,
			"the response's headers (trailers and interim responses included) are more "
			"than the cap of ",
			tell_lines_max},
	[STOP_STATUS] = {REASON_PROTOCOL_ERROR,
			 "not a valid response: its status line has no version of HTTP, or its "
			 "status is none of 100 to 999",
			 NULL},
	[STOP_LENGTH] = {REASON_PROTOCOL_ERROR,
			 "Content-Length is no number, too large, or contradicts itself", NULL},
	[STOP_ENCODINGS] = {REASON_PROTOCOL_ERROR,
			    "the body is packed more than once, which is not unpacked", NULL},
	[STOP_BODY] = {REASON_TOO_LARGE, "the body is larger than the cap of ", tell_body_max},
	[STOP_BODIES] = {REASON_TOO_LARGE,
			 "the bodies of the redirects and of this response are together larger "
			 "than the cap of ",
			 tell_bodies_max},
	[STOP_UNASKED] = {REASON_PROTOCOL_ERROR,
			  "the body is packed as br or zstd, which was not asked for; "
			  "`compression: br` does",
			  NULL},
	[STOP_PACKING] =
		{REASON_PROTOCOL_ERROR,
		 "not a valid response: its body is packed in an encoding that is not known", NULL},
	[STOP_UNPACKING] = {REASON_PROTOCOL_ERROR,
			    "not a valid response: its body can't be unpacked",
			    tell_unpack_trouble},
	[STOP_WINDOW] = {REASON_TOO_LARGE,
			 "the body is packed with a window that takes more memory than the cap of ",
			 tell_window_max},
	[STOP_PIECES] = {REASON_TOO_LARGE, "the body is packed in more pieces than the cap of ",
			 tell_pieces_max},
	[STOP_CUT_OFF] = {REASON_PROTOCOL_ERROR,
			  "the body was cut off: what is packed in it ends too soon", NULL},
	[STOP_RAW] = {REASON_TOO_LARGE,
		      "far more bytes came than the response holds: they are framing, or packed so "
		      "that they unpack to next to nothing",
		      NULL},
	[STOP_PACKETS] = {REASON_TOO_LARGE,
			  "the response comes in packets that hold next to nothing, more of them "
			  "than the cap of ",
			  tell_packets_max},
	[STOP_PINGS] = {REASON_TOO_LARGE,
			"the server pings again and again over HTTP/2, more often than the cap of ",
			tell_pings_max},
	[STOP_TUNNEL] = {REASON_PROBER_ERROR,
			 "the proxy's answer to CONNECT is larger than the cap", NULL},
	[STOP_FORBIDDEN] = {REASON_FORBIDDEN_ADDRESS, "", tell_forbidden},
	[STOP_HTTP2] = {REASON_PROTOCOL_ERROR,
			"not a valid response: the server broke the rules of HTTP/2 before it "
			"was whole",
			NULL},
	[STOP_NOT_HTTP2] = {REASON_PROTOCOL_ERROR,
			    "not a valid response: the server does not speak HTTP/2", NULL},
	[STOP_RESET] = {REASON_PROTOCOL_ERROR,
			"not a valid response: the server ended it over HTTP/2 before it was whole",
			NULL},
	[STOP_RECORDS] = {REASON_TLS_ERROR,
			  "TLS messages came without end that hold next to nothing", NULL},
};

enum reason trouble_stops_tell(const struct trouble_facts *facts,
			       char ret_message[static OBSERVATION_MESSAGE_MAX])
{
	char more[OBSERVATION_MESSAGE_MAX] = "";
	assert((size_t)facts->stopped_for < sizeof(stops) / sizeof(stops[0]));
	const struct stop_row *stop = &stops[facts->stopped_for];
	if (stop->tell != NULL)
		stop->tell(facts, more, sizeof(more));
	(void)snprintf(ret_message, OBSERVATION_MESSAGE_MAX, "%s%s", stop->words, more);
	return stop->reason;
}
