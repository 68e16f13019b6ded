/* The keys that say what is sent: method, headers, body. None of them can smuggle: see site_keys_is_token() and one line of text. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/request.h"
#include "check/url.h"
#include "config/site_entry.h"
#include "config/site_keys.h"

enum {
	METHOD_MAX = 64,
	HEADER_NAME_MAX = 256,
	HEADER_VALUE_MAX = 8192,
	REQUEST_BODY_MAX = 1024 * 1024,
	PATH_TEXT_MAX = 4096,
	FORM_FIELDS_MAX = 1024,
};

bool site_keys_is_token(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if (!(isalnum((unsigned char)*at) && (unsigned char)*at < 0x80) &&
		    strchr("!#$%&'*+-.^_`|~", *at) == NULL)
			return false;
	return text[0] != '\0';
}

/* Those that everybody knows are written in any case; others stand as they are, for a method's case counts. */
static void take_known_method(struct entry_reader *reader, const struct node *value, char **method)
{
	/* the likely ones first: a slip is one of those */
	static const char *const methods[] = {"GET",      "HEAD",   "POST",    "PUT",
					      "PATCH",    "DELETE", "OPTIONS", "TRACE",
					      "PROPFIND", "REPORT", "SEARCH",  "PURGE"};
	enum { LIKELY = 7 };
	const size_t count = sizeof(methods) / sizeof(methods[0]);
	for (size_t i = 0; i < count; i++) {
		if (text_equal_ignoring_case(methods[i], *method)) {
			entry_replace(method, xstrdup(methods[i]));
			return;
		}
	}
	const char *nearest = text_nearest(*method, methods, LIKELY);
	if (nearest != NULL)
		entry_warn(reader, value,
			   "found the method '%s', did you mean %s? It is sent as it stands",
			   *method, nearest);
}

void site_keys_take_method(struct entry_reader *reader, const struct node *value)
{
	char *method;
	if (entry_take_text(reader, "method", value, METHOD_MAX, &method) != 0)
		return;
	if (!site_keys_is_token(method)) {
		entry_expect(reader, value, "a method such as GET, HEAD or POST");
	} else if (text_equal_ignoring_case(method, "CONNECT")) {
		entry_problem(reader, value, "found the method '%s', expected one that asks a site",
			      method);
	} else {
		take_known_method(reader, value, &method);
		entry_replace(&reader->entry->site.method, method);
		reader->entry->has_method = true;
		return;
	}
	free(method);
}

static void append_header(struct site *site, const char *name, char *taken_value)
{
	site->headers =
		xreallocarray(site->headers, site->header_count + 1, sizeof(*site->headers));
	site->headers[site->header_count++] =
		(struct site_header){.name = xstrdup(name), .value = taken_value};
}

static void remove_header_at(struct site *site, size_t index)
{
	free(site->headers[index].name);
	free(site->headers[index].value);
	site->header_count--;
	memmove(&site->headers[index], &site->headers[index + 1],
		(site->header_count - index) * sizeof(*site->headers));
}

static size_t find_header(const struct site *site, const char *name, size_t from)
{
	size_t i = from;
	while (i < site->header_count && !text_equal_ignoring_case(site->headers[i].name, name))
		i++;
	return i;
}

void site_keys_remove_header(struct site *site, const char *name)
{
	for (size_t i = find_header(site, name, 0); i < site->header_count;
	     i = find_header(site, name, i))
		remove_header_at(site, i);
}

void site_keys_set_header(struct site *site, const char *name, char *taken_value)
{
	size_t first = find_header(site, name, 0);
	if (first == site->header_count) {
		append_header(site, name, taken_value);
		return;
	}
	entry_replace(&site->headers[first].value, taken_value);
	for (size_t i = find_header(site, name, first + 1); i < site->header_count;
	     i = find_header(site, name, i))
		remove_header_at(site, i);
}

/* Those that frame the message are ours: with another's they would make a second message out of a part of the first. */
static bool is_framing_header(const char *name)
{
	return text_equal_ignoring_case(name, "Content-Length") ||
	       text_equal_ignoring_case(name, "Transfer-Encoding");
}

static bool is_repeated(const struct node *mapping, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (text_equal_ignoring_case(mapping->pairs[i].key->text,
					     mapping->pairs[index].key->text))
			return true;
	return false;
}

/* Headers that keys of their own may set. */
static bool claim_header(struct entry_reader *reader, const struct node *key)
{
	if (text_equal_ignoring_case(key->text, "Authorization"))
		return entry_claim(reader, SLOT_AUTHORIZATION, "headers: Authorization", key);
	if (text_equal_ignoring_case(key->text, "Cookie"))
		return entry_claim(reader, SLOT_COOKIE, "headers: Cookie", key);
	if (text_equal_ignoring_case(key->text, "User-Agent"))
		return entry_claim(reader, SLOT_USER_AGENT, "headers: User-Agent", key);
	if (text_equal_ignoring_case(key->text, "Accept-Encoding")) {
		if (!entry_claim(reader, SLOT_COMPRESSION, "headers: Accept-Encoding", key))
			return false;
		if (reader->entry->site.request != NULL) /* of the defaults */
			entry_replace(&reader->entry->site.request->accept_encoding, NULL);
	}
	return true;
}

void site_keys_take_values(struct entry_reader *reader, const struct node_pair *pair,
			   site_keys_add_value *add)
{
	const char *name = pair->key->text;
	size_t count = pair->value->kind == NODE_SEQUENCE ? pair->value->count : 1;
	if (count == 0)
		entry_expect(reader, pair->value, "at least one value for `%.80s`", name);
	for (size_t i = 0; i < count && i <= SITE_HEADERS_MAX; i++) {
		const struct node *value =
			pair->value->kind == NODE_SEQUENCE ? pair->value->items[i] : pair->value;
		char *text;
		if (value->kind == NODE_SCALAR && (value->length == 0 || node_is_null(value)))
			text = xstrdup("");
		else if (entry_take_text(reader, name, value, HEADER_VALUE_MAX, &text) != 0)
			return;
		add(&reader->entry->site, name, text, i == 0);
	}
}

/* A header line each, the first in the place of what the defaults say. */
static void add_value(struct site *site, const char *name, char *taken_value, bool is_first)
{
	if (is_first)
		site_keys_set_header(site, name, taken_value);
	else
		append_header(site, name, taken_value);
}

bool site_keys_is_header(struct entry_reader *reader, const struct node *mapping, size_t index)
{
	const struct node *key = mapping->pairs[index].key;
	const char *name = key->text;
	char found[NODE_KEY_MAX];
	node_name_key(key, found);
	if (strlen(name) != key->length || !site_keys_is_token(name) ||
	    strlen(name) > HEADER_NAME_MAX)
		entry_problem(reader, key, "found '%s', expected a header's name such as Accept",
			      found);
	else if (is_framing_header(name))
		entry_problem(reader, key, "found '%.80s', expected no header that frames the body",
			      name);
	else if (is_repeated(mapping, index))
		entry_problem(reader, key, "the header '%.80s' is given twice, expected it once",
			      name);
	else
		return true;
	return false;
}

static void take_header(struct entry_reader *reader, const struct node *mapping, size_t index)
{
	if (site_keys_is_header(reader, mapping, index) &&
	    claim_header(reader, mapping->pairs[index].key))
		site_keys_take_values(reader, &mapping->pairs[index], add_value);
}

void site_keys_take_headers(struct entry_reader *reader, const struct node *value)
{
	if (!entry_is_mapping(reader, "headers", value, SITE_HEADERS_MAX))
		return;
	for (size_t i = 0; i < value->count; i++)
		take_header(reader, value, i);
	if (reader->entry->site.header_count > SITE_HEADERS_MAX)
		entry_problem(reader, value,
			      "found %zu headers with the defaults', expected at most %d",
			      reader->entry->site.header_count, (int)SITE_HEADERS_MAX);
}

void site_keys_take_user_agent(struct entry_reader *reader, const struct node *value)
{
	char *text;
	if (entry_claim(reader, SLOT_USER_AGENT, "user_agent", value) &&
	    entry_take_text(reader, "user_agent", value, HEADER_VALUE_MAX, &text) == 0)
		site_keys_set_header(&reader->entry->site, "User-Agent", text);
}

static void set_body(struct entry_reader *reader, char *taken_body, size_t length, bool is_form)
{
	struct site *site = &reader->entry->site;
	entry_replace(&site->body, taken_body);
	site->body_length = length;
	reader->entry->is_form = is_form;
	if (url_is_secret_body(taken_body, length))
		request_make(site)->is_body_secret = true;
	else if (site->request != NULL)
		site->request->is_body_secret = false;
}

void site_keys_take_body(struct entry_reader *reader, const struct node *value)
{
	char *body;
	if (entry_claim(reader, SLOT_BODY, "body", value) &&
	    entry_take_block(reader, "body", value, REQUEST_BODY_MAX, &body) == 0)
		set_body(reader, body, strlen(body), false);
}

/* Any bytes. Read now: a check must not wait for a disk. */
void site_keys_take_body_file(struct entry_reader *reader, const struct node *value)
{
	struct error err;
	char *path;
	size_t length;
	if (!entry_claim(reader, SLOT_BODY, "body_file", value) ||
	    entry_take_text(reader, "body_file", value, PATH_TEXT_MAX, &path) != 0)
		return;
	char *body = entry_read_file(reader, path, REQUEST_BODY_MAX, &length, &err);
	if (body == NULL)
		entry_problem(reader, value, "%s", err.message);
	else
		set_body(reader, body, length, false);
	free(path);
}

/* As browsers write a form: application/x-www-form-urlencoded (WHATWG URL, 5.2). */
static void append_encoded(struct buffer *out, const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;
		if ((isalnum(c) && c < 0x80) || strchr("*-._", c) != NULL)
			(void)buffer_append_char(out, (char)c);
		else if (c == ' ')
			(void)buffer_append_char(out, '+');
		else
			(void)buffer_append_format(out, "%%%02X", c);
	}
}

static int append_field(struct entry_reader *reader, struct buffer *out, const struct node *name,
			const struct node *value)
{
	if (value->kind != NODE_SCALAR || strlen(value->text) != value->length ||
	    strlen(name->text) != name->length) {
		entry_expect(reader, value, "text without NUL for the field `%.80s`", name->text);
		return -1;
	}
	if (out->length > 0)
		(void)buffer_append_char(out, '&');
	append_encoded(out, name->text);
	(void)buffer_append_char(out, '=');
	append_encoded(out, node_is_null(value) ? "" : value->text);
	return 0;
}

/* A field may be a list: it is sent once for each of its values. */
static int append_fields(struct entry_reader *reader, struct buffer *out,
			 const struct node_pair *pair)
{
	if (pair->value->kind != NODE_SEQUENCE)
		return append_field(reader, out, pair->key, pair->value);
	if (entry_is_empty_list(reader, pair->key->text, pair->value))
		return -1;
	for (size_t i = 0; i < pair->value->count; i++)
		if (append_field(reader, out, pair->key, pair->value->items[i]) != 0)
			return -1;
	return 0;
}

void site_keys_take_form(struct entry_reader *reader, const struct node *value)
{
	struct buffer out;
	int result = 0;
	if (!entry_claim(reader, SLOT_BODY, "form", value) ||
	    !entry_is_mapping(reader, "form", value, FORM_FIELDS_MAX))
		return;
	buffer_init(&out, REQUEST_BODY_MAX);
	for (size_t i = 0; i < value->count && result == 0; i++)
		result = append_fields(reader, &out, &value->pairs[i]);
	if (out.is_overflowed)
		entry_problem(reader, value, "found more than %d KiB of fields, expected less",
			      REQUEST_BODY_MAX / 1024);
	else if (result == 0) {
		size_t length = out.length;
		char *body = length == 0 ? xstrdup("") : buffer_take(&out);
		set_body(reader, body, length, true);
	}
	buffer_finish(&out);
}

/* A form is posted, unless the site says how else. */
static void finish_form(struct entry_reader *reader, const struct node *node)
{
	struct site *site = &reader->entry->site;
	if (!reader->entry->is_form)
		return;
	if (!reader->entry->has_method)
		entry_replace(&site->method, xstrdup("POST"));
	else if (strcmp(site->method, "GET") == 0)
		entry_problem(reader, node,
			      "found a `form` with the method %s, expected one such as POST, or "
			      "the fields in the URL",
			      site->method);
	if (find_header(site, "Content-Type", 0) == site->header_count)
		append_header(site, "Content-Type", xstrdup("application/x-www-form-urlencoded"));
}

static bool has_userinfo(const char *url)
{
	const char *host = strstr(url, "//");
	if (host == NULL)
		return false;
	host += 2;
	return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

/* The user that the URL names is the site's own word, which wins over the defaults. */
static void finish_authorization(struct entry_reader *reader, const struct node *node)
{
	struct site *site = &reader->entry->site;
	const struct entry_claim *claim = &reader->entry->claims[SLOT_AUTHORIZATION];
	if (claim->key == NULL || site->url == NULL || !has_userinfo(site->url))
		return;
	if (claim->level == LEVEL_SITE)
		entry_problem(reader, node,
			      "found `%s` beside a user in the URL, expected one of them",
			      claim->key);
	else if (claim->level < LEVEL_SITE)
		site_keys_remove_header(site, "Authorization");
}

/* No client sends one: what is asked for is the head of what GET would give, or the request itself (RFC 9110, 9.3.8). */
static void finish_head(struct entry_reader *reader, const struct node *node)
{
	const struct entry_claim *claim = &reader->entry->claims[SLOT_BODY];
	if (reader->entry->site.body != NULL && claim->key != NULL &&
	    (strcmp(reader->entry->site.method, "HEAD") == 0 ||
	     strcmp(reader->entry->site.method, "TRACE") == 0))
		entry_problem(reader, node,
			      "found `%s` with the method %s, expected a method that sends one, "
			      "such as POST",
			      claim->key, reader->entry->site.method);
}

void site_keys_finish_request(struct entry_reader *reader, const struct node *node)
{
	finish_form(reader, node);
	finish_head(reader, node);
	finish_authorization(reader, node);
}
