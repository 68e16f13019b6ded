/* The keys that say which way a site is reached: addresses of names, IP version, where from. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/request.h"
#include "check/url.h"
#include "config/site_entry.h"
#include "config/site_keys.h"

enum { SOURCES_MAX = 2, IP_TEXT_MAX = 46 };

/* Of a list or of one value in its place. */
static size_t count_of(const struct node *value)
{
	return value->kind == NODE_SEQUENCE ? value->count : 1;
}

static const struct node *item_of(const struct node *value, size_t index)
{
	return value->kind == NODE_SEQUENCE ? value->items[index] : value;
}

/* 4, 6, or 0 for what is no address; the text in the one form that everybody writes. */
static int read_ip(const struct node *value, char text[static IP_TEXT_MAX])
{
	unsigned char bytes[sizeof(struct in6_addr)];
	if (value->kind != NODE_SCALAR || strlen(value->text) != value->length)
		return 0;
	if (inet_pton(AF_INET, value->text, bytes) == 1) {
		(void)inet_ntop(AF_INET, bytes, text, IP_TEXT_MAX);
		return 4;
	}
	if (inet_pton(AF_INET6, value->text, bytes) != 1)
		return 0;
	(void)inet_ntop(AF_INET6, bytes, text, IP_TEXT_MAX);
	return 6;
}

static int take_addresses(struct entry_reader *reader, const struct node *value,
			  struct request_host *host)
{
	size_t count = count_of(value);
	if (count == 0 || count > REQUEST_ADDRESSES_MAX) {
		entry_expect(reader, value, "1 to %d addresses of a name",
			     (int)REQUEST_ADDRESSES_MAX);
		return -1;
	}
	host->addresses = xcalloc(count, sizeof(host->addresses[0]));
	for (size_t i = 0; i < count; i++) {
		char text[IP_TEXT_MAX];
		if (read_ip(item_of(value, i), text) == 0) {
			entry_expect(reader, item_of(value, i),
				     "an address such as 192.0.2.1 or 2001:db8::1");
			return -1;
		}
		host->addresses[host->address_count++] = xstrdup(text);
	}
	return 0;
}

static void take_host(struct entry_reader *reader, const struct node_pair *pair)
{
	struct request_host host = {0};
	char ip[IP_TEXT_MAX];
	bool is_text = strlen(pair->key->text) == pair->key->length;
	host.name = is_text ? site_keys_read_host(pair->key->text) : NULL;
	if (host.name == NULL || read_ip(pair->key, ip) != 0)
		entry_problem(reader, pair->key, "found '%.80s', expected a host's name",
			      pair->key->text);
	else if (take_addresses(reader, pair->value, &host) == 0) {
		request_set_host(request_make(&reader->entry->site), &host);
		return;
	}
	request_host_finish(&host);
}

void site_keys_take_resolve(struct entry_reader *reader, const struct node *value)
{
	if (!entry_is_mapping(reader, "resolve", value, REQUEST_HOSTS_MAX))
		return;
	for (size_t i = 0; i < value->count; i++)
		take_host(reader, &value->pairs[i]);
	size_t count = request_of(&reader->entry->site)->host_count;
	if (count > REQUEST_HOSTS_MAX)
		entry_problem(reader, value,
			      "found %zu names with the defaults', expected at most %d", count,
			      (int)REQUEST_HOSTS_MAX);
}

static void take_family(struct entry_reader *reader, const char *name, const struct node *value)
{
	static const struct site_keys_choice choices[] = {
		{"any", REQUEST_FAMILY_ANY}, {"4", REQUEST_FAMILY_4},
		{"6", REQUEST_FAMILY_6},     {"ip4", REQUEST_FAMILY_4},
		{"ip6", REQUEST_FAMILY_6},   {"ipv4", REQUEST_FAMILY_4},
		{"ipv6", REQUEST_FAMILY_6},  {NULL, 0},
	};
	char *expected = xasprintf("4, 6 or any for `%s`", name);
	int family = site_keys_take_choice(reader, value, choices, expected);
	free(expected);
	if (family >= 0 && entry_claim(reader, SLOT_IP_PROTOCOL, name, value))
		request_make(&reader->entry->site)->family = (enum request_family)family;
}

void site_keys_take_ip_protocol(struct entry_reader *reader, const struct node *value)
{
	take_family(reader, "ip_protocol", value);
}

/* blackbox_exporter's name of it. */
void site_keys_take_preferred_ip_protocol(struct entry_reader *reader, const struct node *value)
{
	take_family(reader, "preferred_ip_protocol", value);
}

void site_keys_take_ip_protocol_fallback(struct entry_reader *reader, const struct node *value)
{
	bool has_fallback;
	if (entry_take_bool(reader, "ip_protocol_fallback", value, &has_fallback) == 0)
		request_make(&reader->entry->site)->is_family_only = !has_fallback;
}

static void take_source(struct entry_reader *reader, const char *name, const struct node *value)
{
	struct request sources = {0};
	size_t count = count_of(value);
	bool is_fine = count >= 1 && count <= SOURCES_MAX;
	if (!entry_claim(reader, SLOT_SOURCE_ADDRESS, name, value))
		return;
	for (size_t i = 0; i < count && is_fine; i++) {
		char text[IP_TEXT_MAX];
		int family = read_ip(item_of(value, i), text);
		char **field = family == 4 ? &sources.source_4 : &sources.source_6;
		is_fine = family != 0 && *field == NULL;
		if (is_fine)
			*field = xstrdup(text);
	}
	if (is_fine) {
		struct request *request = request_make(&reader->entry->site);
		entry_replace(&request->source_4, sources.source_4);
		entry_replace(&request->source_6, sources.source_6);
		return;
	}
	entry_expect(reader, value,
		     "an address of this machine, or one of IPv4 and one of IPv6, for `%s`", name);
	free(sources.source_4);
	free(sources.source_6);
}

void site_keys_take_source_address(struct entry_reader *reader, const struct node *value)
{
	take_source(reader, "source_address", value);
}

/* blackbox_exporter's name of it. */
void site_keys_take_source_ip_address(struct entry_reader *reader, const struct node *value)
{
	take_source(reader, "source_ip_address", value);
}

/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353" as c-ares reads it; NULL for what is none. */
static char *read_server(const char *text)
{
	enum { PORT_DEFAULT = 53, PORT_MAX = 65535 };
	char address[IP_TEXT_MAX];
	unsigned char bytes[sizeof(struct in6_addr)];
	int64_t port = PORT_DEFAULT;
	bool is_bracketed = text[0] == '[';
	bool is_v6 = is_bracketed || strchr(text, ':') != strrchr(text, ':');
	const char *start = text + is_bracketed;
	size_t length = is_bracketed ? strcspn(start, "]")
			: is_v6      ? strlen(start)
				     : strcspn(start, ":");
	const char *rest = start + length;
	if (length >= sizeof(address) || (is_bracketed && rest[0] != ']'))
		return NULL;
	memcpy(address, start, length);
	address[length] = '\0';
	rest += is_bracketed;
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, address, bytes) != 1 ||
	    (rest[0] != '\0' && (rest[0] != ':' || text_parse_int64(rest + 1, &port) != 0)) ||
	    port < 1 || port > PORT_MAX)
		return NULL;
	return xasprintf(is_v6 ? "[%s]:%d" : "%s:%d", address, (int)port);
}

void site_keys_take_dns_servers(struct entry_reader *reader, const struct node *value)
{
	enum { SERVERS_MAX = 8 };
	char *servers = NULL;
	if (count_of(value) == 0 || count_of(value) > SERVERS_MAX) {
		entry_expect(reader, value, "1 to %d name servers", (int)SERVERS_MAX);
		return;
	}
	for (size_t i = 0; i < count_of(value); i++) {
		const struct node *item = item_of(value, i);
		bool is_text = item->kind == NODE_SCALAR && strlen(item->text) == item->length;
		char *server = is_text ? read_server(item->text) : NULL;
		if (server == NULL) {
			entry_expect(reader, item,
				     "a name server such as 192.0.2.53 or [2001:db8::53]:5353");
			free(servers);
			return;
		}
		char *longer =
			servers == NULL ? xstrdup(server) : xasprintf("%s,%s", servers, server);
		free(server);
		free(servers);
		servers = longer;
	}
	entry_replace(&request_make(&reader->entry->site)->dns_servers, servers);
}
