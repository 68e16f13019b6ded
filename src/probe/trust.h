/*
 * Which authorities a site's certificate is checked against: the system's bundle, or a site's own CA file. A file is
 * read once, and again when it has changed: libcurl would read it for each connection (20 ms a check) or, with its own cache,
 * keep one file only. One thread at a time: prober_start()'s, then the loop's.
 */
#ifndef WEBSENTRY_PROBE_TRUST_H
#define WEBSENTRY_PROBE_TRUST_H

#include <openssl/ssl.h>

#include "base/error.h"

struct trust;

struct trust *trust_create(void);
void trust_destroy(struct trust *trust);

/* Read the system's bundle now, so that no check waits for it. What is wrong with it is said by trust_use(). */
void trust_load_system(struct trust *trust);

/*
 * Have context trust the authorities in the PEM file path, and nobody else; NULL for the system's bundle ($SSL_CERT_FILE,
 * else libcurl's own default). Returns 0, or -1 with err where the file can't be read (it is tried again next time).
 */
int trust_use(struct trust *trust, SSL_CTX *context, const char *path, struct error *err);

#endif
