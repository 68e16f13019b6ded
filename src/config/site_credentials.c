/*
 * The keys that say who asks: basic_auth, authorization, bearer_token, cookies. They become the headers that carry them, so that
 * whatever holds for those (none leaves the site's origin) holds for them. No complaint shows a secret.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "config/site_entry.h"
#include "config/site_keys.h"

enum { CREDENTIAL_MAX = 8192, COOKIES_MAX = 64, COOKIE_MAX = 8192, COOKIE_HEADER_MAX = 16 * 1024 };

static char *encode_base64(const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = strlen(text);
	char *encoded = xmalloc((length + 2) / 3 * 4 + 1);
	size_t used = 0;
	for (size_t i = 0; i < length; i += 3) {
		unsigned bits = (unsigned)(unsigned char)text[i] << 16;
		bits |= i + 1 < length ? (unsigned)(unsigned char)text[i + 1] << 8 : 0U;
		bits |= i + 2 < length ? (unsigned)(unsigned char)text[i + 2] : 0U;
		encoded[used++] = digits[bits >> 18];
		encoded[used++] = digits[bits >> 12 & 63];
		encoded[used++] = '=';
		encoded[used++] = '=';
		if (i + 1 < length)
			encoded[used - 2] = digits[bits >> 6 & 63];
		if (i + 2 < length)
			encoded[used - 1] = digits[bits & 63];
	}
	encoded[used] = '\0';
	return encoded;
}

static void set_authorization(struct entry_reader *reader, const char *scheme,
			      const char *credentials)
{
	site_keys_set_header(&reader->entry->site, "Authorization",
			     xasprintf("%s %s", scheme, credentials));
}

/* A part that may stand in a file instead; NULL and 0 where neither is given. -1 with a problem. */
static int take_part(struct entry_reader *reader, const struct node *mapping, const char *name,
		     const char *file_name, char **ret_text)
{
	const struct node *text = tree_find(mapping, name);
	const struct node *file = tree_find(mapping, file_name);
	*ret_text = NULL;
	if (text != NULL && node_is_null(text))
		text = NULL;
	if (file != NULL && node_is_null(file))
		file = NULL;
	if (text != NULL && file != NULL) {
		entry_problem(reader, file, "found `%s` beside `%s`, expected one of them",
			      file_name, name);
		return -1;
	}
	if (file != NULL)
		return entry_take_line_of_file(reader, file_name, file, CREDENTIAL_MAX, ret_text);
	if (text != NULL && !(text->kind == NODE_SCALAR && text->length == 0))
		return entry_take_text(reader, name, text, CREDENTIAL_MAX, ret_text);
	return 0;
}

const struct entry_key site_keys_basic_auth_parts[] = {
	{.name = "username"}, {.name = "username_file"},
	{.name = "password"}, {.name = "password_file"},
	{.name = NULL},
};

void site_keys_take_basic_auth(struct entry_reader *reader, const struct node *value)
{
	char *username = NULL;
	char *password = NULL;
	if (!entry_claim(reader, SLOT_AUTHORIZATION, "basic_auth", value) ||
	    !entry_has_parts(reader, "basic_auth", value, site_keys_basic_auth_parts))
		return;
	if (take_part(reader, value, "username", "username_file", &username) == 0 &&
	    take_part(reader, value, "password", "password_file", &password) == 0) {
		if (username == NULL) {
			entry_problem(reader, value,
				      "found `basic_auth` without `username`, expected one");
		} else if (strchr(username, ':') != NULL) {
			entry_problem(reader, value,
				      "found a ':' in the username of `basic_auth`, expected none");
		} else {
			char *pair = xasprintf("%s:%s", username, password == NULL ? "" : password);
			char *encoded = encode_base64(pair);
			set_authorization(reader, "Basic", encoded);
			free(encoded);
			free(pair);
		}
	}
	free(username);
	free(password);
}

const struct entry_key site_keys_authorization_parts[] = {
	{.name = "type"},
	{.name = "credentials"},
	{.name = "credentials_file"},
	{.name = NULL},
};

void site_keys_take_authorization(struct entry_reader *reader, const struct node *value)
{
	char *type = NULL;
	char *credentials = NULL;
	if (!entry_claim(reader, SLOT_AUTHORIZATION, "authorization", value) ||
	    !entry_has_parts(reader, "authorization", value, site_keys_authorization_parts))
		return;
	const struct node *type_node = tree_find(value, "type");
	if (type_node != NULL && !node_is_null(type_node) &&
	    entry_take_text(reader, "type", type_node, CREDENTIAL_MAX, &type) != 0)
		return;
	if (type != NULL && !site_keys_is_token(type)) {
		entry_problem(reader, type_node,
			      "found '%.*s…', expected a scheme alone such as Bearer",
			      (int)strcspn(type, " \t:=,;"), type);
	} else if (take_part(reader, value, "credentials", "credentials_file", &credentials) == 0) {
		if (credentials == NULL)
			entry_problem(reader, value,
				      "found `authorization` without `credentials`, expected some");
		else
			set_authorization(reader, type == NULL ? "Bearer" : type, credentials);
	}
	free(type);
	free(credentials);
}

void site_keys_take_bearer_token(struct entry_reader *reader, const struct node *value)
{
	char *token;
	if (!entry_claim(reader, SLOT_AUTHORIZATION, "bearer_token", value) ||
	    entry_take_text(reader, "bearer_token", value, CREDENTIAL_MAX, &token) != 0)
		return;
	set_authorization(reader, "Bearer", token);
	free(token);
}

void site_keys_take_bearer_token_file(struct entry_reader *reader, const struct node *value)
{
	char *token;
	if (!entry_claim(reader, SLOT_AUTHORIZATION, "bearer_token_file", value) ||
	    entry_take_line_of_file(reader, "bearer_token_file", value, CREDENTIAL_MAX, &token) !=
		    0)
		return;
	set_authorization(reader, "Bearer", token);
	free(token);
}

/* RFC 6265: printable ASCII but for space, quote, comma, semicolon and backslash; we let spaces, quotes and commas pass, as
 * browsers do. */
static bool is_cookie_value(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || (unsigned char)*at > '~' || *at == ';')
			return false;
	return true;
}

/* The value of a cookie in "a=1; b=2", up to the ';'; NULL where it is not there. */
static const char *find_cookie(const char *header, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = header; at != NULL; at = strstr(at, "; ")) {
		if (at != header)
			at += 2;
		if (strncmp(at, name, length) == 0 && at[length] == '=')
			return at + length + 1;
	}
	return NULL;
}

static const char *cookie_header(const struct site *site)
{
	for (size_t i = 0; i < site->header_count; i++)
		if (strcasecmp(site->headers[i].name, "Cookie") == 0)
			return site->headers[i].value;
	return "";
}

/* The header with one cookie more, or with another value of it. */
static char *with_cookie(const char *header, const char *name, const char *value)
{
	const char *old = find_cookie(header, name);
	if (old == NULL)
		return xasprintf("%s%s%s=%s", header, header[0] == '\0' ? "" : "; ", name, value);
	return xasprintf("%.*s%s%s", (int)(old - header), header, value, old + strcspn(old, ";"));
}

static void take_cookie(struct entry_reader *reader, const struct node_pair *pair)
{
	struct site *site = &reader->entry->site;
	const char *name = pair->key->text;
	const struct node *value = pair->value;
	if (strlen(name) != pair->key->length || !site_keys_is_token(name)) {
		char found[NODE_KEY_MAX];
		node_name_key(pair->key, found);
		entry_problem(reader, pair->key, "found '%s', expected a cookie's name", found);
	} else if (value->kind != NODE_SCALAR || strlen(value->text) != value->length ||
		   value->length > COOKIE_MAX || !is_cookie_value(value->text)) {
		entry_problem(reader, value,
			      "found what is no value of the cookie '%.80s', expected printable "
			      "ASCII without ';'",
			      name);
	} else {
		char *header = with_cookie(cookie_header(site), name,
					   node_is_null(value) ? "" : value->text);
		if (strlen(header) > COOKIE_HEADER_MAX) {
			entry_problem(reader, value,
				      "found cookies of more than %d bytes, expected fewer",
				      (int)COOKIE_HEADER_MAX);
			free(header);
			return;
		}
		site_keys_set_header(site, "Cookie", header);
	}
}

void site_keys_take_cookies(struct entry_reader *reader, const struct node *value)
{
	const struct entry_claim before = reader->entry->claims[SLOT_COOKIE];
	if (!entry_claim(reader, SLOT_COOKIE, "cookies", value) ||
	    !entry_is_mapping(reader, "cookies", value, COOKIES_MAX))
		return;
	/* A whole header of the defaults gives way; cookies of theirs are added to. */
	if (before.key != NULL && strcmp(before.key, "cookies") != 0)
		site_keys_remove_header(&reader->entry->site, "Cookie");
	for (size_t i = 0; i < value->count; i++)
		take_cookie(reader, &value->pairs[i]);
}
