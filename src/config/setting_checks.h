/*
 * The rules of single texts: what the table's column `check` points to. Each returns 0 and the canonical form (the
 * caller's), or -1 with ERROR_REJECT and "expected …". Files are looked at, nothing else is touched. Main thread.
 */
#ifndef WEBSENTRY_CONFIG_SETTING_CHECKS_H
#define WEBSENTRY_CONFIG_SETTING_CHECKS_H

#include "base/error.h"

int setting_check_url(const char *text, char **ret_canonical, struct error *err);
int setting_check_pattern(const char *text, char **ret_canonical, struct error *err);
int setting_check_servers(const char *text, char **ret_canonical,
			  struct error *err); /* host:port,… */
int setting_check_cidrs(const char *text, char **ret_canonical,
			struct error *err); /* blocks of addresses,… */
int setting_check_topic(const char *text, char **ret_canonical,
			struct error *err); /* as Kafka takes them */
int setting_check_group(const char *text, char **ret_canonical, struct error *err);
int setting_check_property(const char *text, char **ret_canonical,
			   struct error *err); /* key=value; without blanks around both */
int setting_check_site_key(const char *text, char **ret_canonical,
			   struct error *err); /* KEY=VALUE, VALUE is YAML */
int setting_check_file(const char *text, char **ret_canonical, struct error *err); /* can be read */
int setting_check_listen(const char *text, char **ret_canonical,
			 struct error *err); /* host:port, off */
int setting_check_label(const char *text, char **ret_canonical,
			struct error *err); /* a short line */
int setting_check_plain(const char *text, char **ret_canonical,
			struct error *err); /* no control characters */
int setting_check_database_part(const char *text, char **ret_canonical,
				struct error *err); /* and no whole DSN */
int setting_check_dsn(const char *text, char **ret_canonical,
		      struct error *err); /* what libpq reads */
int setting_check_lost(const char *text, char **ret_canonical,
		       struct error *err); /* producer_id:first-last */
int setting_check_log_level(const char *text, char **ret_canonical, struct error *err);

#endif
