/*
 * What we need from a response's header lines, line by line as they come: where a redirect leads, which cookies it sets, and whether
 * the lengths make sense. Pure.
 *
 * curl takes the last of several Content-Length headers, and goes on without one that overflows; we call both broken. Of a status line
 * whose version it can't read it makes a status of 200 ("http/1.1 500"), and behind "HTTP/2" it takes any number: broken, too.
 */
#ifndef WEBSENTRY_PROBE_RESPONSE_HEAD_H
#define WEBSENTRY_PROBE_RESPONSE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Status lines, header fields and trailers of one hop, those of interim (1xx) responses included. */
enum {
	RESPONSE_HEAD_MAX = 256 * 1024,
	/* libcurl keeps each in memory, and joins folded ones with everything that came before. */
	RESPONSE_HEAD_LINES_MAX = 4096,
	/* Of Set-Cookie; one that goes beyond is left out. */
	RESPONSE_COOKIES_MAX = 16 * 1024,
};

enum packing {
	PACKED_NOT,
	PACKED_GZIP,
	PACKED_DEFLATE,
	PACKED_BROTLI,
	PACKED_ZSTD,
	PACKED_UNKNOWN
};

struct response_head {
	size_t bytes; /* of all lines so far */
	size_t lines;
	char *location; /* first Location of the last response begun; NULL for none. Bytes as they came, NUL-terminated */
	char *cookies; /* of a redirect (3xx): what it says in Set-Cookie, each with a line's end; NULL for nothing */
	int64_t content_length; /* -1 not announced */
	bool is_status_broken; /* a status line without a version of HTTP, or without a status of 100 to 999 */
	bool is_redirect;              /* its status is one of 3xx */
	bool is_length_broken;         /* contradicts itself, is no number, or overflows */
	bool is_complete;              /* the empty line after a head has come */
	enum packing packing;          /* the last of Content-Encoding */
	enum packing transfer_packing; /* the last of Transfer-Encoding but for chunks */
	unsigned content_encodings;    /* that the body is packed in, one within the other */
	unsigned transfer_encodings;   /* the same, below these; chunks are none */
	bool has_large_window;         /* one of them is br or zstd */
};

void response_head_init(struct response_head *head);
void response_head_finish(struct response_head *head);

/* Take one line, its end included. Returns 0, or -1 once there were more than RESPONSE_HEAD_MAX bytes. */
int response_head_add_line(struct response_head *head, const char *line, size_t length);

#endif
