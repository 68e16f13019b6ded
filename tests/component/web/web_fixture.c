#include "web_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "fake_store.h"
#include "web/web.h"

struct web *web_fixture_start(const char *listen, struct store *store)
{
	const struct web_options options = {.listen = listen, .store = store};
	struct error err = {0};
	struct web *web = web_start(&options, &err);
	if (web == NULL)
		print_error("%s\n", err.message);
	assert_non_null(web);
	return web;
}

int web_fixture_set_up(void **state)
{
	struct web_fixture *fixture = xcalloc(1, sizeof(*fixture));
	fixture->store = fake_store_create();
	/* Until the test has set its sites: an answer would be fresh for a second, and each test would wait for the next. */
	fake_store_fail(fixture->store, true);
	fixture->web = web_fixture_start("127.0.0.1:0", fixture->store);
	*state = fixture;
	return 0;
}

int web_fixture_tear_down(void **state)
{
	struct web_fixture *fixture = *state;
	web_stop(fixture->web);
	free(fixture);
	assert_int_equal(fake_store_open_count(), 0);
	return 0;
}

struct answer web_fixture_get_until(const struct web_fixture *fixture, const char *path,
				    const char *text, bool is_wanted)
{
	for (int waited_ms = 0;; waited_ms += WEB_FIXTURE_LOOK_MS) {
		struct answer answer = client_get(web_address(fixture->web), path);
		assert_non_null(answer.body);
		if ((strstr(answer.body, text) != NULL) == is_wanted)
			return answer;
		if (waited_ms > WEB_FIXTURE_PATIENCE_MS)
			fail_msg("%s: waited in vain for \"%s\"; got: %s", path, text, answer.body);
		answer_finish(&answer);
		(void)usleep(WEB_FIXTURE_LOOK_MS * 1000);
	}
}
