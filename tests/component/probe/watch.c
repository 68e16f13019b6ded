#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "check/url.h"

static struct hop copy_hop(const struct hop *hop)
{
	struct hop copy = *hop;
	copy.url = xstrdup(hop->url);
	return copy;
}

static struct match copy_match(const struct match *match)
{
	return (struct match){.state = match->state, .capture = xstrdup(match->capture)};
}

static void copy_observation(struct observation *copy, const struct observation *from)
{
	*copy = *from;
	copy->raw = (struct raw_response){0};
	copy->message = xstrdup(from->message);
	copy->cert_issuer = xstrdup(from->cert_issuer);
	copy->final = copy_hop(&from->final);
	copy->redirects = xcalloc(from->redirect_count, sizeof(copy->redirects[0]));
	for (size_t i = 0; i < from->redirect_count; i++)
		copy->redirects[i] = copy_hop(&from->redirects[i]);
	copy->pattern = copy_match(&from->pattern);
	copy->rules = NULL;
	if (from->rules != NULL) {
		copy->rules = xcalloc(from->rule_count, sizeof(copy->rules[0]));
		for (size_t i = 0; i < from->rule_count; i++)
			copy->rules[i] = copy_match(&from->rules[i]);
	}
}

static bool on_may_start(void *context)
{
	struct watch *watch = context;
	(void)pthread_mutex_lock(&watch->lock);
	bool may_start = watch->may_start;
	watch->refused += !may_start;
	(void)pthread_cond_broadcast(&watch->changed);
	(void)pthread_mutex_unlock(&watch->lock);
	return may_start;
}

static void on_checked(void *context, const struct site *site,
		       const struct observation *observation, struct prober_memo *memo)
{
	struct watch *watch = context;
	if (memo != NULL)
		memo->number++;
	(void)pthread_mutex_lock(&watch->lock);
	watch->all = xreallocarray(watch->all, watch->count + 1, sizeof(watch->all[0]));
	watch->all[watch->count].site = site;
	copy_observation(&watch->all[watch->count].observation, observation);
	watch->count++;
	int block_ms = watch->block_ms;
	watch->block_ms = 0;
	(void)pthread_cond_broadcast(&watch->changed);
	(void)pthread_mutex_unlock(&watch->lock);
	(void)usleep((useconds_t)block_ms * 1000);
}

static void on_done(void *context)
{
	struct watch *watch = context;
	(void)pthread_mutex_lock(&watch->lock);
	watch->is_done = true;
	(void)pthread_cond_broadcast(&watch->changed);
	(void)pthread_mutex_unlock(&watch->lock);
}

void watch_prepare(struct watch *watch)
{
	*watch = (struct watch){.may_start = true};
	(void)pthread_mutex_init(&watch->lock, NULL);
	pthread_condattr_t monotonic;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&watch->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

void watch_start(struct watch *watch, struct prober_options options, const struct site *sites,
		 size_t site_count)
{
	watch_prepare(watch);
	watch_run(watch, options, sites, site_count);
}

void watch_run(struct watch *watch, struct prober_options options, const struct site *sites,
	       size_t site_count)
{
	const struct prober_sink sink = {.context = watch,
					 .may_start = on_may_start,
					 .on_checked = on_checked,
					 .on_done = on_done};
	options.sites = sites;
	options.site_count = site_count;
	if (options.shares == 0)
		options.shares = 1;
	struct error err;
	watch->prober = prober_start(&options, &sink, &err);
	if (watch->prober == NULL) {
		(void)fprintf(stderr, "prober_start: %s\n", err.message);
		abort();
	}
}

static bool is_done(const struct watch *watch, size_t count)
{
	(void)count;
	return watch->is_done;
}

static bool has_count(const struct watch *watch, size_t count)
{
	return watch->count >= count;
}

static bool has_refused(const struct watch *watch, size_t count)
{
	return watch->refused >= count;
}

static bool wait_for(struct watch *watch, bool (*is_met)(const struct watch *, size_t),
		     size_t count, int timeout_ms)
{
	struct timespec end;
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout_ms / 1000;
	(void)pthread_mutex_lock(&watch->lock);
	int status = 0;
	while (status == 0 && !is_met(watch, count))
		status = pthread_cond_timedwait(&watch->changed, &watch->lock, &end);
	bool is_there = is_met(watch, count);
	(void)pthread_mutex_unlock(&watch->lock);
	return is_there;
}

bool watch_wait_done(struct watch *watch, int timeout_ms)
{
	return wait_for(watch, is_done, 0, timeout_ms);
}

bool watch_wait_count(struct watch *watch, size_t count, int timeout_ms)
{
	return wait_for(watch, has_count, count, timeout_ms);
}

bool watch_wait_refused(struct watch *watch, size_t count, int timeout_ms)
{
	return wait_for(watch, has_refused, count, timeout_ms);
}

void watch_stop(struct watch *watch, int grace_ms)
{
	prober_stop(watch->prober, grace_ms);
}

void watch_finish(struct watch *watch)
{
	prober_destroy(watch->prober);
	for (size_t i = 0; i < watch->count; i++)
		observation_finish(&watch->all[i].observation);
	free(watch->all);
	(void)pthread_cond_destroy(&watch->changed);
	(void)pthread_mutex_destroy(&watch->lock);
}

const struct observation *watch_find(const struct watch *watch, const struct site *site)
{
	for (size_t i = 0; i < watch->count; i++) {
		if (watch->all[i].site == site)
			return &watch->all[i].observation;
	}
	return NULL;
}

void watch_make_site(struct site *site, const char *name, char *url, int timeout_ms)
{
	site_init(site);
	free(site->name);
	free(site->url);
	free(site->method);
	site->name = xstrdup(name);
	site->url = url;
	site->redacted_url = url_redact(url);
	site->method = xstrdup("GET");
	site->timeout_us = (int64_t)timeout_ms * CLOCK_US_PER_MS;
	site->interval_us = site->timeout_us;
}
