/* The text of a pattern, as PCRE2 reads it. Pure; any thread. */
#ifndef WEBSENTRY_PATTERN_PATTERN_TEXT_H
#define WEBSENTRY_PATTERN_PATTERN_TEXT_H

#include <stddef.h>

/* How long the escape at text is: \d \x{61} \p{L} \pL \cA \012 \k{name} */
size_t pattern_text_escape_length(const char *text);
/* … the class: [a-z] [^]a] [[:alpha:]] */
size_t pattern_text_class_length(const char *text);
/* How far it is to behind the next of these; to the end where there is none. */
size_t pattern_text_length_to(const char *text, char end);

/* The same pattern with [\D], [\S] and [\W] for what stands alone of them. To be freed by the caller. */
char *pattern_text_with_classes(const char *text);

#endif
