#include "probe/hop_run.h"

#include <stdio.h>
#include <string.h>

#include "check/request.h"
#include "probe/addresses.h"
#include "probe/check_run.h"
#include "probe/transfer.h"

int hop_run_begin(struct hop_run *hop, const struct request *request, const char *url,
		  bool is_redirected, mono_us now, struct error *err)
{
	hop_run_finish(hop);
	hop->started = now;
	hop->resolved_at = 0;
	hop->address_next = 0;
	hop->address_count = 0;
	hop->address_rest = 0;
	hop->address_trouble.reason = REASON_OK;
	hop->resolver = NULL;
	hop->is_stub_failing = false;
	hop->is_forbidden = false;
	hop->target_count = 0;
	hop->target_at = 0;
	hop->target_trouble.reason = REASON_OK;
	address_guard_start_hop(&hop->guard, is_redirected);
	if (url_parse(url, &hop->parts, err) != 0) {
		hop->parts = (struct url_parts){0};
		return -1;
	}
	route_init(&hop->route, request, &hop->parts);
	if (hop->route.proxy != NULL && !hop->route.needs_site)
		hop->is_forbidden = !address_guard_may_ask_for(
			&hop->guard, hop->parts.host, request_find_host(request, hop->parts.host));
	return 0;
}

void hop_run_finish(struct hop_run *hop)
{
	url_parts_finish(&hop->parts);
}

bool hop_run_looks_for_site(const struct hop_run *hop)
{
	return hop->route.needs_site && hop->target_count == 0;
}

const char *hop_run_host(const struct hop_run *hop)
{
	return hop_run_looks_for_site(hop) ? hop->parts.host : hop->route.host;
}

size_t hop_run_set_targets(struct hop_run *hop, const struct request *request,
			   const struct resolver_address *addresses, size_t count)
{
	struct resolver_address chosen[RESOLVER_FOUND_MAX];
	/* Where it is connected from is the proxy's affair. */
	const struct request wanted = {.family = request->family,
				       .is_family_only = request->is_family_only};
	size_t rest = 0;
	memcpy(chosen, addresses, count * sizeof(addresses[0]));
	size_t chosen_count = addresses_choose(&wanted, chosen, count);
	chosen_count = addresses_cut(&hop->guard, chosen, chosen_count, &rest);
	if (chosen_count == 0)
		return 0;
	address_guard_see(&hop->guard, addresses, count);
	hop->target_count = address_guard_filter(&hop->guard, chosen, chosen_count);
	hop->is_forbidden = hop->target_count == 0;
	memcpy(hop->targets, chosen, hop->target_count * sizeof(chosen[0]));
	if (hop->target_count > 0)
		address_guard_note(&hop->guard, hop->targets[0].text);
	return hop->target_count;
}

const char *hop_run_target(const struct hop_run *hop)
{
	return hop->target_count > 0 ? hop->targets[hop->target_at].text : NULL;
}

bool hop_run_next_target(struct hop_run *hop)
{
	if (hop->target_at + 1 >= hop->target_count)
		return false;
	hop->target_at++;
	address_guard_note(&hop->guard, hop->targets[hop->target_at].text);
	return true;
}

size_t hop_run_list_addresses(struct hop_run *hop, const struct request *request,
			      const struct resolver_address *addresses, size_t count, mono_us now)
{
	struct resolver_address chosen[RESOLVER_FOUND_MAX];
	memcpy(chosen, addresses, count * sizeof(addresses[0]));
	size_t chosen_count = addresses_choose(request, chosen, count);
	bool is_guarded = hop->route.proxy == NULL;
	size_t rest = 0;
	hop->resolved_at = now;
	if (hop->resolver != NULL)
		hop->address_rest =
			addresses_count_rest(resolver_rest(hop->resolver), chosen, chosen_count);
	hop->address_count =
		addresses_cut(is_guarded ? &hop->guard : NULL, chosen, chosen_count, &rest);
	memcpy(hop->addresses, chosen, hop->address_count * sizeof(chosen[0]));
	if (is_guarded && hop->address_count > 0)
		address_guard_see(&hop->guard, addresses, count);
	if (hop->resolver != NULL)
		hop->address_rest += rest;
	return hop->address_count;
}

size_t hop_run_find_known(const struct hop_run *hop, const struct check_pin *pin,
			  const struct request *request,
			  struct resolver_address known[static RESOLVER_ADDRESSES_MAX])
{
	if (hop_run_looks_for_site(hop)) {
		const struct request_host *host = request_find_host(request, hop->parts.host);
		return host == NULL ? 0 : addresses_copy(host, known);
	}
	if (pin == NULL || strcmp(pin->host, hop->route.host) != 0)
		return route_find_known(&hop->route, request, known);
	(void)snprintf(known[0].text, sizeof(known[0].text), "%s", pin->address);
	return 1;
}

size_t hop_run_set_addresses(struct hop_run *hop, const struct request *request,
			     const struct resolver_address *addresses, size_t count, mono_us now)
{
	(void)hop_run_list_addresses(hop, request, addresses, count, now);
	if (hop->route.proxy != NULL || hop->address_count == 0)
		return hop->address_count;
	hop->address_count = address_guard_filter(&hop->guard, hop->addresses, hop->address_count);
	hop->is_forbidden = hop->address_count == 0;
	return hop->address_count;
}

bool hop_run_has_address(const struct hop_run *hop)
{
	return hop->address_next < hop->address_count;
}

const char *hop_run_take_address(struct hop_run *hop, int64_t left_us, int64_t *share_us)
{
	const char *address = hop->addresses[hop->address_next].text;
	*share_us = left_us / (int64_t)(hop->address_count - hop->address_next);
	hop->address_next++;
	if (hop->route.proxy == NULL)
		address_guard_note(&hop->guard, address);
	return address;
}

void hop_run_repeat_address(struct hop_run *hop)
{
	hop->address_next--;
}

void hop_run_note_address(struct hop_run *hop, const struct trouble *trouble, bool is_own)
{
	if (!is_own && hop->address_trouble.reason == REASON_OK)
		hop->address_trouble = *trouble;
}

enum phase hop_run_measure(const struct hop_run *hop, const struct transfer *transfer, mono_us now,
			   struct hop *noted)
{
	struct phase_marks marks = {
		.started = hop->started,
		.resolved = hop->resolved_at,
		.is_https = hop->parts.is_https,
	};
	transfer_get_marks(transfer, &marks);
	return phases_measure(noted, &marks, now);
}
