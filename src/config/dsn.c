#include "config/dsn.h"

#include <libpq-fe.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/file.h"
#include "config/service_file.h"

enum { DSN_MAX = 16 * 1024, COMPOSED_MAX = 4 * DSN_MAX /* every byte quoted */ };

/* How libpq's messages begin whose own words are quoted, too. */
static const char *const quoting[] = {
	"missing \"=\" after ",
	"extra key/value separator \"=\" in URI query parameter: ",
	"missing key/value separator \"=\" in URI query parameter: ",
	"end of string reached when looking for matching \"]\" in IPv6 host address in URI: ",
};

/* How they begin where what is quoted next is a keyword. */
static const char *const naming[] = {
	"invalid connection option ",
	"invalid URI query parameter: ",
};

/* The length of the one that a message begins with; 0: with none. */
static size_t begins_with(const char *message, const char *const *beginnings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_starts_with(message, beginnings[i]))
			return strlen(beginnings[i]);
	return 0;
}

/*
 * libpq's message without what it quotes of the DSN, which may be a piece of a password, with quotation marks of its own;
 * only a plain keyword that is said to be unknown stays.
 */
static void set_parse_error(struct error *err, const char *message)
{
	size_t length = strcspn(message, "\n");
	size_t own = begins_with(message, quoting, sizeof(quoting) / sizeof(quoting[0]));
	const char *first = memchr(message + own, '"', length - own);
	const char *last = memrchr(message + own, '"', length - own);
	bool is_keyword = false;
	if (first == last) { /* nothing is quoted */
		error_set(err, ERROR_REJECT,
			  "%.*s; expected postgresql://host:port/name or key=value", (int)length,
			  message);
		return;
	}
	if (begins_with(message, naming, sizeof(naming) / sizeof(naming[0])) > 0)
		is_keyword = strspn(first + 1, "abcdefghijklmnopqrstuvwxyz_") ==
			     (size_t)(last - first - 1);
	error_set(err, ERROR_REJECT,
		  "%.*s\"%.*s\"%.*s; expected postgresql://host:port/name or key=value",
		  (int)(first - message), message, is_keyword ? (int)(last - first - 1) : 3,
		  is_keyword ? first + 1 : "…", (int)(message + length - last - 1), last + 1);
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (words[i] != NULL && strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* "5432", or one for each of several hosts: "5432,,5433". */
static bool are_ports(const char *text)
{
	for (const char *at = text;; at++) {
		size_t length = strcspn(at, ",");
		char *port = xstrndup(at, length);
		int64_t number = 1;
		bool is_good = length == 0 || text_parse_int64(port, &number) == 0;
		free(port);
		if (!is_good || number < 1 || number > 65535)
			return false;
		at += length;
		if (*at == '\0')
			return true;
	}
}

/* One numeric address, or one for each of several hosts; one that is empty is looked up by its host's name. */
static bool are_addresses(const char *text)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	for (const char *at = text;; at++) {
		size_t length = strcspn(at, ",");
		struct addrinfo *found = NULL;
		char *address = xstrndup(at, length);
		bool is_good = length == 0 || getaddrinfo(address, NULL, &hints, &found) == 0;
		free(address);
		if (found != NULL)
			freeaddrinfo(found);
		if (!is_good)
			return false;
		at += length;
		if (*at == '\0')
			return true;
	}
}

/*
 * Whether libpq finds a service: it looks when a connection is begun, so one is, with an sslmode that ends it before any
 * server is thought of. Only libpq knows what may stand in its files. It would ask an LDAP server that one names: no check
 * does that, and effective_database.c says so.
 */
static int check_service(const char *service, struct error *err)
{
	static const char *const keywords[] = {"service", "host", "sslmode", NULL};
	const char *values[] = {service, "/", "none", NULL};
	if (service_file_asks_ldap(service))
		return 0;
	PGconn *connection = PQconnectStartParams(keywords, values, 0);
	const char *reason = connection == NULL ? "out of memory" : PQerrorMessage(connection);
	bool is_found = strstr(reason, "sslmode") != NULL;
	if (!is_found)
		error_set(err, ERROR_REJECT,
			  "its service is '%.40s', expected one of ~/.pg_service.conf or "
			  "PGSERVICEFILE: %.*s",
			  service, (int)strcspn(reason, "\n"), reason);
	PQfinish(connection);
	return is_found ? 0 : -1;
}

/* The keywords whose value is one of a few words, and those of a whole number. */
static const struct {
	const char *keyword;
	const char *words[6];
	const char *expected;
} choices[] = {
	{"sslmode",
	 {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"},
	 "disable, allow, prefer, require, verify-ca or verify-full"},
	{"gssencmode", {"disable", "prefer", "require"}, "disable, prefer or require"},
	{"channel_binding", {"disable", "prefer", "require"}, "disable, prefer or require"},
	{"target_session_attrs",
	 {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"},
	 "any, read-write, read-only, primary, standby or prefer-standby"},
};
static const char *const numbers[] = {"keepalives", "keepalives_idle", "keepalives_interval",
				      "keepalives_count", "tcp_user_timeout"};

/* As libpq reads it, into an int, each time that it connects. */
static bool is_int(const char *text)
{
	int64_t number;
	return text_parse_int64(text, &number) == 0 && number >= INT_MIN && number <= INT_MAX;
}

static int check_choice(const PQconninfoOption *option, struct error *err)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (strcmp(option->keyword, choices[i].keyword) != 0 ||
		    is_one_of(option->val, choices[i].words, 6))
			continue;
		error_set(err, ERROR_REJECT, "its %s is '%.20s', expected %s", option->keyword,
			  option->val, choices[i].expected);
		return -1;
	}
	if (is_one_of(option->keyword, numbers, sizeof(numbers) / sizeof(numbers[0])) &&
	    !is_int(option->val)) {
		error_set(err, ERROR_REJECT, "its %s is '%.20s', expected a whole number",
			  option->keyword, option->val);
		return -1;
	}
	return 0;
}

/* What libpq finds out only when it connects, and we can see before. */
static int check_option(const PQconninfoOption *option, struct error *err)
{
	if (option->val == NULL || option->val[0] == '\0')
		return 0;
	if (strcmp(option->keyword, "port") == 0 && !are_ports(option->val)) {
		error_set(err, ERROR_REJECT, "its port is '%.20s', expected 1 to 65535",
			  option->val);
		return -1;
	}
	if (strcmp(option->keyword, "host") == 0 && dsn_is_whole(option->val)) {
		error_set(err, ERROR_REJECT,
			  "its host is a whole DSN, expected a name, an address or a socket's "
			  "folder");
		return -1;
	}
	if (strcmp(option->keyword, "dbname") == 0 && dsn_is_whole(option->val)) {
		error_set(err, ERROR_REJECT,
			  "its dbname is a whole DSN, expected a database's name");
		return -1;
	}
	if (strcmp(option->keyword, "hostaddr") == 0 && !are_addresses(option->val)) {
		error_set(err, ERROR_REJECT,
			  "its hostaddr is '%.60s', expected numeric addresses such as 192.0.2.7",
			  option->val);
		return -1;
	}
	if (strcmp(option->keyword, "service") == 0 && check_service(option->val, err) != 0)
		return -1;
	if (check_choice(option, err) != 0)
		return -1;
	if (strcmp(option->keyword, "connect_timeout") == 0 && !is_int(option->val)) {
		error_set(err, ERROR_REJECT, "its connect_timeout is '%.20s', expected seconds",
			  option->val);
		return -1;
	}
	bool is_file = strcmp(option->keyword, "sslrootcert") == 0 ||
		       strcmp(option->keyword, "sslcert") == 0 ||
		       strcmp(option->keyword, "sslkey") == 0;
	if (is_file && file_check_readable(option->val, err) != 0) {
		error_prefix(err, "its %s: ", option->keyword);
		return -1;
	}
	return 0;
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *at = options; at->keyword != NULL; at++)
		if (strcmp(at->keyword, keyword) == 0)
			return text_is_empty(at->val) ? NULL : at->val;
	return NULL;
}

static int count_listed(const char *list)
{
	int count = 1;
	for (const char *at = list; *at != '\0'; at++)
		count += *at == ',';
	return count;
}

/* A port for all hosts, or one for each; an address for each host that has a name. Hosts may come from elsewhere. */
static int check_lists(const PQconninfoOption *options, struct error *err)
{
	const char *hosts = value_of(options, "host");
	const char *addresses = value_of(options, "hostaddr");
	const char *ports = value_of(options, "port");
	if (hosts == NULL && addresses == NULL)
		return 0;
	int host_count = count_listed(addresses != NULL ? addresses : hosts);
	int port_count = count_listed(ports != NULL ? ports : "");
	if (hosts != NULL && addresses != NULL && count_listed(hosts) != host_count) {
		error_set(err, ERROR_REJECT,
			  "its hosts are %d and its addresses %d, expected as many of each",
			  count_listed(hosts), host_count);
		return -1;
	}
	if (port_count != 1 && port_count != host_count) {
		error_set(err, ERROR_REJECT,
			  "its hosts are %d and its ports %d, expected one port or one for each",
			  host_count, port_count);
		return -1;
	}
	return 0;
}

static PQconninfoOption *parse(const char *dsn, struct error *err)
{
	char *message = NULL;
	PQconninfoOption *options = PQconninfoParse(dsn, &message);
	if (options == NULL)
		set_parse_error(err, message == NULL ? "out of memory" : message);
	PQfreemem(message);
	return options;
}

int dsn_check(const char *dsn, struct error *err)
{
	if (strlen(dsn) > DSN_MAX || !text_is_utf8(dsn, strlen(dsn))) {
		error_set(err, ERROR_REJECT, "expected at most %d KiB of UTF-8", DSN_MAX / 1024);
		return -1;
	}
	PQconninfoOption *options = parse(dsn, err);
	if (options == NULL)
		return -1;
	int result = 0;
	for (const PQconninfoOption *at = options; result == 0 && at->keyword != NULL; at++)
		result = check_option(at, err);
	if (result == 0)
		result = check_lists(options, err);
	PQconninfoFree(options);
	return result;
}

/* Whether a text begins with "keyword=", one of libpq's. */
static bool begins_with_keyword(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
	bool is_keyword = false;
	if (text[length] != '=')
		return false;
	PQconninfoOption *options = PQconninfoParse("", NULL); /* all of them */
	for (const PQconninfoOption *at = options; at != NULL && at->keyword != NULL; at++)
		is_keyword = is_keyword || (strlen(at->keyword) == length &&
					    memcmp(at->keyword, text, length) == 0);
	PQconninfoFree(options);
	return is_keyword;
}

/*
 * Also where it does not parse, and so may have a password in any of its words: "sales password=sesame". A '=' alone may stand in
 * a name, as in "sales=2024".
 */
bool dsn_is_whole(const char *text)
{
	bool has_blank = strpbrk(text, " \t\r\n") != NULL;
	if (strstr(text, "://") != NULL)
		return true;
	return strchr(text, '=') != NULL && (has_blank || begins_with_keyword(text));
}

char *dsn_get(const char *dsn, const char *keyword)
{
	PQconninfoOption *options = parse(dsn, NULL);
	char *value = NULL;
	for (const PQconninfoOption *at = options; at != NULL && at->keyword != NULL; at++)
		if (strcmp(at->keyword, keyword) == 0 && !text_is_empty(at->val))
			value = xstrdup(at->val);
	PQconninfoFree(options);
	return value;
}

/* keyword='value', quoted as libpq reads it. */
static void append_part(struct buffer *out, const char *keyword, const char *value)
{
	if (out->length > 0)
		(void)buffer_append_char(out, ' ');
	(void)buffer_append_text(out, keyword);
	(void)buffer_append_text(out, "='");
	for (const char *at = value; *at != '\0'; at++) {
		if (*at == '\'' || *at == '\\')
			(void)buffer_append_char(out, '\\');
		(void)buffer_append_char(out, *at);
	}
	(void)buffer_append_char(out, '\'');
}

/* What an option is set to by the DSN and the parts; NULL for nothing. */
static const char *decide(const PQconninfoOption *option, const struct dsn_part *parts,
			  size_t count)
{
	const char *value = text_is_empty(option->val) ? NULL : option->val;
	for (size_t i = 0; i < count; i++)
		if (strcmp(parts[i].keyword, option->keyword) == 0 &&
		    !text_is_empty(parts[i].value) && (parts[i].wins || value == NULL))
			value = parts[i].value;
	return value;
}

char *dsn_compose(const char *dsn, const struct dsn_part *parts, size_t count)
{
	struct buffer out;
	buffer_init(&out, COMPOSED_MAX);
	/* An empty DSN is a valid one: all keywords, none of them set. */
	PQconninfoOption *options = parse(dsn == NULL ? "" : dsn, NULL);
	for (const PQconninfoOption *at = options; at != NULL && at->keyword != NULL; at++) {
		const char *value = decide(at, parts, count);
		if (value != NULL)
			append_part(&out, at->keyword, value);
	}
	PQconninfoFree(options);
	return buffer_take(&out);
}

char *dsn_mask(const char *dsn)
{
	struct buffer out;
	buffer_init(&out, COMPOSED_MAX);
	PQconninfoOption *options = parse(dsn, NULL);
	for (const PQconninfoOption *at = options; at != NULL && at->keyword != NULL; at++) {
		if (text_is_empty(at->val))
			continue;
		/* What was refused is shown, too: a DSN where a host belongs brings its password along. */
		bool is_secret =
			(at->dispchar != NULL && at->dispchar[0] == '*') || dsn_is_whole(at->val);
		if (out.length > 0)
			(void)buffer_append_char(&out, ' ');
		(void)buffer_append_format(&out, "%s=%s", at->keyword, is_secret ? "***" : at->val);
	}
	PQconninfoFree(options);
	return buffer_take(&out);
}
