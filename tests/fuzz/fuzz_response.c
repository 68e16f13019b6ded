/*
 * The whole path of a response: the prober's own check_run with libcurl, over a socket pair, from the first byte of the status line to
 * redirects, matching, verdict, evidence and the report's JSON, which is read again. The first byte chooses a site of
 * response_sites.yaml, the second one how the bytes arrive and end; what the connections say follows, with lines of "~~" between them.
 */
#include "fuzz.h"

#include <locale.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/identity.h"
#include "base/memory.h"
#include "check/attempt.h"
#include "check/evidence.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/request.h"
#include "check/secrets.h"
#include "check/site.h"
#include "check/url.h"
#include "check/verdict.h"
#include "codec/report_decode.h"
#include "codec/report_encode.h"
#include "config/problems.h"
#include "config/settings.h"
#include "config/sites.h"
#include "input.h"
#include "pretend_clock.h"
#include "probe/check_env.h"
#include "probe/check_run.h"
#include "probe/kept_connection.h"
#include "probe/loop_lag.h"
#include "probe/resolver.h"
#include "wire.h"

enum {
	QUIET_TURNS = 4, /* the loop has nothing left to do after so many */
	/* What a check may take of the processor, 50 ms, with room for sanitizers and valgrind. */
	CPU_MAX_MS = 5000,
	RESET = 1,
	PIECES = 2,
	NONE_KEPT = 128, /* connections, though the site has keepalive: there are too many */
};

static const char secret[] = "c4nary";

static struct settings settings;
static struct site_list sites;
static uv_loop_t loop;
static struct loop_lag lag;
static struct check_env env;
static struct check_run *run;
static bool is_finished;
static struct kept_count kept_count;

static void on_finished(void *context, struct check_run *finished)
{
	(void)context;
	FUZZ_PROMISE(finished == run && !is_finished);
	is_finished = true;
}

static void read_sites(const char *path)
{
	struct problems problems;
	char *words[] = {xstrdup("websentry"), xstrdup("run"), xstrdup(path), NULL};
	char *environment[] = {xstrdup("WEBSENTRY_DATA_DIR=" P_tmpdir), NULL};
	problems_init(&problems);
	settings_read(3, words, environment, &settings, &problems);
	sites_load(&settings, &sites, &problems);
	for (size_t i = 0; i < problems.count; i++)
		(void)fprintf(stderr, "%s: %s\n", problems.items[i].where, problems.items[i].what);
	FUZZ_PROMISE(problems.error_count == 0 && sites.count > 0);
	problems_finish(&problems);
	for (size_t i = 0; i < 3; i++)
		free(words[i]);
	free(environment[0]);
}

static void clean_up(void)
{
	loop_lag_close(&lag);
	check_run_close(run);
	check_env_close(&env);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	check_run_destroy(run);
	check_env_destroy(&env);
	(void)uv_loop_close(&loop);
	site_list_finish(&sites);
	settings_finish(&settings);
	uv_library_shutdown();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct error err = {0};
	(void)argc;
	(void)argv;
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)signal(SIGPIPE, SIG_IGN);
	FUZZ_PROMISE(check_env_prepare(&err) == 0);
	read_sites(FUZZ_FOLDER "/response_sites.yaml");
	FUZZ_PROMISE(uv_loop_init(&loop) == 0);
	loop_lag_init(&lag, &loop);
	env = (struct check_env){.loop = &loop,
				 .lag = &lag,
				 .user_agent = "websentry/fuzz",
				 .on_finished = on_finished};
	FUZZ_PROMISE(check_env_create(&env, check_run_on_ended, "127.0.0.1:9", &err) == 0);
	run = check_run_create(&env, &err);
	FUZZ_PROMISE(run != NULL);
	(void)atexit(clean_up);
	return 0;
}

struct resolve *__wrap_resolver_start(struct resolver *resolver, const char *name,
				      int64_t patience_us, resolver_on_resolved on_resolved,
				      void *context);

/* Every name has one address; no name server is asked. */
struct resolve *__wrap_resolver_start(struct resolver *resolver, const char *name,
				      int64_t patience_us, resolver_on_resolved on_resolved,
				      void *context)
{
	static const struct resolver_address home = {"127.0.0.1"};
	(void)resolver;
	(void)patience_us;
	if (strstr(name, "nowhere") != NULL)
		on_resolved(context, RESOLVER_NO_SUCH_NAME, NULL, 0, "no such name");
	else
		on_resolved(context, RESOLVER_FOUND, &home, 1, "");
	return NULL;
}

static int64_t cpu_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool wants_retry(void *context, const struct site *site,
			const struct observation *observation, struct attempts *attempts)
{
	(void)context;
	struct verdict verdict;
	verdict_decide(site, observation, &verdict);
	bool is_down = verdict.outcome == OUTCOME_DOWN;
	if (is_down)
		attempts_add(attempts, observation, &verdict);
	verdict_finish(&verdict);
	return is_down;
}

/*
 * Until the check has ended: what is left to say is said, and once nobody listens any more the connections end. One that nobody reads
 * from (a kept one that nobody needs, and that said too much) is left alone: then time passes.
 */
static void wait_for_end(void)
{
	int quiet_turns = 0;
	size_t unread = 0;
	while (!is_finished) {
		bool is_searching = loop.active_reqs.count > 0; /* in a thread of the pool */
		bool has_fed = wire_feed();
		size_t before = unread;
		unread = wire_unread();
		bool is_quiet = !has_fed && unread == before && (unread == 0 || !is_searching);
		quiet_turns = is_quiet ? quiet_turns + 1 : 0;
		bool is_waiting = quiet_turns > QUIET_TURNS && !wire_end_read();
		if (quiet_turns > QUIET_TURNS && !is_waiting)
			quiet_turns = 0;
		if (is_waiting && !is_searching)
			pretend_clock_skip(uv_backend_timeout(&loop));
		(void)uv_run(&loop, is_waiting && is_searching ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	}
}

/* The phases that are known make up the hop. */
static void look_at_hop(const struct hop *hop)
{
	const int64_t phases[] = {hop->dns_us, hop->connect_us, hop->tls_us, hop->wait_us,
				  hop->transfer_us};
	int64_t sum_us = 0;
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		FUZZ_PROMISE(phases[i] >= DURATION_UNKNOWN);
		sum_us += phases[i] > 0 ? phases[i] : 0;
	}
	FUZZ_PROMISE(hop->http_status_code == 0 ||
		     (hop->http_status_code >= 200 && hop->http_status_code <= 999));
	FUZZ_PROMISE(hop->url != NULL && input_is_safe(hop->url, strlen(hop->url), false));
	FUZZ_PROMISE(strlen(hop->url) <= URL_REDACTED_MAX);
	if (hop->total_us >= 0)
		FUZZ_PROMISE(llabs(hop->total_us - sum_us) <= 100 + hop->total_us / 100);
}

static void look_at_observation(const struct site *site, const struct observation *seen)
{
	FUZZ_PROMISE(seen->trouble < REASON_COUNT);
	FUZZ_PROMISE(seen->trouble != REASON_OK || seen->final.http_status_code >= 200);
	FUZZ_PROMISE((seen->message == NULL) == (seen->trouble == REASON_OK));
	if (seen->message != NULL)
		FUZZ_PROMISE(strlen(seen->message) <= OBSERVATION_MESSAGE_MAX &&
			     input_is_safe(seen->message, strlen(seen->message), false));
	FUZZ_PROMISE(seen->total_us >= 0);
	FUZZ_PROMISE(seen->redirect_count <= (size_t)site->max_redirects);
	FUZZ_PROMISE(seen->trouble != REASON_OK || seen->decoded_bytes <= site->max_body_bytes);
	FUZZ_PROMISE(site->pattern != NULL || seen->pattern.state == MATCH_NOT_TRIED);
	look_at_hop(&seen->final);
	for (size_t i = 0; i < seen->redirect_count; i++)
		look_at_hop(&seen->redirects[i]);
}

static void read_again(const struct buffer *body, const struct report *report)
{
	static const struct identity identity = {.seq = 7};
	struct buffer message;
	struct report_row row;
	char detail[256];
	buffer_init(&message, REPORT_MESSAGE_MAX);
	FUZZ_PROMISE(identity_append_message(&message, &identity, NULL, body->data, body->length) ==
		     0);
	FUZZ_PROMISE(input_is_safe(message.data, message.length, false));
	struct secrets *secrets = secrets_create(report->site);
	bool is_told = memmem(message.data, message.length, secret, strlen(secret)) != NULL;
	FUZZ_PROMISE(secrets == NULL || !is_told); /* to the others it is a word like any */
	secrets_destroy(secrets);
	FUZZ_PROMISE(report_decode(message.data, message.length, &row, detail, sizeof(detail)) ==
		     DECODE_NONE);
	FUZZ_PROMISE(strcmp(row.site.bytes, report->site->name) == 0);
	FUZZ_PROMISE(row.outcome.value == report->verdict->outcome);
	FUZZ_PROMISE(strcmp(row.reason.bytes, reason_name(report->verdict->reason)) == 0);
	FUZZ_PROMISE(row.total_us.value == report->observation->total_us);
	report_row_finish(&row);
	buffer_finish(&message);
}

/* As app/checks.c judges and writes it. */
static void judge(const struct site *site, const struct observation *seen)
{
	struct evidence evidence = {0};
	struct verdict verdict;
	struct explanation explanation;
	struct buffer body;
	verdict_decide(site, seen, &verdict);
	FUZZ_PROMISE(verdict.outcome == OUTCOME_DOWN || seen->trouble == REASON_OK ||
		     reason_outcome(seen->trouble) != OUTCOME_DOWN || site->is_inverted);
	FUZZ_PROMISE(seen->trouble == REASON_OK || site->is_inverted ||
		     verdict.reason == seen->trouble);
	verdict_explain(site, seen, &explanation);
	explanation_finish(&explanation);
	if (evidence_is_wanted(verdict.outcome))
		evidence_make(site, &seen->raw, &evidence);
	const struct report report = {
		.site = site,
		.observation = seen,
		.verdict = &verdict,
		.evidence = &evidence,
		.host = "host",
		.location = "default",
	};
	buffer_init(&body, REPORT_MESSAGE_MAX);
	report_encode(&body, &report);
	read_again(&body, &report);
	buffer_finish(&body);
	verdict_finish(&verdict);
	evidence_finish(&evidence);
}

static void check(const struct site *site, struct kept_connection *kept)
{
	const struct check_start start = {.site = site, .kept = kept_connection_take(kept)};
	int64_t began_ms = cpu_ms();
	is_finished = false;
	check_run_start(run, &start, clock_mono_us());
	for (;;) {
		wait_for_end();
		is_finished = false;
		if (!check_run_try_again(run, wants_retry, NULL))
			break;
	}
	FUZZ_PROMISE(cpu_ms() - began_ms <= CPU_MAX_MS);
	const struct observation *seen = check_run_observation(run);
	look_at_observation(site, seen);
	judge(site, seen);
	check_run_clear(run);
	FUZZ_PROMISE(check_run_is_idle(run));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = input_of(data, size);
	const struct site *site = &sites.sites[input_byte(&input) % sites.count];
	unsigned way = input_byte(&input);
	size_t piece = (way & PIECES) != 0 ? 1 + way / 4 : 0;
	kept_count.max = (way & NONE_KEPT) != 0 ? 0 : 1;
	struct kept_connection *kept =
		request_of(site)->is_keepalive ? kept_connection_create(&kept_count) : NULL;
	wire_open(input.at, input.left, piece, (way & RESET) != 0);
	check(site, kept);
	if (kept != NULL) {
		wire_go_on();
		check(site, kept);
	}
	wire_close();
	kept_connection_release(kept);
	FUZZ_PROMISE(kept_count.open == 0);
	return 0;
}
