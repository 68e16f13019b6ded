#include "probe/check_hops.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "check/observation.h"
#include "check/request.h"
#include "check/site.h"
#include "probe/addresses.h"
#include "probe/check_env.h"
#include "probe/check_run_state.h"
#include "probe/kept_connection.h"
#include "probe/phases.h"
#include "probe/poller.h"
#include "probe/resolver_pool.h"
#include "probe/response_note.h"
#include "probe/transfer_body.h"
#include "probe/transfer_bounds.h"
#include "probe/transfer_http2.h"
#include "probe/transfer_trouble.h"

enum { HTTP_PROXY_AUTH = 407 };
/*
 * A name server that never answers for one family is waited for this part of the timeout, and not longer than a lost packet or two
 * take (the resolver's own tries are at 0, 1 and 3 s).
 */
enum { FAMILY_PART = 4, FAMILY_PATIENCE_US = 2500 * CLOCK_US_PER_MS };

/* For what has come already, and lies there. */
enum { LAST_LOOK_US = 5 * CLOCK_US_PER_MS };

static void try_address(struct check_run *run);

/* Describe the present peer for a message. */
static const char *peer_of(const struct check_run *run, char text[static ROUTE_PEER_MAX])
{
	return route_peer(&run->hop.route, run->observation.final.ip, text);
}

/* The present hop's phases as of now; returns how far it has come. */
static enum phase measure_hop(struct check_run *run, mono_us now)
{
	return hop_run_measure(&run->hop, &run->transfer, now, &run->observation.final);
}

static void stop_transfer(struct check_run *run)
{
	curl_socket_t socket = run->transfer.socket;
	/* What is not kept is closed, and its number may be another connection's already. */
	if (run->start.kept != NULL && kept_connection_holds(run->start.kept, socket))
		poller_hear_out(run->env->poller, socket, false);
	transfer_http2_let_go(&run->transfer);
	poller_remove(run->env->poller, run->transfer.easy);
}

/* This address gave no connection: the next one, or the end. A family that this machine has no way for does not decide. */
static void give_up_address(struct check_run *run, struct trouble *trouble)
{
	struct trouble judged = *trouble;
	check_run_judge_own(run, &judged);
	hop_run_note_address(&run->hop, trouble, judged.reason != trouble->reason);
	if (hop_run_has_address(&run->hop)) {
		try_address(run);
		return;
	}
	(void)measure_hop(run, clock_mono_us());
	*trouble = run->hop.address_trouble.reason != REASON_OK ? run->hop.address_trouble : judged;
	route_blame(&run->hop.route, trouble, false);
	check_run_finish_with(run, trouble->reason, trouble->message);
}

/*
 * The status by which the proxy refuses to ask for us, though its answer may be without end; 0 where it does not. Without TLS only
 * 407 is the proxy's own for sure.
 */
static int refusal_of_proxy(const struct check_run *run)
{
	const struct request_proxy *proxy = run->hop.route.proxy;
	if (proxy == NULL || proxy->kind != REQUEST_PROXY_HTTP)
		return 0;
	int status = run->hop.parts.is_https ? transfer_proxy_status(&run->transfer)
					     : run->observation.final.http_status_code;
	bool is_refusal = run->hop.parts.is_https ? status >= 300 : status == HTTP_PROXY_AUTH;
	return is_refusal ? status : 0;
}

static enum slow_proxy slowness_of_proxy(const struct transfer *transfer)
{
	if (transfer->is_socks)
		return transfer_is_socks_asked(transfer) ? SLOW_PROXY_SILENT : SLOW_PROXY_SOCKS;
	if (transfer_is_greeting_proxy(transfer))
		return SLOW_PROXY_TLS;
	return transfer_has_proxy_spoken(transfer) ? SLOW_PROXY_ANSWER : SLOW_PROXY_SILENT;
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
		if (!hop_run_looks_for_site(&run->hop))
			route_blame(&run->hop.route, &trouble, false);
		check_run_finish_with(run, trouble.reason, trouble.message);
		break;
	}
	case RUN_TRANSFERRING: {
		enum phase phase = measure_hop(run, now);
		bool is_connected = transfer_is_connected(&run->transfer);
		response_note(&run->observation, &run->transfer, run->start.kept);
		int refusal = refusal_of_proxy(run);
		enum slow_proxy slow = slowness_of_proxy(&run->transfer);
		stop_transfer(run);
		if (refusal != 0) {
			trouble_of_refusing_proxy(refusal, &trouble);
			check_run_finish_with(run, trouble.reason, trouble.message);
			break;
		}
		if (is_connected && phase == PHASE_CONNECT && run->hop.route.proxy != NULL)
			trouble_of_slow_proxy(slow, peer_of(run, peer), timeout_us, &trouble);
		else
			trouble_of_timeout(phase, peer_of(run, peer), timeout_us, &trouble);
		if (!is_connected || slow == SLOW_PROXY_TLS)
			route_blame(&run->hop.route, &trouble, false);
		check_run_finish_with(run, trouble.reason, trouble.message);
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

/* A response that came in time may not have been read to its end, where it trickles: once, that is looked at. */
static bool looks_once_more(struct check_run *run, mono_us now)
{
	if (run->state != RUN_TRANSFERRING || run->has_looked ||
	    !poller_wake(run->env->poller, run->transfer.socket))
		return false;
	run->has_looked = true;
	due_timer_start(&run->timer, now + LAST_LOOK_US, now);
	return true;
}

void check_hops_on_due(struct check_run *run, mono_us now)
{
	if (now >= run->deadline) {
		if (!looks_once_more(run, now))
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
	if (marks.connected != 0 || marks.is_reused ||
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
		.target = hop_run_target(&run->hop),
		.kept = run->start.kept,
		.guard = &run->hop.guard,
		.is_https = run->hop.parts.is_https,
	};
	redirect_fill(&run->request, &details);
	run->state = RUN_TRANSFERRING;
	struct error err;
	if (transfer_prepare(&run->transfer, &details, now, &err) != 0) {
		check_run_finish_with(run, REASON_PROBER_ERROR, err.message);
		return;
	}
	due_timer_start(&run->timer, now + share_us, now);
	if (poller_add(env->poller, run->transfer.easy) != 0)
		check_run_finish_with(run, REASON_PROBER_ERROR, "libcurl refuses the transfer");
}

/* The host has no address to try. */
static void finish_resolved(struct check_run *run, enum resolver_result result, const char *message)
{
	struct trouble trouble = {.reason = result == RESOLVER_NO_ANSWER ? REASON_PROBER_OFFLINE
									 : REASON_DNS_ERROR};
	run->hop.is_stub_failing = result == RESOLVER_FAILED && resolver_is_stub(run->hop.resolver);
	(void)snprintf(trouble.message, sizeof(trouble.message), "%.*s: %s", TROUBLE_HOST_MAX - 1,
		       hop_run_host(&run->hop), message);
	if (!hop_run_looks_for_site(&run->hop))
		route_blame(&run->hop.route, &trouble, false);
	run->hop.resolved_at = 0;
	(void)measure_hop(run, clock_mono_us());
	check_run_finish_with(run, trouble.reason, trouble.message);
}

/* The address policy has something against all that the host leads to. */
static void finish_forbidden(struct check_run *run)
{
	(void)measure_hop(run, clock_mono_us());
	check_run_finish_with(run, REASON_FORBIDDEN_ADDRESS, run->hop.guard.text);
}

static void look_up(struct check_run *run);

/* The site behind a proxy that is told its address is at these; then the proxy's own are looked for. */
static void on_site_resolved(struct check_run *run, const struct resolver_address *addresses,
			     size_t count)
{
	const struct request *wanted = request_of(run->start.site);
	if (hop_run_set_targets(&run->hop, wanted, addresses, count) > 0)
		look_up(run);
	else if (run->hop.is_forbidden)
		finish_forbidden(run);
	else
		finish_resolved(run, RESOLVER_NO_SUCH_NAME, addresses_missing(wanted));
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
	if (hop_run_looks_for_site(&run->hop)) {
		on_site_resolved(run, addresses, count);
		return;
	}
	const struct request *wanted = request_of(run->start.site);
	run->is_looked_up = wanted->is_all_addresses && run->start.pin == NULL &&
			    hop_run_list_addresses(&run->hop, wanted, addresses, count, now) > 0;
	if (run->is_looked_up)
		check_run_finish(run);
	else if (hop_run_set_addresses(&run->hop, wanted, addresses, count, now) > 0)
		try_address(run);
	else if (run->hop.is_forbidden)
		finish_forbidden(run);
	else
		finish_resolved(run, RESOLVER_NO_SUCH_NAME, addresses_missing(wanted));
}

static void look_up(struct check_run *run)
{
	const struct request *wanted = request_of(run->start.site);
	struct error err;
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
		check_run_finish_with(run, REASON_PROBER_ERROR, err.message);
		return;
	}
	run->hop.resolver = resolver;
	int64_t patience_us = run->start.site->timeout_us / FAMILY_PART;
	if (patience_us > FAMILY_PATIENCE_US)
		patience_us = FAMILY_PATIENCE_US;
	struct resolve *resolve =
		resolver_start(resolver, hop_run_host(&run->hop), patience_us, on_resolved, run);
	if (resolve != NULL)
		run->resolve = resolve;
}

/* A name that a proxy by SOCKS can't be told: its length has one byte. */
static bool is_host_too_long(const struct hop_run *hop)
{
	return hop->route.proxy != NULL && hop->route.proxy->kind == REQUEST_PROXY_SOCKS5H &&
	       strlen(hop->parts.host) > REQUEST_SOCKS_TEXT_MAX;
}

void check_hops_start(struct check_run *run, mono_us now)
{
	struct error err;
	run->transfer.started_at = 0;
	const struct request *wanted = request_of(run->start.site);
	bool is_first = run->observation.redirect_count == 0;
	enum reason refusal = is_first ? REASON_PROBER_ERROR : REASON_REDIRECT_INVALID;
	if (hop_run_begin(&run->hop, wanted, run->request.url, !is_first, now, &err) != 0) {
		check_run_finish_with(run, refusal, err.message);
		return;
	}
	run->state = RUN_RESOLVING;
	if (run->hop.is_forbidden)
		finish_forbidden(run);
	else if (is_host_too_long(&run->hop))
		check_run_finish_with(
			run, refusal,
			"the host has more than 255 bytes, too many for a proxy by SOCKS");
	else
		look_up(run);
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
		check_run_finish_with(run, REASON_TOO_MANY_REDIRECTS, text);
		return;
	}
	redirect_take_cookies(&run->request, run->transfer.head.cookies, clock_wall_us());
	if (redirect_follow(&run->request, site, observation->final.http_status_code,
			    run->transfer.head.location, &err) != 0) {
		check_run_finish_with(run, REASON_REDIRECT_INVALID, err.message);
		return;
	}
	response_note_redirect(observation, run->request.url);
	run->transfer.redirects_bytes += run->transfer.decoded_bytes;
	check_hops_start(run, now);
}

/* What the server does with a connection that nobody used for a while is no answer: once more, over a fresh one. */
static void ask_afresh(struct check_run *run)
{
	kept_connection_give_up(run->start.kept);
	hop_run_repeat_address(&run->hop);
	try_address(run);
}

/*
 * A proxy by SOCKS that was told an address of the site's, and does not reach it or does not know its kind: the next one. Of several
 * that fail the first one's trouble is told, but for a kind that the proxy does not know where it knew another.
 */
static bool tries_next_target(struct check_run *run, CURLcode code, struct trouble *trouble)
{
	long answer = 0;
	struct hop_run *hop = &run->hop;
	if (code != CURLE_PROXY)
		return false;
	(void)curl_easy_getinfo(run->transfer.easy, CURLINFO_PROXY_ERROR, &answer);
	bool is_of_site = trouble_is_of_address(trouble->reason);
	if (is_of_site && hop->target_trouble.reason == REASON_OK)
		hop->target_trouble = *trouble;
	if ((is_of_site || answer == CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED) &&
	    hop_run_next_target(hop)) {
		hop_run_repeat_address(hop);
		try_address(run);
		return true;
	}
	if (hop->target_trouble.reason != REASON_OK)
		*trouble = hop->target_trouble;
	return false;
}

void check_hops_on_ended(struct check_run *run, CURLcode code)
{
	struct transfer *transfer = &run->transfer;
	assert(run->state == RUN_TRANSFERRING);
	mono_us now = clock_mono_us();
	enum phase phase = measure_hop(run, now);
	response_note(&run->observation, &run->transfer, run->start.kept);
	stop_transfer(run);
	if (transfer_was_too_late(transfer, code)) {
		ask_afresh(run);
		return;
	}

	int status = run->observation.final.http_status_code;
	code = transfer->has_switched ? CURLE_OK : transfer_http2_end(transfer, code);
	if (code == CURLE_OK && !transfer->head.is_complete)
		code = CURLE_PARTIAL_FILE; /* to curl, a head that is cut off is a response */
	transfer_note_end(transfer, code);
	if (transfer->stopped_for != STOP_NONE)
		code = CURLE_ABORTED_BY_CALLBACK; /* to curl, the end that we made may be the body's */
	struct trouble trouble;
	int refusal = refusal_of_proxy(run);
	if (refusal != 0 && !run->hop.parts.is_https) {
		trouble_of_refusing_proxy(refusal, &trouble);
		check_run_finish_with(run, trouble.reason, trouble.message);
		return;
	}
	if (code == CURLE_OK && status != 0) {
		char text[RESPONSE_TEXT_MAX];
		if (!response_is_as_asked(&run->observation, run->start.site, text))
			check_run_finish_with(run, REASON_PROTOCOL_ERROR, text);
		else if (run->start.site->follow_redirects && redirect_is(status) &&
			 transfer->head.location != NULL)
			follow(run, now);
		else
			check_run_finish_complete(run, now);
		return;
	}
	char peer[ROUTE_PEER_MAX];
	bool is_connected = phase > PHASE_CONNECT || transfer_proxy_status(transfer) != 0 ||
			    code == CURLE_PROXY;
	transfer_explain(transfer, code, peer_of(run, peer), is_connected, &trouble);
	if (tries_next_target(run, code, &trouble))
		return;
	if (transfer_is_tls_of_proxy(transfer) && !trouble_is_of_address(trouble.reason))
		route_blame(&run->hop.route, &trouble, true);
	if (!is_connected && trouble_is_of_address(trouble.reason))
		give_up_address(run, &trouble);
	else
		check_run_finish_with(run, trouble.reason, trouble.message);
}

void check_hops_stop(struct check_run *run)
{
	if (run->state == RUN_TRANSFERRING) {
		stop_transfer(run);
		return;
	}
	if (run->resolve != NULL)
		(void)resolver_drop(run->resolve);
	run->resolve = NULL;
}
