/*
 * One thread of libmicrohttpd (epoll) answers everything. Nothing that it does blocks: figures come ready-made from the reader
 * (reader.h), the rest is built in. A slow client costs a connection of 32 KiB until its timeout.
 */
#include "web/web.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/figures.h"
#include "base/log.h"
#include "base/memory.h"
#include "web/answer.h"
#include "web/assets.h"
#include "web/host.h"
#include "web/listener.h"
#include "web/reader.h"
#include "web/snapshot.h"

enum {
	CONNECTIONS_MAX = 512,
	CONNECTIONS_PER_ADDRESS_MAX = 256, /* one client can't take them all; a proxy has enough */
	CONNECTION_MEMORY = 32 * 1024,     /* bounds the request line and all headers */
	IDLE_TIMEOUT_S = 20,
};

struct web {
	struct listener listener;
	struct reader *reader; /* NULL: no page */
	struct figures *figures;
	struct MHD_Daemon *daemon;
	char *title;
};

static enum MHD_Result answer_figures(struct web *web, struct MHD_Connection *connection,
				      const char *path)
{
	struct rendering *rendering = reader_current(web->reader);
	enum MHD_Result result;
	if (strcmp(path, "/") == 0)
		result = answer_page(connection, rendering);
	else if (strcmp(path, "/board") == 0)
		result = answer_board(connection, rendering);
	else
		result = answer_sites(connection, rendering);
	rendering_release(rendering);
	return result;
}

/* Where the store is only read, somebody must look for the reader to find out whether it is there. */
static void look_at_store(struct web *web)
{
	if (web->reader != NULL && (web->figures->sections & FIGURES_PAGE) != 0)
		rendering_release(reader_current(web->reader));
	else if (web->reader != NULL)
		reader_ask(web->reader);
}

static bool is_figures(const char *path)
{
	return strcmp(path, "/") == 0 || strcmp(path, "/board") == 0 ||
	       strcmp(path, "/api/v1/sites") == 0;
}

static enum MHD_Result route(struct web *web, struct MHD_Connection *connection, const char *path)
{
	if (strcmp(path, "/healthz") == 0)
		return answer_health(connection);
	if (strcmp(path, "/readyz") == 0) {
		look_at_store(web);
		return answer_ready(connection, web->figures);
	}
	if (strcmp(path, "/metrics") == 0) {
		look_at_store(web);
		return answer_metrics(connection, web->figures);
	}
	const struct asset *asset = assets_find(path);
	if (asset != NULL)
		return answer_asset(connection, asset);
	if (web->reader != NULL && is_figures(path))
		return answer_figures(web, connection, path);
	return answer_text(connection, MHD_HTTP_NOT_FOUND,
			   web->reader != NULL
				   ? "Nothing is here. The status page is at /\n"
				   : "Nothing is here but /healthz, /readyz and /metrics: this "
				     "process has no store\n");
}

static bool has_body(struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_LENGTH);
	return (length != NULL && strcmp(length, "0") != 0) ||
	       MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
					   MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

/* Called twice for a request: with its headers, where refusing also ends the connection, and with its end. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
				  const char *path, const char *method, const char *version,
				  const char *upload, size_t *upload_size, void **request_context)
{
	static int is_seen;
	struct web *web = context;
	(void)version;
	(void)upload;
	if (*request_context != &is_seen) {
		*request_context = &is_seen;
		if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
		    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
			return answer_method_not_allowed(connection);
		if (has_body(connection))
			return answer_text(connection, MHD_HTTP_BAD_REQUEST,
					   "A request to this server has no body\n");
		return MHD_YES;
	}
	*upload_size = 0;
	const char *host =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
	if (web->listener.is_loopback && !host_is_local(host))
		return answer_text(
			connection, MHD_HTTP_FORBIDDEN,
			"This server listens on the loopback address and answers to its address, "
			"to localhost and to the name of its machine, so that no foreign page can "
			"read "
			"it under a name of its own. Behind a proxy: let it send one of these as "
			"Host, or listen on another address.\n");
	return route(web, connection, path);
}

static void on_library_message(void *context, const char *format, va_list arguments)
{
	/* Broken requests of clients; nothing that a person must act on. */
	(void)context;
	(void)format;
	(void)arguments;
}

static int start_daemon(struct web *web, struct error *err)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG;
	if (web->listener.is_ipv6)
		flags |= MHD_USE_IPv6;
	web->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, web, MHD_OPTION_EXTERNAL_LOGGER,
		on_library_message, NULL, MHD_OPTION_LISTEN_SOCKET, web->listener.fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_PER_ADDRESS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_END);
	if (web->daemon == NULL) {
		error_set(err, ERROR_FATAL, "start the web server on %s", web->listener.address);
		return -1;
	}
	web->listener.fd = -1; /* the daemon's now */
	return 0;
}

struct web *web_start(const struct web_options *options, struct error *err)
{
	struct web *web = xcalloc(1, sizeof(*web));
	struct store *store = options->store;
	sigset_t all;
	sigset_t before;
	web->listener.fd = -1;
	web->figures = options->figures != NULL ? options->figures : figures_unread();
	web->title = xstrdup(options->title == NULL ? "Websentry" : options->title);

	/* Signals are for the thread that waits for them: ours start with all of them blocked. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	if (listener_open(options->listen, &web->listener, err) < 0)
		goto fail;
	if (store != NULL) {
		struct snapshot_names names;
		snapshot_names_init(&names, options->site_names, options->site_count);
		web->reader = reader_start(store, &names, web->title, web->figures,
					   options->hole_after_us, err);
		store = NULL;
		if (web->reader == NULL)
			goto fail;
	}
	if (start_daemon(web, err) < 0)
		goto fail;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return web;
fail:
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	store_close(store);
	web_stop(web);
	return NULL;
}

const char *web_address(const struct web *web)
{
	return web->listener.address;
}

void web_set_sites(struct web *web, const char *const *names, size_t count)
{
	struct snapshot_names copy;
	if (web->reader == NULL)
		return;
	snapshot_names_init(&copy, names, count);
	reader_set_names(web->reader, &copy);
}

void web_stop(struct web *web)
{
	if (web == NULL)
		return;
	if (web->daemon != NULL)
		MHD_stop_daemon(web->daemon);
	if (web->listener.fd >= 0)
		(void)close(web->listener.fd);
	reader_stop(web->reader);
	free(web->title);
	free(web);
}
