/*
 * The effective settings of one command, and the one table that describes them (settings_table.c).
 *
 * Flags win over environment, environment over --config FILE, that over defaults. The parser, --help, config print, the man page,
 * the completion and docs/configuration.md come from the table. Read once at start by the main thread, const afterwards.
 */
#ifndef WEBSENTRY_CONFIG_SETTINGS_H
#define WEBSENTRY_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct named_files;
struct problems;

/* Bits, so that a row of the table can name the commands that it belongs to. */
enum command {
	COMMAND_NONE = 0,
	COMMAND_PRODUCER = 1 << 0,
	COMMAND_CONSUMER = 1 << 1,
	COMMAND_RUN = 1 << 2,
	COMMAND_CHECK = 1 << 3,
	COMMAND_CONFIG_CHECK = 1 << 4,
	COMMAND_CONFIG_PRINT = 1 << 5,
	COMMAND_DB_MIGRATE = 1 << 6,
	COMMAND_WEB = 1 << 7,
	COMMAND_HELP = 1 << 8, /* --help was asked for: print it to stdout, exit 0 */
	COMMAND_VERSION = 1 << 9,
	COMMAND_COMPLETION = 1 << 10, /* completion bash|zsh|fish */
	COMMAND_MANUAL =
		1 << 11, /* internal: the man page and docs/configuration.md from the table */
	COMMAND_QUARANTINE_LIST = 1 << 12,
	COMMAND_QUARANTINE_SHOW = 1 << 13,
	COMMAND_QUARANTINE_RETRY = 1 << 14,
	COMMAND_OUTBOX_SHOW = 1 << 15,
	COMMAND_OUTBOX_SALVAGE = 1 << 16,
	COMMAND_AUDIT = 1 << 17,
	COMMAND_SITES = 1 << 18,
};

struct text_list {
	char **items;
	size_t count;
};

struct settings {
	/* What all of it was read from, borrowed, so that it can be read again. */
	int argc;
	char **argv;
	char *const *environment;
	uint64_t
		files_version; /* of the files with sites and settings, from before they were read: app/reload.h */
	struct named_files *named_files; /* by sites, which note them as they are read */

	enum command command;
	/* config check and config print look at another command's settings; the default is COMMAND_RUN. */
	enum command subject;

	/* sites; config/sites.h turns them into a list */
	char *sites_path;            /* file or folder, NULL for none */
	struct text_list urls;       /* --url, arguments, WEBSENTRY_SITES; checked for form only */
	struct text_list site_keys;  /* check --set: "method=POST" */
	struct text_list site_files; /* arguments that are files: run https://a sites.yaml */
	char *config_path;           /* --config */
	int64_t interval_us;
	int64_t timeout_us;
	char *pattern;     /* NULL for none */
	int allow_private; /* enum address_allow */
	char *deny_cidrs;  /* with commas between them; NULL for none */
	int64_t once_wait_us;
	int64_t repeat;          /* check: how many times; 0: once, without figures */
	int64_t repeat_every_us; /* check: from the start of one to that of the next */
	bool has_config_sites;   /* the sites that count are those in the --config file itself */
	bool has_bad_sites;      /* a site was named wrongly, and that was said */

	/* switches */
	bool is_once;
	bool kafka_create_topics;
	bool no_migrate;
	bool print_sql;        /* db migrate --print */
	bool is_power_durable; /* --durability=power */
	bool is_explained;     /* check: --explain */
	bool is_nagios;        /* check: --nagios */
	bool is_ascii;         /* check: --ascii */
	bool is_verbose;       /* check: --verbose */
	bool is_json;          /* check, sites, audit, quarantine, outbox show: --json */
	bool is_raw;           /* quarantine show --raw */
	bool is_all;           /* quarantine retry --all */

	/* Kafka */
	char *kafka_servers;
	char *kafka_topic_success; /* effective names; equal when one topic serves both */
	char *kafka_topic_failure;
	char *kafka_ca_file;
	char *kafka_cert_file;
	char *kafka_key_file;
	struct text_list kafka_properties;       /* "k=v": those of --kafka-config, then of flags */
	struct text_list kafka_property_origins; /* parallel: "kafka.conf:3", "--kafka-property" */
	char *kafka_group;

	/* store */
	int64_t retention_us; /* 0: everything is kept */
	char *database_dsn;   /* effective libpq string; NULL: none given (run: SQLite) */

	struct text_list
		words; /* arguments that are no sites: ids of the quarantine, FILE to salvage */

	/* quarantine */
	char *file;    /* the repaired message; NULL: none, "-": stdin */
	char *reason;  /* NULL: any */
	int64_t limit; /* rows to list */

	/* audit */
	struct text_list declare_lost; /* as identity_parse_range() reads them */
	int64_t hole_after_us;         /* how old a hole is before it counts as missing */

	/* process */
	char *data_dir; /* effective, absolute */
	char *location;
	char *host;   /* the host name in reports: --host, default gethostname() */
	char *listen; /* NULL: off */
	int64_t threads;
	int64_t outbox_max_rows;
	int log_level;  /* enum log_level */
	int log_format; /* enum log_format */

	char *shell; /* completion: bash, zsh or fish; manual: man, markdown or metrics; NULL elsewhere */

	/* where each row's value came from; by index into the table */
	struct setting_origin *origins;
};

enum setting_source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_FLAG };

struct setting_origin {
	enum setting_source source;
	char *place; /* "--interval", "WEBSENTRY_INTERVAL", "websentry.yaml:3:1"; NULL for a default */
	char *text; /* the value in its canonical form, secrets unmasked; NULL for none */
};

/*
 * Read everything that a command line stands for. Fills ret_settings even when there are problems (release with
 * settings_finish()); with problems->error_count > 0 nothing may be started. environment is like environ.
 */
void settings_read(int argc, char **argv, char *const *environment, struct settings *ret_settings,
		   struct problems *problems);
void settings_finish(struct settings *settings);

/*
 * The names of those settings, joined by commas, that differ from one reading to a later one and hold for a process's life; the caller's,
 * NULL for none.
 */
char *settings_name_fixed_changes(const struct settings *before, const struct settings *after);

/* Whether a row's value was given by anybody (flag, environment, file) rather than by default. name: "interval" … */
bool settings_is_given(const struct settings *settings, const char *name);

/* Where a row's value came from: never NULL for a name of the table. */
const struct setting_origin *settings_origin(const struct settings *settings, const char *name);

/* What --help, config print, completion, and the generated documents say. */
void settings_print_help(FILE *out, enum command command);
void settings_print_effective(FILE *out, const struct settings *settings);
void settings_print_completion(FILE *out, const char *shell);
void settings_print_markdown(FILE *out); /* docs/configuration.md's tables */
void settings_print_manual(FILE *out);   /* websentry.1 */

const char *command_name(enum command command); /* "producer" … */

#endif
