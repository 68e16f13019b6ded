/*
 * What is a value, by what stands before it:
 *
 *   name=value, "name": "v"  up to the closing quote, of an object or array up to its end; without one, up to the next separator behind
 *                            '=', up to the end of the line behind ':' (Authorization: Bearer …)
 *   <name>value, name="name" value="v", a part of multipart/form-data likewise
 *   <input value="v" …>  where the tag's name, id, type or autocomplete is a secret's, wherever it stands in the tag; content="v" likewise
 *   <textarea name="NAME" …>v, and what shows texts as they are
 *
 * where url_is_secret_name() says so of the name, whose letters JSON may have escaped; and without a name, private keys and
 * what has the shape of a token (token_shapes.h).
 */
#include "check/secret_values.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "check/escapes.h"
#include "check/token_shapes.h"
#include "check/url.h"

enum {
	NAME_MAX_BYTES = 64,
	PEM_HEAD_MAX = 64,
	ESCAPED_NAME_MAX = 6 * NAME_MAX_BYTES, /* \u006b for each of its letters */
	NAMED_MAX = 1024,                      /* bytes of the value of name="…" */
	READ_TIMES = 8,                        /* what is read of tags, to what there is */
	AWS_KEY_BYTES = 40,
};

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("_-.%[]$", c) != NULL);
}

/* What HTML makes of a quote: how long the one is that ends at bytes[end]; 0 where there is none. */
static size_t entity_length(const char *bytes, size_t end)
{
	static const char *const quotes[] = {"&quot;", "&#34;", "&#39;", "&#x27;", "&apos;"};
	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
		size_t length = strlen(quotes[i]);
		if (length <= end && memcmp(bytes + end - length, quotes[i], length) == 0)
			return length;
	}
	return 0;
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

/* Where the name before bytes[at] ends: before blanks and quotes, also those that HTML or JSON within JSON has escaped. */
static size_t name_end(const char *bytes, size_t at)
{
	size_t end = at;
	while (end > 0) {
		char c = bytes[end - 1];
		bool is_escape = c == '\\' && (is_quote(bytes[end]) || bytes[end] == '\\');
		size_t entity = entity_length(bytes, end);
		if (c != ' ' && !is_quote(c) && !is_escape && entity == 0)
			break;
		end -= entity > 0 ? entity : 1;
	}
	return end;
}

/* How long the escape of a letter at bytes is, \u006b or \x6b, with more backslashes in JSON within JSON; 0 for none. */
static size_t escape_length(const char *bytes, size_t length, char *ret_letter)
{
	char character[ESCAPES_CHARACTER_MAX];
	size_t size;
	size_t last = 0;
	while (last + 1 < length && bytes[last] == '\\' && bytes[last + 1] == '\\')
		last++;
	if (last + 1 >= length || bytes[last] != '\\' ||
	    (bytes[last + 1] != 'u' && bytes[last + 1] != 'x'))
		return 0;
	size_t used = escapes_read(bytes + last, length - last, character, &size);
	bool is_letter = used > 0 && size == 1 && character[0] > ' ' && character[0] < 0x7F;
	*ret_letter = (char)(is_letter ? character[0] : ' ');
	return used > 0 ? last + used : 0;
}

/* Whether what stands before the '=' or ':' at bytes[at] is a name that looks like a secret's. */
static bool has_secret_name(const char *bytes, size_t at)
{
	char name[ESCAPED_NAME_MAX + 1];
	char letter;
	size_t used = 0;
	size_t end = name_end(bytes, at);
	size_t begin = end;
	while (begin > 0 && end - begin < ESCAPED_NAME_MAX &&
	       (is_name_byte(bytes[begin - 1]) ||
		escape_length(bytes + begin - 1, end - begin + 1, &letter) > 0))
		begin--;
	while (begin < end) {
		size_t escape = escape_length(bytes + begin, end - begin, &letter);
		if (escape == 0)
			letter = bytes[begin];
		name[used++] = letter;
		begin += escape > 0 ? escape : 1;
	}
	name[used] = '\0';
	return used > 0 &&
	       url_is_secret_name(name + (used > NAME_MAX_BYTES ? used - NAME_MAX_BYTES : 0));
}

static size_t quoted_end(const char *bytes, size_t length, size_t at, char quote)
{
	while (at < length && bytes[at] != quote)
		at += bytes[at] == '\\' && at + 1 < length ? 2 : 1;
	return at;
}

/* Behind the object or array that begins at bytes[at]; the end where it is cut off. */
static size_t nested_end(const char *bytes, size_t length, size_t at)
{
	size_t depth = 0;
	while (at < length) {
		if (bytes[at] == '"')
			at = quoted_end(bytes, length, at + 1, '"');
		else if (bytes[at] == '[' || bytes[at] == '{')
			depth++;
		else if ((bytes[at] == ']' || bytes[at] == '}') && --depth == 0)
			return at + 1;
		at++;
	}
	return length;
}

/* Of a text between quotes with so many backslashes before them, as JSON within JSON has: where the closing ones begin. */
static size_t escaped_end(const char *bytes, size_t length, size_t at, size_t escapes, char quote)
{
	size_t run = 0;
	for (; at < length; at++) {
		if (bytes[at] == quote && run <= escapes)
			return at - run;
		run = bytes[at] == '\\' ? run + 1 : 0;
	}
	return length;
}

/* Where the value behind the '=' or ':' at bytes[at] begins: of JSON, also on the next line. */
static size_t value_begin(const char *bytes, size_t length, size_t at)
{
	size_t begin = at + 1;
	if (begin < length && bytes[begin] == '>') /* name => value */
		begin++;
	while (begin < length && (bytes[begin] == ' ' || bytes[begin] == '\t'))
		begin++;
	size_t next = begin;
	while (next < length && bytes[next] != '\0' && strchr(" \t\r\n", bytes[next]) != NULL)
		next++;
	bool is_json = bytes[at] == ':' && next < length && bytes[next] != '\0' &&
		       strchr("\"[{", bytes[next]) != NULL;
	return is_json ? next : begin;
}

/* Where the value behind the '=' or ':' at bytes[at] lies. */
static void find_value(const char *bytes, size_t length, size_t at, size_t *ret_begin,
		       size_t *ret_end)
{
	const char *separators = bytes[at] == ':' ? "\r\n<>\"" : " \t\r\n<>\"'&;,)]}";
	size_t begin = value_begin(bytes, length, at);
	size_t escapes = 0;
	while (begin + escapes < length && bytes[begin + escapes] == '\\')
		escapes++;
	size_t end = begin;
	if (begin + escapes < length && is_quote(bytes[begin + escapes])) {
		char quote = bytes[begin + escapes];
		begin += escapes + 1;
		end = escapes > 0 ? escaped_end(bytes, length, begin, escapes, quote)
				  : quoted_end(bytes, length, begin, quote);
	} else if (begin < length && bytes[at] == ':' &&
		   (bytes[begin] == '[' || bytes[begin] == '{')) {
		end = nested_end(bytes, length, begin);
	} else {
		while (end < length &&
		       (bytes[end] == '\0' || strchr(separators, bytes[end]) == NULL))
			end++;
	}
	*ret_begin = begin;
	*ret_end = end;
}

/* NAME: value, NAME=value; the '=' or ':' is at bytes[at]. */
static bool is_pair(const char *bytes, size_t length, size_t at, size_t *ret_begin, size_t *ret_end)
{
	bool is_scheme =
		bytes[at] == ':' && at + 2 < length && bytes[at + 1] == '/' && bytes[at + 2] == '/';
	if (is_scheme || !has_secret_name(bytes, at))
		return false;
	find_value(bytes, length, at, ret_begin, ret_end);
	return true;
}

/* <NAME>value<; the '>' is at bytes[at]. */
static bool is_element(const char *bytes, size_t length, size_t at, size_t *ret_begin,
		       size_t *ret_end)
{
	size_t looked = at < NAME_MAX_BYTES + 1 ? at : NAME_MAX_BYTES + 1;
	const char *open = memrchr(bytes + at - looked, '<', looked);
	if (open == NULL || open[1] == '/' ||
	    memchr(open, '=', (size_t)(bytes + at - open)) != NULL || !has_secret_name(bytes, at))
		return false;
	const char *end = memchr(bytes + at, '<', length - at);
	*ret_begin = at + 1;
	*ret_end = end == NULL ? length : (size_t)(end - bytes);
	return true;
}

/* name="NAME" value="value", and a part of multipart/form-data; the '=' is at bytes[at]. */
static bool is_named_input(const char *bytes, size_t length, size_t at, size_t *ret_begin,
			   size_t *ret_end)
{
	size_t begin;
	size_t end;
	if (at < 4 || bytes[at] != '=' || strncasecmp(bytes + at - 4, "name", 4) != 0)
		return false;
	size_t looked = length - at > NAMED_MAX ? at + NAMED_MAX : length;
	size_t quote = value_begin(bytes, looked, at);
	while (quote < looked && bytes[quote] == '\\')
		quote++;
	if (quote == looked || !is_quote(bytes[quote]))
		return false;
	find_value(bytes, looked, at, &begin, &end);
	if (end == looked || !is_quote(bytes[end]) || !has_secret_name(bytes, end))
		return false;
	size_t next = end + 1;
	if (length - next >= 4 && memcmp(bytes + next, "\r\n\r\n", 4) == 0) {
		const char *line = memchr(bytes + next + 4, '\r', length - next - 4);
		*ret_begin = next + 4;
		*ret_end = line == NULL ? length : (size_t)(line - bytes);
		return true;
	}
	while (next < length && bytes[next] != '>' && bytes[next] != '=')
		next++;
	if (next == length || bytes[next] != '=' ||
	    strncasecmp(bytes + next - strlen("value"), "value", strlen("value")) != 0)
		return false;
	find_value(bytes, length, next, ret_begin, ret_end);
	return true;
}

/* --- tags of HTML --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Of the attribute whose '=' is at bytes[at]: up to the closing quote, or without one to the next blank. */
static void find_attribute(const char *bytes, size_t length, size_t at, size_t *ret_begin,
			   size_t *ret_end)
{
	find_value(bytes, length, at, ret_begin, ret_end);
	if (*ret_begin > at + 1 && (is_quote(bytes[*ret_begin - 1])))
		return;
	*ret_end = *ret_begin;
	while (*ret_end < length && !is_blank(bytes[*ret_end]) && bytes[*ret_end] != '>')
		(*ret_end)++;
}

/* Whether the name before the '=' at bytes[at] is one of these. */
static bool is_attribute(const char *bytes, size_t at, const char *const *names, size_t count)
{
	size_t end = at;
	while (end > 0 && is_blank(bytes[end - 1]))
		end--;
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(names[i]);
		if (length < end && !is_name_byte(bytes[end - length - 1]) &&
		    strncasecmp(bytes + end - length, names[i], length) == 0)
			return true;
	}
	return false;
}

/* What a tag's attributes say of it. */
struct tag {
	bool has_secret_name;
	bool has_secret_mark; /* by its id, type or autocomplete */
	bool is_button;       /* what it holds is shown to everybody */
	size_t end;           /* its '>', or where it is broken off */
};

static bool is_one_of(const char *bytes, size_t length, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == length && strncasecmp(bytes, words[i], length) == 0)
			return true;
	return false;
}

/* The attribute whose '=' is at bytes[at] has this value. */
static void note_attribute(const char *bytes, size_t at, const char *value, size_t length,
			   struct tag *tag)
{
	static const char *const names[] = {"name"};
	static const char *const marks[] = {"id", "type", "autocomplete"};
	static const char *const types[] = {"type"};
	static const char *const buttons[] = {"submit", "button",   "reset",
					      "image",  "checkbox", "radio"};
	char text[NAME_MAX_BYTES + 1];
	bool is_name = is_attribute(bytes, at, names, sizeof(names) / sizeof(names[0]));
	bool is_mark = is_attribute(bytes, at, marks, sizeof(marks) / sizeof(marks[0]));
	if (!is_name && !is_mark)
		return;
	size_t used = length < NAME_MAX_BYTES ? length : NAME_MAX_BYTES;
	memcpy(text, value, used);
	text[used] = '\0';
	bool is_secret = url_is_secret_name(text);
	tag->has_secret_name = tag->has_secret_name || (is_name && is_secret);
	tag->has_secret_mark = tag->has_secret_mark || (is_mark && is_secret);
	if (is_attribute(bytes, at, types, 1))
		tag->is_button = tag->is_button || is_one_of(value, length, buttons,
							     sizeof(buttons) / sizeof(buttons[0]));
}

/* Read the tag whose name begins at bytes[begin], up to what can stand in none. */
static void read_tag(const char *bytes, size_t length, size_t begin, struct tag *ret_tag)
{
	static const char *const buttons[] = {"button", "option", "li"};
	struct tag tag = {0};
	size_t at = begin;
	while (at < length && isalnum((unsigned char)bytes[at]))
		at++;
	tag.is_button =
		is_one_of(bytes + begin, at - begin, buttons, sizeof(buttons) / sizeof(buttons[0]));
	for (; at < length && bytes[at] != '>' && bytes[at] != '<'; at++) {
		size_t value;
		size_t end;
		if (bytes[at] != '=')
			continue;
		find_attribute(bytes, length, at, &value, &end);
		note_attribute(bytes, at, bytes + value, end - value, &tag);
		at = end < length && is_quote(bytes[end]) ? end : end - 1;
	}
	tag.end = at;
	*ret_tag = tag;
}

/* A tag may begin at bytes[at]: note what of it is a secret. Where tags are read again and again, no more are: all may be. */
static void enter_tag(struct secret_values *values, size_t at)
{
	static const char *const shown[] = {"textarea", "output", "code", "pre", "samp"};
	const char *name = values->bytes + at + 1;
	size_t left = values->length - at - 1;
	size_t name_length = 0;
	struct tag tag;
	while (name_length < left && isalnum((unsigned char)name[name_length]))
		name_length++;
	if (name_length == 0 || isdigit((unsigned char)name[0]))
		return;
	if (values->read_bytes / READ_TIMES > values->length) {
		values->secret_end = values->length;
		return;
	}
	read_tag(values->bytes, values->length, at + 1, &tag);
	values->read_bytes += tag.end - at;
	bool is_secret = tag.has_secret_name || (tag.has_secret_mark && !tag.is_button);
	if (is_secret && tag.end > values->secret_end)
		values->secret_end = tag.end;
	if (is_secret && is_one_of(name, name_length, shown, sizeof(shown) / sizeof(shown[0])))
		values->text_at = tag.end;
}

/* <input … value="v" …>, <meta … content="v" …>; the '=' is at bytes[at], in a secret's tag. */
static bool is_attribute_of_secret(const char *bytes, size_t length, size_t at, size_t *ret_begin,
				   size_t *ret_end)
{
	static const char *const held[] = {"value", "content"};
	if (bytes[at] != '=' || !is_attribute(bytes, at, held, sizeof(held) / sizeof(held[0])))
		return false;
	find_attribute(bytes, length, at, ret_begin, ret_end);
	return true;
}

/* </ or, in JSON, <\/ */
static bool is_end_tag(const char *bytes, size_t length, size_t at)
{
	size_t slash = at + 1 < length && bytes[at + 1] == '\\' ? at + 2 : at + 1;
	return bytes[at] == '<' && slash < length && bytes[slash] == '/';
}

/* <textarea …>v</textarea>; the '>' is at bytes[at]. */
static void take_text(const char *bytes, size_t length, size_t at, size_t *ret_begin,
		      size_t *ret_end)
{
	size_t end = at + 1;
	while (end < length && !is_end_tag(bytes, length, end))
		end++;
	*ret_begin = at + 1;
	*ret_end = end;
}

/* --- what needs no name --- */

/* A token with a shape of its own, at bytes[at]; of AWS's keys with the key itself where that follows the id and a colon. */
static bool is_token(const char *bytes, size_t length, size_t at, size_t *ret_begin,
		     size_t *ret_end)
{
	size_t end = at + token_shapes_length(bytes, length, at);
	size_t key = end + 1;
	if (end == at)
		return false;
	while (bytes[at] == 'A' && end < length && bytes[end] == ':' && key < length &&
	       (isalnum((unsigned char)bytes[key]) || bytes[key] == '/' || bytes[key] == '+'))
		key++;
	*ret_begin = at;
	*ret_end = key > end + AWS_KEY_BYTES ? key : end;
	return true;
}

/* A private key in PEM; its first '-' is at bytes[at]. */
static bool is_private_key(const char *bytes, size_t length, size_t at, size_t *ret_begin,
			   size_t *ret_end)
{
	static const char begin[] = "-----BEGIN ";
	static const char kind[] = "PRIVATE KEY-----";
	static const char end[] = "-----END ";
	if (length - at < strlen(begin) || memcmp(bytes + at, begin, strlen(begin)) != 0)
		return false;
	size_t looked = length - at < PEM_HEAD_MAX ? length - at : PEM_HEAD_MAX;
	const char *head = memmem(bytes + at, looked, kind, strlen(kind));
	if (head == NULL)
		return false;
	*ret_begin = (size_t)(head - bytes) + strlen(kind);
	const char *foot = memmem(bytes + *ret_begin, length - *ret_begin, end, strlen(end));
	*ret_end = foot == NULL ? length : (size_t)(foot - bytes);
	return true;
}

/* A value that begins with a private key (TLS_KEY=-----BEGIN …) ends with it, and not with its first word. */
static void take_whole_key(const char *bytes, size_t length, size_t begin, size_t *end)
{
	size_t key_begin;
	size_t key_end;
	if (begin < length && is_private_key(bytes, length, begin, &key_begin, &key_end) &&
	    key_end > *end)
		*end = key_end;
}

/* What begins at bytes[at]. */
static bool is_value(struct secret_values *values, size_t at, size_t *ret_begin, size_t *ret_end)
{
	const char *bytes = values->bytes;
	const size_t length = values->length;
	switch (bytes[at]) {
	case '<':
		enter_tag(values, at);
		return false;
	case '=':
	case ':':
		return is_pair(bytes, length, at, ret_begin, ret_end) ||
		       (at < values->secret_end &&
			is_attribute_of_secret(bytes, length, at, ret_begin, ret_end)) ||
		       is_named_input(bytes, length, at, ret_begin, ret_end);
	case '>':
		if (at != values->text_at || at == 0)
			return is_element(bytes, length, at, ret_begin, ret_end);
		take_text(bytes, length, at, ret_begin, ret_end);
		return true;
	case '-':
		return is_private_key(bytes, length, at, ret_begin, ret_end);
	default:
		return is_token(bytes, length, at, ret_begin, ret_end);
	}
}

bool secret_values_next(struct secret_values *values, size_t *ret_begin, size_t *ret_end)
{
	for (size_t at = values->at; at < values->length; at++) {
		if (!is_value(values, at, ret_begin, ret_end))
			continue;
		take_whole_key(values->bytes, values->length, *ret_begin, ret_end);
		values->at = *ret_end;
		return true;
	}
	values->at = values->length;
	return false;
}
