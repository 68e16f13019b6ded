#include "probe/response_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

void response_head_init(struct response_head *head)
{
	*head = (struct response_head){.content_length = -1};
}

void response_head_finish(struct response_head *head)
{
	free(head->location);
	free(head->cookies);
	response_head_init(head);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A decimal number of the header, or -1 where it is none or overflows. */
static int64_t read_length(const char *text, size_t length)
{
	if (length == 0)
		return -1;
	int64_t value = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' ||
		    __builtin_mul_overflow(value, (int64_t)10, &value) ||
		    __builtin_add_overflow(value, (int64_t)(text[i] - '0'), &value))
			return -1;
	}
	return value;
}

static void note_length(struct response_head *head, const char *value, size_t length)
{
	int64_t announced = read_length(value, length);
	if (announced < 0 || (head->content_length >= 0 && head->content_length != announced))
		head->is_length_broken = true;
	head->content_length = announced;
}

static bool is_name(const char *line, size_t length, const char *name)
{
	return length == strlen(name) && strncasecmp(line, name, length) == 0;
}

static enum packing packing_of(const char *name, size_t length)
{
	static const struct {
		const char *name;
		enum packing packing;
	} known[] = {{"gzip", PACKED_GZIP},
		     {"x-gzip", PACKED_GZIP},
		     {"deflate", PACKED_DEFLATE},
		     {"br", PACKED_BROTLI},
		     {"zstd", PACKED_ZSTD}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (is_name(name, length, known[i].name))
			return known[i].packing;
	}
	return PACKED_UNKNOWN;
}

/*
 * Names under which nothing is packed. Only `identity` is one of RFC 9110, 8.4.1; pages in PHP say `none` so that their server packs
 * nothing, object stores keep the `aws-chunked` of the upload, and character sets and MIME's encodings are taken for one another. Browsers
 * and Go show such pages as they are.
 */
static bool is_no_packing(const char *name, size_t length)
{
	static const char *const names[] = {
		"identity", "none",     "chunked",    "aws-chunked", "utf-8",
		"utf8",     "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252",
		"7bit",     "8bit",     "binary",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_name(name, length, names[i]))
			return true;
	}
	return false;
}

/* Count what has to be unpacked, one within the other, and note the last of them. */
static void note_encodings(enum packing *packing, unsigned *count, struct response_head *head,
			   const char *value, size_t length)
{
	const char *end = value + length;
	while (value < end) {
		const char *comma = memchr(value, ',', (size_t)(end - value));
		const char *next = comma != NULL ? comma : end;
		while (value < next && is_blank(value[0]))
			value++;
		size_t size = (size_t)(next - value);
		while (size > 0 && is_blank(value[size - 1]))
			size--;
		if (size > 0 && !is_no_packing(value, size)) {
			(*count)++;
			*packing = packing_of(value, size);
		}
		if (*packing == PACKED_BROTLI || *packing == PACKED_ZSTD)
			head->has_large_window = true;
		value = next < end ? next + 1 : end;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * "HTTP/", a digit or two with a dot between, blanks, three digits of which the first is no zero, and no fourth. Returns the first
 * of the three, or 0 where the line is none.
 */
static char status_class(const char *line, size_t length)
{
	static const char start[] = "HTTP/";
	size_t at = strlen(start);
	if (length <= at || memcmp(line, start, at) != 0 || !is_digit(line[at]))
		return 0;
	at++;
	if (length - at >= 2 && line[at] == '.' && is_digit(line[at + 1]))
		at += 2;
	size_t status_at = at;
	while (status_at < length && (line[status_at] == ' ' || line[status_at] == '\t'))
		status_at++;
	const char *status = line + status_at;
	size_t left = length - status_at;
	bool is_status = status_at > at && left >= 3 && is_digit(status[0]) && status[0] != '0' &&
			 is_digit(status[1]) && is_digit(status[2]) &&
			 (left == 3 || !is_digit(status[3]));
	return (char)(is_status ? status[0] : 0);
}

/* For cookies_take(). */
static void note_cookie(struct response_head *head, const char *value, size_t length)
{
	size_t before = head->cookies != NULL ? strlen(head->cookies) : 0;
	if (length == 0 || before + length > RESPONSE_COOKIES_MAX ||
	    memchr(value, '\0', length) != NULL)
		return;
	char *cookies = xrealloc(head->cookies, before + length + 2);
	memcpy(cookies + before, value, length);
	cookies[before + length] = '\n';
	cookies[before + length + 1] = '\0';
	head->cookies = cookies;
}

/* A new response: what an interim one said does not count. */
static void begin_response(struct response_head *head, const char *line, size_t length)
{
	size_t bytes = head->bytes;
	size_t lines = head->lines;
	response_head_finish(head);
	head->bytes = bytes;
	head->lines = lines;
	char class = status_class(line, length);
	head->is_status_broken = class == 0;
	head->is_redirect = class == '3';
}

/* Of all names only these matter, and most lines are neither. */
static bool may_matter(const struct response_head *head, char first)
{
	char letter = (char)(first | 0x20);
	return letter == 'l' || letter == 'c' || letter == 't' ||
	       (letter == 's' && head->is_redirect);
}

static void note_field(struct response_head *head, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	if (colon == NULL)
		return;
	size_t name_length = (size_t)(colon - line);
	const char *value = colon + 1;
	size_t value_length = length - name_length - 1;
	while (value_length > 0 && is_blank(value[0])) {
		value++;
		value_length--;
	}
	while (value_length > 0 && is_blank(value[value_length - 1]))
		value_length--;
	if (is_name(line, name_length, "location") && head->location == NULL)
		head->location = xstrndup(value, value_length);
	else if (is_name(line, name_length, "set-cookie"))
		note_cookie(head, value, value_length);
	else if (is_name(line, name_length, "content-length"))
		note_length(head, value, value_length);
	else if (is_name(line, name_length, "content-encoding"))
		note_encodings(&head->packing, &head->content_encodings, head, value, value_length);
	else if (is_name(line, name_length, "transfer-encoding"))
		note_encodings(&head->transfer_packing, &head->transfer_encodings, head, value,
			       value_length);
}

int response_head_add_line(struct response_head *head, const char *line, size_t length)
{
	head->bytes += length;
	head->lines++;
	if (head->bytes > RESPONSE_HEAD_MAX || head->lines > RESPONSE_HEAD_LINES_MAX)
		return -1;
	if (length == 0)
		return 0;
	/* In upper or lower case, as curl looks for it; no field's name may hold a slash. */
	if (length >= 5 && strncasecmp(line, "HTTP/", 5) == 0) {
		begin_response(head, line, length);
		return 0;
	}
	if (line[0] == '\r' || line[0] == '\n')
		head->is_complete = true;
	/* Trailers mean nothing. */
	if (!head->is_complete && may_matter(head, line[0]))
		note_field(head, line, length);
	return 0;
}
