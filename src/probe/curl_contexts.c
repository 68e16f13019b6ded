#include "probe/curl_contexts.h"

#include <assert.h>
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"

enum {
	KEPT_MAX = 64, /* of 14 KiB each: those of so many connections at a time */
};

typedef int (*security_callback)(const SSL *ssl, const SSL_CTX *context, int operation, int bits,
				 int id, void *other, void *data);

/* What the program, or libcurl for it, sets; and what it is without, by OpenSSL and the system's openssl.cnf. */
struct settings {
	uint64_t options;
	long mode;
	long session_cache_mode;
	int min_version;
	int max_version;
	int verify_mode;
	int verify_depth;
	int security_level;
	security_callback security;
};

struct curl_contexts {
	const SSL_METHOD *method; /* of all that are kept; NULL: none was made yet */
	struct settings as_new;
	STACK_OF(SSL_CIPHER) * ciphers; /* the same; of all versions of TLS */
	bool is_keeping;
	size_t count;
	SSL_CTX *kept[KEPT_MAX];
};

static _Thread_local struct curl_contexts *bound;
static _Thread_local bool
	is_freeing_ssl; /* OpenSSL gives up its own hold on a context, through us */
static _Thread_local unsigned given_back;

/* OpenSSL's own functions, found once by each thread. */
static _Thread_local struct {
	void (*context_free)(SSL_CTX *context);
	void (*ssl_free)(SSL *ssl);
} openssl;

/* ISO C knows no pointer that may be either; POSIX has dlsym() return one. */
static void find(void *function, const char *name)
{
	*(void **)function = dlsym(RTLD_NEXT, name);
	assert(*(void **)function != NULL);
}

static void free_now(SSL_CTX *context)
{
	if (openssl.context_free == NULL)
		find(&openssl.context_free, "SSL_CTX_free");
	openssl.context_free(context);
}

static struct settings settings_of(SSL_CTX *context)
{
	return (struct settings){
		.options = SSL_CTX_get_options(context),
		.mode = SSL_CTX_get_mode(context),
		.session_cache_mode = SSL_CTX_get_session_cache_mode(context),
		.min_version = (int)SSL_CTX_get_min_proto_version(context),
		.max_version = (int)SSL_CTX_get_max_proto_version(context),
		.verify_mode = SSL_CTX_get_verify_mode(context),
		.verify_depth = SSL_CTX_get_verify_depth(context),
		.security_level = SSL_CTX_get_security_level(context),
		.security = SSL_CTX_get_security_callback(context),
	};
}

/*
 * From the first one that libcurl has made. It frees a connection's SSL first, then the context, which nobody else has then: what is
 * given back within SSL_free() is OpenSSL's own hold. Were there another way to it, nothing could be kept.
 */
static void learn(struct curl_contexts *contexts, SSL_CTX *context, const SSL_METHOD *method)
{
	contexts->method = method;
	contexts->as_new = settings_of(context);
	contexts->ciphers = sk_SSL_CIPHER_dup(SSL_CTX_get_ciphers(context));
	unsigned before = given_back;
	SSL_free(SSL_new(context));
	contexts->is_keeping = given_back == before && contexts->ciphers != NULL;
}

/* False: no memory. What stands in its application data, or is handed to a callback, is set again with what reads it. */
static bool set_back(SSL_CTX *context, const struct settings *as_new)
{
	X509_STORE *authorities = X509_STORE_new();
	if (authorities == NULL)
		return false;
	SSL_CTX_set_cert_store(context, authorities);
	(void)SSL_CTX_clear_options(context, UINT64_MAX);
	(void)SSL_CTX_set_options(context, as_new->options);
	(void)SSL_CTX_clear_mode(context, SSL_CTX_get_mode(context));
	(void)SSL_CTX_set_mode(context, as_new->mode);
	(void)SSL_CTX_set_session_cache_mode(context, as_new->session_cache_mode);
	SSL_CTX_sess_set_new_cb(context, NULL);
	(void)SSL_CTX_set_min_proto_version(context, as_new->min_version);
	(void)SSL_CTX_set_max_proto_version(context, as_new->max_version);
	SSL_CTX_set_verify(context, as_new->verify_mode, NULL);
	SSL_CTX_set_verify_depth(context, as_new->verify_depth);
	SSL_CTX_set_post_handshake_auth(context, 0);
	SSL_CTX_set_security_level(context, as_new->security_level);
	SSL_CTX_set_security_callback(context, as_new->security);
	(void)SSL_CTX_set_alpn_protos(context, NULL, 0);
	SSL_CTX_set_msg_callback(context, NULL);
	SSL_CTX_set_keylog_callback(context, NULL);
	return true;
}

/* A certificate of the client's can't be taken back. */
static bool has_identity(const SSL_CTX *context)
{
	return SSL_CTX_get0_certificate(context) != NULL ||
	       SSL_CTX_get0_privatekey(context) != NULL;
}

/* To read a list of them is dear, and few sites have one: a context with another is not handed on. The ciphers themselves are OpenSSL's. */
static bool has_other_ciphers(const struct curl_contexts *contexts, const SSL_CTX *context)
{
	const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(context);
	int count = sk_SSL_CIPHER_num(contexts->ciphers);
	if (sk_SSL_CIPHER_num(ciphers) != count)
		return true;
	for (int i = 0; i < count; i++)
		if (sk_SSL_CIPHER_value(ciphers, i) != sk_SSL_CIPHER_value(contexts->ciphers, i))
			return true;
	return false;
}

static bool keep(struct curl_contexts *contexts, SSL_CTX *context)
{
	if (!contexts->is_keeping || contexts->count == KEPT_MAX ||
	    SSL_CTX_get_ssl_method(context) != contexts->method || has_identity(context) ||
	    has_other_ciphers(contexts, context) || !set_back(context, &contexts->as_new))
		return false;
	contexts->kept[contexts->count++] = context;
	return true;
}

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
	if (bound != NULL && bound->count > 0 && method == bound->method)
		return bound->kept[--bound->count];
	SSL_CTX *context = SSL_CTX_new_ex(NULL, NULL, method);
	if (bound != NULL && bound->method == NULL && context != NULL)
		learn(bound, context, method);
	return context;
}

void SSL_free(SSL *ssl)
{
	if (openssl.ssl_free == NULL)
		find(&openssl.ssl_free, "SSL_free");
	bool was_freeing = is_freeing_ssl;
	is_freeing_ssl = true;
	openssl.ssl_free(ssl);
	is_freeing_ssl = was_freeing;
}

void SSL_CTX_free(SSL_CTX *context)
{
	if (is_freeing_ssl || bound == NULL || context == NULL) {
		free_now(context);
		return;
	}
	given_back++;
	if (!keep(bound, context))
		free_now(context);
}

struct curl_contexts *curl_contexts_create(void)
{
	return xcalloc(1, sizeof(struct curl_contexts));
}

void curl_contexts_destroy(struct curl_contexts *contexts)
{
	if (contexts == NULL)
		return;
	while (contexts->count > 0)
		free_now(contexts->kept[--contexts->count]);
	sk_SSL_CIPHER_free(contexts->ciphers);
	free(contexts);
}

void curl_contexts_bind(struct curl_contexts *contexts)
{
	bound = contexts;
}

void curl_contexts_unbind(void)
{
	bound = NULL;
}
