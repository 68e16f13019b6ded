/*
 * Why we broke a transfer off ourselves: what a site may send is bounded in every respect, and each bound has words of its own.
 */
#ifndef WEBSENTRY_PROBE_STOP_H
#define WEBSENTRY_PROBE_STOP_H

enum {
	/* Of a check, redirects included: no more work than for the largest body alone, but that each redirect may have a page. */
	STOP_BODIES_MAX = 17 * 1024 * 1024,
	STOP_PINGS_MAX = 1024, /* of a response over HTTP/2; each is answered */
	STOP_PACKETS_MAX =
		16 * 1024, /* of a response; 20 ms or so of work where they come one by one */
};

enum stop {
	STOP_NONE,      /* we did not */
	STOP_HEAD,      /* header fields, trailers and interim responses: RESPONSE_HEAD_MAX */
	STOP_LINES,     /* the same, by number: RESPONSE_HEAD_LINES_MAX */
	STOP_STATUS,    /* a status line of which curl would make any status */
	STOP_LENGTH,    /* a Content-Length that makes no sense */
	STOP_ENCODINGS, /* packed more than once: what it expands to in between can't be bounded */
	STOP_BODY,      /* larger than max_body_bytes */
	STOP_BODIES,    /* the same of those of redirects and it: STOP_BODIES_MAX */
	STOP_UNASKED,   /* packed as nobody asked for: br and zstd keep what they unpack */
	STOP_PACKING,   /* packed as nobody knows */
	STOP_UNPACKING, /* what is packed is broken */
	STOP_WINDOW,    /* to unpack it takes too much memory */
	STOP_PIECES,    /* the same, time: packed in too many pieces */
	STOP_CUT_OFF,   /* it ended too soon, though the response as such did not */
	STOP_RAW,       /* far more bytes than they hold: framing, padding, blocks of nothing */
	STOP_PACKETS,   /* the same of packets, which hold a byte or so */
	STOP_PINGS,     /* the same of pings of HTTP/2, which hold nothing of it */
	STOP_TUNNEL, /* the same of a proxy's answer to CONNECT, which curl reads byte by byte in one go */
	STOP_FORBIDDEN, /* the address that was to be connected to */
	STOP_RECORDS,   /* TLS that says nothing: its records and messages, by number */
	STOP_HTTP2,     /* nghttp2 did, and libcurl may not say so: a rule of HTTP/2 was broken */
	STOP_NOT_HTTP2, /* the same, before a word of it */
	STOP_RESET,     /* the server did, which reset the stream of HTTP/2; the same */
};

#endif
