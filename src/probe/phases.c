#include "probe/phases.h"

#include "check/observation.h"

/* Two clocks' readings of one moment may differ by a microsecond. */
static int64_t not_negative(int64_t us)
{
	return us < 0 ? 0 : us;
}

enum phase phases_measure(struct hop *hop, const struct phase_marks *marks, mono_us now)
{
	hop->total_us = now - marks->started;
	if (marks->resolved == 0) {
		hop->dns_us = hop->total_us;
		return PHASE_DNS;
	}
	hop->dns_us = marks->resolved - marks->started;
	if (marks->connected == 0 && !marks->is_reused) {
		hop->connect_us = now - marks->resolved;
		return PHASE_CONNECT;
	}
	mono_us asked = marks->resolved;
	hop->connect_us = DURATION_UNKNOWN; /* also of an earlier look, when it was not known yet */
	if (!marks->is_reused) {
		hop->connect_us = not_negative(marks->connected - marks->resolved);
		asked = marks->connected;
	}
	if (marks->is_https && !marks->is_reused) {
		if (marks->tls_done == 0) {
			hop->tls_us = not_negative(now - marks->connected);
			return PHASE_TLS;
		}
		hop->tls_us = not_negative(marks->tls_done - marks->connected);
		asked = marks->tls_done;
	}
	/* A body takes time to send as well: that is transfer, and waiting begins after it. */
	int64_t sending_us = not_negative(marks->sent - asked);
	if (marks->first_byte == 0) {
		hop->wait_us = not_negative(now - asked - sending_us);
		hop->transfer_us = sending_us > 0 ? sending_us : DURATION_UNKNOWN;
		return PHASE_WAIT;
	}
	if (marks->first_byte < asked + sending_us) /* answered before it had read all */
		sending_us = not_negative(marks->first_byte - asked);
	hop->wait_us = not_negative(marks->first_byte - asked - sending_us);
	hop->transfer_us = not_negative(now - marks->first_byte) + sending_us;
	return PHASE_TRANSFER;
}
