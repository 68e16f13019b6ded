#include "config/pem_files.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/memory.h"
#include "config/file.h"

enum { PEM_BYTES_MAX = 4 * 1024 * 1024, DER_SEQUENCE = 0x30 };

/* What a file holds. */
struct pem_file {
	char *path;
	char *unreadable; /* why; NULL: it was read */
	int certificate_count;
	int bad_certificate; /* the first that can't be read, from 1; 0: none */
	bool is_damaged;     /* a block that does not end, or is no base64 */
	bool is_binary;      /* looks like DER */
	bool has_key;        /* one that may not be readable */
	bool is_key_encrypted;
	X509 *leaf;
	EVP_PKEY *key;
	struct pem_file *before;
	UT_hash_handle hh;
};

struct pem_files {
	struct pem_file *by_path;
	struct pem_file *latest; /* the same, linked by before */
};

struct pem_files *pem_files_create(void)
{
	return xcalloc(1, sizeof(struct pem_files));
}

void pem_files_destroy(struct pem_files *files)
{
	if (files == NULL)
		return;
	HASH_CLEAR(hh, files->by_path);
	for (struct pem_file *file = files->latest; file != NULL;) {
		struct pem_file *before = file->before;
		X509_free(file->leaf);
		EVP_PKEY_free(file->key);
		free(file->path);
		free(file->unreadable);
		free(file);
		file = before;
	}
	free(files);
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

static bool is_key_name(const char *name)
{
	static const char end[] = "PRIVATE KEY"; /* "EC PRIVATE KEY" … */
	size_t length = strlen(name);
	return length >= sizeof(end) - 1 && strcmp(name + length - (sizeof(end) - 1), end) == 0;
}

static void note_block(struct pem_file *file, const char *name, const char *header,
		       const unsigned char *bytes, long length)
{
	if (strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0 ||
	    strcmp(name, PEM_STRING_X509_TRUSTED) == 0) {
		X509 *certificate = strcmp(name, PEM_STRING_X509_TRUSTED) == 0
					    ? d2i_X509_AUX(NULL, &bytes, length)
					    : d2i_X509(NULL, &bytes, length);
		file->certificate_count++;
		if (certificate == NULL && file->bad_certificate == 0)
			file->bad_certificate = file->certificate_count;
		if (file->certificate_count == 1)
			file->leaf = certificate;
		else
			X509_free(certificate);
	} else if (is_key_name(name) && !file->has_key) {
		file->has_key = true;
		file->is_key_encrypted =
			strcmp(name, PEM_STRING_PKCS8) == 0 || strstr(header, "ENCRYPTED") != NULL;
	}
}

static void note_blocks(struct pem_file *file, BIO *text)
{
	char *name;
	char *header;
	unsigned char *bytes;
	long length;
	ERR_clear_error();
	while (PEM_read_bio(text, &name, &header, &bytes, &length) == 1) {
		note_block(file, name, header, bytes, length);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(bytes, (size_t)length);
	}
	file->is_damaged = ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
}

static void look_at(struct pem_file *file)
{
	struct error err;
	size_t length;
	char *text = file_read_regular(file->path, PEM_BYTES_MAX, &length, &err);
	if (text == NULL) {
		file->unreadable = xstrdup(err.message);
		return;
	}
	file->is_binary = length > 0 && (unsigned char)text[0] == DER_SEQUENCE;
	BIO *blocks = BIO_new_mem_buf(text, (int)length);
	BIO *key = BIO_new_mem_buf(text, (int)length);
	if (blocks == NULL || key == NULL)
		abort();
	note_blocks(file, blocks);
	if (file->has_key && !file->is_key_encrypted)
		file->key = PEM_read_bio_PrivateKey(key, NULL, no_passphrase, NULL);
	BIO_free(blocks);
	BIO_free(key);
	ERR_clear_error();
	OPENSSL_cleanse(text, length);
	free(text);
}

static const struct pem_file *find(struct pem_files *files, const char *path)
{
	struct pem_file *file;
	HASH_FIND_STR(files->by_path, path, file);
	if (file != NULL)
		return file;
	file = xcalloc(1, sizeof(*file));
	file->path = xstrdup(path);
	look_at(file);
	file->before = files->latest;
	files->latest = file;
	HASH_ADD_KEYPTR(hh, files->by_path, file->path, strlen(file->path), file);
	return file;
}

/* What there is instead of what was looked for. */
static const char *describe(const struct pem_file *file)
{
	if (file->certificate_count > 0)
		return "a certificate";
	if (file->has_key)
		return "a private key";
	if (file->is_binary)
		return "DER";
	return file->is_damaged ? "a damaged block" : "no PEM block";
}

int pem_files_check_certificates(struct pem_files *files, const char *path, struct error *err)
{
	const struct pem_file *file = find(files, path);
	if (file->unreadable != NULL)
		error_set(err, ERROR_REJECT, "%s", file->unreadable);
	else if (file->certificate_count == 0)
		error_set(err, ERROR_REJECT, "%s: found %s, expected certificates (PEM)", path,
			  describe(file));
	else if (file->is_damaged)
		error_set(err, ERROR_REJECT,
			  "%s: found a damaged block after certificate %d, expected PEM", path,
			  file->certificate_count);
	else if (file->bad_certificate != 0)
		error_set(err, ERROR_REJECT,
			  "%s: found a damaged certificate (number %d), expected PEM", path,
			  file->bad_certificate);
	else
		return 0;
	return -1;
}

int pem_files_check_key(struct pem_files *files, const char *path, struct error *err)
{
	const struct pem_file *file = find(files, path);
	if (file->unreadable != NULL)
		error_set(err, ERROR_REJECT, "%s", file->unreadable);
	else if (!file->has_key)
		error_set(err, ERROR_REJECT, "%s: found %s, expected a private key (PEM)", path,
			  describe(file));
	else if (file->is_key_encrypted)
		error_set(err, ERROR_REJECT,
			  "%s: found an encrypted key, expected one without a passphrase", path);
	else if (file->key == NULL)
		error_set(err, ERROR_REJECT,
			  "%s: found a damaged key, expected a private key (PEM)", path);
	else
		return 0;
	return -1;
}

int pem_files_check_pair(struct pem_files *files, const char *cert_path, const char *key_path,
			 struct error *err)
{
	const struct pem_file *cert = find(files, cert_path);
	const struct pem_file *key = find(files, key_path);
	if (cert->leaf == NULL || key->key == NULL ||
	    X509_check_private_key(cert->leaf, key->key) == 1)
		return 0;
	ERR_clear_error();
	error_set(err, ERROR_REJECT,
		  "%s: found the key of another certificate, expected that of %s", key_path,
		  cert_path);
	return -1;
}
