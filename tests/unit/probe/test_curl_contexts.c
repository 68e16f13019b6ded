/* A context that libcurl gives back is its next one, and is like a new one in all that a connection could notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

#include "probe/curl_contexts.h"

enum { KEPT_MAX = 64, HELLO_MAX = 4096 };

static struct curl_contexts *contexts;

static int set_up(void **state)
{
	(void)state;
	contexts = curl_contexts_create();
	curl_contexts_bind(contexts);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	curl_contexts_unbind();
	curl_contexts_destroy(contexts);
	return 0;
}

static SSL_CTX *make(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	assert_non_null(context);
	return context;
}

static void what_is_given_back_is_the_next_one(void **state)
{
	(void)state;
	SSL_CTX *first = make();
	SSL_CTX *second = make();
	assert_ptr_not_equal(first, second);
	SSL_CTX_free(first);
	assert_ptr_equal(make(), first);
	SSL_CTX_free(second);
	SSL_CTX_free(first);
}

/* Whoever frees a connection frees what it holds of its context, too: that gives nothing back. */
static void one_that_is_in_use_is_nobody_elses(void **state)
{
	(void)state;
	SSL_CTX *context = make();
	SSL *ssl = SSL_new(context);
	SSL_free(ssl);
	SSL_CTX *other = make();
	assert_ptr_not_equal(other, context);
	SSL_CTX_free(other);
	SSL_CTX_free(context);
}

static void only_within_libcurl(void **state)
{
	(void)state;
	SSL_CTX *context = make();
	curl_contexts_unbind();
	SSL_CTX *other = make();
	SSL_CTX_free(other);
	curl_contexts_bind(contexts);
	SSL_CTX_free(context);
	curl_contexts_unbind();
	other = make();
	assert_ptr_not_equal(other, context);
	SSL_CTX_free(other);
	curl_contexts_bind(contexts);
}

static void *use_elsewhere(void *known)
{
	SSL_CTX *context = make();
	void *is_other = context != known ? known : NULL;
	SSL_CTX_free(context);
	return is_other;
}

static void only_on_its_thread(void **state)
{
	(void)state;
	SSL_CTX *context = make();
	SSL_CTX_free(context);
	pthread_t thread;
	void *is_other = NULL;
	assert_int_equal(pthread_create(&thread, NULL, use_elsewhere, context), 0);
	assert_int_equal(pthread_join(thread, &is_other), 0);
	assert_non_null(is_other);
}

static void of_another_method_is_made_anew(void **state)
{
	(void)state;
	SSL_CTX *context = make();
	SSL_CTX_free(context);
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	assert_non_null(server);
	assert_ptr_not_equal(server, context);
	SSL_CTX_free(server);
	assert_ptr_equal(make(), context);
	SSL_CTX_free(context);
}

static void no_more_than_so_many_are_kept(void **state)
{
	(void)state;
	SSL_CTX *made[KEPT_MAX + 8];
	for (size_t i = 0; i < KEPT_MAX + 8; i++)
		made[i] = make();
	for (size_t i = 0; i < KEPT_MAX + 8; i++)
		SSL_CTX_free(made[i]);
	SSL_CTX *again[KEPT_MAX];
	for (size_t i = 0; i < KEPT_MAX; i++) {
		again[i] = make();
		assert_ptr_equal(again[i], made[KEPT_MAX - 1 - i]);
	}
	for (size_t i = 0; i < KEPT_MAX; i++)
		SSL_CTX_free(again[i]);
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	assert_int_equal(X509_set_version(certificate, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static void one_with_a_key_of_the_clients_is_not_kept(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key);
	for (int with_key = 0; with_key < 2; with_key++) {
		SSL_CTX *context = make();
		if (with_key == 1)
			assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
		else
			assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
		SSL_CTX_free(context);
		context = make();
		assert_null(SSL_CTX_get0_certificate(context));
		assert_null(SSL_CTX_get0_privatekey(context));
		SSL_CTX_free(context);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static int refuse(int is_fine, X509_STORE_CTX *store)
{
	(void)is_fine;
	(void)store;
	return 0;
}

static int take_all(const SSL *ssl, const SSL_CTX *context, int operation, int bits, int id,
		    void *other, void *data)
{
	(void)ssl;
	(void)context;
	(void)operation;
	(void)bits;
	(void)id;
	(void)other;
	(void)data;
	return 1;
}

static void on_message(int is_sent, int version, int content, const void *bytes, size_t length,
		       SSL *ssl, void *context)
{
	(void)is_sent;
	(void)version;
	(void)content;
	(void)bytes;
	(void)length;
	(void)ssl;
	(*(int *)context)++;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	(void)session;
	return 0;
}

static void on_key(const SSL *ssl, const char *line)
{
	(void)ssl;
	(void)line;
}

/* All that libcurl sets on any of its ways, and the program in libcurl's callback. */
static void change_all(SSL_CTX *context, int *messages)
{
	static const unsigned char http2[] = {2, 'h', '2'};
	(void)SSL_CTX_set_options(context, SSL_OP_ALL | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
						   SSL_OP_NO_TLSv1_3 | SSL_OP_NO_RENEGOTIATION |
						   SSL_OP_NO_SSLv3);
	(void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	assert_int_equal(SSL_CTX_set_min_proto_version(context, TLS1_VERSION), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION), 1);
	assert_int_equal(SSL_CTX_set_alpn_protos(context, http2, sizeof(http2)), 0);
	SSL_CTX_set_post_handshake_auth(context, 1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, refuse);
	SSL_CTX_set_verify_depth(context, 2);
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_security_callback(context, take_all);
	SSL_CTX_set_keylog_callback(context, on_key);
	(void)SSL_CTX_set_session_cache_mode(context,
					     SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, on_session);
	SSL_CTX_set_msg_callback(context, on_message);
	SSL_CTX_set_msg_callback_arg(context, messages);
	X509_STORE *authorities = X509_STORE_new();
	(void)X509_STORE_set_flags(authorities, X509_V_FLAG_PARTIAL_CHAIN);
	SSL_CTX_set_cert_store(context, authorities);
}

struct hello {
	size_t length;
	unsigned char bytes[HELLO_MAX];
};

/* What a connection says first, without what is drawn by lot: its random bytes, its session's name and its share of a key. */
static struct hello greet(SSL_CTX *context)
{
	SSL *ssl = SSL_new(context);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(ssl);
	assert_int_equal(SSL_do_handshake(ssl), -1);
	assert_int_equal(SSL_get_error(ssl, -1), SSL_ERROR_WANT_READ);
	struct hello hello = {0};
	int length = BIO_read(SSL_get_wbio(ssl), hello.bytes, HELLO_MAX);
	assert_in_range(length, 100, HELLO_MAX - 1);
	hello.length = (size_t)length;
	SSL_free(ssl);
	enum { RECORD = 5, MESSAGE = 4, VERSION = 2, RANDOM = 32, SHARE = 32 };
	unsigned char *random = hello.bytes + RECORD + MESSAGE + VERSION;
	memset(random, 0, RANDOM);
	memset(random + RANDOM + 1, 0, random[RANDOM]);
	unsigned char *end = hello.bytes + hello.length;
	static const unsigned char share[] = {0x00, 0x33, 0x00, 0x26, 0x00,
					      0x24, 0x00, 0x1d, 0x00, SHARE};
	unsigned char *found = memmem(hello.bytes, hello.length, share, sizeof(share));
	if (found != NULL && found + sizeof(share) + SHARE <= end)
		memset(found + sizeof(share), 0, SHARE);
	return hello;
}

static void assert_same_settings(SSL_CTX *context, SSL_CTX *fresh)
{
	assert_int_equal(SSL_CTX_get_options(context), SSL_CTX_get_options(fresh));
	assert_int_equal(SSL_CTX_get_mode(context), SSL_CTX_get_mode(fresh));
	assert_int_equal(SSL_CTX_get_min_proto_version(context),
			 SSL_CTX_get_min_proto_version(fresh));
	assert_int_equal(SSL_CTX_get_max_proto_version(context),
			 SSL_CTX_get_max_proto_version(fresh));
	assert_int_equal(SSL_CTX_get_verify_mode(context), SSL_CTX_get_verify_mode(fresh));
	assert_int_equal(SSL_CTX_get_verify_depth(context), SSL_CTX_get_verify_depth(fresh));
	assert_true(SSL_CTX_get_verify_callback(context) == SSL_CTX_get_verify_callback(fresh));
	assert_int_equal(SSL_CTX_get_security_level(context), SSL_CTX_get_security_level(fresh));
	assert_true(SSL_CTX_get_security_callback(context) == SSL_CTX_get_security_callback(fresh));
	assert_true(SSL_CTX_get_keylog_callback(context) == SSL_CTX_get_keylog_callback(fresh));
	assert_int_equal(SSL_CTX_get_session_cache_mode(context),
			 SSL_CTX_get_session_cache_mode(fresh));
	assert_true(SSL_CTX_sess_get_new_cb(context) == SSL_CTX_sess_get_new_cb(fresh));
	assert_int_equal(
		X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(SSL_CTX_get_cert_store(context))),
		X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(SSL_CTX_get_cert_store(fresh))));
}

static void one_that_was_used_is_as_new(void **state)
{
	(void)state;
	int messages = 0;
	SSL_CTX *context = make();
	change_all(context, &messages);
	(void)greet(context);
	assert_true(messages > 0);
	SSL_CTX_free(context);
	assert_ptr_equal(make(), context);
	SSL_CTX *fresh = make();
	assert_ptr_not_equal(fresh, context);

	assert_same_settings(context, fresh);
	messages = 0;
	struct hello hello = greet(context);
	struct hello wanted = greet(fresh);
	assert_int_equal(hello.length, wanted.length);
	assert_memory_equal(hello.bytes, wanted.bytes, wanted.length);
	assert_int_equal(messages, 0);
	SSL_CTX_free(fresh);
	SSL_CTX_free(context);
}

/* A check that names its ciphers, and the next ones: none of theirs is known by another way than OpenSSL's own. */
static void one_with_other_ciphers_is_not_kept(void **state)
{
	(void)state;
	SSL_CTX *fresh = make();
	struct hello wanted = greet(fresh);
	for (int with_suites = 0; with_suites < 2; with_suites++) {
		SSL_CTX *context = make();
		if (with_suites == 1)
			assert_int_equal(
				SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256"), 1);
		else
			assert_int_equal(SSL_CTX_set_cipher_list(context, "AES128-SHA"), 1);
		SSL_CTX_free(context);
		context = make();
		struct hello hello = greet(context);
		assert_int_equal(hello.length, wanted.length);
		assert_memory_equal(hello.bytes, wanted.bytes, wanted.length);
		SSL_CTX_free(context);
	}
	SSL_CTX_free(fresh);
}

static void its_authorities_go_with_the_connection(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key);
	SSL_CTX *context = make();
	assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate), 1);
	SSL_CTX_free(context);
	assert_ptr_equal(make(), context);
	assert_int_equal(
		sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context))), 0);
	SSL_CTX_free(context);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_given_back_is_the_next_one),
		CASE(one_that_is_in_use_is_nobody_elses),
		CASE(only_within_libcurl),
		CASE(only_on_its_thread),
		CASE(of_another_method_is_made_anew),
		CASE(no_more_than_so_many_are_kept),
		CASE(one_with_a_key_of_the_clients_is_not_kept),
		CASE(one_that_was_used_is_as_new),
		CASE(one_with_other_ciphers_is_not_kept),
		CASE(its_authorities_go_with_the_connection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
