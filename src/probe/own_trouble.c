#include "probe/own_trouble.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "probe/network.h"
#include "probe/resolver.h"
#include "probe/trouble.h"

enum {
	/* A hold-up of less than this, and of less than this part of the timeout, did not bring a timeout about … */
	HELD_UP_MIN_US = 100 * CLOCK_US_PER_MS,
	HELD_UP_PART = 10,
	/* … but a server may lose its patience sooner. */
	PATIENCE_US = 1 * CLOCK_US_PER_S,
};

bool own_trouble_is_possible(enum reason reason)
{
	return reason == REASON_DNS_ERROR || reason == REASON_CONNECT_TIMEOUT ||
	       reason == REASON_CONNECT_UNREACHABLE || reason == REASON_TIMEOUT ||
	       reason == REASON_CONNECTION_LOST || reason == REASON_TLS_ERROR;
}

static bool was_held_up(const struct own_facts *facts, enum reason reason)
{
	bool is_of_timeout = reason == REASON_TIMEOUT || reason == REASON_CONNECT_TIMEOUT;
	int64_t bound_us = facts->timeout_us / HELD_UP_PART;
	if (!is_of_timeout && bound_us > PATIENCE_US)
		bound_us = PATIENCE_US;
	return facts->lost_us > HELD_UP_MIN_US && facts->lost_us > bound_us;
}

/* What was wrong with the way to all of them; NULL where one could be reached. */
static const char *find_trouble(const struct own_facts *facts, const char **ret_peer)
{
	const char *what = NULL;
	for (size_t i = 0; i < facts->peer_count; i++) {
		*ret_peer = facts->peers[i].text;
		what = network_find_trouble(facts->network, *ret_peer, facts->source, facts->since);
		if (what == NULL)
			return NULL;
	}
	return what;
}

void own_trouble_judge(const struct own_facts *facts, struct trouble *trouble)
{
	char lost[32];
	char text[OBSERVATION_MESSAGE_MAX];
	const char *peer = NULL;
	if (!own_trouble_is_possible(trouble->reason))
		return;
	const char *what = find_trouble(facts, &peer);
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
