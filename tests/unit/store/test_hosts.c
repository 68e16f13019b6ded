/* The servers that a DSN stands for, and what is said where none of them answers. No port that is used here is open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "store/postgres_connection.h"
#include "store/postgres_hosts.h"

/* "name/address/port …" of all that are found. */
static void describe(const char *dsn, char text[static 1024])
{
	struct postgres_host hosts[POSTGRES_HOSTS_MAX];
	size_t count = postgres_hosts_find(dsn, hosts);
	size_t length = 0;
	text[0] = '\0';
	for (size_t i = 0; i < count && length < 1024; i++)
		length += (size_t)snprintf(text + length, 1024 - length, "%s%s/%s/%s",
					   i == 0 ? "" : " ", hosts[i].name, hosts[i].address,
					   hosts[i].port);
	postgres_hosts_finish(hosts, count);
}

static void a_dsn_is_its_servers(void **state)
{
	(void)state;
	static const struct {
		const char *dsn;
		const char *wanted;
	} cases[] = {
		{"dbname=x", ""},
		{"no dsn at all", ""},
		{"host=127.0.0.1", "127.0.0.1/127.0.0.1/"},
		{"host=127.0.0.1,127.0.0.2 port=5,6",
		 "127.0.0.1/127.0.0.1/5 127.0.0.2/127.0.0.2/6"},
		{"host=127.0.0.1,127.0.0.2 port=5", "127.0.0.1/127.0.0.1/5 127.0.0.2/127.0.0.2/5"},
		{"host=127.0.0.1,127.0.0.2 port=,6", "127.0.0.1/127.0.0.1/ 127.0.0.2/127.0.0.2/6"},
		{"host=a,b hostaddr=127.0.0.1,127.0.0.2 port=5,6", "a/127.0.0.1/5 b/127.0.0.2/6"},
		{"hostaddr=127.0.0.1,127.0.0.2", "/127.0.0.1/ /127.0.0.2/"},
		{"host=/run/postgresql,127.0.0.1", "/run/postgresql// 127.0.0.1/127.0.0.1/"},
		{"host=@abstract,", "@abstract// //"},
		{"postgresql://[::1]:7,127.0.0.1:8/db", "::1/::1/7 127.0.0.1/127.0.0.1/8"},
		{"postgresql://u@127.0.0.1:7/db?port=9", "127.0.0.1/127.0.0.1/9"},
		{"host=a..b port=5", "a..b//5"}, /* no name: connecting says so */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024];
		describe(cases[i].dsn, text);
		if (strcmp(text, cases[i].wanted) != 0)
			fail_msg("%s: %s", cases[i].dsn, text);
	}
}

static void not_more_than_the_maximum(void **state)
{
	(void)state;
	char dsn[1024] = "host=127.0.0.1";
	for (int i = 0; i < 40; i++)
		(void)strncat(dsn, ",127.0.0.1", sizeof(dsn) - strlen(dsn) - 1);
	struct postgres_host hosts[POSTGRES_HOSTS_MAX];
	size_t count = postgres_hosts_find(dsn, hosts);
	assert_int_equal(count, POSTGRES_HOSTS_MAX);
	postgres_hosts_finish(hosts, count);
}

static void causes_are_put_together(void **state)
{
	(void)state;
	struct error causes = {.kind = ERROR_NONE};
	struct postgres_host hosts[POSTGRES_HOSTS_MAX];
	size_t count =
		postgres_hosts_find("host=a,/run,b hostaddr=127.0.0.1,,127.0.0.2 port=5,,5", hosts);
	assert_int_equal(count, 3);
	const struct error silent = {ERROR_RETRY, "PostgreSQL: no connection within 4 s"};
	const struct error refused = {
		ERROR_RETRY, "PostgreSQL: connection to server at \"127.0.0.2\", port 5 failed"};
	postgres_hosts_note(&causes, &hosts[0], &silent);
	postgres_hosts_note(&causes, &hosts[1], &(struct error){ERROR_REJECT, "nobody there"});
	postgres_hosts_note(&causes, &hosts[2], &refused);
	postgres_hosts_note(&causes, &hosts[2], &refused);
	assert_string_equal(
		causes.message,
		"PostgreSQL: 127.0.0.1 port 5: no connection within 4 s; /run: nobody there; "
		"connection to server at \"127.0.0.2\", port 5 failed");
	for (int i = 0; i < 200; i++) { /* cut at its end, whatever comes */
		struct error more = {.kind = ERROR_RETRY};
		(void)snprintf(more.message, sizeof(more.message), "cause %d", i);
		postgres_hosts_note(&causes, &hosts[0], &more);
	}
	assert_int_equal(strlen(causes.message), sizeof(causes.message) - 1);
	postgres_hosts_finish(hosts, count);
}

static void every_server_has_its_say(void **state)
{
	(void)state;
	struct postgres_connection connection;
	struct error err;
	assert_int_equal(postgres_connection_init(&connection, "host=127.0.0.1,127.0.0.1 port=1,2",
						  false, &err),
			 0);
	memset(&err, 'x', sizeof(err));
	assert_int_equal(postgres_connect(&connection, &err), -1);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_non_null(strstr(err.message, "port 1 failed"));
	assert_non_null(strstr(err.message, "; connection to server at \"127.0.0.1\", port 2"));
	postgres_interrupt(&connection);
	memset(&err, 'x', sizeof(err));
	assert_int_equal(postgres_connect(&connection, &err), -1);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.message, "PostgreSQL: interrupted");
	postgres_connection_finish(&connection);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dsn_is_its_servers),
		cmocka_unit_test(not_more_than_the_maximum),
		cmocka_unit_test(causes_are_put_together),
		cmocka_unit_test(every_server_has_its_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
