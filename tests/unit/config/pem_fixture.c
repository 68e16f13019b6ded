#include "pem_fixture.h"

#include "fixture.h"

#include <stdio.h>

#include <openssl/ec.h>
#include <openssl/pem.h>

X509 *pem_fixture_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	assert_non_null(certificate);
	(void)X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	(void)X509_set_pubkey(certificate, key);
	(void)X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
					 (const unsigned char *)"test", -1, -1, 0);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

void pem_fixture_write(const char *cert_file, const char *key_file)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = pem_fixture_certificate(key);
	FILE *out = fopen(cert_file, "w");
	assert_non_null(out);
	assert_int_equal(PEM_write_X509(out, certificate), 1);
	assert_int_equal(fclose(out), 0);
	if (key_file != NULL) {
		out = fopen(key_file, "w");
		assert_non_null(out);
		assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
		assert_int_equal(fclose(out), 0);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
}
