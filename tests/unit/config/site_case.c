#include "site_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check/address_policy.h"
#include "check/limits.h"
#include "check/request.h"

static void describe_text(FILE *out, const char *name, const char *text)
{
	if (text != NULL)
		(void)fprintf(out, " %s='%s'", name, text);
}

static void describe_request(FILE *out, const struct request *request)
{
	describe_text(out, "encoding", request->accept_encoding);
	if (request->is_keepalive)
		(void)fputs(" keepalive", out);
	if (request->http != REQUEST_HTTP_AUTO)
		(void)fputs(request->http == REQUEST_HTTP_2 ? " http=2" : " http=1.1", out);
	describe_text(out, "cert", request->cert_file);
	describe_text(out, "key", request->key_file);
	describe_text(out, "server_name", request->server_name);
	describe_text(out, "ciphers", request->ciphers);
	describe_text(out, "suites", request->cipher_suites);
	if (request->tls_min != REQUEST_TLS_ANY || request->tls_max != REQUEST_TLS_ANY)
		(void)fprintf(out, " tls=%d-%d", (int)request->tls_min, (int)request->tls_max);
	for (size_t i = 0; i < request->host_count; i++) {
		(void)fprintf(out, " %s=", request->hosts[i].name);
		for (size_t j = 0; j < request->hosts[i].address_count; j++)
			(void)fprintf(out, "%s%s", j == 0 ? "" : ",",
				      request->hosts[i].addresses[j]);
	}
	if (request->family != REQUEST_FAMILY_ANY)
		(void)fprintf(out, " ip%d%s", request->family == REQUEST_FAMILY_4 ? 4 : 6,
			      request->is_family_only ? " only" : "");
	if (request->is_all_addresses)
		(void)fputs(" all", out);
	if (request->addresses_needed != 0)
		(void)fprintf(out, " needed=%d", request->addresses_needed);
	describe_text(out, "source", request->source_4);
	describe_text(out, "source", request->source_6);
	describe_text(out, "dns", request->dns_servers);
	if (request->proxy != NULL) {
		const struct request_proxy *proxy = request->proxy;
		(void)fprintf(out, " proxy=%s %s:%d",
			      proxy->kind == REQUEST_PROXY_SOCKS5    ? "socks5"
			      : proxy->kind == REQUEST_PROXY_SOCKS5H ? "socks5h"
			      : proxy->is_https                      ? "https"
								     : "http",
			      proxy->host, proxy->port);
		describe_text(out, "user", proxy->username);
		describe_text(out, "password", proxy->password);
	}
	for (size_t i = 0; i < request->proxy_header_count; i++)
		(void)fprintf(out, " [%s: %s]", request->proxy_headers[i].name,
			      request->proxy_headers[i].value);
	for (size_t i = 0; i < request->no_proxy_count; i++)
		(void)fprintf(out, "%s%s", i == 0 ? " but " : ",", request->no_proxy[i]);
}

static void describe_policy(FILE *out, const struct address_policy *policy)
{
	static const char *const allowed[] = {"own", "any", "none"};
	char text[ADDRESS_BLOCK_TEXT_SIZE];
	(void)fprintf(out, " private=%s", allowed[policy->allow]);
	for (size_t i = 0; i < policy->denied_count; i++) {
		address_block_format(&policy->denied[i], text);
		(void)fprintf(out, "%s%s", i == 0 ? " but " : ",", text);
	}
}

static void describe_rule(FILE *out, const struct site_rule *rule)
{
	static const char *const subjects[] = {"", "header ", "json ", "url ", "issuer "};
	static const char *const tests[] = {"~", "=", "<", ">", "?"};
	(void)fprintf(out, " %c%s", rule->is_wanted ? '+' : '-', subjects[rule->subject]);
	if (rule->subject == RULE_HEADER || rule->subject == RULE_JSON)
		(void)fprintf(out, "%s%s", rule->name, tests[rule->test]);
	if (rule->test == RULE_EQUALS)
		(void)fprintf(out, "%d", (int)rule->kind);
	if (rule->test == RULE_LESS || rule->test == RULE_GREATER)
		(void)fprintf(out, "%g", strtod(rule->text, NULL));
	else if (rule->text != NULL)
		(void)fprintf(out, "'%s'%s", rule->text, rule->is_literal ? " as it is" : "");
	if (rule->may_be_missing)
		(void)fputs(" if any", out);
}

static void describe_limit(FILE *out, const char *name, const struct limit *limit)
{
	if (limit_is_set(limit))
		(void)fprintf(out, " %s=%lld/%lld", name, (long long)limit->warn_us,
			      (long long)limit->fail_us);
}

static void describe_limits(FILE *out, const struct site *site)
{
	const struct limits *limits = limits_of(site);
	const struct limit total = {0, limits->total_fail_us};
	const struct limit expiry = {0, limits->cert_expiry_fail_us};
	describe_limit(out, "total", &total);
	for (unsigned i = 0; i < LIMIT_PHASE_COUNT; i++)
		describe_limit(out, limits_phase_name((enum limit_phase)i), &limits->phases[i]);
	describe_limit(out, "cert", &expiry);
	describe_limit(out, "chain", &limits->chain_expiry);
	describe_limit(out, "age", &limits->document_age);
	if (limits->http_versions != 0)
		(void)fprintf(out, " versions=%#x", limits->http_versions);
	if (limits->is_tls_refused || limits->is_tls_wanted)
		(void)fprintf(out, " tls %s", limits->is_tls_wanted ? "wanted" : "refused");
	if (limits->body_bytes_min != 0)
		(void)fprintf(out, " at least %lld", (long long)limits->body_bytes_min);
	if (limits->is_body_limited)
		(void)fprintf(out, " at most %lld", (long long)limits->body_bytes_max);
	for (size_t i = 0; i < limits->fingerprint_count; i++)
		(void)fprintf(out, " sha256=%02x..%02x", limits->fingerprints[i][0],
			      limits->fingerprints[i][31]);
	if (site->is_inverted)
		(void)fputs(" inverted", out);
	if (site->retries != 0)
		(void)fprintf(out, " retries=%d", site->retries);
	if (site->retry_after_us != CLOCK_US_PER_S)
		(void)fprintf(out, " after=%lld", (long long)site->retry_after_us);
	if (site->evidence_bytes != SITE_EVIDENCE_DEFAULT)
		(void)fprintf(out, " evidence=%d", site->evidence_bytes);
}

static void describe(FILE *out, const struct site *site)
{
	(void)fputs(site->url, out);
	if (site->address_policy != NULL)
		describe_policy(out, site->address_policy);
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
	for (size_t i = 0; i < site->rule_count; i++)
		describe_rule(out, &site->rules[i]);
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
	describe_limits(out, site);
	describe_request(out, request_of(site));
	(void)fputc('\n', out);
}

void site_case_check(void **state)
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
