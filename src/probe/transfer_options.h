/* What a site's request asks of curl beyond the usual (check/request.h). Internal to the transfer; the loop's thread. */
#ifndef WEBSENTRY_PROBE_TRANSFER_OPTIONS_H
#define WEBSENTRY_PROBE_TRANSFER_OPTIONS_H

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/error.h"

struct site;
struct transfer;
struct transfer_request;

/* What is asked for where a site says nothing of it. */
extern const char *const transfer_encodings;
/* The same as a line of the request; curl takes no pointer to const, nobody writes. */
extern char transfer_encodings_line[];

/* Whether a site asks for br or zstd by name, with the key or with a header of its own. */
bool transfer_wants_large_window(const struct site *site);

/* Whether the site asks to go on in another protocol (WebSocket), with a header of its own; over HTTP/2 nobody can. */
bool transfer_wants_upgrade(const struct site *site);

/*
 * Add a line to a list of libcurl's: to it "Name:" takes a header out, and "Name;" sends it empty. False where there is no memory for
 * it: without it the request would be another one.
 */
bool transfer_add_field(struct curl_slist **headers, const char *name, const char *value);

/*
 * Set the URL and those options of the handle in which requests differ, all of them; once the headers are set. Returns 0, or -1
 * where curl refuses a value.
 */
int transfer_set_options(struct transfer *transfer, const struct transfer_request *request);

/* Bind the transfer's socket to its source. Returns 0, or -1 with socket_errno; the socket is closed then. */
int transfer_bind(struct transfer *transfer, int family);

/* Whether the site shows a client's certificate here: it has one, and this is its origin. */
bool transfer_has_identity(const struct transfer *transfer);

/* The TLS that a site asks for. Returns 0, or -1 with err. */
int transfer_set_tls(struct transfer *transfer, SSL_CTX *context, struct error *err);

#endif
