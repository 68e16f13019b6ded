/* Values that a site can't have: TLS, addresses, proxies, name servers, versions of HTTP. */
#include "bad_sites.h"
#include "fixture.h"

#define NO_PROXY_EXPECTED                                                                          \
	", expected a host, an address, a block such as 192.0.2.0/24 or * in `no_proxy`\n"
#define FIFTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_NAME FIFTY FIFTY FIFTY FIFTY FIFTY "aaaaaa"

static const struct bad_sites_case network_cases[] = {
	{"authorities that are missing", BAD_SITE("ca_file: none.pem"),
	 "s.yaml:1:28: none.pem does not exist\n", 0},
	{"a key of tls_config", BAD_SITE("tls_config: {insecure_skip_verfy: true}"),
	 "s.yaml:1:32: unknown key `insecure_skip_verfy`, did you mean `insecure_skip_verify`?\n",
	 0},
	{"a far key of tls_config", BAD_SITE("tls_config: {curves: x}"),
	 "s.yaml:1:32: unknown key `curves`, expected ca_file, cert_file, key_file, server_name, "
	 "min_version, max_version, ciphers or insecure_skip_verify\n",
	 0},
	{"a cipher that is none", BAD_SITE("tls_config: {ciphers: [TLS_AES_128_GCM_SHA256, HIGH]}"),
	 "s.yaml:1:66: found 'HIGH', expected OpenSSL's name of a cipher that can be offered such "
	 "as "
	 "ECDHE-RSA-AES256-GCM-SHA384 or TLS_AES_128_GCM_SHA256 for `ciphers`\n",
	 0},
	{"a cipher with a slip", BAD_SITE("tls_config: {ciphers: 'ECDHE-RSA-AES128-GCM-SHA257'}"),
	 "s.yaml:1:41: unknown cipher 'ECDHE-RSA-AES128-GCM-SHA257', did you mean "
	 "ECDHE-RSA-AES128-GCM-SHA256?\n",
	 0},
	{"a cipher over a finite field", BAD_SITE("tls_config: {ciphers: DHE-RSA-AES128-SHA}"),
	 "s.yaml:1:41: unknown cipher 'DHE-RSA-AES128-SHA', did you mean ECDHE-RSA-AES128-SHA?\n",
	 0},
	{"a cipher by a list of OpenSSL's",
	 BAD_SITE("tls_config: {ciphers: 'TLS_AES_128_GCM_SHA256:!aNULL'}"),
	 "s.yaml:1:41: found '!aNULL', expected OpenSSL's name of a cipher that can be offered "
	 "such "
	 "as ECDHE-RSA-AES256-GCM-SHA384 or TLS_AES_128_GCM_SHA256 for `ciphers`\n",
	 0},
	{"ciphers that are none", BAD_SITE("tls_config: {ciphers: ':'}"),
	 "s.yaml:1:41: found ':', expected OpenSSL's name of a cipher that can be offered such as "
	 "ECDHE-RSA-AES256-GCM-SHA384 or TLS_AES_128_GCM_SHA256 for `ciphers`\n",
	 0},
	{"an empty list of ciphers", BAD_SITE("tls_config: {ciphers: []}"),
	 "s.yaml:1:41: found an empty list, expected at least one value for `ciphers`\n", 0},
	{"ciphers as a mapping", BAD_SITE("tls_config: {ciphers: {a: b}}"),
	 "s.yaml:1:41: found a mapping, expected text for `ciphers`\n", 0},
	{"new ciphers of an old version",
	 BAD_SITE("tls_config: {ciphers: TLS_AES_128_GCM_SHA256, max_version: TLS12}"),
	 "s.yaml:1:31: found no cipher of the versions that `min_version` and `max_version` leave, "
	 "expected one of theirs among `ciphers`\n",
	 0},
	{"old ciphers of a new version",
	 BAD_SITE("tls_config: {ciphers: ECDHE-RSA-AES128-GCM-SHA256, min_version: TLS13}"),
	 "s.yaml:1:31: found no cipher of the versions that `min_version` and `max_version` leave, "
	 "expected one of theirs among `ciphers`\n",
	 0},
	{"tls_config as text", BAD_SITE("tls_config: x"),
	 "s.yaml:1:31: found text, expected a mapping for `tls_config`\n", 0},
	{"a server_name that is none", BAD_SITE("tls_config: {server_name: 'a/b'}"),
	 "s.yaml:1:45: found 'a/b', expected a host's name for `server_name`\n", 0},
	{"a server_name with a port", BAD_SITE("tls_config: {server_name: 'a:443'}"),
	 "s.yaml:1:45: found 'a:443', expected a host's name for `server_name`\n", 0},
	{"a version of TLS", BAD_SITE("tls_config: {min_version: SSL3}"),
	 "s.yaml:1:45: found 'SSL3', expected TLS10, TLS11, TLS12 or TLS13 for `min_version`\n", 0},
	{"verification twice",
	 BAD_SITE("insecure_skip_verify: true, tls_config: {insecure_skip_verify: false}"),
	 "s.yaml:1:82: found `tls_config: insecure_skip_verify` beside `insecure_skip_verify`, "
	 "expected one of them\n",
	 0},
	{"versions of TLS that leave none",
	 BAD_SITE("tls_config: {min_version: 1.3, max_version: 1.2}"),
	 "s.yaml:1:31: found a `min_version` above `max_version`, expected at most that\n", 0},
	{"resolve to a name", BAD_SITE("resolve: {a: b.test}"),
	 "s.yaml:1:32: found 'b.test', expected an address such as 192.0.2.1 or 2001:db8::1\n", 0},
	{"resolve to nothing", BAD_SITE("resolve: {a: []}"),
	 "s.yaml:1:32: found an empty list, expected 1 to 16 addresses of a name\n", 0},
	{"resolve of an address", BAD_SITE("resolve: {127.0.0.1: 127.0.0.2}"),
	 "s.yaml:1:29: found '127.0.0.1', expected a host's name\n", 0},
	{"resolve of a URL", BAD_SITE("resolve: {'http://a/': 127.0.0.2}"),
	 "s.yaml:1:29: found 'http://a/', expected a host's name\n", 0},
	{"resolve as text", BAD_SITE("resolve: 'a:80:127.0.0.1'"),
	 "s.yaml:1:28: found text, expected a mapping for `resolve`\n", 0},
	{"an IP version", BAD_SITE("ip_protocol: 5"),
	 "s.yaml:1:32: found '5', expected 4, 6 or any for `ip_protocol`\n", 0},
	{"some addresses", BAD_SITE("addresses: two"),
	 "s.yaml:1:30: found 'two', expected one or all for `addresses`\n", 0},
	{"no address needed", BAD_SITE("addresses: all, addresses_needed: 0"),
	 "s.yaml:1:53: found '0', expected a whole number from 1 to 16 for `addresses_needed`\n",
	 0},
	{"too many addresses needed", BAD_SITE("addresses: all, addresses_needed: 17"),
	 "s.yaml:1:53: found '17', expected a whole number from 1 to 16 for `addresses_needed`\n",
	 0},
	{"addresses needed of one", BAD_SITE("addresses_needed: 2"),
	 "s.yaml:1:2: found `addresses_needed` without `addresses: all`, expected both\n", 0},
	{"all addresses over one connection", BAD_SITE("addresses: all, keepalive: true"),
	 "s.yaml:1:2: found `keepalive: true` and `addresses: all`, expected at most one (one "
	 "connection is kept for a site)\n",
	 0},
	{"all addresses through a proxy", BAD_SITE("addresses: all, proxy: 'http://p:1'"),
	 "s.yaml:1:2: found a `proxy` and `addresses: all`, expected `proxy: none` (a proxy "
	 "chooses the address itself)\n",
	 0},
	{"an IP version twice", BAD_SITE("ip_protocol: 4, preferred_ip_protocol: ip6"),
	 "s.yaml:1:58: found `preferred_ip_protocol` beside `ip_protocol`, expected one of them\n",
	 0},
	{"a source that is a device", BAD_SITE("source_address: eth0"),
	 "s.yaml:1:35: found 'eth0', expected an address of this machine, or one of IPv4 and one "
	 "of "
	 "IPv6, for `source_address`\n",
	 0},
	{"two sources of one kind", BAD_SITE("source_address: [127.0.0.1, 127.0.0.2]"),
	 "s.yaml:1:35: found a list, expected an address of this machine, or one of IPv4 and one "
	 "of "
	 "IPv6, for `source_address`\n",
	 0},
	{"a proxy that is no URL", BAD_SITE("proxy: 'me:sesame@p:3128'"),
	 "s.yaml:1:26: found 'p:3128': a URL that does not begin with http:// or https://; "
	 "expected "
	 "none or a proxy such as http://proxy.example:3128 or socks5h://proxy.example:1080 for "
	 "`proxy`\n",
	 0},
	{"a proxy of another kind", BAD_SITE("proxy_url: 'socks4://me:sesame@p/'"),
	 "s.yaml:1:30: found 'socks4://p/': a URL that does not begin with http:// or https://; "
	 "expected none or a proxy such as http://proxy.example:3128 or "
	 "socks5h://proxy.example:1080 for `proxy_url`\n",
	 0},
	{"a proxy's user that smuggles", BAD_SITE("proxy: 'http://me%0d%0aX:sesame@p/'"),
	 "s.yaml:1:26: found 'http://p/': a URL with a control character in its user; expected "
	 "none or a proxy such as http://proxy.example:3128 or socks5h://proxy.example:1080 for "
	 "`proxy`\n",
	 0},
	{"a proxy with a path", BAD_SITE("proxy: 'http://me:sesame@p/x'"),
	 "s.yaml:1:26: found a path behind the proxy of `proxy`, expected none\n", 0},
	{"a proxy by SOCKS with a path", BAD_SITE("proxy: 'socks5h://me:sesame@p/x'"),
	 "s.yaml:1:26: found a path behind the proxy of `proxy`, expected none\n", 0},
	{"a proxy by SOCKS without a host", BAD_SITE("proxy: 'socks5://'"),
	 "s.yaml:1:26: found 'socks5://': a URL without a host; expected none or a proxy such as "
	 "http://proxy.example:3128 or socks5h://proxy.example:1080 for `proxy`\n",
	 0},
	{"a proxy by SOCKS with a port that is none", BAD_SITE("proxy: 'socks5://me:sesame@p:0'"),
	 "s.yaml:1:26: found 'socks5://p:0': a URL with a port that is not one of 1 to 65535; "
	 "expected none or a proxy such as http://proxy.example:3128 or "
	 "socks5h://proxy.example:1080 for `proxy`\n",
	 0},
	{"a proxy's user that is too long for SOCKS",
	 BAD_SITE("proxy: 'socks5://" LONG_NAME ":p@p'"),
	 "s.yaml:1:26: found a user or password of more than 255 bytes for `proxy`, expected at "
	 "most that many for SOCKS\n",
	 0},
	{"a proxy's password that is too long for SOCKS",
	 BAD_SITE("proxy: 'socks5h://p:" LONG_NAME "@p'"),
	 "s.yaml:1:26: found a user or password of more than 255 bytes for `proxy`, expected at "
	 "most that many for SOCKS\n",
	 0},
	{"headers for a proxy as text", BAD_SITE("proxy: 'http://p', proxy_headers: 'a: b'"),
	 "s.yaml:1:53: found text, expected a mapping for `proxy_headers`\n", 0},
	{"a header for a proxy that smuggles",
	 BAD_SITE("proxy: 'http://p', proxy_headers: {A: \"b\\r\\nC: d\"}"),
	 "s.yaml:1:57: found the control character 0x0D in `A`, expected one line of text\n", 0},
	{"a header for a proxy that is none",
	 BAD_SITE("proxy: 'http://p', proxy_headers: {'A b': c}"),
	 "s.yaml:1:54: found 'A …', expected a header's name such as Accept\n", 0},
	{"a header for a proxy that frames",
	 BAD_SITE("proxy: 'http://p', proxy_headers: {Content-Length: 5}"),
	 "s.yaml:1:54: found 'Content-Length', expected no header that frames the body\n", 0},
	{"a header for a proxy twice",
	 BAD_SITE("proxy: 'http://p', proxy_connect_header: {A: b, a: c}"),
	 "s.yaml:1:67: the header 'a' is given twice, expected it once\n", 0},
	{"a header for a proxy without a value",
	 BAD_SITE("proxy: 'http://p', proxy_headers: {A: []}"),
	 "s.yaml:1:57: found an empty list, expected at least one value for `A`\n", 0},
	{"headers for a proxy by both names",
	 BAD_SITE("proxy: 'http://p', proxy_headers: {A: b}, proxy_connect_header: {C: d}"),
	 "s.yaml:1:83: found `proxy_connect_header` beside `proxy_headers`, expected one of them\n",
	 0},
	{"a proxy twice", BAD_SITE("proxy: none, proxy_url: 'http://p/'"),
	 "s.yaml:1:43: found `proxy_url` beside `proxy`, expected one of them\n", 0},
	{"a host without proxy", BAD_SITE("no_proxy: [a, 'http://b/']"),
	 "s.yaml:1:33: found 'http://b/'" NO_PROXY_EXPECTED, 0},
	{"a block without proxy", BAD_SITE("no_proxy: 192.0.2.0/33"),
	 "s.yaml:1:29: found '192.0.2.0/33'" NO_PROXY_EXPECTED, 0},
	{"a block without proxy, and a sign", BAD_SITE("no_proxy: [b, '10.0.0.0/-0']"),
	 "s.yaml:1:33: found '10.0.0.0/-0'" NO_PROXY_EXPECTED, 0},
	{"a block without proxy, with a zero in front", BAD_SITE("no_proxy: [b, '10.0.0.0/08']"),
	 "s.yaml:1:33: found '10.0.0.0/08'" NO_PROXY_EXPECTED, 0},
	{"an address that some read as octal", BAD_SITE("no_proxy: [b, '010.0.0.1']"),
	 "s.yaml:1:33: found '010.0.0.1'" NO_PROXY_EXPECTED, 0},
	{"the same with the root's dot", BAD_SITE("no_proxy: [b, '010.0.0.1.']"),
	 "s.yaml:1:33: found '010.0.0.1.'" NO_PROXY_EXPECTED, 0},
	{"a number that some read as an address", BAD_SITE("no_proxy: [b, '10']"),
	 "s.yaml:1:33: found '10'" NO_PROXY_EXPECTED, 0},
	{"a range of addresses", BAD_SITE("no_proxy: [b, '10.0.0.1-10.0.0.9']"),
	 "s.yaml:1:33: found '10.0.0.1-10.0.0.9'" NO_PROXY_EXPECTED, 0},
	{"five parts of an address", BAD_SITE("no_proxy: [b, '1.2.3.4.5']"),
	 "s.yaml:1:33: found '1.2.3.4.5'" NO_PROXY_EXPECTED, 0},
	{"a port behind the host", BAD_SITE("no_proxy: [b, 'a.test:8080']"),
	 "s.yaml:1:33: found 'a.test:8080'" NO_PROXY_EXPECTED, 0},
	{"nobody without proxy", BAD_SITE("no_proxy: ' , '"),
	 "s.yaml:1:29: found ' , '" NO_PROXY_EXPECTED, 0},
	{"private, but how", BAD_SITE("allow_private: maybe"),
	 "s.yaml:1:34: found 'maybe', expected true, false or own for `allow_private`\n", 0},
	{"a denied block that is too narrow", BAD_SITE("deny_cidrs: 192.0.2.0/33"),
	 "s.yaml:1:31: found '192.0.2.0/33', expected addresses or blocks such as 10.0.0.0/8 or "
	 "fd00::/8, not '192.0.2.0/33' for `deny_cidrs`\n",
	 0},
	{"a denied block with a zero in front", BAD_SITE("deny_cidrs: 192.0.2.0/08"),
	 "s.yaml:1:31: found '192.0.2.0/08', expected addresses or blocks such as 10.0.0.0/8 or "
	 "fd00::/8, not '192.0.2.0/08' for `deny_cidrs`\n",
	 0},
	{"a denied name among blocks", BAD_SITE("deny_cidrs: [10.0.0.0/8, '::1, a.test']"),
	 "s.yaml:1:44: found '::1, a.test', expected addresses or blocks such as 10.0.0.0/8 or "
	 "fd00::/8, not 'a.test' for `deny_cidrs`\n",
	 0},
	{"a denied short form", BAD_SITE("deny_cidrs: 10/8"),
	 "s.yaml:1:31: found '10/8', expected addresses or blocks such as 10.0.0.0/8 or "
	 "fd00::/8, not '10/8' for `deny_cidrs`\n",
	 0},
	{"nothing denied", BAD_SITE("deny_cidrs: ','"),
	 "s.yaml:1:31: found ',', expected addresses or blocks such as 10.0.0.0/8 or fd00::/8, not "
	 "',' for `deny_cidrs`\n",
	 0},
	{"a name server by name", BAD_SITE("dns_servers: dns.test"),
	 "s.yaml:1:32: found 'dns.test', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"a name server without a port", BAD_SITE("dns_servers: '192.0.2.53:'"),
	 "s.yaml:1:32: found '192.0.2.53:', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"a name server's port", BAD_SITE("dns_servers: '192.0.2.53:65536'"),
	 "s.yaml:1:32: found '192.0.2.53:65536', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"a name server in half a bracket", BAD_SITE("dns_servers: '[::1:53'"),
	 "s.yaml:1:32: found '[::1:53', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"a name server with a tail", BAD_SITE("dns_servers: '[::1]53'"),
	 "s.yaml:1:32: found '[::1]53', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"no name server", BAD_SITE("dns_servers: []"),
	 "s.yaml:1:32: found an empty list, expected 1 to 8 name servers\n", 0},
	{"a compression", BAD_SITE("compression: zip"),
	 "s.yaml:1:32: found 'zip', expected true, false, gzip, br, deflate, zstd or identity for "
	 "`compression`\n",
	 0},
	{"a version of HTTP", BAD_SITE("http_version: 3"),
	 "s.yaml:1:33: found '3', expected auto, 1.1 or 2 for `http_version`\n", 0},
	{"a version of HTTP twice", BAD_SITE("http_version: 2, enable_http2: false"),
	 "s.yaml:1:50: found `enable_http2` beside `http_version`, expected one of them\n", 0},
};

int main(void)
{
	FIXTURE_ADD_TABLE(network_cases, bad_sites_check);
	return fixture_run("sites_bad_network");
}
