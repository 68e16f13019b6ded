#include "request_cases.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/memory.h"
#include "check/request.h"
#include "name_server.h"
#include "peer.h"

struct request_world request_cases_world;

static void set_method(struct site *site, const char *method)
{
	free(site->method);
	site->method = xstrdup(method);
}

static void set_body(struct site *site, const char *method, const char *body, size_t length)
{
	set_method(site, method);
	site->body = xcalloc(1, length + 1);
	memcpy(site->body, body, length);
	site->body_length = length;
}

static void add_header(struct site *site, const char *name, const char *value)
{
	site->headers =
		xreallocarray(site->headers, site->header_count + 1, sizeof(site->headers[0]));
	site->headers[site->header_count++] =
		(struct site_header){.name = xstrdup(name), .value = xstrdup(value)};
}

struct curl_slist *__real_curl_slist_append(struct curl_slist *list, const char *line);
struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *line);

/* There is no memory for this one. */
struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *line)
{
	return strncmp(line, "X-Large:", 8) == 0 ? NULL : __real_curl_slist_append(list, line);
}

static void want_too_much_memory(struct site *site)
{
	add_header(site, "X-First", "1");
	add_header(site, "X-Large", "2");
	add_header(site, "X-Last", "3");
}

static void ask_plainly(struct site *site)
{
	(void)site;
}

static void ask_search(struct site *site)
{
	set_method(site, "M-Search");
}

static void ask_delete_with_body(struct site *site)
{
	set_body(site, "DELETE", "x", 1);
}

static void send_bytes(struct site *site)
{
	set_body(site, "POST", "a\0\r\n\xff!", 6);
}

static void send_nothing(struct site *site)
{
	set_body(site, "POST", "", 0);
}

static void send_form(struct site *site)
{
	set_body(site, "POST", "a=1&b=x+y", 9);
	add_header(site, "Content-Type", "application/x-www-form-urlencoded");
}

static void repeat_headers(struct site *site)
{
	add_header(site, "X-Tag", "one");
	add_header(site, "X-Other", "between");
	add_header(site, "X-Tag", "two");
	add_header(site, "X-Empty", "");
	add_header(site, "X-Tag", "one");
}

static void replace_own_headers(struct site *site)
{
	add_header(site, "Accept", "text/html");
	add_header(site, "User-Agent", "probe/1 (x)");
	add_header(site, "Host", "other.test");
}

static void expect_continue(struct site *site)
{
	set_body(site, "POST", "x", 1);
	add_header(site, "Expect", "something");
}

static void send_secrets(struct site *site)
{
	add_header(site, "Authorization", "Bearer s3cret");
	add_header(site, "X-Api-Key", "s3cret");
	add_header(site, "X-Session-Token", "s3cret");
	add_header(site, "Proxy-Authorization", "s3cret");
	add_header(site, "Cookie", "a=s3cret; b=2");
	add_header(site, "X-Forwarded", "Bearer s3cret");
	add_header(site, "X-Back", "https://me:s3cret@a.test/");
	add_header(site, "X-Keyboard", "plain");
}

static void post_secrets(struct site *site)
{
	set_body(site, "POST", "hello", 5);
	send_secrets(site);
}

static void want_no_compression(struct site *site)
{
	request_make(site)->accept_encoding = xstrdup("");
}

static void want_gzip(struct site *site)
{
	request_make(site)->accept_encoding = xstrdup("gzip");
}

static void want_http_1_1(struct site *site)
{
	request_make(site)->http = REQUEST_HTTP_1_1;
}

static void want_http_2(struct site *site)
{
	request_make(site)->http = REQUEST_HTTP_2;
}

static void show_certificate(struct site *site)
{
	struct request *request = request_make(site);
	request->cert_file = xstrdup(request_cases_world.cert_file);
	request->key_file = xstrdup(request_cases_world.key_file);
}

static void show_certificate_with_a_key_of_another(struct site *site)
{
	struct request *request = request_make(site);
	request->cert_file = xstrdup(request_cases_world.cert_file);
	request->key_file = xstrdup(request_cases_world.other_key_file);
}

static void show_no_certificate_at_all(struct site *site)
{
	struct request *request = request_make(site);
	request->cert_file = xstrdup("/nowhere/client.pem");
	request->key_file = xstrdup(request_cases_world.key_file);
}

static void name_server(struct site *site)
{
	request_make(site)->server_name = xstrdup("named.test");
}

static void name_server_and_host(struct site *site)
{
	name_server(site);
	add_header(site, "Host", "virtual.test");
}

static void name_server_otherwise(struct site *site)
{
	request_make(site)->server_name = xstrdup("other.test");
}

static void want_tls_1_2(struct site *site)
{
	request_make(site)->tls_max = REQUEST_TLS_1_2;
}

static void want_tls_1_3(struct site *site)
{
	request_make(site)->tls_min = REQUEST_TLS_1_3;
}

static void take_old_tls(struct site *site)
{
	request_make(site)->tls_min = REQUEST_TLS_1_0;
}

static void pin(struct site *site, const char *name, const char *first, const char *second)
{
	struct request_host host = {.name = xstrdup(name),
				    .addresses = xcalloc(2, sizeof(host.addresses[0]))};
	host.addresses[host.address_count++] = xstrdup(first);
	if (second != NULL)
		host.addresses[host.address_count++] = xstrdup(second);
	request_set_host(request_make(site), &host);
}

static void pin_host(struct site *site)
{
	pin(site, "pinned.test", "127.0.0.1", NULL);
}

/* Nobody listens at the first one. */
static void pin_two(struct site *site)
{
	pin(site, "pinned.test", "127.0.0.9", "127.0.0.1");
}

static void pin_another(struct site *site)
{
	pin(site, "another.test", "127.0.0.9", NULL);
}

static void prefer_ip_4(struct site *site)
{
	request_make(site)->family = REQUEST_FAMILY_4;
}

static void prefer_ip_6(struct site *site)
{
	request_make(site)->family = REQUEST_FAMILY_6;
}

static void want_ip_6(struct site *site)
{
	prefer_ip_6(site);
	request_make(site)->is_family_only = true;
}

static void want_ip_6_pinned(struct site *site)
{
	want_ip_6(site);
	pin(site, "pinned.test", "127.0.0.1", "::1");
}

static void connect_from_2(struct site *site)
{
	request_make(site)->source_4 = xstrdup("127.0.0.2");
}

static void connect_from_a_stranger(struct site *site)
{
	request_make(site)->source_4 = xstrdup("192.0.2.77");
}

static void connect_from_ip_6(struct site *site)
{
	request_make(site)->source_6 = xstrdup("::1");
}

static struct request_proxy *use_proxy_at(struct site *site, const char *host, int port)
{
	struct request_proxy *proxy = xcalloc(1, sizeof(*proxy));
	proxy->host = xstrdup(host);
	proxy->port = port;
	proxy->is_host_ip = strcmp(host, "127.0.0.1") == 0;
	request_make(site)->proxy = proxy;
	return proxy;
}

static void use_proxy(struct site *site)
{
	(void)use_proxy_at(site, "127.0.0.1", peer_port(request_cases_world.other_origin));
}

static void use_proxy_with_secrets(struct site *site)
{
	struct request_proxy *proxy =
		use_proxy_at(site, "four.test", peer_port(request_cases_world.other_origin));
	proxy->username = xstrdup("me");
	proxy->password = xstrdup("p:1");
	add_header(site, "Authorization", "Bearer s3cret");
	add_header(site, "X-Api-Key", "s3cret");
}

static void use_proxy_and_server_name(struct site *site)
{
	use_proxy(site);
	name_server(site);
}

/* What became of a file after the sites were read. */
static void trust_a_pipe(struct site *site)
{
	free(site->ca_file);
	site->ca_file = xstrdup(request_cases_world.pipe_file);
}

static void show_a_pipe(struct site *site)
{
	struct request *request = request_make(site);
	request->cert_file = xstrdup(request_cases_world.pipe_file);
	request->key_file = xstrdup(request_cases_world.pipe_file);
}

static void use_tls_proxy(struct site *site)
{
	use_proxy_at(site, "127.0.0.1", peer_port(request_cases_world.peers[TLS]))->is_https = true;
}

static void use_tls_proxy_by_name(struct site *site)
{
	use_proxy_at(site, "named.test", peer_port(request_cases_world.peers[TLS_NAMED]))
		->is_https = true;
	pin(site, "named.test", "127.0.0.1", NULL);
}

static void use_tls_proxy_by_a_wrong_name(struct site *site)
{
	use_proxy_at(site, "four.test", peer_port(request_cases_world.peers[TLS_NAMED]))->is_https =
		true;
}

static void use_dead_proxy(struct site *site)
{
	(void)use_proxy_at(site, "127.0.0.1", peer_refused_port());
}

static void use_unknown_proxy(struct site *site)
{
	(void)use_proxy_at(site, "nobody.test", 3128);
}

static void use_proxy_but_here(struct site *site)
{
	use_dead_proxy(site);
	struct request *request = request_make(site);
	request->no_proxy = xcalloc(2, sizeof(request->no_proxy[0]));
	request->no_proxy[request->no_proxy_count++] = xstrdup("a.test");
	request->no_proxy[request->no_proxy_count++] = xstrdup("127.0.0.0/8");
}

static void ask_other_servers(struct site *site)
{
	request_make(site)->dns_servers =
		xstrdup(name_server_address(request_cases_world.other_server));
}

static void ask_missing_servers(struct site *site)
{
	request_make(site)->dns_servers = xasprintf("127.0.0.1:%d", peer_refused_port());
}

const struct request_case request_cases[] = {
#include "request.inc"
};

const size_t request_case_count = sizeof(request_cases) / sizeof(request_cases[0]);
