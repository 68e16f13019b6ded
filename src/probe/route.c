#include "probe/route.h"

#include <stdio.h>
#include <string.h>

#include "check/request.h"
#include "check/url.h"
#include "probe/addresses.h"
#include "probe/trouble.h"

void route_init(struct route *route, const struct request *request, const struct url_parts *parts)
{
	const struct request_proxy *proxy = request_find_proxy(request, parts->host);
	*route = (struct route){
		.proxy = proxy,
		.host = proxy != NULL ? proxy->host : parts->host,
		.port = proxy != NULL ? proxy->port : parts->port,
		.is_host_ip = proxy != NULL ? proxy->is_host_ip : parts->is_host_ip,
		.needs_site =
			proxy != NULL && proxy->kind == REQUEST_PROXY_SOCKS5 && !parts->is_host_ip,
	};
}

size_t route_find_known(const struct route *route, const struct request *request,
			struct resolver_address known[static RESOLVER_ADDRESSES_MAX])
{
	if (route->is_host_ip) {
		(void)snprintf(known[0].text, sizeof(known[0].text), "%s", route->host);
		return 1;
	}
	const struct request_host *host = request_find_host(request, route->host);
	return host == NULL ? 0 : addresses_copy(host, known);
}

const char *route_peer(const struct route *route, const char *address,
		       char text[static ROUTE_PEER_MAX])
{
	(void)snprintf(text, ROUTE_PEER_MAX, strchr(address, ':') != NULL ? "[%s]:%d" : "%s:%d",
		       address, route->port);
	return text;
}

void route_blame(const struct route *route, struct trouble *trouble, bool is_tls_of_proxy)
{
	bool is_of_way =
		trouble->reason == REASON_DNS_ERROR || trouble_is_of_address(trouble->reason);
	bool is_of_tls =
		trouble->reason == REASON_TLS_ERROR || trouble->reason == REASON_CERT_INVALID;
	if (route->proxy == NULL || !(is_of_way || (is_tls_of_proxy && is_of_tls)))
		return;
	char text[OBSERVATION_MESSAGE_MAX];
	(void)snprintf(text, sizeof(text), "the proxy: %.480s", trouble->message);
	memcpy(trouble->message, text, sizeof(text));
	trouble->reason = REASON_PROBER_OFFLINE;
}
