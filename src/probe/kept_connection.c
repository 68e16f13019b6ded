#include "probe/kept_connection.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

struct kept_connection {
	CURLSH *share;
	size_t users;
	struct transfer *user;
	curl_socket_t socket;
	/* Of the last handshake. */
	char ip[ADDRESS_TEXT_MAX]; /* "": none */
	char tls_version[8];
	wall_us cert_not_after;
	wall_us chain_not_after;
	char *cert_issuer;
	bool has_cert_sha256;
	uint8_t cert_sha256[32];
};

struct kept_connection *kept_connection_create(void)
{
	CURLSH *share = curl_share_init();
	if (share == NULL ||
	    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) != CURLSHE_OK) {
		(void)curl_share_cleanup(share);
		return NULL;
	}
	struct kept_connection *kept = xcalloc(1, sizeof(*kept));
	kept->share = share;
	kept->users = 1;
	kept->socket = CURL_SOCKET_BAD;
	return kept;
}

struct kept_connection *kept_connection_take(struct kept_connection *kept)
{
	if (kept != NULL)
		kept->users++;
	return kept;
}

void kept_connection_release(struct kept_connection *kept)
{
	if (kept == NULL || --kept->users > 0)
		return;
	(void)curl_share_cleanup(kept->share);
	free(kept->cert_issuer);
	free(kept);
}

void kept_connection_use(struct kept_connection *kept, struct transfer *transfer)
{
	kept->user = transfer;
}

void kept_connection_let_go(struct kept_connection *kept, const struct transfer *transfer)
{
	if (kept->user == transfer)
		kept->user = NULL;
}

struct transfer *kept_connection_user(const struct kept_connection *kept)
{
	return kept->user;
}

curl_socket_t kept_connection_socket(const struct kept_connection *kept)
{
	return kept->socket;
}

void kept_connection_set_socket(struct kept_connection *kept, curl_socket_t socket)
{
	kept->socket = socket;
}

int kept_connection_close_socket(void *context, curl_socket_t socket)
{
	struct kept_connection *kept = context;
	if (kept->socket == socket)
		kept->socket = CURL_SOCKET_BAD;
	return close(socket);
}

CURLSH *kept_connection_share(const struct kept_connection *kept)
{
	return kept->share;
}

void kept_connection_note(struct kept_connection *kept, const struct observation *observation)
{
	memcpy(kept->ip, observation->final.ip, sizeof(kept->ip));
	memcpy(kept->tls_version, observation->tls_version, sizeof(kept->tls_version));
	kept->cert_not_after = observation->cert_not_after;
	kept->chain_not_after = observation->chain_not_after;
	free(kept->cert_issuer);
	kept->cert_issuer = xstrdup(observation->cert_issuer);
	kept->has_cert_sha256 = observation->has_cert_sha256;
	memcpy(kept->cert_sha256, observation->cert_sha256, sizeof(kept->cert_sha256));
}

void kept_connection_recall(const struct kept_connection *kept, struct observation *observation)
{
	if (strcmp(kept->ip, observation->final.ip) != 0)
		return;
	memcpy(observation->tls_version, kept->tls_version, sizeof(kept->tls_version));
	observation->cert_not_after = kept->cert_not_after;
	observation->chain_not_after = kept->chain_not_after;
	free(observation->cert_issuer);
	observation->cert_issuer = xstrdup(kept->cert_issuer);
	observation->has_cert_sha256 = kept->has_cert_sha256;
	memcpy(observation->cert_sha256, kept->cert_sha256, sizeof(kept->cert_sha256));
}
