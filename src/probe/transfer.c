#include "probe/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "check/limits.h"
#include "check/request.h"
#include "check/site.h"
#include "check/url.h"
#include "probe/address_guard.h"
#include "probe/kept_connection.h"
#include "probe/phases.h"
#include "probe/poller.h"
#include "probe/transfer_body.h"
#include "probe/transfer_bounds.h"
#include "probe/transfer_heads.h"
#include "probe/transfer_http2.h"
#include "probe/transfer_keep.h"
#include "probe/transfer_options.h"
#include "probe/trust.h"
#include "probe/unpack.h"

enum {
	/* TCP_INFO is a system call: it is asked for now and then, and not before an ordinary response has ended. */
	PROGRESS_FIRST = 12,
	PROGRESS_STRIDE = 4,
	HTTP_SWITCHING = 101,
	/* curl's own idea of how long a connection may take must never be the first to end a check. */
	CURL_PATIENCE_S = 7 * 24 * 3600,
};

/* A connection of its own, or a response that has begun: what comes over it is for us, and what we can't send any more changes nothing. */
static void hear_out(const struct transfer *transfer)
{
	if (transfer->poller != NULL)
		poller_hear_out(transfer->poller, transfer->socket, true);
}

static long code_of(const struct transfer *transfer)
{
	long status = 0;
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t length = size * count;
	if (transfer->has_body && transfer->first_line_at == 0)
		transfer->first_line_at = clock_mono_us();
	struct response_head *head = &transfer->head;
	if (head->bytes == 0 && transfer->poller != NULL)
		poller_begin_response(transfer->poller, transfer->socket);
	if (head->bytes == 0 && transfer_is_reused(transfer))
		hear_out(transfer);
	if (response_head_add_line(head, line, length) != 0)
		transfer->stopped_for =
			head->lines > RESPONSE_HEAD_LINES_MAX ? STOP_LINES : STOP_HEAD;
	else if (head->is_status_broken)
		transfer->stopped_for = STOP_STATUS;
	else if (head->is_length_broken)
		transfer->stopped_for = STOP_LENGTH;
	transfer_keep_line(transfer, line, length);
	/* What comes behind it is no HTTP: libcurl would take it for a body without end. */
	transfer->has_switched =
		transfer->wants_upgrade && head->is_complete && code_of(transfer) == HTTP_SWITCHING;
	if (transfer->stopped_for != STOP_NONE || transfer->has_switched)
		return 0;
	transfer_http2_end_early(transfer);
	return length;
}

static int on_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t upload_total,
		       curl_off_t upload_now)
{
	(void)total;
	(void)now;
	struct transfer *transfer = context;
	if (upload_total > 0 && upload_now >= upload_total && transfer->sent_at == 0)
		transfer->sent_at = clock_mono_us();
	transfer->progress_calls++;
	if (transfer->progress_calls < PROGRESS_FIRST ||
	    transfer->progress_calls % PROGRESS_STRIDE != 0 || transfer->socket == CURL_SOCKET_BAD)
		return 0;
	enum stop stop = transfer_look_at_bytes(transfer);
	if (stop == STOP_NONE)
		return 0;
	transfer->stopped_for = stop;
	return 1;
}

/* The one place where every connection of every hop passes with its real address. */
static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
				    struct curl_sockaddr *address)
{
	(void)purpose;
	struct transfer *transfer = context;
	transfer->socket = CURL_SOCKET_BAD;
	if (transfer->needs_kept)
		return CURL_SOCKET_BAD;
	transfer->received_before = (struct transfer_received){0};
	transfer->has_opened = true;
	transfer_http2_ask_again(transfer);
	if (transfer->guard != NULL && !address_guard_allows(transfer->guard, &address->addr)) {
		transfer->stopped_for = STOP_FORBIDDEN;
		return CURL_SOCKET_BAD;
	}
	transfer->socket = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
				  address->protocol);
	if (transfer->socket == CURL_SOCKET_BAD)
		transfer->socket_errno = errno;
	else if (transfer->source != NULL && transfer_bind(transfer, address->family) != 0)
		transfer->is_source_unusable = true;
	hear_out(transfer);
	transfer->is_unkept = transfer->kept != NULL &&
			      !kept_connection_add_socket(transfer->kept, transfer->socket);
	if (transfer->is_unkept && !transfer->is_http2) /* else transfer_http2_let_go() closes it */
		(void)curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
	return transfer->socket;
}

static void note_error(struct transfer *transfer, const struct error *err)
{
	(void)snprintf(transfer->error_text, sizeof(transfer->error_text), "%.*s",
		       (int)sizeof(transfer->error_text) - 1, err->message);
}

/* A proxy that speaks TLS is always verified, and learns nothing of what is for the site. */
static CURLcode trust_proxy(struct transfer *transfer, SSL_CTX *context)
{
	struct error err = {0};
	if (trust_use(transfer->trust, context, transfer->site->ca_file, &err) == 0)
		return CURLE_OK;
	note_error(transfer, &err);
	return CURLE_SSL_CACERT_BADFILE;
}

static CURLcode on_ssl_context(CURL *easy, void *context, void *owner)
{
	(void)easy;
	struct transfer *transfer = owner;
	const struct site *site = transfer->site;
	transfer_watch_tls(transfer, context);
	if (transfer->is_tls_of_proxy) {
		transfer->is_tls_of_proxy = false;
		return trust_proxy(transfer, context);
	}
	transfer->tls_started_at = clock_mono_us();
	transfer->tls_alert = 0; /* libcurl may have asked over another connection before */
	transfer->is_identity_wanted = false;
	if (transfer->kept !=
	    NULL) /* the connection outlives this transfer, which no later handshake may look for */
		(void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	transfer->certificate.wants_sha256 = limits_of(site)->fingerprint_count > 0;
	if (certificate_watch(context, &transfer->certificate) != 0)
		return CURLE_OUT_OF_MEMORY;
	struct error err = {0};
	if (transfer_set_tls(transfer, context, &err) != 0 ||
	    (!site->insecure_skip_verify &&
	     trust_use(transfer->trust, context, site->ca_file, &err) != 0)) {
		note_error(transfer, &err);
		return CURLE_SSL_CACERT_BADFILE;
	}
	return CURLE_OK;
}

/* curl itself reads no authorities: on_ssl_context() hands over ours. */
static void set_tls(struct transfer *transfer, const struct transfer_request *request)
{
	CURL *easy = transfer->easy;
	(void)curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	(void)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	(void)curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	(void)curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
	/* Its cache would take over the store of one site, and give it to all others. */
	(void)curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
	if (request->is_https && request->site->insecure_skip_verify) {
		(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/*
 * A new handle in place of the one that there is: for each transfer, because libcurl 7.88 goes on with the last transfer's field, which it
 * has freed, where a response begins with a folded line (curl issue 11101). So no option has to be taken back.
 */
static int make_handle(struct transfer *transfer)
{
	CURL *easy = curl_easy_init();
	if (easy == NULL)
		return -1;
	curl_easy_cleanup(transfer->easy);
	transfer->easy = easy;
	transfer->is_used = false;

	/* What holds for every transfer; what differs is set by transfer_prepare(). */
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer->owner);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error_text);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, transfer_encodings);
	/* unpack.h */
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CURL_PATIENCE_S);

	/* A fresh connection to the address that we resolved, through no proxy but the site's. */
	(void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"); /* whatever http_proxy says */
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);

	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
	transfer_heads_watch(transfer);
	return 0;
}

int transfer_init(struct transfer *transfer, const char *user_agent, struct trust *trust,
		  struct client_certificates *certificates, bool keeps_heads, void *owner)
{
	*transfer = (struct transfer){.trust = trust,
				      .certificates = certificates,
				      .owner = owner,
				      .socket = CURL_SOCKET_BAD};
	buffer_init(&transfer->body, SITE_BODY_MAX);
	buffer_init(&transfer->head_text, RESPONSE_HEAD_MAX);
	response_head_init(&transfer->head);
	certificate_init(&transfer->certificate);
	transfer->user_agent_line = xasprintf("User-Agent: %s", user_agent);
	transfer->usual_headers[0] = (struct curl_slist){.data = transfer->user_agent_line,
							 .next = &transfer->usual_headers[1]};
	transfer->usual_headers[1] = (struct curl_slist){.data = transfer_encodings_line};
	if (keeps_heads)
		transfer->heads = raw_heads_create();
	return make_handle(transfer);
}

/* What is running ends before; the connection then lies in the site's cache. */
static void leave_kept(struct transfer *transfer)
{
	if (transfer->kept == NULL)
		return;
	(void)curl_easy_setopt(transfer->easy, CURLOPT_SHARE, NULL);
	kept_connection_let_go(transfer->kept, transfer);
	transfer->kept = NULL;
}

void transfer_finish(struct transfer *transfer)
{
	leave_kept(transfer);
	transfer_http2_clear(transfer);
	if (transfer->easy != NULL)
		curl_easy_cleanup(transfer->easy);
	transfer->easy = NULL;
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
	curl_slist_free_all(transfer->proxy_headers);
	transfer->proxy_headers = NULL;
	free(transfer->proxy_pin_text);
	transfer->proxy_pin_text = NULL;
	free(transfer->tunnel_text);
	transfer->tunnel_text = NULL;
	free(transfer->user_agent_line);
	transfer->user_agent_line = NULL;
	unpack_destroy(transfer->unpack);
	transfer->unpack = NULL;
	response_head_finish(&transfer->head);
	raw_heads_destroy(transfer->heads);
	transfer->heads = NULL;
	certificate_finish(&transfer->certificate);
	buffer_finish(&transfer->body);
	buffer_finish(&transfer->head_text);
}

void transfer_clear(struct transfer *transfer)
{
	leave_kept(transfer);
	response_head_finish(&transfer->head);
	certificate_finish(&transfer->certificate);
	transfer_keep_clear(transfer);
	transfer_heads_forget(transfer);
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
	curl_slist_free_all(transfer->proxy_headers);
	transfer->proxy_headers = NULL;
	transfer->packed_bytes = 0;
	transfer->decoded_bytes = 0;
	transfer->work = 0;
	transfer->taken = 0;
	unpack_destroy(transfer->unpack);
	transfer->unpack = NULL;
	transfer->is_left_packed = false;
	transfer->stopped_for = STOP_NONE;
	transfer->socket = CURL_SOCKET_BAD;
	transfer->received_before = (struct transfer_received){0};
	transfer->has_opened = false;
	transfer->is_unkept = false;
	transfer->needs_kept = false;
	transfer->socket_errno = 0;
	transfer->is_source_unusable = false;
	transfer->started_at = 0;
	transfer->tls_started_at = 0;
	transfer->tls_messages = 0;
	transfer->tls_bytes = 0;
	transfer->tls_alert = 0;
	transfer->is_identity_wanted = false;
	transfer->has_switched = false;
	transfer_http2_clear(transfer);
	transfer->sent_at = 0;
	transfer->first_line_at = 0;
	transfer->progress_calls = 0;
	transfer->error_text[0] = '\0';
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* Headers that a redirect takes away: what speaks of a body that is not sent, what another origin must not learn, cookies that others join. */
static bool may_send(const struct transfer_request *request, const struct site_header *header)
{
	const char *name = header->name;
	static const char *const of_body[] = {"Content-Type",     "Content-Length",
					      "Content-Encoding", "Content-Language",
					      "Content-Location", "Expect"};
	bool was_dropped = request->body == NULL && request->site->body != NULL;
	if (was_dropped && is_one_of(name, of_body, sizeof(of_body) / sizeof(of_body[0])))
		return false;
	if (request->cookies != NULL && strcasecmp(name, "Cookie") == 0)
		return false;
	if (request->is_trusted_origin)
		return true;
	return strcasecmp(name, "Host") != 0 && !url_is_secret_header(name, header->value);
}

/* False where there is no memory for it: without it the request would be another one. */
static bool add_header(struct transfer *transfer, const char *line)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);
	if (longer != NULL)
		transfer->headers = longer;
	return longer != NULL;
}

/* With another name for TLS in curl's URL, the request still speaks of its own. */
static bool add_own_host(struct transfer *transfer, const char *url)
{
	struct url_parts parts;
	if (url_parse(url, &parts, NULL) != 0)
		return true; /* curl will say so */
	bool is_v6 = strchr(parts.host, ':') != NULL;
	char *line = xasprintf(is_v6 ? "Host: [%s]" : "Host: %s", parts.host);
	if (parts.port != (parts.is_https ? 443 : 80)) {
		char *longer = xasprintf("%s:%d", line, parts.port);
		free(line);
		line = longer;
	}
	bool is_added = add_header(transfer, line);
	free(line);
	url_parts_finish(&parts);
	return is_added;
}

static int set_headers(struct transfer *transfer, const struct transfer_request *request,
		       bool has_body)
{
	const struct site *site = request->site;
	bool has_all = true;
	bool has_content_type = false;
	bool has_expect = false;
	bool has_host = false;
	bool has_user_agent = false;
	for (size_t i = 0; i < site->header_count; i++) {
		const struct site_header *header = &site->headers[i];
		if (!may_send(request, header))
			continue;
		has_content_type |= strcasecmp(header->name, "Content-Type") == 0;
		has_expect |= strcasecmp(header->name, "Expect") == 0;
		has_host |= strcasecmp(header->name, "Host") == 0;
		has_user_agent |= strcasecmp(header->name, "User-Agent") == 0;
		has_all &= transfer_add_field(&transfer->headers, header->name, header->value);
	}
	if (request->cookies != NULL && request->cookies[0] != '\0')
		has_all &= transfer_add_field(&transfer->headers, "Cookie", request->cookies);
	if (!has_host && request_of(site)->server_name != NULL)
		has_all &= add_own_host(transfer, request->url);
	if (has_body) {
		/* What curl would add of its own accord. */
		if (!has_expect)
			has_all &= add_header(transfer, "Expect:");
		if (!has_content_type)
			has_all &= add_header(transfer, "Content-Type:");
	}
	/* curl would make lines of its own options, and copy them into the request a byte at a time; ready ones are only copied. */
	bool is_usual = transfer->headers == NULL && !transfer->has_options;
	if (!is_usual && !has_user_agent)
		has_all &= add_header(transfer, transfer->user_agent_line);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER,
			       is_usual ? transfer->usual_headers : transfer->headers);
	return has_all ? 0 : -1;
}

/* Methods whose request says how long its body is, even when it has none (RFC 9110, 8.6). */
static bool has_length_always(const char *method)
{
	static const char *const methods[] = {"POST", "PUT", "PATCH"};
	return is_one_of(method, methods, sizeof(methods) / sizeof(methods[0]));
}

static int set_method(struct transfer *transfer, const struct transfer_request *request)
{
	CURL *easy = transfer->easy;
	bool is_head = strcmp(request->method, "HEAD") == 0;
	bool has_body = request->body != NULL || has_length_always(request->method);
	transfer->has_body = has_body;
	if (is_head)
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (has_body) {
		const char *body = request->body == NULL ? "" : request->body;
		(void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
		(void)curl_easy_setopt(
			easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)(request->body == NULL ? 0 : request->body_length));
	}
	if (!is_head && (has_body || strcmp(request->method, "GET") != 0))
		(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	return set_headers(transfer, request, has_body);
}

static int out_of_memory(struct error *err)
{
	error_set(err, ERROR_RETRY, "libcurl is out of memory");
	return -1;
}

int transfer_prepare(struct transfer *transfer, const struct transfer_request *request, mono_us now,
		     struct error *err)
{
	const struct site *site = request->site;
	transfer_clear(transfer);
	if (transfer->is_used && make_handle(transfer) != 0)
		return out_of_memory(err);
	transfer->is_used = true;
	transfer->started_at = now;
	transfer->site = site;
	transfer_keep_choose(transfer);

	transfer->guard = request->proxy == NULL ? request->guard : NULL;
	transfer->is_trusted_origin = request->is_trusted_origin;
	transfer->is_https = request->is_https;
	transfer->cookies = request->cookies;
	if (transfer_set_options(transfer, request) != 0) {
		error_set(err, ERROR_REJECT, "libcurl refuses the URL");
		return -1;
	}
	if (request->username != NULL)
		(void)curl_easy_setopt(transfer->easy, CURLOPT_USERNAME, request->username);
	if (request->password != NULL)
		(void)curl_easy_setopt(transfer->easy, CURLOPT_PASSWORD, request->password);
	if (set_method(transfer, request) != 0)
		return out_of_memory(err);
	if (request->is_https || transfer->is_proxy_https)
		set_tls(transfer, request);
	return 0;
}

/* curl counts from the start of the transfer, on the clock that we use. */
static mono_us get_moment(const struct transfer *transfer, CURLINFO info)
{
	curl_off_t since_start = 0;
	(void)curl_easy_getinfo(transfer->easy, info, &since_start);
	return since_start > 0 ? transfer->started_at + since_start : 0;
}

bool transfer_is_reused(const struct transfer *transfer)
{
	return transfer->kept != NULL && !transfer->has_opened;
}

bool transfer_was_too_late(const struct transfer *transfer, CURLcode code)
{
	if (transfer->needs_kept && code == CURLE_COULDNT_CONNECT)
		return true; /* to libcurl, none was left that is good */
	if (!transfer_is_reused(transfer) || transfer->socket == CURL_SOCKET_BAD ||
	    transfer->stopped_for != STOP_NONE || transfer_status(transfer) != 0 ||
	    transfer->head.bytes > 0)
		return false;
	switch (code) {
	case CURLE_OK:
	case CURLE_PARTIAL_FILE: /* of nothing, over HTTP/2 */
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
		return true;
	case CURLE_HTTP2_STREAM:
		return transfer->has_goaway;
	default:
		return false;
	}
}

/* When the way to the site was there: curl's own figure is of the proxy, before TLS with it and before it let us through. */
static mono_us get_connected(const struct transfer *transfer)
{
	if (transfer->is_tunnelled && !transfer->is_socks)
		return transfer->tls_started_at;
	if (transfer->is_socks && transfer->tls_started_at != 0)
		return transfer->tls_started_at;
	if (transfer->is_proxy_https || transfer->is_socks)
		return get_moment(transfer, CURLINFO_PRETRANSFER_TIME_T);
	mono_us connected = get_moment(transfer, CURLINFO_CONNECT_TIME_T);
	/* curl tells when it connected only once TLS is done as well. */
	return connected == 0 ? transfer->tls_started_at : connected;
}

void transfer_get_marks(const struct transfer *transfer, struct phase_marks *marks)
{
	if (transfer->started_at == 0)
		return;
	marks->is_reused = transfer_is_reused(transfer);
	marks->connected = get_connected(transfer);
	if (transfer->tls_started_at != 0)
		marks->tls_done = get_moment(transfer, CURLINFO_APPCONNECT_TIME_T);
	marks->sent = transfer->sent_at;
	/* With a body to send, curl calls the start of sending the start of the transfer. */
	marks->first_byte = transfer->has_body
				    ? transfer->first_line_at
				    : get_moment(transfer, CURLINFO_STARTTRANSFER_TIME_T);
}

int transfer_status(const struct transfer *transfer)
{
	long status = code_of(transfer);
	bool is_answer = status >= 200 || transfer->has_switched;
	if (!is_answer || transfer->stopped_for == STOP_STATUS)
		return 0; /* an interim response is no answer, and curl's reading of a broken line no status */
	return (int)status;
}

enum http_version transfer_http_version(const struct transfer *transfer)
{
	long version = 0;
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
	switch (version) {
	case CURL_HTTP_VERSION_1_0:
		return HTTP_VERSION_1_0;
	case CURL_HTTP_VERSION_1_1:
		return HTTP_VERSION_1_1;
	case CURL_HTTP_VERSION_2_0:
		return HTTP_VERSION_2;
	default:
		return HTTP_VERSION_UNKNOWN;
	}
}

int transfer_proxy_status(const struct transfer *transfer)
{
	long status = 0;
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return (int)status;
}

int64_t transfer_body_bytes(const struct transfer *transfer)
{
	curl_off_t bytes = 0;
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	return bytes;
}
