/*
 * How responses over HTTP/2 end: each case is a server of its own, with TLS and without, and is checked by several probers at once, for
 * what is heard of a connection must come to the check that it is about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "authority.h"
#include "base/memory.h"
#include "check/observation.h"
#include "check/request.h"
#include "check/site.h"
#include "peer.h"
#include "watch.h"

enum {
	PROBERS = 2,
	IN_FLIGHT = 4,
	ATTEMPTS = 5,
	AGAIN = 2, /* as many sites a case */
	PAUSE_MS = 100,
	TIMEOUT_MS = 20000, /* far longer than any of them takes */
	PATIENCE_MS = 120000,
};

#define BYTES(text)                                                                                \
	{                                                                                          \
		(text), sizeof(text) - 1                                                           \
	}

/* Frames: length, kind, flags, stream. */
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define GOAWAY "\0\0\10\7\0\0\0\0\0\0\0\0\1\0\0\0\0"
#define HEAD "\0\0\1\1\4\0\0\0\1\x88"
#define DATA "\0\0\2\0\0\0\0\0\1hi"
#define END "\0\0\0\0\1\0\0\0\1"
#define RESET "\0\0\4\3\0\0\0\0\1\0\0\0\0"
#define SHORT_PING "\0\0\7\6\0\0\0\0\0\1\2\3\4\5\6\7"
#define DATA_OF_NONE "\0\0\2\0\0\0\0\0\0no"

struct bytes {
	const char *data;
	size_t length;
};

enum end { STAYS, CLOSES, RESETS };

static const struct http2_case {
	const char *name;
	struct bytes first;
	struct bytes later; /* a while after it, in one piece */
	enum reason reason;
	enum end end; /* of the connection, behind that */
} cases[] = {
	{"page", BYTES(SETTINGS HEAD DATA END), {NULL, 0}, REASON_OK, STAYS},
	{"page_behind_goaway", BYTES(SETTINGS GOAWAY HEAD), BYTES(DATA END), REASON_OK, STAYS},
	{"page_then_close", BYTES(SETTINGS GOAWAY HEAD), BYTES(DATA END), REASON_OK, CLOSES},
	{"breach_behind_page",
	 BYTES(SETTINGS HEAD DATA END SHORT_PING),
	 {NULL, 0},
	 REASON_OK,
	 STAYS},
	{"breach", BYTES(SETTINGS HEAD DATA), BYTES(SHORT_PING), REASON_PROTOCOL_ERROR, STAYS},
	{"breach_at_once", BYTES(SETTINGS SHORT_PING), {NULL, 0}, REASON_PROTOCOL_ERROR, STAYS},
	{"breach_with_data", BYTES(SETTINGS HEAD), BYTES(DATA SHORT_PING), REASON_PROTOCOL_ERROR,
	 STAYS},
	{"data_of_none", BYTES(SETTINGS HEAD), BYTES(DATA DATA_OF_NONE), REASON_PROTOCOL_ERROR,
	 STAYS},
	{"breach_behind_goaway",
	 BYTES(SETTINGS GOAWAY HEAD DATA SHORT_PING),
	 {NULL, 0},
	 REASON_PROTOCOL_ERROR,
	 STAYS},
	{"breach_long_behind_goaway", BYTES(SETTINGS GOAWAY HEAD), BYTES(DATA SHORT_PING),
	 REASON_PROTOCOL_ERROR, STAYS},
	{"reset_for_no_reason", BYTES(SETTINGS HEAD), BYTES(DATA RESET), REASON_PROTOCOL_ERROR,
	 STAYS},
	{"reset_of_nothing", BYTES(SETTINGS), BYTES(RESET), REASON_PROTOCOL_ERROR, STAYS},
	{"reset_behind_goaway",
	 BYTES(SETTINGS GOAWAY HEAD DATA RESET),
	 {NULL, 0},
	 REASON_PROTOCOL_ERROR,
	 STAYS},
	{"close", BYTES(SETTINGS HEAD DATA), {NULL, 0}, REASON_CONNECTION_LOST, CLOSES},
	{"close_behind_goaway",
	 BYTES(SETTINGS GOAWAY HEAD DATA),
	 {NULL, 0},
	 REASON_CONNECTION_LOST,
	 CLOSES},
	/* our words are unread: nothing more can be sent, before anything was read */
	{"page_and_reset", BYTES(SETTINGS HEAD DATA END), {NULL, 0}, REASON_OK, RESETS},
	{"page_and_goaway_and_reset",
	 BYTES(SETTINGS GOAWAY HEAD DATA END),
	 {NULL, 0},
	 REASON_OK,
	 RESETS},
	{"half_and_reset", BYTES(SETTINGS HEAD DATA), {NULL, 0}, REASON_CONNECTION_LOST, RESETS},
	{"reset_at_once", BYTES(SETTINGS), {NULL, 0}, REASON_CONNECTION_LOST, RESETS},
};

enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]), PEER_COUNT = 2 * CASE_COUNT };

static struct authority *authority;
static SSL_CTX *context;
static pthread_mutex_t lock =
	PTHREAD_MUTEX_INITIALIZER;     /* of the peers, whose threads look for themselves */
static struct peer *peers[PEER_COUNT]; /* a plain one and one with TLS of each case */
static struct site sites[PEER_COUNT * AGAIN];
static struct watch watches[PROBERS];

static const struct http2_case *find_case(const struct peer *peer)
{
	size_t i = 0;
	(void)pthread_mutex_lock(&lock);
	while (peers[i] != peer)
		i++;
	(void)pthread_mutex_unlock(&lock);
	return &cases[i / 2];
}

static void serve(struct peer_connection *connection)
{
	const struct http2_case *found = find_case(connection->peer);
	if (found->end == RESETS)
		peer_pause(connection, PAUSE_MS); /* the preface is no request yet */
	bool is_there = peer_send(connection, found->first.data, found->first.length);
	if (found->end == RESETS) {
		peer_reset(connection);
		return;
	}
	peer_pause(connection, PAUSE_MS);
	if (is_there && found->later.data != NULL)
		(void)peer_send(connection, found->later.data, found->later.length);
	if (found->end == STAYS)
		peer_hang(connection);
}

/* The preface of HTTP/2 names no path. */
static const struct peer_behaviour behaviours[] = {{"", NULL, serve}, {NULL, NULL, NULL}};

static int choose_http2(SSL *ssl, const unsigned char **chosen, unsigned char *length,
			const unsigned char *offered, unsigned offered_length, void *nothing)
{
	static const unsigned char http2[] = "h2";
	(void)ssl;
	(void)offered;
	(void)offered_length;
	(void)nothing;
	*chosen = http2;
	*length = 2;
	return SSL_TLSEXT_ERR_OK;
}

static void make_site(size_t index)
{
	size_t peer = index / AGAIN;
	bool is_tls = peer % 2 == 1;
	watch_make_site(&sites[index], cases[peer / 2].name,
			xasprintf("http%s://127.0.0.1:%d/%zu", is_tls ? "s" : "",
				  peer_port(peers[peer]), index),
			TIMEOUT_MS);
	sites[index].ca_file = xstrdup(authority_file(authority));
	request_make(&sites[index])->http = REQUEST_HTTP_2;
}

static bool check_all(void)
{
	const struct prober_options options = {.is_once = true, .max_in_flight = IN_FLIGHT};
	bool is_done = true;
	for (size_t i = 0; i < PROBERS; i++)
		watch_start(&watches[i], options, sites, PEER_COUNT * AGAIN);
	for (size_t i = 0; i < PROBERS; i++) {
		is_done = watch_wait_done(&watches[i], PATIENCE_MS) && is_done;
		watch_stop(&watches[i], 0);
	}
	return is_done;
}

/* On a machine that is busy. */
static bool was_held_up(void)
{
	for (size_t i = 0; i < PROBERS; i++)
		for (size_t j = 0; j < watches[i].count; j++)
			if (watches[i].all[j].observation.trouble == REASON_PROBER_OVERLOADED)
				return true;
	return false;
}

static void finish_all(void)
{
	for (size_t i = 0; i < PROBERS; i++)
		watch_finish(&watches[i]);
}

static int set_up(void **state)
{
	(void)state;
	authority = authority_create();
	const struct authority_leaf leaf = {
		.name = "IP:127.0.0.1", .valid_from_s = -3600, .valid_to_s = 24 * 3600};
	context = authority_make_context(authority, &leaf);
	SSL_CTX_set_alpn_select_cb(context, choose_http2, NULL);
	(void)pthread_mutex_lock(&lock);
	for (size_t i = 0; i < PEER_COUNT; i++)
		peers[i] = peer_start(i % 2 == 1 ? context : NULL, behaviours);
	(void)pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < PEER_COUNT * AGAIN; i++)
		make_site(i);
	for (int i = 0; i < ATTEMPTS; i++) {
		if (i > 0)
			finish_all();
		if (!check_all())
			return -1;
		if (!was_held_up())
			break;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	finish_all();
	for (size_t i = 0; i < PEER_COUNT * AGAIN; i++)
		site_finish(&sites[i]);
	for (size_t i = 0; i < PEER_COUNT; i++)
		peer_stop(peers[i]);
	SSL_CTX_free(context);
	authority_destroy(authority);
	return 0;
}

static void ends_as_it_should(void **state)
{
	const struct http2_case *test = *state;
	size_t first = (size_t)(test - cases) * 2 * AGAIN;
	for (size_t i = first; i < first + 2 * AGAIN; i++) {
		for (size_t prober = 0; prober < PROBERS; prober++) {
			const struct observation *observation =
				watch_find(&watches[prober], &sites[i]);
			assert_non_null(observation);
			if (observation->trouble != test->reason)
				fail_msg("%s: %s: %s", sites[i].url,
					 reason_name(observation->trouble), observation->message);
		}
	}
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	struct CMUnitTest tests[CASE_COUNT];
	for (size_t i = 0; i < CASE_COUNT; i++)
		tests[i] = (struct CMUnitTest){.name = cases[i].name,
					       .test_func = ends_as_it_should,
					       .initial_state = (void *)(uintptr_t)&cases[i]};
	return _cmocka_run_group_tests("probe_http2", tests, CASE_COUNT, set_up, tear_down);
}
