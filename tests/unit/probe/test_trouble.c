#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "probe/trouble.h"

#define PEER "192.0.2.1:80"

struct trouble_case {
	const char *name;
	struct trouble_facts facts;
	enum reason reason;
	const char *words; /* that the message holds */
};

static const struct trouble_case cases[] = {
	{"refused",
	 {.code = CURLE_COULDNT_CONNECT, .os_errno = ECONNREFUSED},
	 REASON_CONNECT_REFUSED,
	 PEER},
	{"reset as soon as it was connected to",
	 {.code = CURLE_COULDNT_CONNECT, .os_errno = ECONNRESET},
	 REASON_CONNECTION_LOST,
	 "reset before the request was sent"},
	{"reset before TLS began",
	 {.code = CURLE_COULDNT_CONNECT, .os_errno = ECONNRESET, .is_https = true},
	 REASON_TLS_ERROR,
	 "reset"},
	{"reset by a proxy",
	 {.code = CURLE_COULDNT_CONNECT, .os_errno = ECONNRESET, .is_proxied = true},
	 REASON_CONNECT_REFUSED,
	 PEER},
	{"no route",
	 {.code = CURLE_COULDNT_CONNECT, .os_errno = EHOSTUNREACH},
	 REASON_CONNECT_UNREACHABLE,
	 PEER},
	{"no network",
	 {.code = CURLE_COULDNT_CONNECT, .os_errno = ENETUNREACH},
	 REASON_CONNECT_UNREACHABLE,
	 PEER},
	{"forbidden by a firewall",
	 {.code = CURLE_COULDNT_CONNECT, .os_errno = EPERM},
	 REASON_CONNECT_UNREACHABLE,
	 PEER},
	{"kernel gave up",
	 {.code = CURLE_COULDNT_CONNECT, .os_errno = ETIMEDOUT},
	 REASON_CONNECT_TIMEOUT,
	 PEER},
	{"out of ports",
	 {.code = CURLE_COULDNT_CONNECT, .os_errno = EADDRNOTAVAIL},
	 REASON_PROBER_OVERLOADED,
	 "prober"},
	{"out of descriptors",
	 {.code = CURLE_COULDNT_CONNECT, .socket_errno = EMFILE},
	 REASON_PROBER_OVERLOADED,
	 "prober"},
	{"a proxy by SOCKS that is refused",
	 {.code = CURLE_PROXY, .socks_error = CURLPX_REPLY_CONNECTION_REFUSED},
	 REASON_CONNECT_REFUSED,
	 "the proxy can't reach the site"},
	{"a proxy by SOCKS that forbids it",
	 {.code = CURLE_PROXY, .socks_error = CURLPX_REPLY_NOT_ALLOWED},
	 REASON_PROBER_ERROR,
	 "the proxy refuses"},
	{"a proxy by SOCKS that closes",
	 {.code = CURLE_PROXY, .socks_error = CURLPX_RECV_REQACK},
	 REASON_PROBER_ERROR,
	 "closed"},
	{"no errno",
	 {.code = CURLE_COULDNT_CONNECT, .curl_text = "something"},
	 REASON_CONNECT_UNREACHABLE,
	 "something"},
	{"expired",
	 {.code = CURLE_PEER_FAILED_VERIFICATION, .verify_error = X509_V_ERR_CERT_HAS_EXPIRED},
	 REASON_CERT_INVALID,
	 "expired"},
	{"one above it expired",
	 {.code = CURLE_PEER_FAILED_VERIFICATION,
	  .verify_error = X509_V_ERR_CERT_HAS_EXPIRED,
	  .verify_depth = 1},
	 REASON_CERT_INVALID,
	 "above it"},
	{"wrong name",
	 {.code = CURLE_PEER_FAILED_VERIFICATION, .curl_text = "no alternative name"},
	 REASON_CERT_INVALID,
	 "no alternative name"},
	{"verification fails the handshake",
	 {.code = CURLE_SSL_CONNECT_ERROR, .verify_error = X509_V_ERR_CERT_HAS_EXPIRED},
	 REASON_CERT_INVALID,
	 "expired"},
	{"a certificate without one that leads to an authority",
	 {.code = CURLE_PEER_FAILED_VERIFICATION,
	  .verify_error = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
	 REASON_CERT_INVALID,
	 "the server leaves out the certificate between"},
	{"handshake",
	 {.code = CURLE_SSL_CONNECT_ERROR, .curl_text = "something"},
	 REASON_TLS_ERROR,
	 "something"},
	{"a client's certificate is wanted",
	 {.code = CURLE_SSL_CLIENTCERT, .tls_alert = 116, .is_identity_wanted = true},
	 REASON_TLS_ERROR,
	 "TLS handshake failed: the server wants a client's certificate, and the site's "
	 "`tls_config` names none"},
	{"the same, of a server that was not heard to ask",
	 {.code = CURLE_RECV_ERROR, .tls_alert = 116},
	 REASON_TLS_ERROR,
	 "TLS failed after the handshake: the server wants a client's certificate"},
	{"the same before TLS 1.3, which has no alert for it",
	 {.code = CURLE_SSL_CONNECT_ERROR, .tls_alert = 40, .is_identity_wanted = true},
	 REASON_TLS_ERROR,
	 "`tls_config` names none"},
	{"no cipher suits",
	 {.code = CURLE_SSL_CONNECT_ERROR, .tls_alert = 40},
	 REASON_TLS_ERROR,
	 "no version, cipher or certificate suits both sides"},
	{"no cipher suits a client with a certificate",
	 {.code = CURLE_SSL_CONNECT_ERROR,
	  .tls_alert = 40,
	  .is_identity_wanted = true,
	  .has_identity = true},
	 REASON_TLS_ERROR,
	 "no version, cipher or certificate suits both sides"},
	{"an expired certificate of the client's, which libcurl takes for the site's",
	 {.code = CURLE_PEER_FAILED_VERIFICATION,
	  .curl_text = "SSL certificate verification failed",
	  .tls_alert = 45,
	  .is_identity_wanted = true,
	  .has_identity = true},
	 REASON_TLS_ERROR,
	 "TLS handshake failed: the server refused the client's certificate with the alert "
	 "\"certificate expired\""},
	{"an alert behind words of libcurl's about something else",
	 {.code = CURLE_RECV_ERROR,
	  .curl_text = "getpeername() failed with errno 107: Transport endpoint is not connected",
	  .tls_alert = 42,
	  .is_identity_wanted = true,
	  .has_identity = true},
	 REASON_TLS_ERROR,
	 "TLS failed after the handshake: the server refused the client's certificate with the "
	 "alert \"bad certificate\""},
	{"an alert",
	 {.code = CURLE_SSL_CONNECT_ERROR, .tls_alert = 80},
	 REASON_TLS_ERROR,
	 "the server ended it with the alert \"internal error\""},
	{"an alert without a name",
	 {.code = CURLE_SSL_CONNECT_ERROR, .tls_alert = 255},
	 REASON_TLS_ERROR,
	 "the server ended it with the alert 255"},
	{"an alert where we refused the certificate before",
	 {.code = CURLE_PEER_FAILED_VERIFICATION,
	  .verify_error = X509_V_ERR_CERT_HAS_EXPIRED,
	  .tls_alert = 80},
	 REASON_CERT_INVALID,
	 "expired"},
	{"closed instead of an alert",
	 {.code = CURLE_GOT_NOTHING, .is_identity_wanted = true},
	 REASON_CONNECTION_LOST,
	 "without a response; the server had asked for a client's certificate, and the site's "
	 "`tls_config` names none"},
	{"the same within the handshake",
	 {.code = CURLE_SSL_CONNECT_ERROR,
	  .curl_text = "OpenSSL SSL_connect: SSL_ERROR_SYSCALL",
	  .is_identity_wanted = true,
	  .has_identity = true},
	 REASON_TLS_ERROR,
	 "in the middle of it; the server had asked for a client's certificate"},
	{"closed within a response, though a certificate had been asked for",
	 {.code = CURLE_PARTIAL_FILE, .is_identity_wanted = true, .has_response = true},
	 REASON_CONNECTION_LOST,
	 "the response was cut off"},
	{"no TLS",
	 {.code = CURLE_SSL_CONNECT_ERROR,
	  .curl_text = "OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version number"},
	 REASON_TLS_ERROR,
	 "does not speak TLS"},
	{"what OpenSSL says of anything else",
	 {.code = CURLE_SSL_CONNECT_ERROR,
	  .curl_text = "OpenSSL/3.0.22: error:0A0000FF:SSL routines::length mismatch, errno 0"},
	 REASON_TLS_ERROR,
	 "TLS handshake failed: length mismatch"},
	{"TLS fails later",
	 {.code = CURLE_RECV_ERROR,
	  .curl_text = "OpenSSL SSL_read: error:0A000119:SSL routines::decryption failed or bad "
		       "record mac, errno 0"},
	 REASON_TLS_ERROR,
	 "changed on its way"},
	{"TLS ends later",
	 {.code = CURLE_RECV_ERROR,
	  .curl_text = "OpenSSL SSL_read: error:0A000126:SSL routines::unexpected eof while "
		       "reading, errno 0"},
	 REASON_CONNECTION_LOST,
	 "closed before the response was complete"},
	{"a reset over HTTP/2 without an error",
	 {.code = CURLE_GOT_NOTHING, .is_http2 = true},
	 REASON_PROTOCOL_ERROR,
	 "the server ended it over HTTP/2 without one"},
	{"a flood over HTTP/2",
	 {.code = CURLE_RECV_ERROR,
	  .curl_text =
		  "Failed receiving HTTP2 data: 56(Flooding was detected in this HTTP/2 session)"},
	 REASON_PROTOCOL_ERROR,
	 "rules of HTTP/2"},
	{"curl's cap on headers over HTTP/2",
	 {.code = CURLE_RECV_ERROR,
	  .curl_text = "nghttp2_session_mem_recv() failed: The user callback function failed"},
	 REASON_TOO_LARGE,
	 "headers"},
	{"refused again and again",
	 {.code = CURLE_SEND_ERROR, .curl_text = "Connection died, tried 5 times before giving up"},
	 REASON_PROTOCOL_ERROR,
	 "again and again"},
	{"closed over HTTP/2",
	 {.code = CURLE_PARTIAL_FILE,
	  .curl_text =
		  "HTTP/2 stream 1 was not closed cleanly before end of the underlying stream"},
	 REASON_CONNECTION_LOST,
	 "closed before"},
	{"a stream's end",
	 {.code = CURLE_HTTP2_STREAM,
	  .curl_text = "HTTP/2 stream 1 was not closed cleanly: INTERNAL_ERROR (err 2)"},
	 REASON_PROTOCOL_ERROR,
	 "HTTP/2 with INTERNAL_ERROR"},
	{"no answer", {.code = CURLE_GOT_NOTHING}, REASON_CONNECTION_LOST, "without a response"},
	{"cut off",
	 {.code = CURLE_PARTIAL_FILE,
	  .curl_text = "transfer closed with 3 bytes remaining to read"},
	 REASON_CONNECTION_LOST,
	 "3 bytes were missing"},
	{"reset",
	 {.code = CURLE_RECV_ERROR, .curl_text = "Recv failure: Connection reset by peer"},
	 REASON_CONNECTION_LOST,
	 "reset"},
	{"lost as soon as it was made",
	 {.code = CURLE_RECV_ERROR, .curl_text = "getpeername() failed with errno 107"},
	 REASON_CONNECTION_LOST,
	 "before the request"},
	{"broken chunk",
	 {.code = CURLE_RECV_ERROR,
	  .curl_text = "Illegal or missing hexadecimal sequence in chunked-encoding"},
	 REASON_PROTOCOL_ERROR,
	 "a chunk's size is no number"},
	{"a trailer without end",
	 {.code = CURLE_RECV_ERROR, .curl_text = "Out of memory in chunked-encoding"},
	 REASON_TOO_LARGE,
	 "trailer"},
	{"a trailer without a colon",
	 {.code = CURLE_BAD_FUNCTION_ARGUMENT,
	  .curl_text = "Failed reading the chunked-encoded stream"},
	 REASON_PROTOCOL_ERROR,
	 "chunks"},
	{"curl's own cap on headers",
	 {.code = CURLE_RECV_ERROR, .curl_text = "Too large response headers: 1 > 0"},
	 REASON_TOO_LARGE,
	 "headers"},
	{"weird",
	 {.code = CURLE_WEIRD_SERVER_REPLY, .curl_text = "Nul byte in header"},
	 REASON_PROTOCOL_ERROR,
	 "zero byte"},
	{"http/0.9",
	 {.code = CURLE_UNSUPPORTED_PROTOCOL},
	 REASON_PROTOCOL_ERROR,
	 "not a valid response"},
	{"stream error",
	 {.code = CURLE_HTTP2_STREAM},
	 REASON_PROTOCOL_ERROR,
	 "not a valid response"},
	{"bad gzip",
	 {.code = CURLE_BAD_CONTENT_ENCODING},
	 REASON_PROTOCOL_ERROR,
	 "not a valid response"},
	{"our cap",
	 {.code = CURLE_WRITE_ERROR, .stopped_for = STOP_BODY, .body_max = 3 << 20},
	 REASON_TOO_LARGE,
	 "cap of 3 MiB"},
	{"our cap on headers",
	 {.code = CURLE_WRITE_ERROR, .stopped_for = STOP_HEAD},
	 REASON_TOO_LARGE,
	 "256 KiB"},
	{"our cap on lines",
	 {.code = CURLE_WRITE_ERROR, .stopped_for = STOP_LINES},
	 REASON_TOO_LARGE,
	 "4096 lines"},
	{"packed twice",
	 {.code = CURLE_WRITE_ERROR, .stopped_for = STOP_ENCODINGS},
	 REASON_PROTOCOL_ERROR,
	 "more than once"},
	{"packed as nobody asked",
	 {.code = CURLE_WRITE_ERROR, .stopped_for = STOP_UNASKED},
	 REASON_PROTOCOL_ERROR,
	 "not asked for"},
	{"packed as nobody knows",
	 {.code = CURLE_WRITE_ERROR, .stopped_for = STOP_PACKING},
	 REASON_PROTOCOL_ERROR,
	 "encoding that is not known"},
	{"packed and broken",
	 {.code = CURLE_WRITE_ERROR,
	  .stopped_for = STOP_UNPACKING,
	  .unpack_trouble = "incorrect data check"},
	 REASON_PROTOCOL_ERROR,
	 "can't be unpacked: incorrect data check"},
	{"packed and cut off",
	 {.code = CURLE_ABORTED_BY_CALLBACK, .stopped_for = STOP_CUT_OFF},
	 REASON_PROTOCOL_ERROR,
	 "cut off"},
	{"hollow",
	 {.code = CURLE_ABORTED_BY_CALLBACK, .stopped_for = STOP_RAW},
	 REASON_TOO_LARGE,
	 "framing"},
	{"crumbs",
	 {.code = CURLE_ABORTED_BY_CALLBACK, .stopped_for = STOP_PACKETS},
	 REASON_TOO_LARGE,
	 "packets that hold next to nothing, more of them than the cap of 16384"},
	{"hollow TLS",
	 {.code = CURLE_SSL_CONNECT_ERROR, .stopped_for = STOP_RECORDS},
	 REASON_TLS_ERROR,
	 "without end"},
	{"our look at the status line",
	 {.code = CURLE_WRITE_ERROR, .stopped_for = STOP_STATUS},
	 REASON_PROTOCOL_ERROR,
	 "its status is none of 100 to 999"},
	{"our look at lengths",
	 {.code = CURLE_WRITE_ERROR, .stopped_for = STOP_LENGTH},
	 REASON_PROTOCOL_ERROR,
	 "Content-Length"},
	{"one endless line",
	 {.code = CURLE_OUT_OF_MEMORY, .is_connected = true},
	 REASON_TOO_LARGE,
	 "line"},
	{"memory", {.code = CURLE_OUT_OF_MEMORY}, REASON_PROBER_ERROR, "memory"},
	{"CA file",
	 {.code = CURLE_SSL_CACERT_BADFILE, .curl_text = "read the CA file x"},
	 REASON_PROBER_ERROR,
	 "CA file"},
	{"anything else", {.code = CURLE_FAILED_INIT}, REASON_PROBER_ERROR, "ailed"},
};

static void every_code_has_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trouble_facts facts = cases[i].facts;
		struct trouble trouble;
		print_message("# %s\n", cases[i].name);
		facts.peer = PEER;
		if (facts.curl_text == NULL)
			facts.curl_text = "";
		trouble_of_transfer(&facts, &trouble);
		assert_int_equal(trouble.reason, cases[i].reason);
		assert_non_null(strstr(trouble.message, cases[i].words));
	}
}

/* Whatever libcurl may come up with: some reason, some words, and never `ok`. */
static void no_code_goes_without(void **state)
{
	(void)state;
	for (int code = CURLE_OK + 1; code < CURL_LAST; code++) {
		const struct trouble_facts facts = {
			.code = (CURLcode)code, .curl_text = "", .peer = PEER};
		struct trouble trouble;
		trouble_of_transfer(&facts, &trouble);
		assert_int_not_equal(trouble.reason, REASON_OK);
		assert_true(strlen(trouble.message) > 0);
	}
}

static void timeouts_say_what_was_missing(void **state)
{
	(void)state;
	static const struct {
		enum phase phase;
		enum reason reason;
		const char *words;
	} timeouts[] = {
		{PHASE_DNS, REASON_DNS_ERROR, "resolved within 2s"},
		{PHASE_CONNECT, REASON_CONNECT_TIMEOUT, "no connection to " PEER " within 2s"},
		{PHASE_TLS, REASON_TIMEOUT, "TLS handshake"},
		{PHASE_WAIT, REASON_TIMEOUT, "no response within 2s"},
		{PHASE_TRANSFER, REASON_TIMEOUT, "not complete within 2s"},
	};
	for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
		struct trouble trouble;
		trouble_of_timeout(timeouts[i].phase, PEER, 2000000, &trouble);
		assert_int_equal(trouble.reason, timeouts[i].reason);
		assert_non_null(strstr(trouble.message, timeouts[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_its_reason),
		cmocka_unit_test(no_code_goes_without),
		cmocka_unit_test(timeouts_say_what_was_missing),
	};
	return cmocka_run_group_tests_name("probe_trouble", tests, NULL, NULL);
}
