#include "store/postgres_hosts.h"

#include <libpq-fe.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"

/* The index-th part of a list with commas; a list of one stands for all. NULL where there is none. */
static char *part_of(const char *list, size_t index)
{
	size_t length = list == NULL ? 0 : strcspn(list, ",");
	if (length == 0 && (list == NULL || *list == '\0'))
		return NULL;
	bool is_single = list[length] == '\0';
	while (index > 0 && list[length] == ',' && !is_single) {
		list += length + 1;
		length = strcspn(list, ",");
		index--;
	}
	return index == 0 || is_single ? xstrndup(list, length) : NULL;
}

static size_t count_parts(const char *list)
{
	size_t count = list == NULL || *list == '\0' ? 0 : 1;
	for (; list != NULL && *list != '\0'; list++)
		count += *list == ',' ? 1 : 0;
	return count;
}

static const char *option(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

static void add(struct postgres_host *hosts, size_t *count, const char *name, const char *address,
		const char *port)
{
	if (*count < POSTGRES_HOSTS_MAX)
		hosts[(*count)++] = (struct postgres_host){
			.name = xstrdup(name), .address = xstrdup(address), .port = xstrdup(port)};
}

/* A host for each address of the name; one without where it has none: connecting says why. */
static void add_addresses(struct postgres_host *hosts, size_t *count, const char *name,
			  const char *port)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	size_t before = *count;
	if (getaddrinfo(name, NULL, &hints, &found) == 0) {
		for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
			char address[NI_MAXHOST];
			if (getnameinfo(one->ai_addr, one->ai_addrlen, address, sizeof(address),
					NULL, 0, NI_NUMERICHOST) == 0)
				add(hosts, count, name, address, port);
		}
		freeaddrinfo(found);
	}
	if (*count == before)
		add(hosts, count, name, "", port);
}

static size_t find(const PQconninfoOption *options, struct postgres_host *hosts)
{
	const char *names = option(options, "host");
	const char *addresses = option(options, "hostaddr");
	const char *ports = option(options, "port");
	size_t listed = count_parts(addresses) > 0 ? count_parts(addresses) : count_parts(names);
	size_t count = 0;
	for (size_t i = 0; i < listed; i++) {
		char *name = part_of(names, i);
		char *address = part_of(addresses, i);
		char *port = part_of(ports, i);
		const char *port_or_none = port == NULL ? "" : port;
		bool is_socket = name != NULL && (name[0] == '/' || name[0] == '@');
		if (address != NULL && *address != '\0')
			add(hosts, &count, name == NULL ? "" : name, address, port_or_none);
		else if (name == NULL || *name == '\0' || is_socket)
			add(hosts, &count, name == NULL ? "" : name, "", port_or_none);
		else
			add_addresses(hosts, &count, name, port_or_none);
		free(name);
		free(address);
		free(port);
	}
	return count;
}

size_t postgres_hosts_find(const char *dsn, struct postgres_host hosts[static POSTGRES_HOSTS_MAX])
{
	PQconninfoOption *options = PQconninfoParse(dsn, NULL);
	if (options == NULL)
		return 0;
	size_t count = find(options, hosts);
	PQconninfoFree(options);
	return count;
}

void postgres_hosts_note(struct error *causes, const struct postgres_host *host,
			 const struct error *err)
{
	static const char prefix[] = "PostgreSQL: ";
	const char *cause = err->message;
	size_t length = strlen(causes->message);
	if (strncmp(cause, prefix, sizeof(prefix) - 1) == 0)
		cause += sizeof(prefix) - 1;
	if (strstr(causes->message, cause) != NULL)
		return;
	causes->kind = err->kind;
	/* libpq's own words name the server. */
	bool is_named = strstr(cause, "server at ") != NULL || strstr(cause, "server on ") != NULL;
	(void)snprintf(causes->message + length, sizeof(causes->message) - length, "%s%s%s%s%s%s",
		       length == 0 ? prefix : "; ",
		       is_named                ? ""
		       : host->address[0] == 0 ? host->name
					       : host->address,
		       is_named || host->port[0] == 0 ? "" : " port ", is_named ? "" : host->port,
		       is_named ? "" : ": ", cause);
}

void postgres_hosts_finish(struct postgres_host *hosts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(hosts[i].name);
		free(hosts[i].address);
		free(hosts[i].port);
	}
}
