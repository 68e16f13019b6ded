/*
 * One request and its response: a curl easy handle with its caps, a new one for each transfer.
 *
 * Each transfer connects afresh to one address that was resolved before; it follows no redirect. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_TRANSFER_H
#define WEBSENTRY_PROBE_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "check/observation.h"
#include "probe/certificate.h"
#include "probe/curl_streams.h"
#include "probe/response_head.h"
#include "probe/stop.h"

struct address_guard;
struct client_certificates;
struct error;
struct kept_connection;
struct phase_marks;
struct poller;
struct raw_heads;
struct request_proxy;
struct site;
struct trust;
struct unpack;

/* What has arrived at a socket. */
struct transfer_received {
	int64_t bytes;
	uint32_t packets; /* with something in them; wraps */
};

struct transfer {
	CURL *easy;
	void *owner;
	bool is_used;          /* the handle, which is good for one transfer */
	struct poller *poller; /* the owner's to set, that carries it; NULL: nothing is put off */
	struct trust *trust;
	struct client_certificates *certificates;

	/* What came of the present transfer. */
	struct response_head head;
	struct certificate certificate;
	struct buffer body; /* decoded, its first kept_max bytes */
	size_t kept_max;
	struct buffer
		head_text; /* the last response's status line and fields as they came, their first head_max bytes */
	size_t head_max;
	struct raw_heads *heads; /* NULL: nobody wants to see them */
	int64_t packed_bytes;    /* of a body that we unpack */
	int64_t decoded_bytes;
	int64_t redirects_bytes; /* the same of the redirects that led here: the owner's to set */
	int64_t work;          /* that the body made since some of it was put off to another turn */
	size_t taken;          /* of the bytes that curl hands over again */
	int64_t handed_bytes;  /* of the body, as curl handed them over, once and for all */
	struct unpack *unpack; /* NULL: what came of the body is not packed */
	bool is_left_packed;   /* a body that nobody looks at, and that can't be unpacked */
	enum stop stopped_for; /* why we broke it off */
	int socket_errno;      /* why no socket could be made; 0 otherwise */
	bool is_source_unusable; /* because of the source address */
	mono_us started_at;
	mono_us tls_started_at;    /* 0: not reached */
	int64_t tls_messages;      /* records and handshake messages received */
	int64_t tls_bytes;         /* the site's records received */
	int tls_alert;             /* that the site, or its proxy, ended TLS with; 0: none */
	bool is_identity_wanted;   /* the site asked for a client's certificate */
	bool is_http2;             /* chosen within TLS, or known before */
	struct curl_stream stream; /* watched over HTTP/2 */
	enum stop http2_end;       /* what ended the response before it was whole */
	bool has_goaway;           /* over HTTP/2: the server wants no more requests */
	bool is_ended_early;       /* over HTTP/2: its response is whole, and its request is not */
	bool has_body;             /* the request */
	bool wants_upgrade;        /* the same, another protocol: 101 is an answer to it … */
	bool has_switched;         /* … that came */
	mono_us sent_at;           /* the request's body; 0: there was none, or not reached */
	mono_us first_line_at;     /* of the response, with a request that has a body */
	char error_text[CURL_ERROR_SIZE];

	/* What it was given. */
	const struct site *site;
	struct address_guard *guard; /* NULL: a proxy is connected to, which the operator chose */
	bool is_trusted_origin;
	bool is_https;
	const char *cookies; /* that are sent in place of the site's; NULL: none are */
	const char *source;  /* the address to connect from; NULL: any */
	bool has_options;    /* the request is not a usual one */
	struct kept_connection
		*kept;   /* where connections go to, and come from; NULL: each is a fresh one */
	bool is_unkept;  /* this one does not stay there: there are too many */
	bool needs_kept; /* the request can go over a connection that is there, and no other */
	curl_socket_t socket;
	struct transfer_received received_before; /* by that socket, for another transfer */
	bool has_opened;                          /* a socket of its own */
	unsigned progress_calls;
	struct curl_slist *headers;
	struct curl_slist *proxy_headers;   /* of CONNECT */
	struct curl_slist usual_headers[2]; /* what a request has that names no headers */
	char *user_agent_line;
	struct curl_slist connect_to;
	char connect_to_text[ADDRESS_TEXT_MAX + 16];
	bool is_proxy_https;
	bool is_socks; /* the proxy is one of SOCKS */
	bool has_socks_user;
	bool is_tunnelled; /* the proxy is asked to let TLS through to the site; SOCKS: anything */
	bool is_tls_of_proxy;   /* the next TLS is between us and the proxy */
	bool has_proxy_greeted; /* that one is done */
	bool has_proxy_spoken;  /* within it */
	struct curl_slist proxy_pin;
	char *proxy_pin_text;
	char *tunnel_text; /* where a proxy is asked to connect to, with a server_name; NULL: to the URL's host */
};

/* One hop's request. Everything is borrowed until the transfer has ended. */
struct transfer_request {
	const struct site *site; /* caps, TLS, headers */
	const char *url;
	const char *method;
	const char *body; /* NULL: none, and no header that speaks of one */
	size_t body_length;
	const char *address;    /* where to connect to, as text: the proxy's where there is one */
	bool is_address_in_url; /* its host is that address */
	int port;
	const struct request_proxy *proxy; /* NULL: none */
	const char *target;           /* the site's address that it is told; NULL: the URL's host */
	struct kept_connection *kept; /* NULL: a fresh connection, and none is kept */
	struct address_guard *guard;  /* of the addresses that are connected to, without a proxy */
	bool is_https;
	bool is_trusted_origin; /* the site's Host and whatever looks like a secret may go there */
	const char *cookies;    /* in place of the site's own; "": none. NULL: the site's own */
	const char *username;   /* NULL: what stands in the URL */
	const char *password;
};

/*
 * Return 0, or -1 where libcurl has no memory; transfer_finish() follows either way. The user agent, trust and certificates are borrowed
 * for the transfer's life.
 */
int transfer_init(struct transfer *transfer, const char *user_agent, struct trust *trust,
		  struct client_certificates *certificates, bool keeps_heads, void *owner);
void transfer_finish(struct transfer *transfer);

/*
 * Forget the last transfer and set up the next, which starts now; the handle must not be running. Returns 0, or -1 with err
 * where curl refuses a value or has no memory.
 */
int transfer_prepare(struct transfer *transfer, const struct transfer_request *request, mono_us now,
		     struct error *err);

/* Forget what came, and give back memory that an ordinary transfer does not need. */
void transfer_clear(struct transfer *transfer);

/* Fill in what the transfer knows: connected and later. */
void transfer_get_marks(const struct transfer *transfer, struct phase_marks *marks);
int transfer_status(const struct transfer *transfer); /* 0: none received */
enum http_version transfer_http_version(const struct transfer *transfer);
bool transfer_is_connected(const struct transfer *transfer); /* TCP, be it to a proxy */
bool transfer_is_reused(const struct transfer *transfer);    /* it asks over a kept connection */
/* Ended with code, and only because of the connection: it was kept, and the server had done with it. */
bool transfer_was_too_late(const struct transfer *transfer, CURLcode code);
bool transfer_is_tls_of_proxy(
	const struct transfer *transfer); /* and none was begun with the site */
bool transfer_is_greeting_proxy(
	const struct transfer *transfer); /* TLS with it has begun, or is to, and has not ended */
bool transfer_is_tunnelling(
	const struct transfer *transfer); /* a proxy was asked to, and has not let us through yet */
int transfer_proxy_status(
	const struct transfer *transfer); /* of the proxy's answer to CONNECT; 0: none */
int64_t transfer_body_bytes(const struct transfer *transfer); /* as transferred */

#endif
