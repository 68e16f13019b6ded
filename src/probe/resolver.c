#include "probe/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

/*
 * A lost packet costs one second; then the next server, or the same again, is asked, with the wait doubled each round. The
 * check's own timeout ends it.
 */
enum { SERVER_TIMEOUT_MS = 1000, SERVER_TRIES = 4 };
/* ares_timeout() walks every look-up that runs, so retries are looked after at a fixed pace instead. */
enum { TICK_MS = 100, LATE_TICK_US = 200 * CLOCK_US_PER_MS };
/* How long it holds whether this machine has a way out over IPv6. */
enum { ROUTE_LIFE_US = 30 * CLOCK_US_PER_S };

static const char SYSTEM_SETTINGS[] = "/etc/resolv.conf";
/* How often they are looked at. */
enum { SETTINGS_LOOK_US = 2 * CLOCK_US_PER_S };

/*
 * c-ares with the settings of one time. When they change, new look-ups go to a new one, and the old one is released when its
 * last look-up has ended.
 */
struct channel {
	ares_channel ares;
	struct resolver *resolver;
	size_t running;
	struct watch *watches;
	struct channel *next; /* older */
};

/* One socket of c-ares. */
struct watch {
	uv_poll_t poll;
	struct channel *channel;
	ares_socket_t socket;
	struct watch *next;
};

/* What tells one version of a file from another; zeroes where there is none. */
struct file_version {
	struct timespec changed_at;
	ino_t inode;
	off_t size;
};

struct resolver {
	uv_loop_t *loop;
	char *servers;  /* NULL: the system's */
	char *settings; /* NULL: c-ares' own choice */
	struct file_version settings_version;
	mono_us settings_looked_at;
	struct channel *channels; /* the one in use, then those that are being used up */
	uv_timer_t tick;
	mono_us ticked_at;
	size_t running; /* over all channels */
	bool is_closed;
	struct resolve *
		waiting; /* look-ups that have asked for both families at once only, the oldest first */
	struct resolve *last_waiting;
	int depth;           /* calls of c-ares that we are within: no channel may go then */
	mono_us answered_at; /* when a server last answered anything; 0 never */
	mono_us silent_at;   /* when a look-up last ended with no server having answered anybody */
	bool has_ipv6;
	mono_us route_known_at; /* 0 never */
	struct resolver_rest rest;
};

struct resolve {
	struct channel *channel;
	resolver_on_resolved on_resolved; /* NULL once dropped or told */
	void *context;
	mono_us started;
	mono_us apart_at;     /* when each family is asked for on its own */
	struct resolve *next; /* of those that wait */
	struct resolve *previous;
	int questions;    /* put to c-ares and not answered */
	bool is_waiting;  /* in the list */
	bool is_starting; /* within ares_getaddrinfo(): an answer now comes from the hosts file */
	char name[];
};

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void process(struct channel *channel, ares_socket_t readable, ares_socket_t writable)
{
	struct resolver *resolver = channel->resolver;
	resolver->depth++;
	ares_process_fd(channel->ares, readable, writable);
	resolver->depth--;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	bool is_broken = status < 0;
	/* c-ares tells a server that is not there and one that answers SERVFAIL by the same code: look for bytes. */
	char byte;
	if ((events & UV_READABLE) != 0 &&
	    recv(watch->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		watch->channel->resolver->answered_at = clock_mono_us();
	ares_socket_t readable =
		is_broken || (events & UV_READABLE) != 0 ? watch->socket : ARES_SOCKET_BAD;
	ares_socket_t writable =
		is_broken || (events & UV_WRITABLE) != 0 ? watch->socket : ARES_SOCKET_BAD;
	process(watch->channel, readable, writable);
}

static void ask_apart(struct resolver *resolver, mono_us now);

static void on_tick(uv_timer_t *tick)
{
	struct resolver *resolver = tick->data;
	mono_us now = clock_mono_us();
	/* After a hold-up an answer may lie there: it is read before anybody is asked again. */
	bool is_late = now - resolver->ticked_at > LATE_TICK_US;
	resolver->ticked_at = now;
	if (is_late)
		return;
	for (struct channel *channel = resolver->channels; channel != NULL; channel = channel->next)
		process(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	ask_apart(resolver, now);
}

static void on_socket_state(void *context, ares_socket_t socket, int readable, int writable)
{
	struct channel *channel = context;
	struct watch **place = &channel->watches;
	while (*place != NULL && (*place)->socket != socket)
		place = &(*place)->next;
	struct watch *watch = *place;
	if (readable == 0 && writable == 0) {
		if (watch != NULL) {
			*place = watch->next;
			uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
		}
		return;
	}
	if (watch == NULL) {
		watch = xcalloc(1, sizeof(*watch));
		watch->channel = channel;
		watch->socket = socket;
		watch->poll.data = watch;
		if (uv_poll_init(channel->resolver->loop, &watch->poll, socket) != 0) {
			free(watch); /* the look-up runs into its timeout */
			return;
		}
		watch->next = channel->watches;
		channel->watches = watch;
	}
	int events = (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0);
	(void)uv_poll_start(&watch->poll, events, on_ready);
}

static struct channel *channel_create(struct resolver *resolver, struct error *err)
{
	struct channel *channel = xcalloc(1, sizeof(*channel));
	channel->resolver = resolver;
	struct ares_options options = {
		.timeout = SERVER_TIMEOUT_MS,
		.tries = SERVER_TRIES,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = channel,
		.resolvconf_path = resolver->settings,
	};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
	if (resolver->settings != NULL)
		mask |= ARES_OPT_RESOLVCONF;
	int status = ares_init_options(&channel->ares, &options, mask);
	bool is_made = status == ARES_SUCCESS;
	if (is_made && resolver->servers != NULL)
		status = ares_set_servers_ports_csv(channel->ares, resolver->servers);
	if (status == ARES_SUCCESS)
		return channel;
	error_set(err, resolver->servers != NULL ? ERROR_REJECT : ERROR_FATAL,
		  "prepare the resolver: %s", ares_strerror(status));
	if (is_made)
		ares_destroy(channel->ares);
	free(channel);
	return NULL;
}

/* Ends its look-ups and closes its sockets. */
static void channel_destroy(struct channel *channel)
{
	ares_destroy(channel->ares);
	free(channel);
}

static struct file_version look_at(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return (struct file_version){0};
	return (struct file_version){
		.changed_at = status.st_mtim, .inode = status.st_ino, .size = status.st_size};
}

static bool is_same(const struct file_version *a, const struct file_version *b)
{
	return a->changed_at.tv_sec == b->changed_at.tv_sec &&
	       a->changed_at.tv_nsec == b->changed_at.tv_nsec && a->inode == b->inode &&
	       a->size == b->size;
}

/* Release old channels that have nothing left to do; make a new one where the system's settings have changed. */
static void refresh(struct resolver *resolver, mono_us now)
{
	struct channel **place = &resolver->channels->next;
	while (resolver->depth == 0 && *place != NULL) {
		struct channel *old = *place;
		if (old->running > 0) {
			place = &old->next;
			continue;
		}
		*place = old->next;
		channel_destroy(old);
	}
	if (resolver->servers != NULL || now - resolver->settings_looked_at < SETTINGS_LOOK_US)
		return;
	resolver->settings_looked_at = now;
	const char *path = resolver->settings != NULL ? resolver->settings : SYSTEM_SETTINGS;
	struct file_version version = look_at(path);
	if (is_same(&version, &resolver->settings_version))
		return;
	struct channel *channel = channel_create(resolver, NULL);
	if (channel == NULL)
		return; /* the old one goes on, and this is tried again */
	resolver->settings_version = version;
	channel->next = resolver->channels;
	resolver->channels = channel;
}

struct resolver *resolver_create(uv_loop_t *loop, const char *servers, const char *settings,
				 struct error *err)
{
	struct resolver *resolver = xcalloc(1, sizeof(*resolver));
	resolver->loop = loop;
	resolver->servers = xstrdup(servers);
	resolver->settings = xstrdup(settings);
	resolver->settings_version = look_at(settings != NULL ? settings : SYSTEM_SETTINGS);
	resolver->settings_looked_at = clock_mono_us();
	resolver->channels = channel_create(resolver, err);
	if (resolver->channels == NULL) {
		resolver_destroy(resolver);
		return NULL;
	}
	(void)uv_timer_init(loop, &resolver->tick);
	resolver->tick.data = resolver;
	return resolver;
}

static void drop_channels(struct resolver *resolver)
{
	while (resolver->channels != NULL) {
		struct channel *channel = resolver->channels;
		resolver->channels = channel->next;
		channel_destroy(channel);
	}
}

void resolver_close(struct resolver *resolver)
{
	resolver->is_closed = true;
	drop_channels(resolver);
	uv_close((uv_handle_t *)&resolver->tick, NULL);
}

void resolver_destroy(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	resolver->is_closed = true;
	drop_channels(resolver);
	free(resolver->servers);
	free(resolver->settings);
	free(resolver);
}

/* Whether a packet to a global IPv6 address would find a way out; connect() of a datagram socket sends nothing. */
static bool has_ipv6_route(struct resolver *resolver, mono_us now)
{
	if (resolver->route_known_at != 0 && now - resolver->route_known_at < ROUTE_LIFE_US)
		return resolver->has_ipv6;
	resolver->route_known_at = now;
	resolver->has_ipv6 = false;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	struct sockaddr_in6 anywhere = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
	(void)inet_pton(AF_INET6, "2000::1", &anywhere.sin6_addr);
	resolver->has_ipv6 = connect(fd, (const struct sockaddr *)&anywhere, sizeof(anywhere)) == 0;
	(void)close(fd);
	return resolver->has_ipv6;
}

static void write_address(const struct ares_addrinfo_node *node, struct resolver_address *address)
{
	const void *bytes;
	if (node->ai_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)node->ai_addr)->sin6_addr;
	else
		bytes = &((const struct sockaddr_in *)(const void *)node->ai_addr)->sin_addr;
	(void)inet_ntop(node->ai_family, bytes, address->text, sizeof(address->text));
}

static const struct ares_addrinfo_node *next_of_family(const struct ares_addrinfo_node *node,
						       int family)
{
	while (node != NULL && node->ai_family != family)
		node = node->ai_next;
	return node;
}

static size_t count_family(const struct ares_addrinfo_node *node, int family)
{
	size_t count = 0;
	for (; node != NULL; node = next_of_family(node->ai_next, family))
		count++;
	return count;
}

/* Families in turn, the one that this machine can reach first, as RFC 8305 has it: a dead family costs one attempt. */
static size_t order_addresses(struct resolver *resolver, const struct ares_addrinfo *info,
			      struct resolver_address addresses[static RESOLVER_ADDRESSES_MAX])
{
	const struct ares_addrinfo_node *six = next_of_family(info->nodes, AF_INET6);
	const struct ares_addrinfo_node *four = next_of_family(info->nodes, AF_INET);
	bool is_six_next =
		six != NULL && (four == NULL || has_ipv6_route(resolver, clock_mono_us()));
	size_t count = 0;
	while ((six != NULL || four != NULL) && count < RESOLVER_ADDRESSES_MAX) {
		if (is_six_next && six != NULL) {
			write_address(six, &addresses[count++]);
			six = next_of_family(six->ai_next, AF_INET6);
		} else if (!is_six_next && four != NULL) {
			write_address(four, &addresses[count++]);
			four = next_of_family(four->ai_next, AF_INET);
		}
		is_six_next = !is_six_next;
	}
	resolver->rest.four = count_family(four, AF_INET);
	resolver->rest.six = count_family(six, AF_INET6);
	return count;
}

/*
 * Whether any server has answered anything since a look-up was started: then they live, unless they were found silent since, and
 * have come back only now.
 */
static bool has_answered(const struct resolve *resolve)
{
	const struct resolver *resolver = resolve->channel->resolver;
	return resolver->answered_at >= resolve->started && resolver->silent_at < resolve->started;
}

/* What a status means, in the words of people, where c-ares would speak of domain names and DNS servers. */
static enum resolver_result classify(const struct resolve *resolve, int status,
				     const char **ret_text)
{
	*ret_text = ares_strerror(status);
	switch (status) {
	case ARES_SUCCESS: /* without an address for us */
	case ARES_ENODATA:
		*ret_text = "the name has no address";
		return RESOLVER_NO_SUCH_NAME;
	case ARES_ENOTFOUND:
		*ret_text = "no such name";
		return RESOLVER_NO_SUCH_NAME;
	case ARES_ECONNREFUSED:
	case ARES_ETIMEOUT:
		if (has_answered(resolve)) {
			*ret_text =
				"the name servers failed on it (SERVFAIL, REFUSED or no answer)";
			return RESOLVER_FAILED;
		}
		*ret_text = status == ARES_ETIMEOUT ? "no name server answered"
						    : "no name server can be reached";
		resolve->channel->resolver->silent_at = clock_mono_us();
		return RESOLVER_NO_ANSWER;
	case ARES_ENOMEM:
	case ARES_EDESTRUCTION:
	case ARES_ECANCELLED:
		return RESOLVER_NO_ANSWER;
	case ARES_ESERVFAIL:
	case ARES_EREFUSED:
		return RESOLVER_FAILED;
	default:
		return RESOLVER_NO_SUCH_NAME;
	}
}

static void start_waiting(struct resolve *resolve)
{
	struct resolver *resolver = resolve->channel->resolver;
	resolve->is_waiting = true;
	resolve->previous = resolver->last_waiting;
	if (resolver->last_waiting != NULL)
		resolver->last_waiting->next = resolve;
	else
		resolver->waiting = resolve;
	resolver->last_waiting = resolve;
}

static void stop_waiting(struct resolve *resolve)
{
	struct resolver *resolver = resolve->channel->resolver;
	if (!resolve->is_waiting)
		return;
	resolve->is_waiting = false;
	if (resolve->next != NULL)
		resolve->next->previous = resolve->previous;
	else
		resolver->last_waiting = resolve->previous;
	if (resolve->previous != NULL)
		resolve->previous->next = resolve->next;
	else
		resolver->waiting = resolve->next;
	resolve->next = NULL;
	resolve->previous = NULL;
}

/* One of the questions is answered: the first that has addresses is told, or that of both families, and nothing after it. */
static void on_answer(struct resolve *resolve, int status, struct ares_addrinfo *info,
		      bool is_of_both)
{
	struct resolver *resolver = resolve->channel->resolver;
	struct resolver_address addresses[RESOLVER_ADDRESSES_MAX];
	size_t count = 0;
	resolver->rest = (struct resolver_rest){0};
	if (status == ARES_SUCCESS && info != NULL)
		count = order_addresses(resolver, info, addresses);
	if (info != NULL)
		ares_freeaddrinfo(info);
	resolver_on_resolved on_resolved = resolver->is_closed ? NULL : resolve->on_resolved;
	void *caller = resolve->context;
	const char *message = "";
	enum resolver_result result = RESOLVER_FOUND;
	if (count == 0 && is_of_both)
		result = classify(resolve, status, &message);
	else if (count == 0)
		on_resolved = NULL; /* the other family may have one */
	if (on_resolved != NULL)
		resolve->on_resolved = NULL;
	if (is_of_both)
		stop_waiting(resolve);
	resolve->channel->running--;
	resolver->running--;
	if (resolver->running == 0 && !resolver->is_closed)
		(void)uv_timer_stop(&resolver->tick);
	if (--resolve->questions == 0 && !resolve->is_starting)
		free(resolve);
	if (on_resolved != NULL)
		on_resolved(caller, result, addresses, count, message);
}

static void on_both(void *context, int status, int timeouts, struct ares_addrinfo *info)
{
	(void)timeouts;
	on_answer(context, status, info, true);
}

static void on_family(void *context, int status, int timeouts, struct ares_addrinfo *info)
{
	(void)timeouts;
	on_answer(context, status, info, false);
}

static void ask(struct resolve *resolve, int family, ares_addrinfo_callback on_answered)
{
	struct resolver *resolver = resolve->channel->resolver;
	/* Sorting by RFC 6724 would open a socket for each address. */
	const struct ares_addrinfo_hints hints = {
		.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NOSORT};
	resolver->depth++;
	ares_getaddrinfo(resolve->channel->ares, resolve->name, NULL, &hints, on_answered, resolve);
	resolver->depth--;
}

/*
 * c-ares tells nothing before both families are answered, and there are servers that never answer for AAAA. Who has waited long
 * asks for each of them as well, and the first that has addresses counts.
 */
static void ask_apart(struct resolver *resolver, mono_us now)
{
	struct resolve *resolve = resolver->waiting;
	while (resolve != NULL) {
		if (resolve->apart_at > now) {
			resolve = resolve->next;
			continue;
		}
		stop_waiting(resolve);
		resolve->questions += 2;
		resolve->channel->running += 2;
		resolver->running += 2;
		ask(resolve, AF_INET, on_family);
		ask(resolve, AF_INET6, on_family);
		resolve = resolver->waiting; /* an answer at once may have changed the list */
	}
}

struct resolve *resolver_start(struct resolver *resolver, const char *name, int64_t patience_us,
			       resolver_on_resolved on_resolved, void *context)
{
	size_t length = strlen(name);
	struct resolve *resolve = xcalloc(1, sizeof(*resolve) + length + 1);
	mono_us now = clock_mono_us();
	refresh(resolver, now);
	struct channel *channel = resolver->channels;
	resolve->channel = channel;
	resolve->on_resolved = on_resolved;
	resolve->context = context;
	resolve->started = now;
	resolve->apart_at = now + patience_us;
	resolve->questions = 1;
	memcpy(resolve->name, name, length);
	start_waiting(resolve);
	channel->running++;
	resolver->running++;
	if (!uv_is_active((const uv_handle_t *)&resolver->tick)) {
		resolver->ticked_at = now;
		(void)uv_timer_start(&resolver->tick, on_tick, TICK_MS, TICK_MS);
	}
	resolve->is_starting = true;
	ask(resolve, AF_UNSPEC, on_both);
	resolve->is_starting = false;
	if (resolve->questions > 0)
		return resolve;
	free(resolve);
	return NULL;
}

struct resolver_rest resolver_rest(const struct resolver *resolver)
{
	return resolver->rest;
}

size_t resolver_list_servers(const struct resolver *resolver,
			     struct resolver_address servers[static RESOLVER_ADDRESSES_MAX])
{
	struct ares_addr_port_node *nodes = NULL;
	size_t count = 0;
	if (ares_get_servers_ports(resolver->channels->ares, &nodes) != ARES_SUCCESS)
		return 0;
	for (const struct ares_addr_port_node *node = nodes;
	     node != NULL && count < RESOLVER_ADDRESSES_MAX; node = node->next)
		(void)inet_ntop(node->family, &node->addr, servers[count++].text,
				sizeof(servers[0].text));
	ares_free_data(nodes);
	return count;
}

bool resolver_is_stub(const struct resolver *resolver)
{
	struct resolver_address servers[RESOLVER_ADDRESSES_MAX];
	size_t count = resolver->servers != NULL ? 0 : resolver_list_servers(resolver, servers);
	for (size_t i = 0; i < count; i++)
		if (!text_starts_with(servers[i].text, "127.") &&
		    strcmp(servers[i].text, "::1") != 0)
			return false;
	return count > 0;
}

enum resolver_result resolver_drop(struct resolve *resolve)
{
	resolve->on_resolved = NULL;
	stop_waiting(resolve);
	if (has_answered(resolve))
		return RESOLVER_NO_SUCH_NAME;
	resolve->channel->resolver->silent_at = clock_mono_us();
	return RESOLVER_NO_ANSWER;
}
