/*
 * A look-up puts one question to c-ares, for both families at once, which is answered when both are known:
 *
 *   asked --answer--> told                                    most end here
 *     '--patience over--> asked for each family as well --> told by the first that has addresses, or by the first question
 *
 * It lives until its last question is answered; once it was told or dropped, nobody hears of the others.
 */
#include "probe/resolver_private.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

/* How long it holds whether this machine has a way out over IPv6. */
enum { ROUTE_LIFE_US = 30 * CLOCK_US_PER_S };

struct resolve {
	struct resolver_channel *channel;
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

/*
 * Families in turn, the one that this machine can reach first, as RFC 8305 has it: a dead family costs one attempt.
 */
static size_t order_addresses(struct resolver *resolver, const struct ares_addrinfo *info,
			      struct resolver_address addresses[static RESOLVER_FOUND_MAX])
{
	const struct ares_addrinfo_node *six = next_of_family(info->nodes, AF_INET6);
	const struct ares_addrinfo_node *four = next_of_family(info->nodes, AF_INET);
	bool is_six_next =
		six != NULL && (four == NULL || has_ipv6_route(resolver, clock_mono_us()));
	size_t sixes = 0;
	size_t fours = 0;
	for (size_t turn = 0; turn < RESOLVER_FOUND_MAX && (six != NULL || four != NULL); turn++) {
		if (is_six_next && six != NULL) {
			write_address(six, &addresses[sixes++ + fours]);
			six = next_of_family(six->ai_next, AF_INET6);
		} else if (!is_six_next && four != NULL) {
			write_address(four, &addresses[sixes + fours++]);
			four = next_of_family(four->ai_next, AF_INET);
		}
		is_six_next = !is_six_next;
	}
	resolver->rest.four = count_family(four, AF_INET);
	resolver->rest.six = count_family(six, AF_INET6);
	return sixes + fours;
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
	struct resolver_address addresses[RESOLVER_FOUND_MAX];
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
	resolver_end_question(resolve->channel);
	if (--resolve->questions == 0 && !resolve->is_starting)
		free(resolve);
	if (on_resolved != NULL)
		on_resolved(caller, result, addresses, count, message);
}

static void on_both(void *context, int status, int timeouts, struct ares_addrinfo *info)
{
	struct resolve *resolve = context;
	resolver_order_note_end(resolve->channel, status, timeouts);
	on_answer(resolve, status, info, true);
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
 * "localhost." is this machine as "localhost" is (RFC 6761, 6.3), of which c-ares asks nobody. The same name with a dot is another one to
 * it, and so are those of the hosts file to the C library: they stay what they are.
 */
static const char *choose_asked(const char *name)
{
	return text_equal_ignoring_case(name, "localhost.") ? "localhost" : name;
}

void resolver_ask_apart(struct resolver *resolver, mono_us now)
{
	struct resolve *resolve = resolver->waiting;
	while (resolve != NULL) {
		if (resolve->apart_at > now) {
			resolve = resolve->next;
			continue;
		}
		stop_waiting(resolve);
		resolve->questions += 2;
		resolver_begin_question(resolve->channel);
		resolver_begin_question(resolve->channel);
		ask(resolve, AF_INET, on_family);
		ask(resolve, AF_INET6, on_family);
		resolve = resolver->waiting; /* an answer at once may have changed the list */
	}
}

struct resolve *resolver_start(struct resolver *resolver, const char *name, int64_t patience_us,
			       resolver_on_resolved on_resolved, void *context)
{
	name = choose_asked(name);
	size_t length = strlen(name);
	struct resolve *resolve = xcalloc(1, sizeof(*resolve) + length + 1);
	mono_us now = clock_mono_us();
	resolver_refresh(resolver, now);
	struct resolver_channel *channel = resolver->channels;
	resolve->channel = channel;
	resolve->on_resolved = on_resolved;
	resolve->context = context;
	resolve->started = now;
	resolve->apart_at = now + patience_us;
	resolve->questions = 1;
	memcpy(resolve->name, name, length);
	start_waiting(resolve);
	resolver_begin_question(channel);
	resolver_start_tick(resolver, now);
	resolver_order_try_first(resolver, name, now);
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

enum resolver_result resolver_drop(struct resolve *resolve)
{
	resolve->on_resolved = NULL;
	stop_waiting(resolve);
	if (has_answered(resolve))
		return RESOLVER_NO_SUCH_NAME;
	resolve->channel->resolver->silent_at = clock_mono_us();
	return RESOLVER_NO_ANSWER;
}
