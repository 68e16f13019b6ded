#include "probe/resolver_order.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/resolver_private.h"

enum { LATE_MAX = 2, TRY_US = 60 * CLOCK_US_PER_S, USUAL_PORT = 53 };

static bool is_same(const struct ares_addr_port_node *a, const struct ares_addr_port_node *b)
{
	int a_port = a->udp_port != 0 ? a->udp_port : USUAL_PORT;
	int b_port = b->udp_port != 0 ? b->udp_port : USUAL_PORT;
	size_t size = a->family == AF_INET ? sizeof(a->addr.addr4) : sizeof(a->addr.addr6);
	return a->family == b->family && a_port == b_port && memcmp(&a->addr, &b->addr, size) == 0;
}

/* Returns false where it leads nowhere any more. */
static bool find_peer(ares_socket_t socket, struct ares_addr_port_node *ret_peer)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} address = {.six = {.sin6_family = AF_UNSPEC}};
	socklen_t size = sizeof(address);
	*ret_peer = (struct ares_addr_port_node){0};
	if (getpeername(socket, &address.any, &size) != 0)
		return false;
	if (address.any.sa_family == AF_INET) {
		memcpy(&ret_peer->addr.addr4, &address.four.sin_addr,
		       sizeof(address.four.sin_addr));
		ret_peer->udp_port = ntohs(address.four.sin_port);
	} else {
		memcpy(&ret_peer->addr.addr6, &address.six.sin6_addr,
		       sizeof(address.six.sin6_addr));
		ret_peer->udp_port = ntohs(address.six.sin6_port);
	}
	ret_peer->family = address.any.sa_family;
	return true;
}

void resolver_order_apply(struct resolver *resolver, struct resolver_channel *channel)
{
	struct resolver_order *order = &resolver->order;
	struct ares_addr_port_node *nodes = NULL;
	if (!order->is_changed || ares_get_servers_ports(channel->ares, &nodes) != ARES_SUCCESS)
		return;
	struct ares_addr_port_node **place = &nodes;
	while (*place != NULL && !is_same(*place, &order->chosen))
		place = &(*place)->next;
	struct ares_addr_port_node *chosen = *place;
	order->is_changed = chosen != NULL && chosen != nodes;
	if (order->is_changed) {
		*place = chosen->next;
		chosen->next = nodes;
		nodes = chosen;
		(void)ares_set_servers_ports(channel->ares, nodes);
	}
	ares_free_data(nodes);
}

bool resolver_order_is_first(const struct resolver_channel *channel, ares_socket_t socket)
{
	struct ares_addr_port_node *nodes = NULL;
	struct ares_addr_port_node peer;
	if (!find_peer(socket, &peer) ||
	    ares_get_servers_ports(channel->ares, &nodes) != ARES_SUCCESS)
		return false;
	bool is_first = nodes != NULL && is_same(nodes, &peer);
	ares_free_data(nodes);
	return is_first;
}

void resolver_order_note_heard(struct resolver_channel *channel)
{
	if (channel == channel->resolver->channels)
		channel->resolver->order.late = 0;
}

void resolver_order_note_end(struct resolver_channel *channel, int status, int timeouts)
{
	struct resolver *resolver = channel->resolver;
	struct resolver_order *order = &resolver->order;
	struct ares_addr_port_node answered;
	bool is_answered =
		status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
	if (resolver->is_closed || channel != resolver->channels || timeouts == 0 || !is_answered ||
	    channel->reading == ARES_SOCKET_BAD ||
	    resolver_order_is_first(channel, channel->reading) ||
	    !find_peer(channel->reading, &answered))
		return;
	order->late++;
	if (order->late < LATE_MAX)
		return;
	*order = (struct resolver_order){
		.is_changed = true, .chosen = answered, .tried_at = clock_mono_us()};
	resolver_renew(resolver);
}

static void on_tried(void *context, int status, int timeouts, struct ares_addrinfo *info)
{
	(void)timeouts;
	struct resolver_channel *channel = context;
	struct resolver *resolver = channel->resolver;
	if (info != NULL)
		ares_freeaddrinfo(info);
	resolver_end_question(channel);
	bool is_answered =
		status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
	if (resolver->is_closed || !is_answered || resolver->order.is_trying)
		return;
	resolver->order = (struct resolver_order){0};
	resolver_renew(resolver);
}

void resolver_order_try_first(struct resolver *resolver, const char *name, mono_us now)
{
	struct resolver_order *order = &resolver->order;
	struct ares_addr_port_node *nodes = NULL;
	if (!order->is_changed || now - order->tried_at < TRY_US)
		return;
	order->tried_at = now;
	/* behind the one in use: it goes when its question is answered */
	struct resolver_channel *channel = resolver_add_channel(resolver);
	if (channel == NULL)
		return;
	bool is_set = false;
	if (ares_get_servers_ports(channel->ares, &nodes) == ARES_SUCCESS && nodes != NULL) {
		struct ares_addr_port_node first = *nodes;
		first.next = NULL;
		is_set = ares_set_servers_ports(channel->ares, &first) == ARES_SUCCESS;
	}
	ares_free_data(nodes);
	if (!is_set)
		return;
	const struct ares_addrinfo_hints hints = {
		.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NOSORT};
	resolver_begin_question(channel);
	order->is_trying = true;
	resolver->depth++;
	ares_getaddrinfo(channel->ares, name, NULL, &hints, on_tried, channel);
	resolver->depth--;
	order->is_trying = false;
}
