/* Certificates for the prober's tests: an authority of their own, and servers' TLS contexts signed by it. */
#ifndef WEBSENTRY_TESTS_PROBE_AUTHORITY_H
#define WEBSENTRY_TESTS_PROBE_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

struct authority;

struct authority *authority_create(void);
void authority_destroy(struct authority *authority);
/* Its certificate as a PEM file, removed with the authority. */
const char *authority_file(const struct authority *authority);

struct authority_leaf {
	const char *name;     /* "DNS:localhost,IP:127.0.0.1" */
	int64_t valid_from_s; /* seconds from now */
	int64_t valid_to_s;
	bool is_self_signed;
};

/* A server's context with a fresh certificate; to be freed with SSL_CTX_free(). */
SSL_CTX *authority_make_context(struct authority *authority, const struct authority_leaf *leaf);

enum { AUTHORITY_PATH_MAX = 64 };

/* A client's fresh certificate and key as PEM files, to be removed by the caller. */
void authority_write_client(struct authority *authority, const char *common_name,
			    char cert_file[static AUTHORITY_PATH_MAX],
			    char key_file[static AUTHORITY_PATH_MAX]);

#endif
