#include "probe/addresses.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check/request.h"

static enum request_family family_of(const char *address)
{
	return strchr(address, ':') != NULL ? REQUEST_FAMILY_6 : REQUEST_FAMILY_4;
}

size_t addresses_copy(const struct request_host *host,
		      struct resolver_address addresses[static RESOLVER_ADDRESSES_MAX])
{
	size_t count = 0;
	for (; count < host->address_count && count < RESOLVER_ADDRESSES_MAX; count++)
		(void)snprintf(addresses[count].text, sizeof(addresses[count].text), "%s",
			       host->addresses[count]);
	return count;
}

static size_t keep_family(enum request_family family, struct resolver_address *addresses,
			  size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (family_of(addresses[i].text) == family)
			addresses[kept++] = addresses[i];
	return kept;
}

static bool has_family(enum request_family family, const struct resolver_address *addresses,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (family_of(addresses[i].text) == family)
			return true;
	return false;
}

/* The family that alone can be had from the source addresses. */
static enum request_family family_of_source(const struct request *request)
{
	if ((request->source_4 == NULL) == (request->source_6 == NULL))
		return REQUEST_FAMILY_ANY;
	return request->source_4 != NULL ? REQUEST_FAMILY_4 : REQUEST_FAMILY_6;
}

size_t addresses_choose(const struct request *request, struct resolver_address *addresses,
			size_t count)
{
	enum request_family source = family_of_source(request);
	if (source != REQUEST_FAMILY_ANY)
		count = keep_family(source, addresses, count);
	if (request->family != REQUEST_FAMILY_ANY &&
	    (request->is_family_only || has_family(request->family, addresses, count)))
		count = keep_family(request->family, addresses, count);
	return count;
}

size_t addresses_count_rest(struct resolver_rest rest, const struct resolver_address *chosen,
			    size_t count)
{
	return (has_family(REQUEST_FAMILY_4, chosen, count) ? rest.four : 0) +
	       (has_family(REQUEST_FAMILY_6, chosen, count) ? rest.six : 0);
}

const char *addresses_missing(const struct request *request)
{
	enum request_family family = request->family;
	if (!request->is_family_only || family == REQUEST_FAMILY_ANY)
		family = family_of_source(request);
	return family == REQUEST_FAMILY_6 ? "the name has no IPv6 address"
					  : "the name has no IPv4 address";
}

const char *addresses_source(const struct request *request, const char *address)
{
	return family_of(address) == REQUEST_FAMILY_6 ? request->source_6 : request->source_4;
}
