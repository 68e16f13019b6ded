#include "fixture.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/dsn.h"
#include "config/service_file.h"

struct compose_case {
	const char *name;
	const char *dsn;
	struct dsn_part parts[3];
	const char *composed;
	const char *masked;
};

static const struct compose_case compose_cases[] = {
	{"nothing", NULL, {{NULL, NULL, false}}, "", ""},
	{"parts alone",
	 NULL,
	 {{"host", "h", false}, {"password", "p", false}},
	 "password='p' host='h'",
	 "password=*** host=h"},
	{"an empty part is none", NULL, {{"host", "", false}}, "", ""},
	{"quotes and backslashes",
	 NULL,
	 {{"password", "it's \\ odd", false}},
	 "password='it\\'s \\\\ odd'",
	 "password=***"},
	{"parts fill",
	 "host=h",
	 {{"host", "other", false}, {"user", "u", false}},
	 "user='u' host='h'",
	 "user=u host=h"},
	{"parts that win", "host=h", {{"host", "other", true}}, "host='other'", "host=other"},
	{"a URI",
	 "postgresql://u:p%40ss@h:5/n?sslmode=require",
	 {{NULL, NULL, false}},
	 "user='u' password='p@ss' dbname='n' host='h' port='5' sslmode='require'",
	 "user=u password=*** dbname=n host=h port=5 sslmode=require"},
	{"several hosts",
	 "host=a,b port=1,2",
	 {{NULL, NULL, false}},
	 "host='a,b' port='1,2'",
	 "host=a,b port=1,2"},
};

static void composes(void **state)
{
	const struct compose_case *row = *state;
	size_t count = 0;
	while (count < 3 && row->parts[count].keyword != NULL)
		count++;
	char *composed = dsn_compose(row->dsn, row->parts, count);
	char *masked = dsn_mask(composed);
	char *again = dsn_compose(composed, NULL, 0);
	assert_string_equal(composed, row->composed);
	assert_string_equal(masked, row->masked);
	assert_string_equal(again, composed); /* libpq reads what we wrote as we meant it */
	free(composed);
	free(masked);
	free(again);
}

struct check_case {
	const char *name;
	const char *dsn;
	const char *message; /* NULL: fine */
};

static const struct check_case check_cases[] = {
	{"a URI", "postgres://h/n", NULL},
	{"key=value", "host=h dbname='a b'", NULL},
	{"a socket's folder", "postgresql://%2Fvar%2Frun/n", NULL},
	{"ports of several hosts, one of them by default", "host=a,b port=,5433", NULL},
	{"a port of nothing", "port=0", "its port is '0', expected 1 to 65535"},
	{"a port with letters", "port=54x", "its port is '54x', expected 1 to 65535"},
	{"a timeout that is none", "connect_timeout=soon",
	 "its connect_timeout is 'soon', expected seconds"},
	{"a timeout beyond libpq's numbers", "connect_timeout=2147483648",
	 "its connect_timeout is '2147483648', expected seconds"},
	{"a number beyond libpq's", "host=h keepalives_idle=99999999999",
	 "its keepalives_idle is '99999999999', expected a whole number"},
	{"libpq's largest number", "host=h tcp_user_timeout=2147483647", NULL},
	{"numeric addresses, one of them by name", "host=a,b,c hostaddr=192.0.2.7,,::1", NULL},
	{"an address with a scope", "hostaddr=fe80::1%lo", NULL},
	{"an address that is a name", "hostaddr=nonsense",
	 "its hostaddr is 'nonsense', expected numeric addresses such as 192.0.2.7"},
	{"the second address is one too long", "host=a,b hostaddr=192.0.2.7,192.0.2.7.1",
	 "its hostaddr is '192.0.2.7,192.0.2.7.1', expected numeric addresses such as 192.0.2.7"},
	{"a service", "service=known", NULL},
	{"a service of a URI", "postgresql://u@/n?service=known", NULL},
	{"a service that nobody defines", "service=nope",
	 "its service is 'nope', expected one of ~/.pg_service.conf or PGSERVICEFILE: "
	 "definition of service \"nope\" not found"},
	{"an unclosed quote", "password='sesame",
	 "unterminated quoted string in connection info string; "
	 "expected postgresql://host:port/name or key=value"},
	{"a bad escape", "postgres://u:se%zzsame@h/n",
	 "invalid percent-encoded token: \"…\"; expected postgresql://host:port/name or "
	 "key=value"},
	{"a key that may be a password", "host=h sesame=x",
	 "invalid connection option \"sesame\"; expected postgresql://host:port/name or "
	 "key=value"},
	{"no UTF-8", "host=\xff", "expected at most 16 KiB of UTF-8"},
};

static void write_services(const char *text)
{
	FILE *file = fopen("services", "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

static void checks(void **state)
{
	const struct check_case *row = *state;
	struct error err = {0};
	write_services("[known]\nhost=h\nsslmode=prefer\n");
	int result = dsn_check(row->dsn, &err);
	assert_int_equal(result, row->message == NULL ? 0 : -1);
	assert_string_equal(err.message, row->message == NULL ? "" : row->message);
}

static void a_service_file_that_is_wrong_is_said(void **state)
{
	(void)state;
	struct error err;
	write_services("[known]\nnonsense\n");
	assert_int_equal(dsn_check("service=known", &err), -1);
	assert_string_equal(
		err.message,
		"its service is 'known', expected one of ~/.pg_service.conf or PGSERVICEFILE: "
		"syntax error in service file \"services\", line 2");
	assert_int_equal(remove("services"), 0);
	assert_int_equal(dsn_check("service=known", &err), -1);
	assert_string_equal(
		err.message,
		"its service is 'known', expected one of ~/.pg_service.conf or PGSERVICEFILE: "
		"service file \"services\" not found");
}

/* On 127.0.0.1; its port in *ret_port. */
static int listen_quietly(int *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void an_ldap_server_is_not_asked(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *before; /* in the service file */
		const char *after;
		bool asks;
	} cases[] = {
		{"alone", "[known]\n", "", true},
		{"indented, with a fallback", "[other]\nhost=x\n[known]\n \t", "host=h\n", true},
		{"behind other lines", "# services\n\n[known]\nhost=h\n", "", true},
		{"of another service", "[other]\n", "[known]\nhost=h\n", false},
		{"of one with a longer name", "[known too]\n", "[known]\nhost=h\n", false},
		{"behind the first definition", "[known]\nhost=h\n[known]\n", "", false},
	};
	int port;
	int fd = listen_quietly(&port);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = {0};
		char text[256];
		(void)snprintf(text, sizeof(text), "%sldap://127.0.0.1:%d/o=a?b?sub?(c=d)\n%s",
			       cases[i].before, port, cases[i].after);
		write_services(text);
		if (service_file_asks_ldap("known") != cases[i].asks)
			fail_msg("%s", cases[i].name);
		if (dsn_check("service=known", &err) != 0)
			fail_msg("%s: %s", cases[i].name, err.message);
		if (accept(fd, NULL, NULL) >= 0)
			fail_msg("%s: the server was asked", cases[i].name);
	}
	assert_int_equal(close(fd), 0);
}

static void gets_a_keyword(void **state)
{
	(void)state;
	char *host = dsn_get("postgres://h/n", "host");
	assert_string_equal(host, "h");
	assert_null(dsn_get("postgres://h/n", "password"));
	assert_null(dsn_get("garbage", "host"));
	free(host);
}

static void refuses_one_that_is_too_long(void **state)
{
	(void)state;
	static char dsn[20000];
	struct error err;
	memset(dsn, 'x', sizeof(dsn) - 1);
	assert_int_equal(dsn_check(dsn, &err), -1);
	assert_string_equal(err.message, "expected at most 16 KiB of UTF-8");
}

int main(void)
{
	(void)setenv("PGSERVICEFILE", "services", 1);
	FIXTURE_ADD_TABLE(compose_cases, composes);
	FIXTURE_ADD_TABLE(check_cases, checks);
	FIXTURE_ADD(a_service_file_that_is_wrong_is_said);
	FIXTURE_ADD(an_ldap_server_is_not_asked);
	FIXTURE_ADD(gets_a_keyword);
	FIXTURE_ADD(refuses_one_that_is_too_long);
	return fixture_run("dsn");
}
