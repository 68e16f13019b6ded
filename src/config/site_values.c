/* The kinds of values in a sites file. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/file.h"
#include "config/named_files.h"
#include "config/problems.h"
#include "config/settings.h"
#include "config/site_entry.h"

enum { FOUND_MAX = 128, WHAT_MAX = 1024, TIME_TEXT_MAX = 48, PATH_TEXT_MAX = 4096, PARTS_MAX = 16 };

void entry_problem(struct entry_reader *reader, const struct node *node, const char *format, ...)
{
	char what[WHAT_MAX];
	va_list args;
	if (reader->is_quiet)
		return;
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (reader->entry != NULL)
		reader->entry->is_wrong = true;
	tree_problem(reader->tree, node, reader->problems, "%s", what);
}

void entry_warn(struct entry_reader *reader, const struct node *node, const char *format, ...)
{
	char what[WHAT_MAX];
	va_list args;
	if (reader->is_quiet)
		return;
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	char *where = xasprintf("%s:%d:%d", reader->tree->name, node->line, node->column);
	problems_warn(reader->problems, where, "%s", what);
	free(where);
}

void entry_complain_unknown(struct entry_reader *reader, const struct node *key,
			    const char *const *names, size_t count, const char *expected)
{
	char found[NODE_KEY_MAX];
	char *name = xstrndup(key->text, strcspn(key->text, ":="));
	const char *nearest = text_nearest(name, names, count);
	free(name);
	node_name_key(key, found);
	if (reader->entry != NULL)
		entry_note_mistaken(reader->entry, key->text);
	if (nearest != NULL)
		entry_problem(reader, key, "unknown key `%s`, did you mean `%s`?", found, nearest);
	else
		entry_problem(reader, key, "unknown key `%s`, expected %s", found, expected);
}

void entry_expect(struct entry_reader *reader, const struct node *value, const char *format, ...)
{
	char found[FOUND_MAX];
	char expected[WHAT_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(expected, sizeof(expected), format, args);
	va_end(args);
	node_describe(value, found, sizeof(found));
	entry_problem(reader, value, "found %s, expected %s", found, expected);
}

int entry_take_block(struct entry_reader *reader, const char *name, const struct node *value,
		     size_t max, char **ret_text)
{
	if (value->kind != NODE_SCALAR || node_is_null(value)) {
		entry_expect(reader, value, "text for `%.80s`", name);
		return -1;
	}
	if (strlen(value->text) != value->length) {
		entry_problem(reader, value, "found a NUL byte in `%s`, expected text without",
			      name);
		return -1;
	}
	if (value->length == 0 || value->length > max) {
		entry_problem(reader, value, "found %zu bytes, expected 1 to %zu for `%s`",
			      value->length, max, name);
		return -1;
	}
	*ret_text = xstrdup(value->text);
	return 0;
}

int entry_take_text(struct entry_reader *reader, const char *name, const struct node *value,
		    size_t max, char **ret_text)
{
	char *text;
	if (entry_take_block(reader, name, value, max, &text) != 0)
		return -1;
	for (const char *at = text; *at != '\0'; at++) {
		if (iscntrl((unsigned char)*at)) {
			entry_problem(reader, value,
				      "found the control character 0x%02X in `%s`, expected one "
				      "line of text",
				      (unsigned)(unsigned char)*at, name);
			free(text);
			return -1;
		}
	}
	*ret_text = text;
	return 0;
}

void entry_replace(char **field, char *taken)
{
	free(*field);
	*field = taken;
}

int entry_take_pem(struct entry_reader *reader, const char *name, const struct node *value,
		   int (*check)(struct pem_files *, const char *, struct error *), char **ret_path)
{
	struct error err;
	char *path;
	if (entry_take_text(reader, name, value, PATH_TEXT_MAX, &path) != 0)
		return -1;
	if (check(reader->pem_files, path, &err) != 0)
		entry_problem(reader, value, "%s", err.message);
	*ret_path = path; /* also then: nobody is to complain that it is missing */
	return 0;
}

/* Of a secret no byte is shown. */
static bool is_one_line(struct entry_reader *reader, const struct node *value, const char *text,
			size_t length)
{
	if (length == 0) {
		entry_problem(reader, value, "%.200s is empty, expected one line of text",
			      value->text);
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (iscntrl((unsigned char)text[i])) {
			entry_problem(reader, value,
				      "%.200s holds the control character 0x%02X, expected one "
				      "line of text",
				      value->text, (unsigned)(unsigned char)text[i]);
			return false;
		}
	}
	return true;
}

char *entry_read_file(struct entry_reader *reader, const char *path, size_t max, size_t *ret_length,
		      struct error *err)
{
	named_files_note(reader->settings->named_files, path);
	return file_read_regular(path, max, ret_length, err);
}

int entry_take_line_of_file(struct entry_reader *reader, const char *name, const struct node *value,
			    size_t max, char **ret_text)
{
	struct error err;
	char *path;
	size_t length;
	if (entry_take_text(reader, name, value, PATH_TEXT_MAX, &path) != 0)
		return -1;
	char *text = entry_read_file(reader, path, max, &length, &err);
	free(path);
	if (text == NULL) {
		entry_problem(reader, value, "%s", err.message);
		return -1;
	}
	while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL &&
	       text[length - 1] != '\0')
		length--;
	if (!is_one_line(reader, value, text, length)) {
		free(text);
		return -1;
	}
	text[length] = '\0';
	*ret_text = text;
	return 0;
}

/* What stands there instead may be a secret: "basic_auth: me:sesame". */
static void expect_mapping(struct entry_reader *reader, const char *name, const struct node *value)
{
	bool is_text = value->kind == NODE_SCALAR && !node_is_null(value);
	if (is_text)
		entry_problem(reader, value, "found text, expected a mapping for `%s`", name);
	else
		entry_expect(reader, value, "a mapping for `%s`", name);
}

bool entry_is_mapping(struct entry_reader *reader, const char *name, const struct node *value,
		      size_t max)
{
	if (value->kind == NODE_MAPPING && value->count <= max)
		return true;
	if (value->kind == NODE_MAPPING)
		entry_problem(reader, value, "found %zu keys in `%s`, expected at most %zu",
			      value->count, name, max);
	else
		expect_mapping(reader, name, value);
	return false;
}

bool entry_is_empty_list(struct entry_reader *reader, const char *name, const struct node *value)
{
	if (value->kind != NODE_SEQUENCE || value->count > 0)
		return false;
	entry_expect(reader, value, "at least one value for `%.80s`", name);
	return true;
}

bool entry_has_parts(struct entry_reader *reader, const char *name, const struct node *value,
		     const struct entry_key *parts)
{
	const char *names[PARTS_MAX];
	char expected[256];
	size_t count = 0;
	size_t used = 0;
	bool is_known = true;
	if (value->kind != NODE_MAPPING) {
		expect_mapping(reader, name, value);
		return false;
	}
	for (; parts[count].name != NULL; count++) {
		const char *glue = count == 0 ? "" : parts[count + 1].name == NULL ? " or " : ", ";
		names[count] = parts[count].name;
		used += (size_t)snprintf(expected + used, sizeof(expected) - used, "%s%s", glue,
					 names[count]);
	}
	for (size_t i = 0; i < value->count; i++) {
		bool is_found = false;
		for (size_t j = 0; j < count && !is_found; j++)
			is_found = strcmp(names[j], value->pairs[i].key->text) == 0;
		if (!is_found)
			entry_complain_unknown(reader, value->pairs[i].key, names, count, expected);
		is_known = is_known && is_found;
	}
	return is_known;
}

int entry_take_bool(struct entry_reader *reader, const char *name, const struct node *value,
		    bool *ret_value)
{
	static const char *const yes[] = {"true", "yes", "on"};
	static const char *const no[] = {"false", "no", "off"};
	bool is_text = value->kind == NODE_SCALAR && strlen(value->text) == value->length;
	for (size_t i = 0; is_text && i < 3; i++) {
		if (text_equal_ignoring_case(value->text, yes[i])) {
			*ret_value = true;
			return 0;
		}
		if (text_equal_ignoring_case(value->text, no[i])) {
			*ret_value = false;
			return 0;
		}
	}
	entry_expect(reader, value, "true or false for `%s`", name);
	return -1;
}

int entry_take_integer(struct entry_reader *reader, const char *name, const struct node *value,
		       int64_t min, int64_t max, int64_t *ret_value)
{
	int64_t number;
	if (value->kind != NODE_SCALAR || strlen(value->text) != value->length ||
	    text_parse_int64(value->text, &number) != 0 || number < min || number > max) {
		entry_expect(reader, value, "a whole number from %lld to %lld for `%s`",
			     (long long)min, (long long)max, name);
		return -1;
	}
	*ret_value = number;
	return 0;
}

int entry_take_size(struct entry_reader *reader, const char *name, const struct node *value,
		    int64_t min, int64_t max, int64_t *ret_bytes)
{
	int64_t bytes;
	if (value->kind != NODE_SCALAR || strlen(value->text) != value->length ||
	    text_parse_size(value->text, &bytes) != 0 || bytes < min || bytes > max) {
		entry_expect(reader, value,
			     "a size from %lld to %lld bytes, such as 64KiB, for `%s`",
			     (long long)min, (long long)max, name);
		return -1;
	}
	*ret_bytes = bytes;
	return 0;
}

struct time_key {
	const char *name;
	const char *unit;
};

static const struct time_key time_keys[] = {
	{"weeks", "w"},   {"days", "d"},          {"hours", "h"},         {"minutes", "m"},
	{"seconds", "s"}, {"milliseconds", "ms"}, {"microseconds", "us"},
};
enum { TIME_KEY_COUNT = sizeof(time_keys) / sizeof(time_keys[0]) };

/* One key of {minutes: 1, seconds: 30}, in microseconds. */
static int take_time_part(struct entry_reader *reader, const struct node_pair *pair,
			  int64_t *ret_us)
{
	const char *names[TIME_KEY_COUNT];
	const char *unit = NULL;
	char text[TIME_TEXT_MAX];
	for (size_t i = 0; i < TIME_KEY_COUNT; i++) {
		names[i] = time_keys[i].name;
		if (strcmp(names[i], pair->key->text) == 0)
			unit = time_keys[i].unit;
	}
	if (unit == NULL) {
		const char *nearest = text_nearest(pair->key->text, names, TIME_KEY_COUNT);
		entry_problem(reader, pair->key, "unknown key `%.80s`, %s%s%s", pair->key->text,
			      nearest == NULL ? "expected weeks, days, hours, minutes or seconds"
					      : "did you mean `",
			      nearest == NULL ? "" : nearest, nearest == NULL ? "" : "`?");
		return -1;
	}
	const struct node *value = pair->value;
	bool is_number = value->kind == NODE_SCALAR && value->length > 0 && value->length < 20 &&
			 strspn(value->text, "0123456789.") == value->length;
	(void)snprintf(text, sizeof(text), "%.20s%s", is_number ? value->text : "", unit);
	if (!is_number || text_parse_duration(text, ret_us) != 0) {
		entry_expect(reader, value, "a number of %s", pair->key->text);
		return -1;
	}
	return 0;
}

static int sum_time_parts(struct entry_reader *reader, const struct node *value, int64_t *ret_us)
{
	int64_t total = 0;
	for (size_t i = 0; i < value->count; i++) {
		int64_t part;
		if (take_time_part(reader, &value->pairs[i], &part) != 0)
			return -1;
		if (__builtin_add_overflow(total, part, &total))
			total = INT64_MAX;
	}
	*ret_us = total;
	return 0;
}

int entry_take_duration(struct entry_reader *reader, const char *name, const struct node *value,
			int64_t min, int64_t max, int64_t *ret_us)
{
	int64_t us = -1;
	bool is_time = false;
	if (value->kind == NODE_MAPPING && value->count > 0) {
		if (sum_time_parts(reader, value, &us) != 0)
			return -1;
		is_time = true;
	} else if (value->kind == NODE_SCALAR && strlen(value->text) == value->length) {
		is_time = text_parse_duration(value->text, &us) == 0;
	}
	if (!is_time) {
		entry_expect(reader, value, "a time such as 30s, 1m30s or {minutes: 1} for `%s`",
			     name);
		return -1;
	}
	if (us < min || us > max) {
		char found[TIME_TEXT_MAX];
		char least[TIME_TEXT_MAX];
		char most[TIME_TEXT_MAX];
		text_format_duration(us, found, sizeof(found));
		text_format_duration(min, least, sizeof(least));
		text_format_duration(max, most, sizeof(most));
		entry_problem(reader, value, "found %s, expected %s to %s for `%s`", found, least,
			      most, name);
		return -1;
	}
	*ret_us = us;
	return 0;
}
