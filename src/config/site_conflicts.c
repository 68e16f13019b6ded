/*
 * A table of conflicts. Each looks at what the site came to, which for nearly all sites says no at once; only then is it asked who
 * said so, for what the defaults say of other sites is no mistake of this one.
 */
#include "config/site_conflicts.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "check/limits.h"
#include "check/observation.h"
#include "check/request.h"
#include "check/url.h"

enum { KEYS_MAX = 5 };

struct conflict {
	/* What is complained of, then the others. */
	const char *keys[KEYS_MAX];
	/* Whatever a site answers, this can't be met: wrong also where the defaults have a part in it. Else the first key has no
	 * effect, which is wrong where it was said as near to the site as the others. */
	bool is_contradiction;
	bool (*holds)(const struct entry *entry);
	const char *what;
};

static bool is_head(const struct entry *entry)
{
	return strcmp(entry->site.method, "HEAD") == 0;
}

/* The URL is plain http, nothing leads away from it, and the site says something of TLS. */
static bool is_tls_missing(const struct entry *entry)
{
	const struct site *site = &entry->site;
	const struct request *request = request_of(site);
	if ((site->follow_redirects && site->max_redirects > 0) || site->url == NULL ||
	    strncasecmp(site->url, "http:", 5) != 0 ||
	    (request->proxy != NULL && request->proxy->is_https))
		return false;
	return site->ca_file != NULL || site->cert_expiry_warn_us != 0 || site->limits != NULL ||
	       site->rule_count > 0 || request->cert_file != NULL || request->server_name != NULL ||
	       request->tls_min != REQUEST_TLS_ANY || request->tls_max != REQUEST_TLS_ANY ||
	       request->ciphers != NULL || request->cipher_suites != NULL;
}

static bool has_expiry_conflict(const struct entry *entry)
{
	int64_t warn_us = entry->site.cert_expiry_warn_us;
	int64_t fail_us = limits_of(&entry->site)->cert_expiry_fail_us;
	return warn_us != 0 && fail_us != 0 && warn_us <= fail_us;
}

static bool has_chain_conflict(const struct entry *entry)
{
	const struct limit *chain = &limits_of(&entry->site)->chain_expiry;
	return chain->warn_us != 0 && chain->fail_us != 0 && chain->warn_us <= chain->fail_us;
}

static bool has_total_conflict(const struct entry *entry)
{
	int64_t warn_us = entry->site.max_response_time_us;
	int64_t fail_us = limits_of(&entry->site)->total_fail_us;
	return fail_us != 0 && warn_us >= fail_us;
}

static bool has_tls_conflict(const struct entry *entry)
{
	const struct limits *limits = limits_of(&entry->site);
	return limits->is_tls_refused && limits->is_tls_wanted;
}

static bool has_size_conflict(const struct entry *entry)
{
	const struct limits *limits = limits_of(&entry->site);
	return limits->is_body_limited && limits->body_bytes_max < limits->body_bytes_min;
}

static bool has_cap_conflict(const struct entry *entry)
{
	return limits_of(&entry->site)->body_bytes_min > entry->site.max_body_bytes;
}

static bool has_tls_version_conflict(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	return request->tls_max != REQUEST_TLS_ANY && request->tls_min > request->tls_max;
}

/* Whoever names ciphers offers no other, so all of them may be of versions that are not spoken. */
static bool has_cipher_conflict(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	bool is_new_only = request->ciphers == NULL && request->cipher_suites != NULL;
	bool is_old_only = request->ciphers != NULL && request->cipher_suites == NULL;
	bool ends_before =
		request->tls_max != REQUEST_TLS_ANY && request->tls_max < REQUEST_TLS_1_3;
	return (is_new_only && ends_before) || (is_old_only && request->tls_min == REQUEST_TLS_1_3);
}

static bool has_http_version_conflict(const struct entry *entry)
{
	enum request_http http = request_of(&entry->site)->http;
	unsigned valid = limits_of(&entry->site)->http_versions;
	if (http == REQUEST_HTTP_AUTO || valid == 0)
		return false;
	return (valid &
		(http == REQUEST_HTTP_2 ? 1U << HTTP_VERSION_2
					: 1U << HTTP_VERSION_1_0 | 1U << HTTP_VERSION_1_1)) == 0;
}

static bool is_body_wanted_of_head(const struct entry *entry)
{
	const struct site *site = &entry->site;
	if (!is_head(entry))
		return false;
	for (size_t i = 0; i < site->rule_count; i++) {
		const struct site_rule *rule = &site->rules[i];
		if (rule->is_wanted && (rule->subject == RULE_BODY || rule->subject == RULE_JSON))
			return true;
	}
	return limits_of(site)->body_bytes_min > 0;
}

static bool is_without_proxy(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	return request->proxy == NULL && request->no_proxy_count > 0;
}

/* Of what is asked of a proxy by CONNECT. */
static bool are_proxy_headers_unused(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	return request->proxy_header_count > 0 &&
	       (request->proxy == NULL || request->proxy->kind != REQUEST_PROXY_HTTP);
}

static bool has_two_users_of_proxy(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	if (request->proxy == NULL || request->proxy->username == NULL)
		return false;
	for (size_t i = 0; i < request->proxy_header_count; i++)
		if (strcasecmp(request->proxy_headers[i].name, "Proxy-Authorization") == 0)
			return true;
	return false;
}

static bool is_family_unnamed(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	return request->is_family_only && request->family == REQUEST_FAMILY_ANY;
}

/* A proxy that speaks TLS is verified with it all the same. */
static bool is_ca_file_unused(const struct entry *entry)
{
	const struct site *site = &entry->site;
	const struct request_proxy *proxy = request_of(site)->proxy;
	return site->ca_file != NULL && site->insecure_skip_verify &&
	       (proxy == NULL || !proxy->is_https) &&
	       entry->claims[SLOT_CA_FILE].level >= entry->claims[SLOT_INSECURE].level;
}

static bool is_without_retries(const struct entry *entry)
{
	return entry->has_retry_after && entry->site.retries == 0;
}

static enum request_family family_of_source(const struct request *request)
{
	if ((request->source_4 == NULL) == (request->source_6 == NULL))
		return REQUEST_FAMILY_ANY;
	return request->source_4 != NULL ? REQUEST_FAMILY_4 : REQUEST_FAMILY_6;
}

/* Of the address in the URL that is connected to; ANY where it has none, or a proxy connects to it. */
static enum request_family family_of_url(const struct entry *entry)
{
	struct url_parts parts;
	enum request_family family = REQUEST_FAMILY_ANY;
	if (entry->site.url == NULL || url_parse(entry->site.url, &parts, NULL) != 0)
		return family;
	if (parts.is_host_ip && request_find_proxy(request_of(&entry->site), parts.host) == NULL)
		family = strchr(parts.host, ':') != NULL ? REQUEST_FAMILY_6 : REQUEST_FAMILY_4;
	url_parts_finish(&parts);
	return family;
}

static bool are_families_apart(enum request_family one, enum request_family other)
{
	return one != REQUEST_FAMILY_ANY && other != REQUEST_FAMILY_ANY && one != other;
}

static bool is_family_of_another_url(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	return request->family != REQUEST_FAMILY_ANY && !request->is_family_only &&
	       are_families_apart(request->family, family_of_url(entry));
}

static bool is_family_only_of_another_url(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	return request->family != REQUEST_FAMILY_ANY && request->is_family_only &&
	       are_families_apart(request->family, family_of_url(entry));
}

static bool is_source_of_another_url(const struct entry *entry)
{
	enum request_family source = family_of_source(request_of(&entry->site));
	return source != REQUEST_FAMILY_ANY && are_families_apart(source, family_of_url(entry));
}

static bool is_source_of_another_family(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	return are_families_apart(request->family, family_of_source(request));
}

/* How many addresses are known before anybody is asked; 0: not known. */
static size_t count_known_addresses(const struct entry *entry)
{
	struct url_parts parts;
	if (entry->site.url == NULL || url_parse(entry->site.url, &parts, NULL) != 0)
		return 0;
	const struct request_host *host = request_find_host(request_of(&entry->site), parts.host);
	size_t count = parts.is_host_ip ? 1 : host == NULL ? 0 : host->address_count;
	url_parts_finish(&parts);
	return count;
}

static bool needs_more_addresses(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	if (!request->is_all_addresses || request->addresses_needed == 0)
		return false;
	size_t known = count_known_addresses(entry);
	return known != 0 && (size_t)request->addresses_needed > known;
}

/* To a proxy without TLS we speak HTTP/1.1, and so does it with a site without TLS. Through one of SOCKS we speak with the site itself. */
static bool is_http_2_through_proxy(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	struct url_parts parts;
	if (request->http != REQUEST_HTTP_2 || request->proxy == NULL ||
	    request->proxy->kind != REQUEST_PROXY_HTTP || entry->site.url == NULL ||
	    url_parse(entry->site.url, &parts, NULL) != 0)
		return false;
	bool is_proxied = !parts.is_https && request_find_proxy(request, parts.host) != NULL;
	url_parts_finish(&parts);
	return is_proxied;
}

/* A name is looked up by the proxy, which is told its length in one byte. */
static bool is_name_too_long_for_proxy(const struct entry *entry)
{
	const struct request *request = request_of(&entry->site);
	struct url_parts parts;
	if (request->proxy == NULL || request->proxy->kind != REQUEST_PROXY_SOCKS5H ||
	    entry->site.url == NULL || url_parse(entry->site.url, &parts, NULL) != 0)
		return false;
	bool is_too_long = strlen(parts.host) > REQUEST_SOCKS_TEXT_MAX &&
			   request_find_proxy(request, parts.host) != NULL;
	url_parts_finish(&parts);
	return is_too_long;
}

#define UNUSED_WITHOUT_TLS(key)                                                                    \
	{                                                                                          \
		.keys = {(key), "url"}, .holds = is_tls_missing,                                   \
		.what = "found `" key "` of a site that is never asked over TLS, expected an "     \
			"https URL",                                                               \
	}
#define UNUSED_OF_HEAD(key)                                                                        \
	{                                                                                          \
		.keys = {(key), "method"}, .holds = is_head,                                       \
		.what = "found `" key "` with the method HEAD, which gets no body, expected "      \
			"another method",                                                          \
	}

static const struct conflict conflicts[] = {
	{.keys = {"cert_expiry_warn", "cert_expiry_fail"},
	 .is_contradiction = true,
	 .holds = has_expiry_conflict,
	 .what = "found a `cert_expiry_warn` that is no longer than `cert_expiry_fail`, expected "
		 "more time for a warning than for a failure"},
	{.keys = {"chain_expiry_warn", "chain_expiry_fail"},
	 .is_contradiction = true,
	 .holds = has_chain_conflict,
	 .what = "found a `chain_expiry_warn` that is no longer than `chain_expiry_fail`, expected "
		 "more time for a warning than for a failure"},
	{.keys = {"time_limits", "max_response_time"},
	 .is_contradiction = true,
	 .holds = has_total_conflict,
	 .what = "found a `total` to fail in `time_limits` that is no longer than the one to warn "
		 "(`max_response_time`), expected a longer one"},
	{.keys = {"fail_if_ssl", "fail_if_not_ssl"},
	 .is_contradiction = true,
	 .holds = has_tls_conflict,
	 .what = "found `fail_if_ssl` beside `fail_if_not_ssl`, expected one of them"},
	{.keys = {"fail_if_body_larger_than", "fail_if_body_smaller_than"},
	 .is_contradiction = true,
	 .holds = has_size_conflict,
	 .what = "found a `fail_if_body_larger_than` below `fail_if_body_smaller_than`, expected "
		 "room between them"},
	{.keys = {"fail_if_body_smaller_than", "max_body_bytes"},
	 .is_contradiction = true,
	 .holds = has_cap_conflict,
	 .what = "found a `fail_if_body_smaller_than` above `max_body_bytes`, expected at most "
		 "that"},
	{.keys = {"tls_config"},
	 .is_contradiction = true,
	 .holds = has_tls_version_conflict,
	 .what = "found a `min_version` above `max_version`, expected at most that"},
	{.keys = {"tls_config"},
	 .is_contradiction = true,
	 .holds = has_cipher_conflict,
	 .what = "found no cipher of the versions that `min_version` and `max_version` leave, "
		 "expected one of theirs among `ciphers`"},
	{.keys = {"valid_http_versions", "http_version", "enable_http2"},
	 .is_contradiction = true,
	 .holds = has_http_version_conflict,
	 .what = "found `valid_http_versions` without the one that is spoken by `http_version` or "
		 "`enable_http2`, expected it among them"},
	{.keys = {"http_version", "proxy", "proxy_url", "url"},
	 .is_contradiction = true,
	 .holds = is_http_2_through_proxy,
	 .what = "found `http_version` 2 of a site without TLS behind a proxy, expected https, "
		 "another version or `proxy: none`"},
	{.keys = {"url", "proxy", "proxy_url"},
	 .is_contradiction = true,
	 .holds = is_name_too_long_for_proxy,
	 .what = "found a host of more than 255 bytes in the URL of a site behind a proxy by "
		 "SOCKS, "
		 "expected at most that many"},
	{.keys = {"method", "fail_if_body_not_matches_regexp", "fail_if_body_not_contains",
		  "expect_json", "fail_if_body_smaller_than"},
	 .is_contradiction = true,
	 .holds = is_body_wanted_of_head,
	 .what = "found the method HEAD, which gets no body, beside what the body must be, "
		 "expected another method such as GET"},
	UNUSED_OF_HEAD("fail_if_body_matches_regexp"),
	UNUSED_OF_HEAD("fail_if_body_contains"),
	UNUSED_OF_HEAD("fail_if_body_larger_than"),
	UNUSED_OF_HEAD("pattern"),
	UNUSED_WITHOUT_TLS("tls_config"),
	UNUSED_WITHOUT_TLS("ca_file"),
	UNUSED_WITHOUT_TLS("cert_expiry_warn"),
	UNUSED_WITHOUT_TLS("cert_expiry_fail"),
	UNUSED_WITHOUT_TLS("chain_expiry_warn"),
	UNUSED_WITHOUT_TLS("chain_expiry_fail"),
	UNUSED_WITHOUT_TLS("fail_if_cert_issuer_not_matches"),
	UNUSED_WITHOUT_TLS("fail_if_cert_issuer_matches"),
	UNUSED_WITHOUT_TLS("cert_sha256"),
	{.keys = {"ca_file", "tls_config", "insecure_skip_verify"},
	 .is_contradiction = true,
	 .holds = is_ca_file_unused,
	 .what = "found `ca_file` beside `insecure_skip_verify: true`, expected one of them (no "
		 "certificate is verified)"},
	{.keys = {"no_proxy", "proxy", "proxy_url"},
	 .holds = is_without_proxy,
	 .what = "found `no_proxy` without a `proxy`, expected both"},
	{.keys = {"proxy_headers", "proxy_connect_header", "proxy", "proxy_url"},
	 .holds = are_proxy_headers_unused,
	 .what = "found `proxy_headers` without a `proxy` that is asked over HTTP, expected both"},
	{.keys = {"proxy_headers", "proxy_connect_header", "proxy", "proxy_url"},
	 .is_contradiction = true,
	 .holds = has_two_users_of_proxy,
	 .what = "found a Proxy-Authorization in `proxy_headers` beside the user of the `proxy`, "
		 "expected one of them"},
	{.keys = {"retry_after", "retries"},
	 .holds = is_without_retries,
	 .what = "found `retry_after` without `retries`, expected both"},
	{.keys = {"ip_protocol_fallback", "ip_protocol", "preferred_ip_protocol"},
	 .holds = is_family_unnamed,
	 .what = "found `ip_protocol_fallback: false` without `ip_protocol`, expected both"},
	{.keys = {"ip_protocol_fallback", "ip_protocol", "preferred_ip_protocol", "url"},
	 .is_contradiction = true,
	 .holds = is_family_only_of_another_url,
	 .what = "found `ip_protocol_fallback: false` and the URL's address is not of "
		 "`ip_protocol`, expected one that is"},
	{.keys = {"ip_protocol", "url"},
	 .holds = is_family_of_another_url,
	 .what = "found an `ip_protocol` other than that of the URL's address, expected the same"},
	{.keys = {"preferred_ip_protocol", "url"},
	 .holds = is_family_of_another_url,
	 .what = "found a `preferred_ip_protocol` other than that of the URL's address, expected "
		 "the same"},
	{.keys = {"source_address", "source_ip_address", "url"},
	 .is_contradiction = true,
	 .holds = is_source_of_another_url,
	 .what = "found a `source_address` of another IP protocol than the URL's address, expected "
		 "the same"},
	{.keys = {"ip_protocol", "source_address", "source_ip_address"},
	 .holds = is_source_of_another_family,
	 .what = "found an `ip_protocol` other than that of `source_address`, expected the same"},
	{.keys = {"preferred_ip_protocol", "source_address", "source_ip_address"},
	 .holds = is_source_of_another_family,
	 .what = "found a `preferred_ip_protocol` other than that of `source_address`, expected "
		 "the same"},
	{.keys = {"addresses_needed", "addresses", "resolve", "url"},
	 .is_contradiction = true,
	 .holds = needs_more_addresses,
	 .what = "found more `addresses_needed` than the URL or `resolve` gives addresses, "
		 "expected "
		 "at most as many"},
};
enum { CONFLICT_COUNT = sizeof(conflicts) / sizeof(conflicts[0]), OPPOSITE_BIT = 63 };
_Static_assert(CONFLICT_COUNT < OPPOSITE_BIT, "a bit for each conflict");

static enum entry_level level_of(const struct entry *entry, const char *key)
{
	for (size_t i = 0; i < entry_key_count; i++)
		if (strcmp(entry_keys[i].name, key) == 0)
			return (enum entry_level)entry->levels[i];
	return LEVEL_BUILT_IN;
}

static void complain(struct entry_reader *reader, const struct node *mapping,
		     const struct conflict *conflict)
{
	const struct node *place = mapping;
	for (size_t i = 0; place == mapping && i < KEYS_MAX && conflict->keys[i] != NULL; i++) {
		const struct node *said = mapping->kind == NODE_MAPPING
						  ? tree_find(mapping, conflict->keys[i])
						  : NULL;
		if (said != NULL && !node_is_null(said) && strcmp(conflict->keys[i], "url") != 0)
			place = said;
	}
	entry_problem(reader, place, "%s", conflict->what);
}

static void judge(struct entry_reader *reader, const struct node *mapping, enum entry_level scope,
		  const struct conflict *conflict, unsigned bit)
{
	const struct entry *entry = reader->entry;
	enum entry_level first = level_of(entry, conflict->keys[0]);
	enum entry_level others = LEVEL_BUILT_IN;
	for (size_t i = 1; i < KEYS_MAX && conflict->keys[i] != NULL; i++) {
		enum entry_level level = level_of(entry, conflict->keys[i]);
		others = level > others ? level : others;
	}
	bool is_of_all = scope != LEVEL_SITE;
	bool is_useless = is_of_all ? first == scope && others == scope
				    : first >= LEVEL_SITE && first >= others;
	if ((*reader->said_conflicts >> bit & 1) != 0 ||
	    !(conflict->is_contradiction || is_useless))
		return;
	complain(reader, mapping, conflict);
	/* Of all sites, or of a URL by hand: the next one would say the same. */
	if (is_of_all || mapping == reader->overrides)
		*reader->said_conflicts |= UINT64_C(1) << bit;
}

/* Whether one must be there that must not: {must: Foo} and {must not: foo, ignoring case}, but not the other way round. */
static bool are_opposites(const struct site_rule *wanted, const struct site_rule *refused)
{
	if (!wanted->is_wanted || refused->is_wanted || wanted->subject != refused->subject ||
	    wanted->test != refused->test || wanted->is_literal != refused->is_literal ||
	    (wanted->may_be_missing && refused->may_be_missing))
		return false;
	if (wanted->test != RULE_MATCHES && wanted->test != RULE_EXISTS)
		return false;
	if (wanted->ignores_case && !refused->ignores_case)
		return false;
	bool is_name_same = wanted->name == NULL ||
			    (wanted->subject == RULE_HEADER
				     ? text_equal_ignoring_case(wanted->name, refused->name)
				     : strcmp(wanted->name, refused->name) == 0);
	return is_name_same && (wanted->text == NULL || strcmp(wanted->text, refused->text) == 0);
}

static void find_opposites(struct entry_reader *reader, const struct node *mapping,
			   enum entry_level scope)
{
	const struct site *site = &reader->entry->site;
	for (size_t i = 0; i < site->rule_count; i++) {
		for (size_t j = 0; j < site->rule_count; j++) {
			if (!are_opposites(&site->rules[i], &site->rules[j]))
				continue;
			char what[256];
			(void)snprintf(
				what, sizeof(what),
				"found the same in `%s` and `%s`, expected it in one of them",
				site->rules[j].key, site->rules[i].key);
			const struct conflict conflict = {
				.keys = {site->rules[j].key, site->rules[i].key},
				.is_contradiction = true,
				.what = what,
			};
			judge(reader, mapping, scope, &conflict, OPPOSITE_BIT);
			return;
		}
	}
}

void site_conflicts_find(struct entry_reader *reader, const struct node *mapping,
			 enum entry_level scope)
{
	if (reader->entry->is_wrong) { /* one mistake, one line */
		*reader->said_conflicts =
			scope == LEVEL_SITE ? *reader->said_conflicts : UINT64_MAX;
		return;
	}
	for (unsigned i = 0; i < CONFLICT_COUNT; i++)
		if (conflicts[i].holds(reader->entry))
			judge(reader, mapping, scope, &conflicts[i], i);
	if (reader->entry->site.rule_count > 1)
		find_opposites(reader, mapping, scope);
}
