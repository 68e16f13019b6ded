#include "probe/trust.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

/* How long a file is believed to be unchanged without a look. */
enum { LOOK_EVERY_US = 60 * CLOCK_US_PER_S };

/* A CA file that was read; few sites have one, so a list will do. */
struct store {
	char *path;
	X509_STORE *authorities;
	struct timespec changed_at; /* the file's modification time */
	mono_us looked_at;
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

static X509_STORE *read_authorities(const char *path, struct error *err)
{
	X509_STORE *authorities = X509_STORE_new();
	if (authorities == NULL || X509_STORE_load_file(authorities, path) != 1) {
		char detail[256];
		ERR_error_string_n(ERR_peek_last_error(), detail, sizeof(detail));
		error_set(err, ERROR_RETRY, "read the CA file %s: %s", path, detail);
		ERR_clear_error();
		X509_STORE_free(authorities);
		return NULL;
	}
	/* As libcurl has it: an intermediate in the file is an anchor too. */
	(void)X509_STORE_set_flags(authorities,
				   X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	return authorities;
}

/* Read the file again where it has changed; where that fails, what was read before goes on. */
static void refresh(struct store *store)
{
	mono_us now = clock_mono_us();
	if (now - store->looked_at < LOOK_EVERY_US)
		return;
	store->looked_at = now;
	struct stat status;
	if (stat(store->path, &status) != 0 || !S_ISREG(status.st_mode) ||
	    (status.st_mtim.tv_sec == store->changed_at.tv_sec &&
	     status.st_mtim.tv_nsec == store->changed_at.tv_nsec))
		return;
	X509_STORE *authorities = read_authorities(store->path, NULL);
	if (authorities == NULL)
		return;
	X509_STORE_free(store->authorities);
	store->authorities = authorities;
	store->changed_at = status.st_mtim;
}

static struct store *load(const char *path, struct error *err)
{
	struct stat status;
	if (stat(path, &status) != 0) {
		error_set_errno(err, ERROR_RETRY, errno, "read the CA file %s", path);
		return NULL;
	}
	if (!S_ISREG(status.st_mode)) { /* a pipe would hold up the loop */
		error_set(err, ERROR_RETRY, "read the CA file %s: it is no regular file", path);
		return NULL;
	}
	X509_STORE *authorities = read_authorities(path, err);
	if (authorities == NULL)
		return NULL;
	struct store *store = xcalloc(1, sizeof(*store));
	store->path = xstrdup(path);
	store->authorities = authorities;
	store->changed_at = status.st_mtim;
	store->looked_at = clock_mono_us();
	return store;
}

static struct store *find(struct trust *trust, const char *path, struct error *err)
{
	if (path == NULL) {
		error_set(err, ERROR_FATAL, "this system names no file of authorities");
		return NULL;
	}
	struct store *store = trust->stores;
	while (store != NULL && strcmp(store->path, path) != 0)
		store = store->next;
	if (store != NULL) {
		refresh(store);
		return store;
	}
	store = load(path, err);
	if (store != NULL) {
		store->next = trust->stores;
		trust->stores = store;
	}
	return store;
}

void trust_load_system(struct trust *trust)
{
	(void)find(trust, trust->system_file, NULL);
}

int trust_use(struct trust *trust, SSL_CTX *context, const char *path, struct error *err)
{
	struct store *store = find(trust, path != NULL ? path : trust->system_file, err);
	if (store == NULL)
		return -1;
	SSL_CTX_set1_cert_store(context, store->authorities);
	return 0;
}
