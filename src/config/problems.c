#include "config/problems.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/secrets.h"

enum { WHERE_MAX = 1024, WHAT_MAX = 2048 }; /* bytes of a line's two halves */

void problems_init(struct problems *problems)
{
	*problems = (struct problems){0};
}

static void clear_item(struct problem *item)
{
	free(item->where);
	free(item->what);
	*item = (struct problem){0};
}

void problems_finish(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		clear_item(&problems->items[i]);
	problems_init(problems);
}

static size_t encode_utf8(uint32_t character, char text[static 5])
{
	size_t length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	for (size_t i = length; i-- > 1; character >>= 6)
		text[i] = (char)(0x80 | (character & 0x3F));
	text[0] = (char)(0xF00U >> length | character);
	text[length] = '\0';
	return length;
}

/* What would change the order of the line, or not be seen in it, is shown by its number: "a<U+202E>b". */
static void name_invisible(char **text, size_t max)
{
	uint32_t character;
	while (text_find_invisible(*text, &character)) {
		char bytes[5];
		size_t length = encode_utf8(character, bytes);
		const char *found = strstr(*text, bytes);
		if (found == NULL) /* never: it was found */
			return;
		char *longer = xasprintf("%.*s<U+%04X>%s", (int)(found - *text), *text,
					 (unsigned)character, found + length);
		free(*text);
		*text = text_clean_copy(longer, strlen(longer), max);
		free(longer);
	}
}

/* Somebody may have written a URL with a password where none belongs. */
static char *make_safe(const char *text, size_t max)
{
	struct buffer shown;
	buffer_init(&shown, 4 * max);
	secrets_hide_users(text, strlen(text), &shown);
	char *safe = text_clean_copy(shown.length == 0 ? "" : shown.data, shown.length, max);
	buffer_finish(&shown);
	name_invisible(&safe, max);
	return safe;
}

static void set_item(struct problem *item, bool is_warning, const char *where, const char *what)
{
	clear_item(item);
	item->is_warning = is_warning;
	item->where = make_safe(where, WHERE_MAX);
	item->what = make_safe(what, WHAT_MAX);
}

/* A place for one more line: a fresh one, or for an error that of a warning when the list is full; NULL without one. */
static struct problem *place_for(struct problems *problems, bool is_warning)
{
	if (problems->count < PROBLEMS_MAX)
		return &problems->items[problems->count++];
	for (size_t i = PROBLEMS_MAX; !is_warning && i-- > 0;)
		if (problems->items[i].is_warning)
			return &problems->items[i];
	return NULL;
}

static void count_hidden(struct problems *problems, bool is_warning)
{
	char what[64];
	problems->hidden_count++;
	(void)snprintf(what, sizeof(what), "%zu more problems are not shown",
		       problems->hidden_count);
	struct problem *last = &problems->items[PROBLEMS_MAX];
	set_item(last, is_warning && (problems->count == PROBLEMS_MAX || last->is_warning),
		 "settings", what);
	problems->count = PROBLEMS_MAX + 1;
}

__attribute__((format(printf, 4, 0))) static void
add(struct problems *problems, bool is_warning, const char *where, const char *format, va_list args)
{
	char what[WHAT_MAX];
	(void)vsnprintf(what, sizeof(what), format, args);
	if (!is_warning)
		problems->error_count++;
	struct problem *item = place_for(problems, is_warning);
	if (item == NULL) {
		count_hidden(problems, is_warning);
		return;
	}
	bool is_taken_over = item->where != NULL;
	set_item(item, is_warning, where, what);
	if (is_taken_over)
		count_hidden(problems, true);
}

void problems_add(struct problems *problems, const char *where, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(problems, false, where, format, args);
	va_end(args);
}

void problems_warn(struct problems *problems, const char *where, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(problems, true, where, format, args);
	va_end(args);
}
