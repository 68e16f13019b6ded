/*
 * All sources of sites into one list: files and folders, the --config file, URLs by hand. Names are given when all sites
 * are known: those that a person chose first, so that a default name gives way to them.
 */
#include "config/sites.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/address_policy.h"
#include "config/address_list.h"
#include "config/cipher_names.h"
#include "config/older.h"
#include "config/pem_files.h"
#include "config/problems.h"
#include "config/settings.h"
#include "config/site_entry.h"
#include "config/site_names.h"
#include "config/tree.h"
#include "pattern/pattern.h"

enum { SITES_MAX = 1000 * 1000, DURATION_TEXT_MAX = 48, OVERRIDES_MAX = 4 * 1024 * 1024 };

struct loading {
	const struct settings *settings;
	struct site_list *list;
	struct problems *problems;
	struct site_names *names;
	struct pem_files *pem_files;
	struct cipher_names *cipher_names;
	struct tree *overrides;                /* check --set; NULL: none */
	struct address_policy *address_policy; /* of the settings; NULL: as usual */
	bool has_source; /* something was named, so "no sites" was said where it is empty */
	bool is_settings_timeout_said; /* once, not for every site that takes both from the settings */
	uint64_t said_conflicts;       /* of --set */
	bool is_full;
};

static void complain_of_timeout(struct loading *loading, const struct entry *entry,
				const char *where)
{
	const struct setting_origin *origin = settings_origin(loading->settings, "timeout");
	char timeout[DURATION_TEXT_MAX];
	char interval[DURATION_TEXT_MAX];
	text_format_duration(entry->site.timeout_us, timeout, sizeof(timeout));
	text_format_duration(entry->site.interval_us, interval, sizeof(interval));
	if (entry->site.retries > 0) {
		char attempts[DURATION_TEXT_MAX];
		text_format_duration(entry_attempts_us(&entry->site), attempts, sizeof(attempts));
		problems_add(
			loading->problems, where,
			"found `retries: %d` with the timeout %s, which may take %s, expected at "
			"most the interval, %s",
			entry->site.retries, timeout, attempts, interval);
		return;
	}
	bool is_both_settings =
		entry->timeout_level == LEVEL_SETTINGS && entry->interval_level != LEVEL_SITE;
	if (is_both_settings) {
		if (!loading->is_settings_timeout_said)
			problems_add(loading->problems, origin->place,
				     "found %s, expected at most the interval, %s", timeout,
				     interval);
		loading->is_settings_timeout_said = true;
	} else if (entry->timeout_level == LEVEL_SETTINGS) {
		problems_add(loading->problems, where,
			     "the timeout %s (%s) is longer than the interval %s", timeout,
			     origin->place, interval);
	} else {
		problems_add(loading->problems, where,
			     "found the timeout %s, expected at most the interval, %s", timeout,
			     interval);
	}
}

/* Move a finished entry into the list; release one that lacks its URL. */
static void keep(struct loading *loading, struct entry *entry, const char *file,
		 const struct node *place)
{
	const struct node *timeout_place =
		entry->timeout_place != NULL ? entry->timeout_place : place;
	if (entry_is_timeout_too_long(entry, loading->settings)) {
		char *where = place == NULL ? xstrdup(file)
					    : xasprintf("%s:%d:%d", file, timeout_place->line,
							timeout_place->column);
		complain_of_timeout(loading, entry, where);
		free(where);
	}
	if (entry->site.url == NULL) {
		entry_finish(entry);
		return;
	}
	if (loading->list->count == SITES_MAX && !loading->is_full) {
		problems_add(loading->problems, file,
			     "found more than %d sites, expected at most that many",
			     (int)SITES_MAX);
		loading->is_full = true;
	}
	if (loading->is_full) {
		entry_finish(entry);
		return;
	}
	site_names_note(loading->names, file, place == NULL ? 0 : place->line,
			place == NULL ? 0 : place->column);
	(void)site_list_add(loading->list, &entry->site);
}

static void begin(const struct loading *loading, struct entry *entry, const char *url)
{
	entry_init(entry, loading->settings, url);
	entry->site.address_policy = address_policy_take(loading->address_policy);
}

static void load_url(struct loading *loading, const char *url)
{
	struct entry entry;
	const char *place = settings_origin(loading->settings, "url")->place;
	begin(loading, &entry, url);
	if (loading->overrides != NULL) {
		struct entry_reader reader = {.tree = loading->overrides,
					      .settings = loading->settings,
					      .problems = loading->problems,
					      .pem_files = loading->pem_files,
					      .cipher_names = loading->cipher_names,
					      .overrides = loading->overrides->root,
					      .entry = &entry,
					      .said_conflicts = &loading->said_conflicts};
		entry_complete(&reader, loading->overrides->root);
	}
	keep(loading, &entry, place, NULL);
}

/* The keys of --set as a file of their own, a line each, so that a complaint says which. */
static void read_overrides(struct loading *loading)
{
	const struct text_list *keys = &loading->settings->site_keys;
	struct buffer text;
	if (keys->count == 0)
		return;
	buffer_init(&text, OVERRIDES_MAX);
	for (size_t i = 0; i < keys->count; i++) {
		const char *equals = strchr(keys->items[i], '=');
		(void)buffer_append_format(&text, "%.*s: %s\n", (int)(equals - keys->items[i]),
					   keys->items[i], equals + 1);
	}
	if (text.is_overflowed) {
		problems_add(loading->problems, "--set", "found more than %d KiB, expected less",
			     OVERRIDES_MAX / 1024);
		buffer_finish(&text);
		return;
	}
	struct tree *tree = tree_parse("--set", text.data, text.length, loading->problems);
	buffer_finish(&text);
	if (tree == NULL)
		return;
	struct entry scratch;
	begin(loading, &scratch, NULL);
	struct entry_reader reader = {.tree = tree,
				      .settings = loading->settings,
				      .problems = loading->problems,
				      .pem_files = loading->pem_files,
				      .cipher_names = loading->cipher_names,
				      .overrides = tree->root,
				      .entry = &scratch,
				      .said_conflicts = &loading->said_conflicts};
	entry_check_overrides(&reader);
	entry_finish(&scratch);
	loading->overrides = tree;
}

static void load_entries(struct loading *loading, struct tree *tree, const struct node *entries,
			 struct node *defaults)
{
	struct entry scratch;
	uint64_t said_conflicts = loading->said_conflicts;
	struct entry_reader reader = {
		.tree = tree,
		.settings = loading->settings,
		.problems = loading->problems,
		.pem_files = loading->pem_files,
		.cipher_names = loading->cipher_names,
		.overrides = loading->overrides == NULL ? NULL : loading->overrides->root,
		.said_conflicts = &said_conflicts};
	if (defaults != NULL) {
		begin(loading, &scratch, NULL);
		reader.entry = &scratch;
		entry_check_defaults(&reader, defaults);
		entry_finish(&scratch);
	}
	if (entries->kind != NODE_SEQUENCE) {
		entry_expect(&reader, entries, "a list of sites");
		return;
	}
	if (entries->count == 0)
		entry_problem(&reader, entries, "found an empty list, expected at least one site");
	for (size_t i = 0; i < entries->count; i++) {
		struct entry entry;
		begin(loading, &entry, NULL);
		reader.entry = &entry;
		entry_read(&reader, entries->items[i], defaults);
		keep(loading, &entry, tree->name, entries->items[i]);
	}
}

/* The keys at the top of a sites file. */
static void load_mapping(struct loading *loading, struct tree *tree, const struct node *root,
			 bool is_config)
{
	static const char *const names[] = {"sites", "defaults"};
	const struct node *entries = NULL;
	const char *entries_key = NULL;
	struct node *defaults = NULL;
	bool is_misspelt = false;
	for (size_t i = 0; i < root->count; i++) {
		const char *key = older_file_key(root->pairs[i].key->text);
		if (strcmp(key, "sites") == 0 && entries != NULL)
			tree_problem(tree, root->pairs[i].key, loading->problems,
				     "found `%s` beside `%s`, expected one of them",
				     root->pairs[i].key->text, entries_key);
		if (strcmp(key, "sites") == 0) {
			entries = root->pairs[i].value;
			entries_key = root->pairs[i].key->text;
		} else if (strcmp(key, "defaults") == 0)
			defaults = root->pairs[i].value;
		else if (!is_config && !text_starts_with(key, "x-")) {
			const char *nearest = text_nearest(key, names, 2);
			char found[NODE_KEY_MAX];
			node_name_key(root->pairs[i].key, found);
			is_misspelt = is_misspelt || nearest == names[0];
			tree_problem(tree, root->pairs[i].key, loading->problems,
				     "unknown key `%s`, %s%s%s", found,
				     nearest == NULL ? "expected sites and " : "did you mean `",
				     nearest == NULL ? "defaults" : nearest,
				     nearest == NULL ? "" : "`?");
		}
	}
	if (entries == NULL && !is_misspelt)
		tree_problem(tree, root, loading->problems,
			     "found no `sites`, expected a list of them");
	else if (entries != NULL)
		load_entries(loading, tree, entries, defaults);
}

static void load_file(struct loading *loading, const char *path, bool is_config)
{
	struct tree *tree = tree_read(path, loading->problems);
	if (tree == NULL)
		return;
	char found[128];
	if (tree->root == NULL || node_is_null(tree->root)) {
		problems_add(loading->problems, path, "is empty, expected a list of sites");
	} else if (tree->root->kind == NODE_MAPPING) {
		load_mapping(loading, tree, tree->root, is_config);
	} else if (tree->root->kind == NODE_SEQUENCE) {
		load_entries(loading, tree, tree->root, NULL);
	} else {
		node_describe(tree->root, found, sizeof(found));
		tree_problem(tree, tree->root, loading->problems,
			     "found %s, expected `sites:` and a list of sites", found);
	}
	tree_destroy(tree);
}

static int is_sites_file(const struct dirent *item)
{
	const char *dot = strrchr(item->d_name, '.');
	return item->d_name[0] != '.' && dot != NULL &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_folder(struct loading *loading, const char *path)
{
	struct dirent **items = NULL;
	struct error err;
	int count = scandir(path, &items, is_sites_file, compare_names);
	if (count < 0) {
		error_set_errno(&err, ERROR_REJECT, errno, "can't read the folder");
		problems_add(loading->problems, path, "%s", err.message);
		return;
	}
	if (count == 0)
		problems_add(loading->problems, path,
			     "found no *.yaml file in this folder, expected some");
	for (int i = 0; i < count; i++) {
		char *file = xasprintf("%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
				       items[i]->d_name);
		load_file(loading, file, false);
		free(file);
		free(items[i]);
	}
	free(items);
}

static void load_path(struct loading *loading, const char *path)
{
	struct stat status;
	loading->has_source = true;
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		load_folder(loading, path);
	else
		load_file(loading, path, false);
}

static bool needs_sites(const struct settings *settings)
{
	return (settings->subject &
		(COMMAND_PRODUCER | COMMAND_RUN | COMMAND_CHECK | COMMAND_SITES)) != 0;
}

static bool reads_sites(const struct settings *settings)
{
	const unsigned starting = COMMAND_PRODUCER | COMMAND_CONSUMER | COMMAND_RUN |
				  COMMAND_CHECK | COMMAND_SITES | COMMAND_WEB |
				  COMMAND_CONFIG_CHECK;
	const unsigned reading = COMMAND_PRODUCER | COMMAND_CONSUMER | COMMAND_RUN | COMMAND_CHECK |
				 COMMAND_SITES | COMMAND_WEB;
	return (settings->command & starting) != 0 && (settings->subject & reading) != 0;
}

void sites_load(const struct settings *settings, struct site_list *ret_list,
		struct problems *problems)
{
	struct loading loading = {.settings = settings, .list = ret_list, .problems = problems};
	site_list_init(ret_list, pattern_destroy);
	if (!reads_sites(settings))
		return;
	loading.names = site_names_create();
	loading.pem_files = pem_files_create();
	loading.cipher_names = cipher_names_create();
	loading.address_policy = address_list_of_settings(settings);
	read_overrides(&loading);
	if (settings->has_config_sites) {
		loading.has_source = true;
		load_file(&loading, settings->config_path, true);
	}
	if (settings->sites_path != NULL)
		load_path(&loading, settings->sites_path);
	for (size_t i = 0; i < settings->site_files.count; i++)
		load_path(&loading, settings->site_files.items[i]);
	for (size_t i = 0; i < settings->urls.count; i++)
		load_url(&loading, settings->urls.items[i]);
	bool is_empty = ret_list->count == 0 && !loading.has_source && !settings->has_bad_sites;
	/* `check --set URL` took it for what is to be set, and was complained of */
	bool is_said = problems->error_count > 0;
	if (is_empty && needs_sites(settings) && settings->subject == COMMAND_CHECK && is_said)
		is_empty = false;
	if (is_empty && needs_sites(settings) && settings->subject == COMMAND_CHECK)
		problems_add(problems, "arguments",
			     "found no URL, expected one: websentry check https://example.com");
	else if (is_empty && needs_sites(settings))
		problems_add(problems, "sites",
			     "found none, expected URLs, --sites FILE, WEBSENTRY_TARGETS_FILE or "
			     "WEBSENTRY_SITES");
	site_names_give(loading.names, ret_list, problems);
	site_names_destroy(loading.names);
	tree_destroy(loading.overrides);
	pem_files_destroy(loading.pem_files);
	cipher_names_destroy(loading.cipher_names);
	address_policy_release(loading.address_policy);
	/* The trees are gone, but lay between what stays: 1 KB a site that would be resident for ever. */
	(void)malloc_trim(0);
}
