/* libpq's service files, looked at without libpq: it asks an LDAP server where a service says so. Main thread. */
#ifndef WEBSENTRY_CONFIG_SERVICE_FILE_H
#define WEBSENTRY_CONFIG_SERVICE_FILE_H

#include <stdbool.h>

/* Whether the definition that libpq would find of this service has a line that sends it to an LDAP server. */
bool service_file_asks_ldap(const char *service);

#endif
