#include "probe/cookies.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "check/url.h"
#include "probe/cookie_date.h"

struct cookie {
	char *name;
	char *value; /* NULL: it has been taken back, and so has the site's own of that name */
	char *host;
	char *path;
	bool is_below;  /* for all hosts below that one, too */
	bool is_secure; /* for https alone */
};

/* A part of a text. */
struct span {
	const char *text;
	size_t length;
};

/* Where a request goes, as cookies see it. */
struct place {
	struct url_parts parts;
	struct span path; /* borrowed from the URL */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span trimmed(struct span span)
{
	while (span.length > 0 && is_blank(span.text[0])) {
		span.text++;
		span.length--;
	}
	while (span.length > 0 && is_blank(span.text[span.length - 1]))
		span.length--;
	return span;
}

/* What stands before the character, which *rest then begins behind; all of it where there is none. */
static struct span split(struct span *rest, char at)
{
	const char *end = rest->length > 0 ? memchr(rest->text, at, rest->length) : NULL;
	struct span before = {rest->text, end != NULL ? (size_t)(end - rest->text) : rest->length};
	size_t used = before.length + (end != NULL ? 1 : 0);
	rest->text += used;
	rest->length -= used;
	return before;
}

static bool is_word(struct span span, const char *word)
{
	return span.length == strlen(word) && strncasecmp(span.text, word, span.length) == 0;
}

static bool is_text(struct span span, const char *text)
{
	return span.length == strlen(text) && memcmp(span.text, text, span.length) == 0;
}

static struct span path_of(const char *url)
{
	const char *host = strstr(url, "://");
	const char *start = host != NULL ? host + 3 : url;
	start += strcspn(start, "/?#");
	if (start[0] != '/')
		return (struct span){"/", 1};
	return (struct span){start, strcspn(start, "?#")};
}

static int place_init(struct place *place, const char *url)
{
	place->path = path_of(url);
	return url_parse(url, &place->parts, NULL);
}

/* The host itself, or one below it, which has to be a name. */
static bool is_host_below(const struct url_parts *parts, const char *host)
{
	size_t length = strlen(parts->host);
	size_t above = strlen(host);
	return !parts->is_host_ip && length > above && parts->host[length - above - 1] == '.' &&
	       strcmp(parts->host + length - above, host) == 0;
}

static bool is_path_below(struct span path, const char *above)
{
	size_t length = strlen(above);
	if (path.length < length || memcmp(path.text, above, length) != 0)
		return false;
	return path.length == length || above[length - 1] == '/' || path.text[length] == '/';
}

static bool goes_to(const struct cookie *cookie, const struct place *place)
{
	bool is_host = strcmp(place->parts.host, cookie->host) == 0 ||
		       (cookie->is_below && is_host_below(&place->parts, cookie->host));
	return is_host && is_path_below(place->path, cookie->path) &&
	       (!cookie->is_secure || place->parts.is_https);
}

/* --- taking them --- */

/* Where it does not say: the folder of what was asked for. */
static char *default_path(struct span path)
{
	size_t length = path.length;
	while (length > 1 && path.text[length - 1] != '/')
		length--;
	return xstrndup(path.text, length > 1 ? length - 1 : 1);
}

/*
 * For a host and all below it: the one that set it, or one above that is not just the end of everybody's names. Of several the last one
 * counts, and an empty one is none.
 */
static bool take_domain(struct cookie *cookie, struct span domain, const struct place *place)
{
	if (domain.length > 0 && domain.text[0] == '.') {
		domain.text++;
		domain.length--;
	}
	bool is_named = domain.length > 0;
	char *host = is_named ? xstrndup(domain.text, domain.length) : xstrdup(place->parts.host);
	for (char *at = host; at[0] != '\0'; at++)
		at[0] = (char)(at[0] >= 'A' && at[0] <= 'Z' ? at[0] | 0x20 : at[0]);
	bool is_own = strcmp(host, place->parts.host) == 0;
	bool is_above = strchr(host, '.') != NULL && is_host_below(&place->parts, host);
	cookie->is_below = is_above || (is_named && is_own && !place->parts.is_host_ip);
	free(cookie->host);
	cookie->host = host;
	return is_own || is_above;
}

/* A number of seconds, of which there may be any; else it is not there. */
static bool is_age(struct span age)
{
	if (age.length > 1 && age.text[0] == '-') {
		age.text++;
		age.length--;
	}
	size_t digits = 0;
	while (digits < age.length && age.text[digits] >= '0' && age.text[digits] <= '9')
		digits++;
	return digits > 0 && digits == age.length;
}

static bool is_over(struct span age)
{
	size_t zeros = 0;
	while (zeros < age.length && age.text[zeros] == '0')
		zeros++;
	return age.text[0] == '-' || zeros == age.length;
}

static bool is_past(struct span date, wall_us now)
{
	wall_us at;
	return cookie_date_read(date.text, date.length, &at) == 0 && at < now;
}

/* Where it is none, the default once more. */
static void take_path(struct cookie *cookie, struct span path, const struct place *place)
{
	bool is_path = path.length > 0 && path.text[0] == '/';
	free(cookie->path);
	cookie->path = is_path ? xstrndup(path.text, path.length) : default_path(place->path);
}

/* False: it is not for the host that sets it. */
static bool take_attributes(struct cookie *cookie, struct span rest, const struct place *place,
			    wall_us now)
{
	bool has_age = false;
	bool is_expired = false;
	bool is_allowed = true;
	while (rest.length > 0) {
		struct span value = split(&rest, ';');
		struct span name = trimmed(split(&value, '='));
		value = trimmed(value);
		if (is_word(name, "domain")) {
			is_allowed = take_domain(cookie, value, place);
		} else if (is_word(name, "path")) {
			take_path(cookie, value, place);
		} else if (is_word(name, "secure")) {
			cookie->is_secure = true;
		} else if (is_word(name, "max-age") && is_age(value)) {
			has_age = true;
			is_expired = is_over(value);
		} else if (is_word(name, "expires") && !has_age) {
			is_expired = is_past(value, now);
		}
	}
	if (is_expired) {
		free(cookie->value);
		cookie->value = NULL;
	}
	return is_allowed;
}

static void cookie_finish(struct cookie *cookie)
{
	free(cookie->name);
	free(cookie->value);
	free(cookie->host);
	free(cookie->path);
}

static size_t size_of(const struct cookie *cookie)
{
	return strlen(cookie->name) + (cookie->value != NULL ? strlen(cookie->value) : 0) +
	       strlen(cookie->host) + strlen(cookie->path);
}

static void forget(struct cookies *cookies, size_t index)
{
	cookies->bytes -= size_of(&cookies->items[index]);
	cookie_finish(&cookies->items[index]);
	cookies->count--;
	memmove(&cookies->items[index], &cookies->items[index + 1],
		(cookies->count - index) * sizeof(cookies->items[0]));
}

/* Those with the longer path come first (RFC 6265, 5.4), for a server that is told two of a name mostly takes that; else the older ones. */
static size_t find_place(const struct cookies *cookies, const struct cookie *cookie)
{
	size_t index = cookies->count;
	while (index > 0 && strlen(cookies->items[index - 1].path) < strlen(cookie->path))
		index--;
	return index;
}

/* Takes the cookie, in the place of one that is called alike. */
static void keep(struct cookies *cookies, struct cookie *cookie)
{
	for (size_t i = 0; i < cookies->count; i++) {
		const struct cookie *known = &cookies->items[i];
		if (strcmp(known->name, cookie->name) == 0 &&
		    strcmp(known->host, cookie->host) == 0 &&
		    strcmp(known->path, cookie->path) == 0) {
			forget(cookies, i);
			break;
		}
	}
	if (cookies->count == COOKIES_MAX || cookies->bytes + size_of(cookie) > COOKIES_BYTES_MAX) {
		cookie_finish(cookie);
		return;
	}
	cookies->items =
		xreallocarray(cookies->items, cookies->count + 1, sizeof(cookies->items[0]));
	size_t index = find_place(cookies, cookie);
	memmove(&cookies->items[index + 1], &cookies->items[index],
		(cookies->count - index) * sizeof(cookies->items[0]));
	cookies->items[index] = *cookie;
	cookies->count++;
	cookies->bytes += size_of(cookie);
}

static bool has_controls(struct span span)
{
	for (size_t i = 0; i < span.length; i++) {
		unsigned char c = (unsigned char)span.text[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static void take_field(struct cookies *cookies, struct span field, const struct place *place,
		       wall_us now)
{
	struct span pair = split(&field, ';');
	if (memchr(pair.text, '=', pair.length) == NULL)
		return;
	struct span name = trimmed(split(&pair, '='));
	struct span value = trimmed(pair);
	if (name.length == 0 || name.length + value.length > COOKIE_MAX || has_controls(name) ||
	    has_controls(value))
		return;
	struct cookie cookie = {
		.name = xstrndup(name.text, name.length),
		.value = xstrndup(value.text, value.length),
		.host = xstrdup(place->parts.host),
		.path = default_path(place->path),
	};
	if (take_attributes(&cookie, field, place, now))
		keep(cookies, &cookie);
	else
		cookie_finish(&cookie);
}

void cookies_take(struct cookies *cookies, const char *url, const char *fields, wall_us now)
{
	struct place place;
	if (place_init(&place, url) != 0)
		return;
	struct span rest = {fields, strlen(fields)};
	while (rest.length > 0)
		take_field(cookies, split(&rest, '\n'), &place, now);
	url_parts_finish(&place.parts);
}

void cookies_finish(struct cookies *cookies)
{
	for (size_t i = 0; i < cookies->count; i++)
		cookie_finish(&cookies->items[i]);
	free(cookies->items);
	*cookies = (struct cookies){0};
}

/* --- giving them back --- */

static void add(struct buffer *field, struct span pair)
{
	if (field->length > 0)
		(void)buffer_append_text(field, "; ");
	(void)buffer_append(field, pair.text, pair.length);
}

static void add_cookie(struct buffer *field, const struct cookie *cookie)
{
	if (cookie->value == NULL)
		return;
	add(field, (struct span){cookie->name, strlen(cookie->name)});
	(void)buffer_append_char(field, '=');
	(void)buffer_append_text(field, cookie->value);
}

char *cookies_list(const struct cookies *cookies)
{
	struct buffer list;
	if (cookies->count == 0)
		return NULL;
	buffer_init(&list, cookies->bytes + (size_t)3 * COOKIES_MAX);
	for (size_t i = 0; i < cookies->count; i++)
		add_cookie(&list, &cookies->items[i]);
	return buffer_take(&list);
}

static bool is_replaced(const struct cookies *cookies, const struct place *place, struct span name)
{
	for (size_t i = 0; i < cookies->count; i++) {
		if (goes_to(&cookies->items[i], place) && is_text(name, cookies->items[i].name))
			return true;
	}
	return false;
}

static void add_own(struct buffer *field, const struct cookies *cookies, const struct place *place,
		    const char *own)
{
	struct span rest = {own, strlen(own)};
	while (rest.length > 0) {
		struct span pair = trimmed(split(&rest, ';'));
		struct span value = pair;
		if (pair.length > 0 && !is_replaced(cookies, place, trimmed(split(&value, '='))))
			add(field, pair);
	}
}

char *cookies_field(const struct cookies *cookies, const char *url, const char *own)
{
	struct place place;
	if (cookies->count == 0 || place_init(&place, url) != 0)
		return NULL;
	struct buffer field;
	bool has_any = false;
	size_t own_length = own != NULL ? strlen(own) : 0;
	buffer_init(&field, 2 * (own_length + cookies->bytes) + (size_t)3 * COOKIES_MAX);
	if (own != NULL)
		add_own(&field, cookies, &place, own);
	for (size_t i = 0; i < cookies->count; i++) {
		const struct cookie *cookie = &cookies->items[i];
		if (!goes_to(cookie, &place))
			continue;
		has_any = true;
		add_cookie(&field, cookie);
	}
	url_parts_finish(&place.parts);
	char *text = buffer_take(&field);
	if (has_any)
		return text;
	free(text);
	return NULL;
}
