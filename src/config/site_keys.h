/* What the table of keys (site_keys.c) takes from the files beside it. Internal to config/; main thread. */
#ifndef WEBSENTRY_CONFIG_SITE_KEYS_H
#define WEBSENTRY_CONFIG_SITE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

struct entry_key;
struct entry_reader;
struct node;
struct site;

/* The request line, headers and body (site_request.c). */
void site_keys_take_method(struct entry_reader *reader, const struct node *value);
void site_keys_take_headers(struct entry_reader *reader, const struct node *value);
void site_keys_take_body(struct entry_reader *reader, const struct node *value);
void site_keys_take_body_file(struct entry_reader *reader, const struct node *value);
void site_keys_take_form(struct entry_reader *reader, const struct node *value);
void site_keys_take_user_agent(struct entry_reader *reader, const struct node *value);

/* Who asks (site_credentials.c). */
extern const struct entry_key site_keys_basic_auth_parts[];
extern const struct entry_key site_keys_authorization_parts[];
void site_keys_take_basic_auth(struct entry_reader *reader, const struct node *value);
void site_keys_take_authorization(struct entry_reader *reader, const struct node *value);
void site_keys_take_bearer_token(struct entry_reader *reader, const struct node *value);
void site_keys_take_bearer_token_file(struct entry_reader *reader, const struct node *value);
void site_keys_take_cookies(struct entry_reader *reader, const struct node *value);

/* How it is connected to (site_connection.c). */
extern const struct entry_key site_keys_tls_parts[];
void site_keys_take_compression(struct entry_reader *reader, const struct node *value);
void site_keys_take_http_version(struct entry_reader *reader, const struct node *value);
void site_keys_take_enable_http2(struct entry_reader *reader, const struct node *value);
void site_keys_take_keepalive(struct entry_reader *reader, const struct node *value);
void site_keys_take_tls_config(struct entry_reader *reader, const struct node *value);
void site_keys_take_insecure(struct entry_reader *reader, const struct node *value);
void site_keys_take_ca_file(struct entry_reader *reader, const struct node *value);

/* Which way it is reached (site_network.c). */
void site_keys_take_resolve(struct entry_reader *reader, const struct node *value);
void site_keys_take_ip_protocol(struct entry_reader *reader, const struct node *value);
void site_keys_take_preferred_ip_protocol(struct entry_reader *reader, const struct node *value);
void site_keys_take_ip_protocol_fallback(struct entry_reader *reader, const struct node *value);
void site_keys_take_source_address(struct entry_reader *reader, const struct node *value);
void site_keys_take_source_ip_address(struct entry_reader *reader, const struct node *value);
void site_keys_take_dns_servers(struct entry_reader *reader, const struct node *value);

/* Through whom (site_proxy.c). */
void site_keys_take_proxy(struct entry_reader *reader, const struct node *value);
void site_keys_take_proxy_url(struct entry_reader *reader, const struct node *value);
void site_keys_take_proxy_headers(struct entry_reader *reader, const struct node *value);
void site_keys_take_proxy_connect_header(struct entry_reader *reader, const struct node *value);
void site_keys_take_no_proxy(struct entry_reader *reader, const struct node *value);

/* Which addresses it may be at (site_policy.c). */
void site_keys_take_allow_private(struct entry_reader *reader, const struct node *value);
void site_keys_take_deny_cidrs(struct entry_reader *reader, const struct node *value);

/* Whether each of its addresses is checked (site_rounds.c). */
void site_keys_take_addresses(struct entry_reader *reader, const struct node *value);
void site_keys_take_addresses_needed(struct entry_reader *reader, const struct node *value);

/* What the response must say and must not (site_rules.c). */
void site_keys_take_body_not_matches(struct entry_reader *reader, const struct node *value);
void site_keys_take_body_matches(struct entry_reader *reader, const struct node *value);
void site_keys_take_body_not_contains(struct entry_reader *reader, const struct node *value);
void site_keys_take_body_contains(struct entry_reader *reader, const struct node *value);
void site_keys_take_url_not_matches(struct entry_reader *reader, const struct node *value);
void site_keys_take_url_matches(struct entry_reader *reader, const struct node *value);
void site_keys_take_issuer_not_matches(struct entry_reader *reader, const struct node *value);
void site_keys_take_issuer_matches(struct entry_reader *reader, const struct node *value);
void site_keys_take_header_not_matches(struct entry_reader *reader, const struct node *value);
void site_keys_take_header_matches(struct entry_reader *reader, const struct node *value);
void site_keys_take_header_missing(struct entry_reader *reader, const struct node *value);
void site_keys_take_header_present(struct entry_reader *reader, const struct node *value);
void site_keys_take_expect_json(struct entry_reader *reader, const struct node *value);

/* What it may be and take, and what follows from a failure (site_limits.c). */
extern const struct entry_key site_keys_time_parts[];
void site_keys_take_time_limits(struct entry_reader *reader, const struct node *value);
void site_keys_take_max_response_time(struct entry_reader *reader, const struct node *value);
void site_keys_take_max_document_age(struct entry_reader *reader, const struct node *value);
void site_keys_take_cert_expiry_warn(struct entry_reader *reader, const struct node *value);
void site_keys_take_cert_expiry_fail(struct entry_reader *reader, const struct node *value);
void site_keys_take_chain_expiry_warn(struct entry_reader *reader, const struct node *value);
void site_keys_take_chain_expiry_fail(struct entry_reader *reader, const struct node *value);
void site_keys_take_cert_sha256(struct entry_reader *reader, const struct node *value);
void site_keys_take_valid_http_versions(struct entry_reader *reader, const struct node *value);
void site_keys_take_fail_if_ssl(struct entry_reader *reader, const struct node *value);
void site_keys_take_fail_if_not_ssl(struct entry_reader *reader, const struct node *value);
void site_keys_take_body_smaller(struct entry_reader *reader, const struct node *value);
void site_keys_take_body_larger(struct entry_reader *reader, const struct node *value);
void site_keys_take_invert(struct entry_reader *reader, const struct node *value);
void site_keys_take_retries(struct entry_reader *reader, const struct node *value);
void site_keys_take_retry_after(struct entry_reader *reader, const struct node *value);
void site_keys_take_evidence(struct entry_reader *reader, const struct node *value);

/* When all keys of an entry were taken: what several of them say together. */
void site_keys_finish_request(struct entry_reader *reader, const struct node *node);
void site_keys_finish_connection(struct entry_reader *reader, const struct node *node);
void site_keys_finish_rounds(struct entry_reader *reader, const struct node *node);

/* A header, once, in the place of all that have its name; the value is taken. */
void site_keys_set_header(struct site *site, const char *name, char *taken_value);
void site_keys_remove_header(struct site *site, const char *name);
/* A host as it stands in a URL, in the resolver's form: lower case, IDNA, an IPv6 address without brackets. NULL for none. */
char *site_keys_read_host(const char *text);

/* A word of a table that ends with NULL; -1 with a problem. */
struct site_keys_choice {
	const char *word;
	int value;
};
int site_keys_take_choice(struct entry_reader *reader, const struct node *value,
			  const struct site_keys_choice *choices, const char *expected);

/* Whether a mapping's key may be a header of a request: a name, none that frames the body, not twice. A problem where it may not. */
bool site_keys_is_header(struct entry_reader *reader, const struct node *mapping, size_t index);

/*
 * Hand over a header's values, one or a list of them, in their order; taken_value is then the callee's to free. What comes before a
 * problem was handed over.
 */
typedef void site_keys_add_value(struct site *site, const char *name, char *taken_value,
				 bool is_first);
void site_keys_take_values(struct entry_reader *reader, const struct node_pair *pair,
			   site_keys_add_value *add);

/* RFC 9110's token. */
bool site_keys_is_token(const char *text);

#endif
