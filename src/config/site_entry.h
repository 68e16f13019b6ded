/* One entry of a sites file into a site. Internal to config/; main thread. */
#ifndef WEBSENTRY_CONFIG_SITE_ENTRY_H
#define WEBSENTRY_CONFIG_SITE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/site.h"
#include "config/tree.h"

struct error;
struct cipher_names;
struct pem_files;
struct problems;
struct settings;

/* How near to the site a value was given. */
enum entry_level {
	LEVEL_BUILT_IN,
	LEVEL_DEFAULTS, /* the file's `defaults:` */
	LEVEL_SETTINGS, /* --interval and its like */
	LEVEL_SITE,
	LEVEL_FLAG, /* check --set */
};

/* What can be said by more than one key: the nearest to the site counts, two as near contradict each other. */
enum entry_slot {
	SLOT_BODY,
	SLOT_AUTHORIZATION,
	SLOT_COOKIE,
	SLOT_USER_AGENT,
	SLOT_COMPRESSION,
	SLOT_HTTP_VERSION,
	SLOT_IP_PROTOCOL,
	SLOT_SOURCE_ADDRESS,
	SLOT_PROXY,
	SLOT_PROXY_HEADERS,
	SLOT_CA_FILE,
	SLOT_INSECURE,
	SLOT_TOTAL_WARN,
	SLOT_COUNT,
};

struct entry_claim {
	const char *key; /* NULL: nobody spoke */
	enum entry_level level;
};

enum { ENTRY_KEYS_MAX = 96 };

struct entry {
	struct site site;
	struct entry_claim claims[SLOT_COUNT];
	uint8_t levels
		[ENTRY_KEYS_MAX]; /* enum entry_level of each of entry_keys; LEVEL_BUILT_IN: not said */
	bool has_method;
	bool is_form; /* the body is one */
	bool has_retry_after;
	bool is_wrong;    /* a problem of it was said */
	uint8_t mistaken; /* entry_note_mistaken() */
	enum entry_level interval_level;
	enum entry_level timeout_level;
	enum entry_level addresses_level;
	enum entry_level addresses_needed_level;
	const struct node *timeout_place; /* NULL: not in the file */
};

struct entry_reader {
	struct tree *tree;
	const struct settings *settings;
	struct problems *problems;
	struct pem_files *pem_files;
	struct cipher_names *cipher_names;
	bool is_quiet;          /* problems were said before: only the values are wanted */
	enum entry_level level; /* of what is being read */
	const struct node
		*overrides;       /* check --set: a mapping of keys for every site; NULL: none */
	struct entry *entry;      /* being filled */
	uint64_t *said_conflicts; /* a bit for each that is not to be said of every site */
};

/* A site as the settings alone make it; url may be NULL. */
void entry_init(struct entry *entry, const struct settings *settings, const char *url);
/* Everything that it owns, patterns too. */
void entry_finish(struct entry *entry);

/* Check the keys and values of `defaults:` once, for its complaints. */
void entry_check_defaults(struct entry_reader *reader, struct node *defaults);

/*
 * Fill reader->entry (begun with entry_init) from an entry of the file and its defaults (NULL: none). Problems are
 * added; the entry is released with entry_finish() where it is not wanted.
 */
void entry_read(struct entry_reader *reader, struct node *node, const struct node *defaults);

/* Check the keys and values of reader->overrides once, for their complaints. */
void entry_check_overrides(struct entry_reader *reader);

/* What is left to do with an entry of which all own keys were taken: for one that is no entry of a file. */
void entry_complete(struct entry_reader *reader, const struct node *place);

/* The longest that a check of the site takes: all attempts and what lies between them. */
int64_t entry_attempts_us(const struct site *site);

/* Whether the timeout is longer than the interval, all attempts counted, and nobody may shorten it; otherwise the entry is made to fit. */
bool entry_is_timeout_too_long(struct entry *entry, const struct settings *settings);

/* The table of keys (site_keys.c). */
struct entry_key {
	const char *name;
	void (*take)(struct entry_reader *reader, const struct node *value);
	const struct entry_key *parts; /* of a mapping with keys of its own, up to a NULL name */
	bool is_own;                   /* makes no sense in `defaults:` */
	bool is_merged;                /* a mapping whose parts override each other one by one */
	bool is_kept;                  /* what the defaults say holds, whatever a site says */
};
extern const struct entry_key entry_keys[];
extern const size_t entry_key_count;

/* Speak for a slot: false with a problem where another key as near to the site did. key is static. */
bool entry_claim(struct entry_reader *reader, enum entry_slot slot, const char *key,
		 const struct node *place);

/*
 * Of keys that another one needs beside it: remember that this one, misspelt or with a value that is none, was said, so that nobody
 * complains that it is missing as well. Other keys are passed over.
 */
void entry_note_mistaken(struct entry *entry, const char *key);
bool entry_is_mistaken(const struct entry *entry, const char *key);

/* Values (site_values.c): 0 and the value, or -1 with a problem added. name is the key's, for the message. */
int entry_take_text(struct entry_reader *reader, const char *name, const struct node *value,
		    size_t max, char **ret_text); /* one line; the caller's */
int entry_take_block(struct entry_reader *reader, const char *name, const struct node *value,
		     size_t max, char **ret_text); /* any text without NUL; the caller's */
int entry_take_bool(struct entry_reader *reader, const char *name, const struct node *value,
		    bool *ret_value);
int entry_take_integer(struct entry_reader *reader, const char *name, const struct node *value,
		       int64_t min, int64_t max, int64_t *ret_value);
int entry_take_size(struct entry_reader *reader, const char *name, const struct node *value,
		    int64_t min, int64_t max, int64_t *ret_bytes);
int entry_take_duration(struct entry_reader *reader, const char *name, const struct node *value,
			int64_t min, int64_t max, int64_t *ret_us);

/* A path; what check has against the file is a problem. */
int entry_take_pem(struct entry_reader *reader, const char *name, const struct node *value,
		   int (*check)(struct pem_files *, const char *, struct error *), char **ret_path);
/* file_read_regular() of a file that a site names; a reload will look whether it has changed. */
char *entry_read_file(struct entry_reader *reader, const char *path, size_t max, size_t *ret_length,
		      struct error *err);
/* What stands in the file that value names: one line, without the end of it. */
int entry_take_line_of_file(struct entry_reader *reader, const char *name, const struct node *value,
			    size_t max, char **ret_text);
/* Whether it is a mapping of at most max keys. */
bool entry_is_mapping(struct entry_reader *reader, const char *name, const struct node *value,
		      size_t max);
/* Whether it is a list of nothing, which is a problem: what undoes the defaults is no value at all. */
bool entry_is_empty_list(struct entry_reader *reader, const char *name, const struct node *value);
/* Whether it is a mapping that has none but the keys of parts. */
bool entry_has_parts(struct entry_reader *reader, const char *name, const struct node *value,
		     const struct entry_key *parts);
/* Free what a field holds, and have it hold taken. */
void entry_replace(char **field, char *taken);

/* "unknown key …" with the nearest of names, or else what was expected. */
void entry_complain_unknown(struct entry_reader *reader, const struct node *key,
			    const char *const *names, size_t count, const char *expected);
/* "found …, expected …" at a node. */
void entry_expect(struct entry_reader *reader, const struct node *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Any problem at a node; or a warning. */
void entry_problem(struct entry_reader *reader, const struct node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void entry_warn(struct entry_reader *reader, const struct node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
