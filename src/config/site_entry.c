#include "config/site_entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/url.h"
#include "config/older.h"
#include "config/problems.h"
#include "config/settings.h"
#include "config/site_conflicts.h"
#include "config/site_keys.h"
#include "pattern/pattern.h"

enum { NAMES_MAX = 128 };

void entry_init(struct entry *entry, const struct settings *settings, const char *url)
{
	*entry = (struct entry){0};
	struct site *site = &entry->site;
	site_init(site);
	free(site->method);
	site->method = xstrdup("GET");
	site->interval_us = settings->interval_us;
	site->timeout_us = settings->timeout_us;
	entry->interval_level =
		settings_is_given(settings, "interval") ? LEVEL_SETTINGS : LEVEL_BUILT_IN;
	entry->timeout_level =
		settings_is_given(settings, "timeout") ? LEVEL_SETTINGS : LEVEL_BUILT_IN;
	if (settings->pattern != NULL) {
		site->pattern =
			pattern_compile(settings->pattern, NULL); /* checked with the settings */
		site->pattern_text = xstrdup(settings->pattern);
	}
	if (url != NULL) {
		site->url = xstrdup(url);
		site->redacted_url = url_redact(url);
	}
}

void entry_finish(struct entry *entry)
{
	pattern_destroy(entry->site.pattern);
	for (size_t i = 0; i < entry->site.rule_count; i++)
		pattern_destroy(entry->site.rules[i].pattern);
	site_finish(&entry->site);
}

static const struct entry_key *find_key(const char *name)
{
	for (size_t i = 0; i < entry_key_count; i++)
		if (strcmp(entry_keys[i].name, name) == 0)
			return &entry_keys[i];
	return NULL;
}

static void complain_unknown(struct entry_reader *reader, const struct node *key, bool is_defaults)
{
	const char *names[NAMES_MAX];
	size_t count = 0;
	for (size_t i = 0; i < entry_key_count; i++)
		if (!is_defaults || !entry_keys[i].is_own)
			names[count++] = entry_keys[i].name;
	names[count++] = "request_kwargs";
	entry_complain_unknown(reader, key, names, count, "one of docs/sites.md");
}

bool entry_claim(struct entry_reader *reader, enum entry_slot slot, const char *key,
		 const struct node *place)
{
	struct entry_claim *claim = &reader->entry->claims[slot];
	if (claim->key != NULL && claim->level == reader->level && strcmp(claim->key, key) != 0) {
		entry_problem(reader, place, "found `%s` beside `%s`, expected one of them", key,
			      claim->key);
		return false;
	}
	*claim = (struct entry_claim){.key = key, .level = reader->level};
	return true;
}

static const char *const partners[] = {"addresses", "cert_file", "key_file"};

void entry_note_mistaken(struct entry *entry, const char *key)
{
	for (size_t i = 0; i < sizeof(partners) / sizeof(partners[0]); i++)
		if (text_nearest(key, &partners[i], 1) != NULL)
			entry->mistaken |= (uint8_t)(1U << i);
}

bool entry_is_mistaken(const struct entry *entry, const char *key)
{
	for (size_t i = 0; i < sizeof(partners) / sizeof(partners[0]); i++)
		if (strcmp(partners[i], key) == 0)
			return (entry->mistaken >> i & 1) != 0;
	return false;
}

static void take(struct entry_reader *reader, const struct entry_key *key, const struct node *value)
{
	key->take(reader, value);
	reader->entry->levels[key - entry_keys] = (uint8_t)reader->level;
}

static void take_pairs(struct entry_reader *reader, const struct node *mapping, bool is_defaults)
{
	for (size_t i = 0; i < mapping->count; i++) {
		const struct node_pair *pair = &mapping->pairs[i];
		const struct entry_key *key = find_key(pair->key->text);
		if (key == NULL)
			complain_unknown(reader, pair->key, is_defaults);
		else if (is_defaults && key->is_own)
			entry_problem(reader, pair->key, "found `%s` %s, expected it in a site",
				      key->name,
				      reader->level == LEVEL_FLAG ? "for all sites"
								  : "in the defaults");
		else if (!node_is_null(pair->value) || strcmp(key->name, "url") == 0)
			take(reader, key, pair->value);
	}
}

void entry_check_defaults(struct entry_reader *reader, struct node *defaults)
{
	if (node_is_null(defaults))
		return;
	if (defaults->kind != NODE_MAPPING) {
		entry_expect(reader, defaults, "a mapping for `defaults`");
		return;
	}
	older_translate_entry(reader->tree, defaults, reader->problems);
	reader->level = LEVEL_DEFAULTS;
	take_pairs(reader, defaults, true);
	site_conflicts_find(reader, defaults, LEVEL_DEFAULTS);
}

/* Whether a flag, variable or --config said so: that wins over the file's defaults. */
static bool is_setting_given(const struct entry_reader *reader, const char *key)
{
	if (strcmp(key, "allow_private") == 0)
		return settings_is_given(reader->settings, "allow-private");
	bool is_setting = strcmp(key, "interval") == 0 || strcmp(key, "timeout") == 0 ||
			  strcmp(key, "pattern") == 0;
	return is_setting && settings_is_given(reader->settings, key);
}

/* Whether the defaults' word has a part in what the entry comes to. A key without a value undoes it. */
static bool is_default_taken(const struct entry_key *key, const struct node *entry)
{
	const struct node *own = entry->kind == NODE_MAPPING ? tree_find(entry, key->name) : NULL;
	return own == NULL || key->is_kept || (key->is_merged && !node_is_null(own));
}

/* The defaults were complained of once; what the entry says itself is left out, for it would be complained of here. */
static void take_defaults(struct entry_reader *reader, const struct node *node,
			  const struct node *defaults)
{
	reader->is_quiet = true;
	reader->level = LEVEL_DEFAULTS;
	for (size_t i = 0; i < defaults->count; i++) {
		const struct node_pair *pair = &defaults->pairs[i];
		const struct entry_key *key = find_key(pair->key->text);
		if (key == NULL)
			entry_note_mistaken(reader->entry, pair->key->text);
		if (key == NULL || key->is_own || node_is_null(pair->value) ||
		    is_setting_given(reader, key->name))
			continue;
		if (is_default_taken(key, node))
			take(reader, key, pair->value);
	}
	reader->is_quiet = false;
}

/* A pattern, interval or timeout from the settings is the entry's to unset: `pattern:` means none. */
static void forget_unset_pattern(struct entry *entry, const struct node *node)
{
	const struct node *pattern = tree_find(node, "pattern");
	if (pattern == NULL || !node_is_null(pattern))
		return;
	pattern_destroy(entry->site.pattern);
	entry->site.pattern = NULL;
	free(entry->site.pattern_text);
	entry->site.pattern_text = NULL;
}

void entry_check_overrides(struct entry_reader *reader)
{
	reader->level = LEVEL_FLAG;
	take_pairs(reader, reader->overrides, true);
	site_conflicts_find(reader, reader->overrides, LEVEL_FLAG);
}

void entry_complete(struct entry_reader *reader, const struct node *place)
{
	if (reader->overrides != NULL) { /* complained of before */
		reader->is_quiet = true;
		reader->level = LEVEL_FLAG;
		take_pairs(reader, reader->overrides, true);
		reader->is_quiet = false;
	}
	site_keys_finish_request(reader, place);
	site_keys_finish_connection(reader, place);
	site_keys_finish_rounds(reader, place);
	site_conflicts_find(reader, place, LEVEL_SITE);
}

/* Whether a key that we don't know seems to be meant for this one: what is said of it is enough then. */
static bool is_misspelt(const struct node *mapping, const char *name)
{
	for (size_t i = 0; i < mapping->count; i++) {
		const char *key = mapping->pairs[i].key->text;
		if (find_key(key) == NULL && text_nearest(key, &name, 1) != NULL)
			return true;
	}
	return false;
}

void entry_read(struct entry_reader *reader, struct node *node, const struct node *defaults)
{
	const struct entry_key *url = find_key("url");
	if (node->kind == NODE_MAPPING)
		older_translate_entry(reader->tree, node, reader->problems);
	if (defaults != NULL && defaults->kind == NODE_MAPPING)
		take_defaults(reader, node, defaults);
	reader->level = LEVEL_SITE;
	if (node->kind == NODE_SCALAR && !node_is_null(node)) {
		url->take(reader, node); /* - https://example.com */
	} else if (node->kind != NODE_MAPPING) {
		entry_expect(reader, node, "a site such as {url: https://example.com}");
	} else {
		if (tree_find(node, "url") == NULL && !is_misspelt(node, "url"))
			entry_problem(reader, node, "found a site without `url`, expected one");
		take_pairs(reader, node, false);
		forget_unset_pattern(reader->entry, node);
	}
	entry_complete(reader, node);
}

int64_t entry_attempts_us(const struct site *site)
{
	return site->timeout_us * (site->retries + 1) + site->retry_after_us * site->retries;
}

bool entry_is_timeout_too_long(struct entry *entry, const struct settings *settings)
{
	struct site *site = &entry->site;
	bool is_single = settings->subject == COMMAND_CHECK ||
			 (settings->is_once && entry->interval_level == LEVEL_BUILT_IN);
	if (entry_attempts_us(site) <= site->interval_us)
		return false;
	if (is_single) {
		site->interval_us = entry_attempts_us(site);
		return false;
	}
	int64_t room_us =
		(site->interval_us - site->retry_after_us * site->retries) / (site->retries + 1);
	if (room_us >= CLOCK_US_PER_MS &&
	    (entry->timeout_level == LEVEL_BUILT_IN ||
	     (entry->timeout_level == LEVEL_DEFAULTS && entry->interval_level > LEVEL_DEFAULTS))) {
		site->timeout_us = room_us;
		return false;
	}
	return true;
}
