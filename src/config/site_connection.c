/* The keys that say how a site is connected to, and what is spoken then: compression, HTTP version, TLS. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/request.h"
#include "check/url.h"
#include "config/cipher_names.h"
#include "config/pem_files.h"
#include "config/site_entry.h"
#include "config/site_keys.h"

enum { HOST_MAX = 253 };

int site_keys_take_choice(struct entry_reader *reader, const struct node *value,
			  const struct site_keys_choice *choices, const char *expected)
{
	bool is_text = value->kind == NODE_SCALAR && strlen(value->text) == value->length;
	for (; is_text && choices->word != NULL; choices++)
		if (text_equal_ignoring_case(choices->word, value->text))
			return choices->value;
	entry_expect(reader, value, "%s", expected);
	return -1;
}

void site_keys_take_compression(struct entry_reader *reader, const struct node *value)
{
	/* libcurl's names of what it decodes; blackbox_exporter has them but for zstd. */
	static const char *const encodings[] = {NULL,      "",     "gzip",    "br",
						"deflate", "zstd", "identity"};
	static const struct site_keys_choice choices[] = {
		{"true", 0}, {"yes", 0}, {"on", 0},      {"false", 1}, {"no", 1},       {"off", 1},
		{"gzip", 2}, {"br", 3},  {"deflate", 4}, {"zstd", 5},  {"identity", 6}, {NULL, 0},
	};
	int index = site_keys_take_choice(
		reader, value, choices,
		"true, false, gzip, br, deflate, zstd or identity for `compression`");
	if (index < 0 || !entry_claim(reader, SLOT_COMPRESSION, "compression", value))
		return;
	site_keys_remove_header(&reader->entry->site, "Accept-Encoding"); /* of the defaults */
	entry_replace(&request_make(&reader->entry->site)->accept_encoding,
		      encodings[index] == NULL ? NULL : xstrdup(encodings[index]));
}

void site_keys_take_http_version(struct entry_reader *reader, const struct node *value)
{
	static const struct site_keys_choice choices[] = {
		{"auto", REQUEST_HTTP_AUTO}, {"any", REQUEST_HTTP_AUTO}, {"1.1", REQUEST_HTTP_1_1},
		{"2", REQUEST_HTTP_2},       {"2.0", REQUEST_HTTP_2},    {NULL, 0},
	};
	int http =
		site_keys_take_choice(reader, value, choices, "auto, 1.1 or 2 for `http_version`");
	if (http >= 0 && entry_claim(reader, SLOT_HTTP_VERSION, "http_version", value))
		request_make(&reader->entry->site)->http = (enum request_http)http;
}

/* blackbox_exporter's way to say it. */
void site_keys_take_enable_http2(struct entry_reader *reader, const struct node *value)
{
	bool is_enabled;
	if (entry_take_bool(reader, "enable_http2", value, &is_enabled) == 0 &&
	    entry_claim(reader, SLOT_HTTP_VERSION, "enable_http2", value))
		request_make(&reader->entry->site)->http =
			is_enabled ? REQUEST_HTTP_AUTO : REQUEST_HTTP_1_1;
}

static void take_insecure(struct entry_reader *reader, const char *key, const struct node *value)
{
	if (entry_claim(reader, SLOT_INSECURE, key, value))
		(void)entry_take_bool(reader, "insecure_skip_verify", value,
				      &reader->entry->site.insecure_skip_verify);
}

void site_keys_take_keepalive(struct entry_reader *reader, const struct node *value)
{
	bool is_kept;
	if (entry_take_bool(reader, "keepalive", value, &is_kept) == 0)
		request_make(&reader->entry->site)->is_keepalive = is_kept;
}

void site_keys_take_insecure(struct entry_reader *reader, const struct node *value)
{
	take_insecure(reader, "insecure_skip_verify", value);
}

static void take_tls_insecure(struct entry_reader *reader, const struct node *value)
{
	take_insecure(reader, "tls_config: insecure_skip_verify", value);
}

static void take_ca_file(struct entry_reader *reader, const char *key, const struct node *value)
{
	char *path;
	if (entry_claim(reader, SLOT_CA_FILE, key, value) &&
	    entry_take_pem(reader, "ca_file", value, pem_files_check_certificates, &path) == 0)
		entry_replace(&reader->entry->site.ca_file, path);
}

void site_keys_take_ca_file(struct entry_reader *reader, const struct node *value)
{
	take_ca_file(reader, "ca_file", value);
}

static void take_tls_ca_file(struct entry_reader *reader, const struct node *value)
{
	take_ca_file(reader, "tls_config: ca_file", value);
}

static void take_cert_file(struct entry_reader *reader, const struct node *value)
{
	char *path;
	if (entry_take_pem(reader, "cert_file", value, pem_files_check_certificates, &path) == 0)
		entry_replace(&request_make(&reader->entry->site)->cert_file, path);
	else
		entry_note_mistaken(reader->entry, "cert_file");
}

static void take_key_file(struct entry_reader *reader, const struct node *value)
{
	char *path;
	if (entry_take_pem(reader, "key_file", value, pem_files_check_key, &path) == 0)
		entry_replace(&request_make(&reader->entry->site)->key_file, path);
	else
		entry_note_mistaken(reader->entry, "key_file");
}

char *site_keys_read_host(const char *text)
{
	struct url_parts parts;
	bool is_v6 = strchr(text, ':') != NULL && text[0] != '[';
	if (text[strcspn(text, "/?#@\\[]% ")] != '\0' && text[0] != '[')
		return NULL;
	char *url = xasprintf(is_v6 ? "http://[%s]/" : "http://%s/", text);
	char *host = NULL;
	if (url_parse(url, &parts, NULL) == 0) {
		if (parts.port == 80 && (is_v6 || strchr(text, ':') == NULL))
			host = xstrdup(parts.host);
		url_parts_finish(&parts);
	}
	free(url);
	return host;
}

static void take_server_name(struct entry_reader *reader, const struct node *value)
{
	char *text;
	if (entry_take_text(reader, "server_name", value, HOST_MAX, &text) != 0)
		return;
	char *host = site_keys_read_host(text);
	free(text);
	if (host == NULL)
		entry_expect(reader, value, "a host's name for `server_name`");
	else
		entry_replace(&request_make(&reader->entry->site)->server_name, host);
}

static int take_tls_version(struct entry_reader *reader, const char *name, const struct node *value)
{
	static const struct site_keys_choice choices[] = {
		{"TLS10", REQUEST_TLS_1_0}, {"TLS11", REQUEST_TLS_1_1}, {"TLS12", REQUEST_TLS_1_2},
		{"TLS13", REQUEST_TLS_1_3}, {"1.0", REQUEST_TLS_1_0},   {"1.1", REQUEST_TLS_1_1},
		{"1.2", REQUEST_TLS_1_2},   {"1.3", REQUEST_TLS_1_3},   {NULL, 0},
	};
	char *expected = xasprintf("TLS10, TLS11, TLS12 or TLS13 for `%s`", name);
	int version = site_keys_take_choice(reader, value, choices, expected);
	free(expected);
	return version;
}

static void take_min_version(struct entry_reader *reader, const struct node *value)
{
	int version = take_tls_version(reader, "min_version", value);
	if (version >= 0)
		request_make(&reader->entry->site)->tls_min = (enum request_tls)version;
}

static void take_max_version(struct entry_reader *reader, const struct node *value)
{
	int version = take_tls_version(reader, "max_version", value);
	if (version >= 0)
		request_make(&reader->entry->site)->tls_max = (enum request_tls)version;
}

/* "a:b" and c are "a:b:c". */
static void append_cipher(char **list, const char *name)
{
	entry_replace(list, *list == NULL ? xstrdup(name) : xasprintf("%s:%s", *list, name));
}

static int add_cipher(struct entry_reader *reader, const struct node *place, const char *name)
{
	struct request *request = request_make(&reader->entry->site);
	const char *nearest;
	switch (cipher_names_find(reader->cipher_names, name)) {
	case CIPHER_LIST:
		append_cipher(&request->ciphers, name);
		return 0;
	case CIPHER_SUITE:
		append_cipher(&request->cipher_suites, name);
		return 0;
	case CIPHER_UNKNOWN:
		break;
	}
	nearest = cipher_names_nearest(reader->cipher_names, name);
	if (nearest != NULL)
		entry_problem(reader, place, "unknown cipher '%.80s', did you mean %s?", name,
			      nearest);
	else
		entry_problem(
			reader, place,
			"found '%.80s', expected OpenSSL's name of a cipher that can be offered "
			"such as ECDHE-RSA-AES256-GCM-SHA384 or TLS_AES_128_GCM_SHA256 for "
			"`ciphers`",
			name);
	return -1;
}

/* A list, or as OpenSSL has it, with colons. */
static void take_ciphers(struct entry_reader *reader, const struct node *value)
{
	enum { CIPHERS_MAX = 64, TEXT_MAX = 4096 };
	bool is_list = value->kind == NODE_SEQUENCE;
	size_t count = is_list ? value->count : 1;
	int result = 0;
	size_t taken = 0;
	struct request *request = request_make(&reader->entry->site);
	entry_replace(&request->ciphers, NULL); /* of a level farther from the site */
	entry_replace(&request->cipher_suites, NULL);
	if (entry_is_empty_list(reader, "ciphers", value))
		return;
	for (size_t i = 0; i < count && result == 0; i++) {
		const struct node *item = is_list ? value->items[i] : value;
		char *rest = NULL;
		char *text;
		if (entry_take_text(reader, "ciphers", item, TEXT_MAX, &text) != 0)
			return;
		char *word = strtok_r(text, ":", &rest);
		if (word == NULL)
			result = add_cipher(reader, item, text);
		for (; word != NULL && result == 0; word = strtok_r(NULL, ":", &rest)) {
			if (++taken > CIPHERS_MAX) {
				entry_expect(reader, value, "at most %d ciphers", (int)CIPHERS_MAX);
				result = -1;
			} else {
				result = add_cipher(reader, item, word);
			}
		}
		free(text);
	}
}

const struct entry_key site_keys_tls_parts[] = {
	{.name = "ca_file", .take = take_tls_ca_file},
	{.name = "cert_file", .take = take_cert_file},
	{.name = "key_file", .take = take_key_file},
	{.name = "server_name", .take = take_server_name},
	{.name = "min_version", .take = take_min_version},
	{.name = "max_version", .take = take_max_version},
	{.name = "ciphers", .take = take_ciphers},
	{.name = "insecure_skip_verify", .take = take_tls_insecure},
	{.name = NULL},
};

/* blackbox_exporter's nesting. */
void site_keys_take_tls_config(struct entry_reader *reader, const struct node *value)
{
	(void)entry_has_parts(reader, "tls_config", value, site_keys_tls_parts);
	for (size_t i = 0; value->kind == NODE_MAPPING && site_keys_tls_parts[i].name != NULL;
	     i++) {
		const struct node *part = tree_find(value, site_keys_tls_parts[i].name);
		if (part != NULL && !node_is_null(part))
			site_keys_tls_parts[i].take(reader, part);
	}
}

void site_keys_finish_connection(struct entry_reader *reader, const struct node *node)
{
	const struct request *request = request_of(&reader->entry->site);
	struct error err;
	if (request->cert_file != NULL && request->key_file != NULL &&
	    pem_files_check_pair(reader->pem_files, request->cert_file, request->key_file, &err) !=
		    0)
		entry_problem(reader, node, "%s", err.message);
	if (request->cert_file != NULL && request->key_file == NULL &&
	    !entry_is_mistaken(reader->entry, "key_file"))
		entry_problem(reader, node, "found `cert_file` without `key_file`, expected both");
	if (request->key_file != NULL && request->cert_file == NULL &&
	    !entry_is_mistaken(reader->entry, "cert_file"))
		entry_problem(reader, node, "found `key_file` without `cert_file`, expected both");
}
