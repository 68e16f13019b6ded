/* Keys that are right alone and senseless together: a line for each, at the place of one of them; and lists of nothing. */
#include "fixture.h"
#include "pem_fixture.h"

#include <stdio.h>

struct conflict_case {
	const char *name;
	const char *text;  /* of s.yaml */
	const char *lines; /* NULL: none */
};

#define SITE(keys) "[{url: http://a/, " keys "}]"
#define FIFTY "aaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_HOST                                                                                  \
	FIFTY "." FIFTY "." FIFTY "." FIFTY "." FIFTY "."                                          \
	      "a"
#define TLS_SITE(keys) "[{url: https://a/, " keys "}]"

static const struct conflict_case site_cases[] = {
	{"a warning after the failure, of a certificate",
	 TLS_SITE("cert_expiry_warn: 1d, cert_expiry_fail: 2d"),
	 "s.yaml:1:38: found a `cert_expiry_warn` that is no longer than `cert_expiry_fail`, "
	 "expected more time for a warning than for a failure\n"},
	{"a warning with the failure, of a certificate",
	 TLS_SITE("cert_expiry_warn: 2d, cert_expiry_fail: 2d"),
	 "s.yaml:1:38: found a `cert_expiry_warn` that is no longer than `cert_expiry_fail`, "
	 "expected more time for a warning than for a failure\n"},
	{"a warning after the failure, of a chain",
	 TLS_SITE("chain_expiry_warn: 1d, chain_expiry_fail: 2d"),
	 "s.yaml:1:39: found a `chain_expiry_warn` that is no longer than `chain_expiry_fail`, "
	 "expected more time for a warning than for a failure\n"},
	{"a warning after the failure, of the whole time",
	 SITE("max_response_time: 5s, time_limits: {total: {fail: 2s}}"),
	 "s.yaml:1:55: found a `total` to fail in `time_limits` that is no longer than the one to "
	 "warn (`max_response_time`), expected a longer one\n"},
	{"a warning after the failure, of a phase",
	 SITE("time_limits: {dns: {warn: 5s, fail: 2s}}"),
	 "s.yaml:1:38: found a time to warn that is no shorter than the time to fail for `dns`, "
	 "expected a shorter one\n"},
	{"a warning with the failure, of a phase", SITE("time_limits: {dns: {warn: 2s, fail: 2s}}"),
	 "s.yaml:1:38: found a time to warn that is no shorter than the time to fail for `dns`, "
	 "expected a shorter one\n"},
	{"a warning with the failure, of an age", SITE("max_document_age: {warn: 2h, fail: 120m}"),
	 "s.yaml:1:37: found a time to warn that is no shorter than the time to fail for "
	 "`max_document_age`, expected a shorter one\n"},
	{"TLS that must and must not be", SITE("fail_if_ssl: true, fail_if_not_ssl: true"),
	 "s.yaml:1:32: found `fail_if_ssl` beside `fail_if_not_ssl`, expected one of them\n"},
	{"no room for a body",
	 SITE("fail_if_body_smaller_than: 2KiB, fail_if_body_larger_than: 1KiB"),
	 "s.yaml:1:78: found a `fail_if_body_larger_than` below `fail_if_body_smaller_than`, "
	 "expected room between them\n"},
	{"a body that is not read whole",
	 SITE("fail_if_body_smaller_than: 2MiB, max_body_bytes: 1MiB"),
	 "s.yaml:1:46: found a `fail_if_body_smaller_than` above `max_body_bytes`, expected at "
	 "most that\n"},
	{"no version of TLS", TLS_SITE("tls_config: {min_version: TLS13, max_version: TLS12}"),
	 "s.yaml:1:32: found a `min_version` above `max_version`, expected at most that\n"},
	{"no version of HTTP", SITE("http_version: 2, valid_http_versions: [1.1]"),
	 "s.yaml:1:57: found `valid_http_versions` without the one that is spoken by "
	 "`http_version` or `enable_http2`, expected it among them\n"},
	{"no version of HTTP, as blackbox_exporter says it",
	 SITE("enable_http2: false, valid_http_versions: HTTP/2"),
	 "s.yaml:1:61: found `valid_http_versions` without the one that is spoken by "
	 "`http_version` or `enable_http2`, expected it among them\n"},
	{"HTTP/2 through a proxy", SITE("http_version: 2, proxy: http://p/"),
	 "s.yaml:1:33: found `http_version` 2 of a site without TLS behind a proxy, expected "
	 "https, another version or `proxy: none`\n"},
	{"encodings twice", SITE("compression: br, headers: {accept-encoding: gzip}"),
	 "s.yaml:1:46: found `headers: Accept-Encoding` beside `compression`, expected one of "
	 "them\n"},
	{"encodings twice, the header first",
	 SITE("headers: {Accept-Encoding: gzip}, compression: false"),
	 "s.yaml:1:66: found `compression` beside `headers: Accept-Encoding`, expected one of "
	 "them\n"},
	{"a body of TRACE", SITE("method: TRACE, body: a"),
	 "s.yaml:1:2: found `body` with the method TRACE, expected a method that sends one, such "
	 "as POST\n"},
	{"a text in the body of HEAD", SITE("method: head, fail_if_body_not_contains: a"),
	 "s.yaml:1:27: found the method HEAD, which gets no body, beside what the body must be, "
	 "expected another method such as GET\n"},
	{"JSON of HEAD", SITE("method: HEAD, expect_json: {pointer: /a, equals: 1}"),
	 "s.yaml:1:27: found the method HEAD, which gets no body, beside what the body must be, "
	 "expected another method such as GET\n"},
	{"bytes of HEAD", SITE("method: HEAD, fail_if_body_smaller_than: 1"),
	 "s.yaml:1:27: found the method HEAD, which gets no body, beside what the body must be, "
	 "expected another method such as GET\n"},
	{"no text in the body of HEAD", SITE("method: HEAD, fail_if_body_contains: a"),
	 "s.yaml:1:56: found `fail_if_body_contains` with the method HEAD, which gets no body, "
	 "expected another method\n"},
	{"a pattern of HEAD", SITE("method: HEAD, pattern: a"),
	 "s.yaml:1:42: found `pattern` with the method HEAD, which gets no body, expected another "
	 "method\n"},
	{"a header that must and must not be there",
	 SITE("fail_if_header_missing: A, fail_if_header_present: [b, a]"),
	 "s.yaml:1:70: found the same in `fail_if_header_present` and `fail_if_header_missing`, "
	 "expected it in one of them\n"},
	{"a text that must and must not be there",
	 SITE("fail_if_body_not_contains: a, fail_if_body_contains: a"),
	 "s.yaml:1:72: found the same in `fail_if_body_contains` and `fail_if_body_not_contains`, "
	 "expected it in one of them\n"},
	{"a text that must be there, and not in any case",
	 SITE("fail_if_body_not_contains: a, fail_if_body_contains: {text: a, ignore_case: true}"),
	 "s.yaml:1:72: found the same in `fail_if_body_contains` and `fail_if_body_not_contains`, "
	 "expected it in one of them\n"},
	{"case of what is compared",
	 SITE("expect_json: {pointer: /a, equals: x, ignore_case: true}"),
	 "s.yaml:1:70: found `ignore_case` without `matches`, expected both\n"},
	{"what is not there and equals",
	 SITE("expect_json: {pointer: /a, exists: false, equals: 1}"),
	 "s.yaml:1:54: found `exists: false` beside another test, expected it alone\n"},
	{"no number between", SITE("expect_json: {pointer: /a, less: 1, greater: 2}"),
	 "s.yaml:1:64: found a number for `greater` that is not below that for `less`, expected a "
	 "smaller one\n"},
	{"no number between one and itself",
	 SITE("expect_json: {pointer: /a, less: 1, greater: 1}"),
	 "s.yaml:1:64: found a number for `greater` that is not below that for `less`, expected a "
	 "smaller one\n"},
	{"no number between one and itself, written otherwise",
	 SITE("expect_json: {pointer: /a, less: 10, greater: 1.0e1}"),
	 "s.yaml:1:65: found a number for `greater` that is not below that for `less`, expected a "
	 "smaller one\n"},
	{"authorities of what is not verified",
	 TLS_SITE("insecure_skip_verify: true, ca_file: ca.pem"),
	 "s.yaml:1:57: found `ca_file` beside `insecure_skip_verify: true`, expected one of them "
	 "(no certificate is verified)\n"},
	{"authorities of what is not verified, in tls_config",
	 TLS_SITE("tls_config: {insecure_skip_verify: true, ca_file: ca.pem}"),
	 "s.yaml:1:32: found `ca_file` beside `insecure_skip_verify: true`, expected one of them "
	 "(no certificate is verified)\n"},
	{"TLS of a site that has none",
	 SITE("tls_config: {server_name: b}, follow_redirects: false"),
	 "s.yaml:1:31: found `tls_config` of a site that is never asked over TLS, expected an "
	 "https URL\n"},
	{"a certificate of a site that has none", SITE("cert_expiry_warn: 1d, max_redirects: 0"),
	 "s.yaml:1:37: found `cert_expiry_warn` of a site that is never asked over TLS, expected "
	 "an https URL\n"},
	{"an issuer of a site that has none",
	 SITE("fail_if_cert_issuer_matches: R3, max_redirects: 0"),
	 "s.yaml:1:48: found `fail_if_cert_issuer_matches` of a site that is never asked over TLS, "
	 "expected an https URL\n"},
	{"all addresses, misspelt, beside how many are needed",
	 SITE("addressse: all, addresses_needed: 2"),
	 "s.yaml:1:19: unknown key `addressse`, did you mean `addresses`?\n"},
	{"all addresses, of a wrong word, beside how many are needed",
	 SITE("addresses: some, addresses_needed: 2"),
	 "s.yaml:1:30: found 'some', expected one or all for `addresses`\n"},
	{"how many addresses are needed beside another mistake",
	 SITE("addresses_needed: 2, intervall: 5s"),
	 "s.yaml:1:40: unknown key `intervall`, did you mean `interval`?\n"
	 "s.yaml:1:2: found `addresses_needed` without `addresses: all`, expected both\n"},
	{"a name that is too long for SOCKS",
	 "[{url: 'http://" LONG_HOST "/', name: a, proxy: 'socks5h://p'}]",
	 "s.yaml:1:292: found a host of more than 255 bytes in the URL of a site behind a proxy by "
	 "SOCKS, expected at most that many\n"},
	{"headers for a proxy that is none", SITE("proxy: none, proxy_headers: {A: b}"),
	 "s.yaml:1:47: found `proxy_headers` without a `proxy` that is asked over HTTP, expected "
	 "both\n"},
	{"headers for a proxy by SOCKS", SITE("proxy_headers: {A: b}, proxy: 'socks5://p'"),
	 "s.yaml:1:34: found `proxy_headers` without a `proxy` that is asked over HTTP, expected "
	 "both\n"},
	{"two users of a proxy",
	 SITE("proxy: 'http://me:sesame@p', proxy_headers: {proxy-authorization: x}"),
	 "s.yaml:1:63: found a Proxy-Authorization in `proxy_headers` beside the user of the "
	 "`proxy`, expected one of them\n"},
	{"hosts that need no proxy anyway", SITE("no_proxy: b"),
	 "s.yaml:1:29: found `no_proxy` without a `proxy`, expected both\n"},
	{"hosts without the proxy that is none", SITE("proxy: none, no_proxy: [b, c]"),
	 "s.yaml:1:42: found `no_proxy` without a `proxy`, expected both\n"},
	{"time between no attempts", SITE("retry_after: 1s"),
	 "s.yaml:1:32: found `retry_after` without `retries`, expected both\n"},
	{"time between no attempts, as said", SITE("retry_after: 1s, retries: 0"),
	 "s.yaml:1:32: found `retry_after` without `retries`, expected both\n"},
	{"no other family than none", SITE("ip_protocol_fallback: false"),
	 "s.yaml:1:41: found `ip_protocol_fallback: false` without `ip_protocol`, expected both\n"},
	{"a URL of another family", "[{ip_protocol: 4, url: 'http://[2001:db8::1]/'}]",
	 "s.yaml:1:16: found an `ip_protocol` other than that of the URL's address, expected the "
	 "same\n"},
	{"a URL of another family, as blackbox_exporter says it",
	 "[{preferred_ip_protocol: ip6, url: 'http://192.0.2.1/'}]",
	 "s.yaml:1:26: found a `preferred_ip_protocol` other than that of the URL's address, "
	 "expected the same\n"},
	{"a URL of the wrong family",
	 "[{ip_protocol: 4, ip_protocol_fallback: false, url: 'http://[2001:db8::1]/'}]",
	 "s.yaml:1:41: found `ip_protocol_fallback: false` and the URL's address is not of "
	 "`ip_protocol`, expected one that is\n"},
	{"a source of another family than the URL",
	 "[{source_address: 192.0.2.1, url: 'http://[2001:db8::1]/'}]",
	 "s.yaml:1:19: found a `source_address` of another IP protocol than the URL's address, "
	 "expected the same\n"},
	{"a source of another family than wanted",
	 SITE("source_address: 192.0.2.1, ip_protocol: 6"),
	 "s.yaml:1:59: found an `ip_protocol` other than that of `source_address`, expected the "
	 "same\n"},
	{"more addresses than are known",
	 SITE("addresses: all, addresses_needed: 2, resolve: {a: 192.0.2.1}"),
	 "s.yaml:1:53: found more `addresses_needed` than the URL or `resolve` gives addresses, "
	 "expected at most as many\n"},
	{"more addresses than the URL is",
	 "[{addresses: all, addresses_needed: 2, url: 'http://192.0.2.1/'}]",
	 "s.yaml:1:37: found more `addresses_needed` than the URL or `resolve` gives addresses, "
	 "expected at most as many\n"},
	{"an empty list of `fail_if_body_not_matches_regexp`",
	 SITE("fail_if_body_not_matches_regexp: []"),
	 "s.yaml:1:52: found an empty list, expected at least one value for "
	 "`fail_if_body_not_matches_regexp`\n"},
	{"an empty list of `fail_if_body_matches_regexp`", SITE("fail_if_body_matches_regexp: []"),
	 "s.yaml:1:48: found an empty list, expected at least one value for "
	 "`fail_if_body_matches_regexp`\n"},
	{"an empty list of `fail_if_body_not_contains`", SITE("fail_if_body_not_contains: []"),
	 "s.yaml:1:46: found an empty list, expected at least one value for "
	 "`fail_if_body_not_contains`\n"},
	{"an empty list of `fail_if_body_contains`", SITE("fail_if_body_contains: []"),
	 "s.yaml:1:42: found an empty list, expected at least one value for "
	 "`fail_if_body_contains`\n"},
	{"an empty list of `fail_if_header_not_matches`", SITE("fail_if_header_not_matches: []"),
	 "s.yaml:1:47: found an empty list, expected at least one value for "
	 "`fail_if_header_not_matches`\n"},
	{"an empty list of `fail_if_header_matches`", SITE("fail_if_header_matches: []"),
	 "s.yaml:1:43: found an empty list, expected at least one value for "
	 "`fail_if_header_matches`\n"},
	{"an empty list of `fail_if_header_missing`", SITE("fail_if_header_missing: []"),
	 "s.yaml:1:43: found an empty list, expected at least one value for "
	 "`fail_if_header_missing`\n"},
	{"an empty list of `fail_if_header_present`", SITE("fail_if_header_present: []"),
	 "s.yaml:1:43: found an empty list, expected at least one value for "
	 "`fail_if_header_present`\n"},
	{"an empty list of `expect_json`", SITE("expect_json: []"),
	 "s.yaml:1:32: found an empty list, expected at least one value for `expect_json`\n"},
	{"an empty list of `fail_if_final_url_not_matches`",
	 SITE("fail_if_final_url_not_matches: []"),
	 "s.yaml:1:50: found an empty list, expected at least one value for "
	 "`fail_if_final_url_not_matches`\n"},
	{"an empty list of `fail_if_final_url_matches`", SITE("fail_if_final_url_matches: []"),
	 "s.yaml:1:46: found an empty list, expected at least one value for "
	 "`fail_if_final_url_matches`\n"},
	{"an empty list of `fail_if_cert_issuer_not_matches`",
	 SITE("fail_if_cert_issuer_not_matches: []"),
	 "s.yaml:1:52: found an empty list, expected at least one value for "
	 "`fail_if_cert_issuer_not_matches`\n"},
	{"an empty list of `fail_if_cert_issuer_matches`", SITE("fail_if_cert_issuer_matches: []"),
	 "s.yaml:1:48: found an empty list, expected at least one value for "
	 "`fail_if_cert_issuer_matches`\n"},
	{"an empty list of `cert_sha256`", SITE("cert_sha256: []"),
	 "s.yaml:1:32: found an empty list, expected at least one value for `cert_sha256`\n"},
	{"an empty list of `valid_status_codes`", SITE("valid_status_codes: []"),
	 "s.yaml:1:39: found an empty list, expected at least one value for "
	 "`valid_status_codes`\n"},
	{"an empty list of `valid_http_versions`", SITE("valid_http_versions: []"),
	 "s.yaml:1:40: found an empty list, expected at least one value for "
	 "`valid_http_versions`\n"},
	{"an empty list of `no_proxy`", SITE("no_proxy: []"),
	 "s.yaml:1:29: found an empty list, expected at least one value for `no_proxy`\n"},
	{"an empty list of `deny_cidrs`", SITE("deny_cidrs: []"),
	 "s.yaml:1:31: found an empty list, expected at least one value for `deny_cidrs`\n"},
	{"an empty list of `source_address`", SITE("source_address: []"),
	 "s.yaml:1:35: found an empty list, expected an address of this machine, or one of IPv4 "
	 "and one of IPv6, for `source_address`\n"},
	{"an empty list of `dns_servers`", SITE("dns_servers: []"),
	 "s.yaml:1:32: found an empty list, expected 1 to 8 name servers\n"},
	{"an empty list of a field", SITE("form: {q: []}"),
	 "s.yaml:1:29: found an empty list, expected at least one value for `q`\n"},
	{"an empty list of a header", SITE("headers: {X: []}"),
	 "s.yaml:1:32: found an empty list, expected at least one value for `X`\n"},
	{"an empty list of addresses", SITE("resolve: {b: []}"),
	 "s.yaml:1:32: found an empty list, expected 1 to 16 addresses of a name\n"},
};

static const struct conflict_case file_cases[] = {
	{"once, of the defaults",
	 "{defaults: {cert_expiry_warn: 1d, cert_expiry_fail: 2d}, sites: [https://a/, https://b/, "
	 "{url: https://c/, cert_expiry_fail: 4d}]}",
	 "s.yaml:1:31: found a `cert_expiry_warn` that is no longer than `cert_expiry_fail`, "
	 "expected more time for a warning than for a failure\n"},
	{"a site's beside the defaults'",
	 "{defaults: {cert_expiry_warn: 1d}, sites: [https://a/, {url: https://b/, "
	 "cert_expiry_fail: 2d}]}",
	 "s.yaml:1:92: found a `cert_expiry_warn` that is no longer than `cert_expiry_fail`, "
	 "expected more time for a warning than for a failure\n"},
	{"a limit of the defaults",
	 "{defaults: {time_limits: {total: {warn: 5s}}}, sites: [http://a/, {url: http://b/, "
	 "time_limits: {total: {fail: 2s}}}]}",
	 "s.yaml:1:97: found a `total` to fail in `time_limits` that is no longer than the one to "
	 "warn (`max_response_time`), expected a longer one\n"},
	{"no use of what only the site says",
	 "{defaults: {insecure_skip_verify: true, method: HEAD, follow_redirects: false}, sites: "
	 "[https://a/, {url: https://b/, ca_file: ca.pem, pattern: x, max_redirects: 3}]}",
	 "s.yaml:1:145: found `pattern` with the method HEAD, which gets no body, expected another "
	 "method\n"
	 "s.yaml:1:128: found `ca_file` beside `insecure_skip_verify: true`, expected one of them "
	 "(no certificate is verified)\n"},
	{"a body wanted by the defaults",
	 "{defaults: {fail_if_body_not_contains: x}, sites: [https://a/, {url: https://b/, method: "
	 "HEAD}]}",
	 "s.yaml:1:90: found the method HEAD, which gets no body, beside what the body must be, "
	 "expected another method such as GET\n"},
	{"a source of the defaults",
	 "{defaults: {source_address: 192.0.2.1}, sites: ['http://192.0.2.7/', "
	 "'http://[2001:db8::1]/']}",
	 "s.yaml:1:70: found a `source_address` of another IP protocol than the URL's address, "
	 "expected the same\n"},
	{"what of the defaults is of no use to a site",
	 "{defaults: {retry_after: 2s, no_proxy: b, max_redirects: 4, ca_file: ca.pem, pattern: x, "
	 "headers: {accept-encoding: br}, ip_protocol: 4, cert_expiry_warn: 1d, "
	 "fail_if_body_contains: x, cert_sha256: "
	 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}, sites: [http://a/, "
	 "{url: 'http://[::1]/', follow_redirects: false, insecure_skip_verify: true, method: "
	 "HEAD, compression: gzip}]}",
	 NULL},
	{"a default that a site undoes",
	 "{defaults: {cert_expiry_warn: 1d, fail_if_body_not_contains: x, max_response_time: 5s}, "
	 "sites: [{url: https://a/, cert_expiry_warn: , cert_expiry_fail: 2d, method: HEAD, "
	 "fail_if_body_not_contains: , max_response_time: , time_limits: {total: {fail: 2s}}}]}",
	 NULL},
	{"what a redirect may need",
	 "[{url: http://a/, cert_expiry_warn: 2d, cert_expiry_fail: 1d, ca_file: ca.pem, "
	 "fail_if_not_ssl: true}]",
	 NULL},
	{"a proxy that is verified",
	 "[{url: https://a/, proxy: https://p/, insecure_skip_verify: true, ca_file: ca.pem}, "
	 "{url: http://b/, proxy: https://p/, ca_file: ca.pem, follow_redirects: false}]",
	 NULL},
	{"families that agree",
	 "[{url: 'http://[::1]/', ip_protocol: 6, ip_protocol_fallback: false, source_address: "
	 "'::1'}, {url: http://a/, ip_protocol: 6, source_address: [127.0.0.1, '::1']}, {url: "
	 "'http://[::1]/', name: p, ip_protocol: 4, proxy: http://p/}]",
	 NULL},
	{"a text in one case and not in another",
	 "[{url: http://a/, fail_if_body_contains: a, fail_if_body_not_contains: {text: a, "
	 "ignore_case: true}}]",
	 NULL},
	{"HTTP/2 through a proxy to a site with TLS",
	 "[{url: https://a/, http_version: 2, proxy: http://p/, valid_http_versions: [2, 1.1]}, "
	 "{url: http://b/, http_version: 2, proxy: http://p/, no_proxy: b}, "
	 "{url: http://c/, http_version: 2, proxy: 'socks5://p/'}]",
	 NULL},
	{"a long name that the proxy is told no more of than its address",
	 "[{url: 'http://" LONG_HOST "/', name: a, proxy: 'socks5://p'}, {url: 'http://" LONG_HOST
	 "/', name: b, proxy: 'socks5h://p', no_proxy: '*'}]",
	 NULL},
	{"as many addresses as are known",
	 "[{url: http://a/, addresses: all, addresses_needed: 2, resolve: {a: [192.0.2.1, "
	 "192.0.2.2]}}, {url: http://b/, addresses: all, addresses_needed: 3}]",
	 NULL},
	{"large numbers with others between them",
	 "[{url: http://a/, expect_json: {pointer: /a, greater: 9007199254740993, less: "
	 "9007199254740995}}]",
	 NULL},
	{"encodings of the defaults",
	 "{defaults: {compression: br}, sites: [{url: http://a/, headers: {Accept-Encoding: "
	 "gzip}}]}",
	 NULL},
};

/* --set says it once, not for each URL. */
static const struct {
	const char *name;
	struct fixture_input input;
	const char *lines;
} set_cases[] = {
	{"a contradiction by hand",
	 {.args = {"check", "https://a/", "https://b/", "--set", "cert_expiry_warn=1d", "--set",
		   "cert_expiry_fail=2d"}},
	 "--set:1:19: found a `cert_expiry_warn` that is no longer than `cert_expiry_fail`, "
	 "expected "
	 "more time for a warning than for a failure\n"},
	{"a key of no use by hand",
	 {.args = {"check", "https://a/", "https://b/", "--set", "retry_after=2s"}},
	 "--set:1:14: found `retry_after` without `retries`, expected both\n"},
	{"by hand beside the file's",
	 {.args = {"check", "s.yaml", "--set", "cert_expiry_fail=2d"},
	  .files = {{"s.yaml", "[https://a/,\n {url: https://b/, cert_expiry_warn: 1d}]"}}},
	 "s.yaml:2:38: found a `cert_expiry_warn` that is no longer than `cert_expiry_fail`, "
	 "expected "
	 "more time for a warning than for a failure\n"},
};

static void expect(const struct fixture_input *input, const char *lines)
{
	struct fixture fixture;
	pem_fixture_write("ca.pem", NULL);
	fixture_read(&fixture, input);
	assert_string_equal(fixture.lines, lines == NULL ? "" : lines);
	fixture_finish(&fixture);
	assert_int_equal(remove("ca.pem"), 0);
}

static void check_conflict(void **state)
{
	const struct conflict_case *row = *state;
	expect(&(struct fixture_input){.args = {"run", "s.yaml"}, .files = {{"s.yaml", row->text}}},
	       row->lines);
}

static void what_is_set_by_hand_is_said_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(set_cases) / sizeof(set_cases[0]); i++)
		expect(&set_cases[i].input, set_cases[i].lines);
}

int main(void)
{
	FIXTURE_ADD_TABLE(site_cases, check_conflict);
	FIXTURE_ADD_TABLE(file_cases, check_conflict);
	FIXTURE_ADD(what_is_set_by_hand_is_said_once);
	return fixture_run("sites_conflicts");
}
