#include "probe/trust.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/memory.h"
#include "base/text.h"

/* A CA file that was read; few sites have one, so a list will do. */
struct store {
	char *path;
	X509_STORE *authorities;
	struct store *next;
};

struct trust {
	char *system_file;
	struct store *stores;
};

struct trust *trust_create(void)
{
	struct trust *trust = xcalloc(1, sizeof(*trust));
	const char *file = getenv("SSL_CERT_FILE");
	if (text_is_empty(file))
		file = curl_version_info(CURLVERSION_NOW)->cainfo;
	trust->system_file = xstrdup(file);
	return trust;
}

void trust_destroy(struct trust *trust)
{
	if (trust == NULL)
		return;
	while (trust->stores != NULL) {
		struct store *store = trust->stores;
		trust->stores = store->next;
		X509_STORE_free(store->authorities);
		free(store->path);
		free(store);
	}
	free(trust->system_file);
	free(trust);
}

const char *trust_system_file(const struct trust *trust)
{
	return trust->system_file;
}

static struct store *load(const char *path, struct error *err)
{
	X509_STORE *authorities = X509_STORE_new();
	if (authorities == NULL || X509_STORE_load_file(authorities, path) != 1) {
		char detail[256];
		ERR_error_string_n(ERR_get_error(), detail, sizeof(detail));
		error_set(err, ERROR_RETRY, "read the CA file %s: %s", path, detail);
		ERR_clear_error();
		X509_STORE_free(authorities);
		return NULL;
	}
	/* As libcurl has it: an intermediate in the file is an anchor too. */
	(void)X509_STORE_set_flags(authorities, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	struct store *store = xcalloc(1, sizeof(*store));
	store->path = xstrdup(path);
	store->authorities = authorities;
	return store;
}

int trust_use_file(struct trust *trust, SSL_CTX *context, const char *path, struct error *err)
{
	struct store *store = trust->stores;
	while (store != NULL && strcmp(store->path, path) != 0)
		store = store->next;
	if (store == NULL) {
		store = load(path, err);
		if (store == NULL)
			return -1;
		store->next = trust->stores;
		trust->stores = store;
	}
	SSL_CTX_set1_cert_store(context, store->authorities);
	return 0;
}
