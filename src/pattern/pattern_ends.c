#include "pattern/pattern_ends.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pattern/pattern_text.h"

enum { NESTING_MAX = 100, CHARACTER_MAX = 4 };

/* A group that is open. */
struct group {
	size_t begin;
	size_t parts; /* that were found before it */
	bool is_part; /* whatever its quantifier is */
	bool minds_lines;
	bool has_reference;
	size_t far;
};

struct reading {
	const char *text;
	size_t at;
	bool has_references;
	bool has_conditions;
	struct group groups[NESTING_MAX + 1];
	size_t depth; /* 0: the whole pattern */
	struct pattern_ends *ends;
};

struct quantifier {
	size_t length;
	size_t least;
	bool is_possessive;
};

/* --- what stands in the text --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits_length(const char *text)
{
	return strspn(text, "0123456789");
}

/* {2} {2,} {2,3}; 0 for what is no such thing. */
static size_t braces_length(const char *text)
{
	if (text[0] != '{' || !is_digit(text[1]))
		return 0;
	size_t length = 1 + digits_length(text + 1);
	if (text[length] == ',')
		length += 1 + digits_length(text + length + 1);
	return text[length] == '}' ? length + 1 : 0;
}

static struct quantifier read_quantifier(const char *text)
{
	struct quantifier found = {.least = 1};
	size_t braces = braces_length(text);
	if (braces > 0)
		found.least = strtoul(text + 1, NULL, 10);
	if (braces == 0 && (text[0] == '\0' || strchr("*+?", text[0]) == NULL))
		return found;
	found.length = braces > 0 ? braces : 1;
	found.is_possessive = text[found.length] == '+';
	if (found.is_possessive || text[found.length] == '?')
		found.length++;
	return found;
}

static bool is_reference(const char *escape)
{
	return is_digit(escape[1]) ? escape[1] != '0' : escape[1] == 'k' || escape[1] == 'g';
}

/* [[:<:]] and [[:>:]]; the class is as long as that. */
static bool is_word_bound(const char *text)
{
	return strncmp(text, "[[:<:]]", 7) == 0 || strncmp(text, "[[:>:]]", 7) == 0;
}

/* Options of the whole: (*UTF)(*CRLF) */
static size_t options_length(const char *text)
{
	size_t at = 0;
	while (text[at] == '(' && text[at + 1] == '*' && isupper((unsigned char)text[at + 2]) != 0)
		at += pattern_text_length_to(text + at, ')');
	return at;
}

/* What is read otherwise, or does more than it seems where it stands. */
static bool is_beyond_us(const char *text)
{
	static const char *const signs[] = {"(*",  "(?#", "(?C", "(?R", "(?&",  "(?P>",     "(?P=",
					    "(?+", "\\Q", "\\E", "\\g", "(?(R", "(?(DEFINE"};
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(text, signs[i]) != NULL)
			return true;
	for (const char *at = strstr(text, "(?"); at != NULL; at = strstr(at + 2, "(?")) {
		if (is_digit(at[2]) || (at[2] == '-' && is_digit(at[3])))
			return true; /* recursion */
		if (memchr(at + 2, 'x', strspn(at + 2, "imsxnaDSWPTrUJ^-")) != NULL)
			return true; /* blanks and comments */
	}
	return false;
}

/* --- parts --- */

static bool is_within_part(const struct reading *reading)
{
	for (size_t i = 1; i <= reading->depth; i++)
		if (reading->groups[i].is_part)
			return true;
	return false;
}

static bool add(struct reading *reading, const struct pattern_end *part)
{
	if (reading->ends->count == PATTERN_ENDS_MAX)
		return false;
	reading->ends->parts[reading->ends->count++] = *part;
	return true;
}

/* How many bytes of a group begin it: "(?:" of "(?:a)", "(?<name>" of "(?<name>a)". Sets what kind it is. */
static size_t open_group(struct reading *reading, const char *text)
{
	struct group *group = &reading->groups[++reading->depth];
	*group = (struct group){.begin = reading->at, .parts = reading->ends->count};
	if (text[1] != '?')
		return 1;
	bool is_behind = text[2] == '<' && (text[3] == '=' || text[3] == '!');
	char kind = text[is_behind ? 3 : 2];
	if (kind == '(' || kind == '>' || kind == '!')
		group->is_part = true;
	else if (kind == '=')
		group->is_part = reading->has_references || reading->has_conditions;
	if (kind == '(')
		return text[3] == '?' ? 2 : 2 + pattern_text_length_to(text + 2, ')');
	if (is_behind)
		return 4;
	if (kind == '=' || kind == '!' || kind == '>' || kind == ':' || kind == '|')
		return 3;
	if (kind == '\'')
		return 3 + pattern_text_length_to(text + 3, '\'');
	if (kind == '<' || (kind == 'P' && text[3] == '<'))
		return pattern_text_length_to(text, '>');
	return 2 + strcspn(text + 2, ":)") + (text[2 + strcspn(text + 2, ":)")] == ':');
}

/* At its ')'. False where what it does can't be told. */
static bool close_group(struct reading *reading)
{
	struct group group = reading->groups[reading->depth--];
	struct group *around = &reading->groups[reading->depth];
	const struct quantifier quantifier = read_quantifier(reading->text + reading->at + 1);
	reading->at += 1 + quantifier.length;
	around->minds_lines = around->minds_lines || group.minds_lines;
	around->has_reference = around->has_reference || group.has_reference;
	if (group.far > around->far)
		around->far = group.far;
	if ((!group.is_part && !quantifier.is_possessive) || is_within_part(reading))
		return true;
	if (group.has_reference) /* as long as whatever it refers to */
		return false;
	reading->ends->count = group.parts; /* those within it */
	reading->ends->look_far = true;
	return add(reading, &(struct pattern_end){.begin = group.begin,
						  .end = reading->at,
						  .far = group.far,
						  .minds_lines = group.minds_lines,
						  .is_repeated = quantifier.length > 0});
}

/* One character, class or place, with its quantifier. */
static bool take_item(struct reading *reading)
{
	const char *text = reading->text + reading->at;
	struct group *group = &reading->groups[reading->depth];
	struct pattern_end part = {.begin = reading->at};
	size_t length = 1;
	if (text[0] == '\\') {
		length = pattern_text_escape_length(text);
		part.minds_before = text[1] != '\0' && strchr("bBzZ", text[1]) != NULL;
		part.minds_after = text[1] == 'R' || text[1] == 'X';
		part.minds_lines = text[1] == 'Z';
		group->has_reference = group->has_reference || is_reference(text);
	} else if (text[0] == '[') {
		part.minds_before = is_word_bound(text);
		length = pattern_text_class_length(text);
	} else if (text[0] == '$') {
		part.minds_before = true;
		part.minds_lines = true;
	} else {
		while (((unsigned char)text[length] & 0xC0) == 0x80)
			length++;
	}
	const struct quantifier quantifier = read_quantifier(text + length);
	reading->at += length + quantifier.length;
	part.end = reading->at;
	part.minds_after = part.minds_after || quantifier.is_possessive;
	group->minds_lines = group->minds_lines || part.minds_lines;
	if (quantifier.least > 1 && quantifier.least * CHARACTER_MAX > group->far)
		group->far = quantifier.least * CHARACTER_MAX;
	if ((!part.minds_before && !part.minds_after) || is_within_part(reading))
		return true;
	if (quantifier.is_possessive && text[0] == '\\' && is_reference(text))
		return false;
	return add(reading, &part);
}

static bool find_parts(const char *text, size_t options, bool has_references,
		       struct pattern_ends *ret_ends)
{
	struct reading reading = {
		.text = text,
		.at = options,
		.has_references = has_references,
		.has_conditions = strstr(text, "(?(") != NULL,
		.ends = ret_ends,
	};
	if (is_beyond_us(text + options))
		return false;
	while (text[reading.at] != '\0') {
		bool is_told = true;
		if (text[reading.at] == '(') {
			if (reading.depth == NESTING_MAX)
				return false;
			reading.at += open_group(&reading, text + reading.at);
		} else if (text[reading.at] == ')') {
			is_told = reading.depth > 0 && close_group(&reading);
		} else if (text[reading.at] == '|' || text[reading.at] == '^') {
			reading.at++;
		} else {
			is_told = take_item(&reading);
		}
		if (!is_told)
			return false;
	}
	return reading.depth == 0;
}

/* --- a pattern whose parts can't be told --- */

/*
 * Whether the pattern may hold where the subject ends and not hold where it goes on: by an anchor, a boundary, a negative look-ahead, or
 * what takes all that it can and gives nothing back. A sign may stand there with another meaning; that only costs time.
 */
static bool may_matter(const char *text, bool has_references, bool *ret_look_far)
{
	static const char *const far[] = {"(?!", "(?>", "(?(", "(*", "++", "*+", "?+", "}+"};
	static const char *const near[] = {"$",   "\\z", "\\Z",  "\\b", "\\B",
					   "\\R", "\\X", "[[:<", "[[:>"};
	*ret_look_far = true;
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		if (strstr(text, far[i]) != NULL)
			return true;
	/* With (?x) there may be blanks within a sign. */
	for (const char *at = strstr(text, "(?"); at != NULL; at = strstr(at + 2, "(?"))
		if (memchr(at + 2, 'x', strspn(at + 2, "imsxnaDSWPTrUJ^-")) != NULL)
			return true;
	/* What is looked ahead for is looked for once: a reference may want it longer, or not so long. */
	*ret_look_far = strstr(text, "(?=") != NULL;
	if (*ret_look_far && has_references)
		return true;
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
		if (strstr(text, near[i]) != NULL)
			return true;
	return false;
}

void pattern_ends_find(const char *text, bool has_references, struct pattern_ends *ret_ends)
{
	const size_t options = options_length(text);
	*ret_ends = (struct pattern_ends){0};
	ret_ends->are_told = find_parts(text, options, has_references, ret_ends);
	if (!ret_ends->are_told) {
		ret_ends->may_matter =
			may_matter(text + options, has_references, &ret_ends->look_far);
		return;
	}
	ret_ends->may_matter = ret_ends->count > 0;
	ret_ends->look_far = ret_ends->look_far || strstr(text, "(?=") != NULL;
}

/* --- a search --- */

/* How long the end of a line is that stands there, whatever the pattern takes for one: "\r\n" and U+2028 are the longest. */
static size_t line_end_length(const char *bytes, size_t length)
{
	if (length >= 2 && bytes[0] == '\r' && bytes[1] == '\n')
		return 2;
	if (length >= 2 && memcmp(bytes, "\xC2\x85", 2) == 0)
		return 2;
	return length >= 3 && memcmp(bytes, "\xE2\x80", 2) == 0 ? 3 : 1;
}

/* Whether nothing more stands there, or bytes that are no text, which the interpreter takes for an end and machine code does not. */
static bool is_end(const struct pattern_ends_watch *watch, size_t at)
{
	if (at >= watch->length)
		return true;
	unsigned char first = (unsigned char)watch->bytes[at];
	size_t needed = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
	return first >= 0x80 &&
	       (needed > watch->length - at || !text_is_utf8(watch->bytes + at, needed));
}

static bool meets_end(const struct pattern_ends_watch *watch, size_t at)
{
	const struct pattern_end *part = watch->part;
	if (is_end(watch, at) || part->far >= watch->length - at)
		return true;
	return part->minds_lines &&
	       is_end(watch, at + line_end_length(watch->bytes + at, watch->length - at));
}

bool pattern_ends_watch_step(struct pattern_ends_watch *watch, size_t place, size_t at)
{
	const struct pattern_end *left = watch->part;
	/* It stays the part that the search is in: a way back may leave it once more, with fewer of a group say. */
	if (left != NULL && place == left->end &&
	    (watch->has_met_end || (left->minds_after && is_end(watch, at))))
		return true;
	watch->part = NULL;
	for (size_t i = 0; i < watch->ends->count; i++) {
		const struct pattern_end *part = &watch->ends->parts[i];
		if (place < part->begin || place >= part->end)
			continue;
		bool is_within = place > part->begin;
		watch->part = part;
		if (left != part || (!is_within && !part->is_repeated)) {
			watch->has_met_end = false;
			watch->steps_in_vain = 0;
		}
		watch->steps_in_vain += watch->has_met_end;
		if (is_within || part->minds_before)
			watch->has_met_end = watch->has_met_end || meets_end(watch, at);
	}
	return false;
}
