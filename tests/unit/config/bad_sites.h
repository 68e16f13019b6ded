/* A sites file that is wrong, and each line that is said of it: a row of the tests' tables. */
#ifndef WEBSENTRY_TESTS_CONFIG_BAD_SITES_H
#define WEBSENTRY_TESTS_CONFIG_BAD_SITES_H

#include <stddef.h>

struct bad_sites_case {
	const char *name;
	const char
		*text; /* of s.yaml; what is secret in it is spelt "sesame", and must not be told */
	const char *lines; /* all of them */
	size_t length;     /* 0: strlen(text) */
};

/* One site with a URL and these keys; the first one is in column 19. */
#define BAD_SITE(keys) "[{url: http://a/, " keys "}]"

/* A test, to be added with a table: *state is its struct bad_sites_case. */
void bad_sites_check(void **state);

#endif
