/*
 * What is a value, by what stands before it:
 *
 *   name=value, "name": "v"  up to the closing quote, of an object or array up to its end; without one, up to the next separator behind
 *                            '=', up to the end of the line behind ':' (Authorization: Bearer …)
 *   <name>value, name="name" value="v", a part of multipart/form-data likewise
 *
 * where url_is_secret_name() says so of the name; and without a name, web tokens and private keys.
 */
#include "check/secret_values.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "check/url.h"

enum {
	NAME_MAX_BYTES = 64,
	WEB_TOKEN_MIN = 24, /* bytes; {"alg":"none"} alone is 20 */
	PEM_HEAD_MAX = 64,
};

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("_-.%[]$", c) != NULL);
}

/* What HTML makes of a quote: how long the one is that ends at bytes[end]; 0 where there is none. */
static size_t entity_length(const char *bytes, size_t end)
{
	static const char *const quotes[] = {"&quot;", "&#34;", "&#39;", "&#x27;", "&apos;"};
	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
		size_t length = strlen(quotes[i]);
		if (length <= end && memcmp(bytes + end - length, quotes[i], length) == 0)
			return length;
	}
	return 0;
}

static bool is_web_byte(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

/* Where the name before bytes[at] ends: before blanks and quotes, also those that HTML or JSON within JSON has escaped. */
static size_t name_end(const char *bytes, size_t at)
{
	size_t end = at;
	while (end > 0) {
		char c = bytes[end - 1];
		bool is_escape = c == '\\' && (is_quote(bytes[end]) || bytes[end] == '\\');
		size_t entity = entity_length(bytes, end);
		if (c != ' ' && !is_quote(c) && !is_escape && entity == 0)
			break;
		end -= entity > 0 ? entity : 1;
	}
	return end;
}

/* Whether what stands before the '=' or ':' at bytes[at] is a name that looks like a secret's. */
static bool has_secret_name(const char *bytes, size_t at)
{
	char name[NAME_MAX_BYTES + 1];
	size_t end = name_end(bytes, at);
	size_t begin = end;
	while (begin > 0 && end - begin < NAME_MAX_BYTES && is_name_byte(bytes[begin - 1]))
		begin--;
	memcpy(name, bytes + begin, end - begin);
	name[end - begin] = '\0';
	return end > begin && url_is_secret_name(name);
}

static size_t quoted_end(const char *bytes, size_t length, size_t at, char quote)
{
	while (at < length && bytes[at] != quote)
		at += bytes[at] == '\\' && at + 1 < length ? 2 : 1;
	return at;
}

/* Behind the object or array that begins at bytes[at]; the end where it is cut off. */
static size_t nested_end(const char *bytes, size_t length, size_t at)
{
	size_t depth = 0;
	while (at < length) {
		if (bytes[at] == '"')
			at = quoted_end(bytes, length, at + 1, '"');
		else if (bytes[at] == '[' || bytes[at] == '{')
			depth++;
		else if ((bytes[at] == ']' || bytes[at] == '}') && --depth == 0)
			return at + 1;
		at++;
	}
	return length;
}

/* Of a text between quotes with so many backslashes before them, as JSON within JSON has: where the closing ones begin. */
static size_t escaped_end(const char *bytes, size_t length, size_t at, size_t escapes, char quote)
{
	size_t run = 0;
	for (; at < length; at++) {
		if (bytes[at] == quote && run <= escapes)
			return at - run;
		run = bytes[at] == '\\' ? run + 1 : 0;
	}
	return length;
}

/* Where the value behind the '=' or ':' at bytes[at] begins: of JSON, also on the next line. */
static size_t value_begin(const char *bytes, size_t length, size_t at)
{
	size_t begin = at + 1;
	if (begin < length && bytes[begin] == '>') /* name => value */
		begin++;
	while (begin < length && (bytes[begin] == ' ' || bytes[begin] == '\t'))
		begin++;
	size_t next = begin;
	while (next < length && bytes[next] != '\0' && strchr(" \t\r\n", bytes[next]) != NULL)
		next++;
	bool is_json = bytes[at] == ':' && next < length && bytes[next] != '\0' &&
		       strchr("\"[{", bytes[next]) != NULL;
	return is_json ? next : begin;
}

/* Where the value behind the '=' or ':' at bytes[at] lies. */
static void find_value(const char *bytes, size_t length, size_t at, size_t *ret_begin,
		       size_t *ret_end)
{
	const char *separators = bytes[at] == ':' ? "\r\n<>\"" : " \t\r\n<>\"'&;,)]}";
	size_t begin = value_begin(bytes, length, at);
	size_t escapes = 0;
	while (begin + escapes < length && bytes[begin + escapes] == '\\')
		escapes++;
	size_t end = begin;
	if (begin + escapes < length && is_quote(bytes[begin + escapes])) {
		char quote = bytes[begin + escapes];
		begin += escapes + 1;
		end = escapes > 0 ? escaped_end(bytes, length, begin, escapes, quote)
				  : quoted_end(bytes, length, begin, quote);
	} else if (begin < length && bytes[at] == ':' &&
		   (bytes[begin] == '[' || bytes[begin] == '{')) {
		end = nested_end(bytes, length, begin);
	} else {
		while (end < length &&
		       (bytes[end] == '\0' || strchr(separators, bytes[end]) == NULL))
			end++;
	}
	*ret_begin = begin;
	*ret_end = end;
}

/* NAME: value, NAME=value; the '=' or ':' is at bytes[at]. */
static bool is_pair(const char *bytes, size_t length, size_t at, size_t *ret_begin, size_t *ret_end)
{
	bool is_scheme =
		bytes[at] == ':' && at + 2 < length && bytes[at + 1] == '/' && bytes[at + 2] == '/';
	if (is_scheme || !has_secret_name(bytes, at))
		return false;
	find_value(bytes, length, at, ret_begin, ret_end);
	return true;
}

/* <NAME>value<; the '>' is at bytes[at]. */
static bool is_element(const char *bytes, size_t length, size_t at, size_t *ret_begin,
		       size_t *ret_end)
{
	size_t looked = at < NAME_MAX_BYTES + 1 ? at : NAME_MAX_BYTES + 1;
	const char *open = memrchr(bytes + at - looked, '<', looked);
	if (open == NULL || open[1] == '/' ||
	    memchr(open, '=', (size_t)(bytes + at - open)) != NULL || !has_secret_name(bytes, at))
		return false;
	const char *end = memchr(bytes + at, '<', length - at);
	*ret_begin = at + 1;
	*ret_end = end == NULL ? length : (size_t)(end - bytes);
	return true;
}

/* name="NAME" value="value", and a part of multipart/form-data; the '=' is at bytes[at]. */
static bool is_named_input(const char *bytes, size_t length, size_t at, size_t *ret_begin,
			   size_t *ret_end)
{
	size_t begin;
	size_t end;
	if (at < 4 || bytes[at] != '=' || strncasecmp(bytes + at - 4, "name", 4) != 0)
		return false;
	find_value(bytes, length, at, &begin, &end);
	if (end == length || (bytes[end] != '"' && bytes[end] != '\'') ||
	    !has_secret_name(bytes, end))
		return false;
	size_t next = end + 1;
	if (length - next >= 4 && memcmp(bytes + next, "\r\n\r\n", 4) == 0) {
		const char *line = memchr(bytes + next + 4, '\r', length - next - 4);
		*ret_begin = next + 4;
		*ret_end = line == NULL ? length : (size_t)(line - bytes);
		return true;
	}
	while (next < length && bytes[next] != '>' && bytes[next] != '=')
		next++;
	if (next == length || bytes[next] != '=' ||
	    strncasecmp(bytes + next - strlen("value"), "value", strlen("value")) != 0)
		return false;
	find_value(bytes, length, next, ret_begin, ret_end);
	return true;
}

/* A JSON web token, whatever its name: eyJ….….…; its beginning is at bytes[at]. */
static bool is_web_token(const char *bytes, size_t length, size_t at, size_t *ret_begin,
			 size_t *ret_end)
{
	static const char start[] = "eyJ"; /* {" in base64 */
	size_t end = at;
	int dots = 0;
	if (length - at < WEB_TOKEN_MIN || memcmp(bytes + at, start, strlen(start)) != 0 ||
	    (at > 0 && is_web_byte(bytes[at - 1])))
		return false;
	for (; end < length && is_web_byte(bytes[end]); end++)
		dots += bytes[end] == '.';
	*ret_begin = at;
	*ret_end = end;
	return dots >= 1 && end - at >= WEB_TOKEN_MIN;
}

/* A private key in PEM; its first '-' is at bytes[at]. */
static bool is_private_key(const char *bytes, size_t length, size_t at, size_t *ret_begin,
			   size_t *ret_end)
{
	static const char begin[] = "-----BEGIN ";
	static const char kind[] = "PRIVATE KEY-----";
	static const char end[] = "-----END ";
	if (length - at < strlen(begin) || memcmp(bytes + at, begin, strlen(begin)) != 0)
		return false;
	size_t looked = length - at < PEM_HEAD_MAX ? length - at : PEM_HEAD_MAX;
	const char *head = memmem(bytes + at, looked, kind, strlen(kind));
	if (head == NULL)
		return false;
	*ret_begin = (size_t)(head - bytes) + strlen(kind);
	const char *foot = memmem(bytes + *ret_begin, length - *ret_begin, end, strlen(end));
	*ret_end = foot == NULL ? length : (size_t)(foot - bytes);
	return true;
}

bool secret_values_next(const char *bytes, size_t length, size_t *at, size_t *ret_begin,
			size_t *ret_end)
{
	for (size_t i = *at; i < length; i++) {
		bool is_found = false;
		if (bytes[i] == '=' || bytes[i] == ':')
			is_found = is_pair(bytes, length, i, ret_begin, ret_end) ||
				   is_named_input(bytes, length, i, ret_begin, ret_end);
		else if (bytes[i] == '>')
			is_found = is_element(bytes, length, i, ret_begin, ret_end);
		else if (bytes[i] == 'e')
			is_found = is_web_token(bytes, length, i, ret_begin, ret_end);
		else if (bytes[i] == '-')
			is_found = is_private_key(bytes, length, i, ret_begin, ret_end);
		if (!is_found)
			continue;
		*at = *ret_end;
		return true;
	}
	return false;
}
