/* A web server over a store that tests control. */
#ifndef WEBSENTRY_TESTS_WEB_FIXTURE_H
#define WEBSENTRY_TESTS_WEB_FIXTURE_H

#include <stdbool.h>

#include "client.h"

enum { WEB_FIXTURE_PATIENCE_MS = 120000, WEB_FIXTURE_LOOK_MS = 20 };

struct store;
struct web;

struct web_fixture {
	struct store *store; /* the server's */
	struct web *web;
};

/* A server on an address, which takes the store; fails the test where it does not start. */
struct web *web_fixture_start(const char *listen, struct store *store);

/* cmocka's: *state is the struct web_fixture. */
int web_fixture_set_up(void **state);
int web_fixture_tear_down(void **state);

/* Ask until the body holds (or no longer holds) a text. The answer is the caller's. */
struct answer web_fixture_get_until(const struct web_fixture *fixture, const char *path,
				    const char *text, bool is_wanted);

#endif
