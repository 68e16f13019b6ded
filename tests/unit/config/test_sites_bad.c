/* Files that are no list of sites, or none that can be read: the place, what was found, what was expected; all of it at once. */
#include "bad_sites.h"
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct bad_sites_case form_cases[] = {
	{"an empty file", "", "s.yaml: is empty, expected a list of sites\n", 0},
	{"comments only", "# nothing\n", "s.yaml: is empty, expected a list of sites\n", 0},
	{"null", "~", "s.yaml: is empty, expected a list of sites\n", 0},
	{"a URL in place of the list", "sites: https://me:sesame@a/",
	 "s.yaml:1:8: found 'https://a/', expected a list of sites\n", 0},
	{"a URL in place of the file", "https://me:sesame@a/?token=sesame",
	 "s.yaml:1:1: found 'https://a/?token=***', expected `sites:` and a list of sites\n", 0},
	{"a URL as a key", "https://me:sesame@a/: x",
	 "s.yaml:1:1: unknown key `https://a/`, expected sites and defaults\n"
	 "s.yaml:1:1: found no `sites`, expected a list of them\n",
	 0},
	{"a file of variables", "POSTGRES_PASSWORD=sesame",
	 "s.yaml:1:1: found 'POSTGRES_PASSWORD=***', expected `sites:` and a list of sites\n", 0},
	{"a long URL in place of the list",
	 "sites: https://me:"
	 "sesamesesamesesamesesamesesamesesamesesamesesamesesamesesamesesamesesamesesame@a/",
	 "s.yaml:1:8: found 'https://a/', expected a list of sites\n", 0},
	{"a name server that is a URL", BAD_SITE("dns_servers: 'http://me:sesame@a/'"),
	 "s.yaml:1:32: found 'http://a/', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"an empty list", "[]", "s.yaml:1:1: found an empty list, expected at least one site\n", 0},
	{"an empty list of sites", "sites: []",
	 "s.yaml:1:8: found an empty list, expected at least one site\n", 0},
	{"sites without a list", "sites:\n",
	 "s.yaml:1:7: found nothing, expected a list of sites\n", 0},
	{"sites as a mapping", "sites: {a: b}",
	 "s.yaml:1:8: found a mapping, expected a list of sites\n", 0},
	{"text", "hello", "s.yaml:1:1: found 'hello', expected `sites:` and a list of sites\n", 0},
	{"sites misspelt", "Sites: [http://a/]",
	 "s.yaml:1:1: unknown key `Sites`, did you mean `sites`?\n", 0},
	{"a URL misspelt", "[{urll: http://a/}]",
	 "s.yaml:1:3: unknown key `urll`, did you mean `url`?\n", 0},
	{"no sites", "defaults: {}\n", "s.yaml:1:1: found no `sites`, expected a list of them\n",
	 0},
	{"an older service's name beside ours", "sites: [http://a/]\ntargets: [http://b/]",
	 "s.yaml:2:1: found `targets` beside `sites`, expected one of them\n", 0},
	{"an unknown key at the top", "sits: []\nsites: [http://a/]",
	 "s.yaml:1:1: unknown key `sits`, did you mean `sites`?\n", 0},
	{"a far key at the top", "modules: {}\nsites: [http://a/]",
	 "s.yaml:1:1: unknown key `modules`, expected sites and defaults\n", 0},
	{"defaults as a list", "{defaults: [], sites: [http://a/]}",
	 "s.yaml:1:12: found an empty list, expected a mapping for `defaults`\n", 0},
	{"a URL in the defaults", "{defaults: {url: http://b/}, sites: [http://a/]}",
	 "s.yaml:1:13: found `url` in the defaults, expected it in a site\n", 0},
	{"a mistake in the defaults, once",
	 "{defaults: {method: G=T}, sites: [http://a/, http://b/]}",
	 "s.yaml:1:21: found 'G=T', expected a method such as GET, HEAD or POST\n", 0},
	{"an unclosed list", "sites: [a,\n",
	 "s.yaml:2:1: did not find expected node content while parsing a flow node\n", 0},
	{"a tab", "sites:\n\t- url: x\n", "s.yaml:2:1: found a tab, expected spaces\n", 0},
	{"a colon in plain text", "sites:\n- url: http://a/: b\n",
	 "s.yaml:2:17: mapping values are not allowed in this context\n", 0},
	{"no UTF-8", "sites:\n- url: http://\xe9/\n",
	 "s.yaml:2:15: found the byte 0xE9, expected UTF-8\n", 0},
	{"UTF-16", "\xff\xfe[\0]\0", "s.yaml:1:1: found the byte 0xFF, expected UTF-8\n", 6},
	{"a NUL byte", "sites: [\0]", "s.yaml:1:9: control characters are not allowed\n", 10},
	{"a second document", "[http://a/]\n---\n[http://b/]\n",
	 "s.yaml:2:1: found a second document, expected one a file\n", 0},
	{"an unknown alias", "[*a]",
	 "s.yaml:1:2: found an alias, but no anchor of this name before it; text that begins with "
	 "'*' is to be put in quotes\n",
	 0},
	{"an alias of itself", "&a [*a]",
	 "s.yaml:1:5: found an alias within what it stands for, expected it outside\n", 0},
	{"a password that looks like an alias",
	 BAD_SITE("basic_auth: {username: a, password: *sesame}"),
	 "s.yaml:1:55: found an alias, but no anchor of this name before it; text that begins with "
	 "'*' is to be put in quotes\n",
	 0},
	{"a password that looks like a tag",
	 BAD_SITE("basic_auth: {username: a, password: !sesame x}"),
	 "s.yaml:1:55: found an unknown tag, expected none or one of !!str, !!int, !!float, "
	 "!!bool, !!null, !!seq and !!map that fits it; text that begins with '!' is to be put in "
	 "quotes\n",
	 0},
	{"a password that looks like an anchor", BAD_SITE("bearer_token: &sesame"),
	 "s.yaml:1:33: found an anchor without a value, expected one; text that begins with '&' is "
	 "to be put in quotes\n",
	 0},
	{"a list as a key", "{[a]: b}",
	 "s.yaml:1:2: found a list or a mapping as a key, expected a word\n", 0},
	{"a key twice", "[{url: http://a/,\n  url: http://b/}]",
	 "s.yaml:2:3: `url` is given twice (first on line 1), expected it once\n", 0},
	{"a tag that is not of the core schema", "- !foo http://a/\n- {url: http://b/, url: x}\n",
	 "s.yaml:1:3: found an unknown tag, expected none or one of !!str, !!int, !!float, !!bool, "
	 "!!null, !!seq and !!map that fits it; text that begins with '!' is to be put in quotes\n"
	 "s.yaml:2:20: `url` is given twice (first on line 2), expected it once\n",
	 0},
	{"a core tag that does not fit", BAD_SITE("max_redirects: !!int some"),
	 "s.yaml:1:34: found the tag !!int, expected none or one of !!str, !!int, "
	 "!!float, !!bool, !!null, !!seq and !!map that fits it\n",
	 0},
	{"a tag before what is wrong anyway", BAD_SITE("interval: !foo x, max_redirects: y"),
	 "s.yaml:1:29: found an unknown tag, expected none or one of !!str, !!int, !!float, "
	 "!!bool, "
	 "!!null, !!seq and !!map that fits it; text that begins with '!' is to be put in quotes\n"
	 "s.yaml:1:52: found 'y', expected a whole number from 0 to 20 for `max_redirects`\n",
	 0},
	{"a list that says it is a mapping", "!!map [http://a/]",
	 "s.yaml:1:1: found the tag !!map, expected none or one of !!str, !!int, "
	 "!!float, !!bool, !!null, !!seq and !!map that fits it\n",
	 0},
	{"a tag of another schema", "[!!python/object http://a/]",
	 "s.yaml:1:2: found an unknown tag, expected none or one of !!str, !!int, !!float, !!bool, "
	 "!!null, !!seq and !!map that fits it; text that begins with '!' is to be put in quotes\n",
	 0},
	{"a character in two halves, as JSON has it",
	 "{\"sites\": [\n{\"url\": \"http://\xC3\xA4/\", "
	 "\"name\": \"a \\ud83D\\uDe00 b\"}]}",
	 "s.yaml:2:33: found '\\ud83D\\uDe00', which is how JSON escapes a character in two "
	 "halves, "
	 "expected the character itself or '\\U0001F600'\n",
	 0},
	{"half a character", "[{\"url\": \"http://a/\", \"name\": \"\\ud83d\"}]",
	 "s.yaml:1:32: found '\\ud83d', which is half a character, expected a whole one\n", 0},
	{"a half without another", "[\"\\udc00\\udc00\"]",
	 "s.yaml:1:3: found '\\udc00', which is half a character, expected a whole one\n", 0},
	{"a half before what is none", "[\"\\ud83d\\u0041\"]",
	 "s.yaml:1:3: found '\\ud83d', which is half a character, expected a whole one\n", 0},
	{"half a character at the end", "[\"\\ud83d",
	 "s.yaml:1:3: found '\\ud83d', which is half a character, expected a whole one\n", 0},
	{"a key behind a list, whose letters are digits",
	 "- http://a/\ndefaults:\n  interval: 5s\n",
	 "s.yaml:2:1: did not find expected '-' indicator while parsing a block collection\n", 0},
	{"a character that there is not", "[\"\\U00110000\"]",
	 "s.yaml:1:5: found invalid Unicode character escape code while parsing a quoted scalar\n",
	 0},
	{"a merge of no mapping", "[{<<: 5, url: http://a/}]",
	 "s.yaml:1:7: expected a mapping of at most 256 keys to merge (<<)\n", 0},
};

static void expect(const struct fixture_input *input, const char *lines)
{
	struct fixture fixture;
	fixture_read(&fixture, input);
	assert_string_equal(fixture.lines, lines);
	fixture_finish(&fixture);
}

static void files_that_are_none(void **state)
{
	(void)state;
	expect(&(struct fixture_input){.args = {"run", "--sites=none.yaml"}},
	       "none.yaml: does not exist\n");
	expect(&(struct fixture_input){.args = {"run", "none.yaml"}},
	       "none.yaml: does not exist\n");
	assert_int_equal(mkdir("empty", 0700), 0);
	expect(&(struct fixture_input){.args = {"run", "empty"}},
	       "empty: found no *.yaml file in this folder, expected some\n");
	assert_int_equal(rmdir("empty"), 0);
}

static void a_timeout_by_flag_names_the_flag(void **state)
{
	(void)state;
	expect(&(struct fixture_input){.args = {"run", "s.yaml", "--timeout=6s"},
				       .files = {{"s.yaml",
						  "[{url: http://a/, interval: 5s}, http://b/]"}}},
	       "s.yaml:1:2: the timeout 6s (--timeout) is longer than the interval 5s\n");
}

static void sites_in_config_are_placed_there(void **state)
{
	(void)state;
	expect(&(struct fixture_input){.args = {"run", "--config=c.yaml"},
				       .files = {{"c.yaml", "sites:\n- method: GET\n"}}},
	       "c.yaml:2:3: found a site without `url`, expected one\n");
}

/* Nine levels of nine: 387 million values from 90. */
static void aliases_cannot_explode(void **state)
{
	(void)state;
	char text[2048] = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
	for (int i = 1; i < 9; i++) {
		size_t used = strlen(text);
		(void)snprintf(text + used, sizeof(text) - used,
			       "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n",
			       i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	}
	struct fixture fixture;
	const struct fixture_input input = {.args = {"run", "s.yaml"}, .files = {{"s.yaml", text}}};
	fixture_read(&fixture, &input);
	assert_string_equal(
		fixture.lines,
		"s.yaml:7:15: aliases expand this file of 28 values to more than 1000448 from "
		"here on\n");
	fixture_finish(&fixture);
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	char text[300];
	memset(text, '[', 200);
	text[200] = '\0';
	expect(&(struct fixture_input){.args = {"run", "s.yaml"}, .files = {{"s.yaml", text}}},
	       "s.yaml:1:65: found more than 64 values within one another\n");
}

static void a_huge_file_is_not_read(void **state)
{
	(void)state;
	FILE *out = fopen("huge.yaml", "w");
	assert_non_null(out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(truncate("huge.yaml", (off_t)300 * 1024 * 1024), 0); /* sparse */
	expect(&(struct fixture_input){.args = {"run", "huge.yaml"}},
	       "huge.yaml: is larger than 262144 KiB\n");
	assert_int_equal(remove("huge.yaml"), 0);
}

static void a_pipe_that_nobody_writes_to_does_not_hold_us_up(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("pipe.yaml", 0600), 0);
	expect(&(struct fixture_input){.args = {"run", "pipe.yaml"}},
	       "pipe.yaml: is empty, expected a list of sites\n");
	assert_int_equal(remove("pipe.yaml"), 0);
}

static void many_problems_end_in_a_count(void **state)
{
	(void)state;
	char text[4000] = "sites:\n";
	for (int i = 0; i < 150; i++)
		strncat(text, "- [a]\n", sizeof(text) - strlen(text) - 1);
	struct fixture fixture;
	const struct fixture_input input = {.args = {"run", "s.yaml"}, .files = {{"s.yaml", text}}};
	fixture_read(&fixture, &input);
	assert_int_equal(fixture.problems.error_count, 150);
	assert_int_equal(fixture.problems.count, PROBLEMS_MAX + 1);
	fixture_expect_line(fixture.lines, "settings: 50 more problems are not shown");
	fixture_finish(&fixture);
}

int main(void)
{
	FIXTURE_ADD_TABLE(form_cases, bad_sites_check);
	FIXTURE_ADD(files_that_are_none);
	FIXTURE_ADD(a_timeout_by_flag_names_the_flag);
	FIXTURE_ADD(sites_in_config_are_placed_there);
	FIXTURE_ADD(aliases_cannot_explode);
	FIXTURE_ADD(nesting_is_bounded);
	FIXTURE_ADD(a_huge_file_is_not_read);
	FIXTURE_ADD(a_pipe_that_nobody_writes_to_does_not_hold_us_up);
	FIXTURE_ADD(many_problems_end_in_a_count);
	return fixture_run("sites_bad");
}
