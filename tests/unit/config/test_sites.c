/* Sites files that are right: what each key does to the site, defaults, names, and the older service's way to say it. */
#include "fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "check/request.h"

struct site_case {
	const char *name;
	struct fixture_input input;
	const char *sites; /* a line a site: what is not as by default */
	const char *lines; /* warnings; NULL: none */
};

#define FILE_OF(text)                                                                              \
	{                                                                                          \
		.args = {"run", "s.yaml"}, .files = { {"s.yaml", text} }                           \
	}

static const struct site_case key_cases[] = {
	{"the least", FILE_OF("sites:\n- url: http://a/\n"), "http://a/\n", NULL},
	{"a list at the top, as the older service has it", FILE_OF("- url: http://a/\n"),
	 "http://a/\n", NULL},
	{"targets", FILE_OF("targets: [{url: http://a/}]"), "http://a/\n", NULL},
	{"a bare URL", FILE_OF("[http://a/, {url: http://b/}]"), "http://a/\nhttp://b/\n", NULL},
	{"a byte order mark", FILE_OF("\xEF\xBB\xBF[http://a/]"), "http://a/\n", NULL},
	{"a Persian name",
	 FILE_OF("[{url: http://a/, name: \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645}]"),
	 "http://a/ name='\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'\n", NULL},
	{"name", FILE_OF("[{url: http://a/, name: A \u00e9}]"), "http://a/ name='A \u00e9'\n",
	 NULL},
	{"the default name is the redacted URL", FILE_OF("[http://u:p@a/?token=1]"),
	 "http://u:p@a/?token=1 name='http://a/?token=***'\n", NULL},
	{"method", FILE_OF("[{url: http://a/, method: post}]"), "http://a/ method=POST\n", NULL},
	{"headers", FILE_OF("[{url: http://a/, headers: {Accept: text/html, X-Empty: ''}}]"),
	 "http://a/ Accept:text/html X-Empty:\n", NULL},
	{"body", FILE_OF("[{url: http://a/, body: \"x\\ny\"}]"), "http://a/ body='x\ny'\n", NULL},
	{"pattern", FILE_OF("[{url: http://a/, pattern: '(?:id=\")([^\"]+)'}]"),
	 "http://a/ pattern='(?:id=\")([^\"]+)'\n", NULL},
	{"body rules",
	 FILE_OF("[{url: http://a/, fail_if_body_not_matches_regexp: [a, b], "
		 "fail_if_body_matches_regexp: c}]"),
	 "http://a/ +'a' +'b' -'c'\n", NULL},
	{"interval as text", FILE_OF("[{url: http://a/, interval: 1h30m}]"),
	 "http://a/ interval=5400000000\n", NULL},
	{"interval as a number of seconds", FILE_OF("[{url: http://a/, interval: 90}]"),
	 "http://a/ interval=90000000\n", NULL},
	{"interval as a sum",
	 FILE_OF("[{url: http://a/, interval: {weeks: 1, days: 1, hours: 1, minutes: 1, seconds: "
		 "1.5}}]"),
	 "http://a/ interval=694861500000\n", NULL},
	{"interval as the older service wrote it",
	 FILE_OF("[{url: http://a/, interval: {seconds: 30, minutes: 1}}]"),
	 "http://a/ interval=90000000\n", NULL},
	{"timeout", FILE_OF("[{url: http://a/, timeout: 2s}]"), "http://a/ timeout=2000000\n",
	 NULL},
	{"statuses", FILE_OF("[{url: http://a/, valid_status_codes: [200-299, 404, \"410\"]}]"),
	 "http://a/ 200-299 404-404 410-410\n", NULL},
	{"one status", FILE_OF("[{url: http://a/, valid_status_codes: 204}]"),
	 "http://a/ 204-204\n", NULL},
	{"max_response_time", FILE_OF("[{url: http://a/, max_response_time: 1500ms}]"),
	 "http://a/ slow=1500000\n", NULL},
	{"redirects", FILE_OF("[{url: http://a/, follow_redirects: no, max_redirects: 3}]"),
	 "http://a/ no-redirects max_redirects=3\n", NULL},
	{"labels, sorted", FILE_OF("[{url: http://a/, labels: {team: web, env: prod}}]"),
	 "http://a/ env=prod team=web\n", NULL},
	{"TLS as blackbox_exporter nests it",
	 {.args = {"run", "s.yaml"},
	  .files = {{"s.yaml",
		     "[{url: https://a/, tls_config: {insecure_skip_verify: true, ca_file: ca}}]"},
		    {"ca", "x"}}},
	 "https://a/ insecure ca=ca\n",
	 NULL},
	{"TLS flat",
	 {.args = {"run", "s.yaml"},
	  .files = {{"s.yaml", "[{url: https://a/, insecure_skip_verify: true, ca_file: ca}]"},
		    {"ca", "x"}}},
	 "https://a/ insecure ca=ca\n",
	 NULL},
	{"cert_expiry_warn", FILE_OF("[{url: https://a/, cert_expiry_warn: 2w}]"),
	 "https://a/ expiry=1209600000000\n", NULL},
	{"sizes", FILE_OF("[{url: http://a/, match_bytes: 1KiB, max_body_bytes: 2048}]"),
	 "http://a/ match=1024 max=2048\n", NULL},
	{"keys without a value say nothing",
	 FILE_OF("[{url: http://a/, pattern: , timeout: null, headers: ~}]"), "http://a/\n", NULL},
};

/* What is sent: the headers as they will stand in the request. */
static const struct site_case request_cases[] = {
	{"a method of its own keeps its case", FILE_OF("[{url: http://a/, method: M-Search}]"),
	 "http://a/ method=M-Search\n", NULL},
	{"a method that is nearly another", FILE_OF("[{url: http://a/, method: GETT}]"),
	 "http://a/ method=GETT\n",
	 "warning s.yaml:1:27: found the method 'GETT', did you mean GET? It is sent as it "
	 "stands\n"},
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
	{"tls_config",
	 {.args = {"run", "s.yaml"},
	  .files = {{"s.yaml",
		     "[{url: https://a/, tls_config: {ca_file: ca, cert_file: c, key_file: k, "
		     "server_name: A.Test, min_version: TLS12, max_version: 1.3}}]"},
		    {"ca", "x"},
		    {"c", "x"},
		    {"k", "x"}}},
	 "https://a/ ca=ca cert='c' key='k' server_name='a.test' tls=3-4\n",
	 NULL},
	{"tls_config is added part by part",
	 {.args = {"run", "s.yaml"},
	  .files = {{"s.yaml",
		     "{defaults: {tls_config: {cert_file: c, key_file: c, min_version: TLS12}}, "
		     "sites: [{url: https://a/, tls_config: {key_file: k}}]}"},
		    {"c", "x"},
		    {"k", "x"}}},
	 "https://a/ cert='c' key='k' tls=3-0\n",
	 NULL},
	{"server_name as an address",
	 FILE_OF("[{url: https://a/, tls_config: {server_name: "
		 "'::1'}}]"),
	 "https://a/ server_name='::1'\n", NULL},
};

static const struct site_case older_cases[] = {
	{"request_kwargs",
	 FILE_OF("[{url: https://a/, method: post, interval: {seconds: 30, minutes: 1}, "
		 "request_kwargs: {timeout: 5, headers: {Accept: text/html}, allow_redirects: "
		 "false, ssl: false}}]"),
	 "https://a/ method=POST interval=90000000 timeout=5000000 Accept:text/html no-redirects "
	 "insecure\n",
	 NULL},
	{"request_kwargs: aiohttp's total timeout",
	 FILE_OF("[{url: http://a/, request_kwargs: {timeout: {total: 2.5, connect: 1}}}]"),
	 "http://a/ timeout=2500000\n", NULL},
	{"request_kwargs: verify names authorities",
	 {.args = {"run", "s.yaml"},
	  .files = {{"s.yaml", "[{url: https://a/, request_kwargs: {verify: ca}}]"}, {"ca", "x"}}},
	 "https://a/ ca=ca\n",
	 NULL},
	{"request_kwargs: verification on is as ever",
	 FILE_OF("[{url: http://a/, request_kwargs: {ssl: true, verify_ssl: yes}}]"), "http://a/\n",
	 NULL},
	{"request_kwargs: data", FILE_OF("[{url: http://a/, request_kwargs: {data: x=1}}]"),
	 "http://a/ body='x=1'\n", NULL},
	{"request_kwargs: json",
	 FILE_OF("[{url: http://a/, request_kwargs: {json: {a: [1, -2.5e3, '3', yes, null, 007], "
		 "\"q\\\"\": {}}}}]"),
	 "http://a/ Content-Type:application/json "
	 "body='{\"a\":[1,-2.5e3,\"3\",true,null,\"007\"],\"q\\\"\":{}}'\n",
	 NULL},
	{"request_kwargs: json with a type of its own",
	 FILE_OF("[{url: http://a/, request_kwargs: {json: [], headers: {content-type: x/y}}}]"),
	 "http://a/ content-type:x/y body='[]'\n", NULL},
	{"request_kwargs: json does not touch headers that are shared",
	 FILE_OF("- {url: http://a/, headers: &h {X: 1}, request_kwargs: {json: 1}}\n- {url: "
		 "http://b/, headers: *h}\n"),
	 "http://a/ X:1 Content-Type:application/json body='1'\nhttp://b/ X:1\n", NULL},
	{"request_kwargs in the defaults",
	 FILE_OF("{defaults: {request_kwargs: {timeout: 3}}, sites: [http://a/]}"),
	 "http://a/ timeout=3000000\n", NULL},
};

static const struct site_case default_cases[] = {
	{"defaults",
	 FILE_OF("defaults: {interval: 30s, timeout: 3s, method: HEAD}\nsites: [http://a/, {url: "
		 "http://b/, timeout: 4s}]\n"),
	 "http://a/ method=HEAD interval=30000000 timeout=3000000\n"
	 "http://b/ method=HEAD interval=30000000 timeout=4000000\n",
	 NULL},
	{"headers and labels are added one by one",
	 FILE_OF("defaults: {headers: {A: 1, B: 2}, labels: {x: 1, y: 2}}\n"
		 "sites: [{url: http://a/, headers: {b: 3, C: 4}, labels: {y: 3}}]\n"),
	 "http://a/ A:1 B:3 C:4 x=1 y=3\n", NULL},
	{"lists are replaced",
	 FILE_OF("defaults: {valid_status_codes: [200]}\nsites: [{url: http://a/, "
		 "valid_status_codes: [301]}]\n"),
	 "http://a/ 301-301\n", NULL},
	{"an empty key undoes a default",
	 FILE_OF("defaults: {pattern: x, body: y}\nsites: [{url: http://a/, pattern: , body: }]\n"),
	 "http://a/\n", NULL},
	{"settings are the defaults of all",
	 {.args = {"run", "s.yaml", "--interval=20s", "--timeout=2s", "--pattern=p"},
	  .files = {{"s.yaml",
		     "[http://a/, {url: http://b/, interval: 30s, timeout: 3s, pattern: q}]"}}},
	 "http://a/ interval=20000000 timeout=2000000 pattern='p'\nhttp://b/ interval=30000000 "
	 "timeout=3000000 pattern='q'\n",
	 NULL},
	{"a flag wins over the file's defaults",
	 {.args = {"run", "s.yaml", "--interval=20s"},
	  .files = {{"s.yaml", "{defaults: {interval: 5m, pattern: q}, sites: [http://a/]}"}}},
	 "http://a/ interval=20000000 pattern='q'\n",
	 NULL},
	{"a default timeout gives way to a short interval",
	 FILE_OF("[{url: http://a/, interval: 2s}]"),
	 "http://a/ interval=2000000 timeout=2000000\n", NULL},
	{"the defaults' timeout gives way to a short interval",
	 FILE_OF("{defaults: {timeout: 8s}, sites: [{url: http://a/, interval: 2s}]}"),
	 "http://a/ interval=2000000 timeout=2000000\n", NULL},
	{"a check's timeout knows no interval",
	 {.args = {"check", "http://a/", "--timeout=5m"}},
	 "http://a/ interval=300000000 timeout=300000000\n",
	 NULL},
	{"nor does that of --once",
	 {.args = {"run", "--once", "http://a/", "--timeout=5m"}},
	 "http://a/ interval=300000000 timeout=300000000\n",
	 NULL},
	{"merge keys",
	 FILE_OF("x-base: &b {method: HEAD, timeout: 3s}\nsites: [{<<: *b, url: http://a/, "
		 "timeout: 4s}]\n"),
	 "http://a/ method=HEAD timeout=4000000\n", NULL},
	{"several merge keys, the first one first",
	 FILE_OF("x-base: [&b {method: HEAD}, &c {method: PUT, timeout: 3s}]\nsites: [{<<: [*b, "
		 "*c], url: http://a/}]\n"),
	 "http://a/ method=HEAD timeout=3000000\n", NULL},
};

static const struct site_case source_cases[] = {
	{"file, argument and --url together",
	 {.args = {"run", "http://c/", "--sites=s.yaml", "t.yml", "--url", "http://d/"},
	  .files = {{"s.yaml", "[http://a/]"}, {"t.yml", "[http://b/]"}}},
	 "http://a/\nhttp://b/\nhttp://d/\nhttp://c/\n",
	 NULL},
	{"five of the environment",
	 {.args = {"run"},
	  .environment = {"WEBSENTRY_SITES=https://google.com,http://"
			  "something.that.does.not.exist,http://yahoo.com,"
			  "https://icms.cern.ch/tools,http://google.com/404",
			  "WEBSENTRY_REGEXP=x"}},
	 "https://google.com pattern='x'\nhttp://something.that.does.not.exist "
	 "pattern='x'\nhttp://yahoo.com pattern='x'\n"
	 "https://icms.cern.ch/tools pattern='x'\nhttp://google.com/404 pattern='x'\n",
	 NULL},
	{"the --config file itself",
	 {.args = {"run", "--config=c.yaml"},
	  .files = {{"c.yaml",
		     "threads: 2\ndefaults: {method: HEAD}\nsites:\n- url: http://a/\n"}}},
	 "http://a/ method=HEAD\n",
	 NULL},
	{"a flag instead of the sites in --config",
	 {.args = {"run", "--config=c.yaml", "http://b/"},
	  .files = {{"c.yaml", "sites:\n- url: http://a/\n"}}},
	 "http://b/\n",
	 NULL},
	{"a path in --config",
	 {.args = {"run", "--config=c.yaml"},
	  .files = {{"c.yaml", "sites: s.yaml\n"}, {"s.yaml", "[http://a/]"}}},
	 "http://a/\n",
	 NULL},
	{"a second site with the same default name",
	 {.args = {"run", "http://a/", "http://a/", "http://a/"}},
	 "http://a/\nhttp://a/ name='http://a/ #2'\nhttp://a/ name='http://a/ #3'\n",
	 "warning argument: 'http://a/' is watched already, this one is named 'http://a/ #2'\n"
	 "warning argument: 'http://a/' is watched already, this one is named 'http://a/ #3'\n"},
	{"a default name gives way to a chosen one",
	 FILE_OF("- http://a/\n- {url: http://b/, name: http://a/}\n- {url: http://c/, name: "
		 "'http://a/ #2'}\n"),
	 "http://a/ name='http://a/ #3'\nhttp://b/ name='http://a/'\nhttp://c/ name='http://a/ "
	 "#2'\n",
	 "warning s.yaml:1:3: 'http://a/' is watched already, this one is named 'http://a/ #3'\n"},
	{"URLs that differ in a secret only",
	 {.args = {"run", "http://a/?token=1", "http://a/?token=2"}},
	 "http://a/?token=1 name='http://a/?token=***'\nhttp://a/?token=2 "
	 "name='http://a/?token=*** #2'\n",
	 "warning argument: 'http://a/?token=***' is watched already, this one is named "
	 "'http://a/?token=*** #2'\n"},
	{"a consumer may read them",
	 {.args = {"consumer", "--kafka-servers=k", "--database-dsn=host=h", "--sites=s.yaml"},
	  .files = {{"s.yaml", "[http://a/]"}}},
	 "http://a/\n",
	 NULL},
	{"a consumer needs none",
	 {.args = {"consumer", "--kafka-servers=k", "--database-dsn=host=h"}},
	 "",
	 NULL},
};

static void describe_text(FILE *out, const char *name, const char *text)
{
	if (text != NULL)
		(void)fprintf(out, " %s='%s'", name, text);
}

static void describe_request(FILE *out, const struct request *request)
{
	describe_text(out, "encoding", request->accept_encoding);
	if (request->http != REQUEST_HTTP_AUTO)
		(void)fputs(request->http == REQUEST_HTTP_2 ? " http=2" : " http=1.1", out);
	describe_text(out, "cert", request->cert_file);
	describe_text(out, "key", request->key_file);
	describe_text(out, "server_name", request->server_name);
	if (request->tls_min != REQUEST_TLS_ANY || request->tls_max != REQUEST_TLS_ANY)
		(void)fprintf(out, " tls=%d-%d", (int)request->tls_min, (int)request->tls_max);
}

static void describe(FILE *out, const struct site *site)
{
	(void)fputs(site->url, out);
	if (strcmp(site->name, site->redacted_url) != 0 ||
	    strcmp(site->url, site->redacted_url) != 0)
		(void)fprintf(out, " name='%s'", site->name);
	if (strcmp(site->method, "GET") != 0)
		(void)fprintf(out, " method=%s", site->method);
	if (site->interval_us != INT64_C(60) * CLOCK_US_PER_S)
		(void)fprintf(out, " interval=%lld", (long long)site->interval_us);
	if (site->timeout_us != INT64_C(10) * CLOCK_US_PER_S)
		(void)fprintf(out, " timeout=%lld", (long long)site->timeout_us);
	for (size_t i = 0; i < site->header_count; i++)
		(void)fprintf(out, " %s:%s", site->headers[i].name, site->headers[i].value);
	for (size_t i = 0; i < site->label_count; i++)
		(void)fprintf(out, " %s=%s", site->labels[i].name, site->labels[i].value);
	if (site->body != NULL) {
		(void)fputs(" body='", out);
		(void)fwrite(site->body, 1, site->body_length, out);
		(void)fputc('\'', out);
	}
	if (site->pattern != NULL)
		(void)fprintf(out, " pattern='%s'", site->pattern_text);
	for (size_t i = 0; i < site->body_rule_count; i++)
		(void)fprintf(out, " %c'%s'", site->body_rules[i].is_wanted ? '+' : '-',
			      site->body_rules[i].text);
	for (size_t i = 0; i < site->valid_status_code_count; i++)
		(void)fprintf(out, " %d-%d", site->valid_status_codes[i].first,
			      site->valid_status_codes[i].last);
	if (site->max_response_time_us != 0)
		(void)fprintf(out, " slow=%lld", (long long)site->max_response_time_us);
	if (!site->follow_redirects)
		(void)fputs(" no-redirects", out);
	if (site->max_redirects != SITE_REDIRECTS_DEFAULT)
		(void)fprintf(out, " max_redirects=%d", site->max_redirects);
	if (site->insecure_skip_verify)
		(void)fputs(" insecure", out);
	if (site->ca_file != NULL)
		(void)fprintf(out, " ca=%s", site->ca_file);
	if (site->cert_expiry_warn_us != 0)
		(void)fprintf(out, " expiry=%lld", (long long)site->cert_expiry_warn_us);
	if (site->match_bytes != SITE_MATCH_BYTES_DEFAULT)
		(void)fprintf(out, " match=%lld", (long long)site->match_bytes);
	if (site->max_body_bytes != SITE_BODY_MAX)
		(void)fprintf(out, " max=%lld", (long long)site->max_body_bytes);
	describe_request(out, request_of(site));
	(void)fputc('\n', out);
}

static void check_sites(void **state)
{
	const struct site_case *row = *state;
	struct fixture fixture;
	fixture_read(&fixture, &row->input);
	assert_string_equal(fixture.lines, row->lines == NULL ? "" : row->lines);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	for (size_t i = 0; i < fixture.sites.count; i++)
		describe(out, &fixture.sites.sites[i]);
	(void)fclose(out);
	assert_string_equal(text, row->sites);
	free(text);
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

static void a_folder_is_read_in_order(void **state)
{
	(void)state;
	const struct fixture_input input = {
		.args = {"run", "folder/"},
		.files = {{"folder/b.yaml", "[http://b/]"},
			  {"folder/a.yml", "[http://a/]"},
			  {"folder/.hidden.yaml", "nonsense"},
			  {"folder/notes.txt", "nonsense"}},
	};
	struct fixture fixture;
	assert_int_equal(mkdir("folder", 0700), 0);
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, "");
	assert_int_equal(fixture.sites.count, 2);
	assert_string_equal(fixture.sites.sites[0].url, "http://a/");
	assert_string_equal(fixture.sites.sites[1].url, "http://b/");
	fixture_finish(&fixture);
	assert_int_equal(rmdir("folder"), 0);
}

/* All of them with one default name: the numbers must not be searched from 2 each time. */
static void ten_thousand_sites_load_at_once(void **state)
{
	(void)state;
	enum { SITES = 10000 };
	FILE *out = fopen("many.yaml", "w");
	assert_non_null(out);
	(void)fputs("defaults: {interval: 30s, headers: {A: b}}\nsites:\n", out);
	for (int i = 0; i < SITES; i++)
		(void)fprintf(out, "- {url: 'http://a/', pattern: 'x%d', labels: {n: '%d'}}\n", i,
			      i);
	assert_int_equal(fclose(out), 0);
	const struct fixture_input input = {.args = {"run", "many.yaml"}};
	struct fixture fixture;
	mono_us start = clock_mono_us();
	fixture_read(&fixture, &input);
	mono_us took = clock_mono_us() - start;
	assert_int_equal(fixture.problems.error_count, 0);
	assert_int_equal(fixture.sites.count, SITES);
	assert_string_equal(fixture.sites.sites[SITES - 1].name, "http://a/ #10000");
	/* 0.2 s here; a quadratic step would take minutes, also under valgrind. */
	assert_true(took < 60 * CLOCK_US_PER_S);
	fixture_finish(&fixture);
	assert_int_equal(remove("many.yaml"), 0);
}

int main(void)
{
	FIXTURE_ADD_TABLE(key_cases, check_sites);
	FIXTURE_ADD_TABLE(request_cases, check_sites);
	FIXTURE_ADD_TABLE(connection_cases, check_sites);
	FIXTURE_ADD_TABLE(older_cases, check_sites);
	FIXTURE_ADD_TABLE(default_cases, check_sites);
	FIXTURE_ADD_TABLE(source_cases, check_sites);
	FIXTURE_ADD(a_body_file_may_hold_any_bytes);
	FIXTURE_ADD(a_folder_is_read_in_order);
	FIXTURE_ADD(ten_thousand_sites_load_at_once);
	return fixture_run("sites");
}
