/*
 * No key of a sites file can smuggle: whatever goes into a request's head, a name or a path refuses CR, LF and NUL with one line each, and
 * those that may hold any text are sent in a way that holds them. Every key of the table has its row.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/site_entry.h"

/* In YAML's double quotes. */
static const char *const poisons[] = {
	"\\r",          "\\n",          "\\0",
	"\\r\\n",       "\\n\\r",       "\\r\\nX-Evil: 1",
	"\\nX-Evil: 1", "\\0X-Evil: 1", "\\r\\n\\r\\nGET /evil HTTP/1.1",
	"\\0\\r\\n",    "\\r\\0\\n",
};

enum { POISON_COUNT = sizeof(poisons) / sizeof(poisons[0]), PLACES_MAX = 7 };

struct key_case {
	const char *key;
	/* Where text may stand in it, each with one @ in double quotes. NULL: "a@" */
	const char *places[PLACES_MAX];
	bool is_free; /* holds any text but NUL: it is sent as a body, or is never sent */
};

static const struct key_case keys[] = {
	{.key = "url",
	 .places = {"\"http://a/@\"", "\"http://a@/\"", "\"http://u@:p@h/\"", "\"@http://a/\"",
		    "\"http://a/?q=@\"", "\"http://a/x@y\""}},
	{.key = "name"},
	{.key = "method", .places = {"\"GET@\"", "\"G@ET\"", "\"@GET\""}},
	{.key = "headers",
	 .places = {"{X-A: \"a@\"}", "{X-A: \"@a\"}", "{X-A: [b, \"a@b\"]}", "{\"X@\": a}",
		    "{\"@\": a}", "{Host: \"a@\"}"}},
	{.key = "body", .places = {"\"a@b\""}, .is_free = true},
	{.key = "body_file"},
	{.key = "form",
	 .places = {"{a: \"b@c\"}", "{\"a@b\": c}", "{a: [\"b@\"]}"},
	 .is_free = true},
	{.key = "basic_auth",
	 .places = {"{username: \"a@\", password: b}", "{username: a, password: \"b@c\"}",
		    "{username_file: \"a@\"}", "{username: a, password_file: \"b@\"}"}},
	{.key = "authorization",
	 .places = {"{credentials: \"a@b\"}", "{type: \"a@\", credentials: b}",
		    "{credentials_file: \"a@\"}"}},
	{.key = "bearer_token", .places = {"\"a@b\""}},
	{.key = "bearer_token_file"},
	{.key = "cookies", .places = {"{a: \"b@c\"}", "{\"a@\": b}"}},
	{.key = "user_agent", .places = {"\"a@b\""}},
	{.key = "pattern", .places = {"\"a@b\""}, .is_free = true},
	{.key = "valid_status_codes", .places = {"\"200@\"", "[\"200@-299\"]"}},
	{.key = "valid_http_versions", .places = {"[\"HTTP/1.1@\"]"}},
	{.key = "fail_if_ssl", .places = {"\"true@\""}},
	{.key = "fail_if_not_ssl", .places = {"\"true@\""}},
	{.key = "fail_if_body_not_matches_regexp", .places = {"[\"a@b\"]"}, .is_free = true},
	{.key = "fail_if_body_matches_regexp", .places = {"[\"a@b\"]"}, .is_free = true},
	{.key = "fail_if_body_not_contains", .places = {"[\"a@b\"]"}, .is_free = true},
	{.key = "fail_if_body_contains", .places = {"[\"a@b\"]"}, .is_free = true},
	{.key = "fail_if_body_smaller_than", .places = {"\"1@\""}},
	{.key = "fail_if_body_larger_than", .places = {"\"1@\""}},
	{.key = "fail_if_header_not_matches", .places = {"[{header: \"X@\", regexp: a}]"}},
	{.key = "fail_if_header_matches", .places = {"[{header: \"X@\", regexp: a}]"}},
	{.key = "fail_if_header_missing", .places = {"[\"X@\"]"}},
	{.key = "fail_if_header_present", .places = {"[\"X@\"]"}},
	{.key = "expect_json", .places = {"[{pointer: /a, equals: \"b@\"}]"}, .is_free = true},
	{.key = "fail_if_final_url_not_matches", .places = {"[\"a@b\"]"}, .is_free = true},
	{.key = "fail_if_final_url_matches", .places = {"[\"a@b\"]"}, .is_free = true},
	{.key = "interval", .places = {"\"30s@\""}},
	{.key = "timeout", .places = {"\"3s@\""}},
	{.key = "max_response_time", .places = {"\"3s@\""}},
	{.key = "time_limits", .places = {"{dns: \"3s@\"}", "{\"dns@\": 3s}"}},
	{.key = "max_document_age", .places = {"\"3s@\""}},
	{.key = "invert", .places = {"\"true@\""}},
	{.key = "retries", .places = {"\"1@\""}},
	{.key = "retry_after", .places = {"\"1s@\""}},
	{.key = "evidence", .places = {"\"1@\""}},
	{.key = "follow_redirects", .places = {"\"true@\""}},
	{.key = "max_redirects", .places = {"\"1@\""}},
	{.key = "labels", .places = {"{a: \"b@c\"}", "{\"a@\": b}"}},
	{.key = "compression", .places = {"\"gzip@\""}},
	{.key = "http_version", .places = {"\"1.1@\""}},
	{.key = "enable_http2", .places = {"\"true@\""}},
	{.key = "keepalive", .places = {"\"true@\""}},
	{.key = "tls_config",
	 .places = {"{server_name: \"a@b\"}", "{ca_file: \"a@\"}", "{cert_file: \"a@\"}",
		    "{key_file: \"a@\"}", "{min_version: \"TLS12@\"}", "{\"ca_file@\": a}",
		    "{ciphers: \"AES128-SHA@\"}"}},
	{.key = "resolve", .places = {"{\"a@b\": 127.0.0.1}", "{a: \"127.0.0.1@\"}"}},
	{.key = "ip_protocol", .places = {"\"4@\""}},
	{.key = "preferred_ip_protocol", .places = {"\"ip4@\""}},
	{.key = "ip_protocol_fallback", .places = {"\"true@\""}},
	{.key = "source_address", .places = {"\"127.0.0.1@\""}},
	{.key = "source_ip_address", .places = {"\"127.0.0.1@\""}},
	{.key = "dns_servers", .places = {"\"127.0.0.1@\"", "[\"127.0.0.1:53@\"]"}},
	{.key = "proxy",
	 .places = {"\"http://p@/\"", "\"http://u@:s@h:3128\"", "\"http://p:3128@\"", "\"none@\"",
		    "\"socks5h://p:3128@\""}},
	{.key = "proxy_url", .places = {"\"http://p@/\""}},
	{.key = "proxy_headers", .places = {"{a: \"b@c\"}", "{\"a@\": b}", "{a: [b, \"c@\"]}"}},
	{.key = "proxy_connect_header", .places = {"{a: \"b@c\"}"}},
	{.key = "no_proxy", .places = {"\"a.test@\"", "[\"10.0.0.0/8@\"]"}},
	{.key = "allow_private", .places = {"\"true@\""}},
	{.key = "deny_cidrs", .places = {"\"10.0.0.0/8@\"", "[\"::1@\"]"}},
	{.key = "addresses", .places = {"\"all@\""}},
	{.key = "addresses_needed", .places = {"\"1@\""}},
	{.key = "insecure_skip_verify", .places = {"\"true@\""}},
	{.key = "ca_file"},
	{.key = "cert_expiry_warn", .places = {"\"1d@\""}},
	{.key = "cert_expiry_fail", .places = {"\"1d@\""}},
	{.key = "chain_expiry_warn", .places = {"\"1d@\""}},
	{.key = "chain_expiry_fail", .places = {"\"1d@\""}},
	{.key = "fail_if_cert_issuer_not_matches", .places = {"[\"a@b\"]"}, .is_free = true},
	{.key = "fail_if_cert_issuer_matches", .places = {"[\"a@b\"]"}, .is_free = true},
	{.key = "cert_sha256",
	 .places = {"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef@\""}},
	{.key = "match_bytes", .places = {"\"1@\""}},
	{.key = "max_body_bytes", .places = {"\"1@\""}},
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

/* place with the poison for its first @. */
static char *fill(const char *place, const char *poison)
{
	const char *at = strchr(place, '@');
	return xasprintf("%.*s%s%s", (int)(at - place), place, poison, at + 1);
}

static size_t count_lines(const char *text)
{
	size_t count = 0;
	for (const char *at = text; *at != '\0'; at++)
		count += *at == '\n';
	return count;
}

static bool has_control(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if (((unsigned char)*at < ' ' && *at != '\n') || *at == 0x7F)
			return true;
	return false;
}

/* The complaints about a sites file with one such key; the caller's. */
static char *complaints_about(const char *key, const char *value)
{
	struct fixture fixture;
	char *text = xasprintf("[{%s%s: %s}]", strcmp(key, "url") == 0 ? "" : "url: http://a/, ",
			       key, value);
	struct fixture_input input = {.args = {"run", "s.yaml"}, .files = {{"s.yaml", text}}};
	fixture_read(&fixture, &input);
	char *lines = xstrdup(fixture.problems.error_count > 0 ? fixture.lines : "");
	fixture_finish(&fixture);
	free(text);
	return lines;
}

static void every_key_has_its_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < entry_key_count; i++) {
		bool is_there = false;
		for (size_t j = 0; j < KEY_COUNT; j++)
			is_there |= strcmp(entry_keys[i].name, keys[j].key) == 0;
		if (!is_there)
			fail_msg("no row for `%s`", entry_keys[i].name);
	}
}

static void no_key_can_smuggle(void **state)
{
	const struct key_case *row = *state;
	for (size_t i = 0; i < PLACES_MAX && (i == 0 || row->places[i] != NULL); i++) {
		const char *place = row->places[i] == NULL ? "\"a@\"" : row->places[i];
		for (size_t j = 0; j < POISON_COUNT; j++) {
			char *value = fill(place, poisons[j]);
			char *lines = complaints_about(row->key, value);
			bool is_fine = row->is_free && strstr(poisons[j], "\\0") == NULL;
			if (count_lines(lines) != (is_fine ? 0 : 1))
				fail_msg("%s: %s: '%s'", row->key, value, lines);
			if (has_control(lines) ||
			    strstr(lines, "s.yaml:1:") != (is_fine ? NULL : lines))
				fail_msg("%s: %s: '%s'", row->key, value, lines);
			free(lines);
			free(value);
		}
	}
}

/* Percent-encoded in a URL's user, which is decoded before it is sent. */
static void no_user_of_a_url_can_smuggle(void **state)
{
	(void)state;
	static const char *const codes[] = {"%00", "%0d", "%0a", "%0D%0A", "%0d%0aX:%201",
					    "%0",  "%7f", "%1B", "%01",    "%09"};
	static const char *const urls[] = {"\"http://u%s:p@a/\"", "\"http://u:p%s@a/\"",
					   "\"http://%s@a/\"", "\"https://u:%s@a/\""};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		bool is_fine = strcmp(codes[i], "%0") == 0; /* a percent sign */
		for (size_t j = 0; j < sizeof(urls) / sizeof(urls[0]); j++) {
			static const char *const url_keys[] = {"url", "proxy", "proxy_url"};
			char *value = xasprintf("%.*s%s%s", (int)(strstr(urls[j], "%s") - urls[j]),
						urls[j], codes[i], strstr(urls[j], "%s") + 2);
			for (size_t k = 0; k < 3; k++) {
				char *lines = complaints_about(url_keys[k], value);
				if (count_lines(lines) != (is_fine ? 0 : 1))
					fail_msg("%s: %s: '%s'", url_keys[k], value, lines);
				if (!is_fine && strstr(lines, "control character") == NULL)
					fail_msg("%s: %s: '%s'", url_keys[k], value, lines);
				if (strstr(lines, codes[i]) != NULL)
					fail_msg("%s: %s: '%s'", url_keys[k], value, lines);
				free(lines);
			}
			free(value);
		}
	}
}

/* What a file says is held to the same. */
static void no_file_can_smuggle(void **state)
{
	(void)state;
	static const char *const sites[] = {
		"[{url: http://a/, bearer_token_file: f}]",
		"[{url: http://a/, authorization: {credentials_file: f}}]",
		"[{url: http://a/, basic_auth: {username_file: f}}]",
		"[{url: http://a/, basic_auth: {username: a, password_file: f}}]",
	};
	static const struct {
		const char *text;
		size_t length;
	} files[] = {{"a\rb", 3},  {"a\nb", 3}, {"a\r\nX: b", 7}, {"a\0b", 3},
		     {"\r\nb", 3}, {"a\0", 2},  {"\0", 1}};
	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
		for (size_t j = 0; j < sizeof(files) / sizeof(files[0]); j++) {
			struct fixture fixture;
			struct fixture_input input = {
				.args = {"run", "s.yaml"},
				.files = {{"f", files[j].text}, {"s.yaml", sites[i]}},
				.length = files[j].length};
			fixture_read(&fixture, &input);
			if (fixture.problems.error_count != 1 || count_lines(fixture.lines) != 1 ||
			    has_control(fixture.lines))
				fail_msg("%s, file %zu: '%s'", sites[i], j, fixture.lines);
			fixture_finish(&fixture);
		}
	}
}

/* Settings of the command line and of variables. */
static void no_setting_can_smuggle(void **state)
{
	(void)state;
	static const struct fixture_input inputs[] = {
		{.args = {"run", "http://a/\r\nX: 1"}},
		{.args = {"run", "--url", "http://u%0d%0a@a/"}},
		{.args = {"run"}, .environment = {"WEBSENTRY_SITES=http://u%00:p@a/"}},
		{.args = {"check", "http://a/", "--set", "method=GET\r\nX: 1"}},
		{.args = {"check", "http://a/", "--set", "user_agent=\"a\\r\\nb\""}},
		{.args = {"check", "http://a/", "--set", "headers={X: \"a\\nb\"}"}},
		{.args = {"check", "http://a/", "--set", "cookies={a: \"b\\r\"}"}},
		{.args = {"check", "http://a/", "--set", "bearer_token=\"b\\0c\""}},
		{.args = {"run", "http://a/", "--location", "a\nb"}},
		{.args = {"run", "http://a/", "--host", "a\rb"}},
		{.args = {"run", "http://a/", "--deny-cidrs", "::1\n"}},
	};
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		struct fixture fixture;
		fixture_read(&fixture, &inputs[i]);
		if (fixture.problems.error_count != 1 || count_lines(fixture.lines) != 1 ||
		    has_control(fixture.lines))
			fail_msg("%zu: '%s'", i, fixture.lines);
		fixture_finish(&fixture);
	}
}

int main(void)
{
	FIXTURE_ADD(every_key_has_its_row);
	FIXTURE_ADD(no_user_of_a_url_can_smuggle);
	FIXTURE_ADD(no_file_can_smuggle);
	FIXTURE_ADD(no_setting_can_smuggle);
	FIXTURE_ADD_TABLE(keys, no_key_can_smuggle);
	return fixture_run("sites_injection");
}
