#include "authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/memory.h"

enum { DAY_S = 24 * 3600 };

struct authority {
	EVP_PKEY *key;
	X509 *certificate;
	char file[64];
	long serial;
};

static void add_extension(X509 *certificate, X509 *issuer, int id, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
	if (extension == NULL || X509_add_ext(certificate, extension, -1) != 1)
		abort();
	X509_EXTENSION_free(extension);
}

static X509 *make_certificate(EVP_PKEY *key, const char *common_name, long serial, int64_t from_s,
			      int64_t to_s)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	(void)X509_set_version(certificate, X509_VERSION_3);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
	(void)X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
	(void)X509_gmtime_adj(X509_getm_notAfter(certificate), to_s);
	(void)X509_set_pubkey(certificate, key);
	(void)X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
					 (const unsigned char *)"Websentry tests", -1, -1, 0);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					 (const unsigned char *)common_name, -1, -1, 0);
	return certificate;
}

struct authority *authority_create(void)
{
	struct authority *authority = xcalloc(1, sizeof(*authority));
	authority->serial = 1;
	authority->key = EVP_EC_gen("P-256");
	authority->certificate = make_certificate(authority->key, "Test authority", 1,
						  -(int64_t)DAY_S, INT64_C(3650) * DAY_S);
	X509 *certificate = authority->certificate;
	(void)X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
	if (X509_sign(certificate, authority->key, EVP_sha256()) == 0)
		abort();
	(void)snprintf(authority->file, sizeof(authority->file), "/tmp/websentry-ca-XXXXXX");
	int fd = mkstemp(authority->file);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (file == NULL || PEM_write_X509(file, certificate) != 1)
		abort();
	(void)fclose(file);
	return authority;
}

void authority_destroy(struct authority *authority)
{
	(void)unlink(authority->file);
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
	free(authority);
}

const char *authority_file(const struct authority *authority)
{
	return authority->file;
}

SSL_CTX *authority_make_context(struct authority *authority, const struct authority_leaf *leaf)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key, "server", ++authority->serial, leaf->valid_from_s,
					     leaf->valid_to_s);
	X509 *issuer = leaf->is_self_signed ? certificate : authority->certificate;
	(void)X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	add_extension(certificate, issuer, NID_subject_alt_name, leaf->name);
	if (X509_sign(certificate, leaf->is_self_signed ? key : authority->key, EVP_sha256()) == 0)
		abort();
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (context == NULL || SSL_CTX_use_certificate(context, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(context, key) != 1)
		abort();
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

static FILE *open_fresh(char path[static AUTHORITY_PATH_MAX])
{
	(void)snprintf(path, AUTHORITY_PATH_MAX, "/tmp/websentry-client-XXXXXX");
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (file == NULL)
		abort();
	return file;
}

void authority_write_client(struct authority *authority, const char *common_name,
			    char cert_file[static AUTHORITY_PATH_MAX],
			    char key_file[static AUTHORITY_PATH_MAX])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key, common_name, ++authority->serial, -(int64_t)DAY_S,
					     INT64_C(30) * DAY_S);
	(void)X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate));
	if (X509_sign(certificate, authority->key, EVP_sha256()) == 0)
		abort();
	FILE *file = open_fresh(cert_file);
	if (PEM_write_X509(file, certificate) != 1 ||
	    PEM_write_X509(file, authority->certificate) != 1)
		abort();
	(void)fclose(file);
	file = open_fresh(key_file);
	if (PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) != 1)
		abort();
	(void)fclose(file);
	X509_free(certificate);
	EVP_PKEY_free(key);
}
