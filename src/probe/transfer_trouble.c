#include "probe/transfer_trouble.h"

#include "check/site.h"
#include "probe/address_guard.h"
#include "probe/transfer.h"
#include "probe/transfer_options.h"
#include "probe/trouble.h"
#include "probe/unpack.h"

void transfer_explain(const struct transfer *transfer, CURLcode code, const char *peer,
		      bool is_connected, struct trouble *ret_trouble)
{
	long os_errno = 0;
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_errno);
	long socks_error = 0;
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_PROXY_ERROR, &socks_error);
	const struct trouble_facts facts = {
		.code = code == CURLE_OK ? CURLE_WEIRD_SERVER_REPLY : code,
		.curl_text = transfer->error_text,
		.peer = peer,
		.stopped_for = transfer->stopped_for,
		.unpack_trouble =
			transfer->unpack != NULL ? unpack_trouble(transfer->unpack) : NULL,
		.forbidden = transfer->guard != NULL ? transfer->guard->text : NULL,
		.body_max = transfer->site->max_body_bytes,
		.os_errno = (int)os_errno,
		.socket_errno = transfer->socket_errno,
		.proxy_status = transfer_proxy_status(transfer),
		.socks_error = (CURLproxycode)socks_error,
		.unusable_source = transfer->is_source_unusable ? transfer->source : NULL,
		.verify_error = transfer->certificate.verify_error,
		.verify_depth = transfer->certificate.verify_depth,
		.tls_alert = transfer->tls_alert,
		.is_identity_wanted = transfer->is_identity_wanted,
		.has_identity = transfer_has_identity(transfer),
		.has_response = transfer->head.bytes > 0,
		.is_connected = is_connected,
		.is_https = transfer->is_https,
		.is_proxied = transfer->guard == NULL,
		.is_http2 = transfer->is_http2,
		.is_tunnelling = transfer_is_tunnelling(transfer),
	};
	trouble_of_transfer(&facts, ret_trouble);
}
