#include "fake_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SITES_MAX = 4096 };

struct store {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct store_site sites[SITES_MAX];
	size_t count;
	unsigned reads;
	bool is_failing;
	bool is_hanging;
	int64_t missing;
};

static atomic_uint open_count;

struct store *fake_store_create(void)
{
	struct store *store = xcalloc(1, sizeof(*store));
	(void)pthread_mutex_init(&store->mutex, NULL);
	(void)pthread_cond_init(&store->changed, NULL);
	(void)atomic_fetch_add(&open_count, 1);
	return store;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	(void)pthread_cond_destroy(&store->changed);
	(void)pthread_mutex_destroy(&store->mutex);
	free(store);
	(void)atomic_fetch_sub(&open_count, 1);
}

unsigned fake_store_open_count(void)
{
	return atomic_load(&open_count);
}

void fake_store_set(struct store *store, const struct store_site *sites, size_t count)
{
	(void)pthread_mutex_lock(&store->mutex);
	if (count > 0)
		memcpy(store->sites, sites, count * sizeof(*sites));
	store->count = count;
	store->is_failing = false;
	(void)pthread_mutex_unlock(&store->mutex);
}

void fake_store_fail(struct store *store, bool is_failing)
{
	(void)pthread_mutex_lock(&store->mutex);
	store->is_failing = is_failing;
	(void)pthread_mutex_unlock(&store->mutex);
}

void fake_store_hang(struct store *store, bool is_hanging)
{
	(void)pthread_mutex_lock(&store->mutex);
	store->is_hanging = is_hanging;
	(void)pthread_cond_broadcast(&store->changed);
	(void)pthread_mutex_unlock(&store->mutex);
}

unsigned fake_store_reads(struct store *store)
{
	(void)pthread_mutex_lock(&store->mutex);
	unsigned reads = store->reads;
	(void)pthread_mutex_unlock(&store->mutex);
	return reads;
}

int store_read_sites(struct store *store,
		     bool (*on_site)(void *context, const struct store_site *site), void *context,
		     struct error *err)
{
	(void)pthread_mutex_lock(&store->mutex);
	store->reads++;
	while (store->is_hanging)
		(void)pthread_cond_wait(&store->changed, &store->mutex);
	int result = store->is_failing ? -1 : 0;
	for (size_t i = 0; i < store->count; i++) {
		struct store_site site = store->sites[i];
		if (site.started_at == 0)
			site.started_at = clock_wall_us();
		if (result == 0 && !on_site(context, &site))
			break;
	}
	(void)pthread_mutex_unlock(&store->mutex);
	if (result < 0)
		error_set(err, ERROR_RETRY, "the server is away");
	return result;
}

int store_audit_holes(struct store *store, int64_t after_us, struct store_audit_holes *ret_holes,
		      struct error *err)
{
	(void)pthread_mutex_lock(&store->mutex);
	int64_t missing = store->missing;
	(void)pthread_mutex_unlock(&store->mutex);
	if (missing < 0) {
		error_set(err, ERROR_REJECT, "permission denied after %lld", (long long)after_us);
		return -1;
	}
	*ret_holes = (struct store_audit_holes){.reports = missing, .producers = missing > 0};
	return 0;
}

void fake_store_miss(struct store *store, int64_t reports)
{
	(void)pthread_mutex_lock(&store->mutex);
	store->missing = reports;
	(void)pthread_mutex_unlock(&store->mutex);
}

struct store_site fake_site(const char *name, enum outcome outcome, const char *reason,
			    const char *strip)
{
	struct store_site site = {
		.name = name,
		.url = "https://example.com/",
		.outcome = outcome,
		.reason = reason,
		.message = "",
		.total_us = 12345,
		.interval_us = 30 * (int64_t)CLOCK_US_PER_S,
		.http_status_code = 200,
		.location = "default",
	};
	strncpy(site.strip, strip, STORE_STRIP_LENGTH);
	return site;
}
