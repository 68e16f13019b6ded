#include "config/command_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* What follows is not shown; the rest of its room is blank, for the system goes by the place of the last word's end. */
static void hide(char *text)
{
	static const char shown[] = "***";
	size_t length = strlen(text);
	size_t marks = strlen(shown);
	memset(text, ' ', length);
	memcpy(text, shown, length < marks ? length : marks);
}

/* The value of a flag, or a word that is no flag. */
static void hide_value(char *value)
{
	char *address = strstr(value, "://");
	char *equals = strchr(value, '=');
	if (address != NULL && (equals == NULL || address < equals))
		hide(address + strlen("://"));
	else if (equals != NULL)
		hide(equals + 1);
	else if (strpbrk(value, "@?;") != NULL)
		hide(value);
}

static void hide_word(char *word)
{
	char *equals = strchr(word, '=');
	if (word[0] != '-')
		hide_value(word);
	else if (equals != NULL)
		hide_value(equals + 1);
}

char **command_line_take(int argc, char **argv)
{
	char **words = xcalloc((size_t)argc + 1, sizeof(*words));
	for (int i = 0; i < argc; i++) {
		words[i] = xstrdup(argv[i]);
		if (i > 0)
			hide_word(argv[i]);
	}
	return words;
}

void command_line_free(char **words)
{
	if (words == NULL)
		return;
	for (char **word = words; *word != NULL; word++)
		free(*word);
	free(words);
}
