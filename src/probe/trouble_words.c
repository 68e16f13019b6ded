#include "probe/trouble_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

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

static const char identity_wanted[] =
	"the server wants a client's certificate, and the site's `tls_config` names none";

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

/* "error:0A0000FF:SSL routines::length mismatch, errno 0": what follows the colons, without its ends. */
static const char *of_openssl(const char *text, char room[static TROUBLE_WORDS_MAX])
{
	static const char mark[] = "::";
	const char *at = strstr(text, mark);
	if (strstr(text, "SSL routines") == NULL || at == NULL)
		return NULL;
	at += strlen(mark);
	int length = (int)strcspn(at, ",");
	(void)snprintf(room, TROUBLE_WORDS_MAX, "%.*s", length < 200 ? length : 200, at);
	return room;
}

const char *trouble_words_of_tls(const char *text, char room[static TROUBLE_WORDS_MAX])
{
	const char *words = find(of_tls, text);
	if (words == NULL)
		words = of_openssl(text, room);
	return words != NULL ? words : text;
}

/* What may be wrong with a client's certificate, and with nothing else. */
static bool is_of_identity(int alert)
{
	switch (alert) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
	case TLS13_AD_CERTIFICATE_REQUIRED:
		return true;
	default:
		return false;
	}
}

/* OpenSSL's, and what it has none for. */
static const char *name_of_alert(int alert)
{
	switch (alert) {
	case SSL_AD_UNEXPECTED_MESSAGE:
		return "unexpected message";
	case SSL_AD_INAPPROPRIATE_FALLBACK:
		return "inappropriate fallback";
	case TLS13_AD_MISSING_EXTENSION:
		return "missing extension";
	default:
		return SSL_alert_desc_string_long(alert);
	}
}

static const char *quote_alert(int alert, const char *words, char room[static TROUBLE_WORDS_MAX])
{
	const char *name = name_of_alert(alert);
	if (strcmp(name, "unknown") == 0)
		(void)snprintf(room, TROUBLE_WORDS_MAX, "%s the alert %d", words, alert);
	else
		(void)snprintf(room, TROUBLE_WORDS_MAX, "%s the alert \"%s\"", words, name);
	return room;
}

const char *trouble_words_of_alert(int alert, bool is_identity_wanted, bool has_identity,
				   char room[static TROUBLE_WORDS_MAX])
{
	/* Before TLS 1.3 there is no alert for a certificate that is missing: servers take this one. */
	bool may_be_missing = is_of_identity(alert) || alert == SSL_AD_HANDSHAKE_FAILURE;
	if (is_identity_wanted && !has_identity && may_be_missing)
		return identity_wanted;
	if (is_identity_wanted && is_of_identity(alert))
		return quote_alert(alert, "the server refused the client's certificate with", room);
	switch (alert) {
	case SSL_AD_HANDSHAKE_FAILURE:
		return "the server refused it: no version, cipher or certificate suits both sides";
	case SSL_AD_PROTOCOL_VERSION:
		return "the server refuses the versions of TLS that were offered";
	case SSL_AD_UNRECOGNIZED_NAME:
		return "the server knows no site of this name";
	case SSL_AD_NO_APPLICATION_PROTOCOL:
		return "the server refuses the versions of HTTP that were offered";
	case TLS13_AD_CERTIFICATE_REQUIRED:
		return "the server wants a client's certificate";
	default:
		return quote_alert(alert, "the server ended it with", room);
	}
}

const char *trouble_words_of_certificate(const char *text, char room[static TROUBLE_WORDS_MAX])
{
	const char *words = find(of_certificate, text);
	if (words == NULL)
		words = of_openssl(text, room);
	return words != NULL ? words : text;
}
