#include "web/answer.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "web/assets.h"
#include "web/metrics.h"
#include "web/reader.h"

enum { ETAG_SIZE = 32 };

static const char content_security_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
	"'self'; "
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const char html[] = "text/html; charset=utf-8";
static const char json[] = "application/json; charset=utf-8";
static const char plain[] = "text/plain; charset=utf-8";
static const char exposition[] = "text/plain; version=0.0.4; charset=utf-8";

static void add(struct MHD_Response *response, const char *name, const char *value)
{
	(void)MHD_add_response_header(response, name, value);
}

/* Takes the response. */
static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status,
				     struct MHD_Response *response, const char *type,
				     const char *cache_control)
{
	if (response == NULL)
		return MHD_NO;
	add(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	add(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache_control);
	add(response, "Content-Security-Policy", content_security_policy);
	add(response, "X-Content-Type-Options", "nosniff");
	add(response, "Referrer-Policy", "no-referrer");
	add(response, "Cross-Origin-Resource-Policy", "same-origin");
	add(response, "Cross-Origin-Opener-Policy", "same-origin");
	add(response, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
	enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static struct MHD_Response *static_response(const void *bytes, size_t length)
{
	/* MHD's signature takes a non-const pointer; with PERSISTENT it only reads. */
	return MHD_create_response_from_buffer(length, (void *)bytes, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *text)
{
	return send_response(connection, status, static_response(text, strlen(text)), plain,
			     "no-store");
}

enum MHD_Result answer_method_not_allowed(struct MHD_Connection *connection)
{
	static const char text[] = "Only GET and HEAD are answered\n";
	struct MHD_Response *response = static_response(text, sizeof(text) - 1);
	if (response != NULL)
		add(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return send_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED, response, plain, "no-store");
}

enum MHD_Result answer_health(struct MHD_Connection *connection)
{
	static const char body[] = "{\"status\":\"ok\",\"version\":\"" WEBSENTRY_VERSION "\"}\n";
	return send_response(connection, MHD_HTTP_OK, static_response(body, sizeof(body) - 1), json,
			     "no-store");
}

/* Takes what the buffer holds. */
static struct MHD_Response *owned_response(struct buffer *body)
{
	size_t length = body->length;
	return MHD_create_response_from_buffer(length, buffer_take(body), MHD_RESPMEM_MUST_FREE);
}

enum MHD_Result answer_ready(struct MHD_Connection *connection, const struct figures *figures)
{
	struct buffer body;
	buffer_init(&body, METRICS_BYTES_MAX);
	unsigned status = metrics_write_readiness(&body, figures) ? MHD_HTTP_OK
								  : MHD_HTTP_SERVICE_UNAVAILABLE;
	return send_response(connection, status, owned_response(&body), json, "no-store");
}

enum MHD_Result answer_metrics(struct MHD_Connection *connection, const struct figures *figures)
{
	struct buffer body;
	buffer_init(&body, METRICS_BYTES_MAX);
	metrics_write(&body, figures);
	return send_response(connection, MHD_HTTP_OK, owned_response(&body), exposition,
			     "no-store");
}

enum MHD_Result answer_asset(struct MHD_Connection *connection, const struct asset *asset)
{
	return send_response(connection, MHD_HTTP_OK, static_response(asset->bytes, asset->length),
			     asset->type, "public, max-age=31536000, immutable");
}

static void release(void *context)
{
	rendering_release(context);
}

/* A part of a rendering, sent without a copy: the response keeps the rendering alive. */
static struct MHD_Response *rendering_response(struct rendering *rendering,
					       const struct buffer *part)
{
	(void)__atomic_add_fetch(&rendering->references, 1, __ATOMIC_RELAXED);
	static char nothing[1];
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
		part->length, part->data == NULL ? nothing : part->data, release, rendering);
	if (response == NULL) {
		rendering_release(rendering);
		return NULL;
	}
	if (rendering->is_ready) {
		char read_at[CLOCK_TEXT_SIZE];
		clock_format(rendering->read_at, read_at);
		add(response, "Websentry-Read-At", read_at);
	}
	if (rendering->is_stale)
		add(response, "Websentry-Stale", "true");
	return response;
}

enum MHD_Result answer_page(struct MHD_Connection *connection, struct rendering *rendering)
{
	return send_response(connection, MHD_HTTP_OK,
			     rendering_response(rendering, &rendering->page), html, "no-store");
}

/* A part that need not be sent again while it says the same. */
static enum MHD_Result answer_cached(struct MHD_Connection *connection, struct rendering *rendering,
				     const struct buffer *part, const char *type)
{
	char etag[ETAG_SIZE];
	(void)snprintf(etag, sizeof(etag), "W/\"%016" PRIx64 "\"", rendering->hash);
	const char *known = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							MHD_HTTP_HEADER_IF_NONE_MATCH);
	bool is_known = known != NULL && strstr(known, etag + 2) != NULL;
	struct MHD_Response *response =
		is_known ? static_response("", 0) : rendering_response(rendering, part);
	if (response != NULL)
		add(response, MHD_HTTP_HEADER_ETAG, etag);
	return send_response(connection, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response,
			     type, "no-cache");
}

enum MHD_Result answer_board(struct MHD_Connection *connection, struct rendering *rendering)
{
	return answer_cached(connection, rendering, &rendering->board, html);
}

enum MHD_Result answer_sites(struct MHD_Connection *connection, struct rendering *rendering)
{
	static const char body[] = "{\"error\":\"the store has not answered yet\"}\n";
	static const char too_many[] = "{\"error\":\"more sites than one answer holds\"}\n";
	if (rendering->sites_json.is_overflowed) /* half an array would be a wrong one */
		return send_response(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
				     static_response(too_many, sizeof(too_many) - 1), json,
				     "no-store");
	if (rendering->is_ready)
		return answer_cached(connection, rendering, &rendering->sites_json, json);
	struct MHD_Response *response = static_response(body, sizeof(body) - 1);
	if (response != NULL)
		add(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	return send_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, response, json, "no-store");
}
