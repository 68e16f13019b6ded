#include "kept.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/x509.h>

#include "base/buffer.h"
#include "base/memory.h"

struct item {
	struct kept kept;
	struct item *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct item *items; /* latest first */

static void note_tls(struct buffer *out, const SSL *ssl)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	(void)buffer_append_format(out, " [tls %s]", SSL_get_version(ssl));
	if (name != NULL)
		(void)buffer_append_format(out, " [name %s]", name);
	const X509 *certificate = SSL_get0_peer_certificate(ssl);
	char owner[64];
	if (certificate != NULL &&
	    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, owner,
				      sizeof(owner)) > 0)
		(void)buffer_append_format(out, " [certificate %s]", owner);
}

void kept_add(struct peer_connection *connection, const char *name)
{
	struct item *item = xcalloc(1, sizeof(*item));
	struct sockaddr_storage client;
	socklen_t size = sizeof(client);
	char address[64] = "";
	struct buffer out;
	buffer_init(&out, sizeof(item->kept.request) - 1);
	if (getpeername(connection->fd, (struct sockaddr *)&client, &size) == 0)
		(void)getnameinfo((const struct sockaddr *)&client, size, address, sizeof(address),
				  NULL, 0, NI_NUMERICHOST);
	(void)buffer_append_format(&out, "[from %s]", address);
	if (connection->ssl != NULL)
		note_tls(&out, connection->ssl);
	(void)buffer_append_text(&out, "\r\n");
	(void)buffer_append(&out, connection->request, connection->request_length);
	(void)snprintf(item->kept.name, sizeof(item->kept.name), "%s", name);
	memcpy(item->kept.request, out.data, out.length);
	item->kept.length = out.length;
	buffer_finish(&out);
	(void)pthread_mutex_lock(&lock);
	item->next = items;
	items = item;
	(void)pthread_mutex_unlock(&lock);
}

void kept_take(struct peer_connection *connection)
{
	char name[64] = "";
	const char *at = strstr(connection->request, "/keep/");
	if (at != NULL)
		(void)sscanf(at, "/keep/%63[^ ?]", name);
	kept_add(connection, name);
	(void)peer_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

const struct kept *kept_find(const char *name)
{
	const struct kept *found = NULL;
	(void)pthread_mutex_lock(&lock);
	for (const struct item *item = items; item != NULL && found == NULL; item = item->next)
		if (strcmp(item->kept.name, name) == 0)
			found = &item->kept;
	(void)pthread_mutex_unlock(&lock);
	return found;
}

void kept_forget(void)
{
	while (items != NULL) {
		struct item *next = items->next;
		free(items);
		items = next;
	}
}
