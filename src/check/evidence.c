#include "check/evidence.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/observation.h"
#include "check/secrets.h"
#include "check/site.h"
#include "check/url.h"

/* Append text by lines, as safe text with line ends, until out has max bytes. Returns whether all of it fitted. */
static bool append_lines(struct buffer *out, const char *bytes, size_t length, size_t max)
{
	while (length > 0) {
		const char *end = memchr(bytes, '\n', length);
		size_t line = end == NULL ? length : (size_t)(end - bytes);
		size_t shown = line > 0 && bytes[line - 1] == '\r' ? line - 1 : line;
		if (!text_clean(out, bytes, shown, max - out->length) || out->length == max)
			return false;
		if (end == NULL)
			return true;
		(void)buffer_append_char(out, '\n');
		bytes += line + 1;
		length -= line + 1;
	}
	return true;
}

/* A character that was cut in two at the end is none. */
static size_t without_half_character(const char *bytes, size_t length)
{
	size_t begin = length;
	while (begin > 0 && length - begin < 4 && ((unsigned char)bytes[begin - 1] & 0xC0) == 0x80)
		begin--;
	if (begin > 0 && (unsigned char)bytes[begin - 1] >= 0xC0 && length - begin < 3 &&
	    !text_is_utf8(bytes + begin - 1, length - begin + 1))
		return begin - 1;
	return length;
}

static char *make_body(const struct secrets *secrets, const struct raw_response *raw, size_t max)
{
	size_t limit = max + EVIDENCE_SLACK;
	bool is_cut = raw->body_length >= limit;
	size_t length = is_cut ? without_half_character(raw->body, limit) : raw->body_length;
	struct buffer hidden;
	struct buffer out;
	if (length == 0)
		return NULL;
	buffer_init(&hidden, 12 * limit);
	buffer_init(&out, max);
	secrets_hide(secrets, raw->body, length, is_cut, &hidden);
	if (hidden.length > 0)
		(void)append_lines(&out, hidden.data, hidden.length, max);
	buffer_finish(&hidden);
	return buffer_take(&out);
}

/* Of a link only what is secret in it goes; it often is what one wants to see. */
static bool is_secret_field(const char *line, size_t length, const char *colon)
{
	static const char *const links[] = {"Location", "Content-Location", "Link", "Refresh"};
	char *name = xstrndup(line, (size_t)(colon - line));
	const char *begin = colon + 1;
	while (begin < line + length && (*begin == ' ' || *begin == '\t'))
		begin++;
	char *value = xstrndup(begin, (size_t)(line + length - begin));
	bool is_link = false;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		is_link = is_link || text_equal_ignoring_case(name, links[i]);
	bool is_secret =
		url_is_secret_name(name) || (!is_link && url_is_secret_header(name, value));
	free(name);
	free(value);
	return is_secret;
}

/* "Name: value" of a head, without its end. */
static void append_field(struct buffer *out, const struct secrets *secrets, const char *line,
			 size_t length)
{
	const char *colon = memchr(line, ':', length);
	if (colon != NULL) {
		if (is_secret_field(line, length, colon)) {
			secrets_hide(secrets, line, (size_t)(colon - line), false, out);
			(void)buffer_append_text(out, ": ***");
			return;
		}
	}
	/* As url_redact() has it: what stands behind the '#' of a link may be anything. */
	const char *fragment = strncasecmp(line, "Location:", length < 9 ? length : 9) == 0
				       ? memchr(line, '#', length)
				       : NULL;
	secrets_hide(secrets, line, fragment == NULL ? length : (size_t)(fragment - line), true,
		     out);
	if (fragment != NULL)
		(void)buffer_append_text(out, "#***");
}

char *evidence_make_head(const struct secrets *secrets, const char *head, size_t length, size_t max)
{
	const char *line = head;
	size_t left = length < max + EVIDENCE_SLACK ? length : max + EVIDENCE_SLACK;
	struct buffer hidden;
	struct buffer out;
	if (left == 0)
		return NULL;
	buffer_init(&hidden, 16 * (max + EVIDENCE_SLACK));
	buffer_init(&out, max);
	while (left > 0) {
		const char *end = memchr(line, '\n', left);
		size_t used = end == NULL ? left : (size_t)(end - line);
		size_t shown = used > 0 && line[used - 1] == '\r' ? used - 1 : used;
		/* A line that begins with a blank goes on with the value before it: who knows whose. */
		bool is_dropped = shown > 0 && (line[0] == ' ' || line[0] == '\t');
		if (!is_dropped && shown > 0) {
			(void)buffer_append_text(&hidden, hidden.length == 0 ? "" : "\n");
			append_field(&hidden, secrets, line, shown);
		}
		used += end == NULL ? 0 : 1;
		line += used;
		left -= used;
	}
	if (hidden.length > 0)
		(void)append_lines(&out, hidden.data, hidden.length, max);
	buffer_finish(&hidden);
	return buffer_take(&out);
}

void evidence_make(const struct site *site, const struct raw_response *raw,
		   struct evidence *ret_evidence)
{
	size_t max = (size_t)site->evidence_bytes;
	*ret_evidence = (struct evidence){0};
	if (max == 0 || (raw->head_length == 0 && raw->body_length == 0))
		return;
	struct secrets *secrets = secrets_create_with(site, raw->cookies);
	ret_evidence->headers = evidence_make_head(secrets, raw->head, raw->head_length, max);
	ret_evidence->body = make_body(secrets, raw, max);
	secrets_destroy(secrets);
}

void evidence_finish(struct evidence *evidence)
{
	free(evidence->headers);
	free(evidence->body);
	*evidence = (struct evidence){0};
}
