/*
 * A pretend decoder for the writer's tests, as long as a line: "site started_at_s", or "bad REASON". In `run` the line is a JSON
 * object's text, {"site":"started_at_s"}, that got an identity in front.
 */
#ifndef TESTS_COMPONENT_STORE_DECODE_H
#define TESTS_COMPONENT_STORE_DECODE_H

#include <stddef.h>

#include "check/report_row.h"

int decode_line(const char *bytes, size_t length, struct report_row *ret_row,
		const char **ret_reason, char *ret_detail, size_t detail_size);

#endif
