/* The resolver's life: channels of c-ares, their sockets and times on the loop. The look-ups are in resolver_lookup.c. */
#include "probe/resolver_private.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"

/*
 * A lost packet costs one second; then the next server, or the same again, is asked, with the wait doubled each round. The
 * check's own timeout ends it.
 */
enum { SERVER_TIMEOUT_MS = 1000, SERVER_TRIES = 4 };
/* ares_timeout() walks every look-up that runs, so retries are looked after at a fixed pace instead. */
enum { TICK_MS = 100, LATE_TICK_US = 200 * CLOCK_US_PER_MS };

static const char SYSTEM_SETTINGS[] = "/etc/resolv.conf";
/* How often they are looked at. */
enum { SETTINGS_LOOK_US = 2 * CLOCK_US_PER_S };

/* One socket of c-ares. */
struct resolver_watch {
	uv_poll_t poll;
	struct resolver_channel *channel;
	ares_socket_t socket;
	bool is_first; /* it leads to the server that is asked first */
	struct resolver_watch *next;
};

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void process(struct resolver_channel *channel, ares_socket_t readable,
		    ares_socket_t writable)
{
	struct resolver *resolver = channel->resolver;
	resolver->depth++;
	channel->reading = readable;
	ares_process_fd(channel->ares, readable, writable);
	channel->reading = ARES_SOCKET_BAD;
	resolver->depth--;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct resolver_watch *watch = poll->data;
	bool is_broken = status < 0;
	/* c-ares tells a server that is not there and one that answers SERVFAIL by the same code: look for bytes. */
	char byte;
	if ((events & UV_READABLE) != 0 &&
	    recv(watch->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
		watch->channel->resolver->answered_at = clock_mono_us();
		if (watch->is_first)
			resolver_order_note_heard(watch->channel);
	}
	ares_socket_t readable =
		is_broken || (events & UV_READABLE) != 0 ? watch->socket : ARES_SOCKET_BAD;
	ares_socket_t writable =
		is_broken || (events & UV_WRITABLE) != 0 ? watch->socket : ARES_SOCKET_BAD;
	process(watch->channel, readable, writable);
}

static void on_tick(uv_timer_t *tick)
{
	struct resolver *resolver = tick->data;
	mono_us now = clock_mono_us();
	/* After a hold-up an answer may lie there: it is read before anybody is asked again. */
	bool is_late = now - resolver->ticked_at > LATE_TICK_US;
	resolver->ticked_at = now;
	if (is_late)
		return;
	for (struct resolver_channel *channel = resolver->channels; channel != NULL;
	     channel = channel->next)
		process(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	resolver_ask_apart(resolver, now);
}

void resolver_start_tick(struct resolver *resolver, mono_us now)
{
	if (uv_is_active((const uv_handle_t *)&resolver->tick))
		return;
	resolver->ticked_at = now;
	(void)uv_timer_start(&resolver->tick, on_tick, TICK_MS, TICK_MS);
}

static void on_socket_state(void *context, ares_socket_t socket, int readable, int writable)
{
	struct resolver_channel *channel = context;
	struct resolver_watch **place = &channel->watches;
	while (*place != NULL && (*place)->socket != socket)
		place = &(*place)->next;
	struct resolver_watch *watch = *place;
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
		watch->is_first = resolver_order_is_first(channel, socket);
		watch->next = channel->watches;
		channel->watches = watch;
	}
	int events = (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0);
	(void)uv_poll_start(&watch->poll, events, on_ready);
}

static struct resolver_channel *channel_create(struct resolver *resolver, struct error *err)
{
	struct resolver_channel *channel = xcalloc(1, sizeof(*channel));
	channel->resolver = resolver;
	channel->reading = ARES_SOCKET_BAD;
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
static void channel_destroy(struct resolver_channel *channel)
{
	ares_destroy(channel->ares);
	free(channel);
}

static struct resolver_file_version look_at(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return (struct resolver_file_version){0};
	return (struct resolver_file_version){
		.changed_at = status.st_mtim, .inode = status.st_ino, .size = status.st_size};
}

static bool is_same(const struct resolver_file_version *a, const struct resolver_file_version *b)
{
	return a->changed_at.tv_sec == b->changed_at.tv_sec &&
	       a->changed_at.tv_nsec == b->changed_at.tv_nsec && a->inode == b->inode &&
	       a->size == b->size;
}

void resolver_refresh(struct resolver *resolver, mono_us now)
{
	struct resolver_channel **place = &resolver->channels->next;
	while (resolver->depth == 0 && *place != NULL) {
		struct resolver_channel *old = *place;
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
	struct resolver_file_version version = look_at(path);
	if (is_same(&version, &resolver->settings_version))
		return;
	struct resolver_order before = resolver->order;
	resolver->order = (struct resolver_order){0};
	if (resolver_renew(resolver))
		resolver->settings_version = version;
	else
		resolver->order = before; /* the old one goes on, and this is tried again */
}

bool resolver_renew(struct resolver *resolver)
{
	struct resolver_channel *channel = channel_create(resolver, NULL);
	if (channel == NULL)
		return false;
	resolver_order_apply(resolver, channel);
	channel->next = resolver->channels;
	resolver->channels = channel;
	return true;
}

struct resolver_channel *resolver_add_channel(struct resolver *resolver)
{
	struct resolver_channel *channel = channel_create(resolver, NULL);
	if (channel == NULL)
		return NULL;
	channel->next = resolver->channels->next;
	resolver->channels->next = channel;
	return channel;
}

void resolver_begin_question(struct resolver_channel *channel)
{
	channel->running++;
	channel->resolver->running++;
}

void resolver_end_question(struct resolver_channel *channel)
{
	struct resolver *resolver = channel->resolver;
	channel->running--;
	resolver->running--;
	if (resolver->running == 0 && !resolver->is_closed)
		(void)uv_timer_stop(&resolver->tick);
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
		struct resolver_channel *channel = resolver->channels;
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
