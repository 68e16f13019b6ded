/*
 * How a site is asked, where that is not as usual: most sites have none of it, so it lies beside the site. As plain as the site:
 * made by config/ (or by hand in tests), never changed afterwards, read by every thread.
 */
#ifndef WEBSENTRY_CHECK_REQUEST_H
#define WEBSENTRY_CHECK_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct site;

/* Which version of HTTP is spoken. */
enum request_http {
	REQUEST_HTTP_AUTO, /* over TLS what the two agree on, else 1.1 */
	REQUEST_HTTP_1_1,
	REQUEST_HTTP_2, /* over TLS agreed on, else at once; any other answer is wrong */
};

enum request_tls {
	REQUEST_TLS_ANY, /* what OpenSSL thinks fit */
	REQUEST_TLS_1_0,
	REQUEST_TLS_1_1,
	REQUEST_TLS_1_2,
	REQUEST_TLS_1_3,
};

struct request {
	enum request_http http;
	char *accept_encoding; /* NULL: all that we can decode; "": none is asked for, and none decoded */

	/* Within the site's origin alone: NULL for none. */
	char *cert_file; /* the client's certificate and those up to its authority, PEM */
	char *key_file;
	char *server_name; /* asked for and expected instead of the URL's host */
	enum request_tls tls_min;
	enum request_tls tls_max;
};

/* What a site without one is asked by. */
extern const struct request request_usual;

/* The site's, never NULL. */
const struct request *request_of(const struct site *site);
/* The site's, to be changed; made where there was none. */
struct request *request_make(struct site *site);
/* Accepts NULL. */
void request_destroy(struct request *request);

#endif
