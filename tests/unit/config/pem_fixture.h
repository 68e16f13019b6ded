/* Certificates for files that settings name. */
#ifndef WEBSENTRY_TESTS_CONFIG_PEM_FIXTURE_H
#define WEBSENTRY_TESTS_CONFIG_PEM_FIXTURE_H

#include <openssl/x509.h>

/* Signed by the key itself; the caller's. */
X509 *pem_fixture_certificate(EVP_PKEY *key);

/* A fresh certificate and its key as files; key_file may be NULL. */
void pem_fixture_write(const char *cert_file, const char *key_file);

#endif
