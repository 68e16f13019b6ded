#include "config/cipher_names.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct cipher_names {
	bool is_filled;
	size_t count;
	const char **names; /* OpenSSL's own, static */
	enum cipher_kind *kinds;
};

struct cipher_names *cipher_names_create(void)
{
	return xcalloc(1, sizeof(struct cipher_names));
}

void cipher_names_destroy(struct cipher_names *names)
{
	if (names == NULL)
		return;
	free(names->names);
	free(names->kinds);
	free(names);
}

static enum cipher_kind kind_of(const SSL_CIPHER *cipher)
{
	int key = SSL_CIPHER_get_kx_nid(cipher);
	int identity = SSL_CIPHER_get_auth_nid(cipher);
	if (key == NID_kx_any)
		return CIPHER_SUITE;
	bool is_offered = (key == NID_kx_rsa || key == NID_kx_ecdhe) &&
			  (identity == NID_auth_rsa || identity == NID_auth_ecdsa);
	return is_offered ? CIPHER_LIST : CIPHER_UNKNOWN;
}

static void add_all(struct cipher_names *names, const STACK_OF(SSL_CIPHER) * ciphers)
{
	int count = sk_SSL_CIPHER_num(ciphers);
	for (int i = 0; i < count; i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
		if (kind_of(cipher) == CIPHER_UNKNOWN)
			continue;
		names->names =
			xreallocarray(names->names, names->count + 1, sizeof(names->names[0]));
		names->kinds =
			xreallocarray(names->kinds, names->count + 1, sizeof(names->kinds[0]));
		names->names[names->count] = SSL_CIPHER_get_name(cipher);
		names->kinds[names->count++] = kind_of(cipher);
	}
}

/* All that there are, weak ones too, but for what the system's own level of security refuses in any case. */
static void fill(struct cipher_names *names)
{
	names->is_filled = true;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (context == NULL)
		abort(); /* out of memory, as in xmalloc() */
	(void)SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	(void)SSL_CTX_set_cipher_list(context, "ALL");
	(void)SSL_CTX_set_ciphersuites(
		context,
		"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"
		"TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256");
	SSL *ssl = SSL_new(context);
	STACK_OF(SSL_CIPHER) *ciphers = ssl != NULL ? SSL_get1_supported_ciphers(ssl) : NULL;
	if (ciphers != NULL)
		add_all(names, ciphers);
	sk_SSL_CIPHER_free(ciphers);
	SSL_free(ssl);
	SSL_CTX_free(context);
	ERR_clear_error();
}

enum cipher_kind cipher_names_find(struct cipher_names *names, const char *name)
{
	if (!names->is_filled)
		fill(names);
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->names[i], name) == 0)
			return names->kinds[i];
	return CIPHER_UNKNOWN;
}

const char *cipher_names_nearest(struct cipher_names *names, const char *name)
{
	if (!names->is_filled)
		fill(names);
	return text_nearest(name, names->names, names->count);
}
