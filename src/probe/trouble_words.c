#include "probe/trouble_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* What a text holds, and what is said for it. The first row that fits counts. */
struct saying {
	const char *part;
	const char *words;
};

static const struct saying of_response[] = {
	{"Nul byte in header", "a header holds a zero byte"},
	{"Header without colon", "a header line without a colon"},
	{"Unsupported response code", "its status is none of 100 to 999"},
	{"Received HTTP/0.9", "this is not HTTP"},
	{"Unsupported HTTP version", "its version of HTTP does not exist"},
	{"Unsupported HTTP/", "its version of HTTP was not asked for"},
	{"Unrecognized content encoding", "its body is packed in an encoding that is not known"},
	{"Too long hexadecimal number", "a chunk's size is too long a number"},
	{"Illegal or missing hexadecimal", "a chunk's size is no number"},
	{"Malformed encoding found", "a chunk does not end where it should"},
	{"chunked-encod", "its chunks are broken"},
	{"more than 5 content encodings", "its body is packed more than once"},
	{"Connection died, tried", "the server refused the request again and again"},
	{"Lying server, not serving HTTP/2", "the server chose HTTP/2, and does not speak it"},
	{"Failure when receiving data", "the connection failed"},
	{NULL, NULL},
};

/* The part behind these words is left, and zlib's own words follow. */
static const char unpacking[] = "content unencoding: ";

/* What the server itself says as it refuses us. */
static const struct saying of_alert[] = {
	{"handshake failure",
	 "the server refused it: no version, cipher or certificate suits both sides"},
	{"protocol version", "the server refuses the versions of TLS that were offered"},
	{"certificate required", "the server wants a client's certificate"},
	{"no application protocol", "the server refuses the versions of HTTP that were offered"},
	{NULL, NULL},
};

static const struct saying of_tls[] = {
	{"unrecognized name", "the server knows no site of this name"},
	{"too many warn alerts", "the server sent warnings without end"},
	{"wrong version number", "the server does not speak TLS on this port"},
	{"http request", "the server does not speak TLS on this port"},
	{"unsupported protocol", "the server's version of TLS is too old or unknown"},
	{"legacy sigalg disallowed", "the server's version of TLS is too old"},
	{"unknown protocol", "the server does not speak TLS on this port"},
	{"dh key too small", "the server's Diffie-Hellman key is too weak"},
	{"ee key too small", "the certificate's key is too weak"},
	{"ca md too weak", "the certificate's signature is too weak"},
	{"excessive message size", "the server's certificates or messages are larger than the cap"},
	{"packet length too long", "the server sent a record that is too long"},
	{"unexpected message", "the server sent a message that does not belong there"},
	{"unexpected eof", "the connection was closed in the middle of it"},
	{"bad record mac", "what the server sent was changed on its way, or wrongly encrypted"},
	{"reset by peer", "the connection was reset in the middle of it"},
	{"SSL_ERROR_SYSCALL", "the connection was closed in the middle of it"},
	{"SSL_ERROR_ZERO_RETURN", "the server ended it"},
	{"Broken pipe", "the connection was closed in the middle of it"},
	{NULL, NULL},
};

static const struct saying of_certificate[] = {
	{"does not match target host name", "it is for another host"},
	{"no alternative certificate subject name matches", "it is for another host"},
	{"unable to obtain common name", "it is for no host"},
	{NULL, NULL},
};

static const struct saying of_proxy[] = {
	{"response too large", "its answer is larger than the cap"},
	{"failed, response 0", "what came is no answer of HTTP"},
	{"failed, response 1", "an interim answer (1xx) came instead"},
	{"reset by peer", "the connection was reset"},
	{"aborted", "the connection was closed, or what came is no answer of HTTP"},
	{NULL, NULL},
};

static const char *find(const struct saying *rows, const char *text)
{
	for (; rows->part != NULL; rows++)
		if (strstr(text, rows->part) != NULL)
			return rows->words;
	return NULL;
}

/* "HTTP/2 stream 1 was not closed cleanly: PROTOCOL_ERROR (err 1)": the name of the error. */
static const char *of_stream(const char *text, char room[static TROUBLE_WORDS_MAX])
{
	static const char cause[] = "was not closed cleanly: ";
	const char *at = strstr(text, cause);
	if (at == NULL)
		return NULL;
	at += strlen(cause);
	(void)snprintf(room, TROUBLE_WORDS_MAX, "the server ended it over HTTP/2 with %.*s",
		       (int)strcspn(at, " "), at);
	return room;
}

/* nghttp2 has a sentence of its own for each mistake; whoever reads it should know that it is about HTTP/2. */
static const char *of_http2(const char *text, char room[static TROUBLE_WORDS_MAX])
{
	if (strstr(text, "nghttp2") == NULL && strstr(text, "HTTP2") == NULL &&
	    strstr(text, "HTTP/2") == NULL)
		return NULL;
	const char *cause = strrchr(text, ':');
	(void)snprintf(room, TROUBLE_WORDS_MAX, "the server broke the rules of HTTP/2%s%s",
		       cause != NULL ? ": " : "",
		       cause != NULL ? cause + 1 + (cause[1] == ' ') : "");
	return room;
}

const char *trouble_words_of_response(const char *text, char room[static TROUBLE_WORDS_MAX])
{
	const char *words = find(of_response, text);
	if (words != NULL)
		return words;
	const char *unpacked = strstr(text, unpacking);
	if (unpacked != NULL) {
		(void)snprintf(room, TROUBLE_WORDS_MAX, "its body can't be unpacked: %.200s",
			       unpacked + strlen(unpacking));
		return room;
	}
	words = of_stream(text, room);
	if (words == NULL)
		words = of_http2(text, room);
	return words != NULL ? words : text;
}

const char *trouble_words_of_proxy(const char *text)
{
	const char *words = find(of_proxy, text);
	return words != NULL ? words : text;
}

/* "error:0A000410:SSL routines::sslv3 alert handshake failure, errno 0": what follows the colons, without its ends. */
static const char *of_openssl(const char *text, char room[static TROUBLE_WORDS_MAX])
{
	static const char mark[] = "::";
	const char *at = strstr(text, mark);
	if (strstr(text, "SSL routines") == NULL || at == NULL)
		return NULL;
	at += strlen(mark);
	int length = (int)strcspn(at, ",");
	const char *alert = strstr(at, "alert ");
	static const char unnamed[] = "reason(1";
	if (text_starts_with(at, unnamed)) /* an alert without a name: 1000 and its number */
		(void)snprintf(room, TROUBLE_WORDS_MAX, "the server ended it with the alert %ld",
			       strtol(at + strlen(unnamed), NULL, 10));
	else if (alert != NULL)
		(void)snprintf(
			room, TROUBLE_WORDS_MAX, "the server ended it with the alert \"%.*s\"",
			(int)strcspn(alert + strlen("alert "), ","), alert + strlen("alert "));
	else
		(void)snprintf(room, TROUBLE_WORDS_MAX, "%.*s", length < 200 ? length : 200, at);
	return room;
}

const char *trouble_words_of_tls(const char *text, char room[static TROUBLE_WORDS_MAX])
{
	const char *alert = strstr(text, " alert ");
	const char *words = find(alert != NULL ? of_alert : of_tls, text);
	if (words == NULL)
		words = of_openssl(text, room);
	return words != NULL ? words : text;
}

const char *trouble_words_of_certificate(const char *text, char room[static TROUBLE_WORDS_MAX])
{
	const char *words = find(of_certificate, text);
	if (words == NULL)
		words = of_openssl(text, room);
	return words != NULL ? words : text;
}
