/* The store's side of audit: a driver reads, audit.c judges. */
#include <assert.h>

#include "store/audit.h"
#include "store/store_driver.h"

/* How long a count of holes is remembered, and how much of the time may go into counting. */
enum { HOLES_KEPT_S = 60, HOLES_SHARE = 20 };

int store_audit(struct store *store, int64_t after_us,
		bool (*on_producer)(void *context, const struct store_audit_producer *producer),
		void *context, struct error *err)
{
	struct audit *audit = audit_create(after_us, clock_wall_us());
	int status = store->driver->read_audit(store, audit, err);
	if (status == 0)
		audit_each(audit, on_producer, context);
	audit_destroy(audit);
	return status;
}

static bool count_holes(void *context, const struct store_audit_producer *producer)
{
	struct store_audit_holes *holes = context;
	if (__builtin_add_overflow(holes->reports, producer->missing, &holes->reports))
		holes->reports = INT64_MAX;
	holes->producers += producer->missing > 0 ? 1 : 0;
	return true;
}

int store_audit_holes(struct store *store, int64_t after_us, struct store_audit_holes *ret_holes,
		      struct error *err)
{
	mono_us now = clock_mono_us();
	if (store->holes_until == 0 || now >= store->holes_until ||
	    after_us != store->holes_after_us) {
		struct store_audit_holes holes = {.reports = 0};
		if (store_audit(store, after_us, count_holes, &holes, err) != 0)
			return -1;
		mono_us done = clock_mono_us();
		mono_us kept = (mono_us)HOLES_KEPT_S * CLOCK_US_PER_S;
		if ((done - now) * HOLES_SHARE > kept)
			kept = (done - now) * HOLES_SHARE;
		store->holes = holes;
		store->holes_after_us = after_us;
		store->holes_until = done + kept;
	}
	*ret_holes = store->holes;
	return 0;
}

int store_declare_lost(struct store *store, const struct uuid *producer_id,
		       const struct store_seq_range *range, const char *who, struct error *err)
{
	assert(range->first >= 0 && range->first <= range->last);
	return store->driver->declare_lost(store, producer_id, range, who, err);
}
