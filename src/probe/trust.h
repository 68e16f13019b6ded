/*
 * Which authorities a site's certificate is checked against: the system's bundle, or a site's own CA file. Files are read
 * once; reading the system's for each connection would cost 20 ms a check. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_TRUST_H
#define WEBSENTRY_PROBE_TRUST_H

#include <openssl/ssl.h>

#include "base/error.h"

struct trust;

struct trust *trust_create(void);
void trust_destroy(struct trust *trust);

/* The system's bundle, for CURLOPT_CAINFO: $SSL_CERT_FILE, else libcurl's own default. The trust owns it; NULL for none. */
const char *trust_system_file(const struct trust *trust);

/*
 * Have context trust the authorities in the PEM file path, and nobody else. Returns 0, or -1 with err where the file can't
 * be read (it is tried again next time).
 */
int trust_use_file(struct trust *trust, SSL_CTX *context, const char *path, struct error *err);

#endif
