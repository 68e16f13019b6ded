#include "probe/response_note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/heads.h"
#include "check/limits.h"
#include "check/observation.h"
#include "check/request.h"
#include "check/secrets.h"
#include "check/site.h"
#include "check/url.h"
#include "probe/check_run.h"
#include "probe/head_fields.h"
#include "probe/kept_connection.h"
#include "probe/transfer.h"
#include "probe/transfer_heads.h"

void response_note(struct observation *observation, struct transfer *transfer,
		   struct kept_connection *kept)
{
	struct certificate *certificate = &transfer->certificate;
	if (transfer->started_at == 0)
		return;
	observation->final.heads =
		heads_join(observation->final.heads, transfer_heads_take(transfer));
	observation->final.http_status_code = transfer_status(transfer);
	if (observation->final.http_status_code != 0) {
		observation->final.http_version = transfer_http_version(transfer);
		observation->body_bytes = transfer_body_bytes(transfer);
		observation->decoded_bytes = transfer->decoded_bytes;
	}
	memcpy(observation->tls_version, certificate->tls_version,
	       sizeof(observation->tls_version));
	observation->cert_not_after = certificate->not_after;
	observation->chain_not_after = certificate->chain_not_after;
	free(observation->cert_issuer);
	observation->cert_issuer = certificate->issuer;
	certificate->issuer = NULL;
	observation->has_cert_sha256 = certificate->has_sha256;
	memcpy(observation->cert_sha256, certificate->sha256, sizeof(observation->cert_sha256));
	if (kept == NULL || observation->final.http_status_code == 0)
		return;
	if (transfer_is_reused(transfer)) {
		observation->is_keepalive = true;
		kept_connection_recall(kept, observation);
	} else {
		kept_connection_note(kept, observation);
	}
}

bool response_is_as_asked(const struct observation *observation, const struct site *site,
			  char text[static RESPONSE_TEXT_MAX])
{
	enum http_version version = observation->final.http_version;
	if (request_of(site)->http != REQUEST_HTTP_2 || version == HTTP_VERSION_2)
		return true;
	const char *name = http_version_name(version);
	(void)snprintf(text, RESPONSE_TEXT_MAX, "asked for HTTP/2, answered by HTTP/%s",
		       name == NULL ? "?" : name);
	return false;
}

void response_note_raw(struct observation *observation, const struct transfer *transfer,
		       const char *cookies)
{
	observation->raw = (struct raw_response){
		.head = transfer->head_text.data,
		.head_length = transfer->head_text.length,
		.body = transfer->body.data,
		.body_length = transfer->body.length,
		.cookies = cookies,
	};
	if (observation->raw.head_length > 0 &&
	    limit_is_set(&limits_of(transfer->site)->document_age))
		observation->document_age_us =
			head_fields_age_us(&observation->raw, clock_wall_us());
}

/* What was noted of a response that another one follows. */
static void forget(struct observation *observation)
{
	observation->body_bytes = -1;
	observation->decoded_bytes = -1;
	observation->tls_version[0] = '\0';
	observation->cert_not_after = TIME_UNKNOWN;
	observation->chain_not_after = TIME_UNKNOWN;
	free(observation->cert_issuer);
	observation->cert_issuer = NULL;
	observation->has_cert_sha256 = false;
}

void response_note_start(struct observation *observation, const struct check_start *start,
			 wall_us checked_at)
{
	observation->late_us = start->late_us + (start->pin != NULL ? start->pin->waited_us : 0);
	observation->started_at = checked_at;
	observation->scheduled_at = checked_at - start->late_us;
	observation->missed = start->missed;
	observation->final.url = xstrdup(start->site->redacted_url);
	if (start->pin != NULL) /* also where it may not be connected to */
		(void)snprintf(observation->final.ip, sizeof(observation->final.ip), "%s",
			       start->pin->address);
}

static void hide(char **text, const struct site *site, const char *cookies, size_t max)
{
	if (*text == NULL)
		return;
	char *safe = secrets_hide_value(site, cookies, NULL, *text, strlen(*text), max);
	free(*text);
	*text = safe;
}

void response_hide_secrets(struct observation *observation, const struct site *site)
{
	if (observation->message == NULL && observation->redirect_count == 0 &&
	    observation->cert_issuer == NULL)
		return;
	const char *cookies = observation->raw.cookies;
	struct secrets *secrets = secrets_create_with(site, cookies);
	bool has_any = secrets != NULL;
	secrets_destroy(secrets);
	if (!has_any)
		return;
	hide(&observation->message, site, cookies, OBSERVATION_MESSAGE_MAX);
	hide(&observation->cert_issuer, site, cookies, OBSERVATION_ISSUER_MAX);
	/* The first hop's URL is the site's own. */
	for (size_t i = 1; i < observation->redirect_count; i++)
		hide(&observation->redirects[i].url, site, cookies, URL_REDACTED_MAX);
	if (observation->redirect_count > 0)
		hide(&observation->final.url, site, cookies, URL_REDACTED_MAX);
}

void response_note_redirect(struct observation *observation, const char *url)
{
	observation->redirects =
		xreallocarray(observation->redirects, observation->redirect_count + 1,
			      sizeof(observation->redirects[0]));
	observation->redirects[observation->redirect_count++] = observation->final;
	hop_init(&observation->final);
	forget(observation);
	observation->final.url = url_redact(url);
}
