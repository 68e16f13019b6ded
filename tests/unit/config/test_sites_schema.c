/* schema/sites.schema.json and docs/sites.md say all that the parser knows, and nothing else; each documented example is sound. */
#include "fixture.h"
#include "pem_fixture.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_tree.h>

#include "base/memory.h"
#include "check/address_policy.h"
#include "check/request.h"
#include "config/site_entry.h"

enum { TEXT_MAX = 1024 * 1024 };

static char *read_text(const char *name)
{
	char *path = xasprintf("%s/%s", SOURCE_ROOT, name);
	FILE *in = fopen(path, "r");
	char *text = xcalloc(1, TEXT_MAX);
	assert_non_null(in);
	assert_in_range(fread(text, 1, TEXT_MAX - 1, in), 1, TEXT_MAX - 2);
	(void)fclose(in);
	free(path);
	return text;
}

static yajl_val get(yajl_val node, const char *key)
{
	const char *path[] = {key, NULL};
	return yajl_tree_get(node, path, yajl_t_any);
}

static bool is_part(const struct entry_key *parts, const char *name)
{
	for (; parts->name != NULL; parts++)
		if (strcmp(parts->name, name) == 0)
			return true;
	return false;
}

/* What both have: each key of a table with a description, and no key that the table lacks. */
static void compare_property(yajl_val properties, const struct entry_key *key)
{
	yajl_val property = get(properties, key->name);
	if (property == NULL)
		fail_msg("the schema lacks `%s`", key->name);
	assert_true(YAJL_IS_STRING(get(property, "description")));
	if (key->parts == NULL)
		return;
	yajl_val parts = get(property, "properties");
	assert_true(YAJL_IS_OBJECT(parts));
	assert_true(YAJL_IS_FALSE(get(property, "additionalProperties")));
	for (const struct entry_key *part = key->parts; part->name != NULL; part++)
		compare_property(parts, part);
	for (size_t i = 0; i < parts->u.object.len; i++)
		if (!is_part(key->parts, parts->u.object.keys[i]))
			fail_msg("the parser lacks `%s: %s`", key->name, parts->u.object.keys[i]);
}

static const struct entry_key *find_key(const char *name)
{
	for (size_t i = 0; i < entry_key_count; i++)
		if (strcmp(entry_keys[i].name, name) == 0)
			return &entry_keys[i];
	return NULL;
}

static void expect_known(yajl_val properties, bool is_defaults)
{
	for (size_t i = 0; i < properties->u.object.len; i++) {
		const char *name = properties->u.object.keys[i];
		const struct entry_key *key = find_key(name);
		if (key == NULL && strcmp(name, "request_kwargs") != 0)
			fail_msg("the parser lacks `%s`", name);
		if (is_defaults && key != NULL && key->is_own)
			fail_msg("`%s` in the schema's defaults", name);
	}
}

static void schema_is_the_table(void **state)
{
	(void)state;
	char problem[256];
	char *text = read_text("schema/sites.schema.json");
	yajl_val schema = yajl_tree_parse(text, problem, sizeof(problem));
	if (schema == NULL)
		fail_msg("schema/sites.schema.json: %s", problem);
	yajl_val site = get(get(schema, "definitions"), "site");
	yajl_val properties = get(site, "properties");
	assert_true(YAJL_IS_OBJECT(properties));
	assert_true(YAJL_IS_FALSE(get(site, "additionalProperties")));
	yajl_val forms = get(schema, "oneOf");
	assert_true(YAJL_IS_ARRAY(forms));
	assert_int_equal(YAJL_GET_ARRAY(forms)->len, 2);
	yajl_val defaults = get(
		get(get(YAJL_GET_ARRAY(forms)->values[1], "properties"), "defaults"), "properties");
	assert_true(YAJL_IS_OBJECT(defaults));
	for (size_t i = 0; i < entry_key_count; i++) {
		compare_property(properties, &entry_keys[i]);
		if (!entry_keys[i].is_own && get(defaults, entry_keys[i].name) == NULL)
			fail_msg("the schema's defaults lack `%s`", entry_keys[i].name);
	}
	expect_known(properties, false);
	expect_known(defaults, true);
	yajl_tree_free(schema);
	free(text);
}

/* The examples of a row of docs/sites.md, "| `key` | `example`, `example` | …", each in backquotes. */
static size_t check_examples(const char *key, const char *cell)
{
	size_t count = 0;
	const char *end = strstr(cell, " |");
	assert_non_null(end);
	while (*cell == '`') {
		const char *close = strchr(cell + 1, '`');
		assert_true(close != NULL && close < end);
		char *example = xasprintf("%.*s", (int)(close - cell - 1), cell + 1);
		char *text = strcmp(key, "url") == 0
				     ? xasprintf("[{url: '%s'}]", example)
				     : xasprintf("[{%s: %s, url: https://a/}]", key, example);
		const struct fixture_input input = {
			.args = {"config", "check", "--sites=example.yaml"},
			.files = {{"example.yaml", text}},
		};
		struct fixture fixture;
		fixture_read(&fixture, &input);
		if (strcmp(fixture.lines, "") != 0)
			fail_msg("docs/sites.md: `%s: %s`: %s", key, example, fixture.lines);
		assert_int_equal(fixture.sites.count, 1);
		fixture_finish(&fixture);
		free(text);
		free(example);
		count++;
		cell = close + 1;
		if (strncmp(cell, ", ", 2) == 0)
			cell += 2;
	}
	return count;
}

/* What the documents say of a key's value, and what the program makes of it. */
struct statement {
	const char *key;
	const char *usual;  /* that holds where nothing is said; NULL: nothing does */
	const char *bounds; /* in words; NULL: none */
	const char *least;  /* NULL: none … */
	const char *below;
	const char *most;
	const char *above;
	const char *with; /* what else the site needs to say such values; "" for nothing */
};

static const struct statement statements[] = {
	{"method", "GET", NULL, NULL, NULL, NULL, NULL, ""},
	{"valid_status_codes", "200-299", NULL, NULL, NULL, NULL, NULL, ""},
	{"interval", "60s", "100ms to 366d", "100ms", "99ms", "366d", "367d", ""},
	{"timeout", "10s", "1ms to 1h", "1ms", "500us", "1h", "61m", ", interval: 2h"},
	{"retries", "0", "at most 10", "0", "-1", "10", "11", ", timeout: 1s"},
	{"retry_after", "1s", "0 to 1h", "0s", "-1s", "1h", "61m", ", interval: 2h, retries: 1"},
	{"evidence", "1KiB", "at most 16KiB", "0", "-1", "16KiB", "16385", ""},
	{"follow_redirects", "true", NULL, NULL, NULL, NULL, NULL, ""},
	{"max_redirects", "10", "0 to 20", "0", "-1", "20", "21", ""},
	{"compression", "true", NULL, NULL, NULL, NULL, NULL, ""},
	{"http_version", "auto", NULL, NULL, NULL, NULL, NULL, ""},
	{"keepalive", "false", NULL, NULL, NULL, NULL, NULL, ""},
	{"ip_protocol", "any", NULL, NULL, NULL, NULL, NULL, ""},
	{"ip_protocol_fallback", "true", NULL, NULL, NULL, NULL, NULL, ", ip_protocol: 4"},
	{"addresses", "one", NULL, NULL, NULL, NULL, NULL, ""},
	{"addresses_needed", NULL, "1 to 16", "1", "0", "16", "17", ", addresses: all"},
	{"allow_private", "own", NULL, NULL, NULL, NULL, NULL, ""},
	{"match_bytes", "256KiB", "at most 16MiB", "1", "0", "16MiB", "16777217", ""},
	{"max_body_bytes", "16MiB", "at most 16MiB", "1", "0", "16MiB", "16777217",
	 ", match_bytes: 1"},
};

/* In lower case and without backquotes. Fresh. */
static char *plain(const char *text, size_t length)
{
	char *out = xcalloc(1, length + 1);
	size_t used = 0;
	for (size_t i = 0; i < length; i++)
		if (text[i] != '`')
			out[used++] = (char)tolower((unsigned char)text[i]);
	return out;
}

static void expect_words(const char *where, const char *key, const char *text, size_t length,
			 const char *before, const char *words)
{
	char *said = plain(text, length);
	char *bare = xasprintf("%s%s", before, words);
	char *wanted = plain(bare, strlen(bare));
	if (strstr(said, wanted) == NULL)
		fail_msg("%s does not say '%s' of `%s`: %s", where, wanted, key, said);
	free(wanted);
	free(bare);
	free(said);
}

static void read_site(struct fixture *fixture, const char *keys)
{
	char *text = xasprintf("[{%s}]", keys);
	const struct fixture_input input = {
		.args = {"config", "check", "--sites=said.yaml"},
		.files = {{"said.yaml", text}},
	};
	fixture_read(fixture, &input);
	free(text);
}

static void expect_read(const struct statement *said, const char *value, bool is_fine)
{
	struct fixture fixture;
	char *keys = xasprintf("url: 'https://a/', %s: %s%s", said->key, value, said->with);
	read_site(&fixture, keys);
	if ((strcmp(fixture.lines, "") == 0) != is_fine)
		fail_msg("%s: %s", keys, is_fine ? fixture.lines : "it was taken");
	fixture_finish(&fixture);
	free(keys);
}

/* To say what holds anyway changes nothing. */
static void expect_usual(const struct statement *said)
{
	struct fixture silent;
	struct fixture spoken;
	char *without = xasprintf("url: 'https://a/'%s", said->with);
	char *with = xasprintf("%s, %s: %s", without, said->key, said->usual);
	read_site(&silent, without);
	read_site(&spoken, with);
	if (strcmp(spoken.lines, "") != 0)
		fail_msg("%s: %s", with, spoken.lines);
	const struct site *a = &silent.sites.sites[0];
	const struct site *b = &spoken.sites.sites[0];
	const struct request *asked = request_of(a);
	const struct request *told = request_of(b);
	bool is_same =
		strcmp(a->method, b->method) == 0 && a->interval_us == b->interval_us &&
		a->timeout_us == b->timeout_us && a->follow_redirects == b->follow_redirects &&
		a->max_redirects == b->max_redirects && a->retries == b->retries &&
		a->retry_after_us == b->retry_after_us && a->match_bytes == b->match_bytes &&
		a->max_body_bytes == b->max_body_bytes && a->evidence_bytes == b->evidence_bytes &&
		asked->http == told->http && asked->is_keepalive == told->is_keepalive &&
		asked->family == told->family && asked->is_family_only == told->is_family_only &&
		asked->is_all_addresses == told->is_all_addresses &&
		(asked->accept_encoding == NULL) == (told->accept_encoding == NULL);
	for (int status = 100; status < 600; status++)
		is_same =
			is_same && site_accepts_status(a, status) == site_accepts_status(b, status);
	const struct address_policy *policy = b->address_policy;
	if (!is_same || (policy != NULL && policy->allow != address_policy_usual.allow))
		fail_msg("`%s: %s` is not what holds without it", said->key, said->usual);
	fixture_finish(&silent);
	fixture_finish(&spoken);
	free(without);
	free(with);
}

static void defaults_and_bounds_are_as_documented(void **state)
{
	(void)state;
	char problem[256];
	char *text = read_text("schema/sites.schema.json");
	char *document = read_text("docs/sites.md");
	yajl_val schema = yajl_tree_parse(text, problem, sizeof(problem));
	yajl_val site = get(get(schema, "definitions"), "site");
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		const struct statement *said = &statements[i];
		const char *described = YAJL_GET_STRING(
			get(get(get(site, "properties"), said->key), "description"));
		char *begin = xasprintf("\n| `%s` | ", said->key);
		const char *row = strstr(document, begin);
		assert_non_null(row);
		size_t length = strcspn(row + 1, "\n");
		if (said->usual != NULL) {
			expect_words("docs/sites.md", said->key, row + 1, length, "default ",
				     said->usual);
			expect_words("the schema", said->key, described, strlen(described),
				     "default ", said->usual);
			expect_usual(said);
		}
		if (said->bounds != NULL) {
			expect_words("docs/sites.md", said->key, row + 1, length, "", said->bounds);
			expect_words("the schema", said->key, described, strlen(described), "",
				     said->bounds);
			expect_read(said, said->least, true);
			expect_read(said, said->most, true);
			expect_read(said, said->below, false);
			expect_read(said, said->above, false);
		}
		free(begin);
	}
	yajl_tree_free(schema);
	free(text);
	free(document);
}

static void write_file(const char *name, const char *text)
{
	FILE *out = fopen(name, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

/* The files that examples name. */
static const char *const example_files[] = {"ca.pem",     "client.pem", "client-key.pem",
					    "order.json", "token.txt",  "password.txt"};
enum { PEM_EXAMPLES = 3 };

static void every_example_in_sites_md_is_sound(void **state)
{
	(void)state;
	const size_t file_count = sizeof(example_files) / sizeof(example_files[0]);
	char *document = read_text("docs/sites.md");
	pem_fixture_write("ca.pem", NULL);
	pem_fixture_write("client.pem", "client-key.pem");
	for (size_t i = PEM_EXAMPLES; i < file_count; i++)
		write_file(example_files[i], "x\n");
	for (size_t i = 0; i < entry_key_count; i++) {
		char *row = xasprintf("\n| `%s` | ", entry_keys[i].name);
		const char *found = strstr(document, row);
		if (found == NULL)
			fail_msg("docs/sites.md lacks `%s`", entry_keys[i].name);
		assert_true(check_examples(entry_keys[i].name, found + strlen(row)) > 0);
		for (const struct entry_key *part = entry_keys[i].parts;
		     part != NULL && part->name != NULL; part++) {
			char *word = xasprintf("`%s`", part->name);
			if (strstr(found, word) == NULL)
				fail_msg("docs/sites.md lacks `%s: %s`", entry_keys[i].name,
					 part->name);
			free(word);
		}
		free(row);
	}
	for (size_t i = 0; i < file_count; i++)
		assert_int_equal(remove(example_files[i]), 0);
	free(document);
}

int main(void)
{
	FIXTURE_ADD(schema_is_the_table);
	FIXTURE_ADD(every_example_in_sites_md_is_sound);
	FIXTURE_ADD(defaults_and_bounds_are_as_documented);
	return fixture_run("sites_schema");
}
