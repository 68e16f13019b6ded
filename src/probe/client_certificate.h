/*
 * Certificates by which we say who we are, for sites that ask. Files are read once, and again when they have changed. One thread: the
 * loop's.
 */
#ifndef WEBSENTRY_PROBE_CLIENT_CERTIFICATE_H
#define WEBSENTRY_PROBE_CLIENT_CERTIFICATE_H

#include <openssl/ssl.h>

#include "base/error.h"

struct client_certificates;

struct client_certificates *client_certificates_create(void);
void client_certificates_destroy(struct client_certificates *certificates); /* accepts NULL */

/*
 * Have context show the certificate in cert_file (PEM, with those up to its authority behind it) with the key in key_file, which must
 * not be encrypted. Returns 0, or -1 with err where they can't be used (it is tried again next time).
 */
int client_certificates_use(struct client_certificates *certificates, SSL_CTX *context,
			    const char *cert_file, const char *key_file, struct error *err);

#endif
