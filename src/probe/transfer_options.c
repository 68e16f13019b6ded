#include "probe/transfer_options.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "check/request.h"
#include "check/site.h"
#include "check/url.h"
#include "probe/addresses.h"
#include "probe/client_certificate.h"
#include "probe/kept_connection.h"
#include "probe/transfer.h"
#include "probe/transfer_bounds.h"
#include "probe/transfer_http2.h"

enum {
	/*
	 * libcurl 7.88 reads up to 32 KiB of frames at once, over TLS a record, and what has no room in the transfer's buffer behind a head, of
	 * up to 128 KiB, it keeps until more comes: behind the last of a response nothing does. Of the room nothing is touched that isn't used.
	 */
	HTTP2_BUFFER = (32 + 128 + 1) * 1024,
};

/* br and zstd keep in memory what they unpack, and not as much as they may want: only who asks for them by name gets them. */
const char *const transfer_encodings = "gzip, deflate";
char transfer_encodings_line[] = "Accept-Encoding: gzip, deflate";

static bool is_large_window(const char *name, size_t length)
{
	return (length == 2 && strncasecmp(name, "br", length) == 0) ||
	       (length == 4 && strncasecmp(name, "zstd", length) == 0);
}

bool transfer_wants_large_window(const struct site *site)
{
	static const char between[] = ", \t;";
	const char *wanted = request_of(site)->accept_encoding;
	if (wanted != NULL && is_large_window(wanted, strlen(wanted)))
		return true;
	for (size_t i = 0; i < site->header_count; i++) {
		if (strcasecmp(site->headers[i].name, "Accept-Encoding") != 0)
			continue;
		for (const char *at = site->headers[i].value; *at != '\0';) {
			size_t length = strcspn(at, between);
			if (is_large_window(at, length))
				return true;
			at += length;
			at += strspn(at, between);
		}
	}
	return false;
}

bool transfer_wants_upgrade(const struct site *site)
{
	if (request_of(site)->http == REQUEST_HTTP_2)
		return false;
	for (size_t i = 0; i < site->header_count; i++)
		if (strcasecmp(site->headers[i].name, "Upgrade") == 0 &&
		    site->headers[i].value[0] != '\0')
			return true;
	return false;
}

static long http_version_of(const struct request *request, bool is_https, bool wants_upgrade)
{
	switch (request->http) {
	case REQUEST_HTTP_AUTO:
		if (wants_upgrade) /* as browsers do it: a server must not choose HTTP/2 */
			return CURL_HTTP_VERSION_1_1;
		break;
	case REQUEST_HTTP_1_1:
		return CURL_HTTP_VERSION_1_1;
	case REQUEST_HTTP_2: /* over TLS a server may still choose 1.1: check_run tells */
		return is_https ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
	}
	return CURL_HTTP_VERSION_2TLS;
}

/* The URL with another host. To curl that is the one to ask for by TLS and to find in the certificate. NULL: no memory. */
static char *with_host(const char *url, const char *host)
{
	CURLU *handle = curl_url();
	char *text = NULL;
	char *copy = NULL;
	char *bracketed = xasprintf(strchr(host, ':') != NULL ? "[%s]" : "%s", host);
	if (handle != NULL && curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_set(handle, CURLUPART_HOST, bracketed, 0) == CURLUE_OK &&
	    curl_url_get(handle, CURLUPART_URL, &text, 0) == CURLUE_OK)
		copy = xstrdup(text);
	curl_free(text);
	curl_url_cleanup(handle);
	free(bracketed);
	return copy;
}

static const char *server_name_of(const struct transfer_request *request)
{
	if (!request->is_https || !request->is_trusted_origin)
		return NULL;
	return request_of(request->site)->server_name;
}

static int set_url(struct transfer *transfer, const struct transfer_request *request)
{
	const char *server_name = server_name_of(request);
	if (server_name == NULL)
		return curl_easy_setopt(transfer->easy, CURLOPT_URL, request->url) == CURLE_OK ? 0
											       : -1;
	char *url = with_host(request->url, server_name);
	if (url == NULL)
		return -1;
	CURLcode code = curl_easy_setopt(transfer->easy, CURLOPT_URL, url);
	free(url);
	return code == CURLE_OK ? 0 : -1;
}

/* To the address that was resolved, whatever the URL says; where it says just that, curl need not be told. */
static void set_address(struct transfer *transfer, const struct transfer_request *request)
{
	if (request->is_address_in_url && server_name_of(request) == NULL)
		return;
	bool is_v6 = strchr(request->address, ':') != NULL;
	(void)snprintf(transfer->connect_to_text, sizeof(transfer->connect_to_text),
		       is_v6 ? "::[%s]:%d" : "::%s:%d", request->address, request->port);
	transfer->connect_to = (struct curl_slist){.data = transfer->connect_to_text};
	(void)curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO, &transfer->connect_to);
}

/* A proxy is asked for the site's own host, though curl's URL has the name that is asked for by TLS. */
static int set_tunnel(struct transfer *transfer, const struct transfer_request *request)
{
	struct url_parts parts;
	free(transfer->tunnel_text);
	transfer->tunnel_text = NULL;
	if (server_name_of(request) == NULL)
		return 0;
	if (url_parse(request->url, &parts, NULL) != 0)
		return -1;
	bool is_v6 = strchr(parts.host, ':') != NULL;
	transfer->tunnel_text = xasprintf(is_v6 ? "::[%s]:%d" : "::%s:%d", parts.host, parts.port);
	transfer->connect_to = (struct curl_slist){.data = transfer->tunnel_text};
	(void)curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO, &transfer->connect_to);
	url_parts_finish(&parts);
	return 0;
}

bool transfer_add_field(struct curl_slist **headers, const char *name, const char *value)
{
	char *line = value[0] == '\0' ? xasprintf("%s;", name) : xasprintf("%s: %s", name, value);
	struct curl_slist *longer = curl_slist_append(*headers, line);
	free(line);
	if (longer != NULL)
		*headers = longer;
	return longer != NULL;
}

/* Those of the site's that are for a proxy; curl would show them to the site where it asks a proxy without CONNECT. */
static int set_proxy_headers(struct transfer *transfer, const struct transfer_request *request)
{
	const struct request *wanted = request_of(request->site);
	if (!transfer->is_tunnelled)
		return 0;
	for (size_t i = 0; i < wanted->proxy_header_count; i++) {
		const struct site_header *header = &wanted->proxy_headers[i];
		if (!transfer_add_field(&transfer->proxy_headers, header->name, header->value))
			return -1;
	}
	(void)curl_easy_setopt(transfer->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_PROXYHEADER, transfer->proxy_headers);
	return 0;
}

/*
 * To a proxy by SOCKS, at the address that was resolved. An address of the site's is told as one, whoever looked it up, and libcurl looks
 * up no name: it would do so in a thread of its own. Nor may it offer GSSAPI, for which 7.88 waits.
 */
static int set_socks(struct transfer *transfer, const struct transfer_request *request)
{
	const struct request_proxy *proxy = request->proxy;
	CURL *easy = transfer->easy;
	bool is_told_address = proxy->kind == REQUEST_PROXY_SOCKS5 || request->is_address_in_url;
	char *url =
		xasprintf(strchr(request->address, ':') != NULL ? "%s://[%s]:%d" : "%s://%s:%d",
			  is_told_address ? "socks5" : "socks5h", request->address, request->port);
	CURLcode code = curl_easy_setopt(easy, CURLOPT_PROXY, url);
	free(url);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	(void)curl_easy_setopt(easy, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
	(void)curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, proxy->username);
	(void)curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, proxy->password);
	if (code != CURLE_OK)
		return -1;
	if (request->target == NULL)
		return set_tunnel(transfer, request);
	(void)snprintf(transfer->connect_to_text, sizeof(transfer->connect_to_text),
		       strchr(request->target, ':') != NULL ? "::[%s]:" : "::%s:", request->target);
	transfer->connect_to = (struct curl_slist){.data = transfer->connect_to_text};
	(void)curl_easy_setopt(easy, CURLOPT_CONNECT_TO, &transfer->connect_to);
	return 0;
}

/*
 * To the proxy, at the address that was resolved, which tells the proxy's name to nobody; with TLS the name has to be verified, so
 * that one is pinned in curl's own table instead. That is walked for every transfer, but few sites have such a proxy.
 */
static int set_proxy(struct transfer *transfer, const struct transfer_request *request)
{
	const struct request_proxy *proxy = request->proxy;
	CURL *easy = transfer->easy;
	bool is_v6 = strchr(request->address, ':') != NULL;
	const char *host = proxy->is_https ? proxy->host : request->address;
	char *url = xasprintf(strchr(host, ':') != NULL ? "%s://[%s]:%d" : "%s://%s:%d",
			      proxy->is_https ? "https" : "http", host, request->port);
	CURLcode code = curl_easy_setopt(easy, CURLOPT_PROXY, url);
	free(url);
	free(transfer->proxy_pin_text);
	transfer->proxy_pin_text = NULL;
	if (proxy->is_https && !proxy->is_host_ip) {
		transfer->proxy_pin_text = xasprintf(is_v6 ? "%s:%d:[%s]" : "%s:%d:%s", proxy->host,
						     request->port, request->address);
		transfer->proxy_pin = (struct curl_slist){.data = transfer->proxy_pin_text};
		(void)curl_easy_setopt(easy, CURLOPT_RESOLVE, &transfer->proxy_pin);
	}
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	(void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* of a request to let us through, which has none of the site's headers */
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, strchr(transfer->user_agent_line, ' ') + 1);
	(void)curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, proxy->username);
	(void)curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, proxy->password);
	if (code != CURLE_OK || set_proxy_headers(transfer, request) != 0)
		return -1;
	return set_tunnel(transfer, request);
}

static int set_way(struct transfer *transfer, const struct transfer_request *request)
{
	bool has_proxy = request->proxy != NULL;
	transfer->is_proxy_https = has_proxy && request->proxy->is_https;
	transfer->is_tls_of_proxy = transfer->is_proxy_https;
	transfer->has_proxy_greeted = false;
	transfer->has_proxy_spoken = false;
	transfer->is_socks = has_proxy && request->proxy->kind != REQUEST_PROXY_HTTP;
	transfer->has_socks_user = transfer->is_socks && request->proxy->username != NULL;
	transfer->is_tunnelled = has_proxy && (request->is_https || transfer->is_socks);
	if (transfer->is_socks)
		return set_socks(transfer, request);
	if (has_proxy)
		return set_proxy(transfer, request);
	set_address(transfer, request);
	return 0;
}

/* transfer_clear() undoes it. A connection is good until the check after the next one. */
static int set_kept(struct transfer *transfer, const struct transfer_request *request)
{
	CURL *easy = transfer->easy;
	if (curl_easy_setopt(easy, CURLOPT_SHARE, kept_connection_share(request->kept)) != CURLE_OK)
		return -1;
	transfer->kept = request->kept;
	kept_connection_use(request->kept, transfer, request->url, request->address);
	transfer_aim_at_socket(transfer, kept_connection_socket(request->kept));
	(void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, kept_connection_close_socket);
	(void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, request->kept);
	(void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
			       (long)(2 * request->site->interval_us / CLOCK_US_PER_S + 60));
	return 0;
}

/*
 * Over a connection that speaks HTTP/2 without TLS already, libcurl 7.88 would begin with that once more, in the middle, so it must not
 * know. Then it may open no other, for that would speak HTTP/1.1.
 */
static int set_http_version(struct transfer *transfer, const struct transfer_request *request)
{
	long version = http_version_of(request_of(request->site), request->is_https,
				       transfer->wants_upgrade);
	if (version == CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE) {
		transfer_http2_watch(transfer);
		transfer->needs_kept = request->kept != NULL &&
				       kept_connection_socket(request->kept) != CURL_SOCKET_BAD;
	}
	if (transfer->needs_kept)
		version = CURL_HTTP_VERSION_2TLS;
	return curl_easy_setopt(transfer->easy, CURLOPT_HTTP_VERSION, version) == CURLE_OK ? 0 : -1;
}

int transfer_set_options(struct transfer *transfer, const struct transfer_request *request)
{
	const struct request *wanted = request_of(request->site);
	bool is_usual = wanted == &request_usual;
	bool may_be_http2 = wanted->http == REQUEST_HTTP_2 ||
			    (wanted->http == REQUEST_HTTP_AUTO && request->is_https);
	transfer->wants_upgrade = transfer_wants_upgrade(request->site);
	transfer->source = addresses_source(wanted, request->address);
	if (set_url(transfer, request) != 0 || set_way(transfer, request) != 0)
		return -1;
	if (may_be_http2)
		(void)curl_easy_setopt(transfer->easy, CURLOPT_BUFFERSIZE, (long)HTTP2_BUFFER);
	transfer->has_options = !is_usual;
	if (is_usual)
		return 0;
	CURL *easy = transfer->easy;
	const char *encoding = wanted->accept_encoding;
	if (encoding == NULL)
		encoding = transfer_encodings;
	else if (encoding[0] == '\0')
		encoding = NULL; /* none */
	if (curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, encoding) != CURLE_OK)
		return -1;
	if (request->kept != NULL && set_kept(transfer, request) != 0)
		return -1;
	return set_http_version(transfer, request);
}

int transfer_bind(struct transfer *transfer, int family)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	bool is_v6 = family == AF_INET6;
	const struct sockaddr *address =
		is_v6 ? (const struct sockaddr *)&six : (const struct sockaddr *)&four;
	socklen_t size = is_v6 ? sizeof(six) : sizeof(four);
	int yes = 1;
	/* The port is chosen on connecting: many checks from one address share its ports. */
	(void)setsockopt(transfer->socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	if (inet_pton(family, transfer->source,
		      is_v6 ? (void *)&six.sin6_addr : (void *)&four.sin_addr) == 1 &&
	    bind(transfer->socket, address, size) == 0)
		return 0;
	transfer->socket_errno = errno;
	(void)close(transfer->socket);
	transfer->socket = CURL_SOCKET_BAD;
	return -1;
}

static int openssl_version(enum request_tls version)
{
	switch (version) {
	case REQUEST_TLS_ANY:
		break;
	case REQUEST_TLS_1_0:
		return TLS1_VERSION;
	case REQUEST_TLS_1_1:
		return TLS1_1_VERSION;
	case REQUEST_TLS_1_2:
		return TLS1_2_VERSION;
	case REQUEST_TLS_1_3:
		return TLS1_3_VERSION;
	}
	return 0;
}

static int set_versions(SSL_CTX *context, const struct request *wanted, struct error *err)
{
	int min = openssl_version(wanted->tls_min);
	int max = openssl_version(wanted->tls_max);
	bool is_old = (min != 0 && min < TLS1_2_VERSION) || (max != 0 && max < TLS1_2_VERSION);
	/* Signatures of TLS before 1.2 are below the level that Debian sets; who names such a version wants it to work. */
	if (is_old)
		SSL_CTX_set_security_level(context, 0);
	if (is_old && min == 0)
		min = TLS1_VERSION;
	if ((min != 0 && SSL_CTX_set_min_proto_version(context, min) != 1) ||
	    (max != 0 && SSL_CTX_set_max_proto_version(context, max) != 1)) {
		error_set(err, ERROR_FATAL, "OpenSSL does not know this version of TLS");
		return -1;
	}
	return 0;
}

bool transfer_has_identity(const struct transfer *transfer)
{
	return request_of(transfer->site)->cert_file != NULL && transfer->is_trusted_origin;
}

/* Those that were named and no others, so a version without any of them is not spoken. */
static int set_ciphers(SSL_CTX *context, const struct request *wanted, struct error *err)
{
	const char *list = wanted->ciphers;
	const char *suites = wanted->cipher_suites;
	bool may_be_new = wanted->tls_max == REQUEST_TLS_ANY || wanted->tls_max == REQUEST_TLS_1_3;
	if (list == NULL && suites == NULL)
		return 0;
	if (SSL_CTX_set_ciphersuites(context, suites != NULL ? suites : "") != 1 ||
	    (list != NULL && SSL_CTX_set_cipher_list(context, list) != 1) ||
	    (list == NULL && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) ||
	    (suites == NULL && may_be_new &&
	     SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) != 1)) {
		error_set(err, ERROR_FATAL, "OpenSSL does not know these ciphers");
		return -1;
	}
	return 0;
}

int transfer_set_tls(struct transfer *transfer, SSL_CTX *context, struct error *err)
{
	const struct request *wanted = request_of(transfer->site);
	if (set_versions(context, wanted, err) != 0 || set_ciphers(context, wanted, err) != 0)
		return -1;
	if (!transfer_has_identity(transfer))
		return 0;
	return client_certificates_use(transfer->certificates, context, wanted->cert_file,
				       wanted->key_file, err);
}

bool transfer_is_connected(const struct transfer *transfer)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	return transfer->socket != CURL_SOCKET_BAD &&
	       getpeername(transfer->socket, (struct sockaddr *)&peer, &size) == 0;
}

bool transfer_is_tls_of_proxy(const struct transfer *transfer)
{
	return transfer->is_proxy_https && transfer->tls_started_at == 0;
}

bool transfer_is_greeting_proxy(const struct transfer *transfer)
{
	return transfer->is_proxy_https && !transfer->has_proxy_greeted;
}

bool transfer_is_tunnelling(const struct transfer *transfer)
{
	curl_off_t asked = 0;
	if (!transfer->is_tunnelled || transfer->tls_started_at != 0)
		return false;
	if (!transfer->is_socks)
		return true;
	/* without TLS, the way to the site is there once it is asked */
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &asked);
	return asked == 0;
}
