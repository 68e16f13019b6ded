#include "probe/kept_connection.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

struct connection {
	char *key; /* as libcurl tells them apart: of which origin, and to which address */
	curl_socket_t socket;
	/* Of its handshake. */
	bool is_noted;
	char tls_version[8];
	wall_us cert_not_after;
	wall_us chain_not_after;
	char *cert_issuer;
	bool has_cert_sha256;
	uint8_t cert_sha256[32];
};

struct kept_connection {
	CURLSH *share;
	struct kept_count *all;
	size_t users;
	struct transfer *user;
	char *key; /* of the user's request; NULL: there was none yet */
	struct connection
		connections[KEPT_CONNECTIONS_MAX]; /* in the order in which they were opened */
	size_t count;
};

struct kept_connection *kept_connection_create(struct kept_count *all)
{
	CURLSH *share = curl_share_init();
	if (share == NULL ||
	    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) != CURLSHE_OK) {
		(void)curl_share_cleanup(share);
		return NULL;
	}
	struct kept_connection *kept = xcalloc(1, sizeof(*kept));
	kept->share = share;
	kept->all = all;
	kept->users = 1;
	return kept;
}

struct kept_connection *kept_connection_take(struct kept_connection *kept)
{
	if (kept != NULL)
		kept->users++;
	return kept;
}

static void remove_at(struct kept_connection *kept, size_t index)
{
	struct connection *connection = &kept->connections[index];
	free(connection->key);
	free(connection->cert_issuer);
	kept->count--;
	kept->all->open--;
	memmove(connection, connection + 1, (kept->count - index) * sizeof(*connection));
}

void kept_connection_release(struct kept_connection *kept)
{
	if (kept == NULL || --kept->users > 0)
		return;
	(void)curl_share_cleanup(kept->share);
	while (kept->count > 0)
		remove_at(kept, kept->count - 1);
	free(kept->key);
	free(kept);
}

/* The socket is libcurl's, which closes what it finds dead. */
static void give_up_at(struct kept_connection *kept, size_t index)
{
	(void)shutdown(kept->connections[index].socket, SHUT_RDWR);
	remove_at(kept, index);
}

static bool has_unread(curl_socket_t socket)
{
	char byte;
	return recv(socket, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void give_up_spoilt(struct kept_connection *kept)
{
	for (size_t i = kept->count; i-- > 0;)
		if (has_unread(kept->connections[i].socket))
			give_up_at(kept, i);
}

/* "192.0.2.1 https://example.com:8443" */
static char *make_key(const char *url, const char *address)
{
	const char *host = strstr(url, "//");
	host = host == NULL ? url : host + 2;
	size_t length = (size_t)(host - url) + strcspn(host, "/?#");
	return xasprintf("%s %.*s", address, (int)length, url);
}

void kept_connection_use(struct kept_connection *kept, struct transfer *transfer, const char *url,
			 const char *address)
{
	kept->user = transfer;
	free(kept->key);
	kept->key = make_key(url, address);
	give_up_spoilt(kept);
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

/* The latest for the user's request; NULL: there is none. */
static const struct connection *find(const struct kept_connection *kept)
{
	for (size_t i = kept->count; i-- > 0;)
		if (kept->key != NULL && strcmp(kept->connections[i].key, kept->key) == 0)
			return &kept->connections[i];
	return NULL;
}

static struct connection *find_writable(struct kept_connection *kept)
{
	const struct connection *found = find(kept);
	return found == NULL ? NULL : &kept->connections[found - kept->connections];
}

curl_socket_t kept_connection_socket(const struct kept_connection *kept)
{
	const struct connection *connection = find(kept);
	return connection == NULL ? CURL_SOCKET_BAD : connection->socket;
}

bool kept_connection_holds(const struct kept_connection *kept, curl_socket_t socket)
{
	for (size_t i = 0; i < kept->count; i++)
		if (kept->connections[i].socket == socket)
			return true;
	return false;
}

bool kept_connection_add_socket(struct kept_connection *kept, curl_socket_t socket)
{
	if (socket == CURL_SOCKET_BAD || kept->key == NULL)
		return true; /* nothing to keep */
	if (kept->count == KEPT_CONNECTIONS_MAX)
		give_up_at(kept, 0);
	if (kept->all->open >= kept->all->max)
		return false;
	kept->all->open++;
	kept->connections[kept->count++] =
		(struct connection){.key = xstrdup(kept->key), .socket = socket};
	return true;
}

void kept_connection_give_up(struct kept_connection *kept)
{
	const struct connection *connection = find(kept);
	if (connection != NULL)
		give_up_at(kept, (size_t)(connection - kept->connections));
}

int kept_connection_close_socket(void *context, curl_socket_t socket)
{
	struct kept_connection *kept = context;
	for (size_t i = kept->count; i-- > 0;)
		if (kept->connections[i].socket == socket)
			remove_at(kept, i);
	return close(socket);
}

CURLSH *kept_connection_share(const struct kept_connection *kept)
{
	return kept->share;
}

void kept_connection_note(struct kept_connection *kept, const struct observation *observation)
{
	struct connection *connection = find_writable(kept);
	if (connection == NULL)
		return; /* closed already */
	connection->is_noted = true;
	memcpy(connection->tls_version, observation->tls_version, sizeof(connection->tls_version));
	connection->cert_not_after = observation->cert_not_after;
	connection->chain_not_after = observation->chain_not_after;
	free(connection->cert_issuer);
	connection->cert_issuer = xstrdup(observation->cert_issuer);
	connection->has_cert_sha256 = observation->has_cert_sha256;
	memcpy(connection->cert_sha256, observation->cert_sha256, sizeof(connection->cert_sha256));
}

void kept_connection_recall(const struct kept_connection *kept, struct observation *observation)
{
	const struct connection *connection = find(kept);
	if (connection == NULL || !connection->is_noted)
		return;
	memcpy(observation->tls_version, connection->tls_version, sizeof(connection->tls_version));
	observation->cert_not_after = connection->cert_not_after;
	observation->chain_not_after = connection->chain_not_after;
	free(observation->cert_issuer);
	observation->cert_issuer = xstrdup(connection->cert_issuer);
	observation->has_cert_sha256 = connection->has_cert_sha256;
	memcpy(observation->cert_sha256, connection->cert_sha256, sizeof(connection->cert_sha256));
}
