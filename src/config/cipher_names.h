/*
 * The ciphers of TLS that a site may name: those that OpenSSL would agree upon here and the prober would offer, so none over finite fields,
 * without encryption, or of keys that both sides know before. Asked for once, when the first name is looked up. Main thread.
 */
#ifndef WEBSENTRY_CONFIG_CIPHER_NAMES_H
#define WEBSENTRY_CONFIG_CIPHER_NAMES_H

#include <stddef.h>

struct cipher_names;

struct cipher_names *cipher_names_create(void);
void cipher_names_destroy(struct cipher_names *names); /* accepts NULL */

enum cipher_kind {
	CIPHER_UNKNOWN,
	CIPHER_LIST,  /* of TLS 1.2 and before */
	CIPHER_SUITE, /* of TLS 1.3 */
};

/* OpenSSL's own name, as it writes it. */
enum cipher_kind cipher_names_find(struct cipher_names *names, const char *name);
/* The one that may have been meant; NULL: none is near. */
const char *cipher_names_nearest(struct cipher_names *names, const char *name);

#endif
