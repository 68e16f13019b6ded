#include "probe/client_certificate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "base/memory.h"

/* How long files are believed to be unchanged without a look. */
enum { LOOK_EVERY_US = 60 * CLOCK_US_PER_S };

/* A pair of files that was read; few sites have one, so a list will do. */
struct pair {
	char *cert_file;
	char *key_file;
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	struct timespec cert_changed_at; /* modification times */
	struct timespec key_changed_at;
	mono_us looked_at;
	struct pair *next;
};

struct client_certificates {
	struct pair *pairs;
};

struct client_certificates *client_certificates_create(void)
{
	return xcalloc(1, sizeof(struct client_certificates));
}

static void pair_destroy(struct pair *pair)
{
	free(pair->cert_file);
	free(pair->key_file);
	X509_free(pair->leaf);
	sk_X509_pop_free(pair->chain, X509_free);
	EVP_PKEY_free(pair->key);
	free(pair);
}

void client_certificates_destroy(struct client_certificates *certificates)
{
	if (certificates == NULL)
		return;
	while (certificates->pairs != NULL) {
		struct pair *pair = certificates->pairs;
		certificates->pairs = pair->next;
		pair_destroy(pair);
	}
	free(certificates);
}

/* Nobody is there to be asked. */
static int no_passphrase(char *buffer, int size, int is_writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)is_writing;
	(void)context;
	return -1;
}

static void set_tls_error(struct error *err, const char *what, const char *path)
{
	char detail[256];
	ERR_error_string_n(ERR_peek_last_error(), detail, sizeof(detail));
	error_set(err, ERROR_RETRY, "read the client's %s %s: %s", what, path, detail);
	ERR_clear_error();
}

static int read_certificates(struct pair *pair, BIO *file, struct error *err)
{
	pair->leaf = PEM_read_bio_X509_AUX(file, NULL, no_passphrase, NULL);
	if (pair->leaf == NULL) {
		set_tls_error(err, "certificate", pair->cert_file);
		return -1;
	}
	pair->chain = sk_X509_new_null();
	X509 *next =
		pair->chain == NULL ? NULL : PEM_read_bio_X509(file, NULL, no_passphrase, NULL);
	while (next != NULL && sk_X509_push(pair->chain, next) > 0)
		next = PEM_read_bio_X509(file, NULL, no_passphrase, NULL);
	X509_free(next);
	ERR_clear_error(); /* the end of the file */
	return 0;
}

static int read_key(struct pair *pair, BIO *file, struct error *err)
{
	pair->key = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, NULL);
	if (pair->key == NULL) {
		set_tls_error(err, "key", pair->key_file);
		return -1;
	}
	if (X509_check_private_key(pair->leaf, pair->key) != 1) {
		ERR_clear_error();
		error_set(err, ERROR_RETRY, "the client's key %s does not belong to %s",
			  pair->key_file, pair->cert_file);
		return -1;
	}
	return 0;
}

static int read_file(struct pair *pair, const char *path, struct timespec *changed_at,
		     int (*read)(struct pair *, BIO *, struct error *), struct error *err)
{
	struct stat status;
	if (stat(path, &status) != 0) {
		error_set_errno(err, ERROR_RETRY, errno, "read %s", path);
		return -1;
	}
	if (!S_ISREG(status.st_mode)) { /* a pipe would hold up the loop */
		error_set(err, ERROR_RETRY, "read %s: it is no regular file", path);
		return -1;
	}
	*changed_at = status.st_mtim;
	BIO *file = BIO_new_file(path, "r");
	if (file == NULL) {
		error_set_errno(err, ERROR_RETRY, errno, "read %s", path);
		ERR_clear_error();
		return -1;
	}
	int result = read(pair, file, err);
	BIO_free(file);
	return result;
}

static struct pair *load(const char *cert_file, const char *key_file, struct error *err)
{
	struct pair *pair = xcalloc(1, sizeof(*pair));
	pair->cert_file = xstrdup(cert_file);
	pair->key_file = xstrdup(key_file);
	pair->looked_at = clock_mono_us();
	if (read_file(pair, cert_file, &pair->cert_changed_at, read_certificates, err) == 0 &&
	    read_file(pair, key_file, &pair->key_changed_at, read_key, err) == 0)
		return pair;
	pair_destroy(pair);
	return NULL;
}

static bool is_unchanged(const char *path, const struct timespec *changed_at)
{
	struct stat status;
	return stat(path, &status) == 0 && status.st_mtim.tv_sec == changed_at->tv_sec &&
	       status.st_mtim.tv_nsec == changed_at->tv_nsec;
}

/* Read the files again where they have changed; where that fails, what was read before goes on. */
static struct pair *refresh(struct pair **place)
{
	struct pair *old = *place;
	mono_us now = clock_mono_us();
	if (now - old->looked_at < LOOK_EVERY_US)
		return old;
	old->looked_at = now;
	if (is_unchanged(old->cert_file, &old->cert_changed_at) &&
	    is_unchanged(old->key_file, &old->key_changed_at))
		return old;
	struct pair *fresh = load(old->cert_file, old->key_file, NULL);
	if (fresh == NULL)
		return old;
	fresh->next = old->next;
	*place = fresh;
	pair_destroy(old);
	return fresh;
}

static struct pair *find(struct client_certificates *certificates, const char *cert_file,
			 const char *key_file, struct error *err)
{
	struct pair **place = &certificates->pairs;
	while (*place != NULL && (strcmp((*place)->cert_file, cert_file) != 0 ||
				  strcmp((*place)->key_file, key_file) != 0))
		place = &(*place)->next;
	if (*place != NULL)
		return refresh(place);
	*place = load(cert_file, key_file, err);
	return *place;
}

int client_certificates_use(struct client_certificates *certificates, SSL_CTX *context,
			    const char *cert_file, const char *key_file, struct error *err)
{
	const struct pair *pair = find(certificates, cert_file, key_file, err);
	if (pair == NULL)
		return -1;
	if (SSL_CTX_use_cert_and_key(context, pair->leaf, pair->key, pair->chain, 1) != 1) {
		set_tls_error(err, "certificate", cert_file);
		return -1;
	}
	return 0;
}
