/* Sites files that are right: what a site says of its request, its credentials, its connection and the way there. */
#include "site_case.h"

#include <string.h>

/* What is sent: the headers as they will stand in the request. */
static const struct site_case request_cases[] = {
	{"a method of its own keeps its case", FILE_OF("[{url: http://a/, method: M-Search}]"),
	 "http://a/ method=M-Search\n", NULL},
	{"a method that is nearly another", FILE_OF("[{url: http://a/, method: GETT}]"),
	 "http://a/ method=GETT\n",
	 "warning s.yaml:1:27: found the method 'GETT', did you mean GET? It is sent as it "
	 "stands\n"},
	{"seconds for a certificate",
	 FILE_OF("[{url: https://a/, cert_expiry_warn: 30, cert_expiry_fail: 0, chain_expiry_warn: "
		 "10d, chain_expiry_fail: 86400}]"),
	 "https://a/ expiry=30000000 chain=864000000000/86400000000\n",
	 "warning s.yaml:1:38: found 30 seconds for `cert_expiry_warn`, did you mean 30d? A time "
	 "of "
	 "days ends in d\n"},
	{"a method in the defaults is warned of once",
	 FILE_OF("{defaults: {method: GETT}, sites: [http://a/]}"), "http://a/ method=GETT\n",
	 "warning s.yaml:1:21: found the method 'GETT', did you mean GET? It is sent as it "
	 "stands\n"},
	{"headers that repeat, in order",
	 FILE_OF("[{url: http://a/, headers: {B: [2, 1], A: 0, C: ['']}}]"),
	 "http://a/ B:2 B:1 A:0 C:\n", NULL},
	{"a site's headers replace all of the default's lines",
	 FILE_OF("{defaults: {headers: {X: [1, 2], Y: 3, x-z: 4}}, sites: [{url: http://a/, "
		 "headers: {x: 5, Y: [6, 7]}}]}"),
	 "http://a/ X:5 Y:6 x-z:4 Y:7\n", NULL},
	{"body from a file",
	 {.args = {"run", "s.yaml"},
	  .files = {{"s.yaml", "[{url: http://a/, method: PUT, body_file: b}]"}, {"b", "x\ny\n"}}},
	 "http://a/ method=PUT body='x\ny\n'\n",
	 NULL},
	{"an empty file is an empty body",
	 {.args = {"run", "s.yaml"},
	  .files = {{"s.yaml", "[{url: http://a/, method: PUT, body_file: b}]"}, {"b", ""}}},
	 "http://a/ method=PUT body=''\n",
	 NULL},
	{"a form is posted and encoded",
	 FILE_OF("[{url: http://a/, form: {q: a b&c, \u00e9: '*-._~', n: [1, 2], e: }}]"),
	 "http://a/ method=POST Content-Type:application/x-www-form-urlencoded "
	 "body='q=a+b%26c&%C3%A9=*-._%7E&n=1&n=2&e='\n",
	 NULL},
	{"a form with a method and type of its own",
	 FILE_OF("[{url: http://a/, method: PUT, form: {a: 1}, headers: {content-type: x/y}}]"),
	 "http://a/ method=PUT content-type:x/y body='a=1'\n", NULL},
	{"a form over the defaults' body",
	 FILE_OF("{defaults: {body: x}, sites: [{url: http://a/, form: {}}, http://b/]}"),
	 "http://a/ method=POST Content-Type:application/x-www-form-urlencoded body=''\n"
	 "http://b/ body='x'\n",
	 NULL},
	{"a body over the defaults' form",
	 FILE_OF("{defaults: {form: {a: 1}}, sites: [{url: http://a/, body: x}]}"),
	 "http://a/ body='x'\n", NULL},
	{"basic_auth (RFC 7617's own example)",
	 FILE_OF("[{url: http://a/, basic_auth: {username: Aladdin, password: open sesame}}]"),
	 "http://a/ Authorization:Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n", NULL},
	{"basic_auth with nothing for a password",
	 FILE_OF("[{url: http://a/, basic_auth: {username: me, password: ~, password_file: }}]"),
	 "http://a/ Authorization:Basic bWU6\n", NULL},
	{"basic_auth without a password", FILE_OF("[{url: http://a/, basic_auth: {username: me}}]"),
	 "http://a/ Authorization:Basic bWU6\n", NULL},
	{"basic_auth from files",
	 {.args = {"run", "s.yaml"},
	  .files = {{"s.yaml",
		     "[{url: http://a/, basic_auth: {username_file: u, password_file: p}}]"},
		    {"u", "Aladdin"},
		    {"p", "open sesame\r\n"}}},
	 "http://a/ Authorization:Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n",
	 NULL},
	{"authorization", FILE_OF("[{url: http://a/, authorization: {credentials: t0ken}}]"),
	 "http://a/ Authorization:Bearer t0ken\n", NULL},
	{"authorization of another type, from a file",
	 {.args = {"run", "s.yaml"},
	  .files = {{"s.yaml",
		     "[{url: http://a/, authorization: {type: ApiKey, credentials_file: c}}]"},
		    {"c", "t0ken\n"}}},
	 "http://a/ Authorization:ApiKey t0ken\n",
	 NULL},
	{"bearer_token", FILE_OF("[{url: http://a/, bearer_token: t0ken}]"),
	 "http://a/ Authorization:Bearer t0ken\n", NULL},
	{"bearer_token_file",
	 {.args = {"run", "s.yaml"},
	  .files = {{"s.yaml", "[{url: http://a/, bearer_token_file: c}]"}, {"c", "t0ken\n"}}},
	 "http://a/ Authorization:Bearer t0ken\n",
	 NULL},
	{"a site's credentials replace the defaults', whatever their kind",
	 FILE_OF("{defaults: {bearer_token: t}, sites: [{url: http://a/, basic_auth: {username: "
		 "me}}, {url: http://b/, headers: {authorization: x}}, http://u@c/, {url: "
		 "http://d/, bearer_token: }, http://e/]}"),
	 "http://a/ Authorization:Basic bWU6\nhttp://b/ Authorization:x\nhttp://u@c/ "
	 "name='http://c/'\nhttp://d/\nhttp://e/ Authorization:Bearer t\n",
	 NULL},
	{"cookies", FILE_OF("[{url: http://a/, cookies: {a: 1, b: 'x y', c: ''}}]"),
	 "http://a/ Cookie:a=1; b=x y; c=\n", NULL},
	{"cookies are added one by one",
	 FILE_OF("{defaults: {cookies: {aa: 1, b: 2}}, sites: [{url: http://a/, cookies: {a: 3, "
		 "b: 4}}, {url: http://b/, headers: {Cookie: z=9}}]}"),
	 "http://a/ Cookie:aa=1; b=4; a=3\nhttp://b/ Cookie:z=9\n", NULL},
	{"user_agent", FILE_OF("[{url: http://a/, user_agent: 'probe/1 (x)'}]"),
	 "http://a/ User-Agent:probe/1 (x)\n", NULL},
};

static const struct site_case connection_cases[] = {
	{"compression off", FILE_OF("[{url: http://a/, compression: off}]"),
	 "http://a/ encoding=''\n", NULL},
	{"compression on over the defaults",
	 FILE_OF("{defaults: {compression: no}, sites: [{url: http://a/, compression: true}]}"),
	 "http://a/\n", NULL},
	{"compression as blackbox_exporter names it",
	 FILE_OF("[{url: http://a/, compression: BR}, {url: http://b/, compression: identity}]"),
	 "http://a/ encoding='br'\nhttp://b/ encoding='identity'\n", NULL},
	{"http_version",
	 FILE_OF("[{url: http://a/, http_version: 1.1}, {url: http://b/, http_version: 2}, {url: "
		 "http://c/, http_version: auto}]"),
	 "http://a/ http=1.1\nhttp://b/ http=2\nhttp://c/\n", NULL},
	{"enable_http2",
	 FILE_OF("{defaults: {http_version: 2}, sites: [{url: http://a/, enable_http2: false}, "
		 "{url: http://b/, enable_http2: true}]}"),
	 "http://a/ http=1.1\nhttp://b/\n", NULL},
	{"keepalive",
	 FILE_OF("{defaults: {keepalive: true}, sites: [{url: http://a/}, {url: http://b/, "
		 "keepalive: no}]}"),
	 "http://a/ keepalive\nhttp://b/\n", NULL},
	{"resolve",
	 FILE_OF("[{url: http://a/, resolve: {A.Test: 192.0.2.1, b.test: [2001:DB8:0::1, "
		 "192.0.2.2]}}]"),
	 "http://a/ a.test=192.0.2.1 b.test=2001:db8::1,192.0.2.2\n", NULL},
	{"resolve is added name by name",
	 FILE_OF("{defaults: {resolve: {a: 192.0.2.1, b: 192.0.2.2}}, sites: [{url: http://a/, "
		 "resolve: {b: 192.0.2.3, c: 192.0.2.4}}]}"),
	 "http://a/ a=192.0.2.1 b=192.0.2.3 c=192.0.2.4\n", NULL},
	{"ip_protocol",
	 FILE_OF("[{url: http://a/, ip_protocol: 4}, {url: http://b/, ip_protocol: IPv6, "
		 "ip_protocol_fallback: false}, {url: http://c/, ip_protocol: any}]"),
	 "http://a/ ip4\nhttp://b/ ip6 only\nhttp://c/\n", NULL},
	{"addresses",
	 FILE_OF("[{url: http://a/, addresses: all}, {url: http://b/, addresses: All, "
		 "addresses_needed: 2}, {url: http://c/, addresses: one}]"),
	 "http://a/ all\nhttp://b/ all needed=2\nhttp://c/\n", NULL},
	{"addresses of the defaults",
	 FILE_OF("{defaults: {addresses: all, addresses_needed: 16}, sites: [{url: http://a/}, "
		 "{url: http://b/, addresses_needed: 1}, {url: http://c/, addresses: one}]}"),
	 "http://a/ all needed=16\nhttp://b/ all needed=1\nhttp://c/ needed=16\n", NULL},
	{"addresses_needed of the defaults is for those that want all",
	 FILE_OF("{defaults: {addresses_needed: 2}, sites: [{url: http://a/}, {url: http://b/, "
		 "addresses: all}]}"),
	 "http://a/ needed=2\nhttp://b/ all needed=2\n", NULL},
	{"addresses through no proxy",
	 FILE_OF("{defaults: {proxy: 'http://p:1'}, sites: [{url: http://a/, addresses: all, "
		 "proxy: none}, {url: http://b/, addresses: all, no_proxy: b}]}"),
	 "http://a/ all\nhttp://b/ all proxy=http p:1 but b\n", NULL},
	{"ip_protocol as blackbox_exporter has it",
	 FILE_OF("[{url: http://a/, preferred_ip_protocol: ip4, ip_protocol_fallback: false}]"),
	 "http://a/ ip4 only\n", NULL},
	{"source_address",
	 FILE_OF("[{url: http://a/, source_address: 127.0.0.2}, {url: http://b/, "
		 "source_ip_address: [\"::1\", 127.0.0.3]}]"),
	 "http://a/ source='127.0.0.2'\nhttp://b/ source='127.0.0.3' source='::1'\n", NULL},
	{"proxy",
	 FILE_OF("[{url: http://a/, proxy: 'http://P.test:3128'}, {url: http://b/, proxy_url: "
		 "'https://me:p%40ss%3A@[::1]/'}]"),
	 "http://a/ proxy=http p.test:3128\nhttp://b/ proxy=https ::1:443 user='me' "
	 "password='p@ss:'\n",
	 NULL},
	{"proxy by SOCKS",
	 FILE_OF("[{url: http://a/, proxy: 'socks5://P.test'}, {url: http://b/, proxy_url: "
		 "'SOCKS5H://me:p%3a@[::1]:80/'}, {url: https://c/, proxy: 'socks5h://p:443'}]"),
	 "http://a/ proxy=socks5 p.test:1080\nhttp://b/ proxy=socks5h ::1:80 user='me' "
	 "password='p:'\nhttps://c/ proxy=socks5h p:443\n",
	 NULL},
	{"proxy_headers",
	 FILE_OF("{defaults: {proxy: 'http://p/', proxy_headers: {X-A: b, x-c: [d, e]}}, sites: "
		 "[http://a/, {url: http://b/, proxy_headers: {X-C: f, X-G: }}, {url: http://c/, "
		 "proxy_headers: }, {url: http://d/, proxy_connect_header: {User-Agent: h}}]}"),
	 "http://a/ proxy=http p:80 [X-A: b] [x-c: d] [x-c: e]\n"
	 "http://b/ proxy=http p:80 [X-A: b] [X-C: f] [X-G: ]\nhttp://c/ proxy=http p:80\n"
	 "http://d/ proxy=http p:80 [X-A: b] [x-c: d] [x-c: e] [User-Agent: h]\n",
	 NULL},
	{"proxy: none over the defaults' proxy",
	 FILE_OF("{defaults: {proxy: 'http://p/'}, sites: [{url: http://a/, proxy: none}, "
		 "http://b/]}"),
	 "http://a/\nhttp://b/ proxy=http p:80\n", NULL},
	{"no_proxy",
	 FILE_OF("{defaults: {proxy: 'http://p/', no_proxy: 'A.test, .b.test,10.0.0.0/8'}, sites: "
		 "[http://a/, {url: http://b/, no_proxy: ['*', '2001:db8::/32', 192.0.2.1]}]}"),
	 "http://a/ proxy=http p:80 but a.test,b.test,10.0.0.0/8\n"
	 "http://b/ proxy=http p:80 but *,2001:db8::/32,192.0.2.1\n",
	 NULL},
	{"allow_private",
	 FILE_OF("{defaults: {allow_private: no}, sites: [http://a/, {url: http://b/, "
		 "allow_private: true}, {url: http://c/, allow_private: own}]}"),
	 "http://a/ private=none\nhttp://b/ private=any\nhttp://c/ private=own\n", NULL},
	{"--allow-private wins over the defaults, and a site over it",
	 {.args = {"run", "s.yaml", "--allow-private=false"},
	  .files = {{"s.yaml", "{defaults: {allow_private: true}, sites: [http://a/, {url: "
			       "http://b/, allow_private: own}]}"}}},
	 "http://a/ private=none\nhttp://b/ private=own\n",
	 NULL},
	{"deny_cidrs of the defaults hold beside an empty key",
	 FILE_OF("{defaults: {deny_cidrs: '::1'}, sites: [{url: http://a/, deny_cidrs: }]}"),
	 "http://a/ private=own but ::1/128\n", NULL},
	{"deny_cidrs add up",
	 {.args = {"run", "s.yaml", "--deny-cidrs", "10.0.0.0/8, 192.0.2.1"},
	  .files = {{"s.yaml", "{defaults: {deny_cidrs: 'fd00::/8,::1'}, sites: [http://a/, {url: "
			       "http://b/, deny_cidrs: [172.16.0.0/12, 192.0.2.9/24]}]}"}}},
	 "http://a/ private=own but 10.0.0.0/8,192.0.2.1/32,fd00::/8,::1/128\n"
	 "http://b/ private=own but "
	 "10.0.0.0/8,192.0.2.1/32,fd00::/8,::1/128,172.16.0.0/12,192.0.2.0/24\n",
	 NULL},
	{"what is denied by hand",
	 {.args = {"run", "http://a/"},
	  .environment = {"WEBSENTRY_DENY_CIDRS=169.254.0.0/16", "WEBSENTRY_ALLOW_PRIVATE=true"}},
	 "http://a/ private=any but 169.254.0.0/16\n",
	 NULL},
	{"dns_servers",
	 FILE_OF("[{url: http://a/, dns_servers: 192.0.2.53}, {url: http://b/, dns_servers: "
		 "['192.0.2.53:5353', '2001:db8::53', '[::1]:5353', '[::1]']}]"),
	 "http://a/ dns='192.0.2.53:53'\n"
	 "http://b/ dns='192.0.2.53:5353,[2001:db8::53]:53,[::1]:5353,[::1]:53'\n",
	 NULL},
	{"ciphers",
	 FILE_OF("{defaults: {tls_config: {ciphers: TLS_AES_128_GCM_SHA256}}, sites: ["
		 "{url: https://a/, tls_config: {ciphers: [ECDHE-RSA-AES128-GCM-SHA256, "
		 "TLS_AES_256_GCM_SHA384, AES128-SHA]}}, https://b/, {url: https://c/, tls_config: "
		 "{"
		 "ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256'}}, "
		 "{url: https://d/, tls_config: }]}"),
	 "https://a/ ciphers='ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA' "
	 "suites='TLS_AES_256_GCM_SHA384'\nhttps://b/ suites='TLS_AES_128_GCM_SHA256'\n"
	 "https://c/ suites='TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256'\nhttps://d/\n",
	 NULL},
	{"server_name as an address",
	 FILE_OF("[{url: https://a/, tls_config: {server_name: "
		 "'::1'}}]"),
	 "https://a/ server_name='::1'\n", NULL},
};

/* check --set: what a file may say of a site, for every site of one command. */
static const struct site_case set_cases[] = {
	{"--set on a URL",
	 {.args = {"check", "http://a/", "--set=method=POST", "--set", "headers={A: [1, 2]}",
		   "--set=ip_protocol=4"}},
	 "http://a/ method=POST A:1 A:2 ip4\n",
	 NULL},
	{"--set wins over a file",
	 {.args = {"check", "s.yaml", "http://b/", "--set=bearer_token=x", "--set=body=b"},
	  .files = {{"s.yaml",
		     "{defaults: {form: {a: 1}}, sites: [{url: http://a/, basic_auth: {username: "
		     "me}, headers: {A: 1}}]}"}}},
	 "http://a/ Authorization:Bearer x A:1 body='b'\n"
	 "http://b/ Authorization:Bearer x body='b'\n",
	 NULL},
	{"--set wins over a user in the URL",
	 {.args = {"check", "http://me:x@a/", "--set=bearer_token=x"}},
	 "http://me:x@a/ name='http://a/' Authorization:Bearer x\n",
	 NULL},
	{"--set makes a form, and its method",
	 {.args = {"check", "http://a/", "--set=form={a: b=c}"}},
	 "http://a/ method=POST Content-Type:application/x-www-form-urlencoded body='a=b%3Dc'\n",
	 NULL},
	{"--set of a timeout",
	 {.args = {"check", "http://a/", "--set=timeout=2m"}},
	 "http://a/ interval=120000000 timeout=120000000\n",
	 NULL},
};

static void set_complains_once_and_says_which(void **state)
{
	(void)state;
	const struct fixture_input input = {
		.args = {"check", "http://a/", "http://b/", "--set=method=POST",
			 "--set=metod=sesame", "--set=bearer_token={a: sesame}",
			 "--set=url=http://c/"},
	};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines,
			    "--set:2:1: unknown key `metod`, did you mean `method`?\n"
			    "--set:3:15: found a mapping, expected text for `bearer_token`\n"
			    "--set:4:1: found `url` for all sites, expected it in a site\n");
	assert_null(strstr(fixture.effective, "sesame"));
	assert_non_null(strstr(fixture.effective, "bearer_token=***"));
	fixture_finish(&fixture);
	const struct fixture_input wrong = {.args = {"check", "http://a/", "--set=method"}};
	fixture_read(&fixture, &wrong);
	assert_string_equal(fixture.lines, "--set: expected KEY=VALUE such as method=POST\n");
	fixture_finish(&fixture);
}

static void a_body_file_may_hold_any_bytes(void **state)
{
	(void)state;
	const struct fixture_input input = {
		.args = {"run", "s.yaml"},
		.files = {{"b", "a\0b"}, {"s.yaml", "[{url: http://a/, body_file: b}]"}},
		.length = 3,
	};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, "");
	assert_int_equal(fixture.sites.sites[0].body_length, 3);
	assert_memory_equal(fixture.sites.sites[0].body, "a\0b", 3);
	fixture_finish(&fixture);
}

int main(void)
{
	FIXTURE_ADD_TABLE(request_cases, site_case_check);
	FIXTURE_ADD_TABLE(connection_cases, site_case_check);
	FIXTURE_ADD_TABLE(set_cases, site_case_check);
	FIXTURE_ADD(set_complains_once_and_says_which);
	FIXTURE_ADD(a_body_file_may_hold_any_bytes);
	return fixture_run("sites_request");
}
