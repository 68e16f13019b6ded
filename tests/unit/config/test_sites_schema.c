/* schema/sites.schema.json and docs/sites.md say all that the parser knows, and nothing else; each documented example is sound. */
#include "fixture.h"
#include "pem_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_tree.h>

#include "base/memory.h"
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
	return fixture_run("sites_schema");
}
