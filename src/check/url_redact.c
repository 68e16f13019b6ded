/*
 * Redaction of URLs, for anything that somebody may have written where a URL was expected. It errs on the side of hiding:
 *
 *   prefix     "scheme:" and slashes, kept
 *   authority  up to the first of / ? # (and \\, behind the user); what stands before its last "@" goes. Where the rest could be no host and
 *              port (http://user:pa/ss@host), the password reaches further, and all before the very last "@" goes
 *   path       kept, but for the values of ;parameters with a secret name, users of URLs within it, and parts that hold a token
 *   query      split at & and ;: values of secret names, and values that hold a URL or query with a secret of its own,
 *              become ***
 *   fragment   dropped
 *
 * A token is what token_shapes.h knows, as it is or percent-encoded; what holds one becomes ***, wherever it stands.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/token_shapes.h"
#include "check/url.h"

enum {
	PASSES_MAX = 8,
	NESTING_MAX = 3,   /* times that a value is percent-decoded in search of a URL within */
	KEY_WORD_MAX = 64, /* bytes of a word in a key that are compared */
	WORD_MIN = 2,      /* bytes of the shortest of secret_words */
	WORD_MAX = 9,      /* and of the longest */
	PART_MIN = 5,      /* bytes of the shortest of secret_parts */
	KEY_USUAL = 256,   /* bytes of a key that need no memory of their own */
};

static const char mask[] = "***";

struct word {
	const char *text;
	size_t length;
};

#define WORD(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

/* A key is secret when one of these is a word of it: api_key, apiKey, X-Amz-Key … but not monkey. */
static const struct word secret_words[] = {
	WORD("key"),     WORD("keys"),      WORD("auth"), WORD("oauth"),  WORD("pass"),
	WORD("pw"),      WORD("pwd"),       WORD("pin"),  WORD("otp"),    WORD("sig"),
	WORD("sign"),    WORD("jwt"),       WORD("hmac"), WORD("bearer"), WORD("sid"),
	WORD("session"), WORD("sessionid"), WORD("sas"),  WORD("csrf"),   WORD("cookie"),
};

/* These are secret wherever they stand, since nobody separates them: accesstoken, clientsecret, jsessionid. */
static const struct word secret_parts[] = {
	WORD("token"),         WORD("secret"),     WORD("password"),   WORD("passwd"),
	WORD("passphrase"),    WORD("passcode"),   WORD("signature"),  WORD("credential"),
	WORD("apikey"),        WORD("accesskey"),  WORD("privatekey"), WORD("secretkey"),
	WORD("authorization"), WORD("jsessionid"), WORD("phpsessid"),  WORD("authkey"),
	WORD("authcode"),      WORD("sharedkey"),  WORD("accountkey"), WORD("authenticat"),
};

static bool is_hex(char c)
{
	return isxdigit((unsigned char)c) != 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return tolower((unsigned char)c) - 'a' + 10;
}

/* Percent-decode once, a plus is a space; NUL and control bytes are dropped, as browsers drop tab and newline. decoded may be bytes. */
static void decode(const char *bytes, size_t length, char *decoded)
{
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c == '%' && i + 2 < length && is_hex(bytes[i + 1]) && is_hex(bytes[i + 2])) {
			c = (unsigned char)(hex_value(bytes[i + 1]) * 16 + hex_value(bytes[i + 2]));
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		if (c >= ' ' && c != 0x7F)
			decoded[used++] = (char)c;
	}
	decoded[used] = '\0';
}

/* Whether one of secret_parts begins so; most letters begin none. */
static bool begins_secret_part(char letter)
{
	switch (letter | ' ') {
	case 'a':
	case 'c':
	case 'j':
	case 'p':
	case 's':
	case 't':
		return true;
	default:
		return false;
	}
}

static bool is_secret_word(const char *word, size_t length)
{
	while (length > 0 && isdigit((unsigned char)word[length - 1]))
		length--; /* key1, key2 */
	if (length < WORD_MIN || length > WORD_MAX)
		return false;
	for (size_t i = 0; i < sizeof(secret_words) / sizeof(secret_words[0]); i++)
		if (secret_words[i].length == length &&
		    strncasecmp(secret_words[i].text, word, length) == 0)
			return true;
	return false;
}

static bool holds_secret_part(const char *word, size_t length)
{
	if (length > KEY_WORD_MAX)
		return true; /* a name this long is no name: hide what it holds */
	for (size_t at = 0; at + PART_MIN <= length; at++) {
		if (!begins_secret_part(word[at]))
			continue;
		for (size_t i = 0; i < sizeof(secret_parts) / sizeof(secret_parts[0]); i++) {
			const struct word *part = &secret_parts[i];
			if (part->length <= length - at &&
			    strncasecmp(part->text, word + at, part->length) == 0)
				return true;
		}
	}
	return false;
}

/* The length of the hump at word: "Access" of "AccessKeyId", "AWS" of "AWSAccessKey". */
static size_t hump_length(const char *word, size_t length)
{
	size_t end = 1;
	while (end < length) {
		bool is_upper = isupper((unsigned char)word[end]) != 0;
		bool was_upper = isupper((unsigned char)word[end - 1]) != 0;
		bool starts_hump =
			is_upper &&
			(!was_upper || (end + 1 < length && islower((unsigned char)word[end + 1])));
		if (starts_hump)
			break;
		end++;
	}
	return end;
}

static bool is_secret_chunk(const char *chunk, size_t length)
{
	if (holds_secret_part(chunk, length) || is_secret_word(chunk, length))
		return true;
	while (length > 0) {
		size_t hump = hump_length(chunk, length);
		if (is_secret_word(chunk, hump))
			return true;
		chunk += hump;
		length -= hump;
	}
	return false;
}

static bool is_secret_key(const char *bytes, size_t length)
{
	char usual[KEY_USUAL];
	char *key = length < sizeof(usual) ? usual : xmalloc(length + 1);
	decode(bytes, length, key);
	if (strchr(key, '%') != NULL)
		decode(key, strlen(key), key); /* %2574oken */
	bool is_secret = false;
	for (const char *at = key; *at != '\0' && !is_secret;) {
		size_t chunk = 0;
		while (isalnum((unsigned char)at[chunk]))
			chunk++;
		is_secret = chunk > 0 && is_secret_chunk(at, chunk);
		at += chunk > 0 ? chunk : 1;
	}
	if (key != usual)
		free(key);
	return is_secret;
}

bool url_is_secret_name(const char *name)
{
	return is_secret_key(name, strlen(name));
}

/* Whether a decoded value holds a token, "//user@", "https:/user@" (to many a parser one slash will do) or a secret "name=value" of its own. */
static bool text_holds_secret(const char *text)
{
	if (token_shapes_stand_in(text, strlen(text)))
		return true;
	const char *user_end = strrchr(text, '@');
	for (const char *slash = strpbrk(text, "/\\");
	     user_end != NULL && slash != NULL && slash < user_end;
	     slash = strpbrk(slash + 1, "/\\"))
		if (slash[1] == '/' || slash[1] == '\\' || (slash > text && slash[-1] == ':'))
			return true;
	for (const char *equals = strchr(text, '='); equals != NULL;
	     equals = strchr(equals + 1, '=')) {
		const char *key = equals;
		while (key > text && strchr("?&;#=/", key[-1]) == NULL)
			key--;
		if (is_secret_key(key, (size_t)(equals - key)))
			return true;
	}
	return false;
}

/* Whether there may be any of what is looked for: nearly no value has one of these. */
static bool may_hold_secret(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] == '=' || bytes[i] == '@' || bytes[i] == '%')
			return true;
	return token_shapes_stand_in(bytes, length);
}

static bool value_holds_secret(const char *bytes, size_t length)
{
	if (!may_hold_secret(bytes, length))
		return false;
	char *text = xstrndup(bytes, length);
	bool is_secret = text_holds_secret(text);
	for (int i = 0; i < NESTING_MAX && !is_secret && strchr(text, '%') != NULL; i++) {
		decode(text, strlen(text), text);
		is_secret = text_holds_secret(text);
	}
	free(text);
	return is_secret;
}

/* "Bearer x", "Basic x" and their like, in any case. */
static bool has_scheme_of_credentials(const char *value)
{
	static const char *const schemes[] = {"Basic", "Bearer", "Digest",    "Token",
					      "DPoP",  "Hawk",   "Negotiate", "ApiKey"};
	size_t length = strcspn(value, " ");
	if (value[length] == '\0')
		return false;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i]) == length && strncasecmp(schemes[i], value, length) == 0)
			return true;
	return false;
}

bool url_is_secret_header(const char *name, const char *value)
{
	static const char jwt[] = "eyJ"; /* {" in base64, which each one begins with */
	return url_is_secret_name(name) || has_scheme_of_credentials(value) ||
	       text_starts_with(value, jwt) || value_holds_secret(value, strlen(value));
}

static bool is_of_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == '%' ||
	       c == '+';
}

/* name="NAME", as a part of multipart/form-data has it. */
static bool is_name_of_part(const char *bytes, size_t start)
{
	static const char before[] = "name=\"";
	size_t length = sizeof(before) - 1;
	return start >= length && memcmp(bytes + start - length, before, length) == 0;
}

/* {"NAME": …, NAME=…, <NAME>… */
static bool is_name_of_value(const char *bytes, size_t length, size_t end)
{
	size_t at = end;
	while (at < length && (bytes[at] == '"' || bytes[at] == '\'' || bytes[at] == '\\'))
		at++;
	while (at < length && isspace((unsigned char)bytes[at]))
		at++;
	return at < length && (bytes[at] == ':' || bytes[at] == '=' || bytes[at] == '>');
}

bool url_is_secret_body(const char *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t start = at;
		while (at < length && is_of_name(bytes[at]))
			at++;
		if (at > start &&
		    (is_name_of_value(bytes, length, at) || is_name_of_part(bytes, start)) &&
		    is_secret_key(bytes + start, at - start))
			return true;
		at += at == start;
	}
	return false;
}

/* One "key=value" of a query, or of a path's parameters. */
static void append_pair(struct buffer *out, const char *pair, size_t length)
{
	const char *equals = memchr(pair, '=', length);
	if (equals == NULL) {
		bool is_secret = value_holds_secret(pair, length);
		(void)buffer_append(out, is_secret ? mask : pair,
				    is_secret ? strlen(mask) : length);
		return;
	}
	size_t key_length = (size_t)(equals - pair);
	const char *value = equals + 1;
	size_t value_length = length - key_length - 1;
	bool is_key_shown = !value_holds_secret(pair, key_length);
	(void)buffer_append(out, is_key_shown ? pair : mask,
			    is_key_shown ? key_length : strlen(mask));
	(void)buffer_append_char(out, '=');
	if (value_length > 0 &&
	    (is_secret_key(pair, key_length) || value_holds_secret(value, value_length)))
		(void)buffer_append_text(out, mask);
	else
		(void)buffer_append(out, value, value_length);
}

/* Everything up to one of the two separators is a pair; the separators are kept. */
static void append_pairs(struct buffer *out, const char *text, size_t length,
			 const char separators[2])
{
	while (length > 0) {
		size_t pair = 0;
		while (pair < length && text[pair] != separators[0] && text[pair] != separators[1])
			pair++;
		append_pair(out, text, pair);
		if (pair < length)
			(void)buffer_append_char(out, text[pair++]);
		text += pair;
		length -= pair;
	}
}

/* "scheme:" and slashes, or slashes alone. */
static size_t prefix_length(const char *url)
{
	size_t scheme = 0;
	if (isalpha((unsigned char)url[0]))
		while (isalnum((unsigned char)url[scheme]) ||
		       (url[scheme] != '\0' && strchr("+.-", url[scheme]) != NULL))
			scheme++;
	if (scheme > 0 && url[scheme] != ':')
		scheme = 0;
	size_t start = scheme > 0 ? scheme + 1 : 0;
	size_t slashes = strspn(url + start, "/\\");
	if (scheme > 0 && slashes == 0)
		return 0; /* user:password@host */
	return start + slashes;
}

/* Whether the bytes may be "host" or "host:port": anything after the last colon outside of brackets is digits. */
static bool is_host_and_port(const char *bytes, size_t length)
{
	const char *bracket = memrchr(bytes, ']', length);
	const char *from = bracket == NULL ? bytes : bracket;
	const char *colon = memchr(from, ':', length - (size_t)(from - bytes));
	if (colon == NULL)
		return true;
	for (const char *at = colon + 1; at < bytes + length; at++)
		if (!isdigit((unsigned char)*at))
			return false;
	return true;
}

/* Past the last "@" of the bytes, as itself or percent-encoded (once or twice); their start where there is none. */
static size_t skip_userinfo(const char *bytes, size_t length)
{
	for (size_t i = length; i-- > 0;) {
		if (bytes[i] == '@')
			return i + 1;
		if (bytes[i] != '%')
			continue;
		if (length - i >= 3 && memcmp(bytes + i, "%40", 3) == 0)
			return i + 3;
		if (length - i >= 5 && memcmp(bytes + i, "%2540", 5) == 0)
			return i + 5;
	}
	return 0;
}

/* No host has a "=": where one seems to, a query was taken for it. */
static void append_host(struct buffer *out, const char *bytes, size_t length)
{
	if (memchr(bytes, '=', length) != NULL || length >= TOKEN_SHAPES_MIN)
		append_pairs(out, bytes, length, "&;");
	else
		(void)buffer_append(out, bytes, length);
}

/*
 * Append what follows an "@" behind a "?", all of it but a fragment; returns how much of the rest was read. It may be a host and a path, or
 * the middle of a query, whose values no slash ends: it is hidden as a query. Behind a "=" it is the end of a value.
 */
static size_t append_behind_query(struct buffer *out, const char *rest, size_t start)
{
	size_t end = start + strcspn(rest + start, "#");
	if (memchr(rest, '=', start) != NULL) {
		(void)buffer_append_text(out, mask);
		start += strcspn(rest + start, "&;#");
	}
	append_pairs(out, rest + start, end - start, "&;");
	return end;
}

/*
 * Append the host of what follows the prefix; returns how much of it was read. A backslash ends it, as browsers have it, but a user may
 * have one, as curl has it.
 */
static size_t append_authority(struct buffer *out, const char *rest)
{
	size_t host = skip_userinfo(rest, strcspn(rest, "/?#"));
	size_t length = host + strcspn(rest + host, "/?#\\");
	bool is_value =
		false; /* what looks like a host may be the end of a path's value with an "@" */
	if (!is_host_and_port(rest + host, length - host)) {
		size_t further = skip_userinfo(rest, strlen(rest));
		if (further > length) {
			if (memchr(rest, '?', further) != NULL)
				return append_behind_query(out, rest, further);
			is_value = memchr(rest, '=', further) != NULL;
			host = further;
			length = host + strcspn(rest + host, "/?#\\");
		}
	}
	if (is_value) {
		(void)buffer_append_text(out, mask);
	} else if (is_host_and_port(rest + host, length - host)) {
		append_host(out, rest + host, length - host);
	} else { /* user:password without an "@": a typing error, but still a password */
		const char *colon = memchr(rest + host, ':', length - host);
		append_host(out, rest + host, (size_t)(colon - rest) - host);
		(void)buffer_append_char(out, ':');
		(void)buffer_append_text(out, mask);
	}
	return length;
}

static bool is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Whether a host may follow there: behind two slashes, or behind one and a colon, which may be percent-encoded. */
static bool is_behind_scheme(const char *path, size_t at)
{
	if (at < 2)
		return false;
	if (is_slash(path[at - 2]) || path[at - 2] == ':')
		return true;
	return at >= 4 && strncasecmp(path + at - 4, "%3A", 3) == 0;
}

/*
 * A path, with the URLs that stand in it as they are, for a gateway say: /fetch/https://user:password@host/. Servers make one slash of
 * two.
 */
static void append_path(struct buffer *out, const char *path, size_t length)
{
	const size_t last_host = skip_userinfo(path, length);
	size_t at = 0;
	while (at < length) {
		size_t end = at;
		size_t token = token_shapes_length(path, length, at);
		while (end < length && !is_slash(path[end]))
			end++;
		if (at + token > end) { /* of several parts */
			(void)buffer_append_text(out, mask);
			at += token;
			continue;
		}
		if (is_behind_scheme(path, at)) {
			size_t host = at + skip_userinfo(path + at, end - at);
			if (!is_host_and_port(path + host, end - host) && last_host > end) {
				at = last_host; /* user:pass/word@host */
				continue;
			}
			at = host;
		}
		append_pairs(out, path + at, end - at, ";;");
		if (end < length)
			(void)buffer_append_char(out, path[end++]);
		at = end;
	}
}

/* Once through all of it. */
static char *redact(const char *url)
{
	struct buffer out;
	buffer_init(&out,
		    2 * strlen(url) + sizeof(mask)); /* a mask may be longer than what it hides */
	size_t prefix = prefix_length(url);
	bool is_path = prefix == 1 && (url[0] == '/' || url[0] == '\\');
	(void)buffer_append(&out, url, prefix);
	const char *rest = url + prefix;
	if (!is_path)
		rest += append_authority(&out, rest);
	size_t path = strcspn(rest, "?#");
	append_path(&out, rest, path);
	rest += path;
	if (*rest == '?') {
		(void)buffer_append_char(&out, '?');
		rest++;
		append_pairs(&out, rest, strcspn(rest, "#"), "&;");
	}
	char *redacted =
		text_clean_copy(out.data == NULL ? "" : out.data, out.length, URL_REDACTED_MAX);
	buffer_finish(&out);
	return redacted;
}

/* What is left of a text of which nothing else can be shown: where it leads, if it is a URL. */
static char *hide_all_but_origin(const char *url)
{
	struct url_parts parts;
	if (url_parse(url, &parts, NULL) != 0)
		return xstrdup(mask);
	bool is_ipv6 = strchr(parts.host, ':') != NULL;
	char *origin = xasprintf("%s://%s%s%s:%d/%s", parts.scheme, is_ipv6 ? "[" : "", parts.host,
				 is_ipv6 ? "]" : "", parts.port, mask);
	char *shown = text_clean_copy(origin, strlen(origin), URL_REDACTED_MAX);
	url_parts_finish(&parts);
	free(origin);
	return shown;
}

/*
 * Until nothing changes any more: to a browser a control character is nothing, in what we show it is a space, and without its user a
 * text may read as another URL. Neither may hide a secret. What does not settle has a user in each of its many parts: none of them is shown.
 */
char *url_redact(const char *url)
{
	char *redacted = redact(url);
	bool is_changed = strcmp(redacted, url) != 0;
	for (int pass = 1; is_changed && pass < PASSES_MAX; pass++) {
		char *again = redact(redacted);
		is_changed = strcmp(again, redacted) != 0;
		free(redacted);
		redacted = again;
	}
	if (!is_changed)
		return redacted;
	free(redacted);
	return hide_all_but_origin(url);
}
