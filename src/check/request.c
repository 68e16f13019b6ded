#include "check/request.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "check/address.h"
#include "check/site.h"

const struct request request_usual;

const struct request *request_of(const struct site *site)
{
	return site->request != NULL ? site->request : &request_usual;
}

struct request *request_make(struct site *site)
{
	if (site->request == NULL) {
		site->request = xcalloc(1, sizeof(*site->request));
		*site->request = request_usual;
	}
	return site->request;
}

/* Without the dot of the root, which names the same host. */
static size_t name_length(const char *name)
{
	size_t length = strlen(name);
	return length > 1 && name[length - 1] == '.' ? length - 1 : length;
}

static bool is_same_name(const char *a, const char *b)
{
	size_t length = name_length(a);
	return length == name_length(b) && memcmp(a, b, length) == 0;
}

const struct request_host *request_find_host(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->host_count; i++)
		if (is_same_name(request->hosts[i].name, name))
			return &request->hosts[i];
	return NULL;
}

void request_host_finish(struct request_host *host)
{
	free(host->name);
	for (size_t i = 0; i < host->address_count; i++)
		free(host->addresses[i]);
	free(host->addresses);
	*host = (struct request_host){0};
}

void request_set_host(struct request *request, const struct request_host *taken)
{
	for (size_t i = 0; i < request->host_count; i++) {
		if (is_same_name(request->hosts[i].name, taken->name)) {
			request_host_finish(&request->hosts[i]);
			request->hosts[i] = *taken;
			return;
		}
	}
	request->hosts =
		xreallocarray(request->hosts, request->host_count + 1, sizeof(*request->hosts));
	request->hosts[request->host_count++] = *taken;
}

/* Read the bits of "192.0.2.0/24" or "192.0.2.1"; false for what is neither. */
static bool read_block(const char *text, int *ret_family, unsigned char bytes[static 16],
		       unsigned *ret_bits)
{
	char address[INET6_ADDRSTRLEN + 1];
	size_t length = strcspn(text, "/");
	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	*ret_family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	const unsigned most = *ret_family == AF_INET6 ? 128 : 32;
	*ret_bits = most;
	return inet_pton(*ret_family, address, bytes) == 1 &&
	       (text[length] == '\0' || address_parse_bits(text + length + 1, most, ret_bits) == 0);
}

static bool is_in_block(const char *host, const char *block)
{
	unsigned char wanted[16];
	unsigned char found[16];
	int family;
	int host_family;
	unsigned bits;
	unsigned host_bits;
	if (!read_block(block, &family, wanted, &bits) ||
	    !read_block(host, &host_family, found, &host_bits) || family != host_family)
		return false;
	unsigned whole = bits / 8;
	unsigned mask = 0xFFU << (8 - bits % 8) & 0xFFU;
	return memcmp(wanted, found, whole) == 0 &&
	       (bits % 8 == 0 || (wanted[whole] & mask) == (found[whole] & mask));
}

/* "a.test" and ".a.test" stand for that host and all below it. */
static bool is_below(const char *host, const char *domain)
{
	domain += domain[0] == '.';
	size_t length = name_length(host);
	size_t domain_length = name_length(domain);
	if (length < domain_length ||
	    memcmp(host + length - domain_length, domain, domain_length) != 0)
		return false;
	return length == domain_length || host[length - domain_length - 1] == '.';
}

bool request_is_block(const char *text)
{
	unsigned char bytes[16];
	int family;
	unsigned bits;
	return read_block(text, &family, bytes, &bits);
}

const struct request_proxy *request_find_proxy(const struct request *request, const char *host)
{
	if (request->proxy == NULL)
		return NULL;
	for (size_t i = 0; i < request->no_proxy_count; i++) {
		const char *entry = request->no_proxy[i];
		if (strcmp(entry, "*") == 0 || is_below(host, entry) || is_in_block(host, entry))
			return NULL;
	}
	return request->proxy;
}

void request_proxy_destroy(struct request_proxy *proxy)
{
	if (proxy == NULL)
		return;
	free(proxy->host);
	free(proxy->username);
	free(proxy->password);
	free(proxy);
}

void request_forget_no_proxy(struct request *request)
{
	for (size_t i = 0; i < request->no_proxy_count; i++)
		free(request->no_proxy[i]);
	free(request->no_proxy);
	request->no_proxy = NULL;
	request->no_proxy_count = 0;
}

void request_remove_proxy_header(struct request *request, const char *name)
{
	size_t kept = 0;
	for (size_t i = 0; i < request->proxy_header_count; i++) {
		struct site_header *header = &request->proxy_headers[i];
		if (strcasecmp(header->name, name) != 0) {
			request->proxy_headers[kept++] = *header;
			continue;
		}
		free(header->name);
		free(header->value);
	}
	request->proxy_header_count = kept;
}

void request_add_proxy_header(struct request *request, const char *name, char *taken_value)
{
	request->proxy_headers =
		xreallocarray(request->proxy_headers, request->proxy_header_count + 1,
			      sizeof(request->proxy_headers[0]));
	request->proxy_headers[request->proxy_header_count++] =
		(struct site_header){.name = xstrdup(name), .value = taken_value};
}

static void forget_proxy_headers(struct request *request)
{
	for (size_t i = 0; i < request->proxy_header_count; i++) {
		free(request->proxy_headers[i].name);
		free(request->proxy_headers[i].value);
	}
	request->proxy_header_count = 0;
	free(request->proxy_headers);
	request->proxy_headers = NULL;
}

void request_destroy(struct request *request)
{
	if (request == NULL)
		return;
	free(request->accept_encoding);
	free(request->cert_file);
	free(request->key_file);
	free(request->server_name);
	free(request->ciphers);
	free(request->cipher_suites);
	for (size_t i = 0; i < request->host_count; i++)
		request_host_finish(&request->hosts[i]);
	free(request->hosts);
	free(request->source_4);
	free(request->source_6);
	free(request->dns_servers);
	request_proxy_destroy(request->proxy);
	request_forget_no_proxy(request);
	forget_proxy_headers(request);
	free(request);
}
