/* The resolver by itself: what the system's settings say, also when they change while it runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ares.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "name_server.h"
#include "probe/resolver.h"
#include "probe/resolver_private.h"

/* Settings can't name a port, so servers need addresses of their own on port 53, which only root may take. */
#define FIRST_SERVER "127.83.69.1"
#define SECOND_SERVER "127.83.69.2"
#define ABSENT_SERVER "127.83.69.3"
#define SILENT_SERVER "127.83.69.4"

enum {
	PATIENCE_US = 60 * CLOCK_US_PER_S,
	FAMILY_US = 200 * CLOCK_US_PER_MS,
	LOST_US = 1 * CLOCK_US_PER_S, /* what a question without an answer costs */
};

static const struct name_record first_names[] = {
	{.name = "moving.test", .addresses = {"192.0.2.1"}},
	{.name = "many.test",
	 .addresses = {"192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2"}},
	{.name = "only-four.test", .addresses = {"192.0.2.4"}, .silent_type = 28},
	{.name = "only-six.test", .addresses = {"2001:db8::6"}, .silent_type = 1},
	{.name = NULL},
};
static const struct name_record second_names[] = {
	{.name = "moving.test", .addresses = {"192.0.2.2"}},
	{.name = NULL},
};

static const struct name_record silent_names[] = {
	{.name = "moving.test", .is_silent = true},
	{.name = NULL},
};
/* The same server, back again. */
static const struct name_record back_names[] = {
	{.name = "moving.test", .addresses = {"192.0.2.3"}},
	{.name = NULL},
};

struct answer {
	bool is_there;
	enum resolver_result result;
	struct resolver_address addresses[RESOLVER_FOUND_MAX];
	size_t count;
};

struct world {
	uv_loop_t loop;
	struct resolver *resolver;
	struct name_server *first;
	struct name_server *second;
	struct name_server *silent;
	char settings[64];
};

static void on_resolved(void *context, enum resolver_result result,
			const struct resolver_address *addresses, size_t count, const char *message)
{
	(void)message;
	struct answer *answer = context;
	answer->is_there = true;
	answer->result = result;
	answer->count = count;
	if (count > 0)
		memcpy(answer->addresses, addresses, count * sizeof(addresses[0]));
}

static struct answer ask(struct world *world, const char *name)
{
	struct answer answer = {0};
	(void)resolver_start(world->resolver, name, FAMILY_US, on_resolved, &answer);
	while (!answer.is_there)
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	return answer;
}

/* As the tools of a system do it: a new file in the place of the old one. */
static void write_settings(struct world *world, const char *server)
{
	char fresh[80];
	(void)snprintf(fresh, sizeof(fresh), "%s.new", world->settings);
	FILE *file = fopen(fresh, "w");
	assert_non_null(file);
	(void)fprintf(file, "nameserver %s\n", server);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(fresh, world->settings), 0);
}

static int set_up(void **state)
{
	static struct world world;
	world = (struct world){0};
	(void)ares_library_init(ARES_LIB_INIT_ALL);
	(void)snprintf(world.settings, sizeof(world.settings), "/tmp/websentry-resolv-XXXXXX");
	int fd = mkstemp(world.settings);
	if (fd < 0 || uv_loop_init(&world.loop) != 0)
		return -1;
	(void)close(fd);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	if (world->resolver != NULL)
		resolver_close(world->resolver);
	(void)uv_run(&world->loop, UV_RUN_DEFAULT);
	resolver_destroy(world->resolver);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	if (world->first != NULL)
		name_server_stop(world->first);
	if (world->second != NULL)
		name_server_stop(world->second);
	if (world->silent != NULL)
		name_server_stop(world->silent);
	(void)unlink(world->settings);
	return 0;
}

static void start_servers(struct world *world)
{
	world->first = name_server_start_at(FIRST_SERVER, 53, first_names);
	world->second = name_server_start_at(SECOND_SERVER, 53, second_names);
	if (world->first == NULL || world->second == NULL)
		skip();
}

/* Two name servers, and a resolver whose settings name this one. */
static void start_with(struct world *world, const char *server)
{
	struct error err;
	start_servers(world);
	write_settings(world, server);
	world->resolver = resolver_create(&world->loop, NULL, world->settings, &err);
	assert_non_null(world->resolver);
}

/* Each look-up is fresh: sooner or later one goes to the server that the settings name now. */
static void changed_settings_are_used(void **state)
{
	struct world *world = *state;
	start_with(world, FIRST_SERVER);
	assert_string_equal(ask(world, "moving.test").addresses[0].text, "192.0.2.1");
	write_settings(world, SECOND_SERVER);
	mono_us end = clock_mono_us() + PATIENCE_US;
	while (strcmp(ask(world, "moving.test").addresses[0].text, "192.0.2.2") != 0)
		assert_true(clock_mono_us() < end);
}

/* A prober that was started before the network. */
static void settings_may_come_late(void **state)
{
	struct world *world = *state;
	start_with(world, ABSENT_SERVER);
	assert_int_equal(ask(world, "moving.test").result, RESOLVER_NO_ANSWER);
	write_settings(world, FIRST_SERVER);
	mono_us end = clock_mono_us() + PATIENCE_US;
	while (ask(world, "moving.test").result != RESOLVER_FOUND)
		assert_true(clock_mono_us() < end);
}

static void families_take_turns(void **state)
{
	struct world *world = *state;
	start_with(world, FIRST_SERVER);
	struct answer answer = ask(world, "many.test");
	assert_int_equal(answer.count, 4);
	for (size_t i = 1; i < answer.count; i++) {
		bool is_six = strchr(answer.addresses[i].text, ':') != NULL;
		bool was_six = strchr(answer.addresses[i - 1].text, ':') != NULL;
		assert_int_not_equal(is_six, was_six);
	}
}

/* Drop a look-up of one name, wait for one of another: only that is told. */
static void drop_and_ask(struct world *world, const char *dropped_name, const char *asked_name)
{
	struct answer dropped = {0};
	struct resolve *resolve =
		resolver_start(world->resolver, dropped_name, 0, on_resolved, &dropped);
	assert_non_null(resolve);
	assert_int_equal(resolver_drop(resolve), RESOLVER_NO_ANSWER);
	assert_int_equal(ask(world, asked_name).result, RESOLVER_FOUND);
	assert_false(dropped.is_there);
}

static void dropped_look_up_is_not_told(void **state)
{
	start_with(*state, FIRST_SERVER);
	drop_and_ask(*state, "many.test", "moving.test");
}

/* Neither waits until c-ares has given up the other family, which is after 15 s. */
static void one_family_is_enough(void **state)
{
	static const char *const names[] = {"only-four.test", "only-six.test"};
	static const char *const addresses[] = {"192.0.2.4", "2001:db8::6"};
	struct world *world = *state;
	start_with(world, FIRST_SERVER);
	for (int i = 0; i < 2; i++) {
		mono_us began = clock_mono_us();
		struct answer answer = ask(world, names[i]);
		assert_int_equal(answer.result, RESOLVER_FOUND);
		assert_int_equal(answer.count, 1);
		assert_string_equal(answer.addresses[0].text, addresses[i]);
		assert_true(clock_mono_us() - began >= FAMILY_US);
	}
	assert_int_equal(ask(world, "nowhere.test").result, RESOLVER_NO_SUCH_NAME);
}

/* How long a look-up takes, of a name that is found. */
static mono_us time_of(struct world *world, const char *address)
{
	mono_us began = clock_mono_us();
	struct answer answer = ask(world, "moving.test");
	assert_int_equal(answer.result, RESOLVER_FOUND);
	assert_string_equal(answer.addresses[0].text, address);
	return clock_mono_us() - began;
}

/* A look-up that waits for nobody, now or, of a busy machine, soon. */
static void expect_quick(struct world *world, const char *address)
{
	for (int i = 0; time_of(world, address) >= LOST_US; i++)
		assert_true(i < 5);
}

/* A first server that is silent, and two that live. */
static void start_with_silent(struct world *world)
{
	world->silent = name_server_start_at(SILENT_SERVER, 53, silent_names);
	if (world->silent == NULL)
		skip();
	start_with(world, SILENT_SERVER "\nnameserver " SECOND_SERVER "\nnameserver " FIRST_SERVER);
}

static void silent_server_costs_two_look_ups(void **state)
{
	struct world *world = *state;
	start_with_silent(world);
	assert_true(time_of(world, "192.0.2.2") >= LOST_US);
	assert_true(time_of(world, "192.0.2.2") >= LOST_US);
	expect_quick(world, "192.0.2.2");
	expect_quick(world, "192.0.2.2");
}

/* Whoever can't wait for the second server has it asked all the same. */
static void dropped_look_ups_find_the_server_that_lives(void **state)
{
	struct world *world = *state;
	start_with_silent(world);
	for (int i = 0; i < 2; i++) {
		struct answer dropped = {0};
		struct resolve *resolve = resolver_start(world->resolver, "moving.test",
							 PATIENCE_US, on_resolved, &dropped);
		(void)resolver_drop(resolve);
	}
	while (!world->resolver->order.is_changed)
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	expect_quick(world, "192.0.2.2");
}

static void server_that_is_back_is_the_first_again(void **state)
{
	struct world *world = *state;
	start_with_silent(world);
	for (int i = 0; i < 2; i++)
		assert_true(time_of(world, "192.0.2.2") >= LOST_US);
	assert_true(world->resolver->order.is_changed);
	/* a minute later it is still silent: nobody waits for that */
	world->resolver->order.tried_at -= 2 * PATIENCE_US;
	expect_quick(world, "192.0.2.2");
	assert_true(world->resolver->order.is_changed);
	name_server_stop(world->silent);
	world->silent = name_server_start_at(SILENT_SERVER, 53, back_names);
	assert_non_null(world->silent);
	world->resolver->order.tried_at -= 2 * PATIENCE_US;
	assert_int_equal(ask(world, "moving.test").result, RESOLVER_FOUND);
	while (world->resolver->order.is_changed)
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	expect_quick(world, "192.0.2.3");
}

static void new_settings_have_their_own_order(void **state)
{
	struct world *world = *state;
	start_with_silent(world);
	for (int i = 0; i < 2; i++)
		assert_true(time_of(world, "192.0.2.2") >= LOST_US);
	write_settings(world, FIRST_SERVER "\nnameserver " SECOND_SERVER);
	mono_us end = clock_mono_us() + PATIENCE_US;
	while (strcmp(ask(world, "moving.test").addresses[0].text, "192.0.2.1") != 0)
		assert_true(clock_mono_us() < end);
	assert_false(world->resolver->order.is_changed);
}

/* The resolver goes while its questions are open. */
static void dropped_look_up_of_one_family_ends(void **state)
{
	start_with(*state, FIRST_SERVER);
	drop_and_ask(*state, "only-four.test", "only-four.test");
}

#define RESOLVER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Port 53 may be somebody's at all addresses, or that of another run of this test: a network of our own, where we may have one. */
static void make_network(void)
{
	if (geteuid() == 0 && unshare(CLONE_NEWNET) == 0)
		(void)!system("exec ip link set lo up");
}

int main(void)
{
	make_network();
	const struct CMUnitTest tests[] = {
		RESOLVER_TEST(changed_settings_are_used),
		RESOLVER_TEST(settings_may_come_late),
		RESOLVER_TEST(families_take_turns),
		RESOLVER_TEST(dropped_look_up_is_not_told),
		RESOLVER_TEST(one_family_is_enough),
		RESOLVER_TEST(dropped_look_up_of_one_family_ends),
		RESOLVER_TEST(silent_server_costs_two_look_ups),
		RESOLVER_TEST(dropped_look_ups_find_the_server_that_lives),
		RESOLVER_TEST(server_that_is_back_is_the_first_again),
		RESOLVER_TEST(new_settings_have_their_own_order),
	};
	return cmocka_run_group_tests_name("probe_resolver", tests, NULL, NULL);
}
