#include "probe/trouble.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "base/text.h"

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

/* The words for why we broke a transfer off ourselves. */
static void of_our_stop(const struct trouble_facts *facts, struct trouble *trouble)
{
	if (facts->stopped_for == REASON_TOO_LARGE)
		set(trouble, REASON_TOO_LARGE, "the response is larger than the cap");
	else if (facts->stopped_for == REASON_PROTOCOL_ERROR)
		set(trouble, REASON_PROTOCOL_ERROR,
		    "Content-Length is no number, too large, or contradicts itself");
	else
		set(trouble, facts->stopped_for, "%s", reason_text(facts->stopped_for));
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
		set(trouble, REASON_CONNECT_REFUSED, "%s reset the connection while connecting",
		    facts->peer);
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
	if (facts->verify_error != X509_V_OK)
		set(trouble, REASON_CERT_INVALID, "certificate refused: %s",
		    X509_verify_cert_error_string(facts->verify_error));
	else
		set(trouble, REASON_CERT_INVALID, "certificate refused: %s", facts->curl_text);
}

/* curl has one code for broken chunks, endless heads and lost connections; only its text tells them apart. */
static void of_receive(const struct trouble_facts *facts, struct trouble *trouble)
{
	if (strstr(facts->curl_text, "chunk") != NULL)
		set(trouble, REASON_PROTOCOL_ERROR, "broken chunked encoding: %s",
		    facts->curl_text);
	else if (strstr(facts->curl_text, "Too large response headers") != NULL)
		set(trouble, REASON_TOO_LARGE, "the response's headers are larger than the cap");
	else if (strstr(facts->curl_text, "SSL_read") != NULL &&
		 strstr(facts->curl_text, "alert") != NULL)
		set(trouble, REASON_TLS_ERROR, "TLS failed: %s", facts->curl_text);
	else if (strstr(facts->curl_text, "getpeername") != NULL) /* lost as soon as it was made */
		set(trouble, REASON_CONNECTION_LOST, "connection lost before the request was sent");
	else
		set(trouble, REASON_CONNECTION_LOST,
		    "connection lost before the response was complete: %s", facts->curl_text);
}

/* A proxy that won't connect us: because of us, or because it could not itself. */
static void of_proxy(const struct trouble_facts *facts, struct trouble *trouble)
{
	if (facts->proxy_status == 407)
		set(trouble, REASON_PROBER_ERROR, "the proxy wants other credentials (407)");
	else if (facts->proxy_status >= 500)
		set(trouble, REASON_CONNECT_UNREACHABLE, "the proxy can't reach the site (%d)",
		    facts->proxy_status);
	else
		set(trouble, REASON_PROBER_ERROR, "the proxy refuses to connect (%d)",
		    facts->proxy_status);
}

void trouble_of_transfer(const struct trouble_facts *facts, struct trouble *trouble)
{
	if (facts->stopped_for != REASON_OK) {
		of_our_stop(facts, trouble);
		return;
	}
	if (facts->proxy_status >= 300) {
		of_proxy(facts, trouble);
		return;
	}
	switch ((int)facts->code) {
	case CURLE_COULDNT_CONNECT:
		of_connect(facts, trouble);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		of_certificate(facts, trouble);
		break;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_SHUTDOWN_FAILED:
		if (facts->verify_error != X509_V_OK)
			of_certificate(facts, trouble);
		else
			set(trouble, REASON_TLS_ERROR, "TLS handshake failed: %s",
			    facts->curl_text);
		break;
	case CURLE_GOT_NOTHING:
		set(trouble, REASON_CONNECTION_LOST,
		    "the connection was closed without a response");
		break;
	case CURLE_PARTIAL_FILE:
		set(trouble, REASON_CONNECTION_LOST, "the response was cut off%s%s",
		    text_is_empty(facts->curl_text) ? "" : ": ", facts->curl_text);
		break;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		of_receive(facts, trouble);
		break;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_WRITE_ERROR: /* not our callbacks: a decoder's */
		set(trouble, REASON_PROTOCOL_ERROR, "not a valid response: %s", facts->curl_text);
		break;
	case CURLE_FILESIZE_EXCEEDED:
		set(trouble, REASON_TOO_LARGE, "the response is larger than the cap");
		break;
	case CURLE_OUT_OF_MEMORY:
		/* Also what curl calls one header line above 100 KiB; before there is a connection it is true. */
		if (facts->is_connected)
			set(trouble, REASON_TOO_LARGE, "a header line is larger than the cap");
		else
			set(trouble, REASON_PROBER_ERROR, "libcurl is out of memory");
		break;
	default:
		set(trouble, REASON_PROBER_ERROR, "%s",
		    text_is_empty(facts->curl_text) ? curl_easy_strerror(facts->code)
						    : facts->curl_text);
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

bool trouble_is_of_address(enum reason reason)
{
	return reason == REASON_CONNECT_REFUSED || reason == REASON_CONNECT_UNREACHABLE ||
	       reason == REASON_CONNECT_TIMEOUT;
}
