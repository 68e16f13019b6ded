#include "app/checks.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/check_heads.h"
#include "app/site_generations.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/figures.h"
#include "base/identity.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/attempt.h"
#include "check/evidence.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/request.h"
#include "check/round.h"
#include "check/site.h"
#include "check/verdict.h"
#include "codec/report_encode.h"
#include "config/settings.h"
#include "probe/prober.h"

/* What was last logged of a site, as the prober keeps it: in a memo's number, the outcome plus 1, and a bit. */
enum { MEMO_OUTCOME = 0xFF, MEMO_WARNED = 0x100 };

struct site_memory {
	bool is_known;
	enum outcome outcome;
	mono_us since;
};

/*
 * With --once everything is due at once. So many run at the same time: a site behind many URLs is not stormed, and libcurl, which
 * walks the list of a host's connections for each that ends, stays linear.
 */
enum { ONCE_IN_FLIGHT_MAX = 512 };

/* Changes that may be logged in a second, one by one; the others are counted. */
enum { CHANGES_SHOWN_MAX = 20 };

/* One prober, and what its thread alone uses. */
struct share {
	struct checks *checks;
	struct prober *prober;
	struct buffer json;
	int64_t changes_second; /* in which the changes below were */
	size_t changes;
};

struct checks {
	const struct settings *settings;
	struct site_generations *sites;
	struct checks_sink sink;
	struct figures *figures;
	struct share *shares;
	size_t share_count;
	atomic_bool is_stopping;
	atomic_size_t finished;
	atomic_size_t shares_left; /* with is_once: probers that are not done */
	struct prober_reload reload;
	size_t *reload_was;
	atomic_size_t reloading; /* probers that have not done it yet */
};

/* Whether one more change may have a line of its own; says how many had none, once their second is over. */
static bool may_show_change(struct share *share, mono_us now)
{
	int64_t second = now / CLOCK_US_PER_S;
	if (second != share->changes_second) {
		if (share->changes > CHANGES_SHOWN_MAX)
			log_event(LOG_INFO, "more sites changed in one second",
				  LOG_INT("count", share->changes - CHANGES_SHOWN_MAX));
		share->changes_second = second;
		share->changes = 0;
	}
	return ++share->changes <= CHANGES_SHOWN_MAX;
}

static void show_change(const struct site *site, const struct site_memory *memory,
			const struct verdict *verdict, mono_us now)
{
	char event[32];
	char lasted[64];
	(void)snprintf(event, sizeof(event), "site %s", outcome_name(verdict->outcome));
	text_format_duration((now - memory->since) / CLOCK_US_PER_S * CLOCK_US_PER_S, lasted,
			     sizeof(lasted));
	log_event(LOG_INFO, event, LOG_STR("site", site->name),
		  LOG_STR("reason", reason_name(verdict->reason)),
		  LOG_STR("message", text_is_empty(verdict->message) ? NULL : verdict->message),
		  LOG_STR("was", memory->is_known ? outcome_name(memory->outcome) : NULL),
		  LOG_STR("after", memory->is_known ? lasted : NULL));
}

/* Log a change of outcome, never each check: "site down", later "site up" with how long it had been otherwise. */
static void log_change(struct share *share, const struct site *site, const struct verdict *verdict,
		       struct prober_memo *memo)
{
	struct checks *checks = share->checks;
	int64_t number = memo->number & MEMO_OUTCOME;
	const struct site_memory memory = {
		.is_known = number != 0,
		.outcome = number != 0 ? (enum outcome)(number - 1) : OUTCOME_UNKNOWN,
		.since = memo->time,
	};
	bool is_change = !memory.is_known || memory.outcome != verdict->outcome;
	if (!is_change)
		return;
	mono_us now = clock_mono_us();
	bool is_news = memory.is_known || verdict->outcome != OUTCOME_UP;
	if (is_news && checks->settings->command != COMMAND_CHECK && may_show_change(share, now))
		show_change(site, &memory, verdict, now);
	memo->number = (memo->number & MEMO_WARNED) | ((int64_t)verdict->outcome + 1);
	memo->time = now;
}

/* Once for each site, and again where a name that had fewer addresses has too many once more. */
static void warn_of_unchecked(const struct site *site, const struct round_verdict *verdict,
			      struct prober_memo *memo)
{
	bool was_said = (memo->number & MEMO_WARNED) != 0;
	if (verdict->unchecked > 0 && !was_said)
		log_event(LOG_WARN, "more addresses than are checked", LOG_STR("site", site->name),
			  LOG_INT("checked", (int64_t)verdict->addresses),
			  LOG_INT("unchecked", (int64_t)verdict->unchecked));
	memo->number = (memo->number & MEMO_OUTCOME) | (verdict->unchecked > 0 ? MEMO_WARNED : 0);
}

/* With --log-level debug: every check, not only changes. */
static void log_check(const struct report *report)
{
	if (log_is_enabled(LOG_DEBUG))
		log_event(LOG_DEBUG, "checked", LOG_STR("site", report->site->name),
			  LOG_STR("outcome", outcome_name(report->verdict->outcome)),
			  LOG_STR("reason", reason_name(report->verdict->reason)),
			  LOG_INT("total_us", report->observation->total_us),
			  LOG_INT("late_us", report->observation->late_us));
}

static void count_check(struct figures_checks *figures, const struct observation *observation,
			enum reason reason)
{
	figures_add(&figures->by_reason[reason], 1);
	figures_add(&figures->missed, observation->missed);
	figures_observe(&figures->late, observation->late_us);
	figures_observe(&figures->took, observation->total_us);
}

static bool on_may_start(void *context)
{
	struct share *share = context;
	const struct checks_sink *sink = &share->checks->sink;
	if (atomic_load(&share->checks->is_stopping))
		return false;
	return sink->may_start == NULL || sink->may_start(sink->context);
}

/* Only what is down may be an accident; what could not be told would not be told the next time either. */
static bool on_attempt(void *context, const struct site *site,
		       const struct observation *observation, struct attempts *attempts)
{
	const struct share *share = context;
	struct verdict verdict;
	verdict_decide(site, observation, &verdict);
	bool wants_retry = verdict.outcome == OUTCOME_DOWN;
	if (wants_retry) {
		attempts_add(attempts, observation, &verdict);
		if (share->checks->settings->is_verbose)
			attempts->items[attempts->count - 1].heads =
				check_heads_of_attempt(observation);
	}
	verdict_finish(&verdict);
	return wants_retry;
}

/* Host and location are filled in. */
static void make_report(struct share *share, const struct report *parts)
{
	struct checks *checks = share->checks;
	struct report report = *parts;
	report.host = checks->settings->host;
	report.location = checks->settings->location;
	buffer_clear(&share->json);
	report_encode(&share->json, &report);
	checks->sink.on_report(checks->sink.context, &report, share->json.data, share->json.length);
	count_check(&checks->figures->checks, report.observation, report.verdict->reason);
	log_check(&report);
}

static void judge(const struct site *site, const struct observation *observation,
		  struct verdict *ret_verdict, struct evidence *ret_evidence)
{
	verdict_decide(site, observation, ret_verdict);
	if (evidence_is_wanted(ret_verdict->outcome))
		evidence_make(site, &observation->raw, ret_evidence);
}

static void on_checked(void *context, const struct site *site,
		       const struct observation *observation, struct prober_memo *memo)
{
	struct share *share = context;
	struct evidence evidence = {0};
	struct verdict verdict;
	judge(site, observation, &verdict, &evidence);
	const struct report report = {.site = site,
				      .observation = observation,
				      .verdict = &verdict,
				      .evidence = &evidence};
	make_report(share, &report);
	if (memo != NULL)
		log_change(share, site, &verdict, memo);
	verdict_finish(&verdict);
	evidence_finish(&evidence);
	(void)atomic_fetch_add(&share->checks->finished, 1);
}

static void on_address(void *context, const struct site *site, struct observation *observation,
		       struct round *round)
{
	(void)context;
	struct evidence evidence = {0};
	struct verdict verdict;
	judge(site, observation, &verdict, &evidence);
	round_add(round, observation, &verdict, &evidence);
}

static void report_part(struct share *share, const struct site *site, struct round_part *part,
			const struct round_note *note)
{
	const struct report report = {.site = site,
				      .observation = &part->observation,
				      .verdict = &part->verdict,
				      .evidence = &part->evidence,
				      .round = note};
	make_report(share, &report);
}

/* The report that speaks for the round goes first: whatever comes in between, the round counts once it is there. */
static void on_round(void *context, const struct site *site, struct round *round,
		     struct prober_memo *memo)
{
	struct share *share = context;
	struct round_verdict verdict;
	round_judge(round, (size_t)request_of(site)->addresses_needed, &verdict);
	round->parts[verdict.speaker].observation.missed = round->missed;
	for (size_t i = 0; i < round->count; i++) {
		/* the speaker, then the others in their order */
		size_t place = i == 0 ? verdict.speaker : i - (i <= verdict.speaker);
		struct round_part *part = &round->parts[place];
		const struct round_note note = {
			.verdict = &verdict,
			.address = observation_first_ip(&part->observation),
			.is_speaker = i == 0,
			.is_last = i + 1 == round->count,
		};
		report_part(share, site, part, &note);
	}
	const struct verdict of_site = {
		.outcome = verdict.outcome, .reason = verdict.reason, .message = verdict.message};
	if (memo != NULL) {
		log_change(share, site, &of_site, memo);
		if (share->checks->settings->command != COMMAND_CHECK)
			warn_of_unchecked(site, &verdict, memo);
	}
	round_verdict_finish(&verdict);
	(void)atomic_fetch_add(&share->checks->finished, 1);
}

static void on_done(void *context)
{
	struct share *share = context;
	struct checks *checks = share->checks;
	if (atomic_fetch_sub(&checks->shares_left, 1) == 1 && checks->sink.on_done != NULL)
		checks->sink.on_done(checks->sink.context);
}

static void on_reloaded(void *context)
{
	struct share *share = context;
	struct checks *checks = share->checks;
	if (atomic_fetch_sub(&checks->reloading, 1) == 1 && checks->sink.on_reloaded != NULL)
		checks->sink.on_reloaded(checks->sink.context);
}

static void on_released(void *context, const struct site *sites)
{
	struct share *share = context;
	site_generations_release(share->checks->sites, sites);
}

static int start_share(struct checks *checks, size_t index, bool is_once, struct error *err)
{
	struct share *share = &checks->shares[index];
	const struct site_list *sites = site_generations_present(checks->sites);
	const struct prober_options options = {
		.sites = sites->sites,
		.site_count = sites->count,
		.share = index,
		.shares = checks->share_count,
		.is_once = is_once,
		.keeps_heads = checks->settings->is_verbose,
		.figures = checks->figures,
		.max_in_flight = is_once ? ONCE_IN_FLIGHT_MAX / checks->share_count + 1 : 0,
	};
	const struct prober_sink sink = {
		.context = share,
		.may_start = on_may_start,
		.wants_retry = on_attempt,
		.on_checked = on_checked,
		.on_address = on_address,
		.on_round = on_round,
		.on_done = on_done,
		.on_reloaded = on_reloaded,
		.on_released = on_released,
	};
	share->prober = prober_start(&options, &sink, err);
	return share->prober == NULL ? -1 : 0;
}

struct checks *checks_start(const struct settings *settings, struct site_list *sites, bool is_once,
			    const struct checks_sink *sink, struct error *err)
{
	struct checks *checks = xcalloc(1, sizeof(*checks));
	checks->settings = settings;
	checks->sink = *sink;
	checks->figures = sink->figures != NULL ? sink->figures : figures_unread();
	figures_set(&checks->figures->checks.sites, (int64_t)sites->count);
	checks->share_count = (size_t)settings->threads;
	checks->sites = site_generations_create(checks->share_count);
	site_generations_add(checks->sites, sites);
	checks->shares = xcalloc(checks->share_count, sizeof(checks->shares[0]));
	atomic_init(&checks->is_stopping, false);
	atomic_init(&checks->finished, 0);
	atomic_init(&checks->shares_left, checks->share_count);
	for (size_t i = 0; i < checks->share_count; i++) {
		checks->shares[i].checks = checks;
		buffer_init(&checks->shares[i].json, REPORT_MESSAGE_MAX);
	}
	for (size_t i = 0; i < checks->share_count; i++) {
		if (start_share(checks, i, is_once, err) != 0) {
			checks_stop(checks, 0);
			checks_destroy(checks);
			return NULL;
		}
	}
	return checks;
}

size_t checks_site_count(const struct checks *checks)
{
	return site_generations_present(checks->sites)->count;
}

bool checks_is_reloading(const struct checks *checks)
{
	return atomic_load(&checks->reloading) > 0;
}

void checks_reload(struct checks *checks, struct site_list *sites, struct checks_change *ret_change)
{
	size_t before = checks_site_count(checks);
	size_t kept;
	free(checks->reload_was);
	checks->reload_was = site_generations_compare(checks->sites, sites, &kept);
	site_generations_add(checks->sites, sites);
	const struct site_list *present = site_generations_present(checks->sites);
	*ret_change =
		(struct checks_change){.added = present->count - kept, .removed = before - kept};
	checks->reload = (struct prober_reload){
		.sites = present->sites, .site_count = present->count, .was = checks->reload_was};
	figures_set(&checks->figures->checks.sites, (int64_t)present->count);
	atomic_store(&checks->reloading, checks->share_count);
	for (size_t i = 0; i < checks->share_count; i++)
		prober_reload(checks->shares[i].prober, &checks->reload);
}

void checks_again(struct checks *checks)
{
	atomic_store(&checks->shares_left, checks->share_count);
	for (size_t i = 0; i < checks->share_count; i++)
		prober_again(checks->shares[i].prober);
}

void checks_tidy(struct checks *checks)
{
	site_generations_tidy(checks->sites);
}

void checks_stop(struct checks *checks, int grace_ms)
{
	atomic_store(&checks->is_stopping,
		     true); /* for all probers at once: they are waited for in turn */
	mono_us deadline = clock_mono_us() + (int64_t)grace_ms * CLOCK_US_PER_MS;
	for (size_t i = 0; i < checks->share_count; i++) {
		int64_t left_ms = (deadline - clock_mono_us()) / CLOCK_US_PER_MS;
		if (checks->shares[i].prober != NULL)
			prober_stop(checks->shares[i].prober, left_ms > 0 ? (int)left_ms : 0);
	}
}

void checks_destroy(struct checks *checks)
{
	if (checks == NULL)
		return;
	for (size_t i = 0; i < checks->share_count; i++) {
		prober_destroy(checks->shares[i].prober);
		buffer_finish(&checks->shares[i].json);
	}
	free(checks->shares);
	free(checks->reload_was);
	site_generations_destroy(checks->sites);
	free(checks);
}

size_t checks_finished(const struct checks *checks)
{
	return atomic_load(&checks->finished);
}
