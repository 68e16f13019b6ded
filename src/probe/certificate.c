#include "probe/certificate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/observation.h"

static pthread_once_t index_once = PTHREAD_ONCE_INIT;
static int context_index; /* of SSL_CTX's application data */

static void make_index(void)
{
	context_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

void certificate_init(struct certificate *certificate)
{
	*certificate = (struct certificate){
		.not_after = TIME_UNKNOWN,
		.chain_not_after = TIME_UNKNOWN,
		.verify_error = X509_V_OK,
	};
}

void certificate_finish(struct certificate *certificate)
{
	free(certificate->issuer);
	certificate_init(certificate);
}

static wall_us end_of(const X509 *x509)
{
	struct tm parts;
	if (ASN1_TIME_to_tm(X509_get0_notAfter(x509), &parts) != 1)
		return TIME_UNKNOWN;
	return (wall_us)timegm(&parts) * CLOCK_US_PER_S;
}

/* The issuer as people know it: "CN, O", of what is there. */
static char *issuer_of(const X509 *x509)
{
	X509_NAME *name = X509_get_issuer_name(x509);
	static const int parts[] = {NID_commonName, NID_organizationName};
	char text[2 * OBSERVATION_ISSUER_MAX];
	size_t length = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int at = X509_NAME_get_index_by_NID(name, parts[i], -1);
		if (at < 0)
			continue;
		unsigned char *utf8 = NULL;
		int bytes = ASN1_STRING_to_UTF8(
			&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
		if (bytes > 0) {
			size_t room = sizeof(text) - length;
			if (length > 0 && room > 2) {
				text[length++] = ',';
				text[length++] = ' ';
				room -= 2;
			}
			size_t take = (size_t)bytes < room ? (size_t)bytes : room;
			memcpy(text + length, utf8, take);
			length += take;
		}
		if (bytes >= 0)
			OPENSSL_free(utf8);
	}
	return length == 0 ? NULL : text_clean_copy(text, length, OBSERVATION_ISSUER_MAX);
}

static const char *version_name(const SSL *ssl)
{
	switch (SSL_version(ssl)) {
	case TLS1_3_VERSION:
		return "1.3";
	case TLS1_2_VERSION:
		return "1.2";
	case TLS1_1_VERSION:
		return "1.1";
	case TLS1_VERSION:
		return "1.0";
	default:
		return "";
	}
}

/*
 * OpenSSL calls this for each certificate of the chain, the leaf (depth 0) last, and for each error. The chain is complete
 * when the leaf is reached, and as far as it could be built when there is an error.
 */
static int on_verify(int is_fine, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct certificate *certificate =
		ssl == NULL ? NULL : SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index);
	if (certificate == NULL)
		return is_fine;
	if (is_fine == 0 && certificate->verify_error == X509_V_OK) {
		certificate->verify_error = X509_STORE_CTX_get_error(store);
		certificate->verify_depth = X509_STORE_CTX_get_error_depth(store);
	}
	if (is_fine != 0 && X509_STORE_CTX_get_error_depth(store) != 0)
		return is_fine;

	(void)snprintf(certificate->tls_version, sizeof(certificate->tls_version), "%s",
		       version_name(ssl));
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	if (leaf != NULL && certificate->wants_sha256)
		certificate->has_sha256 =
			X509_digest(leaf, EVP_sha256(), certificate->sha256, NULL) == 1;
	if (leaf != NULL && certificate->issuer == NULL) {
		certificate->issuer = issuer_of(leaf);
		certificate->not_after = end_of(leaf);
	}
	certificate->chain_not_after = certificate->not_after;
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);
	for (int i = 0; i < sk_X509_num(chain); i++) {
		wall_us end = end_of(sk_X509_value(chain, i));
		if (end != TIME_UNKNOWN && end < certificate->chain_not_after)
			certificate->chain_not_after = end;
	}
	return is_fine;
}

int certificate_watch(SSL_CTX *context, struct certificate *certificate)
{
	(void)pthread_once(&index_once, make_index);
	if (SSL_CTX_set_ex_data(context, context_index, certificate) != 1)
		return -1;
	SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), on_verify);
	return 0;
}
