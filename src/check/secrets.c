/*
 * Passes, one after the other: what is known, byte for byte or escaped as JSON, HTML and URLs do, also more than once; then what looks like a secret: the user in a URL (//user:password@host),
 * and the values that secret_values.h finds.
 */
#include "check/secrets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/escapes.h"
#include "check/request.h"
#include "check/secret_values.h"
#include "check/site.h"
#include "check/url.h"

enum {
	SECRET_MIN = 4, /* bytes: what is shorter stands in any text */
	SECRETS_MAX = 256,
	ESCAPE_MAX = 12, /* bytes: \ud83d\ude00 */
	LAYERS_MAX = 3,  /* of escapes: JSON in a page in JSON, and "&amp;amp;amp;" */
	/*
	 * Comparisons for a byte of a text, and for any text: some 10 ns each. An ordinary text takes one or two; a site that has set
	 * cookies of 4000 times the same letter, and shows a page of it, would take thousands.
	 */
	STEPS_OF_BYTE = 16,
	STEPS_OF_TEXT = 16 * 1024,
	COMPARED_AT_ONCE = 256, /* bytes of memcmp(): a step */
};

static const char mask[] = "***";

struct secret {
	char *text;
	size_t length;
};

struct secrets {
	struct secret *items;
	size_t count;
};

static void add(struct secrets *secrets, const char *bytes, size_t length)
{
	if (length < SECRET_MIN || secrets->count == SECRETS_MAX)
		return;
	secrets->items = xreallocarray(secrets->items, secrets->count + 1, sizeof(struct secret));
	secrets->items[secrets->count++] =
		(struct secret){.text = xstrndup(bytes, length), .length = length};
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As it stands in a URL or form, and without its escapes. */
static void add_encoded(struct secrets *secrets, const char *bytes, size_t length)
{
	char *plain = xmalloc(length + 1);
	size_t used = 0;
	add(secrets, bytes, length);
	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];
		if (c == '+')
			c = ' ';
		if (c == '%' && i + 2 < length && hex_digit(bytes[i + 1]) >= 0 &&
		    hex_digit(bytes[i + 2]) >= 0) {
			c = (char)(unsigned char)(hex_digit(bytes[i + 1]) * 16 +
						  hex_digit(bytes[i + 2]));
			i += 2;
		}
		plain[used++] = c;
	}
	if (used != length || memcmp(plain, bytes, length) != 0)
		add(secrets, plain, used);
	free(plain);
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What libcurl makes of a user in the URL, but for the end, which depends on what follows. */
static void add_base64(struct secrets *secrets, const char *text)
{
	size_t length = strlen(text) / 3 * 3;
	char *encoded = xmalloc(length / 3 * 4 + 1);
	size_t used = 0;
	for (size_t i = 0; i < length; i += 3) {
		unsigned bits = (unsigned)(unsigned char)text[i] << 16 |
				(unsigned)(unsigned char)text[i + 1] << 8 |
				(unsigned)(unsigned char)text[i + 2];
		encoded[used++] = base64_digits[bits >> 18];
		encoded[used++] = base64_digits[bits >> 12 & 63];
		encoded[used++] = base64_digits[bits >> 6 & 63];
		encoded[used++] = base64_digits[bits & 63];
	}
	add(secrets, encoded, used);
	free(encoded);
}

/* The password of Basic authorization. */
static void add_basic(struct secrets *secrets, const char *encoded)
{
	char *plain = xmalloc(strlen(encoded) + 1);
	size_t used = 0;
	unsigned bits = 0;
	int have = 0;
	for (; *encoded != '\0' && *encoded != '='; encoded++) {
		const char *digit = strchr(base64_digits, *encoded);
		if (digit == NULL)
			break;
		bits = (bits << 6 | (unsigned)(digit - base64_digits)) & 0xFFFFFF;
		have += 6;
		if (have >= 8) {
			have -= 8;
			plain[used++] = (char)(bits >> have & 0xFF);
		}
	}
	const char *colon = memchr(plain, ':', used);
	if (colon != NULL)
		add(secrets, colon + 1, used - (size_t)(colon + 1 - plain));
	free(plain);
}

static void add_cookies(struct secrets *secrets, const char *value)
{
	while (*value != '\0') {
		size_t length = strcspn(value, ";");
		const char *equals = memchr(value, '=', length);
		if (equals != NULL)
			add(secrets, equals + 1, length - (size_t)(equals + 1 - value));
		value += length;
		value += strspn(value, "; ");
	}
}

static void add_header(struct secrets *secrets, const struct site_header *header)
{
	const char *value = header->value;
	if (!url_is_secret_header(header->name, value))
		return;
	if (strcasecmp(header->name, "Cookie") == 0)
		add_cookies(secrets, value);
	add(secrets, value, strlen(value));
	const char *space = strchr(value, ' ');
	if (space == NULL)
		return;
	add(secrets, space + 1, strlen(space + 1));
	if (strncasecmp(value, "Basic ", strlen("Basic ")) == 0)
		add_basic(secrets, space + 1);
}

static void add_values(struct secrets *secrets, const char *bytes, size_t length)
{
	struct secret_values values = {.bytes = bytes, .length = length};
	size_t begin;
	size_t end;
	while (secret_values_next(&values, &begin, &end))
		add_encoded(secrets, bytes + begin, end - begin);
}

/* The password, and both as Basic authorization has them. */
static void add_user(struct secrets *secrets, const char *username, const char *password)
{
	if (username == NULL || password == NULL)
		return;
	char *pair = xasprintf("%s:%s", username, password);
	add(secrets, password, strlen(password));
	add_base64(secrets, pair);
	free(pair);
}

static void add_userinfo(struct secrets *secrets, const char *url)
{
	char *username;
	char *password;
	url_take_userinfo(url, &username, &password);
	add_user(secrets, username, password);
	free(username);
	free(password);
}

/* Of its query, and of the parameters of its path: /a;token=…/b */
static void add_url(struct secrets *secrets, const char *url)
{
	const char *slashes = strstr(url, "//");
	add_userinfo(secrets, url);
	if (slashes == NULL)
		return;
	const char *at = slashes + 2 + strcspn(slashes + 2, "/?#");
	while (*at == '/') {
		size_t length = strcspn(at + 1, "/?#");
		add_values(secrets, at + 1, length);
		at += 1 + length;
	}
	add_values(secrets, at, strlen(at));
}

struct secrets *secrets_create(const struct site *site)
{
	return secrets_create_with(site, NULL);
}

struct secrets *secrets_create_with(const struct site *site, const char *cookies)
{
	struct secrets *secrets = xcalloc(1, sizeof(*secrets));
	if (site->url != NULL)
		add_url(secrets, site->url);
	for (size_t i = 0; i < site->header_count; i++)
		add_header(secrets, &site->headers[i]);
	if (site->body != NULL)
		add_values(secrets, site->body, site->body_length);
	if (cookies != NULL)
		add_cookies(secrets, cookies);
	const struct request *request = request_of(site);
	if (request->proxy != NULL)
		add_user(secrets, request->proxy->username, request->proxy->password);
	for (size_t i = 0; i < request->proxy_header_count; i++)
		add_header(secrets, &request->proxy_headers[i]);
	if (secrets->count > 0)
		return secrets;
	secrets_destroy(secrets);
	return NULL;
}

void secrets_destroy(struct secrets *secrets)
{
	if (secrets == NULL)
		return;
	for (size_t i = 0; i < secrets->count; i++)
		free(secrets->items[i].text);
	free(secrets->items);
	free(secrets);
}

/* Whether all that is left may be the beginning of an escape, or of one within one (\&quot); "&page=2" is none. */
static bool is_half_escape(const char *bytes, size_t length)
{
	if (length >= ESCAPE_MAX || (bytes[0] != '\\' && bytes[0] != '&' && bytes[0] != '%'))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!isalnum((unsigned char)bytes[i]) &&
		    (bytes[i] == '\0' || strchr("#\\&%;", bytes[i]) == NULL))
			return false;
	return true;
}

/*
 * How much of what stands at bytes is the secret with some of its characters escaped; at the end of what was cut, also its beginning. 0:
 * nothing of it.
 */
static size_t escaped_length(const struct secret *secret, const char *bytes, size_t length,
			     bool is_cut, size_t *steps)
{
	size_t at = 0;
	size_t matched = 0;
	while (matched < secret->length && at < length) {
		char character[ESCAPES_CHARACTER_MAX];
		size_t size = 1;
		size_t used = escapes_read(bytes + at, length - at, character, &size);
		const char *found = used > 0 ? character : bytes + at;
		bool is_half = used == 0 && is_half_escape(bytes + at, length - at);
		if (is_half && is_cut && matched >= SECRET_MIN)
			return length;
		bool is_blank = bytes[at] == '+' && secret->text[matched] == ' '; /* in forms */
		if (!is_blank && (size > secret->length - matched ||
				  memcmp(found, secret->text + matched, size) != 0))
			return 0;
		at += used > 0 ? used : 1;
		matched += size;
		(*steps)++;
	}
	return matched == secret->length || (is_cut && matched >= SECRET_MIN) ? at : 0;
}

/* How much of what stands at bytes is a known secret; at the end of what was cut, also its beginning. */
static size_t known_length(const struct secrets *secrets, const char *bytes, size_t length,
			   bool is_cut, size_t *steps)
{
	size_t longest = 0;
	char first[ESCAPES_CHARACTER_MAX] = {bytes[0]};
	size_t first_length;
	(void)escapes_read(bytes, length, first, &first_length);
	for (size_t i = 0; i < secrets->count; i++) {
		const struct secret *secret = &secrets->items[i];
		if (bytes[0] != secret->text[0] && first[0] != secret->text[0])
			continue;
		bool is_whole = secret->length <= length;
		size_t compared = is_whole ? secret->length : length;
		bool is_plain = (is_whole || (is_cut && length >= SECRET_MIN)) &&
				memcmp(bytes, secret->text, compared) == 0;
		*steps += 1 + compared / COMPARED_AT_ONCE;
		if (!is_plain)
			compared = escaped_length(secret, bytes, length, is_cut, steps);
		if (compared > longest)
			longest = compared;
	}
	return longest;
}

/* A text, and where in the first one each of its bytes was. */
struct reading {
	char *bytes;
	size_t *places; /* of length + 1 */
	size_t length;
};

static void reading_finish(struct reading *reading)
{
	free(reading->bytes);
	free(reading->places);
}

static void reading_begin(struct reading *reading, const char *bytes, size_t length)
{
	reading->bytes = xmemdup(bytes, length);
	reading->places = xcalloc(length + 1, sizeof(reading->places[0]));
	reading->length = length;
	for (size_t i = 0; i <= length; i++)
		reading->places[i] = i;
}

/* Take one layer of escapes off, in place: no escape is shorter than its character. False where there was none. */
static bool reading_unescape(struct reading *reading)
{
	size_t used = 0;
	for (size_t at = 0; at < reading->length;) {
		char character[ESCAPES_CHARACTER_MAX] = {reading->bytes[at]};
		size_t size = 1;
		size_t escape =
			escapes_read(reading->bytes + at, reading->length - at, character, &size);
		for (size_t i = 0; i < size; i++)
			reading->places[used + i] = reading->places[at];
		memcpy(reading->bytes + used, character, size);
		used += size;
		at += escape > 0 ? escape : 1;
	}
	bool is_changed = used < reading->length;
	reading->places[used] = reading->places[reading->length];
	reading->length = used;
	return is_changed;
}

/*
 * Note where the secrets in a reading end, each at its beginning in the first text. Where too much is compared, all of the rest may be
 * one.
 */
static void find_known(const struct secrets *secrets, const struct reading *reading, bool is_cut,
		       size_t *ends)
{
	const size_t steps_max = STEPS_OF_BYTE * reading->length + STEPS_OF_TEXT;
	size_t steps = 0;
	for (size_t i = 0; i < reading->length;) {
		size_t known = known_length(secrets, reading->bytes + i, reading->length - i,
					    is_cut, &steps);
		if (steps > steps_max)
			known = reading->length - i;
		size_t end = reading->places[i + known];
		if (known > 0 && end > ends[reading->places[i]])
			ends[reading->places[i]] = end;
		i += known > 0 ? known : 1;
	}
}

static void hide_known(const struct secrets *secrets, const char *bytes, size_t length, bool is_cut,
		       struct buffer *out)
{
	struct reading reading;
	size_t *ends = xcalloc(length, sizeof(ends[0]));
	reading_begin(&reading, bytes, length);
	find_known(secrets, &reading, is_cut, ends);
	for (int layer = 1; layer < LAYERS_MAX && reading_unescape(&reading); layer++)
		find_known(secrets, &reading, is_cut, ends);
	size_t hidden = 0;
	for (size_t i = 0; i < length; i++) {
		if (ends[i] > hidden && i >= hidden)
			(void)buffer_append_text(out, mask);
		if (ends[i] > hidden)
			hidden = ends[i];
		if (i >= hidden)
			(void)buffer_append_char(out, bytes[i]);
	}
	reading_finish(&reading);
	free(ends);
}

/* Whether a slash ends what stands before a host: it is the second one, or alone behind a colon, as servers make one of two. */
static bool is_before_host(const char *bytes, size_t at)
{
	return bytes[at] == '/' && at > 0 && (bytes[at - 1] == '/' || bytes[at - 1] == ':');
}

/* Before a host: how long the user and the '@' are; 0 where there is none. */
static size_t userinfo_length(const char *bytes, size_t length)
{
	size_t end = 0;
	size_t found = 0;
	while (end < length &&
	       (bytes[end] == '\0' || strchr("/?#\\ \t\r\n\"'<>", bytes[end]) == NULL)) {
		end++;
		if (bytes[end - 1] == '@')
			found = end;
	}
	return found;
}

void secrets_hide_users(const char *bytes, size_t length, struct buffer *out)
{
	size_t plain = 0;
	for (size_t i = 1; i < length; i++) {
		if (!is_before_host(bytes, i))
			continue;
		size_t user = userinfo_length(bytes + i + 1, length - i - 1);
		if (user == 0)
			continue;
		(void)buffer_append(out, bytes + plain, i + 1 - plain);
		(void)buffer_append_text(out, mask);
		(void)buffer_append_char(out, '@');
		plain = i + 1 + user;
		i = plain - 1;
	}
	(void)buffer_append(out, bytes + plain, length - plain);
}

static void hide_values(const char *bytes, size_t length, struct buffer *out)
{
	struct secret_values values = {.bytes = bytes, .length = length};
	size_t plain = 0;
	size_t begin;
	size_t end;
	while (secret_values_next(&values, &begin, &end)) {
		(void)buffer_append(out, bytes + plain, begin - plain);
		if (end > begin)
			(void)buffer_append_text(out, mask);
		plain = end;
	}
	(void)buffer_append(out, bytes + plain, length - plain);
}

void secrets_hide(const struct secrets *secrets, const char *bytes, size_t length, bool is_cut,
		  struct buffer *out)
{
	/* A mask may be longer than what it hides: at most by two bytes for each of these. */
	struct buffer without_known;
	struct buffer without_users;
	if (length == 0)
		return;
	buffer_init(&without_known, 3 * length + sizeof(mask));
	buffer_init(&without_users, 6 * length + sizeof(mask));
	if (secrets != NULL)
		hide_known(secrets, bytes, length, is_cut, &without_known);
	else
		(void)buffer_append(&without_known, bytes, length);
	secrets_hide_users(without_known.data, without_known.length, &without_users);
	hide_values(without_users.data, without_users.length, out);
	buffer_finish(&without_known);
	buffer_finish(&without_users);
}

static bool is_secret_value(const char *name, const char *bytes, size_t length)
{
	char *value = xstrndup(bytes, length);
	bool is_secret = url_is_secret_header(name, value);
	free(value);
	return is_secret;
}

char *secrets_hide_value(const struct site *site, const char *cookies, const char *name,
			 const char *bytes, size_t length, size_t max)
{
	if (name != NULL && is_secret_value(name, bytes, length))
		return xstrdup(mask);
	struct secrets *secrets = secrets_create_with(site, cookies);
	struct buffer shown;
	buffer_init(&shown, 12 * length + sizeof(mask));
	secrets_hide(secrets, bytes, length, true, &shown);
	char *text = text_clean_copy(shown.data == NULL ? "" : shown.data, shown.length, max);
	buffer_finish(&shown);
	secrets_destroy(secrets);
	return text;
}
