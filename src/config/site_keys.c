/* The keys of a site: the table, and how each value gets into the site. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/secrets.h"
#include "check/url.h"
#include "config/settings_table.h"
#include "config/site_entry.h"
#include "config/site_keys.h"
#include "pattern/pattern.h"

enum {
	LABEL_MAX = 1024,
	STATUS_MIN = 100,
	STATUS_MAX = 599,
};

static void take_url(struct entry_reader *reader, const struct node *value)
{
	struct site *site = &reader->entry->site;
	struct url_parts parts;
	struct error err;
	char *url;
	if (entry_take_text(reader, "url", value, URL_MAX, &url) != 0)
		return;
	char *redacted = url_redact(url);
	if (url_parse(url, &parts, &err) != 0) {
		bool is_expectation = text_starts_with(err.message, "expected ");
		entry_problem(reader, value, "found '%.200s'%s %s", redacted,
			      is_expectation ? "," : ":", err.message);
		free(url);
		free(redacted);
		return;
	}
	url_parts_finish(&parts);
	entry_replace(&site->url, url);
	entry_replace(&site->redacted_url, redacted);
}

/* A URL with a user or a token in what everybody sees. */
static bool is_secret_shown(struct entry_reader *reader, const char *name, const struct node *value,
			    const char *text)
{
	struct buffer shown;
	if (strstr(text, ":/") == NULL)
		return false;
	buffer_init(&shown, 4 * strlen(text));
	secrets_hide_users(text, strlen(text), &shown);
	bool is_secret = shown.length != strlen(text) ||
			 memcmp(shown.data, text, shown.length) != 0 ||
			 url_is_secret_header("", text);
	buffer_finish(&shown);
	if (is_secret)
		entry_problem(reader, value,
			      "found a URL with a secret in `%.80s`, expected text that everybody "
			      "may see",
			      name);
	return is_secret;
}

static void take_name(struct entry_reader *reader, const struct node *value)
{
	char *name;
	uint32_t character;
	if (entry_take_text(reader, "name", value, SITE_NAME_MAX, &name) != 0)
		return;
	if (text_find_invisible(name, &character)) {
		entry_problem(reader, value,
			      "found the invisible character U+%04X in `name`, expected a name "
			      "that is what it looks like",
			      (unsigned)character);
		free(name);
		return;
	}
	if (is_secret_shown(reader, "name", value, name)) {
		free(name);
		return;
	}
	entry_replace(&reader->entry->site.name, name);
}

static bool is_label_name(const char *name)
{
	if (!isalpha((unsigned char)name[0]) && name[0] != '_')
		return false;
	for (const char *at = name; *at != '\0'; at++)
		if (!(isalnum((unsigned char)*at) && (unsigned char)*at < 0x80) && *at != '_')
			return false;
	return strlen(name) <= 128;
}

/* Kept sorted by name. */
static void set_label(struct site *site, const char *name, char *taken_value)
{
	size_t at = 0;
	while (at < site->label_count && strcmp(site->labels[at].name, name) < 0)
		at++;
	if (at < site->label_count && strcmp(site->labels[at].name, name) == 0) {
		entry_replace(&site->labels[at].value, taken_value);
		return;
	}
	site->labels = xreallocarray(site->labels, site->label_count + 1, sizeof(*site->labels));
	memmove(&site->labels[at + 1], &site->labels[at],
		(site->label_count - at) * sizeof(*site->labels));
	site->labels[at] = (struct site_label){.name = xstrdup(name), .value = taken_value};
	site->label_count++;
}

static void take_label(struct entry_reader *reader, const struct node_pair *pair, char *taken_value)
{
	if (is_secret_shown(reader, pair->key->text, pair->value, taken_value))
		free(taken_value);
	else
		set_label(&reader->entry->site, pair->key->text, taken_value);
}

static void take_labels(struct entry_reader *reader, const struct node *value)
{
	if (!entry_is_mapping(reader, "labels", value, SITE_LABELS_MAX))
		return;
	for (size_t i = 0; i < value->count; i++) {
		const struct node_pair *pair = &value->pairs[i];
		char *text;
		char found[NODE_KEY_MAX];
		node_name_key(pair->key, found);
		if (strlen(pair->key->text) != pair->key->length || !is_label_name(pair->key->text))
			entry_problem(reader, pair->key,
				      "found '%s', expected a label of letters, digits and '_'",
				      found);
		else if (entry_take_text(reader, pair->key->text, pair->value, LABEL_MAX, &text) ==
			 0)
			take_label(reader, pair, text);
	}
	if (reader->entry->site.label_count > SITE_LABELS_MAX)
		entry_problem(reader, value,
			      "found %zu labels with the defaults', expected at most %d",
			      reader->entry->site.label_count, (int)SITE_LABELS_MAX);
}

static void take_interval(struct entry_reader *reader, const struct node *value)
{
	const struct setting *row = settings_table_find("interval");
	if (entry_take_duration(reader, "interval", value, row->min, row->max,
				&reader->entry->site.interval_us) == 0)
		reader->entry->interval_level = reader->level;
}

static void take_timeout(struct entry_reader *reader, const struct node *value)
{
	const struct setting *row = settings_table_find("timeout");
	if (entry_take_duration(reader, "timeout", value, row->min, row->max,
				&reader->entry->site.timeout_us) == 0) {
		reader->entry->timeout_level = reader->level;
		reader->entry->timeout_place = value;
	}
}

static void take_pattern(struct entry_reader *reader, const struct node *value)
{
	struct site *site = &reader->entry->site;
	struct error err;
	char *text;
	if (entry_take_block(reader, "pattern", value, PATTERN_TEXT_MAX, &text) != 0)
		return;
	struct pattern *pattern = pattern_compile(text, &err);
	if (pattern == NULL) {
		entry_problem(reader, value, "found '%.200s': %s", text, err.message);
		free(text);
		return;
	}
	pattern_destroy(site->pattern);
	site->pattern = pattern;
	entry_replace(&site->pattern_text, text);
}

/* Three digits; -1 for anything else. */
static int parse_status(const char *text)
{
	for (int i = 0; i < 3; i++)
		if (!isdigit((unsigned char)text[i]))
			return -1;
	return (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
}

/* "200" or "200-299". */
static int parse_status_range(const char *text, struct status_range *ret_range)
{
	size_t length = strlen(text);
	if (length != 3 && (length != 7 || text[3] != '-'))
		return -1;
	int first = parse_status(text);
	int last = length == 3 ? first : parse_status(text + 4);
	if (first < STATUS_MIN || last > STATUS_MAX || first > last)
		return -1;
	*ret_range = (struct status_range){first, last};
	return 0;
}

static void take_status(struct entry_reader *reader, const struct node *value)
{
	struct site *site = &reader->entry->site;
	struct status_range range;
	if (value->kind != NODE_SCALAR || value->length > 16 ||
	    strlen(value->text) != value->length || parse_status_range(value->text, &range) != 0) {
		entry_expect(reader, value,
			     "a status such as 200 or a range such as 200-299, from %d to %d",
			     STATUS_MIN, STATUS_MAX);
		return;
	}
	site->valid_status_codes =
		xreallocarray(site->valid_status_codes, site->valid_status_code_count + 1,
			      sizeof(*site->valid_status_codes));
	site->valid_status_codes[site->valid_status_code_count++] = range;
}

static void take_valid_status_codes(struct entry_reader *reader, const struct node *value)
{
	reader->entry->site.valid_status_code_count = 0; /* of a level farther from the site */
	if (entry_is_empty_list(reader, "valid_status_codes", value))
		return;
	if (value->kind == NODE_SCALAR) {
		take_status(reader, value);
		return;
	}
	if (value->kind == NODE_MAPPING || value->count > SITE_STATUS_RANGES_MAX) {
		entry_expect(reader, value, "a list of at most %d statuses such as [200-299, 404]",
			     (int)SITE_STATUS_RANGES_MAX);
		return;
	}
	for (size_t i = 0; i < value->count; i++)
		take_status(reader, value->items[i]);
}

static void take_follow_redirects(struct entry_reader *reader, const struct node *value)
{
	(void)entry_take_bool(reader, "follow_redirects", value,
			      &reader->entry->site.follow_redirects);
}

static void take_max_redirects(struct entry_reader *reader, const struct node *value)
{
	int64_t number;
	if (entry_take_integer(reader, "max_redirects", value, 0, SITE_REDIRECTS_MAX, &number) == 0)
		reader->entry->site.max_redirects = (int)number;
}

static void take_match_bytes(struct entry_reader *reader, const struct node *value)
{
	(void)entry_take_size(reader, "match_bytes", value, 1, SITE_BODY_MAX,
			      &reader->entry->site.match_bytes);
}

static void take_max_body_bytes(struct entry_reader *reader, const struct node *value)
{
	(void)entry_take_size(reader, "max_body_bytes", value, 1, SITE_BODY_MAX,
			      &reader->entry->site.max_body_bytes);
}

const struct entry_key entry_keys[] = {
	{.name = "url", .take = take_url, .is_own = true},
	{.name = "name", .take = take_name, .is_own = true},
	{.name = "method", .take = site_keys_take_method},
	{.name = "headers", .take = site_keys_take_headers, .is_merged = true},
	{.name = "body", .take = site_keys_take_body},
	{.name = "body_file", .take = site_keys_take_body_file},
	{.name = "form", .take = site_keys_take_form},
	{.name = "basic_auth",
	 .take = site_keys_take_basic_auth,
	 .parts = site_keys_basic_auth_parts},
	{.name = "authorization",
	 .take = site_keys_take_authorization,
	 .parts = site_keys_authorization_parts},
	{.name = "bearer_token", .take = site_keys_take_bearer_token},
	{.name = "bearer_token_file", .take = site_keys_take_bearer_token_file},
	{.name = "cookies", .take = site_keys_take_cookies, .is_merged = true},
	{.name = "user_agent", .take = site_keys_take_user_agent},
	{.name = "pattern", .take = take_pattern},
	{.name = "valid_status_codes", .take = take_valid_status_codes},
	{.name = "valid_http_versions", .take = site_keys_take_valid_http_versions},
	{.name = "fail_if_ssl", .take = site_keys_take_fail_if_ssl},
	{.name = "fail_if_not_ssl", .take = site_keys_take_fail_if_not_ssl},
	{.name = "fail_if_body_not_matches_regexp", .take = site_keys_take_body_not_matches},
	{.name = "fail_if_body_matches_regexp", .take = site_keys_take_body_matches},
	{.name = "fail_if_body_not_contains", .take = site_keys_take_body_not_contains},
	{.name = "fail_if_body_contains", .take = site_keys_take_body_contains},
	{.name = "fail_if_body_smaller_than", .take = site_keys_take_body_smaller},
	{.name = "fail_if_body_larger_than", .take = site_keys_take_body_larger},
	{.name = "fail_if_header_not_matches", .take = site_keys_take_header_not_matches},
	{.name = "fail_if_header_matches", .take = site_keys_take_header_matches},
	{.name = "fail_if_header_missing", .take = site_keys_take_header_missing},
	{.name = "fail_if_header_present", .take = site_keys_take_header_present},
	{.name = "expect_json", .take = site_keys_take_expect_json},
	{.name = "fail_if_final_url_not_matches", .take = site_keys_take_url_not_matches},
	{.name = "fail_if_final_url_matches", .take = site_keys_take_url_matches},
	{.name = "interval", .take = take_interval},
	{.name = "timeout", .take = take_timeout},
	{.name = "max_response_time", .take = site_keys_take_max_response_time},
	{.name = "time_limits",
	 .take = site_keys_take_time_limits,
	 .parts = site_keys_time_parts,
	 .is_merged = true},
	{.name = "max_document_age", .take = site_keys_take_max_document_age},
	{.name = "invert", .take = site_keys_take_invert},
	{.name = "retries", .take = site_keys_take_retries},
	{.name = "retry_after", .take = site_keys_take_retry_after},
	{.name = "evidence", .take = site_keys_take_evidence},
	{.name = "follow_redirects", .take = take_follow_redirects},
	{.name = "max_redirects", .take = take_max_redirects},
	{.name = "labels", .take = take_labels, .is_merged = true},
	{.name = "compression", .take = site_keys_take_compression},
	{.name = "http_version", .take = site_keys_take_http_version},
	{.name = "enable_http2", .take = site_keys_take_enable_http2},
	{.name = "keepalive", .take = site_keys_take_keepalive},
	{.name = "tls_config",
	 .take = site_keys_take_tls_config,
	 .parts = site_keys_tls_parts,
	 .is_merged = true},
	{.name = "resolve", .take = site_keys_take_resolve, .is_merged = true},
	{.name = "ip_protocol", .take = site_keys_take_ip_protocol},
	{.name = "preferred_ip_protocol", .take = site_keys_take_preferred_ip_protocol},
	{.name = "ip_protocol_fallback", .take = site_keys_take_ip_protocol_fallback},
	{.name = "addresses", .take = site_keys_take_addresses},
	{.name = "addresses_needed", .take = site_keys_take_addresses_needed},
	{.name = "source_address", .take = site_keys_take_source_address},
	{.name = "source_ip_address", .take = site_keys_take_source_ip_address},
	{.name = "dns_servers", .take = site_keys_take_dns_servers},
	{.name = "proxy", .take = site_keys_take_proxy},
	{.name = "proxy_url", .take = site_keys_take_proxy_url},
	{.name = "proxy_headers", .take = site_keys_take_proxy_headers, .is_merged = true},
	{.name = "proxy_connect_header",
	 .take = site_keys_take_proxy_connect_header,
	 .is_merged = true},
	{.name = "no_proxy", .take = site_keys_take_no_proxy},
	{.name = "allow_private", .take = site_keys_take_allow_private},
	{.name = "deny_cidrs", .take = site_keys_take_deny_cidrs, .is_kept = true},
	{.name = "insecure_skip_verify", .take = site_keys_take_insecure},
	{.name = "ca_file", .take = site_keys_take_ca_file},
	{.name = "cert_expiry_warn", .take = site_keys_take_cert_expiry_warn},
	{.name = "cert_expiry_fail", .take = site_keys_take_cert_expiry_fail},
	{.name = "chain_expiry_warn", .take = site_keys_take_chain_expiry_warn},
	{.name = "chain_expiry_fail", .take = site_keys_take_chain_expiry_fail},
	{.name = "fail_if_cert_issuer_not_matches", .take = site_keys_take_issuer_not_matches},
	{.name = "fail_if_cert_issuer_matches", .take = site_keys_take_issuer_matches},
	{.name = "cert_sha256", .take = site_keys_take_cert_sha256},
	{.name = "match_bytes", .take = take_match_bytes},
	{.name = "max_body_bytes", .take = take_max_body_bytes},
};
const size_t entry_key_count = sizeof(entry_keys) / sizeof(entry_keys[0]);
_Static_assert(sizeof(entry_keys) / sizeof(entry_keys[0]) <= ENTRY_KEYS_MAX,
	       "a level for each key");
