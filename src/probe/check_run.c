#include "probe/check_run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/attempt.h"
#include "check/observation.h"
#include "check/request.h"
#include "check/site.h"
#include "probe/addresses.h"
#include "probe/check_env.h"
#include "probe/due_timer.h"
#include "probe/hop_run.h"
#include "probe/kept_connection.h"
#include "probe/loop_lag.h"
#include "probe/matching.h"
#include "probe/own_trouble.h"
#include "probe/phases.h"
#include "probe/poller.h"
#include "probe/redirect.h"
#include "probe/resolver.h"
#include "probe/resolver_pool.h"
#include "probe/response_note.h"
#include "probe/transfer.h"
#include "probe/transfer_trouble.h"

enum { HTTP_PROXY_AUTH = 407 };

enum run_state {
	RUN_IDLE,
	RUN_RESOLVING,
	RUN_TRANSFERRING,
	RUN_MATCHING,
	RUN_FINISHED,
	RUN_WAITING, /* for the next attempt */
};

struct check_run {
	const struct check_env *env;
	enum run_state state;
	bool is_abandoned; /* while a search still runs */
	struct check_start start;
	struct observation observation;
	struct attempts attempts; /* the sink's notes of those before this one */
	wall_us checked_at;       /* when the first attempt started */
	int retried;              /* attempts before this one */
	bool is_looked_up;        /* that was all that was asked for, and it is done */
	mono_us started;          /* this attempt */
	mono_us deadline;
	int64_t lost_at_start;  /* the loop's hold-ups before this check */
	struct due_timer timer; /* the deadline, or an address's share of the time before it */
	struct transfer transfer;
	struct matching matching;
	struct redirect request; /* URL and method of the present hop */

	struct hop_run hop;      /* the present one */
	struct resolve *resolve; /* of its host; NULL: none goes on */
};

static void start_attempt(struct check_run *run, mono_us now);
static void start_hop(struct check_run *run, mono_us now);
static void try_address(struct check_run *run);

/* Describe the present peer for a message. */
static const char *peer_of(const struct check_run *run, char text[static ROUTE_PEER_MAX])
{
	return route_peer(&run->hop.route, run->observation.final.ip, text);
}

static int64_t not_negative(int64_t us)
{
	return us < 0 ? 0 : us;
}

/* The present hop's phases as of now; returns how far it has come. */
static enum phase measure_hop(struct check_run *run, mono_us now)
{
	return hop_run_measure(&run->hop, &run->transfer, now, &run->observation.final);
}

static int64_t lost_us(const struct check_run *run)
{
	return loop_lag_lost_us(run->env->lag) - run->lost_at_start;
}

static void finish(struct check_run *run)
{
	due_timer_stop(&run->timer);
	own_trouble_note(&run->observation, lost_us(run));
	response_hide_secrets(&run->observation, run->start.site);
	response_note_raw(&run->observation, &run->transfer);
	run->observation.earlier = run->attempts.count > 0 ? &run->attempts : NULL;
	run->state = RUN_FINISHED;
	run->env->on_finished(run->env->context, run);
}

/* Whether it was our own trouble. */
static void judge_own(const struct check_run *run, struct trouble *trouble)
{
	const char *ip = run->observation.final.ip;
	const struct own_facts facts = {
		.lost_us = lost_us(run),
		.timeout_us = run->start.site->timeout_us,
		.since = run->started,
		.network = run->env->network,
		.peer = ip,
		.source = addresses_source(request_of(run->start.site), ip),
		.resolver = run->hop.resolver,
		.is_stub_failing = run->hop.is_stub_failing,
	};
	own_trouble_judge(&facts, trouble);
}

/* The check has ended without a complete response (or with one redirect too many). */
static void finish_with(struct check_run *run, enum reason reason, const char *message)
{
	struct observation *observation = &run->observation;
	struct trouble trouble = {.reason = reason};
	(void)snprintf(trouble.message, sizeof(trouble.message), "%s", message);
	judge_own(run, &trouble);
	trouble_note(&trouble, run->hop.parts.host, observation);
	if (observation->total_us == DURATION_UNKNOWN)
		observation->total_us = clock_mono_us() - run->started;
	finish(run);
}

static void stop_transfer(struct check_run *run)
{
	poller_remove(run->env->poller, run->transfer.easy);
}

/* This address gave no connection: the next one, or the end. A family that this machine has no way for does not decide. */
static void give_up_address(struct check_run *run, struct trouble *trouble)
{
	struct trouble judged = *trouble;
	judge_own(run, &judged);
	hop_run_note_address(&run->hop, trouble, judged.reason != trouble->reason);
	if (hop_run_has_address(&run->hop)) {
		try_address(run);
		return;
	}
	(void)measure_hop(run, clock_mono_us());
	*trouble = run->hop.address_trouble.reason != REASON_OK ? run->hop.address_trouble : judged;
	route_blame(&run->hop.route, trouble, false);
	finish_with(run, trouble->reason, trouble->message);
}

static void on_time_over(struct check_run *run, mono_us now)
{
	struct trouble trouble;
	char peer[ROUTE_PEER_MAX];
	int64_t timeout_us = run->start.site->timeout_us;
	switch (run->state) {
	case RUN_RESOLVING: {
		enum resolver_result result = resolver_drop(run->resolve);
		run->resolve = NULL;
		(void)measure_hop(run, now);
		trouble_of_timeout(PHASE_DNS, "", timeout_us, &trouble);
		run->hop.is_stub_failing = resolver_is_stub(run->hop.resolver);
		if (result == RESOLVER_NO_ANSWER) {
			trouble.reason = REASON_PROBER_OFFLINE;
			(void)snprintf(trouble.message, sizeof(trouble.message),
				       "no name server answered");
		}
		route_blame(&run->hop.route, &trouble, false);
		finish_with(run, trouble.reason, trouble.message);
		break;
	}
	case RUN_TRANSFERRING: {
		enum phase phase = measure_hop(run, now);
		bool is_connected = transfer_is_connected(&run->transfer);
		response_note(&run->observation, &run->transfer, run->start.kept);
		stop_transfer(run);
		trouble_of_timeout(phase, peer_of(run, peer), timeout_us, &trouble);
		if (!is_connected) /* else the proxy may wait for the site */
			route_blame(&run->hop.route, &trouble, false);
		finish_with(run, trouble.reason, trouble.message);
		break;
	}
	case RUN_MATCHING:
		matching_hurry(&run->matching);
		break;
	case RUN_IDLE:
	case RUN_FINISHED:
	case RUN_WAITING:
		break;
	}
}

static void on_due(void *owner)
{
	struct check_run *run = owner;
	mono_us now = clock_mono_us();
	if (run->state == RUN_WAITING) {
		start_attempt(run, now);
		return;
	}
	if (now >= run->deadline) {
		on_time_over(run, now);
		return;
	}
	if (run->state != RUN_TRANSFERRING || !hop_run_has_address(&run->hop)) {
		due_timer_start(&run->timer, run->deadline, now);
		return;
	}
	/* This address's share of the time is over. */
	struct phase_marks marks = {0};
	transfer_get_marks(&run->transfer, &marks);
	if (marks.connected != 0 ||
	    (run->hop.route.proxy != NULL && transfer_is_connected(&run->transfer))) {
		due_timer_start(&run->timer, run->deadline, now);
		return;
	}
	stop_transfer(run);
	struct trouble trouble;
	char peer[ROUTE_PEER_MAX];
	trouble_of_timeout(PHASE_CONNECT, peer_of(run, peer), run->start.site->timeout_us,
			   &trouble);
	give_up_address(run, &trouble);
}

/*
 * Connect to the next address of the name, for its share of the time that is left; one that refuses makes room at once. An address
 * that accepts is the one, whatever it answers.
 */
static void try_address(struct check_run *run)
{
	const struct check_env *env = run->env;
	mono_us now = clock_mono_us();
	int64_t share_us;
	const char *address = hop_run_take_address(&run->hop, run->deadline - now, &share_us);
	memcpy(run->observation.final.ip, address, ADDRESS_TEXT_MAX);

	struct transfer_request details = {
		.site = run->start.site,
		.address = address,
		.is_address_in_url = run->hop.parts.is_host_ip,
		.port = run->hop.route.port,
		.proxy = run->hop.route.proxy,
		.kept = run->start.kept,
		.guard = &run->hop.guard,
		.is_https = run->hop.parts.is_https,
	};
	redirect_fill(&run->request, &details);
	run->state = RUN_TRANSFERRING;
	if (transfer_prepare(&run->transfer, &details, now) != 0) {
		finish_with(run, REASON_PROBER_ERROR, "libcurl refuses the URL");
		return;
	}
	due_timer_start(&run->timer, now + share_us, now);
	if (poller_add(env->poller, run->transfer.easy) != 0)
		finish_with(run, REASON_PROBER_ERROR, "libcurl refuses the transfer");
}

/* The host has no address to try. */
static void finish_resolved(struct check_run *run, enum resolver_result result, const char *message)
{
	struct trouble trouble = {.reason = result == RESOLVER_NO_ANSWER ? REASON_PROBER_OFFLINE
									 : REASON_DNS_ERROR};
	run->hop.is_stub_failing = result == RESOLVER_FAILED && resolver_is_stub(run->hop.resolver);
	(void)snprintf(trouble.message, sizeof(trouble.message), "%.*s: %s", TROUBLE_HOST_MAX - 1,
		       run->hop.route.host, message);
	route_blame(&run->hop.route, &trouble, false);
	run->hop.resolved_at = 0;
	(void)measure_hop(run, clock_mono_us());
	finish_with(run, trouble.reason, trouble.message);
}

/* The address policy has something against all that the host leads to. */
static void finish_forbidden(struct check_run *run)
{
	(void)measure_hop(run, clock_mono_us());
	finish_with(run, REASON_FORBIDDEN_ADDRESS, run->hop.guard.text);
}

static void on_resolved(void *context, enum resolver_result result,
			const struct resolver_address *addresses, size_t count, const char *message)
{
	struct check_run *run = context;
	mono_us now = clock_mono_us();
	run->resolve = NULL;
	if (result != RESOLVER_FOUND) {
		finish_resolved(run, result, message);
		return;
	}
	const struct request *wanted = request_of(run->start.site);
	run->is_looked_up = wanted->is_all_addresses && run->start.pin == NULL &&
			    hop_run_list_addresses(&run->hop, wanted, addresses, count, now) > 0;
	if (run->is_looked_up)
		finish(run);
	else if (hop_run_set_addresses(&run->hop, wanted, addresses, count, now) > 0)
		try_address(run);
	else if (run->hop.is_forbidden)
		finish_forbidden(run);
	else
		finish_resolved(run, RESOLVER_NO_SUCH_NAME, addresses_missing(wanted));
}

/* Each hop begins at the moment at which the one before it, or nothing, ended: together they are the whole check. */
static void start_hop(struct check_run *run, mono_us now)
{
	struct error err;
	run->transfer.started_at = 0;
	const struct request *wanted = request_of(run->start.site);
	bool is_first = run->observation.redirect_count == 0;
	if (hop_run_begin(&run->hop, wanted, run->request.url, !is_first, now, &err) != 0) {
		finish_with(run, is_first ? REASON_PROBER_ERROR : REASON_REDIRECT_INVALID,
			    err.message);
		return;
	}
	run->state = RUN_RESOLVING;
	if (run->hop.is_forbidden) {
		finish_forbidden(run);
		return;
	}
	struct resolver_address known[RESOLVER_ADDRESSES_MAX];
	size_t known_count = hop_run_find_known(&run->hop, run->start.pin, wanted, known);
	if (known_count > 0) {
		on_resolved(run, RESOLVER_FOUND, known, known_count, "");
		return;
	}
	due_timer_start(&run->timer, run->deadline, clock_mono_us());
	struct resolver *resolver =
		resolver_pool_find(run->env->resolvers, wanted->dns_servers, &err);
	if (resolver == NULL) {
		finish_with(run, REASON_PROBER_ERROR, err.message);
		return;
	}
	run->hop.resolver = resolver;
	struct resolve *resolve = resolver_start(resolver, run->hop.route.host, on_resolved, run);
	if (resolve != NULL)
		run->resolve = resolve;
}

static void on_matched(struct matching *matching)
{
	struct check_run *run = (struct check_run *)(void *)((char *)matching -
							     offsetof(struct check_run, matching));
	if (run->is_abandoned) {
		run->is_abandoned = false;
		run->state = RUN_FINISHED;
		check_run_clear(run);
		return;
	}
	finish(run);
}

/* The response is complete: search it. */
static void finish_complete(struct check_run *run, mono_us now)
{
	struct observation *observation = &run->observation;
	const struct site *site = run->start.site;
	observation->trouble = REASON_OK;
	observation->total_us = now - run->started;
	if (site->pattern == NULL && site->rule_count == 0) {
		finish(run);
		return;
	}
	response_note_raw(observation, &run->transfer);
	matching_aim(&run->matching, site, observation, run->transfer.decoded_bytes);
	run->matching.deadline = run->deadline;
	run->matching.on_matched = on_matched;
	run->state = RUN_MATCHING;
	if (matching_start(&run->matching, run->env->loop))
		finish(run);
}

/* Go where a redirect leads; its own hop goes to the list. */
static void follow(struct check_run *run, mono_us now)
{
	struct observation *observation = &run->observation;
	const struct site *site = run->start.site;
	struct error err;
	if (observation->redirect_count >= (size_t)site->max_redirects) {
		char text[64];
		(void)snprintf(text, sizeof(text), "more than %d redirects", site->max_redirects);
		finish_with(run, REASON_TOO_MANY_REDIRECTS, text);
		return;
	}
	if (redirect_follow(&run->request, site, observation->final.http_status_code,
			    run->transfer.head.location, &err) != 0) {
		finish_with(run, REASON_REDIRECT_INVALID, err.message);
		return;
	}
	response_note_redirect(observation, run->request.url);
	start_hop(run, now);
}

void check_run_on_ended(void *context, CURLcode code)
{
	struct check_run *run = context;
	struct transfer *transfer = &run->transfer;
	assert(run->state == RUN_TRANSFERRING);
	mono_us now = clock_mono_us();
	enum phase phase = measure_hop(run, now);
	response_note(&run->observation, &run->transfer, run->start.kept);
	stop_transfer(run);

	int status = run->observation.final.http_status_code;
	if (code == CURLE_OK && !transfer->head.is_complete)
		code = CURLE_PARTIAL_FILE; /* to curl, a head that is cut off is a response */
	transfer_note_end(transfer, code);
	if (transfer->stopped_for != STOP_NONE)
		code = CURLE_ABORTED_BY_CALLBACK; /* to curl, the end that we made may be the body's */
	if (code == CURLE_OK && status == HTTP_PROXY_AUTH && run->hop.route.proxy != NULL &&
	    !run->hop.parts.is_https) {
		finish_with(run, REASON_PROBER_ERROR, "the proxy wants other credentials (407)");
		return;
	}
	if (code == CURLE_OK && status >= 200) {
		char text[RESPONSE_TEXT_MAX];
		if (!response_is_as_asked(&run->observation, run->start.site, text))
			finish_with(run, REASON_PROTOCOL_ERROR, text);
		else if (run->start.site->follow_redirects && redirect_is(status) &&
			 transfer->head.location != NULL)
			follow(run, now);
		else
			finish_complete(run, now);
		return;
	}
	char peer[ROUTE_PEER_MAX];
	struct trouble trouble;
	bool is_connected = phase > PHASE_CONNECT || transfer_proxy_status(transfer) != 0;
	transfer_explain(transfer, code, peer_of(run, peer), is_connected, &trouble);
	if (transfer_is_tls_of_proxy(transfer) && !trouble_is_of_address(trouble.reason))
		route_blame(&run->hop.route, &trouble, true);
	if (!is_connected && trouble_is_of_address(trouble.reason))
		give_up_address(run, &trouble);
	else
		finish_with(run, trouble.reason, trouble.message);
}

struct check_run *check_run_create(const struct check_env *env, struct error *err)
{
	struct check_run *run = xcalloc(1, sizeof(*run));
	run->env = env;
	if (transfer_init(&run->transfer, env->user_agent, env->trust, env->certificates,
			  env->keeps_heads, run) != 0) {
		error_set(err, ERROR_FATAL, "libcurl is out of memory");
		free(run);
		return NULL;
	}
	observation_init(&run->observation);
	due_timer_init(&run->timer, env->loop, on_due, run);
	return run;
}

void check_run_close(struct check_run *run)
{
	due_timer_close(&run->timer, NULL);
}

void check_run_destroy(struct check_run *run)
{
	if (run == NULL)
		return;
	transfer_finish(&run->transfer);
	kept_connection_release(run->start.kept);
	observation_finish(&run->observation);
	redirect_finish(&run->request);
	hop_run_finish(&run->hop);
	attempts_finish(&run->attempts);
	free(run);
}

static void on_closed(uv_handle_t *timer)
{
	check_run_destroy(timer->data);
}

void check_run_release(struct check_run *run)
{
	assert(run->state == RUN_IDLE);
	due_timer_close(&run->timer, on_closed);
}

static void start_attempt(struct check_run *run, mono_us now)
{
	struct observation *observation = &run->observation;
	const struct check_start *start = &run->start;
	run->lost_at_start = loop_lag_lost_us(run->env->lag);
	observation->attempt_started_at = clock_wall_us();
	if (start->pin != NULL && run->retried == 0) {
		now -= start->pin->dns_us;
		run->lost_at_start -= start->pin->lost_us;
		observation->attempt_started_at = start->pin->started_at;
	}
	run->started = now;
	run->deadline = now + start->site->timeout_us;
	if (run->retried == 0)
		run->checked_at = observation->attempt_started_at;
	response_note_start(observation, start, run->checked_at);
	redirect_init(&run->request, start->site);
	address_guard_start(&run->hop.guard, start->site->address_policy,
			    start->was_public || (run->retried > 0 && run->hop.guard.is_public));
	start_hop(run, now);
}

void check_run_start(struct check_run *run, const struct check_start *start, mono_us now)
{
	assert(run->state == RUN_IDLE);
	run->start = *start;
	run->start.late_us = not_negative(start->late_us);
	run->retried = 0;
	run->is_looked_up = false;
	start_attempt(run, now);
}

bool check_run_try_again(struct check_run *run, check_run_question *wants_retry, void *context)
{
	const struct site *site = run->start.site;
	if (wants_retry == NULL || run->retried == site->retries ||
	    !wants_retry(context, site, &run->observation, &run->attempts))
		return false;
	struct attempts attempts = run->attempts;
	struct kept_connection *kept = kept_connection_take(run->start.kept);
	run->attempts = (struct attempts){0};
	check_run_clear(run);
	run->attempts = attempts;
	run->start.kept = kept;
	run->retried++;
	run->state = RUN_WAITING;
	mono_us now = clock_mono_us();
	due_timer_start(&run->timer, now + site->retry_after_us, now);
	return true;
}

const struct check_start *check_run_origin(const struct check_run *run)
{
	return &run->start;
}

void check_run_set_index(struct check_run *run, size_t index)
{
	run->start.index = index;
}

bool check_run_is_public(const struct check_run *run)
{
	return run->hop.guard.is_public;
}

struct observation *check_run_observation(struct check_run *run)
{
	return &run->observation;
}

const struct hop_run *check_run_looked_up(const struct check_run *run)
{
	return run->is_looked_up ? &run->hop : NULL;
}

void check_run_clear(struct check_run *run)
{
	assert(run->state == RUN_FINISHED);
	transfer_clear(&run->transfer);
	kept_connection_release(run->start.kept);
	run->start.kept = NULL;
	observation_finish(&run->observation);
	observation_init(&run->observation);
	redirect_finish(&run->request);
	attempts_finish(&run->attempts);
	run->state = RUN_IDLE;
}

bool check_run_abandon(struct check_run *run)
{
	due_timer_stop(&run->timer);
	switch (run->state) {
	case RUN_IDLE:
		return true;
	case RUN_MATCHING:
		run->is_abandoned = true;
		matching_hurry(&run->matching);
		return false;
	case RUN_RESOLVING:
		if (run->resolve != NULL)
			(void)resolver_drop(run->resolve);
		run->resolve = NULL;
		break;
	case RUN_TRANSFERRING:
		stop_transfer(run);
		break;
	case RUN_FINISHED:
	case RUN_WAITING:
		break;
	}
	run->state = RUN_FINISHED;
	check_run_clear(run);
	return true;
}

bool check_run_is_idle(const struct check_run *run)
{
	return run->state == RUN_IDLE;
}
