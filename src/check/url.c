#include "check/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

enum {
	URL_PLAIN_HOST_MAX = 253, /* what DNS knows */
	PORT_MAX = 65535,
};

static CURLU *new_handle(void)
{
	CURLU *handle = curl_url();
	if (handle == NULL)
		abort(); /* out of memory, as in xmalloc() */
	return handle;
}

/* A part as our own memory; NULL where the URL has none. */
static char *copy_part(CURLU *handle, CURLUPart part, unsigned flags)
{
	char *text = NULL;
	if (curl_url_get(handle, part, &text, flags) != CURLUE_OK) {
		curl_free(text); /* libcurl 7.88 leaves a host there that has no form in ASCII */
		return NULL;
	}
	char *copy = xstrdup(text);
	curl_free(text);
	return copy;
}

static bool has_part(CURLU *handle, CURLUPart part)
{
	char *text = copy_part(handle, part, 0);
	bool is_there = text != NULL;
	free(text);
	return is_there;
}

static bool is_web_scheme(const char *scheme)
{
	return scheme != NULL && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
}

static bool is_ip(const char *host)
{
	struct in6_addr address;
	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/* What can be said before libcurl looks: it takes one slash for two, and says of a space only that it is "malformed". */
static int check_form(const char *url, struct error *err)
{
	size_t length = strnlen(url, URL_MAX + 1);
	if (length == 0) {
		error_set(err, ERROR_REJECT, "an empty URL");
		return -1;
	}
	if (length > URL_MAX) {
		error_set(err, ERROR_REJECT, "a URL longer than %d bytes", (int)URL_MAX);
		return -1;
	}
	if (!text_is_utf8(url, length)) {
		error_set(err, ERROR_REJECT, "a URL that is not UTF-8");
		return -1;
	}
	for (const unsigned char *at = (const unsigned char *)url; *at != '\0'; at++) {
		bool is_c1 = at[0] == 0xC2 && at[1] < 0xA0; /* of what is UTF-8 */
		if (*at <= ' ' || *at == 0x7F || is_c1) {
			error_set(err, ERROR_REJECT, "a URL with a %s at byte %zu",
				  *at == ' ' ? "space" : "control character",
				  (size_t)(at - (const unsigned char *)url) + 1);
			return -1;
		}
	}
	const char *rest = strncasecmp(url, "http://", 7) == 0    ? url + 7
			   : strncasecmp(url, "https://", 8) == 0 ? url + 8
								  : NULL;
	if (rest == NULL) {
		error_set(err, ERROR_REJECT, "a URL that does not begin with http:// or https://");
		return -1;
	}
	if (*rest == '\0' || strchr("/?#", *rest) != NULL) {
		error_set(err, ERROR_REJECT, "a URL without a host");
		return -1;
	}
	if (rest[strcspn(rest, "/?#\\")] == '\\') { /* browsers and libcurl go to different hosts */
		error_set(err, ERROR_REJECT, "a URL with a backslash in its host");
		return -1;
	}
	return 0;
}

/*
 * The host in the form that resolver and certificate know; brackets and upper case are the URL's, not the host's. libidn2
 * reads a host beyond ASCII in the encoding of the locale, so main() sets one with UTF-8.
 */
static char *take_host(CURLU *handle)
{
	char *host = copy_part(handle, CURLUPART_HOST, CURLU_PUNYCODE);
	if (host == NULL)
		return NULL;
	size_t length = strlen(host);
	if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
		memmove(host, host + 1, length - 2);
		host[length - 2] = '\0';
	}
	for (char *at = host; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return host;
}

/* The one of the scheme where the URL names none; -1: none that there can be. */
static int take_port(CURLU *handle)
{
	int64_t port;
	char *text = copy_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	bool is_port =
		text != NULL && text_parse_int64(text, &port) == 0 && port >= 1 && port <= PORT_MAX;
	free(text);
	return is_port ? (int)port : -1;
}

/* "a..example", ".example": no resolver asks for these. One dot at the end is the root. */
static bool has_empty_label(const char *host)
{
	return host[0] == '.' || strstr(host, "..") != NULL;
}

/*
 * What no host has: what would end it, and a percent sign that stands for nothing. libidn2 makes some of them of other characters (a wide
 * slash, a wide at, spaces of all widths).
 */
static bool has_forbidden_char(const char *host)
{
	for (const char *at = host; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7F ||
		    strchr("#%/:<>?@[\\]^|", *at) != NULL)
			return true;
	return false;
}

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/*
 * Nearly every URL, for each check: "http://name.example:8080/…" with a host that has one form only. libcurl takes twenty times as
 * long to come to the same parts. Returns false for whatever it might see differently: numbers that are addresses in disguise,
 * users, brackets, upper case, odd ports.
 */
static bool parse_plain(const char *url, struct url_parts *ret_parts)
{
	const bool is_https = strncmp(url, "https://", 8) == 0;
	if (!is_https && strncmp(url, "http://", 7) != 0)
		return false;
	const char *host = url + (is_https ? 8 : 7);
	const char *end = host;
	const char *label = host; /* the last one */
	for (; is_host_char(*end); end++)
		if (*end == '.')
			label = end + 1;
	char text[URL_PLAIN_HOST_MAX + 1];
	size_t length = (size_t)(end - host);
	if (length == 0 || length > URL_PLAIN_HOST_MAX)
		return false;
	memcpy(text, host, length);
	text[length] = '\0';
	struct in_addr address;
	bool is_host_ip = *label >= '0' && *label <= '9';
	if (has_empty_label(text) || label == end ||
	    (is_host_ip && inet_pton(AF_INET, text, &address) != 1))
		return false;
	int port = 0;
	if (*end == ':') {
		for (end++; *end >= '0' && *end <= '9' && port < PORT_MAX; end++)
			port = port * 10 + (*end - '0');
		if (port == 0 || port > PORT_MAX || end[-1] == ':')
			return false;
	}
	if (*end != '\0' && *end != '/')
		return false;
	*ret_parts = (struct url_parts){
		.scheme = xstrdup(is_https ? "https" : "http"),
		.host = xstrdup(text),
		.port = port != 0  ? port
			: is_https ? 443
				   : 80,
		.is_host_ip = is_host_ip,
		.is_https = is_https,
	};
	return true;
}

/* Whether it has one that, decoded, could not be sent: libcurl would find that out only at the check. */
static bool has_control(CURLU *handle, CURLUPart part)
{
	if (!has_part(handle, part))
		return false;
	char *text = copy_part(handle, part, CURLU_URLDECODE);
	bool is_sound = text != NULL;
	for (const char *at = text; is_sound && *at != '\0'; at++)
		is_sound = (unsigned char)*at >= ' ' && *at != 0x7F;
	free(text);
	return !is_sound;
}

/* What libcurl made of the URL, into the parts. -1: they may hold some of it. */
static int take_parts(CURLU *handle, const char *url, struct url_parts *parts, struct error *err)
{
	parts->scheme = copy_part(handle, CURLUPART_SCHEME, 0);
	if (!is_web_scheme(parts->scheme)) {
		error_set(err, ERROR_REJECT, "a URL that is neither http nor https");
		return -1;
	}
	if (has_part(handle, CURLUPART_ZONEID)) {
		error_set(err, ERROR_REJECT, "a URL with an IPv6 zone");
		return -1;
	}
	if (strchr(url, '@') != NULL &&
	    (has_control(handle, CURLUPART_USER) || has_control(handle, CURLUPART_PASSWORD))) {
		error_set(err, ERROR_REJECT, "a URL with a control character in its user");
		return -1;
	}
	parts->host = take_host(handle);
	if (parts->host == NULL || parts->host[0] == '\0' ||
	    (has_forbidden_char(parts->host) && !is_ip(parts->host))) {
		error_set(err, ERROR_REJECT, "a URL without a usable host name");
		return -1;
	}
	if (has_empty_label(parts->host)) {
		error_set(err, ERROR_REJECT, "a URL whose host has an empty label");
		return -1;
	}
	parts->port = take_port(handle);
	if (parts->port < 0) {
		error_set(err, ERROR_REJECT, "a URL with a port that is not one of 1 to %d",
			  (int)PORT_MAX);
		return -1;
	}
	parts->is_host_ip = is_ip(parts->host);
	parts->is_https = strcmp(parts->scheme, "https") == 0;
	return 0;
}

int url_parse(const char *url, struct url_parts *ret_parts, struct error *err)
{
	if (check_form(url, err) != 0)
		return -1;
	if (parse_plain(url, ret_parts))
		return 0;
	struct url_parts parts = {0};
	CURLU *handle = new_handle();
	CURLUcode code = curl_url_set(handle, CURLUPART_URL, url, 0);
	int result = -1;
	if (code == CURLUE_OK)
		result = take_parts(handle, url, &parts, err);
	else
		error_set(err, ERROR_REJECT, "not a URL: %s", curl_url_strerror(code));
	curl_url_cleanup(handle);
	if (result == 0)
		*ret_parts = parts;
	else
		url_parts_finish(&parts);
	return result;
}

void url_parts_finish(struct url_parts *parts)
{
	free(parts->scheme);
	free(parts->host);
	*parts = (struct url_parts){0};
}

void url_take_userinfo(const char *url, char **ret_username, char **ret_password)
{
	*ret_username = NULL;
	*ret_password = NULL;
	if (strchr(url, '@') == NULL)
		return; /* nearly every URL, for each check */
	CURLU *handle = new_handle();
	if (curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK) {
		*ret_username = copy_part(handle, CURLUPART_USER, CURLU_URLDECODE);
		if (*ret_username != NULL)
			*ret_password = copy_part(handle, CURLUPART_PASSWORD, CURLU_URLDECODE);
		if (*ret_username != NULL && *ret_password == NULL)
			*ret_password = xstrdup("");
	}
	curl_url_cleanup(handle);
}

/* Where location leads from base, without a fragment: what libcurl makes of it, not yet looked at. NULL with err. */
static char *join(CURLU *handle, const char *base, const char *location, struct error *err)
{
	/* Spaces and bytes beyond ASCII are what servers really send; libcurl's own redirects encode them too. */
	const unsigned flags = CURLU_URLENCODE | CURLU_ALLOW_SPACE;
	CURLUcode code = curl_url_set(handle, CURLUPART_URL, base, flags);
	/* libcurl 7.88 takes a fragment alone for a path that is empty; it is the same document (RFC 3986, 5.2.2). */
	if (code == CURLUE_OK && location[0] != '#')
		code = curl_url_set(handle, CURLUPART_URL, location, flags);
	char *scheme = code == CURLUE_OK ? copy_part(handle, CURLUPART_SCHEME, 0) : NULL;
	bool is_of_the_web = is_web_scheme(scheme);
	free(scheme);
	if (code == CURLUE_UNSUPPORTED_SCHEME || (code == CURLUE_OK && !is_of_the_web)) {
		error_set(err, ERROR_REJECT,
			  "the redirect leads to a URL that is neither http nor https");
		return NULL;
	}
	char *joined = NULL;
	if (code == CURLUE_OK) {
		(void)curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
		joined = copy_part(handle, CURLUPART_URL, 0);
	}
	/* A host may be a number, and so an address, only once it is decoded. */
	if (joined != NULL && (strchr(base, '%') != NULL || strchr(location, '%') != NULL)) {
		bool is_set = curl_url_set(handle, CURLUPART_URL, joined, flags) == CURLUE_OK;
		free(joined);
		joined = is_set ? copy_part(handle, CURLUPART_URL, 0) : NULL;
	}
	if (joined == NULL)
		error_set(err, ERROR_REJECT, "the redirect leads to no usable URL: %s",
			  code == CURLUE_OK ? "not a URL" : curl_url_strerror(code));
	return joined;
}

char *url_resolve(const char *base, const char *location, struct error *err)
{
	if (location[0] == '\0') {
		error_set(err, ERROR_REJECT, "the Location header is empty");
		return NULL;
	}
	if (strnlen(location, URL_MAX + 1) > URL_MAX) {
		error_set(err, ERROR_REJECT, "the redirect leads to a URL longer than %d bytes",
			  (int)URL_MAX);
		return NULL;
	}
	CURLU *handle = new_handle();
	char *resolved = join(handle, base, location, err);
	curl_url_cleanup(handle);
	struct url_parts parts;
	if (resolved == NULL)
		return NULL;
	if (url_parse(resolved, &parts, err) == 0) {
		url_parts_finish(&parts);
		return resolved;
	}
	error_prefix(err, "the redirect leads to no usable URL: ");
	free(resolved);
	return NULL;
}

bool url_is_same_origin(const char *a, const char *b)
{
	struct url_parts left;
	struct url_parts right;
	if (url_parse(a, &left, NULL) != 0)
		return false;
	if (url_parse(b, &right, NULL) != 0) {
		url_parts_finish(&left);
		return false;
	}
	bool is_same = strcmp(left.scheme, right.scheme) == 0 &&
		       strcmp(left.host, right.host) == 0 && left.port == right.port;
	url_parts_finish(&left);
	url_parts_finish(&right);
	return is_same;
}
