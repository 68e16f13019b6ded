#include "probe/own_trouble.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "check/observation.h"
#include "probe/network.h"
#include "probe/resolver.h"
#include "probe/trouble.h"

enum {
	/* A hold-up of less than this, and of less than this part of the timeout, did not bring a timeout about … */
	HELD_UP_MIN_US = 100 * CLOCK_US_PER_MS,
	HELD_UP_PART = 10,
	/* … but a server may lose its patience sooner. */
	PATIENCE_US = 1 * CLOCK_US_PER_S,
	/* A check is suspect when the prober was late with it by more than this. */
	SUSPECT_LATE_US = 100 * CLOCK_US_PER_MS,
};

/* Whether a reason may come of a prober that slept, or of a machine without a network. */
static bool is_possible(enum reason reason)
{
	return reason == REASON_DNS_ERROR || reason == REASON_CONNECT_TIMEOUT ||
	       reason == REASON_CONNECT_UNREACHABLE || reason == REASON_TIMEOUT ||
	       reason == REASON_CONNECTION_LOST || reason == REASON_TLS_ERROR ||
	       /* no address of its own to connect from: out of ports, or without IPv6 */
	       reason == REASON_PROBER_OVERLOADED;
}

static bool was_held_up(const struct own_facts *facts, enum reason reason)
{
	bool is_of_timeout = reason == REASON_TIMEOUT || reason == REASON_CONNECT_TIMEOUT;
	int64_t bound_us = facts->timeout_us / HELD_UP_PART;
	if (!is_of_timeout && bound_us > PATIENCE_US)
		bound_us = PATIENCE_US;
	return reason != REASON_PROBER_OVERLOADED && facts->lost_us > HELD_UP_MIN_US &&
	       facts->lost_us > bound_us;
}

/* Whom the check could not do without, any one of them. Returns how many. */
static size_t list_peers(const struct own_facts *facts, enum reason reason,
			 struct resolver_address peers[static RESOLVER_ADDRESSES_MAX])
{
	if (reason == REASON_DNS_ERROR && facts->is_stub_failing) {
		(void)snprintf(peers[0].text, sizeof(peers[0].text), "192.0.2.1");
		(void)snprintf(peers[1].text, sizeof(peers[1].text), "2001:db8::1");
		return 2;
	}
	if (reason == REASON_DNS_ERROR)
		return facts->resolver == NULL ? 0 : resolver_list_servers(facts->resolver, peers);
	if (facts->peer[0] == '\0')
		return 0;
	(void)snprintf(peers[0].text, sizeof(peers[0].text), "%s", facts->peer);
	return 1;
}

/* What was wrong with the way to all of them; NULL where one could be reached. */
static const char *find_trouble(const struct own_facts *facts, enum reason reason,
				char ret_peer[static ADDRESS_TEXT_MAX])
{
	struct resolver_address peers[RESOLVER_ADDRESSES_MAX];
	size_t count = list_peers(facts, reason, peers);
	const char *source = reason == REASON_DNS_ERROR ? NULL : facts->source;
	const char *what = NULL;
	for (size_t i = 0; i < count; i++) {
		what = network_find_trouble(facts->network, peers[i].text, source, facts->since);
		if (what == NULL)
			return NULL;
		memcpy(ret_peer, peers[i].text, ADDRESS_TEXT_MAX);
	}
	return what;
}

void own_trouble_note(struct observation *observation, int64_t lost_us)
{
	observation->lag_us = lost_us;
	observation->late_us += lost_us;
	observation->is_suspect = observation->late_us > SUSPECT_LATE_US ||
				  observation->trouble == REASON_PROBER_OVERLOADED ||
				  observation->trouble == REASON_PROBER_OFFLINE;
}

void own_trouble_judge(const struct own_facts *facts, struct trouble *trouble)
{
	char lost[32];
	char text[OBSERVATION_MESSAGE_MAX];
	char peer[ADDRESS_TEXT_MAX];
	if (!is_possible(trouble->reason))
		return;
	const char *what = find_trouble(facts, trouble->reason, peer);
	if (what != NULL) {
		(void)snprintf(text, sizeof(text), "no network (%s: %s): %.300s", peer, what,
			       trouble->message);
		trouble->reason = REASON_PROBER_OFFLINE;
	} else if (was_held_up(facts, trouble->reason)) {
		text_format_duration(facts->lost_us / CLOCK_US_PER_MS * CLOCK_US_PER_MS, lost,
				     sizeof(lost));
		(void)snprintf(text, sizeof(text),
			       "the prober itself was held up for %s during the check: %.300s",
			       lost, trouble->message);
		trouble->reason = REASON_PROBER_OVERLOADED;
	} else {
		return;
	}
	memcpy(trouble->message, text, sizeof(text));
}
