/*
 * Two netlink sockets. One is told of links and addresses that come and go, so that a short cut is known afterwards; the other asks
 * for the route to an address, only when a check has failed. Routes that come and go are not listened to: a router has
 * thousands of them a second, and what is missing for longer is seen by asking.
 */
#include "probe/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum {
	/* Links that are remembered; of more, those whose last cut is longest ago are forgotten. */
	LINKS_MAX = 256,
	PACKET_MAX = 8192,
	/* Messages taken in one turn; the rest comes with the next. */
	MESSAGES_A_TURN = 64,
	/* A link that is back needs a moment: neighbours are asked for once a second, and the kernel tells up to a second late. */
	SETTLE_US = 3 * CLOCK_US_PER_S,
};

/* A link that was seen to change. */
struct link {
	int index;
	bool is_running;
	mono_us cut_at; /* when it was last seen to go, or to be back; 0 never */
};

struct network {
	uv_poll_t watcher;
	bool has_watcher;
	int events_fd; /* -1: the kernel tells nothing */
	int query_fd;
	unsigned query_number;
	struct link links[LINKS_MAX];
	size_t link_count;
};

static struct link *find_link(struct network *network, int index)
{
	struct link *oldest = &network->links[0];
	for (size_t i = 0; i < network->link_count; i++) {
		if (network->links[i].index == index)
			return &network->links[i];
		if (network->links[i].cut_at < oldest->cut_at)
			oldest = &network->links[i];
	}
	if (network->link_count < LINKS_MAX)
		oldest = &network->links[network->link_count++];
	/* of one that was never seen before nothing is known but that it works */
	*oldest = (struct link){.index = index, .is_running = true};
	return oldest;
}

static bool is_link_running(unsigned flags)
{
	return (flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
}

static void note_event(struct network *network, const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = NLMSG_DATA(header);
	const struct ifaddrmsg *address = NLMSG_DATA(header);
	struct link *link;
	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK: {
		bool is_running =
			header->nlmsg_type == RTM_NEWLINK && is_link_running(info->ifi_flags);
		link = find_link(network, info->ifi_index);
		/* one that is back was away until now */
		if (!is_running || !link->is_running)
			link->cut_at = clock_mono_us();
		link->is_running = is_running;
		break;
	}
	case RTM_DELADDR:
		find_link(network, (int)address->ifa_index)->cut_at = clock_mono_us();
		break;
	default:
		break;
	}
}

static void take_events(struct network *network)
{
	union {
		struct nlmsghdr header;
		char bytes[PACKET_MAX];
	} packet;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		ssize_t got =
			recv(network->events_fd, &packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
		if (got <= 0)
			return;
		unsigned left = got > (ssize_t)sizeof(packet) ? 0 : (unsigned)got;
		for (struct nlmsghdr *header = &packet.header; NLMSG_OK(header, left);
		     header = NLMSG_NEXT(header, left))
			note_event(network, header);
	}
}

static void on_events(uv_poll_t *watcher, int status, int events)
{
	(void)status;
	(void)events;
	take_events(watcher->data);
}

static int open_netlink(unsigned groups)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

struct network *network_create(uv_loop_t *loop)
{
	struct network *network = xcalloc(1, sizeof(*network));
	network->events_fd = open_netlink(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
	network->query_fd = open_netlink(0);
	if (network->events_fd >= 0 &&
	    uv_poll_init(loop, &network->watcher, network->events_fd) == 0) {
		network->has_watcher = true;
		network->watcher.data = network;
		(void)uv_poll_start(&network->watcher, UV_READABLE, on_events);
	}
	return network;
}

void network_close(struct network *network)
{
	if (network->has_watcher)
		uv_close((uv_handle_t *)&network->watcher, NULL);
	network->has_watcher = false;
}

void network_destroy(struct network *network)
{
	if (network == NULL)
		return;
	if (network->events_fd >= 0)
		(void)close(network->events_fd);
	if (network->query_fd >= 0)
		(void)close(network->query_fd);
	free(network);
}

struct query {
	struct nlmsghdr header;
	union {
		struct rtmsg route;
		struct ifinfomsg link;
	};
	char attributes[2 * RTA_SPACE(sizeof(struct in6_addr))];
};

static void add_address(struct query *query, unsigned short type, const void *bytes, size_t size)
{
	struct rtattr *attribute =
		(struct rtattr *)(void *)((char *)query + NLMSG_ALIGN(query->header.nlmsg_len));
	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), bytes, size);
	query->header.nlmsg_len =
		NLMSG_ALIGN(query->header.nlmsg_len) + (unsigned)RTA_ALIGN(attribute->rta_len);
}

/* The kernel answers before send() returns. Returns 0 with the answer, or the kernel's errno; -1 where it can't be asked. */
static int ask(struct network *network, struct query *query, void *answer, size_t size,
	       unsigned *ret_length)
{
	struct nlmsghdr *header = answer;
	if (network->query_fd < 0)
		return -1;
	query->header.nlmsg_flags = NLM_F_REQUEST;
	query->header.nlmsg_seq = ++network->query_number;
	if (send(network->query_fd, query, query->header.nlmsg_len, 0) < 0)
		return -1;
	for (;;) {
		ssize_t got = recv(network->query_fd, answer, size, MSG_DONTWAIT);
		if (got < (ssize_t)sizeof(*header))
			return -1;
		if (header->nlmsg_seq != network->query_number)
			continue; /* what an earlier question left */
		*ret_length = (unsigned)got;
		if (header->nlmsg_type != NLMSG_ERROR)
			return 0;
		return -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
	}
}

union answer {
	struct nlmsghdr header;
	char bytes[PACKET_MAX];
};

/* Which link leads to an address. Returns 0, the kernel's errno for "none", or -1 where nothing is known. */
static int find_route(struct network *network, const char *address, const char *source,
		      int *ret_link)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	int family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	unsigned size = family == AF_INET6 ? 16 : 4;
	struct query query = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			   .nlmsg_type = RTM_GETROUTE},
		.route = {.rtm_family = (unsigned char)family,
			  .rtm_dst_len = (unsigned char)(8 * size)},
	};
	if (inet_pton(family, address, bytes) != 1)
		return -1;
	add_address(&query, RTA_DST, bytes, size);
	if (source != NULL && inet_pton(family, source, bytes) == 1) {
		query.route.rtm_src_len = (unsigned char)(8 * size);
		add_address(&query, RTA_SRC, bytes, size);
	}
	union answer answer;
	unsigned length = 0;
	int error = ask(network, &query, &answer, sizeof(answer), &length);
	if (error != 0)
		return error;
	unsigned left = length - (unsigned)NLMSG_LENGTH(sizeof(struct rtmsg));
	for (const struct rtattr *at = RTM_RTA(NLMSG_DATA(&answer.header)); RTA_OK(at, left);
	     at = RTA_NEXT(at, left)) {
		if (at->rta_type == RTA_OIF) {
			memcpy(ret_link, RTA_DATA(at), sizeof(*ret_link));
			return 0;
		}
	}
	return -1;
}

static bool is_link_down(struct network *network, int index)
{
	struct query query = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			   .nlmsg_type = RTM_GETLINK},
		.link = {.ifi_index = index},
	};
	union answer answer;
	unsigned length = 0;
	if (ask(network, &query, &answer, sizeof(answer), &length) != 0)
		return false;
	return !is_link_running(((const struct ifinfomsg *)NLMSG_DATA(&answer.header))->ifi_flags);
}

const char *network_find_trouble(struct network *network, const char *address, const char *source,
				 mono_us since)
{
	int index = 0;
	switch (find_route(network, address, source, &index)) {
	case 0:
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EINVAL: /* a route that says "blackhole" */
	case EACCES: /* … or "prohibit" */
		return "this machine has no route to it";
	default:
		return NULL;
	}
	if (is_link_down(network, index))
		return "the link that leads to it is down";
	if (network->events_fd >= 0)
		take_events(network);
	for (size_t i = 0; i < network->link_count; i++) {
		if (network->links[i].index == index && network->links[i].cut_at != 0 &&
		    network->links[i].cut_at >= since - SETTLE_US)
			return "the link that leads to it was down meanwhile";
	}
	return NULL;
}
