/*
 * The certificates and keys that sites name, looked at while the sites are read, so that what could never be used is said before
 * anything starts. Each file is read once, however many sites name it. Blocking; main thread.
 */
#ifndef WEBSENTRY_CONFIG_PEM_FILES_H
#define WEBSENTRY_CONFIG_PEM_FILES_H

#include "base/error.h"

struct pem_files;

struct pem_files *pem_files_create(void);
void pem_files_destroy(struct pem_files *files); /* accepts NULL */

/* Each returns 0, or -1 with ERROR_REJECT: the file, what was found in it, what was expected. No byte of a key is shown. */
int pem_files_check_certificates(struct pem_files *files, const char *path, struct error *err);
int pem_files_check_key(struct pem_files *files, const char *path, struct error *err);
/* Whether the key belongs to the first certificate. Of files that are bad themselves nothing is said. */
int pem_files_check_pair(struct pem_files *files, const char *cert_path, const char *key_path,
			 struct error *err);

#endif
