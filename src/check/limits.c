#include "check/limits.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "check/observation.h"
#include "check/site.h"

const struct limits limits_none = {0};

const struct limits *limits_of(const struct site *site)
{
	return site->limits == NULL ? &limits_none : site->limits;
}

struct limits *limits_make(struct site *site)
{
	if (site->limits == NULL)
		site->limits = xcalloc(1, sizeof(*site->limits));
	return site->limits;
}

void limits_destroy(struct limits *limits)
{
	if (limits == NULL)
		return;
	free(limits->fingerprints);
	free(limits);
}

bool limit_is_set(const struct limit *limit)
{
	return limit->warn_us != 0 || limit->fail_us != 0;
}

const char *limits_phase_name(enum limit_phase phase)
{
	static const char *const names[LIMIT_PHASE_COUNT] = {
		[LIMIT_DNS] = "dns",   [LIMIT_CONNECT] = "connect",   [LIMIT_TLS] = "tls",
		[LIMIT_WAIT] = "wait", [LIMIT_TRANSFER] = "transfer",
	};
	assert((unsigned)phase < LIMIT_PHASE_COUNT);
	return names[phase];
}

int64_t limits_phase_us(const struct hop *hop, enum limit_phase phase)
{
	switch (phase) {
	case LIMIT_DNS:
		return hop->dns_us;
	case LIMIT_CONNECT:
		return hop->connect_us;
	case LIMIT_TLS:
		return hop->tls_us;
	case LIMIT_WAIT:
		return hop->wait_us;
	case LIMIT_TRANSFER:
		return hop->transfer_us;
	case LIMIT_PHASE_COUNT:
		break;
	}
	return DURATION_UNKNOWN;
}
