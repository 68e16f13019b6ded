#include "probe/trouble.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "base/text.h"
#include "probe/trouble_stops.h"
#include "probe/trouble_words.h"

static void set(struct trouble *trouble, enum reason reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void set(struct trouble *trouble, enum reason reason, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(trouble->message, sizeof(trouble->message), format, args);
	va_end(args);
	trouble->reason = reason;
}

/*
 * A connection that was made and reset before libcurl looked: while it is being made, a reset is called ECONNREFUSED. So it comes to the same
 * as a reset a moment later.
 */
static void of_reset_at_once(const struct trouble_facts *facts, struct trouble *trouble)
{
	if (facts->is_proxied) /* nothing was asked of it yet */
		set(trouble, REASON_CONNECT_REFUSED, "%s reset the connection at once",
		    facts->peer);
	else if (facts->is_https)
		set(trouble, REASON_TLS_ERROR,
		    "TLS handshake failed: the connection was reset before it began");
	else
		set(trouble, REASON_CONNECTION_LOST,
		    "the connection was reset before the request was sent");
}

static void of_connect(const struct trouble_facts *facts, struct trouble *trouble)
{
	int number = facts->socket_errno != 0 ? facts->socket_errno : facts->os_errno;
	if (facts->unusable_source != NULL) {
		set(trouble, REASON_PROBER_ERROR, "can't connect from %s: %s",
		    facts->unusable_source, strerrordesc_np(number));
		return;
	}
	switch (number) {
	case ECONNREFUSED:
		set(trouble, REASON_CONNECT_REFUSED, "connection refused by %s", facts->peer);
		break;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		of_reset_at_once(facts, trouble);
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EACCES:
	case EPERM:
	case EINVAL:
	case EAFNOSUPPORT:
		set(trouble, REASON_CONNECT_UNREACHABLE, "%s can't be reached: %s", facts->peer,
		    strerrordesc_np(number));
		break;
	case ETIMEDOUT:
		set(trouble, REASON_CONNECT_TIMEOUT, "%s does not answer", facts->peer);
		break;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EADDRNOTAVAIL:
		/* This machine is out of sockets, ports or memory: nothing was learnt of the site. */
		set(trouble, REASON_PROBER_OVERLOADED, "the prober could not connect: %s",
		    strerrordesc_np(number));
		break;
	default:
		set(trouble, REASON_CONNECT_UNREACHABLE, "could not connect to %s: %s", facts->peer,
		    number != 0 ? strerrordesc_np(number) : facts->curl_text);
		break;
	}
}

static void of_certificate(const struct trouble_facts *facts, struct trouble *trouble)
{
	char room[TROUBLE_WORDS_MAX];
	bool is_without_issuer =
		facts->verify_error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
		facts->verify_error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
	bool is_of_time = facts->verify_error == X509_V_ERR_CERT_HAS_EXPIRED ||
			  facts->verify_error == X509_V_ERR_CERT_NOT_YET_VALID;
	/* OpenSSL's words don't say whose time it is, and the site's own may be long. */
	set(trouble, REASON_CERT_INVALID, "certificate refused: %s%s%s",
	    is_of_time && facts->verify_depth > 0 ? "of one above it in the chain: " : "",
	    facts->verify_error != X509_V_OK ? X509_verify_cert_error_string(facts->verify_error)
					     : trouble_words_of_certificate(facts->curl_text, room),
	    is_without_issuer ? " (no trusted authority signed it, or the server leaves out the "
				"certificate between)"
			      : "");
}

static void of_tls(const struct trouble_facts *facts, struct trouble *trouble)
{
	char room[TROUBLE_WORDS_MAX];
	if (facts->verify_error != X509_V_OK)
		of_certificate(facts, trouble);
	else
		set(trouble, REASON_TLS_ERROR, "TLS handshake failed: %s",
		    trouble_words_of_tls(facts->curl_text, room));
}

static void of_response(const struct trouble_facts *facts, struct trouble *trouble)
{
	char room[TROUBLE_WORDS_MAX];
	const char *words = trouble_words_of_response(facts->curl_text, room);
	if (text_is_empty(words) && facts->code == CURLE_WEIRD_SERVER_REPLY)
		words = "an interim response (1xx), and no other after it";
	else if (text_is_empty(words) &&
		 (facts->code == CURLE_HTTP2 || facts->code == CURLE_HTTP2_STREAM))
		words = "the server ended it over HTTP/2";
	else if (text_is_empty(words)) /* of a header, say, that begins with a blank */
		words = facts->code == CURLE_BAD_CONTENT_ENCODING ? "its body can't be unpacked"
								  : "its head can't be read";
	set(trouble, REASON_PROTOCOL_ERROR, "not a valid response: %s", words);
}

/* "transfer closed with 95 bytes remaining to read" */
static void of_partial(const struct trouble_facts *facts, struct trouble *trouble)
{
	static const char missing[] = "closed with ";
	const char *at = strstr(facts->curl_text, missing);
	int64_t bytes = at != NULL ? strtoll(at + strlen(missing), NULL, 10) : 0;
	if (strstr(facts->curl_text, "end of the underlying stream") != NULL)
		set(trouble, REASON_CONNECTION_LOST,
		    "the connection was closed before the response was complete");
	else if (bytes > 0)
		set(trouble, REASON_CONNECTION_LOST,
		    "the response was cut off: %" PRId64 " bytes were missing", bytes);
	else if (at == NULL && !text_is_empty(facts->curl_text))
		set(trouble, REASON_CONNECTION_LOST, "the response was cut off: %s",
		    facts->curl_text);
	else
		set(trouble, REASON_CONNECTION_LOST, "the response was cut off");
}

/* A connection that broke in the middle: who did it, as far as it shows. */
static void of_lost(const struct trouble_facts *facts, struct trouble *trouble)
{
	char room[TROUBLE_WORDS_MAX];
	const char *text = facts->curl_text;
	if (strstr(text, "reset by peer") != NULL || facts->os_errno == ECONNRESET)
		set(trouble, REASON_CONNECTION_LOST,
		    "the connection was reset before the response was complete");
	else if (strstr(text, "eof while reading") != NULL || strstr(text, "Broken pipe") != NULL)
		set(trouble, REASON_CONNECTION_LOST,
		    "the connection was closed before the response was complete");
	else if (strstr(text, "wrong version number") != NULL)
		set(trouble, REASON_TLS_ERROR,
		    "TLS failed after the handshake: the server went on without it");
	else if (strstr(text, "SSL routines") != NULL)
		set(trouble, REASON_TLS_ERROR, "TLS failed after the handshake: %s",
		    trouble_words_of_tls(text, room));
	else
		set(trouble, REASON_CONNECTION_LOST,
		    "connection lost before the response was complete: %s",
		    facts->os_errno != 0 ? strerrordesc_np(facts->os_errno)
					 : trouble_words_of_response(text, room));
}

/* The server said why, in TLS's own words: libcurl's may be older, or of something else. */
static void of_alert(const struct trouble_facts *facts, struct trouble *trouble)
{
	char room[TROUBLE_WORDS_MAX];
	const char *words = trouble_words_of_alert(facts->tls_alert, facts->is_identity_wanted,
						   facts->has_identity, room);
	bool is_greeting = facts->code == CURLE_SSL_CONNECT_ERROR ||
			   facts->code == CURLE_SSL_CLIENTCERT ||
			   facts->code == CURLE_PEER_FAILED_VERIFICATION;
	set(trouble, REASON_TLS_ERROR, "TLS %s: %s",
	    is_greeting ? "handshake failed" : "failed after the handshake", words);
}

/* Some servers close without a word where the client shows no certificate, or one that they don't trust. */
static void add_identity(const struct trouble_facts *facts, struct trouble *trouble)
{
	bool is_lost = trouble->reason == REASON_CONNECTION_LOST ||
		       (trouble->reason == REASON_TLS_ERROR && facts->tls_alert == 0);
	if (!facts->is_identity_wanted || facts->has_response || !is_lost)
		return;
	size_t length = strlen(trouble->message);
	(void)snprintf(trouble->message + length, sizeof(trouble->message) - length,
		       "; the server had asked for a client's certificate%s",
		       facts->has_identity ? "" : ", and the site's `tls_config` names none");
}

/* curl has one code for broken chunks, endless heads and lost connections; only its text tells them apart. */
static void of_receive(const struct trouble_facts *facts, struct trouble *trouble)
{
	const char *text = facts->curl_text;
	if (strstr(text, "Out of memory in chunked") != NULL)
		set(trouble, REASON_TOO_LARGE, "a trailer is larger than the cap of 100 KiB");
	else if (strstr(text, "Too large response headers") != NULL ||
		 strstr(text, "user callback function failed") != NULL) /* curl's, over HTTP/2 */
		set(trouble, REASON_TOO_LARGE, "the response's headers are larger than the cap");
	else if (strstr(text, "chunk") != NULL || strstr(text, "HTTP2") != NULL ||
		 strstr(text, "nghttp2") != NULL || strstr(text, "Connection died") != NULL)
		of_response(facts, trouble);
	else if (strstr(text, "getpeername") != NULL) /* lost as soon as it was made */
		set(trouble, REASON_CONNECTION_LOST,
		    "the connection was reset before the request was sent");
	else
		of_lost(facts, trouble);
}

void trouble_of_refusing_proxy(int status, struct trouble *trouble)
{
	if (status == 407)
		set(trouble, REASON_PROBER_ERROR, "the proxy wants other credentials (407)");
	else if (status >= 500)
		set(trouble, REASON_CONNECT_UNREACHABLE, "the proxy can't reach the site (%d)",
		    status);
	else
		set(trouble, REASON_PROBER_ERROR, "the proxy refuses to connect (%d)", status);
}

/* What a proxy by SOCKS answers. One that can't reach the site says something of it; that it does not want to, nothing. */
static void of_socks(const struct trouble_facts *facts, struct trouble *trouble)
{
	static const struct {
		CURLproxycode code;
		enum reason reason;
		const char *words;
	} answers[] = {
		{CURLPX_REPLY_GENERAL_SERVER_FAILURE, REASON_CONNECT_UNREACHABLE,
		 "can't reach the site (SOCKS reply 1: general failure)"},
		{CURLPX_REPLY_NOT_ALLOWED, REASON_PROBER_ERROR,
		 "refuses to connect (SOCKS reply 2: forbidden by its rules)"},
		{CURLPX_REPLY_NETWORK_UNREACHABLE, REASON_CONNECT_UNREACHABLE,
		 "can't reach the site (SOCKS reply 3: network unreachable)"},
		{CURLPX_REPLY_HOST_UNREACHABLE, REASON_CONNECT_UNREACHABLE,
		 "can't reach the site (SOCKS reply 4: host unreachable)"},
		{CURLPX_REPLY_CONNECTION_REFUSED, REASON_CONNECT_REFUSED,
		 "can't reach the site (SOCKS reply 5: connection refused)"},
		{CURLPX_REPLY_TTL_EXPIRED, REASON_CONNECT_UNREACHABLE,
		 "can't reach the site (SOCKS reply 6: TTL expired)"},
		{CURLPX_REPLY_COMMAND_NOT_SUPPORTED, REASON_PROBER_ERROR,
		 "refuses to connect (SOCKS reply 7: command not supported)"},
		{CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED, REASON_PROBER_ERROR,
		 "refuses to connect (SOCKS reply 8: kind of address not supported)"},
		{CURLPX_REPLY_UNASSIGNED, REASON_PROBER_ERROR,
		 "refuses to connect (an answer that SOCKS does not know)"},
		{CURLPX_NO_AUTH, REASON_PROBER_ERROR, "wants other credentials (SOCKS)"},
		{CURLPX_USER_REJECTED, REASON_PROBER_ERROR, "wants other credentials (SOCKS)"},
		{CURLPX_UNKNOWN_MODE, REASON_PROBER_ERROR,
		 "wants credentials of a kind that was not offered (SOCKS)"},
		{CURLPX_GSSAPI, REASON_PROBER_ERROR,
		 "wants credentials of a kind that was not offered (SOCKS)"},
		{CURLPX_GSSAPI_PERMSG, REASON_PROBER_ERROR,
		 "wants credentials of a kind that was not offered (SOCKS)"},
		{CURLPX_BAD_VERSION, REASON_PROBER_ERROR,
		 "did not answer by SOCKS: what came is of another protocol"},
		{CURLPX_BAD_ADDRESS_TYPE, REASON_PROBER_ERROR,
		 "did not answer by SOCKS: its answer makes no sense"},
		{CURLPX_LONG_HOSTNAME, REASON_PROBER_ERROR,
		 "can't be told the site's name: it has more than 255 bytes"},
	};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].code == facts->socks_error) {
			set(trouble, answers[i].reason, "the proxy %s", answers[i].words);
			return;
		}
	}
	set(trouble, REASON_PROBER_ERROR,
	    "the proxy did not answer by SOCKS: the connection was closed");
}

/* Connected to the proxy, but never through it. */
static bool is_lost_in_proxy(const struct trouble_facts *facts)
{
	return facts->is_tunnelling &&
	       (facts->code == CURLE_RECV_ERROR || facts->code == CURLE_SEND_ERROR ||
		facts->code == CURLE_GOT_NOTHING || facts->code == CURLE_WEIRD_SERVER_REPLY);
}

/* Over HTTP/2 curl says so of a stream that was reset without an error (NO_ERROR), and of nothing else that we have seen. */
static void of_nothing(const struct trouble_facts *facts, struct trouble *trouble)
{
	if (facts->is_http2)
		set(trouble, REASON_PROTOCOL_ERROR,
		    "not a valid response: the server ended it over HTTP/2 without one");
	else
		set(trouble, REASON_CONNECTION_LOST,
		    "the connection was closed without a response");
}

/* Also what curl calls one header line above 100 KiB; before there is a connection it is true. */
static void of_memory(const struct trouble_facts *facts, struct trouble *trouble)
{
	if (facts->is_connected)
		set(trouble, REASON_TOO_LARGE, "a header line is larger than the cap of 100 KiB");
	else
		set(trouble, REASON_PROBER_ERROR, "libcurl is out of memory");
}

static void of_code(const struct trouble_facts *facts, struct trouble *trouble)
{
	switch ((int)facts->code) {
	case CURLE_COULDNT_CONNECT:
		of_connect(facts, trouble);
		break;
	case CURLE_PROXY:
		of_socks(facts, trouble);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		of_certificate(facts, trouble);
		break;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CLIENTCERT: /* the server wants one, or another */
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_SHUTDOWN_FAILED:
		of_tls(facts, trouble);
		break;
	case CURLE_GOT_NOTHING:
		of_nothing(facts, trouble);
		break;
	case CURLE_PARTIAL_FILE:
		of_partial(facts, trouble);
		break;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		of_receive(facts, trouble);
		break;
	case CURLE_BAD_FUNCTION_ARGUMENT: /* of libcurl's own: a trailer without a colon */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_WRITE_ERROR: /* not our callbacks: a decoder's */
		of_response(facts, trouble);
		break;
	case CURLE_FILESIZE_EXCEEDED:
		set(trouble, REASON_TOO_LARGE, "the response is larger than the cap");
		break;
	case CURLE_OUT_OF_MEMORY:
		of_memory(facts, trouble);
		break;
	case CURLE_ABORTED_BY_CALLBACK: /* poller.h; where we stop it, it says why */
		set(trouble, REASON_PROBER_OVERLOADED, "the prober could not watch its connection");
		break;
	default:
		set(trouble, REASON_PROBER_ERROR, "%s",
		    text_is_empty(facts->curl_text) ? curl_easy_strerror(facts->code)
						    : facts->curl_text);
		break;
	}
}

void trouble_of_transfer(const struct trouble_facts *facts, struct trouble *trouble)
{
	if (facts->stopped_for != STOP_NONE)
		trouble->reason = trouble_stops_tell(facts, trouble->message);
	else if (facts->proxy_status >= 300)
		trouble_of_refusing_proxy(facts->proxy_status, trouble);
	else if (is_lost_in_proxy(facts))
		set(trouble, REASON_PROBER_ERROR, "the proxy did not answer CONNECT: %s",
		    trouble_words_of_proxy(facts->curl_text));
	else if (facts->tls_alert != 0 && facts->verify_error == X509_V_OK)
		of_alert(facts, trouble);
	else
		of_code(facts, trouble);
	add_identity(facts, trouble);
}

void trouble_of_slow_proxy(enum slow_proxy slow, const char *peer, int64_t timeout_us,
			   struct trouble *trouble)
{
	char limit[32];
	text_format_duration(timeout_us, limit, sizeof(limit));
	switch (slow) {
	case SLOW_PROXY_TLS:
		set(trouble, REASON_CONNECT_TIMEOUT, "no TLS handshake with %s within %s", peer,
		    limit);
		break;
	case SLOW_PROXY_SILENT:
		set(trouble, REASON_CONNECT_TIMEOUT,
		    "the proxy %s made no connection to the site within %s", peer, limit);
		break;
	case SLOW_PROXY_ANSWER:
		set(trouble, REASON_PROBER_ERROR,
		    "the proxy %s did not end its answer to CONNECT within %s", peer, limit);
		break;
	case SLOW_PROXY_SOCKS:
		set(trouble, REASON_PROBER_ERROR,
		    "the proxy %s did not end its answer by SOCKS within %s", peer, limit);
		break;
	}
}

void trouble_of_timeout(enum phase phase, const char *peer, int64_t timeout_us,
			struct trouble *trouble)
{
	char limit[32];
	text_format_duration(timeout_us, limit, sizeof(limit));
	switch (phase) {
	case PHASE_DNS:
		set(trouble, REASON_DNS_ERROR, "the name was not resolved within %s", limit);
		break;
	case PHASE_CONNECT:
		set(trouble, REASON_CONNECT_TIMEOUT, "no connection to %s within %s", peer, limit);
		break;
	case PHASE_TLS:
		set(trouble, REASON_TIMEOUT, "the TLS handshake did not end within %s", limit);
		break;
	case PHASE_WAIT:
		set(trouble, REASON_TIMEOUT, "no response within %s", limit);
		break;
	case PHASE_TRANSFER:
		set(trouble, REASON_TIMEOUT, "the response was not complete within %s", limit);
		break;
	}
}

void trouble_note(const struct trouble *trouble, const char *host, struct observation *observation)
{
	char shown[TROUBLE_HOST_MAX];
	char text[OBSERVATION_MESSAGE_MAX + TROUBLE_HOST_MAX + 2];
	(void)snprintf(shown, sizeof(shown), "%s", host != NULL ? host : "");
	bool is_named = shown[0] != '\0' && reason_outcome(trouble->reason) == OUTCOME_DOWN &&
			strstr(trouble->message, shown) == NULL;
	(void)snprintf(text, sizeof(text), "%s%s%s", is_named ? shown : "", is_named ? ": " : "",
		       trouble->message);
	observation->trouble = trouble->reason;
	free(observation->message);
	observation->message = text_clean_copy(text, strlen(text), OBSERVATION_MESSAGE_MAX - 1);
}

bool trouble_is_of_address(enum reason reason)
{
	return reason == REASON_CONNECT_REFUSED || reason == REASON_CONNECT_UNREACHABLE ||
	       reason == REASON_CONNECT_TIMEOUT;
}
