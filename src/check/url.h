/*
 * URLs: validation, redaction, and where a redirect leads. Built on libcurl's URL parser, so that we judge a URL as
 * the client that fetches it does. No I/O; any thread.
 */
#ifndef WEBSENTRY_CHECK_URL_H
#define WEBSENTRY_CHECK_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { URL_MAX = 8192 }; /* bytes of a URL that we accept, in a sites file or a Location header */
enum { URL_REDACTED_MAX = 2048 }; /* bytes of a redacted URL in a report */

/* What a hop needs to know of its URL. */
struct url_parts {
	char *scheme; /* "http" or "https" */
	char *host;   /* lower case, IDNA-encoded, without brackets around an IPv6 address */
	int port;     /* the scheme's default where the URL names none */
	bool is_host_ip;
	bool is_https;
};

/* Read url. Returns 0, or -1 with ERROR_REJECT and what is wrong with it. Parts are released with url_parts_finish(). */
int url_parse(const char *url, struct url_parts *ret_parts, struct error *err);
void url_parts_finish(struct url_parts *parts);

/* The user and password that stand in a URL, percent-decoded; both NULL where there is no user, "" for no password. */
void url_take_userinfo(const char *url, char **ret_username, char **ret_password);

/*
 * The one redaction of the program: userinfo removed, values of query keys that look secret (token, key, password,
 * secret, signature, auth … as words within the key) replaced by "***", fragment removed, safe text, at most
 * URL_REDACTED_MAX bytes. Works on anything: what is no URL comes back with all between "//" and the last "@" before
 * the path removed; a URL with more users in its path than are worth the search keeps its origin alone. The result is the caller's.
 */
char *url_redact(const char *url);

/* Whether a name (of a query key, header, form field) looks like that of a secret: X-Api-Key, access_token, but not monkey. */
bool url_is_secret_name(const char *name);

/* The same of a header, which may also be told by its value: "Bearer …", a JWT, a URL with a user or a token. */
bool url_is_secret_header(const char *name, const char *value);

/* Whether a request's body names something secret: a field of a form, of JSON, of multipart/form-data, an element of XML. */
bool url_is_secret_body(const char *bytes, size_t length);

/*
 * Where a Location header leads from base. Returns a fresh absolute URL (fragment removed), or NULL with ERROR_REJECT
 * where it is not http or https, too long, or no URL.
 */
char *url_resolve(const char *base, const char *location, struct error *err);

/* Whether two URLs have the same scheme, host and port: credentials are kept only then. */
bool url_is_same_origin(const char *a, const char *b);

#endif
