/*
 * What the server's certificate says, noted while OpenSSL verifies it: also when it is refused, and without a second look at
 * the connection. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_CERTIFICATE_H
#define WEBSENTRY_PROBE_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct certificate {
	wall_us not_after;       /* TIME_UNKNOWN where none was seen */
	wall_us chain_not_after; /* the earliest end in the chain, its root included */
	char *issuer;            /* safe text; NULL not known */
	char tls_version[8];     /* "1.3"; "" not known */
	bool wants_sha256;       /* set before the handshake: fill the two below */
	bool has_sha256;
	uint8_t sha256[32];
	int verify_error; /* X509_V_ERR_…; X509_V_OK where nothing was found wrong */
	int verify_depth; /* of which certificate: 0 is the leaf */
};

void certificate_init(struct certificate *certificate);
void certificate_finish(struct certificate *certificate);

/*
 * Have context's one handshake fill certificate, which must outlive it. Verification itself stays as it was set. Returns 0,
 * or -1 where OpenSSL has no memory.
 */
int certificate_watch(SSL_CTX *context, struct certificate *certificate);

#endif
