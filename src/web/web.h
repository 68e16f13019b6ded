/*
 * The web server: status page, API, /healthz, /readyz, /metrics (libmicrohttpd, one thread of its own). Reads the store through a handle of its
 * own; when the store is away the page says so, and the last figures stay.
 */
#ifndef WEBSENTRY_WEB_WEB_H
#define WEBSENTRY_WEB_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct figures;
struct store;
struct web;

struct web_options {
	const char *listen; /* "127.0.0.1:8080", "[::1]:0", ":8080"; port 0 picks one */
	struct store
		*store; /* opened with STORE_READ; taken: closed by web_stop(). NULL: no page */
	/* What /metrics and /readyz tell. Borrowed until web_stop(); with FIGURES_PAGE the page's reader says whether the store is
	 * there. NULL: a process that does nothing. */
	struct figures *figures;
	/* The names of the sites of this process's own sites file: others are shown as closed. NULL: all are shown. Copied. */
	const char *const *site_names;
	size_t site_count;
	int64_t hole_after_us; /* how long a report may stay away before figures and page call it missing */
	const char *title; /* NULL: "Websentry" */
};

/* Bind and serve. ERROR_REJECT where the address can't be had (in use, no such address), naming it. */
struct web *web_start(const struct web_options *options, struct error *err);

/* The real address, "127.0.0.1:34567"; the web server's own. */
const char *web_address(const struct web *web);

/* The names of another sites file, as in struct web_options. Copied; shown with the next look at the store. Any thread. */
void web_set_sites(struct web *web, const char *const *names, size_t count);

void web_stop(struct web *web); /* accepts NULL */

#endif
