/* What a JSON pointer means, told by another parser (yajl's tree) and RFC 6901's own words: an oracle for check/json_pointer.c. */
#ifndef WEBSENTRY_TESTS_FUZZ_JSON_ORACLE_H
#define WEBSENTRY_TESTS_FUZZ_JSON_ORACLE_H

#include <stddef.h>

struct json_value;

/* End the process unless value is what pointer leads to in a document that is JSON. */
void json_oracle_compare(const char *document, size_t length, const char *pointer,
			 const struct json_value *value);

#endif
