#include "probe/hop_run.h"

#include <string.h>

#include "probe/addresses.h"
#include "probe/transfer.h"

int hop_run_begin(struct hop_run *hop, const struct request *request, const char *url, mono_us now,
		  struct error *err)
{
	hop_run_finish(hop);
	hop->started = now;
	hop->resolved_at = 0;
	hop->address_next = 0;
	hop->address_count = 0;
	hop->address_trouble.reason = REASON_OK;
	hop->resolver = NULL;
	hop->is_stub_failing = false;
	if (url_parse(url, &hop->parts, err) != 0) {
		hop->parts = (struct url_parts){0};
		return -1;
	}
	route_init(&hop->route, request, &hop->parts);
	return 0;
}

void hop_run_finish(struct hop_run *hop)
{
	url_parts_finish(&hop->parts);
}

size_t hop_run_set_addresses(struct hop_run *hop, const struct request *request,
			     const struct resolver_address *addresses, size_t count, mono_us now)
{
	hop->resolved_at = now;
	memcpy(hop->addresses, addresses, count * sizeof(addresses[0]));
	hop->address_count = addresses_choose(request, hop->addresses, count);
	return hop->address_count;
}

bool hop_run_has_address(const struct hop_run *hop)
{
	return hop->address_next < hop->address_count;
}

const char *hop_run_take_address(struct hop_run *hop, int64_t left_us, int64_t *share_us)
{
	*share_us = left_us / (int64_t)(hop->address_count - hop->address_next);
	return hop->addresses[hop->address_next++].text;
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
