#include "probe/addresses.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check/address.h"
#include "check/address_policy.h"
#include "check/request.h"
#include "probe/address_guard.h"

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

/* Addresses of a name that are judged, times the blocks that they are compared with. Some 3 ms. */
enum { BLOCKS_MAX = 100 * 1000 };

/* Those that are used: which of the list they are. */
struct picked {
	size_t indexes[RESOLVER_ADDRESSES_MAX];
	struct address addresses[RESOLVER_ADDRESSES_MAX];
	bool are_read[RESOLVER_ADDRESSES_MAX]; /* else the address means nothing */
	size_t count;
};

static bool is_picked(const struct picked *picked, const struct address *address)
{
	for (size_t i = 0; i < picked->count; i++)
		if (picked->are_read[i] && address_is_same(&picked->addresses[i], address))
			return true;
	return false;
}

/* Pick those that the guard (NULL: none) would let through, as long as there is room. */
static void pick(const struct address_guard *guard, const struct resolver_address *addresses,
		 size_t count, struct picked *picked)
{
	size_t judged_max = guard == NULL ? count : BLOCKS_MAX / (guard->policy->denied_count + 1);
	for (size_t i = 0; i < count && picked->count < RESOLVER_ADDRESSES_MAX; i++) {
		struct address address = {0};
		bool is_read = address_parse(addresses[i].text, &address) == 0;
		if (i == judged_max)
			return;
		if (is_read && is_picked(picked, &address))
			continue;
		if (guard != NULL && !(is_read && address_guard_would_allow(guard, &address)))
			continue;
		picked->indexes[picked->count] = i;
		picked->are_read[picked->count] = is_read;
		picked->addresses[picked->count++] = address;
	}
}

static size_t count_rest(const struct resolver_address *addresses, size_t count,
			 const struct picked *picked)
{
	size_t rest = 0;
	for (size_t i = 0; i < count; i++) {
		struct address address;
		rest += address_parse(addresses[i].text, &address) == 0 &&
			!is_picked(picked, &address);
	}
	return rest;
}

size_t addresses_cut(const struct address_guard *guard, struct resolver_address *addresses,
		     size_t count, size_t *ret_rest)
{
	struct picked picked = {0};
	struct resolver_address kept[RESOLVER_ADDRESSES_MAX];
	if (guard != NULL && count > RESOLVER_ADDRESSES_MAX)
		pick(guard, addresses, count, &picked);
	pick(NULL, addresses, count, &picked);
	*ret_rest = picked.count < count ? count_rest(addresses, count, &picked) : 0;
	for (size_t i = 0; i < picked.count; i++)
		kept[i] = addresses[picked.indexes[i]];
	memcpy(addresses, kept, picked.count * sizeof(kept[0]));
	return picked.count;
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
