/* Where in a text, of any kind, the values stand that look like secrets. It errs on the side of more. Pure; any thread. */
#ifndef WEBSENTRY_CHECK_SECRET_VALUES_H
#define WEBSENTRY_CHECK_SECRET_VALUES_H

#include <stdbool.h>
#include <stddef.h>

/* A look through a text, which is borrowed; all but the text is zero at its beginning. */
struct secret_values {
	const char *bytes;
	size_t length;
	size_t at;         /* what stands before was looked at */
	size_t secret_end; /* of the tags so far that are a secret's, where the last one ends */
	size_t text_at;    /* the '>' of one whose text is the secret; 0: none */
	size_t read_bytes; /* of tags; one that is read may have others within it */
};

/* The next one, without its quotes: bytes[*ret_begin] to before bytes[*ret_end]; it may be empty. False where there is no more. */
bool secret_values_next(struct secret_values *values, size_t *ret_begin, size_t *ret_end);

#endif
